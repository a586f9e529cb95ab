"""Differences of lines: right for any two texts, and soon told for the worst."""

from hypothesis import given
from hypothesis import strategies as st

from reviewer import linediff

LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n"]), max_size=30)


@given(LINES, LINES)
def test_they_lead_from_the_old_lines_to_the_new(old: list[str], new: list[str]) -> None:
    made: list[str] = []
    at = to = 0
    for kind, start, end, to_start, to_end in linediff.spans(old, new):
        assert (start, to_start) == (at, to)
        at, to = end, to_end
        made += old[start:end] if kind == "equal" else new[to_start:to_end]
        assert (old[start:end] == new[to_start:to_end]) == (kind == "equal")
    assert (at, to) == (len(old), len(new))
    assert made == new


def test_what_is_alike_at_both_ends_stays_out_of_it() -> None:
    old, new = ["a", "b", "c"], ["a", "x", "c"]
    assert linediff.spans(old, new) == [
        ("equal", 0, 1, 0, 1),
        ("replace", 1, 2, 1, 2),
        ("equal", 2, 3, 2, 3),
    ]


def test_lines_of_one_kind_by_the_thousand_are_one_replacement() -> None:
    old = ["first\n", *["0,\n"] * 20_000, "last\n"]
    new = ["import x\n", *["0,\n"] * 19_000, "end\n"]
    assert linediff.spans(old, new) == [("replace", 0, len(old), 0, len(new))]
