"""Every measurement, on every device that is here: it offers points, times one, and names its kernel."""

import importlib.util

import numpy as np
import pytest

from models.profiles.schema import operation
from models.profiles.table import OperationTable
from profiler.devices.device import Device
from profiler.devices.open import open_device
from profiler.registry import measurements
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

QUICK = Effort(samples=3, fewest=2, seconds=0.02, warmup_seconds=0.0, sample_seconds=1e-5)
DEVICES = ["cpu:numpy", *(["cpu:torch"] if importlib.util.find_spec("torch") else [])]
IN_PROCESS = sorted(n for n, m in measurements().items() if not m.by_name_only_on_cpu)


@pytest.fixture(params=DEVICES, scope="module")
def device(request: pytest.FixtureRequest) -> Device:
    return open_device(request.param)


@pytest.mark.parametrize("name", IN_PROCESS)
def test_smallest_and_a_middle_point_are_measured(name: str, device: Device, tiny_request: Request) -> None:
    measurement = measurements()[name]
    offered = list(measurement.spaces(device, tiny_request))
    assert offered, "a measurement says what it offers, or why nothing"
    for space in offered:
        if isinstance(space, Unmeasurable):
            assert space.reason
            continue
        assert set(space.labels) == {c.name for c in operation(name).categories}
        size = space.work()[1]
        for row in {int(np.argmin(size)), int(np.argsort(size)[len(size) // 3])}:
            point = space.point(row)
            found = measurement.measure(device, point, QUICK, 0)
            assert found.kernel
            assert np.all(found.values > 0)
            # The point fits the schema: a table of it is valid.
            columns = point | {operation(name).value: float(np.median(found.values))}
            assert len(OperationTable.build(name, columns)) == 1


def test_numpy_says_what_it_cannot_do(tiny_request: Request) -> None:
    device = open_device("cpu:numpy")
    missing = {
        u.operation: u.reason
        for m in measurements().values()
        for u in m.spaces(device, tiny_request)
        if isinstance(u, Unmeasurable)
    }

    assert "no collectives" in missing["all_reduce"]
    assert "two GPUs" in missing["p2p"]
    assert "NumPy" in missing["sm_share"]


def test_more_work_takes_longer(tiny_request: Request) -> None:
    """The clock sees the work: 64 times the copy takes at least 8 times as long."""
    device = open_device("cpu:numpy")
    measurement = measurements()["hbm"]
    effort = Effort(samples=7, fewest=5, seconds=0.5)
    space = next(
        s for s in measurement.spaces(device, tiny_request) if isinstance(s, Space) and "copy" in s.name
    )
    row = {float(v): i for i, v in enumerate(space.candidates[:, 0])}
    small, large = (
        np.median(measurement.measure(device, space.point(row[float(size)]), effort, 0).values)
        for size in (2**20, 2**26)
    )

    assert large > 8 * small
