"""What was said on a pull request is not said again: in other words, after a push, a rename, a force
push, a rebase or for another base; what is another defect is said."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from app.github.between import Heads
from app.github.client import Hub
from app.github.remarks import Remark, retellings, under_ids
from app.github.threads import answer
from app.render.comment import claim_of, render_comment
from app.render.snippet import no_code
from app.report import Anchor
from reviewer.finding import Category, Finding, Severity
from reviewer.request import Coverage, Effort, Looked, Skipped, StopReason
from tests.app.github.test_publish import (
    ACTION,
    ACTOR,
    KEY,
    NAME,
    NEW,
    OLD,
    RUN,
    SECOND,
    THIRD,
    Scene,
    at,
    report,
    text,
    title_of,
)
from tests.github.hub import FakeGitHub
from tests.github.state import ReviewComment
from tests.reviewer.detectors.contracts.changes import breaks
from tests.reviewer.review.retold_pairs import ONE, TWO

(FIRST, WHY), (AGAIN, WHY_AGAIN) = ONE[1]
LOOKED = Looked(by=("model:correctness", "detector:python-lint"), effort=Effort.STANDARD)


def told(line: int = 10, **changes: Any) -> Finding:
    return at(line, **({"title": FIRST, "body": WHY, "evidence": "line ten"} | changes))


def again(line: int = 10, **changes: Any) -> Finding:
    return told(line, **({"title": AGAIN, "body": WHY_AGAIN, "evidence": "ten"} | changes))


def alike_in_title() -> list[dict[str, str]]:
    """Return one claim in the words of two runs, title and reason of which agree each."""
    return [{"title": title, "body": body} for title, body in ONE[7]]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake)


@pytest.fixture(params=[KEY, None], ids=["App", "Action"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as fake:
        yield Scene(fake, request.param, ACTION if request.param is None else ACTOR)


def said(scene: Scene) -> list[ReviewComment]:
    """Return the comments at lines that are no answers."""
    return [one for one in scene.pull.review_comments if one.in_reply_to is None]


def push(scene: Scene, files: dict[str, list[str]], *parents: str) -> None:
    trees = {name: text(lines) for name, lines in files.items()}
    scene.pull.push(scene.repo.commit(trees, *(parents or (scene.pull.head,))))


def publish(scene: Scene, one: Finding, run: str = RUN, **changes: Any) -> Any:
    made = report([one], **changes).model_copy(update={"looked": LOOKED})
    return scene.publish(made, run)


def forced(scene: Scene) -> None:
    push(scene, {"a.txt": NEW, "b.txt": ["squashed"]}, scene.base)


def rebased(scene: Scene) -> None:
    base = scene.repo.commit({"a.txt": text(["below", *OLD])}, scene.base)
    scene.pull.base = base
    push(scene, {"a.txt": ["below", *NEW]}, base)


def retargeted(scene: Scene) -> None:
    scene.pull.retarget("release", scene.repo.commit({"a.txt": text(OLD), "r": b"r\n"}, scene.base))


def pushed(scene: Scene) -> None:
    push(scene, {"a.txt": ["new", *NEW[:9], "line TEN", *NEW[10:]]})


def moved(scene: Scene) -> None:
    push(scene, {"c/b.txt": ["new", *NEW[:9], "line TEN", *NEW[10:]]})


def nothing(_: Scene) -> None:
    """The same head is reviewed once more."""


CHANGES: list[tuple[Callable[[Scene], None], int, str]] = [
    (nothing, 10, "a.txt"),
    (pushed, 11, "a.txt"),
    (moved, 11, "c/b.txt"),
    (forced, 10, "a.txt"),
    (rebased, 11, "a.txt"),
    (retargeted, 10, "a.txt"),
]
NAMES = [one.__name__ for one, *_ in CHANGES]


@pytest.mark.parametrize(("change", "line", "path"), CHANGES, ids=NAMES)
def test_a_defect_is_said_once_whatever_its_words_and_its_place_are_now(either, change, line, path):
    publish(either, told())
    change(either)
    for run, one in (
        (SECOND, again(line, path=path)),
        (THIRD, told(line, path=path, evidence="line ten is another")),
    ):
        published = publish(either, one, run)
        assert (len(said(either)), published.inline, published.problem) == (1, 1, "")
        (summary,) = either.stickies
        assert summary.count(f"#discussion_r{either.pull.review_comments[0].id}") == 1


@pytest.mark.parametrize("pair", TWO, ids=lambda pair: pair[1][0])
def test_another_defect_of_the_same_line_is_said(scene, pair):
    (title, body), (other, reason) = pair
    publish(scene, told(title=title, body=body))
    pushed(scene)
    publish(scene, told(11, title=other, body=reason), SECOND)
    assert len(said(scene)) == 2


def test_the_same_claim_of_other_lines_is_said(scene):
    before, now = alike_in_title()
    publish(scene, told(**before))
    publish(scene, told(50, **now), SECOND)
    assert [one.line for one in said(scene)] == [10, 50]


def test_two_that_are_found_are_two_though_one_was_said(either):
    publish(either, told())
    either.publish(report([again(), told(title="Another", body=WHY)]), SECOND)
    assert len(said(either)) == 2


GRAVE = [{"severity": Severity.CRITICAL}, {"category": Category.SECURITY}]


@pytest.mark.parametrize("grave", GRAVE, ids=["critical", "security"])
def test_what_is_grave_is_silenced_by_what_is_signed_alone(either, grave):
    publish(either, told(**grave))
    pushed(either)
    publish(either, again(11, **grave), SECOND)
    assert len(said(either)) == (1 if either.key else 2)


def test_a_hole_is_not_silenced_by_what_was_no_hole(scene):
    before, now = alike_in_title()
    publish(scene, told(**before))
    publish(scene, told(**now, category=Category.SECURITY), SECOND)
    assert len(said(scene)) == 2


def dismiss(scene: Scene) -> None:
    scene.repo.permit("alice", "write")
    with scene.hub("alice") as alice:
        comment = scene.pull.review_comments[0].id
        answer(alice, NAME, scene.pull.number, comment, "Won't fix.", "x", None)


@pytest.mark.parametrize("change", [nothing, pushed, moved], ids=lambda one: one.__name__)
def test_what_was_dismissed_stays_so_in_other_words_and_places(scene, change):
    publish(scene, told())
    dismiss(scene)
    change(scene)
    place = {"line": 10 if change is nothing else 11}
    path = "c/b.txt" if change is moved else "a.txt"
    for run, one in ((SECOND, again(**place, path=path)), (THIRD, told(**place, path=path))):
        published = publish(scene, one, run)
        assert published.findings == ()
        assert "1 finding not shown: dismissed by alice." in scene.stickies[0]
        assert {(one.finding, one.state) for one in published.told} == {(told().id, "dismissed")}
    assert len(said(scene)) == 1


def test_to_dismiss_one_defect_hides_no_other_one_of_its_line(scene):
    (title, body), (other, reason) = TWO[-4]
    publish(scene, told(title=title, body=body))
    dismiss(scene)
    pushed(scene)
    published = publish(scene, told(11, title=other, body=reason), SECOND)
    assert [one.title for one in published.findings] == [other]
    assert len(said(scene)) == 2


def test_what_was_small_hides_nothing_that_is_grave_now(scene):
    """A step between two runs is how models are; more than that is another matter."""
    publish(scene, told(severity=Severity.LOW))
    dismiss(scene)
    pushed(scene)
    assert publish(scene, again(11, severity=Severity.MEDIUM), SECOND).findings == ()
    published = publish(scene, again(11, severity=Severity.HIGH), THIRD)
    assert [one.severity for one in published.findings] == [Severity.HIGH]
    assert len(said(scene)) == 2


@pytest.mark.parametrize("state", ["locked", "draft", "closed", "merged"])
def test_what_was_dismissed_blocks_nothing_where_nothing_is_said_either(scene, state):
    publish(scene, told())
    dismiss(scene)
    if state in {"closed", "merged"}:
        scene.pull.close(merged=state == "merged")
    else:
        setattr(scene.pull, state, True)
    before = len(scene.pull.review_comments)
    made = report([again()]).model_copy(update={"looked": LOOKED, "blocks": Severity.HIGH})
    published = scene.publish(made, SECOND, unasked=True)
    assert (published.outcome, published.findings) == (state, ())
    assert scene.repo.check_runs[-1].conclusion == "success"
    assert len(scene.pull.review_comments) == before
    shown = scene.stickies[0] + (scene.repo.check_runs[-1].summary or "")
    assert AGAIN not in shown and "dismissed by alice" in shown


def test_a_finding_keeps_the_id_under_which_it_was_first_said(scene):
    publish(scene, told())
    pushed(scene)
    published = publish(scene, again(11), SECOND)
    assert [one.id for one in published.findings] == [told().id]
    assert [(one.finding, one.state) for one in published.told] == [(told().id, "open")]


@pytest.mark.parametrize("status", [403, 404, 422, 500])
def test_where_heads_cannot_be_compared_it_is_said_all_the_same(scene, status):
    publish(scene, told())
    pushed(scene)
    scene.fake.fault(path=r"/compare/", status=status, body={"message": "no"}, times=None)
    made = report([again(11), told(50, title="Something new", body="Of another thing.")])
    assert scene.publish(made, SECOND).problem == ""
    assert title_of(said(scene)[-1].body) == "Something new"


# In quite other words, as a reader has told the review

QUITE = {"title": "Nobody wakes the consumer", "body": "The queue is filled while none waits."}


def otherwise(line: int = 11, **changes: Any) -> Finding:
    """Return what no word and no line ties to `told`, and a reader takes for the same."""
    return told(line, **{**QUITE, "evidence": "ten", **changes})


def knows(one: Finding, name: str = "", **changes: Any) -> dict[str, Any]:
    return {"earlier": {name or one.id: told(**changes).id}}


@pytest.mark.parametrize("change", [nothing, pushed, moved, forced], ids=lambda one: one.__name__)
def test_what_a_reader_knows_again_is_said_once(scene, change):
    publish(scene, told())
    change(scene)
    one = otherwise(50, path="c/b.txt" if change is moved else "a.txt")
    published = publish(scene, one, SECOND, **knows(one))
    assert (len(said(scene)), published.inline, published.problem) == (1, 1, "")
    assert [each.id for each in published.findings] == [told().id]
    assert published.first_ids == {one.id: told().id}
    assert [(each.finding, each.state) for each in published.told] == [(told().id, "open")]
    (summary,) = scene.stickies
    assert QUITE["body"] in summary, "its words stand nowhere else"


def test_who_dismissed_a_claim_has_not_dismissed_what_a_reader_takes_for_it(scene):
    publish(scene, told())
    dismiss(scene)
    pushed(scene)
    one = otherwise(50)
    published = publish(scene, one, SECOND, **knows(one))
    assert ([each.title for each in published.findings], len(said(scene))) == ([QUITE["title"]], 1)
    assert "dismissed by" not in scene.stickies[0] and QUITE["body"] in scene.stickies[0]


def test_its_thread_is_not_closed_as_gone(scene):
    publish(scene, told())
    pushed(scene)
    one = otherwise(50)
    assert publish(scene, one, SECOND, **knows(one)).mended == 0
    assert publish(scene, one, THIRD).mended == 1, "without a reader who knows it again it is"


LOUD = [*GRAVE, {"category": Category.SECRET}]


@pytest.mark.parametrize("grave", LOUD, ids=["critical", "security", "secret"])
@pytest.mark.parametrize("then", [True, False])
def test_a_reader_alone_silences_nothing_grave_and_by_nothing_grave(scene, grave, then):
    publish(scene, told(**(grave if then else {})))
    dismiss(scene)
    pushed(scene)
    one = otherwise(**(grave if not then else {}))
    published = publish(scene, one, SECOND, **knows(one, **(grave if then else {})))
    assert [each.id for each in published.findings] == [one.id]
    assert title_of(said(scene)[-1].body) == QUITE["title"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"severity": Severity.LOW}, {}),
        ({"severity": Severity.LOW}, {"severity": Severity.MEDIUM}),
        ({}, {"path": "b.txt"}),
        ({"severity": Severity.LOW}, {"severity": Severity.HIGH, "line": 10}),
    ],
    ids=["graver", "graver by a step", "another file", "graver at its lines"],
)
def test_a_reader_is_not_believed_about_what_is_graver_or_elsewhere(scene, before, now):
    publish(scene, told(**before))
    push(scene, {"a.txt": NEW, "b.txt": NEW})
    one = otherwise(**now)
    publish(scene, one, SECOND, **knows(one, **before))
    assert len(said(scene)) == 2


def test_no_unsigned_comment_is_known_again_by_a_reader_alone(tmp_path):
    with FakeGitHub(tmp_path) as fake:
        action = Scene(fake, None, ACTION)
        publish(action, told())
        one = otherwise()
        publish(action, one, SECOND, **knows(one))
        assert len(said(action)) == 2


def test_one_comment_tells_one_finding_whatever_a_reader_says(scene):
    """All of this was said before, a change may have talked a reader into."""
    publish(scene, told())
    pushed(scene)
    ones = [otherwise(), otherwise(50, title="Another"), otherwise(48, title="One more")]
    earlier = {one.id: told().id for one in ones}
    made = report(ones, earlier=earlier).model_copy(update={"looked": LOOKED})
    scene.publish(made, SECOND)
    assert len(said(scene)) == 3


def test_what_words_or_ids_tell_goes_before_what_a_reader_says(scene):
    publish(scene, told())
    pushed(scene)
    one = otherwise()
    for run, known in ((SECOND, again(11)), (THIRD, told(11))):
        made = report([known, one], **knows(one)).model_copy(update={"looked": LOOKED})
        scene.publish(made, run)
        assert len(said(scene)) == 2


def test_what_words_tell_keeps_its_id_whatever_a_reader_says(scene):
    other = told(50, title="Something else", body="Of another thing.")
    scene.publish(report([told(), other]))
    pushed(scene)
    one = again(11)
    (found,) = publish(scene, one, SECOND, earlier={one.id: other.id}).findings
    assert found.id == told().id


def test_what_was_said_of_a_place_tells_no_other_finding(scene):
    title, body = "The import leaks its descriptor", "`read_rows` fails before it closes any."
    first, second, joined = of_two_places(scene, {"title": title, "body": body})
    place = joined.places[0].model_copy(update={"id": second.id})
    known = joined.model_copy(update={"id": first.id, "places": (place,)})
    one = otherwise(50, path="b.txt")
    made = report([known, one], earlier={one.id: second.id}).model_copy(update={"looked": LOOKED})
    scene.publish(made, SECOND)
    assert [title_of(each.body) for each in said(scene)[2:]] == [QUITE["title"]]


def test_a_kept_report_names_what_was_said_before_by_the_id_that_it_has_now():
    one = otherwise()
    kept = under_ids(report([one], **knows(one)), {one.id: told().id}).review
    assert [each.id for each in kept.findings] == [*kept.earlier] == [told().id]


def test_a_place_of_a_finding_is_known_again_in_its_file(scene):
    push(scene, {"a.txt": NEW, "b.txt": NEW})
    publish(scene, told(path="b.txt"))
    place = otherwise(50, path="b.txt").place
    one = otherwise().model_copy(update={"places": (place,)})
    published = publish(scene, one, SECOND, **knows(one, place.id, path="b.txt"))
    (found,) = published.findings
    assert (found.id, found.places[0].id) == (one.id, told(path="b.txt").id)
    assert len(said(scene)) == 1
    assert published.first_ids == {place.id: told(path="b.txt").id}


# What is gone


def closed(scene: Scene, **changes: Any) -> str:
    """Review the head, where nothing is found; return what was said when a thread was closed."""
    before = len(scene.pull.review_comments)
    made = report([], **changes).model_copy(update={"looked": LOOKED})
    mended = scene.publish(made, SECOND).mended
    answers = [one.body.split("\n")[0] for one in scene.pull.review_comments[before:]]
    assert len(answers) == mended == int(scene.pull.review_comments[0].folded != "")
    return answers[0] if answers else ""


NAMED = {
    "title": "`charge` may be None",
    "body": "`find_charge` returns None, so `charge.id` fails.",
}


def elsewhere(scene: Scene, line: str, path: str = "b.py") -> None:
    push(scene, {"a.txt": NEW, path: [line]})


def test_a_thread_is_closed_by_the_commit_that_changed_its_lines(scene):
    publish(scene, told())
    push(scene, {"a.txt": ["above", *NEW]})
    push(scene, {"a.txt": ["above", *NEW[:9], "line TEN", *NEW[10:]]})
    mending = scene.pull.head[:10]
    push(scene, {"a.txt": ["above", *NEW[:9], "line TEN", *NEW[10:], "below"]})
    assert closed(scene) == (
        f"Gone with {mending}: it changed these lines, and the review does not find it any more."
    )


def test_where_nobody_knows_which_commit_it_was_the_head_is_named_as_such(scene):
    publish(scene, told())
    push(scene, {"a.txt": [*NEW[:9], "line TEN", *NEW[10:]]}, scene.base)
    assert closed(scene).startswith(
        f"Gone as of {scene.pull.head[:10]}, the head: these lines were"
    )


def test_what_was_mended_elsewhere_by_one_of_several_commits_is_closed(scene):
    publish(scene, told(**NAMED))
    elsewhere(scene, "unrelated")
    elsewhere(scene, "def find_charge(): raise LookupError")
    elsewhere(scene, "def find_charge(): raise LookupError ")  # names it again
    push(scene, {"a.txt": NEW, "b.py": ["def find_charge(): raise LookupError "], "c": ["c"]})
    assert scene.pull.review_comments[0].line == 10
    why = closed(scene)
    assert why.startswith("Gone as of") and "these lines are as they were" in why


def test_the_one_commit_that_speaks_of_it_is_named(scene):
    publish(scene, told(**NAMED))
    push(scene, {"a.txt": NEW, "c": ["c"]})
    push(scene, {"a.txt": NEW, "c": ["c"], "b.py": ["def find_charge(): raise LookupError"]})
    mending = scene.pull.head[:10]
    push(scene, {"a.txt": NEW, "c": ["d"], "b.py": ["def find_charge(): raise LookupError"]})
    assert closed(scene).startswith(f"Gone with {mending}: it changed what this is about")


PARTIAL = {"status": "partial", "stopped": StopReason.BUDGET}
SKIPPED = {
    "coverage": Coverage(
        hunks=1, reviewed=0, skipped=[Skipped(path="a.txt", hunks=1, reason="ignored")]
    )
}


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("unrelated", {}),
        ("find_charges", {}),
        ("find_charge", PARTIAL),
        ("find_charge", SKIPPED),
    ],
)
def test_silence_alone_closes_nothing(scene, line, changes):
    publish(scene, told(**NAMED))
    elsewhere(scene, line)
    assert closed(scene, **changes) == ""


@pytest.mark.parametrize("grave", GRAVE, ids=["critical", "security"])
def test_what_is_grave_stays_open_while_its_lines_are_as_they_were(scene, grave):
    publish(scene, told(**NAMED, **grave))
    elsewhere(scene, "def find_charge(): raise LookupError")
    assert closed(scene) == ""
    push(scene, {"a.txt": [*NEW[:9], "line TEN", *NEW[10:]]})
    assert closed(scene).startswith("Gone with")


@pytest.mark.parametrize(
    ("line", "path"),
    [("`find_charge` looks a charge up", "README.md"), ("def charge(): ...", "b.py")],
    ids=["prose", "plain word"],
)
def test_prose_and_plain_words_close_nothing(scene, line, path):
    publish(scene, told(**NAMED))
    elsewhere(scene, line, path)
    assert closed(scene) == ""


LEAKS = {
    "title": "A file handle of the export is never closed",
    "body": "`write_rows` opens the export and never closes it, so handles leak.",
}
LEAKS_AGAIN = {**LEAKS, "title": "An export's file handle is never closed"}


def of_two_places(scene: Scene, other: dict[str, str]) -> tuple[Finding, Finding, Finding]:
    """Publish two findings, of two files; return them and one that a later run makes of both.

    The lines of the second are changed since.
    """
    push(scene, {"a.txt": NEW, "b.txt": NEW})
    first, second = told(**LEAKS), told(path="b.txt", **other)
    scene.publish(report([first, second]).model_copy(update={"looked": LOOKED}))
    push(scene, {"a.txt": NEW, "b.txt": [*NEW[:9], "line TEN", *NEW[10:]]})
    place = told(path="b.txt", **LEAKS_AGAIN, evidence="line TEN").place
    joined = told(**LEAKS_AGAIN, evidence="ten").model_copy(update={"places": (place,)})
    return first, second, joined


@pytest.mark.parametrize(
    ("title", "line", "mended"),
    [
        ("The import leaks its descriptor on a parse failure", 10, 0),
        ("The import leaks its descriptor on a parse failure", 50, 1),
        ("The import's file handle is never closed", 50, 0),
    ],
    ids=["those lines", "others", "others in like words"],
)
def test_a_thread_stays_open_while_its_place_is_one_of_another_finding(scene, title, line, mended):
    body = "`read_rows` does not close what it has opened when parsing fails."
    _, _, joined = of_two_places(scene, {"title": title, "body": body})
    place = told(line, path="b.txt", **LEAKS_AGAIN).place
    joined = joined.model_copy(update={"places": (place,)})
    assert publish(scene, joined, SECOND).mended == mended


def test_each_place_of_a_finding_is_known_by_what_was_said_there(scene):
    first, second, joined = of_two_places(scene, {**LEAKS, "title": "The file handle stays open"})
    (found,) = publish(scene, joined, SECOND).findings
    assert [found.id, *(one.id for one in found.places)] == [first.id, second.id]
    first_alone = joined.model_copy(update={"id": first.id})
    (found,) = publish(scene, first_alone, THIRD).findings
    assert [found.id, *(one.id for one in found.places)] == [first.id, second.id]
    assert len(said(scene)) == 2


@pytest.mark.parametrize("ids", ["ab", "ba"])
def test_of_two_places_that_lie_close_each_is_known_by_the_remark_at_its_lines(ids):
    def unasked() -> AbstractContextManager[Hub]:
        raise AssertionError

    first, second = (told(line, id=letter * 12) for line, letter in zip((10, 12), ids, strict=True))
    here = Anchor(side="RIGHT", start_line=10, line=10, suggest=True)
    remarks = [
        Remark("a.txt", line, render_comment(told(**LEAKS), here, no_code), "", "c" * 12, line)
        for line in (10, 12)
    ]
    one = first.model_copy(update={**LEAKS_AGAIN, "places": (second.place,)})
    found = retellings([one], {}, remarks, Heads(unasked, NAME, "d" * 40))
    assert {name: remark.number for name, remark in found.items()} == {first.id: 10, second.id: 12}


def test_a_detector_is_believed_when_something_was_changed(scene):
    publish(scene, told(**NAMED, source="detector:python-lint/F821"))
    assert closed(scene) == "", "the same head"
    elsewhere(scene, "unrelated")
    assert closed(scene).startswith("Gone as of")


def test_a_file_that_was_set_aside_under_another_name_closes_nothing(scene):
    publish(scene, told())
    moved(scene)
    aside = [Skipped(path="c/b.txt", hunks=1, reason="ignored")]
    assert closed(scene, coverage=Coverage(hunks=1, reviewed=0, skipped=aside)) == ""


# What a comment claims


def test_a_comment_is_read_as_it_was_written():
    odd = {
        "title": "`a_b` & <c> **twice**: `x[0]` is #1",
        "body": "It_s *this*:\n\n- one `d`\n- two\n\n```\ncode\n```\n\nEnds.",
        "suggestion": "x\n",
        "preexisting": True,
        "category": Category.CONTRACT,
        "source": "detector:contracts/call",
    }
    here = Anchor(side="RIGHT", start_line=10, line=10, suggest=True)
    more = {"trigger": "the list is `empty`.", "also_by": ("detector:python-lint/F821",)}
    for changes in ({}, odd, more, odd | more):
        one = told(**changes)
        claim = claim_of(render_comment(one, here, no_code), one.path)
        assert claim is not None
        for name in ("severity", "category", "source", "path"):
            assert getattr(claim, name) == getattr(one, name)
        for name in ("title", "body"):
            words = str(getattr(one, name)).replace("*", "").split()
            assert str(getattr(claim, name)).replace("*", "").split() == words


@pytest.mark.parametrize("text", ["", "Fixed in abc.", "**🟧 high: No more than a title**"])
def test_what_is_no_finding_claims_nothing(text):
    assert claim_of(text, "a.txt") is None


# What detectors say of callers


CALLER = "from a import total\n\nprint(total(1))\n"
BROKEN = {"a.py": "\n" * 9 + "def total(one):\n    return one\n", "b.py": CALLER, "c.py": CALLER}


def of_callers(**callers: str) -> list[Finding]:
    """Return what is said where `total` takes two numbers and these callers give one."""
    change = {"a.py": BROKEN["a.py"].replace("total(one)", "total(one, two)")}
    more = {f"{name}.py": text for name, text in callers.items()}
    found = breaks(BROKEN, {**change, **more})
    return [one.model_copy(update={"path": "a.txt"}) for one in found]


@pytest.mark.parametrize(
    "callers",
    [{"b": "\n# Moved.\n" + CALLER}, {"b": ""}, {"d": CALLER}],
    ids=["one moves", "one is mended", "another comes"],
)
def test_a_broken_call_is_said_once_whatever_becomes_of_its_callers(either, callers):
    (before,), (now,) = of_callers(), of_callers(**callers)
    assert before.body != now.body
    publish(either, before)
    pushed(either)
    publish(either, now.model_copy(update={"start_line": 11, "line": 11}), SECOND)
    assert len(said(either)) == 1
