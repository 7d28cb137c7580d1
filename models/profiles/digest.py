"""What a profile is, as one number."""

from __future__ import annotations

import hashlib
import json

from models.profiles.manifest import Manifest

__all__ = ["profile_digest"]


def profile_digest(manifest: Manifest) -> str:
    """SHA-256 of a profile's content, in hexadecimal.

    Of the manifest as compact JSON with sorted keys. It holds the checksum of every table, so that profiles
    of one digest price alike; where the files are called otherwise, it is the same.
    """
    content = manifest.to_json()
    for entry in content["tables"].values():
        del entry["file"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
