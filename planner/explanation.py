"""Why: the places of an object, what contradicts what and what would help, by name and as sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import UnknownName
from models.graph import UNASSIGNED, Axis
from specs.document import AssignmentDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.graph import Graph
    from solvers import Result, SolveOptions
    from solvers.clock import Clock
    from solvers.explain import Placement

__all__ = [
    "UNASSIGNED_NAME",
    "explain_infeasible",
    "explain_object",
    "explanation_lines",
    "infeasible_lines",
    "prices_of",
]

UNASSIGNED_NAME = "unassigned"
"""How a caller names the state of being in no container."""
FIRST_SHARE = 0.6
"""Share of the time limit for the answer that is to be explained."""
MOST_PLACES = 20
"""Printed places of one object; the JSON has all."""


def explain_object(
    document: AssignmentDocument, obj: str, container: str | None, options: SolveOptions
) -> dict[str, Any]:
    """Where `obj` is in the best assignment, and what blocks or costs every other place (or `container`).

    With a container that is blocked or costly the whole problem is also solved with the object there:
    ``forced`` says what room elsewhere would make of it. Raises UnknownName for a name of neither. The time
    limit is one for everything; ``complete``: whether it was enough for all places.
    """
    from solvers import solve
    from solvers.clock import Clock
    from solvers.explain import explain_placement, force_placement

    graph = document.compile()
    space = graph.space
    index = _position(space.objects, "object", obj)
    wanted = None
    if container is not None:
        wanted = (
            UNASSIGNED
            if container == UNASSIGNED_NAME
            else _position(space.containers, "container", container)
        )
    clock = Clock(options)
    best = solve(graph, clock.rest(FIRST_SHARE))
    out: dict[str, Any] = {
        "object": obj, "status": best.status, "at": None, "places": [], "complete": True, "forced": None
    }  # fmt: skip
    if best.assignment is None:
        if best.status == "infeasible":
            out["infeasible"] = explain_infeasible(graph, clock)
        return out
    out["at"] = _place(graph, int(best.assignment[index]))
    asked = range(UNASSIGNED if space.may_be_unassigned[index] else 0, space.n_containers)
    if wanted is not None:
        asked = range(wanted, wanted + 1)
    places = explain_placement(graph, best.assignment, index, asked, lambda: clock.stopped)
    out["places"] = [_placement(graph, p) for p in places]
    out["complete"] = len(places) == len(asked)
    if wanted is not None and wanted != best.assignment[index]:
        forced = force_placement(graph, index, wanted, replace(clock.rest(), start=None))
        out["forced"] = _forced(best, forced)
    return out


def explain_infeasible(graph: Graph, clock: Clock) -> dict[str, Any]:
    """The limits that cannot hold together, and the least raises that would make room.

    Each gets a half of the time that is left on `clock`.
    """
    from solvers.explain import cheapest_relaxation, find_conflict

    conflict = find_conflict(graph, clock.rest(0.5))
    relaxation = cheapest_relaxation(graph, clock.rest())
    return {
        "conflict": [] if conflict is None else [str(limit) for limit in conflict.limits],
        "minimal": conflict is not None and conflict.minimal,
        "relaxation": [] if relaxation is None else [str(r) for r in relaxation.raises],
        "least": relaxation is not None and relaxation.proven,
    }


def infeasible_lines(why: dict[str, Any]) -> list[str]:
    """`explain_infeasible` as sentences."""
    lines = []
    if why["conflict"]:
        what = "these limits cannot hold together" + ("" if why["minimal"] else " (perhaps fewer of them)")
        lines += [f"{what}:", *(f"  {limit}" for limit in why["conflict"])]
    if why["relaxation"]:
        what = "the cheapest way out" if why["least"] else "a way out (not proven to be the cheapest)"
        lines += [f"{what}:", *(f"  {sentence}" for sentence in why["relaxation"])]
    return lines or ["no reason was found within the time limit"]


def prices_of(graph: Graph, options: SolveOptions) -> list[dict[str, Any]]:
    """What one more unit of each limit is worth in each tier, dearest first (of the linear relaxation)."""
    from solvers.explain import limit_prices

    return [
        {"limit": str(p.limit), "tier": p.tier, "per_unit": p.per_unit} for p in limit_prices(graph, options)
    ]


def explanation_lines(made: dict[str, Any]) -> list[str]:
    """`explain_object` as sentences."""
    if made["at"] is None:
        lines = [f"{made['object']}: no assignment to explain, the problem is {made['status']}"]
        return lines + (infeasible_lines(made["infeasible"]) if "infeasible" in made else [])
    lines = [f"{made['object']} is at {made['at']} ({made['status']})"]
    for place in made["places"][:MOST_PLACES]:
        if place["container"] != made["at"]:
            lines.append(f"  {place['container']}: {_sentence(place)}")
    if not made["complete"]:
        lines.append("  … time was over before all places were looked at")
    if len(made["places"]) > MOST_PLACES:
        lines.append(f"  … and {len(made['places']) - MOST_PLACES} more places; --json has them all")
    forced = made["forced"]
    if forced is not None:
        lines.append(_forced_sentence(forced))
    return lines


def _sentence(place: dict[str, Any]) -> str:
    if place["blockers"]:
        return "blocked by " + "; ".join(
            f"{b['limit']}{' on ' + b['where'] if b['where'] else ''}, {b['excess']:g} beyond"
            for b in place["blockers"]
        )
    if not place["costs"]:
        return "allowed, at no cost"
    return "allowed, changes " + ", ".join(
        f"{c['spec']} by {c['amount']:+g} ({c['tier']})" for c in place["costs"]
    )


def _forced_sentence(forced: dict[str, Any]) -> str:
    if forced["tiers"] is None:
        return f"with all others free to make room: {forced['status']}"
    change = ", ".join(f"{t['name']} {t['change']:+g}" for t in forced["tiers"])
    how = f"{forced['status']}, {forced['moved']} moved"
    return f"with all others free to make room ({how}): {change or 'no goals'}"


def _forced(best: Result, forced: Result) -> dict[str, Any]:
    if forced.assignment is None:
        return {"status": forced.status, "moved": None, "tiers": None}
    tiers: Sequence[dict[str, Any]] = [
        {"name": now.name, "value": then.value, "change": then.value - now.value}
        for now, then in zip(best.tiers, forced.tiers, strict=True)
    ]
    return {"status": forced.status, "moved": forced.moved, "tiers": list(tiers)}


def _placement(graph: Graph, place: Placement) -> dict[str, Any]:
    return {
        "container": _place(graph, place.container),
        "blockers": [
            {"limit": " ".join(p for p in (b.spec, b.name) if p), "where": b.where, "excess": b.excess}
            for b in place.blockers
        ],
        "costs": [{"tier": c.tier, "spec": c.spec, "amount": c.amount} for c in place.costs],
        "tiers": list(place.tiers),
    }


def _place(graph: Graph, container: int) -> str:
    return UNASSIGNED_NAME if container == UNASSIGNED else graph.space.containers.label(container)


def _position(axis: Axis, what: str, name: str) -> int:
    labels = [axis.label(i) for i in range(axis.size)]
    found = np.flatnonzero(np.array([label == name for label in labels], np.bool_))
    if not found.size:
        known = [*labels, UNASSIGNED_NAME] if what == "container" else labels
        raise UnknownName(what, name, known)
    return int(found[0])
