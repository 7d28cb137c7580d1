"""What the entries of the fleet document are made of: quantities with units, names, and their base class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from models.document import (
    parse_bandwidth_bytes_per_s,
    parse_duration_ms,
    parse_fraction,
    parse_rate_per_s,
)
from models.errors import InvalidInput

__all__ = ["Bandwidth", "Degree", "Duration", "Entry", "Name", "Rate", "Share", "Text"]


def _read(parse: Callable[[object], float]) -> BeforeValidator:
    """Return the validator of a quantity that is written with its unit and read as a float."""

    def read(value: object) -> float:
        try:
            return parse(value)
        except InvalidInput as error:
            # The braces of a message are not format fields.
            raise PydanticCustomError("quantity", "{message}", {"message": error.message}) from None

    return BeforeValidator(read)


Duration = Annotated[
    float,
    _read(parse_duration_ms),
    WithJsonSchema({"type": "string", "description": "Duration with unit us, ms, s, min or h: 30ms."}),
]
Rate = Annotated[
    float,
    _read(parse_rate_per_s),
    WithJsonSchema({"type": "string", "description": "Arrival rate with unit /s, /min or /h: 8/s."}),
]
Share = Annotated[
    float,
    _read(parse_fraction),
    WithJsonSchema({"type": ["string", "number"], "description": "Share between 0 and 1: 10% or 0.1."}),
]
Bandwidth = Annotated[
    float,
    _read(parse_bandwidth_bytes_per_s),
    WithJsonSchema({"type": "string", "description": "Bandwidth with unit kB/s to TB/s or Gbit/s: 25GB/s."}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
"""A name of something else, or a path."""
Degree = Annotated[int, Field(ge=1, le=1024)]


class Entry(BaseModel):
    """Base of all entries: unknown keys are errors, nothing is converted in silence."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
