"""Tasks that the tests of executors hand out: functions of a module, as workers want them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from models.errors import UnknownName


def square(number, context):
    return number * number


def slow_square(number, context):
    """The later, the sooner done: results must not come in the order of their ends."""
    time.sleep(0.2 / (1 + number))
    return number * number


def process_id(_, context):
    return os.getpid()


def count_up(steps, context):
    for step in range(steps):
        context.report(step)
    return steps


def fail_at(number, context):
    if number == 1:
        raise UnknownName("pool", "h10", ["h100"])
    if number == 2:
        return {}["missing"]
    return number


def wait_until_cancelled(seconds, context):
    """Returns how it ended."""
    context.report("waiting")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if context.is_cancelled():
            return "told to stop"
        time.sleep(0.01)
    return "waited"


def sleep(seconds, context):
    context.report("asleep")
    time.sleep(seconds)
    return seconds


def fill(size, context):
    return int(np.ones(size, np.uint8).sum())


def die_once(marker, context):
    """Kills its worker the first time, by the file that it leaves."""
    if Path(marker).exists():
        return "survived"
    Path(marker).touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return None


def die(_, context):
    os.kill(os.getpid(), signal.SIGKILL)


def lambda_result(_, context):
    return lambda: None
