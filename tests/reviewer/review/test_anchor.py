"""No wrong line: a quote names its place, or nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.review.anchor import NotFound, Sheet, find_in_diff, find_in_file, find_like_in_diff
from tests.reviewer.review.values import changed, hunk

ONE = hunk(
    "a.py",
    """
 def total(items):
     result = 0
-    for item in items:
-        result += item.price
+    for item in items[1:]:
+        result += item.price * item.count
     return result
+
""",
    old_start=10,
    new_start=12,
)
TWO = hunk("a.py", "     return result\n+    # done\n+    return None\n", 40, 42)
FILE = changed("a.py", ONE, TWO)


def test_new_lines_are_found_on_the_head_side():
    found = find_in_diff("    for item in items[1:]:", FILE, ONE)
    assert (found.side, found.start_line, found.line, found.exact) == ("RIGHT", 14, 14, True)


def test_a_range_is_found_from_its_first_to_its_last_line():
    quote = (
        "    for item in items[1:]:\n        result += item.price * item.count\n    return result"
    )
    found = find_in_diff(quote, FILE, ONE)
    assert (found.start_line, found.line) == (14, 16)


def test_a_diffs_first_column_is_forgiven():
    quote = "+    for item in items[1:]:\n+        result += item.price * item.count"
    found = find_in_diff(quote, FILE, ONE)
    assert (found.side, found.start_line, found.line) == ("RIGHT", 14, 15)
    assert found.text.startswith("    for item")


def test_deleted_lines_are_found_on_the_base_side():
    found = find_in_diff("        result += item.price", FILE, ONE)
    assert (found.side, found.start_line) == ("LEFT", 13)


def test_white_space_is_forgiven_but_not_called_exact():
    found = find_in_diff("for item in items[1:] :", FILE, ONE)
    assert (found.start_line, found.exact) == (14, False)


def test_a_slip_of_the_pen_is_forgiven_where_nothing_else_comes_close():
    quote = "    for item in items[1:]:\n        result += item.prize * item.count"
    found = find_like_in_diff(quote, FILE, ONE)
    assert (found.start_line, found.line, found.exact) == (14, 15, False)


def test_the_named_hunk_decides_between_equals():
    assert find_in_diff("    return result", FILE, ONE).line == 16
    assert find_in_diff("    return result", FILE, TWO).line == 42


def test_between_equals_the_one_that_the_change_touches_is_meant():
    one = hunk("a.py", " x = 1\n y = 2\n+x = 1\n")
    assert find_in_diff("x = 1", changed("a.py", one), one).line == 3


def test_several_equal_places_are_no_place():
    one = hunk("a.py", "+x = 1\n+y = 2\n+x = 1\n")
    with pytest.raises(NotFound, match="2 places"):
        find_in_diff("x = 1", changed("a.py", one), one)


@pytest.mark.parametrize("quote", ["", "\n\n", "    launch_missiles()", "}", "def total(things):"])
def test_what_is_not_there_is_not_found(quote: str):
    for find in (find_in_diff, find_like_in_diff):
        with pytest.raises(NotFound):
            find(quote, FILE, ONE)


def test_a_wrong_hunk_is_forgiven_within_the_file():
    assert find_in_diff("    # done", FILE, ONE).line == 43


def test_a_place_outside_the_diff_is_found_in_the_file():
    found = find_in_file("b = 2", Sheet("a = 1\nb = 2\nc = 3\n"))
    assert (found.side, found.line, found.exact) == ("RIGHT", 2, True)
    with pytest.raises(NotFound, match="several places"):
        find_in_file("x", Sheet("x\ny\nx\n"))


TWIN = hunk("a.c", " f() {\n+\tx();\n \t}\n", 10, 10)
OTHER = hunk("a.c", " g() {\n+y();\n }\n", 90, 90)


def test_the_named_hunk_is_searched_for_other_white_space_before_the_others_are_searched():
    assert find_in_diff("}", changed("a.c", TWIN, OTHER), TWIN).line == 12


def test_a_minus_sign_means_the_base_although_the_head_has_the_same_words_elsewhere():
    one = hunk("a.py", " def f():\n-    return 1\n+    x = 2\n     z\n     return 1\n")
    found = find_in_diff("-    return 1", changed("a.py", one), one)
    assert (found.side, found.line) == ("LEFT", 2)
    found = find_in_diff("     return 1", changed("a.py", one), one)
    assert (found.side, found.line) == ("RIGHT", 4)


def test_a_plus_sign_means_the_head():
    one = hunk("a.py", "-    return 1\n+    return 2\n")
    with pytest.raises(NotFound):
        find_in_diff("+    return 1", changed("a.py", one), one)


def test_the_marks_of_carriage_returns_and_of_bytes_that_are_no_text_are_understood():
    one = hunk("a.py", "+x = 1\r\n+name = 'caf\udce9'\r\n+y = 2\r\n")
    file = changed("a.py", one)
    found = find_in_diff("x = 1␍\nname = 'caf\\xe9'␍", file, one)
    assert (found.start_line, found.line, found.exact) == (1, 2, True)


def test_what_is_alike_in_two_other_hunks_is_in_none():
    text = " def get(self):\n+    value = self.load(key)\n     return value\n"
    near, far = hunk("a.py", text, 1, 1), hunk("a.py", text + " pass\n", 50, 50)
    quote = "def get(self):\n    value = self.read(key)\n    return value"
    file = changed("a.py", near, far)
    assert find_like_in_diff(quote, file, far).start_line == 50
    with pytest.raises(NotFound):
        find_like_in_diff(quote, file, None)


def columns(name: str, *others: int, number: int = 100) -> str:
    """Return a line of many words, of which some are others."""
    return " ".join(f"other_{n}" if n in others else f"{name}_{n}" for n in range(number))


FIRST, LAST, KNOWN = (columns(name, number=40) for name in ("first", "last", "known"))
FIRST_WRONG, LAST_WRONG = (columns(name, 7, number=40) for name in ("first", "last"))


@pytest.mark.parametrize(("apart", "found"), [(8, True), (9, False)])
def test_a_misquoted_place_is_looked_for_within_eight_lines_of_one_that_is_known(
    apart: int, found: bool
):
    between = range(apart - 1)
    before = [FIRST, *(f"wait({n})" for n in between), LAST]
    of_before = [FIRST_WRONG, *(f"pause({n})" for n in between), LAST]
    behind = [KNOWN, *(f"wait({n})" for n in between), FIRST, columns("known", 7, number=40)]
    of_behind = [FIRST_WRONG, KNOWN]
    for rows, quote, start in ((before, of_before, 1), (behind, of_behind, 1 + apart)):
        one = hunk("a.py", "".join(f"+{line}\n" for line in rows))
        file = changed("a.py", one)
        if found:
            assert find_like_in_diff("\n".join(quote), file, one).start_line == start
            continue
        with pytest.raises(NotFound):
            find_like_in_diff("\n".join(quote), file, one)


@pytest.mark.parametrize(
    ("best", "second", "found"), [(2, 23, True), (2, 21, False), (38, 80, True), (40, 80, False)]
)
def test_the_most_similar_place_has_to_be_similar_and_to_beat_the_next_by_a_tenth(
    best: int, second: int, found: bool
):
    """`best` and `second` are words of the two places, of 200, that are not the quote's."""
    near, far = columns("c", *range(best)), columns("c", *range(100 - second, 100))
    known = columns("known")
    quote = f"{known}\n{columns('c', 50)}"
    for rows, start in (
        ([known, near, "x", known, far], 1),
        ([known, far, "x", known, near], 4),
    ):
        one = hunk("a.sql", "".join(f"+{line}\n" for line in rows))
        file = changed("a.sql", one)
        if found:
            assert find_like_in_diff(quote, file, one).start_line == start
            continue
        with pytest.raises(NotFound):
            find_like_in_diff(quote, file, one)


