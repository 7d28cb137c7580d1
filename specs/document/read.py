"""A document to a problem: every mistake with its path and line, nothing ignored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.document import Document, read_document
from models.errors import FulcrumError, InvalidInput
from models.graph import Graph
from specs.compiler import compile_problem
from specs.document.convert import INVALID, convert, convert_spec
from specs.document.locate import Mistakes, shown
from specs.document.locate import Path as At
from specs.document.sections import Sections
from specs.policy import Constraint, Goal, Policy
from specs.problem import Problem
from specs.registry import kinds

__all__ = ["KIND", "TOP_KEYS", "AssignmentDocument", "load_problem", "read_problem"]

KIND = "AssignmentProblem"
TOP_KEYS = ("kind", "description", "objects", "containers", "assignment", "may_be_unassigned", "scopes",
            "partitions", "dimensions", "constraints", "goals")  # fmt: skip
_REQUIRED = ("kind", "objects", "containers")


@dataclass(frozen=True, slots=True)
class AssignmentDocument:
    """A problem and the document it was read from."""

    problem: Problem
    document: Document

    def compile(self) -> Graph:
        """The expression graph; a spec that does not fit the problem is reported with its line."""
        try:
            return compile_problem(self.problem)
        except FulcrumError as error:
            mistakes = Mistakes(self.document)
            mistakes.found.append(mistakes.placed(error, ()))
            mistakes.finish()
            raise


def load_problem(path: Path | str) -> AssignmentDocument:
    """Read a document and the files it refers to. Raises InvalidInput."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot read {path.name}: {error.strerror}", source=str(path)) from None
    except UnicodeDecodeError:
        raise InvalidInput("not a text file in UTF-8", source=str(path)) from None
    return read_problem(text, source=str(path), base=path.parent)


def read_problem(
    text: str, *, source: str | None = None, base: Path | None = None, most_entities: int | None = None
) -> AssignmentDocument:
    """Read a YAML or JSON document.

    Parameters
    ----------
    text
        The document.
    source
        Its file name, for messages.
    base
        Folder of the files it refers to; None: it may not refer to files.
    most_entities
        Most objects, and most containers, that ``count`` and ``counts`` may stand for; None is no limit.

    Raises
    ------
    InvalidDocument
        With every mistake found.
    """
    document = read_document(text, source=source)
    return _from_document(document, base, most_entities)


def _from_document(
    document: Document, base: Path | None, most_entities: int | None = None
) -> AssignmentDocument:
    """The problem of a document that has been read. Raises InvalidDocument."""
    mistakes = Mistakes(document)
    value = document.value
    if not isinstance(value, dict):
        raise document.error(f"expected a mapping with kind: {KIND}, got {shown(value)}", ())
    _check_top(value, mistakes)
    sections = Sections(mistakes, base, most_entities)
    objects = sections.entities(value.get("objects"), ("objects",)) if "objects" in value else None
    containers = (
        sections.entities(value.get("containers"), ("containers",)) if "containers" in value else None
    )
    assignment = sections.assignment(value.get("assignment"), ("assignment",))
    may = sections.may_be_unassigned(value.get("may_be_unassigned"), ("may_be_unassigned",))
    scopes = sections.scopes(value.get("scopes"), ("scopes",))
    partitions = sections.partitions(value.get("partitions"), ("partitions",))
    dimensions = sections.dimensions(value.get("dimensions"), ("dimensions",))
    constraints = _constraints(value.get("constraints"), mistakes)
    goals = _goals(value.get("goals"), mistakes)
    mistakes.finish()
    assert objects is not None
    assert containers is not None
    try:
        problem = Problem(
            objects=objects, containers=containers, assignment=assignment, may_be_unassigned=may,
            scopes=scopes, partitions=partitions, dimensions=dimensions, constraints=constraints, goals=goals,
        )  # fmt: skip
    except FulcrumError as error:
        mistakes.found.append(mistakes.placed(error, ()))
        mistakes.finish()
        raise
    return AssignmentDocument(problem, document)


def _check_top(value: dict[str, Any], mistakes: Mistakes) -> None:
    for key in value:
        if key not in TOP_KEYS:
            mistakes.add_unknown("key", key, TOP_KEYS, (key,))
    for key in _REQUIRED:
        if key not in value:
            mistakes.add(f"missing key {key!r}", ())
    if "kind" in value and value["kind"] != KIND:
        mistakes.add_unknown("kind", value["kind"], [KIND], ("kind",))
    if "description" in value:
        convert(value["description"], str, ("description",), mistakes)


