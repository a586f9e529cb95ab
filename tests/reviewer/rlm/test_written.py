"""A hostile value is written as far as it is wanted, in no time."""

import time

from hypothesis import given
from hypothesis import strategies as st

from reviewer.rlm.written import MAX_BITS, Written, written

_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.sets(st.integers())
        | st.frozensets(st.integers(), min_size=1).map(set)
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_what_fits_is_written_as_python_writes_it(value: object):
    assert written(value, 1_000_000) == Written(repr(value), whole=True)


@given(_VALUES, st.integers(min_value=1, max_value=50))
def test_what_does_not_fit_is_cut_at_the_limit(value: object, limit: int):
    shown = written(value, limit)
    assert len(shown.text) <= limit
    assert shown.whole == (len(repr(value)) <= limit)


def test_a_small_value_with_an_endless_repr_is_cut_in_no_time():
    doubled: object = []
    for _ in range(60):
        doubled = [doubled, {"again": doubled}, (doubled,)]
    began = time.monotonic()
    shown = written(doubled, 10_000)
    assert time.monotonic() - began < 1
    assert not shown.whole
    assert len(shown.text) == 10_000


def test_a_long_text_held_many_times_is_not_copied_as_often():
    shown = written(["a" * 1_000_000] * 1_000_000, 100)
    assert shown.text == "['" + "a" * 98
    assert not shown.whole


def test_deep_nesting_ends_in_dots_and_not_in_a_recursion_error():
    deep: object = []
    for _ in range(100_000):
        deep = [deep]
    assert "[...]" in written(deep, 10_000).text


def test_a_number_that_python_refuses_to_write_is_described():
    assert written(1 << MAX_BITS, 100).text == f"<an integer of {MAX_BITS + 1} bits>"
