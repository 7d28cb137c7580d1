"""Which of the known answers of each workload go together: a linear or whole choice within the supply.

    min Σ_p price[p] · over[p]    Σ_a λ[w, a] = 1,    Σ gpus[a, p] · λ ≤ supply[p] + missing[p],
                                  Σ gpus[a, p] · λ − over[p] ≤ reserved[p]

where a goes over the answers of workload w. What is missing costs more than anything else, so that there is a
choice to price at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from planner.sizing.problem import SizingProblem

if TYPE_CHECKING:
    from solvers.milp.model import MilpModel

__all__ = ["Choice", "Master"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

MISSING = 20.0
"""Price of a GPU there is not, in prices of the dearest one."""
DEAR = 1e5
"""The same where the question is only whether any is missing."""
MILP_GAP = 5e-4
MILP_NODES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the linear choice ends with.

    Parameters
    ----------
    value
        Its cost; no mixture of the answers has less.
    prices
        Of a GPU by pool.
    mixture
        float64[candidate]: its counts, in fractions; None where it takes GPUs there are not.
    """

    value: float
    prices: Mapping[str, float]
    mixture: Floats | None


class Master:
    """Collects answers.

    Parameters
    ----------
    columns
        Indices of the candidates of each workload.

    Attributes
    ----------
    is_dear
        Whether what is missing is so dear that the price of the GPUs does not matter beside it.
    """

    def __init__(self, problem: SizingProblem, columns: Sequence[Sequence[int]]) -> None:
        self.problem = problem
        self.columns = columns
        self.pools = problem.fleet.pools
        place = {pool.name: n for n, pool in enumerate(self.pools)}
        self.uses = np.zeros((len(problem.candidates), len(self.pools)))
        for index, c in enumerate(problem.candidates):
            self.uses[index, place[c.pool]] = c.gpus
        self.supply = np.array(
            [float(p.usable_gpus - problem.withheld_gpus.get(p.name, 0)) for p in self.pools]
        )
        self.answers: list[tuple[int, tuple[int, ...]]] = []
        self.gpus: list[Floats] = []
        self.known: set[tuple[int, tuple[int, ...]]] = set()
        self.is_dear = False

    def add(self, workload: int, counts: tuple[int, ...]) -> bool:
        """Note an answer; whether it is new."""
        if (workload, counts) in self.known:
            return False
        self.known.add((workload, counts))
        self.answers.append((workload, counts))
        self.gpus.append(np.asarray(counts, np.float64) @ self.uses[list(self.columns[workload])])
        return True

    def together(self, chosen: Sequence[tuple[int, ...]]) -> Counts:
        """int64[candidate]: one answer of each workload."""
        counts = np.zeros(len(self.problem.candidates), np.int64)
        for mine, answer in zip(self.columns, chosen, strict=True):
            counts[list(mine)] = answer
        return counts

    def cost(self, counts: Counts) -> float:
        """Price of an hour; infinite beyond the supply."""
        used = counts @ self.uses
        if (used > self.supply + 1e-6).any():
            return float("inf")
        return sum(p.cost_per_hour(round(u)) for p, u in zip(self.pools, used.tolist(), strict=True))

    def relaxed(self) -> Choice | None:
        """The best mixture of answers."""
        from solvers.bounds.linear import solve_relaxed

        model, cost = self._model(whole=False)
        found = solve_relaxed(model, cost, 0.0, None)
        if found is None:
            return None
        rows, n = found.row_price, len(self.pools)
        price = np.maximum(-(rows[-2 * n : -n] + rows[-n:]), 0.0)
        idle = sum(pool.cost_per_hour(0) for pool in self.pools)
        mixture = np.zeros(len(self.problem.candidates))
        for value, (workload, counts) in zip(found.x.tolist(), self.answers, strict=False):
            if value > 0:
                mixture[list(self.columns[workload])] += value * np.array(counts)
        return Choice(
            value=found.objective + idle,
            prices={pool.name: float(each) for pool, each in zip(self.pools, price, strict=True)},
            mixture=None if (found.x[-n:] > 1e-6).any() else mixture,
        )

    def whole(self, time_limit_s: float | None) -> Counts | None:
        """The best choice of one answer for each workload; None where none was found that fits."""
        from solvers.milp.backend import Task
        from solvers.milp.backends import backend

        model, cost = self._model(whole=True)
        outcome = backend("highs").solve(
            Task(
                model=model, cost=cost, offset=0.0, start=None, time_limit_s=time_limit_s, gap=MILP_GAP,
                node_limit=MILP_NODES, threads=1, seed=0, on_progress=lambda *_: False,
            )
        )  # fmt: skip
        if outcome.x is None or (outcome.x[-len(self.pools) :] > 1e-6).any():
            return None
        chosen: list[tuple[int, ...]] = [()] * len(self.columns)
        for value, (workload, counts) in zip(outcome.x.tolist(), self.answers, strict=False):
            if value > 0.5:
                chosen[workload] = counts
        return self.together(chosen)

    def _model(self, *, whole: bool) -> tuple[MilpModel, Floats]:
        """Columns: answers, GPUs over what is reserved, GPUs missing; rows: workloads, supply, reserved."""
        from scipy import sparse

        from solvers.milp.grain import ONE, UNKNOWN
        from solvers.milp.model import MilpModel

        n, pools, workloads = len(self.answers), len(self.pools), len(self.columns)
        used = np.array(self.gpus).reshape(n, pools).T
        eye = sparse.identity(pools)
        owner = [workload for workload, _ in self.answers]
        one = sparse.csr_array((np.ones(n), (owner, np.arange(n))), shape=(workloads, n))
        none, gpus = sparse.csr_array((workloads, pools)), sparse.csr_array(used)
        blocks = [
            sparse.hstack([one, none, none]),
            sparse.hstack([gpus, 0 * eye, -eye]),
            sparse.hstack([gpus, -eye, 0 * eye]),
        ]
        matrix = sparse.csr_array(sparse.vstack(blocks, format="csr"))
        most = float(used.sum()) + 1.0
        price = np.array([pool.price_per_gpu_hour for pool in self.pools])
        integer = np.concatenate((np.full(n, whole), np.zeros(2 * pools, np.bool_)))
        total = n + 2 * pools
        model = MilpModel(
            lower=np.zeros(total),
            upper=np.concatenate((np.ones(n), np.full(2 * pools, most))),
            integer=integer,
            grain=np.where(integer, ONE, UNKNOWN),
            owner=np.full(total, -1),
            matrix=matrix,
            row_lower=np.concatenate((np.ones(workloads), np.full(2 * pools, -np.inf))),
            row_upper=np.concatenate(
                (np.ones(workloads), self.supply, [float(pool.reserved_gpus) for pool in self.pools])
            ),
            block=np.full(workloads + 2 * pools, -1),
        )
        penalty = (DEAR if self.is_dear else MISSING) * max(float(price.max()), 1e-3)
        return model, np.concatenate((np.zeros(n), price, np.full(pools, penalty)))
