"""`fulcrum doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["doctor"]


def doctor(
    server: Annotated[
        str | None, typer.Option(metavar="ADDR", help="Ask this server for its health too.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> int:
    """Check the installation: packages, solvers, compiled kernels, profiles, GPU, server.

    Exit code 1 when something failed; warnings do not count.
    """
    import dataclasses
    import json

    from planner.cli.exit_codes import ExitCode
    from planner.doctor import examine

    failed = False
    for finding in examine(server):
        failed |= finding.level == "failed"
        if json_:
            typer.echo(json.dumps(dataclasses.asdict(finding)))
        else:
            remedy = f" ({finding.remedy})" if finding.remedy else ""
            typer.echo(f"{finding.level:<8}{finding.subject}: {finding.message}{remedy}")
    return ExitCode.BAD_INPUT if failed else ExitCode.OK
