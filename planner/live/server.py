"""Listening for the live view, in the event loop of the server whose plans it shows."""

from __future__ import annotations

import ssl
from pathlib import Path

from models.errors import InvalidInput, Unavailable
from planner.live.login import Login
from planner.service.address import check_address, is_loopback
from planner.service.async_store import AsyncStore
from planner.service.auth import TokenAuthenticator
from planner.service.hub import Hub

__all__ = ["LiveServer", "check_http_address"]

SHUTDOWN_S = 1.0
"""How long open streams may take to end."""


def check_http_address(address: str, *, tls: bool, tokens: bool, insecure: bool) -> None:
    """Raise InvalidInput for an address the live view must not be served at.

    Beyond this machine it needs TLS and tokens, as the gRPC address does, unless the operator says otherwise.
    """
    if address.startswith("unix"):
        raise InvalidInput(f"pages are served over TCP, not at {address!r}; write HOST:PORT")
    check_address(address)
    if not (insecure or is_loopback(address)) and not (tls and tokens):
        missing = " and ".join(name for name, there in (("TLS", tls), ("tokens", tokens)) if not there)
        raise InvalidInput(
            f"pages at {address} are reached from other machines and there is no {missing}: give --tls-cert, "
            "--tls-key and --tokens, serve them at 127.0.0.1, or say --insecure"
        )


class LiveServer:
    """Serves the pages from `start` to `stop`.

    Parameters
    ----------
    tokens
        Those of the gRPC address; None: nobody logs in.
    certificate, key, client_authorities
        PEM files; with a certificate it is HTTPS, with authorities only for clients whose certificate they
        signed.
    """

    def __init__(
        self, address: str, store: AsyncStore, hub: Hub, tokens: TokenAuthenticator | None, *,
        certificate: Path | None = None, key: Path | None = None, client_authorities: Path | None = None,
    ) -> None:  # fmt: skip
        try:
            from aiohttp import web

            from planner.live.views import make_app
        except ImportError:
            raise Unavailable("the live view needs aiohttp: pip install 'fulcrum-planner[http]'") from None
        self._address = address
        self._context = _tls(certificate, key, client_authorities)
        local_only = tokens is None and is_loopback(address)
        app = make_app(store, hub, Login(tokens), secure=self._context is not None, local_only=local_only)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self.port = 0

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        Unavailable
            It cannot listen there.
        """
        from aiohttp import web

        host, _, port = self._address.rpartition(":")
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, host.strip("[]"), int(port), ssl_context=self._context, reuse_port=False
        )
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise Unavailable(f"cannot serve pages at {self._address}: {error.strerror or error}") from error
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; open streams end."""
        await self._runner.cleanup()


def _tls(certificate: Path | None, key: Path | None, authorities: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
        if authorities is not None:
            context.load_verify_locations(authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # also what ssl raises
        raise InvalidInput(f"the PEM files do not serve: {error}", source=str(certificate)) from None
    return context
