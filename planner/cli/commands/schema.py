"""`fulcrum schema`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    document: Annotated[str, typer.Argument(metavar="fleet|plan|assignment", help="Kind of document.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Tables for people instead.")] = False,
) -> None:
    """Print the JSON Schema of a document."""
    import json

    from models.errors import UnknownName
    from planner.reference.documents import document_book, document_schemas

    schemas = document_schemas()
    if document not in schemas:
        raise UnknownName("document", document, schemas)
    typer.echo(
        document_book(document) if markdown else json.dumps(schemas[document](), indent=2), nl=not markdown
    )
