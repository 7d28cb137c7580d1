"""Closing the loop on this CPU: a profile is measured, layers are built and run, and predicted times
compared.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.architecture import resolve
from models.errors import InvalidInput, Unavailable, Unsupported
from models.profiles.interpolate import Basis
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import Profile
from models.profiles.table import OperationTable
from profiler.check.command import check_steps, steps_for
from profiler.check.predict import Predictor
from profiler.check.shard import Step, shard_of
from profiler.check.stack import Stack
from profiler.devices.numpy_cpu import NumpyCpu


def flat_profile(us: float) -> Profile:
    """Every operation takes the same time whatever its size, so sums can be counted by hand."""
    grid = np.array([1.0, 64.0, 4096.0])
    m, n, k = (a.ravel() for a in np.meshgrid(grid, grid, grid))
    tables = {
        "gemm": OperationTable.build(
            "gemm", {"library": "x", "dtype": "fp32", "m": m, "n": n, "k": k, "latency_us": us}
        )
    }
    kinds = np.repeat(["add_rms_norm", "rotary", "silu_mul"], 9)
    t, w = (np.tile(a.ravel(), 3) for a in np.meshgrid(grid, grid))
    small = {
        "library": "x",
        "dtype": "fp32",
        "kernel_kind": kinds,
        "num_tokens": t,
        "width": w,
        "latency_us": us,
    }
    tables["elementwise"] = OperationTable.build("elementwise", small)
    heads = {
        "library": "x", "dtype": "fp32", "kv_dtype": "fp32", "num_heads": 4, "num_kv_heads": 2,
        "head_dim": 32, "value_dim": 32, "window_size": 0, "latency_us": us,
    }  # fmt: skip
    b, q = (a.ravel() for a in np.meshgrid(grid, grid))
    tables["attention_prefill"] = OperationTable.build(
        "attention_prefill", heads | {"batch_size": b, "query_len": q, "prefix_len": 0}
    )
    tables["attention_decode"] = OperationTable.build(
        "attention_decode", heads | {"batch_size": b, "query_len": 1, "kv_len": q}
    )
    manifest = Manifest(
        name="flat",
        gpu="",
        device=DeviceInfo(name="Flat", kind="cpu"),
        created="2026-11-20",
        basis="measured",
        source="a test",
        licence="Apache-2.0",
    )
    return Profile(manifest, None, tables)


def test_a_step_is_the_sum_of_its_operators(tiny_model: str) -> None:
    shard = shard_of(resolve(tiny_model), 1, 2)
    predictor = Predictor(flat_profile(10.0), "fp32")
    # two layers of 2 norms, rotary, silu, 4 products and one attention; then the head
    decode = predictor.step(shard, Step(batch_size=4, context_len=64))
    mixed = predictor.step(shard, Step(prompt_tokens=16, batch_size=4, context_len=64))

    assert sum(p.latency_us for p in decode) == pytest.approx(10 * (2 * 9 + 1))
    assert sum(p.latency_us for p in mixed) == pytest.approx(10 * (2 * 10 + 1))
    assert {p.operation for p in mixed} - {p.operation for p in decode} == {"attention_prefill"}
    assert max(p.basis for p in decode) == Basis.INTERPOLATED


def test_what_a_profile_lacks_is_said_per_step(tiny_model: str) -> None:
    shard = shard_of(resolve(tiny_model), 1, 1)
    profile = flat_profile(10.0)
    del profile._tables["attention_decode"]
    checked = check_steps(
        profile,
        NumpyCpu(),
        shard,
        [Step(prompt_tokens=8), Step(batch_size=2, context_len=16)],
        dtype="fp32",
        seed=0,
    )

    assert checked[0].refused == ""
    assert checked[0].measured_ms > 0
    assert "no attention_decode table" in checked[1].refused


def test_steps_run_on_this_cpu_and_depend_on_the_input(tiny_model: str) -> None:
    device = NumpyCpu()
    shard = shard_of(resolve(tiny_model), 2, 2)
    stack = Stack(shard, device, "fp32", 0)
    for step in (
        Step(prompt_tokens=8),
        Step(batch_size=3, context_len=16),
        Step(prompt_tokens=8, batch_size=3, context_len=16),
    ):
        out = stack.job(step).calls[0]()
        assert out.shape == (step.sequences, 256)
        assert np.isfinite(out).all()
        assert np.std(out) > 0


def test_numpy_and_torch_stacks_agree(tiny_model: str) -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    shard = shard_of(resolve(tiny_model), 1, 2)
    step = Step(prompt_tokens=8, batch_size=3, context_len=16)
    first = Stack(shard, NumpyCpu(), "fp32", 1).job(step).calls[0]()
    second = Stack(shard, TorchCpu(), "fp32", 1).job(step).calls[0]()

    np.testing.assert_allclose(np.asarray(second), first, rtol=2e-2, atol=2e-3)


def test_experts_are_part_of_the_stack() -> None:
    shard = replace(
        shard_of(resolve("mixtral-8x7b"), 8, 1),
        hidden=64,
        heads=2,
        kv_heads=1,
        head_dim=16,
        experts=(32, 2, 4),
        vocabulary=50,
    )
    out = Stack(shard, NumpyCpu(), "fp32", 0).job(Step(batch_size=3, context_len=4)).calls[0]()

    assert out.shape == (3, 50)


def test_steps_cover_all_kinds_within_the_models_context(tiny_model: str) -> None:
    model = resolve(tiny_model)
    steps = steps_for(NumpyCpu(), shard_of(model, 1, 2), model)

    assert {s.kind for s in steps} == {"prefill", "decode", "mixed"}
    assert max(s.context_len for s in steps) <= model.max_context_tokens


def test_what_cannot_be_built(tiny_model: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be cut for TP 3"):
        shard_of(resolve(tiny_model), 3, 1)
    with pytest.raises(InvalidInput, match="at least one layer"):
        shard_of(resolve(tiny_model), 1, 0)
    with pytest.raises(Unsupported, match="full grouped-query attention"):
        shard_of(resolve("deepseek-v3"), 1, 1)


def test_library_must_be_known(tiny_model: str, tmp_path: Path) -> None:
    shard = shard_of(resolve(tiny_model), 1, 1)
    with pytest.raises(Unavailable, match="library 'y' was not measured"):
        Predictor(flat_profile(1.0), "fp32", "y").step(shard, Step(batch_size=1, context_len=4))
