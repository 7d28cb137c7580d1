"""Contents as folders: written once, there as long as they are used, and no more of them than said."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from planner.service.profile_cache import ProfileCache
from planner.store.profiles import ProfileContent

SIZE = 100


class Scene:
    """A cache with room for two contents of 100 bytes; what it asked the store for."""

    def __init__(self, parent, most_bytes: int = 2 * SIZE) -> None:
        self.cache = ProfileCache(most_bytes=most_bytes, parent=parent)
        self.loaded: list[str] = []

    def use(self, digest: str):
        async def load() -> ProfileContent:
            self.loaded.append(digest)
            await asyncio.sleep(0)
            if digest == "gone":
                raise LookupError(digest)
            return ProfileContent("{}", {"gemm": digest.encode().ljust(SIZE - 2)})

        return self.cache.use(digest, load)

    async def once(self, *digests: str) -> None:
        for digest in digests:
            async with self.use(digest) as folder:
                assert (folder / "gemm.parquet").read_bytes().strip() == digest.encode()
                assert (folder / "manifest.json").read_text() == "{}"

    @property
    def kept(self) -> list[str]:
        return sorted(path.name for path in self.cache.folder.iterdir() if path.is_dir())


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.cache.close()


def test_a_content_is_written_once_however_many_want_it(scene) -> None:
    async def main() -> None:
        await asyncio.gather(*(scene.once("a") for _ in range(5)))

    asyncio.run(main())
    assert (scene.loaded, scene.kept) == (["a"], ["a"])


def test_the_least_recently_used_goes_first(scene) -> None:
    asyncio.run(scene.once("a", "b", "a", "c"))
    assert scene.kept == ["a", "c"]
    asyncio.run(scene.once("b"))
    assert scene.kept == ["b", "c"]
    assert scene.loaded == ["a", "b", "c", "b"]


def test_what_is_used_stays_beyond_the_limit_and_goes_when_it_is_not(scene) -> None:
    async def main() -> None:
        async with contextlib.AsyncExitStack() as stack:
            folders = [await stack.enter_async_context(scene.use(digest)) for digest in "abcd"]
            await scene.once("e")
            assert scene.kept == ["a", "b", "c", "d"]  # "e" went at once
            assert all((folder / "gemm.parquet").exists() for folder in folders)

    asyncio.run(main())
    assert len(scene.kept) == 2


def test_one_larger_than_all_there_may_be_is_there_while_it_is_used(tmp_path) -> None:
    scene = Scene(tmp_path, most_bytes=SIZE // 2)
    asyncio.run(scene.once("a"))
    assert scene.kept == []
    scene.cache.close()


def test_what_cannot_be_loaded_leaves_nothing_and_is_asked_for_again(scene) -> None:
    async def main() -> None:
        for _ in range(2):
            with pytest.raises(LookupError):
                await scene.once("gone")

    asyncio.run(main())
    assert scene.loaded == ["gone", "gone"]
    assert scene.kept == []


def test_a_call_that_is_given_up_amid_writing_leaves_no_half_a_folder(scene) -> None:
    async def main() -> None:
        given_up = asyncio.create_task(scene.once("a"))
        while not scene.loaded:
            await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        await scene.once("a")

    asyncio.run(main())
    assert scene.kept == ["a"]


def test_a_folder_ends_with_its_server_and_that_of_a_killed_one_with_the_next(tmp_path) -> None:
    first, second = ProfileCache(parent=tmp_path), ProfileCache(parent=tmp_path)
    assert first.folder.is_dir()
    assert second.folder.is_dir()
    second.close()
    assert not second.folder.exists()
    first._lock.close()  # as the kernel does when a process is killed
    third = ProfileCache(parent=tmp_path)
    assert not first.folder.exists()
    third.close()
    assert list(tmp_path.iterdir()) == []
