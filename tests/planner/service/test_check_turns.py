"""Turns by tenant: one at a time, none starved, no more waiting than said."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.service.check_turns import FairTurns
from planner.service.errors import StatusError
from planner.service.protos import code_pb2


class Scene:
    """Turns on a clock of their own; who had which."""

    def __init__(self, *, most: int = 100, most_of_tenant: int = 100) -> None:
        self.now_s = 0.0
        self.turns = FairTurns(
            "questions that wait", most=most, most_of_tenant=most_of_tenant, clock=lambda: self.now_s
        )
        self.order: list[str] = []
        self.open = asyncio.Event()

    def ask(self, tenant: str, length_s: float = 1.0) -> asyncio.Task[None]:
        async def one() -> None:
            async with self.turns.turn(tenant):
                await self.open.wait()
                self.order.append(tenant)
                self.now_s += length_s

        return asyncio.create_task(one())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_one_tenant_is_served_in_order_of_arrival_one_at_a_time() -> None:
    async def main() -> None:
        scene = Scene()
        served = []

        async def one(number: int) -> None:
            async with scene.turns.turn("a"):
                served.append(number)
                await asyncio.sleep(0)
                assert served[-1] == number

        await asyncio.gather(*(one(number) for number in range(5)))
        assert served == list(range(5))
        assert scene.turns.free

    asyncio.run(main())


def test_who_comes_anew_is_next_however_many_wait() -> None:
    async def main() -> list[str]:
        scene = Scene()
        asked = [scene.ask("many") for _ in range(4)] + [scene.ask("two") for _ in range(2)]
        await settled()
        asked.append(scene.ask("one"))
        scene.open.set()
        await asyncio.gather(*asked)
        return scene.order

    assert asyncio.run(main()) == ["many", "two", "one", "many", "two", "many", "many"]


def test_long_turns_are_paid_for_with_turns() -> None:
    async def main() -> list[str]:
        scene = Scene()
        asked = [scene.ask("long", 10.0) for _ in range(2)] + [scene.ask("short", 3.0) for _ in range(5)]
        await settled()
        scene.open.set()
        await asyncio.gather(*asked)
        return scene.order

    assert asyncio.run(main()) == ["long", "short", "short", "short", "short", "long", "short"]


def test_more_than_may_wait_are_refused_and_the_others_served() -> None:
    async def main() -> list[str]:
        scene = Scene(most=3, most_of_tenant=2)
        asked = [scene.ask("a") for _ in range(3)]
        await settled()
        with pytest.raises(StatusError, match="a has 2 questions that wait already") as refused:
            await scene.ask("a")
        assert refused.value.status.code == code_pb2.RESOURCE_EXHAUSTED
        asked.append(scene.ask("b"))
        await settled()
        with pytest.raises(StatusError, match="this server has 3 questions that wait already"):
            await scene.ask("c")
        scene.open.set()
        await asyncio.gather(*asked)
        asked = [scene.ask("c")]
        await asyncio.gather(*asked)
        return scene.order

    assert sorted(asyncio.run(main())) == ["a", "a", "a", "b", "c"]


def test_who_goes_while_it_waits_leaves_the_turn_to_the_next() -> None:
    async def main() -> tuple[list[str], bool]:
        scene = Scene()
        first, goes, last = scene.ask("a"), scene.ask("b"), scene.ask("c")
        await settled()
        goes.cancel()
        scene.open.set()
        await asyncio.gather(first, goes, last, return_exceptions=True)
        assert goes.cancelled()
        return scene.order, scene.turns.free

    assert asyncio.run(main()) == (["a", "c"], True)


def test_who_goes_at_the_moment_it_is_called_leaves_the_turn_to_the_next() -> None:
    async def main() -> tuple[list[str], bool]:
        scene = Scene()
        async with scene.turns.turn("a"):
            goes, last = scene.ask("b"), scene.ask("c")
            await settled()
            scene.open.set()
        goes.cancel()  # called by the end of the block, and has not run since
        await asyncio.gather(goes, last, return_exceptions=True)
        assert goes.cancelled()
        return scene.order, scene.turns.free

    assert asyncio.run(main()) == (["c"], True)


@given(st.lists(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8), min_size=1, max_size=5))
def test_while_all_have_something_none_gets_a_turn_more_than_another(lengths) -> None:
    """As long as every tenant waits, what two of them used differs by no more than the longest turn."""

    async def main() -> None:
        scene = Scene()
        asked = [
            scene.ask(str(number), length_s) for number, turns in enumerate(lengths) for length_s in turns
        ]
        await settled()
        scene.open.set()
        await asyncio.gather(*asked)
        left = Counter({str(number): len(turns) for number, turns in enumerate(lengths)})
        used_s: Counter[str] = Counter()
        for tenant in scene.order:
            number = int(tenant)
            used_s[tenant] += lengths[number][-left[tenant]]
            left[tenant] -= 1
            if not left[tenant]:
                break
            spread_s = max(used_s.values()) - min(used_s[str(other)] for other in range(len(lengths)))
            assert spread_s <= max(map(max, lengths)) + 1e-9
        assert len(scene.order) == sum(map(len, lengths))
        assert scene.turns.free

    asyncio.run(main())
