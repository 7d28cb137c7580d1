import pytest

from models.errors import UnknownName, Unsupported
from models.hardware import gpu, gpu_names

WANTED = {"h100-sxm-80gb", "h200-sxm-141gb", "a100-sxm-80gb", "l40s-48gb", "b200-sxm-180gb"}


def test_catalogue_holds_the_wanted_types_labelled_datasheet() -> None:
    assert set(gpu_names()) >= WANTED
    assert {gpu(name).basis for name in gpu_names()} == {"datasheet"}
    assert all("datasheet" in gpu(name).source for name in gpu_names())


@pytest.mark.parametrize("name", gpu_names())
def test_datasheet_numbers_are_plausible(name: str) -> None:
    item = gpu(name)
    marketed_gb = float(name.rsplit("-", 1)[1].removesuffix("gb"))
    assert item.memory_bytes == pytest.approx(marketed_gb * 1e9, rel=0.08)
    # every inference GPU of these generations does 50 to 450 bf16 operations per byte of memory traffic
    assert 50 < item.flops("bf16") / item.memory_bandwidth_bytes_per_s < 450
    assert (item.nvlink_domain_gpus == 1) == (item.nvlink_bandwidth_bytes_per_s == 0)
    assert item.link_bandwidth_bytes_per_s >= item.pcie_bandwidth_bytes_per_s


def test_aliases_and_spelling() -> None:
    assert gpu("H100_SXM") is gpu("h100-sxm-80gb") is gpu("h100")
    assert gpu("a100").name == "a100-sxm-80gb"


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'h100-sxm-80gb'"):
        gpu("h100-sxm-80gbb")


def test_missing_number_format_is_refused() -> None:
    with pytest.raises(Unsupported, match="a100-sxm-80gb does not multiply in fp8"):
        gpu("a100").flops("fp8")


def test_a_catalogued_gpu_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        gpu("a100").peak_flops["fp8"] = 1.0  # type: ignore[index]
