import os
from pathlib import Path

import pytest

from models.errors import InvalidInput, UnknownName
from planner.split.performance_table import read_performance_table

DATA = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[4] / "shared" / "data")) / "splitwise"
HEADER = "model,hardware,prompt_size,batch_size,prompt_time,token_time,tensor_parallel\n"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "perf_model.csv"
    rows = ["100,1,10,20", "100,1,12,20", "100,1,99,22", "200,1,30,24", "100,2,34,26", "400,1,60,40"]
    file.write_text(HEADER + "".join(f"m,h,{r},8\n" for r in rows))
    return file


def test_medians_by_batch_tokens_and_lines_between_them(path):
    table = read_performance_table(path, "m", "h", 8)
    assert table.prefill_ms([100]) == 12
    assert table.prefill_ms([50, 100]) == pytest.approx((12 + 32) / 2)
    assert table.prefill_ms([10]) == 12
    assert table.prefill_ms([600]) == pytest.approx(60 + 28)
    assert table.decode_ms(3, 300) == pytest.approx((25 + 40) / 2)


def test_the_released_reading_looks_decoding_up_by_requests(path):
    table = read_performance_table(path, "m", "h", 8, decode_tokens="new")
    assert table.decode_ms(150, 10**6) == pytest.approx((20 + 25) / 2)


def test_a_missing_combination_is_named(path):
    with pytest.raises(UnknownName, match="'m on h TP8'"):
        read_performance_table(path, "m", "h", 4)


def test_another_file_is_refused(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="not a table of prompt and token times"):
        read_performance_table(file, "m", "h", 8)


@pytest.mark.skipif(not DATA.exists(), reason="the shared measurement files are not here (FULCRUM_DATA)")
def test_an_h100_beats_an_a100_in_both_phases_and_by_more_in_prefill():
    a100, h100 = (
        read_performance_table(DATA / "perf_model.csv", "llama2-70b", f"{g}-80gb", 8)
        for g in ("a100", "h100")
    )
    prompt = a100.prefill_ms([1500]) / h100.prefill_ms([1500])
    token = a100.decode_ms(1, 1500) / h100.decode_ms(1, 1500)
    assert prompt > token > 1
