"""``python -m benchmarks NAME …`` runs ``main`` of ``benchmarks/NAME.py``."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from models.errors import UnknownName


def main(arguments: Sequence[str]) -> int:
    """Hand the rest of the command line to the named benchmark."""
    names = sorted(
        m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if not m.ispkg and m.name[0] != "_"
    )
    if not arguments or arguments[0] in ("-h", "--help"):
        print(f"usage: python -m benchmarks {{{','.join(names)}}} …")
        return 0 if arguments else 1
    name = arguments[0].replace("-", "_")
    if name not in names:
        print(UnknownName("benchmark", arguments[0], names), file=sys.stderr)
        return 1
    run: Callable[[Sequence[str]], int] = import_module(f"benchmarks.{name}").main
    return run(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
