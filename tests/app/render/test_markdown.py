import html
import re

import pytest
from markdown_it import MarkdownIt

from app.render import render
from app.render.markdown import LIMIT_BYTES, render_markdown
from app.render.snippet import no_code
from reviewer.request import Coverage, DependencyChange, Skipped
from tests.app.render.samples import (
    HOSTILE,
    HOSTILE_BLOCK,
    code,
    empty,
    finding,
    hostile,
    hostile_code,
    many,
    partial,
    review,
)
from tests.app.render.test_escape import REFERENCE, read

TAG = re.compile(r"<[^>]*>")
OURS = {"<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>"} | {
    "<sub>",
    "</sub>",
    "<code>",
    "</code>",
}
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(made, snippets=code):
    return render(made, "markdown", snippets)


def test_the_table_and_the_details_hold_every_finding():
    text = shown(review())
    assert "| 🟧 high | `shop/refund.py:8` | A refund that times out is sent again" in text
    assert text.count("<details>") == text.count("</details>") == 5 + 1 + 2
    rendered = READER.render(text)
    assert rendered.count("<tr>") == 1 + 4 + 1 + 1 + 1 + 2
    assert "- order 17" in text
    assert "```diff\n-            return gateway.send(order.amount)\n+" in text
    assert "the **new gateway**" in text


def test_what_is_told_elsewhere_gets_a_row_that_leads_there_and_no_details():
    made = review()
    first = made.findings[0]
    text = render_markdown(made, code, elsewhere={first.id: "https://hub.test/pull/7#r1"})
    assert (
        "| 🟧 high | [`shop/refund.py:8`](https://hub.test/pull/7#r1) | A refund that times out"
        in text
    )
    assert text.count("<tr>") == shown(made).count("<tr>")
    assert text.count("<details>") == shown(made).count("<details>") - 1
    assert "order 17" not in text


def test_code_is_numbered_and_marked():
    assert ">  8 │             return gateway.send(order.amount)" in shown(review())


def test_an_early_end_is_first_and_last():
    text = shown(partial())
    assert text.startswith("> [!WARNING]\n> **This review ended early because the budget")
    assert "ended early" in text.rstrip().split("\n")[-1]


def test_no_findings_needs_no_table():
    text = shown(empty())
    assert text.startswith("**No findings by the detectors in the 3 hunks reviewed; ")
    assert "|" not in text


def test_a_note_keeps_its_code_spans_and_nothing_else():
    text = shown(review(notes=["`rlm doctor` says *how*, @octocat"]))
    assert "`rlm doctor` says \\*how\\*, @&#8203;octocat" in text


@pytest.mark.parametrize("snippets", [code, no_code, hostile_code])
def test_nothing_hostile_does_anything(snippets):
    text = shown(hostile(), snippets)
    tokens = read(text)
    kinds = {token.type for token in tokens}
    assert not kinds & {"link_open", "image", "blockquote_open", "hr", "code_block", "s_open"}
    for token in tokens:
        if token.type in {"html_block", "html_inline"}:
            assert set(TAG.findall(token.content)) <= OURS
            assert not REFERENCE.search(html.unescape(TAG.sub("", token.content)))
        elif token.type in {"text", "text_special"}:
            assert not REFERENCE.search(token.content)
    said = [html.unescape(TAG.sub("", t.content)) for t in tokens if t.type == "html_block"]
    assert not any(REFERENCE.search(one) for one in said)
    assert not re.search(r"^/", text, re.MULTILINE)
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f]", text
    )
    headings = [t for t in tokens if t.type == "heading_open"]
    assert {t.tag for t in headings} <= {"h2", "h4"}  # a heading of theirs stays below ours
    opened = sum(t.content.count("<details>") for t in tokens if t.type == "html_block")
    closed = sum(t.content.count("</details>") for t in tokens if t.type == "html_block")
    assert opened == closed == 2 + 2


def test_code_spans_side_by_side_let_nothing_out():
    body = "`a```<img src=x onerror=alert(1)> @octocat`` `b`"
    tokens = read(shown(review(findings=[finding(body=body)])))
    assert not [t for t in tokens if t.type == "html_inline" and "img" in t.content]
    assert not [t for t in tokens if t.type == "text" and "@octocat" in t.content]


def test_a_fence_in_a_suggestion_does_not_end_ours():
    made = review(findings=[finding(suggestion="```\n@octocat\n`````\n/merge", body="x")])
    text = shown(made)
    fences = [token for token in read(text) if token.type == "fence"]
    assert any("+@octocat\n+`````\n+/merge" in token.content for token in fences)


