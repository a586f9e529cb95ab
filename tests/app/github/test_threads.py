import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.github import threads as module
from app.github.auth import NotGranted
from app.github.client import Hub
from app.github.closing import Closing
from app.github.dismissals import dismisses
from app.github.errors import Forbidden, NotThere, Refused
from app.github.pulls import look_at
from app.github.threads import answer, react, thread_of, threads
from app.github.urls import Server
from app.jobs import Command
from app.obey import argues
from app.questions import question_of
from reviewer.explain.values import Place
from tests.github.hub import FakeGitHub

ACTOR = "rlm-review[bot]"
NAME = "octo/hello"
KEY = b"k" * 32
LINES = b"".join(b"line %d\n" % number for number in range(300))


class Scene:
    """A pull request with threads of ours and of others."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        self.repo = fake.repository(NAME, private=True)
        self.repo.permit("alice", "write")
        fake.app("rlm-review")
        base = self.repo.commit({"a.py": b"one\n"})
        head = self.repo.commit({"a.py": LINES}, base)
        self.pull = self.repo.pull(base=base, head=head)

    def hub(self, actor: str = ACTOR, **permissions: str) -> Hub:
        wanted = {"pull_requests": "write"} | permissions
        token = self.fake.token(actor=actor, repo=self.repo, permissions=wanted)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=actor, write_pause_s=0)

    def said(self, hub: Hub, line: int, body: str, **more: Any) -> int:
        """Comment on a line, or on none (0); return the comment's number."""
        made = hub.ask(
            "comment",
            "POST",
            f"/repos/{NAME}/pulls/{self.pull.number}/comments",
            {
                "body": body,
                "path": "a.py",
                **({"line": line, "side": "RIGHT"} if line else {}),
                "commit_id": self.pull.head,
                **more,
            },
        )
        return int(made["id"])


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def test_a_thread_is_read_with_its_answers(scene: Scene) -> None:
    with scene.hub() as hub, scene.hub("alice") as alice:
        first = scene.said(hub, 7, "It overflows.", start_line=5, start_side="RIGHT")
        answer(alice, NAME, scene.pull.number, first, "It cannot.", "x", None)
        scene.said(alice, 9, "Why?")
        mine, hers = threads(hub, NAME, scene.pull.number)
    assert (mine.first.number, mine.first.login, mine.first.is_bot) == (first, ACTOR, True)
    assert (mine.path, mine.side, mine.start_line, mine.line) == ("a.py", "RIGHT", 5, 7)
    assert [(one.login, one.is_bot) for one in mine.replies] == [("alice", False)]
    assert mine.replies[0].body.startswith("It cannot.")
    assert (hers.first.login, hers.first.body, hers.replies) == ("alice", "Why?", ())
    assert not (mine.resolved or mine.outdated or mine.first.folded)


def asked_about(scene: Scene, hub: Hub, comment: int) -> Place | None:
    """Return the place that a question in a thread is about."""
    thread = thread_of(hub, NAME, scene.pull.number, comment)
    pull = look_at(hub, NAME, scene.pull.number)
    command = Command(
        installation=1,
        repository_id=scene.repo.id,
        repository=NAME,
        number=scene.pull.number,
        comment_id=comment + 1,
        thread=comment,
        body="/rlm ask why?",
        sender="alice",
    )
    return question_of("why?", thread, pull, command, ACTOR).place


def test_lines_that_begin_on_the_other_side_are_those_of_this_side_alone(scene: Scene) -> None:
    with scene.hub() as hub:
        across = scene.said(hub, 7, "All of it.", start_line=1, start_side="LEFT")
        within = scene.said(hub, 9, "Some of it.", start_line=8, start_side="RIGHT")
        assert asked_about(scene, hub, across) == Place(path="a.py", start_line=7, line=7)
        assert asked_about(scene, hub, within) == Place(path="a.py", start_line=8, line=9)


