"""The first module of a worker process: ``python -m planner.service.leash SERVER_PID BACKEND …``.

It ties the worker's life to its server's before it imports anything that takes long, and then is
`planner.service.worker`. It must stay small: a server killed while its worker is here is noticed at the end.
"""

from __future__ import annotations

import os
import sys

__all__ = ["die_with", "main"]


def die_with(process_id: int) -> None:
    """End when the parent ends, however it ends; at once where it is not process `process_id` any more.

    On Linux the kernel kills this process when its parent dies. It does so for deaths to come only: a parent
    that died between starting this process and that request is known by having been replaced.
    """
    if sys.platform == "linux":
        import ctypes
        import signal

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != process_id:
        os._exit(1)


def main(arguments: list[str]) -> int:
    """Be a worker of the server whose process id comes first."""
    die_with(int(arguments[0]))
    from planner.service.worker import main as work

    return work(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
