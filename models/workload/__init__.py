"""What must be served: arrivals, prompt and output lengths."""

from models.workload.azure import read_azure_trace
from models.workload.lengths import LengthDistribution, LengthPoints
from models.workload.lengths_document import dump_lengths, load_lengths, parse_lengths
from models.workload.trace import Trace
from models.workload.workload import Workload

__all__ = [
    "LengthDistribution",
    "LengthPoints",
    "Trace",
    "Workload",
    "dump_lengths",
    "load_lengths",
    "parse_lengths",
    "read_azure_trace",
]
