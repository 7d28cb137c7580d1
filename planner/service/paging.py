"""Page sizes and page tokens (AIP-158)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from planner.service.errors import invalid_argument

__all__ = ["decode_token", "encode_token", "page_limit"]

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


def page_limit(page_size: int) -> int:
    """Most items on a page: 0 means the default, too many are cut, negative is refused."""
    if page_size < 0:
        raise invalid_argument("page_size", f"{page_size} is negative; 0 means {DEFAULT_PAGE_SIZE}")
    return min(page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def encode_token(position: tuple[int, str], query: str) -> str:
    """A token for going on after `position` in the list that `query` describes."""
    body = json.dumps([*position, _digest(query)], separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def decode_token(token: str, query: str) -> tuple[int, str] | None:
    """The position in a token, or None for the first page; refuses one of another list."""
    if not token:
        return None
    try:
        body = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        body = None
    match body:
        case [int(time_us), str(plan_id), str(digest)] if 0 <= time_us < 2**63:
            if digest == _digest(query):
                return time_us, plan_id
            raise invalid_argument(
                "page_token", "belongs to another list: send it with the filters it came from"
            )
    raise invalid_argument("page_token", "is not a token this server gave out")


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]
