"""What a node's code may call: a question about what is not there has an answer, not an error."""

import asyncio
from collections.abc import Iterable

from reviewer.ports import Entry, Match, NoSuchFile, Rev
from reviewer.review.functions import functions
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
        self, pattern: str, at: Rev = "head", under: str = "", limit: int = 200
    ) -> list[Match]:
        raise NoSuchFile(f"There is no {under} at the {at}.")


def test_what_is_not_there_is_said_and_ends_no_turn():
    call = functions(change(changed("a.py", HUNK)), Nothing(), (whole(HUNK),))

    async def main() -> None:
        (row,) = await call["grep"]("x", "src")
        assert row == {"path": "", "line": 0, "text": "… There is no src at the head."}
        assert await call["ls"]("src") == ["… There is no src at the head."]
        assert "no diff of 'b.py'" in await call["diff"]("b.py")
        assert "+one = 1" in await call["diff"]("a.py")

    asyncio.run(main())
