"""The committed stubs are those of proto/, and old enough for every runtime the project allows."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from planner.service import generate

ROOT = Path(__file__).parents[3]


def test_the_stubs_describe_what_proto_says(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is a development dependency")
    compiled = descriptor_pb2.FileDescriptorSet.FromString(
        generate.compile_protos(tmp_path, plugins=("python",)).read_bytes()
    )
    modules = [
        importlib.import_module(f"planner.service.gen.fulcrum.v1.{path.stem}")
        for path in (generate.GENERATED / "fulcrum" / "v1").glob("*_pb2.py")
    ]
    committed = {module.DESCRIPTOR.name: module.DESCRIPTOR for module in modules}

    ours = [file for file in compiled.file if file.name.startswith("fulcrum/")]

    assert {file.name for file in ours} == set(committed)
    for file in ours:
        stub = descriptor_pb2.FileDescriptorProto()
        committed[file.name].CopyToProto(stub)
        file.ClearField("source_code_info")
        for name_source in file.message_type:
            _drop_json_names(name_source)
        for name_source in stub.message_type:
            _drop_json_names(name_source)
        assert stub == file, f"{file.name} changed: run python -m planner.service.generate"


def test_the_clients_contract_is_what_proto_says(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is a development dependency")
    compiled = generate.compile_protos(tmp_path, plugins=()).read_bytes()

    files = [
        {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(content).file}
        for content in (compiled, generate.CONTRACT.read_bytes())
    ]
    for name in files[0]:
        if name.startswith("fulcrum/"):
            assert files[0][name] == files[1][name], "run python -m planner.service.generate"
    assert set(files[0]) == set(files[1])


def test_the_stubs_are_what_the_generator_writes(tmp_path):
    installed = importlib.metadata.version("grpcio-tools")
    if installed != generate.TOOLS_VERSION:
        pytest.skip(f"grpcio-tools {installed} writes other bytes than {generate.TOOLS_VERSION}")

    for path in generate.generate(tmp_path):
        assert (generate.GENERATED / path).read_text() == (tmp_path / path).read_text(), path


def test_generating_is_deterministic_and_removes_what_is_gone(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is a development dependency")
    stale = tmp_path / "fulcrum" / "v1" / "old_pb2.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    first = {path: (tmp_path / path).read_bytes() for path in generate.generate(tmp_path)}

    assert not stale.exists()
    assert {path: (tmp_path / path).read_bytes() for path in generate.generate(tmp_path)} == first


def test_the_oldest_allowed_runtimes_can_import_the_stubs():
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    oldest = {
        name: _version(re.search(r">=([\d.]+)", entry)[1])
        for entry in dependencies
        if (name := re.match(r"[\w-]+", entry)[0]) in ("protobuf", "grpcio")
    }

    for path in generate.GENERATED.rglob("*.py"):
        text = path.read_text()
        if found := re.search(r"^# Protobuf Python Version: ([\d.]+)$", text, re.M):
            assert _version(found[1]) <= oldest["protobuf"], path
        if found := re.search(r"^GRPC_GENERATED_VERSION = '([\d.]+)'$", text, re.M):
            assert _version(found[1]) <= oldest["grpcio"], path


def test_every_message_field_and_method_has_a_comment():
    """A comment directly above each declaration in our .proto files."""
    for path in sorted((generate.PROTO / "fulcrum").rglob("*.proto")):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            declaration = re.match(
                r"\s*(message|enum|service|rpc|oneof)\s|\s+(optional |repeated |map<)?[\w.<>, ]+ \w+ = \d+",
                line,
            )
            if declaration and not line.strip().startswith(("//", "option")):
                assert lines[number - 1].strip().startswith("//"), f"{path.name}:{number + 1}: {line.strip()}"


def _drop_json_names(message):
    """Protoc's descriptor set spells the derived JSON names out, a stub leaves them to be derived."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _drop_json_names(nested)


def _version(text):
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))
