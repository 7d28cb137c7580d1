"""Columns of the kernels' arrays."""

from __future__ import annotations

__all__ = ["GRID", "LEVELS", "NEGLIGIBLE", "PARAMETERS", "RESULTS"]

PARAMETERS = (
    "dp", "pp", "stage_share", "budget", "seqs", "room", "scale", "prefill_scale", "step_ms", "sequence_ms",
    "prefill_step_ms", "separate", "decodes", "prefills", "request_ms", "prompt_ms", "handover_ms",
    "poll", "width", "made", "draft",
)  # fmt: skip
"""Of an instance; ``prompt_ms`` per 1,000 prompt tokens, ``handover_ms`` per prompt token, ``poll`` the mean
number of decode steps until the engine looks at what has arrived; of a decode step the tokens of each request
that it passes and that it yields, and the layers of its drafts by those of the model."""
(DP, PP, SHARE, BUDGET, SEQS, ROOM, SCALE, PREFILL_SCALE, STEP_MS, SEQUENCE_MS, PREFILL_STEP_MS, SEPARATE,
 DECODES, PREFILLS, REQUEST_MS, PROMPT_MS, HANDOVER_MS, POLL,
 WIDTH, MADE, DRAFT) = range(len(PARAMETERS))  # fmt: skip

RESULTS = (
    "possible", "rate_per_s", "ttft_ms", "tpot_ms", "running", "cache_bytes", "utilisation", "limit",
    "ttft_met", "tpot_met",
)  # fmt: skip
"""Of an instance; ``limit`` counts in the order of `operating.Bounds`, 5 is none; the last two are of a
request that is alone."""

LEVEL, STEP, MU, HELD, HELD2, STRETCH, FULL_STEP, OWN, BESIDE, LONGEST = range(10)
"""Of a level: running requests, decode step, throughput, a prompt's work (mean and mean square), how much
decodes beside it stretch it, a step full of prompts, mean first-token time without waiting, the decode
step that a step with prompts carries, the longest time of a token."""
WEIGHT, UTIL, WAIT, TOGETHER, BUSY, PROMPTS, YIELD, UNEVEN = range(8)
"""Of a level at a rate: probability, utilisation, waiting of a prompt, the same with what joins its step, the
probability to wait, prompts that share a step on ranks of their own, tokens
that a decode step yields, squared coefficient of variation of the gaps less 1."""

LEVELS = 10
"""As `load.LEVELS`."""
GRID = 1 << 20
"""As many parts as `operating.STEPS` halvings make."""
NEGLIGIBLE = 1e-12
"""Weight of a level below which it cannot move a share by what decides."""
