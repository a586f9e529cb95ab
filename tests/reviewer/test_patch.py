"""Git's output taken apart, without git: what it prints, and what it never should."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from reviewer import patch
from reviewer.change import Line
from reviewer.errors import GiveUp
from reviewer.patch import RawEntry, hunks, raw_entries, sections
from tests.examples import examples

OLD, NEW, ZERO = "1" * 40, "2" * 40, "0" * 40


def section(*bodies: bytes, name: bytes = b"f") -> bytes:
    head = b"diff --git a/%s b/%s\nindex %s..%s 100644\n" % (name, name, OLD.encode(), NEW.encode())
    return head + (b"--- a/%s\n+++ b/%s\n" % (name, name) + b"".join(bodies) if bodies else b"")


def test_raw_entries_of_every_status() -> None:
    raw = (
        f":000000 100644 {ZERO} {NEW} A\0a\0:100644 000000 {OLD} {ZERO} D\0d\0"
        f":100644 100755 {OLD} {NEW} M\0m\nm\0:100644 100644 {OLD} {NEW} R087\0old\0new\0"
        f":100644 120000 {OLD} {NEW} T\0t\0"
    ).encode()
    entries, at = raw_entries(raw + b"\0" + section())
    assert at == len(raw) + 1
    assert [(e.status, e.old_path, e.new_path, e.similarity) for e in entries] == [
        ("A", "a", "a", None),
        ("D", "d", "d", None),
        ("M", "m\nm", "m\nm", None),
        ("R", "old", "new", 87),
        ("T", "t", "t", None),
    ]
    assert entries[2] == RawEntry("100644", "100755", OLD, NEW, "M", None, "m\nm", "m\nm")


def test_no_change_at_all() -> None:
    assert raw_entries(b"") == ([], 0)
    assert list(sections(b"", 0)) == []


def test_a_path_that_is_no_utf8_survives() -> None:
    ((entry,), _) = raw_entries(f":000000 100644 {ZERO} {NEW} A\0".encode() + b"\xff\xfe\0")
    assert entry.new_path.encode("utf-8", "surrogateescape") == b"\xff\xfe"


@pytest.mark.parametrize(
    "raw",
    [
        b"warning: something\0",
        f":100644 100644 {OLD} {NEW} M".encode(),
        f":100644 100644 {OLD} {NEW} M\0f".encode(),
        f":100644 100644 {OLD} {NEW} R100\0f\0".encode(),
        f"::100644 100644 100644 {OLD} {OLD} {NEW} MM\0f\0".encode(),
    ],
)
def test_a_list_that_git_never_prints_is_refused(raw: bytes) -> None:
    with pytest.raises(GiveUp, match="list of changed files"):
        raw_entries(raw)


def test_a_patch_that_begins_with_something_else_is_refused() -> None:
    with pytest.raises(GiveUp, match="begins with"):
        list(sections(b"warning\n" + section(), 0))


def test_lines_that_look_like_headers_are_lines() -> None:
    body = (
        b"@@ -1,4 +1,5 @@ diff --git a/x b/x\n"
        b"--- a/x\n-@@ -1 +1 @@\n diff --git a/y b/y\n+++ b/x\n+@@ -9 +9 @@\n+diff --git\n"
        b" Binary files a/x and b/x differ\n"
    )
    (one, two) = sections(section(body) + section(b"@@ -1 +1 @@\n-a\n+b\n"), 0)
    assert (one.added, one.deleted, one.hunk_count, one.error) == (3, 2, 1, None)
    assert (two.added, two.deleted, two.hunk_count, two.error) == (1, 1, 1, None)
    assert not one.is_binary
    (hunk,) = hunks("x", [body])
    assert [line.kind + line.text for line in hunk.lines] == [
        "--- a/x",
        "-@@ -1 +1 @@",
        " diff --git a/y b/y",
        "+++ b/x",
        "+@@ -9 +9 @@",
        "+diff --git",
        " Binary files a/x and b/x differ",
    ]
    assert hunk.section == "diff --git a/x b/x"


def test_newlines_that_are_none_to_git() -> None:
    texts = ["a\rb", "c\u2028d", "e\x0cf", "g\x85h", "i\x1ej", "\r", "\x0b", "k\r", ""]
    body = b"@@ -0,0 +1,%d @@\n" % len(texts) + b"".join(b"+%s\n" % text.encode() for text in texts)
    (hunk,) = hunks("x", [body])
    assert [line.text for line in hunk.lines] == texts
    assert [line.new for line in hunk.lines] == list(range(1, len(texts) + 1))


def test_a_missing_newline_belongs_to_its_line() -> None:
    body = b"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
    (hunk,) = hunks("x", [body])
    assert hunk.lines == (
        Line("-", "a", 1, None, newline=False),
        Line("+", "b", None, 1, newline=False),
    )
    (only_one,) = hunks("x", [b"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"])
    assert [line.newline for line in only_one.lines] == [False, True]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"@@ -1 +1 @@\n-a\n", "of (1, 1) lines has (1, 0)"),
        (b"@@ -1 +1 @@\n-a\n+b\n+c\n", "of (1, 1) lines has (1, 2)"),
        (b"@@ -1 +1 @@\n-a\n+b\ngarbage\n", "without a sign"),
        (b"@@ -1 +1 @@\n-a\n+b\n\n", "without a sign"),
        (b"@@ -1 +1 nothing\n-a\n+b\n", "header reads"),
        (b"@@ -1 +1 @@@\n", "header reads"),
    ],
)
def test_a_broken_section_is_told_and_harms_no_other(body: bytes, why: str) -> None:
    sound = section(b"@@ -1 +1 @@\n-a\n+b\n")
    found = list(sections(sound + section(body) + sound, 0))
    assert len(found) == 3
    assert [item.error is None for item in found] == [True, False, True]
    assert why in str(found[1].error)


@pytest.mark.parametrize("body", [b"@@ -1 +1 @@\n-a\n+b", b"@@ -1 +1 @@", b"@@ -1 +1 @@\n-a\n+"])
def test_a_patch_cut_short_is_told(body: bytes) -> None:
    sound, broken = sections(section(b"@@ -1 +1 @@\n-a\n+b\n") + section(body), 0)
    assert (sound.error, broken.error is None) == (None, False)


def test_equal_hunks_have_ids_of_their_own_and_ids_do_not_depend_on_places() -> None:
    def ids(body: bytes, path: str = "x") -> list[str]:
        return [hunk.id for hunk in hunks(path, [body])]

    first = ids(b"@@ -1 +1 @@\n-a\n+b\n@@ -9 +9 @@ f\n-a\n+b\n@@ -20 +20 @@\n-x\n+y\n")
    assert len(set(first)) == 3
    assert ids(b"@@ -100 +200 @@ g\n-a\n+b\n") == first[:1]
    assert ids(b"@@ -5 +5 @@\n-x\n+y\n") == first[2:]
    assert ids(b"@@ -1 +1 @@\n-a\n+b\n", "y") != first[:1]


TEXT = st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"")) | st.sampled_from(
    [
        b"",
        b"-- a/x",
        b"++ b/x",
        b"@ -1 +1 @@",
        b"\\ No newline at end of file",
        b"\r",
        b"\xe2\x80\xa8",
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    signs = draw(st.lists(st.sampled_from([b" ", b"+", b"-"]), min_size=1, max_size=30))
    lines = b"".join(sign + draw(TEXT) + b"\n" for sign in signs)
    old, new = (sum(sign in wanted for sign in signs) for wanted in (b" -", b" +"))
    start = draw(st.integers(1, 10**6))
    return b"@@ -%d,%d +%d,%d @@ %s\n" % (start, old, start, new, draw(TEXT)) + lines


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(bodies(), min_size=1, max_size=4))
def test_unidiff_and_the_strict_parser_agree(pieces: list[bytes]) -> None:
    piece = b"".join(pieces)
    parsed = patch._by_unidiff(piece)
    assert parsed is not None
    assert parsed == [hunk.lines for hunk in hunks("x", [piece])]
    strict = hunks("x", [piece], patch.UNIDIFF_BYTES + 1)
    assert strict == hunks("x", [piece])  # which leaves out the lines
    assert [hunk.lines for hunk in strict] == parsed
    for body, lines in zip(pieces, parsed, strict=True):
        header = patch._HUNK.match(body)
        assert header is not None
        old, _, new, _ = patch._range(header)
        assert patch._strictly(memoryview(body)[header.end() :], old, new) == lines
    (found,) = sections(section(piece), 0)
    assert found.error is None
    assert found.added == sum(line.kind == "+" for lines in parsed for line in lines)
    assert found.deleted == sum(line.kind == "-" for lines in parsed for line in lines)


@settings(max_examples=examples(60), deadline=None)
@given(bodies(), st.integers(1, 20))
def test_texts_are_the_same_however_they_are_cut(body: bytes, step: int) -> None:
    expected = [line.decode("utf-8", "surrogateescape") for line in body.split(b"\n")[:-1]]
    assert list(patch._texts(memoryview(body), step)) == expected


def test_a_hunk_larger_than_every_window_is_counted_and_parsed() -> None:
    count = 200_000
    body = b"@@ -0,0 +1,%d @@\n" % count + b"".join(
        b"+%064d line %d\n" % (i * i, i) for i in range(count)
    )
    assert len(body) > patch.COUNT_BYTES + patch.DECODE_BYTES
    (found,) = sections(section(body), 0)
    assert (found.error, found.added, found.deleted) == (None, count, 0)
    (hunk,) = hunks("x", [body], len(body))
    assert len(hunk.lines) == count
    assert hunk.lines[-1] == Line("+", f"{(count - 1) ** 2:064d} line {count - 1}", None, count)
    (short,) = sections(section(body.replace(b"\n+0", b"\n0", 1)), 0)
    assert short.error is not None
