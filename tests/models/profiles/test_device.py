"""A measured device as a pool's GPU: found by name beside the catalogue, never with made-up figures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import UnknownName, Unsupported
from models.hardware import gpu
from models.profiles.device import find_gpu, measured_gpu, stream_bytes_per_s
from models.profiles.store import Profile

Make = Callable[..., Profile]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FULCRUM_PROFILES", str(tmp_path / "profiles"))
    return tmp_path / "profiles"


def test_figures_are_the_rates_reached(root: Path, formula_profile: Make) -> None:
    profile = formula_profile()
    found = find_gpu("formula-box")
    assert (found.name, found.generation, found.basis) == ("formula-box", "cpu", "measured")
    assert found.memory_bytes == 16 * 10**9
    # 256 MiB at 1 ns a hundred bytes, and 5 µs; 2 · 512 · 4096 · 1024 operations are the largest product
    assert found.memory_bandwidth_bytes_per_s == pytest.approx(1e11, rel=0.01)
    assert found.memory_bandwidth_bytes_per_s == stream_bytes_per_s(profile)
    assert 0.5 * 1e13 < found.flops("bf16") < 1e13
    assert "a formula" in found.source
    assert root.is_dir()


def test_a_device_of_a_catalogued_type_keeps_the_datasheet(root: Path, formula_profile: Make) -> None:
    formula_profile("h200", kind="cuda", gpu="h200-sxm-141gb")
    found, known = find_gpu("h200"), gpu("h200-sxm-141gb")
    assert found.name == "h200"  # the profile's name, not the alias: its points price it
    assert found.memory_bytes == known.memory_bytes
    assert found.basis == "datasheet"
    assert "profile h200" in found.source
    assert find_gpu("h200-sxm-141gb") == known
    assert root.is_dir()


def test_unknown_names_suggest_both(root: Path, formula_profile: Make) -> None:
    formula_profile()
    with pytest.raises(UnknownName, match="did you mean 'formula-box'"):
        find_gpu("formula-bax")
    with pytest.raises(UnknownName, match="did you mean 'h100-sxm-80gb'"):
        find_gpu("h100-sxm-81gb")
    assert root.is_dir()


def test_without_the_folder_the_catalogue_is_all_there_is(
    formula_profile: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FULCRUM_PROFILES", raising=False)
    formula_profile()
    assert find_gpu("h100") == gpu("h100")
    with pytest.raises(UnknownName):
        find_gpu("formula-box")


def test_what_the_profile_lacks_is_named(formula_profile: Make) -> None:
    with pytest.raises(Unsupported, match=r"no memory streams \(--ops hbm\)"):
        measured_gpu(formula_profile("no-streams", without=("hbm",)), "no-streams")
    with pytest.raises(Unsupported, match=r"no products \(--ops gemm\)"):
        measured_gpu(formula_profile("no-products", without=("gemm",)), "no-products")
