from __future__ import annotations

import pytest

from models.errors import UnknownName
from planner.reference.documents import document_book, document_schemas, schema_tables


@pytest.mark.parametrize("kind", ["fleet", "plan", "assignment"])
def test_every_definition_and_field_is_in_the_book(kind):
    book, schema = document_book(kind), document_schemas()[kind]()
    assert all(f"| `{name}` |" in book for name in schema["properties"])
    for name in [line[3:] for line in book.splitlines() if line.startswith("## ")][1:]:
        assert all(f"| `{field}` |" in book for field in schema["$defs"][name].get("properties", {}))


def test_unknown_kinds_are_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'fleet'"):
        document_book("fleets")


def test_types_ranges_defaults():
    table = schema_tables(
        {
            "properties": {
                "count": {"type": "integer", "minimum": 1, "description": "How many."},
                "mode": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}], "default": "a"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
            },
            "required": ["count"],
            "$defs": {"Part": {"properties": {"size": {"type": "number", "exclusiveMinimum": 0}}}},
        }
    )
    assert "| `count` | whole number ≥ 1 | required | How many. |" in table
    assert "| `mode` | `a`, `b` | `a` |  |" in table
    assert "| `parts` | list of [Part](#part) |  |  |" in table
    assert "| `size` | number > 0 |  |  |" in table
