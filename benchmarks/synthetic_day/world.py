"""The fleet during the day: what runs where, who gets which request, what it costs, how long requests take.

Every instance is simulated by the discrete-event simulator on exactly the requests it was sent. A router
spreads requests at random over the instances that serve, in proportion to what they can carry. When a node
fails, requests that had not ended are sent again, to others, a second after the router has noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from benchmarks.synthetic_day.traffic import Traffic
from models.serving import InstanceModel
from models.serving.simulator import simulate
from planner.fleet import Fleet
from planner.plan import Instance

__all__ = ["NEVER", "Life", "Score", "World"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEVER = float("inf")
NOTICED_S = 10.0
"""From the failure of a node until the router sends nothing there any more."""
RUN_IN_S = 600.0
"""Requests before a window that are simulated with it, so that it does not begin empty."""


@dataclass(slots=True, eq=False)
class Life:
    """One instance from its first byte of weights to its last request.

    Times in seconds of the day; `until_s` is when it gets no more requests.
    """

    key: str
    instance: Instance
    model: InstanceModel
    began_s: float
    serves_s: float = NEVER
    until_s: float = NEVER
    ended_s: float = NEVER
    failed_s: float = NEVER
    requests: list[tuple[Floats, Ints]] = field(default_factory=list)
    """What it was sent, and when: (seconds, index into the traffic of its workload)."""

    def served(self, start_s: float, end_s: float) -> tuple[Floats, Ints]:
        """What it was sent in a time, ascending."""
        if not self.requests:
            return np.zeros(0), np.zeros(0, np.int64)
        times = np.concatenate([times for times, _ in self.requests])
        index = np.concatenate([index for _, index in self.requests])
        keep = (times >= start_s) & (times < end_s)
        order = np.argsort(times[keep], kind="stable")
        return times[keep][order], index[keep][order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One workload's day.

    `attainment` is the share of all requests that kept both targets, `worst_hour` that of the worst hour of
    sending; `ttft_ms` and `tpot_ms` are at the targets' percentiles.
    """

    requests: int
    attainment: float
    worst_hour: float
    ttft_ms: float
    tpot_ms: float
    refused: int
    sent_again: int


