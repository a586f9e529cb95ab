import io
import os
import re
import unicodedata

import pytest
from rich.cells import cell_len

from app.render import PIPE_COLUMNS, render
from app.render.snippet import no_code
from app.render.text import NARROWEST, look, wrap
from reviewer.finding import Severity
from reviewer.request import Coverage, Skipped
from tests.app.render.samples import (
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

SGR = re.compile(r"\x1b\[[0-9;]*m")


def shown(made, snippets=code, **options):
    return render(made, "text", snippets, **options)


def test_a_finding_reads_like_a_compilers_message():
    text = shown(review(findings=[finding(start_line=8, line=8, suggestion="x = 1\n")]), width=80)
    assert text.startswith(
        "high[correctness]: A refund that times out is sent again, without a key\n"
    )
    lines = text.split("\n")
    assert lines[1] == "  shop/refund.py:8"
    assert lines[2:7] == [
        "     6 │     for attempt in range(3):",
        "     7 │         try:",
        "  ▶  8 │             return gateway.send(order.amount)",
        "     9 │         except Timeout:",
        '    10 │             log.warning("refund of %s timed out", order.id)',
    ]
    assert "    -             return gateway.send(order.amount)\n    + x = 1\n" in text
    assert "  • order 17" in text.replace("    •", "  •")
    assert "model:correctness, confidence 90%" in text


def test_the_worst_comes_first_and_the_sums_last():
    text = shown(review())
    severities = re.findall(r"^(\w+)\[", text, re.MULTILINE)
    assert severities == ["critical", "high", "medium", "low", "nit"]
    after = text[text.index("5 findings: 1 critical, 1 high") :]
    order = [after.index(s) for s in ("new gateway", "requests", "Reviewed 41 of 45", "$0.0412")]
    assert order == sorted(order)
    assert after.index("Note: Guidelines") < after.index("$0.0412")


def test_bold_is_for_renderers_that_have_it():
    assert "**" not in shown(review())


def test_sides_and_whole_files_are_said():
    text = shown(review())
    assert "lines of the version before this change" in text
    assert "was there before this change" in text
    assert "deploy/prod.env\n  (about the whole file)" in text
    assert "send(order.amount, key=order.id)" in text  # the base's line for the LEFT finding


def test_every_skipped_path_is_named_with_its_reason():
    text = shown(review(), width=100)
    assert "  - lock file, shown as a table: poetry.lock (3 hunks)\n" in text
    assert "  - binary: static/logo.png\n" in text


def test_skipped_paths_that_fit_no_line_stand_on_lines_of_their_own():
    paths = [f"packages/{'deep/' * 10}{n}/parse.spec.ts.snap" for n in range(3)]
    skipped = [Skipped(path=path, hunks=1, reason="snapshot of a test") for path in paths]
    made = review(coverage=Coverage(hunks=4, reviewed=1, skipped=skipped))
    lines = shown(made, width=100).split("\n")
    first = lines.index("  - snapshot of a test (3 files, 3 hunks):")
    assert lines[first + 1 : first + 4] == [f"      {path} (1 hunk)" for path in paths]


def test_many_skipped_paths_are_counted_by_folder():
    skipped = [Skipped(path=f"vendor/lib{n}/a.go", hunks=2, reason="vendored") for n in range(900)]
    made = review(coverage=Coverage(hunks=1801, reviewed=1, skipped=skipped))
    assert "vendored (900 files, 1,800 hunks): vendor/ (900 files, 1,800 hunks)" in shown(
        made, width=120
    )


def test_no_findings_is_one_line_and_says_of_how_much():
    lines = shown(empty()).split("\n")
    assert lines[0] == ("No findings by the detectors in the 3 hunks reviewed; no model read them.")
    assert len([line for line in lines if line]) == 3


def test_nothing_to_review_is_two_lines():
    lines = [line for line in shown(unchanged()).split("\n") if line]
    assert lines == [
        "Nothing to review: cccccccccc has no commit that bbbbbbbbbb lacks.",
        "No model was asked. 0.2 s.",
    ]


def test_an_early_end_is_the_first_and_the_last_thing_said():
    lines = shown(partial(), width=200).rstrip("\n").split("\n")
    assert lines[0].startswith("PARTIAL  This review ended early because the budget")
    assert lines[-1] == lines[0]
    assert "PARTIAL" not in shown(review())


@pytest.mark.parametrize("width", [1, 40, 80, 120])
@pytest.mark.parametrize("made", [review, partial, empty, hostile, lambda: many(30)])
def test_no_line_is_wider_than_the_page(width, made):
    places = re.compile(r"^  \S.*:\d+(-\d+)?$|^  \S+$")
    for line in shown(made(), hostile_code, width=width).split("\n"):
        assert cell_len(line) <= max(width, NARROWEST) or places.match(line), line


def test_wide_characters_are_measured_by_their_columns():
    wide = of_files({("f", "RIGHT"): "日本語" * 100 + "\n"})
    made = review(findings=[finding(path="f", start_line=1, line=1, body="漢" * 200)])
    for line in shown(made, wide, width=60).split("\n"):
        assert cell_len(line) <= 60
    assert wrap("漢" * 50, 41) == ["漢" * 20, "漢" * 20, "漢" * 10]
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap(" ", 7) == []


@pytest.mark.parametrize("color", [True, False])
def test_nothing_hostile_reaches_the_terminal(color):
    text = shown(hostile(), hostile_code, color=color)
    left = SGR.sub("", text) if color else text
    bad = {c for c in left if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert bad == {"\n"}
    assert "\\x1b[2J" in left
    assert "\\u{202e}gnp.exe" in left.replace("\n", "") or "\\u{202e}" in left
    assert "[red]rich[/red]" in left


def test_colour_only_where_it_is_asked_for():
    plain, coloured = shown(review()), shown(review(), color=True)
    assert "\x1b" not in plain
    assert SGR.sub("", coloured) == plain
    for line in coloured.split("\n"):  # a pager shows lines one by one
        assert line.count("\x1b[0m") * 2 == line.count("\x1b")


def test_a_long_line_of_code_is_cut_to_the_page():
    wide = of_files({("f", "RIGHT"): "x" * 1_000_000 + "\n"})
    text = shown(review(findings=[finding(path="f", start_line=1, line=1)]), wide, width=80)
    assert "x…\n" in text
    assert max(len(line) for line in text.split("\n")) <= 80


def test_a_terminal_decides_width_and_colour():
    here, there = os.openpty()
    with os.fdopen(there, "w") as terminal:
        assert look(terminal, {"TERM": "xterm", "COLUMNS": "60"}) == {"width": 60, "color": True}
        assert look(terminal, {"TERM": "xterm", "NO_COLOR": "1"})["color"] is False
        assert look(terminal, {"TERM": "dumb"})["color"] is False
        assert look(terminal, {"TERM": "xterm"})["width"] > 0
    os.close(here)
    pipe = io.StringIO()
    assert look(pipe, {"TERM": "xterm"}) == {"width": PIPE_COLUMNS, "color": False}
    assert look(pipe, {"FORCE_COLOR": "1"})["color"] is True
    assert look(pipe, {"FORCE_COLOR": "1", "NO_COLOR": "1"})["color"] is False
    assert shown(review(), **look(pipe, {})) == shown(review())


def test_severities_are_told_apart_without_colour():
    for severity in Severity:
        assert f"{severity.value}[" in shown(review(findings=[finding(severity=severity)]))


def test_a_finding_without_code_shows_its_evidence():
    text = shown(review(findings=[finding(start_line=8, line=8)]), no_code)
    assert "▶ 8 │             return gateway.send(order.amount)" in text
