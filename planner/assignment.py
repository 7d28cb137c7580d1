"""An assignment document solved: the answer by name, as JSON and for the terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.graph import HARD
from specs.document import AssignmentDocument

if TYPE_CHECKING:
    from rich.console import Console

    from solvers import Result, SolveOptions

__all__ = ["answer", "print_answer", "solve_document", "with_most_moves"]

INFEASIBLE = "infeasible"
MOST_ROWS = 40
PRICES_FROM = 0.8
"""Share of the time limit after which the solve leaves the rest to prices, where these are asked for."""


def with_most_moves(document: AssignmentDocument, n: int) -> AssignmentDocument:
    """The document with one more hard limit: at most `n` objects leave where they are (`MovementBudget`).

    Placing an object that is nowhere at the start is not a move.
    """
    from specs import HARD as HARD_POLICY
    from specs import Constraint, MovementBudget

    limit = Constraint(MovementBudget(budget=float(n)), HARD_POLICY)
    problem = replace(document.problem, constraints=[*document.problem.constraints, limit])
    return replace(document, problem=problem)


def solve_document(
    document: AssignmentDocument, options: SolveOptions, *, prices: bool = False
) -> dict[str, Any]:
    """Compile, solve, and give the answer as plain values; see `answer`.

    An infeasible one has ``infeasible``: the contradiction and the cheapest way out (`explain_infeasible`);
    with `prices` a solved one has ``prices`` (`prices_of`). The time limit is one for all of it.
    """
    from planner.explanation import explain_infeasible, prices_of
    from solvers import solve
    from solvers.clock import Clock

    graph = document.compile()
    clock = Clock(options)
    result = solve(graph, clock.rest(PRICES_FROM if prices else 1.0))
    made = answer(document, result)
    if result.status == INFEASIBLE:
        made["infeasible"] = explain_infeasible(graph, clock)
    elif prices and result.solved:
        made["prices"] = prices_of(graph, clock.rest())
    return made


def answer(document: AssignmentDocument, result: Result) -> dict[str, Any]:
    """The result by name: status, tiers with bounds, constraints, assignment and moves."""
    problem = document.problem
    initial = problem.space.initial
    out: dict[str, Any] = {
        "problem": Path(document.document.source or "").name,
        "status": result.status,
        "solver": result.solver,
        "tiers": [{"name": t.name, "value": t.value, "bound": t.bound, "gap": t.gap} for t in result.tiers],
        "constraints": [
            {
                "name": c.constraint.spec,
                "limits": c.constraint.name,
                "enforced": c.constraint.enforcement == HARD,
                "worst_excess": float(c.worst) if np.isfinite(c.worst) else None,
                "violation": c.violation,
                "broken": c.broken,
                "where": c.where,
            }
            for c in result.constraints
        ],
        "moved": result.moved,
        "unassigned": result.unassigned,
        "assignment": None,
        "moves": [],
    }
    if result.assignment is not None:
        named, before = problem.named(result.assignment), problem.named(initial)
        out["assignment"] = named
        changed = np.flatnonzero(result.assignment != initial).tolist()
        labels = problem.objects.labels
        out["moves"] = [
            {"object": labels[o], "from": before[labels[o]], "to": named[labels[o]]} for o in changed
        ]
    return out


def to_json(made: dict[str, Any]) -> str:
    """The answer as the text of a file."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def print_answer(made: dict[str, Any], console: Console) -> None:
    """Print status, goals, constraints and moves as tables."""
    from rich.table import Table
    from rich.text import Text

    placed = "" if made["assignment"] is None else f", {made['moved']} moved, {made['unassigned']} unassigned"
    console.print(Text(f"{made['problem']}: {made['status']} ({made['solver']}){placed}", style="bold"))
    if made["tiers"]:
        table = Table(title="\ngoals", title_justify="left", box=None, pad_edge=False)
        for column in ("tier", "value", "proven bound", "gap"):
            table.add_column(column, justify="left" if column == "tier" else "right")
        for tier in made["tiers"]:
            table.add_row(tier["name"], _number(tier["value"]), _number(tier["bound"]), _share(tier["gap"]))
        console.print(table)
    if made["constraints"]:
        table = Table(title="\nconstraints", title_justify="left", box=None, pad_edge=False)
        for column in ("name", "limits", "slack", "beyond", "where"):
            table.add_column(column, justify="right" if column in ("slack", "beyond") else "left")
        for c in made["constraints"]:
            worst = c["worst_excess"]
            slack = _number(max(0.0, -worst)) if worst is not None else "–"
            table.add_row(c["name"], c["limits"], slack, _number(c["violation"]), c["where"] or "")
        console.print(table)
    if made["moves"]:
        table = Table(title="\nmoves", title_justify="left", box=None, pad_edge=False)
        for column in ("object", "from", "to"):
            table.add_column(column)
        for move in made["moves"][:MOST_ROWS]:
            table.add_row(move["object"], move["from"] or "–", move["to"] or "–")
        console.print(table)
        if len(made["moves"]) > MOST_ROWS:
            console.print(f"… and {len(made['moves']) - MOST_ROWS} more; --out writes them all")
    if made.get("prices") is not None:
        table = Table(title="\nworth of one more unit", title_justify="left", box=None, pad_edge=False)
        for column in ("limit", "tier", "gain"):
            table.add_column(column, justify="right" if column == "gain" else "left")
        for price in made["prices"][:MOST_ROWS]:
            table.add_row(price["limit"], price["tier"], _number(price["per_unit"]))
        console.print(table if made["prices"] else "\nno limit is worth raising (in the linear relaxation)")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.10g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2g} %"
