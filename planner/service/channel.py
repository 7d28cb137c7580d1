"""A connection to a server, as its callers' machines have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from models.errors import InvalidInput

__all__ = ["keepalive_options", "open_channel"]

_MAX_MESSAGE_BYTES = 2**30
_MAX_BACKOFF_MS = 10_000
"""Between two attempts to connect: gRPC's own two minutes are longer than the leases of engines."""


@dataclass(frozen=True, slots=True)
class _Bearer(grpc.AuthMetadataPlugin):
    """Adds the token to each call; gRPC sends it over TLS only."""

    token: str

    def __call__(self, _context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        callback((("authorization", f"Bearer {self.token}"),), None)


def keepalive_options(keepalive_s: float) -> tuple[tuple[str, int], ...]:
    """Channel or server options that ask a connection for a sign of life when it was silent for so long.

    Half of that later it is given up: a peer that vanished without a word, or lies behind a gateway that
    forgot the connection, answers no ping, and its streams would wait for ever.
    """
    return (
        ("grpc.keepalive_time_ms", round(1e3 * keepalive_s)),
        ("grpc.keepalive_timeout_ms", round(500 * keepalive_s)),
        ("grpc.http2.ping_timeout_ms", round(500 * keepalive_s)),
        ("grpc.http2.max_pings_without_data", 0),
    )


def open_channel(
    address: str, *, authorities: Path | None = None, token: str | None = None, keepalive_s: float = 20.0
) -> grpc.Channel:
    """Open a channel; with authorities, or with a token, it is TLS.

    Parameters
    ----------
    address
        ``HOST:PORT``.
    authorities
        PEM file of the authorities that sign the server.
    token
        Bearer token; None for servers that ask for none.
    keepalive_s
        How often a connection in use is asked for a sign of life; half of it later it is given up.

    Raises
    ------
    InvalidInput
        The PEM file cannot be read.
    """
    options = (
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.max_reconnect_backoff_ms", _MAX_BACKOFF_MS),
        *keepalive_options(keepalive_s),
    )
    if authorities is None and token is None:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, _credentials(authorities, token), options)


def _credentials(authorities: Path | None, token: str | None) -> grpc.ChannelCredentials:
    roots = None
    if authorities is not None:
        try:
            roots = authorities.read_bytes()
        except OSError as error:
            raise InvalidInput(
                f"cannot read the PEM file: {error.strerror}", source=str(authorities)
            ) from None
    transport = grpc.ssl_channel_credentials(root_certificates=roots)
    if token is None:
        return transport
    calls: Sequence[grpc.CallCredentials] = [grpc.metadata_call_credentials(_Bearer(token))]
    return grpc.composite_channel_credentials(transport, *calls)
