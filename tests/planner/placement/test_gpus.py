"""`planner.placement.gpus`: who stays keeps its GPUs, blocks are aligned, nobody is turned away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from planner.placement.gpus import Claim, assign_gpus


def test_largest_first_on_aligned_blocks() -> None:
    claims = [
        Claim(name="a", size=1),
        Claim(name="b", size=4),
        Claim(name="c", size=2),
        Claim(name="d", size=1),
    ]
    assert assign_gpus(claims, 8) == {"b": (0, 1, 2, 3), "c": (4, 5), "a": (6,), "d": (7,)}


def test_who_stays_keeps_its_gpus() -> None:
    claims = [
        Claim(name="a", size=2, held=(2, 3)),
        Claim(name="b", size=4),
        Claim(name="c", size=1, held=(0,)),
    ]
    assert assign_gpus(claims, 8) == {"a": (2, 3), "c": (0,), "b": (4, 5, 6, 7)}


def test_unaligned_rather_than_turned_away() -> None:
    claims = [Claim(name="a", size=1, held=(0,)), Claim(name="b", size=1, held=(5,)), Claim(name="c", size=4)]
    assert assign_gpus(claims, 8)["c"] == (1, 2, 3, 4)


def test_held_indices_that_no_longer_fit_are_given_anew() -> None:
    assert assign_gpus([Claim(name="a", size=2, held=(7, 8))], 8) == {"a": (0, 1)}
    assert assign_gpus([Claim(name="a", size=2, held=(3,))], 8) == {"a": (0, 1)}
    both = [Claim(name="a", size=2, held=(0, 1)), Claim(name="b", size=2, held=(1, 2))]
    assert assign_gpus(both, 8) == {"a": (0, 1), "b": (2, 3)}


@given(
    gpus=st.integers(1, 16),
    sizes=st.lists(st.integers(1, 8), max_size=8),
    held=st.lists(st.sets(st.integers(0, 17), max_size=8), min_size=8, max_size=8),
)
def test_always_disjoint_complete_and_in_range(gpus: int, sizes: list[int], held: list[set[int]]) -> None:
    claims: list[Claim] = []
    for number, (size, before) in enumerate(zip(sizes, held, strict=False)):
        if sum(claim.size for claim in claims) + size <= gpus:
            claims.append(Claim(name=str(number), size=size, held=tuple(sorted(before))))
    given_out = assign_gpus(claims, gpus)
    everything = [gpu for indices in given_out.values() for gpu in indices]
    assert {name: len(indices) for name, indices in given_out.items()} == {c.name: c.size for c in claims}
    assert len(set(everything)) == len(everything)
    assert all(0 <= gpu < gpus for gpu in everything)
    assert all(indices == tuple(sorted(indices)) for indices in given_out.values())


@given(st.permutations([4, 2, 1, 1]), st.permutations([2, 2, 2, 1, 1]))
def test_powers_of_two_are_always_aligned(first: list[int], second: list[int]) -> None:
    for sizes in (first, second):
        claims = [Claim(name=str(i), size=size) for i, size in enumerate(sizes)]
        for name, indices in assign_gpus(claims, 8).items():
            assert indices[0] % sizes[int(name)] == 0
            assert indices[-1] - indices[0] == sizes[int(name)] - 1
