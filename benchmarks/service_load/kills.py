"""Kill -9 at random moments, of the server and of its workers; and clocks that jump."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from benchmarks.service_load.ledger import Ledger
from benchmarks.service_load.server import PACED, ServerProcess

__all__ = ["measure_jumps", "measure_kills"]

_LEASE_S = 0.5
_OUTLIVE_S = 5.0
_JUMPS_S = (1, 30, 3600, 86_400, 10 * 365 * 86_400)
_PROGRESS_S = 60.0
"""Longest wait for something to be acknowledged: not for how much, since that is the machine's affair."""


def measure_kills(folder: Path, *, count: int, victim: str, store: str, seed: int) -> dict[str, Any]:
    """Kill `count` times while plans are made and promoted, then compare the books.

    Parameters
    ----------
    victim
        ``server``, which is started again, or ``worker``, which the server replaces by itself.
    store
        Path of an SQLite file, or URL of an empty database.
    """
    source = random.Random(seed)
    ledger = Ledger(seed)
    outlived = stuck = ended = 0
    server = ServerProcess(
        folder, backend=PACED, worker_count=2, store=store, lease_s=_LEASE_S, grace_s=0.2, max_attempts=10**6
    )
    begin_s = time.monotonic()
    with server:
        ledger.register(server)
        with ledger.at_work(server):
            for _ in range(count):
                stuck += not _goes_on(ledger)
                time.sleep(source.uniform(0.0, 0.4))
                ended += not server.running
                if victim == "server":
                    workers = server.workers()
                    server.end(signal.SIGKILL)
                    outlived += _outlived(workers)
                    server.start(wait=False)
                elif workers := server.workers():
                    _kill(source.choice(workers))
            server.wait()
            stuck += not _goes_on(ledger)
        audit = ledger.audit(server)
    return {
        "victim": victim,
        "kills": count,
        "seconds": round(time.monotonic() - begin_s, 1),
        **audit,
        "workers_that_outlived_their_server": outlived,
        "servers_that_ended_by_themselves": ended,
        "kills_not_recovered_from": stuck,
        "calls_refused_meanwhile": dict(sorted(ledger.refused.items())),
    }


def measure_jumps(folder: Path, *, count: int, store: str, seed: int) -> dict[str, Any]:
    """Set the server's wall clock forth and back, and kill the server after every other jump."""
    source = random.Random(seed)
    ledger = Ledger(seed)
    clock = folder / "clock"
    clock.write_text("0", encoding="ascii")
    stuck = ended = off_s = 0
    server = ServerProcess(
        folder, backend=PACED, worker_count=2, store=store, lease_s=_LEASE_S, grace_s=0.2,
        max_attempts=10**6, clock=str(clock),
    )  # fmt: skip
    begin_s = time.monotonic()
    with server:
        ledger.register(server)
        with ledger.at_work(server):
            for number in range(count):
                stuck += not _goes_on(ledger)
                time.sleep(source.uniform(0.0, 0.4))
                off_s = source.choice(_JUMPS_S) * (-1 if off_s > 0 else 1)
                new = folder / "clock.new"
                new.write_text(str(off_s), encoding="ascii")
                new.replace(clock)
                ended += not server.running
                if number % 2:
                    server.end(signal.SIGKILL)
                    server.start(wait=False)
            server.wait()
            stuck += not _goes_on(ledger)
        audit = ledger.audit(server)
    return {
        "jumps": count,
        "seconds": round(time.monotonic() - begin_s, 1),
        **audit,
        "servers_that_ended_by_themselves": ended,
        "jumps_not_recovered_from": stuck,
        "calls_refused_meanwhile": dict(sorted(ledger.refused.items())),
    }


def _goes_on(ledger: Ledger) -> bool:
    """Wait until another plan and another promotion are acknowledged."""
    plans, promotions = len(ledger.plans), len(ledger.promotions)
    end_s = time.monotonic() + _PROGRESS_S
    while time.monotonic() < end_s:
        if len(ledger.plans) > plans and len(ledger.promotions) > promotions:
            return True
        time.sleep(0.005)
    return False


def _kill(process_id: int) -> None:
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:  # it had just been replaced
        return


def _outlived(process_ids: list[int]) -> int:
    """How many of the processes still run after a while."""
    end_s = time.monotonic() + _OUTLIVE_S
    while (alive := [pid for pid in process_ids if _alive(pid)]) and time.monotonic() < end_s:
        time.sleep(0.01)
    return len(alive)


def _alive(process_id: int) -> bool:
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"
