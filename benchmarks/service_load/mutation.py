"""Bytes and documents that no client would send."""

from __future__ import annotations

import random

__all__ = ["bombs", "mutate"]

AWKWARD = (
    b"\xff", b"\x00", b"-1", b"1e999", b".nan", b"&a *a", b"!!python/object:os.system", b"{" * 90,
    b"../../etc/passwd", b"\xed\xa0\x80", b"\xf0\x9f\x94\xa5", b": ", b"\n- ", b"<<: ", b"9" * 50,
    b"\xff\xff\xff\xff\x0f", b"/dev/stdin", b"0x" + b"f" * 40, b"~", b"? ", b"|\n", b"2001-01-01",
)  # fmt: skip
"""What often breaks readers."""


def mutate(source: random.Random, content: bytes) -> bytes:
    """A few random edits: flip, insert, delete, repeat, overwrite."""
    data = bytearray(content)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        end = min(len(data), at + source.randint(0, 12))
        match source.randrange(5):
            case 0 if data:
                data[at % len(data)] ^= 1 << source.randrange(8)
            case 1:
                data[at:at] = source.choice(AWKWARD)
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = data[at:end] * source.randint(1, 20)
            case _:
                data[at:end] = source.randbytes(end - at)
    return bytes(data)


def bombs() -> tuple[str, ...]:
    """Documents whose cost is out of proportion: aliases of aliases, depth, width, length, merges."""
    doubled = "\n".join(f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]" for i in range(1, 14))
    merged = "\n".join(f"m{i}: &m{i}\n  <<: [*m{i - 1}, *m{i - 1}]\n  k{i}: 1" for i in range(1, 40))
    return (
        "b0: &b0 [x, x, x]\n" + doubled,
        "m0: &m0 {k: 1}\n" + merged,
        "[" * 100_000,
        "{a: " * 50_000,
        "a: &a [*a]",
        "- " * 1_000_000,
        "x" * 3_000_000,
        "fleet: " + "9" * 1_000_000,
        "? " * 100_000,
        "\n".join(f"k{i}: {i}" for i in range(200_000)),
    )
