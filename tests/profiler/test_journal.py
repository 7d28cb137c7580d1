"""The journal: whole lines only, one writer, one device."""

import math
from pathlib import Path

import pytest

from models.errors import InvalidInput, Unavailable
from profiler.journal import Entry, Journal, journal_path

ME = {"device": "X", "library": "y-1"}


def entry(size: float, **changes: object) -> Entry:
    values: dict[str, object] = {
        "operation": "hbm",
        "point": {"access": "read", "size_bytes": size},
        "value": 2.5,
    }
    return Entry(**(values | changes))  # type: ignore[arg-type]


def test_what_is_appended_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, ME) as journal:
        journal.append(entry(1.0, p10=2.0, p90=3.0, samples=7, kernel="é", contended=True))
        journal.append(entry(2.0, value=math.nan, refused="out of memory"))
    with Journal(path, ME) as journal:
        first, second = journal.entries

    assert (first.value, first.samples, first.kernel, first.contended) == (2.5, 7, "é", True)
    assert math.isnan(first.temperature_c)
    assert math.isnan(second.value)
    assert second.refused == "out of memory"


def test_every_cut_of_the_file_recovers_its_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, ME) as journal:
        for size in range(3):
            journal.append(entry(float(size)))
    data = path.read_bytes()
    ends = [i + 1 for i, b in enumerate(data) if b == 10]
    near_ends = {e + d for e in ends for d in (-1, 0, 1)}
    for cut in sorted({0, 1, *range(3, len(data), 37), *near_ends} - {len(data) + 1}):
        path.write_bytes(data[:cut])
        with Journal(path, ME) as journal:
            assert len(journal.entries) == max(0, sum(e <= cut for e in ends) - 1)
            journal.append(entry(9.0))
        with Journal(path, ME) as journal:
            assert journal.entries[-1].point["size_bytes"] == 9.0


def test_damage_in_the_middle_is_not_skipped(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, ME) as journal:
        journal.append(entry(1.0))
        journal.append(entry(2.0))
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1][:-5]
    path.write_bytes(b"\n".join(lines))

    with pytest.raises(InvalidInput, match=r"j:2: this line of the journal is damaged.*--fresh"):
        Journal(path, ME)


def test_another_device_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, ME):
        pass
    with pytest.raises(InvalidInput, match="measured device 'X', now it is 'Z'"):
        Journal(path, ME | {"device": "Z"})


def test_two_runs_cannot_share_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, ME), pytest.raises(Unavailable, match="another run is writing"):
        Journal(path, ME)


def test_another_version(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, ME):
        pass
    with path.open("a") as file:
        file.write('{"operation":"hbm","speed":1}\n')
    with pytest.raises(InvalidInput, match="another version"):
        Journal(path, ME)


def test_it_lies_hidden_beside_the_profile(tmp_path: Path) -> None:
    assert journal_path(tmp_path / "h200") == tmp_path / ".h200.journal"
