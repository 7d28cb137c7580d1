from __future__ import annotations

import pytest

from models.errors import Unavailable
from planner.store.database import Database
from planner.store.upgrade import HEAD


def test_commits_are_on_disk_when_they_return(tmp_path):
    database = Database(str(tmp_path / "x.sqlite"))
    with database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()

    full = 2
    assert settings == {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1}


def test_a_failed_block_leaves_nothing(tmp_path):
    database = Database(str(tmp_path / "x.sqlite"))

    def change_and_fail() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '7'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()

    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == HEAD
    database.close()


def test_a_block_that_fails_amid_rows_shows_nobody_the_past(tmp_path):
    """The traceback of the failure keeps its unfinished SELECT alive, and with it SQLite's snapshot."""
    database, other = Database(str(tmp_path / "x.sqlite")), Database(str(tmp_path / "x.sqlite"))
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers AS SELECT 1 AS n UNION SELECT 2")

    def refuse(block) -> None:
        with block as connection:
            rows = connection.exec_driver_sql("SELECT n FROM numbers")
            for row in rows:
                raise LookupError(row)

    failures = []
    for count, block in enumerate((database.read, database.write), start=3):
        with pytest.raises(LookupError) as failure:
            refuse(block())
        failures.append(failure)
        with other.write() as connection:
            connection.exec_driver_sql(f"INSERT INTO numbers VALUES ({count})")
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar_one() == count
    database.close()
    other.close()


def test_a_block_that_reads_sees_one_state_however_often_it_asks(url):
    database, other = Database(url), Database(url)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER)")
    ask = "SELECT count(*) FROM numbers"

    with database.read() as connection:
        before = connection.exec_driver_sql(ask).scalar_one()
        with other.write() as writing:
            writing.exec_driver_sql("INSERT INTO numbers VALUES (1)")
        assert connection.exec_driver_sql(ask).scalar_one() == before == 0
    with database.read() as connection:
        assert connection.exec_driver_sql(ask).scalar_one() == 1, "the next block sees the next"
    database.close()
    other.close()


def test_a_database_host_that_vanishes_is_not_waited_for_forever(postgres):
    database = Database(f"{postgres}{'&' if '?' in postgres else '?'}keepalives_idle=77")
    with database.read() as connection:
        used = connection.connection.dbapi_connection.info.get_parameters()
    database.close()

    assert used["keepalives_idle"] == "77", "what the URL says holds"
    assert {name: used[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives_count")} == {
        "connect_timeout": "10", "tcp_user_timeout": "25000", "keepalives_count": "3",
    }  # fmt: skip


def test_what_is_no_database_is_refused(tmp_path):
    path = tmp_path / "x.sqlite"
    path.write_text("this is a text " * 100)

    with pytest.raises(Unavailable, match="not a database"):
        Database(str(path))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(Unavailable, match="cannot be opened"):
        Database(str(tmp_path / "nowhere" / "x.sqlite"))


def test_an_unknown_kind_of_database_is_refused():
    with pytest.raises(Unavailable, match="driver"):
        Database("quux://host/db")


def test_a_password_is_not_shown():
    with pytest.raises(Unavailable) as refused:
        Database("quux://user:hunter2@host/db")
    assert "hunter2" not in str(refused.value)