HOSTILE = {
    "one line, forty thousand times": ["    result = compute(value)"] * 40_000,
    "forty thousand lines, a known one between": ["seed", "a1 b2 c3 " * 20] * 20_000,
    "the same token": ["a " * 1_000] * 2_000 + ["seed"] + ["a " * 1_000] * 2_000,
    "long lines": ["seed"] + ["ab" * 50_000] * 100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_search_ends_soon_whatever_the_change_is_made_of(name: str):
    rows = HOSTILE[name]
    one = hunk("a.py", "\n".join("+" + row for row in rows))
    quote = "\n".join([rows[0], "seed", *["a b " * 100, rows[1][:-1] + "x"] * 19])
    began = time.process_time()
    for find in (find_in_diff, find_like_in_diff):
        with pytest.raises(NotFound):
            find(quote, changed("a.py", one), one)
    assert time.process_time() - began < 5


@given(
    st.lists(st.sampled_from(["a", "b", "  a", "", "c = 1", "}"]), min_size=1, max_size=30),
    st.data(),
)
def test_an_exact_anchor_always_holds_the_quoted_text(rows: list[str], data: st.DataObject):
    one = hunk("a.py", "\n".join("+" + row for row in rows))
    start = data.draw(st.integers(0, len(rows) - 1))
    stop = data.draw(st.integers(start + 1, len(rows)))
    quote = "\n".join(rows[start:stop])
    try:
        found = find_in_diff(quote, changed("a.py", one), one)
    except NotFound:
        return
    there = [line.text for line in one.lines if found.start_line <= (line.new or 0) <= found.line]
    assert "\n".join(there).strip("\n") == quote.strip("\n") or not found.exact
