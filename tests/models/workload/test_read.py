import os
from pathlib import Path

import numpy as np
import pytest

from models.errors import FulcrumError, InvalidInput, UnknownName
from models.workload import Columns, read_azure_trace, read_trace

DATA = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[4] / "shared" / "data")) / "traces"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared traces are not there")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_mooncake_lines_with_their_blocks(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "t.jsonl",
        '{"timestamp": 3000, "input_length": 1100, "output_length": 5, "hash_ids": [7, 8, 9]}\n'
        '{"timestamp": 1000, "input_length": 600, "output_length": 6, "hash_ids": [7, 10]}\n',
    )
    trace = read_trace(path)
    assert trace.arrivals_s.tolist() == [0.0, 2.0]
    assert trace.input_tokens.tolist() == [600, 1100]
    assert trace.prefixes is not None
    assert trace.prefixes.names.tolist() == [7, 10, 7, 8, 9]
    whole = trace.prefixes.whole(trace.input_tokens)
    assert np.diff(whole.first).tolist() == [1, 2]  # 600 and 1,100 tokens have one and two whole blocks
    assert trace.prefixes.repeated_share(trace.input_tokens) == 512 / 1700
    assert trace.scaled(2.0).prefixes is trace.prefixes


def test_burstgpt_leaves_failed_requests_out(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "b.csv",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,ChatGPT,472,18,490,Conversation log\n"
        "45,ChatGPT,1087,0,1087,Conversation log\n"
        "118,GPT-4,417,276,693,API\n",
    )
    trace = read_trace(path)
    assert trace.arrivals_s.tolist() == [0.0, 113.0]
    assert trace.output_tokens.tolist() == [18, 276]


def test_any_columns_by_their_names(tmp_path: Path) -> None:
    path = write(
        tmp_path, "own.csv", "when,in,out,who\n2024-05-01T10:00:01.5Z,10,1,a\n2024-05-01T10:00:00,20,2,b\n"
    )
    trace = read_trace(path, Columns.parse("arrival=when, input=in, output=out"))
    assert trace.arrivals_s.tolist() == [0.0, 1.5]
    assert trace.input_tokens.tolist() == [20, 10]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "x,y\n1,2\n", "no known format"),
        ("a.csv", "Timestamp,Request tokens,Response tokens\n1,2\n", "expected 3 fields"),
        ("a.csv", "Timestamp,Request tokens,Response tokens\nsoon,2,3\n", "seconds or a date"),
        ("a.csv", "Timestamp,Request tokens,Response tokens\ninf,2,3\n", "must be finite"),
        ("a.csv", "Timestamp,Request tokens,Response tokens\n1,0,3\n", "at least 1"),
        ("a.csv", "Timestamp,Request tokens,Response tokens\n", "no request"),
        ("a.jsonl", "", "empty"),
        ("a.jsonl", "{", "not JSON"),
        ("a.jsonl", "[1]", "JSON object"),
        ("a.jsonl", '{"timestamp": 1}', "input_length, output_length missing"),
        ("a.jsonl", '{"timestamp": "x", "input_length": 1, "output_length": 1}', "number of ms"),
        ("a.jsonl", '{"timestamp": 1, "input_length": 1.5, "output_length": 1}', "whole number"),
        (
            "a.jsonl",
            '{"timestamp": 1, "input_length": 9, "output_length": 1, "hash_ids": [1, 2]}',
            "2 hash_ids",
        ),
        (
            "a.jsonl",
            '{"timestamp": 1, "input_length": 9, "output_length": 1, "hash_ids": 3}',
            "must be a list",
        ),
    ],
)
def test_what_is_no_trace_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_trace(write(tmp_path, name, text))


@pytest.mark.parametrize("text", ["arrival=a,input=b", "arrival", "arrival=a,arrival=b,input=c", "when=a"])
def test_column_maps_that_cannot_be(text: str) -> None:
    with pytest.raises(FulcrumError):
        Columns.parse(text)


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="tokens_in"):
        read_trace(
            write(tmp_path, "a.csv", "when,in,out\n1,2,3\n"),
            Columns.parse("arrival=when,input=tokens_in,output=out"),
        )
    with pytest.raises(InvalidInput, match="cannot read"):
        read_trace(tmp_path / "missing.csv")


@needs_data
def test_the_azure_trace_reads_alike_both_ways() -> None:
    path = DATA / "azure_llm_2023_code.csv"
    one, other = read_azure_trace(path), read_trace(path)
    assert (one.arrivals_s == other.arrivals_s).all()
    assert (one.input_tokens == other.input_tokens).all()


@needs_data
def test_the_mooncake_conversation_trace() -> None:
    trace = read_trace(DATA / "mooncake_conversation.jsonl")
    assert len(trace) == 12_031
    assert trace.prefixes is not None
    assert 0.3 < trace.prefixes.repeated_share(trace.input_tokens) < 0.5
