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

from models.errors import InvalidInput, Unsupported
from models.serving.configuration import InstanceModel
from models.serving.curves import BATCHES, CONTEXTS, TOKENS
from models.serving.simulator import Simulation, simulate, step_costs
from models.workload.prefixes import PrefixBlocks

__all__ = ["Clients", "Disaggregated", "simulate_clients", "simulate_disaggregated"]

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
    _check(prefill, decode, prefill_instances, decode_instances)
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clients:
    """A closed loop on prefill and decode workers; float64[n] in ms from the start, in the order of sending.

    Parameters
    ----------
    sent_ms, prefilled_ms, across_ms
        When a client sent a request, its prompt was done, its cache was with a decode worker.
    admitted_ms, first_step_ms
        When the decode worker took it, and when its first step there was done. Engines whose clients are
        answered by the decode worker (Dynamo's) show the first token then.
    end_ms
        Its last token.
    """

    sent_ms: Floats
    prefilled_ms: Floats
    across_ms: Floats
    admitted_ms: Floats
    first_step_ms: Floats
    end_ms: Floats


def simulate_clients(
    prefill: InstanceModel,
    decode: InstanceModel,
    input_tokens: npt.ArrayLike,
    output_tokens: npt.ArrayLike,
    *,
    concurrency: int,
    prefill_instances: int = 1,
    decode_instances: int = 1,
) -> Clients:
    """Serve requests of clients that send their next one when one ends, on equal instances of each role.

    Prompts are dealt to the prefill instances in turn, and to their ranks in turn, in steps of as many as the
    budget of each rank holds; caches cross one after the other, each to the decode instance with the fewest
    requests. No request is preempted: a decode instance takes one when its cache has room for the prompt and
    the reserved part of the output.

    Raises
    ------
    InvalidInput
        Roles that are not these two, no instance, or requests that cannot be.
    Unsupported
        Decode instances that draft tokens.
    """
    from models.serving.simulation.apart import TIMES, run_apart

    if decode.configuration.speculation is not None:
        raise Unsupported("clients of prefill and decode instances apart are simulated without drafts")
    _check(prefill, decode, prefill_instances, decode_instances)
    known = np.stack((np.asarray(input_tokens, np.int64), np.asarray(output_tokens, np.int64)), axis=1)
    count = known.shape[0]
    if not count or (known < 1).any() or concurrency < 1:
        raise InvalidInput("at least one client and one request of at least one token each way are needed")
    config = prefill.configuration
    width = config.architecture.kv_cache_bytes_per_token(config.kv_cache)
    longest = int(known.sum(axis=1).max())
    if longest > decode.memory.kv_cache_tokens:
        room = decode.memory.kv_cache_tokens
        raise InvalidInput(f"a request of {longest:,} tokens does not fit the cache of {room:,} tokens")
    times = np.zeros((len(TIMES), count))
    workers = max(prefill_instances, decode_instances)
    run_apart(
        known,
        concurrency,
        float(config.max_num_batched_tokens),
        config.engine.schedule == "packed",
        decode.configuration.max_num_seqs,
        float(decode.memory.kv_cache_tokens),
        decode.configuration.engine.output_reserve,
        width / config.kv_transfer_bytes_per_s * 1e3,
        _parts(prefill),
        _parts(decode),
        times,
        np.zeros(count),
        np.zeros((prefill_instances, count), np.int64),
        np.zeros((decode_instances, count + 1)),
        np.zeros((decode_instances, count + 1), np.int64),
        np.zeros((decode_instances, count), np.int64),
        np.zeros((7, workers), np.int64),
        np.zeros((3, workers)),
        np.zeros((decode_instances, 5)),
        np.zeros((3, config.parallelism.data_parallel_size)),
    )
    return Clients(**dict(zip(TIMES, times, strict=True)))


def _check(prefill: InstanceModel, decode: InstanceModel, prefills: int, decodes: int) -> None:
    roles = prefill.configuration.role, decode.configuration.role
    if roles != ("prefill", "decode"):
        raise InvalidInput(f"a prefill and a decode instance are needed, got {roles[0]} and {roles[1]}")
    if min(prefills, decodes) < 1:
        raise InvalidInput(f"at least one instance of each role, got {prefills} and {decodes}")


def _parts(instance: InstanceModel) -> tuple[tuple[Floats, ...], Floats, Floats]:
    """Curves, decode attention and costs, as the compiled loops take them."""
    c = instance.curves
    curve = (
        TOKENS, c.linear_ms, c.experts_ms, c.head_ms, c.prefill_attention_ms, BATCHES, CONTEXTS, c.send_ms,
    )  # fmt: skip
    return curve, c.decode_attention_ms, step_costs(instance)
