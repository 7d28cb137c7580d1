"""What the entries of the flat tables mean that flattening writes and kernels read.

Plain integers: the kernels take them as compile-time constants.

A model is seven arrays, so that a call of a kernel passes few arguments (each array argument is seven machine
words, and compiling time grows with them):

===  =======  =========================================================================
H    int64    tables of integers and pointers; starts with the header
J    int32    maps: container → item, object → groups, limits of counts, ...
F    float64  constants: weights of objects, limits, numbers of functions
G    float64  prices: what goals and violations cost; changes with the weights of the tiers
A    int32    state: the assignment, then scratch
V    float64  state: usage, cached costs, values of nodes, then scratch
C    int16    state: counts of group members, numbers of non-empty cells
===  =======  =========================================================================

The header has two entries a table: where it starts in its array, and where it ends. Offsets inside tables
count from the start of the table they point into.
"""

from __future__ import annotations

# -- header ------------------------------------------------------------------------------------------------
IN_H = (
    "blocks", "runs", "dynamic", "linear", "groups", "group_term", "row_ptr", "member_ptr", "allow_key",
    "edge_ptr", "nodes", "children", "parents", "leaves", "pointers", "kin_ptr", "kin_member_ptr", "open_ptr",
)  # fmt: skip
IN_J = (
    "item_of", "home", "initial", "may_leave", "dyn_row", "row_of", "member", "group_limit", "allow_count",
    "edge_of", "targets", "pairs", "kin_of", "kin_member", "near_ptr", "near", "open", "open_bits",
)  # fmt: skip
IN_F = (
    "W", "home_w", "upper", "lower", "knots", "dyn_base", "dyn_table", "lin_w", "pair_rate", "distance",
    "pool", "allowance", "leaf_w",
)  # fmt: skip
IN_G = (
    "params", "penalty", "lin_gamma", "move_w", "group_penalty", "group_param", "goal_w", "node_penalty",
)  # fmt: skip
IN_A = ("assignment", "touched", "mark", "n_touched", "pending_at", "parts")
IN_V = ("X", "cost", "value", "old", "saved", "pending", "net")
NAMES = (*IN_H, *IN_J, *IN_F, *IN_G, *IN_A, *IN_V)

(
    AT_BLOCKS, AT_RUNS, AT_DYNAMIC, AT_LINEAR, AT_GROUPS, AT_GROUP_TERM, AT_ROW_PTR, AT_MEMBER_PTR,
    AT_ALLOW_KEY, AT_EDGE_PTR, AT_NODES, AT_CHILDREN, AT_PARENTS, AT_LEAVES, AT_POINTERS, AT_KIN_PTR,
    AT_KIN_MEMBER_PTR, AT_OPEN_PTR,
    AT_ITEM_OF, AT_HOME, AT_INITIAL, AT_MAY_LEAVE, AT_DYN_ROW, AT_ROW_OF, AT_MEMBER, AT_GROUP_LIMIT,
    AT_ALLOW_COUNT, AT_EDGE_OF, AT_TARGETS, AT_PAIRS, AT_KIN_OF, AT_KIN_MEMBER, AT_NEAR_PTR, AT_NEAR,
    AT_OPEN, AT_OPEN_BITS,
    AT_W, AT_HOME_W, AT_UPPER, AT_LOWER, AT_KNOTS, AT_DYN_BASE, AT_DYN_TABLE, AT_LIN_W, AT_PAIR_RATE,
    AT_DISTANCE, AT_POOL, AT_ALLOWANCE, AT_LEAF_W,
    AT_PARAMS, AT_PENALTY, AT_LIN_GAMMA, AT_MOVE_W, AT_GROUP_PENALTY, AT_GROUP_PARAM, AT_GOAL_W,
    AT_NODE_PENALTY,
    AT_ASSIGNMENT, AT_TOUCHED, AT_MARK, AT_N_TOUCHED, AT_PENDING_AT, AT_PARTS,
    AT_X, AT_COST, AT_VALUE, AT_OLD, AT_SAVED, AT_PENDING, AT_NET,
) = range(0, 2 * len(NAMES), 2)  # fmt: skip
N_OBJECTS, N_CONTAINERS, N_NODES = range(2 * len(NAMES), 2 * len(NAMES) + 3)
HEADER = N_NODES + 1

