"""The shape of the fleet document. Reading it gives these entries; `planner.fleet.document` resolves them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from models.workload.arrivals import LEAST_SHAPE, MOST_SHAPE
from planner.fleet.adapter_entries import LoraEntry
from planner.fleet.entries import Degree, Duration, Entry, Name, Rate, Share, Text
from planner.fleet.network_entries import NetworkEntry, TopologyEntry
from planner.fleet.reuse_entries import ReuseEntry
from planner.fleet.speculative_entries import SpeculativeEntry
from planner.fleet.speed_entries import TransitionEntry, WeightSourceEntry
from planner.fleet.trace_entries import TraceEntry

__all__ = [
    "ColumnsEntry",
    "DemandEntry",
    "FleetEntry",
    "ForbiddenEntry",
    "ModelEntry",
    "ParallelismEntry",
    "PeriodsEntry",
    "PoliciesEntry",
    "PoolEntry",
    "PowerEntry",
    "ReservedEntry",
    "SloEntry",
    "SpotEntry",
    "SurviveEntry",
    "WorkloadEntry",
]


class ReservedEntry(Entry):
    """GPUs of a pool that are paid for whether they are used or not."""

    gpus: int = Field(ge=1)
    """Number of GPUs; the pool's other GPUs are paid for when used."""
    price_per_gpu_hour: float = Field(ge=0)
    """Price of one of them for one hour."""


class SpotEntry(Entry):
    """GPUs that their owner may take back at any time."""

    losses_per_hour: float = Field(gt=0, le=60)
    """How often a GPU is taken back, on average, in an hour of use."""
    recovery: Duration
    """From the loss of an instance to its replacement serving."""


class PowerEntry(Entry):
    """Power budgets, for the GPUs alone."""

    per_gpu_watts: float | None = Field(default=None, gt=0)
    """Power of one GPU; default: the limit of its board in the datasheet."""
    pool_limit_watts: float | None = Field(default=None, gt=0)
    """Most that the GPUs in use of the whole pool may draw."""
    rack_limit_watts: float | None = Field(default=None, gt=0)
    """Most that the GPUs in use of one rack may draw."""


class GpuShareEntry(Entry):
    """GPUs of a pool in equal parts, each for an instance of its own."""

    parts: int = Field(ge=2, le=16)
    """Instances that share a GPU; each gets that part of its memory."""
    slowdown: float | None = Field(default=None, ge=1, le=100)
    """How many times longer the steps of an instance take while the other parts are busy, as measured;
    default: `parts`, as if they took turns."""
    models: list[Text] | None = Field(default=None, min_length=1)
    """Models that may run on parts; default: all that fit."""


class PoolEntry(Entry):
    """Equal nodes of one GPU type."""

    name: Name
    """Unique among the pools."""
    gpu: Text
    """GPU type by catalogue name, such as h100-sxm-80gb."""
    nodes: int = Field(ge=1, le=100_000)
    """Number of nodes."""
    gpus_per_node: int = Field(ge=1, le=72)
    """GPUs in each node."""
    racks: int = Field(default=1, ge=1)
    """Racks the nodes are spread over, in blocks of nearly equal size."""
    zone: Name = "default"
    """Failure and network domain. Prefill and decode of one workload share a zone."""
    price_per_gpu_hour: float = Field(ge=0)
    """Price of one GPU for one hour of use, in one currency for the whole document."""
    unavailable: list[Annotated[int, Field(ge=0)]] = Field(default=[])
    """Indices of nodes that are out of service."""
    reserved: ReservedEntry | None = None
    """GPUs paid for whether used or not; default: none."""
    spot: SpotEntry | None = None
    """How often the pool's GPUs are taken back; default: never."""
    share: GpuShareEntry | None = None
    """Several small models on one GPU: the pool then has instances of one GPU only; default: whole GPUs."""
    power: PowerEntry | None = None
    """Power budgets; default: none."""
    network: NetworkEntry | None = None
    """Links that KV caches take from prefill to decode instances; default: 50 GB/s from each prefill
    instance, without limits of nodes and racks."""
    weights_from: list[WeightSourceEntry] = Field(default=[])
    """Tiers that a node reads weights from, the fastest that holds a model is used; default: a local disk of
    5 GB/s."""


