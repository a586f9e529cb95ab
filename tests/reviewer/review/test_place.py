"""From claims to findings: which place a quote means where the diff and the file both have one."""

from collections.abc import Iterable

import pytest

from reviewer.ports import Entry, Match, NoSuchFile, Rev
from reviewer.review.claims import Claim
from reviewer.review.place import Placer
from tests.reviewer.review.values import change, changed, hunk, whole

FILE = """class Old:
    def get(self, key):
        value = self.store.load(key)
        return value


class New:
    def get(self, key):
        value = self.cache.load(key)
        return value
"""
SHOWN = hunk(
    "a.py",
    " class New:\n     def get(self, key):\n+        value = self.cache.load(key)\n         return value\n",
    7,
    7,
)


class Files:
    """Files in memory, the same at both ends."""

    def __init__(self, **files: str) -> None:
        self._files = {name.replace("_", "."): text.encode() for name, text in files.items()}

    def read(self, path: str, at: Rev = "head") -> bytes:
        if path not in self._files:
            raise NoSuchFile(path)
        return self._files[path]

    def prefetch(self, shas: Iterable[str]) -> None:
        pass

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        return []

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        return []


def claim(quote: str, **changes: object) -> Claim:
    values: dict[str, object] = {
        "hunk": SHOWN.id,
        "quote": quote,
        "category": "correctness",
        "severity": "high",
        "confidence": 0.9,
        "title": "Stale",
        "why": "It is stale.",
    }
    return Claim.model_validate(values | changes)


PLACER = Placer(change(changed("a.py", SHOWN)), Files(a_py=FILE))
HELD = {SHOWN.id: whole(SHOWN)}
UNCHANGED = "    def get(self, key):\n        value = self.store.load(key)\n        return value"


def test_code_outside_the_diff_is_not_taken_for_its_twin_in_the_diff():
    problem = PLACER.problem(claim(UNCHANGED), HELD)
    assert problem is not None
    assert "outside the diff" in problem
    found = PLACER.finding(claim(UNCHANGED, path="a.py"), HELD, "general")
    assert found is not None
    assert (found.start_line, found.line) == (2, 4)


def test_a_replacement_of_lines_outside_the_diff_stays_with_the_finding():
    fix = UNCHANGED.replace("store", "cache")
    found = PLACER.finding(claim(UNCHANGED, path="a.py", replacement=fix), HELD, "general")
    assert found is not None
    assert (found.line, found.suggestion) == (4, fix)
    loose = UNCHANGED.replace("    def", "def")
    found = PLACER.finding(claim(loose, path="a.py", replacement=fix), HELD, "general")
    assert found is not None
    assert (found.line, found.suggestion) == (4, None)


def test_a_slip_of_the_pen_is_forgiven_where_nobody_else_has_the_words():
    slip = "    def get(self, key):\n        value = self.cash.load(key)\n        return value"
    found = PLACER.finding(claim(slip), HELD, "general")
    assert found is not None
    assert (found.start_line, found.line, found.suggestion) == (8, 10, None)


def suggested(text: str, quote: str, fix: str) -> str | None:
    """Return what becomes of a replacement of lines that a change adds to a file."""
    one = hunk("b.py", "".join(f"+{line}\n" for line in text.split("\n")))
    placer = Placer(change(changed("b.py", one)), Files(b_py=f"{text}\n"))
    given = claim(quote, hunk=one.id, replacement=fix)
    found = placer.finding(given, {one.id: whole(one)}, "general")
    assert found is not None
    return found.suggestion


def test_a_replacement_of_more_lines_than_are_looked_for_replaces_none():
    lines = [f"x = {number}" for number in range(60)]
    text = "\n".join(lines)
    assert suggested(text, "\n".join(lines[:40]), "y = 1") == "y = 1"
    assert suggested(text, "\n".join(lines[:50]), "y = 1") is None


@pytest.mark.parametrize(
    ("quote", "fix", "kept"),
    [
        ("+x = 1\n+y = 2", "+x = 2\n+\n+y = 3", "x = 2\n\ny = 3"),
        ("+x = 1\n+y = 2", "x = 2\n+y = 3", None),
        ("+x = 1\n+y = 2", "x = 2\ny = 3", None),
        ("+x = 1\n+y = 2", "", ""),
        ("x = 1\ny = 2", "+x = 2\n+y = 3", None),
        ("x = 1", "x = 2\n+ 3", "x = 2\n+ 3"),
    ],
)
def test_the_column_of_a_diff_gets_into_no_replacement(quote: str, fix: str, kept: str | None):
    assert suggested("x = 1\ny = 2", quote, fix) == kept


@pytest.mark.parametrize("fix", ["x = 2", "x = 2␍", "x = 2\r\n"])
def test_a_suggestion_ends_its_lines_as_the_file_does(fix: str):
    one = hunk("b.py", "+x = 1\r\n")
    placer = Placer(change(changed("b.py", one)), Files(b_py="x = 1\r\n"))
    found = placer.finding(
        claim("x = 1␍", hunk=one.id, replacement=fix), {one.id: whole(one)}, "general"
    )
    assert found is not None
    assert (found.line, found.suggestion) == (1, "x = 2\r")


def test_what_fails_is_the_finders_until_somebody_else_says_it():
    said = "the key was changed\nmeanwhile."
    found = PLACER.finding(claim(UNCHANGED, path="a.py", trigger=said), HELD, "general")
    assert found is not None
    assert found.trigger == said
    assert not found.verified
    assert "trigger" in Claim.model_json_schema()["required"]
    assert Claim.model_json_schema()["properties"]["trigger"]["maxLength"]
    without = PLACER.finding(claim(UNCHANGED, path="a.py"), HELD, "general")
    assert without is not None  # nothing is lost for its want
    assert without.trigger == ""
