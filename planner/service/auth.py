"""Bearer tokens: who a caller is, from ``authorization: Bearer TOKEN`` in the metadata.

The server knows only SHA-256 digests, from a YAML file::

    tokens:
      - {name: ci, tenant: search, role: planner, sha256: 9f86d0…, expires: 2027-01-31}

A token is compared by its digest, so neither the file, nor the log, nor a timing tells it. Make one with
``openssl rand -hex 32`` and its digest with ``printf %s TOKEN | sha256sum``: tokens are random, never chosen.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from models.errors import InvalidInput
from planner.service.errors import StatusError, failure
from planner.service.identity import LOCAL, Caller, Role
from planner.service.protos import code_pb2

__all__ = ["AllowAll", "Authenticator", "Token", "TokenAuthenticator", "read_tokens"]

_Metadata = Sequence[tuple[str, str | bytes]] | None


class Authenticator(Protocol):
    """Tells callers apart."""

    def authenticate(self, metadata: _Metadata) -> Caller:
        """The caller, or StatusError UNAUTHENTICATED."""
        ...


class AllowAll:
    """For servers that only this machine can reach."""

    def authenticate(self, metadata: _Metadata) -> Caller:
        """Everyone is the local caller."""
        return LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential; valid before `expires`, if that is given."""

    caller: Caller
    sha256: str
    expires: datetime.datetime | None = None


class TokenAuthenticator:
    """Callers by bearer token."""

    def __init__(
        self,
        tokens: Sequence[Token],
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self._tokens = {token.sha256: token for token in tokens}
        self._now = now

    def authenticate(self, metadata: _Metadata) -> Caller:
        """The caller whose token was sent; the message never says which of several things is wrong with
        it.
        """
        sent = [value for key, value in metadata or () if key == "authorization"]
        if not sent:
            raise _refused("no credential; send the metadata `authorization: Bearer TOKEN`")
        if len(sent) > 1 or not isinstance(sent[0], str) or not sent[0].startswith("Bearer "):
            raise _refused("the metadata `authorization` must be one `Bearer TOKEN`")
        digest = hashlib.sha256(sent[0].removeprefix("Bearer ").strip().encode()).hexdigest()
        found = self.holder(digest)
        if found is None:
            raise _refused("the token is not known, or has expired")
        return found

    def holder(self, sha256: str) -> Caller | None:
        """The caller whose token has that digest, while the token is valid."""
        token = self._tokens.get(sha256)
        if token is None or (token.expires is not None and self._now() >= token.expires):
            return None
        return token.caller


def read_tokens(path: Path) -> list[Token]:
    """The tokens in a file; raises InvalidInput listing every mistake."""
    from pydantic import BaseModel, ConfigDict, Field

    from models.document import read_document, validate

    class TokenEntry(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        name: str = Field(min_length=1, max_length=63)
        tenant: str = Field(default="default", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
        role: Role
        sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
        expires: datetime.date | None = None

    class TokensEntry(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        tokens: list[TokenEntry] = Field(min_length=1)

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the tokens: {error}", source=str(path)) from None
    entries: Any = validate(read_document(text, source=str(path)), TokensEntry)
    tokens = [
        Token(
            caller=Caller(name=entry.name, tenant=entry.tenant, role=entry.role),
            sha256=entry.sha256,
            expires=None
            if entry.expires is None
            else datetime.datetime.combine(entry.expires, datetime.time(), datetime.UTC),
        )
        for entry in entries.tokens
    ]
    if len({token.sha256 for token in tokens}) < len(tokens):
        raise InvalidInput("two entries have the same sha256; each token has one holder", source=str(path))
    return tokens


def _refused(message: str) -> StatusError:
    return failure(code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED", message)
