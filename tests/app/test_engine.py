"""What leaves an engine: bounded, and without what only its owner should read; and when it waits."""

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.broker import TokenAsker, pair
from app.engine import SERVICE_FAILED, discreet
from app.github import cache
from app.github.errors import AwayTooLong, Outage
from app.github.transport import Denied, explain
from app.github.urls import Server
from app.health import Health
from app.jobs import step
from app.report import Report
from app.roles.engine import (
    MAX_REASONS,
    MAX_REPORT_BYTES,
    MISCONFIGURED,
    WAITS_FOR_ROOM,
    _do,
    _Done,
    _Engine,
    _explained,
    bounded,
)
from app.settings import Settings
from app.store import ENGINE, GITHUB, REVIEW, NewRun, Store
from app.store.tables import JOBS
from app.worker import attempt
from reviewer.errors import GiveUp, NoRoom, TellUser
from reviewer.request import Coverage, Review, Skipped, StopReason
from reviewer.rlm.trace import NodeEnded
from tests.app.render.samples import review

SECRET = "http://gateway.internal:8080 refused the key: vault/prod/llm is expired. Set IT."


def stopped(reason: StopReason) -> Review:
    skipped = [Skipped(path="a.py", hunks=2, reason=SECRET), Skipped(path="b", hunks=1, reason="x")]
    return review().model_copy(
        update={
            "status": "partial",
            "stopped": reason,
            "notes": ["kept", SECRET],
            "coverage": Coverage(hunks=3, reviewed=0, skipped=skipped),
        }
    )


def test_what_the_models_service_said_is_not_for_the_pull_request() -> None:
    told = discreet(stopped(StopReason.MODEL), [SECRET])
    assert "gateway.internal" not in told.model_dump_json()
    assert told.notes == ["kept", SERVICE_FAILED]
    assert [one.reason for one in told.coverage.skipped] == [SERVICE_FAILED, "x"]


def test_other_reasons_are_told_as_they_are() -> None:
    done = stopped(StopReason.BUDGET)
    assert discreet(done, [SECRET]) == done


def test_a_report_of_many_files_set_aside_names_reasons_and_loses_no_hunk() -> None:
    reasons = [f"reason {number % (MAX_REASONS * 2)}" for number in range(3_000)]
    skipped = [
        Skipped(path=f"{number:04}" + "x" * 1_000, hunks=number % 3, reason=reason)
        for number, reason in enumerate(reasons)
    ]
    hunks = sum(one.hunks for one in skipped)
    coverage = Coverage(hunks=hunks, reviewed=0, skipped=skipped)
    whole = Report(review=review().model_copy(update={"coverage": coverage}), anchors={}, code={})
    told = bounded(whole)
    assert len(told.model_dump_json()) < MAX_REPORT_BYTES // 10
    assert sum(one.hunks for one in told.review.coverage.skipped) == hunks
    assert len(told.review.coverage.skipped) == MAX_REASONS + 1
    small = whole.model_copy(update={"review": review()})
    assert bounded(small) == small


def test_a_pull_request_is_not_told_how_the_server_is_set_up() -> None:
    assert _explained(TellUser("The price list /etc/rlm/prices.toml is bad", "Mend it.")) == (
        MISCONFIGURED
    )
    assert _explained(Denied("github.com does not let us read", "Set GITHUB_TOKEN.")) == (
        "github.com does not let us read"
    )
    assert _explained(GiveUp("The repository has more than 10 GB")).endswith("10 GB")


# A disk without room -----------------------------------------------------------------------------

SERVER = Server("https://github.com", "https://api.github.com")


def system() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def git() -> None:
    said = "error: unable to write file: No space left on device"
    raise explain(said, SERVER, with_token=True, folder=Path("/"))


def what_is_fetched(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cache, "LEFT_BYTES", 1 << 60)
    (folder / "x.git").mkdir(exist_ok=True)
    cache.check_size(folder / "x.git")


