"""A process that uses a journal, for the tests that kill it or take the disk away from it.

python -m tests.app.journal_child cycles PATH-OR-URL RUN CAP_USD FIRST LAST
python -m tests.app.journal_child full PATH
"""

import asyncio
import os
import resource
import sys
from pathlib import Path

from app.journal import StoredJournal
from app.store.database import Database
from reviewer.errors import TellUser
from reviewer.model.base import Reply, Request, Stop, Text, Turn
from reviewer.rlm.budget import Amount, Limit, OutOfBudget
from reviewer.rlm.journal import Key
from reviewer.rlm.sealed import key_of

WORST = Amount(0.03, 30, 1)
COST = Amount(0.01, 10, 1)
TASKS = 16


def key(number: int, tenant: str = "") -> Key:
    request = Request("model", (), (Turn("user", (Text(f"question {number}"),)),))
    return key_of(request, "find", "1", tenant=tenant)


def reply(number: int, chars: int = 0) -> Reply:
    return Reply((Text(f"answer {number}" + "x" * chars),), Stop.END)


def say(*words: object) -> None:
    """Tell the test something that is true already; a line is written whole or not at all."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def cycles(journal: StoredJournal, first: int, last: int) -> None:
    """Find, reserve and settle each number; say what is settled only when that has returned."""
    numbers = iter(range(first, last))

    async def work() -> None:
        for number in numbers:
            if await journal.find(key(number)) is not None:
                say("found", number)
                continue
            try:
                entry = await journal.reserve(key(number), WORST)
            except OutOfBudget:
                say("refused", number)
                return
            say("reserved", number)
            await asyncio.sleep(number % 7 / 1_000)  # so that they are not all in step
            await journal.settle(entry, key(number), COST, reply(number))
            say("settled", number)

    await asyncio.gather(*(work() for _ in range(TASKS)))


async def full(path: Path) -> None:
    """Have no file grow any more, then let them."""
    with StoredJournal(path, "capped", Limit(usd=9.0)) as capped:
        with StoredJournal(path, "free", Limit()) as free:
            await capped.settle(await capped.reserve(key(1), WORST), key(1), COST, reply(1))
            held = await capped.reserve(key(2), WORST)
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
            try:
                await capped.reserve(key(3), WORST)
            except TellUser as error:
                say("capped:", error.problem)
            say("waits:", type(capped.refused).__name__)
            await capped.settle(held, key(2), COST, reply(2))
            entry = await free.reserve(key(4), WORST)
            await free.settle(entry, key(4), COST, reply(4))
            say("found", await capped.find(key(1)) is not None, await free.find(key(4)) is not None)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            await capped.reserve(key(5), WORST)
            say("later", await capped.find(key(2)) is not None)
        say("closed")


async def main() -> None:
    match sys.argv[1:]:
        case ["cycles", where, run, cap, first, last]:
            place = Database(where) if "://" in where else Path(where)
            with StoredJournal(place, run, Limit(usd=float(cap))) as journal:
                say("open", journal.lost.usd)
                await cycles(journal, int(first), int(last))
        case ["full", path]:
            await full(Path(path))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    asyncio.run(main())
