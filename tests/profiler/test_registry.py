"""Measurements are found by their files alone."""

import sys
import types
from pathlib import Path

import pytest

from models.errors import UnknownName
from models.profiles.schema import OPERATIONS
from profiler import measure
from profiler.registry import choose, measurements


def test_every_file_is_found_and_measures_a_known_operation() -> None:
    found = measurements()

    assert set(found) <= set(OPERATIONS)
    files = {p.stem for p in Path(str(measure.__file__)).parent.glob("*.py")} - {"__init__"}
    modules = {type(m).__module__.rpartition(".")[2] for m in found.values()}
    assert modules == files
    assert list(found) == sorted(found)


def test_a_new_measurement_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bmm.py").write_text(
        "from profiler.measurement import Measurement\n"
        "class Bmm(Measurement):\n    operation = 'bmm'\n"
        "    def spaces(self, device, request):\n        return ()\n"
        "MEASUREMENTS = (Bmm(),)\n"
    )
    package = types.ModuleType("extra_measurements")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "extra_measurements", package)

    assert list(measurements(package)) == ["bmm"]

    (tmp_path / "bmm_again.py").write_text((tmp_path / "bmm.py").read_text())
    with pytest.raises(ValueError, match="measures bmm again"):
        measurements(package)
    (tmp_path / "bmm_again.py").write_text("")
    monkeypatch.delitem(sys.modules, "extra_measurements.bmm_again")
    with pytest.raises(ValueError, match="has no MEASUREMENTS"):
        measurements(package)


def test_choosing() -> None:
    assert list(choose(("gemm", "attention"))) == [
        "attention_decode",
        "attention_prefill",
        "gemm",
        "mla_decode",
    ]
    assert choose(()) == measurements()
    with pytest.raises(UnknownName, match="did you mean 'gemm'"):
        choose(("gem",))
