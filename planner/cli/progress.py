"""One line of progress on a terminal, and Ctrl-C as a wish to stop with the best found so far."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.options import Progress

__all__ = ["ProgressLine", "show_progress"]


class ProgressLine:
    """Rewrites one line on standard error; knows whether the user wants to stop."""

    def __init__(self, *, visible: bool) -> None:
        self.visible = visible
        self.stopped = False
        self.kept: list[Progress] = []
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        """Show a report; those that say how good the best so far is are kept too."""
        if progress.objective is not None or progress.bound is not None:
            self.kept.append(progress)
        if not self.visible or progress.elapsed_s < 0.5:  # short runs stay quiet
            return
        text = f"{progress.elapsed_s:6.1f} s  {progress.phase}"
        if progress.objective is not None:
            text += f"  best {progress.objective:,.4g}"
        if progress.gap is not None:
            text += f"  gap {100 * progress.gap:.2g} %"
        if progress.evaluations_per_s is not None:
            text += f"  {progress.evaluations_per_s / 1e6:.3g} M moves/s"
        self._write(text)

    def cancelled(self) -> bool:
        """Whether the user pressed Ctrl-C."""
        return self.stopped

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Ask for an orderly end; a second Ctrl-C ends at once."""
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self._write("")

    def _write(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width) + ("" if text else "\r"))
        sys.stderr.flush()
        self._width = len(text)


@contextmanager
def show_progress(*, visible: bool, catch_interrupt: bool) -> Iterator[ProgressLine]:
    """Give a progress line for the time of one planning run.

    Parameters
    ----------
    visible
        Whether to write, if standard error is a terminal.
    catch_interrupt
        Whether Ctrl-C asks for the best found so far; otherwise it interrupts as usual.
    """
    line = ProgressLine(visible=visible and sys.stderr.isatty())
    # Handlers can be set only in the main thread.
    catch = catch_interrupt and threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, line.stop) if catch else None
    try:
        yield line
    finally:
        line.clear()
        if catch:
            signal.signal(signal.SIGINT, before)
