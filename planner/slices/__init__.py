"""Heterogeneous sizing by request size: which GPU type serves which lengths, and how many of each.

A GPU type that is cheapest for short requests can be dear for long ones. Demand is cut into buckets of
similar (prompt, output) lengths and each bucket into equal slices; every slice goes to one GPU type, and the
number of GPUs of a type is what its slices add up to, rounded up (Griggs et al., Mélange, arXiv 2404.14527).
"""

from planner.slices.buckets import SizeBucket, bucket_requests
from planner.slices.problem import GpuOption, slice_graph
from planner.slices.sizing import SliceSizing, read_sizing, size_by_slices

__all__ = [
    "GpuOption",
    "SizeBucket",
    "SliceSizing",
    "bucket_requests",
    "read_sizing",
    "size_by_slices",
    "slice_graph",
]
