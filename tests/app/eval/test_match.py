"""Which claim counts for which defect."""

import pytest

from app.eval.cases import NotDefect, Place
from app.eval.match import Outcome, match, nearest, pairs
from reviewer.finding import Category
from tests.app.eval.samples import case, claim, defect

YES, NO = True, False


def outcomes(*matched: object) -> list[tuple[Outcome, str | None]]:
    return [(one.outcome, one.defect) for one in matched]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("start", "line", "near"),
    [(10, 12, True), (6, 7, True), (1, 6, False), (15, 15, True), (16, 20, False), (1, 99, True)],
)
def test_a_claim_stands_at_a_place_up_to_three_lines_away(
    start: int, line: int, near: bool
) -> None:
    found = match(case(defect("d", 10, 12)), [claim(start, line)], None)
    assert (found[0].outcome is Outcome.FOUND) == near


def test_the_other_side_and_another_file_are_other_places() -> None:
    known = case(defect("d", 10, 12))
    for other in (claim(10, side="LEFT"), claim(10, path="cart.py")):
        assert match(known, [other], None)[0].outcome is Outcome.FALSE
    gone = case(defect("d", 10, 12, Place(path="shop.py", start_line=4, line=4, side="LEFT")))
    assert match(gone, [claim(4, side="LEFT")], None)[0].outcome is Outcome.FOUND


def test_a_claim_at_another_known_place_counts_and_is_exact_there() -> None:
    known = case(defect("d", 10, 12, Place(path="cart.py", start_line=3, line=5)))
    (found,) = match(known, [claim(4, path="cart.py")], None)
    assert found.outcome is Outcome.FOUND and found.exact


def test_the_comments_line_decides_whether_an_anchor_is_exact() -> None:
    known = case(defect("d", 10, 12))
    assert [match(known, [one], None)[0].exact for one in (claim(11), claim(8, 13))] == [
        True,
        False,
    ]


def test_the_nearest_known_place_of_a_claim_is_named_however_far_it_is() -> None:
    also = Place(path="shop.py", start_line=40, line=41)
    known = case(defect("d", 10, 12, also))
    here = known.defects[0].places[0]
    assert (here.start_line, here.line) == (10, 12)
    assert nearest(known, claim(8, 13)) == (here, 0)
    assert nearest(known, claim(14)) == (here, 2)
    assert nearest(known, claim(30)) == (also, 10)
    assert nearest(known, claim(None)) == (here, None)
    assert nearest(known, claim(10, path="cart.py")) is None
    assert nearest(known, claim(10, side="LEFT")) is None


def test_a_claim_that_fits_several_defects_counts_for_the_nearest_alone() -> None:
    known = case(defect("far", 13, 13), defect("near", 10, 10))
    assert outcomes(*match(known, [claim(11)], None)) == [(Outcome.FOUND, "near")]


def test_at_one_distance_the_category_decides() -> None:
    known = case(defect("one", 10, 10), defect("two", 10, 10, category=Category.SECURITY))
    said = claim(10, category=Category.SECURITY)
    assert outcomes(*match(known, [said], None)) == [(Outcome.FOUND, "two")]


def test_the_second_claim_on_a_defect_is_a_duplicate_and_the_nearest_is_the_first() -> None:
    known = case(defect("d", 10, 10))
    said = [claim(12), claim(10), claim(9)]
    assert outcomes(*match(known, said, None)) == [
        (Outcome.DUPLICATE, "d"),
        (Outcome.FOUND, "d"),
        (Outcome.DUPLICATE, "d"),
    ]


def test_a_judge_is_asked_about_near_pairs_alone_and_its_word_counts() -> None:
    known = case(defect("a", 10, 10), defect("b", 12, 12), defect("c", 50, 50))
    said = [claim(11), claim(90)]
    asked = [(one.id, other.id) for one, other in pairs(known, said)]
    assert asked == [("at 11", "a"), ("at 11", "b")]
    verdicts = {("at 11", "a"): NO, ("at 11", "b"): YES}
    assert outcomes(*match(known, said, verdicts)) == [(Outcome.FOUND, "b"), (Outcome.FALSE, None)]


def test_what_was_not_judged_is_neither_found_nor_false() -> None:
    known = case(defect("a", 10, 10), defect("b", 12, 12))
    for said, outcome in (
        ({("at 11", "a"): NO, ("at 11", "b"): None}, Outcome.NOT_JUDGED),
        ({("at 11", "a"): YES, ("at 11", "b"): None}, Outcome.FOUND),
        ({("at 11", "a"): NO, ("at 11", "b"): NO}, Outcome.FALSE),
        ({}, Outcome.NOT_JUDGED),
    ):
        assert match(known, [claim(11)], said)[0].outcome is outcome


def test_a_claim_about_the_whole_file_needs_a_judge() -> None:
    known, whole = case(defect("d", 10, 10)), claim(None, title="whole")
    assert match(known, [whole], None)[0].outcome is Outcome.FALSE
    (found,) = match(known, [whole], {("whole", "d"): YES})
    assert found.outcome is Outcome.FOUND and not found.exact


def test_a_claim_at_a_place_that_is_right_is_known_to_be_false() -> None:
    right = NotDefect(path="shop.py", start_line=12, line=12, why="it is bound")
    known = case(defect("d", 10, 10), right=(right,))
    by_place = match(known, [claim(12), claim(11)], None)
    assert outcomes(*by_place) == [(Outcome.FALSE, None), (Outcome.FOUND, "d")]
    assert [one.known_false for one in by_place] == [True, False]
    judged = match(known, [claim(12)], {("at 12", "d"): YES})
    assert outcomes(*judged) == [(Outcome.FOUND, "d")]
