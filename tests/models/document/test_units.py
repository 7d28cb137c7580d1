"""`models.document.units`: strict quantities."""

from __future__ import annotations

import pytest

from models.document import (
    parse_bandwidth_bytes_per_s,
    parse_duration_ms,
    parse_fraction,
    parse_rate_per_s,
)
from models.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "ms"),
    [("30ms", 30), ("1s", 1000), ("1.5 s", 1500), ("2min", 120_000), ("250us", 0.25), ("1h", 3.6e6)],
)
def test_durations(text: str, ms: float) -> None:
    assert parse_duration_ms(text) == pytest.approx(ms)


@pytest.mark.parametrize(
    "value", ["30", 30, 0.4, "30 msec", "ms", "-1s", "0s", "1e999s", "nan s", "1s1s", None, True, [], ""]
)
def test_bad_durations(value: object) -> None:
    with pytest.raises(InvalidInput):
        parse_duration_ms(value)


@pytest.mark.parametrize(("text", "per_s"), [("8/s", 8), ("480/min", 8), ("3600 / h", 1), ("0.5/s", 0.5)])
def test_rates(text: str, per_s: float) -> None:
    assert parse_rate_per_s(text) == pytest.approx(per_s)


@pytest.mark.parametrize("value", ["8", 8, "8 rps", "-8/s", "0/s", "8/ms", None])
def test_bad_rates(value: object) -> None:
    with pytest.raises(InvalidInput):
        parse_rate_per_s(value)


@pytest.mark.parametrize(("value", "share"), [("10%", 0.1), (0.25, 0.25), (0, 0.0), ("0.5", 0.5), (1, 1.0)])
def test_fractions(value: object, share: float) -> None:
    assert parse_fraction(value) == pytest.approx(share)


@pytest.mark.parametrize("value", [10, "110%", -0.1, "x", float("nan"), True, None, "10 percent"])
def test_bad_fractions(value: object) -> None:
    with pytest.raises(InvalidInput):
        parse_fraction(value)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"), [("25GB/s", 25e9), ("400 Gbit/s", 50e9), ("1.5TB/s", 1.5e12), ("80kB/s", 8e4)]
)
def test_bandwidths(text: str, bytes_per_s: float) -> None:
    assert parse_bandwidth_bytes_per_s(text) == pytest.approx(bytes_per_s)


@pytest.mark.parametrize("value", ["25", 25, "25GB", "25 Gb/s", "25gb/s", "0GB/s", "-1GB/s", None, True])
def test_bad_bandwidths(value: object) -> None:
    with pytest.raises(InvalidInput):
        parse_bandwidth_bytes_per_s(value)
