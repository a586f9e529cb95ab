"""A pattern in several places: every format names them all, and none lets a hostile path out."""

import json
import re

import pytest

from app.render import FORMATS, render
from app.render.comment import render_comment, said
from app.render.markdown import LIMIT_BYTES
from app.render.snippet import no_code
from app.render.words import PLACES_SHOWN
from app.report import Anchor
from reviewer.finding import MOST_PLACES, Finding, Place
from tests.app.render.samples import HOSTILE, code, finding, review
from tests.app.render.test_escape import REFERENCE, read
from tests.app.render.test_sarif import run

HERE = Anchor(side="RIGHT", start_line=6, line=8)


def place(number: int, **changes: object) -> Place:
    values = {"id": f"{number:012x}", "path": f"shop/p{number}.py", "start_line": 3, "line": 4}
    return Place.model_validate(values | changes)


def repeated(*places: Place) -> Finding:
    return finding(places=places)


ALSO = repeated(place(1), place(2, side="LEFT"), place(3, start_line=None, line=None))


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_names_the_other_places(fmt: str) -> None:
    text = render(review(findings=[ALSO]), fmt, code)
    for path in ("shop/p1.py", "shop/p2.py", "shop/p3.py"):
        assert path in text
    alone = render(review(findings=[finding()]), fmt, code)
    assert "also at" not in alone.lower()
    assert "other place" not in alone


def test_text_has_one_to_click_on_in_each_line() -> None:
    lines = render(review(findings=[ALSO]), "text", code).split("\n")
    assert lines[1:5] == [
        "  shop/refund.py:6-8",
        "  also at: shop/p1.py:3-4",
        "           shop/p2.py:3-4 (before this change)",
        "           shop/p3.py",
    ]


def test_text_has_the_first_of_many_and_says_where_the_others_are() -> None:
    many = repeated(*(place(n) for n in range(MOST_PLACES)))
    text = render(review(findings=[many]), "text", code)
    assert text.count("shop/p") == PLACES_SHOWN
    left = MOST_PLACES - PLACES_SHOWN
    assert f"\n           and {left} more (all are in --format json)\n" in text


def test_json_has_them_whole_and_loads_as_the_same() -> None:
    loaded = json.loads(render(review(findings=[ALSO]), "json", code))["findings"][0]
    assert Finding.model_validate(loaded) == ALSO
    assert [one["path"] for one in loaded["places"]] == ["shop/p1.py", "shop/p2.py", "shop/p3.py"]


def test_sarif_relates_them_to_the_result() -> None:
    (result,) = run(review(findings=[ALSO]))["results"]
    assert len(result["locations"]) == 1
    first, base, whole = result["relatedLocations"]
    assert first["physicalLocation"]["region"] == {"startLine": 3, "endLine": 4}
    assert first["message"]["text"] == "Also at shop/p1.py:3-4"
    assert "region" not in base["physicalLocation"]
    assert "region" not in whole["physicalLocation"]
    assert "relatedLocations" not in run(review(findings=[finding()]))["results"][0]


def test_a_row_counts_them_and_the_details_name_a_few() -> None:
    many = repeated(*(place(n) for n in range(MOST_PLACES)))
    text = render(review(findings=[many]), "markdown", no_code)
    assert f"without a key (and at {MOST_PLACES} other places) |" in text
    assert text.count("`shop/p") == PLACES_SHOWN
    assert f", {MOST_PLACES - PLACES_SHOWN} more\n" in text


def test_what_a_comment_says_is_the_same_with_another_repeat() -> None:
    one, two = (render_comment(repeated(*map(place, range(n))), HERE, no_code) for n in (1, 2))
    assert one != two
    assert said(one) == said(two) == said(render_comment(finding(), HERE, no_code))
    assert one.endswith("Also at: `shop/p0.py:3-4`")


def test_a_hostile_path_does_nothing_in_any_of_them() -> None:
    bad = repeated(*(place(n, path=f"{n}/{HOSTILE}") for n in range(30)))
    made = review(findings=[bad])
    for text in (render(made, "markdown", no_code), render_comment(bad, HERE, no_code)):
        assert not re.search(r"^/", text, re.MULTILINE)
        for token in read(text):
            assert token.type not in {"link_open", "image"}
            if token.type in {"text", "text_special"}:
                assert not REFERENCE.search(token.content)
    assert len(render(made, "markdown", no_code).encode()) < LIMIT_BYTES
    assert "<script>" not in render(made, "html", no_code)
    assert "\x1b" not in render(made, "text", no_code)
    for related in run(made, no_code)["results"][0]["relatedLocations"]:
        assert "](" not in related["message"]["text"]
