"""``python -m benchmarks fuzz-documents``: mutated documents; each an error with its line, or a solve.

Counts what happened to each mutation. Anything else (a traceback, an answer that takes too long, an
unknown key that is not reported, an error without a line) is printed and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from models.document import InvalidDocument
from models.errors import FulcrumError
from specs.document import AssignmentDocument, problem_document, read_problem
from specs.registry import spec_classes

__all__ = ["MUTATIONS", "main", "mutated", "originals", "outcome"]

EXAMPLES = Path(__file__).parents[1] / "examples" / "problems"
_JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 3, -0.5, 1e308, float("nan"), float("inf"), "", "x", "h0", "default", [], {}, [1],
    ["x"], {"x": 1}, [[1, 2], [3]], "yes", "1e3", "é" * 200, {"file": "x.csv", "column": "y"}, 10**30,
)  # fmt: skip

Holder = dict[str, Any] | list[Any]


def originals() -> list[str]:
    """The example documents, and one for the example of every spec."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.yaml"))]
    for cls in spec_classes().values():
        made = problem_document(cls.example().problem)
        texts.append(yaml.safe_dump(made, sort_keys=False, allow_unicode=True))
    return texts


def _places(value: Any) -> list[tuple[Holder, Any]]:
    """Every (mapping or list, key or index) inside of `value`."""
    out: list[tuple[Holder, Any]] = []
    queue = [value]
    for here in queue:
        keys = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
        for key in keys:
            out.append((here, key))
            queue.append(here[key])
    return out


def _junk(rng: random.Random, document: Any) -> Any:
    holder, key = rng.choice(_places(document))
    holder[key] = copy.deepcopy(rng.choice(_JUNK))
    return document


def _drop(rng: random.Random, document: Any) -> Any:
    holder, key = rng.choice(_places(document))
    del holder[key]
    return document


def _misspell(rng: random.Random, document: Any) -> Any:
    mappings = [(h, k) for h, k in _places(document) if isinstance(h, dict)]
    holder, key = rng.choice(mappings)
    assert isinstance(holder, dict)
    at = rng.randrange(len(key) + 1)
    renamed = key[:at] + rng.choice("aeisx_ ") + key[at:]
    entries = [(renamed if k == key else k, v) for k, v in holder.items()]
    holder.clear()
    holder.update(entries)
    return document


def _swap(rng: random.Random, document: Any) -> Any:
    (a, i), (b, j) = rng.choice(_places(document)), rng.choice(_places(document))
    first, second = copy.deepcopy(a[i]), copy.deepcopy(b[j])
    a[i], b[j] = second, first
    return document


def _repeat(rng: random.Random, document: Any) -> Any:
    lists = [h[k] for h, k in _places(document) if isinstance(h[k], list) and h[k]]
    if lists:
        chosen = rng.choice(lists)
        chosen.append(copy.deepcopy(rng.choice(chosen)))
    return document


def _unknown_key(rng: random.Random, document: Any) -> Any:
    mappings = [document, *(h[k] for h, k in _places(document) if isinstance(h[k], dict))]
    rng.choice(mappings)["unheard_of"] = 1
    return document


MUTATIONS: dict[str, Callable[[random.Random, Any], Any]] = {
    "drop": _drop,
    "junk": _junk,
    "misspell": _misspell,
    "repeat": _repeat,
    "swap": _swap,
    "unknown key": _unknown_key,
}


def mutated(rng: random.Random, texts: Sequence[str]) -> tuple[str, str]:
    """(name of the mutation, text): of the values, or of the text itself."""
    text = rng.choice(texts)
    kind = rng.choice([*MUTATIONS, "cut", "letters", "twice"])
    lines = text.splitlines()
    if kind == "cut":
        return kind, text[: rng.randrange(len(text))]
    if kind == "letters":
        at = rng.randrange(len(text))
        return kind, text[:at] + "".join(rng.choices("{}[]:,-#&*!|>'\"%@ \t\n0a", k=3)) + text[at + 1 :]
    if kind == "twice":
        at = rng.randrange(len(lines))
        return kind, "\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])
    document = MUTATIONS[kind](rng, yaml.safe_load(text))
    return kind, yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def outcome(kind: str, text: str) -> tuple[str, AssignmentDocument | None]:
    """``error`` (with a line), ``read``, or what is wrong about the reader; and the document if read."""
    try:
        document = read_problem(text, source="problem.yaml")
        document.compile()
    except FulcrumError as error:
        found = error.violations if isinstance(error, InvalidDocument) else (error,)
        if not all(str(one).startswith("problem.yaml") for one in found):
            return "an error without its file", None
        located = all(one.line is not None for one in found) or not text.strip() or "empty" in str(error)
        return ("error" if located else "an error without a line"), None
    except Exception as error:  # noqa: BLE001 - the very thing to be found
        return f"a traceback: {type(error).__name__}: {error}", None
    return ("an unknown key was ignored" if kind == "unknown key" else "read"), document


def main(arguments: Sequence[str]) -> int:
    """Mutate, read, solve what can be read; print counts as one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fuzz-documents", description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=2.0, help="of each solve")
    given = parser.parse_args(arguments)
    from solvers import SolveOptions, solve

    texts, counts, slowest = originals(), Counter[str](), 0.0
    wrong = 0
    for number in range(given.count):
        kind, text = mutated(random.Random(given.seed * 1_000_003 + number), texts)
        started = time.perf_counter()
        said, document = outcome(kind, text)
        if document is not None and said == "read":
            try:
                said = solve(document.compile(), SolveOptions(time_limit_s=given.time_limit)).status
            except FulcrumError as error:
                said = f"refused by the solver: {type(error).__name__}"
            except Exception as error:  # noqa: BLE001
                said = f"a traceback: {type(error).__name__}: {error}"
        taken = time.perf_counter() - started
        slowest = max(slowest, taken)
        if taken > 10 + 2 * given.time_limit:
            said = "a hang"
        if said.startswith("a"):
            wrong += 1
            print(f"--- mutation {number} ({kind}): {said}\n{text}\n")
        counts[said] += 1
    print(json.dumps({"count": given.count, "wrong": wrong, "slowest_s": round(slowest, 2), **counts}))
    return 1 if wrong else 0
