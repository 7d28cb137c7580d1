"""The analysis under load, compiled: capacities of large candidate tables."""
