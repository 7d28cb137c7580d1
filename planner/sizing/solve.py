"""Solving the sizing problem: tier after tier, each with time of its own, never worse than what runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.graph import Graph, evaluate
from models.graph.space import Ints
from planner.sizing.apart import Memo, largest_share, solve_apart
from planner.sizing.columns import assignment_of, counts_of
from planner.sizing.graph import FAIR, UNSERVED, sizing_graph, tier_names
from planner.sizing.problem import SizingProblem
from planner.sizing.rounding import round_up
from solvers import SolveOptions, TierResult, solve
from solvers.result import CANCELLED, FEASIBLE, INFEASIBLE, OPTIMAL, relative_gap

__all__ = ["COVERED_SHARE", "LARGE", "Sizing", "solve_sizing"]

COVERED_SHARE = 1e-6
"""Demand counts as served when at most this share of it is not: the solver's tolerance."""
HELD_TOLERANCE = 1e-7
"""What a tier already minimised may lose again, relative to its value and absolutely: rounding of the solver,
a tenth of what counts as served."""
LARGE = 300
"""Candidates from which the workloads of a problem are sized apart."""
LARGE_GAP = 0.01
"""Relative gap at which a large problem counts as solved."""
TIER_SHARES: Mapping[str, float] = {"cost": 4.0, "growth": 4.0, "movement": 2.0}
"""Weights by which the time is dealt to the tiers, 1 where absent. What a tier leaves over the later ones
share, so a hard cost tier cannot take the time of the movement tier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How many instances of each candidate.

    Parameters
    ----------
    status
        As `solvers.Result.status`.
    counts
        Instances by index of the candidate, none of them 0.
    tiers
        Goal tiers with bound and gap; each bound holds given the values of the tiers before.
    is_short
        Whether it is proven, beside the bounds, that not all demand can be served.
    """

    status: str
    counts: Mapping[int, int]
    tiers: tuple[TierResult, ...]
    is_short: bool = False

    @property
    def unserved_share(self) -> float:
        """Sum over the workloads of the share of demand that is not served."""
        return sum(tier.value for tier in self.tiers if tier.name.startswith(UNSERVED))

    @property
    def covers_demand(self) -> bool:
        """Whether all demand is served."""
        return not self.is_short and self.unserved_share <= COVERED_SHARE

    @property
    def shortage_is_proven(self) -> bool:
        """Whether some demand is proven to remain unserved."""
        bounds = [tier.bound or 0.0 for tier in self.tiers if tier.name.startswith(UNSERVED)]
        return self.is_short or max(bounds, default=0.0) > COVERED_SHARE


def solve_sizing(
    problem: SizingProblem,
    options: SolveOptions,
    *,
    starts: Sequence[Sequence[int]] = (),
    memo: Memo | None = None,
    all_or_nothing: bool = False,
) -> Sizing:
    """Minimise the tiers in order; without any candidate nothing is served and nothing needs solving.

    The instances that run today, the same completed until they serve all, or the best of `starts` are the
    first incumbent: the result is at least as good, tier by tier, however little time there is.

    Parameters
    ----------
    starts
        Counts by candidate that may be good; those beyond the supply are passed over.
    memo
        Answers for single workloads, shared between periods; without it only large problems are sized apart.
    all_or_nothing
        Whether to stop where it is proven that not all demand can be served, without asking how much is.
    """
    if not problem.candidates:
        return _nothing(problem)
    run = _Run(problem, options, starts)
    if run.decompose(memo):
        return run.finish()
    if run.is_short and all_or_nothing:
        return Sizing(status=INFEASIBLE, counts={}, tiers=(), is_short=True)
    if run.is_short or not run.serve_all():
        run.serve_most()
    return run.finish()


