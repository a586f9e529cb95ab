"""In whose name a run pays: it goes on with what was cut off, and with nothing else."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.journal import FILE, StoredJournal
from app.paid import KEPT_S, TAKEN_UP, UNFINISHED, journal_here, journal_of
from reviewer.change import Change
from reviewer.errors import RetryLater, TellUser
from reviewer.model.base import Reply, Request, Stop, Text, Turn, Usage
from reviewer.request import Caps, ReviewRequest
from reviewer.rlm.budget import Amount, OutOfBudget
from reviewer.rlm.sealed import key_of

REQUEST = ReviewRequest(model="claude-test", caps=Caps(usd=1.0))
CHANGE = Change("b" * 40, "a" * 40, "c" * 40, ())
KEY = key_of(Request("m", ("s",), (Turn("user", (Text("t"),)),)), "find", "1")
COST = Amount(0.25, 100, 1)


class Killed(BaseException):
    """Stands for a process that goes away in the middle."""


async def _pay(journal: StoredJournal, settle: bool = True) -> None:
    entry = await journal.reserve(KEY, Amount(0.5, 200, 1))
    if settle:
        await journal.settle(entry, KEY, COST, Reply((Text("yes"),), Stop.END, Usage(50, 50)))


def pay(journal: StoredJournal, settle: bool = True) -> None:
    asyncio.run(_pay(journal, settle))


@contextmanager
def opened(
    home: Path, said: list[str], request: ReviewRequest = REQUEST
) -> Iterator[StoredJournal]:
    with journal_here(home, request, CHANGE, "here", said.append) as journal:
        yield journal


def cut_off(home: Path, settle: bool = True) -> None:
    with pytest.raises(Killed), opened(home, []) as journal:
        pay(journal, settle)
        raise Killed


def marks(home: Path) -> list[Path]:
    return sorted((home / UNFINISHED).iterdir())


def test_a_run_that_ends_leaves_no_mark_and_the_next_has_the_whole_cap(tmp_path: Path) -> None:
    said: list[str] = []
    with opened(tmp_path, said) as journal:
        assert len(marks(tmp_path)) == 1
        pay(journal)
    assert marks(tmp_path) == []
    with opened(tmp_path, said) as journal:
        assert journal.paid == Amount()
        kept = asyncio.run(journal.find(KEY))
        assert kept is not None
        assert not kept.own
    assert said == []


def test_a_run_that_was_cut_off_is_gone_on_with_and_its_cap_counts(tmp_path: Path) -> None:
    cut_off(tmp_path)
    cut_off(tmp_path, settle=False)
    said: list[str] = []
    with opened(tmp_path, said) as journal:
        assert journal.paid == COST + Amount(0.5, 200, 1)
        assert journal.lost == Amount(0.5, 200, 1)
        with pytest.raises(OutOfBudget):
            pay(journal)
    assert said == [TAKEN_UP]


def test_another_question_is_another_run(tmp_path: Path) -> None:
    cut_off(tmp_path)
    said: list[str] = []
    with opened(tmp_path, said, REQUEST.model_copy(update={"paths": ("a",)})) as journal:
        assert journal.paid == Amount()
    with journal_here(tmp_path, REQUEST, CHANGE, "another", said.append) as journal:
        assert journal.paid == Amount()
    assert said == []


@pytest.mark.parametrize("mark", [b"", b"../../etc", b"\xff" * 32, b"0" * 31, b"x" * 4_000])
def test_a_mark_that_makes_no_sense_is_none(tmp_path: Path, mark: bytes) -> None:
    cut_off(tmp_path)
    marks(tmp_path)[0].write_bytes(mark)
    with opened(tmp_path, []) as journal:
        assert journal.paid == Amount()
    assert marks(tmp_path) == []


def test_a_mark_of_long_ago_is_none(tmp_path: Path) -> None:
    cut_off(tmp_path)
    then = time.time() - KEPT_S - 60
    os.utime(marks(tmp_path)[0], (then, then))
    with opened(tmp_path, []) as journal:
        assert journal.paid == Amount()


def test_the_same_asked_twice_at_a_time_are_two_runs(tmp_path: Path) -> None:
    with opened(tmp_path, []) as first:
        pay(first)
        with opened(tmp_path, []) as second:
            assert second.paid == Amount()
        assert len(marks(tmp_path)) == 1  # the first one's is still there
    assert marks(tmp_path) == []


def test_a_run_with_a_name_is_open_once(tmp_path: Path) -> None:
    with journal_of(tmp_path, "r1", Caps(), "t", "o/r") as journal:
        pay(journal)
        with pytest.raises(RetryLater), journal_of(tmp_path, "r1", Caps(), "t", "o/r"):
            pass
    with journal_of(tmp_path, "r1", Caps(), "t", "o/r") as journal:
        assert journal.paid == COST
    with journal_of(tmp_path, "r1", Caps(), "other", "o/r") as journal:
        assert journal.paid == Amount()


@pytest.mark.parametrize("since", ["the start", "the first call"])
def test_a_run_whose_journal_is_held_for_too_long_is_to_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, since: str
) -> None:
    """What it came to is a part: it is not told, and what was paid is there the next time."""
    settings = StoredJournal.__init__.__kwdefaults__
    monkeypatch.setitem(settings, "busy_s", 0.2)
    with journal_of(tmp_path, "r1", Caps(usd=1.0), "t", "o/r") as journal:
        pay(journal)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        if since == "the start":
            other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(RetryLater, match="journal cannot be written"),
            journal_of(tmp_path, "r1", Caps(usd=1.0), "t", "o/r") as journal,
        ):
            if since == "the first call":
                other.execute("BEGIN IMMEDIATE")
            with pytest.raises(TellUser, match="has held it"):
                pay(journal)
    with journal_of(tmp_path, "r1", Caps(usd=1.0), "t", "o/r") as journal:
        assert journal.paid == COST
        pay(journal)
