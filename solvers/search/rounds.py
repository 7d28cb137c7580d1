"""The phases of a search: construction, descent, a contest of temperatures, one long round of annealing.

Nothing is set per problem. The scale of temperatures is the median of what random moves cost more. The
contest decides between a hot and a cool start, and whether objects are drawn back to where they started; then
one round takes the rest of the budget, since slow cooling is worth more than several attempts. In its cold
half all threads go on from the best among them, or from what other members of a portfolio have found. A
thread that is wanted elsewhere joins when it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from solvers.search import layout
from solvers.search.company import Company
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
HOT, COOL = 2.0, 0.25
"""Starting temperatures of the contest, in units of the scale."""
PULL = 2.5
"""What being away from where it started adds to the cost of an object, in units of the temperature.

Places are many and home is one: where limits count what an object left behind as well, hot objects wander for
nothing and take the room that others need. The logarithm of the number of places would make up for that.
Where no limit does, it only looks good in a short contest, in which few objects get anywhere.
"""
PULLED = 1.1
"""The pull has to gain so many times what is gained without it: in a short round any restraint pays."""
CONTEST_SHARE = 0.03
"""Share of the budget left after the descent for each that enters the contest."""
SLOW = 0.5
"""The hot one wins with this share of what the cool one gained: a long round will give it more."""
COOLING = 1 / 500.0
"""Temperature of a round at `TAIL`, as a share of its first; the last hundredths of it are a descent."""
TAIL = 0.88, 1 / 50.0
"""Where in a round it cools faster, and by how much: what is cheap (moves) is settled last."""
SEGMENTS = 10
"""Parts of a round, after which threads may join; in the second half they meet after each."""
LONGEST = 20_000
"""Most iterations of a round, plus the cube of the objects: small problems get more rounds instead."""
LOOK_AROUND = 64
"""Slices after which it is looked again which kinds of moves pay off, and which objects are hot."""
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
        company: Company,
    ) -> None:
        self.model, self.everyone = model, workers
        self.workers = workers[: max(company.threads(), 1)]
        self.company = company
        self.budget, self.best = budget, best
        self.tier_weights = tier_weights
        self.rounds = 0
        self.factor = HOT
        self.pull = 0.0
        self._left: tuple[float, Ints] | None = None
        self._pulling = model.counts_departures and bool(np.any(best.graph.space.initial >= 0))
        self._longest = LONGEST + model.n_objects**3
        self._cold = 1.0
        self._begun = [0] * len(workers)

    def everything(self) -> None:
        """Descend, then anneal until the budget is gone."""
        with ThreadPoolExecutor(len(self.everyone)) as pool:
            self._all(pool, self._construct)
            for descent in (self._look_at_hot, self._descend_strictly, self._descend):
                self._all(pool, descent)
                self._share()
                if self._over():
                    return
            scale = self._scale()
            self._contest(pool, scale)
            if self._over():
                return
            self._round(pool, [scale * self.factor] * len(self.everyone), 1.0)
            self._share()
            self._others(pool, scale)

    def _others(self, pool: ThreadPoolExecutor, scale: float) -> None:
        """Rounds after the last, at other temperatures: of higher tiers and of broken limits, too."""
        levels = [(scale * self.factor, 0), *self._levels()]
        number = 0
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
        worker, home = self.everyone[0], self.best.graph.space.initial
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
        """How to go on, tried from one state: a hot or a cool start, then whether objects are pulled home."""
        start, before = self.best.assignment, self.best.cost
        share = CONTEST_SHARE * (1.0 - self.budget.fraction(0))
        ends: dict[tuple[float, float], tuple[float, Ints]] = {}

        def enter(*entrants: tuple[float, float]) -> bool:
            """Try pairs of factor and pull, as many at once as there are threads; whether there was time."""
            waiting = list(entrants)
            while waiting and not self._over():
                self._admit()
                now = [waiting.pop(0) for _ in range(min(len(self.workers), len(waiting)))]
                self._all(pool, lambda _, w: w.go_to(start, before) if w.cost != before else None)
                tried = [now[i % len(now)] for i in range(len(self.workers))]
                for worker, (_, pull) in zip(self.workers, tried, strict=True):
                    worker.pull = pull
                end = self.budget.fraction(0) + share
                self._round(pool, [scale * factor for factor, _ in tried], end, meet=False)
                for entrant, worker in zip(tried, self.workers, strict=True):
                    if entrant not in ends or worker.cost < ends[entrant][0]:
                        ends[entrant] = worker.cost, worker.assignment()
            return all(entrant in ends for entrant in entrants)

        if enter((HOT, 0.0), (COOL, 0.0)):
            hot, cool = (before - ends[factor, 0.0][0] for factor in (HOT, COOL))
            self.factor = HOT if hot > 0 and hot >= SLOW * cool else COOL
            if self._pulling and enter((self.factor, PULL)):
                without, pulled = (before - ends[self.factor, pull][0] for pull in (0.0, PULL))
                self.pull = PULL if pulled > PULLED * without else 0.0
        for worker in self.everyone:
            worker.pull = self.pull
        if ends and self.budget.clock.cancelled:
            self._share()
        elif ends:
            cost, assignment = min(ends.values(), key=lambda end: end[0])
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

        def anneal(i: int, worker: Worker, first: float, last: float) -> None:
            records[i] = self._anneal(i, worker, hot[i], (begin, end), (first, last), records[i])

        edges = np.linspace(0.0, 1.0, SEGMENTS + 1) if meet and len(self.everyone) > 1 else [0.0, 1.0]
        for first, last in pairwise(edges):
            self._all(pool, lambda i, w, f=first, e=last: anneal(i, w, f, e))  # type: ignore[misc]
            if meet and last < 1.0:
                self._meet(cold=last >= 0.5)
                records += [(w.cost, w.assignment()) for w in self.workers[len(records) :]]
        if self.budget.clock.cancelled:  # nobody waits for a state to be made afresh
            self._left = min(records, key=lambda record: record[0])
            return
        for worker, (cost, where) in zip(self.workers, records, strict=True):
            if cost < worker.cost:
                worker.go_to(where, cost)
        self.rounds += 1

    def _meet(self, *, cold: bool) -> None:
        """Newcomers go on from the best of the threads; when it is `cold`, all do, or from what came in."""
        before = len(self.workers)
        leader = min(self.workers, key=lambda w: w.cost)
        self._admit()
        newcomers = self.workers[before:]
        if not newcomers and not (cold and (len(self.workers) > 1 or self.company.better is not None)):
            return
        where, cost = leader.assignment(), leader.cost
        if cold and (found := self._from_outside()) is not None and found[1] < cost:
            where, cost = found
        for worker in self.workers if cold else newcomers:
            if worker.cost > cost or worker in newcomers:
                worker.go_to(where, cost)

    def _admit(self) -> None:
        """Let threads join that are free by now; they start at the best."""
        number = min(max(self.company.threads(), len(self.workers)), len(self.everyone))
        for i in range(len(self.workers), number):
            self.everyone[i].go_to(self.best.assignment, self.best.cost)
            self._begun[i] = self.budget.used[i] - (self.budget.used[0] - self._begun[0])
        self.workers = self.everyone[:number]

    def _from_outside(self) -> tuple[Ints, float] | None:
        """What others have found that is better than our best, and what it costs."""
        if self.company.better is None or any(self.best.key[:2]):
            return None
        where = self.company.better(self.best.tiers)
        if where is None:
            return None
        found = Incumbent(self.best.graph, where)
        if any(found.key[:2]):
            return None
        gain = np.array(found.tiers) - np.array(self.best.tiers)
        return where, self.best.cost + float(self.tier_weights @ gain)

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
        slices = 0
        while not self.budget.clock.stopped:
            progress = self._progress(thread, span)
            if progress >= part[1]:
                break
            if slices % LOOK_AROUND == 0:
                worker.adapt()
                worker.refocus()
            slices += 1
            self._step(thread, worker, self._temperature(hot, progress))
            if worker.cost < record[0] - 1e-12 * abs(record[0]) and (progress > 0.5 or worker.fixed_slices):
                record = worker.cost, worker.assignment()
        return record

    # -- helpers -----------------------------------------------------------------------------------------

    def _temperature(self, hot: float, progress: float) -> float:
        """Geometric cooling from `hot`, faster at the end: first to where even the last tier is cold."""
        cold = COOLING * min(hot, 2.0 * self._cold)
        if progress < TAIL[0]:
            return float(hot * (cold / hot) ** (progress / TAIL[0]))
        late = (progress - TAIL[0]) / (0.97 - TAIL[0])
        return float(cold * TAIL[1] ** late) if late < 1.0 else 0.0

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
        cost, where = self._left or (leader.cost, leader.assignment())
        if leader.cost < cost:
            cost, where = leader.cost, leader.assignment()
        if cost < self.best.cost:
            self.best.offer(where, cost)
        found = None if self.budget.clock.cancelled else self._from_outside()
        if found is not None:
            self.best.offer(*found)
        for worker in self.workers:
            if not self._over():
                worker.go_to(self.best.assignment, self.best.cost)
        clock = self.budget.clock
        tried = sum(int(w.counts.reshape(layout.MOVES, -1)[:, layout.TRIED].sum()) for w in self.workers)
        rate = tried / max(clock.elapsed_s, 1e-9)
        for level, value in enumerate(self.best.tiers):
            clock.report("search", level, value, None, rate)

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
