"""Counts for one workload at prices: branch and bound over the candidates, compiled.

Candidates come with the largest first. A node of the search has fixed the counts of the first `d`; what the
rest must still add after a loss in domain h costs at least

    Σ over the cheapest first: slack of a zone's stronger side at the other side's least price a request,
    then mixed instances or pairs, whichever is cheaper

since fractions of instances that lose nothing but their share are no dearer than whole ones. What serves
enough after the loss of any domain also does so on average over the losses, whatever their weights, so the
rest costs at least what it does on that average: there, what one loss takes down must be there once more
elsewhere. The largest of these over the domains and the average is the bound of the node. As the candidates
used so far are larger than the rest, what one loss takes down is known early, which is what the linear
relaxation does not see.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["compile_search", "search", "workspace"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MIXED, PREFILL, DECODE = range(3)
TINY = 1e-9
LITTLE = 0.05
"""Share of a domain's instances up to which a loss is looked at in its domain only."""


def _compiled(function: Callable[..., Any]) -> Any:
    """Without Numba's memory manager, for less to compile: the caller makes the arrays."""
    import numba

    return numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)


@_compiled
def _left(count: float, share: float) -> Any:
    """Instances of `count` that one loss in their domain leaves."""
    return count - math.ceil(share * count - TINY)


@_compiled
def _rest(alive: Floats, unit: Floats, need: float) -> Any:
    """Least price of what is missing: `alive` and `unit` are float64[zone, role]."""
    zones = alive.shape[0]
    cheapest = math.inf
    for z in range(zones):
        need -= alive[z, MIXED] + min(alive[z, PREFILL], alive[z, DECODE])
        cheapest = min(cheapest, unit[z, MIXED], unit[z, PREFILL] + unit[z, DECODE])
    price, last, at = 0.0, -1.0, -1
    while need > 0.0:
        # The next cheapest slack; zones with equal prices in order.
        best, zone = cheapest, -1
        for z in range(zones):
            if alive[z, PREFILL] == alive[z, DECODE]:
                continue
            each = unit[z, DECODE] if alive[z, PREFILL] > alive[z, DECODE] else unit[z, PREFILL]
            if (each > last or (each == last and z > at)) and each < best:
                best, zone = each, z
        if zone < 0:
            return price + need * cheapest
        slack = min(need, abs(alive[zone, PREFILL] - alive[zone, DECODE]))
        price, need, last, at = price + slack * best, need - slack, best, zone
    return price


@_compiled
def _bound(alive: Floats, unit: Floats, weight: Floats, need: float) -> Any:
    """Least price of what is missing after the worst loss, and on average: that goes to ``alive[-1]``."""
    most, average = 0.0, alive.shape[0] - 1
    for h in range(average):
        most = max(most, _rest(alive[h], unit[h], need))
    if most == 0.0 or weight[0] < 0.0:
        return most
    for z in range(alive.shape[1]):
        for r in range(3):
            alive[average, z, r] = 0.0
            for h in range(average):
                alive[average, z, r] += weight[h] * alive[h, z, r]
    return max(most, _rest(alive[average], unit[average], need))


@_compiled
def _weights(c: int, table: Any, scratch: Floats, weight: Floats) -> None:
    """Weights of the losses at which the dearest rest of the candidates from c on is cheapest, nearly.

    With the least price a request ``u[h]`` in each domain, of which the share s[h] is lost, weights w make it
    ``u / (1 − w · s)``: the largest v that all of them can reach has ``Σ (1 − u / v)⁺ / s = 1``. Prefill and
    decode of two domains count to the domain of the prefill. Where one loss takes little or there is one
    domain only, the average says no more than the worst: the first weight is then -1.

    Parameters
    ----------
    scratch
        float64[domain, 2]: u and s.
    """
    price, rate, share, domain, zone, role, _, _ = table
    domains, largest = weight.size, 0.0
    for a in range(c, price.size):
        largest = max(largest, share[a])
    if domains == 1 or largest < LITTLE:
        weight[0] = -1.0
        return
    for h in range(domains):
        scratch[h, 0], scratch[h, 1], weight[h] = math.inf, 0.0, 1.0 / domains
    for a in range(c, price.size):
        if role[a] == DECODE:
            continue
        unit = price[a] / rate[a]
        if role[a] == PREFILL:
            other = math.inf
            for b in range(c, price.size):
                if role[b] == DECODE and zone[b] == zone[a]:
                    other = min(other, price[b] / rate[b])
            unit += other
        h = domain[a]
        if h < 0:
            return  # nothing is lost
        if unit < scratch[h, 0]:
            scratch[h, 0], scratch[h, 1] = unit, share[a]
    low = math.inf
    for h in range(domains):
        low = min(low, scratch[h, 0])
    if low == math.inf:
        return
    high = low
    for _ in range(30):  # more than this makes no dearer: nothing serves the rest after a loss
        high *= 2.0
        if _spread(high, scratch, weight) > 1.0:
            break
    for _ in range(30):
        middle = (low + high) / 2
        if _spread(middle, scratch, weight) > 1.0:
            high = middle
        else:
            low = middle
    total = _spread(low, scratch, weight)
    for h in range(domains):
        weight[h] = weight[h] / total if total > 0.0 else 1.0 / domains


