"""The gate: how many are inside, in which order they come, and how it gives way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.model.gate import Gate
from tests.examples import examples


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 5))


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def inside(gate: Gate, until: asyncio.Event) -> None:
    async with gate.passage():
        await until.wait()


async def through(gate: Gate) -> None:
    async with gate.passage():
        await asyncio.sleep(0)


def test_no_more_than_the_maximum_are_inside() -> None:
    async def main() -> None:
        gate = Gate(3)
        most = 0

        async def one() -> None:
            nonlocal most
            async with gate.passage():
                most = max(most, gate.inside)
                await asyncio.sleep(0)

        await asyncio.gather(*(one() for _ in range(50)))
        assert (most, gate.inside) == (3, 0)

    run(main)


def test_first_come_first_served_even_for_who_comes_when_a_place_is_free() -> None:
    async def main() -> None:
        gate = Gate(1)
        order: list[int] = []

        async def one(number: int) -> None:
            async with gate.passage():
                order.append(number)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(one(number)) for number in range(5)]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(one(5)))
        await asyncio.gather(*tasks)
        assert order == [0, 1, 2, 3, 4, 5]

    run(main)


def test_busy_halves_and_never_closes() -> None:
    async def main() -> None:
        gate = Gate(20)
        limits = []
        for _ in range(6):
            async with gate.passage():
                pass
            gate.busy()
            limits.append(gate.limit)
        assert limits == [10, 5, 2, 1, 1, 1]

    run(main)


def test_one_burst_of_refusals_is_one_halving() -> None:
    async def main() -> None:
        gate = Gate(16)
        answer = asyncio.Event()

        async def refused() -> None:
            try:
                async with gate.passage():
                    await answer.wait()
            finally:
                gate.busy()

        burst = [asyncio.create_task(refused()) for _ in range(16)]
        await settle()
        answer.set()
        await asyncio.gather(*burst)
        assert gate.limit == 8
        await refused()  # a call that began after the halving is news
        assert gate.limit == 4

    run(main)


def test_a_round_of_good_answers_raises_it_by_one_up_to_the_maximum() -> None:
    async def main() -> None:
        gate = Gate(8)
        async with gate.passage():
            gate.busy()
        assert gate.limit == 4
        for _ in range(5):
            gate.ok()
        assert gate.limit == 5
        for _ in range(100):
            gate.ok()
        assert gate.limit == 8

    run(main)


def test_it_rises_again_from_one() -> None:
    async def main() -> None:
        gate = Gate(2)
        async with gate.passage():
            gate.busy()
        assert gate.limit == 1
        gate.ok()
        assert gate.limit == 2

    run(main)


def test_who_waits_is_let_in_when_the_limit_rises() -> None:
    async def main() -> None:
        gate = Gate(2)
        async with gate.passage():
            gate.busy()
        done = asyncio.Event()
        tasks = [asyncio.create_task(inside(gate, done)) for _ in range(2)]
        await settle()
        assert gate.inside == 1
        gate.ok()
        await settle()
        assert gate.inside == 2
        done.set()
        await asyncio.gather(*tasks)

    run(main)


def test_a_lower_limit_lets_the_open_calls_finish_and_nobody_new_in() -> None:
    async def main() -> None:
        gate = Gate(4)
        ends = [asyncio.Event() for _ in range(6)]
        tasks = [asyncio.create_task(inside(gate, end)) for end in ends]
        await settle()
        gate.busy()
        assert (gate.limit, gate.inside) == (2, 4)
        ends[0].set()
        ends[1].set()
        await settle()
        assert gate.inside == 2
        ends[2].set()
        await settle()
        assert gate.inside == 2  # one left, one came in
        for end in ends:
            end.set()
        await asyncio.gather(*tasks)
        assert gate.inside == 0

    run(main)


def test_an_error_inside_gives_the_place_back() -> None:
    async def main() -> None:
        gate = Gate(1)
        with pytest.raises(ZeroDivisionError):
            async with gate.passage():
                raise ZeroDivisionError
        await through(gate)

    run(main)


def test_a_cancelled_waiter_costs_no_place() -> None:
    async def main() -> None:
        gate = Gate(1)
        done = asyncio.Event()
        first, second, third = (asyncio.create_task(inside(gate, done)) for _ in range(3))
        await settle()
        second.cancel()
        await settle()
        done.set()
        await asyncio.gather(first, third)
        assert (second.cancelled(), gate.inside) == (True, 0)

    run(main)


def test_who_is_cancelled_in_the_moment_of_being_let_in_passes_the_place_on() -> None:
    async def main() -> None:
        gate = Gate(1)
        done = asyncio.Event()
        first, second, third = (asyncio.create_task(inside(gate, done)) for _ in range(3))
        await settle()
        done.set()
        await asyncio.sleep(0)  # `first` wakes and leaves: `second` is let in but has not run
        assert (first.done(), gate.inside) == (True, 1)
        second.cancel()
        await asyncio.wait([second, third], timeout=2)
        assert second.cancelled()
        assert third.done()
        assert not third.cancelled()
        assert gate.inside == 0

    run(main)


@settings(max_examples=examples(60), deadline=None)
@given(
    maximum=st.integers(1, 5),
    steps=st.lists(st.sampled_from(["start", "end", "cancel", "busy", "ok"]), max_size=60),
    which=st.randoms(use_true_random=False),
)
def test_whatever_happens_places_are_neither_lost_nor_made(
    maximum: int, steps: list[str], which: Any
) -> None:
    async def main() -> None:
        gate = Gate(maximum)
        tasks: list[tuple[asyncio.Task[None], asyncio.Event]] = []
        for step in steps:
            if step == "start":
                end = asyncio.Event()
                tasks.append((asyncio.create_task(inside(gate, end)), end))
            elif step in ("end", "cancel") and tasks:
                task, end = which.choice(tasks)
                end.set() if step == "end" else task.cancel()
            elif step == "busy":
                gate.busy()
            elif step == "ok":
                gate.ok()
            if which.random() < 0.5:
                await asyncio.sleep(0)
            assert 1 <= gate.limit <= maximum
            assert 0 <= gate.inside <= maximum
        for _, end in tasks:
            end.set()
        await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
        assert gate.inside == 0
        await asyncio.wait_for(through(gate), 1)

    run(main)


def test_a_gate_that_lets_nobody_in_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Gate(0)


def test_who_may_wait_comes_behind_all_others():
    async def main() -> None:
        gate = Gate(1)
        came: list[str] = []

        async def enter(name: str, *, behind: bool) -> None:
            async with gate.passage(behind=behind):
                came.append(name)
                await asyncio.sleep(0)

        held = gate.passage()
        await held.__aenter__()
        names = [("across 1", True), ("read 1", False), ("across 2", True), ("read 2", False)]
        tasks = [asyncio.create_task(enter(name, behind=behind)) for name, behind in names]
        await asyncio.sleep(0)
        tasks[2].cancel()  # one that waits at the back and is given up takes no place
        await held.__aexit__(None, None, None)
        await asyncio.wait(tasks)
        assert came == ["read 1", "read 2", "across 1"]
        assert gate.inside == 0

    asyncio.run(main())
