"""What people say: entities, constraints, goals, and the documents that carry them."""
