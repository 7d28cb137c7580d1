"""Assignment problems as documents: YAML or JSON with ``kind: AssignmentProblem``.

``load_problem(path)`` and ``read_problem(text)`` give an `AssignmentDocument`: the `Problem`, and `compile`,
whose errors point into the document as well. ``problem_document(problem)`` is the way back, and
``assignment_schema()`` the published JSON Schema.
"""

from __future__ import annotations

from specs.document.read import AssignmentDocument, load_problem, read_problem
from specs.document.schema import assignment_schema
from specs.document.write import problem_document

__all__ = ["AssignmentDocument", "assignment_schema", "load_problem", "problem_document", "read_problem"]
