"""A promoted plan on its way into effect: steps, who has to do them, how far they are.

`body` is what a promotion fixes once, `progress` what follows from it and from what engines acknowledged,
`build` makes the body of the next promotion from what stands now. Nothing here knows of stores or sockets.
"""

from planner.rollout.body import RolloutBody, Seat
from planner.rollout.build import build_rollout
from planner.rollout.progress import Acknowledgement, Desired, Outcome, Progress, StepState

__all__ = [
    "Acknowledgement",
    "Desired",
    "Outcome",
    "Progress",
    "RolloutBody",
    "Seat",
    "StepState",
    "build_rollout",
]
