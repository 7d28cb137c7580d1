"""The service benchmark end to end, small: real servers, real clients in processes of their own."""

from __future__ import annotations

import json

import pytest

from benchmarks.service import main, missed
from benchmarks.service_load.queueing import shares
from benchmarks.service_load.watching import judge


@pytest.mark.slow
def test_watching_and_queueing_in_small(capsys):
    sizes = ["--watchers", "12", "--events", "40", "--plans", "90", "--tenants", "3"]
    main(["--parts", "watching", "queueing", *sizes])
    found = json.loads(capsys.readouterr().out)

    assert found["watching"]["messages"] == 12 * 40
    assert not [line for line in found["missed"] if line.startswith("watchers")]
    assert found["queueing"]["plans"] == 90
    last_half = found["queueing"]["max_over_min_share_at_decile"][5:]
    # Shares are of time: who had a worker's slow first plan has fewer. In the order of arrival the last
    # tenant would have none until two thirds are made.
    assert max(last_half) <= 2.0
    assert last_half[-1] == 1.0
    assert found["queueing"]["server_rss_bytes"] < 2**30


@pytest.mark.slow
def test_reading_in_small(capsys):
    code = main(
        ["--parts", "reading", "--rate", "50", "--seconds", "1", "--read-plans", "1", "--solves", "1"]
    )
    found = json.loads(capsys.readouterr().out)

    assert found["reading"]["codes"] == {"OK": found["reading"]["sent"]}
    assert found["reading"]["plan_bytes"] > 10_000
    assert found["reading"]["p50_ms"] <= found["reading"]["p99_ms"] <= found["reading"]["max_ms"]
    assert code == (found["reading"]["p99_ms"] > 50), "the exit code says whether the target is met"


def test_what_watchers_missed_is_counted():
    seen = [
        {"plan": "a", "seen": [1, 2, 3], "plan_last": True},
        {"plan": "a", "seen": [1, 3, 3], "plan_last": True},
        {"plan": "b", "seen": [2, 1], "plan_last": False},
    ]

    found = judge(seen, {"a": 3, "b": 2})

    assert found == {
        "messages": 8, "missing": 1, "doubled": 1, "out_of_order": 2, "without_the_plan_last": 1,
    }  # fmt: skip
    assert len(missed({"watching": found})) == 4


def test_shares_by_decile():
    fair = ["a", "b"] * 10
    first = ["a"] * 10 + ["b"] * 10

    assert shares(fair, ["a", "b"]) == [1.0] * 10
    assert shares(first, ["a", "b"]) == [None] * 5 + [5.0, 2.5, 1.667, 1.25, 1.0]
    assert missed({"queueing": {"max_over_min_share_at_decile": shares(first, ["a", "b"])}})
