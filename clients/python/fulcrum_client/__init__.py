"""Thin client for the Fulcrum planning service."""

from __future__ import annotations

from fulcrum_client.client import Client
from fulcrum_client.contract import messages
from fulcrum_client.engine import Engine

__all__ = ["Client", "Engine", "messages"]