# -- functions of one value ------------------------------------------------------------------------------
LINEAR, POSITIVE_PART, ABSOLUTE, SQUARE, POWER, PRESENCE, CEILING, PIECEWISE, POWER_EXCESS = range(9)
POWER_BITS = 8
"""Powers are read from a table with ``2**POWER_BITS`` mantissas, then corrected by a short series."""
POWER_EXPONENTS = 64
"""Binary exponents in the table of powers: from minus to plus this."""

# -- blocks: the columns over the items of one scope (`blocks`, one row of BLOCK integers each) --------------
BLOCK = 18
(
    B_ITEMS,  # number of items; item index B_ITEMS means "in no item"
    B_COLUMNS,  # uniform, then split, then dynamic columns
    B_SPLIT,  # first split column: its weight differs where the object started
    B_DYNAMIC,  # first dynamic column: its weight depends on the item
    B_X,  # offset of the usage and limit tables (items + 1) × columns
    B_W,  # offset of weights (objects + 1) × columns, away from where the object started
    B_HOME_W,  # offset of weights (objects + 1) × split columns, where the object started
    B_FIRST_DYNAMIC,  # index of the first dynamic weight table
    B_RUN,  # first run
    B_RUN_END,
    B_PARAM,  # offset of the runs' parameters, (items + 1) × B_WIDTH
    B_WIDTH,
    B_NONNEGATIVE,  # whether no item can cost less than zero
    B_COST,  # offset of the cached cost of each item
    B_ITEM_OF,  # offset of container → item (containers + 1)
    B_HOME,  # offset of object → item where it started (objects + 1)
    B_PENALTY,  # offset of the columns' penalty weights
    B_LOWER,  # whether there are lower limits
) = range(18)

# -- runs: terms Σ_s γ_s · f(α_s · x_s + β_s) over neighbouring columns (`runs`, RUN integers each) ----------
RUN = 6
R_KIND, R_COLUMN, R_COUNT, R_PARAM, R_KNOTS, R_CLASS = range(6)
UNIFORM, SPLIT, BY_ITEM = range(3)  # classes of columns

# -- dynamic weights (`dynamic`, DYN integers each) ------------------------------------------------
DYN = 4
D_TABLE, D_ITEMS, D_HOME_FACTOR, D_AWAY_FACTOR = range(4)

# -- linear costs γ_s · w_o (`linear`, LIN integers each) ------------------------------------------
LIN = 6
L_ITEM_OF, L_HOME, L_KIND, L_WEIGHT, L_GAMMA, L_DYNAMIC = range(LIN)
LIN_UNIFORM, LIN_SPLIT, LIN_DYNAMIC = range(3)

# -- group counts (`groups`, GROUP integers each) --------------------------------------------------
GROUP = 18
(
    G_ITEM_OF,  # offset of container → item
    G_ITEMS,
    G_TABLE,  # offset of the counts rows × items; -1: counted by going through the members
    G_ROWS_OF,  # offset of object → rows pointers
    G_LIMIT,  # offset of limits; -1: none
    G_LIMIT_ROW,  # strides of the limits
    G_LIMIT_COLUMN,
    G_ALLOW,  # first allowance
    G_ALLOW_END,
    G_TERM,  # first term
    G_TERM_END,
    G_MEMBERS,  # offset of row → objects pointers
    G_ROWS,
    G_PENALTY,  # offset of the penalty weights of limit, least number of items, and dependency
    G_DISTINCT,  # offset of the number of items each row is on; -1: not kept
    G_LEAST,  # offset of the least number of items of each row; -1: none
    G_NEEDS,  # offset of row → rows it needs, pointers; -1: none
    G_NEEDED,  # offset of row → rows that need it, pointers
) = range(18)

