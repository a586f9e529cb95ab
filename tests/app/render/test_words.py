import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.github import check_runs
from app.render import render, words
from app.render.markdown import render_markdown
from app.review_command import exit_code
from reviewer.finding import Category, Severity
from reviewer.request import Cost, Coverage, Skipped, Unsettled
from tests.app.render.samples import code, empty, finding, partial, review, unchanged

paths = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "dd"]), min_size=1, max_size=4).map("/".join),
    max_size=60,
)


@given(paths, st.integers(0, 5), st.sampled_from([["binary"], ["binary", "vendored"]]))
def test_every_skipped_file_and_hunk_is_counted_once(names, hunks, reasons):
    skipped = [
        Skipped(path=name, hunks=hunks, reason=reasons[at % len(reasons)])
        for at, name in enumerate(names)
    ]
    groups = words.reasons(skipped)
    assert sum(group.files for group in groups) == len(skipped)
    assert sum(group.hunks for group in groups) == hunks * len(skipped)
    for group in groups:
        assert len(group.rows) <= words.PATHS_LISTED
        if group.files > words.PATHS_LISTED:
            size = re.compile(r"\((\d+) files?(?:, (\d+) hunks?)?\)$")
            counted = [size.search(row) for row in group.rows]
            assert sum(int(match.group(1)) for match in counted) == group.files
            assert sum(int(match.group(2) or 0) for match in counted) == group.hunks
            assert not any(", 0 hunks" in row for row in group.rows)
        else:
            assert len(group.rows) == group.files


def test_the_verdict_is_honest_about_why_there_is_nothing():
    unasked = "No findings by the detectors in the 3 hunks reviewed; no model read them."
    assert words.verdict(empty()) == unasked
    asked = empty().model_copy(update={"cost": Cost(model="m", calls=1)})
    assert words.verdict(asked) == "No findings in the 3 hunks reviewed."
    unread = empty().model_copy(
        update={
            "coverage": Coverage(
                hunks=2, reviewed=0, skipped=[Skipped(path="a", hunks=2, reason="generated")]
            )
        }
    )
    assert "no hunk was reviewed" in words.verdict(unread)
    nothing = empty().model_copy(update={"coverage": Coverage(hunks=0, reviewed=0)})
    assert "no text" in words.verdict(nothing)
    assert words.verdict(unchanged()).startswith("Nothing to review: cccccccccc has no commit")
    at_once = unchanged().change.model_copy(update={"base": unchanged().change.head})
    assert words.verdict(unchanged().model_copy(update={"change": at_once})) == (
        "Nothing to review: both ends are the commit cccccccccc."
    )
    reverted = unchanged().change.model_copy(update={"merge_base": "b" * 40})
    same = unchanged().model_copy(update={"change": reverted})
    assert words.verdict(same) == (
        "Nothing to review: no file differs between bbbbbbbbbb and cccccccccc."
    )


def test_the_overview_is_the_summary_without_what_a_page_says_elsewhere():
    made = empty().model_copy(
        update={
            "summary": "No findings.\n\n1 file changed (+1 -0); 3 of 3 hunks reviewed, 1 set aside "
            "with the reason.\n\nWhat changes:\n- It rounds."
        }
    )
    assert words.overview(made) == "What changes:\n- It rounds."
    assert words.overview(review()) == review().summary
    assert words.overview(made.model_copy(update={"summary": "No findings."})) == ""


def test_the_order_is_severity_then_place():
    places = [
        finding(severity=Severity.LOW, path="a", start_line=1, line=1),
        finding(severity=Severity.HIGH, path="b", start_line=10, line=10),
        finding(severity=Severity.HIGH, path="b", start_line=9, line=12),
        finding(severity=Severity.HIGH, path="b", start_line=None, line=None),
    ]
    assert [words.place(one) for one in words.ranked(places)] == ["b", "b:9-12", "b:10", "a:1"]


