"""What the recipes of the measured runs say beyond their rows: clients of a sweep, drafts, budgets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from models.serving import Parallelism
from models.serving.speculation import Speculation

__all__ = [
    "RECIPE_CLIENTS",
    "clients",
    "decode_seats",
    "drafts",
    "most_clients",
    "replicas_wait",
    "token_budget",
]

RECIPE_CLIENTS = "recipe_clients"
"""Column that `rows.read_rows` adds: the most clients of any row of the same recipe and lengths."""
DRAFTING_SWEEPS = ("2026-01-14", "2026-02-05", "2026-02-06")
"""Days of the sweeps of TensorRT-LLM's DeepSeek recipes with multi-token prediction.

Rows do not say which recipe they ran. AIConfigurator's later dump of the same runs leaves multi-token
prediction out, and has none of these days; it has the days of all other such rows but a few.
"""
ACCEPTANCE = 0.7
"""Chance that a draft of DeepSeek's own prediction layer is right when those before it are: 2.5 tokens a step
with three drafts. A round figure within the published 2 to 3 tokens."""
MARGIN, MULTIPLE = 64, 64
"""TensorRT-LLM's DeepSeek recipes set ``max_num_tokens`` to a prompt, a token of each client and a margin,
and round it up."""
LEAST_BUDGET, LEAST_BUDGET_SINCE = 8192, "2026"
"""What those without drafts set it to at least, in the sweeps since then."""
BALANCE_STEPS = 60
"""``timeout_iters`` of ``attention_dp_config`` in TensorRT-LLM's recipes with replicas of the attention."""


def clients(row: Mapping[str, str]) -> int | None:
    """Clients of a row's closed loop; None where it states none."""
    found = re.search(r"silicon_concurrency=(\d+)", row["silicon_data_source"])
    return int(found.group(1)) if found else None


def most_clients(rows: Iterable[Mapping[str, str]]) -> list[int]:
    """For each row, the most clients of any row of its recipe and lengths."""
    known = list(rows)
    most: dict[tuple[str, ...], int] = {}
    for row in known:
        most[_recipe(row)] = max(most.get(_recipe(row), 0), clients(row) or 0)
    return [most[_recipe(row)] for row in known]


def _recipe(row: Mapping[str, str]) -> tuple[str, ...]:
    """What rows of one server have in common; a row without the number of its recipe stands alone."""
    found = re.search(r"config_id=(\d+)", row["silicon_data_source"])
    return (found.group(1) if found else row.get("id", ""), row["isl"], row["osl"])


def decode_seats(row: Mapping[str, str], share: int, workers: int, parallelism: Parallelism) -> int:
    """Requests that a decode worker takes at once, of the `share` of the clients that is sent to each.

    TensorRT-LLM's recipes set their workers to a power of two for the largest number of clients they sweep,
    and send a few more: of 36 clients a worker of 32 keeps four waiting for their first token. Replicas of
    the attention are set to what they are sent.
    """
    if row["backend"] != "trtllm" or parallelism.data_parallel_size > 1:
        return share
    most = max(int(row.get(RECIPE_CLIENTS) or 0) // workers, share)
    return 1 << int(math.log2(most))


def drafts(row: Mapping[str, str], parallelism: Parallelism) -> Speculation | None:
    """What an aggregated row drafts, by the day of its sweep: three tokens, one with attention replicas."""
    if not _deepseek(row) or _day(row) not in DRAFTING_SWEEPS:
        return None
    return Speculation(tokens=1 if parallelism.data_parallel_size > 1 else 3, acceptance=ACCEPTANCE)


def token_budget(
    row: Mapping[str, str], parallelism: Parallelism, speculation: Speculation | None
) -> int | None:
    """Tokens of a step of a replica in TensorRT-LLM's aggregated DeepSeek recipes; None for others."""
    seats = clients(row)
    if not _deepseek(row) or seats is None:
        return None
    if speculation is not None:
        seats = -(-seats // parallelism.data_parallel_size) * (speculation.tokens + 1)
    budget = -(-(int(row["isl"]) + seats + MARGIN) // MULTIPLE) * MULTIPLE
    if speculation is None and (_day(row) or LEAST_BUDGET_SINCE) >= LEAST_BUDGET_SINCE:
        return max(budget, LEAST_BUDGET)
    return budget


def replicas_wait(row: Mapping[str, str], parallelism: Parallelism) -> int:
    """Steps that prompts of an aggregated row wait for one on each replica, as InferenceX sets it."""
    own = row["backend"] == "trtllm" and "aic-auto-gap-analysis" not in row["silicon_data_source"]
    return BALANCE_STEPS if own and parallelism.data_parallel_size > 1 else 0


def _day(row: Mapping[str, str]) -> str | None:
    found = re.search(r"measured=(\d{4}-\d\d-\d\d)", row["silicon_data_source"])
    return found.group(1) if found else None


def _deepseek(row: Mapping[str, str]) -> bool:
    own = row["backend"] == "trtllm" and "aic-auto-gap-analysis" not in row["silicon_data_source"]
    return own and "deepseek" in row["model_path"].casefold()
