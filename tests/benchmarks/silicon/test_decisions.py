from benchmarks.silicon.decisions import Option, judge, judge_by_chance


def option(tpot: float, predicted: float, tokens: float) -> Option:
    return Option(
        group="g",
        measured_tpot_ms=tpot,
        predicted_tpot_ms=predicted,
        measured_tokens_per_s_per_gpu=tokens,
        predicted_tokens_per_s_per_gpu=tokens,
        tpot_interval_ms=(0.88 * predicted, 1.14 * predicted),
    )


def test_a_margin_avoids_a_pick_that_misses_its_target() -> None:
    # the target is the median, 25: the fastest is predicted at 24 and measured at 30
    options = [option(10, 10, 1.0), option(20, 20, 2.0), option(30, 24, 3.0), option(40, 40, 4.0)]
    bold, careful = judge(options, margin=1.0), judge(options, margin=1.1)
    assert (bold.groups, bold.keeps_target, bold.top_three) == (1, 0.0, 0.0)
    assert (careful.groups, careful.keeps_target, careful.top_three) == (1, 100.0, 100.0)


def test_small_groups_and_groups_without_a_pick_are_left_out() -> None:
    assert judge([option(10, 10, 1.0)] * 3, margin=1.0).groups == 0
    assert judge([option(10, 99, 1.0)] * 4, margin=1.0).groups == 0


def test_chance_prefers_what_surely_keeps_the_target() -> None:
    # 24 of 25 allowed leaves a chance of two in three for one run: half the tokens are worth as much
    close = [option(10, 10, 1.0), option(20, 20, 2.8), option(30, 24, 3.0), option(40, 40, 4.0)]
    assert judge_by_chance(close).keeps_target == 100.0
    far = [option(10, 10, 1.0), option(20, 20, 1.2), option(24.5, 24, 3.0), option(40, 40, 4.0)]
    assert judge_by_chance(far).top_three == 100.0
