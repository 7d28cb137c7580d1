"""`fulcrum profile check`: predicted against measured step times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.architecture import Architecture, resolve
from models.errors import Unavailable, Unsupported
from models.profiles.interpolate import Basis
from models.profiles.store import Profile
from profiler.check.parts import PartTimes
from profiler.check.predict import Predictor
from profiler.check.shard import Shard, Step, shard_of
from profiler.check.stack import Stack
from profiler.devices.device import Device
from profiler.devices.open import open_device
from profiler.timing import Effort, summarize

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Checked", "check_profile", "check_steps", "steps_for"]

_EFFORT = Effort(samples=15, fewest=5, seconds=2.0, warmup_seconds=0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One step, predicted and measured; `refused` says why there is no prediction or measurement.

    Parameters
    ----------
    parts_ms, row_ms
        Its operators timed beside it: each in a loop, summed; and all in a row. NaN when not asked for.
    """

    step: Step
    predicted_ms: float = float("nan")
    measured_ms: float = float("nan")
    parts_ms: float = float("nan")
    row_ms: float = float("nan")
    basis: Basis = Basis.REFUSED
    refused: str = ""

    @property
    def error(self) -> float:
        """Predicted ÷ measured - 1."""
        return self.predicted_ms / self.measured_ms - 1

    @property
    def profile_error(self) -> float:
        """Operators as predicted ÷ as timed now - 1."""
        return self.predicted_ms / self.parts_ms - 1

    @property
    def loop_error(self) -> float:
        """Operators in loops of their own ÷ in a row - 1."""
        return self.parts_ms / self.row_ms - 1

    @property
    def sum_error(self) -> float:
        """Operators in a row ÷ the step - 1."""
        return self.row_ms / self.measured_ms - 1


def steps_for(device: Device, shard: Shard, model: Architecture) -> list[Step]:
    """Prefill, decode and mixed steps: batch 1 to 256 at 512 to 32k tokens on a GPU, small ones on a CPU."""
    gpu = device.kind == "cuda"
    longest = model.max_context_tokens
    prompts = [t for t in ((128, 512, 2048, 8192) if gpu else (16, 64, 256)) if t <= longest]
    batches = (1, 8, 32, 64, 128, 256) if gpu else (1, 4, 16)
    contexts = [c for c in ((512, 2048, 8192, 32_768) if gpu else (128, 512)) if c <= longest]
    room = 0.5 * device.free_bytes()
    per_token = 2 * shard.layers * shard.kv_heads * shard.head_dim * 4
    decodes = [
        Step(batch_size=b, context_len=c) for b in batches for c in contexts if b * c * per_token < room
    ]
    mixed = [
        Step(prompt_tokens=prompts[-1] // 2, batch_size=s.batch_size, context_len=s.context_len)
        for s in decodes
    ]
    return [*(Step(prompt_tokens=t) for t in prompts), *decodes, *mixed[:: 3 if gpu else 2]]


def check_steps(
    profile: Profile,
    device: Device,
    shard: Shard,
    steps: list[Step],
    *,
    dtype: str,
    seed: int,
    parts: bool = False,
) -> list[Checked]:
    """Predict, build, run and time each step; with `parts`, its operators alone as well."""
    alone = PartTimes(device, dtype, _EFFORT, seed) if parts else None
    predictor = Predictor(profile, dtype, _library(profile, device))
    stack = Stack(shard, device, dtype, seed)
    out = []
    for step in steps:
        try:
            predicted = predictor.step(shard, step)
        except Unavailable as error:
            out.append(Checked(step=step, refused=error.message))
            continue
        try:
            parts_us = alone.step_us(shard, step) if alone is not None else float("nan")
            row_us = alone.row_us(shard, step) if alone is not None else float("nan")
            samples = device.time(stack.job(step), _EFFORT)
        except (Unsupported, MemoryError, RuntimeError) as error:
            device.require_usable()
            device.release()
            out.append(Checked(step=step, refused=str(error).split("\n", 1)[0]))
            continue
        out.append(
            Checked(
                step=step,
                predicted_ms=sum(p.latency_us for p in predicted) / 1e3,
                measured_ms=summarize(samples).median / 1e3,
                parts_ms=parts_us / 1e3,
                row_ms=row_us / 1e3,
                basis=max(p.basis for p in predicted),
            )
        )
    return out


def _library(profile: Profile, device: Device) -> str:
    """The device's own library where the profile has it, else the only one it has."""
    present = profile.table("gemm").labels("library")
    if device.library in present or len(present) > 1:
        return device.library
    return present[0]


def check_profile(
    profile: Profile,
    model_name: str,
    console: Console,
    *,
    device_name: str,
    tp: int,
    layers: int,
    seed: int,
    parts: bool = False,
) -> list[Checked]:
    """Run the check and print a line a step, then how many are within 8 % and which is worst.

    Raises
    ------
    Unavailable
        The device is not there, or the profile answers none of the steps.
    """
    from rich.table import Table

    device = open_device(device_name)
    model = resolve(model_name)
    shard = shard_of(model, tp, layers)
    measured = profile.table("gemm").labels("dtype")
    dtype = next((f for f in device.formats if f in measured), device.formats[0])
    steps = steps_for(device, shard, model)
    checked = check_steps(profile, device, shard, steps, dtype=dtype, seed=seed, parts=parts)
    console.print(
        f"{shard.layers} of {shard.model_layers} layers of {shard.name} and its output head, "
        f"one rank of TP {tp}, {dtype}, on {device.info().name}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False)
    split = ("of the profile", "of the loop", "of the sum") if parts else ()
    for column in ("step", "tokens × context", "predicted", "measured", "error", *split, "basis"):
        table.add_column(
            column, justify="left" if column in {"step", "tokens × context", "basis"} else "right"
        )
    for c in checked:
        if c.refused:
            table.add_row(c.step.kind, str(c.step), "–", "–", "–", *("–" for _ in split), c.refused)
        else:
            numbers = [f"{c.predicted_ms:.3f} ms", f"{c.measured_ms:.3f} ms", f"{c.error:+.1%}"]
            errors_of = (c.profile_error, c.loop_error, c.sum_error) if parts else ()
            numbers += [f"{error:+.1%}" for error in errors_of]
            table.add_row(c.step.kind, str(c.step), *numbers, c.basis.name.lower())
    console.print(table)
    answered = [c for c in checked if not c.refused]
    if not answered:
        raise Unavailable(
            f"profile {profile.manifest.name!r} answers none of these steps: {checked[0].refused}"
        )
    errors = np.abs([c.error for c in answered])
    worst = answered[int(np.argmax(errors))]
    console.print(
        f"{np.mean(errors <= 0.08):.0%} of {len(answered)} steps within 8 %, "
        f"median error {np.median(errors):.1%}; worst {worst.error:+.1%}: {worst.step.kind} of {worst.step}",
        highlight=False,
    )
    if parts:
        found = [(c.profile_error, c.loop_error, c.sum_error) for c in answered]
        of_profile, of_loop, of_sum = np.median(np.abs(found), axis=0)
        console.print(
            f"median error of operators predicted against timed now {of_profile:.1%}, of loops against a row "
            f"{of_loop:.1%}, of the row against the step {of_sum:.1%}",
            highlight=False,
        )
    return checked
