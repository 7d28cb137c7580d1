"""How a GPU is measured."""
