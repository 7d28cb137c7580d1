"""Length distributions as YAML or JSON documents.

::

    kind: LengthDistribution
    source: {repository: https://github.com/…, file: data/trace.csv, licence: CC-BY-4.0}  # optional
    levels: [0, 0.5, 0.9, 1]
    input_tokens: [3, 1020, 2500, 14050]      # prompt length at each level
    output_tokens: [1, 129, 424, 1000]        # output length at each level, whatever the prompt …
    bands:                                    # … or one row for each band of prompts instead
      - {up_to: 0.5, output_tokens: [1, 100, 300, 900]}
      - {up_to: 1, output_tokens: [1, 150, 500, 1000]}

An unknown or missing key, or a number that cannot be meant, is an error with its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InvalidInput, UnknownName
from models.workload.lengths import LengthDistribution

__all__ = ["dump_lengths", "load_lengths", "parse_lengths"]

_KEYS = ("kind", "source", "levels", "input_tokens", "output_tokens", "bands")
_SOURCE_KEYS = ("repository", "file", "licence", "requests", "made_by")


def load_lengths(path: Path | str) -> LengthDistribution:
    """The distribution in a file.

    Raises
    ------
    InvalidInput
        The file cannot be read, is not YAML, or is not such a document.
    """
    from models.document import read_document

    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the length table: {error}", source=str(path)) from None
    document = read_document(text, source=str(path))
    try:
        return parse_lengths(document.value, source=str(path))
    except UnknownName as error:
        raise UnknownName(
            error.kind,
            error.name,
            error.valid,
            path=error.path,
            source=str(path),
            line=document.line_of((*error.path, error.name)),
        ) from None
    except InvalidInput as error:
        raise document.error(error.message, error.path) from None


def parse_lengths(document: object, *, source: str, path: tuple[str | int, ...] = ()) -> LengthDistribution:
    """The distribution in a parsed document; `source` and `path` only say where errors are."""
    values = _mapping(document, _KEYS, source, path)
    kind = values.get("kind", "LengthDistribution")
    if kind != "LengthDistribution":
        raise InvalidInput(
            f"kind must be LengthDistribution, got {kind!r}", source=source, path=(*path, "kind")
        )
    levels = _numbers(values, "levels", source, path)
    if ("bands" in values) == ("output_tokens" in values):
        raise InvalidInput(
            "give output_tokens, or bands that hold them: one of the two", source=source, path=path
        )
    if "bands" in values:
        items = values["bands"]
        if not isinstance(items, Sequence) or isinstance(items, str) or not items:
            raise InvalidInput("bands must be a list", source=source, path=(*path, "bands"))
        bands, rows = [], []
        for index, item in enumerate(items):
            where = (*path, "bands", index)
            band = _mapping(item, ("up_to", "output_tokens"), source, where)
            bands.append(_number(band.get("up_to"), source, (*where, "up_to")))
            rows.append(_numbers(band, "output_tokens", source, where, len(levels)))
    else:
        bands, rows = [1.0], [_numbers(values, "output_tokens", source, path, len(levels))]
    try:
        return LengthDistribution(
            levels=np.array(levels),
            input_tokens=np.array(_numbers(values, "input_tokens", source, path, len(levels))),
            bands=np.array(bands),
            output_tokens=np.array(rows),
            source=_provenance(values.get("source"), source, path),
        )
    except InvalidInput as error:
        raise InvalidInput(error.message, source=source, path=(*path, *error.path)) from None


def dump_lengths(
    lengths: LengthDistribution, *, provenance: Mapping[str, object] | None = None, digits: int = 1
) -> str:
    """The YAML document of a distribution, lengths rounded to `digits` decimals."""

    def row(values: Any) -> str:
        return "[" + ", ".join(f"{round(float(v), digits):.12g}" for v in values) + "]"

    out = ["kind: LengthDistribution"]
    if provenance is None:
        out.append(f"source: {_quoted(lengths.source)}")
    else:
        _mapping(dict(provenance), _SOURCE_KEYS, "provenance", ("source",))
        out.append("source:")
        out += [f"  {key}: {_quoted(value)}" for key, value in provenance.items()]
    out += [
        f"levels: [{', '.join(f'{v:g}' for v in lengths.levels)}]",
        f"input_tokens: {row(lengths.input_tokens)}",
    ]
    out.append("bands:  # outputs of the prompts up to that quantile of the prompt length")
    out += [
        f"  - {{up_to: {band:g}, output_tokens: {row(values)}}}"
        for band, values in zip(lengths.bands, lengths.output_tokens, strict=True)
    ]
    return "\n".join(out) + "\n"


def _quoted(value: object) -> str:
    import json

    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _provenance(value: object, source: str, path: tuple[str | int, ...]) -> str:
    if value is None:
        return source
    if isinstance(value, str):
        return value
    fields = _mapping(value, _SOURCE_KEYS, source, (*path, "source"))
    named = [str(fields[key]) for key in ("repository", "file", "licence") if key in fields]
    return ", ".join(named) or source


def _mapping(
    value: object, keys: Sequence[str], source: str, path: tuple[str | int, ...]
) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"expected the keys {', '.join(keys)}, got {value!r}", source=source, path=path)
    for key in value:
        if key not in keys:
            raise UnknownName("key", str(key), keys, source=source, path=path)
    return value


def _numbers(
    values: Mapping[str, Any], key: str, source: str, path: tuple[str | int, ...], length: int | None = None
) -> list[float]:
    items = values.get(key)
    where = (*path, key)
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise InvalidInput(
            "expected a list of numbers" if key in values else "missing", source=source, path=where
        )
    if length is not None and len(items) != length:
        raise InvalidInput(
            f"expected {length} numbers, one per level, got {len(items)}", source=source, path=where
        )
    return [_number(item, source, (*where, index)) for index, item in enumerate(items)]


def _number(value: object, source: str, path: tuple[str | int, ...]) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # a whole number of more than 308 digits
            number = np.inf
        if np.isfinite(number):
            return number
    shown = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a larger number"
    raise InvalidInput(f"expected a finite number, got {shown}", source=source, path=path)