class Full(_Engine):
    """An engine whose disk has no room for what it fetches, until there is some."""

    def _run(self, *_: Any) -> _Done:
        for refusal in REFUSALS[:1]:
            refusal()
        return _Done("{}", 0.0, 1)


REFUSALS: list[Any] = []


@pytest.fixture
def refusals() -> Iterator[list[Any]]:
    yield REFUSALS
    REFUSALS.clear()


@pytest.mark.parametrize("how", ["system", "git", "fetched"])
def test_a_run_waits_for_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: list[Any], how: str
) -> None:
    store = Store(tmp_path / "rlm.sqlite3")
    fetched = partial(what_is_fetched, tmp_path, monkeypatch)
    refusals.append({"system": system, "git": git, "fetched": fetched}[how])
    run = NewRun("1" * 16, 1, 2, "octo/hello", 3, "o", '{"trigger": "opened"}', "b" * 40, "a" * 40)
    store.begin(run, step(REVIEW, run))
    engine = Full(
        store,
        Settings(github=SERVER, home=tmp_path),
        SERVER,
        TokenAsker(pair()[0]),
        threading.Event(),
    )
    health = Health(store, "engine-1", "no model")
    do = partial(_do, engine, health, "no model")

    def tries() -> None:
        with store.database.write() as db:
            db.execute(update(JOBS).values(not_before=0))
        job = store.claim(ENGINE, "engine-1", 60)
        assert job is not None and job.attempts == 1
        attempt(store, job, do, engine.lost, engine.stopping)

    for _ in range(10):
        tries()
    known = store.run(run.id)
    assert known is not None and (known.state, known.problem) == ("open", "")
    assert known.progress == WAITS_FOR_ROOM
    assert "full" in health.problem or "less than" in health.problem
    refusals.clear()
    tries()
    known = store.run(run.id)
    assert known is not None and known.report == "{}"
    assert health.problem == "no model"
    with store.database.read() as db:
        assert db.scalars(select(JOBS.c.kind)).all() == ["publish"]
    store.close()


class Once(_Engine):
    """An engine that reviews once, or gives up."""

    def _run(self, run: Any, *_: Any) -> _Done:
        assert not run.report and not run.problem
        if run.number == 4:
            raise GiveUp("it cannot be read")
        return _Done('{"first": 1}', 0.5, 1)


@pytest.mark.parametrize("number", [3, 4])
def test_a_second_review_of_one_run_by_an_earlier_version_is_none(
    tmp_path: Path, number: int
) -> None:
    store = Store(tmp_path / "rlm.sqlite3")
    wish = '{"trigger": "opened"}'
    run = NewRun("1" * 16, 1, 2, "octo/hello", number, "o", wish, "b" * 40, "a" * 40)
    store.begin(run, step(REVIEW, run))
    store.put(step(REVIEW, run))  # as earlier versions end the job that showed a run
    settings = Settings(github=SERVER, home=tmp_path)
    engine = Once(store, settings, SERVER, TokenAsker(pair()[0]), threading.Event())
    for _ in range(2):
        job = store.claim(ENGINE, "engine-1", 60)
        assert job is not None and store.claim(ENGINE, "engine-2", 60) is None
        attempt(store, job, engine.do, engine.lost, engine.stopping)
    known = store.run(run.id)
    assert known is not None and (known.report, known.problem) == (
        ("", "it cannot be read") if number == 4 else ('{"first": 1}', "")
    )
    with store.database.read() as db:
        assert db.scalars(select(JOBS.c.kind)).all() == ["publish"]
    store.close()


