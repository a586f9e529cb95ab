"""The ledger counts every hunk exactly once, and refuses to be wrong."""

import pytest

from reviewer.change import Span
from reviewer.review.coverage import account
from tests.reviewer.review.values import change, changed, hunk, whole

A, B, C = (hunk(f"{name}.py", f"+{name}\n+more") for name in "abc")
CHANGE = change(*(changed(one.path, one) for one in (A, B, C)))


def test_reviewed_skipped_and_missed_add_up():
    ledger = account(
        CHANGE,
        [(CHANGE.files[0], "generated")],
        [whole(B), whole(C)],
        frozenset({B.id}),
        {C.id: "the budget was spent"},
    )
    assert (ledger.hunks, ledger.reviewed) == (3, 1)
    assert [(s.path, s.hunks, s.reason) for s in ledger.skipped] == [
        ("a.py", 1, "generated"),
        ("c.py", 1, "the budget was spent"),
    ]


def test_a_hunk_is_reviewed_only_when_each_of_its_spans_is():
    first, second = Span("one", A, 0, 1), Span("two", A, 1, 2)
    ledger = account(
        change(changed("a.py", A)), [], [first, second], frozenset({"one"}), {"two": "cut off"}
    )
    assert ledger.reviewed == 0
    assert ledger.skipped[0].reason == "cut off"


def test_a_hunk_that_nobody_accounts_for_is_an_error():
    with pytest.raises(AssertionError, match="unaccounted"):
        account(CHANGE, [], [whole(A), whole(B)], frozenset({A.id, B.id}), {})


def test_a_span_without_a_fate_is_an_error():
    with pytest.raises(KeyError):
        account(change(changed("a.py", A)), [], [whole(A)], frozenset(), {})
