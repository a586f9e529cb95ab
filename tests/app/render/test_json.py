import json
import unicodedata

import pytest

from app.render import render
from app.render.snippet import no_code
from reviewer.request import Review
from tests.app.render.samples import HOSTILE, empty, finding, hostile, many, partial, review

EVERY = [review, empty, partial, hostile, lambda: many(500)]


@pytest.mark.parametrize("made", EVERY)
def test_the_contract_loads_as_the_same_review(made):
    text = render(made(), "json", no_code)
    assert json.loads(text) == json.loads(made().model_dump_json())
    assert Review.model_validate_json(text) == made()


def test_the_fields_stand_in_the_documented_order():
    value = json.loads(render(review(), "json", no_code))
    assert list(value) == [
        "schema_version",
        "status",
        "stopped",
        "change",
        "findings",
        "summary",
        "notes",
        "coverage",
        "dependencies",
        "cost",
        "risk",
        "look_first",
        "modules",
        "across",
        "imports",
        "earlier",
        "unsettled",
    ]
    assert list(value["findings"][0]) == [
        "id",
        "path",
        "side",
        "start_line",
        "line",
        "category",
        "severity",
        "confidence",
        "title",
        "body",
        "evidence",
        "suggestion",
        "preexisting",
        "verified",
        "source",
        "places",
        "also_by",
        "trigger",
        "proof",
    ]
    assert list(value["coverage"]) == ["hunks", "reviewed", "skipped"]


def test_nothing_in_it_can_move_a_terminal_and_nothing_is_lost():
    text = render(hostile(), "json", no_code)
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c != "\n"]
    assert json.loads(text)["findings"][0]["title"] == HOSTILE


def test_ordinary_letters_stay_readable():
    assert "é — 日本" in render(review(summary="é — 日本"), "json", no_code)


def test_a_lone_surrogate_does_not_make_it_invalid():
    text = render(review(findings=[finding(id="1", title="a\ud800b\udc80")]), "json", no_code)
    text.encode("utf-8")
    assert Review.model_validate_json(text).findings[0].title == "a\ufffdb\ufffd"
