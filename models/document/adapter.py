"""What pydantic makes of a class, made once and by one thread at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["adapter_of"]

T = TypeVar("T")
_adapters: dict[type, Any] = {}
# Pydantic reads the docstrings of attributes with ast.parse, and that of CPython before 3.11.8 ends in a
# SystemError ("recursion depth mismatch") where two threads are in it: python/cpython issue 106905.
_making = threading.Lock()


def adapter_of(kind: type[T]) -> TypeAdapter[T]:
    """The adapter that reads and describes `kind`."""
    found = _adapters.get(kind)
    if found is None:
        with _making:
            found = _adapters.get(kind)
            if found is None:
                from pydantic import TypeAdapter

                found = _adapters[kind] = TypeAdapter(kind)
    adapter: TypeAdapter[T] = found
    return adapter
