"""Large-neighbourhood search: a part of the problem is freed and solved exactly on the same graph."""
