import json

import pytest

from models.errors import InvalidInput, UnknownName
from planner.split import read_coefficients

ENTRY = {
    "prefill": [10, 0.1, 1e-3],
    "decoding_smallbs": [5, 0.01, 0.2],
    "decoding_largebs": [1, 0.02, 0.3],
    "decoding_large_small_bs_threshold": 4,
}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"opt": {"2": ENTRY, "1": ENTRY}}))
    return file


def test_times_by_hand(path):
    latency = read_coefficients(path, "opt", pipeline_overhead_ms=1.0)[2].piped(2)
    assert latency.prefill_ms([100, 50]) == pytest.approx((10 + 15 + 12.5) / 2 + 2)
    assert latency.decode_ms(3, 300) == pytest.approx((5 + 3 + 0.6) / 2)
    assert latency.decode_ms(4, 300) == pytest.approx((1 + 6 + 1.2) / 2)


def test_degrees_are_sorted_numbers(path):
    assert list(read_coefficients(path, "opt")) == [1, 2]


def test_an_unknown_model_is_named(path):
    with pytest.raises(UnknownName, match="did you mean 'opt'"):
        read_coefficients(path, "otp")


def test_another_file_is_refused(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"opt": {"1": {}}}')
    with pytest.raises(InvalidInput, match="not a DistServe latency profile"):
        read_coefficients(file, "opt")
