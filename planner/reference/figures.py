"""Measured figures as Markdown: one section for each JSON file that a benchmark wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["figures_book"]

_MOST_COLUMNS, _MOST_ROWS = 9, 40


def figures_book(folder: Path) -> str:
    """Every result in `folder`: its own figures, and a table for each list of records in it."""
    lines = [
        "# Benchmarks",
        "",
        "As the commands wrote them; `python -m benchmarks NAME` measures again.",
        "",
    ]
    for path in sorted(folder.glob("*.json")):
        lines += [f"## {path.stem}", ""]
        for document in _documents(path.read_text()):
            lines += _section(document)
    return "\n".join(lines) + "\n"


def _documents(text: str) -> list[Mapping[str, Any]]:
    """One JSON document, or one a line; lines of one benchmark become one list."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [{"runs": [json.loads(line) for line in text.splitlines() if line.strip()]}]
    return [whole if isinstance(whole, Mapping) else {"runs": whole}]


def _section(document: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    scalars = {key: value for key, value in _flat(document).items() if not key.startswith("machine")}
    if "command" in scalars:
        lines += ["```sh", str(scalars.pop("command")), "```", ""]
    if scalars:
        lines += [
            "| | |",
            "|---|---|",
            *(f"| {key} | {_text(value)} |" for key, value in scalars.items()),
            "",
        ]
    for name, value in document.items():
        if isinstance(value, list) and value and all(isinstance(record, Mapping) for record in value):
            lines += _records(name, value)
    return lines


def _records(name: str, records: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [_flat(record) for record in records]
    columns = list(dict.fromkeys(key for row in rows for key in row))[:_MOST_COLUMNS]
    lines = [f"**{name}**", "", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += [
        "| " + " | ".join(_text(row.get(key, "")) for key in columns) + " |" for row in rows[:_MOST_ROWS]
    ]
    if len(rows) > _MOST_ROWS:
        lines += ["", f"… and {len(rows) - _MOST_ROWS} more."]
    return [*lines, ""]


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 2) -> dict[str, Any]:
    """The scalars of a record, and of the mappings in it, `depth` levels down."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            if depth:
                out |= _flat(value, f"{name}: ", depth - 1)
        elif isinstance(value, list):
            if value and len(value) <= 4 and not any(isinstance(entry, Mapping | list) for entry in value):
                out[name] = ", ".join(map(_text, value))
        elif value is not None:
            out[name] = value
    return out


def _text(value: object) -> str:
    text = f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if _is_whole(value) else str(value)
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
