"""What a node's code may call: a question about what is not there has an answer, not an error."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from reviewer.ports import Entry, Match, NoSuchFile, NotAllSearched, Rev
from reviewer.review.functions import GREP_LINES, functions
from reviewer.rlm.sandbox import Printed, Sandbox
from reviewer.rlm.task import Function
from tests.reviewer.review.values import change, changed, hunk, whole

HUNK = hunk("a.py", "+one = 1\n")


class Nothing:
    """A tree without a single path."""

    def read(self, path: str, at: Rev = "head") -> bytes:
        raise NoSuchFile(f"There is no {path} at the {at}.")

    def prefetch(self, shas: Iterable[str]) -> None:
        raise AssertionError("nothing to fetch")

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        raise NoSuchFile(f"There is no {under} at the {at}.")

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        raise NoSuchFile(f"There is no {under} at the {at}.")


def test_what_is_not_there_is_said_and_ends_no_turn():
    call = functions(change(changed("a.py", HUNK)), Nothing(), (whole(HUNK),))

    async def main() -> None:
        (row,) = await call["grep"]("x", "src")
        assert row == {
            "path": "",
            "line": 0,
            "text": "… no match but a note: There is no src at the head.",
        }
        assert await call["ls"]("src") == ["… There is no src at the head."]
        assert "no diff of 'b.py'" in await call["diff"]("b.py")
        assert "+one = 1" in await call["diff"]("a.py")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "at", "told"),
    [
        ("new.py", "base", "There is no new.py at the base. It is at the head: the change adds it"),
        ("gone.py", "head", "There is no gone.py at the head. It is at the base: the change delet"),
        ("to.py", "base", "At the base it is 'from.py'"),
        ("from.py", "head", "At the head it is 'to.py'"),
        ("to.py", "head", "There is no to.py at the head.$"),
        ("never.py", "base", "There is no never.py at the base.$"),
    ],
)
def test_who_reads_what_one_end_lacks_is_told_where_it_is(path: str, at: Rev, told: str):
    files = (
        replace(changed("new.py", HUNK), old_path=None),
        replace(changed("gone.py", HUNK), new_path=None),
        replace(changed("to.py", HUNK), old_path="from.py"),
        changed("a.py", HUNK),
    )
    call = functions(change(*files), Nothing(), ())
    with pytest.raises(NoSuchFile, match=told):
        asyncio.run(call["read"](path, at=at))


class Greps(Nothing):
    """Finds what it is given, by the pattern, the limit and whether the pattern is a text."""

    def __init__(self, finds: Callable[[str, int, bool], list[Match]]) -> None:
        self._finds = finds

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        return self._finds(pattern, limit, literal)


def grep_of(finds: Callable[[str, int, bool], list[Match]]) -> Function:
    return functions(change(), Greps(finds), ())["grep"]


def test_a_grep_that_is_cut_says_so_in_a_row_that_is_no_match():
    grep = grep_of(lambda _pattern, limit, _: [Match("a.py", n, "x") for n in range(1, limit + 1)])
    rows = asyncio.run(grep("x"))
    assert [row["path"] for row in rows] == ["a.py"] * GREP_LINES + [""]
    assert rows[-1]["text"].startswith("… no match but a note: only the first 100 matches")


def test_a_grep_that_lacks_files_gives_what_the_others_have():
    def lacks(_pattern: str, limit: int, _literal: bool) -> list[Match]:
        found = [Match("a.py", number, "x") for number in range(1, min(limit, many) + 1)]
        raise NotAllSearched("The repository lacks 'b.png'.", found)

    for many, is_cut in ((1, False), (GREP_LINES, True)):
        *rows, note = asyncio.run(grep_of(lacks)("x"))
        assert [row["path"] for row in rows] == ["a.py"] * many and note["path"] == ""
        assert "b.png" in note["text"] and ("only the first" in note["text"]) is is_cut


def test_a_text_is_looked_for_as_it_stands():
    grep = grep_of(lambda pattern, _, literal: [Match("a.py", 1, f"{pattern} {literal}")])
    assert [row["text"] for row in asyncio.run(grep("f(x)[0]", literal=True))] == ["f(x)[0] True"]
    assert [row["text"] for row in asyncio.run(grep("f"))] == ["f False"]


def test_the_model_s_code_can_catch_what_read_raises():
    call = functions(change(replace(changed("new.py", HUNK), old_path=None)), Nothing(), ())
    code = (
        "try:\n    text = await read('new.py', at='base')\n"
        "except ValueError as error:\n    print('caught', error)\n"
    )

    async def main() -> Printed:
        async with Sandbox() as sandbox:
            return await sandbox.session(call).run(code)

    done = asyncio.run(main())
    assert not done.failed
    assert "caught There is no new.py at the base. It is at the head" in done.text
