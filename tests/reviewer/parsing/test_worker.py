"""The caller's side of parsing, when it ends while somebody still asks."""

import os
import signal
import socket
import struct
import threading
import time

import pytest

from reviewer.parsing import worker
from reviewer.parsing.worker import Parsers, Question, UsedUp, make_ready
from tests.reviewer.test_nursery import gone, is_there

QUICK = Question("check", (b"x = 1\n", None), ("python", "a.py"))
SLOW = Question("check", (b"a?b:" * 200_000, None), ("rust", "slow.rs"))
"""Quadratic in the grammar's error recovery: many seconds."""


def test_what_is_asked_after_the_end_is_no_fault_of_the_file() -> None:
    with Parsers() as own:
        assert own.ask(QUICK) is None
    with pytest.raises(UsedUp, match="the run had ended"):
        own.ask(QUICK)
    assert [type(answer) for _, answer in own.ask_all([QUICK, QUICK])] == [UsedUp, UsedUp]


def test_an_end_in_the_middle_answers_everybody_at_once() -> None:
    own, answers = Parsers(timeout_s=60.0), []
    asking = threading.Thread(
        target=lambda: answers.extend(own.ask_all([SLOW, SLOW, *[QUICK] * 9]))
    )
    asking.start()
    while sum(worker._process is not None for worker in own._all) < 2:
        time.sleep(0.01)
    time.sleep(0.5)
    began = time.monotonic()
    own.__exit__(None, None, None)
    asking.join(timeout=10)
    assert not asking.is_alive()
    assert time.monotonic() - began < 5
    # Had it been called a crash, the store would keep that of a sound file for ever.
    assert [type(answer) for _, answer in answers] == [UsedUp] * 11
    assert all(worker._process is None for worker in own._all)


def test_all_answers_come_in_order_however_many_are_asked() -> None:
    asked = [Question("check", (b"x = (\n" * (n % 3), None), ("python", str(n))) for n in range(40)]
    with Parsers() as own:
        said = list(own.ask_all(iter(asked)))
    assert [question.arguments[1] for question, _ in said] == [str(n) for n in range(40)]
    assert [answer is None for _, answer in said] == [n % 3 == 0 for n in range(40)]


def begun(parsers: Parsers) -> list[int]:
    """The processes of workers that have begun."""
    return [one._process.pid for one in parsers._all if one._process is not None]


def test_questions_one_after_the_other_need_one_process() -> None:
    with Parsers() as own:
        for _ in range(3):
            assert own.ask(QUICK) is None
        assert len(begun(own)) == 1


def test_one_asks_the_workers_of_another_that_ends_them() -> None:
    with Parsers() as own:
        assert own.ask(QUICK) is None
        (pid,) = begun(own)
        with Parsers(among=own) as other:
            assert other.ask(QUICK) is None
            assert [answer for _, answer in other.ask_all([QUICK])] == [None]
            assert begun(other) == []
        assert own.ask(QUICK) is None, "the end of the other one is none of its own"
        assert begun(own) == [pid]
        with pytest.raises(UsedUp):
            other.ask(QUICK)
        later = Parsers(among=own)
    with later, pytest.raises(UsedUp, match="the run had ended"):
        later.ask(QUICK)
    assert begun(own) == []


def test_what_one_asks_among_others_is_of_its_own_time() -> None:
    with Parsers() as own, Parsers(total_s=1e-9, among=own) as other:
        assert other.ask(QUICK) is None
        with pytest.raises(UsedUp, match="the time for parsing"):
            other.ask(QUICK)
        assert own.ask(QUICK) is None


def test_a_worker_that_somebody_kills_costs_no_file_its_answer() -> None:
    with Parsers() as own:
        assert own.ask(QUICK) is None
        (before,) = begun(own)
        os.kill(before, signal.SIGKILL)
        assert own.ask(QUICK) is None
        assert begun(own) != [before]


def test_what_was_made_ready_is_what_the_next_workers_are_forked_from() -> None:
    make_ready()
    make_ready()
    (nursery,) = worker._ready
    asked = nursery._asked
    assert asked is not None
    with Parsers() as own, Parsers() as other:
        assert own.ask(QUICK) is None and other.ask(QUICK) is None
        assert nursery._asked is asked, "it is forked from that one"
        assert own._nursery is nursery and other._nursery is not nursery
        pids = [nursery._pid, other._nursery._pid]
        assert pids[0] != pids[1] and all(map(is_there, pids))
    assert gone(*pids) and not worker._ready


@pytest.mark.parametrize("which", ["it", "what it is a fork of", "both"])
def test_one_that_died_before_it_was_asked_is_started_anew(which: str) -> None:
    make_ready()
    nursery = worker._ready[0]
    root = nursery._root._process
    assert nursery._asked is not None and root is not None
    pid = struct.unpack(">ci", nursery._asked.recv(5, socket.MSG_PEEK))[1]
    assert is_there(pid)
    if which != "what it is a fork of":
        os.kill(pid, signal.SIGKILL)
        assert gone(pid)
    if which != "it":
        root.kill()
        root.wait()
    with Parsers() as own:
        assert own.ask(QUICK) is None
        assert (own._nursery._pid == pid) is (which == "what it is a fork of")
    with Parsers() as own:
        assert own.ask(QUICK) is None


def test_who_waits_for_a_worker_while_the_run_ends_starts_none() -> None:
    with Parsers() as own:
        held = [own._free.get() for _ in own._all]
        asked = own._submitted(QUICK)
        own._ended = True
        for each in held:
            own._free.put(each)
        with pytest.raises(UsedUp, match="the run had ended"):
            asked.result(timeout=30)
        assert begun(own) == []
