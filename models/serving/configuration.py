"""One way to run a model: on which GPUs, how cut, in which format, with which engine, for which phase."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from models.architecture import Architecture
from models.errors import InvalidInput
from models.hardware import Gpu
from models.serving.calibration import calibration
from models.serving.curves import StepCurves, curve_at, surface_at
from models.serving.engine import Engine, Overheads
from models.serving.grids import grids_of
from models.serving.memory import Memory, draft_parallelism, memory
from models.serving.operators import OperatorTimes
from models.serving.parallelism import Parallelism
from models.serving.roofline import RooflineTimes
from models.serving.speculation import Speculation
from models.serving.tables import TableTimes, attention_module

__all__ = ["Configuration", "InstanceModel", "Role", "draft_problems"]

Role = Literal["mixed", "prefill", "decode"]
"""``mixed`` serves whole requests; ``prefill`` hands the cache of its prompts to a ``decode`` instance."""

DRAFT_BATCH, DRAFT_CONTEXT = 16.0, 2048.0
"""Requests, and tokens of each, at which a model that drafts is compared with the one it drafts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the planner chooses for one kind of instance.

    Parameters
    ----------
    weights, kv_cache
        Precisions, by the names of `models.architecture.precision`.
    max_num_seqs, max_num_batched_tokens
        Limits of a step.
    kv_transfer_bytes_per_s
        Bandwidth at which a ``prefill`` instance hands over its cache, over all its GPUs.
    speculation
        Drafts of every decode step; None: one token a step.
    """

    architecture: Architecture
    gpu: Gpu
    parallelism: Parallelism
    engine: Engine
    role: Role = "mixed"
    weights: str = "bf16"
    kv_cache: str = "bf16"
    max_num_seqs: int = 256
    max_num_batched_tokens: int = 8192
    kv_transfer_bytes_per_s: float = 50e9
    speculation: Speculation | None = None

    def __post_init__(self) -> None:
        for name in ("max_num_seqs", "max_num_batched_tokens"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidInput(f"{name} must be a whole number ≥ 1, got {value!r}")
        width = 1 if self.speculation is None else self.speculation.width
        if self.max_num_batched_tokens <= self.max_num_seqs * width and self.role == "mixed":
            drafts = f" times {width} tokens of each" if width > 1 else ""
            raise InvalidInput(
                f"max_num_batched_tokens ({self.max_num_batched_tokens}) must exceed max_num_seqs "
                f"({self.max_num_seqs}){drafts}: a full batch of decodes would leave no room for a prompt"
            )
        if not 0 < self.kv_transfer_bytes_per_s < float("inf"):
            raise InvalidInput(
                f"kv_transfer_bytes_per_s must be positive, got {self.kv_transfer_bytes_per_s!r}"
            )

    @property
    def gpus(self) -> int:
        """GPUs of one instance."""
        return self.parallelism.gpus

    @property
    def overheads(self) -> Overheads:
        """The engine's own, or those fitted for it on this generation of GPUs."""
        return self.engine.overheads or calibration(self.engine.name, self.gpu.generation).overheads

    def problems(self) -> tuple[str, ...]:
        """Why the model, or what drafts for it, cannot be cut this way, as sentences; empty when it can."""
        found = self.parallelism.problems(self.architecture, self.weights)
        drafts = self.speculation
        return found if drafts is None else (*found, *draft_problems(drafts, self.parallelism))

    def __str__(self) -> str:
        where = f"{self.gpus} × {self.gpu.name} ({self.parallelism}, {self.role})"
        return f"{self.architecture.name} {self.weights} on {where}"