class _Run:
    """The tiers of one problem, minimised one after another."""

    def __init__(
        self, problem: SizingProblem, options: SolveOptions, starts: Sequence[Sequence[int]]
    ) -> None:
        self.problem = problem
        self.options = options
        self.large = len(problem.candidates) >= LARGE
        self.names = tier_names(problem)
        self.service = [name for name in self.names if name.startswith((UNSERVED, FAIR))]
        self.deal = _Deal(options.time_limit_s, [TIER_SHARES.get(name, 1.0) for name in self.names])
        self.graph = sizing_graph(problem)
        running = problem.running
        self.kept = self._completed(running) if any(running) else None
        known = [self._valued(row) for row in (running, *starts) if any(row)]
        self.best = _least([*known, self.kept])
        self.bounds: list[float | None] = []
        self.least_cost: float | None = None  # proven, with all demand served
        self.held: dict[str, float] = {}
        self.status = OPTIMAL
        self.is_short = False

    def serve_all(self) -> bool:
        """Try the first goal after service with all demand served; False where that is not found to work.

        Most fleets can serve what they are asked to: covering a demand at least cost is then one problem, and
        how much can be served at most need not be asked.
        """
        if len(self.service) == len(self.names):  # no goal after service: only that is asked
            return False
        self.held = {name: 0.0 for name in self.service if name.startswith(UNSERVED)}
        found = self._minimise(len(self.service), service=True)
        if found:
            nothing: list[float | None] = [0.0] * len(self.service)
            self.bounds = nothing + self.bounds
            return True
        self.bounds, self.held, self.status = [], {}, OPTIMAL
        return False

    def decompose(self, memo: Memo | None) -> bool:
        """Size the workloads apart, and whether that was near enough to its bound.

        Done for large problems, and where `memo` says that there are more like this one. A large one is near
        enough within 1 %, and what runs, completed by what is missing, is kept where it is as near: other
        counts would be hardly better, and everything would move. Of others the answer is where branch and
        bound begins, and the bound what it need not prove again.
        """
        position = len(self.service)
        if (memo is None and not self.large) or self.names[position : position + 1] != ("cost",):
            return False
        begun = time.monotonic()
        limit = self.deal.next(0, position)
        apart = solve_apart(self.problem, replace(self.options, time_limit_s=limit), memo)
        self.deal.spend(time.monotonic() - begun)
        if apart is None:
            return False
        if apart.is_impossible:
            self.is_short = True
            return False
        self.least_cost = apart.bound
        kept = self.kept if self.large else None
        found = None if apart.counts is None else self._valued(apart.counts.tolist())
        near = [known for known in (kept, found) if known is not None]
        if not near:
            return False
        enough = min(known.tiers[position] for known in near) * (1 + (LARGE_GAP if self.large else 0.0))
        chosen = next(known for known in near if known.tiers[position] <= enough)
        cost = chosen.tiers[position]
        gap = relative_gap(cost, apart.bound)
        if kept is None and (gap is None or gap > (LARGE_GAP if self.large else self.options.gap)):
            self.best = _least([self.best, chosen])
            return False
        self.best = chosen
        nothing: list[float | None] = [0.0] * len(self.service)
        self.bounds = [*nothing, apart.bound]
        self.held = {name: 0.0 for name in self.service if name.startswith(UNSERVED)}
        self.held["cost"] = cost + HELD_TOLERANCE * max(abs(cost), 1.0)
        self.status = OPTIMAL if gap is not None and gap <= self.options.gap else FEASIBLE
        return True

    def serve_most(self) -> None:
        """Minimise what is not served, tier by tier, then the first goal after it.

        Of a large problem the start is the largest share of its demand that each workload can be served at
        once: solvers alone may find nothing in time.
        """
        if self.large and self.is_short:
            begun = time.monotonic()
            limit = replace(self.options, time_limit_s=self.deal.next(0, 0))
            shared = largest_share(self.problem, limit)
            self.deal.spend(time.monotonic() - begun)
            self.best = _least([self.best, None if shared is None else self._valued(shared.tolist())])
        for position in range(len(self.service) + 1):
            if position < len(self.names) and not self._minimise(position):
                return

    def finish(self) -> Sizing:
        """Minimise the tiers that are left.

        Not of a large problem where nothing runs, since of what starts anyway fewer pieces are no goal worth
        the time; nor where what runs was completed, which is little movement and takes a search to better.
        """
        if self.large and (self.best is self.kept or not any(self.problem.running)):
            self.status = FEASIBLE if self.status == OPTIMAL else self.status
            return self._result()
        while self.bounds and len(self.bounds) < len(self.names) and self.status != CANCELLED:
            if not self._minimise(len(self.bounds)):
                break
        return self._result()

    def _result(self) -> Sizing:
        if self.best is None or not self.bounds:
            return Sizing(status=self.status, counts={}, tiers=())
        values = self.best.tiers
        bounds = self.bounds + [None] * (len(values) - len(self.bounds))
        counts = counts_of(self.best.assignment, len(self.problem.candidates))
        return Sizing(
            status=self.status,
            counts={candidate: count for candidate, count in enumerate(counts) if count},
            tiers=tuple(
                TierResult(name, value, bound, relative_gap(value, bound))
                for name, value, bound in zip(self.names, values, bounds, strict=True)
            ),
            # What placement taught is partly a guess.
            is_short=self.is_short and not self.problem.learnt,
        )

    def _minimise(self, position: int, *, service: bool = False) -> bool:
        """Minimise a tier under those held, and hold it; False without any counts that keep them.

        Parameters
        ----------
        service
            Whether the tier has the time of the service tiers before it as well as its own.
        """
        name = self.names[position] if position < len(self.names) else None
        graph = sizing_graph(self.problem, minimise=name or "", held=self.held)
        limit = self.deal.next(0 if service else position, position)
        start = None if self.best is None else self.best.assignment
        result = solve(graph, replace(self.options, time_limit_s=limit, start=start))
        self.deal.spend(result.timings.total_s)
        bound = result.tiers[0].bound if result.tiers and name is not None else None
        if result.assignment is not None:
            self.best = self._at(result.assignment)
            self.status = self.status if result.status == OPTIMAL else result.status
        elif not self._stands(graph, result.status, service=service):
            self.status = result.status
            return False
        else:
            # Time was up before the solver had anything, or it refused a start on the edge of what the tiers
            # held allow, for rounding: the start stays.
            self.status = FEASIBLE
        if name is not None:
            if service and name == "cost" and self.least_cost is not None:
                bound = self.least_cost if bound is None else max(bound, self.least_cost)
            self.bounds.append(bound)
            assert self.best is not None
            value = float(evaluate(graph, self.best.assignment).tiers[0])
            self.held[name] = value + HELD_TOLERANCE * max(abs(value), 1.0)
        return True

    def _stands(self, graph: Graph, status: str, *, service: bool) -> bool:
        """Whether there are counts to go on with where the solver of `graph` ended without any.

        With all demand to be served those known must do that; else some are made, one instance after another.
        """
        if self.best is not None and (not service or evaluate(graph, self.best.assignment).feasible):
            return True
        if not service or self.large or status == INFEASIBLE:
            return False
        made = self._completed([0] * len(self.problem.candidates))
        self.best = made or self.best
        return made is not None

    def _completed(self, counts: Sequence[int]) -> _Known | None:
        """Counts that serve all, near those given."""
        whole = round_up(self.problem, counts)
        return None if whole is None else self._valued(whole.tolist())

    def _valued(self, counts: Sequence[int]) -> _Known | None:
        """Counts by candidate with their tiers; None where they break a hard limit."""
        assignment = assignment_of(counts, self.graph.space.n_objects)
        known = None if assignment is None else self._at(assignment)
        return known if known is not None and known.feasible else None

    def _at(self, assignment: Ints) -> _Known:
        found = evaluate(self.graph, assignment)
        return _Known(assignment=assignment, tiers=tuple(found.tiers.tolist()), feasible=found.feasible)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Counts as an assignment, the value of each goal tier, and whether they keep the hard limits."""

    assignment: Ints
    tiers: tuple[float, ...]
    feasible: bool


def _least(known: Sequence[_Known | None]) -> _Known | None:
    """The best of those there are; of equal ones the first."""
    return min((each for each in known if each is not None), key=lambda each: each.tiers, default=None)


def _nothing(problem: SizingProblem) -> Sizing:
    """The sizing without candidates: nothing is served, at no cost."""
    workloads = problem.fleet.workloads
    priorities = sorted({workload.priority for workload in workloads})
    missed = {p: float(sum(workload.priority == p for workload in workloads)) for p in priorities}
    tiers = tuple(TierResult(f"{UNSERVED}, priority {p}", missed[p], missed[p], 0.0) for p in priorities)
    return Sizing(status=OPTIMAL, counts={}, tiers=tiers)


class _Deal:
    """Deals a time limit to tiers by weight; what one leaves over goes to the later ones."""

    def __init__(self, limit_s: float | None, weights: list[float]) -> None:
        self.left_s = limit_s
        self.weights = weights

    def next(self, first: int, last: int) -> float | None:
        """Seconds for the tiers from `first` to `last`, both included."""
        if self.left_s is None:
            return None
        mine = sum(self.weights[first : last + 1])
        return max(self.left_s * mine / (sum(self.weights[first:]) or 1.0), 0.05)

    def spend(self, seconds: float) -> None:
        if self.left_s is not None:
            self.left_s -= seconds
