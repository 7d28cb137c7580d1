"""Fitting the few constants of the engines on measured rows, with priors, and leaving whole models out.

For each engine six constants move: the scale of the operators in decode steps and in steps with a prompt, the
cost of a small kernel in either, and the client's delay in either harness. Engines on one generation of GPUs
are much alike, so their constants are drawn towards a common mean that is fitted with them: what is known of
one engine steadies another that was measured with few models. All is fitted in the logarithm by Gauss–Newton
on Huber-weighted log errors of TPOT and TTFT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.silicon.harness import client_delay_ms, measure
from benchmarks.silicon.rows import Case
from models.errors import FulcrumError
from models.serving import Overheads

__all__ = [
    "BASE",
    "COMMON_SD",
    "CONSTANTS",
    "OWN_SD",
    "START",
    "Fit",
    "Line",
    "Sample",
    "fit",
    "leave_models_out",
    "predict",
]

Floats = npt.NDArray[np.float64]

CONSTANTS = (
    "linear_scale",
    "prefill_scale",
    "kernel_ms",
    "prefill_kernel_ms",
    "delay_inferencex_ms",
    "delay_nvidia_ms",
)
START: dict[str, tuple[float, ...]] = {
    "vllm": (0.92, 0.97, 0.0045, 0.004, 30.0, 12.0),
    "sglang": (0.92, 0.97, 0.0045, 0.004, 200.0, 12.0),
    "tensorrt-llm": (0.92, 0.97, 0.0045, 0.004, 50.0, 12.0),
}
BASE = Overheads(
    linear_scale=1.0,
    prefill_scale=1.0,
    kernel_ms=0.003,
    prefill_kernel_ms=0.003,
    step_ms=0.5,
    sequence_ms=0.01,
    request_ms=0.0,
    prompt_ms_per_1k=1.0,
)
"""What is not fitted: scheduler, sampler, tokenisation; the client's delay stands for `request_ms`."""
COMMON_SD = np.array([0.01, 0.03, 0.1, 0.2, 0.3, 0.1])
"""Standard deviation of the engines' common shift from `START`, in the logarithm, before any row is seen."""
OWN_SD = np.array([0.01, 0.03, 0.1, 0.15, 1.0, 0.05])
"""Standard deviation of one engine around the common shift; only a harness's client differs freely."""
HUBER = np.array([0.10, 0.25])
"""Log errors of TPOT and of TTFT beyond which a row pulls no harder."""
NOISE = np.array([0.08, 0.25])
"""Log errors taken as one standard deviation of a measurement."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A case with what was measured, and the number of its row in the table."""

    case: Case
    ttft_ms: float
    tpot_ms: float
    number: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted constants, and the standard deviation of each one's logarithm."""

    constants: tuple[float, ...]
    log_sd: tuple[float, ...]

    def overheads(self, base: Overheads) -> Overheads:
        """The engine's overheads with the fitted ones in place."""
        values = dict(zip(CONSTANTS[:4], self.constants[:4], strict=True))
        return replace(base, **values)

    def delays(self, engine: str) -> dict[str, float]:
        """Client delays by ``engine/harness``."""
        return {f"{engine}/inferencex": self.constants[4], f"{engine}/nvidia": self.constants[5]}


