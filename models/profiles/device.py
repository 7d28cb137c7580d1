"""A measured device as the GPU of a pool: the catalogue's types, and the profiles a user has made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.errors import UnknownName, Unsupported
from models.hardware import Gpu, gpu, gpu_aliases, gpu_names
from models.profiles.catalogue import PACKAGED, known_profiles
from models.profiles.digest import profile_digest
from models.profiles.manifest import Manifest
from models.profiles.store import Profile, read_manifest, read_profile

__all__ = ["find_gpu", "measured_gpu", "stream_bytes_per_s"]

_PRODUCTS = {"bf16": ("bf16", "fp16", "fp32"), "fp8": ("fp8", "fp8_block"), "int8": ("int8",)}
"""Number format of a `Gpu` → formats of measured products that stand for it, best first."""


def find_gpu(name: str) -> Gpu:
    """The GPU type of a catalogue name, of a profile in the folders of FULCRUM_PROFILES, or of an alias.

    A catalogue name means the type, whose profile of that name then prices it. Any other profile name means
    the device that was measured, even where an alias is spelled the same. Where a profile is not one that
    ships, the source of the type has the digest of it: two types are equal only if they are priced alike.

    Raises
    ------
    UnknownName
        Neither; the nearest of both is in the message.
    Unsupported
        The profile does not say enough about its device.
    InvalidInput
        The profile's manifest is damaged.
    """
    types = gpu_names()
    own = {key: folder for key, folder in known_profiles().items() if folder.parent != PACKAGED}
    if name not in types and name in own:
        return measured_gpu(read_profile(own[name]), name)
    try:
        known = gpu(name)
    except UnknownName as error:
        raise UnknownName("GPU", error.name, {*types, *own}, aliases=gpu_aliases()) from None
    if known.name not in own:
        return known
    origin = _origin(read_manifest(own[known.name]), known.name)
    return replace(known, source=f"{known.source}; step times: {origin}")


def measured_gpu(profile: Profile, name: str) -> Gpu:
    """The device of a profile, under the name the profile is found by.

    A device of a catalogued type keeps the catalogue's figures. Of any other, the figures are the rates that
    its products and memory streams *reached*, not peaks that a maker promises.

    Raises
    ------
    Unsupported
        The type is not catalogued, and the profile lacks its memory size, products or streams.
    """
    manifest = profile.manifest
    origin = _origin(manifest, name)
    if manifest.gpu:
        known = gpu(manifest.gpu)
        return replace(known, name=name, source=f"{known.source}; {origin}")
    bandwidth, flops = stream_bytes_per_s(profile), _product_flops(profile)
    lacking = [
        what
        for what, there in (
            ("memory size", manifest.device.memory_bytes > 0),
            ("products (--ops gemm)", "bf16" in flops),
            ("memory streams (--ops hbm)", bandwidth is not None),
        )
        if not there
    ]
    if lacking or bandwidth is None:
        raise Unsupported(
            f"profile {name!r} cannot be a pool's GPU: {manifest.device.name} is not in the catalogue and "
            f"the profile has no {', '.join(lacking)}; measure them with `fulcrum profile run`"
        )
    return Gpu(
        name=name,
        generation=manifest.device.kind,
        memory_bytes=manifest.device.memory_bytes,
        memory_bandwidth_bytes_per_s=bandwidth,
        peak_flops=flops,
        nvlink_bandwidth_bytes_per_s=0.0,
        nvlink_domain_gpus=1,
        # ranks on one machine exchange through its memory
        pcie_bandwidth_bytes_per_s=bandwidth,
        tdp_watts=0.0,
        source=origin,
        basis=manifest.basis,
    )


def _origin(manifest: Manifest, name: str) -> str:
    digest = profile_digest(manifest)
    return f"profile {name} of {manifest.created}: {manifest.source} (SHA-256 {digest})"


def stream_bytes_per_s(profile: Profile) -> float | None:
    """The fastest read, write or copy of the largest buffer measured of each; None without a table.

    A copy moves its buffer twice.
    """
    if "hbm" not in profile:
        return None
    table, rates = profile.table("hbm"), []
    for access in table.labels("access"):
        rows = table.where(access=access)
        sizes = rows.numbers("size_bytes")
        largest = sizes == sizes.max()
        moved = sizes[largest] * (2.0 if access == "copy" else 1.0)
        rates.append(float(np.max(moved / rows.value[largest])) * 1e6)
    return max(rates)


def _product_flops(profile: Profile) -> dict[str, float]:
    """Number format → operations per second of the fastest product measured."""
    if "gemm" not in profile:
        return {}
    table = profile.table("gemm")
    work = 2.0 * table.numbers("m") * table.numbers("n") * table.numbers("k")
    rates, formats = work / table.value * 1e6, table["dtype"]
    found: dict[str, float] = {}
    for ours, theirs in _PRODUCTS.items():
        for dtype in theirs:
            rows = formats == dtype
            if rows.any():
                found[ours] = float(rates[rows].max())
                break
    return found
