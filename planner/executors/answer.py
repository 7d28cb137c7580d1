"""A task run to its end, wherever it is: what it returned or raised, as a message."""

from __future__ import annotations

from typing import Any

from planner.executors.limits import limited_memory
from planner.executors.parcel import pack, portable_error, unpack
from planner.executors.task import Context

__all__ = ["answer"]


def answer(parcel: bytes, memory_bytes: int | None, context: Context) -> tuple[Any, ...]:
    """Run the (function, input) of a parcel.

    Returns
    -------
    ``("done", parcel)``, ``("failed", parcel of the error)`` or ``("out_of_memory",)``.
    """
    try:
        function, given = unpack(parcel)
        with limited_memory(memory_bytes):
            return "done", pack(function(given, context))
    except MemoryError:
        return ("out_of_memory",)
    except Exception as error:  # noqa: BLE001 - the error is the task's: it is raised where its value is asked for
        return "failed", pack(portable_error(error))