def test_nits_are_folded_away_and_nothing_else_is():
    text = shown(review())
    before, _, folded = text.partition("<details><summary>1 nit</summary>")
    assert "`total` has no types" not in before
    assert folded.index("⬜ nit") < folded.index("<b>nit</b>: <code>total</code> has no types")
    assert "🟦 low" in before
    assert "nits</summary>" not in shown(review(findings=[finding()]))


def rows_of(text):
    return len(re.findall(r"^\| (?:🟥|🟧|🟨|🟦|⬜)", text, re.MULTILINE))


def details_of(text):
    return len(re.findall(r"<details><summary><b>", text))


@pytest.mark.parametrize("number", [300, 500])
def test_hundreds_of_findings_are_all_named_and_the_worst_are_told(number):
    made = many(number)
    lines_at = "https://hub.test/octo/hello/blob/{}/shop/refund.py#L1".format("c" * 40)
    text = render_markdown(made, code, lines_at=lambda _: lines_at)
    assert len(text.encode()) <= LIMIT_BYTES
    told = details_of(text)
    assert rows_of(text) == number
    assert 20 < told < number
    assert f"**Not shown here: the details of {number - told} findings**" in text
    assert text.index("<b>critical</b>") < text.index("Not shown here")
    assert "<b>low</b>" not in text
    assert "Reviewed 41 of 45 hunks" in text  # what comes last is not what is cut


def test_thousands_of_findings_are_counted():
    text = shown(many(5_000))
    assert len(text.encode()) <= LIMIT_BYTES
    told, rows = details_of(text), rows_of(text)
    assert 100 < rows < 5_000
    assert 10 < told < rows
    assert f"the details of {rows - told} findings and {5_000 - rows:,} more findings**" in text


def test_the_limit_is_used_before_it_is_hit():
    few = many(5)
    whole = shown(few)
    assert "Not shown" not in whole
    size = len(whole.encode())
    assert "Not shown" not in render_markdown(few, code, limit_bytes=size + 500)
    cut = render_markdown(few, code, limit_bytes=size - 10)
    assert "**Not shown here: the details of 1 finding**" in cut
    assert len(cut.encode()) <= size - 10


def test_a_row_leads_to_the_lines_of_what_is_told_nowhere_else():
    made = review()
    told = {made.findings[0].id: "https://hub.test/pull/7#r1"}
    text = render_markdown(
        made, code, elsewhere=told, lines_at=lambda one: f"https://hub.test/{one.line}"
    )
    assert "[`shop/refund.py:8`](https://hub.test/pull/7#r1)" in text
    assert "[`web/cart.ts:2`](https://hub.test/2)" in text
    assert "[`deploy/prod.env`](https://hub.test/None)" in text


def test_the_worst_and_surest_is_first():
    few = [
        finding(title=f"{severity} {sure}", severity=severity, confidence=sure, path=f"{sure}.py")
        for severity in ("low", "critical")
        for sure in (0.6, 0.9)
    ]
    text = shown(review(findings=few))
    assert re.findall(r"\| (\w+ 0.\d) \|", text) == [
        "critical 0.9",
        "critical 0.6",
        "low 0.9",
        "low 0.6",
    ]


def test_the_size_holds_when_every_part_is_as_large_as_it_can_be():
    big = "@#<&*" * 4_000
    made = review(
        findings=[finding(title=big, body=big, path=big, source=big, suggestion=big)] * 20,
        summary=big,
        notes=[big] * 100,
        coverage=Coverage(
            hunks=900,
            reviewed=0,
            skipped=[Skipped(path=f"{n}/{big}", hunks=1, reason=f"{n} {big}") for n in range(900)],
        ),
        dependencies=[
            DependencyChange(path=big, ecosystem=big, name=f"{n}{big}", old=big, new=big)
            for n in range(300)
        ],
    )
    text = shown(made, no_code)
    assert len(text.encode()) <= LIMIT_BYTES
    assert "more reasons" in text
    assert re.search(r"and \d+ more", text)


def test_hostile_text_is_still_legible():
    text = READER.render(shown(review(findings=[finding(title=HOSTILE, body=HOSTILE_BLOCK)])))
    seen = html.unescape(re.sub(r"<[^>]*>", "", text)).replace("\u200b", "")
    assert "<script>alert(1)</script>" in seen
    assert "/rlm review --budget 1000" in seen
