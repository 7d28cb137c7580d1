"""Addresses inside words: found, replaced, and never made by a name."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from planner.export.shared.words import address, addresses, with_addresses

TEXT = st.text(st.characters(exclude_characters="\ue000\ue001"))


@given(before=TEXT, node=TEXT, after=TEXT)
def test_only_the_address_is_replaced(before: str, node: str, after: str) -> None:
    word = f"{before}{address(node)}{after}"
    assert addresses(word) == [node]
    assert with_addresses(word, lambda n: f"<{n}>", lambda t: t) == f"{before}<{node}>{after}"


@given(TEXT)
def test_text_between_addresses_survives_a_shell(text: str) -> None:
    word = with_addresses(f"{text}{address('n')}", lambda _: "HOST", shlex.quote)
    assert shlex.split(word) == [f"{text}HOST"]


def test_a_name_cannot_forge_an_address() -> None:
    with pytest.raises(InvalidInput, match="private-use"):
        address(address("n"))
