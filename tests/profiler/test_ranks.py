"""Collectives between real processes, where PyTorch is installed."""

import pytest

pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")

from models.errors import Unsupported
from profiler.ranks import Collective, Ranks
from profiler.timing import Effort

QUICK = Effort(samples=3, fewest=2, seconds=0.1)


@pytest.mark.slow
def test_two_processes_time_every_collective_and_survive_an_error() -> None:
    ranks = Ranks("cpu", 2)
    try:
        for operation in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
            asked = Collective(operation=operation, dtype="fp32", count=1000, graph=False, effort=QUICK)
            samples = ranks.time(asked)
            assert samples.size >= 2
            assert samples.min() > 0
        with pytest.raises(Unsupported, match="unknown collective"):
            ranks.time(Collective(operation="gossip", dtype="fp32", count=8, graph=False, effort=QUICK))
        again = Collective(operation="all_reduce", dtype="fp32", count=8, graph=False, effort=QUICK)
        assert ranks.time(again).size >= 2
    finally:
        ranks.close()
    ranks.close()  # twice is fine
