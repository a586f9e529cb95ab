import html
import json
import re

import pytest

from app.render import render
from app.render.comment import SUGGESTION_BYTES, can_commit, claim_of, render_comment, said
from app.render.markdown import render_markdown
from app.render.outgoing import cut_bytes, masked, size, without_secrets
from app.render.snippet import no_code
from app.report import Anchor, Excerpt, Report
from reviewer.finding import Category, Proof, Severity
from tests.app.render.samples import HOSTILE, HOSTILE_BLOCK, code, finding, review
from tests.app.render.test_escape import REFERENCE, read
from tests.app.render.test_markdown import OURS, TAG

HERE = Anchor(side="RIGHT", start_line=8, line=8, suggest=True)
FIX = "            return gateway.send(order.amount, key=order.id)\n"


def at_8(**changes):
    return finding(**({"start_line": 8, "line": 8, "suggestion": FIX} | changes))


def fences(text):
    return [token for token in read(text) if token.type == "fence"]


def test_a_comment_says_how_bad_what_and_how_to_mend_it():
    text = render_comment(at_8(), HERE, code)
    lines = text.split("\n")
    assert lines[0] == "**🟧 high: A refund that times out is sent again, without a key**"
    assert "- order 17, amount 20" in text
    (block,) = fences(text)
    assert (block.info, block.content) == ("suggestion", FIX)
    assert text.endswith(
        "<details><summary>Where this comes from</summary>\n\n"
        f"correctness · `model:correctness` · confidence 90% · `{at_8().id}`\n\n</details>"
    )
    assert "shop/refund.py" not in text  # GitHub shows where it is


def test_every_detector_that_says_it_is_named():
    both = {"source": "detector:contracts/name", "also_by": ("detector:python-lint/F821",)}
    text = render_comment(at_8(**both), HERE, code)
    named = "`detector:contracts/name`, `detector:python-lint/F821`"
    assert f" · {named} · " in text
    assert named in render_markdown(review(findings=[finding(**both)]), code)


def test_what_fails_is_one_line_and_another_look_at_it_is_no_news():
    made = at_8(trigger="the answer is lost:\nthe `retry` of @octocat pays order 17 twice.")
    line = "**Fails when:** the answer is lost: the `retry` of @&#8203;octocat pays order 17 twice."
    text = render_comment(made, HERE, code)
    assert line in text.split("\n")
    assert text.index("- order 17") < text.index(line) < text.index("```suggestion")
    assert line in render_markdown(review(findings=[made]), code).split("\n")
    assert said(text) == said(render_comment(at_8(trigger="Any order."), HERE, code))
    assert said(text) == said(render_comment(at_8(), HERE, code))
    assert "Fails when" not in render_comment(at_8(), HERE, code)


def test_code_elsewhere_that_proves_it_is_named_and_is_no_news_either():
    proof = Proof(
        path="shop/gateway.py", start_line=3, line=4, quote="\n  def send(`x`):\n    pay()"
    )
    made = at_8(trigger="Any order.", proof=proof)
    line = "**Seen at:** `shop/gateway.py:3-4`, ``def send(`x`):``"
    text = render_comment(made, HERE, code)
    assert line in text.split("\n")
    assert line in render_markdown(review(findings=[made]), code).split("\n")
    assert said(text) == said(render_comment(at_8(), HERE, code))
    assert claim_of(text, made.path) == claim_of(render_comment(at_8(), HERE, code), made.path)
    told = render(review(findings=[made]), "text", code)
    assert "  Seen in: def send(`x`):\n  shop/gateway.py:3-4\n" in told
    assert "<p>Seen at <code>shop/gateway.py:3-4</code>: <code>def send(`x`):</code></p>" in (
        render(review(findings=[made]), "html", code)
    )
    (result,) = json.loads(render(review(findings=[made]), "sarif", code))["runs"][0]["results"]
    (seen,) = result["relatedLocations"]
    assert seen["message"] == {"text": "Seen at shop/gateway.py:3-4"}
    assert seen["physicalLocation"]["region"] == {"startLine": 3, "endLine": 4}
    for own in (
        proof.model_copy(update={"path": made.path, "start_line": made.line, "line": made.line}),
        proof.model_copy(update={"path": made.path, "start_line": None, "line": None}),
    ):
        assert "Seen at" not in render_comment(at_8(proof=own), HERE, code)


