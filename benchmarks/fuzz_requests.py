"""Mutated requests against a real server: no crash, no hang, no growth.

    python -m benchmarks fuzz-requests [--count 100000] [--seed 0] [--save]

Of the requests, most are messages for a random method of any service, filled at random from words that mean
something to the server, then mutated as bytes; a third are fleet and assignment documents, mutated, to be
checked; one in a thousand is a document made to exhaust. Every call must end in time, with an answer or with
a refusal that a caller can understand. Exit code 1 when one does not, or when the server or a worker dies.

Meanwhile another tenant has a small document checked twice a second: how long that takes is reported.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from benchmarks.machine import machine_record
from benchmarks.service_load.ledger import Stubs
from benchmarks.service_load.methods import Method, every_method, fill
from benchmarks.service_load.mutation import bombs, mutate
from benchmarks.service_load.server import ServerProcess, memory_bytes
from planner.fleet import read_fleet_file
from planner.service.gen.fulcrum.v1 import assignment_service_pb2, fleet_service_pb2, planning_service_pb2

RESULTS = Path(__file__).parent / "results"
EXAMPLES = Path(__file__).parents[1] / "examples"
ANSWERS = frozenset(
    {
        "OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED",
        "OUT_OF_RANGE", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED",
    }
)  # fmt: skip
"""What a caller can act on. INTERNAL, UNKNOWN and UNAVAILABLE are faults of the server."""
DEADLINE_S = 30.0
STREAM_S = 1.0
"""Streams are read for so long; those that follow something go on for ever."""
MOST_GROWTH_BYTES = 256 * 2**20
_AT_ONCE = 16
_SMALL_EVERY_S = 0.5
_EVERY_BOMB = 1000
_LOUD, _QUIET = "loud", "quiet"
_CREATE = "/fulcrum.v1.PlanningService/CreatePlan"
_SOLVE = "/fulcrum.v1.AssignmentService/SolveAssignment"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks fuzz-requests")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/fuzz-requests.json")
    options = parser.parse_args(arguments)
    settings: dict[str, Any] = {
        "check_s": 10.0,
        "default_time_limit_s": 2.0,
        "worker_memory_bytes": 4 * 2**30,
        "log_level": "ERROR",
        "limits": {"waiting_count": 10, "solve_count": 4, "time_limit_s": 5.0},
    }
    with tempfile.TemporaryDirectory(prefix="fulcrum-fuzz-") as folder:
        settings["tokens"] = str(_tokens(Path(folder)))
        found = _fuzz(ServerProcess(Path(folder), **settings), options.count, options.seed)
    result = {"benchmark": "fuzz-requests", "count": options.count, "seed": options.seed, **found}
    result["machine"] = machine_record("grpcio", "protobuf", "pyyaml")
    print(json.dumps(result, indent=2))
    if options.save:
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        (RESULTS / "fuzz-requests.json").write_text(text, encoding="utf-8")
    return 1 if found["failures"] else 0


def _tokens(folder: Path) -> Path:
    """A file with two tenants, each let in by its name."""
    lines = [
        f"  - {{name: {name}, tenant: {name}, role: operator, "
        f"sha256: {hashlib.sha256(name.encode()).hexdigest()}}}"
        for name in (_LOUD, _QUIET)
    ]
    path = folder / "tokens.yaml"
    path.write_text("\n".join(["tokens:", *lines, ""]), encoding="utf-8")
    return path


def _by(name: str) -> tuple[tuple[str, str]]:
    return (("authorization", f"Bearer {name}"),)


@dataclass(slots=True)
class _Found:
    """What came of the requests."""

    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    small_s: list[float] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)


def _fuzz(server: ServerProcess, count: int, seed: int) -> dict[str, Any]:
    found = _Found()
    begin_s = time.monotonic()
    with server:
        process = server.process_id
        existing = _make_something(server)
        asyncio.run(_send(server, count, seed, existing, found))
        if not server.running or server.process_id != process:
            found.failures.append("the server died")
        else:
            server.wait(limit_s=20.0)  # it serves, or Unavailable
        growth = found.rss_bytes[-1] - found.rss_bytes[len(found.rss_bytes) // 5]
        if growth > MOST_GROWTH_BYTES:
            found.failures.append(f"the server grew by {growth:,} bytes after the first fifth")
        logged = server.log.read_text(encoding="utf-8", errors="replace")
        if "Traceback" in logged:
            found.failures.append(f"logged: {logged[logged.index('Traceback') :][-1500:]}")
    return {
        "seconds": round(time.monotonic() - begin_s, 1),
        "codes": dict(sorted(found.codes.items())),
        "slowest_unary_s": round(found.slowest_s, 2),
        "small_document_s": _spread(found.small_s),
        "server_rss_bytes_by_fifth": [
            found.rss_bytes[round(i * (len(found.rss_bytes) - 1) / 5)] for i in range(6)
        ],
        "tracebacks_in_the_log": logged.count("Traceback"),
        "failures": found.failures[:20],
    }


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(ordered[round(share * (len(ordered) - 1))], 2) for name, share in shares.items()}


async def _send(server: ServerProcess, count: int, seed: int, existing: Sequence[str], found: _Found) -> None:
    requests = iter(_requests(count, seed, existing))
    options = (("grpc.max_receive_message_length", 2**30),)
    async with grpc.aio.insecure_channel(server.address, options) as channel:

        async def worker() -> None:
            for number, method, payload in requests:
                if number % max(1, count // 50) == 0:
                    found.rss_bytes.append(memory_bytes(server.process_id)[0])
                begin_s = time.monotonic()
                code = await _call(channel, method, payload)
                seconds = time.monotonic() - begin_s
                found.codes[code] += 1
                if not method.response_streaming:
                    found.slowest_s = max(found.slowest_s, seconds)
                if code not in ANSWERS and not (method.response_streaming and code == "DEADLINE_EXCEEDED"):
                    found.failures.append(f"request {number} {method.path}: {code} {payload[:300]!r}")
                if len(found.failures) >= 100:
                    return

        asking = asyncio.create_task(_ask_small(channel, found))
        await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    found.rss_bytes.append(memory_bytes(server.process_id)[0])


async def _ask_small(channel: grpc.aio.Channel, found: _Found) -> None:
    """Have a small document checked again and again, by a tenant that asks for nothing else."""
    document = read_fleet_file(EXAMPLES / "one_model.yaml").self_contained
    request = planning_service_pb2.CreatePlanRequest(document=document, validate_only=True)
    rpc: Any = channel.unary_unary(_CREATE, request_serializer=bytes, response_deserializer=bytes)
    while True:
        begin_s = time.monotonic()
        try:
            await rpc(request.SerializeToString(), timeout=DEADLINE_S, metadata=_by(_QUIET))
        except grpc.aio.AioRpcError as error:
            found.failures.append(f"a small document: {error.code().name} {error.details()}")
        found.small_s.append(time.monotonic() - begin_s)
        await asyncio.sleep(_SMALL_EVERY_S)


async def _call(channel: grpc.aio.Channel, method: Method, payload: bytes) -> str:
    """The name of the status code that a call with raw bytes ended with."""
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    make: Any = kinds[method.request_streaming, method.response_streaming]
    rpc = make(method.path, request_serializer=bytes, response_deserializer=bytes)
    endless = method.response_streaming and method.path not in (_SOLVE,)
    timeout_s = STREAM_S if endless else DEADLINE_S
    try:
        sent = iter([payload]) if method.request_streaming else payload
        call = rpc(sent, timeout=timeout_s, metadata=_by(_LOUD))
        if method.response_streaming:
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


def _make_something(server: ServerProcess) -> list[str]:
    """A plan and a fleet that exist; their names."""
    document = read_fleet_file(EXAMPLES / "one_model.yaml").self_contained
    with server.channel() as channel:
        stubs = Stubs.of(channel)
        create = planning_service_pb2.CreatePlanRequest(document=document)
        operation = stubs.planning.CreatePlan(create, timeout=60, metadata=_by(_LOUD))
        register = fleet_service_pb2.RegisterFleetRequest(document=document)
        fleet = stubs.fleets.RegisterFleet(register, timeout=60, metadata=_by(_LOUD))
        watch = planning_service_pb2.WatchPlanRequest(name=operation.name.replace("operations/", "plans/"))
        list(stubs.planning.WatchPlan(watch, timeout=120, metadata=_by(_LOUD)))
    return [operation.name, watch.name, fleet.name]


def _requests(count: int, seed: int, existing: Sequence[str]) -> Iterator[tuple[int, Method, bytes]]:
    source = random.Random(seed)
    methods = {method.path: method for method in every_method()}
    paths = sorted(methods)
    fleets = [read_fleet_file(EXAMPLES / name).self_contained for name in ("fleet.yaml", "limits.yaml")]
    problems = [path.read_text(encoding="utf-8") for path in sorted((EXAMPLES / "problems").glob("*.yaml"))]
    problems = [text for text in problems if len(text) < 20_000]
    words = [
        "", "demo", "../../etc/passwd", "é\u202e", "x" * 300, "-", "12/s", "fleet: demo", *fleets[:1],
        *existing,
    ]  # fmt: skip
    nobody = "0" * 32
    names = [
        *existing, "fleets/demo", f"plans/{nobody}", f"operations/{nobody}", "profiles/h100-sxm-80gb",
        "engines/chat-0", "fleets/demo/rollouts/1", "operations",
    ]  # fmt: skip
    sensible = {
        "document": [*fleets, *problems], "name": names, "parent": names, "plan": names, "fleet": names,
        "base": names, "target": names, "current_plan": names, "engine": names, "etag": [""],
        "page_token": [""], "request_id": ["", "again"], "lease_holder": ["", "job"], "holder": ["job"],
    }  # fmt: skip
    exhausting = bombs()
    for number in range(count):
        if number % _EVERY_BOMB == 0:
            document = exhausting[number // _EVERY_BOMB % len(exhausting)]
            create = planning_service_pb2.CreatePlanRequest(document=document, validate_only=True)
            yield number, methods[_CREATE], create.SerializeToString()
        elif number % 3 == 0:
            yield number, *_document(source, methods, fleets, problems)
        else:
            method = methods[source.choice(paths)]
            payload = fill(method.request(), source, words, sensible).SerializeToString()
            yield number, method, mutate(source, payload) if source.random() < 0.5 else payload


def _document(
    source: random.Random, methods: dict[str, Method], fleets: Sequence[str], problems: Sequence[str]
) -> tuple[Method, bytes]:
    """A mutated document, to be checked only."""
    if source.random() < 0.5:
        text = mutate(source, source.choice(fleets).encode()).decode(errors="replace")
        create = planning_service_pb2.CreatePlanRequest(document=text, validate_only=True)
        return methods[_CREATE], create.SerializeToString()
    text = mutate(source, source.choice(problems).encode()).decode(errors="replace")
    solve = assignment_service_pb2.SolveAssignmentRequest(document=text, validate_only=True)
    return methods[_SOLVE], solve.SerializeToString()
