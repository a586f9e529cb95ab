"""The values of a change: which lines take a comment, what is counted, what compares equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.change import Change, FileChange, Hunk, Kind, Line, Packed, Status
from reviewer.patch import hunks

FIRST = b"@@ -10,3 +10,4 @@ def f():\n a\n-b\n+B\n+C\n d\n"
SECOND = b"@@ -30,2 +31,0 @@\n-x\n-y\n"


def file_of(*bodies: bytes, path: str = "f.py") -> FileChange:
    parsed = hunks(path, [b"".join(bodies)])
    kinds = [line.kind for hunk in parsed for line in hunk.lines]
    return FileChange(
        path=path,
        old_path=path,
        new_path=path,
        status=Status.MODIFIED,
        kind=Kind.TEXT,
        old_mode="100644",
        new_mode="100644",
        old_sha="1" * 40,
        new_sha="2" * 40,
        added=kinds.count("+"),
        deleted=kinds.count("-"),
        hunk_count=len(parsed),
        parse=lambda: parsed,
    )


def test_every_line_of_a_hunk_takes_a_comment_and_no_other() -> None:
    file = file_of(FIRST, SECOND)
    assert file.commentable == {
        "LEFT": frozenset({10, 11, 12, 30, 31}),
        "RIGHT": frozenset({10, 11, 12, 13}),
    }
    assert file.added_lines == {11, 12}


@pytest.mark.parametrize(
    ("side", "start", "line", "taken"),
    [
        ("RIGHT", 10, 13, True),
        ("RIGHT", 13, 13, True),
        ("RIGHT", 13, 14, False),
        ("RIGHT", 9, 10, False),
        ("RIGHT", 12, 11, False),
        ("RIGHT", 31, 31, False),  # the line before the deletion is not in the diff
        ("LEFT", 12, 30, False),  # from one hunk to another
        ("LEFT", 30, 31, True),
    ],
)
def test_a_range_lies_within_one_hunk(side: str, start: int, line: int, taken: bool) -> None:
    assert file_of(FIRST, SECOND).takes_comment(side, start, line) is taken


def test_the_numbers_of_a_hunk_are_those_of_its_lines() -> None:
    for hunk in file_of(FIRST, SECOND).hunks:
        assert [line.old for line in hunk.lines if line.old] == list(hunk.numbers("LEFT"))
        assert [line.new for line in hunk.lines if line.new] == list(hunk.numbers("RIGHT"))


def test_hunks_are_parsed_once_and_when_asked_for() -> None:
    asked = []

    def parse() -> tuple[Hunk, ...]:
        asked.append(1)
        return ()

    file = FileChange(
        "a", "a", "a", Status.MODIFIED, Kind.TEXT, None, None, None, None, 1, 2, 3, parse=parse
    )
    change = Change("1", "2", "3", (file,))
    assert (change.hunk_count, change.by_path, asked) == (3, {"a": file}, [])
    assert [*change.hunks(), *change.hunks()] == []
    assert asked == [1]


def test_equal_values_are_equal_and_can_be_members() -> None:
    one, two = file_of(FIRST, SECOND), file_of(FIRST, SECOND)
    assert one == two
    assert {*one.hunks, *two.hunks} == set(one.hunks)
    assert len({*one.hunks, *file_of(FIRST, path="g.py").hunks}) == 3


LINES = st.lists(
    st.tuples(st.sampled_from(" +-"), st.text(max_size=8).map(lambda t: t.replace("\n", "")))
)


@given(LINES, st.integers(1, 50), st.integers(1, 50), st.booleans(), st.data())
def test_packed_lines_are_the_lines(
    rows: list[tuple[str, str]], old: int, new: int, bare: bool, data: st.DataObject
) -> None:
    lines: list[Line] = []
    at = [old, new]
    for kind, text in rows:
        numbers = (None if kind == "+" else at[0], None if kind == "-" else at[1])
        lines.append(Line(kind, text, *numbers))  # type: ignore[arg-type]
        at = [at[0] + (kind != "+"), at[1] + (kind != "-")]
    if bare and lines:
        lines[-1] = lines[-1]._replace(newline=False)
    packed = Packed(lines, old, new)
    assert list(packed) == lines
    assert len(packed) == len(lines)
    assert packed == tuple(lines)
    some = data.draw(st.slices(len(lines)))
    assert packed[some] == tuple(lines[some])
    for number in range(-len(lines), len(lines)):
        assert packed[number] == lines[number]
    with pytest.raises(IndexError):
        packed[len(lines)]
