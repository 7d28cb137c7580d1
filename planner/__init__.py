"""How a fleet plan is made, served, exported and kept."""