@pytest.mark.parametrize("fmt", ["text", "markdown", "html", "sarif"])
def test_every_format_says_beside_a_claim_that_it_was_not_verified(fmt):
    def shown(**changes):
        return render(review(findings=[finding(**changes)]), fmt, code)

    assert "not verified: no second look has confirmed it" in " ".join(
        shown(verified=False).lower().split()
    )
    assert "not verified" not in shown(verified=True)
    assert "not verified" not in shown(verified=False, source="detector:syntax")


UNSETTLED = Unsettled(
    id="a" * 12,
    path="shop/login.py",
    line=7,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    title="Anybody may log in `as root`",
)


@pytest.mark.parametrize("fmt", ["text", "markdown", "html", "sarif"])
@pytest.mark.parametrize("found", [[], [finding()]])
def test_every_format_names_in_sight_what_nobody_could_settle(fmt, found):
    made = empty() if not found else review(findings=found)
    told = made.model_copy(update={"unsettled": [UNSETTLED]})
    shown = " ".join(render(told, fmt, code).split())
    assert "1 grave claim could not be proved or refuted by two readers" in shown
    assert "Anybody may log in" in shown and "shop/login.py:7" in shown
    assert "1 grave claim unsettled" in words.verdict(told)
    assert "grave claim" not in render(made, fmt, code)
    if fmt == "markdown":  # not behind a fold
        assert shown.index("1 grave claim could") < f"{shown}<details>".index("<details>")


def test_a_claim_that_nobody_could_settle_makes_a_check_neutral_and_blocks_where_that_is_asked():
    told = empty().model_copy(update={"unsettled": [UNSETTLED]})
    assert check_runs.conclusion(empty(), Severity.LOW) == "success"
    assert check_runs.conclusion(told) == "neutral"
    assert check_runs.conclusion(told, Severity.CRITICAL) == "failure"
    high = UNSETTLED.model_copy(update={"severity": Severity.HIGH})
    told = told.model_copy(update={"unsettled": [high]})
    assert check_runs.conclusion(told, Severity.CRITICAL) == "neutral"
    assert (exit_code(told, "critical"), exit_code(told, "high"), exit_code(told, None)) == (
        0,
        1,
        0,
    )
    assert "1 grave claim unsettled" in check_runs.title(told)


def test_of_many_that_nobody_could_settle_the_first_are_named_and_the_others_counted():
    each = [UNSETTLED.model_copy(update={"line": line}) for line in range(1, 31)]
    said = words.unsettled(review().model_copy(update={"unsettled": each}))
    assert said.startswith("30 grave claims could not") and said.endswith(":10); and 20 more")


def test_a_row_of_the_summary_says_that_its_claim_was_not_verified():
    told = finding(verified=False)
    text = render_markdown(review(findings=[told]), code, elsewhere={told.id: "https://x.test/1"})
    assert text.count("not verified") == 1
    assert "without a key (not verified) |" in text


def test_an_early_end_names_its_reason_and_a_whole_review_has_none():
    assert "budget" in words.ended_early(partial())
    assert "12 of 45 hunks" in words.ended_early(partial())
    assert words.ended_early(review()) == ""


def test_sums_read_well():
    assert words.money(0.0412) == "$0.0412"
    assert words.money(1234.5) == "$1,234.50"
    assert words.duration(0.24) == "0.2 s"
    assert words.duration(59.96) == "1 min 00 s"
    assert words.duration(185) == "3 min 05 s"
    assert words.count(1, "hunk") == "1 hunk"
    assert words.count(2_000, "hunk") == "2,000 hunks"
    assert "price unknown" in words.cost(review().cost.model_copy(update={"usd": None}))


def test_answers_from_before_are_told_with_what_was_paid():
    spent = Cost(model="claude-x", usd=0.0, calls=0, replayed_calls=11, seconds=0.4)
    assert words.cost(spent) == (
        "$0.00, 0 calls of claude-x and 11 answers from before, 0 tokens in, 0 out, 0.4 s."
    )
