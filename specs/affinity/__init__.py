"""Specs for which objects and places fit together; one file each."""
