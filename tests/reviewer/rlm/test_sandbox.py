"""The sandbox does what the kernel needs, and nothing else: real workers, nothing patched."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import pytest
from pydantic_monty import ResourceLimits

from reviewer.errors import GiveUp
from reviewer.rlm.sandbox import (
    LIMITS,
    MAX_CALLS,
    PRINT_CHARS,
    Printed,
    Sandbox,
    Session,
    describe,
)
from reviewer.rlm.task import waits

WAIT_S = 0.15


async def read(path: str, start: int = 1) -> str:
    """The text of a file."""
    if path == "gone":
        raise GiveUp("there is no file 'gone'")
    await asyncio.sleep(WAIT_S)
    return f"text of {path} from {start}"


def run(*codes: str) -> list[Printed]:
    """Run turns of one session, in order."""

    async def turns() -> list[Printed]:
        async with Sandbox() as sandbox:
            session = sandbox.session({"read": read})
            return [await session.run(code) for code in codes]

    return asyncio.run(turns())


def test_variables_stay_from_turn_to_turn_and_the_last_value_is_printed():
    first, second = run("def twice(n):\n    return 2 * n\nx = 20", "twice(x) + 2")
    assert first.text == "(nothing printed)"
    assert second.text == "42\n"


def test_calls_start_when_made_and_are_collected_when_awaited():
    began = time.monotonic()
    (printed,) = run("calls = [read(p) for p in 'abcdef']\nprint([await c for c in calls][5])")
    assert printed.text == "text of f from 1\n"
    assert time.monotonic() - began < 4 * WAIT_S  # six in a row would take six times WAIT_S


def test_a_call_that_is_printed_and_not_awaited_comes_with_a_word_on_it():
    for code in ("print(read('a'))", "call = read('a')\ncall\nawait call\nprint(call)"):
        (printed,) = run(code)
        assert "coroutine until you await" in printed.text, printed.text


def test_host_errors_reach_the_code_as_values_error_with_their_words():
    caught, uncaught = run(
        "try:\n    await read('gone')\nexcept ValueError as e:\n    print('caught', e)",
        "await read('gone')",
    )
    assert caught.text == "caught there is no file 'gone'\n"
    assert uncaught.failed
    assert "there is no file 'gone'" in uncaught.text


def test_wrong_arguments_are_explained():
    (printed,) = run("await read()")
    assert printed.failed
    assert "missing a required argument: 'path'" in printed.text


def test_a_call_that_nobody_awaited_costs_its_turn_alone():
    _, orphan, after = run("kept = 1\nlater = read('a')", "await later", "kept")
    assert orphan.failed
    assert "same turn" in orphan.text
    assert after.text == "1\n"


def test_endless_code_is_stopped_and_the_variables_of_the_turn_before_stay():
    _, endless, after = run("kept = 1", "kept = 2\nwhile True:\n    pass", "kept")
    assert endless.failed
    assert "time limit" in endless.text
    assert after.text == "1\n"


def test_print_out_is_bounded_and_says_so():
    (printed,) = run("print('x' * 1_000_000)")
    assert len(printed.text) < PRINT_CHARS + 100
    assert "988001 more characters not shown: keep" in printed.text


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("class A(Exception): pass", "no class inheritance"),
        ("def g():\n    yield 1", "no generators"),
        ("import textwrap", "These exist: json"),
        ("read('a')['x']", "coroutine until you await"),
        ("'a' + read('a')", "coroutine until you await"),
        ("x = 1\ndel x", "d.pop(key)"),
        ("x = {1: 2}\ndel x[1]", "d.pop(key)"),
        ("class A:\n    @property\n    def x(self):\n        return 1", "plain functions"),
        ("async for x in read('a'):\n    pass", "for x in await"),
        ("import asyncio\nawait asyncio.gather(read('a'), return_exceptions=True)", "one by one"),
        ("import re\nre.sub('a', lambda m: 'b', 'aa')", "re.finditer"),
        ("sorted(['b', 'A'], key=str.lower)", "write a lambda"),
        ("open('x.py').read()", "await read(path)"),
        ("await len([1])", "Only host functions are awaited"),
        ("10 ** 100_000", "math.log10"),
    ],
)
def test_gaps_of_the_dialect_become_hints(code: str, hint: str):
    (printed,) = run(code)
    assert printed.failed
    assert hint in printed.text


WORKS = """\
import asyncio, collections, functools, itertools, json, math, re
from collections import Counter, defaultdict
from dataclasses import dataclass

