"""The `fulcrum` application: finds the commands, runs one, turns errors into messages and exit codes.

A command is one file in `planner/cli/commands/`: module `plan.py` holds the function `plan` (or, for a
command with sub-commands, a `typer.Typer` named `app`). The file name is the command name, with ``_`` for
``-``. Modules there import only typer and the standard library at the top: ``fulcrum --help`` stays below
0.3 s.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence

import typer

from models.errors import FulcrumError
from planner.cli import commands
from planner.cli.exit_codes import ExitCode

__all__ = ["build_app", "run"]

# The root of typer's usage errors: typer has moved it between modules, but not within this family.
_UsageProblem: type[Exception] = typer.BadParameter.__mro__[2]


def build_app() -> typer.Typer:
    """Return the application with every command found in `planner.cli.commands`."""
    app = typer.Typer(
        name="fulcrum",
        help="Plan LLM-serving fleets: which engine runs where, with which parallelism, with a proven bound.",
        no_args_is_help=True,
        rich_markup_mode=None,  # plain help: half the start-up time
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)  # a group even while it has one command
    for module_info in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        module = importlib.import_module(f"{commands.__name__}.{module_info.name}")
        name = module_info.name.replace("_", "-")
        group = getattr(module, "app", None)
        if isinstance(group, typer.Typer):
            app.add_typer(group, name=name)
        else:
            app.command(name=name)(getattr(module, module_info.name))
    return app


def _root() -> None:
    """Plan LLM-serving fleets: which engine runs where, with which parallelism, with a proven bound."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process; see `ExitCode`."""
    try:
        outcome = build_app()(args=arguments, standalone_mode=False, prog_name="fulcrum")
    except FulcrumError as error:
        typer.echo(f"error: {error}", err=True)
        return error.exit_code
    except _UsageProblem as error:
        # `show` prints the usage line; its own exit code, 2, means "infeasible" here.
        show = getattr(error, "show", None)
        if callable(show):
            show()
        return ExitCode.BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) went away: the interpreter's last flush must not fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the last line of defence: a sentence instead of a traceback
        if os.environ.get("FULCRUM_TRACEBACK"):
            traceback.print_exc()
        typer.echo(
            f"internal error: {type(error).__name__}: {error}\n"
            "This is a defect of Fulcrum: please report it. FULCRUM_TRACEBACK=1 shows where it happened.",
            err=True,
        )
        return ExitCode.FAILED
    return outcome if isinstance(outcome, int) else ExitCode.OK
