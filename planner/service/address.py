"""Where a server listens, and whether that is only this machine."""

from __future__ import annotations

import ipaddress

from models.errors import InvalidInput

__all__ = ["DEFAULT_ADDRESS", "check_address", "is_loopback"]

DEFAULT_ADDRESS = "127.0.0.1:50061"


def is_loopback(address: str) -> bool:
    """True when `address` (``HOST:PORT``, ``[IPV6]:PORT``, ``unix:PATH``) is reached from this machine
    only.
    """
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(address: str) -> None:
    """Raise InvalidInput for what is no address to listen at."""
    if address.startswith(("unix:", "unix-abstract:")):
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise InvalidInput(f"{address!r} is not an address; write HOST:PORT, such as {DEFAULT_ADDRESS}")
