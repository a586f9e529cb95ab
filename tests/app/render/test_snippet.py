from collections.abc import Iterable

from app.render.snippet import (
    LONGEST_LINE,
    LONGEST_MARKED,
    LONGEST_SUGGESTION,
    CodeLine,
    DiffLine,
    excerpt,
    no_code,
    of_change,
    suggested,
)
from reviewer.change import Change, FileChange, Kind, Status
from reviewer.ports import Entry, FileTooLarge, Match, NoSuchFile, Rev
from reviewer.text import decode, printable
from tests.app.render.samples import code, finding, of_files


def numbers(lines: list[CodeLine]) -> list[tuple[int | None, bool]]:
    return [(line.number, line.marked) for line in lines]


def test_two_lines_stand_around_a_place():
    assert numbers(excerpt(finding(start_line=8, line=9), code)) == [
        (6, False),
        (7, False),
        (8, True),
        (9, True),
        (10, False),
        (11, False),
    ]


def test_a_place_at_the_edges_of_a_file():
    short = of_files({("f", "RIGHT"): "one\ntwo\n"})
    assert numbers(excerpt(finding(path="f", start_line=1, line=1), short)) == [
        (1, True),
        (2, False),
    ]
    assert numbers(excerpt(finding(path="f", start_line=2, line=2), short)) == [
        (1, False),
        (2, True),
    ]


def test_a_place_that_the_file_does_not_have_shows_the_evidence():
    shown = excerpt(finding(start_line=900, line=900, evidence="gone()"), code)
    assert shown == [CodeLine(900, "gone()", True)]


def test_without_code_the_evidence_is_shown_numbered_where_it_fits_the_place():
    assert numbers(excerpt(finding(start_line=4, line=5, evidence="a\nb\n"), no_code)) == [
        (4, True),
        (5, True),
    ]
    assert numbers(excerpt(finding(start_line=4, line=5, evidence="a"), no_code)) == [(None, True)]
    assert excerpt(finding(evidence=" \n"), no_code) == []


def test_a_long_place_shows_its_ends_and_counts_the_rest():
    long = of_files({("f", "RIGHT"): "".join(f"{n}\n" for n in range(1, 500))})
    shown = excerpt(finding(path="f", start_line=11, line=410), long)
    gap = next(line for line in shown if line.gap)
    marked = [line for line in shown if line.marked and not line.gap]
    assert len(marked) == LONGEST_MARKED
    assert gap.text == f"{400 - LONGEST_MARKED} more lines"
    assert all(line.text == str(line.number) for line in shown if not line.gap)
    assert (shown[0].number, shown[-1].number) == (9, 412)


def test_a_line_of_a_megabyte_is_cut():
    wide = of_files({("f", "RIGHT"): "x" * 1_000_000 + "\n"})
    [line] = excerpt(finding(path="f", start_line=1, line=1, suggestion="y" * 900_000), wide)
    assert len(line.text) < LONGEST_LINE + 50
    assert "999,000 more characters" in line.text
    for change in suggested(
        finding(path="f", start_line=1, line=1, suggestion="y" * 900_000), wide
    ):
        assert len(change.text) < LONGEST_LINE + 50


def test_a_suggestion_is_a_diff_of_the_lines_that_it_replaces():
    one = finding(start_line=6, line=7, suggestion="    for attempt in range(1):\n        try:\n")
    assert suggested(one, code) == [
        DiffLine("-", "    for attempt in range(3):"),
        DiffLine("+", "    for attempt in range(1):"),
        DiffLine(" ", "        try:"),
    ]


def test_an_empty_suggestion_deletes_and_a_newline_leaves_an_empty_line():
    gone = finding(start_line=5, line=5, suggestion="")
    blank = finding(start_line=5, line=5, suggestion="\n")
    old = DiffLine("-", '    """Give the money back, once."""')
    assert suggested(gone, code) == [old]
    assert suggested(blank, code) == [old, DiffLine("+", "")]


def test_line_endings_of_windows_are_no_difference():
    file = of_files({("f", "RIGHT"): "a\r\nb\r\n"})
    one = finding(path="f", start_line=1, line=2, suggestion="a\nc\n")
    assert [(line.kind, line.text) for line in suggested(one, file)] == [
        (" ", "a"),
        ("-", "b"),
        ("+", "c"),
    ]


def test_no_suggestion_where_none_can_be_applied():
    assert suggested(finding(suggestion=None), code) == []
    assert suggested(finding(suggestion="x", start_line=None, line=None), code) == []
    assert suggested(finding(suggestion="x", side="LEFT"), code) == []


def test_a_suggestion_of_thousands_of_lines_is_not_compared_line_by_line():
    number = LONGEST_SUGGESTION * 10
    text = "".join(f"{n}\n" for n in range(number))
    one = finding(path="f", start_line=1, line=number, suggestion=text)
    shown = suggested(one, of_files({("f", "RIGHT"): text}))
    assert {line.kind for line in shown} == {"-", "+"}
    assert len(shown) == 2 * number


class Files:
    """Objects that lie in a dict."""

    def __init__(self, files: dict[tuple[str, Rev], bytes]) -> None:
        self.files = files
        self.reads = 0

    def read(self, path: str, at: Rev = "head") -> bytes:
        self.reads += 1
        if (path, at) not in self.files:
            raise NoSuchFile(path)
        raw = self.files[path, at]
        if raw == b"huge":
            raise FileTooLarge(path)
        return raw

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


def changed(old: str | None, new: str | None) -> FileChange:
    return FileChange(
        path=new or old or "",
        old_path=old,
        new_path=new,
        status=Status.RENAMED,
        kind=Kind.TEXT,
        old_mode="100644",
        new_mode="100644",
        old_sha="1",
        new_sha="2",
        added=1,
        deleted=1,
        hunk_count=1,
    )


def test_code_comes_from_the_right_end_of_a_change_under_its_printable_name():
    odd = decode(b"caf\xe9.py")
    files = Files(
        {
            (odd, "head"): b"new\r\ntwo\x0b\xe9\x85\n",
            ("old.py", "base"): b"old\nlast",
            ("big.js", "head"): b"huge",
        }
    )
    change = Change("a", "b", "c", (changed("old.py", odd), changed(None, "big.js")))
    snippets = of_change(change, files)
    name = printable(odd)
    assert name == "caf\\xe9.py"
    assert snippets(name, "RIGHT", 1, 9) == ["new\r", "two\x0b\\xe9\\x85"]
    assert snippets(name, "LEFT", 1, 9) == ["old", "last"]
    assert snippets("old.py", "LEFT", 2, 2) == ["last"]
    assert snippets("big.js", "RIGHT", 1, 1) is None
    assert snippets("big.js", "LEFT", 1, 1) is None
    assert snippets("elsewhere.py", "RIGHT", 1, 1) is None
    before = files.reads
    for line in range(1, 50):
        snippets(name, "RIGHT", line, line)
    assert files.reads == before  # hundreds of findings in one file read it once
