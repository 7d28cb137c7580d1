"""Where things are: regions and the time between them, links and the KV caches that cross them."""

from __future__ import annotations
