"""Uploads over a real socket: kept whole, refused whole, of one tenant, and what plans rest on."""

from __future__ import annotations

import hashlib
import json

import grpc
import pytest
from grpc_status import rpc_status

from models.profiles.catalogue import PACKAGED
from planner.service.protos import error_details_pb2, profile_service_pb2, profile_service_pb2_grpc
from planner.store.profiles import ProfileStore

NAME = "a100-sxm-80gb"
pb = profile_service_pb2
FOLDER = PACKAGED / NAME
TABLES = [
    (path.stem, path.read_bytes())
    for path in sorted(FOLDER.glob("*.parquet"))
    if path.stem in ("gemm", "bmm")
]


def manifest(**fields) -> str:
    data = json.loads((FOLDER / "manifest.json").read_text()) | fields
    data["tables"] = {name: entry for name, entry in data["tables"].items() if name in dict(TABLES)}
    return json.dumps(data)


def messages(name: str = "mine", *, text: str = "", chunk: int = 50_000, tables=TABLES, **fields):
    whole = b"".join(data for _, data in tables)
    upload = {
        "name": f"profiles/{name}", "manifest_json": text or manifest(), "size_bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "tables": [pb.ProfileUploadTable(operation=name, size_bytes=len(data)) for name, data in tables],
    }  # fmt: skip
    yield pb.UploadProfileRequest(upload=pb.ProfileUpload(**upload | fields))
    for at in range(0, len(whole), chunk):
        yield pb.UploadProfileRequest(chunk=whole[at : at + chunk])


@pytest.fixture(params=["sqlite", "postgres"])
def either_server(request):
    """A server on a database of each kind, which ends before its database does."""
    where = {"store": request.getfixturevalue("postgres")} if request.param == "postgres" else {}
    return request.getfixturevalue("start_server")(**where)


@pytest.fixture
def profiles(server):
    return profile_service_pb2_grpc.ProfileServiceStub(server.channel)


