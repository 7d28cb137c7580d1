"""Prefill and decode together or apart: simulation, goodput, and the search for the best parallelism of each.

After DistServe (Zhong et al., OSDI 2024, arXiv 2401.09670) and Splitwise (Patel et al., ISCA 2024, arXiv
2311.18677). Everything takes a step-latency model, so that fitted coefficients, measured tables and profiles
are exchangeable.
"""

from planner.split.goodput import LatencyTargets, bisect_rate
from planner.split.latency import PolynomialLatency, StepLatency, read_coefficients
from planner.split.queueing import crossover_utilization, mean_ttft, mean_ttft_pipeline, mean_ttft_tensor
from planner.split.requests import RequestSample
from planner.split.search import (
    Colocated,
    GoodputSearch,
    Paired,
    PhaseBest,
    SplitChoice,
    choose_split,
    colocated,
    high_affinity,
    low_affinity,
    phase_goodput,
)
from planner.split.simulator import GiveUp, Served, Server, simulate

__all__ = [
    "Colocated",
    "GiveUp",
    "GoodputSearch",
    "LatencyTargets",
    "Paired",
    "PhaseBest",
    "PolynomialLatency",
    "RequestSample",
    "Served",
    "Server",
    "SplitChoice",
    "StepLatency",
    "bisect_rate",
    "choose_split",
    "colocated",
    "crossover_utilization",
    "high_affinity",
    "low_affinity",
    "mean_ttft",
    "mean_ttft_pipeline",
    "mean_ttft_tensor",
    "phase_goodput",
    "read_coefficients",
    "simulate",
]
