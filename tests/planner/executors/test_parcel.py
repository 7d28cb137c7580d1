"""What goes between processes arrives as it was."""

import pickle
from pathlib import Path
from types import MappingProxyType

import pytest

from models.errors import InvalidInput, SolverFailed, UnknownName, Unsupported
from planner.executors.parcel import pack, portable_error, unpack
from planner.fleet import read_fleet_file

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[3] / "examples").glob("*.yaml")
    if "\npools:" in path.read_text() and "trace:" not in path.read_text()  # traces are not shipped
)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_fleets(path):
    fleet = read_fleet_file(path)
    again = unpack(pack(fleet))
    assert again.digest == fleet.digest
    assert again.pools == fleet.pools
    assert pack(again) == pack(unpack(pack(again)))


def test_read_only_mappings_stay_read_only():
    again = unpack(pack(MappingProxyType({"a": 1})))
    assert again == {"a": 1}
    with pytest.raises(TypeError):
        again["a"] = 2


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInput("wrong", path=("pools", 0), source="fleet.yaml", line=3), InvalidInput),
        (UnknownName("pool", "h10", ["h100"], path=("pools", 0)), InvalidInput),
        (Unsupported("not here"), Unsupported),
        (OSError(5, "disk"), SolverFailed),
    ],
)
def test_errors_say_the_same_after_the_way(error, kind):
    try:
        raise error
    except Exception as raised:  # noqa: BLE001
        again = pickle.loads(pack(portable_error(raised)))
    assert type(again) is kind
    assert str(error) in str(again)
