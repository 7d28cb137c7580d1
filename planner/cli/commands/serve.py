"""`fulcrum serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds

__all__ = ["serve"]


def serve(
    listen: Annotated[
        str, typer.Option(help="Address: HOST:PORT or unix:PATH.", metavar="ADDR")
    ] = "127.0.0.1:50061",
    store: Annotated[
        str,
        typer.Option(envvar="FULCRUM_STORE", help="SQLite file or database URL that keeps the plans."),
    ] = "fulcrum.sqlite",
    workers: Annotated[int, typer.Option(help="Plans made at once, each in a process of its own.")] = 1,
    worker_memory_gib: Annotated[
        float | None, typer.Option(help="Memory limit of a worker, GiB; default: none.")
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option(
            help="Seconds for a plan whose request states no limit.", metavar="TIME", parser=seconds
        ),
    ] = 300.0,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM file of the server's certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file of the server's private key.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="PEM file of the authorities that sign clients: mutual TLS.")
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option(help="YAML file of the callers; see docs/service.md.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Address for Prometheus to scrape: HOST:PORT.", metavar="ADDR")
    ] = None,
    http: Annotated[
        str | None, typer.Option(help="Address of pages for browsers: HOST:PORT.", metavar="ADDR")
    ] = None,
    otlp_endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Collector of traces, http://HOST:4317; default: OTEL_EXPORTER_OTLP_ENDPOINT, or none.",
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without TLS or tokens.")
    ] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve plans over gRPC until SIGTERM or Ctrl-C."""
    import asyncio
    import logging

    from models.errors import InvalidInput, UnknownName
    from planner.service.server import ServerConfig, TlsFiles, run_server

    levels = ("debug", "info", "warning", "error")
    if log_level not in levels:
        raise UnknownName("log level", log_level, levels)
    if (tls_cert is None) != (tls_key is None) or (tls_client_ca is not None and tls_cert is None):
        raise InvalidInput("--tls-cert and --tls-key go together, and --tls-client-ca needs both")
    config = ServerConfig(
        listen=listen,
        store=store,
        worker_count=workers,
        worker_memory_bytes=None if worker_memory_gib is None else round(worker_memory_gib * 2**30),
        default_time_limit_s=time_limit,
        tls=None
        if tls_cert is None or tls_key is None
        else TlsFiles(certificate=tls_cert, key=tls_key, client_authorities=tls_client_ca),
        tokens=tokens,
        metrics=metrics,
        http=http,
        otlp_endpoint=otlp_endpoint,
        insecure=insecure,
    )
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(run_server(config))
