"""Risk, where to look, modules and their diagram, as a maintainer sees them."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from app.render import FORMATS, render
from app.render.diagram import LABEL_CHARS, MOST_NODES, diagram
from app.render.escape import mermaid
from app.render.markdown import LIMIT_BYTES, render_markdown
from app.render.snippet import no_code
from reviewer.request import (
    TOO_LONG,
    UNREADABLE,
    Coverage,
    LookFirst,
    Module,
    ModuleImport,
    Review,
    Risk,
    Skipped,
    StopReason,
)
from tests.app.render.samples import HOSTILE, code, empty, finding, many, review
from tests.app.render.test_escape import REFERENCE, read
from tests.app.render.test_sarif import run


def module(path: str, *changes: str, files: int = 2) -> Module:
    return Module(path=path, files=files, added=40, deleted=2, changes=list(changes))


def outlined(**changes: Any) -> Review:
    fields = {
        "risk": Risk(level="high", reasons=["1 critical finding", "code of (`shop/auth.py`)"]),
        "look_first": [
            LookFirst(path="shop/refund.py", line=8, reason="high: `send` twice"),
            LookFirst(path="web/cart.ts", reason="90 new lines that no changed test is about"),
        ],
        "modules": [
            module("shop", "Refunds go to the `new` gateway.", "They are tried three times."),
            module("web/src", "The cart shows a price."),
            module(""),
        ],
        "across": ["What the backend says of refunds, the web shows."],
        "imports": [ModuleImport(source="web/src", target="shop", files=3)],
    }
    return review(**(fields | changes))


def test_markdown_tells_it_before_the_findings() -> None:
    text = render_markdown(
        outlined(), code, lines_at=lambda spot: f"https://hub.test/{spot.path}#L{spot.line}"
    )
    said = [
        "## 5 findings: 1 critical, 1 high, 1 medium, 1 low, 1 nit",
        "**Risk: high** (1 critical finding; code of \\(`shop/auth.py`\\))",
        "**Where to look first**",
        "1. [`shop/refund.py:8`](https://hub.test/shop/refund.py#L8): high: `send` twice",
        "1. [`web/cart.ts`](https://hub.test/web/cart.ts#LNone): 90 new lines",
        "**What changes**",
        "- `shop` (2 files, +40 -2)\n  - Refunds go to the `new` gateway.\n  - They are tried",
        "- `web/src` (2 files, +40 -2)\n  - The cart",
        "- `other files` (2 files, +40 -2)",
        "- What the backend says of refunds, the web shows.",
        "```mermaid\nflowchart LR\n",
        "| 🟥 critical |",
        "Reviewed 41 of 45 hunks",
    ]
    assert sorted(said, key=text.index) == said
    assert "Walkthrough" not in text  # what the summary says in one text stands here in its places


def clean(**changes: Any) -> Review:
    return outlined(**({"findings": [], "coverage": Coverage(hunks=3, reviewed=3)} | changes))


def unfolded(text: str) -> list[str]:
    """Return the lines of a text that are seen before anything is opened."""
    depth, seen = 0, []
    for line in text.splitlines():
        depth += line.count("<details>")
        seen += [line] if line.strip() and not depth else []
        depth -= line.count("</details>")
    assert depth == 0
    return seen


def test_a_clean_change_is_one_line_and_the_rest_is_folded() -> None:
    text = render_markdown(clean(notes=["One.", "Two."]), code)
    (line,) = unfolded(text)
    assert line.startswith("**No findings in the 3 hunks reviewed.** <sub>")
    assert "<summary>The change, and how it was read, 2 notes</summary>" in text
    for kept in (
        "**Risk: high**",
        "Refunds go to the `new`",
        "Reviewed 3 of 3",
        "Two.",
        "calls of",
    ):
        assert kept in text


def aside(*reasons: str) -> Coverage:
    """Two hunks read, and one in a file of its own for each of the reasons."""
    skipped = [Skipped(path=f"a{at}.js", hunks=1, reason=one) for at, one in enumerate(reasons)]
    return Coverage(hunks=2 + len(skipped), reviewed=2, skipped=skipped)


def test_what_was_set_aside_of_a_clean_change_stands_in_its_line() -> None:
    text = render_markdown(clean(coverage=aside("binary", "generated", "binary")), code)
    (line,) = unfolded(text)
    assert line.startswith(
        "**No findings in the 2 hunks reviewed.** 3 files not read: binary; generated. <sub>"
    )
    assert "a0.js" in text
    (line,) = unfolded(render_markdown(clean(coverage=aside(*"abcdef")), code))
    assert "6 files not read: a; b; c; d; 2 other reasons. <sub>" in line


def test_notes_beyond_the_first_are_folded_and_none_is_lost_unsaid() -> None:
    notes = [f"Note {number}." for number in range(25)]
    text = render_markdown(outlined(notes=notes), code)
    assert "Note 9." in "\n".join(unfolded(text)) and "Note 10." not in "\n".join(unfolded(text))
    assert "<summary>15 more notes</summary>" in text and "- Note 24." in text
    text = render_markdown(outlined(notes=["x" * 390] * 60), code)
    shown = text.count("x" * 300)
    assert 10 < shown < 60 and f"- {60 - shown} more notes in the JSON of this review" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"findings": [finding()]},
        {"status": "partial", "stopped": StopReason.BUDGET},
        {"coverage": Coverage(hunks=0, reviewed=0)},
        *({"coverage": aside(reason)} for reason in (TOO_LONG, f"{UNREADABLE} (bad hunk)")),
    ],
)
def test_what_is_not_clean_or_was_not_read_is_said_openly(changes: dict[str, Any]) -> None:
    text = render_markdown(clean(**changes), code)
    assert "**Risk: high**" in "\n".join(unfolded(text))
    assert "## " in text


def test_the_terminal_has_a_short_form_without_a_diagram() -> None:
    text = render(outlined(), "text", code)
    after = text[text.index("5 findings: ") :]
    assert after.startswith(
        "5 findings: 1 critical, 1 high, 1 medium, 1 low, 1 nit\n"
        "\n"
        "Risk: high (1 critical finding; code of (`shop/auth.py`)).\n"
        "Look first at shop/refund.py:8\n"
        "                high: `send` twice\n"
        "              web/cart.ts\n"
        "                90 new lines that no changed test is about\n"
        "\n"
        "shop\n"
        "  • Refunds go to the `new` gateway.\n"
        "  • They are tried three times.\n"
        "web/src\n"
        "  • The cart shows a price.\n"
        "  • What the backend says of refunds, the web shows.\n"
    )
    assert "mermaid" not in text


def test_the_terminal_shows_a_few_sentences_of_each_module() -> None:
    text = render(outlined(modules=[module("shop", *map(str, range(20)))]), "text", code)
    assert "shop\n  • 0\n  • 1\n  • 2\n    and 17 more\n" in text


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_has_risk_and_modules(fmt: str) -> None:
    text = render(outlined(), fmt, code)
    for said in ("shop/auth.py", "web/src", "The cart shows a price.", "90 new lines"):
        assert said in text


def test_a_review_of_old_shows_its_summary() -> None:
    assert "Walkthrough" in render(review(), "markdown", code)
    assert "Walkthrough" in render(review(), "text", code)


@pytest.mark.parametrize("fmt", ["markdown", "text"])
def test_a_clean_review_is_one_verdict_and_no_section_of_nothing(fmt: str) -> None:
    clean = empty().model_copy(update={"risk": Risk(level="low"), "modules": [module("shop")]})
    text = render(clean, fmt, code)
    assert text.count("No findings") == 1
    for section in ("look first", "What changes", "Severity", "<details>", "mermaid", "nit"):
        assert section not in text
    if fmt == "markdown":
        (line,) = text.splitlines()
        assert line == (
            "**No findings by the detectors in the 3 hunks reviewed; no model read them.** "
            "<sub>No model was asked. 0.2 s.</sub>"
        )


# The diagram


def nodes_and_edges(text: str) -> tuple[list[str], list[str]]:
    """Read a diagram as strictly as it is meant to be written."""
    opening, first, *lines, closing = text.split("\n")
    assert (opening, first, closing) == ("```mermaid", "flowchart LR", "```")
    nodes, edges = [], []
    for line in lines:
        if found := re.fullmatch(r'  m\d+\["((?:[A-Za-z0-9 ./_-]|#\d+;)*)"\]', line):
            nodes.append(found[1])
        else:
            edges.append(line)
            assert re.fullmatch(r"  m\d+ --> m\d+", line), line
    return nodes, edges


def imports(*pairs: tuple[str, str]) -> list[ModuleImport]:
    return [ModuleImport(source=one, target=other, files=1) for one, other in pairs]


def test_an_arrow_leads_from_who_imports_to_what_is_imported() -> None:
    text = diagram([module("shop"), module("web/src"), module("")], imports(("web/src", "shop")))
    assert nodes_and_edges(text) == (["shop", "web/src", "other files"], ["  m1 --> m0"])


@pytest.mark.parametrize(
    ("modules", "edges"),
    [
        ([], []),
        (["shop"], [("shop", "web")]),
        (["shop", "web"], []),
        (["shop", "web"], [("shop", "nowhere")]),
    ],
)
def test_there_is_none_of_one_module_or_without_an_edge(
    modules: Sequence[str], edges: Sequence[tuple[str, str]]
) -> None:
    assert diagram([module(path) for path in modules], imports(*edges)) == ""


NASTY = [
    HOSTILE,
    'x"]; click m0 href "https://evil.test"',
    "a\n```\n@octocat /merge",
    "%%{init: {'theme': 'forest', 'securityLevel': 'loose'}}%%",
    "end",
    "<img src=x onerror=alert(1)>",
    "`markdown **string**`",
    "subgraph x",
    "#quot; #35;",
    "é/日本/🎉",
    "x" * 5_000,
]


@pytest.mark.parametrize("path", NASTY)
def test_no_path_breaks_out_of_its_label(path: str) -> None:
    text = diagram([module(path), module("web")], imports(("web", path)))
    nodes, edges = nodes_and_edges(text)
    assert (len(nodes), edges) == (2, ["  m1 --> m0"])
    assert len(nodes[0]) < LABEL_CHARS * 9


def test_a_label_shows_what_the_path_is() -> None:
    said = mermaid('a"b#c é')
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), said) == 'a"b#c é'


def test_there_are_at_most_twelve_nodes() -> None:
    many_ = [module(f"m{n}") for n in range(40)]
    text = diagram(many_, imports(*((f"m{n}", "m0") for n in range(1, 40))))
    nodes, edges = nodes_and_edges(text)
    assert (len(nodes), len(edges)) == (MOST_NODES, MOST_NODES - 1)


# What means harm


def hostile_outline() -> dict[str, Any]:
    return {
        "risk": Risk(level="medium", reasons=[HOSTILE, f"`{HOSTILE}`", "/merge"]),
        "look_first": [LookFirst(path=HOSTILE, line=1, reason=HOSTILE)] * 5,
        "modules": [module(f"{n}/{HOSTILE}", HOSTILE, f"/merge {HOSTILE}") for n in range(3)],
        "across": [HOSTILE, "# heading", "> quote"],
        "imports": imports((f"0/{HOSTILE}", f"1/{HOSTILE}")),
    }


def test_nothing_hostile_does_anything() -> None:
    made = outlined(**hostile_outline(), findings=[])
    text = render(made, "markdown", no_code)
    tokens = read(text)
    assert not {token.type for token in tokens} & {"link_open", "image", "blockquote_open"}
    for token in tokens:
        if token.type in {"text", "text_special"}:
            assert not REFERENCE.search(token.content)
        if token.type == "html_inline":
            assert token.content in {"<sub>", "</sub>"}
    assert not re.search(r"^\s*/", text, re.MULTILINE)
    assert [t.info for t in tokens if t.type == "fence"] == ["mermaid"]
    page = render(made, "html", no_code)
    assert "<script" not in page and "<img" not in page
    assert "\x1b" not in render(made, "text", no_code)
    run(made, no_code)


def test_the_size_holds_with_emoji_everywhere_and_three_hundred_findings() -> None:
    long = "🟥 " * 4_000
    made = outlined(
        findings=[*many(300).findings, *([finding(title=long, body=long, path=long)] * 30)],
        risk=Risk(level="high", reasons=[long] * 9),
        look_first=[LookFirst(path=long, line=1, reason=long)] * 5,
        modules=[module(f"{n}/{long}", *([long] * 21)) for n in range(8)],
        across=[long] * 21,
        imports=imports(*((f"{n}/{long}", f"0/{long}") for n in range(1, 8))),
        coverage=Coverage(
            hunks=900,
            reviewed=0,
            skipped=[Skipped(path=f"{n}/{long}", hunks=1, reason=long) for n in range(900)],
        ),
    )
    text = render(made, "markdown", no_code)
    assert len(text.encode()) <= LIMIT_BYTES
    assert "Not shown here" in text
    assert len(re.findall(r"^\| (?:🟥|🟧|🟨|🟦|⬜)", text, re.MULTILINE)) > 50
