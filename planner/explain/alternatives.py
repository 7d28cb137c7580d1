"""What the plan would cost otherwise: without the shapes it chose, the other way round, with one more node.

Every answer is a sizing of its own, with everything else free to change: no price of a relaxation, which says
nothing about whole instances. Placement is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from models.serving.calibration import calibration
from planner.candidates.candidate import Candidate
from planner.candidates.dominance import undominated
from planner.clock import Clock
from planner.fleet.fleet import Fleet
from planner.report.numbers import money, share
from planner.sizing.problem import SizingProblem
from planner.sizing.solve import Sizing, solve_sizing

if TYPE_CHECKING:
    from planner.pipeline import Planned

__all__ = ["Alternative", "alternatives", "node_worths"]

Way = Literal["shape", "mixed", "disaggregated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One other way to serve a workload, and what the whole fleet costs with it.

    Parameters
    ----------
    question
        ``shape``: without the chosen shapes; ``mixed`` or ``disaggregated``: only that way.
    shapes
        What the workload would run on: labels of candidates with their numbers.
    cost_per_hour
        None where demand cannot be covered so.
    extra_per_hour
        Beyond the cheapest.
    tie
        The difference is less than what the prediction interval of the workload's latencies makes of its own
        part of the cost: measurements could turn it round.
    """

    workload: str
    question: Way
    shapes: tuple[str, ...]
    cost_per_hour: float | None
    extra_per_hour: float | None
    tie: bool

    @property
    def sentence(self) -> str:
        """For people."""
        subject = {
            "shape": "without the shapes it has",
            "mixed": "on mixed instances only",
            "disaggregated": "with prefill and decode apart only",
        }[self.question]
        if self.cost_per_hour is None or self.extra_per_hour is None:
            return f"{self.workload} {subject}: demand cannot be covered with this supply"
        if self.extra_per_hour < 0.005:
            shapes = ", ".join(self.shapes)
            return f"{self.workload} {subject} ({shapes}): {money(self.cost_per_hour)}, the same"
        than = self.cost_per_hour - self.extra_per_hour
        more = f" (+{share(self.extra_per_hour / than)})" if than > 0 else ""
        tie = "; within the prediction interval, so a tie" if self.tie else ""
        return (
            f"{self.workload} {subject} ({', '.join(self.shapes)}): {money(self.cost_per_hour)}, "
            f"{money(self.extra_per_hour)} more{more}{tie}"
        )


def alternatives(planned: Planned, clock: Clock) -> Iterator[Alternative]:
    """Answers for each workload that is served, until the time is up."""
    base = _Sized.of(planned.fleet, planned.considered, clock)
    used = {instance.shape for instance in planned.plan.instances}
    for workload in planned.fleet.workloads:
        mine = [c for c in planned.candidates.accepted if c.workload == workload.name and c.shape in used]
        if not mine or base.cost is None:
            continue
        margin = _uncertainty(planned.fleet, mine) * base.cost_of(workload.name)
        for question, keep in _questions(mine, used, planned.fleet.policies.roles):
            if clock.is_over or clock.is_cancelled:
                return
            rest = [c for c in planned.candidates.accepted if c.workload != workload.name or keep(c)]
            found = _Sized.of(planned.fleet, rest, clock)
            extra = None if found.cost is None else max(0.0, found.cost - base.cost)
            yield Alternative(
                workload=workload.name,
                question=question,
                shapes=found.shapes(workload.name),
                cost_per_hour=found.cost,
                extra_per_hour=extra,
                tie=extra is not None and extra <= margin,
            )


def node_worths(planned: Planned, clock: Clock) -> Iterator[tuple[str, str]]:
    """For each pool, what one more of its nodes would change, as (pool, words)."""
    base = _Sized.of(planned.fleet, planned.considered, clock).sizing
    for grown in planned.fleet.pools:
        if clock.is_over or clock.is_cancelled:
            return
        pools = tuple(
            replace(pool, nodes=pool.nodes + 1) if pool is grown else pool for pool in planned.fleet.pools
        )
        larger = replace(planned.fleet, pools=pools)
        after = {tier.name: tier.value for tier in _Sized.of(larger, planned.considered, clock).sizing.tiers}
        changes = [
            f"{tier.name} {tier.value:,.4g} → {after[tier.name]:,.4g}"
            for tier in base.tiers
            if tier.name in after and abs(tier.value - after[tier.name]) > 1e-6 * max(1.0, abs(tier.value))
        ]
        yield grown.name, "; ".join(changes) or "changes no goal, so its supply does not bind"


def _questions(
    mine: Sequence[Candidate], used: set[tuple[str, ...]], allowed: Sequence[str]
) -> Iterator[tuple[Way, Callable[[Candidate], bool]]]:
    """What is asked about a workload, and which of its candidates each question leaves.

    Ways that ``policies.roles`` does not allow are not asked about.
    """
    yield "shape", lambda c: c.shape not in used
    roles = {c.role for c in mine}
    if roles != {"mixed"} and "mixed" in allowed:
        yield "mixed", lambda c: c.role == "mixed"
    if "mixed" in roles and "disaggregated" in allowed:
        yield "disaggregated", lambda c: c.role != "mixed"


def _uncertainty(fleet: Fleet, mine: Sequence[Candidate]) -> float:
    """Half the widest 80 % interval of the latencies of the candidates, as a share of the prediction."""
    widest = 0.0
    for candidate in mine:
        known = calibration(candidate.engine, fleet.pool(candidate.pool).gpu.generation)
        for spread in (known.ttft, known.tpot) if candidate.limit == "ttft" else (known.tpot,):
            widest = max(widest, (spread.high - spread.low) / 2)
    return widest


@dataclass(frozen=True, slots=True)
class _Sized:
    """A sizing with what its counts mean."""

    fleet: Fleet
    candidates: tuple[Candidate, ...]
    sizing: Sizing

    @classmethod
    def of(cls, fleet: Fleet, candidates: Sequence[Candidate], clock: Clock) -> _Sized:
        """Size for service and price only; what moves is no question here."""
        goals = tuple(goal for goal in fleet.goals if goal != "movement")
        if "cost" not in goals:
            goals = (*goals, "cost")
        asked = replace(fleet, goals=goals)
        kept = undominated(candidates)
        problem = SizingProblem(fleet=asked, candidates=kept)
        return cls(asked, kept, solve_sizing(problem, clock.solve_options("explanation")))

    @property
    def cost(self) -> float | None:
        """Price per hour; None where demand is not covered."""
        if not self.sizing.tiers or not self.sizing.covers_demand:
            return None
        return next((tier.value for tier in self.sizing.tiers if tier.name == "cost"), None)

    def cost_of(self, workload: str) -> float:
        """Price per hour of the instances of one workload."""
        return sum(
            count * self.candidates[index].price_per_hour
            for index, count in self.sizing.counts.items()
            if self.candidates[index].workload == workload
        )

    def shapes(self, workload: str) -> tuple[str, ...]:
        """What one workload runs on, with numbers."""
        return tuple(
            f"{count} × {self.candidates[index].label.removeprefix(f'{workload} ')}"
            for index, count in sorted(self.sizing.counts.items())
            if self.candidates[index].workload == workload
        )
