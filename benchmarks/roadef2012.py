"""``python -m benchmarks roadef2012``: Google's machine reassignment in the spec language.

``--model M --initial I`` name the two files of an instance; ``INSTANCE`` alone means ``model_<instance>.txt``
and ``assignment_<instance>.txt`` in the folder ``roadef2012`` of the data (environment variable
``FULCRUM_DATA``, by default ``../shared/data``). States the problem with specs, solves it and prints one JSON
line with cost, bound and seconds; ``--out FILE`` writes the answer in the challenge's format. The time limit
is for everything, reading included, as in the challenge.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.assignment import report
from models.errors import InvalidInput
from solvers import SolveOptions, solve
from solvers.search.warmup import compile_kernels
from specs import (
    HARD,
    Capacity,
    Constraint,
    Dimension,
    Entities,
    Goal,
    GroupCount,
    GroupDependency,
    GroupSpread,
    LinearLimit,
    MinimizeMovement,
    MoveCost,
    Problem,
    compile_problem,
)

__all__ = ["Instance", "data_folder", "main", "problem_of", "read_files", "read_instance"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance; M machines, R resources, S services, P processes.

    Parameters
    ----------
    transient, load_weight
        bool[R], int64[R].
    neighbourhood, location, capacity, safety, move_cost
        int64[M], int64[M], int64[M, R], int64[M, R], int64[M, M].
    spread, dependencies
        int64[S]: least number of locations; pairs (s, t): s depends on t.
    service, requirement, process_cost
        int64[P], int64[P, R], int64[P].
    balances
        (resource, resource, target, weight).
    weights
        Of process, service and machine moves.
    start
        int64[P]: the machine of each process.
    """

    transient: npt.NDArray[np.bool_]
    load_weight: Ints
    neighbourhood: Ints
    location: Ints
    capacity: Ints
    safety: Ints
    move_cost: Ints
    spread: Ints
    dependencies: tuple[tuple[int, int], ...]
    service: Ints
    requirement: Ints
    process_cost: Ints
    balances: tuple[tuple[int, int, int, int], ...]
    weights: tuple[int, int, int]
    start: Ints


class _Stream:
    """Whole numbers, taken in order."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InvalidInput(
                f"there is no {path.name} in {path.parent}; FULCRUM_DATA says where the data is"
            )
        try:
            self.values = np.array(path.read_bytes().split(), np.int64)
        except ValueError:
            raise InvalidInput("expected whole numbers only", source=path.name) from None
        self.path = path
        self.at = 0

    def take(self, rows: int, columns: int = 1) -> Ints:
        """int64[rows, columns]."""
        end = self.at + rows * columns
        if end > self.values.size:
            raise InvalidInput(f"the file ends after {self.values.size} numbers", source=self.path.name)
        out = self.values[self.at : end].reshape(rows, columns)
        self.at = end
        return out

    def one(self) -> int:
        """The next number."""
        return int(self.take(1)[0, 0])

    def finish(self) -> None:
        """Raise when numbers are left."""
        if self.at != self.values.size:
            raise InvalidInput(f"{self.values.size - self.at} numbers too many", source=self.path.name)


def data_folder() -> Path:
    """Where the instances are."""
    base = os.environ.get("FULCRUM_DATA")
    return (Path(base) if base else Path(__file__).parents[1].parent / "shared" / "data") / "roadef2012"


def read_instance(name: str, folder: Path | None = None) -> Instance:
    """Read instance `name` (``a1_1``). Raises InvalidInput when a file is missing or broken."""
    folder = folder or data_folder()
    return read_files(folder / f"model_{name}.txt", folder / f"assignment_{name}.txt")


def read_files(model: Path, initial: Path) -> Instance:
    """Read an instance from its two files. Raises InvalidInput when one is missing or broken."""
    stream = _Stream(model)
    n_resources = stream.one()
    resources = stream.take(n_resources, 2)
    n_machines = stream.one()
    machines = stream.take(n_machines, 2 + 2 * n_resources + n_machines)
    spread, dependencies = [], []
    for service in range(stream.one()):
        spread.append(stream.one())
        dependencies += [(service, int(t)) for t in stream.take(stream.one())[:, 0]]
    processes = stream.take(stream.one(), n_resources + 2)
    balances = [tuple(int(x) for x in row) for row in stream.take(stream.one(), 4)]
    weights = stream.take(1, 3)[0]
    stream.finish()
    start = _Stream(initial)
    return Instance(
        transient=resources[:, 0] == 1,
        load_weight=resources[:, 1],
        neighbourhood=machines[:, 0],
        location=machines[:, 1],
        capacity=machines[:, 2 : 2 + n_resources],
        safety=machines[:, 2 + n_resources : 2 + 2 * n_resources],
        move_cost=machines[:, 2 + 2 * n_resources :],
        spread=np.array(spread, np.int64),
        dependencies=tuple(dependencies),
        service=processes[:, 0],
        requirement=processes[:, 1 : 1 + n_resources],
        process_cost=processes[:, 1 + n_resources],
        balances=tuple((a, b, c, d) for a, b, c, d in balances),
        weights=(int(weights[0]), int(weights[1]), int(weights[2])),
        start=start.take(len(processes))[:, 0],
    )


def problem_of(instance: Instance) -> Problem:
    """The instance in the spec language: the value of its one goal tier is the challenge's cost."""
    x = instance
    n_resources = x.transient.size
    resources = [f"r{k}" for k in range(n_resources)]
    dimensions = {
        r: Dimension(
            objects=x.requirement[:, k].astype(np.float64),
            containers=x.capacity[:, k].astype(np.float64),
        )
        for k, r in enumerate(resources)
    }
    dimensions["process_cost"] = Dimension(objects=x.process_cost.astype(np.float64))
    return Problem(
        objects=Entities(name="process", count=x.service.size),
        containers=Entities(name="machine", count=x.location.size),
        assignment=x.start,
        scopes={
            "location": np.unique(x.location, return_inverse=True)[1],
            "neighbourhood": np.unique(x.neighbourhood, return_inverse=True)[1],
        },
        partitions={"service": x.service},
        dimensions=dimensions,
        constraints=[Constraint(spec, HARD) for spec in _limits(x, resources)],
        goals=[[goal for goal in _goals(x, resources) if goal.weight > 0]],
    )


