"""What a review is told of what we said before: our signed comments at lines, read again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.github.earlier import earlier_of
from app.github.pulls import look_at
from app.github.threads import answer
from reviewer.finding import Category, Finding, Severity
from reviewer.request import MOST_EARLIER, Earlier
from tests.app.github.test_publish import KEY, NAME, RUN, SECOND, Scene, at, report
from tests.app.github.test_said_again import push
from tests.github.hub import FakeGitHub


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def heard(scene: Scene, key: bytes = KEY) -> tuple[Earlier, ...]:
    with scene.hub() as hub:
        return earlier_of(hub, look_at(hub, NAME, scene.pull.number), key)


def lost(line: int = 10, **changes: Any) -> Finding:
    return at(line, **({"title": f"Line {line} is lost", "body": "It is `gone`."} | changes))


def test_each_comment_of_ours_is_told_with_its_lines_the_newest_first(scene):
    first = lost(10, severity=Severity.LOW, category=Category.CONTRACT)
    second = at(48, 50, title="Three are lost", body="")
    scene.publish(report([first]))
    scene.publish(report([first, second]), SECOND)
    newest, oldest = heard(scene)
    assert (newest.id, newest.title, newest.start_line, newest.line) == (
        second.id,
        "Three are lost",
        48,
        50,
    )
    assert oldest == Earlier.bounded(first)


def test_of_lines_that_were_changed_only_the_file_is_known(scene):
    scene.publish(report([lost()]))
    push(scene, {"a.txt": ["other"]})
    (one,) = heard(scene)
    assert (one.id, one.path, one.start_line, one.line) == (lost().id, "a.txt", None, None)


def test_what_is_not_signed_or_is_another_text_is_not_told(scene):
    scene.publish(report([lost()]))
    assert heard(scene, b"another" * 8) == ()
    (ours,) = scene.pull.review_comments
    marker = ours.body[ours.body.rindex("\n\n<!--") :]
    ours.body = f"I have edited this.{marker}"
    assert heard(scene) == ()


def test_words_that_were_edited_are_bounded(scene):
    scene.publish(report([lost()]))
    (ours,) = scene.pull.review_comments
    ours.body = ours.body.replace("is lost", "is lost " * 900, 1)
    (one,) = heard(scene)
    assert one.title.endswith("(cut)")


def test_dismissed_ones_are_told_and_mended_ones_are_not(scene):
    scene.publish(report([lost(10), lost(50)]))
    ten, fifty = scene.pull.review_comments
    scene.repo.permit("alice", "write")
    with scene.hub("alice") as alice:
        answer(alice, NAME, scene.pull.number, ten.id, "Won't fix.", "x", None)
    with scene.hub() as hub:
        about = f"mended-{RUN}-{fifty.id}"
        repository = look_at(hub, NAME, scene.pull.number).repository_id
        answer(
            hub, NAME, scene.pull.number, fifty.id, "Gone.", about, KEY, repository_id=repository
        )
    assert [one.title for one in heard(scene)] == ["Line 10 is lost"]


def test_so_many_are_told_and_each_once(scene):
    for number in range(5):
        ones = [lost(10, title=f"Number {number}-{n} of many", body="x") for n in range(10)]
        made = report(ones).model_copy(update={"inline_comments": 10})
        scene.publish(made, f"{number}123456789abcdef", repeat=True)
    told = heard(scene)
    assert len(scene.pull.review_comments) == 50 and len(told) == MOST_EARLIER
    assert told[0].title.startswith("Number 4-")
    scene.publish(made, "5123456789abcdef", repeat=True)
    assert [one.id for one in heard(scene)].count(told[0].id) == 1


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_cannot_be_read_keeps_no_review_from_being_made(scene, status, caplog):
    scene.publish(report([lost()]))
    scene.fake.fault(path=r"/pulls/\d+/comments", status=status, body={"message": "no"}, times=None)
    assert heard(scene) == ()
    assert "what was said is not read" in caplog.text
