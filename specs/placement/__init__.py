"""Specs for which objects may or should be where; one file each."""
