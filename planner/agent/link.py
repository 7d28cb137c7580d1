"""The connection of an agent to its server: two threads that never stop trying.

One registers and follows the assignment, one sends what is to be said. While the server is away engines go
on; what was measured meanwhile is kept, up to `MOST_SAMPLES`, and sent later.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence

from models.errors import FulcrumError, Unavailable
from planner.agent.config import AgentConfig
from planner.agent.supervisor import Said
from planner.service.engine_client import EngineClient, StepRefused, Watch
from planner.service.protos import engine_service_pb2, load_pb2

__all__ = ["Link"]

log = logging.getLogger(__name__)

MOST_SAMPLES = 5000
_BATCH = 500
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


class Link:
    """Started once, closed once.

    Parameters
    ----------
    dry_run
        Registers as such.
    jitter
        Number between 0 and 1, anew each time: agents of a server that comes back do not all come at once.
    """

    def __init__(
        self, client: EngineClient, config: AgentConfig, *, dry_run: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._client = client
        self._config = config
        self._dry_run = dry_run
        self._jitter = jitter
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._assignment: engine_service_pb2.Assignment | None = None
        self._engine = ""
        self._watch: Watch | None = None
        self._said: dict[tuple[int, int], Said] = {}
        self._to_say: deque[Said] = deque()
        self._samples: deque[load_pb2.LoadSample] = deque(maxlen=MOST_SAMPLES)
        self._statuses: Sequence[engine_service_pb2.InstanceStatus] | None = None
        self._threads = [
            threading.Thread(target=self._follow, name="agent-follow", daemon=True),
            threading.Thread(target=self._send, name="agent-send", daemon=True),
        ]

    def start(self) -> None:
        """Begin to connect."""
        for thread in self._threads:
            thread.start()

    def take_assignment(self) -> engine_service_pb2.Assignment | None:
        """The newest assignment, once; None: nothing new."""
        with self._lock:
            found, self._assignment = self._assignment, None
            return found

    def say(self, said: Said) -> None:
        """Acknowledge a step; the same again is ignored."""
        with self._lock:
            if self._said.get((said.generation, said.step)) == said:
                return
            self._said[said.generation, said.step] = said
            self._to_say.append(said)
        self._wake.set()

    def report(
        self, samples: Sequence[load_pb2.LoadSample], statuses: Sequence[engine_service_pb2.InstanceStatus]
    ) -> None:
        """Send measurements and states soon."""
        with self._lock:
            self._samples.extend(samples)
            self._statuses = statuses
        self._wake.set()

    def close(self, *, forget: bool) -> None:
        """End both threads; with `forget`, tell a server that answers that nothing runs here any more."""
        self._closing.set()
        self._wake.set()
        with self._lock:
            watch = self._watch
        if watch is not None:
            watch.cancel()
        for thread in self._threads:
            thread.join(timeout=20.0)
        if forget and self._engine:
            try:
                self._client.delete(self._engine)
            except FulcrumError as error:
                log.warning("cannot say that nothing runs here any more: %s", error)

    def _follow(self) -> None:
        token, pause_s = "", _FIRST_PAUSE_S
        while not self._closing.is_set():
            try:
                self._engine = self._register()
                with self._lock:
                    watch = self._watch = self._client.watch(self._engine, token)
                for assignment in watch:
                    pause_s = _FIRST_PAUSE_S
                    if assignment is not None:
                        token = assignment.resume_token
                        self._received(assignment)
                    if self._closing.is_set():
                        return
            except FulcrumError as error:
                if self._closing.is_set():
                    return
                log.warning("%s; next try in about %.1f s", error, pause_s)
            self._closing.wait(pause_s * (0.5 + self._jitter()))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _register(self) -> str:
        config = self._config
        return self._client.register(
            config.fleet, config.engine_id, node=config.node, gpus=config.gpus, address=config.address,
            kind=config.kind, version=config.version, lease_s=config.timing.lease,
            labels={**config.labels, **({"dry-run": "true"} if self._dry_run else {})},
        )  # fmt: skip

    def _received(self, assignment: engine_service_pb2.Assignment) -> None:
        with self._lock:
            self._assignment = assignment
            self._said = {key: said for key, said in self._said.items() if key[0] >= assignment.generation}

    def _send(self) -> None:
        pause_s = 0.0
        while not self._closing.is_set() or self._to_say:
            if not self._wake.wait(_LONGEST_PAUSE_S) and not self._closing.is_set():
                continue
            self._wake.clear()
            try:
                if self._engine:
                    self._send_all()
                pause_s = 0.0
            except FulcrumError as error:
                pause_s = min(max(_FIRST_PAUSE_S, 2 * pause_s), _LONGEST_PAUSE_S)
                log.debug("%s; said again in about %.1f s", error, pause_s)
            else:
                continue
            if self._closing.is_set():
                return
            self._closing.wait(pause_s * (0.5 + self._jitter()))
            self._wake.set()

    def _send_all(self) -> None:
        while self._to_say:
            said = self._to_say[0]
            try:
                self._client.acknowledge(self._engine, said.generation, said.step, said.outcome, said.reason)
            except StepRefused as refused:
                log.warning("step %d, %s: %s", said.step, said.outcome, refused)
            self._to_say.popleft()
        with self._lock:
            statuses, self._statuses = self._statuses, None
            batch = [self._samples.popleft() for _ in range(min(_BATCH, len(self._samples)))]
        try:
            if statuses is not None or batch:
                for text in self._client.report(self._engine, batch, statuses):
                    log.warning("the server did not keep a sample: %s", text)
        except Unavailable:
            with self._lock:
                self._samples.extendleft(reversed(batch))
                self._statuses = self._statuses if self._statuses is not None else statuses
            raise
        if self._samples:
            self._wake.set()
