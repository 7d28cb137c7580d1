"""How strictly a constraint binds, and how much a goal counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.errors import InvalidInput, UnknownName
from specs.spec import LimitSpec, Spec

__all__ = ["HARD", "REPAIR", "Constraint", "Goal", "Policy", "soft"]


def _weight(weight: float, what: str) -> None:
    if not (math.isfinite(weight) and weight >= 0):
        raise InvalidInput(f"the weight of a {what} is a finite number of at least 0, got {weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What happens where a constraint does not hold.

    Parameters
    ----------
    kind
        ``hard``: it must hold in the answer, whatever holds at the start.
        ``repair``: element by element, what holds at the start goes on holding; what is broken at the start
        may not get worse, and repairing it (the sum of what is beyond the limits) is the first goal of all.
        ``soft``: it may be broken; ``weight ×`` the sum of what is beyond the limits is a goal of tier
        `tier`.
    weight
        Price of one unit beyond the limit, in the constraint's own unit; at least 0. Not for ``hard``.
    tier
        For ``soft``: index of the goal tier that carries the price, 0 is the first.
    """

    kind: str = "repair"
    weight: float = 1.0
    tier: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("hard", "repair", "soft"):
            raise UnknownName("policy", self.kind, ("hard", "repair", "soft"))
        _weight(self.weight, "policy")
        if self.tier < 0:
            raise InvalidInput(f"the tier of a policy is 0 or more, got {self.tier}")
        if self.kind != "soft" and self.tier:
            raise InvalidInput(f"policy {self.kind!r} takes no tier")
        if self.kind == "hard" and self.weight != 1.0:
            raise InvalidInput("policy 'hard' takes no weight: it is never broken")


HARD = Policy(kind="hard")
REPAIR = Policy(kind="repair")


def soft(weight: float, *, tier: int = 0) -> Policy:
    """Policy that prices every unit beyond the limit at `weight` in goal tier `tier`."""
    return Policy(kind="soft", weight=weight, tier=tier)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A spec that limits, with its policy and, when given, the name it has in results."""

    spec: LimitSpec
    policy: Policy = REPAIR
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.spec, LimitSpec):
            raise InvalidInput(
                f"{getattr(type(self.spec), '__name__', self.spec)} states a goal, not a limit; "
                "list it under goals"
            )


@dataclass(frozen=True, slots=True)
class Goal:
    """``weight ×`` a spec inside a tier and, when given, the name it has in results."""

    spec: Spec
    weight: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.spec, Spec):
            raise InvalidInput(f"a goal needs a spec, got {self.spec!r}")
        _weight(self.weight, "goal")
