"""Messages between the server and a worker process: a 4-byte big-endian length, then JSON in UTF-8.

Nothing is pickled, and there is no line length to run into.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

__all__ = ["encode", "read_frame", "receive_frame"]

_HEADER = struct.Struct(">I")


def encode(message: dict[str, Any]) -> bytes:
    """One message as bytes."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    return _HEADER.pack(len(body)) + body


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message of a blocking stream, or None at its end."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (size,) = _HEADER.unpack(header)
    body = stream.read(size)
    return _decode(body) if len(body) == size else None


async def receive_frame(stream: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message of an asyncio stream, or None at its end."""
    try:
        (size,) = _HEADER.unpack(await stream.readexactly(_HEADER.size))
        return _decode(await stream.readexactly(size))
    except asyncio.IncompleteReadError:
        return None


def _decode(body: bytes) -> dict[str, Any]:
    message = json.loads(body)
    assert isinstance(message, dict)
    return message
