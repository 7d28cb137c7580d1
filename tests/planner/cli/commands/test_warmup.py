"""`fulcrum warmup`."""

from planner.cli.app import run


def test_warmup_says_where_the_kernels_are(capsys):
    from solvers.search.jit import cache_directory

    assert run(["warmup"]) == 0
    assert str(cache_directory()) in capsys.readouterr().out
    assert any(cache_directory().rglob("*.nbi"))


def test_the_simulator_is_compiled_too():
    from models.serving.simulation.loop import run as loop

    assert run(["warmup", "--json"]) == 0
    assert loop.signatures
