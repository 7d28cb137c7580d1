"""The periods of a fleet drawn together: each workload takes one of its known answers in each.

For one workload the cheapest course through the periods with what changes between them is a shortest path
over (period, answer); an answer may be taken in every period whose demand it serves. The workloads are taken
one after the other, those that change most first, each within what the others leave of the pools; what one
takes over from another is not seen here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from planner.fleet.fleet import Pool
from planner.sizing.apart import Memo
from planner.sizing.changes import Level, levels
from planner.sizing.master import Master
from planner.sizing.problem import SizingProblem
from planner.sizing.rounding import ROUNDING, Service, complete

__all__ = ["drawn_together", "least_total"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def drawn_together(
    problem: SizingProblem, rows: Sequence[Sequence[int]], memo: Memo, *, near: bool = True
) -> list[list[int]]:
    """Return counts for every period (by candidate); those of the placed period stay as they are.

    Parameters
    ----------
    rows
        Counts of each period that serve its demand within the supply.
    memo
        Of the solves that found them.
    near
        Whether the counts of the periods before and after, completed, may be taken as well: that takes time
        with the instances there are.
    """
    periods = problem.fleet.periods
    assert periods is not None
    out = np.array(rows, np.int64)
    price = np.array([candidate.price_per_hour for candidate in problem.candidates])
    workloads = problem.fleet.workloads
    columns = [memo.workload(problem, workload.name).columns for workload in workloads]
    master, service = Master(problem, columns), Service(problem)
    left = master.supply - out @ master.uses

    def changes(mine: list[int]) -> float:
        after = out[:, mine] * price[mine]
        return float(np.maximum(after - np.roll(after, 1, axis=0), 0.0).sum())

    for n in sorted(range(len(workloads)), key=lambda n: (-changes(columns[n]), n)):
        mine, workload = columns[n], workloads[n]
        if not mine:
            continue
        demands = np.array(workload.period_rates_per_s) * (1 + problem.fleet.policies.headroom)
        uses = master.uses[mine]
        free = left + out[:, mine] @ uses
        known = _choices(problem, workload.name, out[:, mine], demands, memo, periods.placed)
        if near:
            known |= _completed(service, workload.name, mine, out, demands, free, uses, ring=periods.is_a_day)
        choices = np.array(list(known), np.int64)
        served = np.array([_served(service, workload.name, mine, row) for row in choices])
        fits = ((choices @ uses)[None, :, :] <= free[:, None, :] + 1e-6).all(axis=2)
        now = (choices[None, :, :] == out[:, None, mine]).all(axis=2)
        allowed = now | (fits & (served[None, :] >= demands[:, None] * (1 - ROUNDING)))
        allowed[periods.placed] = now[periods.placed]
        hourly = (
            _hourly(problem.fleet.pools, master.supply - free, choices @ uses) * periods.length_s / 3600.0
        )
        rise = _rises(choices * price[mine], levels([problem.candidates[i] for i in mine], periods))
        path = _shortest(np.where(allowed, hourly, np.inf), rise, periods.placed, ring=periods.is_a_day)
        out[:, mine] = choices[path]
        left = free - out[:, mine] @ uses
    return [[int(count) for count in row] for row in out]


def least_total(bounds_per_hour: Sequence[float], *, length_s: float, delay_s: float, ring: bool) -> float:
    """A bound of the price of all periods with what changes between them.

    However it is done, a change costs at least the delay times the rise of the price of an hour: what grows
    in total starts from nothing. To keep more running in a period than its demand needs costs its length and
    saves at most one delay, so that where the delay is the shorter of the two, the least prices of the
    periods are the best course; a longer delay counts as one period.

    Parameters
    ----------
    bounds_per_hour
        Least price of an hour in each period.
    delay_s
        Of a start.
    ring
        Whether the last period comes before the first.
    """
    least = np.array(bounds_per_hour, np.float64)
    before = np.roll(least, 1)
    if not ring:
        before[0] = least[0]
    rises = float(np.maximum(least - before, 0.0).sum())
    return (float(least.sum()) * length_s + rises * min(delay_s, length_s)) / 3600.0


def _hourly(pools: Sequence[Pool], others: Floats, uses: Floats) -> Floats:
    """float64[period, choice]: price an hour of the GPUs in use, what is reserved in any case left out.

    Parameters
    ----------
    others
        float64[period, pool]: GPUs of the other workloads.
    uses
        float64[choice, pool]: GPUs of each choice.
    """
    reserved = np.array([float(pool.reserved_gpus) for pool in pools])
    price = np.array([pool.price_per_gpu_hour for pool in pools])
    beyond = np.maximum(others[:, None, :] + uses[None, :, :] - reserved, 0.0)
    return np.asarray(beyond @ price)


def _choices(
    problem: SizingProblem, name: str, rows: Counts, demands: Floats, memo: Memo, placed: int
) -> dict[tuple[int, ...], None]:
    """Counts of a workload's candidates: answers of the periods, and some that nest in the largest."""
    alone = memo.workload(problem, name)
    prices = {pool.name: pool.price_per_gpu_hour for pool in problem.fleet.pools}
    known = {tuple(row): None for row in rows.tolist()}
    known |= {tuple(answer.counts): None for answer in memo.of(name)}
    for demand in dict.fromkeys(demands.tolist()):
        for outer in (rows[placed], rows[int(np.argmax(demands))]):
            inside = alone.solve(demand, prices, most=outer)
            if inside is not None:
                known[inside.counts] = None
    return known


