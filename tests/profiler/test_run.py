"""Whole runs: on the real CPU through NumPy, and on a device of known speed for what must be exact."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import InvalidInput, Unavailable, UnknownName
from models.profiles.interpolate import Interpolator
from models.profiles.store import read_profile
from models.profiles.validate import validate_profile
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.finish import write_outcome
from profiler.job import Job
from profiler.journal import journal_path
from profiler.run import Outcome, Progress, RunOptions, measure_profile
from profiler.space import Request
from profiler.timing import Effort

SMALL = ("hbm", "launch", "gemm", "elementwise")


def run(device: object, options: RunOptions, **more: object) -> Outcome:
    return measure_profile(
        device,  # type: ignore[arg-type]
        options,
        finish=lambda found: write_outcome(found, device, options) and None,  # type: ignore[arg-type, func-returns-value]
        **more,  # type: ignore[arg-type]
    )


def test_the_full_path_on_this_cpu(tmp_path: Path, tiny_request: Request) -> None:
    """Measure, write, validate, and ask the profile: no stand-ins."""
    device = NumpyCpu()
    options = RunOptions(out=tmp_path / "cpu", budget_seconds=6, request=tiny_request)
    seen: list[Progress] = []
    outcome = run(device, options, progress=seen.append)
    profile = read_profile(options.out, eager=True)
    validation = validate_profile(options.out)

    assert outcome.stopped == "budget"
    assert {"gemm", "attention_decode", "attention_prefill", "elementwise", "hbm"} <= set(profile.operations)
    assert profile.manifest.basis == "measured"
    assert profile.manifest.device.kind == "cpu"
    assert profile.manifest.libraries["numpy"] == np.__version__
    assert profile.manifest.details["stopped"] == "budget"
    assert len(validation.accuracy) == len(profile.operations)
    assert len(seen) == sum(len(t) for t in profile.tables()) + seen[-1].refused
    assert not journal_path(options.out).exists()
    gemm = profile.table("gemm")
    assert np.all(gemm["samples"] >= 2)
    if len(gemm) >= 4:
        answer = Interpolator(gemm).estimate({"m": 8, "n": 128, "k": 128})
        assert 0 < answer.require()[0] < 1e5


def test_tolerance_ends_a_run(tmp_path: Path, formula_device: object, tiny_request: Request) -> None:
    options = RunOptions(
        out=tmp_path / "p", budget_seconds=60, operations=("hbm",), request=tiny_request, tolerance=0.2
    )
    outcome = run(formula_device, options)

    assert outcome.stopped == "tolerance"
    assert set(outcome.errors) == {"hbm read", "hbm write", "hbm copy"}
    assert max(outcome.errors.values()) <= 0.2


def test_cancelling_keeps_what_was_measured(
    tmp_path: Path, formula_device: object, tiny_request: Request
) -> None:
    options = RunOptions(out=tmp_path / "p", operations=SMALL, request=tiny_request)
    points = 0

    def count(progress: Progress) -> None:
        nonlocal points
        points = progress.points

    outcome = run(formula_device, options, progress=count, cancelled=lambda: points >= 25)
    profile = read_profile(options.out, eager=True)

    assert outcome.stopped == "cancelled"
    assert sum(len(t) for t in profile.tables()) == 25
    assert profile.manifest.details["complete"] is False


def test_an_interrupted_run_resumes(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    options = RunOptions(out=tmp_path / "p", operations=SMALL, request=tiny_request, tolerance=0.3)

    class PowerCut(BaseException):
        pass

    def cut(progress: Progress) -> None:
        if progress.points == 10:
            raise PowerCut

    first = make_device()
    with pytest.raises(PowerCut):
        run(first, options, progress=cut)
    assert not options.out.exists()
    assert len(journal_path(options.out).read_bytes().splitlines()) == 11

    second = make_device()
    outcome = run(second, options)

    assert outcome.resumed_points == 10
    points = sum(len(t) for t in read_profile(options.out, eager=True).tables())
    assert first.timed == 10  # type: ignore[attr-defined]
    assert points == 10 + second.timed  # type: ignore[attr-defined]


def test_killed_between_the_profile_and_the_journals_removal(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    options = RunOptions(out=tmp_path / "p", operations=("hbm",), request=tiny_request, tolerance=0.3)
    saved = b""

    def keep(progress: Progress) -> None:
        nonlocal saved
        saved = journal_path(options.out).read_bytes()

    run(make_device(), options, progress=keep)
    before = len(read_profile(options.out).table("hbm"))
    journal_path(options.out).write_bytes(saved)
    outcome = run(make_device(), options)

    assert outcome.resumed_points == before
    assert len(read_profile(options.out, eager=True).table("hbm")) >= before
    assert not journal_path(options.out).exists()


def test_a_finished_run_goes_on_with_a_new_budget(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    loose = RunOptions(out=tmp_path / "p", operations=("hbm",), request=tiny_request, tolerance=0.3)
    tight = RunOptions(out=tmp_path / "p", operations=("hbm",), request=tiny_request, tolerance=0.002)
    run(make_device(), loose)
    before = len(read_profile(loose.out).table("hbm"))
    outcome = run(make_device(), tight)
    after = read_profile(loose.out).table("hbm")

    assert outcome.resumed_points == before
    assert len(after) > before
    fresh = RunOptions(
        out=tmp_path / "p", operations=("hbm",), request=tiny_request, tolerance=0.3, fresh=True
    )
    assert run(make_device(), fresh).resumed_points == 0


def test_another_devices_profile_is_not_continued(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    options = RunOptions(out=tmp_path / "p", operations=("launch",), request=tiny_request, tolerance=0.5)
    run(make_device(), options)
    path = options.out / "manifest.json"
    data = json.loads(path.read_text())
    data["device"]["name"] = "Another"
    path.write_text(json.dumps(data))

    with pytest.raises(InvalidInput, match=r"measured profile of Another.*choose another --out"):
        run(make_device(), options)


def test_a_space_that_only_fails_is_given_up(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    device = make_device(broken="CUDA out of memory. Tried to allocate 2 GiB\nmore detail")
    options = RunOptions(out=tmp_path / "p", operations=("hbm",), request=tiny_request)

    with pytest.raises(Unavailable, match=r"nothing was measured.*out of memory\. Tried to allocate"):
        run(device, options)
    assert not options.out.exists()


def test_a_kernel_that_fails_in_any_way_is_one_reason(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    """What third-party kernels raise is not ours to list: the rest of the run goes on."""

    class Odd(make_device):  # type: ignore[misc, valid-type]
        def time(self, job: Job, effort: Effort) -> object:
            if job.kernel == "fill":
                raise TypeError("takes 3 positional arguments but 4 were given")
            return super().time(job, effort)

    options = RunOptions(out=tmp_path / "p", budget_seconds=3, operations=("hbm",), request=tiny_request)
    outcome = run(Odd(), options)

    assert {e.point["access"] for e in outcome.entries if not e.refused} == {"read", "copy"}
    gone = next(u for u in outcome.unmeasurable if "write" in u.what)
    assert gone.reason.startswith("TypeError: takes 3 positional")


def test_a_lost_device_ends_the_run_and_the_next_leaves_that_point_out(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    class Fragile(make_device):  # type: ignore[misc, valid-type]
        lost = False

        def time(self, job: Job, effort: Effort) -> object:
            if self.timed == 5 and not self.lost:
                self.lost = True
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            return super().time(job, effort)

        def require_usable(self) -> None:
            if self.lost:
                raise Unavailable("the GPU's context was lost")

    options = RunOptions(out=tmp_path / "p", budget_seconds=3, operations=("hbm",), request=tiny_request)
    with pytest.raises(Unavailable, match="context was lost"):
        run(Fragile(), options)
    assert journal_path(options.out).is_file()

    outcome = run(make_device(), options)
    refused = [e for e in outcome.entries if e.refused]
    assert [e.refused for e in refused] == ["CUDA error: an illegal memory access was encountered"]
    assert refused[0].point not in [e.point for e in outcome.entries if not e.refused]
    assert outcome.resumed_points == 6


def test_a_gpu_in_use_is_refused_or_marked(
    tmp_path: Path, make_device: Callable[..., object], tiny_request: Request
) -> None:
    busy = make_device(others="2 other processes use this GPU")
    options = RunOptions(out=tmp_path / "p", operations=("launch",), request=tiny_request, tolerance=0.5)
    with pytest.raises(Unavailable, match=r"the GPU is in use: 2 other processes.*--allow-contention"):
        run(busy, options)

    accepted = RunOptions(
        out=tmp_path / "p",
        operations=("launch",),
        request=tiny_request,
        tolerance=0.5,
        allow_contention=True,
    )
    run(busy, accepted)
    profile = read_profile(accepted.out)
    assert profile.table("launch")["contended"].all()
    assert profile.manifest.details["contended_points"] == len(profile.table("launch"))


def test_bad_options(tmp_path: Path, formula_device: object) -> None:
    with pytest.raises(InvalidInput, match="budget must be positive"):
        RunOptions(out=tmp_path / "p", budget_seconds=0)
    with pytest.raises(InvalidInput, match="tolerance"):
        RunOptions(out=tmp_path / "p", tolerance=5)
    with pytest.raises(UnknownName, match="did you mean 'gemm'"):
        run(formula_device, RunOptions(out=tmp_path / "p", operations=("gem",)))


def test_clocks_are_recorded(tmp_path: Path, formula_device: object, tiny_request: Request) -> None:
    options = RunOptions(out=tmp_path / "p", operations=("launch",), request=tiny_request, tolerance=0.5)
    run(formula_device, options)
    profile = read_profile(options.out)

    assert profile.manifest.clocks == {"sm_median": 1000.0, "sm_low": 1000.0, "sm_high": 1000.0}
    assert np.all(profile.table("launch").numbers("temperature_c") == 50.0)
