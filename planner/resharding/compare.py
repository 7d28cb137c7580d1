"""Does re-sharding pay? Against the best fixed layout and the best disaggregation on the same GPUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.resharding.cycle import HostBuffer, SwitchCycle, switch_cycle
from planner.resharding.phase_model import PhaseModel, RequestClass
from planner.resharding.steady import (
    Disaggregated,
    Static,
    best_disaggregated,
    best_static,
    best_switching,
)

__all__ = ["Verdict", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The best of each kind and the choice between them; None where nothing of the kind fits.

    Parameters
    ----------
    choice
        The fastest kind; ``none`` when the model does not fit at all. Switching must beat both others.
    break_even_requests
        Requests that a cycle needs at least for switching to beat the fixed layout; None when it
        does not even with a full host buffer.
    reason
        One sentence with the figures.
    """

    static: Static | None
    switching: SwitchCycle | None
    disaggregated: Disaggregated | None
    choice: Literal["static", "switching", "disaggregated", "none"]
    break_even_requests: float | None
    reason: str

    @property
    def rate_per_s(self) -> float:
        """Requests per second of the choice."""
        rates = {
            "static": self.static.rate_per_s if self.static else 0.0,
            "switching": self.switching.rate_per_s if self.switching else 0.0,
            "disaggregated": self.disaggregated.rate_per_s if self.disaggregated else 0.0,
        }
        return rates.get(self.choice, 0.0)

    @property
    def speed_up(self) -> float | None:
        """Rate of the best pair over the best fixed layout, chosen or not; below 1 switching does not pay."""
        if self.static is None or self.switching is None:
            return None
        return self.switching.rate_per_s / self.static.rate_per_s


def compare(
    model: PhaseModel, gpus: int, request: RequestClass, host: HostBuffer, *, requests: float | None = None
) -> Verdict:
    """Weigh switching, a fixed layout and disaggregation for one request class on `gpus` GPUs of one node.

    `requests`: how many wait, when that is less than the host buffer holds.
    """
    static = best_static(model, gpus, request)
    switching = best_switching(model, gpus, request, host, requests=requests)
    split = best_disaggregated(model, gpus, request)
    if static is None:
        return Verdict(
            static=None,
            switching=None,
            disaggregated=None,
            choice="none",
            break_even_requests=None,
            reason=f"no layout of {gpus} GPUs has room for the weights and one request",
        )
    break_even = _break_even(model, request, host, static, switching)
    rivals = [static.rate_per_s, split.rate_per_s if split else 0.0]
    if switching is not None and switching.rate_per_s > max(rivals):
        reason = (
            f"{switching.prefill} → {switching.decode} serves {switching.rate_per_s:.3g} requests/s, "
            f"{switching.rate_per_s / static.rate_per_s:.2f} × {static.layout}; switching takes "
            f"{switching.lost_share:.1%} of the time"
        )
        choice: Literal["static", "switching", "disaggregated"] = "switching"
    else:
        choice = "disaggregated" if split is not None and split.rate_per_s > static.rate_per_s else "static"
        reason = "switching does not pay: " + _why_not(static, switching, split)
    return Verdict(
        static=static,
        switching=switching,
        disaggregated=split,
        choice=choice,
        break_even_requests=break_even,
        reason=reason,
    )


def _break_even(
    model: PhaseModel, request: RequestClass, host: HostBuffer, static: Static, best: SwitchCycle | None
) -> float | None:
    """Requests of the shortest cycle of the best pair that is as fast as the fixed layout, by bisection."""
    if best is None or best.rate_per_s < static.rate_per_s:
        return None
    low, high = 1.0, best.requests
    for _ in range(60):
        middle = (low + high) / 2
        cycle = switch_cycle(model, best.prefill, best.decode, request, host, requests=middle)
        low, high = (low, middle) if cycle.rate_per_s >= static.rate_per_s else (middle, high)
    return high


def _why_not(static: Static, switching: SwitchCycle | None, split: Disaggregated | None) -> str:
    if switching is None:
        return f"only {static.layout} fits"
    best = f"{switching.prefill} → {switching.decode} would serve {switching.rate_per_s:.3g} requests/s"
    if split is not None and split.rate_per_s > static.rate_per_s:
        return f"{best}, {split.prefill} beside {split.decode} serves {split.rate_per_s:.3g}"
    return f"{best}, {static.layout} serves {static.rate_per_s:.3g} without"
