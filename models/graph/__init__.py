"""The expression graph: what a problem means, whoever solves it."""

from models.graph.axis import SCALAR, AnyAxis, Axis, ProductAxis
from models.graph.cells import Cells, Value
from models.graph.evaluate import FEASIBILITY_TOLERANCE, ConstraintValue, Evaluation, Evaluator, evaluate
from models.graph.graph import HARD, REPORT, Constraint, Graph, GraphBuilder, Node, Term, Tier
from models.graph.space import UNASSIGNED, AssignmentSpace, Partition, Scope
from models.graph.weights import DynamicWeights, StaticWeights, Weights

__all__ = [
    "FEASIBILITY_TOLERANCE",
    "HARD",
    "REPORT",
    "SCALAR",
    "UNASSIGNED",
    "AnyAxis",
    "AssignmentSpace",
    "Axis",
    "Cells",
    "Constraint",
    "ConstraintValue",
    "DynamicWeights",
    "Evaluation",
    "Evaluator",
    "Graph",
    "GraphBuilder",
    "Node",
    "Partition",
    "ProductAxis",
    "Scope",
    "StaticWeights",
    "Term",
    "Tier",
    "Value",
    "Weights",
    "evaluate",
]
