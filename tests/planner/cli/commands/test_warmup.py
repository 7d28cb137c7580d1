"""`fulcrum warmup`."""

from planner.cli.app import run


def test_warmup_says_where_the_kernels_are(capsys):
    from solvers.search.jit import cache_directory

    assert run(["warmup"]) == 0
    assert str(cache_directory()) in capsys.readouterr().out
    assert any(cache_directory().rglob("*.nbi"))
