"""Specs that limit what is in a place or how a group is laid out; one file each."""
