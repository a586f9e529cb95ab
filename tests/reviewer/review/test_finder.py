"""What a finder is told depends on its scope, and on nothing beside it."""

from reviewer.change import Span
from reviewer.finding import Category, Finding, Severity
from reviewer.review.finder import Finder
from reviewer.review.scope import FindScope
from tests.reviewer.review.test_place import Files
from tests.reviewer.review.values import change, changed, hunk, whole

NEAR = hunk("a.py", "+one = 1\n+two = 2\n", 1, 1)
FAR = hunk("a.py", "+three = 3\n-four = 4\n", 90, 90)


def lead(title: str, line: int | None, side: str = "RIGHT") -> Finding:
    return Finding.model_validate(
        {
            "path": "a.py",
            "side": side,
            "start_line": line,
            "line": line,
            "category": Category.LEFTOVER,
            "severity": Severity.LOW,
            "confidence": 1.0,
            "title": title,
            "body": "",
            "source": "detector:x",
        }
    )


def told(span: Span, *leads: Finding) -> str:
    finder = Finder(change(changed("a.py", NEAR, FAR)), Files(), leads)
    return finder.content(FindScope((span,), "general"))


def test_a_lead_is_told_to_those_who_hold_its_line():
    leads = [
        lead("near", 2),
        lead("far", 90),
        lead("gone", 90, "LEFT"),
        lead("elsewhere", 3),
        lead("whole file", None),
    ]
    near, far = told(whole(NEAR), *leads), told(whole(FAR), *leads)
    assert [t for t in ("near", "far", "gone", "elsewhere", "whole file") if f": {t}:" in near] == [
        "near",
        "whole file",
    ]
    assert [t for t in ("near", "far", "gone", "elsewhere", "whole file") if f": {t}:" in far] == [
        "far",
        "gone",
        "whole file",
    ]
    assert told(whole(NEAR), lead("far", 90)) == told(whole(NEAR))
