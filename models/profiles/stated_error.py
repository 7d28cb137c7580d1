"""How well a profile of ours predicts what it did not measure, in one line for a plan."""

from __future__ import annotations

import math

from models.profiles.catalogue import known_profiles
from models.profiles.manifest import Manifest
from models.profiles.store import read_manifest

__all__ = ["measured_source", "stated_errors"]


def stated_errors(manifest: Manifest) -> dict[str, float]:
    """Operation and format → mean leave-one-out error, as the run that measured the profile found it.

    Empty for profiles that were not measured by `fulcrum profile run`, and without what had too few points.
    """
    stated = manifest.details.get("leave_one_out_error")
    if not isinstance(stated, dict):
        return {}
    return {
        str(name): float(error)
        for name, error in sorted(stated.items())
        if isinstance(error, (int, float)) and math.isfinite(error)
    }


def measured_source(gpu_name: str) -> str | None:
    """Where step times on a GPU come from and how far off they may be; None unless they were measured."""
    folder = known_profiles().get(gpu_name)
    if folder is None:
        return None
    manifest = read_manifest(folder)
    if manifest.basis != "measured":
        return None
    errors = stated_errors(manifest)
    found = ", ".join(f"{name} {error:.1%}" for name, error in errors.items()) or "not stated"
    return f"profile {manifest.name} of {manifest.created}; leave-one-out error: {found}"
