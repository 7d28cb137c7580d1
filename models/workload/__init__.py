"""What must be served: arrivals, prompt and output lengths."""

from models.workload.arrivals import POISSON, Burstiness, arrivals_s
from models.workload.azure import read_azure_trace
from models.workload.columns import Columns
from models.workload.lengths import LengthDistribution, LengthPoints
from models.workload.lengths_document import dump_lengths, load_lengths, parse_lengths
from models.workload.prefixes import PrefixBlocks
from models.workload.read import read_trace
from models.workload.trace import Trace
from models.workload.workload import Workload

__all__ = [
    "POISSON",
    "Burstiness",
    "Columns",
    "LengthDistribution",
    "LengthPoints",
    "PrefixBlocks",
    "Trace",
    "Workload",
    "arrivals_s",
    "dump_lengths",
    "load_lengths",
    "parse_lengths",
    "read_azure_trace",
    "read_trace",
]
