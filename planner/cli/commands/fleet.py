"""`fulcrum fleet`: the fleets of a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from planner.service.fleet_client import FleetState

__all__ = ["app"]

app = typer.Typer(help="Register fleets at a server, promote plans, roll back.", no_args_is_help=True)

Server = Annotated[str, typer.Option(metavar="ADDR", help="The Fulcrum server.")]
Authorities = Annotated[
    Path | None, typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the server's authorities: TLS.")
]
Token = Annotated[str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Token for the server.")]
Reason = Annotated[str, typer.Option(help="Why, for the history.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT = "127.0.0.1:50061"


def _client(server: str, ca: Path | None, token: str | None) -> Any:
    from planner.service.fleet_client import FleetClient

    return FleetClient(server, authorities=ca, token=token)


def _print(value: Any) -> None:
    from planner.cli.json_out import echo_json

    echo_json(value)


def _show(state: FleetState, *, json_: bool) -> None:
    if json_:
        _print(state)
        return
    holder = f", lease held by {state.lease_holder}" if state.lease_holder else ""
    typer.echo(f"{state.name}: {state.promoted_plan or 'no plan promoted'}{holder}")


@app.command()
def register(
    document: Annotated[Path, typer.Argument(metavar="FLEET.yaml", help="Fleet document.")],
    server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """Register a fleet, or replace its document; files it refers to are written into it."""
    from planner.cli.files import read_fleet_document

    text, _ = read_fleet_document(document)
    with _client(server, server_ca, token) as client:
        _show(client.register(text, source=str(document)), json_=json_)


@app.command(name="list")
def list_(
    server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """List the fleets of the server and the plans promoted on them."""
    with _client(server, server_ca, token) as client:
        if json_:
            _print(list(client.all()))
            return
        for state in client.all():
            _show(state, json_=False)


@app.command()
def history(
    fleet: str, server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None,
    json_: Json = False,
) -> None:  # fmt: skip
    """Show what was promoted, newest first."""
    with _client(server, server_ca, token) as client:
        if json_:
            _print(list(client.history(fleet)))
            return
        for entry in client.history(fleet):
            typer.echo(
                f"{entry.sequence}  {entry.when}  {entry.kind}  {entry.plan}  {entry.caller}  {entry.reason}"
            )


@app.command()
def engines(
    fleet: str, server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None,
    json_: Json = False,
) -> None:  # fmt: skip
    """Show the engines of a fleet and what they run."""
    import time

    from planner.report.rollout import engine_text

    with _client(server, server_ca, token) as client:
        if json_:
            _print(list(client.engines(fleet)))
            return
        for engine in client.engines(fleet):
            typer.echo(engine_text(engine, now_s=time.time()), nl=False)


@app.command()
def rollout(
    fleet: str,
    generation: Annotated[int | None, typer.Option(help="Of which promotion; default: the last.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Begin no more of its steps.")] = False,
    reason: Reason = "",
    server: Server = DEFAULT, server_ca: Authorities = None, token: Token = None, json_: Json = False,
) -> int:  # fmt: skip
    """Show how far a promotion is in effect: every step from what ran to the plan.

    Exit code: 0 while it goes on or when it is done, 2 when it failed or was stopped.
    """
    from models.errors import InvalidInput
    from planner.cli.exit_codes import ExitCode
    from planner.report.rollout import rollout_text

    with _client(server, server_ca, token) as client:
        found = (
            client.stop_rollout(fleet, generation=generation or 0, reason=reason)
            if stop
            else client.rollout(fleet, generation)
        )
    if found is None:
        raise InvalidInput(f"nothing was promoted on the fleet {fleet!r}, or before rollouts were kept")
    if json_:
        _print(found)
    else:
        typer.echo(rollout_text(found), nl=False)
    return ExitCode.INFEASIBLE if found.state in ("failed", "stopped") else ExitCode.OK


@app.command()
def promote(
    fleet: str, plan: str, reason: Reason = "", server: Server = DEFAULT, server_ca: Authorities = None,
    token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """Make a plan the one that is to run."""
    with _client(server, server_ca, token) as client:
        _show(client.promote(fleet, plan, reason=reason), json_=json_)


@app.command(name="roll-back")
def roll_back(
    fleet: str, reason: Reason = "", server: Server = DEFAULT, server_ca: Authorities = None,
    token: Token = None, json_: Json = False,
) -> None:  # fmt: skip
    """Promote again what was promoted before."""
    with _client(server, server_ca, token) as client:
        _show(client.roll_back(fleet, reason=reason), json_=json_)
