"""Quantities on the command line: a rate or a price may come without its unit where only one is meant."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from models.document import parse_rate_per_s
from models.errors import InvalidInput
from planner.starter.document import StarterPool

__all__ = ["read_pool", "read_prices", "read_rate"]

_POOL = re.compile(r"([^:]+)(?::([0-9]{1,6})(?:x([0-9]{1,3}))?)?")
_PRICE = re.compile(r"\$?([0-9]*\.?[0-9]+)(?:/h)?")


def read_rate(text: str) -> str:
    """Return a rate with its unit: ``20`` is per second, as ``--rate`` always is.

    Raises
    ------
    InvalidInput
        It is no rate.
    """
    stated = f"{text}/s" if re.fullmatch(r"[0-9.eE+-]+", text.strip()) else text
    parse_rate_per_s(stated)
    return stated


def read_prices(texts: Sequence[str]) -> dict[str, float]:
    """Read ``GPU=PRICE`` pairs such as ``h100=2.50`` or ``h100=$2.50/h``, prices of one GPU for one hour.

    Raises
    ------
    InvalidInput
        A text is no such pair, or a GPU is priced twice.
    """
    prices: dict[str, float] = {}
    for text in texts:
        name, equals, price = text.partition("=")
        matched = _PRICE.fullmatch(price.strip())
        if not (name and equals and matched and math.isfinite(float(matched[1]))):
            raise InvalidInput(f"expected GPU=PRICE per hour, such as h100=2.50, got {text!r}")
        if name in prices:
            raise InvalidInput(f"{name!r} has two prices")
        prices[name] = float(matched[1])
    return prices


def read_pool(text: str) -> StarterPool:
    """Read ``GPU``, ``GPU:NODES`` or ``GPU:NODESxGPUS``; one node of eight GPUs unless said otherwise.

    Raises
    ------
    InvalidInput
        It is no such text, or counts nothing.
    """
    matched = _POOL.fullmatch(text.strip())
    nodes, per_node = (int(matched[2] or 1), int(matched[3] or 8)) if matched else (0, 0)
    if matched is None or nodes < 1 or per_node < 1:
        raise InvalidInput(f"expected GPU:NODESxGPUS, such as h100:4x8, got {text!r}")
    return StarterPool(
        name=re.sub(r"[^A-Za-z0-9._-]", "-", matched[1]), gpu=matched[1], nodes=nodes, gpus_per_node=per_node
    )
