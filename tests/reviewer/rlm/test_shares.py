"""Shares: funded in comfort, never more than there is, the same for the same sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.rlm.budget import Account, Amount, Limit
from reviewer.rlm.shares import wave

NEEDS = st.lists(
    st.builds(Amount, st.floats(0.001, 1), st.integers(1, 5_000), st.integers(1, 3)),
    min_size=1,
    max_size=12,
)


@given(NEEDS, st.floats(0, 5), st.integers(0, 40_000), st.integers(0, 30), st.data())
def test_a_wave_fits_the_account_and_funds_all_or_one(
    needs: list[Amount], usd: float, tokens: int, calls: int, data: st.DataObject
):
    weights = data.draw(st.lists(st.integers(1, 99), min_size=len(needs), max_size=len(needs)))
    account = Account(Limit(usd, tokens, calls))
    shares = wave(account.left, needs, weights)
    for share in shares:
        account.child(share)  # raises if the shares are more than there is
    assert 1 <= len(shares) <= len(needs)
    if len(shares) > 1:
        assert all(share.admits(need) for share, need in zip(shares, needs, strict=False))


@pytest.mark.parametrize("usd", [10_000.0, 1e9])
@pytest.mark.parametrize("count", [300, 3_000])
def test_thousands_of_shares_come_to_no_more_than_there_is(usd: float, count: int):
    account = Account(Limit(usd))
    for share in wave(account.left, [Amount(62.8)] * count, [101] * count):
        account.child(share)


def test_without_caps_there_is_one_wave_without_limits():
    assert wave(Limit(), [Amount(1.0, 5, 1)] * 7, [1] * 7) == [Limit()] * 7


def test_what_is_over_goes_by_weight():
    shares = wave(Limit(usd=4.0), [Amount(1.0), Amount(1.0)], [1, 3])
    assert [share.usd for share in shares] == pytest.approx([1.5, 2.5])


def test_the_first_children_are_funded_before_the_others():
    assert len(wave(Limit(usd=2.5), [Amount(1.0)] * 5, [1] * 5)) == 2
    assert wave(Limit(usd=0.5), [Amount(1.0)] * 5, [1] * 5) == [Limit(usd=0.5)]