def test_an_old_defect_is_said_to_be_old():
    assert "This was there before this change." in render_comment(
        at_8(preexisting=True), HERE, code
    )


def test_a_second_look_that_comes_is_no_news():
    one, other = (render_comment(at_8(verified=was), HERE, code) for was in (False, True))
    assert "Not verified: no second look has confirmed it." in one.rpartition("</details>")[2]
    assert "verified" not in other
    assert said(one) == said(other)


def test_a_title_is_bold_whatever_is_in_it():
    for title in ("`total` has **no** types", "Ends with a backslash \\", "Ends * with **", "a_b_"):
        tokens = read(render_comment(at_8(title=title), HERE, code))
        first = tokens[: next(i for i, t in enumerate(tokens) if t.type == "paragraph_close")]
        assert [t.type for t in first].count("strong_open") == 1, title
        assert first[-1].type == "strong_close" or first[-2].type == "strong_close"


@pytest.mark.parametrize(
    ("suggestion", "block"),
    [
        ("", "```suggestion\n```"),
        ("\n", "```suggestion\n\n```"),
        ("one\n", "```suggestion\none\n```"),
        ("one", "```suggestion\none\n```"),
        ("one\n\n", "```suggestion\none\n\n```"),
        ("\tone  \n", "```suggestion\n\tone  \n```"),
        ("```\n~~~\n````\n", "`````suggestion\n```\n~~~\n````\n`````"),
    ],
)
def test_the_block_holds_exactly_the_new_lines(suggestion, block):
    assert block in render_comment(at_8(suggestion=suggestion), HERE, code)


@pytest.mark.parametrize(
    ("made", "anchor"),
    [
        (at_8(), HERE.model_copy(update={"suggest": False})),
        (at_8(side="LEFT"), HERE.model_copy(update={"side": "LEFT"})),
        (at_8(start_line=7), HERE),
        (at_8(), HERE.model_copy(update={"line": 9})),
        (at_8(suggestion="    a = '\u202egnp.exe'\n"), HERE),
        (at_8(suggestion="one\r\ntwo\r\n"), HERE),
        (at_8(suggestion="x\n  /lgtm\n"), HERE),
        (at_8(suggestion="x" * SUGGESTION_BYTES + "\n"), HERE),
        (at_8(suggestion=None), HERE),
    ],
    ids=["not wanted", "left", "other start", "other end", "hidden", "cr", "command", "huge", "no"],
)
def test_what_cannot_be_committed_as_it_is_gets_no_button(made, anchor):
    text = render_comment(made, anchor, code)
    assert not can_commit(made, anchor)
    assert "suggestion" not in text.lower().replace("suggested", "")
    assert len(text) < 20_000
    if made.suggestion and made.side == "RIGHT":
        assert "Suggested:\n\n```diff\n" in text


@pytest.mark.parametrize(
    "line", ["@dependabot merge", " @Mergifyio queue", "bors r+", "@bors r+", "@claude fix it"]
)
def test_no_button_offers_an_order_to_a_program_with_a_name(line):
    assert not can_commit(at_8(suggestion=f"x\n{line}\n"), HERE)


@pytest.mark.parametrize(
    "line", ["@property", "@State private var x = 1", "borsa = 1", "a @bors r"]
)
def test_code_with_an_at_is_no_order(line):
    assert can_commit(at_8(suggestion=f"x\n{line}\n"), HERE)


def test_a_comment_line_is_no_command():
    assert can_commit(at_8(suggestion="// send it once\n//lgtm\n/* x */\n"), HERE)


@pytest.mark.parametrize("snippets", [code, no_code])
def test_nothing_hostile_does_anything(snippets):
    bad = finding(
        id=HOSTILE,
        path="shop/refund.py",
        start_line=8,
        line=8,
        title=HOSTILE,
        body=HOSTILE_BLOCK,
        suggestion=HOSTILE_BLOCK,
        trigger=HOSTILE_BLOCK,
        source=f"model:{HOSTILE}",
    )
    text = render_comment(bad, HERE, snippets)
    assert "**Fails when:** " in text
    for token in read(text):
        assert token.type not in {"link_open", "image", "blockquote_open", "hr", "code_block"}
        if token.type in {"html_block", "html_inline"}:
            assert set(TAG.findall(token.content)) <= OURS
        elif token.type in {"text", "text_special"}:
            assert not REFERENCE.search(token.content)
    assert not re.search(r"^/", text, re.MULTILINE)
    assert "suggestion" not in {token.info for token in fences(text)}
    assert "<script>alert(1)</script>" in html.unescape(text)


