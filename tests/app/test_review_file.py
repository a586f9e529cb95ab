"""A review's JSON as it comes back: read strictly, for anybody may have written it."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.review_file import read_review, selected
from reviewer.errors import TellUser
from reviewer.finding import Category, Finding, Severity
from reviewer.request import ChangeInfo, Coverage, Review

SHA = "a" * 40


def finding(title: str, severity: Severity) -> Finding:
    return Finding(
        path="a.py",
        category=Category.CORRECTNESS,
        severity=severity,
        confidence=1.0,
        title=title,
        body="",
        source="model:correctness",
    )


LOW, HIGH = finding("low", Severity.LOW), finding("high", Severity.HIGH)


def value(*findings: Finding, head: str = SHA) -> dict[str, Any]:
    info = ChangeInfo(base=SHA, head=head, merge_base=SHA, files=1, added=1, deleted=0)
    review = Review(
        change=info,
        findings=list(findings),
        summary="",
        coverage=Coverage(hunks=0, reviewed=0),
    )
    return review.model_dump(mode="json")


def refusal(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(TellUser) as told:
        read_review(str(path))
    return str(told.value)


def test_what_the_review_printed_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "review.json"
    file.write_text(json.dumps(value(LOW, HIGH)))
    review = read_review(str(file))
    assert selected(review, ()) == (HIGH, LOW)  # the gravest first
    assert selected(review, (LOW.id, LOW.id)) == (LOW,)
    with pytest.raises(TellUser, match="has no finding 000000000000"):
        selected(review, ("000000000000",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no review: expecting"),
        ("[]", "is no review"),
        ('{"a": 1, "a": 2}', "a key occurs twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"findings": []}', "is no review of this version: change"),
        (json.dumps({**value(), "schema_version": 2}), "schema_version"),
        (json.dumps(value(head="--output=x")), "change.head is no name"),
        (json.dumps(value(LOW, LOW)), "or there twice"),
    ],
)
def test_a_file_that_is_no_review_is_refused(text: str, words: str, tmp_path: Path) -> None:
    assert words in refusal(tmp_path / "x.json", text)


@pytest.mark.parametrize("name", ["../x", "$(id)", "A" * 12, "0" * 12 + "\n", "0" * 11])
def test_an_id_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    text = json.dumps(value(LOW.model_copy(update={"id": name})))
    assert "is no id" in refusal(tmp_path / "x.json", text)


def test_a_file_of_any_size_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.review_file.MAX_BYTES", 1_000_000)
    assert "has more than 1 MB" in refusal(tmp_path / "x.json", " " * 1_000_001)
