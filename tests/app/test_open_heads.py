"""Open heads that nobody told us of, and check runs that nobody ends: found, and dealt with once."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from app.github import check_runs, listings, pages
from app.github.auth import AppAuth
from app.github.check_runs import ExternalId
from app.github.client import Hub
from app.github.urls import Server
from app.jobs import Look
from app.measures import COUNTS, UNRECONCILED
from app.open_heads import BEFORE_S, LOOKS, MOST_AWAY, ORPHAN_S, YOUNG_S, OpenHeads
from app.store import GITHUB, OPEN, PUBLISH, Job, NewJob, NewRun, Store
from app.store.tables import WATCHED
from tests.github import shapes
from tests.github.hub import FakeCheckRun, FakeGitHub, FakePull, FakeRepo

ACTOR = "rlm-review[bot]"
LONG_S = YOUNG_S + ORPHAN_S


class Scene:
    """An App with an installation of two repositories, and a store; all of it from an hour ago."""

    def __init__(self, fake: FakeGitHub, store: Store, **install: Any) -> None:
        self.fake, self.store = fake, store
        self.app = fake.app("rlm-review")
        self.app.created -= 2 * BEFORE_S
        self.repo = fake.repository("octo/hello", private=True)
        self.other = fake.repository("octo/other", private=True)
        self.installation = self.app.install(self.repo, self.other, **install)
        self.server = Server(fake.web, fake.api)

    def opened(
        self, repo: FakeRepo | None = None, *, ago_s: float = LONG_S, **how: Any
    ) -> FakePull:
        """Open a pull request a while ago, and tell nobody."""
        repo = repo or self.repo
        base = repo.commit({"a.py": b"one\n"})
        pull = repo.pull(base, repo.commit({"a.py": b"%d\n" % len(repo.pulls)}, base), **how)
        pull.created -= ago_s
        pull.updated -= ago_s
        return pull

    def check(
        self, pull: FakePull, *, run: str = "a" * 16, ago_s: float = LONG_S, **how: Any
    ) -> FakeCheckRun:
        """Leave a check run of ours on a head."""
        state, repo = self.fake.state, pull.repo
        made = FakeCheckRun(
            state.next_id(),
            repo,
            self.app.slug,
            repo.suite(self.app.slug, pull.head),
            check_runs.NAME,
            pull.head,
            how.pop("status", "in_progress"),
            shapes.stamp(time.time() - ago_s),
            external_id=str(ExternalId(repo.full_name, pull.number, run)),
            **how,
        )
        repo.check_runs.append(made)
        return made

    def heads(self, store: Store | None = None) -> OpenHeads:
        """Return a reconciler as a server that has just started has it."""
        auth = AppAuth(self.server, str(self.app.id), SecretStr(self.app.pem))

        def connect(
            installation: int, repository: int | None, wish: dict[str, str]
        ) -> AbstractContextManager[Hub]:
            token = auth.installation_token(installation, repository, wish).value
            return Hub(self.server, token, actor=ACTOR, write_pause_s=0)

        return OpenHeads(
            auth,
            store or self.store,
            lambda installation: connect(installation, None, LOOKS),
            lambda installation, repository: connect(installation, repository, {"checks": "write"}),
            ACTOR,
        )

    def again(self, heads: OpenHeads) -> int:
        """Make another round as if time had passed: repositories that were looked at are due."""
        with self.store.database.write() as db:
            db.execute(update(WATCHED).values(looked=WATCHED.c.looked - 1_000))
        return heads()

    def run(self, pull: FakePull, name: str = "a" * 16) -> Job:
        """Begin a run over a pull request's head; return the job that it begins with."""
        new = NewRun(
            name, self.installation.id, pull.repo.id, pull.repo.full_name, pull.number,
            f"head:{pull.base}:{pull.head}:{name}", "{}", pull.base, pull.head,
        )  # fmt: skip
        assert self.store.begin(new, NewJob(GITHUB, OPEN, f"run:{name}", "{}"))
        job = self.store.claim(GITHUB, "w", 60)
        assert job is not None
        return job

    def looks(self) -> list[int]:
        """The numbers of the pull requests that are to be looked at."""
        found = []
        while job := self.store.claim(GITHUB, "w", 60):
            assert job.kind == Look.kind
            look = Look.model_validate_json(job.payload)
            assert look.trigger == "missed"
            found.append(look.number)
            self.store.done(job)
        return sorted(found)

    def asked(self, path: str = "") -> int:
        return len(self.fake.asked("GET", path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite3")
    yield store
    store.close()


@pytest.fixture
def scene(tmp_path: Path, store: Store) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake, store)


def test_where_there_are_more_than_are_listed_those_that_changed_last_are_looked_at(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    monkeypatch.setattr(listings, "MOST_OPEN_PAGES", 1)
    old, *others = (scene.opened(ago_s=LONG_S + 100 - n) for n in range(4))
    old.updated = others[-1].updated + 1  # pushed to, a while ago
    assert scene.heads()() == 2
    assert sorted(scene.looks()) == sorted([old.number, others[-1].number])


def test_an_open_head_that_nobody_told_us_of_is_looked_at(scene: Scene) -> None:
    scene.opened()
    scene.opened(scene.other, fork="bob/other")
    assert scene.heads()() == 2
    assert scene.looks() == [1, 1]


@pytest.mark.parametrize(
    "why", ["draft", "closed", "ours", "young", "older than the App", "paused", "finished"]
)
def test_what_nobody_would_have_reviewed_is_left_alone(scene: Scene, why: str) -> None:
    ago_s = {"young": 0.0, "older than the App": 3 * BEFORE_S}.get(why, LONG_S)
    author = ACTOR if why == "ours" else "bob"
    pull = scene.opened(ago_s=ago_s, draft=why == "draft", author=author)
    if why == "closed":
        pull.close()
    if why == "paused":
        scene.store.pause(scene.repo.id, pull.number, "alice")
    if why == "finished":
        scene.check(pull, status="completed", conclusion="success")
    assert scene.heads()() == 0
    assert scene.looks() == []


def test_a_repository_that_was_looked_at_by_a_clock_that_ran_ahead_is_due(scene: Scene) -> None:
    heads = scene.heads()
    assert heads() == 0
    scene.opened()
    assert heads() == 0, "it was looked at just now"
    with scene.store.database.write() as db:
        db.execute(update(WATCHED).values(looked=time.time() + 30 * 86_400))
    assert heads() == 1


def test_what_was_opened_long_before_its_repository_was_known_is_left_alone(scene: Scene) -> None:
    scene.opened(ago_s=BEFORE_S + 600)
    assert scene.heads()() == 0


def test_a_push_that_was_missed_on_a_pull_request_that_was_reviewed_is_looked_at(
    scene: Scene,
) -> None:
    pull = scene.opened(ago_s=3 * BEFORE_S)
    scene.store.ended(scene.run(pull), "a" * 16, "posted")
    heads = scene.heads()
    assert heads() == 0
    pull.push(scene.repo.commit({"a.py": b"pushed\n"}, pull.base))
    pull.updated -= LONG_S
    assert scene.again(heads) == 1
    assert scene.looks() == [pull.number]


@pytest.mark.parametrize(
    ("outcome", "found"),
    [("posted", 0), ("problem: no model", 0), ("lost: nobody can", 0), ("stale", 1), ("closed", 1)],
)
def test_a_run_that_has_ended_settles_its_head_unless_it_said_nothing(
    scene: Scene, outcome: str, found: int
) -> None:
    pull = scene.opened()
    scene.store.ended(scene.run(pull), "a" * 16, outcome)
    assert scene.heads()() == found


@pytest.mark.parametrize("outcome", ["problem: GitHub was away", "lost: GitHub was away"])
def test_a_head_whose_review_an_outage_ended_is_looked_at_when_it_is_over_a_few_times(
    scene: Scene, outcome: str
) -> None:
    pull = scene.opened()
    heads = scene.heads()
    found = []
    for number in range(MOST_AWAY + 1):
        name = f"{number}" * 16
        scene.store.ended(scene.run(pull, name), name, outcome, away=True)
        # Its check run was ended, and told of the outage.
        scene.check(pull, run=name, status="completed", conclusion="neutral")
        found += [scene.again(heads)]
        assert scene.looks() == [pull.number] * found[-1]
    assert found == [1] * (MOST_AWAY - 1) + [0, 0]


def test_a_head_that_was_reviewed_after_an_outage_is_left_alone(scene: Scene) -> None:
    pull = scene.opened()
    scene.store.ended(scene.run(pull, "1" * 16), "1" * 16, "problem: away", away=True)
    scene.store.ended(scene.run(pull, "2" * 16), "2" * 16, "problem: no model")
    assert scene.heads()() == 0


def test_a_run_or_a_job_that_is_under_way_is_not_doubled(scene: Scene) -> None:
    scene.run(scene.opened())
    waiting = scene.opened(scene.other)
    key = f"pull:{scene.other.id}:{waiting.number}"
    scene.store.put(NewJob(GITHUB, "command", key, "{}"))
    assert scene.heads()() == 0
    assert scene.store.waiting(GITHUB) == 2


def test_two_servers_and_two_rounds_ask_once(scene: Scene) -> None:
    scene.opened()
    first, second = scene.heads(), scene.heads()
    assert [first(), second(), scene.again(first), scene.again(second)] == [1, 0, 0, 0]
    assert scene.looks() == [1]


def test_a_check_run_that_nobody_will_end_is_ended_and_says_how_to_ask_again(scene: Scene) -> None:
    check = scene.check(scene.opened())
    assert scene.heads()() == 1
    assert (check.status, check.conclusion) == ("completed", "cancelled")
    assert check.title == "This review was lost"
    assert "/rlm review" in (check.summary or "")
    assert len(check.actions) == 2
    assert scene.looks() == []  # nothing is reviewed that somebody is told to ask for
    assert scene.again(scene.heads()) == 0
    assert len(scene.fake.asked("PATCH")) == 1


def test_a_check_run_of_a_run_that_ended_is_ended_too(scene: Scene) -> None:
    pull = scene.opened()
    scene.store.ended(scene.run(pull), "a" * 16, "lost: GitHub refused")
    check = scene.check(pull)
    assert scene.heads()() == 1
    assert check.conclusion == "cancelled"


@pytest.mark.parametrize("since", ["closed", "pushed"])
def test_a_check_run_on_a_head_that_is_no_more_is_ended_by_its_run(
    scene: Scene, since: str
) -> None:
    pull = scene.opened()
    job = scene.run(pull)
    check = scene.check(pull)
    scene.store.shown(job, "a" * 16, check.id, NewJob(GITHUB, PUBLISH, "k", "{}"))
    last = scene.store.claim(GITHUB, "w", 60)
    assert last is not None
    scene.store.ended(last, "a" * 16, "lost: GitHub refused")
    if since == "closed":
        pull.close()
    else:
        pull.push(scene.repo.commit({"a.py": b"more\n"}, pull.head))
    heads = scene.heads()
    heads()
    assert (check.status, check.conclusion) == ("completed", "cancelled")
    scene.again(heads)
    assert len(scene.fake.asked("PATCH")) == 1


@pytest.mark.parametrize(
    "case", ["its run is open", "young", "another App's", "a queue's", "a sibling's"]
)
def test_a_check_run_that_somebody_may_still_end_is_left_alone(scene: Scene, case: str) -> None:
    pull = scene.opened()
    if case == "its run is open":
        scene.run(pull)
    run = check_runs.QUEUE if case == "a queue's" else "a" * 16
    check = scene.check(pull, run=run, ago_s=0 if case == "young" else LONG_S)
    if case == "another App's":
        scene.fake.app("other-app")
        check.app = "other-app"
    if case == "a sibling's":
        check.external_id = check.external_id.replace("#1:", "#2:")
    scene.heads()()
    assert check.status == "in_progress"
    assert scene.fake.asked("PATCH") == []


def test_what_did_not_change_costs_nothing_of_the_rate(scene: Scene) -> None:
    scene.check(scene.opened(), status="completed", conclusion="success")
    heads = scene.heads()
    heads()
    before = scene.asked()
    assert scene.again(heads) == 0
    again = scene.fake.asked("GET")[before:]
    assert [(seen.path, seen.status) for seen in again] == [
        ("/app/installations", 200),
        ("/installation/repositories", 304),
        ("/repos/octo/hello/pulls", 304),
        ("/repos/octo/other/pulls", 304),
    ]


def test_a_large_installation_is_gone_through_over_several_rounds(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        scene.installation.repositories.append(scene.fake.repository(f"octo/r{number}"))
    for repo in scene.installation.repositories:
        scene.opened(repo)
    monkeypatch.setattr("app.open_heads.MOST_REQUESTS", 5)  # the list, and two with a head each
    heads = scene.heads()
    found = []
    while len(found) < 10 and sum(found) < 6:
        found.append(heads())
    assert found == [2, 2, 2]


def test_half_of_the_rate_is_left_for_reviews(scene: Scene) -> None:
    scene.opened()
    scene.opened(scene.other)

    def scarce(_index: int, seen: Any, phase: str) -> None:
        if phase == "before" and seen.path == "/installation/repositories":
            scene.fake._used[seen.token] = 2_600

    scene.fake.on_request(scarce)
    assert scene.heads()() == 0
    assert scene.asked("/pulls$") == 0


def test_one_installation_that_refuses_does_not_stop_the_others(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.installation.permissions.pop("checks")
    theirs = scene.fake.repository("acme/thing")
    scene.app.install(theirs)
    scene.opened(theirs)
    caplog.set_level("INFO")
    assert scene.heads()() == 1
    assert "an installation is not looked at" in caplog.text


def test_an_installation_that_cannot_be_looked_at_is_counted(scene: Scene) -> None:
    def before() -> float:
        COUNTS.bring(scene.store)
        return scene.store.measures().get((UNRECONCILED.name, ""), (0.0, 0.0))[0]

    known = before()
    scene.fake.fault(path="/installation/repositories$", status=200, body={"repositories": 1})
    assert scene.heads()() == 0
    assert before() == known + 1


def test_a_suspended_installation_is_left_alone(scene: Scene) -> None:
    scene.opened()
    scene.installation.suspended = True
    assert scene.heads()() == 0
    assert scene.asked("/pulls$") == 0


def test_a_store_that_was_lost_takes_up_its_work_again(scene: Scene, tmp_path: Path) -> None:
    """What was finished is known from its check run, the rest is found."""
    scene.check(scene.opened(), status="completed", conclusion="neutral")
    scene.opened(scene.other)
    scene.run(scene.opened(scene.repo))
    fresh = Store(tmp_path / "fresh.sqlite3")
    scene.store = fresh
    assert scene.heads(fresh)() == 2
    assert scene.looks() == [1, 2]
    fresh.close()
