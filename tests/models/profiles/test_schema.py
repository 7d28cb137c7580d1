"""Every operation's schema is complete, and its work model grows with the job."""

import numpy as np
import pytest

from models.errors import UnknownName
from models.profiles.columns import Axis
from models.profiles.schema import OPERATIONS, operation
from models.profiles.table import record_columns


def example(name: str, scale: int = 1) -> dict[str, object]:
    """One valid point of an operation; `scale` multiplies every size."""
    point: dict[str, object] = {}
    for key in OPERATIONS[name].keys:
        if isinstance(key, Axis):
            point[key.name] = 0.5 if not key.integer else max(2, int(key.minimum)) * scale
        elif key.choices:
            point[key.name] = key.choices[0]
        else:
            point[key.name] = "x"
    if "window_size" in point:
        point["window_size"] = 0
    return point


@pytest.mark.parametrize("name", OPERATIONS)
def test_columns_have_distinct_names(name: str) -> None:
    schema = operation(name)
    names = [k.name for k in schema.keys] + list(record_columns(schema))

    assert len(set(names)) == len(names)
    assert all(k.doc for k in schema.keys)


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.work is not None])
def test_work_is_positive_and_grows(name: str) -> None:
    model = OPERATIONS[name].work
    assert model is not None
    small = model({k: np.asarray([v]) for k, v in example(name).items()})
    # moe and sharded sizes divide work: doubling every size must still not shrink the sum.
    large = model({k: np.asarray([v]) for k, v in example(name, 4).items()})

    assert float(small[0][0] + small[1][0]) > 0
    assert float(large[0][0] + large[1][0]) >= float(small[0][0] + small[1][0])


def test_gemm_work_by_hand() -> None:
    model = OPERATIONS["gemm"].work
    assert model is not None
    flop, traffic = model(
        {"dtype": np.array(["bf16"]), **{k: np.array([v]) for k, v in zip("mnk", (2, 3, 5), strict=True)}}
    )

    assert flop[0] == 2 * 2 * 3 * 5
    assert traffic[0] == 2 * (2 * 5 + 5 * 3 + 2 * 3)


@pytest.mark.parametrize(
    ("query", "prefix", "window"),
    [(7, 0, 0), (7, 5, 0), (7, 0, 3), (7, 2, 5), (7, 9, 4), (1, 0, 8), (6, 1, 100)],
)
def test_prefill_counts_attended_pairs_like_a_loop(query: int, prefix: int, window: int) -> None:
    pairs = sum(min(prefix + i, window or 10**9) for i in range(1, query + 1))
    point = example("attention_prefill") | {
        "batch_size": 3,
        "query_len": query,
        "prefix_len": prefix,
        "num_heads": 4,
        "head_dim": 8,
        "value_dim": 8,
        "window_size": window,
    }
    model = OPERATIONS["attention_prefill"].work
    assert model is not None
    flop, _ = model({k: np.asarray([v]) for k, v in point.items()})

    assert flop[0] == 2 * 3 * 4 * pairs * 16


def test_unknown_operation_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'attention_decode'"):
        operation("atention_decode")
