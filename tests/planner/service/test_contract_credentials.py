"""Every RPC of every service, whoever adds it, is refused without a good credential."""

from __future__ import annotations

import hashlib

import grpc
import pytest

from benchmarks.service_load.methods import every_method
from planner.service.interceptor import OPEN_METHODS

METHODS = every_method()


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture(scope="module")
def guarded(start_servers_of_the_module, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.yaml"
    path.write_text(
        "tokens:\n"
        f"  - {{name: good, role: operator, sha256: {digest('good')}}}\n"
        f"  - {{name: old, role: operator, sha256: {digest('old')}, expires: '2020-01-01'}}\n"
    )
    return start_servers_of_the_module(tokens=path)


def call(channel, method, metadata):
    """Status code of a call with an empty message."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    make = kinds[method.request_streaming, method.response_streaming]
    rpc = make(method.path, request_serializer=bytes, response_deserializer=bytes)
    payload = iter([b""]) if method.request_streaming else b""
    try:
        answer = rpc(payload, metadata=metadata, timeout=2)
        if method.response_streaming:
            list(answer)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Bearer wrong"),), (("authorization", "Bearer old"),)],
    ids=["none", "wrong", "expired"],
)
def test_no_method_answers_without_a_good_credential(guarded, metadata):
    closed = [method for method in METHODS if method.path not in OPEN_METHODS]
    assert len(closed) >= 20

    codes = {method.path: call(guarded.channel, method, metadata) for method in closed}

    assert set(codes.values()) == {grpc.StatusCode.UNAUTHENTICATED}, codes


def test_a_good_credential_is_let_in_everywhere(guarded):
    metadata = (("authorization", "Bearer good"),)

    codes = {method.path: call(guarded.channel, method, metadata) for method in METHODS}

    assert not set(codes.values()) & {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INTERNAL}, codes


def test_the_registry_of_methods_is_what_the_server_lists(guarded):
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    stub = reflection_pb2_grpc.ServerReflectionStub(guarded.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    metadata = (("authorization", "Bearer good"),)
    answer = next(stub.ServerReflectionInfo(iter([request]), metadata=metadata, timeout=10))

    listed = {service.name for service in answer.list_services_response.service}
    assert listed == {method.path.split("/")[1] for method in METHODS}
