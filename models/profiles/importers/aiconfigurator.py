"""The operator tables of NVIDIA AIConfigurator (Apache-2.0), read from an unpacked ``aiconfigurator-core``.

Its folder ``systems/data/<system>/<family>/<engine>/<version>/<name>_perf.parquet`` holds one latency in ms a
point, without repeats. Only files are read: the package is being retired and is never imported. What is kept
is listed in `keep`; `python -m models.profiles.importers.aiconfigurator --help` writes a profile folder.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import FulcrumError, Unavailable, UnknownName
from models.hardware import gpu
from models.profiles.importers import aiconfigurator_columns as fields
from models.profiles.importers import keep
from models.profiles.importers.registry import Importer, ImportRequest
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import write_profile
from models.profiles.table import OperationTable

__all__ = ["IMPORTER", "SYSTEMS", "import_system", "main"]

SOURCE = "NVIDIA AIConfigurator, aiconfigurator-core {version}, systems/data/{system}"
SYSTEMS = {
    "a100_sxm": "a100-sxm-80gb",
    "b200_sxm": "b200-sxm-180gb",
    "b300_sxm": "b300-sxm-288gb",
    "gb200": "gb200-186gb",
    "gb300": "gb300-288gb",
    "h100_sxm": "h100-sxm-80gb",
    "h200_sxm": "h200-sxm-141gb",
    "l40s": "l40s-48gb",
}
"""Their system → our GPU."""
ENGINES = {"vllm": "vllm", "sglang": "sglang", "trtllm": "tensorrt-llm"}
CURRENT = {"vllm": "0.24.0", "sglang": "0.5.14", "trtllm": "1.3.0rc20", "nccl": "2.29.2"}
"""Versions taken; where a system lacks one, the newest older one, else the oldest newer one."""


def _version_key(version: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts 0.5.9 < 0.5.10, 1.3.0rc10 < 1.3.0rc20 < 1.3.0."""
    parts = re.findall(r"\d+|[a-z]+", version)
    return tuple((1, int(p)) if p.isdigit() else (0, p) for p in parts)


def _pick(folder: Path, wanted: str, file: str) -> Path | None:
    """The file of the wanted version, of the newest older one that has it, or of the oldest newer one."""
    if not folder.is_dir():
        return None
    have = sorted((d.name for d in folder.iterdir() if (d / file).is_file()), key=_version_key)
    if not have:
        return None
    older = [v for v in have if _version_key(v) <= _version_key(wanted)]
    return folder / (older[-1] if older else have[0]) / file


def _read(system: Path, family: str, engine: str, name: str) -> fields.Source | None:
    import pyarrow.parquet as pq

    path = _pick(system / family / engine, CURRENT[engine], f"{name}_perf.parquet")
    if path is None:
        return None
    with path.open("rb") as file:
        data = pq.read_table(file)
    rows = {c: np.asarray(data[c].to_numpy(zero_copy_only=False)) for c in data.column_names}
    rows = {c: v.astype(np.str_) if v.dtype == object else v for c, v in rows.items()}
    if family == "attention" and "window_size" not in rows:  # older tables have full attention only
        rows["window_size"] = np.zeros(data.num_rows, np.int64)
    library = ENGINES.get(engine, engine)
    return fields.Source(rows, f"{library}-{path.parent.name}")


@dataclass(frozen=True, slots=True)
class _Recipe:
    """Which file becomes which operation, and which of its rows are taken."""

    operation: str
    family: str
    file: str
    columns: Callable[[fields.Source], fields.Rows]
    take: Callable[[fields.Rows], npt.NDArray[np.bool_]] = keep.everything
    engines: tuple[str, ...] = tuple(ENGINES)
    combine: str = "min"


_RECIPES = (
    _Recipe("gemm", "gemm", "gemm", fields.gemm, keep.gemm),
    _Recipe("attention_prefill", "attention", "context_attention", fields.prefill, keep.attention_prefill),
    _Recipe("attention_decode", "attention", "generation_attention", fields.decode, keep.attention_decode),
    _Recipe("attention_prefill", "mla", "context_mla", fields.latent_prefill, keep.one_prompt),
    _Recipe("mla_decode", "mla", "generation_mla", fields.latent_decode, keep.latent_decode),
    _Recipe("bmm", "mla_bmm", "mla_bmm", fields.latent_products, keep.bf16_products),
    _Recipe(
        "attention_module_prefill", "mla", "mla_context_module", fields.module_prefill, keep.module_prefill
    ),
    _Recipe(
        "attention_module_decode", "mla", "mla_generation_module", fields.module_decode, keep.module_decode
    ),
    _Recipe(
        "attention_module_prefill",
        "sparse_attention",
        "dsa_context_module",
        fields.module_prefill,
        keep.module_prefill,
    ),
    _Recipe(
        "attention_module_decode",
        "sparse_attention",
        "dsa_generation_module",
        fields.module_decode,
        keep.module_decode,
    ),
    _Recipe("moe", "moe", "moe", fields.experts, keep.experts),
    _Recipe("linear_attention", "linear_attention", "gdn", fields.delta_net, keep.delta_net, combine="sum"),
    _Recipe("all_reduce", "comm", "custom_allreduce", fields.own_all_reduce),
)
_COLLECTIVES = {
    "all_reduce": "all_reduce",
    "all_gather": "all_gather",
    "reduce_scatter": "reduce_scatter",
    "alltoall": "all_to_all",
}


