"""What else can happen to a server: a full disk, a database that restarts, a clock that jumps, a dead line.

Each runs the books of `benchmarks.service_load.ledger` through it; the server must come through by itself.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import grpc

from benchmarks.service_load.ledger import Ledger, Stubs
from benchmarks.service_load.postgres import PostgresServer
from benchmarks.service_load.proxy import SilentProxy
from benchmarks.service_load.server import PACED, ServerProcess
from planner.service.channel import keepalive_options
from planner.service.gen.fulcrum.v1 import planning_service_pb2

__all__ = ["break_the_line", "fill_the_disk", "restart_postgres"]

_SETTINGS: dict[str, Any] = {"backend": PACED, "worker_count": 2, "lease_s": 0.5, "grace_s": 0.2}


def fill_the_disk(folder: Path, *, seconds: float, seed: int) -> dict[str, Any]:
    """No file of the server may grow for `seconds`, as on a full disk; then there is room again."""
    ledger = Ledger(seed)
    with ServerProcess(folder, **_SETTINGS) as server:
        ledger.register(server)
        with ledger.at_work(server):
            time.sleep(seconds)
            before = len(ledger.plans)
            _, hard = resource.prlimit(server.process_id, resource.RLIMIT_FSIZE)
            resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (4096, hard))
            time.sleep(seconds)
            during = len(ledger.plans)
            resource.prlimit(server.process_id, resource.RLIMIT_FSIZE, (hard, hard))
            time.sleep(seconds)
        audit = ledger.audit(server)
    return {
        "full_s": seconds,
        **audit,
        "plans_acknowledged_before_during_after": [before, during - before, len(ledger.plans) - during],
        "calls_refused_meanwhile": dict(sorted(ledger.refused.items())),
    }


def restart_postgres(folder: Path, *, restarts: int, seed: int) -> dict[str, Any]:
    """The database is stopped as by a crash, and started a second later."""
    ledger = Ledger(seed)
    cluster = folder / "cluster"
    cluster.mkdir()
    folder.chmod(0o755)  # it may run as another user
    with (
        PostgresServer(cluster) as postgres,
        ServerProcess(folder, store=postgres.url, **_SETTINGS) as server,
    ):
        ledger.register(server)
        with ledger.at_work(server):
            for _ in range(restarts):
                time.sleep(1.5)
                postgres.stop()
                time.sleep(1.0)
                postgres.start()
            before = len(ledger.plans)
            time.sleep(2.0)
        audit = ledger.audit(server)
    return {
        "restarts": restarts,
        **audit,
        "plans_acknowledged_after": len(ledger.plans) - before,
        "calls_refused_meanwhile": dict(sorted(ledger.refused.items())),
    }


def break_the_line(folder: Path, *, keepalive_s: float) -> dict[str, Any]:
    """Connections of a watcher fall silent; it must notice, come back, and have every event once."""
    with (
        ServerProcess(folder, keepalive_s=keepalive_s, **_SETTINGS) as server,
        SilentProxy(server.address) as proxy,
        server.channel() as direct,
    ):
        script = "{fleet: watched, steps: 100, pause_s: 0.05}"
        name = (
            Stubs.of(direct)
            .planning.CreatePlan(planning_service_pb2.CreatePlanRequest(document=script), timeout=30)
            .name.replace("operations/", "plans/")
        )
        seen: list[int] = []
        noticed: list[float] = []
        done = False
        options = (*keepalive_options(keepalive_s), ("grpc.use_local_subchannel_pool", 1))
        while not done:
            silent_s = time.monotonic()
            with grpc.insecure_channel(proxy.address, options) as channel:
                try:
                    request = planning_service_pb2.WatchPlanRequest(
                        name=name, after_sequence=seen[-1] if seen else 0
                    )
                    for response in Stubs.of(channel).planning.WatchPlan(request, timeout=120):
                        if response.HasField("progress"):
                            seen.append(response.progress.sequence)
                        if len(seen) == 20 and not noticed:
                            proxy.silence()
                            silent_s = time.monotonic()
                    done = True
                except grpc.RpcError:
                    noticed.append(round(time.monotonic() - silent_s, 2))
        return {
            "keepalive_s": keepalive_s,
            "noticed_after_s": noticed,
            "events": len(seen),
            "missing_or_doubled": int(seen != list(range(1, 101))),
            "streams_left_in_the_server": _open_streams(server),
        }


def _open_streams(server: ServerProcess) -> int:
    """Connections of the proxy that the server still holds after a while."""
    end_s = time.monotonic() + 10.0
    while (count := _established(server)) > 1 and time.monotonic() < end_s:
        time.sleep(0.1)
    return count - 1


def _established(server: ServerProcess) -> int:
    """TCP connections at the server's port: the direct one, and those of the proxy."""
    port = f":{int(server.address.rpartition(':')[2]):04X}"
    lines = [
        line
        for table in ("tcp", "tcp6")
        for line in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]
    ]
    return sum(line.split()[1].endswith(port) and line.split()[3] == "01" for line in lines)
