"""Cases of ``python -m benchmarks planner``, one file a case."""
