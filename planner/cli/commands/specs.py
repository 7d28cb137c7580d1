"""`fulcrum specs`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["specs"]


def specs(
    name: Annotated[str | None, typer.Argument(help="One spec; without it, all are listed.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the whole reference.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the specs of the assignment language, or show one: formula, parameters, example."""
    from specs.documentation import reference, reference_book, summary
    from specs.registry import spec_class, spec_classes
    from specs.spec import LimitSpec

    if json_:
        from planner.cli.json_out import echo_json

        chosen = spec_classes() if name is None else {name: spec_class(name)}
        echo_json(
            [
                {
                    "name": kind, "summary": summary(cls), "reference": reference(cls),
                    "use": "limit" if issubclass(cls, LimitSpec) else "goal",
                }
                for kind, cls in chosen.items()
            ]
        )  # fmt: skip
    elif markdown:
        typer.echo(reference_book(), nl=False)
    elif name is not None:
        typer.echo(reference(spec_class(name)))
    else:
        classes = spec_classes()
        width = max(map(len, classes))
        for kind, cls in classes.items():
            use = "limit" if issubclass(cls, LimitSpec) else "goal"
            typer.echo(f"{kind:{width}}  {use:5}  {summary(cls)}")
