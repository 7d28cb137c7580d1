"""The health probe, against real servers."""

from __future__ import annotations

import socket
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from planner.service.probe import main


@pytest.fixture
def plain():
    """A gRPC server with nothing but health, and what sets it."""
    server = grpc.server(futures.ThreadPoolExecutor(1))
    state = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", state, server
    server.stop(None).wait()


def test_our_server(shared_server, capsys):
    assert main([shared_server.address]) == 0
    assert capsys.readouterr().out == "SERVING\n"


def test_what_a_server_says_of_itself_and_none_at_all(plain, capsys):
    address, state, server = plain
    state.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert main([address]) == 1
    assert main([address, "--alive"]) == 0
    assert capsys.readouterr().out == "NOT_SERVING\n" * 2
    server.stop(None).wait()
    assert main([address, "--timeout", "1"]) == 2
    assert f"no answer from {address}: " in capsys.readouterr().err


def test_a_server_that_accepts_connections_and_never_answers_is_not_alive(capsys):
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        address = f"127.0.0.1:{hangs.getsockname()[1]}"
        assert main([address, "--alive", "--timeout", "0.2"]) == 2
    assert f"no answer from {address}: " in capsys.readouterr().err


def test_half_a_client_certificate(capsys):
    with pytest.raises(SystemExit):
        main(["--ca", "ca.pem", "--cert", "client.pem"])
    assert "--cert and --key go together" in capsys.readouterr().err
