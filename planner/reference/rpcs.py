"""The gRPC services as Markdown, from the proto files and the comments in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["descriptors", "rpc_book"]

_METHOD, _SERVICE, _MESSAGE, _ENUM, _FIELD, _NESTED, _VALUE = 2, 6, 4, 5, 2, 3, 2
"""Field numbers in descriptor.proto: the paths of source locations are made of them."""


def descriptors() -> Any:
    """The proto files as a ``FileDescriptorSet`` with comments; needs ``grpcio-tools``.

    Raises
    ------
    Unavailable
        If the compiler refuses the files.
    """
    import tempfile

    from google.protobuf import descriptor_pb2

    from planner.service.generate import compile_protos

    with tempfile.TemporaryDirectory() as folder:
        compiled = compile_protos(Path(folder), plugins=(), comments=True)
        return descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes())


def rpc_book(files: Any) -> str:
    """Markdown: every service with its RPCs, then every message and enumeration with its fields."""
    services: list[str] = []
    messages: list[str] = []
    for file in files.file:
        if not file.name.startswith("fulcrum/"):
            continue
        comments = _comments(file)
        for i, service in enumerate(file.service):
            services += [f"## {service.name}", "", comments.get((_SERVICE, i), ""), ""]
            services += ["| RPC | request | response | meaning |", "|---|---|---|---|"]
            for j, method in enumerate(service.method):
                text = comments.get((_SERVICE, i, _METHOD, j), "")
                request = ("stream " if method.client_streaming else "") + _link(method.input_type)
                response = ("stream " if method.server_streaming else "") + _link(method.output_type)
                services.append(f"| `{method.name}` | {request} | {response} | {_cell(text)} |")
            services.append("")
        for i, message in enumerate(file.message_type):
            messages += _message(message, (_MESSAGE, i), comments, "")
        for i, enum in enumerate(file.enum_type):
            messages += _enum(enum, (_ENUM, i), comments, "")
    lead = "# gRPC services\n\nMade from `proto/fulcrum/v1`. "
    lead += "Errors are `google.rpc.Status` with `ErrorInfo` and field paths.\n"
    return "\n".join([lead, *services, "## Messages", "", *messages]) + "\n"


def _message(
    message: Any, path: tuple[int, ...], comments: dict[tuple[int, ...], str], outer: str
) -> list[str]:
    if message.options.map_entry:
        return []
    name = f"{outer}{message.name}"
    lines = [f"### {name}", "", comments.get(path, ""), ""]
    if message.field:
        lines += ["| field | type | meaning |", "|---|---|---|"]
    maps = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    for i, field in enumerate(message.field):
        text = comments.get((*path, _FIELD, i), "")
        lines.append(f"| `{field.name}` | {_field_type(field, maps)} | {_cell(text)} |")
    lines.append("")
    for i, nested in enumerate(message.nested_type):
        lines += _message(nested, (*path, _NESTED, i), comments, f"{name}.")
    for i, enum in enumerate(message.enum_type):
        lines += _enum(enum, (*path, 4, i), comments, f"{name}.")
    return lines


def _enum(enum: Any, path: tuple[int, ...], comments: dict[tuple[int, ...], str], outer: str) -> list[str]:
    lines = [f"### {outer}{enum.name}", "", comments.get(path, ""), "", "| value | meaning |", "|---|---|"]
    for i, value in enumerate(enum.value):
        lines.append(f"| `{value.name}` | {_cell(comments.get((*path, _VALUE, i), ''))} |")
    return [*lines, ""]


def _field_type(field: Any, maps: dict[str, Any]) -> str:
    short = field.type_name.rsplit(".", 1)[-1]
    if short in maps:
        key, value = maps[short].field
        return f"map of {_field_type(key, {})} to {_field_type(value, {})}"
    repeated = "repeated " if field.label == field.LABEL_REPEATED else ""
    if field.type_name:
        return repeated + _link(field.type_name)
    return repeated + str(field.Type.Name(field.type)).removeprefix("TYPE_").lower()


def _link(full_name: str) -> str:
    package = ".fulcrum.v1."
    if not full_name.startswith(package):
        return f"`{full_name.lstrip('.')}`"
    name = full_name.removeprefix(package)
    return f"[{name}](#{name.lower().replace('.', '')})"


def _comments(file: Any) -> dict[tuple[int, ...], str]:
    def text(location: Any) -> str:
        return " ".join((location.leading_comments or location.trailing_comments).split())

    return {tuple(location.path): found for location in _documented(file) if (found := text(location))}


def _documented(file: Any) -> Iterator[Any]:
    return iter(file.source_code_info.location)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
