"""Specs for what changes cost and how much may change; one file each."""
