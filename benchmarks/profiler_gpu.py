"""A profile of a GPU measured here against the public tables of the same GPU, which ship with Fulcrum.

    python -m benchmarks profiler-gpu PROFILE [--public NAME] [--library vllm-0.24.0] [--save]

For every measured point of the operations below that the public tables cover (interpolating within their
range), the ratio of the two times. Medians are taken over bands of what bounds the point: products by rows (1
to 16, to 256, to 4096, more), attention by the keys read. A median further than 15 % from 1 is marked as a
difference to explain; ratios above 1 mean that the public table is slower.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import machine_record
from models.profiles.catalogue import PACKAGED, find_profile
from models.profiles.columns import FloatArray
from models.profiles.groups import Group, split_groups
from models.profiles.interpolate import Basis, Interpolator
from models.profiles.store import Profile, read_profile

RESULTS = Path(__file__).parent / "results"
WORTH_EXPLAINING = 0.15
FEWEST = 5

BANDS: dict[str, tuple[str, tuple[float, ...]]] = {
    "gemm": ("m", (16, 256, 4096)),
    "attention_prefill": ("query_len", (128, 2048)),
    "attention_decode": ("kv_len", (256, 4096)),
    "moe": ("num_tokens", (16, 256, 4096)),
}
"""Operation → the axis its bands are cut along, and the upper edges of all bands but the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Public time ÷ measured time over one band of one group."""

    operation: str
    formats: str
    band: str
    points: int
    median: float
    p10: float
    p90: float

    @property
    def differs(self) -> bool:
        """Whether the median asks for an explanation."""
        return self.points >= FEWEST and abs(self.median - 1) > WORTH_EXPLAINING


def compare(measured: Profile, public: Profile, library: str) -> list[Compared]:
    """Every operation both have, group by group, band by band; `library` names the public rows."""
    out: list[Compared] = []
    for name in BANDS:
        if name not in measured or name not in public:
            continue
        answers = Interpolator(public.table(name).where(library=library))
        for group in split_groups(measured.table(name)).values():
            out += _bands(name, group, _ratios(group, answers, library))
    return out


def _ratios(group: Group, answers: Interpolator, library: str) -> FloatArray:
    """Public ÷ measured of every point, NaN where the public tables would have to extrapolate."""
    queries = {k.name: group.table[k.name] for k in group.table.schema.keys}
    queries["library"] = np.full(len(group.table), library)
    if not any({**group.labels, "library": library} == known.labels for known in answers.groups.values()):
        return np.full(len(group.table), np.nan)
    found = answers.estimate(queries)
    return np.where(found.basis <= Basis.INTERPOLATED, found.value / group.table.value, np.nan)


def _bands(name: str, group: Group, ratios: FloatArray) -> Iterator[Compared]:
    axis, edges = BANDS[name]
    sizes, low = group.table.numbers(axis), 0.0
    for edge in (*edges, np.inf):
        inside = (sizes > low) & (sizes <= edge) & np.isfinite(ratios)
        if inside.any():
            p10, median, p90 = (float(q) for q in np.quantile(ratios[inside], (0.1, 0.5, 0.9)))
            yield Compared(
                operation=name,
                formats=" ".join(v for k, v in group.labels.items() if k != "library"),
                band=f"{low:g} < {axis} ≤ {edge:g}",
                points=int(inside.sum()),
                median=median,
                p10=p10,
                p90=p90,
            )
        low = edge


def main(arguments: Sequence[str]) -> int:
    """Print every band, then those that differ; 0 whether or not any does: differences are for people."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks profiler-gpu")
    parser.add_argument("profile", help="folder or name of a measured profile")
    parser.add_argument(
        "--public", default="", help="shipped profile; default: that of the measured GPU's type"
    )
    parser.add_argument("--library", default="vllm-0.24.0", help="engine rows of the public tables")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/profiler_gpu.json")
    asked = parser.parse_args(arguments)
    measured = find_profile(asked.profile)
    public = read_profile(PACKAGED / (asked.public or measured.manifest.gpu))
    found = compare(measured, public, asked.library)
    for c in found:
        mark = "  ← more than 15 %" if c.differs else ""
        print(
            f"{c.operation:18} {c.formats:24} {c.band:26} {c.points:5} points  "
            f"{c.median:5.2f} ({c.p10:.2f} to {c.p90:.2f}){mark}"
        )
    bad = [c for c in found if c.differs]
    print(f"{len(found) - len(bad)} of {len(found)} bands within 15 %")
    if asked.save:
        record = {
            "machine": machine_record(),
            "measured": measured.manifest.source,
            "created": measured.manifest.created,
            "public": public.manifest.source,
            "library": asked.library,
            "bands": [asdict(c) | {"differs": c.differs} for c in found],
        }
        RESULTS.joinpath("profiler_gpu.json").write_text(
            json.dumps(record, indent=1) + "\n", encoding="utf-8"
        )
    return 0
