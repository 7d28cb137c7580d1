"""Everything that can happen to a server while plans are made and promoted.

    python -m benchmarks service-faults [--count 100] [--stores sqlite postgres] [--faults …] [--save]

*server*, *worker*: `--count` times kill -9 amid plans, promotions and rollouts, on each store. *clock*: the
server's wall clock jumps. *disk*: a full disk. *postgres*: the database crashes and comes back. *line*:
connections that fall silent. After each fault the books of the clients and of the engines are compared with
the server's: exit code 1 when anything acknowledged was lost, changed or done twice. PostgreSQL is a cluster
of its own, made for the purpose. `--save` keeps what it saved before of faults that are not tried again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_record
from benchmarks.service_load.disasters import break_the_line, fill_the_disk, restart_postgres
from benchmarks.service_load.kills import measure_jumps, measure_kills
from benchmarks.service_load.ledger import WRONG
from benchmarks.service_load.postgres import PostgresServer

RESULTS = Path(__file__).parent / "results"
FAULTS = ("server", "worker", "clock", "disk", "postgres", "line")
STORES = ("sqlite", "postgres")
_MUST_BE_ZERO = (
    *WRONG, "workers_that_outlived_their_server", "servers_that_ended_by_themselves",
    "kills_not_recovered_from", "jumps_not_recovered_from", "missing_or_doubled",
    "streams_left_in_the_server",
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks service-faults")
    parser.add_argument("--count", type=int, default=100, help="kills of each victim on each store")
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=FAULTS)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--jumps", type=int, default=20, help="of the clock on each store")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the disk is full")
    parser.add_argument("--restarts", type=int, default=5, help="of the database")
    parser.add_argument("--keepalive", type=float, default=2.0, help="seconds, for silent connections")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/service-faults.json")
    options = parser.parse_args(arguments)
    others: dict[str, Callable[[Path], dict[str, Any]]] = {
        "disk": lambda folder: fill_the_disk(folder, seconds=options.seconds, seed=options.seed),
        "postgres": lambda folder: restart_postgres(folder, restarts=options.restarts, seed=options.seed),
        "line": lambda folder: break_the_line(folder, keepalive_s=options.keepalive),
    }
    found: dict[str, dict[str, Any]] = {}
    for fault in options.faults:
        if fault in others:
            with tempfile.TemporaryDirectory(prefix="fulcrum-faults-") as made:
                found[fault] = others[fault](Path(made))
            continue
        for store in options.stores:
            with _store(store) as (folder, url):
                found[f"{fault}-{store}"] = (
                    measure_jumps(folder, count=options.jumps, store=url, seed=options.seed)
                    if fault == "clock"
                    else measure_kills(
                        folder, count=options.count, victim=fault, store=url, seed=options.seed
                    )
                )
    path = RESULTS / "service-faults.json"
    if options.save and path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        found = {name: value for name, value in kept.items() if name.partition("-")[0] in FAULTS} | found
    failures = wrong(found)
    result = {"benchmark": "service-faults", "seed": options.seed, **found, "failures": failures}
    result["machine"] = machine_record("grpcio", "sqlalchemy", "psycopg")
    print(json.dumps(result, indent=2))
    if options.save:
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
    return 1 if failures else 0


def wrong(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What should not have happened, in words."""
    return [
        f"{fault}: {name} is {counts[name]}"
        for fault, counts in found.items()
        for name in _MUST_BE_ZERO
        if counts.get(name)
    ]


@contextlib.contextmanager
def _store(kind: str) -> Iterator[tuple[Path, str]]:
    """A folder, and an empty store of that kind."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fulcrum-faults-")))
        if kind == "sqlite":
            yield folder, str(folder / "plans.sqlite")
            return
        folder.chmod(0o755)  # it may run as another user
        cluster = folder / "cluster"
        cluster.mkdir()
        yield folder, stack.enter_context(PostgresServer(cluster)).url
