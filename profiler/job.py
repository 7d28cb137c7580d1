"""What gets timed: a few equal calls on different inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Job", "Point"]

Point = dict[str, str | float]
"""Key columns of one point: categories as text, axes as numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One point, ready to run.

    Parameters
    ----------
    calls
        The same work on separate inputs. They are run in turn, so that no call finds its operands in the
        cache the call before left: the layers of a real model do not share weights either.
    kernel
        Which implementation runs, for the provenance.
    graph
        Whether the calls may be recorded into a CUDA graph (no host synchronisation, no allocation on the
        host).
    """

    calls: tuple[Callable[[], object], ...]
    kernel: str
    graph: bool = True
