"""`fulcrum profile …`: measure a device, look at profiles, compare and check them, here and at a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.server_profiles import (
    Authorities,
    MaybeServer,
    Token,
    delete,
    download,
    list_there,
    show_there,
    upload,
    validate_there,
)

__all__ = ["app"]

app = typer.Typer(help="Measure a device and look at profiles.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Measure a device and look at profiles: latency tables with their provenance."""


@app.command()
def run(
    out: Annotated[Path, typer.Option(help="Folder to write the profile to.")],
    device: Annotated[str, typer.Option(help="cuda:0, cuda:1, …, cpu, cpu:torch or cpu:numpy.")] = "cuda:0",
    budget: Annotated[str, typer.Option(metavar="TIME", help="Time to measure for: 90s, 10m, 1h.")] = "10m",
    ops: Annotated[
        str, typer.Option(help="Operations, separated by commas: gemm,attention,…; default: all.")
    ] = "",
    models: Annotated[
        list[str] | None,
        typer.Option(help="Architectures whose shapes are measured (repeat it); default: the catalogue."),
    ] = None,
    tp: Annotated[str, typer.Option(help="Tensor parallel sizes whose shards are measured.")] = "1,2,4,8",
    formats: Annotated[
        str, typer.Option(help="Number formats, separated by commas; default: all the device has.")
    ] = "",
    max_tokens: Annotated[int, typer.Option(help="Most tokens in a step.")] = 32_768,
    max_context: Annotated[int, typer.Option(help="Longest context, tokens.")] = 131_072,
    max_batch: Annotated[int, typer.Option(help="Most sequences in a step.")] = 512,
    tolerance: Annotated[float, typer.Option(help="Interpolation error that is good enough.")] = 0.05,
    gpu: Annotated[str, typer.Option(help="Catalogue name of the GPU, when it is not recognised.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard what an earlier run measured.")] = False,
    allow_contention: Annotated[
        bool, typer.Option("--allow-contention", help="Measure although others use the GPU; marks points.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Measure a device until the budget is spent or interpolation is good enough.

    Ctrl-C ends the run and keeps what was measured. A run that was killed goes on where it was when the same
    command is given again; so does a finished one, with a new budget.
    """
    from planner.cli.exit_codes import ExitCode
    from planner.report.console import make_console
    from profiler.command import run_with_progress
    from profiler.run import RunOptions
    from profiler.space import Request

    options = RunOptions(
        out=out,
        budget_seconds=_seconds(budget),
        tolerance=tolerance,
        operations=_names(ops),
        request=Request(
            models=tuple(models or ()),
            tensor_parallel_sizes=_whole_numbers(tp),
            max_tokens=max_tokens,
            max_context_tokens=max_context,
            max_batch_size=max_batch,
            formats=_names(formats),
        ),
        seed=seed,
        fresh=fresh,
        allow_contention=allow_contention,
    )
    outcome = run_with_progress(device, options, make_console(quiet=json_), gpu=gpu)
    if json_:
        _print({"stopped": outcome.stopped, "profile": out})
    return ExitCode.INTERRUPTED if outcome.stopped == "cancelled" else ExitCode.OK


@app.command()
def preflight(
    device: Annotated[str, typer.Option(help="cuda:0, cuda:1, …, cpu, cpu:torch or cpu:numpy.")] = "cuda:0",
    ops: Annotated[str, typer.Option(help="Operations, separated by commas; default: all.")] = "",
    models: Annotated[
        list[str] | None,
        typer.Option(help="Architectures whose shapes are tried (repeat it); default: the catalogue."),
    ] = None,
    tp: Annotated[str, typer.Option(help="Tensor parallel sizes whose shards are tried.")] = "1,2,4,8",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Try one small point of every measurement and say what works here; nothing is written."""
    from planner.report.console import make_console
    from profiler.command import preflight_with_report
    from profiler.space import Request

    request = Request(models=tuple(models or ()), tensor_parallel_sizes=_whole_numbers(tp))
    tried = preflight_with_report(device, _names(ops), request, make_console(quiet=json_))
    if json_:
        _print(tried)
    return 0


@app.command()
def show(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Folder, or name of a known profile.")],
    plot: Annotated[Path | None, typer.Option(help="Also draw rooflines and latencies to this file.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    server: MaybeServer = None, server_ca: Authorities = None, token: Token = None,
) -> None:  # fmt: skip
    """Show what a profile holds, the rates it reaches and how well it interpolates."""
    if server is not None:
        if plot is not None:
            raise typer.BadParameter("--plot draws profiles that are here: `fulcrum profile download` first")
        show_there(profile, server, server_ca, token, json_=json_)
        return
    from models.profiles.catalogue import find_profile
    from planner.report.console import make_console
    from profiler.show import print_profile

    found = find_profile(profile)
    console = make_console(quiet=json_)
    if json_:
        _print({"manifest": found.manifest, "plot": plot})
    else:
        print_profile(found, console)
    if plot is not None:
        from profiler.plot import plot_profile

        plot_profile(found, plot)
        console.print(f"plot written to {plot}", highlight=False, soft_wrap=True)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Folder, or name of a known profile.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put two profiles side by side: B's time relative to A's, at A's points."""
    from models.profiles.catalogue import find_profile
    from planner.report.console import make_console
    from profiler.show import compare_profiles, print_comparison

    if json_:
        _print(compare_profiles(find_profile(first), find_profile(second)))
        return
    print_comparison(find_profile(first), find_profile(second), make_console())


@app.command()
def validate(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Folder, or name of a known profile.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    server: MaybeServer = None, server_ca: Authorities = None, token: Token = None,
) -> None:  # fmt: skip
    """Check every file of a profile and print the leave-one-out error of each table."""
    if server is not None:
        validate_there(profile, server, server_ca, token, json_=json_)
        return
    from models.profiles.catalogue import find_profile
    from models.profiles.validate import validate_profile
    from planner.report.console import make_console
    from profiler.show import print_validation

    folder = find_profile(profile).folder
    assert folder is not None
    if json_:
        _print(validate_profile(folder))
        return
    print_validation(validate_profile(folder), make_console())


@app.command("list")
def list_(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    server: MaybeServer = None, server_ca: Authorities = None, token: Token = None,
) -> None:  # fmt: skip
    """List the profiles that ship with Fulcrum and those in the folders of FULCRUM_PROFILES."""
    if server is not None:
        list_there(server, server_ca, token, json_=json_)
        return
    from models.profiles.catalogue import known_profiles
    from models.profiles.store import read_manifest
    from planner.report.console import make_console

    console = make_console()
    known = known_profiles()
    if json_:
        _print([{"name": name, "manifest": read_manifest(folder)} for name, folder in known.items()])
        return
    if not known:
        console.print("no profiles are installed; `fulcrum profile run --out DIR` measures one")
    for name, folder in known.items():
        m = read_manifest(folder)
        console.print(
            f"{name}  {m.device.name}  {m.basis}  {m.created}  {', '.join(m.tables)}",
            highlight=False,
            soft_wrap=True,
        )


@app.command("import")
def import_(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[SOURCE]", help="File or folder; without it, formats are listed."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the profile, or CSV file, to write.")] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="What the source is: aiconfigurator, aiperf, distserve, guidellm, splitwise, vidur-network "
            "or vllm-bench.",
        ),
    ] = "aiconfigurator",
    system: Annotated[
        str, typer.Option(help="AIConfigurator's name for the GPU: h200_sxm, h100_sxm, …")
    ] = "",
    gpu: Annotated[str, typer.Option(help="Catalogue name of the GPU (vidur-network).")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Import measurements of others: operator tables as a profile, serving results as rows of a CSV file.

    Only files are read, and nothing of the tools that wrote them is imported.
    """
    from models.errors import InvalidInput
    from models.profiles.importers.registry import ImportRequest, importer, importers

    if source is None and json_:
        _print(
            [
                {"format": n, "result": k.result, "summary": k.summary, "needs": k.options}
                for n, k in importers().items()
            ]
        )
        return
    if source is None:
        for name, known in importers().items():
            needs = "".join(f" --{option}" for option in known.options)
            typer.echo(f"{name:16}{known.result:9}{known.summary}{needs and f' (needs{needs})'}")
        return
    if out is None:
        raise InvalidInput("--out is needed: where to write what is imported")
    given = {name: value for name, value in (("system", system), ("gpu", gpu)) if value}
    request = ImportRequest(source=source, out=out, replace=replace, options=given)
    lines = list(importer(form)(request))
    if json_:
        _print({"out": out, "report": lines})
        return
    for line in lines:
        typer.echo(line)


@app.command()
def check(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Folder, or name of a known profile.")],
    model: Annotated[str, typer.Option(help="Architecture: a catalogue name or a config.json.")],
    tp: Annotated[int, typer.Option(help="Tensor parallel size whose shard is built.")] = 1,
    device: Annotated[str, typer.Option(help="cuda:0, cpu:torch or cpu:numpy.")] = "cuda:0",
    layers: Annotated[int, typer.Option(help="Most layers to build; times are of these.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
    parts: Annotated[
        bool, typer.Option("--parts", help="Also time the operators alone: where is it off?")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Build layers of a model with random weights, time real steps, and compare them with the prediction."""
    from models.profiles.catalogue import find_profile
    from planner.report.console import make_console
    from profiler.check.command import check_profile

    checked = check_profile(
        find_profile(profile),
        model,
        make_console(quiet=json_),
        device_name=device,
        tp=tp,
        layers=layers,
        seed=seed,
        parts=parts,
    )
    if json_:
        _print(checked)
    return 0


for _there in (upload, download, delete):
    app.command()(_there)


def _print(value: object) -> None:
    from planner.cli.json_out import echo_json

    echo_json(value)


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _seconds(text: str) -> float:
    """A budget: the units of documents, and ``m`` for minutes, which nobody takes for metres here."""
    from models.document.units import parse_duration_ms

    stripped = text.strip()
    return parse_duration_ms(stripped + "in" if stripped.endswith("m") else stripped) / 1e3


def _whole_numbers(text: str) -> tuple[int, ...]:
    from models.errors import InvalidInput

    try:
        return tuple(int(part) for part in _names(text))
    except ValueError as error:
        raise InvalidInput(f"--tp takes whole numbers separated by commas, got {text!r}") from error
