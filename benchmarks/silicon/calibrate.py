"""Fitting the few constants of an engine on measured rows, with priors, and leaving whole models out.

For each engine six constants move: the scale of the operators in decode steps and in steps with a prompt, the
cost of a small kernel in either, and the client's delay in either harness. They are fitted in the logarithm
by Gauss–Newton on Huber-weighted log errors of TPOT and TTFT; a prior holds each near its round start value.
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

__all__ = ["BASE", "CONSTANTS", "START", "Fit", "Line", "Sample", "fit", "leave_models_out", "predict"]

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
    "vllm": (1.0, 1.0, 0.003, 0.003, 30.0, 10.0),
    "sglang": (1.0, 1.0, 0.003, 0.003, 200.0, 15.0),
    "tensorrt-llm": (1.0, 1.0, 0.003, 0.003, 50.0, 10.0),
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
PRIOR_SD = np.array([0.10, 0.15, 0.6, 0.8, 1.0, 1.0])
"""Standard deviation of each constant's logarithm before any row is seen."""
HUBER = np.array([0.10, 0.25])
"""Log errors of TPOT and of TTFT beyond which a row pulls no harder."""
NOISE = np.array([0.08, 0.25])
"""Log errors taken as one standard deviation of a measurement."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A case with what was measured."""

    case: Case
    ttft_ms: float
    tpot_ms: float


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


def fit(samples: Sequence[Sample], *, iterations: int = 3) -> tuple[Fit, Line]:
    """Constants of one engine from samples of it, and the errors around them.

    Each model weighs as the root of its rows.
    """
    if not samples:
        raise ValueError("nothing to fit on")
    prior = np.log(np.array(START[samples[0].case.configuration.engine.name]))
    measured = np.log(np.array([[s.ttft_ms, s.tpot_ms] for s in samples]))
    weight = _weights(samples)
    cases = [s.case for s in samples]

    def errors(at: Floats) -> Floats:
        found = predict(cases, np.exp(at))
        # rows at the limit of the cache say little about constants: a small change moves them far
        found[found[:, 2] > 0, 0] = np.nan
        return np.asarray(np.log(found[:, :2]) - measured)

    log, covariance = prior.copy(), np.diag(PRIOR_SD**2)
    line = Line(log, errors(log), np.zeros((len(samples), 2, log.size)))
    for round_ in range(iterations):
        base = line.errors
        slopes = np.stack([(errors(log + step) - base) / 0.05 for step in 0.05 * np.eye(log.size)], axis=-1)
        line = Line(log, base, slopes)
        if round_ == iterations - 1:
            break
        log, covariance = _update(log, prior, base, slopes, weight)
        line = Line(log, errors(log), slopes)
    sd = np.sqrt(np.diag(covariance))
    return Fit(tuple(np.exp(line.log).tolist()), tuple(sd.tolist())), line


def _weights(samples: Sequence[Sample]) -> Floats:
    models = [s.case.model for s in samples]
    weight = np.array([models.count(m) ** -0.5 for m in models])
    return np.asarray(weight / weight.mean())


def _update(
    log: Floats, prior: Floats, base: Floats, slopes: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """One weighted least-squares step and the covariance there."""
    precision = np.diag(PRIOR_SD**-2.0)
    push = (prior - log) / PRIOR_SD**2
    for column, (limit, noise) in enumerate(zip(HUBER[::-1], NOISE[::-1], strict=True)):
        error, slope = base[:, column], slopes[:, column, :]
        good = np.isfinite(error) & np.isfinite(slope).all(axis=1)
        error, slope, w = error[good], slope[good], weight[good]
        w = w * np.minimum(1.0, limit / np.maximum(np.abs(error), 1e-9)) / noise**2
        precision += (slope * w[:, None]).T @ slope
        push -= slope.T @ (w * error)
    covariance = np.linalg.inv(precision)
    step = np.clip(covariance @ push, -0.5, 0.5)
    return np.asarray(log + step), np.asarray(covariance)


def leave_models_out(samples: Sequence[Sample], line: Line) -> Mapping[str, Fit]:
    """For each model, the fit of its engine on all the others; the prior where there is no other.

    Solved on the linear errors around the whole fit, so that no row is simulated again: constants of a part
    lie near those of the whole.
    """
    prior = np.log(np.array(START[samples[0].case.configuration.engine.name]))
    out: dict[str, Fit] = {}
    for model in sorted({s.case.model for s in samples}):
        rows = np.array([i for i, s in enumerate(samples) if s.case.model != model], dtype=np.int64)
        log = line.log if rows.size else prior
        weight = _weights([samples[i] for i in rows]) if rows.size else np.zeros(0)
        for _ in range(6 if rows.size else 0):
            slopes = line.slopes[rows]
            errors = line.errors[rows] + slopes @ (log - line.log)
            log, _ = _update(log, prior, errors, slopes, weight)
        out[model] = Fit(tuple(np.exp(log).tolist()), ())
    return out
