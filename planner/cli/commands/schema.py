"""`fulcrum schema`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    document: Annotated[str, typer.Argument(metavar="fleet|plan|assignment", help="Kind of document.")],
) -> None:
    """Print the JSON Schema of a document."""
    import json
    from collections.abc import Callable
    from typing import Any

    from models.errors import UnknownName
    from planner.fleet import fleet_schema
    from planner.plan.codec import plan_schema
    from specs.document import assignment_schema

    schemas: dict[str, Callable[[], dict[str, Any]]] = {
        "fleet": fleet_schema,
        "plan": plan_schema,
        "assignment": assignment_schema,
    }
    if document not in schemas:
        raise UnknownName("document", document, schemas)
    typer.echo(json.dumps(schemas[document](), indent=2))
