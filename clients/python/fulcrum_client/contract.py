"""The messages of ``proto/fulcrum/v1``, made from the compiled contract beside this file.

They live in a descriptor pool of their own, so that other packages in the process may bring the same
``google/…`` files in another version, and no generated code asks for a particular protobuf.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["messages"]


def _load() -> dict[str, Any]:
    contract = descriptor_pb2.FileDescriptorSet()
    contract.ParseFromString((Path(__file__).parent / "contract.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in contract.file:  # protoc writes a file after all it imports
        pool.Add(file)
    return message_factory.GetMessageClassesForFiles([file.name for file in contract.file], pool)


messages: dict[str, Any] = _load()
"""Message classes by full name, such as ``fulcrum.v1.CreatePlanRequest``."""
