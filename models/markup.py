"""Small HTML tables, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_table"]

_SHOWN = 20


def html_table(
    title: str, headers: Sequence[str], rows: Iterable[Sequence[object]], *, note: str = ""
) -> str:
    """A captioned table; numbers to four digits, everything escaped, rows beyond the first twenty counted."""
    listed = list(rows)
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_text(value))}</td>" for value in row) + "</tr>"
        for row in listed[:_SHOWN]
    )
    beyond = f"… and {len(listed) - _SHOWN} more. " if len(listed) > _SHOWN else ""
    foot = f"<div>{escape(beyond + note)}</div>" if beyond or note else ""
    caption = f'<caption style="text-align:left">{escape(title)}</caption>'
    thead = f"<thead><tr>{head}</tr></thead>" if headers else ""
    return f"<table>{caption}{thead}<tbody>{body}</tbody></table>{foot}"


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
