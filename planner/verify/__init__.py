"""A finished plan replayed in the simulator, and sized again where it misses its targets there.

`stream` draws the requests, `group` simulates equal instances, `replay` puts the workloads together,
`correct` learns from a miss what an instance really carries, `repair` plans again with it, `recall` looks at
what the plan that runs has learnt so.
"""

from __future__ import annotations

from planner.verify.recall import recalled
from planner.verify.repair import verify
from planner.verify.replay import Replayer

__all__ = ["Replayer", "recalled", "verify"]
