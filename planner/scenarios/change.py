"""Changes of a fleet in few words: more demand, a pool gone, another GPU type."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.document import parse_rate_per_s
from models.errors import InvalidInput, UnknownName
from models.profiles.device import find_gpu

if TYPE_CHECKING:  # a server reads changes and never a fleet: it starts in two thirds of the time
    from planner.fleet.fleet import Fleet, Pool, ServedWorkload

__all__ = ["EVERY", "Change", "apply_changes", "parse_changes"]

EVERY = "all"
"""In place of a workload: each of them."""
MOST_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Change:
    """One change: how it reads, and what it makes of a fleet."""

    words: str
    apply: Callable[[Fleet], Fleet]


def parse_changes(
    *,
    demand: Sequence[str] = (),
    remove_pool: Sequence[str] = (),
    swap: Sequence[str] = (),
    nodes: Sequence[str] = (),
    price: Sequence[str] = (),
) -> tuple[Change, ...]:
    """Read changes; they are applied in the order of the parameters.

    Parameters
    ----------
    demand
        ``chat=+30%``, ``chat=-10%``, ``chat=x2`` or ``chat=12/s``; ``all`` stands for every workload.
    remove_pool
        Names of pools.
    swap
        ``pool=gpu`` or ``gpu=gpu``: that pool, or all pools of that type, get another type.
    nodes
        ``pool=6``, ``pool=+2`` or ``pool=-1``.
    price
        ``pool=2.20`` per GPU and hour.

    Raises
    ------
    InvalidInput
        Text that is none of these. Names are looked up when a change is applied.
    """
    found = [_demand(*_pair(text, "--demand", "chat=+30%")) for text in demand]
    found += [_removal(name) for name in remove_pool]
    found += [_swap(*_pair(text, "--swap", "h100=h200")) for text in swap]
    found += [_nodes(*_pair(text, "--nodes", "h100=+1")) for text in nodes]
    found += [_price(*_pair(text, "--price", "h100=2.20")) for text in price]
    return tuple(found)


def apply_changes(fleet: Fleet, changes: Sequence[Change]) -> Fleet:
    """Return the fleet with all changes, under a digest of its own.

    Raises
    ------
    UnknownName
        A workload, pool or GPU type that does not exist.
    InvalidInput
        Nothing would be left.
    """
    for change in changes:
        fleet = change.apply(fleet)
    words = "; ".join(change.words for change in changes)
    return replace(fleet, digest=hashlib.sha256(f"{fleet.digest} {words}".encode()).hexdigest())


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise InvalidInput(f"{option} takes a name and a value, such as {example}; got {text!r}")
    return name.strip(), value.strip()


def _demand(name: str, value: str) -> Change:
    share = re.fullmatch(r"([+-]\d+(?:\.\d+)?)\s*%", value)
    times = re.fullmatch(r"[x×*]\s*(\d+(?:\.\d+)?)", value)
    factor = 1 + float(share[1]) / 100 if share else float(times[1]) if times else None
    rate = None
    if factor is None:
        try:
            rate = parse_rate_per_s(value)
        except InvalidInput:
            raise InvalidInput(
                f"--demand {name}: expected a share such as +30%, a factor such as x2 or a rate such as "
                f"12/s, got {value!r}"
            ) from None
    elif factor <= 0:
        raise InvalidInput(f"--demand {name}: {value} leaves no demand; leave the workload out instead")

    def apply(fleet: Fleet) -> Fleet:
        names = [workload.name for workload in fleet.workloads]
        if name != EVERY and name not in names:
            raise UnknownName("workload", name, [*names, EVERY])

        def changed(workload: ServedWorkload) -> ServedWorkload:
            if name not in (EVERY, workload.name):
                return workload
            wanted = rate if rate is not None else workload.rate_per_s * (factor or 1.0)
            return replace(workload, rate_per_s=wanted)

        return replace(fleet, workloads=tuple(changed(workload) for workload in fleet.workloads))

    return Change(f"demand of {name} {value}", apply)


def _removal(name: str) -> Change:
    def apply(fleet: Fleet) -> Fleet:
        _known(fleet, name)
        left = tuple(pool for pool in fleet.pools if pool.name != name)
        if not left:
            raise InvalidInput(f"without {name} the fleet has no pool")
        return replace(fleet, pools=left)

    return Change(f"without pool {name}", apply)


def _swap(old: str, new: str) -> Change:
    def apply(fleet: Fleet) -> Fleet:
        kind = find_gpu(new)
        if any(pool.name == old for pool in fleet.pools):
            return _each(fleet, lambda pool: pool.name == old, lambda pool: replace(pool, gpu=kind))
        of_type = find_gpu(old).name
        if all(pool.gpu.name != of_type for pool in fleet.pools):
            raise UnknownName("pool or GPU type of the fleet", old, [pool.name for pool in fleet.pools])
        return _each(fleet, lambda pool: pool.gpu.name == of_type, lambda pool: replace(pool, gpu=kind))

    return Change(f"{old} becomes {new}", apply)


def _nodes(name: str, value: str) -> Change:
    if not re.fullmatch(r"[+-]?\d{1,6}", value):
        raise InvalidInput(f"--nodes {name}: expected a number such as 6, +2 or -1, got {value!r}")

    def apply(fleet: Fleet) -> Fleet:
        now = _known(fleet, name).nodes
        count = now + int(value) if value[0] in "+-" else int(value)
        if not 1 <= count <= MOST_NODES:
            raise InvalidInput(f"--nodes {name}: {value} leaves {count} nodes; 1 to {MOST_NODES:,} can be")

        def resized(pool: Pool) -> Pool:
            down = tuple(node for node in pool.unavailable if node < count)
            return replace(pool, nodes=count, racks=min(pool.racks, count), unavailable=down)

        return _each(fleet, lambda pool: pool.name == name, resized)

    return Change(f"nodes of {name} {value}", apply)


def _price(name: str, value: str) -> Change:
    if not re.fullmatch(r"\d+(?:\.\d+)?", value):
        raise InvalidInput(f"--price {name}: expected a price per GPU and hour such as 2.20, got {value!r}")

    def apply(fleet: Fleet) -> Fleet:
        _known(fleet, name)
        return _each(
            fleet,
            lambda pool: pool.name == name,
            lambda pool: replace(pool, price_per_gpu_hour=float(value)),
        )

    return Change(f"price of {name} {value}", apply)


def _known(fleet: Fleet, name: str) -> Pool:
    for pool in fleet.pools:
        if pool.name == name:
            return pool
    raise UnknownName("pool", name, [pool.name for pool in fleet.pools])


def _each(fleet: Fleet, which: Callable[[Pool], bool], change: Callable[[Pool], Pool]) -> Fleet:
    return replace(fleet, pools=tuple(change(pool) if which(pool) else pool for pool in fleet.pools))