@dataclass
class Row:
    path: str
    line: int = 0

async def first(path, *, start=1):
    text = await read(path, start=start)
    return text.splitlines()[0]

held = defaultdict(list)
for number, name in enumerate(await asyncio.gather(*[first(p) for p in "ab"]), 1):
    held[name].append(Row(name, line=number))
first_row, *rest = [row for rows in held.values() for row in rows]
try:
    assert not rest, f"{len(rest)=}"
except AssertionError as error:
    print(type(error).__name__, error)
finally:
    print(Counter("aab").most_common(1), max(held.items(), key=lambda kv: len(kv[1]))[0])
if (found := re.search(r"(?P<name>\\w+) of", first_row.path)) and found["name"] == "text":
    print(json.dumps({"a": [1, 2]}, indent=1), f"{math.pi:.2f}", sep=" | ")
match first_row:
    case Row(path=path):
        print(path.partition(" of ")[2].removeprefix("a "), first_row.line)
print(functools.reduce(lambda a, b: a + b, itertools.chain([1], [2, 3])), sorted("ba")[::-1])
"""


def test_what_the_prompt_says_that_works_does():
    (printed,) = run(WORKS)
    assert not printed.failed, printed.text
    assert "AssertionError len(rest)=1" in printed.text
    assert printed.text.endswith("from 1 1\n6 ['b', 'a']\n")


def test_clock_and_chance_are_the_same_in_every_run():
    code = "import time, random\n(time.time(), random.random())"
    assert run(code) == run(code)


def test_text_that_is_no_unicode_is_taken():
    (printed,) = run("print('\ud800 \udcff')")
    assert not printed.failed


def test_sessions_share_nothing_and_hold_no_worker_between_turns():
    async def many() -> list[str]:
        async with Sandbox(workers=1) as sandbox:
            sessions: list[Session] = [sandbox.session({}) for _ in range(5)]
            await asyncio.gather(*(s.run(f"mine = {i}") for i, s in enumerate(sessions)))
            return [(await s.run("mine")).text for s in sessions]

    assert asyncio.run(many()) == [f"{i}\n" for i in range(5)]


def test_a_regular_expression_that_explodes_does_not_hang():
    began = time.monotonic()
    _, after = run("import re\nre.match('(a+)+$', 'a' * 40 + 'b')", "1 + 1")
    assert time.monotonic() - began < 10
    assert after.text == "2\n"


def test_functions_are_described_with_signature_and_purpose():
    calls: dict[str, Callable[..., Awaitable[object]]] = {"read": read}
    assert describe(calls) == "- `read(path: str, start: int = 1) -> str`: The text of a file."


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = []\nfor i in range(60):\n    x = [x, x]\nx", "memory"),
        ("['a' * 1_000_000] * 1_000_000", "memory limit"),
        ("10 ** 100_000", "limit (4300 digits)"),
        ("x = ()\nfor i in range(60):\n    x = (x, x)\nawait read(x)", "memory"),
    ],
)
def test_a_value_with_an_endless_repr_costs_its_turn_alone(code: str, said: str):
    began = time.monotonic()
    _, endless, after = run("kept = 1", code, "kept")
    assert time.monotonic() - began < 10
    assert endless.failed
    assert said in endless.text
    assert after.text == "1\n"


def test_a_long_value_is_cut_and_says_so():
    (printed,) = run("'a' * 1_000_000")
    assert not printed.failed
    assert len(printed.text) < PRINT_CHARS + 200
    assert "more characters not shown" in printed.text


def test_variables_too_large_to_keep_are_those_of_the_turn_before():
    _, too_large, after = run("x = 1", "x = [1] * 5_000_000", "x")
    assert too_large.failed
    assert "the variables take more than" in too_large.text
    assert after.text == "1\n"


def test_what_concurrent_code_prints_does_not_depend_on_who_was_faster():
    code = (
        "async def show(p):\n    print(await slow(p))\n    print(await slow(p + '2'))\n"
        "await asyncio.gather(*[show(p) for p in 'abcdef'])\nNone"
    )

    async def slow(path: str) -> str:
        """A text, sooner or later."""
        await asyncio.sleep(random.random() / 50)
        return path

    async def several() -> set[str]:
        async with Sandbox() as sandbox:
            sessions = [sandbox.session({"slow": slow}) for _ in range(10)]
            return {(await s.run(f"import asyncio\n{code}")).text for s in sessions}

    assert len(asyncio.run(several())) == 1


@pytest.mark.parametrize(
    "code", ["[await c for c in [forever() for _ in range(20)]]", "forever()\n1"]
)
def test_no_host_call_outlives_its_turn(code: str):
    async def forever() -> None:
        """Never ends."""
        await asyncio.Event().wait()

    async def left_behind() -> tuple[int, str]:
        async with Sandbox() as sandbox:
            turn = asyncio.create_task(sandbox.session({"forever": forever}).run(code))
            await asyncio.wait((turn,), timeout=0.3)
            turn.cancel()
            await asyncio.wait((turn,))
            after = await sandbox.session({}).run("1 + 1")
            return len(asyncio.all_tasks()) - 1, after.text

    assert asyncio.run(left_behind()) == (0, "2\n")


def delegating(sandbox: Sandbox, depth: int, width: int = 2) -> Session:
    """Return a session whose code waits for sessions like it, one level deeper."""

    @waits
    async def delegate(number: int) -> str:
        """Have another session work."""
        if depth == 0:
            await asyncio.sleep(0.02)
            return f"leaf {number}"
        below = delegating(sandbox, depth - 1, width)
        return (await below.run(DELEGATING.format(width=width))).text

    return sandbox.session({"delegate": delegate})


DELEGATING = """\
calls = [delegate(n) for n in range({width})]
found = [await c for c in calls]
print(len(found), sum(f.count('leaf') for f in found), ' '.join(['leaf'] * sum(
    f.count('leaf') for f in found)))
