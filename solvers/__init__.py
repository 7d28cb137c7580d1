"""How an expression graph is solved: MILP lowering and backends, search, bounds, explanation."""
