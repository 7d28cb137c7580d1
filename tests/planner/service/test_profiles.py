"""ProfileService over a real socket, with the packaged profiles and one of the operator's."""

from __future__ import annotations

import json
import shutil

import grpc
import pytest
from grpc_status import rpc_status

from models.profiles.catalogue import PACKAGED, PROFILES_VARIABLE, find_profile, known_profiles
from planner.service.protos import (
    code_pb2,
    error_details_pb2,
    profile_service_pb2,
    profile_service_pb2_grpc,
)

NAME = "h100-sxm-80gb"


@pytest.fixture
def profiles(shared_server):
    return profile_service_pb2_grpc.ProfileServiceStub(shared_server.channel)


def get(profiles, name: str):
    return profiles.GetProfile(profile_service_pb2.GetProfileRequest(name=name), timeout=10)


def listed(profiles, page_size: int) -> list[str]:
    names, token = [], ""
    while True:
        request = profile_service_pb2.ListProfilesRequest(page_size=page_size, page_token=token)
        page = profiles.ListProfiles(request, timeout=10)
        assert len(page.profiles) <= page_size
        names += [profile.name for profile in page.profiles]
        if not (token := page.next_page_token):
            return names


def refusal(profiles, name: str) -> tuple[int, str, str]:
    with pytest.raises(grpc.RpcError) as error:
        get(profiles, name)
    status = rpc_status.from_call(error.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return status.code, info.reason, status.message


def test_a_profile_is_what_its_manifest_says(profiles) -> None:
    found, manifest = get(profiles, f"profiles/{NAME}"), find_profile(NAME).manifest
    assert (found.gpu, found.device, found.source) == (manifest.gpu, manifest.device.name, manifest.source)
    assert (found.licence, found.created) == (manifest.licence, manifest.created)
    basis = profile_service_pb2.ProfileBasis.Name(found.basis)
    assert basis == f"PROFILE_BASIS_{manifest.basis.upper()}"
    assert dict(found.libraries) == manifest.libraries
    tables = {table.operation: (table.row_count, table.sha256) for table in found.tables}
    assert tables == {name: (entry.rows, entry.sha256) for name, entry in manifest.tables.items()}
    assert tables


def test_pages_hold_each_profile_once_by_name(profiles) -> None:
    names = [f"profiles/{name}" for name in known_profiles()]
    assert len(names) >= 8
    assert listed(profiles, 3) == names == listed(profiles, 1000)


def test_a_profile_of_the_operators_comes_before_the_packaged_one(profiles, tmp_path, monkeypatch) -> None:
    shutil.copytree(PACKAGED / NAME, tmp_path / NAME)
    shutil.copytree(PACKAGED / NAME, tmp_path / "broken")
    manifest = tmp_path / NAME / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"source": "our own lab"}))
    (tmp_path / "broken" / "manifest.json").write_text("{")
    monkeypatch.setenv(PROFILES_VARIABLE, str(tmp_path))
    assert get(profiles, f"profiles/{NAME}").source == "our own lab"
    assert "profiles/broken" not in listed(profiles, 3)
    code, reason, message = refusal(profiles, "profiles/broken")
    assert (code, reason) == (code_pb2.FAILED_PRECONDITION, "PROFILE_DAMAGED")
    assert str(tmp_path) not in message


@pytest.mark.parametrize(
    "name", ["profiles/..", "profiles/../x", f"profiles/{PACKAGED}", NAME, "", "profiles/"]
)
def test_no_path_is_a_name(profiles, name) -> None:
    assert refusal(profiles, name)[0] == code_pb2.INVALID_ARGUMENT


def test_an_unknown_profile_is_not_found(profiles) -> None:
    assert refusal(profiles, "profiles/h900")[:2] == (code_pb2.NOT_FOUND, "RESOURCE_NOT_FOUND")