"""


def test_a_tree_in_which_every_level_waits_needs_one_worker():
    async def root() -> str:
        async with Sandbox(workers=1) as sandbox:
            return (await delegating(sandbox, 4).run(DELEGATING.format(width=2))).text

    assert asyncio.run(root()).startswith("2 32 ")


def test_hundreds_of_sessions_wait_on_two_workers():
    async def many() -> list[str]:
        async with Sandbox(workers=2) as sandbox:
            sessions = [delegating(sandbox, 0) for _ in range(200)]
            runs = (session.run("print(await delegate(1))") for session in sessions)
            return [printed.text for printed in await asyncio.gather(*runs)]

    assert asyncio.run(many()) == ["leaf 1\n"] * 200


def test_what_a_turn_waits_for_long_calls_is_not_counted():
    async def slow() -> Printed:
        @waits
        async def delegate() -> str:
            """Take longer than a turn may."""
            await asyncio.sleep(0.6)
            return "done"

        async with Sandbox(turn_s=0.4) as sandbox:
            session = sandbox.session({"delegate": delegate, "read": read})
            return await session.run("print(await delegate(), await read('x'))")

    assert asyncio.run(slow()).text == "done text of x from 1\n"


def test_a_turn_that_is_cancelled_while_it_waits_cancels_what_it_waits_for():
    cancelled: list[str] = []

    async def stopped() -> str:
        started = asyncio.Event()

        @waits
        async def delegate() -> str:
            """Wait for ever."""
            started.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append("delegate")
                raise
            return ""

        async with Sandbox(workers=1) as sandbox:
            session = sandbox.session({"delegate": delegate})
            await session.run("kept = 7")
            turn = asyncio.create_task(session.run("kept = 8\nawait delegate()"))
            await started.wait()
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
            return (await session.run("kept")).text

    assert asyncio.run(stopped()) == "7\n"
    assert cancelled == ["delegate"]


@pytest.mark.parametrize("answer", [object(), "\udc80", [{"a": object()}], iter([])])
def test_an_answer_that_the_sandbox_cannot_hold_is_an_error_of_its_call_alone(answer: object):
    async def give() -> object:
        """Return what is no plain value."""
        return answer

    async def turns() -> list[str]:
        async with Sandbox() as sandbox:
            session = sandbox.session({"give": give})
            code = "try:\n    await give()\nexcept ValueError as e:\n    print(e)"
            return [(await session.run(turn)).text for turn in ("x = 1", code, "x")]

    _, said, after = asyncio.run(turns())
    assert said == "the host's answer cannot be taken into the sandbox\n"
    assert after == "1\n"


def test_long_calls_are_handed_over_after_the_others_and_each_kind_in_its_order():
    order: list[str] = []

    @waits
    async def delegate(name: str) -> str:
        """Take long, the first one longest."""
        await asyncio.sleep(0.06 if name == "a" else 0.0)
        order.append(name)
        return name

    async def quick(name: str) -> str:
        """Take a moment, the first one longest."""
        await asyncio.sleep(0.03 if name == "c" else 0.0)
        order.append(name)
        return name

    async def turn() -> str:
        async with Sandbox() as sandbox:
            session = sandbox.session({"delegate": delegate, "quick": quick})
            code = (
                "import asyncio\nasync def show(call):\n    print(await call)\n"
                "await asyncio.gather(*[show(c) for c in"
                " [delegate('a'), delegate('b'), quick('c'), quick('d')]])\nNone"
            )
            return (await session.run(code)).text

    assert asyncio.run(turn()) == "c\nd\na\nb\n"
    assert order.index("b") < order.index("a")  # whoever was faster
    assert order.index("d") < order.index("c")


def test_a_turn_may_make_so_many_calls_also_where_it_waits_in_between():
    async def turns() -> list[Printed]:
        @waits
        async def delegate() -> int:
            """Answer at once."""
            return 1

        async with Sandbox() as sandbox:
            session = sandbox.session({"delegate": delegate})
            code = (
                f"for _ in range({MAX_CALLS // 10} + 1):\n"
                "    for call in [delegate() for _ in range(10)]:\n        await call"
            )
            return [await session.run("x = 1"), await session.run(code), await session.run("x")]

    _, flood, after = asyncio.run(turns())
    assert flood.failed
    assert f"A turn may make {MAX_CALLS} host calls" in flood.text
    assert after.text == "1\n"


def test_time_of_computing_is_counted_across_long_calls():
    async def turn() -> Printed:
        @waits
        async def delegate() -> None:
            """Answer at once."""

        limits: ResourceLimits = {**LIMITS, "max_feed_duration_secs": 0.3}
        async with Sandbox(limits=limits) as sandbox:
            code = (
                "for _ in range(100):\n    await delegate()\n    for _ in range(500_000):\n"
                "        pass"
            )
            return await sandbox.session({"delegate": delegate}).run(code)

    printed = asyncio.run(turn())
    assert printed.failed
    assert "time limit" in printed.text or "time than a turn may" in printed.text


def test_variables_too_large_to_wait_with_end_the_turn():
    @waits
    async def delegate() -> None:
        """Wait for ever."""
        await asyncio.sleep(60)

    async def turns() -> list[Printed]:
        async with Sandbox(workers=1) as sandbox:
            session = sandbox.session({"delegate": delegate})
            codes = ("x = 1", "x = [1] * 5_000_000\ncall = delegate()\nawait call", "x")
            return [await session.run(code) for code in codes]

    _, too_large, after = asyncio.run(turns())
    assert too_large.failed
    assert "the variables take more than" in too_large.text
    assert after.text == "1\n"


def test_code_that_is_cancelled_while_it_computes_gives_its_worker_back():
    async def turns() -> str:
        limits: ResourceLimits = {**LIMITS, "max_feed_duration_secs": 0.3}
        async with Sandbox(workers=1, limits=limits) as sandbox:
            turn = asyncio.create_task(sandbox.session({}).run("while True:\n    pass"))
            await asyncio.sleep(0.05)
            turn.cancel()
            (ended,) = await asyncio.gather(turn, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError)
            return (await sandbox.session({}).run("1 + 1")).text

    assert asyncio.run(turns()) == "2\n"
