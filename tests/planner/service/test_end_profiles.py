"""A plan that a server makes with an uploaded profile is the plan made here with that profile."""

from __future__ import annotations

import hashlib
import json
import shutil

import grpc
import pytest

from models.profiles.catalogue import PACKAGED, with_profiles
from planner.pipeline import PlanOptions, create_plan
from planner.service.protos import profile_service_pb2, profile_service_pb2_grpc

pb = profile_service_pb2
SOURCE = PACKAGED / "h100-sxm-80gb"
LENGTHS = {
    "kind": "LengthDistribution", "source": "made up", "levels": [0.0, 0.5, 1.0],
    "input_tokens": [16, 512, 1024], "bands": [{"up_to": 1.0, "output_tokens": [4, 64, 128]}],
}  # fmt: skip


def document(gpu: str) -> str:
    pool = {"name": "here", "gpu": gpu, "nodes": 1, "gpus_per_node": 2, "racks": 1, "zone": "a",
            "price_per_gpu_hour": 1.0}  # fmt: skip
    workload = {"model": "m", "rate": "1/s", "lengths": LENGTHS, "slo": {"ttft_p95": "5s", "tpot_p95": "1s"}}
    model = {"name": "m", "architecture": "llama-3.1-8b", "weights": "bf16", "engine": "vllm"}
    policies = {"parallelism": {"tensor": [1], "pipeline": [1]}}
    return json.dumps(
        {"fleet": "f", "pools": [pool], "models": [model], "workloads": [workload], "policies": policies,
         "goals": ["unserved_demand", "cost"]}
    )  # fmt: skip


def upload(name: str):
    manifest = json.loads((SOURCE / "manifest.json").read_text())
    tables = [(name, (SOURCE / entry["file"]).read_bytes()) for name, entry in manifest["tables"].items()]
    whole = b"".join(data for _, data in tables)
    yield pb.UploadProfileRequest(
        upload=pb.ProfileUpload(
            name=f"profiles/{name}", manifest_json=json.dumps(manifest), size_bytes=len(whole),
            sha256=hashlib.sha256(whole).hexdigest(),
            tables=[pb.ProfileUploadTable(operation=name, size_bytes=len(data)) for name, data in tables],
        )
    )  # fmt: skip
    for at in range(0, len(whole), 2**18):
        yield pb.UploadProfileRequest(chunk=whole[at : at + 2**18])


@pytest.mark.parametrize("name", ["our-h100", "h100-sxm-80gb"])
def test_the_same_plan_here_and_there_even_when_the_profile_is_deleted(
    shared_real_server, tmp_path, name
) -> None:
    """As the device of a pool, and as the times of a type that the catalogue has."""
    server = shared_real_server
    profiles = profile_service_pb2_grpc.ProfileServiceStub(server.channel)
    if name == "our-h100":
        with pytest.raises(grpc.RpcError, match="unknown GPU 'our-h100'"):
            server.create(document(name), validate_only=True)
    sent = profiles.UploadProfile(upload(name), timeout=60)
    asked = {"options": {"skip_verification": True}, "request_id": f"plan-on-{name}"}
    made = server.create(document(name), **asked)
    profiles.DeleteProfile(pb.DeleteProfileRequest(name=f"profiles/{name}"), timeout=30)
    assert server.create(document(name), **asked).name == made.name  # the answer was lost: the same again
    server.wait(made, timeout=120)

    shutil.copytree(SOURCE, tmp_path / name)
    with with_profiles({name: tmp_path / name}):
        here = create_plan(document(name), options=PlanOptions(verify=False))
    assert here.state == "optimal"
    assert sent.sha256 in here.to_json()
    assert server.plan(made).canonical_json == here.to_json()


def test_a_profile_of_one_plan_does_not_price_the_next(shared_real_server) -> None:
    """The worker is the same, and so is the name of the GPU."""
    server = shared_real_server
    plans = []
    for _ in range(2):
        made = server.create(document("h100-sxm-80gb"), options={"skip_verification": True})
        server.wait(made, timeout=120)
        plans.append(server.plan(made).canonical_json)
        profiles = profile_service_pb2_grpc.ProfileServiceStub(server.channel)
        sent = profiles.UploadProfile(upload("h100-sxm-80gb"), timeout=60)
    profiles.DeleteProfile(pb.DeleteProfileRequest(name="profiles/h100-sxm-80gb"), timeout=30)
    assert [sent.sha256 in plan for plan in plans] == [False, True]
