"""Mutated documents: an error with its line, or a problem; never a traceback or an ignored key.

The 2,000 of the release, with solving, are ``python -m benchmarks fuzz-documents``.
"""

from __future__ import annotations

import random

import pytest

from benchmarks.fuzz_documents import mutated, originals, outcome


@pytest.fixture(scope="module")
def texts():
    return originals()


def test_originals_are_read(texts):
    assert {outcome("none", text)[0] for text in texts} == {"read"}


@pytest.mark.parametrize("block", range(8))
def test_mutated_documents(block, texts):
    for number in range(40):
        kind, text = mutated(random.Random(block * 1000 + number), texts)
        said, _ = outcome(kind, text)
        assert said in ("error", "read"), f"{kind}: {said}\n{text}"