class World:
    """A fleet and a day of traffic; policies start, serve, drain and end instances.

    Parameters
    ----------
    model_of
        Step times of an instance.
    """

    def __init__(
        self,
        fleet: Fleet,
        traffic: Mapping[str, Traffic],
        model_of: Callable[[Instance], InstanceModel],
        *,
        seed: int,
    ) -> None:
        self.fleet = fleet
        self.traffic = dict(traffic)
        self.now_s = 0.0
        self.down: dict[str, float] = {}
        self.lives: list[Life] = []
        self._model_of = model_of
        self._models: dict[tuple[str, ...], InstanceModel] = {}
        self._random = np.random.default_rng([seed, 1])
        self._again: dict[str, list[tuple[float, int]]] = {name: [] for name in traffic}
        self._refused: dict[str, list[int]] = {name: [] for name in traffic}
        self._sent_again = dict.fromkeys(traffic, 0)

    # -- what policies do ----------------------------------------------------------------------------------

    def start(self, key: str, instance: Instance) -> Life:
        """Take the GPUs of an instance now; refuses GPUs that are taken or gone."""
        wanted = {(stage.node, gpu) for stage in instance.stages for gpu in stage.gpus}
        taken = wanted & self.taken()
        lost = {node for node, _ in wanted} & set(self.down)
        assert not taken, f"{key} would take GPUs that are in use: {sorted(taken)}"
        assert not lost, f"{key} would start on nodes that are down: {sorted(lost)}"
        model = self._models.setdefault(instance.shape, self._model_of(instance))
        life = Life(key, instance, model, self.now_s)
        self.lives.append(life)
        return life

    def taken(self) -> set[tuple[str, int]]:
        """GPUs in use now, by node and index."""
        alive = [life for life in self.lives if life.ended_s > self.now_s and life.failed_s > self.now_s]
        return {(s.node, gpu) for life in alive for s in life.instance.stages for gpu in s.gpus}

    def running(self, workload: str | None = None) -> list[Life]:
        """What holds GPUs now."""
        return [
            life
            for life in self.lives
            if min(life.ended_s, life.failed_s) > self.now_s
            and (workload is None or life.instance.workload == workload)
        ]

    def fail(self, node: str) -> None:
        """The node is gone, with all that ran there."""
        self.down[node] = self.now_s
        for life in self.running():
            if any(stage.node == node for stage in life.instance.stages):
                life.failed_s = self.now_s

    # -- time ----------------------------------------------------------------------------------------------

    def advance(self, to_s: float) -> None:
        """Send the requests until then; what is known of serving times now holds throughout."""
        edges = {self.now_s, to_s}
        for life in self.lives:
            edges |= {
                t for t in (life.serves_s, life.until_s, life.failed_s + NOTICED_S) if self.now_s < t < to_s
            }
        times = sorted(edges)
        for start, end in pairwise(times):
            for workload in self.traffic:
                self._send(workload, start, end)
            self._lost(end)
        self.now_s = to_s

    def _send(self, workload: str, start_s: float, end_s: float) -> None:
        traffic = self.traffic[workload]
        mine = traffic.between(start_s, end_s)
        times, index = traffic.sent_s[mine], np.arange(mine.start, mine.stop)
        due = [(t, i) for t, i in self._again[workload] if t < end_s]
        if due:
            self._again[workload] = [(t, i) for t, i in self._again[workload] if t >= end_s]
            times = np.concatenate([times, [max(t, start_s) for t, _ in due]])
            index = np.concatenate([index, [i for _, i in due]])
        if not times.size:
            return
        serving = [
            life for life in self.running_at(workload, start_s) if life.serves_s <= start_s < life.until_s
        ]
        if not serving:
            self._refused[workload] += index.tolist()
            return
        weights = np.array([max(life.instance.expected.capacity_per_s, 1e-9) for life in serving])
        chosen = self._random.choice(len(serving), times.size, p=weights / weights.sum())
        for k, life in enumerate(serving):
            if (chosen == k).any():
                life.requests.append((times[chosen == k], index[chosen == k]))

    def running_at(self, workload: str, time_s: float) -> list[Life]:
        """What the router takes to be there: a failed node until that is noticed."""
        return [
            life
            for life in self.lives
            if life.instance.workload == workload
            and life.ended_s > time_s
            and life.failed_s + NOTICED_S > time_s
        ]

    def _lost(self, now_s: float) -> None:
        """Requests of nodes whose failure has just been noticed are sent again."""
        for life in self.lives:
            if life.failed_s + NOTICED_S != now_s:
                continue
            _, index, _, ends = self._simulated(life, 0.0, NEVER)
            lost = ends > life.failed_s
            workload = life.instance.workload
            self._again[workload] += [(now_s + 1.0, int(i)) for i in index[lost]]
            self._sent_again[workload] += int(lost.sum())

    # -- what is measured ----------------------------------------------------------------------------------

    def rate_per_s(self, workload: str, window_s: float) -> float:
        """Requests per second sent in the window that ends now."""
        length_s = min(window_s, self.now_s)
        mine = self.traffic[workload].between(self.now_s - length_s, self.now_s)
        return int(mine.stop - mine.start) / length_s

    def measured(self, life: Life, window_s: float) -> tuple[float, Floats, Floats]:
        """Rate, and TTFT and TPOT in ms of the requests an instance was sent in the window that ends now.

        As an engine's own metrics: of requests that have ended.
        """
        start = self.now_s - window_s
        times, index, first, ends = self._simulated(life, start - RUN_IN_S, self.now_s)
        keep = (times >= start) & (ends <= self.now_s)
        tokens = self.traffic[life.instance.workload].output_tokens[index[keep]]
        ttft = (first[keep] - times[keep]) * 1e3
        tpot = (ends[keep] - first[keep])[tokens > 1] * 1e3 / (tokens[tokens > 1] - 1)
        return float((times >= start).sum()) / window_s, ttft, tpot

    def _simulated(self, life: Life, start_s: float, end_s: float) -> tuple[Floats, Ints, Floats, Floats]:
        """Times sent, indices, times of first token and end, in seconds, of what it was sent in a time."""
        times, index = life.served(start_s, end_s)
        if not times.size:
            return times, index, times, times
        traffic = self.traffic[life.instance.workload]
        found = simulate(
            life.model, traffic.input_tokens[index], traffic.output_tokens[index], arrivals_s=times - times[0]
        )
        return times, index, found.first_token_ms / 1e3 + times[0], found.end_ms / 1e3 + times[0]

    # -- the reckoning -------------------------------------------------------------------------------------

    def gpu_hours(self) -> dict[str, float]:
        """GPU-hours by GPU type, from taking to freeing; of a failed node until it failed."""
        hours: dict[str, float] = {}
        for life in self.lives:
            seconds = min(life.ended_s, life.failed_s, self.now_s) - life.began_s
            gpu = life.instance.gpu
            hours[gpu] = hours.get(gpu, 0.0) + seconds / 3600 * life.instance.gpu_count
        return hours

    def cost(self) -> float:
        """Price of those GPU-hours."""
        return sum(
            (min(life.ended_s, life.failed_s, self.now_s) - life.began_s)
            / 3600
            * life.instance.price_per_hour
            for life in self.lives
        )

    def score(self, workload: str) -> Score:
        """How the day's requests of a workload fared.

        A refused one misses; one that was sent again counts from the first time.
        """
        traffic = self.traffic[workload]
        first, end = np.full(traffic.sent_s.size, NEVER), np.full(traffic.sent_s.size, NEVER)
        for life in (life for life in self.lives if life.instance.workload == workload):
            _, index, firsts, ends = self._simulated(life, 0.0, NEVER)
            done = ends <= life.failed_s
            first[index[done]], end[index[done]] = firsts[done], ends[done]
        target = self.fleet.workload(workload)
        ttft = (first - traffic.sent_s) * 1e3  # infinite where it never came
        steps = np.maximum(traffic.output_tokens - 1, 1)
        finished = np.isfinite(end)
        tpot = np.full(end.size, NEVER)
        spent = (end[finished] - first[finished]) * 1e3
        tpot[finished] = np.where(traffic.output_tokens[finished] > 1, spent / steps[finished], 0.0)
        kept = (ttft <= target.ttft.limit_ms) & (tpot <= target.tpot.limit_ms)
        kept = kept[: traffic.between(0.0, self.now_s).stop]
        hours = (traffic.sent_s[: kept.size] // 3600).astype(int)
        return Score(
            requests=int(kept.size),
            attainment=float(kept.mean()),
            worst_hour=float(min(kept[hours == h].mean() for h in np.unique(hours))),
            ttft_ms=_percentile(ttft[: kept.size], target.ttft.percentile),
            tpot_ms=_percentile(tpot[: kept.size], target.tpot.percentile),
            refused=len(self._refused[workload]),
            sent_again=self._sent_again[workload],
        )


def _percentile(values: Floats, percentile: float) -> float:
    return float(np.sort(values)[min(int(np.ceil(percentile / 100 * values.size)), values.size - 1)])


def free_gpus(nodes: Sequence[tuple[str, int]], taken: set[tuple[str, int]]) -> dict[str, list[int]]:
    """Free GPU indices by node, of nodes and how many GPUs each has."""
    return {node: [gpu for gpu in range(count) if (node, gpu) not in taken] for node, count in nodes}
