"""The cycle of a switching engine: prefill until the host is full, decode until it is empty."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput
from planner.resharding.layout import Layout
from planner.resharding.phase_model import PhaseModel, RequestClass

__all__ = ["HostBuffer", "SwitchCycle", "switch_cycle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBuffer:
    """Host memory that holds KV cache between the phases.

    Parameters
    ----------
    bytes_per_gpu
        Host memory set aside for each GPU.
    bandwidth_bytes_per_s
        Between host and one GPU, one direction, all GPUs at once.
    """

    bytes_per_gpu: float
    bandwidth_bytes_per_s: float

    def __post_init__(self) -> None:
        if not (self.bytes_per_gpu > 0 and self.bandwidth_bytes_per_s > 0):
            raise InvalidInput("the host buffer's size and bandwidth must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchCycle:
    """One round of prefill and decode with a layout each.

    Parameters
    ----------
    prefill, decode
        The layouts; equal ones never switch.
    requests
        Of one cycle.
    prefill_phase_s, decode_phase_s
        Useful time.
    reload_s, hand_over_s
        Time lost per cycle: weights read twice, and the cache of running requests out of and into the GPUs.
    swap_bound
        Phases that the copies of the cache slow down: ``prefill``, ``decode``.
    """

    prefill: Layout
    decode: Layout
    requests: float
    prefill_phase_s: float
    decode_phase_s: float
    reload_s: float
    hand_over_s: float
    swap_bound: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Length of the cycle."""
        return self.prefill_phase_s + self.decode_phase_s + self.lost_s

    @property
    def lost_s(self) -> float:
        """Time without progress in one cycle."""
        return self.reload_s + self.hand_over_s

    @property
    def rate_per_s(self) -> float:
        """Requests per second of all GPUs."""
        return self.requests / self.seconds

    @property
    def switches_per_hour(self) -> float:
        """Two a cycle, none when the layouts are equal."""
        return 0.0 if self.prefill == self.decode else 2 * 3600.0 / self.seconds

    @property
    def lost_share(self) -> float:
        """Part of the time lost to switching."""
        return self.lost_s / self.seconds


def switch_cycle(
    model: PhaseModel,
    prefill: Layout,
    decode: Layout,
    request: RequestClass,
    host: HostBuffer,
    *,
    requests: float | None = None,
) -> SwitchCycle:
    """The cycle of two layouts of the same GPUs.

    The buffer holds the prompts of ``bytes_per_gpu · GPUs / (input tokens · bytes per token)`` requests; that
    many make a cycle, fewer when only `requests` are waiting. Copies to and from the host overlap with the
    computation and cost only where they take longer; the reload of weights and the cache of requests that are
    still running at the switch back do not overlap.

    Raises
    ------
    InvalidInput
        The layouts differ in GPUs or replicas (the cache of a replica cannot be split), or one does not fit.
    """
    if (prefill.gpus, prefill.replicas) != (decode.gpus, decode.replicas):
        raise InvalidInput(f"{prefill} and {decode} are not layouts of the same GPUs and replicas")
    for layout in (prefill, decode):
        if model.room_tokens(layout) < request.input_tokens + request.output_tokens:
            raise InvalidInput(f"{layout} has no room for a request of {request.input_tokens:g} tokens")
    switching = prefill != decode
    per_token = model.kv_cache_bytes_per_token
    lanes = prefill.gpus * host.bandwidth_bytes_per_s
    held = host.bytes_per_gpu * prefill.gpus / (per_token * request.input_tokens)
    count = held if requests is None else min(held, requests)
    if count < 1:
        raise InvalidInput(f"the host buffer cannot hold one prompt of {request.input_tokens:g} tokens")
    copy_s = per_token * request.input_tokens / lanes if switching else 0.0
    busy = {"prefill": model.prefill_s(prefill, request), "decode": model.decode_s(decode, request)}
    reload_bytes = model.weight_bytes_per_gpu(prefill) + model.weight_bytes_per_gpu(decode)
    running = min(model.room_tokens(decode), count * request.mean_context)
    return SwitchCycle(
        prefill=prefill,
        decode=decode,
        requests=count,
        prefill_phase_s=count * max(busy["prefill"], copy_s),
        decode_phase_s=count * max(busy["decode"], copy_s),
        reload_s=reload_bytes / host.bandwidth_bytes_per_s if switching else 0.0,
        hand_over_s=2.0 * running * per_token / lanes if switching else 0.0,
        swap_bound=tuple(phase for phase, seconds in busy.items() if copy_s > seconds),
    )
