import re
from html.parser import HTMLParser

import pytest

from app.render import render
from app.render.snippet import no_code
from tests.app.render.samples import (
    HOSTILE,
    code,
    empty,
    finding,
    hostile,
    hostile_code,
    many,
    of_files,
    partial,
    review,
    unchanged,
)

VOID = {"meta", "br", "hr"}
TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body main header section nav article footer h1 h2 h3 h4 p ul ol "
        "li div span b i a code pre strong table thead tbody tr td th details summary dl dt dd",
    )
)
ATTRIBUTES = frozenset(
    re.findall(
        r"[\w-]+",
        "lang charset http-equiv content name class style role aria-label aria-hidden id href open "
        "tabindex",
    )
)


class Page(HTMLParser):
    """Reads a page as a browser would, as far as tags, attributes and texts go."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def page(made, snippets=code) -> Page:
    read = Page(render(made, "html", snippets))
    assert read.open == []
    return read


@pytest.mark.parametrize("made", [review, empty, partial, hostile, lambda: many(500)])
@pytest.mark.parametrize("snippets", [code, no_code, hostile_code])
def test_only_our_own_elements_and_no_address_outside(made, snippets):
    read = page(made(), snippets)
    for tag, attributes in read.elements:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        if "href" in attributes:
            assert re.fullmatch(r"#finding-\d+", attributes["href"] or "")
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_styles_reach_nothing_outside():
    text = render(review(), "html", code)
    css = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in css
    assert "@import" not in css
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert "<script" not in text


def test_hostile_text_is_text():
    read = page(hostile(), hostile_code)
    assert "<script>alert(1)</script>" in read.text
    assert "{{ 7*7 }}" in read.text
    assert "\x1b" not in "".join(read.texts)
    assert "\u202e" not in "".join(read.texts)
    assert not any("onmouseover" in attributes for _, attributes in read.elements)
    assert HOSTILE.split()[-1] in read.text


def test_a_reader_finds_everything():
    read = page(review())
    for said in (
        "5 findings",
        "A refund that times out is sent again, without a key",
        "shop/refund.py:8",
        "gateway.send may have moved the money",
        "return gateway.send(order.amount, key=order.id)",
        "lines of the version before this change",
        "Reviewed 41 of 45 hunks in 14 files (+412 -96); 4 set aside",
        "static/logo.png",
        "requests pypi",
        "2.32.3",
        "claude-haiku-5-5",
        "$0.0412",
    ):
        assert said in read.text, said
    links = [a["href"] for tag, a in read.elements if tag == "a"]
    assert links == [f"#finding-{n}" for n in range(1, 6)]


def test_the_lines_of_the_place_are_marked_and_the_fix_is_a_diff():
    made = review(findings=[finding(start_line=8, line=8, suggestion="x")])
    rows = [attributes.get("class") for tag, attributes in page(made).elements if tag == "tr"]
    assert rows[:7] == [None, None, "marked", None, None, "del", "add"]


def test_an_early_end_is_loud():
    read = page(partial())
    assert sum(attributes.get("class") == "early" for _, attributes in read.elements) == 2
    assert "ended early because the budget" in read.text
    assert "early" not in {attributes.get("class") for _, attributes in page(review()).elements}


def test_nothing_found_is_said_kindly_and_only_if_something_was_read():
    assert "✓" in page(empty()).text
    unread = empty().model_copy(
        update={"coverage": empty().coverage.model_copy(update={"hunks": 0, "reviewed": 0})}
    )
    assert "✓" not in page(unread).text
    assert "no text" in page(unread).text


def test_a_change_without_files_is_nothing_to_review():
    text = page(unchanged()).text
    assert "Nothing to review: cccccccccc has no commit" in text
    assert "Coverage" not in text and "✓" not in text


def test_a_line_of_a_megabyte_does_not_make_a_page_of_one():
    wide = of_files({("f", "RIGHT"): "<" * 1_000_000 + "\n"})
    made = review(findings=[finding(path="f", start_line=1, line=1)])
    assert len(render(made, "html", wide)) < 40_000
