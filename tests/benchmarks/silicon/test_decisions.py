import pytest

from benchmarks.silicon.decisions import Option, judge, judge_by_chance, one_each


def option(
    tpot: float, predicted: float, tokens: float, *, name: str = "", bias: float = 1.0, group: str = "g"
) -> Option:
    return Option(
        group=group,
        configuration=name or (tpot, predicted, tokens),
        tokens_per_s_per_gpu=(tokens, tokens),
        tpot_ms=(tpot, predicted),
        tpot_interval_ms=(0.877 * bias * predicted, 1.14 * bias * predicted),
    )


def test_a_margin_avoids_a_pick_that_misses_its_target() -> None:
    # the target is the median, 25: the fastest is predicted at 24 and measured at 30
    options = [option(10, 10, 1.0), option(20, 20, 2.0), option(30, 24, 3.0), option(40, 40, 4.0)]
    bold, careful = judge(options, margin=1.0), judge(options, margin=1.1)
    assert (bold.groups, bold.keeps_target, bold.top_three) == (1, 0.0, 0.0)
    assert (careful.groups, careful.keeps_target, careful.top_three) == (1, 100.0, 100.0)


def test_small_groups_and_groups_without_a_pick_are_left_out() -> None:
    small = [option(10 + n, 10, 1.0) for n in range(3)]
    assert judge(small, margin=1.0).groups == 0
    assert judge([option(10 + n, 99, 1.0) for n in range(4)], margin=1.0).groups == 0


def test_runs_of_one_configuration_are_one_choice() -> None:
    runs = [option(10, 10, 1.0, name="a"), option(20, 10, 3.0, name="a"), option(30, 30, 2.0, name="b")]
    first, second = one_each([*runs, option(30, 30, 2.0, name="b", group="other")])[:2]
    assert first.tpot_ms == (15.0, 10.0)
    assert first.tokens_per_s_per_gpu == (2.0, 2.0)
    assert second == runs[2]
    # four runs of three configurations are no group of four
    assert judge([*runs, option(40, 40, 4.0, name="c")], margin=1.0).groups == 0


def test_runs_do_not_push_a_configuration_down_the_ranks() -> None:
    # the best that keeps 22, twice, and the next: the pick is the third configuration, and would be fourth
    best = [option(20, 21, 4.0, name="a"), option(20.2, 21, 4.0, name="a"), option(18, 21, 3.0, name="b")]
    rest = [option(10, 10, 2.0, name="c"), option(24, 24, 5.0, name="d"), option(30, 30, 6.0, name="e")]
    found = judge([*best, *rest, option(40, 40, 7.0, name="f")], margin=1.3)
    assert (found.groups, found.keeps_target, found.top_three) == (1, 100.0, 100.0)


def test_chance_prefers_what_surely_keeps_the_target() -> None:
    # 24 of 25 allowed leaves a chance of two in three for one run: half the tokens are worth as much
    close = [option(10, 10, 1.0), option(20, 20, 2.8), option(30, 24, 3.0), option(40, 40, 4.0)]
    assert judge_by_chance(close).keeps_target == 100.0
    far = [option(10, 10, 1.0), option(20, 20, 1.2), option(24.5, 24, 3.0), option(40, 40, 4.0)]
    assert judge_by_chance(far).top_three == 100.0


@pytest.mark.parametrize(("bias", "kept"), [(1.0, 0.0), (1.25, 100.0)])
def test_chance_knows_that_predictions_have_been_low(bias: float, kept: float) -> None:
    # predicted at 20.5 of 25 allowed, measured at 30: an interval around 25.6 warns
    options = [option(10, 10, 1.0), option(20, 16, 1.6, bias=bias), option(30, 20.5, 3.0, bias=bias)]
    assert judge_by_chance([*options, option(40, 40, 4.0)]).keeps_target == kept
