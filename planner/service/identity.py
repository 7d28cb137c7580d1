"""Who calls: set for each RPC by the interceptor, read by the services."""

from __future__ import annotations

import contextvars
import enum
from dataclasses import dataclass

__all__ = ["LOCAL", "NOBODY", "Caller", "Role", "caller", "current_tenant"]


class Role(enum.StrEnum):
    """What a caller may do. Of viewer, planner and operator each may do what the one before may; an engine
    may only do what engines do, and so may an operator.
    """

    VIEWER = "viewer"
    """Read plans and operations."""
    PLANNER = "planner"
    """Make and cancel plans."""
    OPERATOR = "operator"
    """Register fleets, promote plans and roll back."""
    ENGINE = "engine"
    """Register engines, follow what they are to run, acknowledge steps, report load."""

    def includes(self, other: Role) -> bool:
        """True when this role may do what `other` may."""
        if Role.ENGINE in (self, other):
            return self in (other, Role.OPERATOR)
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Name for the log, tenant whose plans the caller sees, and role."""

    name: str
    tenant: str
    role: Role


LOCAL = Caller(name="local", tenant="default", role=Role.OPERATOR)
"""Everyone, where the server asks for no credentials."""

NOBODY = Caller(name="-", tenant="", role=Role.VIEWER)
"""Before a caller is known; no plan has the empty tenant."""

caller: contextvars.ContextVar[Caller] = contextvars.ContextVar("caller", default=NOBODY)


def current_tenant() -> str:
    """Tenant of the RPC being answered."""
    return caller.get().tenant