def draft_problems(drafts: Speculation, parallelism: Parallelism) -> tuple[str, ...]:
    """Why nothing can draft for a model that is cut this way, as sentences; empty when it can."""
    found = []
    if parallelism.pipeline_parallel_size > 1:
        found.append("drafts are not passed between pipeline stages")
    if drafts.draft is not None:
        if parallelism.data_parallel_size > 1:
            found.append("a model that drafts is not planned beside attention replicas")
        cut = draft_parallelism(parallelism)
        found += [f"draft: {why}" for why in cut.problems(drafts.draft, drafts.draft_weights)]
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstanceModel:
    """A configuration with its memory and the cost of its steps.

    Parameters
    ----------
    draft_passes
        What drafting a token costs, in passes through the layers of the model; 0 without speculation.
    """

    configuration: Configuration
    memory: Memory
    curves: StepCurves
    draft_passes: float = 0.0

    @property
    def drafts(self) -> tuple[float, float, float]:
        """Of a decode step: tokens of each request passed, those yielded, passes that draft them."""
        speculation = self.configuration.speculation
        if speculation is None:
            return 1.0, 1.0, 0.0
        return float(speculation.width), speculation.tokens_per_step, speculation.tokens * self.draft_passes

    @classmethod
    def of(cls, configuration: Configuration) -> InstanceModel:
        """The model of an instance, on the best data there is for its GPU.

        Raises
        ------
        InvalidInput
            The model cannot be cut this way (`Configuration.problems` tells beforehand).
        """
        problems = configuration.problems()
        if problems:
            sizes = [
                str(size)
                for size in (1, 2, 4, 8, 16)
                if not replace(configuration, parallelism=Parallelism(tensor_parallel_size=size)).problems()
            ]
            hint = f" (tensor-parallel sizes that do: {', '.join(sizes)})" if sizes else ""
            raise InvalidInput(f"{configuration}: {'; '.join(problems)}{hint}")
        c = configuration
        curves = _curves(c.architecture, c.parallelism, c.gpu, c.weights, c.kv_cache, c.engine.name)
        return cls(
            configuration=c,
            memory=memory(
                c.architecture,
                c.parallelism,
                c.gpu,
                c.engine,
                weights=c.weights,
                kv_cache=c.kv_cache,
                max_num_batched_tokens=c.max_num_batched_tokens,
                max_num_seqs=c.max_num_seqs,
                speculation=c.speculation,
            ),
            curves=curves,
            draft_passes=_draft_passes(c, curves),
        )


def _draft_passes(c: Configuration, curves: StepCurves) -> float:
    """What drafting a token costs, in passes through all layers of the model beside its output head.

    A model of its own is compared at `DRAFT_BATCH` requests of `DRAFT_CONTEXT` tokens: both wait for memory
    there, and its share of the step changes little with the batch (docs/models.md has how much).
    """
    drafts = c.speculation
    if drafts is None:
        return 0.0
    if drafts.draft is None:
        return 1.0 / curves.num_layers
    cut = draft_parallelism(c.parallelism)
    own = _curves(drafts.draft, cut, c.gpu, drafts.draft_weights, c.kv_cache, c.engine.name)
    (own_pass, own_head), (model_pass, model_head) = (_pass_ms(c, each) for each in (own, curves))
    return max(own_pass + own_head - model_head, 0.0) / (model_pass + c.overheads.step_ms)


def _pass_ms(c: Configuration, curves: StepCurves) -> tuple[float, float]:
    """Decode of `DRAFT_BATCH` requests: all layers, and the output head."""
    batch = np.array([DRAFT_BATCH])
    layers = curve_at(curves.linear_ms[None], batch) + curve_at(curves.experts_ms[None], batch)
    seen = surface_at(curves.decode_attention_ms[None], batch, DRAFT_CONTEXT)
    scale, kernels = c.overheads.linear_scale, c.overheads.kernel_ms * curves.small_kernels
    head = curve_at(curves.head_ms[None], batch)
    return float(layers[0] * scale + seen[0] + kernels), float(head[0] * scale)


@lru_cache(maxsize=4096)
def _curves(
    architecture: Architecture, parallelism: Parallelism, gpu: Gpu, weights: str, kv_cache: str, engine: str
) -> StepCurves:
    """Priced from the profile of the GPU where there is one, else from its datasheet.

    In a profile, tables of the engine come first, then the points of the library that measured it; what those
    lack, the profile that ships for that type of GPU may have.
    """
    from models.profiles.catalogue import PACKAGED, known_profiles
    from models.profiles.store import MANIFEST_FILE
    from models.serving.points import PointTimes, own_library

    folder = known_profiles().get(gpu.name)
    times: OperatorTimes = RooflineTimes(gpu)
    if folder is not None:
        grids = grids_of(str(folder))
        library = own_library(grids.profile, engine)
        if library is None:
            times = TableTimes(grids, gpu, engine, module=attention_module(architecture))
        else:
            shipped = PACKAGED / (grids.profile.manifest.gpu or "-")
            ships = (shipped / MANIFEST_FILE).is_file()
            tables = TableTimes(grids_of(str(shipped)), gpu, engine) if ships else None
            times = PointTimes(grids.profile, gpu, library, engine, tables=tables)
    return StepCurves.price(architecture, parallelism, times, weights=weights, kv_cache=kv_cache)