def _listed(value: Any, path: At, mistakes: Mistakes) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        mistakes.add(f"expected a list, got {shown(value)}", path)
        return []
    return value


def _entry(value: Any, others: tuple[str, ...], path: At, mistakes: Mistakes, *, limits: bool) -> Any:
    """The spec of ``{kind: {...}, policy: ..., name: ...}``; `INVALID` when there is not exactly one."""
    if not isinstance(value, dict):
        mistakes.add(f"expected one spec, as in capacity: {{...}}, got {shown(value)}", path)
        return INVALID
    specs = [key for key in value if key not in others]
    if len(specs) != 1:
        known = [key for key in specs if key in kinds()]
        for key in specs:
            if key not in kinds():
                mistakes.add_unknown("key", key, [*kinds(), *others] if not known else others, (*path, key))
        if len(known) > 1 or not specs:
            mistakes.add(f"expected exactly one spec, got {', '.join(known) or 'none'}", path)
        return INVALID
    return convert_spec({specs[0]: value[specs[0]]}, path, mistakes, limits_only=limits)


def _constraints(value: Any, mistakes: Mistakes) -> list[Constraint]:
    out = []
    for i, entry in enumerate(_listed(value, ("constraints",), mistakes)):
        path: At = ("constraints", i)
        spec = _entry(entry, ("policy", "name"), path, mistakes, limits=True)
        if not isinstance(entry, dict):
            continue
        policy = _policy(entry["policy"], (*path, "policy"), mistakes) if "policy" in entry else Policy()
        name = convert(entry.get("name"), str | None, (*path, "name"), mistakes)
        if spec is not INVALID and policy is not None and name is not INVALID:
            out.append(Constraint(spec, policy, name))
    return out


def _policy(value: Any, path: At, mistakes: Mistakes) -> Policy | None:
    """``hard``, ``repair``, ``{soft: 10}`` or ``{soft: {weight: 10, tier: 1}}``."""
    made: dict[str, Any] = {}
    if isinstance(value, dict) and len(value) == 1:
        kind, inner = next(iter(value.items()))
        hint = float | dict[str, float]
        given = convert(inner, hint, (*path, kind), mistakes)
        if given is INVALID:
            return None
        made = {"weight": given} if not isinstance(given, dict) else given
        for key in made:
            if key not in ("weight", "tier"):
                mistakes.add_unknown("key", key, ("weight", "tier"), (*path, kind, key))
                return None
        if "tier" in made:
            if made["tier"] != int(made["tier"]):
                mistakes.add(f"expected a whole number, got {made['tier']}", (*path, kind, "tier"))
                return None
            made["tier"] = int(made["tier"])
    elif isinstance(value, str):
        kind = value
        if kind == "soft":
            mistakes.add("the policy soft needs its price: {soft: 10}", path)
            return None
    else:
        mistakes.add(f"expected hard, repair or {{soft: weight}}, got {shown(value)}", path)
        return None
    with mistakes.at(path):
        return Policy(kind=kind, **made)
    return None


def _goals(value: Any, mistakes: Mistakes) -> list[list[Goal]]:
    tiers = []
    for i, tier in enumerate(_listed(value, ("goals",), mistakes)):
        entries: list[tuple[tuple[int, ...], Any]] = [((i,), tier)] if isinstance(tier, dict) else []
        if not isinstance(tier, dict):
            entries = [((i, k), e) for k, e in enumerate(_listed(tier, ("goals", i), mistakes))]
            if not entries:
                mistakes.add("the tier is empty", ("goals", i))
        made = [_goal(entry, ("goals", *at), mistakes) for at, entry in entries]
        tiers.append([goal for goal in made if goal is not None])
    return tiers


def _goal(value: Any, path: At, mistakes: Mistakes) -> Goal | None:
    spec = _entry(value, ("weight", "name"), path, mistakes, limits=False)
    if not isinstance(value, dict):
        return None
    weight = convert(value["weight"], float, (*path, "weight"), mistakes) if "weight" in value else 1.0
    name = convert(value.get("name"), str | None, (*path, "name"), mistakes)
    if spec is INVALID or weight is INVALID or name is INVALID:
        return None
    with mistakes.at(path):
        return Goal(spec, weight, name)
    return None
