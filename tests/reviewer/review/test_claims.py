"""What a finder may hand in is bounded, whatever its model was talked into."""

from typing import Any

import pytest
from pydantic import ValidationError

from reviewer.review.claims import MOST_CLAIMS, PROSE_CHARS, QUOTE_CHARS, Answer, FinderResult


def claim(**more: Any) -> dict[str, Any]:
    return {
        "hunk": "h",
        "quote": "x = 1",
        "category": "correctness",
        "severity": "high",
        "confidence": 0.9,
        "title": "t",
        "why": "w",
        **more,
    }


def answer(*claims: dict[str, Any], overview: str = "o") -> Answer:
    return Answer.model_validate({"overview": overview, "claims": list(claims)})


def test_an_answer_has_room_for_every_claim_that_a_scope_is_good_for():
    assert len(answer(*[claim()] * MOST_CLAIMS).claims) == MOST_CLAIMS


def test_a_flood_of_claims_is_refused_and_joined_answers_are_not():
    with pytest.raises(ValidationError, match="claims"):
        answer(*[claim()] * (MOST_CLAIMS + 1))
    whole = answer(*[claim()] * MOST_CLAIMS).claims
    assert len(FinderResult(overview="", claims=[*whole, *whole]).claims) == 2 * MOST_CLAIMS


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("hunk", PROSE_CHARS),
        ("path", PROSE_CHARS),
        ("title", PROSE_CHARS),
        ("why", PROSE_CHARS),
        ("quote", QUOTE_CHARS),
        ("replacement", QUOTE_CHARS),
    ],
)
def test_no_text_of_a_claim_is_without_end(name: str, most: int):
    assert getattr(answer(claim(**{name: "a" * most})).claims[0], name)
    with pytest.raises(ValidationError, match=name):
        answer(claim(**{name: "a" * (most + 1)}))


def test_the_overview_is_bounded_too():
    with pytest.raises(ValidationError, match="overview"):
        answer(overview="a" * (PROSE_CHARS + 1))
