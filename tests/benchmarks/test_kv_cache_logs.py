import pytest

from benchmarks.kv_cache_logs import Log, main, read_logs

TOLERANCE = {"vllm": 0.07, "sglang": 0.10}
"""What communication and the allocator take of SGLang's static share is more than we know of."""


@pytest.mark.parametrize("log", [log for log in read_logs() if not log.fault], ids=lambda log: log.name)
def test_the_cache_is_as_large_as_the_engine_logged(log: Log) -> None:
    (limit,) = (share for name, share in TOLERANCE.items() if f", {name} " in log.name)
    assert abs(log.error) <= limit


def test_faults_are_told_apart_and_every_log_has_an_address() -> None:
    logs = read_logs()
    assert all(log.source.startswith("https://") for log in logs)
    assert {log.name.partition(",")[0] for log in logs if log.fault} == {
        "qwen3-235b-a22b-fp8",
        "gpt-oss-120b",
    }


def test_gpt_oss_takes_the_memory_that_vllm_logs_for_its_weights() -> None:
    weights = {log.name.partition(",")[0]: log.weights_gib for log in read_logs()}
    assert weights["gpt-oss-120b"] == pytest.approx(65.97, rel=0.005)
    assert weights["gpt-oss-20b"] == pytest.approx(13.72, rel=0.005)
    assert weights["qwen3-30b-a3b"] == pytest.approx(14.2474, rel=0.005)


def test_the_command_prints_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(read_logs())
