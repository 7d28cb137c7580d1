"""Why a plan is as it is, as values: for a terminal here, for a message to elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.candidates.candidate import Candidate
from planner.clock import Clock
from planner.explain.alternatives import alternatives, node_worths
from planner.explain.resharding import resharding_verdicts
from planner.explain.sentences import bounds_in_sentences, explain_in_sentences, price_per_thousand
from planner.plan.cut import cut_label
from planner.plan.instance import Role

if TYPE_CHECKING:
    from planner.pipeline import Planned

__all__ = ["ConsideredShape", "Explanation", "WhyWorkload", "explain_plan"]

MOST_SHAPES = 4
"""Of each role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsideredShape:
    """One way to run a workload: `Candidate` as far as people ask.

    Parameters
    ----------
    chosen
        Instances of it in the plan.
    price_per_thousand
        Of 1,000 requests at full load; of its phase only, for prefill and decode.
    dominated
        Another is at least as good in everything: it was left out of the sizing.
    """

    chosen: int
    role: Role
    cut: str
    pool: str
    gpus: int
    max_num_batched_tokens: int
    capacity_per_s: float
    price_per_thousand: float
    ttft_ms: float | None
    tpot_ms: float | None
    limit: str
    dominated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyWorkload:
    """Why a workload is served as it is."""

    workload: str
    shapes: tuple[ConsideredShape, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a plan is as it is.

    Parameters
    ----------
    alternatives
        What the fleet would cost otherwise.
    resharding
        Whether an engine should re-shard between prefill and decode.
    node_worths
        What one more node would change, by pool.
    ruled_out
        What was not asked because the fleet rules it out; empty where nothing was.
    incomplete
        Time was over before everything was asked.
    """

    workloads: tuple[WhyWorkload, ...]
    alternatives: tuple[str, ...] = ()
    resharding: tuple[str, ...] = ()
    node_worths: tuple[tuple[str, str], ...] = ()
    ruled_out: str = ""
    incomplete: bool = False


def explain_plan(planned: Planned, clock: Clock) -> Explanation:
    """Find out; `clock` limits the sizings that it takes."""
    chosen = Counter(instance.shape for instance in planned.plan.instances)
    considered = {candidate.shape for candidate in planned.considered}
    workloads = []
    for workload in planned.fleet.workloads:
        mine = [c for c in planned.candidates.accepted if c.workload == workload.name]
        refused = [r for r in planned.candidates.refused if r.workload == workload.name]
        sentences = (*bounds_in_sentences(mine, chosen), *explain_in_sentences(mine, refused, chosen))
        shapes = _shapes(mine, chosen, lambda c: c.shape not in considered)
        workloads.append(WhyWorkload(workload=workload.name, shapes=shapes, sentences=sentences))
    if not planned.plan.instances:
        return Explanation(workloads=tuple(workloads))
    clock.report("alternatives")
    others = tuple(other.sentence for other in alternatives(planned, clock))
    resharding = tuple(resharding_verdicts(planned, clock))
    clock.report("one more node")
    return Explanation(
        workloads=tuple(workloads), alternatives=others, resharding=resharding,
        node_worths=tuple(node_worths(planned, clock)), ruled_out=_ruled_out(planned),
        incomplete=clock.is_over,
    )  # fmt: skip


def _ruled_out(planned: Planned) -> str:
    roles = planned.fleet.policies.roles
    if len(roles) != 1:
        return ""
    only = "mixed instances" if "mixed" in roles else "prefill and decode apart"
    return f"policies.roles allows {only} only: the other way is not asked about"


def _shapes(
    candidates: Sequence[Candidate],
    chosen: Counter[tuple[str, ...]],
    dominated: Callable[[Candidate], bool],
) -> tuple[ConsideredShape, ...]:
    """The cheapest candidates of each role; what was chosen is always among them."""
    roles: tuple[Role, ...] = ("mixed", "prefill", "decode")
    ranked = [
        c
        for role in roles
        for position, c in enumerate(
            sorted((c for c in candidates if c.role == role), key=price_per_thousand)
        )
        if position < MOST_SHAPES or chosen[c.shape]
    ]
    return tuple(
        ConsideredShape(
            chosen=chosen[c.shape], role=c.role, cut=cut_label(c), pool=c.pool, gpus=c.gpus,
            max_num_batched_tokens=c.max_num_batched_tokens, capacity_per_s=c.capacity_per_s,
            price_per_thousand=price_per_thousand(c), ttft_ms=c.ttft_ms, tpot_ms=c.tpot_ms, limit=c.limit,
            dominated=dominated(c),
        )
        for c in ranked
    )  # fmt: skip
