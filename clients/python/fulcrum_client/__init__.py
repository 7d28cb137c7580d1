"""Thin client for the Fulcrum planning service."""

from __future__ import annotations

from fulcrum_client.client import Client
from fulcrum_client.contract import messages

__all__ = ["Client", "messages"]
