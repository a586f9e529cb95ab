"""Words of coders that another patch closes theirs: when they are looked at, and when not."""

from reviewer.fix.claims import Claims


def claims(**said: str) -> Claims:
    made = Claims()
    for finding, by in said.items():
        made.make(finding, by)
    return made


def test_a_claim_waits_until_the_other_finding_is_decided() -> None:
    made = claims(a="b")
    assert made.settled({"a", "b"}, {}) == ({}, {}) and "a" in made
    assert made.settled({"a"}, {"b": "b"}) == ({"a": "b"}, {}) and "a" not in made


def test_a_claim_on_what_stays_open_or_is_unknown_comes_to_nothing() -> None:
    assert claims(a="b").settled({"a"}, {}) == ({}, {"a": "b"})
    assert claims(a="a").settled({"a"}, {}) == ({}, {"a": "a"})


def test_what_is_closed_with_another_one_stands_for_that() -> None:
    assert claims(a="b").settled({"a"}, {"b": "c", "c": "c"}) == ({"a": "c"}, {})


def test_of_findings_that_wait_for_each_other_one_is_worked_on() -> None:
    made = claims(a="b", b="c", c="a")
    assert made.settled({"a", "b", "c"}, {}) == ({}, {"a": "b"})
    assert made.settled({"a", "b", "c"}, {}) == ({}, {}), "c waits for a, and b for c"
    made.drop("c")
    assert "c" not in made and "b" in made
