"""`fulcrum profile …` at a server: upload, download, delete; list, show and validate with ``--server``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from planner.service.profile_client import ProfileClient, ServerProfile

__all__ = [
    "Authorities",
    "MaybeServer",
    "Token",
    "delete",
    "download",
    "list_there",
    "show_there",
    "upload",
    "validate_there",
]

Server = Annotated[str, typer.Option(metavar="ADDR", help="The Fulcrum server.")]
MaybeServer = Annotated[
    str | None, typer.Option(metavar="ADDR", help="Ask a Fulcrum server instead of looking here.")
]
Authorities = Annotated[
    Path | None, typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the server's authorities: TLS.")
]
Token = Annotated[str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Token for the server.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the profile at the server.")]
DEFAULT = "127.0.0.1:50061"


def upload(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the profile.")],
    name: Annotated[str, typer.Option(help="Name it gets; default: that of the folder.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace other content of that name.")] = False,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Have it checked, and nothing kept.")
    ] = False,
    server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """Upload a profile to a server, for the plans of your tenant.

    A name in the GPU catalogue prices that GPU; any other may be the gpu of a pool.
    """
    with _client(server, server_ca, token) as client:
        made = client.upload(
            folder, name=name or folder.resolve().name, replace_existing=replace, validate_only=check_only
        )
    if json_:
        _print(made)
        return
    done = "would be taken" if check_only else "is kept"
    typer.echo(f"{made.name} {done}: {len(made.tables)} tables, {made.size_bytes:,} bytes, {made.sha256}")


def download(
    name: Name,
    out: Annotated[Path, typer.Option(help="Folder to write the profile to; it must not exist.")],
    server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """Get back what was uploaded."""
    with _client(server, server_ca, token) as client:
        client.download(name, out)
    if json_:
        _print({"name": name, "out": out})
        return
    typer.echo(f"profile written to {out}")


def delete(
    name: Name,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Succeed where there is no such upload.")
    ] = False,
    server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """Delete an uploaded profile; plans that were asked for before keep what they rest on."""
    with _client(server, server_ca, token) as client:
        client.delete(name, allow_missing=allow_missing)
    if json_:
        _print({"deleted": name})
        return
    typer.echo(f"{name} is deleted")


def list_there(server: str, authorities: Path | None, token: str | None, *, json_: bool) -> None:
    """Print what a server has."""
    with _client(server, authorities, token) as client:
        found = list(client.all())
    if json_:
        _print(found)
        return
    for profile in found:
        tables = ", ".join(table.operation for table in profile.tables)
        line = (profile.name, profile.origin, profile.device, profile.basis, profile.created, tables)
        typer.echo("  ".join(line))


def show_there(name: str, server: str, authorities: Path | None, token: str | None, *, json_: bool) -> None:
    """Print what a server says of a profile."""
    with _client(server, authorities, token) as client:
        found = client.get(name)
    if json_:
        _print(found)
        return
    for what, value in _lines(found):
        if value:
            typer.echo(f"{what:12}{value}")
    for table in found.tables:
        typer.echo(f"  {table.operation:24}{table.row_count:>9,} points  {table.basis}  {table.source}")


def validate_there(
    name: str, server: str, authorities: Path | None, token: str | None, *, json_: bool
) -> None:
    """Print how far a server's profile can be trusted."""
    from planner.report.console import make_console

    with _client(server, authorities, token) as client:
        found = client.validate(name)
    if json_:
        _print(found)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("operation", "points", "tested", "median", "p90", "worst"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    for one in found.tables:
        errors = (one.median_error_ratio, one.p90_error_ratio, one.max_error_ratio)
        cells = ["–" if error is None else f"{error:.1%}" for error in errors]
        table.add_row(one.operation, str(one.row_count), str(one.tested_count), *cells)
    console = make_console()
    console.print(f"{found.name}: every file is whole; leave-one-out error:", highlight=False)
    console.print(table)
    for warning in found.warnings:
        console.print(f"warning: {warning}", highlight=False)


def _lines(profile: ServerProfile) -> tuple[tuple[str, str], ...]:
    """What is said of it, one thing a line; empty where there is nothing to say."""
    return (
        ("name", profile.name),
        ("origin", profile.origin),
        ("gpu", profile.gpu),
        ("device", profile.device),
        ("basis", profile.basis),
        ("source", profile.source),
        ("licence", profile.licence),
        ("created", profile.created),
        ("sha256", profile.sha256),
        ("bytes", f"{profile.size_bytes:,}" if profile.size_bytes else ""),
        ("uploaded", f"{profile.uploaded} by {profile.uploader}" if profile.uploaded else ""),
    )


def _client(server: str, authorities: Path | None, token: str | None) -> ProfileClient:
    from planner.service.profile_client import ProfileClient

    return ProfileClient(server, authorities=authorities, token=token)


def _print(value: object) -> None:
    from planner.cli.json_out import echo_json

    echo_json(value)
