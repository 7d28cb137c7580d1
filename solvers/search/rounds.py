"""The phases of a search: construction, descent, a contest of temperatures, ever longer rounds of annealing.

Nothing is set per problem. The scale of temperatures is the median of what random moves cost more. The
contest decides between a hot and a cool start, and whether limits are kept on the way or only at the end.
Every round begins at the best so far and tries the temperature that won and another. In the cold half of a
round all threads go on from the best among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from solvers.search import layout
from solvers.search.focus import homeless
from solvers.search.incumbent import Budget, Incumbent
from solvers.search.model import Model
from solvers.search.worker import Worker

__all__ = ["Rounds"]

PART = 2000
"""Objects that get a place in one slice."""
HOME_PART = 50_000
"""Objects that are sent home in one slice."""
WORTH = 0.02
"""They are all tried again as long as at least this share of them went home."""
DESCENT = 0.5
"""Largest share of the budget that the first descent may take."""
CONTEST = ((2.0, False), (0.25, False), (0.5, True), (0.06, True))
"""Entrants of the contest: starting temperature in units of the scale; are column limits only priced?"""
SOFT = (0.2, 100.0)
"""First price of exceeding a limit, relative to usual changes of goals and limits; its growth."""
CONTEST_SHARE = 0.04
"""Share of the budget left after the descent for one entrant of the contest."""
SHARES = (0.2, 0.3, 0.5)
"""Shares of what is left after the contest."""
OTHERS = (1.0, 0.5, 2.0, 0.7)
"""What the threads multiply the temperature that won with; one thread goes through them by round."""
COOLING = 1 / 500.0
"""Last temperature of a round, as a share of its first; the last hundredths of it are a descent."""
SEGMENTS = 10
"""Parts of a round; in the second half the threads meet after each."""
LONGEST = 20_000, 50
"""Most iterations of a round, plus so many by squared objects: small problems get more rounds instead."""
EXTRA = (1.0, 4.0, 0.25, 16.0)
"""Temperatures of the rounds after the last, in units of the scale of a level."""


class Rounds:
    """One search with its threads."""

    def __init__(
        self,
        model: Model,
        workers: Sequence[Worker],
        budget: Budget,
        best: Incumbent,
        tier_weights: Array,
        price: float,
    ) -> None:
        self.model, self.workers = model, workers
        self.budget, self.best = budget, best
        self.tier_weights, self.price = tier_weights, price
        self.soft = False
        self.rounds = 0
        self.factor = CONTEST[0][0]
        self._longest = LONGEST[0] + LONGEST[1] * model.n_objects**2
        self._cold = 1.0
        self._begun = [0] * len(workers)

    def everything(self) -> None:
        """Descend, then anneal until the budget is gone."""
        with ThreadPoolExecutor(len(self.workers)) as pool:
            self._all(pool, self._construct)
            for descent in (self._look_at_hot, self._descend_strictly, self._descend):
                self._all(pool, descent)
                self._share()
                if self._over():
                    return
            scale = self._scale()
            self._contest(pool, scale)
            begin = self.budget.fraction(0)
            for end in begin + (1.0 - begin) * np.cumsum(SHARES):
                if self._over():
                    return
                factors = [self.factor * OTHERS[(i + self.rounds) % 4] for i in range(len(self.workers))]
                self._round(pool, [scale * f for f in factors], float(end))
                self.factor = factors[int(np.argmin([w.cost for w in self.workers]))]
                self._share()
            self._others(pool, scale)

    def _others(self, pool: ThreadPoolExecutor, scale: float) -> None:
        """Rounds after the last, at other temperatures: of higher tiers and of broken limits, too."""
        levels = [(scale * self.factor, 0), *self._levels()]
        number = 0
        self.soft = False
        while not self._over():
            hot = []
            for worker in self.workers:
                base, worker.mode = levels[number % len(levels)]
                hot.append(base * EXTRA[number // len(levels) % len(EXTRA)])
                number += 1
            self._round(pool, hot, 1.0, meet=False)
            for worker in self.workers:
                worker.mode = 0
            self._share()

    def send_home(self) -> None:
        """Take back moves of the best that gain nothing: in no tier worse, no limit broken, fewer moved."""
        worker, home = self.workers[0], self.best.graph.space.initial
        worker.soften(None)
        worker.mode = 0
        where = self.best.assignment
        if not ((where != home) & (home >= 0)).any():
            return
        worker.go_to(where, self.best.cost)
        while (away := np.flatnonzero((where != home) & (home >= 0))).size:
            for part in np.array_split(away.astype(np.int32), away.size // HOME_PART + 1):
                if self.budget.late:
                    break
                worker.send_home(part)
            before, where = where, worker.assignment()
            if self.budget.late or np.count_nonzero(where != home) > (1 - WORTH) * np.count_nonzero(
                before != home
            ):
                break
        self.best.settle(where, worker.cost)

    # -- phases ------------------------------------------------------------------------------------------

    def _construct(self, thread: int, worker: Worker) -> None:
        """Places for objects that have none, the largest first, while that gets anywhere."""
        last = self.model.n_objects + 1
        while (lost := homeless(worker.state)).size and lost.size < 0.9 * last:
            last = lost.size
            if not self._look(thread, worker, lost[np.argsort(-worker.size_of(lost), kind="stable")]):
                return

    def _look(self, thread: int, worker: Worker, objects: Ints, temperature: float = 0.0) -> bool:
        """Look for better places for `objects`; False when the time is over."""
        for part in np.array_split(objects, objects.size // PART + 1):
            if not self._may(thread, DESCENT):
                return False
            self.budget.used[thread] += worker.look_for_places(part, temperature)
        return True

    def _look_at_hot(self, thread: int, worker: Worker) -> None:
        """One pass over the hot objects, often all that a local problem needs."""
        self._look(thread, worker, worker.refocus(), worker.strict)

    def _descend_strictly(self, thread: int, worker: Worker) -> None:
        self._descend(thread, worker, strict=True)

    def _descend(self, thread: int, worker: Worker, *, strict: bool = False) -> None:
        """Only moves that cost nothing, or (`strict`) that gain something, until little comes of it."""
        first = worker.cost
        size = 2 * self.model.n_objects
        while self._may(thread, DESCENT):
            before, done = worker.cost, 0
            temperature = worker.strict if strict else 0.0
            self._look(thread, worker, worker.refocus(), temperature)
            while done < size and self._may(thread, DESCENT):
                done += self._step(thread, worker, temperature)
            worker.adapt()
            if worker.cost > before - 0.02 * (first - before) - 1e-12:
                break

    def _contest(self, pool: ThreadPoolExecutor, scale: float) -> None:
        """The temperature to start with: from one state to which of the entrants' ends is best."""
        start, cost = self.best.assignment, self.best.cost
        begin = self.budget.fraction(0)
        share = CONTEST_SHARE * (1.0 - begin)
        found: list[tuple[float, float, bool, Ints]] = []
        limited = bool(np.isfinite(self.model.tables["upper"]).any()) and not any(self.best.key[:2])
        entrants = [e for e in CONTEST if limited or not e[1]]
        while entrants and not self._over():
            now = entrants[: len(self.workers)]
            del entrants[: len(now)]
            several = [*now, *[(4.0 * now[-1][0], now[-1][1])] * (len(self.workers) - len(now))]
            self.soft = now[0][1]
            self._all(pool, lambda _, w: w.go_to(start, cost) if w.cost != cost else None)
            self._round(pool, [scale * f for f, _ in several], self.budget.fraction(0) + share, meet=False)
            found += [(w.cost, *e, w.assignment()) for e, w in zip(several, self.workers, strict=True)]
        if found:
            cost, self.factor, self.soft, assignment = min(found, key=lambda x: x[:2])
            if cost < self.best.cost:
                self.best.offer(assignment, cost)
            self._share()

    def _round(
        self, pool: ThreadPoolExecutor, hot: Sequence[float], end: float, *, meet: bool = True
    ) -> None:
        """Anneal from the given temperatures until `end` of the budget, each thread to the best it found."""
        begin = self.budget.fraction(0)
        self._begun = list(self.budget.used)
        records = [(w.cost, w.assignment()) for w in self.workers]
        soft = self.soft and not any(self.best.key[:2])

        def anneal(i: int, worker: Worker, first: float, last: float) -> None:
            if soft:
                self._anneal_soft(i, worker, hot[i], (begin, end), (first, last))
            else:
                records[i] = self._anneal(i, worker, hot[i], (begin, end), (first, last), records[i])

        together = meet and len(self.workers) > 1
        edges = [0.0, *np.linspace(0.5, 1.0, SEGMENTS // 2 + 1)] if together else [0.0, 1.0]
        for first, last in pairwise(edges):
            self._all(pool, lambda i, w, f=first, e=last: anneal(i, w, f, e))  # type: ignore[misc]
            if together and last < 1.0:
                leader = min(self.workers, key=lambda w: w.cost)
                where = leader.assignment()
                for worker in self.workers:
                    if worker.cost > leader.cost:
                        worker.go_to(where, leader.cost)
        if soft:
            self._all(pool, lambda _, w: self._harden(w))
        for worker, (cost, where) in zip(self.workers, records, strict=True):
            if cost < worker.cost:
                worker.go_to(where, cost)
        self.rounds += 1

    def _anneal(
        self,
        thread: int,
        worker: Worker,
        hot: float,
        span: tuple[float, float],
        part: tuple[float, float],
        record: tuple[float, Ints],
    ) -> tuple[float, Ints]:
        """Geometric cooling from `hot` over `span` of the budget, only `part` of it; the best on the way."""
        worker.refocus()
        while not self.budget.clock.stopped:
            progress = self._progress(thread, span)
            if progress >= part[1]:
                break
            self._step(thread, worker, self._temperature(hot, progress))
            if worker.cost < record[0] - 1e-12 * abs(record[0]) and (progress > 0.5 or worker.fixed_slices):
                record = worker.cost, worker.assignment()
        worker.adapt()
        return record

    def _anneal_soft(
        self, thread: int, worker: Worker, hot: float, span: tuple[float, float], part: tuple[float, float]
    ) -> None:
        """The same with column limits priced, ever higher; in the end until none is exceeded."""
        worker.refocus()
        price = 0.0
        while not self.budget.clock.stopped:
            progress = self._progress(thread, span)
            if progress >= part[1]:
                break
            due = self.price * SOFT[0] * SOFT[1] ** progress
            price = max(price, due) if progress < 0.9 or worker.intact else max(1.1 * price, due)
            worker.soften(price)
            self._step(thread, worker, self._temperature(hot, progress))
        worker.adapt()

    def _harden(self, worker: Worker) -> None:
        """Back to hard limits: at what was found if it keeps them, else at the best."""
        where = worker.assignment()
        worker.soften(None)
        found = Incumbent(self.best.graph, where)
        if any(found.key[:2]):
            worker.go_to(self.best.assignment, self.best.cost)
            return
        gain = np.array(found.tiers) - np.array(self.best.tiers)
        worker.go_to(where, self.best.cost + float(self.tier_weights @ gain))

    # -- helpers -----------------------------------------------------------------------------------------

    def _temperature(self, hot: float, progress: float) -> float:
        """Geometric cooling from `hot` to where even the last tier is cold."""
        cold = COOLING * min(hot, 2.0 * self._cold)
        return hot * (cold / hot) ** progress if progress < 0.97 else 0.0

    def _progress(self, thread: int, span: tuple[float, float]) -> float:
        """How far this round is, by the budget or by the longest that a round may be."""
        gone = (self.budget.fraction(thread) - span[0]) / max(span[1] - span[0], 1e-9)
        return max(gone, (self.budget.used[thread] - self._begun[thread]) / self._longest)

    def _step(self, thread: int, worker: Worker, temperature: float) -> int:
        n = worker.run(temperature)
        self.budget.used[thread] += n
        return n

    def _may(self, thread: int, share: float) -> bool:
        return not self.budget.over(thread) and self.budget.fraction(thread) < share

    def _over(self) -> bool:
        return self.budget.over(0)

    def _all(self, pool: ThreadPoolExecutor, task: Callable[[int, Worker], None]) -> None:
        if len(self.workers) == 1:
            task(0, self.workers[0])
        else:
            list(pool.map(task, range(len(self.workers)), self.workers))

    def _share(self) -> None:
        """Offer the best worker's assignment; then all go on from the best, with sums made afresh."""
        leader = min(self.workers, key=lambda w: w.cost)
        if leader.cost < self.best.cost:
            self.best.offer(leader.assignment(), leader.cost)
        for worker in self.workers:
            if not self._over():
                worker.go_to(self.best.assignment, self.best.cost)
        for level, value in enumerate(self.best.tiers):
            self.budget.clock.report("search", level, value, None)

    def _scale(self) -> float:
        """Median of what random moves cost more; at most that of the last tier alone."""
        uphill = self.workers[0].sample(4000)
        uphill = uphill[uphill > 0]
        low = self._tier_scale(self.model.n_tiers - 1) or 1.0
        self._cold = low
        return min(float(np.quantile(uphill, 0.5)), low) if uphill.size else low

    def _levels(self) -> list[tuple[float, int]]:
        """(scale, mode) of the other tiers, and of violations, which then may get worse on the way."""
        tiers = [self._tier_scale(tier) for tier in range(self.model.n_tiers - 2, -1, -1)]
        levels = [(scale, 0) for scale in tiers if scale > 0]
        if any(self.best.key[:2]) or self.model.has_violations:
            uphill = self.workers[0].sample(4000)
            uphill = uphill[uphill > 0]
            if uphill.size:
                levels.append((float(np.quantile(uphill, 0.5)), layout.FREE))
        return levels

    def _tier_scale(self, tier: int) -> float:
        """Median of what random moves cost more in `tier`; 0 where nothing does."""
        from solvers.search.state import reweigh

        worker = self.workers[0]
        prices = worker.state.G
        one = np.zeros(self.model.n_tiers)
        one[tier : tier + 1] = self.tier_weights[tier : tier + 1]
        reweigh(worker.state, self.model.weighted(one, 0.0))
        changes = worker.sample(4000)
        reweigh(worker.state, prices)
        uphill = changes[changes > 1e-12 * np.abs(changes).max(initial=0.0)]
        return float(np.quantile(uphill, 0.5)) if uphill.size else 0.0
