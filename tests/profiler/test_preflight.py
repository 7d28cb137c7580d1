"""A look at everything before a run: one failure is one line."""

from collections.abc import Callable
from typing import Any

import pytest

from models.errors import Unavailable, UnknownName
from profiler.job import Job
from profiler.preflight import preflight
from profiler.space import Request
from profiler.timing import Effort


def test_everything_is_tried_once_and_reported(formula_device: Any, tiny_request: Request) -> None:
    seen: list[str] = []
    tried = preflight(
        formula_device, tiny_request, ("gemm", "hbm", "moe"), report=lambda t: seen.append(t.name)
    )

    assert seen == [t.name for t in tried]
    works = {t.name for t in tried if not t.reason}
    assert works == {"gemm fp32", "hbm read", "hbm write", "hbm copy"}
    assert all(t.value > 0 and t.kernel for t in tried if not t.reason)
    assert next(t.reason for t in tried if t.name == "moe all") == "none of the models has experts"


def test_one_failure_is_one_line(make_device: Callable[..., Any], tiny_request: Request) -> None:
    class Odd(make_device):  # type: ignore[misc, valid-type]
        def time(self, job: Job, effort: Effort) -> object:
            if job.kernel == "fill":
                raise AttributeError("module 'torch' has no attribute '_fill'")
            return super().time(job, effort)

    tried = {t.name: t.reason for t in preflight(Odd(), tiny_request, ("hbm",))}
    assert tried["hbm write"] == "AttributeError: module 'torch' has no attribute '_fill'"
    assert tried["hbm copy"] == ""


def test_a_lost_device_ends_it_and_says_so(make_device: Callable[..., Any], tiny_request: Request) -> None:
    class Lost(make_device):  # type: ignore[misc, valid-type]
        def time(self, job: Job, effort: Effort) -> object:
            raise RuntimeError("CUDA error: device-side assert triggered")

        def require_usable(self) -> None:
            raise Unavailable("the GPU's context was lost.")

    tried = preflight(Lost(), tiny_request, ("gemm", "hbm"))
    assert [t.reason for t in tried] == ["the GPU's context was lost. Nothing after it was tried"]


def test_names_are_checked(formula_device: Any, tiny_request: Request) -> None:
    with pytest.raises(UnknownName):
        preflight(formula_device, tiny_request, ("gem",))
