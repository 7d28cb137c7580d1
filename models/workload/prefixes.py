"""Which prompts of a workload begin alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["PrefixBlocks"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrefixBlocks:
    """Which prompts begin alike, as names of their blocks.

    Parameters
    ----------
    tokens
        Tokens of a block.
    first, names
        int64[n + 1] and int64[total]: request i has the blocks ``names[first[i] : first[i + 1]]``. Prompts
        that share a name are equal up to the end of that block, as the hashes of Mooncake traces say. Blocks
        beyond the last whole one of a prompt are ignored, as engines keep whole blocks only.
    """

    tokens: int
    first: Ints
    names: Ints

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise InvalidInput(f"a block has at least one token, got {self.tokens}")
        first = np.ascontiguousarray(self.first, dtype=np.int64)
        names = np.ascontiguousarray(self.names, dtype=np.int64)
        if first.ndim != 1 or not first.size or first[0] != 0 or first[-1] != names.size:
            raise InvalidInput("first must go from 0 to the number of names")
        if (np.diff(first) < 0).any():
            raise InvalidInput("first must ascend")
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "names", names)

    def whole(self, input_tokens: Ints) -> PrefixBlocks:
        """Only whole blocks of prompts of these lengths, with names counted from 0 in order of appearance."""
        if self.first.size != input_tokens.size + 1:
            raise InvalidInput(f"blocks of {self.first.size - 1} prompts for {input_tokens.size} requests")
        count = np.minimum(np.diff(self.first), input_tokens // self.tokens)
        first = np.concatenate(([0], np.cumsum(count)))
        places = np.repeat(self.first[:-1] - first[:-1], count) + np.arange(first[-1])
        _, names = np.unique(self.names[places], return_inverse=True)
        return PrefixBlocks(tokens=self.tokens, first=first, names=names.astype(np.int64))

    @classmethod
    def of_lists(cls, tokens: int, names: Sequence[Sequence[int]]) -> PrefixBlocks:
        """The blocks of each request as a list."""
        first = np.concatenate(([0], np.cumsum([len(row) for row in names])))
        every = np.fromiter((name for row in names for name in row), dtype=np.int64, count=int(first[-1]))
        return cls(tokens=tokens, first=first, names=every)

    def of(self, rows: Ints) -> PrefixBlocks:
        """Those of some of the requests, in that order."""
        count = np.diff(self.first)[rows]
        first = np.concatenate(([0], np.cumsum(count)))
        places = np.repeat(self.first[rows] - first[:-1], count) + np.arange(first[-1])
        return PrefixBlocks(tokens=self.tokens, first=first, names=self.names[places])

    def repeated_share(self, input_tokens: Ints) -> float:
        """Share of the prompt tokens that an endless cache would hold already, in the given order."""
        seen: set[int] = set()
        found = 0
        for i in range(self.first.size - 1):
            whole = self.names[self.first[i] : self.first[i + 1]][
                : int(input_tokens[i]) // self.tokens
            ].tolist()
            fresh = next((k for k, name in enumerate(whole) if name not in seen), len(whole))
            found += fresh * self.tokens
            seen.update(whole)
        return found / float(input_tokens.sum())
