import pytest

from benchmarks.silicon.recipes import (
    ACCEPTANCE,
    clients,
    decode_seats,
    drafts,
    most_clients,
    replicas_wait,
    token_budget,
)
from models.serving import Parallelism

ROW = {
    "id": "dsr1_c36",
    "silicon_data_source": "config_id=320; silicon_concurrency=36; measured=2026-01-14T00:00:00.000Z",
    "backend": "trtllm",
    "model_path": "deepseek-ai/DeepSeek-R1",
    "isl": "1024",
    "osl": "1024",
}
TENSOR, REPLICAS = Parallelism(tensor_parallel_size=8), Parallelism(data_parallel_size=8)


def source(text: str) -> dict[str, str]:
    return {**ROW, "silicon_data_source": text}


def test_clients_are_those_of_the_source() -> None:
    assert clients(ROW) == 36
    assert clients(source("gtl_job_id=3")) is None


def test_rows_of_one_recipe_and_one_shape_share_their_largest_sweep() -> None:
    many = source("config_id=320; silicon_concurrency=180")
    other_shape = {**many, "isl": "8192"}
    alone = source("silicon_concurrency=999")
    assert most_clients([ROW, many, other_shape, alone]) == [180, 180, 180, 999]
    assert most_clients([ROW, other_shape]) == [36, 180]


@pytest.mark.parametrize(
    ("share", "most", "seats"), [(36, "180", 32), (3, "180", 32), (11, "", 8), (8, "", 8)]
)
def test_tensorrt_llm_seats_a_power_of_two_for_its_largest_sweep(share: int, most: str, seats: int) -> None:
    assert decode_seats({**ROW, "recipe_clients": most}, share, 5, TENSOR) == seats


def test_replicas_and_other_engines_seat_what_they_are_sent() -> None:
    assert decode_seats(ROW, 36, 1, REPLICAS) == 36
    assert decode_seats({**ROW, "backend": "sglang"}, 36, 1, TENSOR) == 36


def test_sweeps_with_drafts_are_told_by_their_day_and_engine() -> None:
    three, one = drafts(ROW, TENSOR), drafts(ROW, REPLICAS)
    assert three is not None
    assert one is not None
    assert (three.tokens, one.tokens, three.acceptance) == (3, 1, ACCEPTANCE)
    assert drafts(source("silicon_concurrency=36; measured=2026-02-03T00:00:00.000Z"), TENSOR) is None
    assert drafts(source("silicon_concurrency=36"), TENSOR) is None
    assert drafts({**ROW, "backend": "sglang"}, TENSOR) is None
    assert drafts({**ROW, "model_path": "openai/gpt-oss-120b"}, TENSOR) is None


@pytest.mark.parametrize(
    ("day", "clients", "parallelism", "budget"),
    [
        ("2025-11-02", 36, TENSOR, 1152),  # 1024 + 36 + 64, rounded up
        ("2026-02-03", 36, TENSOR, 8192),
        ("2026-02-05", 36, TENSOR, 1280),  # a prompt and four tokens of each client
        ("2026-02-05", 128, REPLICAS, 1152),  # two tokens of each of its sixteen clients
    ],
)
def test_budgets_of_deepseek_under_tensorrt_llm(
    day: str, clients: int, parallelism: Parallelism, budget: int
) -> None:
    row = source(f"silicon_concurrency={clients}; measured={day}T00:00:00.000Z")
    assert token_budget(row, parallelism, drafts(row, parallelism)) == budget
    assert token_budget({**row, "backend": "vllm"}, parallelism, None) is None


def test_only_replicas_under_tensorrt_llm_wait_for_each_other() -> None:
    assert (replicas_wait(ROW, REPLICAS), replicas_wait(ROW, TENSOR)) == (60, 0)
    assert replicas_wait({**ROW, "backend": "sglang"}, REPLICAS) == 0
    assert replicas_wait(source("aic-auto-gap-analysis; silicon_concurrency=36"), REPLICAS) == 0