def test_a_job_of_a_kind_that_is_not_known_is_no_review(tmp_path: Path) -> None:
    store = Store(tmp_path / "rlm.sqlite3")
    wish = '{"trigger": "opened"}'
    run = NewRun("1" * 16, 1, 2, "octo/hello", 3, "o", wish, "b" * 40, "a" * 40)
    store.begin(run, replace(step(REVIEW, run), kind="novel"))
    settings = Settings(github=SERVER, home=tmp_path)
    engine = Once(store, settings, SERVER, TokenAsker(pair()[0]), threading.Event())
    job = store.claim(ENGINE, "engine-1", 60)
    assert job is not None
    attempt(store, job, engine.do, engine.lost, engine.stopping)
    known = store.run(run.id)
    assert known is not None and (known.state, known.report) == ("open", "")
    with store.database.read() as db:
        why = "Not known to this version: novel"
        assert db.execute(select(JOBS.c.kind, JOBS.c.why)).all() == [("novel", why)]
    store.close()


@pytest.mark.parametrize(("error", "away"), [(AwayTooLong("GitHub"), 1), (GiveUp("bad"), 0)])
def test_a_run_notes_that_an_outage_ended_it(tmp_path: Path, error: GiveUp, away: int) -> None:
    store = Store(tmp_path / "rlm.sqlite3")
    run = NewRun("1" * 16, 1, 2, "octo/hello", 3, "o", '{"trigger": "opened"}', "b" * 40, "a" * 40)
    store.begin(run, step(REVIEW, run))
    settings = Settings(github=SERVER, home=tmp_path)
    engine = _Engine(store, settings, SERVER, TokenAsker(pair()[0]), threading.Event())
    job = store.claim(ENGINE, "engine-1", 60)
    assert job is not None
    engine.lost(job, error)
    publication = store.claim(GITHUB, "github", 60)
    assert publication is not None
    store.ended(publication, run.id, f"problem: {error}")  # it is told, and still known
    known = store.run(run.id)
    assert known is not None and (known.away, known.problem) == (away, str(error))
    store.close()


class Away(_Engine):
    """An engine that cannot fetch; or, once its model was asked, not go on."""

    def _checkout(self, *_: Any) -> Any:
        raise Outage("GitHub", 1.0)


class AwayLater(_Engine):
    def _run(self, run: Any, budget_usd: Any, watch: Any) -> _Done:
        watch.see(NodeEnded("1", "partial"))
        raise Outage("GitHub", 1.0)


def test_what_an_outage_ends_before_a_model_is_asked_costs_nothing(tmp_path: Path) -> None:
    assert _spent_on_outages(tmp_path, Away) == (0.0, 0.0)


def test_what_may_have_paid_before_an_outage_counts(tmp_path: Path) -> None:
    assert _spent_on_outages(tmp_path, AwayLater, Away) == (2.0, 2.0)


def _spent_on_outages(tmp_path: Path, *engines: type[_Engine]) -> tuple[float, float]:
    """Return what a month and a pull request have spent on a run that these try in turn."""
    store = Store(tmp_path / "rlm.sqlite3")
    run = NewRun("1" * 16, 1, 2, "octo/hello", 3, "o", '{"trigger": "opened"}', "b" * 40, "a" * 40)
    store.begin(run, step(REVIEW, run))
    settings = Settings(github=SERVER, home=tmp_path, budget_usd=2.0, anthropic_api_key="key")
    for engine in engines:
        one = engine(store, settings, SERVER, TokenAsker(pair()[0]), threading.Event())
        job = store.claim(ENGINE, "engine-1", 60)
        assert job is not None
        with pytest.raises(Outage):
            one.do(job)
        store.again(job, "away", 0.0, counts=False, away=True)
    job = store.claim(ENGINE, "engine-1", 60)
    assert job is not None
    one.lost(job, AwayTooLong("GitHub"))
    spent = store.spent_this_month(1), store.spent_by_pull(2, 3)
    store.close()
    return spent


def test_a_full_disk_is_told_from_a_folder_that_may_not_be_written() -> None:
    for number, full in ((errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)):
        error = cache._not_writable(Path("/h/x.git"), OSError(number, os.strerror(number)))
        assert isinstance(error, NoRoom) == full
