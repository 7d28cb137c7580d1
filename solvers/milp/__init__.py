"""Exact solving: the graph lowered to rows and columns, solved by a MILP backend, with a proven bound."""
