import pytest

from planner.cli.app import run

BASE = ["estimate", "llama-3.1-8b", "--gpu", "h100", "--isl", "500", "--osl", "50"]


def test_prints_latencies_with_intervals_and_basis(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BASE, "--concurrency", "4"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("llama-3.1-8b bf16 on 1 × h100-sxm-80gb (TP1, mixed), vllm, KV cache bf16")
    for word in ("TTFT", "TPOT", "80 % interval", "output tokens/s per GPU", "basis       imported"):
        assert word in text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "give a concurrency or a rate"),
        (["--rate", "1", "--concurrency", "1"], "give a concurrency or a rate"),
        (["--concurrency", "1", "--tp", "3"], "do not divide by TP 3"),
        (["--concurrency", "1", "--engine", "vlm"], "did you mean 'vllm'"),
    ],
)
def test_wrong_wishes_are_one_sentence(
    more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*BASE, *more]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
