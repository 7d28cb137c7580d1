"""Prefill-only instances that hand the cache of their prompts to decode-only instances, simulated.

Requests are dealt to the prefill instances in turn and, as their prompts get ready, to the decode instances
in turn. A cache crosses at the bandwidth of its prefill instance, one after the other: it leaves when the
prompt is done and those before it are across. The decode instance takes it when it has room. The first token
comes from the prefill instance, at the end of the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving.configuration import InstanceModel
from models.serving.simulator import Simulation, simulate
from models.workload.prefixes import PrefixBlocks

__all__ = ["Disaggregated", "simulate_disaggregated"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Disaggregated:
    """What happened to each request, and on each side.

    Parameters
    ----------
    requests
        As of one system: sent, first token, end; counters are sums, peaks the largest of any instance.
    handed_over_ms
        float64[n]: when the cache of the prompt was across; the end for requests of one token.
    prefill, decode
        Of each instance; None where it got no request.
    """

    requests: Simulation
    handed_over_ms: Floats
    prefill: tuple[Simulation | None, ...]
    decode: tuple[Simulation | None, ...]


def simulate_disaggregated(
    prefill: InstanceModel,
    decode: InstanceModel,
    input_tokens: npt.ArrayLike,
    output_tokens: npt.ArrayLike,
    *,
    arrivals_s: npt.ArrayLike,
    prefill_instances: int = 1,
    decode_instances: int = 1,
    prefixes: PrefixBlocks | None = None,
    reuse: float = 0.0,
) -> Disaggregated:
    """Serve requests on equal prefill instances and equal decode instances.

    Parameters
    ----------
    prefill, decode
        Models with those roles; the bandwidth is ``kv_transfer_bytes_per_s`` of the former.
    input_tokens, output_tokens, arrivals_s, prefixes, reuse
        As of `models.serving.simulator.simulate`; prompts are reused on prefill instances only.

    Raises
    ------
    InvalidInput
        Roles that are not these two, no instance, or requests that cannot be.
    """
    roles = prefill.configuration.role, decode.configuration.role
    if roles != ("prefill", "decode"):
        raise InvalidInput(f"a prefill and a decode instance are needed, got {roles[0]} and {roles[1]}")
    if min(prefill_instances, decode_instances) < 1:
        raise InvalidInput(
            f"at least one instance of each role, got {prefill_instances} and {decode_instances}"
        )
    inputs, outputs = np.asarray(input_tokens, np.int64), np.asarray(output_tokens, np.int64)
    arrivals = np.asarray(arrivals_s, dtype=np.float64)
    if not (inputs.shape == outputs.shape == arrivals.shape) or not inputs.size:
        raise InvalidInput("input_tokens, output_tokens and arrivals_s must be equally long lists")
    sent, first, across = arrivals * 1e3, np.zeros(inputs.size), np.zeros(inputs.size)
    bytes_per_ms = prefill.configuration.kv_transfer_bytes_per_s / 1e3
    width = prefill.configuration.architecture.kv_cache_bytes_per_token(prefill.configuration.kv_cache)
    before: list[Simulation | None] = []
    for turn in range(prefill_instances):
        mine = np.arange(turn, inputs.size, prefill_instances)
        if not mine.size:
            before.append(None)
            continue
        run = simulate(
            prefill,
            inputs[mine],
            np.ones_like(mine),
            arrivals_s=arrivals[mine],
            prefixes=None if prefixes is None else prefixes.of(mine),
            reuse=reuse,
        )
        before.append(run)
        first[mine] = run.first_token_ms
        across[mine] = _in_turn(run.first_token_ms, np.asarray(inputs[mine] * (width / bytes_per_ms)))
    end = np.where(outputs > 1, 0.0, first)
    across = np.where(outputs > 1, across, first)
    more = np.flatnonzero(outputs > 1)
    order = more[np.argsort(across[more], kind="stable")]
    after: list[Simulation | None] = []
    for turn in range(decode_instances):
        mine = order[turn::decode_instances]
        if not mine.size:
            after.append(None)
            continue
        run = simulate(decode, inputs[mine], outputs[mine], arrivals_s=across[mine] / 1e3)
        after.append(run)
        end[mine] = run.end_ms
    runs = [run for run in (*before, *after) if run is not None]
    whole = replace(
        runs[0],
        sent_ms=sent,
        first_token_ms=first,
        end_ms=end,
        output_tokens=outputs,
        token_gaps=sum((run.token_gaps for run in runs[1:]), runs[0].token_gaps),
        **{name: sum(getattr(run, name) for run in runs) for name in _SUMS},
        **{name: max(getattr(run, name) for run in runs) for name in _PEAKS},
    )
    return Disaggregated(requests=whole, handed_over_ms=across, prefill=tuple(before), decode=tuple(after))


_SUMS = (
    "steps", "prefill_steps", "preemptions", "computed_prompt_tokens", "reused_prompt_tokens",
    "recomputed_tokens",
)  # fmt: skip
_PEAKS = ("peak_cached_tokens", "peak_running", "peak_kept_tokens")


def _in_turn(ready_ms: Floats, duration_ms: Floats) -> Floats:
    """When transfers end that share a link, in the order in which they are ready."""
    order = np.argsort(ready_ms, kind="stable")
    length, ready = duration_ms[order], ready_ms[order]
    total = np.cumsum(length)
    # the end of the k-th: the latest of (ready of any j ≤ k, and everything from j to k after it)
    done = np.maximum.accumulate(ready - (total - length)) + total
    out = np.empty_like(done)
    out[order] = done
    return out
