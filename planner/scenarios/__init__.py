"""What would be otherwise: a fleet with changes, planned again, and the price of tighter latencies."""

from __future__ import annotations