def _limits(x: Instance, resources: list[str]) -> list[Capacity | GroupCount | GroupSpread | GroupDependency]:
    limits: list[Capacity | GroupCount | GroupSpread | GroupDependency] = [
        Capacity(scope="machine", dimension=r, counted="during" if transient else "after")
        for r, transient in zip(resources, x.transient, strict=True)
    ]
    limits.append(GroupCount(scope="machine", partition="service", limit=1))
    if np.any(x.spread > 1):
        limits.append(GroupSpread(scope="location", partition="service", least=x.spread.astype(np.float64)))
    if x.dependencies:
        needs: dict[str, list[str]] = {}
        for s, t in x.dependencies:
            needs.setdefault(f"service{s}", []).append(f"service{t}")
        limits.append(
            GroupDependency(
                scope="neighbourhood",
                partition="service",
                dependencies={s: tuple(dict.fromkeys(ts)) for s, ts in needs.items()},
            )
        )
    return limits


def _goals(x: Instance, resources: list[str]) -> list[Goal]:
    capacity = x.capacity.astype(np.float64)
    load = [
        Goal(Capacity(scope="machine", dimension=r, limit=x.safety[:, k].astype(np.float64)),
             float(x.load_weight[k]), f"load {r}")
        for k, r in enumerate(resources)
    ]  # fmt: skip
    balance = [
        Goal(
            # target · (capacity_a − used_a) − (capacity_b − used_b) ≤ 0
            LinearLimit(
                scope="machine",
                coefficients={resources[b]: 1.0, resources[a]: -float(target)},
                limit=capacity[:, b] - target * capacity[:, a],
            ),
            float(weight),
            f"balance {resources[a]} {resources[b]}",
        )
        for a, b, target, weight in x.balances
    ]
    process, service, machine = (float(w) for w in x.weights)
    return [
        *load,
        *balance,
        Goal(MinimizeMovement(dimension="process_cost"), process, "process move"),
        Goal(MinimizeMovement(largest_over="service"), service, "service move"),
        Goal(MoveCost(scope="machine", costs=x.move_cost.astype(np.float64)), machine, "machine move"),
    ]


def main(arguments: Sequence[str]) -> int:
    """Parse the command line, solve the instance, print its line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks roadef2012")
    parser.add_argument("instance", nargs="?", help="a1_1, a2_5, b_3, … in the data folder")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the instance's model file")
    parser.add_argument("--initial", type=Path, metavar="FILE", help="the instance's initial assignment")
    parser.add_argument("--time-limit", type=float, default=300.0, metavar="S", help="for everything")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--solver", default="auto")
    parser.add_argument("--gap", type=float, default=1e-9, help="the optimum is a whole number below 1e10")
    parser.add_argument(
        "--out", "--write", type=Path, metavar="FILE", help="write the answer in the challenge's format"
    )
    given = parser.parse_args(arguments)
    if (given.instance is None) == (given.model is None) or (given.model is None) != (given.initial is None):
        parser.error("give either INSTANCE, or both --model and --initial")
    compile_kernels()  # once for every release (`fulcrum warmup`), not part of the figures
    started = time.perf_counter()
    try:
        read = (
            read_instance(given.instance) if given.model is None else read_files(given.model, given.initial)
        )
        graph = compile_problem(problem_of(read))
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    build_s = time.perf_counter() - started
    result = solve(
        graph,
        SolveOptions(
            time_limit_s=max(given.time_limit - build_s, 0.1), threads=given.threads, seed=given.seed,
            solver=given.solver, gap=given.gap,
        ),
    )  # fmt: skip
    if given.out is not None and result.assignment is not None:
        given.out.write_text(" ".join(map(str, result.assignment.tolist())) + "\n", encoding="utf-8")
    seconds = time.perf_counter() - started
    name = given.instance or given.model.stem.removeprefix("model_")
    line = report(f"roadef {name}", graph, result, build_s, seconds - build_s)
    tier = result.tiers[0] if result.tiers else None
    line |= {
        "cost": None if tier is None else tier.value,
        "bound": None if tier is None else tier.bound,
        "gap": None if tier is None else tier.gap,
        "seconds": round(seconds, 3),
        "seed": given.seed,
        "threads": given.threads,
        "time_limit": given.time_limit,
    }
    print(json.dumps(line))
    return 0 if result.solved else 2
