"""The reference latency a measured one is compared with: a roofline fitted to the table itself.

``reference = fixed + FLOP · a + bytes · b`` with a, b ≥ 0, fitted to least relative error (non-negative
least squares). 1/a and 1/b are the rates this operation reaches on this device, *fixed* is what an empty
job costs. The ratio reference ÷ latency is the utilisation relative to that roofline: it varies slowly
with size, so it is what gets interpolated, and holding it constant is how a table is extrapolated. The
sum rather than the maximum of the two times fitted public H200 tables best (GEMM from 60 points: median
error 6.1 % against 10.0 % for the maximum).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.profiles.columns import FloatArray

__all__ = ["Reference", "fit_reference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Coefficients in microseconds: of an empty job, per FLOP, per byte."""

    fixed_us: float
    us_per_flop: float
    us_per_byte: float

    def latency_us(self, flop: FloatArray, traffic_bytes: FloatArray) -> FloatArray:
        """Reference latency of jobs with that work, float64 of their shape."""
        return self.fixed_us + flop * self.us_per_flop + traffic_bytes * self.us_per_byte

    @property
    def tflops(self) -> float:
        """Arithmetic rate reached, TFLOP/s; infinite when arithmetic never limits the table."""
        return 1e-6 / self.us_per_flop if self.us_per_flop > 0 else float("inf")

    @property
    def gigabytes_per_second(self) -> float:
        """Traffic rate reached, GB/s; infinite when traffic never limits the table."""
        return 1e-3 / self.us_per_byte if self.us_per_byte > 0 else float("inf")


def fit_reference(flop: FloatArray, traffic_bytes: FloatArray, latency_us: FloatArray) -> Reference:
    """Fit to measured points.

    Parameters
    ----------
    flop, traffic_bytes, latency_us
        float64[n], n ≥ 1; latencies positive.
    """
    from scipy.optimize import nnls

    design = np.stack([np.ones_like(latency_us), flop, traffic_bytes], axis=1) / latency_us[:, None]
    scale = design.max(axis=0)
    scale[scale == 0] = 1.0
    coefficients = nnls(design / scale, np.ones_like(latency_us))[0] / scale
    return Reference(
        fixed_us=float(coefficients[0]),
        us_per_flop=float(coefficients[1]),
        us_per_byte=float(coefficients[2]),
    )
