"""The HTTP server that Prometheus scrapes, in a thread of its own."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server

from models.errors import InvalidInput, Unavailable
from planner.service.address import check_address, is_loopback

__all__ = ["MetricsServer", "check_metrics_address"]


def check_metrics_address(address: str, *, authenticated: bool, insecure: bool) -> None:
    """Raise InvalidInput for an address metrics must not be served at.

    Parameters
    ----------
    authenticated
        Scrapers show a certificate: mutual TLS.
    insecure
        The operator wants it all the same.
    """
    if address.startswith("unix"):
        raise InvalidInput(f"metrics are served over TCP, not at {address!r}; write HOST:PORT")
    check_address(address)
    if not (is_loopback(address) or authenticated or insecure):
        raise InvalidInput(
            f"metrics at {address} are reached from other machines by whoever asks: listen at 127.0.0.1, ask "
            "scrapers for certificates with --tls-client-ca, or say --insecure"
        )


class MetricsServer:
    """Serves ``/metrics`` from its making to `close`.

    Parameters
    ----------
    certificate, key, client_authorities
        PEM files; with a certificate it is HTTPS, with authorities only for clients whose certificate they
        signed.

    Raises
    ------
    Unavailable
        It cannot listen there, or the PEM files do not serve.
    """

    def __init__(
        self,
        address: str,
        registry: CollectorRegistry,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        client_authorities: Path | None = None,
    ) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server, self._thread = start_http_server(
                int(port),
                host.strip("[]"),
                registry,
                certfile=_text(certificate),
                keyfile=_text(key),
                client_cafile=_text(client_authorities),
                client_auth_required=client_authorities is not None,
            )
        except OSError as error:
            raise Unavailable(f"cannot serve metrics at {address}: {error}") from error
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
