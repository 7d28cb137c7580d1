"""`planner.fleet.demand`: rates of traces and shapes over periods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.document import InvalidDocument
from models.errors import InvalidInput
from models.workload import Trace
from planner.fleet import read_fleet
from planner.fleet.demand import trace_demand
from planner.fleet.schema import DemandEntry, PeriodsEntry
from planner.testing import SMALL_FLEET

SECOND = 1000.0
TRACE = Trace(  # 10 a second for 60 s, then 30 a second for 60 s
    arrivals_s=np.concatenate((np.arange(600) / 10, 60 + np.arange(1801) / 30)),
    input_tokens=np.full(2401, 10),
    output_tokens=np.full(2401, 10),
    source="made",
)


def test_mean_and_percentile_of_the_windows() -> None:
    assert trace_demand(TRACE, None, None).rate_per_s == pytest.approx(20.0)
    for percentile, rate in ((50, 10.0), (51, 30.0), (95, 30.0)):
        demand = DemandEntry(percentile=percentile, window="10s")
        assert trace_demand(TRACE, demand, None).rate_per_s == pytest.approx(rate)


def test_periods_of_a_trace_are_its_windows() -> None:
    found = trace_demand(TRACE, None, PeriodsEntry(count=4, length="30s"))
    assert found.rate_per_s == pytest.approx(30.0, rel=0.01)
    assert found.shape == pytest.approx((1 / 3, 1 / 3, 1.0, 1.0), rel=0.01)
    with pytest.raises(InvalidInput, match="lasts 120 s, 5 periods of 30 s"):
        trace_demand(TRACE, None, PeriodsEntry(count=5, length="30s"))
    with pytest.raises(InvalidInput, match="windows of 60 s are longer than 30 s"):
        trace_demand(TRACE, DemandEntry(percentile=95, window="1min"), PeriodsEntry(count=4, length="30s"))


def with_periods(periods: str, shape: str) -> str:
    text = SMALL_FLEET.replace("    rate: 10/s\n", f"    rate: 10/s\n    shape: {shape}\n")
    return f"periods: {periods}\n{text}"


def test_shapes_give_rates_and_the_period_with_most_work_is_placed() -> None:
    fleet = read_fleet(with_periods("{count: 3, length: 8h, start_delay: 5min}", "[0.5, 1.5, 0]"))
    chat, code = fleet.workloads
    assert chat.period_rates_per_s == pytest.approx((5.0, 15.0, 0.0))
    assert code.period_rates_per_s == pytest.approx((4.0, 4.0, 4.0))
    assert fleet.periods is not None
    assert (fleet.periods.placed, fleet.periods.is_a_day, fleet.periods.start_delay_s) == (1, True, 300.0)
    assert chat.rate_per_s == pytest.approx(15.0)
    again = read_fleet(fleet.self_contained)
    assert again.periods == fleet.periods
    assert [w.period_rates_per_s for w in again.workloads] == [w.period_rates_per_s for w in fleet.workloads]
    stated = read_fleet(with_periods("{count: 3, length: 1h, current: 0}", "[0.5, 1.5, 0]"))
    assert stated.workloads[0].rate_per_s == pytest.approx(5.0)
    assert stated.periods is not None
    assert not stated.periods.is_a_day


@pytest.mark.parametrize(
    ("periods", "shape", "said"),
    [
        ("{count: 3, length: 1h}", "[1, 2]", "2 factors; the fleet has 3 factors"),
        ("{count: 2, length: 1h}", "[0, 0]", "not all 0"),
        ("{count: 2, length: 1h, current: 2}", "[1, 2]", "periods count from 0 to 1"),
    ],
)
def test_mistakes(periods: str, shape: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        read_fleet(with_periods(periods, shape))


def test_a_trace_of_a_workload_is_written_into_the_document(tmp_path: Path) -> None:
    rows = [f"2023-11-16 18:{n // 60:02}:{n % 60:02}.0000000,{100 + n},{10 + n}" for n in range(600)]
    (tmp_path / "t.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(rows) + "\n")
    lengths = "    lengths: {levels: [0, 1], input_tokens: [100, 300], output_tokens: [10, 50]}\n"
    text = "periods: {count: 3, length: 3min}\n" + SMALL_FLEET.replace(
        "    rate: 10/s\n" + lengths, "    trace: t.csv\n    scale: 2\n", 1
    )
    fleet = read_fleet(text, base_dir=tmp_path)
    assert fleet.workloads[0].period_rates_per_s == pytest.approx((2.0, 2.0, 2.0))
    again = read_fleet(fleet.self_contained, allow_files=False)
    assert again.workloads[0].period_rates_per_s == fleet.workloads[0].period_rates_per_s


def test_delays_of_changes_default_to_the_next_longer_one() -> None:
    def delays(stated: str) -> tuple[float, float, float]:
        periods = read_fleet(f"periods: {{count: 2, length: 1h, {stated}}}\n{SMALL_FLEET}").periods
        assert periods is not None
        return periods.delays_s

    assert delays("start_delay: 10min") == (600.0, 600.0, 600.0)
    assert delays("start_delay: 10min, reshard: 4min") == (240.0, 240.0, 600.0)
    assert delays("start_delay: 10min, role_switch: 30s") == (30.0, 600.0, 600.0)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("start_delay: 1min, reshard: 2min", "takes longer than start_delay, which does more: at most 60s"),
        ("start_delay: 9min, reshard: 2min, role_switch: 3min", "takes longer than reshard"),
    ],
)
def test_a_smaller_change_takes_no_longer_than_a_larger_one(stated: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        read_fleet(f"periods: {{count: 2, length: 1h, {stated}}}\n{SMALL_FLEET}")
