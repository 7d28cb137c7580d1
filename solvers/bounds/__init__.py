"""Lower bounds for problems too large to solve exactly, so that every answer has a gap."""