def test_a_thread_about_a_whole_file_has_its_path(scene: Scene) -> None:
    with scene.hub() as hub:
        first = scene.said(hub, 0, "Is this used?", subject_type="file")
        found = thread_of(hub, NAME, scene.pull.number, first)
        assert found is not None and (found.line, found.outdated) == (None, False)
        assert asked_about(scene, hub, first) == Place(path="a.py")


def test_a_thread_whose_lines_are_gone_is_about_no_place(scene: Scene) -> None:
    with scene.hub() as hub:
        first = scene.said(hub, 7, "It overflows.")
        scene.pull.push(scene.repo.commit({"a.py": b"one\n"}, scene.pull.head))
        assert asked_about(scene, hub, first) is None


def test_many_threads_come_in_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 3)
    with scene.hub() as hub:
        for line in range(1, 8):
            scene.said(hub, line, f"at {line}")
        found = [one.line for one in threads(hub, NAME, scene.pull.number)]
    assert found == list(range(1, 8))
    assert sum(seen.path == "/api/graphql" for seen in scene.fake.requests) == 3


def test_a_thread_is_found_by_its_first_comment(scene: Scene) -> None:
    with scene.hub() as hub:
        first = scene.said(hub, 3, "one")
        found = thread_of(hub, NAME, scene.pull.number, first)
        assert found is not None and found.first.body == "one"
        assert thread_of(hub, NAME, scene.pull.number, first + 10_000) is None


def test_a_thread_is_resolved_where_that_is_permitted(scene: Scene) -> None:
    with scene.hub(contents="write") as hub:
        scene.said(hub, 3, "one")
        (thread,) = threads(hub, NAME, scene.pull.number)
        assert Closing(hub).close(thread) == "resolved"
        (thread,) = threads(hub, NAME, scene.pull.number)
    assert thread.resolved and not thread.first.folded


def test_threads_are_resolved_through_what_is_opened_for_that_once(scene: Scene) -> None:
    opened: list[Hub] = []

    @contextmanager
    def to_resolve() -> Iterator[Hub]:
        with scene.hub(contents="write") as hub:
            opened.append(hub)
            yield hub

    with scene.hub() as hub:
        for line in (3, 4):
            scene.said(hub, line, "one")
        with Closing(hub, to_resolve) as closing:
            assert not opened, "nothing is to be resolved yet"
            for thread in threads(hub, NAME, scene.pull.number):
                assert closing.close(thread) == "resolved"
    assert len(opened) == 1
    assert all(one.resolved and not one.folded for one in scene.pull.review_comments)


NOT_GRANTED = NotGranted("not granted", {"contents": "write"}, {})
GONE = NotThere("The App is not installed there", 404, "")


@pytest.mark.parametrize("refusal", [NOT_GRANTED, GONE, Forbidden("suspended", 403, ""), None])
def test_where_resolving_is_refused_after_all_first_comments_are_folded_away(
    scene: Scene, refusal: Refused | None
) -> None:
    tried = 0

    @contextmanager
    def to_resolve() -> Iterator[Hub]:
        nonlocal tried
        tried += 1
        if refusal is not None:
            raise refusal
        with scene.hub(contents="read") as hub:  # taken back since: the mutation is refused
            yield hub

    with scene.hub() as hub:
        for line in (3, 4):
            scene.said(hub, line, "one")
        with Closing(hub, to_resolve) as closing:
            for thread in threads(hub, NAME, scene.pull.number):
                assert closing.close(thread) == "folded"
    assert tried == 1
    assert all(one.folded and not one.resolved for one in scene.pull.review_comments)


def test_elsewhere_its_first_comment_is_folded_away_once(scene: Scene) -> None:
    with scene.hub(contents="read") as hub:
        scene.said(hub, 3, "one")
        (thread,) = threads(hub, NAME, scene.pull.number)
        assert Closing(hub).close(thread) == "folded"
        (thread,) = threads(hub, NAME, scene.pull.number)
        assert thread.first.folded and not thread.resolved
        before = len(scene.fake.requests)
        assert Closing(hub).close(thread) == "folded"
        assert len(scene.fake.requests) == before + 1


