"""Assignment problems to measure solvers on; each case is a function ``(seed, size) -> Problem``.

`size` is a tuple of whole numbers with a default that its function states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.assignment_cases import fleet, games, generated, gpu, textbook
from specs import Problem

__all__ = ["CASES", "Case"]

Case: TypeAlias = Callable[[int, tuple[int, ...]], Problem]

CASES: Mapping[str, Case] = {
    "colocate": generated.colocate,
    "eight_queens": games.eight_queens,
    "fleet": fleet.fleet,
    "gap": gpu.gap,
    "gpu_bundles": gpu.gpu_bundles,
    "group_limit": generated.group_limit,
    "knapsack": textbook.knapsack,
    "sev0": generated.sev0,
    "shard_allocation": textbook.shard_allocation,
    "shards": fleet.shards,
    "single": generated.single,
    "sudoku": games.sudoku,
    "tasks_on_hosts": textbook.tasks_on_hosts,
    "tupperware": textbook.tupperware,
    "vertex_cover": games.vertex_cover,
    "web_balancing": textbook.web_balancing,
}
