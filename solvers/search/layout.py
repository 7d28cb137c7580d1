"""What the columns of the integer tables mean that flattening writes and kernels read.

Plain integers: the kernels take them as compile-time constants.
"""

from __future__ import annotations

# -- functions of one value ------------------------------------------------------------------------------
LINEAR, POSITIVE_PART, ABSOLUTE, SQUARE, POWER, PRESENCE, CEILING, PIECEWISE, POWER_EXCESS = range(9)

# -- blocks: the columns over the items of one scope (`blocks`, one row of BLOCK integers each) --------------
BLOCK = 16
(
    B_ITEMS,  # number of items; item index B_ITEMS means "in no item"
    B_COLUMNS,  # uniform, then split, then dynamic columns
    B_SPLIT,  # first split column: its weight differs where the object started
    B_DYNAMIC,  # first dynamic column: its weight depends on the item
    B_X,  # offset of the usage and limit tables (items + 1) × columns
    B_W,  # offset of weights (objects + 1) × columns, away from where the object started
    B_HOME_W,  # offset of weights (objects + 1) × split columns, where the object started
    B_FIRST_DYNAMIC,  # index of the first dynamic weight table
    B_TERM,  # first term
    B_TERM_END,
    B_PARAM,  # offset of term parameters (items + 1) × terms × 3
    B_NONNEGATIVE,  # whether no item can cost less than zero
    B_COST,  # offset of the cached cost of each item
    B_ITEM_OF,  # offset of container → item (containers + 1)
    B_HOME,  # offset of object → item where it started (objects + 1)
    B_PENALTY,  # offset of the columns' penalty weights
) = range(16)

# -- terms Σ_s γ_s · f(α_s · x_s + β_s) over one column (`terms`, TERM integers each) ------------------------
TERM = 3
T_COLUMN, T_KIND, T_KNOTS = range(3)

# -- dynamic weights (`dynamic`, DYN integers each) ------------------------------------------------
DYN = 4
D_TABLE, D_ITEMS, D_HOME_FACTOR, D_AWAY_FACTOR = range(4)

# -- linear costs γ_s · w_o (`linear`, LIN integers each) ------------------------------------------
LIN = 6
L_ITEM_OF, L_HOME, L_KIND, L_WEIGHT, L_GAMMA, L_DYNAMIC = range(LIN)
LIN_UNIFORM, LIN_SPLIT, LIN_DYNAMIC = range(3)

# -- group counts (`groups`, GROUP integers each) --------------------------------------------------
GROUP = 14
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
    G_PENALTY,  # offset of the penalty weight; see `group_penalty`
) = range(14)

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
MOVES = 6
SHIFT, HOME, SWAP, SIMILAR, CHAIN, BEST = range(6)
OUTCOMES = 3
TRIED, PRICED, ACCEPTED = range(OUTCOMES)

# -- shapes of moves, as `try_move` takes them
ONE, TWO, THREE = range(3)  # o: a → b; and p: b → a; or p: b → c
