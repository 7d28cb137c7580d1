"""The pages' HTML, and the headers that say what a browser may do with them."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["asset", "headers", "render"]

ASSETS = {"live.js": "text/javascript", "live.css": "text/css"}


def render(name: str, **values: Any) -> str:
    """Return a template of this folder, filled in; whatever is put in is escaped."""
    return _environment().get_template(name).render(**values)


def asset(name: str) -> tuple[str, str] | None:
    """Text and media type of a script or style sheet; None where there is no such thing."""
    if name not in ASSETS:
        return None
    return files("planner.live").joinpath(name).read_text(encoding="utf-8"), ASSETS[name]


def headers(page: str) -> dict[str, str]:
    """Return the headers of a page: nothing runs but what comes from here, in no frame, kept nowhere."""
    styles = " ".join(
        f"'sha256-{_sha256(text)}'" for text in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    )
    policy = (
        f"default-src 'none'; style-src 'self' {styles}; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("planner.live", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["moment"] = _moment
    return environment


def _moment(time_us: int | None) -> str:
    """``2026-03-01 14:05 UTC``."""
    if time_us is None:
        return "–"
    return f"{datetime.datetime.fromtimestamp(time_us / 1e6, datetime.UTC):%Y-%m-%d %H:%M} UTC"