@_compiled
def _spread(v: float, scratch: Floats, weight: Floats) -> Any:
    """Make the weights that lift the price of each domain to v; their sum, infinite where one cannot be."""
    total = 0.0
    for h in range(weight.size):
        u, s = scratch[h, 0], scratch[h, 1]
        weight[h] = (1.0 - u / v) / s if s > 0.0 and u < v else 0.0
        if s == 0.0 and u < v:
            return math.inf
        total += weight[h]
    return total


@_compiled
def _with(c: int, count: float, relaxed: bool, into: int, table: Any, made: Any) -> Any:
    """Price and bound of what is missing with `count` of candidate c put to what is alive before it.

    What is alive then goes to ``alive[into]``. `relaxed`: without rounding what is lost but for the first.
    """
    price, rate, share, domain, zone, role, _, need = table
    alive, unit, weight = made[0], made[1], made[2]
    for h in range(weight.shape[1]):
        for z in range(alive.shape[2]):
            for r in range(3):
                alive[into, h, z, r] = alive[c, h, z, r]
        if count > 0.0:
            left = count
            if h == domain[c]:
                left = count - max(share[c] * count, 1.0) if relaxed else _left(count, share[c])
            alive[into, h, zone[c], role[c]] += rate[c] * left
    return price[c] * count, _bound(alive[into], unit[c + 1], weight[c + 1], need)


@_compiled
def _begin(table: Any, made: Any, counts: Ints) -> Any:
    """Make `unit` and the first answer: the counts given, one kind of mixed instances, or a pair of kinds."""
    price, rate, share, domain, zone, role, most, need = table
    alive, unit, weight, scratch, enough = made[0], made[1], made[2], made[3], made[4]
    k, domains = price.size, weight.shape[1]
    for c in range(k + 1):
        _weights(c, table, scratch, weight[c])
    for h in range(domains + 1):
        for z in range(alive.shape[2]):
            for r in range(3):
                alive[0, h, z, r] = 0.0
                unit[k, h, z, r] = math.inf
                for c in range(k - 1, -1, -1):
                    unit[c, h, z, r] = unit[c + 1, h, z, r]
                    left = 1.0 - share[c] if h == domain[c] else 1.0
                    if zone[c] == z and role[c] == r and left > 0.0:
                        unit[c, h, z, r] = min(unit[c, h, z, r], price[c] / (rate[c] * left))
    for c in range(k):
        for z in range(alive.shape[2]):
            for r in range(3):
                unit[c, domains, z, r] = math.inf
        for b in range(c, k if weight[c, 0] >= 0.0 else c):
            left = 1.0 - (weight[c, domain[b]] * share[b] if domain[b] >= 0 else 0.0)
            if left > 0.0:
                z, r = zone[b], role[b]
                unit[c, domains, z, r] = min(unit[c, domains, z, r], price[b] / (rate[b] * left))
    best, rest = 0.0, math.inf
    for c in range(k):
        paid, rest = _with(c, float(counts[c]), False, c + 1, table, made)
        best += paid
    if rest > 0.0:
        best = math.inf
    for c in range(k):
        left = 1.0 - share[c] if domain[c] >= 0 else 1.0
        n = max(int(need / (rate[c] * left)), 1) if left > 0.0 else most[c] + 1
        while n <= most[c] and rate[c] * (_left(float(n), share[c]) if domain[c] >= 0 else float(n)) < need:
            n += 1
        enough[c] = n if n <= most[c] else 0
    for a in range(k):
        for b in range(k):
            pair = role[a] == PREFILL and role[b] == DECODE and zone[a] == zone[b]
            if enough[a] == 0 or enough[b] == 0 or not (pair or (a == b and role[a] == MIXED)):
                continue
            paid = price[a] * enough[a] + (price[b] * enough[b] if pair else 0.0)
            if paid < best:
                best = paid
                for c in range(k):
                    counts[c] = enough[c] if c in (a, b) else 0
    return best


