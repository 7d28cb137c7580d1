"""The documentation is true: the tutorial's commands are run as they stand; those of every page exist."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

from planner.cli.app import build_app, run
from planner.fleet import read_fleet

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")]

FIGURES = os.environ.get("FULCRUM_CHECK_FIGURES", "0") != "0"
"""Also compare what the tutorial quotes, line by line: for releases, as figures change with the models."""

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    return [(match[1], match[2]) for match in BLOCK.finditer(page.read_text())]


def commands(page):
    """Arguments and stated exit code of every ``$ fulcrum …`` in the page's console blocks."""
    return [found for language, text in blocks(page) if language == "console" for found in _commands_in(text)]


def _commands_in(text):
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ fulcrum "):
            stated = re.search(r"# exit code (\d+)", line)
            words = shlex.split(line.removeprefix("$ fulcrum "), comments=True)
            yield words, int(stated[1]) if stated else 0


def _quoted(text):
    return [line for line in _lines(text) if line not in {"", "…"} and not line.startswith("$ ")]


def _lines(text):
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines()]


@pytest.mark.slow
def test_tutorial_from_its_first_command_to_its_last(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples" / "tutorial", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "118")
    done: list[str] = []
    stale: list[str] = []
    for language, text in blocks(TUTORIAL):
        named = re.match(r"# (\S+\.yaml)\n", text)
        if language == "yaml" and named:
            (tmp_path / named[1]).write_text(text)
        if language != "console":
            continue
        answers = ""
        for words, stated in _commands_in(text):
            code = run(words)
            printed = capsys.readouterr()
            answers += printed.out + printed.err
            assert code == stated, f"fulcrum {shlex.join(words)}\n{printed.out}{printed.err}"
            assert printed.out.strip() or printed.err.strip()
            if "--out" in words:
                assert (tmp_path / words[words.index("--out") + 1]).stat().st_size > 0
            done.append(words[0])
        if FIGURES and done[-1] != "doctor":  # what doctor says is about the machine
            stale += [line for line in _quoted(text) if line not in _lines(answers)]
    assert stale == [], "docs/tutorial.md quotes what is printed no more"
    steps = ["doctor", "capacity", "init", "plan", "report", "export", "what-if", "plan", "diff", "plan"]
    assert done == steps


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_options_on_the_page_exist(page):
    for words, _ in commands(page):
        own = list(itertools.takewhile(lambda word: word not in {"|", ">", "&"}, words))
        _parse(typer.main.get_command(build_app()), own)


def _parse(command, words):
    # Parsing stops before the command runs: a misspelt command or option raises a usage error here.
    while hasattr(command, "commands"):
        assert words[:1], "the name of a command is missing"
        assert words[0] in command.commands
        command, words = command.commands[words[0]], words[1:]
    command.make_context("fulcrum", list(words))


def test_a_misspelt_option_would_be_found():
    with pytest.raises(typer.BadParameter.__mro__[2], match="--explian"):
        _parse(typer.main.get_command(build_app()), ["plan", "fleet.yaml", "--explian"])


def test_the_fleet_document_of_the_readme_is_valid():
    whole = [text for language, text in blocks(ROOT / "README.md") if language == "yaml" and "fleet:" in text]
    assert whole
    for text in whole:
        assert read_fleet(text, source="README.md", base_dir=ROOT / "examples" / "tutorial").workloads


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_files_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", BLOCK.sub("", page.read_text()))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []
