"""TLS, mutual TLS, tokens, roles, tenants, and where a server without them may listen."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import ssl
import subprocess
import urllib.request

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from models.errors import InvalidInput, Unavailable
from planner.service import probe
from planner.service.client import PlanClient
from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc
from planner.service.interceptor import OPEN_METHODS, REQUIRED_ROLES
from planner.service.server import ServerConfig, TlsFiles

VIEWER, PLANNER, OTHER, OLD = "viewer-token", "planner-token", "other-token", "old-token"


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, a server's and a client's certificate, and an authority nobody trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make certificates")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    for authority in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.pem",
                "-subj", f"/CN={authority}")  # fmt: skip
    for name in ("server", "client"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-addext", "basicConstraints=critical,CA:FALSE",
                "-CA", "ca.pem", "-CAkey", "ca.key")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.yaml"
    path.write_text(
        "tokens:\n"
        f"  - {{name: v, tenant: one, role: viewer, sha256: {digest(VIEWER)}}}\n"
        f"  - {{name: p, tenant: one, role: planner, sha256: {digest(PLANNER)}}}\n"
        f"  - {{name: o, tenant: two, role: planner, sha256: {digest(OTHER)}}}\n"
        f"  - {{name: e, tenant: one, role: planner, sha256: {digest(OLD)}, expires: '2020-01-01'}}\n"
    )
    return path


@pytest.fixture(scope="module")
def tls(certificates):
    return TlsFiles(certificate=certificates / "server.pem", key=certificates / "server.key")


@pytest.fixture(scope="module")
def secured(start_servers_of_the_module, tls, tokens):
    return start_servers_of_the_module(tls=tls, tokens=tokens)


def channel(server, certificates, *, authority="ca.pem", client=False):
    credentials = grpc.ssl_channel_credentials(
        (certificates / authority).read_bytes(),
        (certificates / "client.key").read_bytes() if client else None,
        (certificates / "client.pem").read_bytes() if client else None,
    )
    return grpc.secure_channel(server.address, credentials)


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def every_rpc(connection):
    """One call of each method, as a function of the metadata."""
    planning = planning_service_pb2_grpc.PlanningServiceStub(connection)
    operations = operations_pb2_grpc.OperationsStub(connection)
    reflection = reflection_pb2_grpc.ServerReflectionStub(connection)
    nobody = "0" * 32
    pb, op = planning_service_pb2, operations_pb2
    unary = {
        planning.CreatePlan: pb.CreatePlanRequest(document="fleet: demo"),
        planning.GetPlan: pb.GetPlanRequest(name=f"plans/{nobody}"),
        planning.ListPlans: pb.ListPlansRequest(),
        planning.DiffPlans: pb.DiffPlansRequest(base=f"plans/{nobody}", target=f"plans/{nobody}"),
        operations.GetOperation: op.GetOperationRequest(name=f"operations/{nobody}"),
        operations.ListOperations: op.ListOperationsRequest(),
        operations.CancelOperation: op.CancelOperationRequest(name=f"operations/{nobody}"),
        operations.DeleteOperation: op.DeleteOperationRequest(name=f"operations/{nobody}"),
        operations.WaitOperation: op.WaitOperationRequest(name=f"operations/{nobody}"),
    }
    calls = [lambda metadata, f=f, r=r: f(r, metadata=metadata, timeout=10) for f, r in unary.items()]
    watch = pb.WatchPlanRequest(name=f"plans/{nobody}")
    calls.append(lambda metadata: list(planning.WatchPlan(watch, metadata=metadata, timeout=10)))
    listing = reflection_pb2.ServerReflectionRequest(list_services="")
    calls.append(
        lambda metadata: list(reflection.ServerReflectionInfo(iter([listing]), metadata=metadata, timeout=10))
    )
    return calls


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", "Bearer wrong"),),
        (("authorization", f"Bearer {OLD}"),),
        (("authorization", PLANNER),),
        (("authorization", f"Basic {PLANNER}"),),
        (("authorization", f"Bearer {PLANNER}"), ("authorization", f"Bearer {PLANNER}")),
    ],
    ids=["none", "wrong", "expired", "bare", "basic", "two"],
)
def test_every_rpc_without_a_good_credential_is_refused(secured, certificates, metadata):
    with channel(secured, certificates) as connection:
        codes = {code_of(lambda call=call: call(metadata)) for call in every_rpc(connection)}

    assert codes == {grpc.StatusCode.UNAUTHENTICATED}


def test_a_viewer_may_look_and_nothing_else(secured, certificates):
    metadata = (("authorization", f"Bearer {VIEWER}"),)
    with channel(secured, certificates) as connection:
        planning = planning_service_pb2_grpc.PlanningServiceStub(connection)
        operations = operations_pb2_grpc.OperationsStub(connection)
        create = planning_service_pb2.CreatePlanRequest(document="fleet: demo")
        cancel = operations_pb2.CancelOperationRequest(name="operations/" + "0" * 32)

        assert (
            planning.ListPlans(planning_service_pb2.ListPlansRequest(), metadata=metadata, timeout=10)
            is not None
        )
        refused = grpc.StatusCode.PERMISSION_DENIED
        assert code_of(lambda: planning.CreatePlan(create, metadata=metadata, timeout=10)) == refused
        assert code_of(lambda: operations.CancelOperation(cancel, metadata=metadata, timeout=10)) == refused


def test_health_needs_no_credential(secured, certificates):
    with channel(secured, certificates) as connection:
        answer = health_pb2_grpc.HealthStub(connection).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert all(method.startswith("/grpc.health.v1.Health/") for method in OPEN_METHODS)


def test_the_probe_over_tls(secured, certificates):
    address = secured.address
    assert probe.main([address, "--ca", str(certificates / "ca.pem")]) == 0
    assert probe.main([address, "--ca", str(certificates / "stranger.pem"), "--timeout", "2"]) == 2
    named = [address, "--ca", str(certificates / "ca.pem"), "--server-name"]
    assert probe.main([*named, "localhost"]) == 0
    assert probe.main([*named, "elsewhere", "--timeout", "2"]) == 2


def test_one_tenant_never_sees_anothers_plans(secured, certificates):
    mine, theirs = ((("authorization", f"Bearer {token}"),) for token in (PLANNER, OTHER))
    with channel(secured, certificates) as connection:
        planning = planning_service_pb2_grpc.PlanningServiceStub(connection)
        operations = operations_pb2_grpc.OperationsStub(connection)
        request = planning_service_pb2.CreatePlanRequest(document="fleet: demo", request_id="same")
        operation = planning.CreatePlan(request, metadata=mine, timeout=30)
        name = operation.name.replace("operations/", "plans/")
        get = planning_service_pb2.GetPlanRequest(name=name)
        calls = [
            lambda: planning.GetPlan(get, metadata=theirs, timeout=10),
            lambda: list(
                planning.WatchPlan(
                    planning_service_pb2.WatchPlanRequest(name=name), metadata=theirs, timeout=10
                )
            ),
            lambda: planning.CreatePlan(
                planning_service_pb2.CreatePlanRequest(document="fleet: x", current_plan=name),
                metadata=theirs,
                timeout=10,
            ),
            lambda: operations.GetOperation(
                operations_pb2.GetOperationRequest(name=operation.name), metadata=theirs, timeout=10
            ),
            lambda: operations.CancelOperation(
                operations_pb2.CancelOperationRequest(name=operation.name), metadata=theirs, timeout=10
            ),
            lambda: operations.WaitOperation(
                operations_pb2.WaitOperationRequest(name=operation.name), metadata=theirs, timeout=10
            ),
        ]

        assert {code_of(call) for call in calls} == {grpc.StatusCode.NOT_FOUND}
        listed = planning.ListPlans(planning_service_pb2.ListPlansRequest(), metadata=theirs, timeout=10)
        assert not listed.plans
        assert planning.CreatePlan(request, metadata=theirs, timeout=30).name != operation.name
        assert planning.GetPlan(get, metadata=mine, timeout=10).name == name


def test_the_client_speaks_tls_with_a_token(secured, certificates):
    address = secured.address.replace("127.0.0.1", "localhost")
    with PlanClient(address, authorities=certificates / "ca.pem", token=PLANNER) as client:
        assert client.create_plan("fleet: demo").state == "optimal"
    with (
        PlanClient(address, authorities=certificates / "ca.pem", token="wrong") as client,
        pytest.raises(Unavailable, match="not known"),
    ):
        client.create_plan("fleet: demo")
    with (
        PlanClient(
            address, authorities=certificates / "stranger.pem", token=PLANNER, patience_s=0.2
        ) as client,
        pytest.raises(Unavailable),
    ):
        client.create_plan("fleet: demo")


def test_mutual_tls_refuses_clients_without_a_certificate(start_server, certificates):
    tls = TlsFiles(
        certificate=certificates / "server.pem",
        key=certificates / "server.key",
        client_authorities=certificates / "ca.pem",
    )
    server = start_server(tls=tls)
    listing = planning_service_pb2.ListPlansRequest()

    def ask(**how):
        with channel(server, certificates, **how) as connection:
            stub = planning_service_pb2_grpc.PlanningServiceStub(connection)
            return code_of(lambda: stub.ListPlans(listing, timeout=10))

    assert ask(client=True) == grpc.StatusCode.OK
    assert ask() == grpc.StatusCode.UNAVAILABLE


def test_metrics_too_ask_for_a_certificate_under_mutual_tls(start_server, certificates):
    tls = TlsFiles(
        certificate=certificates / "server.pem",
        key=certificates / "server.key",
        client_authorities=certificates / "ca.pem",
    )
    server = start_server(tls=tls, metrics="127.0.0.1:0").server
    assert server.metrics_server is not None
    url = f"https://localhost:{server.metrics_server.port}/metrics"
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    with pytest.raises(OSError, match=r"certificate required|reset|EOF|Broken pipe|closed"):
        urllib.request.urlopen(url, context=context, timeout=10).read()
    context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    with urllib.request.urlopen(url, context=context, timeout=10) as response:
        assert b"fulcrum_store_up 1.0" in response.read()


def test_every_open_or_reading_method_exists(server):
    """A typing mistake in the tables would leave a method with the highest role, or open the wrong one."""
    from google.protobuf.descriptor_pool import Default

    for method in [*REQUIRED_ROLES, *OPEN_METHODS]:
        service, name = method.strip("/").split("/")
        if service != "grpc.reflection.v1.ServerReflection":  # of newer reflection packages
            assert name in Default().FindServiceByName(service).methods_by_name


@pytest.mark.parametrize("missing", ["tls", "tokens", "both"])
def test_beyond_this_machine_tls_and_tokens_are_required(tmp_path, missing):
    tls = TlsFiles(certificate=tmp_path / "c", key=tmp_path / "k")
    settings = {"tls": tls, "tokens": tmp_path / "t"}
    for name in ("tls", "tokens") if missing == "both" else (missing,):
        settings.pop(name)

    with pytest.raises(InvalidInput, match="reached from other machines"):
        ServerConfig(listen="0.0.0.0:50061", **settings)
    assert ServerConfig(listen="0.0.0.0:50061", insecure=True, **settings).insecure


def test_a_port_in_use_is_an_error_not_a_share(start_server):
    first = start_server()

    with pytest.raises(Unavailable, match="cannot listen"):
        start_server(listen=first.address)


def as_text(record):
    """Keep what a record says and not what it says it about: gRPC's objects are freed by their own thread."""
    record.msg, record.args = record.getMessage(), None
    if record.exc_info:
        record.exc_text, record.exc_info = logging.Formatter().formatException(record.exc_info), None
    return True


def test_the_log_says_who_did_what_and_never_a_token(start_server, tls, tokens, certificates, caplog):
    caplog.set_level("DEBUG")
    caplog.handler.addFilter(as_text)
    secured = start_server(tls=tls, tokens=tokens)
    with channel(secured, certificates) as connection:
        planning = planning_service_pb2_grpc.PlanningServiceStub(connection)
        for token in (PLANNER, "wrong-token"):
            metadata = (("authorization", f"Bearer {token}"),)
            request = planning_service_pb2.CreatePlanRequest(
                document="fleet: demo # private", request_id="r-1"
            )
            code_of(lambda m=metadata, r=request: planning.CreatePlan(r, metadata=m, timeout=30))
    secured.stop()

    text = caplog.text
    assert "method=/fulcrum.v1.PlanningService/CreatePlan caller=p tenant=one code=OK" in text
    assert "method=/fulcrum.v1.PlanningService/CreatePlan caller=- tenant= code=UNAUTHENTICATED" in text
    assert re.search(r"CreatePlan caller=p .* request=r-1 name=operations/[0-9a-f]{32}", text)
    assert "token" not in text.replace("the token is not known", "")
    assert "private" not in text
