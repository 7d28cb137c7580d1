"""Which examples Hypothesis draws: in `make test` the same ones for the same code, so that a commit is either
green or not. ``FULCRUM_EXPLORE=1`` draws new ones every time (`make explore`)."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile("explore" if os.environ.get("FULCRUM_EXPLORE") else "same")
