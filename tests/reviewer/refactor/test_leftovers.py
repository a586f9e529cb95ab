"""What a refactoring leaves over: names of what is to be done still, and what is no old fault."""

from reviewer.finding import Category, Finding, Severity
from reviewer.refactor.host import _fresh
from reviewer.refactor.repair import _was_there
from reviewer.refactor.values import MODULE_CHARS


def found(rule: str, evidence: str) -> Finding:
    return Finding(
        path="a.py",
        side="LEFT",
        start_line=1,
        line=1,
        category=Category.CORRECTNESS,
        severity=Severity.HIGH,
        confidence=1.0,
        title="a name",
        body="a name",
        evidence=evidence,
        source=f"detector:python-lint/{rule}",
    )


def test_a_name_that_nothing_defines_any_more_is_new_though_its_line_is_not() -> None:
    gone = frozenset({"import os", "x = unused"})
    assert not _was_there(found("F821", "import os"), gone)
    assert _was_there(found("F841", "x = unused"), gone)  # it was only moved


def test_no_two_modules_have_one_name_and_none_a_longer_one_than_may_be() -> None:
    taken = {"what is left"}
    names = [_fresh("what is left", taken) for _ in range(2)]
    names += [_fresh("x" * 300, taken) for _ in range(12)]
    assert len({"what is left", *names}) == 15
    assert max(map(len, names)) == MODULE_CHARS
