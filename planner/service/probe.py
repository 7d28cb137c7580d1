"""Is a server serving? ``python -m planner.service.probe [ADDRESS]``: for container health checks.

Asks ``grpc.health.v1.Health``, the one service that needs no token. Exit code 0: it serves. 1: it says that
it does not, such as while workers warm up or the server drains; with ``--alive`` that is 0 too, since it
answers. 2: no answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner.service.address import DEFAULT_ADDRESS

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask once; see the module for the exit codes."""
    parser = argparse.ArgumentParser(
        prog="planner.service.probe", description="Ask a server whether it serves."
    )
    parser.add_argument("address", nargs="?", default=DEFAULT_ADDRESS, help="HOST:PORT")
    parser.add_argument("--ca", type=Path, help="PEM file of the authorities that sign the server: TLS")
    parser.add_argument("--cert", type=Path, help="PEM file of a client certificate, for mutual TLS")
    parser.add_argument("--key", type=Path, help="PEM file of its key")
    parser.add_argument("--server-name", help="name in the server's certificate, where it is not in ADDRESS")
    parser.add_argument("--alive", action="store_true", help="whatever it answers is good")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds")
    asked = parser.parse_args(arguments)
    if (asked.cert is None) != (asked.key is None) or (asked.cert is not None and asked.ca is None):
        parser.error("--cert and --key go together, and need --ca")

    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    options = [] if asked.server_name is None else [("grpc.ssl_target_name_override", asked.server_name)]
    if asked.ca is None:
        channel = grpc.insecure_channel(asked.address, options)
    else:
        pems = [None if path is None else path.read_bytes() for path in (asked.ca, asked.key, asked.cert)]
        channel = grpc.secure_channel(asked.address, grpc.ssl_channel_credentials(*pems), options)
    with channel:
        try:
            stub: Any = health_pb2_grpc.HealthStub(channel)  # its types lack the methods
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=asked.timeout)
        except grpc.RpcError as error:
            sys.stderr.write(f"no answer from {asked.address}: {error.details() or error.code().name}\n")
            return 2
    state = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    sys.stdout.write(f"{state}\n")
    return 0 if asked.alive or answer.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main())
