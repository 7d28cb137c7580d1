"""Kill -9 amid uploads: what was acknowledged is there whole, anything else is whole or not there at all.

``FULCRUM_KILL_ROUNDS`` sets how often the server is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time

import grpc
import pytest
from sqlalchemy import func, select

from benchmarks.service_load.server import ServerProcess
from models.profiles.catalogue import PACKAGED
from planner.service.protos import profile_service_pb2 as pb
from planner.service.protos import profile_service_pb2_grpc
from planner.store.database import Database
from planner.store.schema import profile_contents, profile_tables, profiles

ROUNDS = int(os.environ.get("FULCRUM_KILL_ROUNDS", "1"))
FOLDER = PACKAGED / "a100-sxm-80gb"
NAMES = ("bmm", "gemm")
TABLES = {name: (FOLDER / f"{name}.parquet").read_bytes() for name in NAMES}
WHOLE = b"".join(TABLES.values())

pytestmark = [
    pytest.mark.usefixtures("_scripted"),
    pytest.mark.skipif(sys.platform != "linux", reason="locks tell who is alive"),
]


def manifest(source: str) -> str:
    data = json.loads((FOLDER / "manifest.json").read_text()) | {"source": source}
    data["tables"] = {name: entry for name, entry in data["tables"].items() if name in NAMES}
    return json.dumps(data)


def first(name: str) -> pb.UploadProfileRequest:
    tables = [pb.ProfileUploadTable(operation=key, size_bytes=len(data)) for key, data in TABLES.items()]
    return pb.UploadProfileRequest(
        upload=pb.ProfileUpload(
            name=f"profiles/{name}", manifest_json=manifest(name), size_bytes=len(WHOLE), tables=tables,
            sha256=hashlib.sha256(WHOLE).hexdigest(), request_id=f"the upload of {name}".replace(" ", "-"),
        )
    )  # fmt: skip


def messages(name: str):
    yield first(name)
    for at in range(0, len(WHOLE), 2**15):
        yield pb.UploadProfileRequest(chunk=WHOLE[at : at + 2**15])


@pytest.fixture
def server(tmp_path):
    (tmp_path / "temporary").mkdir()
    process = ServerProcess(
        tmp_path, backend="scripted_backend:ScriptedBackend", lease_s=0.5, grace_s=0.2,
        environment={"TMPDIR": str(tmp_path / "temporary")},
    )  # fmt: skip
    with process:
        yield process


def stored(tmp_path) -> tuple[set[str], int, int]:
    """Names in the store, and how many contents and tables there are."""
    database = Database(str(tmp_path / "plans.sqlite"))
    with database.read() as connection:
        names = set(connection.execute(select(profiles.c.name)).scalars())
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (profile_contents, profile_tables)
        ]
    database.close()
    return names, counts[0], counts[1]


def test_a_server_killed_amid_an_upload_has_nothing_of_it(server, tmp_path) -> None:
    half_sent, may_go_on = threading.Event(), threading.Event()

    def slowly():
        for number, message in enumerate(messages("half")):
            if number == 3:
                half_sent.set()
                may_go_on.wait(60)
            yield message

    with server.channel() as channel:
        call = profile_service_pb2_grpc.ProfileServiceStub(channel).UploadProfile.future(slowly(), timeout=60)
        assert half_sent.wait(60)
        while not list((tmp_path / "temporary").glob("fulcrum-profiles-*/*/*.parquet")):
            time.sleep(0.01)
        server.end(signal.SIGKILL)
        may_go_on.set()
        with pytest.raises(grpc.RpcError) as ended:
            call.result()
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
    assert stored(tmp_path) == (set(), 0, 0)
    server.start()
    assert len(list((tmp_path / "temporary").glob("fulcrum-profiles-*"))) == 1, "what it received is left"
    with server.channel() as channel:
        stub = profile_service_pb2_grpc.ProfileServiceStub(channel)
        assert stub.UploadProfile(messages("half"), timeout=60).size_bytes == len(WHOLE)
    assert stored(tmp_path) == ({"half"}, 1, len(TABLES))


def test_servers_killed_at_any_moment_keep_what_they_acknowledged(server, tmp_path) -> None:
    source, acknowledged, asked = random.Random(11), set(), []
    for number in range(ROUNDS):
        with server.channel() as channel:
            stub = profile_service_pb2_grpc.ProfileServiceStub(channel)
            warm = f"warm-{number}"
            asked.append(warm)
            begin = time.monotonic()
            stub.UploadProfile(messages(warm), timeout=60)
            acknowledged.add(warm)
            killing = threading.Timer(
                source.uniform(0, time.monotonic() - begin), server.end, (signal.SIGKILL,)
            )
            killing.start()
            for index in range(20):  # a tenant may have 64
                asked.append(f"p-{number}-{index}")
                try:
                    stub.UploadProfile(messages(asked[-1]), timeout=60)
                except grpc.RpcError:
                    break
                acknowledged.add(asked[-1])
            killing.join()
        server.start()
    names, contents, tables = stored(tmp_path)
    assert acknowledged <= names <= set(asked)
    assert (contents, tables) == (len(names), len(names) * len(TABLES))
    with server.channel() as channel:
        stub = profile_service_pb2_grpc.ProfileServiceStub(channel)
        for name in sorted(names):
            _, *rest = stub.DownloadProfile(pb.DownloadProfileRequest(name=f"profiles/{name}"), timeout=60)
            assert b"".join(part.chunk for part in rest) == WHOLE
        # the answer was lost: the same request again
        assert stub.UploadProfile(messages(asked[-1]), timeout=60).name == f"profiles/{asked[-1]}"
