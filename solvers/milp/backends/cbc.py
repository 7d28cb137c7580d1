"""CBC, the solver that ships with PuLP."""

from __future__ import annotations

from typing import ClassVar

from solvers.milp.backends.pulp import Pulp

__all__ = ["BACKEND", "Cbc"]


class Cbc(Pulp):
    """Branch and cut by COIN-OR CBC."""

    name: ClassVar[str] = "cbc"


BACKEND = Cbc()
