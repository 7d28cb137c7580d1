"""A connection to a server, as its callers' machines have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from models.errors import InvalidInput

__all__ = ["open_channel"]

_MAX_MESSAGE_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class _Bearer(grpc.AuthMetadataPlugin):
    """Adds the token to each call; gRPC sends it over TLS only."""

    token: str

    def __call__(self, _context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        callback((("authorization", f"Bearer {self.token}"),), None)


def open_channel(address: str, *, authorities: Path | None = None, token: str | None = None) -> grpc.Channel:
    """Open a channel; with authorities, or with a token, it is TLS.

    Parameters
    ----------
    address
        ``HOST:PORT``.
    authorities
        PEM file of the authorities that sign the server.
    token
        Bearer token; None for servers that ask for none.

    Raises
    ------
    InvalidInput
        The PEM file cannot be read.
    """
    options = (("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),)
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
