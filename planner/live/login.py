"""Who asks: a bearer token in a header, or the cookie a browser got for its token.

A browser sends its token once, by the form; the answer sets a cookie ``expiry.digest.signature``. The digest
is the token's SHA-256, which is what the server knows of it; the signature is an HMAC under a key that each
server makes at its start. So a cookie gives no token away, and ends with the token, with the server, or
after `SESSION_S`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from planner.service.auth import TokenAuthenticator
from planner.service.errors import StatusError
from planner.service.identity import LOCAL, Caller

__all__ = ["SESSION_S", "Login"]

SESSION_S = 12 * 3600
"""How long a browser stays logged in."""


class Login:
    """Tells callers apart.

    Parameters
    ----------
    tokens
        Those the server knows; None: everyone is the local caller.
    now_s
        Seconds since the epoch.
    """

    def __init__(self, tokens: TokenAuthenticator | None, now_s: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._key = secrets.token_bytes(32)
        self._now_s = now_s

    @property
    def needed(self) -> bool:
        """Whether anyone must say who they are."""
        return self._tokens is not None

    def caller(self, authorization: str | None, cookie: str | None) -> Caller | None:
        """The caller with that header or, without one, that cookie; None: log in first."""
        if self._tokens is None:
            return LOCAL
        if authorization is not None:
            try:
                return self._tokens.authenticate([("authorization", authorization)])
            except StatusError:
                return None
        digest = None if cookie is None else self._digest(cookie)
        return None if digest is None else self._tokens.holder(digest)

    def cookie(self, token: str) -> str | None:
        """The cookie for a token; None where it is not one."""
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        if self._tokens is None or self._tokens.holder(digest) is None:
            return None
        signed = f"{round(self._now_s()) + SESSION_S}.{digest}"
        return f"{signed}.{self._signature(signed)}"

    def _digest(self, cookie: str) -> str | None:
        """The digest in a cookie that we signed and that is not over."""
        signed, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        expiry, _, digest = signed.partition(".")
        return digest if int(expiry) > self._now_s() else None

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
