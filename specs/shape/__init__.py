"""Specs for how load is shaped over places; one file each."""
