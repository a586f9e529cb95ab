import html
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.render.escape import (
    code_line,
    cut,
    fence,
    markdown,
    markdown_code,
    markdown_html,
    markdown_line,
    one_line,
    visible,
)
from tests.app.render.samples import HOSTILE, HOSTILE_BLOCK

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

REFERENCE = re.compile(r"@\w|#\d|\bGH-\d|://|\bwww\.|mailto:\w", re.IGNORECASE)

# Marks that are drawn (they stand over digits), though Unicode calls them formats.
DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2") | {
    chr(code) for code in (0x110BD, 0x110CD, *range(0x13430, 0x13440))
}

awkward = st.lists(
    st.sampled_from("ab1 \n\t/#@*_`~[]()<>!|\\-+=.:&;{}$^'\"")
    | st.sampled_from(["GH-1", "http://", "www.", "\u202e", "\x1b", "\r", "&amp;", "<!--"]),
    max_size=60,
).map("".join)


def flat(tokens):
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def read(text: str):
    return list(flat(READER.parse(text)))


@given(st.text())
def test_nothing_that_is_hidden_stays_hidden(text):
    shown = visible(text)
    bad = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert bad - DRAWN <= {"\n", "\t"}


def test_every_hidden_character_of_unicode_is_spelled_out():
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
            if character in DRAWN or character in "\n\t":
                assert visible(character) == character
            else:
                assert f"{code:x}" in visible(character) or visible(character) == "\\r"


def test_what_is_hidden_is_spelled_so_that_a_reader_can_name_it():
    assert visible("a\x1b[31mb\u202ec\r\nd\re\U000e0041") == (
        "a\\x1b[31mb\\u{202e}c\nd\\re\\u{e0041}"
    )


def test_ordinary_writing_of_the_world_is_left_alone():
    text = "naïve — 日本語 ‘quotes’ العربية हिन्दी 🎉 ✔️ x̄"
    assert visible(text) == text


def test_code_keeps_its_columns():
    assert code_line("\tif x:\r\n") == "    if x:"
    assert code_line("a\x0cb\n") == "a\\x0cb"


def test_a_cut_says_how_much_is_missing():
    assert cut("a" * 10, 10) == "a" * 10
    assert cut("a" * 2_010, 10) == "a" * 10 + "… (2,000 more characters)"


@given(awkward)
def test_markdown_prose_is_only_text(text):
    for written in (markdown_line(text), markdown(text)):
        kinds = {token.type for token in read(written)}
        assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"} | {
            "softbreak",
            "hardbreak",
            "entity",
            "code_block",  # four spaces, in prose that came with its indentation
        }
        assert not re.search(r"^\s*/", written, re.MULTILINE)


@given(awkward)
def test_markdown_shows_what_was_written(text):
    shown = "".join(
        token.content
        for token in read(markdown_line(text))
        if token.type in {"text", "text_special"}
    )
    assert shown.replace("\u200b", "") == one_line(text)
    assert not REFERENCE.search(shown)


@given(awkward)
def test_a_code_span_is_one_code_span(text):
    tokens = [token for token in read(f"x {markdown_code(text)} y") if token.type != "inline"]
    assert [token.type for token in tokens[1:-1]] == ["text", "code_inline", "text"]
    assert tokens[2].content.strip() == one_line(text).strip()


@given(awkward)
def test_a_code_span_stays_in_its_cell(text):
    table = f"| a | b |\n|---|---|\n| {markdown_code(text, cell=True)} | end |"
    cells = [token for token in read(table) if token.type == "inline"]
    assert [cell.content for cell in cells[:2]] == ["a", "b"]
    assert len(cells) == 4
    assert cells[3].content == "end"


@given(st.lists(awkward.map(lambda text: text.replace("\n", "").replace("\r", "")), max_size=5))
@example(["```", "`````", "/merge"])
def test_a_fence_is_not_left(lines):
    tokens = read(fence(lines) + "\n\nafter")
    assert [token.type for token in tokens] == [
        "fence",
        "paragraph_open",
        "inline",
        "text",
        "paragraph_close",
    ]
    assert tokens[0].content.rstrip("\n") == "\n".join(lines).rstrip("\n")


def test_prose_inside_an_element_has_no_element():
    for text in (HOSTILE, HOSTILE_BLOCK):
        written = markdown_html(text)
        assert "<" not in written
        assert "\n" not in written
        assert not REFERENCE.search(html.unescape(written))


@pytest.mark.parametrize(
    "text", ["_www.evil.example/x", "xGH-1", "_mailto:a@b.example", "éwww.e.org"]
)
def test_no_border_of_a_word_is_needed_for_a_break(text):
    for shown in (markdown(text), markdown_line(text), markdown_html(text)):
        assert "&#8203;" in shown
        assert not re.search(r"www\.|GH-1|mailto:a", html.unescape(shown))
