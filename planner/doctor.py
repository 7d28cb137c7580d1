"""Is this installation fit to work? One function a check; none of them changes anything."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from models.errors import FulcrumError

__all__ = ["Finding", "examine"]

Level = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found, and what to do about it where that is anything."""

    subject: str
    level: Level
    message: str
    remedy: str = ""


def examine(server: str | None = None) -> Iterator[Finding]:
    """Run every check; a server, ``HOST:PORT``, is asked for its health."""
    for check in (_python, _packages, _solvers, _kernels, _profiles, _gpu):
        yield from _guarded(check)
    if server is not None:
        yield from _guarded(lambda: _server(server))


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check that breaks is a finding."""
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - the doctor must see all patients
        name = getattr(check, "__name__", "check").lstrip("_")
        yield Finding(subject=name, level="failed", message=f"{type(error).__name__}: {error}")


def _python() -> Iterator[Finding]:
    fit = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        subject="Python", level="ok" if fit else "failed", message=sys.version.split()[0],
        remedy="" if fit else "Fulcrum needs Python 3.11 to 3.13",
    )  # fmt: skip


def _packages() -> Iterator[Finding]:
    """Versions of what we require, against what the installed package says it requires."""
    from packaging.requirements import Requirement

    for text in importlib.metadata.requires("fulcrum-planner") or ():
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                subject=wanted.name, level="failed", message="not installed",
                remedy=f"pip install '{wanted}'",
            )  # fmt: skip
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield Finding(
                subject=wanted.name, level="warning", message=f"{found}, tested with {wanted.specifier}",
                remedy=f"pip install '{wanted}'",
            )  # fmt: skip
    yield Finding(
        subject="packages", level="ok", message=f"Fulcrum {importlib.metadata.version('fulcrum-planner')}"
    )


def _solvers() -> Iterator[Finding]:
    from solvers.milp.backends import backend, backend_names

    for name in backend_names():
        try:
            backend(name)
        except FulcrumError as error:
            level: Level = "failed" if name == "highs" else "warning"
            yield Finding(subject=f"solver {name}", level=level, message=str(error))
        else:
            yield Finding(subject=f"solver {name}", level="ok", message="ready")


def _kernels() -> Iterator[Finding]:
    from solvers.search.jit import cache_directory

    folder = cache_directory()
    kept = os.path.realpath(folder).startswith(os.path.realpath(tempfile.gettempdir()))
    compiled = any(folder.rglob("*.nbi")) if folder.exists() else False
    yield Finding(
        subject="search kernels", level="ok" if compiled else "warning",
        message=f"{'compiled' if compiled else 'not compiled yet'}, in {folder}"
        + (" (temporary: no other folder can be written to)" if kept else ""),
        remedy="" if compiled else "fulcrum warmup compiles them; else the first large problem does",
    )  # fmt: skip


def _profiles() -> Iterator[Finding]:
    from models.profiles.catalogue import known_profiles
    from models.profiles.store import read_profile

    good = []
    for name, folder in sorted(known_profiles().items()):
        try:
            read_profile(folder, eager=True)
            good.append(name)
        except FulcrumError as error:
            yield Finding(
                subject=f"profile {name}", level="failed", message=str(error),
                remedy="measure or import it anew, or reinstall Fulcrum",
            )  # fmt: skip
    yield Finding(subject="profiles", level="ok" if good else "failed", message=", ".join(good) or "none")


def _gpu() -> Iterator[Finding]:
    try:
        import pynvml
    except ImportError:
        yield Finding(
            subject="GPU", level="ok", message="not looked for; planning needs none",
            remedy="to measure one: pip install 'fulcrum-planner[cuda]'",
        )  # fmt: skip
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        yield Finding(subject="GPU", level="ok", message=f"none here ({error}); planning needs none")
        return
    for index in range(pynvml.nvmlDeviceGetCount()):
        name = pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(index))
        yield Finding(subject=f"GPU {index}", level="ok", message=str(name))
    pynvml.nvmlShutdown()


def _server(address: str) -> Iterator[Finding]:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        try:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.RpcError as error:
            yield Finding(
                subject=f"server {address}", level="failed", message=str(error.details()),
                remedy="is it started (fulcrum serve), reachable, and without TLS?",
            )  # fmt: skip
            return
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    yield Finding(
        subject=f"server {address}", level="ok" if status == "SERVING" else "warning", message=status
    )
