"""Compiled kernels. Only flat arrays go in; every array is passed by itself (a tuple of arrays costs 10×)."""
