"""The documentation site builds, strictly: every link leads somewhere, the references are on it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(folder),
    ]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.mark.slow
def test_references_are_made_from_the_code(site):
    from planner.cli.app import build_app
    from specs.registry import spec_classes

    commands = (site / "reference" / "commands.html").read_text()
    for info in build_app().registered_commands:
        assert f"fulcrum {info.name}" in commands
    specs = (site / "specs.html").read_text()
    assert all(kind in specs for kind in spec_classes())
    assert "price_per_gpu_hour" in (site / "reference" / "fleet.html").read_text()
    assert "WatchPlan" in (site / "reference" / "grpc.html").read_text()


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"?(https?://[^\s\">]+)", page.read_text()
        )
        assert [url for url in loaded if not url.startswith("https://example")] == [], page.name


@pytest.mark.slow
def test_figures_are_those_of_the_result_files(site):
    text = (site / "benchmarks.html").read_text()
    for result in (ROOT / "benchmarks" / "results").glob("*.json"):
        assert f'id="{result.stem.lower()}"' in text