def refusal(call) -> tuple[str, str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    status = rpc_status.from_call(caught.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return caught.value.code().name, info.reason, status.message


def test_an_upload_is_kept_listed_sent_back_and_deleted(either_server, start_server) -> None:
    profiles = profile_service_pb2_grpc.ProfileServiceStub(either_server.channel)
    made = profiles.UploadProfile(messages(), timeout=60)
    assert made.origin == pb.PROFILE_ORIGIN_UPLOADED
    assert made.size_bytes == sum(len(data) for _, data in TABLES)
    either_server.stop()  # on disk: another server has it
    next_one = start_server(store=either_server.config.store)
    other = profile_service_pb2_grpc.ProfileServiceStub(next_one.channel)
    assert other.GetProfile(pb.GetProfileRequest(name="profiles/mine"), timeout=10) == made
    assert made in other.ListProfiles(pb.ListProfilesRequest(), timeout=10).profiles
    first, *rest = other.DownloadProfile(pb.DownloadProfileRequest(name="profiles/mine"), timeout=10)
    assert b"".join(part.chunk for part in rest) == b"".join(data for _, data in TABLES)
    assert [table.operation for table in first.upload.tables] == [name for name, _ in TABLES]
    other.DeleteProfile(pb.DeleteProfileRequest(name="profiles/mine"), timeout=10)
    missing = pb.DeleteProfileRequest(name="profiles/mine")
    assert refusal(lambda: other.DeleteProfile(missing, timeout=10))[0] == "NOT_FOUND"
    other.DeleteProfile(pb.DeleteProfileRequest(name="profiles/mine", allow_missing=True), timeout=10)


def test_what_is_not_as_declared_is_refused_and_leaves_nothing(profiles) -> None:
    damaged = [(name, data[:-9] + b"\x00" * 9) for name, data in TABLES]
    lying = json.loads(manifest())
    lying["tables"]["gemm"]["rows"] = 10**9
    cases = {
        "chunk": messages(size_bytes=10**9),
        "cut": list(messages())[:-1],
        "checksum": messages(sha256="0" * 64),
        "no upload": list(messages())[1:],
        "nothing": [],
        "damaged": messages(tables=damaged),
        "another table": messages(tables=TABLES[:1]),
        "rows": messages(text=json.dumps(lying)),
        "gpu": messages(text=manifest(gpu="h900")),
        "deep": messages(text="[" * 5000),
        "no json": messages(text="{"),
        "path": messages("../../etc/passwd"),
        "capitals": messages("Mine"),
    }
    for what, sent in cases.items():
        code, _, message = refusal(lambda sent=sent: profiles.UploadProfile(iter(sent), timeout=60))
        assert code == "INVALID_ARGUMENT", (what, message)
        assert "/tmp" not in message, what
    assert len(profiles.ListProfiles(pb.ListProfilesRequest(page_size=1000), timeout=10).profiles) == 8
    assert profiles.UploadProfile(messages(validate_only=True), timeout=60).sha256
    get = pb.GetProfileRequest(name="profiles/mine")
    assert refusal(lambda: profiles.GetProfile(get, timeout=10))[0] == "NOT_FOUND"


def test_a_retry_changes_nothing_and_other_content_needs_leave(either_server) -> None:
    profiles = profile_service_pb2_grpc.ProfileServiceStub(either_server.channel)
    first = profiles.UploadProfile(messages(request_id="one"), timeout=60)
    assert profiles.UploadProfile(messages(request_id="one"), timeout=60) == first
    other = manifest(source="our own lab")
    exists = refusal(lambda: profiles.UploadProfile(messages(text=other), timeout=60))
    assert exists[:2] == ("ALREADY_EXISTS", "PROFILE_EXISTS")
    reused = refusal(lambda: profiles.UploadProfile(messages(text=other, request_id="one"), timeout=60))
    assert reused[1] == "REQUEST_ID_REUSED"
    replaced = profiles.UploadProfile(messages(text=other, replace_existing=True), timeout=60)
    assert (replaced.source, replaced.sha256 != first.sha256) == ("our own lab", True)


def test_a_plan_keeps_what_it_rests_on_when_it_is_replaced_or_deleted(either_server) -> None:
    profiles = profile_service_pb2_grpc.ProfileServiceStub(either_server.channel)
    first = profiles.UploadProfile(messages(), timeout=60)
    made = either_server.create("{fleet: demo, gpus: [mine, other]}", request_id="once")
    profiles.UploadProfile(messages(text=manifest(source="our own lab"), replace_existing=True), timeout=60)
    profiles.DeleteProfile(pb.DeleteProfileRequest(name="profiles/mine"), timeout=10)
    assert either_server.wait(made).WhichOneof("result") == "response"
    store = ProfileStore(either_server.server._store.store.database)
    assert store.pinned(made.name.removeprefix("operations/")) == {"mine": first.sha256}
    assert store.content("default", first.sha256).tables == dict(TABLES)
    again = either_server.create("{fleet: demo, gpus: [mine, other]}", request_id="once")
    assert again.name == made.name


def test_roles_and_tenants(start_server, tmp_path) -> None:
    who = {"viewer": ("red", "viewer"), "planner": ("red", "planner"), "operator": ("red", "operator"),
           "other": ("green", "operator")}  # fmt: skip
    lines = [
        f"  - {{name: {t}, tenant: {tenant}, role: {role}, sha256: {hashlib.sha256(t.encode()).hexdigest()}}}"
        for t, (tenant, role) in who.items()
    ]
    (tmp_path / "tokens.yaml").write_text("tokens:\n" + "\n".join(lines) + "\n")
    stub = profile_service_pb2_grpc.ProfileServiceStub(start_server(tokens=tmp_path / "tokens.yaml").channel)

    def by(token):
        return {"metadata": (("authorization", f"Bearer {token}"),), "timeout": 60}

    for low in ("viewer", "planner"):
        assert refusal(lambda low=low: stub.UploadProfile(messages(), **by(low)))[1] == "ROLE_TOO_LOW"
    stub.UploadProfile(messages(), **by("operator"))
    get = pb.GetProfileRequest(name="profiles/mine")
    assert stub.GetProfile(get, **by("viewer")).uploader == "operator"
    for call in (stub.GetProfile, lambda request, **k: stub.DeleteProfile(
        pb.DeleteProfileRequest(name=request.name), **k)):  # fmt: skip
        assert refusal(lambda call=call: call(get, **by("other")))[0] == "NOT_FOUND"
    listed = stub.ListProfiles(pb.ListProfilesRequest(page_size=1000), **by("other")).profiles
    assert "profiles/mine" not in {profile.name for profile in listed}
