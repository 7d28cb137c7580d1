"""Measurements of the planner, the solvers and the predictions; `python -m benchmarks NAME`."""