def import_system(systems: Path, system: str) -> tuple[Manifest, dict[str, OperationTable]]:
    """The kept tables of one system (`SYSTEMS`), and a manifest for them.

    Parameters
    ----------
    systems
        The folder ``aiconfigurator_core/systems`` of an unpacked package.

    Raises
    ------
    UnknownName
        No such system.
    Unavailable
        The folder holds no data for it.
    """
    if system not in SYSTEMS:
        raise UnknownName("system", system, SYSTEMS)
    folder = systems / "data" / system
    if not folder.is_dir():
        raise Unavailable(
            f"{folder} does not exist: unpack the wheel aiconfigurator-core and give its systems folder"
        )
    link = "nvlink" if gpu(SYSTEMS[system]).nvlink_bandwidth_bytes_per_s else "pcie"
    parts: dict[str, list[fields.Rows]] = {}
    libraries: dict[str, str] = {}
    device = ""
    for recipe in _RECIPES:
        for engine in recipe.engines:
            source = _read(folder, recipe.family, engine, recipe.file)
            if source is None:
                continue
            device = device or str(source["device"][0])
            source = source.where(recipe.take(source.rows))
            if source["latency"].size == 0:
                continue
            library, _, version = source.library.rpartition("-")
            libraries.setdefault(library, version)
            rows = recipe.columns(source)
            rows["latency_us"] = source["latency"].astype(np.float64) * 1e3
            kernel = source.rows.get("kernel_source")
            parts.setdefault(recipe.operation, []).append(
                _merged(rows, source.library, kernel, recipe.combine)
            )
    nccl = _read(folder, "comm", "nccl", "nccl")
    if nccl is not None:
        libraries["nccl"] = nccl.library.rpartition("-")[2]
        for theirs, ours in _COLLECTIVES.items():
            some = nccl.where((nccl["op_name"] == theirs) & (nccl["nccl_dtype"] == "half"))
            if some["latency"].size:
                rows = fields.nccl(some)
                rows["latency_us"] = some["latency"].astype(np.float64) * 1e3
                parts.setdefault(ours, []).append(_merged(rows, some.library, None, "min"))
    tables = {name: _table(name, pieces, link) for name, pieces in sorted(parts.items())}
    return _manifest(systems, system, device, libraries), tables


def _merged(rows: fields.Rows, library: str, kernel: fields.Column | None, combine: str) -> fields.Rows:
    """One row a point: the fastest kernel, or the sum of the kernels that make up an operation."""
    names = [n for n in rows if n != "latency_us"]
    codes = np.stack([np.unique(rows[n], return_inverse=True)[1] for n in names])
    _, first, group = np.unique(codes, axis=1, return_index=True, return_inverse=True)
    group = group.ravel()
    latency = rows["latency_us"].astype(np.float64)
    if combine == "sum":
        # several kernels a point: the fastest measurement of each, added
        kernels = np.unique(kernel, return_inverse=True)[1] if kernel is not None else np.zeros_like(group)
        width = int(kernels.max()) + 1
        best = np.full(first.size * width, np.inf)
        np.minimum.at(best, group * width + kernels, latency)
        best = np.where(np.isfinite(best), best, 0.0).reshape(first.size, width).sum(axis=1)
    else:
        best = np.full(first.size, np.inf)
        np.minimum.at(best, group, latency)
    out: fields.Rows = {n: rows[n][first] for n in names}
    # 11 bits of mantissa: a rounding of 0.05 %, far below any measurement's spread, at a third of the size
    mantissa, exponent = np.frexp(best)
    out["latency_us"] = np.ldexp(np.round(mantissa * 2048.0) / 2048.0, exponent)
    out["library"] = np.full(first.size, library)
    return out


def _table(name: str, pieces: Sequence[fields.Rows], link: str) -> OperationTable:
    columns: dict[str, object] = {
        column: np.concatenate([piece[column] for piece in pieces]) for column in pieces[0]
    }
    if "mode" in columns:
        columns["link"] = link
    return OperationTable.build(name, columns)


def _manifest(systems: Path, system: str, device: str, libraries: Mapping[str, str]) -> Manifest:
    version = _package_version(systems)
    item = gpu(SYSTEMS[system])
    return Manifest(
        name=item.name,
        gpu=item.name,
        device=DeviceInfo(name=device or item.name, kind="cuda", memory_bytes=item.memory_bytes),
        created="2026-11-21",
        basis="imported",
        source=SOURCE.format(version=version, system=system),
        licence="Apache-2.0",
        libraries=dict(sorted(libraries.items())),
        details={"selection": keep.DESCRIPTION, "repeats": "one latency a point; spread unknown"},
    )


def _package_version(systems: Path) -> str:
    """The version in the name of the wheel's metadata folder beside the package."""
    for found in systems.parent.parent.glob("aiconfigurator_core-*"):
        match = re.match(r"aiconfigurator_core-([0-9][0-9.a-z]*?)(\.dist-info|-cp)", found.name)
        if match:
            return match.group(1)
    return "of unknown version"


def _run(request: ImportRequest) -> list[str]:
    manifest, tables = import_system(request.source, request.options["system"])
    written = write_profile(request.out, manifest, tables, replace_existing=request.replace)
    return [f"{name}: {entry.rows} points" for name, entry in written.tables.items()]


IMPORTER = Importer(
    name="aiconfigurator",
    result="profile",
    summary="aiconfigurator_core/systems of an unpacked wheel of NVIDIA AIConfigurator",
    options=("system",),
    run=_run,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the profile of one system; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m models.profiles.importers.aiconfigurator", description=main.__doc__
    )
    parser.add_argument("systems", type=Path, help="folder aiconfigurator_core/systems of an unpacked wheel")
    parser.add_argument("--system", required=True, choices=sorted(SYSTEMS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--replace", action="store_true")
    options = parser.parse_args(argv)
    try:
        manifest, tables = import_system(options.systems, options.system)
        written = write_profile(options.out, manifest, tables, replace_existing=options.replace)
    except FulcrumError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    for name, entry in written.tables.items():
        print(f"{name}: {entry.rows} rows")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
