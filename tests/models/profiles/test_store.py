"""Profile folders: what is written is read back, damage is found, replacing is whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import FulcrumError, InvalidInput, Unavailable, UnknownName, Unsupported
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import (
    list_profiles,
    read_manifest,
    read_profile,
    recover_folder,
    write_profile,
)
from models.profiles.table import OperationTable


def manifest(**changes: object) -> Manifest:
    values: dict[str, object] = {
        "name": "toy",
        "gpu": "",
        "device": DeviceInfo(name="Toy", kind="cpu"),
        "created": "2026-11-20",
        "basis": "measured",
        "source": "a test",
        "licence": "Apache-2.0",
    }
    return Manifest(**(values | changes))  # type: ignore[arg-type]


def gemm(rows: int = 4, **changes: object) -> OperationTable:
    columns: dict[str, object] = {
        "library": "numpy",
        "dtype": "fp32",
        "m": 2 ** np.arange(rows)[::-1],
        "n": 64,
        "k": 64,
        "latency_us": np.linspace(4.0, 1.0, rows),
    }
    return OperationTable.build("gemm", columns | changes)


def test_round_trip_keeps_every_column(tmp_path: Path) -> None:
    table = gemm(
        p10_latency_us=np.array([3.5, 2.5, np.nan, 0.5]),
        p90_latency_us=5.0,
        samples=[9, 9, 1, 9],
        contended=True,
    )
    written = write_profile(tmp_path / "toy", manifest(), {"gemm": table})
    back = read_profile(tmp_path / "toy", eager=True)

    assert back.manifest == written
    again = back.table("gemm")
    for column, values in table.sorted().columns.items():
        assert again[column].dtype.kind == values.dtype.kind
        np.testing.assert_array_equal(again[column], values, err_msg=column)


def test_rows_are_sorted_and_bytes_repeat(tmp_path: Path) -> None:
    first = write_profile(tmp_path / "a", manifest(), {"gemm": gemm()})
    shuffled = gemm().take(np.array([2, 0, 3, 1]))
    second = write_profile(tmp_path / "b", manifest(), {"gemm": shuffled})

    assert first == second
    assert list(read_profile(tmp_path / "a").table("gemm")["m"]) == [1, 2, 4, 8]


def test_tables_may_come_from_elsewhere(tmp_path: Path) -> None:
    write_profile(
        tmp_path / "toy", manifest(), {"gemm": gemm()}, sources={"gemm": ("imported", "someone's tables")}
    )
    entry = read_manifest(tmp_path / "toy").tables["gemm"]

    assert (entry.basis, entry.source) == ("imported", "someone's tables")
    with pytest.raises(UnknownName, match="'gem'"):
        write_profile(tmp_path / "x", manifest(), {"gemm": gemm()}, sources={"gem": ("imported", "?")})


def test_damaged_file_is_found(tmp_path: Path) -> None:
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})
    path = tmp_path / "toy" / "gemm.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))

    with pytest.raises(InvalidInput, match=r"gemm\.parquet: checksum"):
        read_profile(tmp_path / "toy").table("gemm")
    path.unlink()
    with pytest.raises(InvalidInput, match="not there"):
        read_profile(tmp_path / "toy", eager=True)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"schema_version": 99}, Unsupported, "schema version 99"),
        ({"colour": "red"}, UnknownName, "unknown key 'colour'"),
        ({"basis": "guessed"}, UnknownName, "unknown basis 'guessed'"),
        ({"created": "yesterday"}, InvalidInput, "no date"),
        ({"name": 3}, InvalidInput, "name: expected str, got int"),
        ({"licence": ""}, InvalidInput, "must state its licence"),
        ({"device": {"kind": "cpu"}}, InvalidInput, "device: key 'name' is missing"),
        ({"tables": {"gem": {}}}, UnknownName, "did you mean 'gemm'"),
    ],
)
def test_bad_manifest_says_where(
    tmp_path: Path, change: dict[str, object], error: type[FulcrumError], message: str
) -> None:
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})
    path = tmp_path / "toy" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(error, match=message) as caught:
        read_manifest(tmp_path / "toy")
    assert str(path) in str(caught.value)


def test_a_file_outside_the_folder_is_refused(tmp_path: Path) -> None:
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})
    path = tmp_path / "toy" / "manifest.json"
    data = json.loads(path.read_text())
    data["tables"]["gemm"]["file"] = "../elsewhere.parquet"
    path.write_text(json.dumps(data))

    with pytest.raises(InvalidInput, match="must lie in"):
        read_profile(tmp_path / "toy").table("gemm")


def test_replacing_needs_permission_and_spares_other_folders(tmp_path: Path) -> None:
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})
    with pytest.raises(InvalidInput, match="exists"):
        write_profile(tmp_path / "toy", manifest(), {"gemm": gemm(2)})
    assert len(read_profile(tmp_path / "toy").table("gemm")) == 4

    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm(2)}, replace_existing=True)
    assert len(read_profile(tmp_path / "toy").table("gemm")) == 2

    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "diary.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="is no profile"):
        write_profile(tmp_path / "notes", manifest(), {"gemm": gemm()}, replace_existing=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes", "toy"]


def test_a_failed_write_leaves_the_old_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})

    def broken(self: Path, target: Path) -> Path:
        if target.name == "toy" and ".new-" in self.name:
            raise OSError("disk full")
        return rename(self, target)

    rename = Path.rename
    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="disk full"):
        write_profile(tmp_path / "toy", manifest(), {"gemm": gemm(2)}, replace_existing=True)

    assert len(read_profile(tmp_path / "toy").table("gemm")) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["toy"]


def test_missing_things_are_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no profile"):
        read_profile(tmp_path / "none")
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})
    with pytest.raises(Unavailable, match="no moe table"):
        read_profile(tmp_path / "toy").table("moe")
    assert [p.name for p in list_profiles(tmp_path)] == ["toy"]
    assert list_profiles(tmp_path / "none") == ()


def test_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no tables"):
        write_profile(tmp_path / "toy", manifest(), {})
    with pytest.raises(InvalidInput, match="holds gemm points"):
        write_profile(tmp_path / "toy", manifest(), {"moe": gemm()})
    assert list(tmp_path.iterdir()) == []


def test_recovery_after_a_kill_between_the_two_renames(tmp_path: Path) -> None:
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm()})
    (tmp_path / "toy").rename(tmp_path / ".toy.old-1")
    (tmp_path / ".toy.new-x").mkdir()
    recover_folder(tmp_path / "toy")

    assert len(read_profile(tmp_path / "toy", eager=True).table("gemm")) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["toy"]


def test_recovery_prefers_the_new_profile(tmp_path: Path) -> None:
    write_profile(tmp_path / ".toy.old-1", manifest(), {"gemm": gemm(4)})
    write_profile(tmp_path / "toy", manifest(), {"gemm": gemm(2)})
    recover_folder(tmp_path / "toy")

    assert len(read_profile(tmp_path / "toy").table("gemm")) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["toy"]
