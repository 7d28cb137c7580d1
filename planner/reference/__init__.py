"""The reference pages of the documentation, made from what they describe."""

from planner.reference.commands import command_book
from planner.reference.documents import document_book
from planner.reference.figures import figures_book
from planner.reference.rpcs import descriptors, rpc_book

__all__ = ["command_book", "descriptors", "document_book", "figures_book", "rpc_book"]
