"""Contents of uploaded profiles as folders, for worker processes to read.

A folder of the server's own, which nobody else writes to and which ends with it: at the latest when the next
server starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import shutil
import tempfile
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from models.profiles.store import MANIFEST_FILE
from planner.service.profile_check import table_file
from planner.store.profiles import ProfileContent

__all__ = ["ProfileCache"]

_PREFIX = "fulcrum-profiles-"
_LOCK = ".lock"


class ProfileCache:
    """Of one server.

    Parameters
    ----------
    most_bytes
        What is not in use is removed beyond this, the least recently used first.
    parent
        Where the folder is made; default: for temporary files.
    """

    def __init__(self, *, most_bytes: int = 512 * 2**20, parent: Path | None = None) -> None:
        self._most_bytes = most_bytes
        parent = Path(tempfile.gettempdir()) if parent is None else parent
        _remove_abandoned(parent)
        while True:
            self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            self._lock = (self.folder / _LOCK).open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if (self.folder / _LOCK).exists():
                break
            self._lock.close()  # another server that started took it for abandoned before it was locked
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._users: Counter[str] = Counter()
        self._making: dict[str, asyncio.Lock] = {}

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for what is being received."""
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    @contextlib.asynccontextmanager
    async def use(self, digest: str, load: Callable[[], Awaitable[ProfileContent]]) -> AsyncIterator[Path]:
        """The folder of a content, which stays there for the length of the block.

        Parameters
        ----------
        load
            Returns the content, where it is not there yet.
        """
        self._users[digest] += 1
        try:
            async with self._making.setdefault(digest, asyncio.Lock()):
                if digest not in self._sizes:
                    content = await load()
                    self._sizes[digest] = await asyncio.to_thread(self._write, digest, content)
                self._sizes.move_to_end(digest)
            self._evict()
            yield self.folder / digest
        finally:
            self._users[digest] -= 1
            if not self._users[digest]:
                del self._users[digest]
                self._making.pop(digest, None)
            self._evict()

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _write(self, digest: str, content: ProfileContent) -> int:
        """Write a folder whole; where a call that was given up wrote it meanwhile, it wrote the same."""
        with self.scratch() as draft:
            made = draft / digest
            made.mkdir()
            (made / MANIFEST_FILE).write_text(content.manifest_json, encoding="utf-8")
            for operation, data in content.tables.items():
                (made / table_file(operation)).write_bytes(data)
            try:
                made.rename(self.folder / digest)
            except OSError:
                if not (self.folder / digest).is_dir():
                    raise
        return len(content.manifest_json) + sum(map(len, content.tables.values()))

    def _evict(self) -> None:
        for digest in [digest for digest in self._sizes if digest not in self._users]:
            if sum(self._sizes.values()) <= self._most_bytes:
                return
            del self._sizes[digest]
            shutil.rmtree(self.folder / digest, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of servers that were killed: nobody holds their locks."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
