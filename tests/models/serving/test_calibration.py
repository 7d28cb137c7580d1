import pytest

from models.errors import UnknownName
from models.serving import engine_names
from models.serving.calibration import calibration


@pytest.mark.parametrize("name", engine_names())
def test_every_engine_is_calibrated_and_near_its_tables(name: str) -> None:
    for generation in ("hopper", "blackwell"):
        found = calibration(name, generation)
        assert found.rows > 50
        # the tables are good: constants that stray far would be fitting something else
        assert 0.5 < found.overheads.linear_scale < 1.2
        assert 0.6 < found.overheads.prefill_scale < 1.4
        assert found.tpot.low < 1.05
        assert found.tpot.high > 0.95
        assert found.tpot.interval(10.0) == (10 * found.tpot.low, 10 * found.tpot.high)


def test_other_generations_take_hopper_and_other_engines_are_refused() -> None:
    assert calibration("vllm", "ampere") is calibration("vllm", "hopper")
    with pytest.raises(UnknownName, match="did you mean 'vllm'"):
        calibration("vlm", "hopper")
