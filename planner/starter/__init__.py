"""A first fleet document, from a few facts or from what Kubernetes says of its nodes."""

from __future__ import annotations

from planner.starter.document import StarterPool, starter_document
from planner.starter.kubernetes import pools_of_nodes

__all__ = ["StarterPool", "pools_of_nodes", "starter_document"]
