"""Opening a database: the engine, SQLite's settings, the schema."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from models.errors import InvalidInput, Unavailable
from planner.store.lease_ends import LeaseEnds
from planner.store.upgrade import upgrade

__all__ = ["Database", "database_url"]

_WRITE = "fulcrum_write"
_BUSY_TIMEOUT_MS = 10_000
_PATIENCE = {
    "connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}  # fmt: skip
"""Of libpq: seconds, but the last in ms. A host that vanished without a word is given up after 25 s; by the
defaults of the system, every thread that asks it would wait for a quarter of an hour."""


def database_url(text: str) -> URL:
    """Turn a path (``plans.sqlite``) or a URL (``postgresql+psycopg://…``) into a SQLAlchemy URL."""
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text)))
    try:
        return make_url(text)
    except ArgumentError as error:
        raise InvalidInput(f"the store {text!r} is neither a path nor a database URL") from error


class Database:
    """A database whose tables are those of this version; those of an earlier one are upgraded.

    A commit returns only when the data is on disk (SQLite: WAL with ``synchronous=FULL``). Write
    transactions take SQLite's write lock when they begin, so that one that read first cannot fail when it
    writes.

    Parameters
    ----------
    url
        Path or URL; see `database_url`. Of an SQLite file the folder must exist.

    Raises
    ------
    InvalidInput
        The URL cannot be understood, or a later Fulcrum wrote the database.
    Unavailable
        The driver is not installed or the database cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self.url = database_url(url)
        self.lease_ends = LeaseEnds()
        """Of its fleets, as this process sees them."""
        try:
            self.engine = _open(self.url)
            # PostgreSQL's usual level shows every statement of a transaction a state of its own
            self._reading = self.engine.execution_options(
                **({} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"})
            )
            try:
                self._prepare()
            except BaseException:
                self.engine.dispose()  # or its connections are left to the garbage collector
                raise
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise Unavailable(f"the store {self} needs a driver that is not installed: {error}") from error
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise Unavailable(f"the store {self} cannot be opened: {cause}") from error

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, where all writers wait for one lock."""
        return self.url.get_backend_name() == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction: one consistent state of the database."""
        with self._reading.connect() as connection, self._transaction(connection):
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends, and undone when it raises."""
        with (
            self.engine.connect().execution_options(**{_WRITE: True}) as connection,
            self._transaction(connection),
        ):
            yield connection

    @contextlib.contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        """A transaction after whose failure an SQLite connection is not used again.

        What raises in the midst of reading rows leaves a statement unfinished, and while the traceback keeps
        it alive SQLite goes on showing that connection the database as it was then, even after the rollback.
        """
        try:
            with connection.begin():
                yield
        except BaseException:
            if self.is_sqlite:
                connection.invalidate()
            raise

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _prepare(self) -> None:
        with self.write() as connection:
            upgrade(connection, str(self))


def _open(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(_with_patience(url), pool_pre_ping=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = (
            None  # transactions begin where `_begin` says, not where the driver guesses
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _with_patience(url: URL) -> URL:
    """The URL with the time-outs that it does not state itself."""
    if url.get_backend_name() != "postgresql":
        return url
    return url.update_query_dict({name: value for name, value in _PATIENCE.items() if name not in url.query})
