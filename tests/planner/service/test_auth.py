from __future__ import annotations

import datetime
import hashlib

import pytest

from models.errors import InvalidInput
from planner.service.auth import Token, TokenAuthenticator, read_tokens
from planner.service.errors import StatusError
from planner.service.identity import Caller, Role


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()


def test_a_token_expires_when_it_says():
    day = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    caller = Caller(name="x", tenant="t", role=Role.VIEWER)
    token = Token(caller=caller, sha256=digest("secret"), expires=day)
    metadata = [("authorization", "Bearer secret")]

    before = TokenAuthenticator([token], now=lambda: day - datetime.timedelta(microseconds=1))
    assert before.authenticate(metadata) == caller
    with pytest.raises(StatusError):
        TokenAuthenticator([token], now=lambda: day).authenticate(metadata)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tokens: []", "tokens"),
        ("tokens: [{name: a, role: king, sha256: 0}]", "role"),
        (f"tokens: [{{name: a, role: viewer, sha256: {'A' * 64}}}]", "sha256"),
        (f"tokens: [{{name: a, role: viewer, sha256: {'0' * 64}x, token: plain}}]", "token"),
    ],
)
def test_a_bad_token_file_is_refused(tmp_path, text, problem):
    path = tmp_path / "tokens.yaml"
    path.write_text(text)

    with pytest.raises(InvalidInput, match=problem):
        read_tokens(path)


def test_two_holders_of_one_token_are_refused(tmp_path):
    path = tmp_path / "tokens.yaml"
    entry = f"{{name: a, role: viewer, sha256: '{digest('x')}'}}"
    path.write_text(f"tokens: [{entry}, {entry}]")

    with pytest.raises(InvalidInput, match="one holder"):
        read_tokens(path)


@pytest.mark.parametrize(
    ("role", "viewer", "planner"), [(Role.VIEWER, True, False), (Role.PLANNER, True, True)]
)
def test_a_role_includes_the_ones_before_it(role, viewer, planner):
    assert role.includes(Role.VIEWER) is viewer
    assert role.includes(Role.PLANNER) is planner
