"""`fulcrum agent`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["agent"]


def agent(
    fleet: Annotated[str, typer.Option(help="Name of a registered fleet.")],
    node: Annotated[str, typer.Option(help="This node as plans name it: pool/rack/node.")],
    server: Annotated[str, typer.Option(metavar="ADDR", help="The Fulcrum server.")] = "127.0.0.1:50061",
    gpus: Annotated[
        str | None, typer.Option(metavar="0,1,…", help="GPUs this agent is for; default: all of the node.")
    ] = None,
    engine_id: Annotated[
        str | None, typer.Option("--id", help="Name of this agent in the fleet; default: from the node.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Where other nodes reach this one; default: the host name.")
    ] = None,
    engine_host: Annotated[
        str, typer.Option(help="Where this agent reaches the engines it starts.")
    ] = "127.0.0.1",
    run: Annotated[
        bool, typer.Option("--run", help="Really start and stop engines; without it, only say what would be.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End after the first assignment; not with --run.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave engines running at the end, for the next agent.")
    ] = False,
    template: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[ENGINE=]WORDS",
            help="Words around {command}: 'vllm=numactl -N 0 {command}'. Repeatable.",
        ),
    ] = None,
    router: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Command that tells a router, with {action} (serve, drain), {address}, {port} …",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="Where the agent notes its processes and keeps their output.")
    ] = Path("fulcrum-agent"),
    ready: Annotated[str, typer.Option(help="Longest until a started engine answers.")] = "30min",
    drain: Annotated[str, typer.Option(help="Longest that running requests may take to end.")] = "10min",
    stop: Annotated[str, typer.Option(help="From SIGTERM to SIGKILL.")] = "60s",
    report: Annotated[str, typer.Option(help="Between two reports.")] = "15s",
    warm_up: Annotated[str, typer.Option(help="After a start, how long latencies count as cold.")] = "2min",
    server_ca: Annotated[
        Path | None, typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the server's authorities: TLS.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Token with the role engine.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run beside engines: start, stop and watch what the promoted plan wants on this node.

    Without --run nothing is started, stopped or acknowledged: each assignment is printed with its commands.
    """
    import logging
    import re
    import shlex
    import socket

    from models.document import parse_duration_ms
    from models.errors import InvalidInput, UnknownName
    from planner.agent.agent import dry_run, run_agent
    from planner.agent.command import read_template
    from planner.agent.config import AgentConfig, Timing
    from planner.service.engine_client import EngineClient

    levels = ("debug", "info", "warning", "error")
    if log_level not in levels:
        raise UnknownName("log level", log_level, levels)
    if run and once:
        raise InvalidInput(
            "--once is for the dry run; an agent that runs engines goes on until it is stopped"
        )
    if gpus is not None and not re.fullmatch(r"\d{1,3}(,\d{1,3})*", gpus):
        raise InvalidInput(f"--gpus takes indices such as 0,1,2,3; got {gpus!r}")
    templates = {}
    for text in template or ():
        named = re.match(r"([a-z][a-z0-9-]*)=(.*)", text, re.DOTALL)
        templates["" if named is None else named[1]] = read_template(text if named is None else named[2])

    def seconds(text: str) -> float:
        return parse_duration_ms(text) / 1e3

    report_s = seconds(report)
    config = AgentConfig(
        fleet=fleet, engine_id=engine_id or re.sub(r"[^A-Za-z0-9._-]", "-", node)[:63], node=node,
        gpus=() if gpus is None else tuple(sorted({int(index) for index in gpus.split(",")})),
        address=address or socket.gethostname(), engine_host=engine_host, templates=templates,
        router=() if router is None else tuple(shlex.split(router)), folder=folder,
        timing=Timing(
            ready=seconds(ready), drain=seconds(drain), stop=seconds(stop), report=report_s,
            warm_up=seconds(warm_up), lease=min(600.0, max(30.0, 3 * report_s)),
        ),
    )  # fmt: skip
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with EngineClient(server, authorities=server_ca, token=token) as client:
        if run:
            run_agent(client, config, keep=keep)
        else:
            typer.echo("dry run: nothing is started, stopped or acknowledged; --run does it")
            dry_run(client, config, typer.echo, once=once)