class ModelEntry(Entry):
    """A model to serve."""

    name: Name
    """Name that requests ask for."""
    architecture: Annotated[
        Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": True}]})
    ]
    """Catalogue name, path of a Hugging Face config.json, or the content of one."""
    repository: Text | None = None
    """What the engine loads, a Hugging Face repository or a path; default: where the architecture is from."""
    weights: Text | None = None
    """Weight precision; default: that of the checkpoint."""
    kv_cache: Text = "bf16"
    """KV-cache precision."""
    engine: Literal["vllm"] = "vllm"
    """Serving engine."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Longest request in tokens, prompt and answer; default: the longest of the workloads."""
    speculative: SpeculativeEntry | None = None
    """Speculative decoding; default: none."""


class SloEntry(Entry):
    """Latency targets: one for TTFT and one for TPOT."""

    ttft_p50: Duration | None = None
    """Median time to first token."""
    ttft_p90: Duration | None = None
    """90th percentile of the time to first token."""
    ttft_p95: Duration | None = None
    """95th percentile of the time to first token."""
    ttft_p99: Duration | None = None
    """99th percentile of the time to first token."""
    tpot_p50: Duration | None = None
    """Median over requests of the mean time per output token."""
    tpot_p90: Duration | None = None
    """90th percentile over requests of the mean time per output token."""
    tpot_p95: Duration | None = None
    """95th percentile over requests of the mean time per output token."""
    tpot_p99: Duration | None = None
    """99th percentile over requests of the mean time per output token."""


class ColumnsEntry(Entry):
    """Which columns of a trace in CSV hold what."""

    arrival: Text
    """Seconds as a number, or a date and time."""
    input: Text
    """Prompt tokens."""
    output: Text
    """Output tokens."""


class WorkloadEntry(Entry):
    """Requests for one model: a trace, or a rate with a length distribution."""

    name: Name | None = None
    """Unique among the workloads; default: the model's name."""
    model: Text
    """One of the models."""
    trace: Text | TraceEntry | None = None
    """Trace file (Azure 2023, BurstGPT, Mooncake, or CSV with `columns`), or its requests; gives rate and
    lengths."""
    columns: ColumnsEntry | None = None
    """Which columns of the trace hold what; known formats need none."""
    scale: float = Field(default=1.0, gt=0)
    """Factor on the rate."""
    rate: Rate | None = None
    """Mean arrival rate; with a trace it replaces the trace's own."""
    lengths: Annotated[
        Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": True}]})
    ] = None
    """Length distribution: a file, or its content. Not with a trace."""
    burstiness: float | None = Field(default=None, ge=LEAST_SHAPE, le=MOST_SHAPE)
    """Shape of the gamma law of the gaps between arrivals, as `--burstiness` of `vllm bench serve`: 1 is
    Poisson (the default), less is bursty: 1 ÷ the square of their coefficient of variation."""
    reuse: Share | ReuseEntry | None = None
    """Share of each prompt that an instance finds in its prefix cache; default: nothing."""
    slo: SloEntry
    """Latency targets."""
    priority: int = Field(default=1, ge=1, le=100)
    """1 is served first when supply is short."""
    tenant: Name | None = None
    """Whose requests these are; default: the workload is a tenant of its own."""
    lora: LoraEntry | None = None
    """LoRA adapters of its model that its requests ask for; such workloads are served on mixed instances."""
    regions: dict[str, Share] | None = Field(default=None, min_length=1)
    """Shares of the rate by the region that requests come from; default: from everywhere, at no distance."""
    shape: list[Annotated[float, Field(ge=0)]] | None = Field(default=None, min_length=1)
    """Factor on the rate in each of the fleet's periods; default: a trace's own windows, else always 1."""


class SurviveEntry(Entry):
    """A loss that must not cost any service."""

    loss_of: Literal["node", "rack", "zone"]
    """The demand of every workload is still served within its targets after losing any one of these."""


class ForbiddenEntry(Entry):
    """Ways to run that may not be used: those that fit everything that is stated."""

    model: Text | None = None
    """One of the models; default: any."""
    pool: Text | None = None
    """One of the pools; default: any."""
    role: Literal["mixed", "prefill", "decode"] | None = None
    """Role of the instance; default: any."""
    tensor: Degree | None = None
    """Tensor-parallel size; default: any."""
    pipeline: Degree | None = None
    """Pipeline-parallel size; default: any."""
    data: Degree | None = None
    """Attention data-parallel size; default: any."""
    expert: Degree | None = None
    """Expert-parallel size; default: any."""


