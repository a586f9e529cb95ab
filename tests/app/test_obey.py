"""What comments and answers lead to: against the fake GitHub and a real store, without a server."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app import obey as module
from app.config_rows import Configured, Row
from app.github.client import Hub
from app.github.errors import Unsure
from app.github.markers import Marker, Seal
from app.github.pulls import Pull
from app.github.replies import reply
from app.github.urls import Server
from app.jobs import Command, Reply, Wish, step
from app.obey import MOST_OF_AUTHOR, Commands, configured
from app.render.markdown import LIMIT_BYTES
from app.store import REVIEW, Dismissed, NewRun, Store
from app.write_steps import Writing
from tests.github import review_rules
from tests.github.hub import FakeGitHub

ACTOR = "rlm-review[bot]"
NAME = "octo/hello"
KEY = b"k" * 32
FINDING = "0a1b2c3d4e5f"
OBJECTION = "It's not a bug: `parse` is only called after `validate`, in line 40."


class Scene:
    """A pull request by bob with a thread of ours, and who obeys there."""

    def __init__(self, fake: FakeGitHub, store: Store) -> None:
        self.fake, self.store = fake, store
        self.repo = fake.repository(NAME, private=True)
        self.repo.permit("alice", "write")
        fake.app("rlm-review")
        base = self.repo.commit({"a.py": b"one\n"})
        head = self.repo.commit({"a.py": b"one\ntwo\n"}, base)
        self.pull = self.repo.pull(base, head, author="bob")
        self.begun: list[Wish] = []
        writing = Writing(store, lambda *_: self.hub(), self._begin, KEY)
        self.commands = Commands(store, self._begin, KEY, writing)
        seal = Seal(KEY, self.repo.id, self.pull.number)
        body = "**high: It leaks**" + seal.write(
            Marker(kind="finding", run="r" * 16, finding=FINDING)
        )
        with self.hub() as hub:
            path = f"/repos/{NAME}/pulls/{self.pull.number}/comments"
            at = {"path": "a.py", "line": 2, "side": "RIGHT", "commit_id": head}
            hub.ask("comment", "POST", path, {"body": body, **at})
        (self.thread,) = self.pull.review_comments

    def hub(self, **permissions: str) -> Hub:
        wanted = {"pull_requests": "write"} | permissions
        token = self.fake.token(actor=ACTOR, repo=self.repo, permissions=wanted)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=ACTOR, write_pause_s=0)

    def _begin(self, _hub: Hub, installation: int, pull: Pull, origin: str, wish: Wish) -> None:
        run = NewRun(
            id=f"{len(self.store.runs_of(pull.repository_id, pull.url.number)):016x}",
            installation=installation,
            repository_id=pull.repository_id,
            repository=pull.repository,
            number=pull.url.number,
            origin=origin,
            request=wish.model_dump_json(),
            base=pull.base,
            head=pull.head,
            kind=wish.kind,
        )
        if self.store.begin(run, step(REVIEW, run)):
            self.begun.append(wish)

    def _where(self, **more: Any) -> dict[str, Any]:
        where = {"installation": 1, "repository_id": self.repo.id, "repository": NAME}
        return {**where, "number": self.pull.number, **more}

    def replied(self, who: str, text: str) -> Any:
        """Have somebody answer in our thread, and hear it; return the answer."""
        said = review_rules.answer(self.thread, self.fake.user(who), text)
        where = self._where(comment_id=said.id, thread=self.thread.id, body=text, sender=who)
        with self.hub() as hub:
            self.commands.hear(hub, Reply.model_validate(where))
        return said

    def commanded(self, who: str, text: str) -> Command:
        """Have somebody give a command, and obey it; return the command."""
        comment = self.pull.comment(who, text)
        command = Command.model_validate(self._where(comment_id=comment.id, body=text, sender=who))
        self.obeyed(command)
        return command

    def obeyed(self, command: Command) -> None:
        with self.hub() as hub:
            self.commands.obey(hub, command)

    @property
    def answers(self) -> list[str]:
        return [
            re.sub(r"\s*<!--.*", "", one.body)
            for one in self.pull.comments
            if one.user.login == ACTOR
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake, closing(Store(tmp_path / "rlm.sqlite3")) as store:
        yield Scene(fake, store)


# Commands in reviews -----------------------------------------------------------------------------


def test_a_command_in_a_review_is_obeyed_once_and_answered_below(scene: Scene) -> None:
    comment = scene.pull.comment("bob", "of the same number as the review")
    where = scene._where(comment_id=comment.id, in_review=True, sender="alice")
    command = Command.model_validate(where | {"body": "/rlm cost\n/rlm review"})
    for _ in range(2):
        scene.obeyed(command)
    assert scene.answers == ["Nothing has run here, as far as I remember."]
    (wish,) = scene.begun
    assert (wish.trigger, wish.comment) == ("command", -comment.id)
    assert comment.reactions == [] and not scene.fake.asked("POST", "reactions")
    scene.obeyed(command.model_copy(update={"in_review": False}))
    assert len(scene.begun) == 2, "the comment of that number is another one"


def test_whoever_may_not_write_gives_no_command_in_a_review_either(scene: Scene) -> None:
    where = scene._where(comment_id=5, in_review=True, sender="bob", body="/rlm review")
    scene.obeyed(Command.model_validate(where))
    assert scene.begun == [] and len(scene.answers) == 1


# Answers in our threads --------------------------------------------------------------------------


def test_who_dismisses_is_thanked_and_nobody_else(scene: Scene) -> None:
    hers = scene.replied("alice", "By design.")
    assert [one.content for one in hers.reactions] == ["+1"]
    his = scene.replied("bob", "By design.")
    assert his.reactions == [] and scene.begun == []
    (known,) = scene.store.dismissed(scene.repo.id)
    assert (known.finding, known.who) == (FINDING, "alice")


def test_an_objection_in_the_words_of_a_dismissal_is_answered_where_it_dismisses_nothing(
    scene: Scene,
) -> None:
    scene.replied("bob", OBJECTION)
    assert scene.store.dismissed(scene.repo.id) == []
    (wish,) = scene.begun
    assert (wish.trigger, wish.sender) == ("reply", "bob")
    scene.replied("alice", OBJECTION)
    assert len(scene.begun) == 1 and len(scene.store.dismissed(scene.repo.id)) == 1


def test_a_reaction_that_is_refused_costs_itself(scene: Scene) -> None:
    scene.fake.fault(path=r"/reactions$", status=403)
    scene.replied("alice", "By design.")
    assert len(scene.store.dismissed(scene.repo.id)) == 1


def test_what_was_forgotten_is_dismissed_by_other_words_alone(scene: Scene) -> None:
    scene.replied("alice", "By design.")
    scene.replied("alice", "False positive.")
    scene.commanded("alice", f"/rlm forget {FINDING}")
    scene.replied("bob", "Won't fix.")
    assert scene.store.dismissed(scene.repo.id) == []
    scene.replied("alice", "Won't fix.")
    (known,) = scene.store.dismissed(scene.repo.id)
    assert known.url.endswith(str(scene.pull.review_comments[-1].id))


@pytest.mark.parametrize(
    ("text", "asked"), [("Nice!", 0), ("Why would anybody want that to be changed?", 3)]
)
def test_a_strangers_reply_costs_a_few_questions_and_no_reading_of_threads(
    scene: Scene, text: str, asked: int
) -> None:
    before = len(scene.fake.requests)
    scene.replied("mallory", text)
    seen = [one.path for one in scene.fake.requests[before:]]
    assert len(seen) == asked and not any("graphql" in path for path in seen)
    assert scene.begun == []


def test_what_maintainers_ask_is_no_answer_to_the_author(scene: Scene) -> None:
    for number in range(MOST_OF_AUTHOR):
        scene.commanded("alice", f"/rlm ask what does {number} do?")
    for number in range(MOST_OF_AUTHOR + 2):
        scene.replied("bob", f"And what about {number}?")
    assert [wish.sender for wish in scene.begun] == ["alice"] * MOST_OF_AUTHOR + [
        "bob"
    ] * MOST_OF_AUTHOR


def test_answers_on_one_pull_request_come_to_an_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    asked = [scene.commanded("alice", f"/rlm ask what does {n} do?") for n in range(3)]
    assert len(scene.begun) == 2
    assert scene.answers == [
        "I have answered 2 times on this pull request, and give no more answers here."
    ]
    scene.obeyed(asked[1])  # once more, after a kill: it is one of the two
    assert len(scene.begun) == 2 and len(scene.answers) == 1


def test_what_was_dismissed_is_listed_with_its_kind_where_it_is_known(scene: Scene) -> None:
    bare = Dismissed(FINDING, "a.py", "It leaks", "alice", "https://x/1")
    known = Dismissed(
        "1" * 12, "b.py", "It waits", "bob", "https://x/2", "concurrency", "low", "a lock is held"
    )
    scene.store.dismiss(scene.repo.id, bare, known)
    scene.commanded("alice", "/rlm memory")
    (told,) = scene.answers
    assert f"| `{FINDING}` | `a.py` | It leaks |  | `alice` |" in told
    assert f"| `{'1' * 12}` | `b.py` | It waits | low · concurrency | `bob` |" in told
    assert "a lock is held" not in told
    assert "What has a kind is known in other words, too" in told


def test_a_bar_in_what_was_dismissed_stays_in_its_cell(scene: Scene) -> None:
    said = Dismissed(FINDING, "a|b.py", "`a | b` leaks", "alice", "https://x/1")
    scene.store.dismiss(scene.repo.id, said)
    scene.commanded("alice", "/rlm memory")
    (told,) = scene.answers
    assert rf"| `{FINDING}` | `a\|b.py` | \`a \| b\` leaks |  | `alice` |" in told


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


def test_a_list_of_what_was_dismissed_ends_where_a_comment_does(scene: Scene) -> None:
    many = [
        Dismissed(f"{n:012x}", f"{FAMILY * 60}/{n}.py", FAMILY * 30, "alice", f"https://x/{n}")
        for n in range(99)
    ]
    scene.store.dismiss(scene.repo.id, *many)
    scene.commanded("alice", "/rlm memory")
    (told,) = scene.answers
    assert 50_000 < len(told.encode()) <= 60_000
    assert f"{98:012x}" in told and f"{0:012x}" not in told
    rows = sum(row.startswith("| `0") for row in told.splitlines())
    assert f"| {99 - rows} more, older |" in told
    assert told.endswith("`/rlm forget NAME` has one said again.")


def test_an_answer_of_any_length_is_cut_after_a_line(scene: Scene) -> None:
    line = f"| {FAMILY * 3} | `@octo` |\n"
    with scene.hub() as hub:
        for thread in (0, scene.thread.id):
            text = line * 2_000
            reply(hub, NAME, scene.pull.number, text, about="all", key=KEY, thread=thread)
    for one in (scene.pull.comments[-1], scene.pull.review_comments[-1]):
        said = re.sub(r"\s*<!-- rlm.*", "", one.body)
        assert 55_000 < len(said.encode()) <= 60_000
        *whole, last = said.splitlines()
        assert set(whole) == {line.strip(), ""} and last == "… (cut: there is a limit of size)"


def test_settings_of_many_words_are_told_in_one_comment() -> None:
    rows = [Row(key=f"key{n}", value="\u200d" * 5_000, source="default") for n in range(17)]
    told = configured(Configured(rows=tuple(rows), notes=("\u200d" * 900,) * 30))
    assert len(told.encode()) < LIMIT_BYTES
    assert "`key16`" in told and "20 more notes" in told


# Commands done twice -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (f"forget {FINDING}", f"`{FINDING}` is said again when it is found again."),
        ("forget 000000000000", "`000000000000` was never dismissed here"),
        ("pause", "Paused"),
        ("resume", "Not paused: each push is reviewed"),
        ("resolve", "Resolved: 1 thread of mine"),
    ],
)
def test_a_command_whose_answer_was_lost_is_answered_as_it_was_done(
    scene: Scene, command: str, answer: str
) -> None:
    said = Dismissed(FINDING, "a.py", "It leaks", "alice", "https://x/1")
    scene.store.dismiss(scene.repo.id, said)
    if command == "resume":
        scene.store.pause(scene.repo.id, scene.pull.number, "alice")
    comment = scene.pull.comment("alice", f"/rlm {command}")
    where = scene._where(comment_id=comment.id, body=f"/rlm {command}", sender="alice")
    scene.fake.fault(method="POST", path=r"/issues/\d+/comments$", status=502)
    for _ in range(2):
        with scene.hub(contents="write") as hub:
            try:
                scene.commands.obey(hub, Command.model_validate(where))
            except Unsure:
                assert scene.answers == []
    (told,) = scene.answers
    assert told.startswith(answer)
