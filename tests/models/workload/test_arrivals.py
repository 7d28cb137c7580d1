import numpy as np
import pytest

from models.errors import InvalidInput
from models.workload.arrivals import arrivals_s


@pytest.mark.parametrize("variation", [0.0, 0.5, 1.0, 3.0])
def test_rate_and_variation_are_as_asked(variation: float) -> None:
    gaps = np.diff(arrivals_s(200_000, 5.0, variation=variation, seed=1))
    assert gaps.mean() == pytest.approx(0.2, rel=0.03)
    assert gaps.std() / gaps.mean() == pytest.approx(variation, rel=0.03, abs=1e-9)
    assert (gaps >= 0).all()


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert (arrivals_s(50, 1.0, seed=3) == arrivals_s(50, 1.0, seed=3)).all()
    assert (arrivals_s(50, 1.0, seed=3) != arrivals_s(50, 1.0, seed=4)).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, 1.0), "at least one"), ((1, 0.0), "rate must be"), ((1, float("nan")), "rate must be")],
)
def test_what_cannot_be_is_refused(arguments: tuple[int, float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        arrivals_s(*arguments)
    with pytest.raises(InvalidInput, match="coefficient of variation"):
        arrivals_s(1, 1.0, variation=-1.0)
