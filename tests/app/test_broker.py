import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from app.broker import (
    MAX_SAID_CHARS,
    Lent,
    Mint,
    TokenAsker,
    TokenLender,
    inherited,
    pair,
)
from app.github.errors import BadToken, NotThere
from app.roles import BROKER_FDS
from reviewer.errors import GiveUp, RetryLater, TellUser

TOKEN = "ghs_1234567_" + "eyJ0-._" * 73
RUN = "0123456789abcdef"

Sockets = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Sockets]:
    ours, theirs = pair()
    with ours, theirs:
        yield ours, theirs


@contextmanager
def lending(mint: Mint, **sockets: socket.socket) -> Iterator[None]:
    stopping = threading.Event()
    lender = TokenLender({name.replace("_", "-"): s for name, s in sockets.items()}, mint)
    thread = threading.Thread(target=lender.serve, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(10)
        assert not thread.is_alive()


def gives(engine: str, run: str) -> Lent:
    return Lent(SecretStr(TOKEN), f"octo/{engine}-{run}")


def raises(error: Exception) -> Callable[[str, str], Lent]:
    def mint(engine: str, run: str) -> Lent:
        raise error

    return mint


def test_an_engine_gets_the_token_of_its_run(ends: Sockets) -> None:
    with lending(gives, engine_1=ends[0]):
        lent = TokenAsker(ends[1]).ask(RUN, 5)
    assert lent.token is not None and lent.token.get_secret_value() == TOKEN
    assert lent.repository == f"octo/engine-1-{RUN}"
    assert "ghs_" not in repr(lent) + str(lent)


def test_a_public_repository_needs_no_token(ends: Sockets) -> None:
    with lending(lambda *_: Lent(None, "octo/hello"), engine_1=ends[0]):
        assert TokenAsker(ends[1]).ask(RUN, 5) == Lent(None, "octo/hello")


def test_who_asks_is_known_by_the_socket(ends: Sockets) -> None:
    ours, theirs = pair()
    with ours, theirs, lending(gives, engine_1=ends[0], engine_2=ours):
        assert TokenAsker(theirs).ask(RUN, 5).repository == f"octo/engine-2-{RUN}"
        assert TokenAsker(ends[1]).ask(RUN, 5).repository == f"octo/engine-1-{RUN}"


def test_each_kind_of_error_arrives_as_what_it_is(ends: Sockets) -> None:
    with (
        lending(raises(NotThere("not installed there", 404, "Not Found")), engine_1=ends[0]),
        pytest.raises(GiveUp, match=r"^not installed there$"),
    ):
        TokenAsker(ends[1]).ask(RUN, 5)
    with (
        lending(raises(TellUser("the clock is wrong", "Set it.")), engine_1=ends[0]),
        pytest.raises(TellUser) as told,
    ):
        TokenAsker(ends[1]).ask(RUN, 5)
    assert (told.value.problem, told.value.hint) == ("the clock is wrong", "Set it.")
    with (
        lending(raises(RetryLater("limited", 1_234.5)), engine_1=ends[0]),
        pytest.raises(RetryLater, match="limited") as later,
    ):
        TokenAsker(ends[1]).ask(RUN, 5)
    assert later.value.after_s == 1_234.5
    with (
        lending(raises(BadToken("expired", "Bad credentials")), engine_1=ends[0]),
        pytest.raises(RetryLater, match="expired"),
    ):
        TokenAsker(ends[1]).ask(RUN, 5)


@pytest.mark.parametrize("why", ["x" * 1_000_000, "\ud800 half a character", "\x00\x1b[2J", ""])
def test_any_explanation_arrives_bounded(ends: Sockets, why: str) -> None:
    with lending(raises(GiveUp(why)), engine_1=ends[0]), pytest.raises(GiveUp) as given_up:
        TokenAsker(ends[1]).ask(RUN, 5)
    assert len(str(given_up.value)) <= MAX_SAID_CHARS


@pytest.mark.parametrize("after_s", [float("inf"), float("nan"), -1.0])
def test_an_impossible_pause_still_arrives_as_a_pause(ends: Sockets, after_s: float) -> None:
    with (
        lending(raises(RetryLater("busy", after_s)), engine_1=ends[0]),
        pytest.raises(RetryLater, match="busy") as later,
    ):
        TokenAsker(ends[1]).ask(RUN, 5)
    assert 0 <= later.value.after_s <= 86_400


def test_a_bug_in_the_github_role_is_told_as_try_later_and_ends_nothing(ends: Sockets) -> None:
    failures = [ZeroDivisionError("hush"), None]

    def mint(engine: str, run: str) -> Lent:
        if error := failures.pop(0):
            raise error
        return gives(engine, run)

    with lending(mint, engine_1=ends[0]):
        with pytest.raises(RetryLater) as later:
            TokenAsker(ends[1]).ask(RUN, 5)
        assert "hush" not in str(later.value)
        assert TokenAsker(ends[1]).ask(RUN, 5).token is not None


def test_no_answer_in_time_is_to_be_tried_later(ends: Sockets) -> None:
    began = time.monotonic()
    with pytest.raises(RetryLater, match="no token within"):
        TokenAsker(ends[1]).ask(RUN, 0.3)
    assert 0.25 < time.monotonic() - began < 3


def test_a_question_waits_for_a_github_role_that_is_only_starting(ends: Sockets) -> None:
    answers: list[Lent] = []
    asking = threading.Thread(target=lambda: answers.append(TokenAsker(ends[1]).ask(RUN, 20)))
    asking.start()
    time.sleep(0.3)
    with lending(gives, engine_1=ends[0]):
        asking.join(10)
    assert answers[0].token is not None


def test_a_question_that_died_with_its_reader_is_asked_again(ends: Sockets) -> None:
    answers: list[Lent] = []
    asker = TokenAsker(ends[1], again_s=0.3)
    asking = threading.Thread(target=lambda: answers.append(asker.ask(RUN, 20)))
    asking.start()
    assert RUN in ends[0].recv(4_096).decode()  # a github role that read it, and was killed
    with lending(gives, engine_1=ends[0]):
        asking.join(10)
    assert answers[0].token is not None


def test_answers_to_an_engine_that_is_dead_are_dropped_by_the_next(ends: Sockets) -> None:
    with lending(lambda *_: Lent(SecretStr("old"), "octo/old"), engine_1=ends[0]):
        for _ in range(3):
            ends[1].send(b'{"nonce":"' + b"0" * 32 + b'","run":"' + RUN.encode() + b'"}')
        ends[0].send(b"half an ans")
        time.sleep(0.3)
    with lending(gives, engine_1=ends[0]):
        lent = TokenAsker(ends[1]).ask(RUN, 5)
    assert lent.repository == f"octo/engine-1-{RUN}"


GARBAGE = [
    b"",
    b"\x00",
    b"\xff" * 100,
    b"{}",
    b"null",
    b"[" * 500,
    b'{"nonce":"x","run":"' + RUN.encode() + b'"}',
    b'{"nonce":"' + b"0" * 32 + b'","run":"../../etc/passwd"}',
    b'{"nonce":"' + b"0" * 32 + b'","run":""}',
    b'{"nonce":"' + b"0" * 32 + b'","run":7}',
    b'{"nonce":"' + b"0" * 32 + b'","run":"' + RUN.encode() + b'","engine":"engine-2"}',
    b'{"nonce":"' + b"0" * 32 + b'","run":"' + RUN.encode() + b'"}' + b" " * 5_000,
    b'{"nonce":"' + b"0" * 32 + b'","run":"' + RUN.encode() + b'\\n"}',
]


def test_garbage_of_an_engine_reaches_nobody_and_stops_nothing(ends: Sockets) -> None:
    asked: list[tuple[str, str]] = []

    def mint(engine: str, run: str) -> Lent:
        asked.append((engine, run))
        return gives(engine, run)

    with lending(mint, engine_1=ends[0]):
        for message in GARBAGE:
            ends[1].send(message)
        assert TokenAsker(ends[1]).ask(RUN, 10).token is not None
    assert asked == [("engine-1", RUN)]


def test_an_engine_that_reads_nothing_does_not_stop_the_lender(ends: Sockets) -> None:
    ends[1].settimeout(10)
    counted = []
    with lending(lambda *a: (counted.append(a), gives(*a))[1], engine_1=ends[0]):
        for number in range(300):
            ends[1].send(f'{{"nonce":"{number:032x}","run":"{RUN}"}}'.encode())
        until = time.monotonic() + 10
        while len(counted) < 300 and time.monotonic() < until:
            time.sleep(0.02)
    assert len(counted) == 300


def test_a_slow_answer_to_one_engine_does_not_hold_up_another(ends: Sockets) -> None:
    release = threading.Event()
    ours, theirs = pair()

    def mint(engine: str, run: str) -> Lent:
        if engine == "engine-1":
            assert release.wait(20)
        return gives(engine, run)

    with ours, theirs, lending(mint, engine_1=ends[0], engine_2=ours):
        slow = threading.Thread(target=lambda: TokenAsker(ends[1]).ask(RUN, 20))
        slow.start()
        assert TokenAsker(theirs).ask(RUN, 5).token is not None
        assert slow.is_alive()
        release.set()
        slow.join(10)
        assert not slow.is_alive()


def test_a_run_that_has_no_such_id_is_never_asked_for(ends: Sockets) -> None:
    with pytest.raises(ValueError, match="run"):
        TokenAsker(ends[1]).ask("../x", 1)
    ends[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        ends[0].recv(1)


def test_a_process_finds_its_sockets_by_name(ends: Sockets) -> None:
    numbers = [os.dup(end.fileno()) for end in ends]
    found = inherited({BROKER_FDS: f"engine-1={numbers[0]},engine-12={numbers[1]}"})
    assert list(found) == ["engine-1", "engine-12"]
    with found["engine-1"], found["engine-12"], lending(gives, engine_1=found["engine-1"]):
        assert TokenAsker(found["engine-12"]).ask(RUN, 5).token is not None
    assert inherited({}) == {}
    for bad in ("engine-1", "engine-1=x", "=3", "engine-1=-1"):
        with pytest.raises(GiveUp):
            inherited({BROKER_FDS: bad})
