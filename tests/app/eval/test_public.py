"""The shipped cases of a public benchmark, read without the network: as many as documented."""

import re

from app.eval.repositories import entries
from tests.warm import ROOT

CASES = [entry.case for entry in entries(ROOT / "evaluation/public.jsonl")]
DOCUMENT = (ROOT / "docs/evaluation.md").read_text("utf-8")


def test_there_are_as_many_as_the_document_says() -> None:
    said = re.search(
        r"`evaluation/public.jsonl` has (\d+) pull requests .* with (\d+) golden", DOCUMENT
    )
    assert said is not None
    assert (len(CASES), sum(len(case.defects) for case in CASES)) == (int(said[1]), int(said[2]))


def test_each_is_of_the_benchmark_and_two_have_been_worked_with() -> None:
    assert {case.repository for case in CASES} == {
        "https://github.com/ai-code-review-evaluation/cal.com-greptile"
    }
    worked_with = [case.id for case in CASES if not case.held_back]
    assert worked_with == ["calcom-app-store", "calcom-several-hosts"]
    assert not any(case.control for case in CASES)
    assert len({(case.base, case.head) for case in CASES}) == len(CASES)


def test_no_two_defects_are_alike() -> None:
    defects = [defect for case in CASES for defect in case.defects]
    assert len({defect.description for defect in defects}) == len(defects)
    assert all(len(set(defect.places)) == len(defect.places) for defect in defects)
