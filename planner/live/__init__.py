"""Read-only pages for the plans in the store, over HTTP: ``fulcrum serve --http ADDRESS``.

Needs the extra ``http`` (aiohttp). `planner.live.server` listens, `views` answers, `login` knows who asks.
"""

from __future__ import annotations
