"""What was dismissed on one pull request is known on another one, in other words; all else is said."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.github.dismissals import REASON_CHARS
from app.github.dismissed import dismissed_as
from app.github.publish import Published
from app.store import Dismissed
from reviewer.finding import Category, Finding, Severity
from tests.app.github.test_publish import NEW, OLD, SECOND, THIRD, Scene, report, text
from tests.app.github.test_said_again import again, alike_in_title, dismiss, said, told
from tests.github.hub import FakeGitHub
from tests.reviewer.review.retold_pairs import TWO

# By a name that tells what both are about.
ONE, OTHER = (
    {name: text.replace("`httpx`", "`open_client`") for name, text in claim.items()}
    for claim in alike_in_title()
)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


def dismissed(scene: Scene, one: Finding) -> Dismissed:
    """Have a finding said and dismissed on a pull request, and go on to another one."""
    scene.publish(report([one]))
    dismiss(scene)
    (heard,) = scene.publish(report([one]), SECOND).dismissed
    scene.pull = scene.repo.pull(
        base=scene.repo.commit({"a.txt": text(OLD), "b.txt": b"b\n"}, scene.base),
        head=scene.repo.commit({"a.txt": text(["top", *NEW]), "b.txt": b"b\n"}, scene.base),
        head_ref="another",
    )
    return heard.noted()


def publish(scene: Scene, one: Finding, *known: Dismissed) -> Published:
    return scene.publish(report([one]), THIRD, dismissed=known)


def test_a_defect_that_was_dismissed_is_known_on_another_pull_request_in_other_words(scene):
    known = dismissed(scene, told(**ONE))
    one = again(11, **OTHER)
    published = publish(scene, one, known)
    assert published.findings == () and said(scene) == []
    assert "1 finding not shown: dismissed by alice." in scene.stickies[0]
    assert published.first_ids == {one.id: told(**ONE).id}  # for /rlm fix, and what blocks


def test_what_was_forgotten_or_noted_by_name_alone_is_said(scene):
    known = dismissed(scene, told(**ONE))
    bare = replace(known, category="", severity="", reason="")
    assert len(publish(scene, again(11, **OTHER), bare).findings) == 1
    assert len(said(scene)) == 1


@pytest.mark.parametrize(
    "grave", [{"severity": Severity.CRITICAL}, {"category": Category.SECURITY}], ids=str
)
def test_what_is_grave_is_never_known_as_dismissed(scene, grave):
    known = dismissed(scene, told(**ONE, **grave))
    assert len(publish(scene, again(11, **OTHER, **grave), known).findings) == 1
    assert len(said(scene)) == 1


def test_a_second_defect_in_such_words_is_said(scene):
    known = dismissed(scene, told(**ONE))
    both = [again(11, **OTHER), again(51, **OTHER, evidence="line fifty")]
    published = scene.publish(report(both), THIRD, dismissed=[known])
    assert len(published.findings) == 1


CLAIM = Dismissed("d" * 12, "a.txt", ONE["title"], "alice", "", "correctness", "high", ONE["body"])


def test_by_its_words_title_and_reason_it_is_one():
    one = told(**OTHER)
    assert dismissed_as([one], [CLAIM], set()) == {one.id: CLAIM.finding}


@pytest.mark.parametrize(
    "change",
    [
        {"path": "b.txt"},
        {"category": Category.RESOURCES},
        {"category": Category.SECURITY},
        {"severity": Severity.CRITICAL},
        {"source": "detector:python-lint/F821"},
        {"title": "All else is wrong with it"},
        {"body": "Nobody closes the file when the parser has failed."},
        {"title": OTHER["title"] + " in `subtotal`"},
    ],
    ids=str,
)
def test_another_file_kind_title_reason_or_name_is_another_one(change: dict[str, Any]):
    assert dismissed_as([told(**OTHER | change)], [CLAIM], set()) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "critical"},
        {"category": "security"},
        {"category": "secret"},
        {"severity": "low"},  # what is high now is another matter
        {"category": "future"},
        {"title": ONE["title"] + " in `subtotal`"},
    ],
    ids=str,
)
def test_a_dismissal_of_something_else_hides_nothing(change: dict[str, str]):
    assert dismissed_as([told(**OTHER)], [replace(CLAIM, **change)], set()) == {}


def test_nothing_that_is_graver_now_is_known_as_dismissed():
    one = told(**OTHER)
    known = replace(CLAIM, severity="medium")
    assert one.severity is Severity.HIGH and dismissed_as([one], [known], set()) == {}
    milder = one.model_copy(update={"severity": Severity.LOW})
    assert dismissed_as([milder], [known], set()) == {milder.id: known.finding}


LOST = "The await is missing, so errors are lost"
LEAK = "File handle is not closed when an exception is raised"


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        (LOST, "`{}` is called without await: an error in it is never seen by anybody."),
        (LEAK, "`{}` calls `open` without with: when `json.load` raises, it is never closed."),
        (LEAK, "`{}` opens by `ZipFile` without with: when reading raises, it is never closed."),
        (LOST, "It is called without await: an error in it is never seen by anybody."),
    ],
)
@pytest.mark.parametrize("severity", Severity)
def test_the_same_words_about_another_function_or_none_are_another_defect(
    title: str, reason: str, severity: Severity
):
    known = replace(CLAIM, title=title, reason=reason.format("import_rows"), severity="medium")
    one = told(title=title, body=reason.format("charge_card"), severity=severity)
    assert dismissed_as([one], [known], set()) == {}


@pytest.mark.parametrize("pair", TWO, ids=lambda pair: pair[1][0])
def test_two_defects_are_two_on_two_pull_requests(pair):
    (title, body), (other, reason) = pair
    claim = replace(CLAIM, title=title, reason=body)
    assert dismissed_as([told(title=other, body=reason)], [claim], set()) == {}


def test_what_is_found_here_by_its_id_or_was_said_here_says_no_other():
    assert dismissed_as([told(**OTHER)], [CLAIM], {CLAIM.finding}) == {}
    assert dismissed_as([told(**OTHER)], [CLAIM], {told(**OTHER).id}) == {}


def test_the_words_of_a_reason_are_kept_each_once_and_in_bounds(scene):
    body = "`total` takes it off, `total` takes it off. " + " ".join(f"w{n}" for n in range(2_000))
    known = dismissed(scene, told(title="The discount is wrong", body=body))
    assert (known.title, known.category, known.severity) == (
        "The discount is wrong",
        "correctness",
        "high",
    )
    assert known.reason.startswith("`total` takes it off w0 w1 ")
    assert len(known.reason) <= REASON_CHARS
