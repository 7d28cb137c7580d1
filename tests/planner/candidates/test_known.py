"""`planner.candidates.known`: what pricing anew gives, and priced anew where anything it rests on differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models.workload import LengthDistribution
from planner.candidates import known
from planner.candidates.enumerate import enumerate_candidates
from planner.candidates.known import known_candidates
from planner.fleet import Fleet, read_fleet
from planner.fleet.fleet import Target
from planner.testing import SMALL_FLEET

TEXT = SMALL_FLEET.replace("{headroom: 10%}", "{headroom: 10%, parallelism: {tensor: [1, 4], pipeline: [1]}}")
Change = Callable[[Fleet], Fleet]
LONGER = LengthDistribution.fixed(900.0, 90.0)


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    known._known.clear()


def of_chat(**changes: object) -> Change:
    return lambda f: replace(f, workloads=(replace(f.workloads[0], **changes), *f.workloads[1:]))  # type: ignore[arg-type]


def of_a(**changes: object) -> Change:
    return lambda f: replace(f, pools=(replace(f.pools[0], **changes), *f.pools[1:]))  # type: ignore[arg-type]


def of_policies(**changes: object) -> Change:
    return lambda f: replace(f, policies=replace(f.policies, **changes))  # type: ignore[arg-type]


def piped(f: Fleet) -> Fleet:
    """Pipelines over the three nodes of pool a."""
    return of_policies(parallelism=replace(f.policies.parallelism, tensor=(4,), pipeline=(1, 3)))(f)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f,
        of_chat(rate_per_s=3.0, period_rates_per_s=(3.0, 2.0), priority=3, tenant="x"),
        of_a(unavailable=(1,)),
        of_policies(loss_of="node", headroom=0.5),
        lambda f: replace(f, goals=("unserved_demand", "gpus"), name="other", digest="0"),
    ],
)
def test_what_changes_nothing_is_not_priced_again(change: Change) -> None:
    first = known_candidates(read_fleet(TEXT))
    changed = change(read_fleet(TEXT))
    again = known_candidates(changed)
    assert again == enumerate_candidates(changed)
    if change(changed).policies.loss_of is None:
        assert again is first


@pytest.mark.parametrize(
    "change",
    [
        of_chat(ttft=Target(percentile=95, limit_ms=700.0)),
        of_chat(lengths=LONGER),
        of_chat(burstiness=0.5),
        of_chat(reuse=0.5),
        of_a(price_per_gpu_hour=9.0),
        of_a(availability=0.9),
        of_a(gpus_per_node=2),
        of_policies(roles=("mixed",)),
        lambda f: replace(f, models=(replace(f.models[0], weights="fp8"), *f.models[1:])),
    ],
)
def test_what_changes_anything_is_priced_again(change: Change) -> None:
    first = known_candidates(read_fleet(TEXT))
    changed = change(read_fleet(TEXT))
    again = known_candidates(changed)
    assert again != first
    assert again == enumerate_candidates(changed)


def test_rates_count_where_arrivals_are_not_poisson() -> None:
    fleet = of_chat(burstiness=0.4)(read_fleet(TEXT))
    busier = of_chat(rate_per_s=5000.0)(fleet)
    assert known_candidates(fleet) != known_candidates(busier)
    assert known_candidates(busier) == enumerate_candidates(busier)


def test_instances_on_many_nodes_need_so_many_in_service() -> None:
    fleet = piped(read_fleet(TEXT))
    without = of_a(unavailable=(0,))(fleet)
    assert known_candidates(fleet) != known_candidates(without)
    assert known_candidates(without) == enumerate_candidates(without)


def test_confidence_counts_and_a_cancelled_call_is_not_kept() -> None:
    fleet = read_fleet(TEXT)
    assert known_candidates(fleet, cancelled=lambda: True).accepted == ()
    plain = known_candidates(fleet)
    assert plain.accepted
    assert known_candidates(fleet, confidence=0.95) != plain
    assert known_candidates(fleet) is plain


@pytest.mark.parametrize("example", ["fleet.yaml", "three_regions.yaml", "day.yaml", "adapters.yaml"])
def test_a_document_read_twice_is_the_same_fleet(example: str) -> None:
    path = Path(__file__).parents[3] / "examples" / example
    one, two = (known._key(read_fleet(path.read_text(), base_dir=path.parent), None) for _ in range(2))
    assert one == two
