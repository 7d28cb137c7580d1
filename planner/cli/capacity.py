"""The flags of ``fulcrum capacity`` as a question, and a fleet document's answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from models.errors import FulcrumError, InvalidInput
from planner.cli.flags import in_flags
from planner.cli.kinds import is_fleet_text
from planner.cli.quantities import read_prices, read_rate

if TYPE_CHECKING:
    from planner.capacity import Answer
    from planner.capacity.fleet_answer import FleetAnswer

__all__ = ["ask", "ask_fleet", "is_document"]

T = TypeVar("T")

FLAGS: Mapping[tuple[str | int, ...], str] = {
    ("pools", 0, "gpu"): "--gpu",
    ("pools", 0, "gpus_per_node"): "--gpus-per-node",
    ("pools", 0, "price_per_gpu_hour"): "--price",
    ("models", 0, "architecture"): "MODEL",
    ("models", 0, "weights"): "--weights",
    ("models", 0, "kv_cache"): "--kv-cache",
    ("models", 0, "speculative", "method"): "--speculative-method",
    ("models", 0, "speculative", "tokens"): "--speculative-tokens",
    ("models", 0, "speculative", "acceptance"): "--acceptance",
    ("models", 0, "speculative", "acceptance_length"): "--acceptance-length",
    ("models", 0, "speculative", "architecture"): "--draft-model",
    ("workloads", 0): "--isl and --osl",
    ("workloads", 0, "reuse"): "--reuse",
    ("workloads", 0, "burstiness"): "--burstiness",
    ("workloads", 0, "rate"): "--rate",
    ("workloads", 0, "lengths"): "--lengths",
    ("workloads", 0, "trace"): "--trace",
    **{
        ("workloads", 0, "slo", f"{kind}_p{level}"): f"--{kind}-p{level}"
        for kind in ("ttft", "tpot")
        for level in (50, 90, 95, 99)
    },
}
"""The flag of each place of the document that a question is read as."""
GROWTH = ("0%", "50%", "100%")


def is_document(model: str) -> bool:
    """Whether an argument is the path of a fleet document, and no model: YAML, or JSON that says so."""
    path = Path(model)
    if path.suffix in (".yaml", ".yml"):
        return True
    try:
        return path.suffix == ".json" and is_fleet_text(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False


def ask(
    model: str, *, gpus: Sequence[str], rate: str | None, isl: int | None, osl: int | None,
    lengths: Path | None, trace: Path | None, columns: str, targets: Mapping[str, str],
    max_gpus: int | None, gpus_per_node: int, prices: Sequence[str], weights: str | None,
    kv_cache: str | None, headroom: str, reuse: str | None = None, burstiness: float | None = None,
    speculative: Mapping[str, object] | None = None,
) -> Answer:  # fmt: skip
    """Answer a question made of flags; they are described at the command.

    Raises
    ------
    InvalidInput
        In the words of the flags.
    """
    from models.document import parse_fraction
    from models.hardware import gpu_names
    from planner.capacity import Question, answer

    if not gpus:
        raise InvalidInput(f"name at least one GPU type, such as --gpu h100; known: {', '.join(gpu_names())}")
    for kind, words in (("ttft", "time to first token"), ("tpot", "time per output token")):
        given = [f"--{name.replace('_', '-')}" for name in targets if name.startswith(kind)]
        if len(given) != 1:
            found = f"give one, not {' and '.join(given)}" if given else "there is none"
            example = "1s" if kind == "ttft" else "30ms"
            raise InvalidInput(f"a target for the {words} is needed, such as --{kind}-p95 {example}: {found}")
    workload: dict[str, object] = _lengths(isl, osl, lengths, trace, columns)
    if rate is not None:
        workload["rate"] = _at("--rate", lambda: read_rate(rate))
    if reuse is not None:
        workload["reuse"] = _at("--reuse", lambda: parse_fraction(reuse))
    if burstiness is not None:
        workload["burstiness"] = burstiness
    question = Question(
        model=model, gpus=tuple(dict.fromkeys(gpus)), workload=workload, slo=dict(targets),
        most_gpus=max_gpus, gpus_per_node=gpus_per_node,
        price_per_gpu_hour=_at("--price", lambda: read_prices(prices)), weights=weights,
        kv_cache=kv_cache, headroom=_at("--headroom", lambda: parse_fraction(headroom)),
        speculative=speculative,
    )  # fmt: skip
    with in_flags(FLAGS):
        return answer(question)


def _lengths(
    isl: int | None, osl: int | None, lengths: Path | None, trace: Path | None, columns: str
) -> dict[str, object]:
    from models.workload import Columns
    from planner.capacity.question import fixed_lengths

    named = (("--trace", trace), ("--lengths", lengths), ("--isl", isl))
    given = [name for name, value in named if value is not None]
    if len(given) != 1 or (isl is None) != (osl is None):
        raise InvalidInput(
            "say how long the requests are: --isl with --osl, or --lengths FILE, or --trace FILE; "
            f"got {', '.join(given + (['--osl'] if osl is not None else [])) or 'none of them'}"
        )
    if columns and trace is None:
        raise InvalidInput("--columns names those of a trace: give it with --trace FILE")
    if trace is not None:
        found: dict[str, object] = {"trace": str(trace.absolute())}
        if columns:
            named_columns = _at("--columns", lambda: Columns.parse(columns))
            found["columns"] = {
                "arrival": named_columns.arrival, "input": named_columns.input_tokens,
                "output": named_columns.output_tokens,
            }  # fmt: skip
        return found
    if lengths is not None:
        return {"lengths": str(lengths.absolute())}
    assert isl is not None
    assert osl is not None
    return {"lengths": fixed_lengths(isl, osl)}


def _at(flag: str, read: Callable[[], T]) -> T:
    """What `read` gives; its mistake is told with the flag."""
    try:
        return read()
    except FulcrumError as error:
        raise InvalidInput(f"{flag}: {error.message}") from None


def ask_fleet(
    path: Path, *, flags: Sequence[str], growth: Sequence[str], time_limit: float, quiet: bool
) -> FleetAnswer:
    """Answer for a fleet document.

    Parameters
    ----------
    flags
        Given ones that are about a question without a document: there must be none.
    growth
        Shares of load beyond today's; none: `GROWTH`.
    quiet
        Show no progress.
    """
    from planner.capacity.fleet_answer import answer_fleet
    from planner.cli.files import read_fleet_file
    from planner.cli.progress import show_progress
    from planner.clock import Clock
    from planner.options import PlanOptions

    if flags:
        raise InvalidInput(f"{', '.join(flags)}: the document says that; without one give MODEL and --gpu")
    shares = _at("--growth", lambda: [_share(text) for text in growth or GROWTH])
    fleet = read_fleet_file(path)
    with show_progress(visible=not quiet, catch_interrupt=True) as progress:
        options = PlanOptions(time_limit_s=time_limit, verify=False)
        clock = Clock(options=options, progress=progress, cancelled=progress.cancelled)
        return answer_fleet(fleet, [1.0 + share for share in shares], clock)


def _share(text: str) -> float:
    matched = re.fullmatch(r"\+?([0-9]*\.?[0-9]+)%", text.strip())
    if matched is None:
        raise InvalidInput(f"expected a share of today's load, such as 25% or 100%, got {text!r}")
    return float(matched[1]) / 100
