"""Where a finding can stand on GitHub, and what code goes with it; over real repositories."""

from pathlib import Path

import pytest

from app.objects import LocalObjects
from app.report import Report, report
from reviewer.change import Change
from reviewer.diff import build_change
from reviewer.finding import Category, Finding, Place, Severity, Side
from reviewer.git import open_repo
from reviewer.request import ChangeInfo, Coverage, Review
from tests.repo import Repo

BEFORE = "".join(f"line {n}\n" for n in range(1, 61))
AFTER = BEFORE.replace("line 10\n", "line ten\n").replace("line 40\n", "")


def finding(
    start: int | None, line: int | None, *, side: Side = "RIGHT", **fields: object
) -> Finding:
    values: dict[str, object] = {
        "path": "a.txt",
        "side": side,
        "start_line": start,
        "line": line,
        "category": Category.CORRECTNESS,
        "severity": Severity.HIGH,
        "confidence": 0.9,
        "title": f"{start}-{line} {side} {fields}",
        "body": "",
        "source": "model:correctness",
    }
    return Finding.model_validate(values | fields)


def reported(tmp_path: Path, *findings: Finding, after: str | bytes = AFTER) -> Report:
    repo = Repo(tmp_path / "repo")
    repo.write("a.txt", BEFORE)
    repo.write("same.txt", BEFORE)
    base = repo.commit()
    repo.write("a.txt", after)
    head = repo.commit()
    with open_repo(str(repo.path)) as opened:
        change = build_change(opened, base, head)
        with LocalObjects(opened, change) as objects:
            return report(_review(change, *findings), change, objects)


def _review(change: Change, *findings: Finding) -> Review:
    return Review(
        change=ChangeInfo(
            base=change.base,
            head=change.head,
            merge_base=change.merge_base,
            files=1,
            added=1,
            deleted=2,
        ),
        findings=list(findings),
        summary="",
        coverage=Coverage(hunks=2, reviewed=2),
    )


@pytest.mark.parametrize(
    ("start", "line", "side", "taken"),
    [
        (10, 10, "RIGHT", True),
        (7, 13, "RIGHT", True),  # three lines of context on both sides
        (6, 10, "RIGHT", False),
        (10, 14, "RIGHT", False),
        (10, 10, "LEFT", True),
        (40, 40, "LEFT", True),
        (13, 37, "RIGHT", False),  # from one hunk into another
        (25, 25, "RIGHT", False),
        (None, None, "RIGHT", False),
    ],
)
def test_a_finding_has_an_anchor_where_github_takes_a_comment(
    tmp_path: Path, start: int | None, line: int | None, side: Side, taken: bool
) -> None:
    one = finding(start, line, side=side)
    anchors = reported(tmp_path, one).anchors
    assert (one.id in anchors) is taken
    if taken:
        anchor = anchors[one.id]
        assert (anchor.start_line, anchor.line, anchor.side) == (start, line, side)


def test_a_file_that_did_not_change_has_no_anchor(tmp_path: Path) -> None:
    one = finding(10, 10, path="same.txt")
    assert reported(tmp_path, one).anchors == {}


@pytest.mark.parametrize(
    ("fields", "offered"),
    [
        ({"suggestion": "line 10"}, True),
        ({"suggestion": ""}, True),
        ({"suggestion": "line ten"}, False),  # what is there already
        ({"suggestion": "line ten\n"}, False),
        ({"suggestion": "line 10\r\n"}, False),
        ({"suggestion": None}, False),
        ({"suggestion": "line 10", "side": "LEFT"}, False),
        ({"suggestion": "x", "category": Category.SECRET, "evidence": "line ten"}, False),
    ],
)
def test_a_suggestion_is_offered_where_it_does_what_it_says(
    tmp_path: Path, fields: dict[str, object], offered: bool
) -> None:
    one = finding(10, 10, **fields)  # type: ignore[arg-type]
    assert reported(tmp_path, one).anchors[one.id].suggest is offered


def test_no_suggestion_changes_line_endings(tmp_path: Path) -> None:
    one = finding(10, 10, suggestion="line 10")
    report = reported(tmp_path, one, after=AFTER.replace("\n", "\r\n"))
    assert report.anchors[one.id].suggest is False


def test_the_code_around_a_finding_goes_with_it(tmp_path: Path) -> None:
    one = finding(10, 11)
    snippets = reported(tmp_path, one).snippets()
    shown = snippets("a.txt", "RIGHT", 8, 13)
    assert shown == ["line 8", "line 9", "line ten", "line 11", "line 12", "line 13"]
    assert snippets("a.txt", "LEFT", 8, 13) is None
    assert snippets("a.txt", "RIGHT", 30, 31) is None
    assert snippets("b.txt", "RIGHT", 1, 2) is None


def test_a_secret_is_masked_in_the_code_that_goes_with_it(tmp_path: Path) -> None:
    one = finding(10, 10, category=Category.SECRET, evidence="line t**")
    shown = reported(tmp_path, one)
    assert "line t**" in shown.code[one.id].lines
    assert "line ten" not in shown.model_dump_json()


def test_a_report_survives_its_way_through_the_store(tmp_path: Path) -> None:
    made = reported(tmp_path, finding(10, 10, suggestion="x"), finding(None, None))
    assert Report.model_validate_json(made.model_dump_json()) == made


def test_a_report_says_how_many_comments_are_wanted(tmp_path: Path) -> None:
    plain = reported(tmp_path)
    assert (plain.inline_comments, plain.blocks, plain.sarif) == (10, None, False)
    assert Report.model_validate_json(plain.model_dump_json(exclude={"inline_comments"})) == plain


def test_the_other_places_of_a_finding_have_anchors_and_no_suggestion(tmp_path: Path) -> None:
    there = Place(id="b" * 12, path="a.txt", start_line=38, line=39)
    outside = Place(id="c" * 12, path="same.txt", start_line=1, line=1)
    one = finding(10, 10, suggestion="line 10\n", places=(there, outside))
    made = reported(tmp_path, one)
    assert made.anchors[one.id].suggest
    assert made.anchors["b" * 12].model_dump() == {
        "side": "RIGHT",
        "start_line": 38,
        "line": 39,
        "suggest": False,
    }
    assert "c" * 12 not in made.anchors
    moved = one.at(there, [outside])
    assert (moved.id, moved.line, moved.suggestion, moved.places) == (
        "b" * 12,
        39,
        None,
        (outside,),
    )
    assert (moved.title, one.line) == (one.title, 10)
