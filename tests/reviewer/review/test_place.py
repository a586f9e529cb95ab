"""From claims to findings: which place a quote means where the diff and the file both have one."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.finding import Proof
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


ADDED = hunk(
    "c.py", " def f():\n+    x = 1\n     return None\n+\n+def g():\n+    return 0\n", 11, 11
)
GONE = hunk("c.py", " def k():\n-    stop()\n     go()\n", 30, 34)
TWICE = (
    "def a():\n    return None\n\n\ndef b():\n    return 0\n\n\ndef c():\n    stop()\n"
    "def f():\n    x = 1\n    return None\n\ndef g():\n    return 0\n" + "\n" * 17
    + "def k():\n    go()\n"
)  # fmt: skip
SHORT = Placer(change(changed("c.py", ADDED, GONE)), Files(c_py=TWICE))
BOTH = {one.id: whole(one) for one in (ADDED, GONE)}


@pytest.mark.parametrize(
    ("quote", "changes", "told"),
    [
        ("    return None", {}, "several places of that file"),
        (
            "    return None",
            {"path": "c.py"},
            "or leave the path out if they are lines of your hunk",
        ),
        ("    return None", {"path": "c.py", "hunk": ""}, "several places"),
        ("    return 0", {"path": "c.py"}, "several places"),
        ("    return 0", {"hunk": GONE.id}, "several places of that file"),
        ("    stop()", {"hunk": GONE.id}, "with the - of the diff"),
    ],
)
def test_a_short_quote_that_stands_elsewhere_too_goes_back(quote, changes, told):
    given = claim(quote, **{"hunk": ADDED.id, **changes})
    assert told in (SHORT.problem(given, BOTH) or "")
    assert SHORT.finding(given, BOTH, "general") is None


@pytest.mark.parametrize(
    ("quote", "changes", "side", "line"),
    [
        ("    return 0", {}, "RIGHT", 16),  # added by the hunk that is named
        ("    x = 1\n    return None", {"path": "c.py"}, "RIGHT", 12),
        ("-    stop()", {"hunk": GONE.id}, "LEFT", 31),
        ("-    stop()", {"hunk": GONE.id, "path": "c.py"}, "LEFT", 31),
        ("    stop()", {"hunk": GONE.id, "path": "c.py"}, "RIGHT", 10),
        ("def k():\n    stop()", {"hunk": GONE.id, "path": "c.py"}, "LEFT", 30),
    ],
)
def test_what_tells_the_place_of_a_short_quote(quote, changes, side, line):
    found = SHORT.finding(claim(quote, **{"hunk": ADDED.id, **changes}), BOTH, "general")
    assert found is not None
    assert (found.side, found.start_line) == (side, line)


def test_a_proof_that_stands_elsewhere_too_has_no_line():
    assert SHORT.proof("c.py", "    return 0") == Proof(path="c.py", quote="    return 0")
    proof = SHORT.proof("c.py", "    x = 1")
    assert proof is not None
    assert proof.line == 12


ROWS = st.lists(st.sampled_from(["a", " a", "b", "", "c = 1"]), min_size=1, max_size=8)
EDIT = st.lists(
    st.tuples(st.sampled_from(" +-"), st.sampled_from(["a", " a", "b", "c = 1"])),
    min_size=1,
    max_size=8,
).filter(lambda rows: any(sign != " " for sign, _ in rows))


@given(ROWS, EDIT, ROWS, st.data(), st.booleans())
def test_no_claim_lands_on_a_line_that_its_quote_does_not_name_alone(
    before: list[str],
    edit: list[tuple[str, str]],
    after: list[str],
    data: st.DataObject,
    named: bool,
):
    """`named`: the claim gives the path, so that it may mean any line of its file."""
    start = len(before) + 1
    one = hunk("d.py", "\n".join(sign + text for sign, text in edit), start, start)
    head = [*before, *(text for sign, text in edit if sign != "-"), *after]
    placer = Placer(change(changed("d.py", one)), Files(d_py="\n".join(head)))
    rows = data.draw(st.sampled_from([head, [text for sign, text in edit if sign != "+"]]))
    first = data.draw(st.integers(0, max(0, len(rows) - 1)))
    quote = "\n".join(rows[first : first + data.draw(st.integers(1, 3))])
    if not quote.strip():
        return
    path = {"path": "d.py"} if named else {}
    found = placer.finding(claim(quote, hunk=one.id, **path), {one.id: whole(one)}, "general")
    if found is None or found.evidence.strip("\n") != quote.strip("\n"):
        return  # what is found but for white space is another matter
    wanted = quote.strip("\n").split("\n")
    places = [at + 1 for at in range(len(head)) if head[at : at + len(wanted)] == wanted]
    assert found.start_line is not None
    if found.side == "LEFT":
        assert places == []
    elif places != [found.start_line]:
        added = {line.new for line in one.lines if line.kind == "+"}
        assert not named
        assert added & set(range(found.start_line, (found.line or 0) + 1))


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
