"""The closest questions that have an answer, for one that has none. Every one of them was tried."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from models.errors import FulcrumError
from models.hardware import gpu, gpu_names
from models.profiles.device import find_gpu
from planner.capacity.attempt import Attempt, attempt
from planner.capacity.question import Question
from planner.capacity.ways import ways_for_gpus
from planner.report.numbers import duration, rate

__all__ = ["Offer", "closest_offers"]

SLOWEST = 32.0
"""Factor on a target, or on the latency of an idle request, beyond which no one wants to hear of it."""
PRECISION = 0.004
"""A target that is offered is at most so much, relatively, above the best one; three digits are shown."""
EDGE = 1.05
"""Factor from a target that one request keeps if it is alone to one with which GPUs can be shared."""
MOST_GPUS = 4096
"""More are not tried together with slower targets."""
MOST_COMBINED = 2
"""Offers of several changes at once."""
LEAST_RATE = "0.001/s"
PRECISIONS = (("fp8", "fp8"), ("int4", "fp8"))
"""Lighter weights and caches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A change of a question that gives it an answer.

    Parameters
    ----------
    words
        The change as part of a sentence.
    flags
        The change as flags of ``fulcrum capacity``, in the place of those that were given.
    question
        The question with the change.
    """

    words: str
    flags: str
    question: Question


def closest_offers(question: Question, tried: Attempt, *, quick: bool = False) -> tuple[Offer, ...]:
    """Return changes of a question on one GPU type that give it an answer: more GPUs, less load, more time.

    Where none of them helps alone: other precisions, larger nodes, other GPU types, with as many GPUs and as
    slow as need be.

    Parameters
    ----------
    question
        With one GPU type; it has no answer.
    tried
        What came of it.
    quick
        Only more GPUs and less load are looked at.
    """
    found = [*_more_gpus(question), *_less_load(question)]
    if not quick:
        found += _slower(question, tried)
    if found or quick:
        return tuple(found)
    for base, words, flags in _other_ways(question):
        found += [
            replace(
                offer,
                words=" and ".join(part for part in (words, offer.words) if part),
                flags=" ".join(part for part in (flags, offer.flags) if part),
            )
            for offer in itertools.islice(_offers_at(base), 1)
        ]
        if len(found) == MOST_COMBINED:
            break
    return tuple(found)


def _offers_at(base: Question) -> Iterator[Offer]:
    """The question itself where it has an answer, else what comes closest to it."""
    try:
        tried = attempt(base)
    except FulcrumError:
        return
    if tried.fitting:
        yield Offer(words="", flags="", question=base)
        return
    yield from _more_gpus(base)
    yield from _slower(base, tried)
    gpus = base.most_gpus
    while gpus is not None and gpus < MOST_GPUS:
        gpus *= 2
        larger = replace(base, most_gpus=gpus)
        for offer in _slower(larger, attempt(larger)):
            flags = f"{offer.flags} --max-gpus {gpus}"
            yield replace(offer, flags=flags)


def _more_gpus(question: Question) -> Iterator[Offer]:
    """As many GPUs as it takes."""
    if question.most_gpus is None:
        return
    # Without a rate any answer will do.
    workload = question.workload if question.has_rate else {**question.workload, "rate": LEAST_RATE}
    endless = replace(question, most_gpus=None, workload=workload)
    ways = attempt(endless).fitting
    if ways and ways[0].gpus > question.most_gpus:
        needed = ways[0].gpus
        yield from _if_it_works(
            Offer(
                words=f"{needed} GPUs", flags=f"--max-gpus {needed}",
                question=replace(question, most_gpus=needed),
            )
        )  # fmt: skip


def _less_load(question: Question) -> Iterator[Offer]:
    """The rate that the GPUs there are can serve."""
    if question.most_gpus is None or not question.has_rate:
        return
    # A rate beside a trace is used in the place of the trace's own.
    some = replace(question, workload={**question.workload, "rate": LEAST_RATE})
    ways = ways_for_gpus(attempt(some).candidates.accepted, question.most_gpus)
    if not ways:
        return
    best = _three_digits(ways[0].capacity_per_s / (1 + question.headroom), up=False)
    changed = replace(question, workload={**question.workload, "rate": f"{best}/s"})
    words = f"a rate of {rate(float(best))} on {question.most_gpus}"
    yield from _if_it_works(Offer(words=words, flags=f"--rate {best}/s", question=changed))


def _slower(question: Question, tried: Attempt) -> Iterator[Offer]:
    """The tightest targets that can be met: the TPOT target changed alone, the TTFT target alone, or both."""
    idle = {
        kind: min((ms for r in tried.candidates.refused if (ms := getattr(r, f"{kind}_ms"))), default=0.0)
        for kind in ("ttft", "tpot")
    }
    workload = tried.fleet.workloads[0]
    limits = {"ttft": workload.ttft.limit_ms, "tpot": workload.tpot.limit_ms}
    for kinds in (("tpot",), ("ttft",), ("ttft", "tpot")):
        floors = {kind: limits[kind] for kind in kinds}
        ceilings = {kind: SLOWEST * max(limits[kind], idle[kind]) for kind in kinds}
        if not attempt(_with_targets(question, ceilings)).fitting:
            continue
        low, high = 0.0, 1.0
        span = max(math.log(ceilings[kind] / floors[kind]) for kind in kinds)
        for _ in range(math.ceil(math.log2(span / PRECISION))):
            middle = (low + high) / 2
            if attempt(_with_targets(question, _between(floors, ceilings, middle))).fitting:
                high = middle
            else:
                low = middle
        found = _between(floors, ceilings, high)
        if question.most_gpus is None:
            found = {kind: EDGE * value for kind, value in found.items()}
        shown = {kind: float(_three_digits(value, up=True)) for kind, value in found.items()}
        names = {kind: _target_name(question, kind) for kind in kinds}
        words = " and ".join(f"{names[k].upper().replace('_P', ' p')} ≤ {duration(shown[k])}" for k in kinds)
        if question.most_gpus is not None:
            words += f" with {question.most_gpus} (the best they can)"
        flags = " ".join(f"--{names[kind].replace('_', '-')} {shown[kind]:g}ms" for kind in kinds)
        yield from _if_it_works(Offer(words=words, flags=flags, question=_with_targets(question, shown)))
        return


def _between(floors: Mapping[str, float], ceilings: Mapping[str, float], share: float) -> dict[str, float]:
    """Limits between the two, evenly on a scale of logarithms."""
    return {kind: floors[kind] * (ceilings[kind] / floors[kind]) ** share for kind in floors}


def _with_targets(question: Question, limits_ms: Mapping[str, float]) -> Question:
    changed = {_target_name(question, kind): f"{limit:.9g}ms" for kind, limit in limits_ms.items()}
    return replace(question, slo={**question.slo, **changed})


def _target_name(question: Question, kind: str) -> str:
    return next(name for name in question.slo if name.startswith(kind))


def _other_ways(question: Question) -> Iterator[tuple[Question, str, str]]:
    """Changes of another kind: none, lighter precisions, whole nodes, GPUs with more memory, and these."""
    yield question, "", ""
    heavier = [pair for pair in PRECISIONS if pair != (question.weights, question.kv_cache)]
    lighter = [
        (replace(question, weights=w, kv_cache=k), f"weights in {w}", f"--weights {w} --kv-cache {k}")
        for w, k in heavier
    ]
    yield from lighter
    if question.gpus_per_node < 8:
        for base, words, flags in ((question, "", ""), *lighter):
            whole = replace(base, gpus_per_node=8)
            join = (f"{words} and " if words else "", f"{flags} " if flags else "")
            yield whole, f"{join[0]}nodes of 8 GPUs", f"{join[1]}--gpus-per-node 8"
    memory = find_gpu(question.gpus[0]).memory_bytes
    larger = sorted(
        (g for g in map(gpu, gpu_names()) if g.memory_bytes > memory), key=lambda g: g.memory_bytes
    )
    for other in larger:
        changed = replace(question, gpus=(other.name,), price_per_gpu_hour={})
        yield changed, f"{other.name}", f"--gpu {other.name}"
        for w, k in heavier:
            yield (
                replace(changed, weights=w, kv_cache=k), f"{other.name} with weights in {w}",
                f"--gpu {other.name} --weights {w} --kv-cache {k}",
            )  # fmt: skip


def _if_it_works(offer: Offer) -> Iterator[Offer]:
    """What is rounded and shown is tried once more as it stands."""
    if attempt(offer.question).fitting:
        yield offer


def _three_digits(value: float, *, up: bool) -> str:
    """Round to three significant digits, down or up, without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(value)))
    scale = 10.0 ** (2 - math.floor(math.log10(value)))
    rounded = (math.ceil(value * scale - 1e-9) if up else math.floor(value * scale + 1e-9)) / scale
    return f"{rounded:.{digits}f}"
