"""One file a revision; the number says the order."""
