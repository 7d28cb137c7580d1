"""Inside a worker process: tasks come through a pipe, reports and results go back."""

from __future__ import annotations

import os
import queue
import signal
import threading
from multiprocessing.connection import Connection
from typing import Any

from planner.executors.answer import answer
from planner.executors.limits import die_with_parent
from planner.executors.parcel import pack
from planner.executors.task import Context

__all__ = ["run_tasks"]


def run_tasks(connection: Connection) -> None:
    """Run tasks one after the other until the pipe closes; the process then ends at once.

    Messages in: ``("run", parcel, memory_bytes)`` and ``("cancel",)``. Out: ``("started",)``,
    ``("reported", parcel)``, and last what `answer` makes of the task.
    """
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started the map
    # One task keeps one core busy: a numerical library must not start a thread for every core in each.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    waiting: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    cancelled = threading.Event()

    def receive() -> None:
        try:
            while True:
                message = connection.recv()
                if message[0] == "cancel":
                    cancelled.set()
                else:
                    cancelled.clear()
                    waiting.put(message)
        except (EOFError, OSError):
            os._exit(0)  # whoever started this is gone: there is nobody to finish for

    lock = threading.Lock()  # solvers report from threads of their own

    def send(message: tuple[Any, ...]) -> None:
        with lock:
            connection.send(message)

    threading.Thread(target=receive, daemon=True).start()
    context = Context(lambda report: send(("reported", pack(report))), cancelled.is_set)
    while True:
        _, parcel, memory_bytes = waiting.get()
        send(("started",))
        send(answer(parcel, memory_bytes, context))
