"""A claim that concludes that nothing is wrong is none; one that speaks of such words is one."""

import pytest

from reviewer.review.taken_back import kept_of, takes_itself_back

DEFECT = "The last page is lost"
WHY = "For 20 orders and a page of 10, `range(1, pages)` ends before the second page."

TAKEN_BACK = [
    ("The sum begins late", f"{WHY} This is actually correct behaviour."),
    ("The sum begins late", f"{WHY} It is in fact fine."),
    ("No issue here", WHY),
    ("This is fine.", WHY),
    ("Not a bug", WHY),
    ("Works as intended", "`close` is called twice, which the second call allows for."),
    (DEFECT, "`pages` may be 0. The caller refuses an empty list first. So this is not a bug."),
    (DEFECT, f"{WHY} On a second look, this works as intended."),
    (DEFECT, "The lock is not taken here. The one caller holds it, so there is no issue here."),
    (DEFECT, "The rate is read twice; it is cached for a day, and so this is fine in practice."),
    (DEFECT, f"> retry()\n\n{WHY} This is not a bug."),
    (DEFECT, f"{WHY}\n\nActually, it is not a defect."),
    (DEFECT, "`total` could be None. There is no problem here."),
    (DEFECT, "The key is logged masked. No change is needed."),
    (DEFECT, "`x` is shadowed, but read before that. **This is by design.**"),
]

STAYS = [
    ("The sum begins late", f"{WHY} This is correct code for one worker."),
    (DEFECT, WHY),
    ("A failed payment is logged as `no issue here`", WHY),
    (DEFECT, 'The comment above says "this is fine", but two workers may get here at once.'),
    (DEFECT, 'Two workers may get here at once. The comment above says "this is fine."'),
    (DEFECT, "Two workers may get here at once. The comment claims that this is fine."),
    (DEFECT, "```python\n# this is fine\nretry()\n```"),
    (DEFECT, "The order is paid twice.\n\n> this is fine"),
    (DEFECT, "For one worker this is fine."),
    (DEFECT, "This is fine for one worker, and loses an update for two."),
    (DEFECT, "This works as intended only for ASCII."),
    (DEFECT, "It fails for an empty list. With one item it is fine."),
    (DEFECT, "At the base this was not a bug, for nothing called it."),
    (DEFECT, "If the caller held the lock, this would be no issue, so this is fine only there."),
    (DEFECT, "If the caller holds the lock, there is nothing to wait for, so this is fine."),
    (DEFECT, "The author assumes that the list is sorted, so this is fine."),
    (DEFECT, "`b` is guarded, so it is fine; `a` is read after it was closed."),
    (DEFECT, "`a` is read after it was closed; `b` is guarded, so it is fine."),
    (DEFECT, "The test expects 3 for 2 items. The code is correct."),
    (DEFECT, "`scan` reports a token in a comment. This is a false positive."),
    (DEFECT, "That is not a bug of the parser."),
    (DEFECT, "The total is wrong. Swapping the lines mends it, no other change is needed."),
    ("The health check says this is fine while the database is down", WHY),
    ("`is_fine` is true for an empty list", WHY),
    ("Errors are reported as not a bug", WHY),
    ("No error for a missing file", "`load` returns None for it, and `main` goes on."),
    ("No errors are raised for a missing file", WHY),
    (
        "Failed uploads are reported as done",
        "The exception is swallowed and the function returns True, so there is no error.",
    ),
    (
        "Failed rows are skipped",
        "The `except` block drops the row and goes on. There is no error.",
    ),
    (DEFECT, "The row is dropped and nothing is logged. No errors."),
    (
        "`fetch` loses timeouts",
        "`fetch` catches TimeoutError and returns None, so there are no errors then.",
    ),
    (DEFECT, "The driver swallows it, so there is no real fault."),
]


@pytest.mark.parametrize(("title", "why"), TAKEN_BACK)
def test_what_concludes_that_nothing_is_wrong_is_no_claim(title: str, why: str):
    assert takes_itself_back(title, why)


@pytest.mark.parametrize(("title", "why"), STAYS)
def test_what_only_speaks_of_such_words_is_a_claim(title: str, why: str):
    assert not takes_itself_back(title, why)


def test_what_is_kept_of_a_reason_is_all_but_the_sentence_that_takes_it_back():
    assert kept_of(f"{WHY} This is not a bug.") == WHY
    assert kept_of(f"> retry()\n\n{WHY}\n\nActually, it is not a defect.") == f"> retry()\n\n{WHY}"
    for whole in (WHY, "This is not a bug.", "", f"{WHY} Fine if one worker runs."):
        assert kept_of(whole) == whole