@_compiled
def _range(c: int, paid: float, limit: float, table: Any, made: Any) -> Any:
    """First and last count, from 1 on, at which candidate c may lead to less than `limit`.

    The relaxed bound is convex in the count. Also a bound of what is outside.
    """
    most, here = table[6][c], table[0].size + 1
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        one, rest = _with(c, float(middle), True, here, table, made)
        one += rest
        two, rest = _with(c, float(middle + 1), True, here, table, made)
        two += rest
        # Infinite where what follows cannot serve the rest: then only more helps.
        if one <= two and one < math.inf:
            high = middle
        else:
            low = middle + 1
    lowest = low
    least, rest = _with(c, float(lowest), True, here, table, made)
    least += paid + rest
    if most < 1 or least >= limit:
        return 1, 0, (least if most >= 1 else math.inf)
    low, high = 1, lowest
    while low < high:
        middle = (low + high) // 2
        value, rest = _with(c, float(middle), True, here, table, made)
        if paid + value + rest < limit:
            high = middle
        else:
            low = middle + 1
    first = low
    low, high = lowest, most
    while low < high:
        middle = (low + high + 1) // 2
        value, rest = _with(c, float(middle), True, here, table, made)
        if paid + value + rest < limit:
            low = middle
        else:
            high = middle - 1
    return first, low, (limit if first > 1 or low < most else math.inf)


@_compiled
def search(table: Any, made: Any, gap: float, most_nodes: int, counts: Ints) -> Any:
    """Return the least price found, a bound of it and the nodes looked at; the answer is left in `counts`.

    Parameters
    ----------
    table
        Of each candidate: price and requests per second of an instance, share of the instances that one loss
        in their domain takes down (float64); domain lost together (-1: never lost), zone that prefill and
        decode share, role, most instances there may be (int64). Then the requests per second that are
        needed after the worst loss.
    made
        For its own use, from `workspace`.
    gap
        Relative gap at which a branch is left.
    counts
        int64[candidate]: on entry counts to begin with (not looked at when they serve too little), on return
        the best found.
    """
    k = counts.size
    now, first, last, cost = made[5], made[6], made[7], made[8]
    best, bound, nodes = _begin(table, made, counts), math.inf, 0
    cost[0] = 0.0
    d, opened = 0, True
    while d >= 0:
        if opened:
            first[d], last[d], outside = _range(d, cost[d], best * (1.0 - gap), table, made)
            bound = min(bound, outside)
            now[d], opened = first[d], False
        elif now[d] == 0:
            d -= 1
            continue
        else:
            now[d] += 1
        if now[d] > last[d]:
            now[d] = 0  # none of it: after all other counts
        paid, rest = _with(d, float(now[d]), False, d + 1, table, made)
        cost[d + 1] = cost[d] + paid
        value = cost[d + 1] + rest
        nodes += 1
        if rest == 0.0:
            if value < best:
                best = value
                for c in range(k):
                    counts[c] = now[c] if c <= d else 0
            last[d] = min(last[d], now[d])  # more of it serves nobody
        if rest == 0.0 or value >= best * (1.0 - gap) or nodes >= most_nodes:
            bound = min(bound, value)
        else:
            d, opened = d + 1, True
    return best, min(best, bound), nodes


def workspace(candidates: int, domains: int, zones: int) -> tuple[npt.NDArray[Any], ...]:
    """What `search` works in."""
    sums = np.empty((2, candidates + 2, domains + 1, zones, 3))
    return (
        sums[0], sums[1], np.empty((candidates + 2, domains)), np.empty((domains, 2)),
        *np.zeros((4, candidates), np.int64), np.zeros(candidates + 1),
    )  # fmt: skip


def compile_search() -> None:
    """Search for one instance, so that the kernel is compiled and on disk."""
    one, none = np.ones(1), np.zeros(1, np.int64)
    table = (one, one, np.zeros(1), none - 1, none, none, none + 3, 2.0)
    search(table, workspace(1, 1, 1), 1e-4, 100, np.zeros(1, np.int64))
