"""How many tokens each expert gets: balanced, or skewed by a power law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidInput

__all__ = ["busiest_rank_loads", "expert_loads"]


def expert_loads(num_tokens: int, top_k: int, num_experts: int, distribution: str) -> NDArray[np.int64]:
    """Tokens of each expert, int64[num_experts], summing to ``num_tokens · top_k``, busiest first.

    ``balanced`` spreads evenly. ``power_law_α`` gives expert i a popularity drawn from the density x^-α
    between 1 and 0.8 · `num_tokens` (at least 2), at evenly spaced quantiles rather than at random, so
    that a point repeats. An expert gets at most `num_tokens`.

    Raises
    ------
    InvalidInput
        Another distribution, or α not above 0 or equal to 1.
    """
    total = num_tokens * top_k
    if distribution == "balanced":
        weights: NDArray[np.float64] = np.ones(num_experts)
    else:
        name, _, exponent = distribution.rpartition("_")
        try:
            alpha = float(exponent)
        except ValueError:
            alpha = -1.0
        if name != "power_law" or alpha <= 0 or alpha == 1:
            raise InvalidInput(f"unknown distribution {distribution!r}; use balanced or power_law_1.2")
        low, high = 1.0, max(2.0, 0.8 * num_tokens)
        u = (np.arange(num_experts)[::-1] + 0.5) / num_experts
        weights = ((high ** (1 - alpha) - low) * u + low) ** (1 / (1 - alpha))
    loads = _capped(weights, float(total), float(num_tokens))
    whole = np.floor(loads).astype(np.int64)
    # Largest remainders get the rest; ties go to the lower index.
    rest = total - int(whole.sum())
    order = np.argsort(-(loads - whole), kind="stable")
    room = order[whole[order] < num_tokens][:rest]
    whole[room] += 1
    return np.sort(whole)[::-1]


def _capped(weights: NDArray[np.float64], total: float, cap: float) -> NDArray[np.float64]:
    """Proportional shares of `total`, none above `cap`; what is cut off goes to the others in proportion."""
    loads = weights * (total / weights.sum())
    for _ in range(weights.size):
        over = loads > cap * (1 + 1e-12)
        if not over.any():
            break
        full = loads >= cap * (1 - 1e-12)
        loads[full] = cap
        rest = total - cap * np.count_nonzero(full)
        loads[~full] = weights[~full] * (rest / weights[~full].sum())
    return np.asarray(loads, dtype=np.float64)


def busiest_rank_loads(loads: NDArray[np.int64], ranks: int) -> NDArray[np.int64]:
    """Loads of the experts on the rank that all others wait for, when experts are dealt out in turn.

    Experts sorted by load are dealt like cards, so the first rank is the busiest; a step lasts as long as
    it does.
    """
    return loads[::ranks]
