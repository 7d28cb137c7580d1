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
        (["--concurrency", "1", "--acceptance", "0.8"], "give --speculative-tokens with the other flags"),
        (["--concurrency", "1", "--speculative-tokens", "2"], "--acceptance or --acceptance-length"),
        (["--concurrency", "1", "--burstiness", "0.5"], "a closed loop has none"),
        (["--rate", "1", "--burstiness", "0"], "burstiness must be in"),
        (
            ["--concurrency", "1", "--speculative-tokens", "2", "--acceptance-length", "4"],
            "from 1 to 3",
        ),
        (
            ["--concurrency", "1", "--speculative-tokens", "1", "--acceptance", "1", "--draft-model", "x"],
            "draft_model",
        ),
        (["--concurrency", "1", "--speculative-tokens", "2", "--acceptance", "2"], "acceptance of drafts"),
        (["--concurrency", "1", "--reuse", "2"], "reuse must be in 0..1"),
    ],
)
def test_wrong_wishes_are_one_sentence(
    more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*BASE, *more]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_drafts_and_cached_prompts_make_it_faster(capsys: pytest.CaptureFixture[str]) -> None:
    def latency(name: str, *more: str) -> float:
        assert run([*BASE, "--concurrency", "4", *more]) == 0
        line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(name))
        return float(line.split()[1])

    assert latency("TPOT", "--speculative-tokens", "1", "--acceptance", "0.9") < 0.75 * latency("TPOT")
    length = latency("TPOT", "--speculative-tokens", "1", "--acceptance-length", "1.9")
    assert length == latency("TPOT", "--speculative-tokens", "1", "--acceptance", "0.9")
    assert latency("TTFT", "--reuse", "0.8") < latency("TTFT")
