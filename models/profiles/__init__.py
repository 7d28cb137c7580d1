"""Profiles: measured latency tables of one GPU, with where every number comes from.

A profile is a folder: ``manifest.json`` and one Parquet file per operation. `schema` says which columns
an operation has, `store` writes and reads folders, `interpolate` answers for points nobody measured,
`accuracy` says how well it does. Modules are imported by name; this package imports none of them, so that
it costs nothing.
"""
