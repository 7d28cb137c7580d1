"""Mistakes in a question made of flags, told in the words of the flags.

Commands that need no document make one from their flags and read it like any other. Its mistakes are then at
``workloads[0].slo.ttft_p95``, a place nobody wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from models.document import InvalidDocument
from models.errors import FulcrumError, InvalidInput

__all__ = ["in_flags"]

Path = tuple[str | int, ...]


@contextmanager
def in_flags(flags: Mapping[Path, str]) -> Iterator[None]:
    """Raise the mistakes of a document at the flags they came from.

    Parameters
    ----------
    flags
        Flag by place in the document; it holds for everything below that place.

    Raises
    ------
    InvalidInput
        One line for each mistake.
    """
    try:
        yield
    except InvalidDocument as error:
        raise InvalidInput("\n".join(_told(one, flags) for one in error.violations)) from None
    except FulcrumError as error:
        if not error.path:
            raise
        raise InvalidInput(_told(error, flags)) from None


def _told(error: FulcrumError, flags: Mapping[Path, str]) -> str:
    places = [error.path[:length] for length in range(len(error.path), 0, -1)]
    flag = next((flags[place] for place in places if place in flags), None)
    return f"{flag}: {error.message}" if flag else f"{error.dotted_path}: {error.message}"
