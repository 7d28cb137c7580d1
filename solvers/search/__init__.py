"""Search at scale: the expression graph as flat arrays, read by one set of compiled kernels.

Importing this package is cheap; `solvers.search.search` loads Numba when it is called.
"""
