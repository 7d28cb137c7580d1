"""The closed set of operations, one concept a file."""

from models.graph.ops.affine import Affine, Constant
from models.graph.ops.base import Bounds, Curvature, LeafOp, Op
from models.graph.ops.before import Before
from models.graph.ops.nary import Maximum, Minimum, PresenceProduct
from models.graph.ops.pair_cost import PairCost
from models.graph.ops.reduce import ALL, COLUMNS, ROWS, KthLargest, LargestSum, Onto, Peak, Total
from models.graph.ops.unary import Absolute, Ceiling, PiecewiseLinear, PositivePart, Power, Presence, Square
from models.graph.ops.usage import GroupUsage, Usage

__all__ = [
    "ALL",
    "COLUMNS",
    "ROWS",
    "Absolute",
    "Affine",
    "Before",
    "Bounds",
    "Ceiling",
    "Constant",
    "Curvature",
    "GroupUsage",
    "KthLargest",
    "LargestSum",
    "LeafOp",
    "Maximum",
    "Minimum",
    "Onto",
    "Op",
    "PairCost",
    "Peak",
    "PiecewiseLinear",
    "PositivePart",
    "Power",
    "Presence",
    "PresenceProduct",
    "Square",
    "Total",
    "Usage",
]
