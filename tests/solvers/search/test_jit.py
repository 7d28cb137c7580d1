"""Where compiled kernels are kept."""

import pytest

from solvers.search import jit


@pytest.fixture(autouse=True)
def forget():
    jit.cache_directory.cache_clear()
    yield
    jit.cache_directory.cache_clear()


def test_the_chosen_directory_is_keyed_by_the_sources(tmp_path, monkeypatch):
    monkeypatch.setenv("FULCRUM_CACHE_DIR", str(tmp_path))
    found = jit.cache_directory()
    assert found.parent == tmp_path
    jit.cache_directory.cache_clear()
    monkeypatch.setattr(jit, "_sources_hash", lambda: "other")
    assert jit.cache_directory() == tmp_path / "kernels-other"
    assert found != tmp_path / "kernels-other"


def test_a_directory_that_cannot_be_written_is_passed_over(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("FULCRUM_CACHE_DIR", str(blocked))
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    found = jit.cache_directory()
    assert blocked not in found.parents
