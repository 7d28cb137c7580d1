"""One file, one command; see `planner.cli.app` for the convention."""
