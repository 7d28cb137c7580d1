"""A PostgreSQL server of one's own, to be killed and restarted at will."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from models.errors import Unavailable

__all__ = ["PostgresServer", "postgres_programs"]

_ACCOUNT = "postgres"
"""Who runs it where this process is the superuser, as whom PostgreSQL refuses to run."""


def postgres_programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``; None where PostgreSQL is not installed."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


class PostgresServer:
    """A fresh cluster in `folder`, at a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        programs = postgres_programs()
        if programs is None:
            raise Unavailable("PostgreSQL's initdb is not installed")
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._as: list[str] = []
        if os.geteuid() == 0:
            account = pwd.getpwnam(_ACCOUNT)
            os.chown(folder, account.pw_uid, account.pw_gid)
            # not Popen's own `user`, which forks, and gRPC's threads do not survive a fork
            ids = ("--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups")
            self._as = ["setpriv", *ids]
        self._run("initdb", "-D", str(self._data), "-U", "fulcrum", "-A", "trust", "-E", "UTF8", "-N")

    @property
    def url(self) -> str:
        """Of its database ``postgres``."""
        return f"postgresql+psycopg://fulcrum@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = f"-p {self._port} -k {self._data} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._log), "-o", settings, "-w", "start")

    def stop(self, *, mode: str = "immediate") -> None:
        """Stop; ``immediate`` is what a crash leaves behind: connections break, recovery comes with the
        start.
        """
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._programs / program), *arguments]
        with (self._log.parent / "commands.log").open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, cwd="/", check=False)
        if done.returncode:
            told = (self._log.parent / "commands.log").read_text(encoding="utf-8", errors="replace")
            raise Unavailable(f"{program} ended with {done.returncode}: {told[-1000:]}")
