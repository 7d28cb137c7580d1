from __future__ import annotations

import pytest

from planner.reference.rpcs import descriptors, rpc_book


@pytest.fixture(scope="module")
def files():
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    return descriptors()


def test_every_rpc_message_field_and_value_is_in_the_book(files):
    book = rpc_book(files)
    for file in (file for file in files.file if file.name.startswith("fulcrum/")):
        assert all(f"| `{rpc.name}` |" in book for service in file.service for rpc in service.method)
        for message in file.message_type:
            assert f"\n### {message.name}\n" in book
            assert all(f"| `{field.name}` |" in book for field in message.field)
        assert all(f"| `{value.name}` |" in book for enum in file.enum_type for value in enum.value)


def test_every_rpc_and_field_says_what_it_means(files):
    empty = [
        line for line in rpc_book(files).splitlines() if line.startswith("| `") and line.endswith("|  |")
    ]
    assert [line for line in empty if "_UNSPECIFIED" not in line] == []