def predict(cases: Sequence[Case], constants: Sequence[float] | Floats) -> Floats:
    """Predicted (TTFT, TPOT, pressed) of cases of one engine, float64[n, 3]; NaN where not simulated."""
    out = np.full((len(cases), 3), np.nan)
    fitted = Fit(tuple(float(c) for c in constants), ())
    for index, case in enumerate(cases):
        engine = case.configuration.engine
        delay = client_delay_ms(engine.name, case.harness, fitted.delays(engine.name))
        try:
            found = measure(case, fitted.overheads(BASE), delay)
        except FulcrumError:
            continue
        out[index] = found.ttft_ms, found.tpot_ms, float(found.pressed)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Errors as linear functions of the constants' logarithms, around a fit.

    Parameters
    ----------
    log
        float64[6]: where.
    errors
        float64[row, 2]: log errors of TTFT and TPOT there; NaN where a row says nothing.
    slopes
        float64[row, 2, 6]: how they change.
    """

    log: Floats
    errors: Floats
    slopes: Floats


def fit(
    groups: Mapping[str, Sequence[Sample]], *, iterations: int = 3
) -> tuple[dict[str, Fit], dict[str, Line]]:
    """Constants of each group (one engine on one generation), and the errors around them.

    Each model weighs as the root of its rows.
    """
    if not all(groups.values()) or not groups:
        raise ValueError("nothing to fit on")
    weights = {key: _weights(samples) for key, samples in groups.items()}
    at = {key: _start(samples) for key, samples in groups.items()}
    lines = {key: _line(groups[key], at[key]) for key in groups}
    covariance = np.zeros((0, 0))
    for _ in range(iterations - 1):
        at, covariance = _update(at, groups, lines, weights)
        lines = {key: _line(groups[key], at[key]) for key in groups}
    sd = np.sqrt(np.diag(covariance)).reshape(-1, len(CONSTANTS))
    fits = {
        key: Fit(tuple(np.exp(at[key]).tolist()), tuple(sd[i + 1].tolist())) for i, key in enumerate(groups)
    }
    return fits, lines


def _start(samples: Sequence[Sample]) -> Floats:
    return np.asarray(np.log(np.array(START[samples[0].case.configuration.engine.name])))


def _line(samples: Sequence[Sample], log: Floats) -> Line:
    """Errors and their slopes at a point, by finite differences."""
    measured = np.log(np.array([[s.ttft_ms, s.tpot_ms] for s in samples]))
    cases = [s.case for s in samples]

    def errors(at: Floats) -> Floats:
        found = predict(cases, np.exp(at))
        # rows at the limit of the cache say little about constants: a small change moves them far
        found[found[:, 2] > 0, 0] = np.nan
        return np.asarray(np.log(found[:, :2]) - measured)

    base = errors(log)
    slopes = np.stack([(errors(log + step) - base) / 0.05 for step in 0.05 * np.eye(log.size)], axis=-1)
    return Line(log, base, slopes)


def _weights(samples: Sequence[Sample]) -> Floats:
    models = [s.case.model for s in samples]
    weight = np.array([models.count(m) ** -0.5 for m in models])
    return np.asarray(weight / weight.mean())


def _update(
    at: Mapping[str, Floats],
    groups: Mapping[str, Sequence[Sample]],
    lines: Mapping[str, Line],
    weights: Mapping[str, Floats],
    rows: Mapping[str, npt.NDArray[np.int64]] | None = None,
) -> tuple[dict[str, Floats], Floats]:
    """One weighted least-squares step of all groups at once, on their lines, and the covariance there.

    The unknowns are the common shift and the shift of each group, float64[group + 1, 6].
    """
    size = len(CONSTANTS)
    count = size * (len(groups) + 1)
    precision, push = np.zeros((count, count)), np.zeros(count)
    precision[:size, :size] += np.diag(COMMON_SD**-2.0)
    for i, (key, samples) in enumerate(groups.items()):
        own = slice(size * (i + 1), size * (i + 2))
        tie = np.diag(OWN_SD**-2.0)
        precision[:size, :size] += tie
        precision[own, own] += tie
        precision[own, :size] -= tie
        precision[:size, own] -= tie
        start, line = _start(samples), lines[key]
        keep = np.arange(len(samples)) if rows is None else rows[key]
        for column, (limit, noise) in enumerate(zip(HUBER[::-1], NOISE[::-1], strict=True)):
            slope = line.slopes[keep, column, :]
            error = line.errors[keep, column] + slope @ (at[key] - line.log)
            good = np.isfinite(error) & np.isfinite(slope).all(axis=1)
            error, slope = error[good], slope[good]
            w = weights[key][keep][good] * np.minimum(1.0, limit / np.maximum(np.abs(error), 1e-9)) / noise**2
            precision[own, own] += (slope * w[:, None]).T @ slope
            # the error as a function of the shift from the start
            push[own] += slope.T @ (w * (slope @ (at[key] - start) - error))
    covariance = np.linalg.inv(precision)
    shifts = (covariance @ push).reshape(-1, size)
    out = {}
    for i, (key, samples) in enumerate(groups.items()):
        step = np.clip(_start(samples) + shifts[i + 1] - at[key], -0.5, 0.5)
        out[key] = np.asarray(at[key] + step)
    return out, np.asarray(covariance)


def leave_models_out(
    groups: Mapping[str, Sequence[Sample]], lines: Mapping[str, Line]
) -> Mapping[str, Mapping[str, Fit]]:
    """For each model, the fits of all groups without any row of it.

    Solved on the linear errors around the whole fit, so that no row is simulated again: constants of a part
    lie near those of the whole.
    """
    out: dict[str, dict[str, Fit]] = {}
    for model in sorted({s.case.model for samples in groups.values() for s in samples}):
        rows = {
            key: np.array([i for i, s in enumerate(samples) if s.case.model != model], dtype=np.int64)
            for key, samples in groups.items()
        }
        weights = {key: np.zeros(len(samples)) for key, samples in groups.items()}
        for key, samples in groups.items():
            if rows[key].size:
                weights[key][rows[key]] = _weights([samples[i] for i in rows[key]])
        at = {key: line.log for key, line in lines.items()}
        for _ in range(6):
            at, _ = _update(at, groups, lines, weights, rows)
        out[model] = {key: Fit(tuple(np.exp(log).tolist()), ()) for key, log in at.items()}
    return out