def _completed(
    service: Service, name: str, mine: Sequence[int], out: Counts, demands: Floats, free: Floats,
    uses: Floats, *, ring: bool,
) -> dict[tuple[int, ...], None]:  # fmt: skip
    """The counts of each period made to serve the demand of its neighbours: most of them run on.

    Parameters
    ----------
    free
        float64[period, pool]: GPUs that the other workloads leave.
    mine
        Indices of the candidates of the workload.
    uses
        float64[candidate of the workload, pool]: GPUs of an instance.
    """
    columns, pools = list(mine), service.problem.fleet.pools
    known: dict[tuple[int, ...], None] = {}
    done: set[tuple[float, bytes]] = set()
    for period, demand in enumerate(demands.tolist()):
        for near in (period - 1, period + 1):
            if not (ring or 0 <= near < len(out)):
                continue
            row = out[near % len(out)]
            whole = np.zeros_like(row)
            whole[columns] = row[columns]
            if demand <= 0 or (demand, whole.tobytes()) in done:
                continue
            done.add((demand, whole.tobytes()))
            room = (free[period] - row[columns] @ uses).tolist()
            left = {pool.name: int(gpus) for pool, gpus in zip(pools, room, strict=True)}
            if min(left.values()) >= 0 and complete(service, name, demand, whole, whole * 1.0, left):
                known[tuple(whole[columns].tolist())] = None
    return known


def _rises(prices: Floats, steps: Sequence[Level]) -> Floats:
    """float64[before, after]: what the change from one choice to another costs (`changes.change_cost`).

    Parameters
    ----------
    prices
        float64[choice, candidate of the workload]: price an hour of its instances.
    """
    total = np.zeros((len(prices), len(prices)))
    for step in steps:
        groups = list(dict.fromkeys(step.groups))
        member = np.array([groups.index(group) for group in step.groups])
        sums = prices @ np.eye(len(groups))[member]
        total += step.seconds / 3600.0 * np.maximum(sums[None, :, :] - sums[:, None, :], 0.0).sum(axis=2)
    return total


def _served(service: Service, workload: str, mine: Sequence[int], row: Counts) -> float:
    counts = np.zeros(len(service.share), np.int64)
    counts[list(mine)] = row
    return service.served(workload, counts)


def _shortest(cost: Floats, rise: Floats, fixed: int, *, ring: bool) -> npt.NDArray[np.int64]:
    """int64[period]: choice of each period on the cheapest course; at `fixed` there is only one.

    Parameters
    ----------
    cost
        float64[period, choice], infinite where a choice is not allowed.
    rise
        float64[choice before, choice after].
    """
    count = len(cost)
    path = np.zeros(count, np.int64)
    only = int(np.argmin(cost[fixed]))
    path[fixed] = only
    if ring:
        _walk([(fixed + step) % count for step in range(1, count)], cost, rise, only, path, back_to=only)
        return path
    _walk(list(range(fixed + 1, count)), cost, rise, only, path)
    _walk(list(range(fixed - 1, -1, -1)), cost, rise.T, only, path)
    return path


def _walk(
    periods: Sequence[int], cost: Floats, rise: Floats, first: int, path: npt.NDArray[np.int64],
    back_to: int | None = None,
) -> None:  # fmt: skip
    """Fill `path` along consecutive periods from a choice, and to one where `back_to` says so."""
    if not periods:
        return
    total, came = rise[first] + cost[periods[0]], []
    for period in periods[1:]:
        through = total[:, None] + rise
        came.append(np.argmin(through, axis=0))
        total = through.min(axis=0) + cost[period]
    if back_to is not None:
        total = total + rise[:, back_to]
    at = int(np.argmin(total))
    for period, before in zip(reversed(periods), [*reversed(came), None], strict=True):
        path[period] = at
        if before is not None:
            at = int(before[at])
