"""The processes of one engine: a session of their own, found again after the agent was restarted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

__all__ = ["EngineProcess"]


class EngineProcess:
    """A started engine. Its record in the agent's folder names the process by number and start time, so that
    another process that later got the same number is never taken for it.
    """

    def __init__(self, pid: int, started: str, record: Path, child: subprocess.Popen[bytes] | None) -> None:
        self.pid = pid
        self._started = started
        self._record = record
        self._child = child
        self.exit_text = ""

    @classmethod
    def start(cls, name: str, words: Sequence[str], environment: Mapping[str, str], folder: Path) -> Self:
        """Start an engine, its output going to ``NAME.log`` in the folder; OSError where that fails."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{_file_name(name)}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - words from the server this agent was told to obey; no shell
                list(words), env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        record = folder / f"{_file_name(name)}.json"
        started = _start_time(child.pid) or ""
        text = json.dumps({"name": name, "pid": child.pid, "started": started, "words": list(words)})
        partial = record.with_suffix(".tmp")
        partial.write_text(text)
        partial.replace(record)
        return cls(child.pid, started, record, child)

    @classmethod
    def adopt(cls, folder: Path) -> dict[str, tuple[Self, tuple[str, ...]]]:
        """Engines that an earlier agent started in this folder and that still run, with their words."""
        found: dict[str, tuple[Self, tuple[str, ...]]] = {}
        for record in sorted(folder.glob("*.json")):
            try:
                entry = json.loads(record.read_text())
                name, pid, started = str(entry["name"]), int(entry["pid"]), str(entry["started"])
                words = tuple(map(str, entry["words"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if started and _start_time(pid) == started:
                found[name] = (cls(pid, started, record, None), words)
            else:
                record.unlink(missing_ok=True)
        return found

    def alive(self) -> bool:
        """Whether its first process runs."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return True
            self.exit_text = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        elif _start_time(self.pid) == self._started:
            return True
        else:
            self.exit_text = "ended"
        self._record.unlink(missing_ok=True)
        return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def _start_time(pid: int) -> str | None:
    """When a process started, in the kernel's own unit; None when there is none, or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold anything
    return None if fields[0] == "Z" else fields[19]


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._@-" else "_" for c in name)
