"""A large fleet planned by regions: demand is divided, each region planned by itself, the parts put together.

Joint planning takes every workload to every pool. Most of that is never used: a workload lives well in one
region. Deciding that first, roughly, leaves small problems that do not know of each other and are solved side
by side (scope decoupling, as in Meta's MAST, OSDI 2024). What the rough decision got wrong is seen when a
region cannot be planned, and decided again; if that does not help, the fleet is planned as a whole after all.
"""

from __future__ import annotations

from planner.regions.plan import ByRegion, plan_by_region

__all__ = ["ByRegion", "plan_by_region"]
