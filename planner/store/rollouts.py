"""Rollouts of promotions, and what engines acknowledged of them.

Every method is one transaction. The row of the last rollout is locked for as long as an acknowledgement
takes, so that each is judged by all before it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, tuple_, update

from planner.rollout import Acknowledgement, Outcome, Progress, RolloutBody
from planner.rollout.progress import step_nodes
from planner.store.database import Database
from planner.store.plans import wall_clock_us
from planner.store.records import NewRollout, RolloutRecord, RolloutState
from planner.store.refusals import AcknowledgementRefused, RolloutMoved
from planner.store.schema import rollouts, step_acknowledgements

__all__ = ["RolloutStore", "add_rollout", "may_begin_again", "touch"]

_KEPT_BODIES = 64
_HEAD = [column for column in rollouts.c if column.name != "body_json"]
_Key = tuple[str, str, int, str, int]


class RolloutStore:
    """All rollouts of one database; one object for a process, which keeps the bodies it has read."""

    def __init__(self, database: Database, clock: Callable[[], int] = wall_clock_us) -> None:
        self.database = database
        self._clock = clock
        self._bodies: OrderedDict[_Key, RolloutBody] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, tenant: str, fleet: str, generation: int | None = None
    ) -> tuple[RolloutRecord, Progress] | None:
        """A rollout of a fleet as it is, without its text; the last one, or that of a generation."""
        with self.database.read() as connection:
            row = _row(connection, tenant, fleet, generation)
            return None if row is None else (_record(row), self._progress(connection, row))

    def versions(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
        """Generation and sequence of the last rollout, by tenant and fleet; without those that have none."""
        if not keys:
            return {}
        newest = (
            select(rollouts.c.tenant, rollouts.c.fleet, func.max(rollouts.c.generation).label("generation"))
            .where(tuple_(rollouts.c.tenant, rollouts.c.fleet).in_(list(keys)))
            .group_by(rollouts.c.tenant, rollouts.c.fleet)
            .subquery()
        )
        query = select(newest, rollouts.c.sequence).join(
            rollouts,
            and_(
                rollouts.c.tenant == newest.c.tenant,
                rollouts.c.fleet == newest.c.fleet,
                rollouts.c.generation == newest.c.generation,
            ),
        )
        with self.database.read() as connection:
            rows = connection.execute(query)
            return {(row.tenant, row.fleet): (row.generation, row.sequence) for row in rows}

    def rolling(self) -> list[tuple[str, str]]:
        """Tenant and fleet of every rollout that goes on."""
        query = select(rollouts.c.tenant, rollouts.c.fleet).where(
            rollouts.c.state == RolloutState.ROLLING.value
        )
        with self.database.read() as connection:
            return [(row.tenant, row.fleet) for row in connection.execute(query)]

    def acknowledge(
        self, tenant: str, fleet: str, *, generation: int, step: int, node: str, gpus: Collection[int],
        outcome: Outcome, engine: str, reason: str = "",
    ) -> RolloutState:  # fmt: skip
        """Store how far a node is with a step; the same twice changes nothing.

        Parameters
        ----------
        gpus
            Of the engine that says so; empty: all of the node.
        engine
            Its id; empty: the server itself.

        Raises
        ------
        AcknowledgementRefused
            With the reason.
        """
        with self.database.write() as connection:
            row = _last(connection, tenant, fleet)
            if row is None or generation != row.generation:
                now = "nothing was promoted yet" if row is None else f"it is at {row.generation}"
                raise AcknowledgementRefused(
                    "STALE_GENERATION", f"{generation} is not the generation of {fleet}: {now}"
                )
            progress = self._progress(connection, row)
            if not self._accept(progress, step, node, gpus, outcome, RolloutState(row.state)):
                return RolloutState(row.state)
            key = {"tenant": tenant, "fleet": fleet, "generation": generation, "step": step, "node": node}
            self._write(connection, key, outcome, engine, reason, progress.by_step.get(step, {}).get(node))
            return self._advance(connection, row)

    def stop(self, tenant: str, fleet: str, *, generation: int, reason: str) -> RolloutRecord:
        """Begin no more steps; nothing happens to a rollout that has ended.

        Raises
        ------
        RolloutMoved
            The last rollout has another generation; 0 is any.
        """
        with self.database.write() as connection:
            row = _last(connection, tenant, fleet)
            if row is None or (generation and row.generation != generation):
                raise RolloutMoved(0 if row is None else row.generation)
            if row.state == RolloutState.ROLLING.value:
                _set_state(connection, row, self._clock(), RolloutState.STOPPED, reason)
                row = _row(connection, tenant, fleet)
            return _record(row)

    def _accept(
        self, progress: Progress, index: int, node: str, gpus: Collection[int], outcome: Outcome,
        state: RolloutState,
    ) -> bool:  # fmt: skip
        """Whether an acknowledgement is news; raises AcknowledgementRefused where it must not be believed."""
        steps = progress.body.steps
        if not 0 <= index < len(steps) or node not in step_nodes(steps[index]):
            raise AcknowledgementRefused("NOT_CONCERNED", f"step {index} does not concern {node}")
        wanted = {gpu for stage in steps[index].stages if stage.node == node for gpu in stage.gpus}
        if gpus and not wanted <= set(gpus):
            raise AcknowledgementRefused(
                "NOT_CONCERNED", f"step {index} is about GPUs {sorted(wanted)} of {node}, not of this engine"
            )
        said = progress.by_step.get(index, {}).get(node)
        if said is not None:
            if outcome in (said.outcome, "started"):
                return False
            if said.outcome != "started":
                raise AcknowledgementRefused("STEP_ENDED", f"step {index} has ended: it is {said.outcome}")
            return True
        waits_for = [before for before in steps[index].after if progress.states[before] != "done"]
        if waits_for:
            raise AcknowledgementRefused(
                "OUT_OF_ORDER", f"step {index} waits for step {waits_for[0]}, which has not been done"
            )
        if state is not RolloutState.ROLLING and progress.states[index] == "waiting":
            raise AcknowledgementRefused("ROLLOUT_STOPPED", f"the rollout is {state}: no step is begun")
        return True

    def _write(
        self, connection: Connection, key: dict[str, Any], outcome: Outcome, engine: str, reason: str,
        said: Acknowledgement | None,
    ) -> None:  # fmt: skip
        now = self._clock()
        values = {
            "outcome": outcome, "engine": engine, "reason": reason[:500],
            "end_us": None if outcome == "started" else now,
        }  # fmt: skip
        table = step_acknowledgements
        if said is None:
            connection.execute(insert(table).values(**key, **values, start_us=now))
        else:
            same = and_(*(table.c[name] == value for name, value in key.items()))
            connection.execute(update(table).where(same).values(**values))

    def _advance(self, connection: Connection, row: Any) -> RolloutState:
        """Count the change, and end the rollout where it is done or failed."""
        progress, state, reason = self._progress(connection, row), RolloutState(row.state), row.reason
        if state is RolloutState.ROLLING:
            failed = progress.failed
            if failed is not None:
                step = progress.body.steps[failed.step]
                state = RolloutState.FAILED
                reason = f"step {step.index}, {step.kind} {step.instance} on {failed.node}: {failed.reason}"
            elif progress.done:
                state = RolloutState.DONE
        _set_state(connection, row, self._clock(), state, reason)
        return state

    def _progress(self, connection: Connection, row: Any) -> Progress:
        said = step_acknowledgements
        rows = connection.execute(
            select(
                said.c.step, said.c.node, said.c.outcome, said.c.engine, said.c.reason, said.c.start_us,
                said.c.end_us,
            ).where(
                said.c.tenant == row.tenant,
                said.c.fleet == row.fleet,
                said.c.generation == row.generation,
            )
        )  # fmt: skip
        return Progress(
            self._body(connection, row),
            [Acknowledgement(**one._mapping) for one in rows],
            halted=row.state != RolloutState.ROLLING.value,
        )

    def _body(self, connection: Connection, row: Any) -> RolloutBody:
        key = (row.tenant, row.fleet, row.generation, row.plan_id, row.create_us)
        with self._lock:
            if key in self._bodies:
                self._bodies.move_to_end(key)
                return self._bodies[key]
        text = connection.execute(select(rollouts.c.body_json).where(_is(row))).scalar_one()
        body = RolloutBody.from_json(text)
        with self._lock:
            self._bodies[key] = body
            while len(self._bodies) > _KEPT_BODIES:
                self._bodies.popitem(last=False)
        return body


def may_begin_again(connection: Connection, tenant: str, fleet: str) -> bool:
    """Whether the promoted plan may be promoted once more: it has no rollout, or one that was cut short."""
    row = _last(connection, tenant, fleet)
    return row is None or row.state in (RolloutState.FAILED.value, RolloutState.STOPPED.value)


def add_rollout(
    connection: Connection, tenant: str, fleet: str, generation: int, plan_id: str, new: NewRollout, now: int
) -> None:
    """Store the rollout of a promotion and end the one before; RolloutMoved where that went on meanwhile."""
    before = _last(connection, tenant, fleet)
    sequence = None if before is None else before.sequence
    if generation != new.generation or sequence != new.previous_sequence:
        raise RolloutMoved(0 if before is None else before.generation)
    if before is not None and before.state == RolloutState.ROLLING.value:
        reason = f"generation {generation} was promoted"
        _set_state(connection, before, now, RolloutState.SUPERSEDED, reason)
    state = RolloutState.ROLLING if new.step_count else RolloutState.DONE
    connection.execute(
        insert(rollouts).values(
            tenant=tenant, fleet=fleet, generation=generation, plan_id=plan_id, body_json=new.body_json,
            state=state.value, reason="", sequence=1, create_us=now, update_us=now,
            end_us=None if new.step_count else now,
        )
    )  # fmt: skip


def touch(connection: Connection, tenant: str, fleet: str, now: int) -> None:
    """Tell those who follow the last rollout that the engines of the fleet are others."""
    row = _last(connection, tenant, fleet)
    if row is not None:
        _set_state(connection, row, now, RolloutState(row.state), row.reason)


def _is(row: Any) -> Any:
    return and_(
        rollouts.c.tenant == row.tenant,
        rollouts.c.fleet == row.fleet,
        rollouts.c.generation == row.generation,
    )


def _row(
    connection: Connection, tenant: str, fleet: str, generation: int | None = None, *, lock: bool = False
) -> Any:
    query = select(*_HEAD).where(rollouts.c.tenant == tenant, rollouts.c.fleet == fleet)
    if generation is not None:
        query = query.where(rollouts.c.generation == generation)
    query = query.order_by(rollouts.c.generation.desc()).limit(1)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _last(connection: Connection, tenant: str, fleet: str) -> Any:
    """The last rollout of a fleet, locked until the transaction ends; None where there is none.

    PostgreSQL locks what was the last when it began to wait. By then there may be another, which nobody can
    add once the last is locked.
    """
    while True:
        row = _row(connection, tenant, fleet, lock=True)
        now = _row(connection, tenant, fleet)
        if now is None or (row is not None and row.generation == now.generation):
            return now


def _set_state(connection: Connection, row: Any, now: int, state: RolloutState, reason: str) -> None:
    ended = row.end_us if state is RolloutState(row.state) else now
    connection.execute(
        update(rollouts)
        .where(_is(row))
        .values(
            state=state.value,
            reason=reason[:500],
            sequence=rollouts.c.sequence + 1,
            update_us=now,
            end_us=ended,
        )
    )


def _record(row: Any) -> RolloutRecord:
    return RolloutRecord(**{**row._mapping, "state": RolloutState(row.state)})
