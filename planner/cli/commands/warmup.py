"""`fulcrum warmup`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["warmup"]


def warmup(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compile the kernels of search, analysis, simulation and sizing now: the first plan need not wait."""
    import time

    from models.serving.analysis.warmup import compile_analysis
    from models.serving.simulation.warmup import compile_simulation
    from planner.sizing.kernel import compile_search
    from solvers.search.jit import cache_directory
    from solvers.search.warmup import compile_kernels

    begin = time.perf_counter()
    compile_kernels()
    compile_analysis()
    compile_simulation()
    compile_search()
    if json_:
        from planner.cli.json_out import echo_json

        echo_json({"seconds": time.perf_counter() - begin, "folder": cache_directory()})
        return
    typer.echo(f"kernels ready in {time.perf_counter() - begin:.1f} s, kept in {cache_directory()}")
