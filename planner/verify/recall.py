"""What the plan that runs was taught by simulation, looked at again before the next plan is made.

A plan says which kinds of instance simulation corrected, and what each carries. Where that is less than the
formulas say now, simulation may correct it again: a round of planning that can be spared.
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.candidates.candidate import Candidate
from planner.plan import Plan
from planner.verify.correct import Corrected, carried_at, correction, most_carried
from planner.verify.replay import Replayer

__all__ = ["recalled"]

LESS = 1e-3
"""Share of what the formulas say that a kind lacks at least where it is looked at: plans are rounded."""
MORE = 0.02
"""Share by which it may carry more than the plan says before that is thought to be of other requests."""


def recalled(replayer: Replayer, current: Plan, candidates: Sequence[Candidate]) -> Corrected | None:
    """Return the candidates with the capacities of the plan that runs, where simulation still bears them out.

    Where they carry more by now, but less than the formulas say, what they carry is found anew. None where
    nothing is to be corrected, or simulation agrees with neither the formulas nor the plan that runs.
    """
    if current.verification is None:
        return None
    said = {instance.shape: instance.expected.capacity_per_s for instance in current.instances}
    corrected = {sentence.partition(": ")[0] for sentence in current.verification.corrections}
    count = replayer.requests_each(len(said))
    found: dict[int, Candidate] = {}
    sentences = []
    for index, candidate in enumerate(candidates):
        before = said.get(candidate.shape)
        if candidate.label not in corrected or before is None:
            continue
        if not 0 < before < candidate.capacity_per_s * (1 - LESS):
            continue
        if carried_at(replayer, candidate, candidate.capacity_per_s, count) is None:
            held = carried_at(replayer, candidate, before, count)
            if held is not None and carried_at(replayer, candidate, before * (1 + MORE), count) is not None:
                held = most_carried(replayer, candidate, candidate.capacity_per_s, count)
            if held is not None:
                found[index] = held
                sentences.append(correction(candidate, held))
    if not found:
        return None
    return Corrected(
        candidates=tuple(found.get(index, candidate) for index, candidate in enumerate(candidates)),
        sentences=tuple(sentences),
    )
