"""What to say about the ways of serving a workload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from planner.candidates.candidate import Candidate
from planner.candidates.enumerate import Refusal
from planner.plan.cut import cut_label
from planner.report.numbers import rate

__all__ = ["bounds_in_sentences", "explain_in_sentences", "price_per_thousand"]


def bounds_in_sentences(candidates: Sequence[Candidate], chosen: Counter[tuple[str, ...]]) -> list[str]:
    """What keeps the chosen instances from more."""
    return [
        f"{c.label} carries {rate(c.capacity_per_s)}: {c.reason}{_budgets(c)}"
        for c in candidates
        if chosen[c.shape]
    ]


def _budgets(candidate: Candidate) -> str:
    """Why this token budget: what the others would carry."""
    others = [
        f"{budget:,} {rate(carried)}" if carried > 0 else f"{budget:,} none"
        for budget, carried in candidate.rates_by_budget
        if budget != candidate.max_num_batched_tokens
    ]
    if not others:
        return ""
    return (
        f"; with {candidate.max_num_batched_tokens:,} tokens a step (others would carry: {', '.join(others)})"
    )


def price_per_thousand(candidate: Candidate) -> float:
    """Price of a thousand requests at full load; of its phase only, for prefill and decode."""
    return candidate.price_per_hour / (candidate.capacity_per_s * 3.6)


def explain_in_sentences(
    candidates: Sequence[Candidate], refused: Sequence[Refusal], chosen: Counter[tuple[str, ...]]
) -> list[str]:
    """Say what one way of serving costs against the other, and why some shapes do not exist."""
    sentences = []
    mixed = min((c for c in candidates if c.role == "mixed"), key=price_per_thousand, default=None)
    pair = _cheapest_pair(candidates)
    if mixed is not None and pair is not None:
        used = {c.role for c in candidates if chosen[c.shape]}
        way = "mixed" if used == {"mixed"} else "disaggregated" if "mixed" not in used else "both ways"
        apart = sum(map(price_per_thousand, pair))
        sentences.append(
            f"1,000 requests at full load cost {price_per_thousand(mixed):.3f} on mixed instances "
            f"({mixed.label}) and {apart:.3f} with prefill and decode apart ({pair[0].label}, "
            f"{pair[1].label}); served {way}: whole instances, the loss policy and supply decide the rest"
        )
    for limit, count in Counter(refusal.limit for refusal in refused).most_common():
        one = next(refusal for refusal in refused if refusal.limit == limit)
        shape = f"{cut_label(one)} {one.role} on {one.pool}"
        sentences.append(f"{count} refused for {limit}, such as {shape}: {one.reason}")
    return sentences


def _cheapest_pair(candidates: Sequence[Candidate]) -> tuple[Candidate, Candidate] | None:
    """Return the cheapest prefill and decode candidates that share a zone."""
    pairs = [
        (prefill, decode)
        for prefill in candidates
        if prefill.role == "prefill"
        for decode in candidates
        if decode.role == "decode" and decode.zone == prefill.zone
    ]
    return min(pairs, key=lambda pair: sum(map(price_per_thousand, pair)), default=None)