@pytest.mark.parametrize(
    "title",
    [
        "@**octocat**",
        "#**1** is",
        "**@**acme/admins",
        "http:**//evil.example/login**",
        "www**.e.org**",
    ],
)
def test_what_bold_marks_kept_apart_is_not_a_reference_without_them(title):
    text = render_comment(at_8(title=title), HERE, code)
    shown = render_markdown(review(findings=[at_8(title=title)]), code)
    for token in [*read(text), *read(shown)]:
        assert token.type != "link_open"
        if token.type in {"text", "text_special", "html_block", "html_inline"}:
            assert not REFERENCE.search(html.unescape(token.content))


def test_the_same_said_with_other_confidence_is_the_same():
    one, other = (
        render_comment(at_8(confidence=sure, source=source), HERE, code)
        for sure, source in ((0.9, "model:correctness"), (0.7, "model:security"))
    )
    assert one != other
    assert said(one) == said(other)
    assert said(one) != said(render_comment(at_8(title="Another"), HERE, code))


def test_what_stands_in_a_suggestion_does_not_shorten_what_was_said():
    fold = "\n\n<details><summary>Where this comes from</summary>\n\nx"
    one, other = (
        said(render_comment(at_8(suggestion=f"a{fold}{end}\n"), HERE, code)) for end in "12"
    )
    assert one != other


# What leaves: secrets and sizes.

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjEyM30.c2lnbmF0dXJl-X_y"
TOKENS = [
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    f"ghs_1234567_{JWT}{'aB3-' * 100}",
    "ghs\\_1234567\\_eyJhbGciOiJSUzI1NiJ9",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "sk-ant-api03-Zq8-Wm3xT5vB7nK1pL4sD6fG9hJ2cR0yU",
    "GHP_16C7e42F292c6912E7710c838347Ae178B4a",
]


@pytest.mark.parametrize("token", TOKENS)
def test_no_token_leaves(token):
    shown = masked(f"before {token} after\nurl=https://x:{token}@github.com")
    assert token[9:] not in shown
    assert shown.startswith("before ")
    assert " after\n" in shown


def test_words_about_tokens_are_left_alone():
    text = "Set `ghp_…` or sk-ant-… in GITHUB_TOKEN; ghs_ tokens expire. github_pat_"
    assert masked(text) == text


def test_a_report_leaves_without_secrets_and_its_suggestion_without_a_button():
    token = TOKENS[0]
    leaky = at_8(title=f"t {token}", body=f"b {token}", suggestion=f"k = '{token}'\n")
    clean = at_8(path="web/cart.ts")
    report = Report(
        review=review(findings=[leaky, clean], summary=f"s {token}", notes=[f"n {token}"]),
        anchors={leaky.id: HERE, clean.id: HERE},
        code={leaky.id: Excerpt(start=8, lines=[f"k = '{token}'"])},
    )
    safe = without_secrets(report)
    assert token not in safe.model_dump_json()
    assert [one.id for one in safe.review.findings] == [leaky.id, clean.id]
    assert (safe.anchors[leaky.id].suggest, safe.anchors[clean.id].suggest) == (False, True)
    assert without_secrets(safe) == safe


@pytest.mark.parametrize("limit", range(60, 80))
def test_a_cut_never_splits_a_character(limit):
    shown = cut_bytes("🟥é" * 100, limit)
    assert size(shown) <= limit
    assert limit - size(shown) < 4
    assert re.fullmatch(r"(?:🟥é)*🟥?\n\n… \(cut: there is a limit of size\)", shown)


def test_what_fits_is_not_cut():
    text = "🟥" * 25
    assert cut_bytes(text, 100) == text
    assert cut_bytes("lone \ud800", 100) == "lone \\ud800"


def test_a_severity_can_be_told_at_a_glance():
    assert {
        render_comment(at_8(severity=one, category=Category.TESTS), HERE, code)[2]
        for one in Severity
    } == {"🟥", "🟧", "🟨", "🟦", "⬜"}
