"""Small files that become large when they are read: refused, in bounded memory, and the next is read."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from formula import write_formula_profile

from benchmarks.service_load.server import memory_bytes
from planner.service.errors import StatusError
from planner.service.executor import ProcessExecutor
from planner.service.profile_check import ProfileToCheck
from planner.service.profile_limits import ProfileLimits
from planner.service.protos import code_pb2

LIMITS = ProfileLimits()
REFUSED = {code_pb2.INVALID_ARGUMENT, code_pb2.RESOURCE_EXHAUSTED}

pytestmark = pytest.mark.usefixtures("_scripted")


@pytest.fixture
def good(tmp_path: Path) -> ProfileToCheck:
    folder = write_formula_profile(tmp_path, "good").folder
    return ProfileToCheck(
        folder=str(folder), manifest_json=(folder / "manifest.json").read_text(),
        row_count=LIMITS.row_count, unpacked_bytes=LIMITS.unpacked_bytes,
    )  # fmt: skip


def with_gemm(good: ProfileToCheck, folder: Path, table: pa.Table, **written) -> ProfileToCheck:
    """`good` with another table of products, whose manifest tells the truth about the file."""
    folder.mkdir()
    for path in Path(good.folder).glob("*.parquet"):
        (folder / path.name).write_bytes(path.read_bytes())
    pq.write_table(table, folder / "gemm.parquet", compression="zstd", **written)
    return declared(replace(good, folder=str(folder)), table.num_rows)


def declared(asked: ProfileToCheck, rows: int) -> ProfileToCheck:
    manifest = json.loads(asked.manifest_json)
    content = (Path(asked.folder) / "gemm.parquet").read_bytes()
    manifest["tables"]["gemm"] |= {"rows": rows, "sha256": hashlib.sha256(content).hexdigest()}
    return replace(asked, manifest_json=json.dumps(manifest))


def refusals(*asked: ProfileToCheck, after: ProfileToCheck, memory: int) -> tuple[list[int], int]:
    """The codes with which these are refused, and the most memory a process had when `after` is read too."""

    async def main() -> tuple[list[int], int]:
        executor = ProcessExecutor("scripted_backend:ScriptedBackend", memory_bytes=memory)
        codes = []
        try:
            for one in asked:
                with pytest.raises(StatusError) as refused:
                    await executor.check_profile("red", one)
                codes.append(refused.value.status.code)
            assert (await executor.check_profile("red", after)).digest
            assert executor.restart_count == 0, "a process was lost"
            running = {worker.process_id for worker in executor._inspectors._workers} - {None}
            return codes, max(memory_bytes(process_id)[1] for process_id in running)
        finally:
            await executor.close()

    return asyncio.run(main())


def repeated(good: ProfileToCheck, rows: int, **columns: str) -> pa.Table:
    """The first row of the table of products so many times, with a text in some columns."""
    table = pq.read_table(Path(good.folder) / "gemm.parquet").slice(0, 1)
    nothing = pa.array([0] * rows, type=pa.int32())
    arrays = [
        pa.DictionaryArray.from_arrays(nothing, [columns[name]])
        if name in columns
        else table[name].combine_chunks().take(nothing)
        for name in table.column_names
    ]
    return pa.table(arrays, names=table.column_names)


def test_a_long_label_that_a_million_rows_share_is_refused(good, tmp_path) -> None:
    """Some kilobytes of file; 120 GB as an array of texts."""
    table = repeated(good, 1_000_000, library="x" * 30_000)
    bomb = with_gemm(good, tmp_path / "bomb", table)
    assert (Path(bomb.folder) / "gemm.parquet").stat().st_size < 200_000
    codes, most = refusals(bomb, after=good, memory=2**30)
    assert set(codes) <= REFUSED
    assert most < 2**30


def varint(number: int) -> bytes:
    """As Thrift's compact protocol writes an i64: zigzag, seven bits a byte."""
    rest, out = number << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def test_a_footer_that_lies_about_the_size_does_not_help(good, tmp_path) -> None:
    """80 MB of text, a third of a gigabyte as an array, in a file that says two megabytes."""
    rows, said = 1_000_000, 2**21
    table = repeated(good, rows)
    at = table.column_names.index("library")
    table = table.set_column(at, "library", pa.array(["y" * 80] * rows))
    honest = with_gemm(
        replace(good, unpacked_bytes=2 * said), tmp_path / "bomb", table,
        use_dictionary=False, row_group_size=rows, data_page_size=2**24,
    )  # fmt: skip
    path = Path(honest.folder) / "gemm.parquet"
    content, true = path.read_bytes(), pq.read_metadata(path).row_group(0).total_byte_size
    assert true > 80 * rows
    assert len(content) < 2_000_000
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    assert len(varint(said)) == len(varint(true))
    assert content[footer:].count(varint(true)) == 1
    path.write_bytes(content[:footer] + content[footer:].replace(varint(true), varint(said)))
    assert pq.read_metadata(path).row_group(0).total_byte_size == said

    codes, most = refusals(honest, declared(honest, rows), after=good, memory=400 * 2**20)
    assert codes[0] == code_pb2.INVALID_ARGUMENT  # the checksum
    assert codes[1] in REFUSED
    assert most < 400 * 2**20
