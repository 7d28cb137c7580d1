"""A plan as one self-contained HTML page: no script, no network, readable on a phone and on paper."""

from __future__ import annotations

from planner.report.page.page import plan_page

__all__ = ["plan_page"]
