"""What the store knows of our threads, and what GitHub is therefore not asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, update

from app.github.client import Hub
from app.jobs import Command, Look, Reply, step
from app.store import ENGINE, PUBLISH
from app.store.tables import RUNS, THREADS
from tests.app.github.test_publish import FIFTY, NEW, OLD, TEN, report, text
from tests.app.test_checklist import Desk
from tests.github import review_rules
from tests.github.hub import FakeGitHub

QUESTION = "Why would anybody want that to be changed?"


class Reviewed(Desk):
    """A pull request that was reviewed, with two threads of ours."""

    def __init__(self, fake: FakeGitHub, folder: Path) -> None:
        super().__init__(fake, folder)
        base = self.repo.commit({"a.txt": text(OLD)})
        self.pull = self.repo.pull(base, self.repo.commit({"a.txt": text(NEW)}, base), author="bob")

    def review(self, trigger: Any = "opened") -> None:
        """Review as an engine would, and publish."""
        self.put(Look(**self.place(), trigger=trigger).job())
        self.go()
        self.reviewed()
        self.go()

    def reviewed(self) -> None:
        job = self.store.claim(ENGINE, "engine-1", 60)
        assert job is not None
        (run,) = self.store.open_runs()
        found = report([TEN, FIFTY])
        self.store.reviewed(job, run.id, step(PUBLISH, run), report=found.model_dump_json())

    def replied(self, first: Any, who: str, said: str) -> list[str]:
        """Have somebody answer, and hear it; return the requests that this takes."""
        made = review_rules.answer(first, self.fake.user(who), said)
        where = {"comment_id": made.id, "thread": first.id, "body": said, "sender": who}
        before = len(self.fake.requests)
        self.put(Reply(**self.place(), **where).job())
        self.go()
        return [one.path for one in self.fake.requests[before:]]

    @property
    def ours(self) -> list[Any]:
        return [one for one in self.pull.review_comments if one.user.login == self.app.actor]

    def theirs(self) -> Any:
        """Have somebody begin a thread of their own."""
        at = {"path": "a.txt", "line": 10, "side": "RIGHT", "commit_id": self.pull.head}
        path = f"/repos/{self.repo.full_name}/pulls/{self.pull.number}/comments"
        with Hub(self.server, SecretStr(self.fake.token("alice")), write_pause_s=0) as hub:
            made = hub.ask("comment", "POST", path, {"body": "Is this so?", **at})
        return next(one for one in self.pull.review_comments if one.id == made["id"])

    def states(self) -> list[str]:
        return [one.state for one in self.store.threads_of(self.repo.id, self.pull.number)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Reviewed]:
    with FakeGitHub(tmp_path / "hub") as fake:
        desk = Reviewed(fake, tmp_path)
        yield desk
        desk.store.close()


def test_a_published_review_notes_its_threads(desk: Reviewed) -> None:
    desk.review()
    (run,) = desk.store.runs_of(desk.repo.id, desk.pull.number)
    known = desk.store.threads_of(desk.repo.id, desk.pull.number)
    assert [(one.first, one.run, one.node, one.state) for one in known] == [
        (one.id, run.id, "", "open") for one in desk.ours
    ]
    assert all(one.url.endswith(f"#discussion_r{one.first}") for one in known)
    assert len({one.finding for one in known}) == 2


def test_an_answer_in_a_thread_of_others_is_dropped_without_a_question(desk: Reviewed) -> None:
    theirs = desk.theirs()
    asked = desk.replied(theirs, "mallory", QUESTION)
    assert len(asked) >= 1  # nothing was reviewed here: nobody knows
    desk.review()
    assert desk.replied(theirs, "mallory", QUESTION) == []
    assert desk.replied(theirs, "alice", "Won't fix.") == []
    known = len(desk.replied(desk.ours[0], "mallory", QUESTION))
    with desk.store.database.write() as db:  # as a store that lost its rows, or is of before
        db.execute(delete(THREADS))
        db.execute(update(RUNS).values(noted=0))
    assert len(desk.replied(desk.ours[0], "mallory", QUESTION)) == known + 1
    assert len(desk.replied(theirs, "mallory", QUESTION)) == 1
    desk.replied(desk.ours[0], "alice", "Won't fix.")
    assert len(desk.store.dismissed(desk.repo.id)) == 1


def test_while_a_review_goes_on_github_is_asked(desk: Reviewed) -> None:
    desk.review()
    theirs = desk.theirs()
    desk.pull.push(desk.repo.commit({"a.txt": text([*NEW, "more"])}, desk.pull.head))
    desk.put(Look(**desk.place(), trigger="ready").job())
    desk.go()
    assert len(desk.replied(theirs, "mallory", QUESTION)) == 1
    desk.reviewed()
    desk.go()
    assert desk.replied(theirs, "mallory", QUESTION) == []


def test_what_becomes_of_a_thread_is_noted(desk: Reviewed) -> None:
    desk.review()
    one, other = desk.ours
    desk.replied(one, "alice", "Won't fix.")
    assert desk.states() == ["dismissed", "open"]
    desk.store.thread_became(desk.repo.id, one.id, "answered")
    desk.store.thread_became(desk.repo.id, other.id, "answered")
    assert desk.states() == ["dismissed", "answered"]
    comment = desk.pull.comment("alice", "/rlm resolve")
    said = {"comment_id": comment.id, "body": comment.body, "sender": "alice"}
    desk.put(Command(**desk.place(), **said).job())
    desk.go()
    assert set(desk.states()) <= {"resolved", "folded"}
