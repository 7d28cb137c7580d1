"""The server: services, health, reflection, security, put together and run."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from models.errors import InvalidInput, Unavailable
from planner.live.server import LiveServer, check_http_address
from planner.service.address import DEFAULT_ADDRESS, check_address, is_loopback
from planner.service.assignments import AssignmentService
from planner.service.async_store import AsyncStore
from planner.service.auth import AllowAll, Authenticator, TokenAuthenticator, read_tokens
from planner.service.channel import keepalive_options
from planner.service.convert import warm_up
from planner.service.create_request import PlanLimits
from planner.service.dispatcher import Dispatcher
from planner.service.engine_keeper import EngineKeeper
from planner.service.engine_metrics import EngineMetrics
from planner.service.engines import EngineService
from planner.service.errors import StatusError
from planner.service.executor import Executor, ProcessExecutor
from planner.service.fleets import FleetService
from planner.service.hub import Hub
from planner.service.interceptor import Guard
from planner.service.metrics import Metrics
from planner.service.metrics_server import MetricsServer, check_metrics_address
from planner.service.open_streams import OpenStreams
from planner.service.operations import OperationsService
from planner.service.own_profiles import OwnProfiles
from planner.service.planning import PlanningService
from planner.service.profile_cache import ProfileCache
from planner.service.profile_limits import ProfileLimits
from planner.service.profiles import ProfileService
from planner.service.protos import (
    assignment_service_pb2,
    engine_service_pb2,
    fleet_service_pb2,
    operations_pb2,
    operations_pb2_grpc,
    planning_service_pb2,
    profile_service_pb2,
)
from planner.service.protos import assignment_service_pb2_grpc as assignment_grpc
from planner.service.protos import engine_service_pb2_grpc as engine_grpc
from planner.service.protos import fleet_service_pb2_grpc as fleet_grpc
from planner.service.protos import planning_service_pb2_grpc as planning_grpc
from planner.service.protos import profile_service_pb2_grpc as profile_grpc
from planner.service.questions import Questions
from planner.service.rollouts import Rollouts
from planner.service.streamed import StreamedWork
from planner.service.tracing import Tracing, open_tracing
from planner.store.database import Database
from planner.store.plans import PlanStore

__all__ = ["PlanServer", "ServerConfig", "TlsFiles", "run_server"]

log = logging.getLogger(__name__)

SERVICES = (
    assignment_service_pb2.DESCRIPTOR.services_by_name["AssignmentService"].full_name,
    engine_service_pb2.DESCRIPTOR.services_by_name["EngineService"].full_name,
    fleet_service_pb2.DESCRIPTOR.services_by_name["FleetService"].full_name,
    planning_service_pb2.DESCRIPTOR.services_by_name["PlanningService"].full_name,
    profile_service_pb2.DESCRIPTOR.services_by_name["ProfileService"].full_name,
    operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name,
)
_MESSAGE_SLACK_BYTES = 2**20
_SWITCH_INTERVAL_S = 0.001
"""How long a thread that reads the store may keep the event loop waiting for the interpreter."""
_MAX_CONCURRENT_RPCS = 4096
"""Beyond it a call is refused at once (RESOURCE_EXHAUSTED) instead of growing a backlog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: the server's chain and key, and, for mutual TLS, the authorities that sign clients."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """How to serve.

    Parameters
    ----------
    store
        Path of an SQLite file, or a database URL.
    tokens
        File of credentials; see `planner.service.auth`.
    metrics
        Where Prometheus may scrape, HOST:PORT, with the certificates of `tls`; None is nowhere.
    http
        Where browsers find the plans, HOST:PORT, with the same certificates and tokens; None is nowhere.
    otlp_endpoint
        URL of an OpenTelemetry collector for traces; None: as the environment says, by default nowhere.
    insecure
        Listen beyond this machine even without TLS or without tokens.
    worker_nice
        How far below the server's priority plans are made, so that it answers while every core solves.
    check_s
        Longest a document may take to be read, in seconds of a processor; six times that by the clock.
    keepalive_s
        How often an idle connection is asked for a sign of life; half of it later it is given up.
    lease_s
        How long after a server died its plans are taken over.
    max_attempts
        How often a plan is begun before it is given up, should servers keep dying over it.
    grace_s
        How long running plans may still take at shutdown before they are handed back.
    """

    listen: str = DEFAULT_ADDRESS
    store: str = "fulcrum.sqlite"
    backend: str = "planner.service.backend:PipelineBackend"
    worker_count: int = 1
    worker_memory_bytes: int | None = None
    worker_nice: int = 10
    default_time_limit_s: float = 300.0
    check_s: float = 10.0
    limits: PlanLimits = field(default_factory=PlanLimits)
    profile_limits: ProfileLimits = field(default_factory=ProfileLimits)
    tls: TlsFiles | None = None
    tokens: Path | None = None
    metrics: str | None = None
    http: str | None = None
    otlp_endpoint: str | None = None
    insecure: bool = False
    reflection: bool = True
    keepalive_s: float = 20.0
    lease_s: float = 10.0
    max_attempts: int = 5
    grace_s: float = 30.0

    def __post_init__(self) -> None:
        check_address(self.listen)
        if self.metrics is not None:
            authenticated = self.tls is not None and self.tls.client_authorities is not None
            check_metrics_address(self.metrics, authenticated=authenticated, insecure=self.insecure)
        if self.http is not None:
            check_http_address(
                self.http, tls=self.tls is not None, tokens=self.tokens is not None, insecure=self.insecure
            )
        if self.worker_count < 1:
            raise InvalidInput(f"{self.worker_count} workers; at least 1 is needed")
        if not (self.insecure or is_loopback(self.listen)) and (self.tls is None or self.tokens is None):
            missing = " and ".join(
                name for name, value in (("TLS", self.tls), ("tokens", self.tokens)) if value is None
            )
            raise InvalidInput(
                f"{self.listen} is reached from other machines and there is no {missing}: give --tls-cert, "
                "--tls-key and --tokens, listen at 127.0.0.1, or say --insecure"
            )


class PlanServer:
    """One server. `start`, then `stop`; both once, in one event loop.

    Parameters
    ----------
    executor
        Where plans are made; default: worker processes, as the configuration says.
    tracing
        Where traces go; default: as the configuration and the environment say.
    """

    def __init__(
        self, config: ServerConfig, *, executor: Executor | None = None, tracing: Tracing | None = None
    ) -> None:
        self.config = config
        self.port = 0
        self.metrics_server: MetricsServer | None = None
        self._executor = executor or ProcessExecutor(
            config.backend,
            slot_count=config.worker_count,
            memory_bytes=config.worker_memory_bytes,
            nice=config.worker_nice,
            check_s=config.check_s,
        )
        authenticator: Authenticator = AllowAll()
        if config.tokens is not None:
            authenticator = TokenAuthenticator(read_tokens(config.tokens))
        self._store = AsyncStore(PlanStore(Database(config.store)))
        self.tracing = tracing or open_tracing(config.otlp_endpoint)
        self.metrics = Metrics()
        self.metrics.watch(self._store.store, lambda: self._executor.restart_count)
        hub = Hub()
        self.live = self._live_server(hub, authenticator)
        self._cache = ProfileCache()
        profiles = OwnProfiles(self._store, self._executor, self._cache)
        self._dispatcher = Dispatcher(
            self._store,
            self._executor,
            hub,
            profiles,
            lease_s=config.lease_s,
            max_attempts=config.max_attempts,
            default_time_limit_s=config.default_time_limit_s,
            metrics=self.metrics,
            tracing=self.tracing,
        )
        most_bytes = config.limits.document_bytes + _MESSAGE_SLACK_BYTES
        streams = OpenStreams(most=_MAX_CONCURRENT_RPCS * 3 // 4, most_of_tenant=_MAX_CONCURRENT_RPCS // 2)
        self._server = grpc.aio.server(
            interceptors=(Guard(authenticator, self.metrics, streams, self.tracing),),
            maximum_concurrent_rpcs=_MAX_CONCURRENT_RPCS,
            options=(
                ("grpc.max_receive_message_length", most_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # a second server on one port must fail, not share it
                ("grpc.max_metadata_size", 16 * 1024),
                *keepalive_options(config.keepalive_s),
                ("grpc.keepalive_permit_without_calls", 1),
                # clients may ask as often
                ("grpc.http2.min_recv_ping_interval_without_data_ms", round(250 * config.keepalive_s)),
            ),
        )
        self._streamed = StreamedWork(
            self._executor, most_unfinished=config.limits.solve_count, metrics=self.metrics
        )
        questions = Questions(
            profiles, self._streamed, config.limits, default_time_limit_s=config.default_time_limit_s
        )
        planning = PlanningService(
            self._store, profiles, self._dispatcher, hub, questions, config.limits, tracing=self.tracing
        )
        planning_grpc.add_PlanningServiceServicer_to_server(planning, self._server)  # type: ignore[no-untyped-call]
        self._rollouts = Rollouts(self._store)
        self._keeper = EngineKeeper(self._rollouts)
        self.metrics.registry.register(EngineMetrics(self._store.store))
        engines = EngineService(self._store.store.database, self._rollouts)
        engine_grpc.add_EngineServiceServicer_to_server(engines, self._server)  # type: ignore[no-untyped-call]
        fleets = FleetService(self._store, profiles, config.limits, self._rollouts)
        fleet_grpc.add_FleetServiceServicer_to_server(fleets, self._server)  # type: ignore[no-untyped-call]
        own = ProfileService(
            self._store, self._executor, self._streamed, profiles, self._cache, config.profile_limits,
            default_time_limit_s=config.default_time_limit_s,
        )  # fmt: skip
        profile_grpc.add_ProfileServiceServicer_to_server(own, self._server)  # type: ignore[no-untyped-call]
        assignments = AssignmentService(
            self._executor, self._streamed, config.limits, default_time_limit_s=config.default_time_limit_s
        )
        assignment_grpc.add_AssignmentServiceServicer_to_server(assignments, self._server)  # type: ignore[no-untyped-call]
        operations_pb2_grpc.add_OperationsServicer_to_server(
            OperationsService(self._store, self._dispatcher, hub), self._server
        )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if config.reflection:
            names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    async def start(self) -> None:
        """Listen, warm the workers up, then report SERVING.

        Raises
        ------
        Unavailable
            The address is taken, or the workers do not start.
        """
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            self.port = self._bind()
        except RuntimeError as error:
            self._cache.close()
            self._store.close()
            raise Unavailable(f"cannot listen at {self.config.listen}: {error}") from error
        try:
            self.metrics_server = self._serve_metrics()
        except Unavailable:
            self._cache.close()
            self._store.close()
            raise
        await asyncio.to_thread(warm_up)  # callers wait for it: it must not be in the midst of answering them
        if self.live is not None:
            await self.live.start()
        await self._server.start()
        try:
            await self._executor.start()
        except StatusError as error:
            await self.stop()
            raise Unavailable(str(error)) from error
        self._dispatcher.start()
        self._rollouts.start()
        self._keeper.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        log.info("listening at %s, port %d", self.config.listen, self.port)

    async def stop(self) -> None:
        """Report NOT_SERVING, let running plans end or hand them back, then close everything."""
        await self._health.enter_graceful_shutdown()
        await self._dispatcher.close(self.config.grace_s)
        if self.live is not None:
            await self.live.stop()
        await self._server.stop(grace=1.0)
        await self._keeper.close()
        await self._rollouts.close()
        if self.metrics_server is not None:
            await asyncio.to_thread(self.metrics_server.close)
        await self._streamed.close()
        await self._executor.close()
        self._store.close()
        await asyncio.to_thread(self._cache.close)
        await asyncio.to_thread(self.tracing.close)

    def _bind(self) -> int:
        tls = self.config.tls
        if tls is None:
            return self._server.add_insecure_port(self.config.listen)
        authorities = None if tls.client_authorities is None else _pem(tls.client_authorities)
        credentials = grpc.ssl_server_credentials(
            [(_pem(tls.key), _pem(tls.certificate))],
            root_certificates=authorities,
            require_client_auth=authorities is not None,
        )
        return self._server.add_secure_port(self.config.listen, credentials)

    def _live_server(self, hub: Hub, authenticator: Authenticator) -> LiveServer | None:
        if self.config.http is None:
            return None
        tls = self.config.tls
        return LiveServer(
            self.config.http,
            self._store,
            hub,
            authenticator if isinstance(authenticator, TokenAuthenticator) else None,
            certificate=None if tls is None else tls.certificate,
            key=None if tls is None else tls.key,
            client_authorities=None if tls is None else tls.client_authorities,
        )

    def _serve_metrics(self) -> MetricsServer | None:
        address, tls = self.config.metrics, self.config.tls
        if address is None:
            return None
        return MetricsServer(
            address,
            self.metrics.registry,
            certificate=None if tls is None else tls.certificate,
            key=None if tls is None else tls.key,
            client_authorities=None if tls is None else tls.client_authorities,
        )

    async def _set_health(self, status: int) -> None:
        for name in ("", *SERVICES):
            await self._health.set(name, status)


async def run_server(config: ServerConfig) -> None:
    """Serve until SIGTERM or SIGINT."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    server = PlanServer(config)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await server.start()
    gc.collect()
    gc.freeze()  # what was imported stays; no collection, during which nobody is answered, looks at it
    await stopping.wait()
    log.info("stopping; running plans have %g s", config.grace_s)
    await server.stop()


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read the PEM file: {error.strerror}", source=str(path)) from None
