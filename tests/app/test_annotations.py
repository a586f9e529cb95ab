"""The log of a step: what the runner takes for a command, and what it must not."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.annotations import (
    ANNOTATIONS_EACH,
    StepLog,
    annotations,
    command,
    is_annotation,
    log_line,
)
from reviewer.finding import Category, Finding, Place, Severity
from tests.composite import Said, parse_line

SIGNS = (
    "::",
    "##[",
    "]",
    "%",
    "%0A",
    "%3A",
    "\r",
    "\n",
    ",",
    "=",
    ":",
    " ",
    "\t",
    "\x85",
    "\u2028",
)
NAMES = ("add-mask", "stop-commands", "error", "warning file=a", "\ud800")
HOSTILE = st.one_of(st.text(), st.lists(st.sampled_from(SIGNS + NAMES)).map("".join))


def finding(severity: Severity = Severity.HIGH, **given: object) -> Finding:
    facts: dict[str, object] = {
        "path": "src/app.py",
        "start_line": 3,
        "line": 5,
        "category": Category.CORRECTNESS,
        "severity": severity,
        "confidence": 0.9,
        "title": "It is wrong",
        "body": "Because.\nReally.",
        "source": "model:general",
        "verified": True,
    }
    return Finding.model_validate(facts | given)


def read(lines: Sequence[str]) -> list[Said]:
    said = [parse_line(line) for line in lines]
    assert all(said)
    return [one for one in said if one]


def test_an_annotation_names_place_title_and_text() -> None:
    (said,) = read(annotations([finding()]))
    assert said.name == "error"
    assert said.properties == {
        "file": "src/app.py",
        "line": "3",
        "endLine": "5",
        "title": "It is wrong",
    }
    assert said.message == "high, correctness\n\nBecause.\nReally."


@pytest.mark.parametrize("severity", Severity)
def test_what_we_print_is_known_again_and_what_others_print_is_not(severity: Severity) -> None:
    (said,) = read(annotations([finding(severity, side="LEFT", verified=False)]))
    assert is_annotation(said.message)
    for other in ("", "high", "high, correctness: no", "It is high, correctness\n\nx", "Because."):
        assert not is_annotation(other)


def test_the_worst_and_surest_comes_first_and_names_its_other_places() -> None:
    other = Place(id="b" * 12, path="src/b,c.py", start_line=7, line=9)
    said = read(
        annotations(
            [
                finding(Severity.LOW, confidence=1.0, title="low"),
                finding(confidence=0.6, title="unsure"),
                finding(confidence=0.9, title="sure", path="z.py", places=(other,)),
            ]
        )
    )
    assert [one.properties["title"] for one in said] == ["sure", "unsure", "low"]
    assert said[0].message.endswith("Really.\n\nAlso at: src/b,c.py:7-9")


def test_a_claim_that_was_not_verified_is_said_to_be() -> None:
    (said,) = read(annotations([finding(verified=False)]))
    assert said.message.endswith("Really.\n\nNot verified: no second look has confirmed it.")


def test_a_path_with_signs_of_the_syntax_arrives_as_it_is() -> None:
    path = "a,b=c:d%3A/::error::x\n.py"
    (said,) = read(annotations([finding(path=path, title="50%, of: it")]))
    assert (said.name, said.properties["file"]) == ("error", path)
    assert said.properties["title"] == "50%, of: it"


@given(HOSTILE, HOSTILE)
def test_whatever_a_finding_says_is_one_command_with_the_same_words(path: str, body: str) -> None:
    line = command("warning", body, file=path, title="end")
    assert "\n" not in line and "\r" not in line
    said = parse_line(line)
    assert said is not None
    assert (said.name, said.message) == ("warning", body)
    assert said.properties.get("file", "") == path


@given(HOSTILE)
def test_no_line_of_the_log_is_a_command(text: str) -> None:
    line = log_line(text)
    assert not set("\r\n\x85\u2028") & set(line)
    assert parse_line(line) is None


def test_the_worst_come_first_and_errors_without_room_become_warnings() -> None:
    many = [finding(Severity.MEDIUM, title=f"m{n}") for n in range(4)]
    many += [finding(Severity.CRITICAL, title=f"c{n}") for n in range(12)]
    said = read(annotations(many))
    room = ANNOTATIONS_EACH - 1
    assert [one.name for one in said] == ["error"] * room + ["warning"] * 7
    assert [one.properties["title"] for one in said] == [f"c{n}" for n in range(12)] + [
        f"m{n}" for n in range(4)
    ]


def test_no_kind_of_annotation_exceeds_what_github_keeps() -> None:
    said = read(annotations([finding(severity) for severity in Severity for _ in range(40)]))
    counts = {name: sum(one.name == name for one in said) for name in ("error", "warning")}
    assert counts == {"error": 9, "warning": 9} and len(said) == 27


def test_a_line_of_the_old_version_is_said_in_words() -> None:
    (said,) = read(annotations([finding(side="LEFT")]))
    assert "line" not in said.properties
    assert "src/app.py:3-5 of the version before this change" in said.message


def test_a_finding_about_a_whole_file_has_no_line() -> None:
    (said,) = read(annotations([finding(start_line=None, line=None)]))
    assert said.properties.keys() == {"file", "title"}


def test_hidden_characters_become_visible_and_length_is_bounded() -> None:
    (said,) = read(annotations([finding(title="a\u202eb", body="x" * 9_000)]))
    assert said.properties["title"] == "a\\u{202e}b"
    assert len(said.message) == 4_000


@pytest.mark.parametrize(
    "text", ["::error::x", "  ::add-mask::x", "a\n::stop-commands::t", "see ##[error]x"]
)
def test_text_given_to_the_log_in_any_way_starts_no_command(text: str) -> None:
    stream = io.BytesIO()
    log = StepLog(stream)
    log.say(text)
    log.write(text + "\n")
    lines = stream.getvalue().decode().splitlines()
    assert lines and [parse_line(line) for line in lines] == [None] * len(lines)
    assert all(line.startswith("rlm: ") for line in lines)


def test_a_secret_is_masked_by_its_exact_value() -> None:
    stream = io.BytesIO()
    log = StepLog(stream)
    log.mask(SecretStr("ghs_a%b"))
    log.mask(None)
    (said,) = [parse_line(line) for line in stream.getvalue().decode().splitlines()]
    assert said == Said("add-mask", "ghs_a%b", {})
