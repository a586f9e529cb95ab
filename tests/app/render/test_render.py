import subprocess
import sys
import time

import pytest

from app.render import FORMATS, render
from app.render.snippet import no_code
from reviewer.text import decode, printable
from tests.app.render.samples import (
    code,
    empty,
    finding,
    hostile,
    hostile_code,
    many,
    partial,
    review,
)


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("made", [review, empty, partial, hostile])
@pytest.mark.parametrize("snippets", [code, no_code, hostile_code])
def test_every_review_has_every_form(fmt, made, snippets):
    text = render(made(), fmt, snippets)
    text.encode("utf-8")
    assert text.endswith("\n")
    assert render(made(), fmt, snippets) == text


@pytest.mark.parametrize("fmt", FORMATS)
def test_five_hundred_findings_take_no_time(fmt):
    made = many(500)
    started = time.monotonic()
    render(made, fmt, code)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("fmt", ["text", "markdown", "html"])
def test_people_are_told_what_there_is(fmt):
    text = render(review(), fmt, code)
    for said in ("A private key is committed", "poetry.lock", "requests", "static/logo.png"):
        assert said in text
    assert "Guidelines were read from the base commit." in text


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_name_that_is_not_utf_8_is_shown(fmt):
    name = printable(decode(b"src/caf\xe9 \xff.py"))
    text = render(review(findings=[finding(path=name)]), fmt, no_code)
    assert {"json": "caf\\\\xe9", "sarif": "caf%5Cxe9%20%5Cxff.py"}.get(fmt, "caf\\xe9") in text


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_lone_surrogate_in_a_reply_breaks_nothing(fmt):
    bad = finding(id="1", title="a\ud800b", body="\udfff", path="p\udc80", suggestion="\ud800")
    render(review(findings=[bad], summary="\ud800"), fmt, no_code).encode("utf-8")


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="yaml"):
        render(review(), "yaml", no_code)


def test_the_list_of_formats_costs_no_import():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, app.render;"
            "print([m for m in ('rich', 'jinja2', 'pydantic', 'pygments') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == "[]"
