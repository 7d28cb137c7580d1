"""Counts that serve too little or too much, completed: what runs today, and answers of other periods.

They are rounded down, then each workload is completed by the additions that serve most of what it still lacks
for their price, within what the pools have left, and rid of what it does not need after all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from planner.sizing.problem import SizingProblem

__all__ = ["Service", "complete", "round_up"]

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ROUNDING = 1e-7
"""Share of a demand that may be missing: as in the graph."""


def round_up(problem: SizingProblem, counts: npt.ArrayLike) -> Counts | None:
    """Return int64[candidate] near `counts` (float64[candidate]) that serve all; None where that fails.

    How groups pack into nodes is not looked at.
    """
    given = np.asarray(counts, np.float64)
    whole = np.floor(given + 1e-6).astype(np.int64)
    service = Service(problem)
    left = dict(service.supply)
    for index, candidate in enumerate(problem.candidates):
        left[candidate.pool] -= candidate.gpus * int(whole[index])
    if min(left.values()) < 0:
        return None
    order = sorted(problem.fleet.workloads, key=lambda w: -service.gpus_of(w.name, whole))
    for workload in order:
        if not complete(service, workload.name, problem.demand_per_s(workload.name), whole, given, left):
            return None
    return whole


def complete(
    service: Service, workload: str, demand_per_s: float, whole: Counts, given: Floats, left: dict[str, int]
) -> bool:
    """Add to `whole` until a demand is served, then take away what it can do without; whether that is done.

    Parameters
    ----------
    whole
        int64[candidate], changed in place.
    given
        float64[candidate]: what is added first is of those that are not 0.
    left
        GPUs of each pool beside `whole`, changed in place.
    """
    need = demand_per_s * (1 - ROUNDING)
    mine = service.columns[workload]
    while (served := service.served(workload, whole)) < need:
        best: tuple[float, tuple[int, ...]] | None = None
        # First what is there already, else anything.
        for support in ([c for c in mine if given[c] > 1e-9], mine):
            for addition in service.additions(support):
                if not service.fits(addition, left):
                    continue
                for c in addition:
                    whole[c] += 1
                gain = min(service.served(workload, whole), need) - served
                for c in addition:
                    whole[c] -= 1
                rate = gain / max(service.price(addition), 1e-9)
                if gain > 0 and (best is None or rate > best[0]):
                    best = (rate, addition)
            if best is not None:
                break
        if best is None:
            return False
        for c in best[1]:
            whole[c] += 1
            left[service.problem.candidates[c].pool] -= service.problem.candidates[c].gpus
    for c in sorted(mine, key=lambda c: -service.price((c,))):
        while whole[c] > 0:
            whole[c] -= 1
            if service.served(workload, whole) < need:
                whole[c] += 1
                break
            left[service.problem.candidates[c].pool] += service.problem.candidates[c].gpus
    return True


class Service:
    """`planner.sizing.service` for one workload at a time, in plain numbers."""

    def __init__(self, problem: SizingProblem) -> None:
        self.problem = problem
        self.columns: dict[str, list[int]] = {workload.name: [] for workload in problem.fleet.workloads}
        self.share = problem.loss_shares()
        for index, candidate in enumerate(problem.candidates):
            if index not in problem.barred:
                self.columns[candidate.workload].append(index)
        self.supply = {
            pool.name: pool.usable_gpus - problem.withheld_gpus.get(pool.name, 0)
            for pool in problem.fleet.pools
        }

    def gpus_of(self, workload: str, counts: Counts) -> int:
        """GPUs a workload takes."""
        return sum(self.problem.candidates[c].gpus * int(counts[c]) for c in self.columns[workload])

    def price(self, addition: Sequence[int]) -> float:
        """Price of one instance each; GPUs count a little where they are free."""
        each = (self.problem.candidates[c] for c in addition)
        return sum(c.price_per_hour + 1e-6 * c.gpus for c in each)

    def fits(self, addition: Sequence[int], left: dict[str, int]) -> bool:
        """Whether the pools have room for one instance each."""
        wanted: dict[str, int] = {}
        for c in addition:
            candidate = self.problem.candidates[c]
            wanted[candidate.pool] = wanted.get(candidate.pool, 0) + candidate.gpus
        return all(gpus <= left[pool] for pool, gpus in wanted.items())

    def additions(self, support: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """One instance or two (the first may be lost); prefill and decode instances of a zone."""
        candidates = self.problem.candidates
        for c in support:
            yield (c,)
            yield (c, c)
        for p in support:
            for d in support:
                roles = (candidates[p].role, candidates[d].role)
                if roles == ("prefill", "decode") and candidates[p].zone == candidates[d].zone:
                    yield from ((p, d), (p, p, d), (p, d, d), (p, p, d, d))

    def served(self, workload: str, counts: Counts) -> float:
        """Requests per second of a workload after the worst loss."""
        candidates, loss_of = self.problem.candidates, self.problem.fleet.policies.loss_of
        running = [c for c in self.columns[workload] if counts[c] > 0]
        if loss_of is None:
            return self._rate(running, counts, None)
        domains = {candidates[c].zone if loss_of == "zone" else candidates[c].pool for c in running}
        return min((self._rate(running, counts, domain) for domain in sorted(domains)), default=0.0)

    def _rate(self, running: Sequence[int], counts: Counts, hit: str | None) -> float:
        by_zone = self.problem.fleet.policies.loss_of == "zone"
        rate: dict[tuple[str, str], float] = {}
        for c in running:
            candidate, count = self.problem.candidates[c], int(counts[c])
            if hit is not None and hit == (candidate.zone if by_zone else candidate.pool):
                count -= count if by_zone else int(np.ceil(count * self.share[c] - 1e-9))
            key = (candidate.role, candidate.zone)
            rate[key] = rate.get(key, 0.0) + count * candidate.capacity_per_s
        mixed = sum(value for (role, _), value in rate.items() if role == "mixed")
        zones = {zone for role, zone in rate if role != "mixed"}
        pairs = (min(rate.get(("prefill", z), 0.0), rate.get(("decode", z), 0.0)) for z in zones)
        return mixed + sum(pairs)
