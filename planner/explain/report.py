"""``--explain``: what was considered for each workload, what binds it, and why the choice is what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.candidates.candidate import Candidate
from planner.candidates.enumerate import Refusal
from planner.clock import Clock
from planner.explain.alternatives import alternatives, node_worths
from planner.explain.resharding import resharding_verdicts
from planner.plan.cut import cut_label
from planner.report.numbers import duration, rate

if TYPE_CHECKING:
    from planner.pipeline import Planned

__all__ = ["explain_in_sentences", "print_explanation"]

MOST_ROWS = 4
"""Of each role."""


def print_explanation(planned: Planned, console: Console, clock: Clock) -> None:
    """Print, for each workload, its candidates by price, what binds it and why others were not chosen.

    Then what one more node of each pool is worth. `clock` limits the sizings that this needs.
    """
    chosen = Counter(instance.shape for instance in planned.plan.instances)
    for workload in planned.fleet.workloads:
        mine = [c for c in planned.candidates.accepted if c.workload == workload.name]
        refused = [r for r in planned.candidates.refused if r.workload == workload.name]
        console.print(_candidates(workload.name, mine, chosen, {c.shape for c in planned.considered}))
        for sentence in (*_bounds(mine, chosen), *explain_in_sentences(mine, refused, chosen)):
            console.print(Text(sentence))
    if planned.plan.instances:
        console.print(Text("\notherwise (sized again, everything else free to change)", style="bold"))
        if len(planned.fleet.policies.roles) == 1:
            only = (
                "mixed instances" if "mixed" in planned.fleet.policies.roles else "prefill and decode apart"
            )
            console.print(Text(f"policies.roles allows {only} only: the other way is not asked about"))
        for other in alternatives(planned, clock):
            console.print(Text(other.sentence))
        for sentence in resharding_verdicts(planned, clock):
            console.print(Text(sentence))
        for pool, worth in node_worths(planned, clock):
            console.print(Text(f"one more node of {pool}: {worth}"))
        if clock.is_over:
            console.print(Text("time was over before all of this was asked: --time-limit gives more"))


def _bounds(candidates: Sequence[Candidate], chosen: Counter[tuple[str, ...]]) -> list[str]:
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


def _candidates(
    workload: str,
    candidates: Sequence[Candidate],
    chosen: Counter[tuple[str, ...]],
    considered: set[tuple[str, ...]],
) -> Table:
    """Return the cheapest candidates of each role; what was chosen is always among them."""
    table = Table(
        title=f"\nwhy {workload}", title_justify="left", title_style="bold", pad_edge=False, box=None
    )
    for column in ("chosen", "role", "shape", "pool"):
        table.add_column(column)
    for column in ("GPUs", "tokens a step", "rate each", "price of 1,000", "TTFT", "TPOT"):
        table.add_column(column, justify="right")
    for column in ("bound by", "sizing"):
        table.add_column(column)
    for role in ("mixed", "prefill", "decode"):
        ranked = sorted((c for c in candidates if c.role == role), key=_price_per_thousand)
        for position, c in enumerate(ranked):
            if position >= MOST_ROWS and not chosen[c.shape]:
                continue
            table.add_row(
                f"{chosen[c.shape]} ×" if chosen[c.shape] else "",
                c.role, cut_label(c), c.pool, str(c.gpus),
                f"{c.max_num_batched_tokens:,}", rate(c.capacity_per_s),
                f"{_price_per_thousand(c):.3f}", duration(c.ttft_ms), duration(c.tpot_ms), c.limit,
                "considered" if c.shape in considered else "dominated",
            )  # fmt: skip
    return table


def _price_per_thousand(candidate: Candidate) -> float:
    """Price of a thousand requests at full load; of its phase only, for prefill and decode."""
    return candidate.price_per_hour / (candidate.capacity_per_s * 3.6)


def explain_in_sentences(
    candidates: Sequence[Candidate], refused: Sequence[Refusal], chosen: Counter[tuple[str, ...]]
) -> list[str]:
    """Say what one way of serving costs against the other, and why some shapes do not exist."""
    sentences = []
    mixed = min((c for c in candidates if c.role == "mixed"), key=_price_per_thousand, default=None)
    pair = _cheapest_pair(candidates)
    if mixed is not None and pair is not None:
        used = {c.role for c in candidates if chosen[c.shape]}
        way = "mixed" if used == {"mixed"} else "disaggregated" if "mixed" not in used else "both ways"
        apart = sum(map(_price_per_thousand, pair))
        sentences.append(
            f"1,000 requests at full load cost {_price_per_thousand(mixed):.3f} on mixed instances "
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
    return min(pairs, key=lambda pair: sum(map(_price_per_thousand, pair)), default=None)
