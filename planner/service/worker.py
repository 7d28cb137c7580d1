"""A worker process, started by the server through `planner.service.leash`.

It reads requests from stdin and answers on stdout (see `planner.service.frames`), one at a time; ``cancel``
may come in between. It ends with its server: on Linux by the kernel, elsewhere when stdin closes. What
solvers print goes to stderr.
"""

from __future__ import annotations

import base64
import contextlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from models.errors import FulcrumError, InvalidInput
from planner.service.backend import AssignmentWork, Backend, ProgressEvent, Question, Work, load_backend
from planner.service.errors import StatusError, failure, status_of
from planner.service.frames import encode, read_frame
from planner.service.protos import code_pb2

__all__ = ["main", "serve"]

PROGRESS_INTERVAL_S = 0.25
"""At most one event each; a new phase is always told."""


class _Progress:
    """Sends progress, thinned out so that a busy search does not flood the store."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._phase: str | None = None
        self._last = 0.0

    def __call__(self, event: ProgressEvent) -> None:
        now = time.monotonic()
        if event.phase == self._phase and now - self._last < PROGRESS_INTERVAL_S:
            return
        self._phase, self._last = event.phase, now
        self._send({"progress": asdict(event)})


def serve(backend: Backend, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until `requests` ends."""
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            answers.write(encode(message))
            answers.flush()

    waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    cancelled = threading.Event()

    def read() -> None:
        while (message := read_frame(requests)) is not None:
            if message["do"] == "cancel":
                cancelled.set()
            else:
                waiting.put(message)
        cancelled.set()
        waiting.put(None)

    threading.Thread(target=read, daemon=True).start()
    send({"ready": True})
    while (message := waiting.get()) is not None:
        try:
            answer = _answer(backend, message, _Progress(send), cancelled)
        except MemoryError:
            answer = _refuse(
                failure(code_pb2.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "the memory limit was reached")
            )
        except RecursionError:
            answer = _refuse(
                failure(code_pb2.INVALID_ARGUMENT, "TOO_DEEP", "the document is nested too deeply")
            )
        except Exception as error:  # noqa: BLE001 - a worker outlives any one request
            if not isinstance(error, (FulcrumError, StatusError)):
                traceback.print_exc(file=sys.stderr)
            answer = _refuse(error)
        cancelled.clear()  # before the answer: a cancel that comes after it is for the next request
        send(answer)


@contextlib.contextmanager
def _processor_time(limit_s: float) -> Iterator[None]:
    """Let the kernel end this process (SIGPROF) once it has worked for `limit_s` seconds.

    Time of the processor, not of the wall: what others do on this machine is no fault of a document.
    """
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _answer(
    backend: Backend, message: dict[str, Any], progress: _Progress, cancelled: threading.Event
) -> dict[str, Any]:
    if message["do"].startswith("check"):
        with _processor_time(message["processor_s"]):
            return _check_profile(message) if message["do"] == "check_profile" else _check(backend, message)
    if message["do"] == "solve":
        solved = backend.solve(AssignmentWork(**message["work"]), progress, cancelled.is_set)
        return {"outcome": asdict(solved)}
    if message["do"] == "ask":
        question = Question(**message["work"])
        with _known_profiles(question.profiles):
            return {"outcome": asdict(backend.ask(question, progress, cancelled.is_set))}
    assert message["do"] == "plan", message["do"]
    work = Work(**message["work"])
    with _known_profiles(work.profiles):
        return {"outcome": asdict(backend.plan(work, progress, cancelled.is_set))}


def _known_profiles(folders: Mapping[str, str]) -> contextlib.AbstractContextManager[None]:
    if not folders:
        return contextlib.nullcontext()
    from models.profiles.catalogue import with_profiles  # NumPy

    return with_profiles({name: Path(folder) for name, folder in folders.items()})


def _check(backend: Backend, message: dict[str, Any]) -> dict[str, Any]:
    if message["do"] == "check":
        with _known_profiles(message["profiles"]):
            checked = backend.check(message["document"])
        if message["current_json"] is not None:
            try:
                backend.check_current(message["current_json"])
            except InvalidInput as error:
                raise StatusError(status_of(error, field="current_plan_json")) from error
        return asdict(checked)
    assert message["do"] == "check_assignment", message["do"]
    backend.check_assignment(message["document"], message["solver"])
    return {}


def _check_profile(message: dict[str, Any]) -> dict[str, Any]:
    from planner.service.profile_check import ProfileToCheck, check_profile

    try:
        return {"checked": asdict(check_profile(ProfileToCheck(**message["profile"])))}
    except InvalidInput as error:
        raise StatusError(status_of(error, field="upload.manifest_json")) from error


def _refuse(error: BaseException) -> dict[str, Any]:
    return {"error": base64.b64encode(status_of(error).SerializeToString()).decode()}


def _limit_memory(limit_bytes: int) -> None:
    """Bound the writable memory of this process, so that a huge problem ends here and not the machine."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def main(arguments: list[str]) -> int:
    """Run until stdin closes; arguments are the backend, ``--memory-bytes`` and ``--nice``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    if "--nice" in arguments:
        os.nice(int(arguments[arguments.index("--nice") + 1]))
    if "--memory-bytes" in arguments:
        _limit_memory(int(arguments[arguments.index("--memory-bytes") + 1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(load_backend(arguments[0]), sys.stdin.buffer, answers)
    sys.stderr.flush()
    os._exit(0)  # a solver thread that has not ended yet must not hold the process
