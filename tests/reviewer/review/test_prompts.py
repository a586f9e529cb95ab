"""All who judge harm are told the same of it."""

import json
import re

import pytest
from pydantic import BaseModel

from reviewer.change import Span
from reviewer.finding import Severity
from reviewer.request import Effort, Promise
from reviewer.review.claims import Answer
from reviewer.review.finder import LENS_LINES, LENSES, Finder
from reviewer.review.intent import Intent, IntentResult, IntentScope
from reviewer.review.modules import CHANGE_CHARS
from reviewer.review.prompts import SEVERITY, prompt
from reviewer.review.scope import FindScope
from reviewer.review.synthesis import Synthesis
from reviewer.review.verify import Verdicts, Verifier, VerifyScope
from tests.reviewer.review.test_place import Files
from tests.reviewer.review.values import change, changed, hunk, whole

HELD = hunk("a.py", "+one = 1\n")
CHANGE = change(changed("a.py", HELD))
SPANS: tuple[Span, ...] = (whole(HELD),)
JUDGES = {
    "finder": Finder(CHANGE, Files(), []).instructions(FindScope(SPANS, "general")),
    "verifier": Verifier(CHANGE, Files(), SPANS).instructions(VerifyScope(())),
    "intent": Intent(CHANGE, Files()).instructions(IntentScope(SPANS, Promise(title="One"))),
}


@pytest.mark.parametrize("judge", JUDGES)
def test_all_who_judge_harm_have_the_same_criteria_each_with_an_example(judge: str):
    criteria = prompt("severity.md").strip()
    told = JUDGES[judge]
    assert told.count(criteria) == 1
    assert SEVERITY not in told
    for severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW):
        (line,) = [row for row in told.splitlines() if row.startswith(f"- {severity.value}: ")]
        assert " Example: " in line


@pytest.mark.parametrize("judge", JUDGES)
def test_what_no_code_calls_yet_is_medium_at_most_and_no_word_lifts_that(judge: str):
    (line,) = [row for row in JUDGES[judge].splitlines() if row.startswith("Is it used? ")]
    _, _, unused = line.partition("no code calls yet, ")
    assert unused.startswith("is medium at most") and "no greater" in unused
    assert "counts as" not in unused


@pytest.mark.parametrize("answer", [Answer, IntentResult, Verdicts])
def test_nobody_is_offered_a_severity_for_taste(answer: type[BaseModel]):
    schema = json.dumps(answer.model_json_schema())
    assert '"low"' in schema
    assert '"nit"' not in schema


def test_who_retells_is_told_what_goes_where_and_in_what_room():
    text = prompt("synthesis.md")
    assert [name for name in Synthesis.model_fields if f"`{name}`" not in text] == []
    (room,) = re.findall(r"(\d+) characters", text)
    assert int(room) < CHANGE_CHARS


def test_every_lens_has_its_words():
    for lens in {lens for passes in LENSES.values() for lens in passes}:
        assert prompt(f"lenses/{lens}.md").strip()
        assert lens in LENS_LINES or lens == "general"


def test_every_pass_reads_in_an_order_of_its_own():
    orders = {
        lens: re.findall(
            r"(?:Go through the hunks|Begin with the hunks)[^.]*", prompt(f"lenses/{lens}.md")
        )
        for lens in LENSES[Effort.DEEP]
    }
    assert all(len(found) == 1 for found in orders.values())
    assert len({found[0] for found in orders.values()}) == len(orders)
