"""Leave-one-out error: small on a smooth table, and it names the point that does not fit."""

import numpy as np
import pytest

from models.profiles.accuracy import table_accuracy
from models.profiles.table import OperationTable


def table(spike: float = 1.0) -> OperationTable:
    size = 2 ** np.arange(8, 31, dtype=np.int64)
    latency = 5 + size / 4e4
    latency[12] *= spike
    return OperationTable.build(
        "hbm",
        {
            "library": "x",
            "access": "read",
            "size_bytes": size,
            "latency_us": latency,
            "p10_latency_us": latency * 0.98,
            "p90_latency_us": latency * 1.03,
        },
    )


def test_a_smooth_table_is_accurate() -> None:
    found = table_accuracy(table())

    assert (found.points, found.groups, found.tested) == (23, 1, 21)
    assert found.worst < 0.02
    assert found.noise == pytest.approx(0.05)


def test_a_spike_is_the_worst_point() -> None:
    found = table_accuracy(table(spike=2.0))

    assert found.worst == pytest.approx(0.5, abs=0.1)
    assert found.worst_point["size_bytes"] == 2**20
    assert found.median < 0.2


def test_nothing_to_test() -> None:
    found = table_accuracy(table().take(np.array([0, 5])))

    assert found.tested == 0
    assert np.isnan(found.median)
    assert found.worst_point == {}
