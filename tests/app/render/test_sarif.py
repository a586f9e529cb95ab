import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from app.render import render
from app.render.snippet import no_code
from reviewer.finding import Category, Severity
from reviewer.request import LookFirst, Module
from tests.app.render.samples import (
    FILES,
    HOSTILE,
    REFUND,
    code,
    empty,
    finding,
    hostile,
    many,
    of_files,
    partial,
    review,
)

SCHEMA = json.loads(
    Path(__file__).parents[2].joinpath("data/sarif/sarif-2.1.0-rtm.4.json").read_text("utf-8-sig")
)
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def run(made, snippets=code, **options) -> dict[str, Any]:
    log = json.loads(render(made, "sarif", snippets, **options))
    assert [error.message for error in VALIDATOR.iter_errors(log)] == []
    return log["runs"][0]


def regions(value: Any):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"region", "deletedRegion"}:
                yield inner
            yield from regions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from regions(inner)


def only(**changes: Any) -> dict[str, Any]:
    return run(review(findings=[finding(**changes)]))["results"][0]


@pytest.mark.parametrize("made", [review, empty, partial, hostile, lambda: many(500)])
def test_it_is_sarif_2_1_0(made):
    log = json.loads(render(made(), "sarif", code))
    VALIDATOR.validate(log)
    # Where the standard's own schema asks for more than this one: see tests/data/sarif/README.md.
    assert log["version"] == "2.1.0"
    for region in regions(log):
        assert region["startLine"] >= 1
        assert region["endLine"] >= region["startLine"]
    assert all(isinstance(result["level"], str) for result in log["runs"][0]["results"])


def test_the_schema_can_say_no():
    log = json.loads(render(review(), "sarif", code))
    log["runs"][0]["results"][0]["level"] = "disaster"
    assert not VALIDATOR.is_valid(log)


def test_each_result_points_to_its_rule_and_carries_its_identity():
    made = review()
    got = run(made)
    rules = got["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) == 4
    for result in got["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    identities = {result["partialFingerprints"]["rlmFindingId/v1"] for result in got["results"]}
    assert identities == {one.id for one in made.findings}
    assert got["tool"]["driver"]["version"]


def test_one_rule_stands_for_a_source_and_category_and_is_as_severe_as_its_worst():
    made = review(
        findings=[
            finding(severity=severity, category=Category.SECURITY, source="model:security")
            for severity in (Severity.NIT, Severity.CRITICAL, Severity.MEDIUM)
        ]
    )
    [rule] = run(made)["tool"]["driver"]["rules"]
    assert rule["id"] == "model:security/security"
    assert rule["defaultConfiguration"]["level"] == "error"
    assert rule["properties"]["security-severity"] == "9.5"
    assert "security" in rule["properties"]["tags"]


def test_what_is_not_about_security_is_not_shown_as_such():
    [rule] = run(review(findings=[finding()]))["tool"]["driver"]["rules"]
    assert "security-severity" not in rule["properties"]
    assert rule["properties"]["tags"] == ["correctness"]


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.CRITICAL, "error"),
        (Severity.HIGH, "error"),
        (Severity.MEDIUM, "warning"),
        (Severity.LOW, "note"),
        (Severity.NIT, "note"),
    ],
)
def test_levels(severity, level):
    assert only(severity=severity)["level"] == level


def test_a_place_in_the_head_is_a_region():
    place = only(start_line=6, line=8)["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "shop/refund.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 6, "endLine": 8}


def test_lines_of_the_base_are_no_region_of_the_head():
    result = only(side="LEFT", start_line=6, line=8, suggestion="x")
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert result["properties"]["baseStartLine"] == 6
    assert result["properties"]["baseLine"] == 8
    assert "fixes" not in result
    assert "before this change" in result["message"]["text"]


def test_a_whole_file_has_no_region():
    result = only(start_line=None, line=None, suggestion="x")
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert "fixes" not in result


@pytest.mark.parametrize(
    "path", ["a b/ü%20#?.py", "c:/x", "a\\xe9\\b", "new\nline", "tab\t", "[x]", HOSTILE]
)
def test_any_path_is_a_relative_uri_of_it(path):
    uri = only(path=path)["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri) == path
    assert uri.isascii()
    assert not set(uri) & set(' \n\t#?:[]"<>\\')


def apply(fix: dict[str, Any], text: str) -> str:
    """Apply a fix as section 3.57 reads: whole lines without columns keep their newline."""
    [change] = fix["artifactChanges"]
    [replacement] = change["replacements"]
    region = replacement["deletedRegion"]
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:at]) for at in range(len(lines))]
    first, last = region["startLine"] - 1, region["endLine"] - 1
    start = starts[first] + region.get("startColumn", 1) - 1
    end = starts[last] + region.get("endColumn", len(lines[last]) + 1) - 1
    return text[:start] + replacement.get("insertedContent", {}).get("text", "") + text[end:]


@pytest.mark.parametrize("suggestion", ["", "\n", "one", "one\n", "one\ntwo\n", "\n\n"])
@pytest.mark.parametrize(("start", "end"), [(1, 1), (6, 8), (14, 15), (15, 15), (1, 15)])
def test_a_fix_applied_is_the_suggestion_applied(suggestion, start, end):
    [fix] = only(start_line=start, line=end, suggestion=suggestion)["fixes"]
    lines = REFUND.split("\n")
    new = [] if suggestion == "" else suggestion.removesuffix("\n").split("\n")
    expected = "\n".join(lines[: start - 1] + new + lines[end:])
    got = apply(fix, REFUND)
    if suggestion == "" and end == 15:
        # At the end of a file there is no line behind to reach into; an empty one stays.
        assert got.rstrip("\n") == expected.rstrip("\n")
    else:
        assert got == expected


def test_an_early_end_is_no_success_and_says_why():
    [invocation] = run(partial())["invocations"]
    assert invocation["executionSuccessful"] is False
    notice = invocation["toolExecutionNotifications"][0]
    assert notice["level"] == "error"
    assert "budget" in notice["message"]["text"]
    assert run(review())["invocations"][0]["executionSuccessful"] is True


def test_the_ledger_goes_along():
    assert run(review())["properties"]["coverage"]["hunks"] == 45
    assert run(review(), category="rlm-nightly")["automationDetails"]["id"] == "rlm-nightly/"


def test_a_message_holds_no_link_and_no_control_character():
    for result in run(hostile(), no_code)["results"]:
        text = result["message"]["text"]
        assert "](" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_nothing_that_a_reader_of_the_code_said_hides_anything():
    said = "safe\x1b[2J \u202eesrever"
    made = run(
        review(
            summary=said,
            across=[said],
            modules=[Module(path="shop", files=1, added=1, deleted=0, changes=[said])],
            look_first=[LookFirst(path="shop/cart.py", reason=said)],
        )
    )
    properties = made["properties"]
    shown = [properties["summary"], *properties["across"], *properties["modules"][0]["changes"]]
    for text in [*shown, properties["lookFirst"][0]["reason"]]:
        assert "safe" in text and "\x1b" not in text and "\u202e" not in text


def test_results_come_worst_first():
    # GitHub keeps the first 5,000 results of an upload.
    levels = [result["level"] for result in run(review())["results"]]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)


def test_a_fix_needs_no_code_at_hand():
    made = review(findings=[finding(suggestion="")])
    assert run(made, no_code)["results"][0]["fixes"]
    assert run(made, of_files(FILES))["results"][0]["fixes"]
