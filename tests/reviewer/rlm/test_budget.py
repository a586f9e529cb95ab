"""The ledger: whatever is reserved, settled, shared and closed, in any order, the cap holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.model.base import Usage
from reviewer.rlm.budget import Account, Amount, Limit, OutOfBudget, Reservation

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "forfeit", "release", "child", "close"]),
        st.floats(0, 1),
        st.integers(0, 10_000),
    ),
    max_size=60,
)


@given(STEPS)
def test_no_order_of_steps_passes_a_cap(steps: list[tuple[str, float, int]]):
    root = Account(Limit(usd=1.0, tokens=10_000, calls=20))
    accounts = [root]
    held: list[tuple[Account, Reservation]] = []
    true_cost = 0.0
    for step, share, pick in steps:
        account = accounts[pick % len(accounts)]
        if step == "reserve":
            try:
                worst = Amount(share / 4, int(share * 3_000), 1)
                held.append((account, account.reserve(worst)))
            except OutOfBudget:
                continue
        elif step in {"settle", "forfeit", "release"} and held:
            owner, reservation = held.pop(pick % len(held))
            worst = reservation.amount
            if step == "settle":
                actual = Amount(worst.usd * share, int(worst.tokens * share), 1)
                owner.settle(reservation, actual, Usage())
                true_cost += actual.usd
            elif step == "forfeit":
                owner.forfeit(reservation)
                true_cost += worst.usd
            else:
                owner.release(reservation)
        elif step == "child":
            accounts.append(account.child(account.left.share(share)))
        elif step == "close" and not any(owner is account for owner, _ in held):
            account.close()
            accounts = [a for a in accounts if a is not account] or [root]
    assert true_cost + sum(r.amount.usd for _, r in held) <= 1.0 + 1e-6
    assert root.spent.usd <= 1.0 + 1e-6
    assert root.spent.tokens <= 10_000
    assert root.spent.calls <= 20


def test_a_reservation_that_does_not_fit_changes_nothing():
    account = Account(Limit(usd=1.0))
    account.reserve(Amount(0.75))
    with pytest.raises(OutOfBudget):
        account.reserve(Amount(0.5))
    account.reserve(Amount(0.25))


def test_what_a_child_leaves_returns_at_the_join():
    account = Account(Limit(usd=1.0, calls=10))
    child = account.child(Limit(usd=0.6, calls=6))
    child.settle(child.reserve(Amount(0.5, 0, 1)), Amount(0.1, 0, 1), Usage(output=7))
    assert account.left == Limit(usd=pytest.approx(0.4), calls=4)
    child.close()
    child.close()
    assert account.left == Limit(usd=pytest.approx(0.9), calls=9)
    assert account.usage.output == 7


def test_a_call_that_was_cut_off_when_its_account_closes_counts_as_spent():
    account = Account(Limit(usd=1.0))
    child = account.child(Limit(usd=0.5))
    child.reserve(Amount(0.3))
    child.close()
    assert account.spent.usd == pytest.approx(0.3)


def test_forfeits_are_counted_up_to_the_root():
    account = Account(Limit(usd=1.0))
    child = account.child(Limit(usd=0.5))
    child.forfeit(child.reserve(Amount(0.2)))
    child.close()
    assert account.forfeits == 1


def test_a_reservation_is_settled_once():
    account = Account(Limit())
    reservation = account.reserve(Amount(1.0))
    account.release(reservation)
    with pytest.raises(ValueError, match="once"):
        account.forfeit(reservation)


def test_without_caps_nothing_is_refused():
    account = Account(Limit())
    account.child(account.left.share(0.1)).reserve(Amount(1e9, 10**12, 10**6))