class ParallelismEntry(Entry):
    """Degrees the planner may use."""

    tensor: list[Degree] = Field(default=[1, 2, 4, 8], min_length=1)
    """Tensor-parallel sizes; a tensor-parallel group never leaves its node."""
    pipeline: list[Degree] = Field(default=[1, 2], min_length=1)
    """Pipeline-parallel sizes; stages may be on different nodes of a pool."""
    data: list[Degree] = Field(default=[1], min_length=1)
    """Attention data-parallel sizes of models with experts: replicas of the attention, all in one node, that
    share the experts."""
    expert: list[Degree] | None = Field(default=None, min_length=1)
    """Expert-parallel sizes of models with experts; default: 1, and all tensor × data GPUs of a stage."""
    pipeline_across_nodes: bool = True
    """Whether the stages of an instance may be on different nodes."""
    forbid: list[ForbiddenEntry] = Field(default=[])
    """Ways to run that may not be used."""


class DemandEntry(Entry):
    """Which rate of a trace is planned for."""

    percentile: float = Field(gt=0, le=100)
    """Percentile of the rates of the trace's windows (of each period, where the fleet has periods)."""
    window: Duration
    """Length of a window."""


class PoliciesEntry(Entry):
    """Rules for every workload."""

    survive: SurviveEntry | None = None
    """Loss that must not cost any service; default: none."""
    headroom: Share = 0.0
    """Share by which planned demand exceeds the stated rate."""
    parallelism: ParallelismEntry = ParallelismEntry()
    """Degrees the planner may use."""
    roles: list[Literal["mixed", "disaggregated"]] = Field(default=["mixed", "disaggregated"], min_length=1)
    """Ways to serve: mixed instances; disaggregated pairs of prefill and decode instances."""
    shortage: Literal["refuse", "serve_what_fits"] = "refuse"
    """When supply is short: no plan, or the plan that serves most: priorities first, then max-min fairness
    between tenants."""
    demand: DemandEntry | None = None
    """Rate of a trace that is planned for; default: its mean."""
    keep_free: list[Degree] = Field(default=[])
    """Sizes of tensor-parallel groups that the free GPUs of the nodes should still make up."""
    assignment: list[
        Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True, "minProperties": 1})]
    ] = Field(default=[])
    """Hard limits on the placement of each pool, in the spec language (see docs/fleet.md)."""
    spill: Literal["never", "when_short", "free"] = "when_short"
    """Whether requests are served outside of the region they come from: never; as few GPUs as can be, before
    cost counts; or wherever it is cheapest. Always within the TTFT target, the way included."""
    transition: TransitionEntry = TransitionEntry()
    """How long the steps from what runs to a new plan take."""


class PeriodsEntry(Entry):
    """Parts of a day, or of a trace, that are sized one by one."""

    count: int = Field(ge=2, le=1000)
    """Number of periods."""
    length: Duration
    """Length of each."""
    current: int | None = Field(default=None, ge=0)
    """The period that is placed on nodes; default: the one with the largest demand."""
    start_delay: Duration = 0.0
    """Time an instance that starts between two periods is paid for before it serves."""
    reshard: Duration | None = None
    """The same where its GPUs held the same model in another cut; default: `start_delay`."""
    role_switch: Duration | None = None
    """The same where its GPUs held the same weights in the same cut for another role; default: `reshard`."""


class FleetEntry(Entry):
    """A fleet: GPU pools, models, workloads, policies and goals."""

    fleet: Name
    """Name of the fleet."""
    pools: list[PoolEntry] = Field(min_length=1)
    """GPUs there are."""
    models: list[ModelEntry] = Field(min_length=1)
    """Models to serve."""
    workloads: list[WorkloadEntry] = Field(min_length=1)
    """Requests to serve."""
    topology: TopologyEntry | None = None
    """Regions of the zones and how far they are apart; default: distance does not count."""
    policies: PoliciesEntry = PoliciesEntry()
    """Rules."""
    periods: PeriodsEntry | None = None
    """Periods of changing demand; default: one demand for ever."""
    goals: list[Literal["unserved_demand", "cost", "gpus", "movement"]] = Field(
        default=["unserved_demand", "cost", "movement"], min_length=1
    )
    """What to minimise, most important first; unserved_demand comes first."""