GTERM = 5
GT_KIND, GT_PARAM, GT_ROW, GT_COLUMN, GT_KNOTS = range(5)

# -- everything else: nodes with one value per element (`nodes`, NODE integers each) ---------------
NODE = 14
(
    N_KIND,
    N_OFFSET,  # of its elements
    N_SIZE,
    N_CHILD,  # first child record
    N_CHILD_END,
    N_PARENT,  # first parent record
    N_PARENT_END,
    N_KNOTS,
    N_GOAL,  # offset of goal weights of the elements; -1: none
    N_LIMIT,  # offset of allowances and penalties; -1: none
    N_MEMBERS,  # reductions: offset of target → sources pointers; -1: all; -2: rows; -3: columns
    N_COLUMNS,  # reductions: number of columns of the source
    N_K,
    N_CONSTANT,  # affine: offset of the constant's record
) = range(14)

# kinds of nodes beyond the functions above
K_LEAF, K_FIXED, K_AFFINE, K_MAXIMUM, K_MINIMUM, K_PRODUCT, K_TOTAL, K_PEAK, K_KTH, K_LARGEST = range(20, 30)

CHILD = 5
C_NODE, C_COEFFICIENT, C_ROW, C_COLUMN, C_COLUMNS = range(5)

PARENT = 4
P_NODE, P_ONTO, P_MAP, P_COLUMNS = range(4)
ONTO_SAME, ONTO_ALL, ONTO_ROWS, ONTO_COLUMNS, ONTO_MAP = range(5)

LEAF = 12
(
    F_NODE,
    F_TYPE,
    F_SCOPE,  # offset of container → items pointers
    F_PARTITION,  # offset of object → groups pointers
    F_WEIGHT,  # offset of weights objects × components; -1: dynamic
    F_COMPONENTS,
    F_DYNAMIC,
    F_COUNTED,
    F_ITEMS,
    F_PAIRS,  # offset of object → pairs pointers
    F_DISTANCE,
    F_ITEM_OF,
) = range(12)
LEAF_USAGE, LEAF_GROUP, LEAF_ROWS, LEAF_PAIR = range(4)
AFTER, STAYED, NEW = range(3)

# -- move types and what happened to them (`counts`, one row of OUTCOMES each) ---------------------
MOVES = 13
SHIFT, HOME, SWAP, SIMILAR, CHAIN, BEST, JOIN, RETURN, CYCLE, CARRY, GATHER, TRADE, ROOM = range(MOVES)
OUTCOMES = 3
TRIED, PRICED, ACCEPTED = range(OUTCOMES)

# -- shapes of moves: o: a → b; and p: b → a; or p: b → c; or whatever the parts say
ONE, TWO, THREE, MANY = range(4)
MAX_PARTS = 24
"""Most objects that one move may carry."""
ROOM_WORK = 10
"""As many more proposals one counts that looks who leaves for an object: it takes about as long."""
BATCH = 16
"""Proposals of one kind that are drawn together."""
LIST_EVERY = 8
"""Proposals for each object between two listings of who is where."""
CACHED = 1 << 16
"""Constants up to which all of them stay in the processor's caches, and nothing is asked for beforehand."""
THRESHOLD_BITS = 9
"""Thresholds of acceptance are read from a table with ``2**THRESHOLD_BITS`` mantissas, which stays cached."""
TOUCH = 5
"""Integers kept for a touched item: block, item, who leaves, who enters, where its usage was saved."""

# -- what may be broken at a price, as bits of `mode` ------------------------------------------------------
FREE_COLUMNS, FREE_GROUPS, FREE_NODES = 1, 2, 4
INTACT = 8
"""No limit of a column is exceeded, so any excess is a new one."""
FREE = FREE_COLUMNS | FREE_GROUPS | FREE_NODES
