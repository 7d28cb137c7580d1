"""Runs beside engines: fetches what a node is to run, starts and stops it, says how it goes.

`supervisor` turns an assignment into processes, one `slot` an instance, and knows no server; `link` is the
only part that talks to one, in threads of its own, so that engines go on when it is away. `scrape` reads what
an engine says of itself.
"""
