"""YAML or JSON text to plain values that remember their lines.

The YAML read here is the JSON-like part of YAML 1.2: mappings with string keys, sequences, strings, numbers,
``true``/``false`` and ``null``. Plain ``on``, ``yes``, ``12:30`` and dates are strings, not booleans, base-60
integers and dates as in YAML 1.1. Duplicate keys, unknown tags, cyclic aliases and documents that expand
beyond `MAX_VALUES` values are refused. A JSON mapping has the same values read as JSON, and is (`json_text`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from models.document.json_text import LONGEST_INTEGER, LaterLines, NotJson, plain_json
from models.errors import InvalidInput

__all__ = ["MAX_DOCUMENT_BYTES", "MAX_VALUES", "Document", "Path", "read_document"]

MAX_DOCUMENT_BYTES = 16 * 2**20
"""Longest document read; larger inputs belong in the files it refers to."""
MAX_VALUES = 250_000
"""Most values a document may hold once its aliases are expanded."""
MAX_DEPTH = 64

Path = tuple[str | int, ...]
"""Keys and indices from the top of a document: ``("pools", 0, "gpu")``."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_STANDARD_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain values with the line each came from.

    Attributes
    ----------
    value
        ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or None, nested.
    lines
        1-based line of the key (for an entry of a mapping) or of the value, by path.
    source
        Name of the file, for messages; None when the text did not come from a file.
    """

    value: Any
    lines: Mapping[Path, int] = field(repr=False)
    source: str | None = None

    def line_of(self, path: Path) -> int | None:
        """Return the line of the deepest part of `path` that the document has."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def error(self, message: str, path: Path) -> InvalidInput:
        """Return, not raise, an `InvalidInput` located at `path`."""
        return InvalidInput(message, path=path, source=self.source, line=self.line_of(path))


def read_document(text: str, *, source: str | None = None) -> Document:
    """Read one YAML or JSON document.

    Raises
    ------
    InvalidInput
        With the line, for text that is not such a document.
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        raise InvalidInput(
            f"{len(text):,} characters; the limit is {MAX_DOCUMENT_BYTES:,}: move data into files",
            source=source,
        )
    try:
        value = plain_json(text, most_values=MAX_VALUES, most_depth=MAX_DEPTH)
    except NotJson:
        return _read_yaml(text, source)
    except InvalidInput as error:
        raise InvalidInput(error.message, source=source) from None
    return Document(value=value, lines=LaterLines(lambda: _lines_of_json(text)), source=source)


def _lines_of_json(text: str) -> Mapping[Path, int]:
    """Where the values of a JSON text are; nothing where it is no YAML (keys of over 1,024 characters)."""
    try:
        return _read_yaml(text.replace("\t", " "), None).lines  # YAML has no tabs between values
    except InvalidInput:
        return {}


def _read_yaml(text: str, source: str | None) -> Document:
    loader = yaml.SafeLoader("")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise _syntax_error(error, source) from None
    except (RecursionError, ValueError) as error:
        raise InvalidInput(f"cannot be read as YAML: {error}", source=source) from None
    finally:
        loader.dispose()
    if node is None:
        raise InvalidInput("the document is empty", source=source)
    converter = _Converter(source)
    value = converter.convert(node, (), 0)
    return Document(value=value, lines=converter.lines, source=source)


def _syntax_error(error: yaml.YAMLError, source: str | None) -> InvalidInput:
    """Restate a YAML syntax error in one line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n")[0]
    context = getattr(error, "context", None)
    message = f"not valid YAML: {context + ': ' if context else ''}{problem}"
    return InvalidInput(message, source=source, line=mark.line + 1 if mark is not None else None)


class _Converter:
    """Walks the node tree once; aliases are expanded and counted."""

    def __init__(self, source: str | None) -> None:
        self.source = source
        self.lines: dict[Path, int] = {}
        self.count = 0
        self.open_nodes: set[int] = set()
        self.resolver = yaml.resolver.Resolver()

    def fail(self, message: str, node: yaml.Node, path: Path) -> InvalidInput:
        return InvalidInput(message, path=path, source=self.source, line=node.start_mark.line + 1)

    def convert(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_VALUES:
            raise self.fail(f"more than {MAX_VALUES:,} values once aliases are expanded", node, path)
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", node, path)
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        if id(node) in self.open_nodes:
            raise self.fail("an alias may not contain itself", node, path)
        self.open_nodes.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path, depth)
            assert isinstance(node, yaml.SequenceNode)
            self.check_tag(node, "seq", path)
            return [self.convert(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        finally:
            self.open_nodes.discard(id(node))

    def mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        self.check_tag(node, "map", path)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.fail("keys must be plain text", key_node, path)
            key = key_node.value
            if key_node.tag == f"{_STANDARD_TAG}merge":
                raise self.fail("merge keys (<<) are not supported: write the entries out", key_node, path)
            if key in result:
                first = self.lines[(*path, key)]
                raise self.fail(f"duplicate key; first given on line {first}", key_node, (*path, key))
            self.lines[*path, key] = key_node.start_mark.line + 1
            result[key] = self.convert(value_node, (*path, key), depth + 1)
        return result

    def scalar(self, node: yaml.ScalarNode, path: Path) -> str | int | float | bool | None:
        text: str = node.value
        plain = node.style is None
        untagged = self.resolver.resolve(yaml.ScalarNode, text, (plain, not plain))  # type: ignore[no-untyped-call]
        if node.tag == f"{_STANDARD_TAG}str" and (not plain or untagged != node.tag):
            return text
        if node.tag != untagged:
            raise self.fail(f"tag {node.tag!r} is not supported", node, path)
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        if text in ("true", "True", "TRUE"):
            return True
        if text in ("false", "False", "FALSE"):
            return False
        if len(text) <= LONGEST_INTEGER and _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) or _SPECIAL_FLOAT.fullmatch(text):
            return float(text.replace(".", "") if text[-1] in "fFnN" else text)
        return text

    def check_tag(self, node: yaml.Node, expected: str, path: Path) -> None:
        if node.tag != f"{_STANDARD_TAG}{expected}":
            raise self.fail(f"tag {node.tag!r} is not supported", node, path)