def test_without_the_right_to_write_it_is_left(scene: Scene) -> None:
    with scene.hub() as hub:
        scene.said(hub, 3, "one")
    with scene.hub(pull_requests="read") as hub:
        (thread,) = threads(hub, NAME, scene.pull.number)
        assert Closing(hub).close(thread) == "left"


def test_an_answer_is_given_once_also_where_the_first_was_lost(scene: Scene) -> None:
    with scene.hub() as hub:
        first = scene.said(hub, 3, "one")
        scene.fake.fault(method="POST", path=r"/replies$", status=502, when="after")
        for _ in range(2):
            answer(hub, NAME, scene.pull.number, first, "Because.", "comment-5", KEY)
        (thread,) = threads(hub, NAME, scene.pull.number)
        assert len(thread.replies) == 1
        answer(hub, NAME, scene.pull.number, first, "Because.", "comment-6", KEY)
        (thread,) = threads(hub, NAME, scene.pull.number)
        assert len(thread.replies) == 2


def test_an_answer_to_a_thread_that_is_gone_is_refused(scene: Scene) -> None:
    with scene.hub() as hub, pytest.raises(NotThere):
        answer(hub, NAME, scene.pull.number, 5, "Because.", "comment-5", KEY)


def test_a_reaction_is_put_once(scene: Scene) -> None:
    with scene.hub() as hub:
        first = scene.said(hub, 3, "one")
        for _ in range(2):
            react(hub, NAME, first, "eyes")
    (comment,) = scene.pull.review_comments
    assert [reaction.content for reaction in comment.reactions] == ["eyes"]


def test_a_pull_request_that_is_gone_is_not_there(scene: Scene) -> None:
    with scene.hub() as hub, pytest.raises(NotThere):
        list(threads(hub, NAME, 4711))


def test_who_may_not_read_is_told_so(scene: Scene) -> None:
    with scene.hub(pull_requests="none") as hub, pytest.raises(Forbidden):
        list(threads(hub, NAME, scene.pull.number))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Won't fix.", True),
        ("wontfix", True),
        ("This is a false positive, the caller checks it.", True),
        ("It is by design", True),
        ("That's intended.", True),
        ("Not a bug", True),
        ("**False positive**", True),
        ("won’t fix this: the caller is gone next week", True),
        ("We won't fix it.", True),
        ("It's not a bug: `parse` is only called after `validate`.", True),
        ("By design. The caller holds the lock.", True),
        ("No, that is a false alarm - the lock is held.", True),
        ("Works as intended because nobody else writes.", True),
        ("intentional", True),
        # Whoever defends the finding.
        ("This is not a false positive, it has to be fixed.", False),
        ("I do not think this is by design.", False),
        ("No, that's a real bug, not a false alarm. Fix it.", False),
        ("We won't fix it in a follow-up: do it here.", False),
        ("Fixed by design change in abc", False),
        ("Won't fix, but please open an issue.", False),
        ("Not a problem, I'll fix it.", False),
        ("False positives like this one cost us a day.", False),
        ("It isn't intended.", False),
        ("Is this a false positive?", False),
        ("> Won't fix.\n\nI think we should.", False),
        ("I will fix it.", False),
        ("It is not intended to be called twice.", False),
        ("by design " * 60, False),
        ("", False),
    ],
)
def test_what_dismisses_a_finding(text: str, meant: bool) -> None:
    assert dismisses(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Done, thanks!", False),
        ("Why?", True),
        ("The callers always pass a sentinel first, so nothing is lost.", True),
        ("> A long line of ours that is quoted and was no argument of theirs\n\nok", False),
    ],
)
def test_what_wants_an_answer(text: str, meant: bool) -> None:
    assert argues(text) == meant


def test_a_hostile_answer_is_read_in_no_time() -> None:
    for text in (" " * 60_000, "that " * 12_000, "won't fix" + " " * 60_000 + "x", "*" * 60_000):
        before = time.process_time()
        assert not dismisses(f"x{text}") and not dismisses(f"{text}x")
        assert time.process_time() - before < 1
