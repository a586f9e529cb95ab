"""Where a finding stands today: looked up in the tree, whatever its review's file says."""

from collections.abc import Mapping
from typing import Any

import pytest

from reviewer.finding import Category, Finding, Place, Severity
from reviewer.fix.coder import told
from reviewer.fix.locate import Spot, Target, located, spellings
from reviewer.fix.values import Open
from reviewer.refactor.tree import Overlay
from tests.reviewer.refactor.trees import overlay

TEXT = "import os\n\n\ndef f(x):\n    y = x\n\n    return y\n\n\ndef g(x):\n    y = x\n"
FILES = {"a.py": TEXT, "b.py": "z = 1\n"}


def finding(**more: Any) -> Finding:
    given = {
        "path": "a.py",
        "start_line": 5,
        "line": 5,
        "category": Category.CORRECTNESS,
        "severity": Severity.HIGH,
        "confidence": 1.0,
        "title": "t",
        "body": "b",
        "evidence": "    y = x",
        "source": "model:correctness",
    }
    return Finding.model_validate({**given, **more})


def found(one: Finding, tree: Overlay | None = None) -> Target | Open:
    here = tree or overlay(FILES)
    return located(one, here, spellings(here))


def spots(one: Finding, files: Mapping[str, bytes | str] = FILES) -> tuple[Spot, ...]:
    done = found(one, overlay(files))
    assert isinstance(done, Target), done
    return done.spots


def left(one: Finding, tree: Overlay | None = None) -> tuple[str, str]:
    done = found(one, tree)
    assert isinstance(done, Open), done
    return done.state, done.why


def test_a_quote_is_found_where_it_stands_nearest() -> None:
    assert spots(finding()) == (Spot("a.py", 5, 5),)
    assert spots(finding(start_line=12, line=12)) == (Spot("a.py", 11, 11),)


def test_code_that_has_moved_is_found_with_its_empty_lines() -> None:
    one = finding(start_line=1, line=2, evidence="    y = x\n    return y")
    assert spots(one) == (Spot("a.py", 5, 7),)


def test_ends_of_lines_and_bytes_that_are_no_text_make_no_difference() -> None:
    files = {"a.py": b"x = '\xe9'\r\ny = 2\r\n"}
    assert spots(finding(evidence="x = '\\xe9'\r"), files) == (Spot("a.py", 1, 1),)


@pytest.mark.parametrize(
    "more",
    [
        {"evidence": "    y = w"},
        {"path": "gone.py"},
        {"evidence": "", "start_line": 90, "line": 90},
        {"side": "LEFT"},  # what it says is gone stands there
    ],
)
def test_what_does_not_stand_there_any_more_is_outdated(more: dict[str, Any]) -> None:
    assert left(finding(**more))[0] == "outdated"


def test_lines_that_are_gone_are_a_matter_of_the_file() -> None:
    assert spots(finding(side="LEFT", evidence="check(x)")) == (Spot("a.py"),)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../../etc/passwd", "relative to the root"),
        ("/etc/passwd", "relative to the root"),
        ("", "relative to the root"),
        (".git/config", "git's own folder"),
        (".github/workflows/ci.yml", "changed by hand"),
        (".env", "holds secrets"),
        ("package-lock.json", "lock file"),
        ("node_modules/x/index.js", "vendored"),
        ("link", "symbolic link"),
        ("sub/a.py", "submodule"),
    ],
)
def test_files_that_are_not_ours_are_protected(path: str, words: str) -> None:
    there = dict.fromkeys((".github/workflows/ci.yml", ".env", "node_modules/x/index.js"), TEXT)
    tree = overlay({**FILES, **there}, links=["link"], submodules=["sub"])
    state, why = left(finding(path=path), tree)
    if path == "sub/a.py":
        assert state == "outdated"  # nothing of it is in this repository
        return
    assert state == "protected" and words in why


def test_a_secret_is_revoked_by_people() -> None:
    state, why = left(finding(category="secret"))
    assert state == "protected" and "revoked" in why


def test_other_places_are_taken_where_they_are_there() -> None:
    def place(path: str, line: int) -> Place:
        return Place(id="0" * 12, path=path, start_line=line, line=line)

    places = (place("b.py", 1), place("b.py", 99), place("../x.py", 1), place("gone.py", 1))
    assert spots(finding(places=places)) == (Spot("a.py", 5, 5), Spot("b.py", 1, 1))


def test_a_node_is_told_when_a_finding_fails() -> None:
    for trigger, words in (
        ("x is\n0", "It fails when: x is 0\n\nIt quotes"),
        (" ", "b\n\nIt quotes"),
    ):
        done = found(finding(trigger=trigger))
        assert isinstance(done, Target)
        assert words in told(done)
