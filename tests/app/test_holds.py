"""Whom GitHub wants no requests of: remembered by the store, and kept to by whoever asks."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from app.github.auth import AppAuth
from app.github.client import Hub, Pace
from app.github.errors import Limited
from app.github.urls import Server
from app.operations import GITHUB_PAUSE_S
from app.roles.github import _App
from app.store import ENGINE, REVIEW, NewJob, NewRun, Store
from app.store.holds import FIRST_HOLD_S, LONGEST_HOLD_S
from app.store.tables import HOLDS
from tests.app.writing_desk import GRANTED, Desk
from tests.github.hub import FakeGitHub

SECONDARY = {"message": "You have exceeded a secondary rate limit."}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "holds.sqlite3")
    yield made
    made.close()


def passes(store: Store) -> None:
    """Let all holds be over."""
    with store.database.write() as db:
        db.execute(update(HOLDS).values(until=time.time() - 1))


def test_what_github_says_holds_and_what_it_leaves_open_doubles(store: Store) -> None:
    assert store.held(1) is None
    assert store.hold(1, 100.0) == pytest.approx(100, abs=1)
    assert store.held(1) == pytest.approx(100, abs=1) and store.held(2) is None
    assert store.hold(1, 10.0) == pytest.approx(100, abs=1)  # the longest holds
    passes(store)
    pauses = []
    for _ in range(8):
        assert store.held(1) == 0
        pauses.append(round(store.hold(1, None)))
        assert round(store.hold(1, None)) == pauses[-1]  # another job, refused at the same time
        passes(store)
    assert pauses == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]
    store.let_ask(1)
    assert store.held(1) is None
    assert store.hold(1, None) == pytest.approx(FIRST_HOLD_S, abs=1)
    store.let_ask(1)  # what was asked before the refusal ends no hold
    assert store.held(1)


def test_a_hold_by_a_clock_that_ran_ahead_is_over(store: Store) -> None:
    store.hold(1, 10.0)
    with store.database.write() as db:
        db.execute(update(HOLDS).values(until=time.time() + 2 * LONGEST_HOLD_S))
    assert store.held(1) == 0
    assert store.hold(1, 10.0) == pytest.approx(10, abs=1)


class Held:
    """Two processes of the github role, and what GitHub was asked."""

    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        self.desk = Desk(fake, folder)
        self.store = self.desk.store

    def app(self, pause_s: float = GITHUB_PAUSE_S) -> _App:
        auth = AppAuth(self.desk.server, str(self.desk.app.id), SecretStr(self.desk.app.pem))
        return _App(self.desk.server, auth, self.desk.app.actor, self.store, pause_s)

    def asks(self, app: _App) -> None:
        with app.connect(self.desk.installation.id, self.desk.repo.id) as hub:
            hub.ask("look", "GET", f"/repos/{self.desk.repo.full_name}/pulls/1")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    with FakeGitHub(tmp_path) as fake:
        made = Held(fake, tmp_path)
        yield made
        made.store.close()


def test_a_refusal_keeps_every_process_from_asking_until_it_is_over(held: Held) -> None:
    one, other, fake = held.app(), held.app(), held.desk.fake
    held.asks(other)
    fake.fault(path=r"/pulls/1$", status=403, body=SECONDARY, times=2)
    with pytest.raises(Limited) as told:
        held.asks(one)
    assert told.value.after_s == pytest.approx(60, abs=1)
    before = len(fake.requests)
    for app in (one, other):
        with pytest.raises(Limited) as told:
            held.asks(app)
        assert told.value.after_s == pytest.approx(60, abs=2)
    assert len(fake.requests) == before
    passes(held.store)
    with pytest.raises(Limited) as told:
        held.asks(other)
    assert told.value.after_s == pytest.approx(120, abs=1)
    passes(held.store)
    held.asks(one)
    with held.store.database.read() as db:
        assert db.execute(select(HOLDS)).all() == []


def test_an_engine_gets_no_token_to_begin_with_before_a_hold_is_over(held: Held) -> None:
    app, fake, desk = held.app(), held.desk.fake, held.desk
    new = NewRun(
        "1" * 16, desk.installation.id, desk.repo.id, desk.repo.full_name, desk.pull.number,
        "o", "{}", desk.base, desk.head,
    )  # fmt: skip
    assert held.store.begin(new, NewJob(ENGINE, REVIEW, "k", "{}"))
    run = held.store.run(new.id)
    assert run is not None
    held.store.hold(run.installation, 100.0)
    before = len(fake.requests)
    with pytest.raises(Limited) as told:
        app.lend(run)
    assert told.value.after_s == pytest.approx(100, abs=1)
    assert len(fake.requests) == before
    passes(held.store)
    first = app.lend(run).get_secret_value()
    held.store.hold(run.installation, 100.0)
    assert app.lend(run).get_secret_value() != first  # it is under way
    passes(held.store)
    fake.fault(path="/access_tokens$", status=403, body=SECONDARY)
    with pytest.raises(Limited):
        held.app().lend(run)
    assert held.store.held(run.installation) == pytest.approx(60, abs=1)


def test_the_writes_of_one_installation_are_spaced_over_its_jobs(held: Held) -> None:
    desk, pace = held.desk, Pace(0.3)
    token = desk.auth.installation_token(desk.installation.id, desk.repo.id, GRANTED).value
    path = f"/repos/{desk.repo.full_name}/issues/1/comments"
    written: list[float] = []

    def write() -> None:
        server = Server(desk.fake.web, desk.fake.api)
        with Hub(server, token, write_pause_s=0, pace=pace) as hub:
            hub.ask("comment", "POST", path, {"body": "x"})
            written.append(time.monotonic())

    threads = [threading.Thread(target=write) for _ in range(3)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 3 and max(written) - begun >= 0.6
    app = held.app()
    with app.connect(desk.installation.id, desk.repo.id):
        assert list(app.paces) == [desk.installation.id]


def test_writes_are_as_far_apart_as_whoever_runs_the_server_says(held: Held) -> None:
    desk, app = held.desk, held.app(1.2)
    path = f"/repos/{desk.repo.full_name}/issues/1/comments"
    written: list[float] = []
    for _ in range(2):
        with app.connect(desk.installation.id, desk.repo.id) as hub:
            hub.ask("comment", "POST", path, {"body": "x"})
            written.append(time.monotonic())
    assert written[1] - written[0] >= 1.1  # and not the second that it is else
