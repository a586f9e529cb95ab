"""Risk and where to look first follow from what is known, and say from what."""

import pytest

from reviewer.change import FileChange
from reviewer.finding import Severity
from reviewer.review.borders import Border
from reviewer.review.risk import MOST_LOOKS, look_first, risk
from tests.reviewer.review.test_join import finding
from tests.reviewer.review.test_modules import changed


def border(symbol: str = "Cart.total", path: str = "shop/cart.py", **changes: str) -> Border:
    fields = {"kind": "method", "what": "parameters", "before": "(items)", "after": "(items, rate)"}
    return Border(path, symbol, **(fields | changes), spans=(f"span of {symbol}",))


SMALL = [changed("shop/cart.py", 5, 2), changed("tests/test_cart.py", 5, 0)]


def of(severity: Severity, number: int = 1) -> list:
    return [finding(f"Number {n} is wrong here", n + 1, severity=severity) for n in range(number)]


def test_a_small_tested_change_without_findings_is_low_and_has_no_reason():
    assert risk(SMALL, [], []).model_dump() == {"level": "low", "reasons": []}


@pytest.mark.parametrize(
    ("findings", "level"),
    [
        (of(Severity.CRITICAL), "high"),
        (of(Severity.HIGH), "medium"),
        (of(Severity.HIGH, 5), "medium"),
        (of(Severity.MEDIUM, 9), "low"),
        (of(Severity.LOW, 9), "low"),
    ],
)
def test_findings_weigh_by_the_worst(findings: list, level: str):
    assert risk(SMALL, findings, []).level == level


def test_each_reason_is_named_the_weightiest_first():
    files = [
        changed("shop/auth/login.py", 900, 800),
        changed("infra/main.tf", 5, 5),
        changed("docs/tokens.md", 4, 4),
    ]
    made = risk(files, of(Severity.MEDIUM, 2), [border()])
    assert made.level == "high"
    assert made.reasons == [
        "1,718 lines changed",
        "2 medium findings",
        "1 change to what other code may rely on",
        "code that guards access, money or data (`shop/auth/login.py`, `infra/main.tf`)",
        "900 new lines of code and no test changed",
    ]


def test_what_is_new_or_of_a_test_breaks_nobody():
    new = border(what="added", before="")
    test = border("Check.setup", path="tests/test_cart.py")
    assert risk(SMALL, [], [new, test]).reasons == []
    many = [border(f"Cart.f{n}") for n in range(12)]
    assert risk(SMALL, [], [*many, *many]).reasons == ["12 changes to what other code may rely on"]


@pytest.mark.parametrize(
    ("path", "guards"),
    [
        ("app/Auth.php", True),
        ("lib/session_store.rb", True),
        (".github/workflows/ci.yml", True),
        ("db/migrations/0001.sql", True),
        ("src/author.py", False),
        ("src/passage.py", False),
        ("tests/test_login.py", False),
    ],
)
def test_paths_that_guard_something_are_known_by_their_words(path: str, guards: bool):
    reasons = risk([changed(path), SMALL[1]], [], []).reasons
    assert bool(reasons) is guards


def test_one_looks_first_at_what_is_worst_relied_on_and_untested():
    files = [
        *SMALL,
        changed("shop/report.py", 200, 0),
        changed("shop/big.py", 300, 0),
        changed("README.md", 900, 0),
        changed("tests/test_report.py", 50, 0),
    ]
    findings = [
        *(finding(f"Worse {n}", path=f"w{n}.py", severity=Severity.HIGH) for n in range(4)),
        finding("Again", 9, path="w0.py", severity=Severity.HIGH),
        finding("Small", path="low.py", severity=Severity.LOW),
    ]
    users = {("span of Cart.total", "total"): ["shop/report.py", "shop/big.py", "shop/cart.py"]}
    looks = look_first(files, findings, [border(), border("Cart.size")], users, [])
    assert [(look.path, look.line, look.reason) for look in looks] == [
        ("w0.py", 5, "high: Worse 0"),
        ("w1.py", 5, "high: Worse 1"),
        ("w2.py", 5, "high: Worse 2"),
        ("shop/cart.py", None, "`Cart.total` changes, and 2 changed files use it"),
        ("shop/big.py", None, "300 new lines that no changed test is about"),
    ]
    assert len(looks) == MOST_LOOKS
    alone = {("span of Cart.total", "total"): ["shop/report.py"]}
    look, *_ = look_first(files, [], [border()], alone, [])
    assert look.reason == "`Cart.total` changes, and 1 changed file uses it"


def test_a_test_is_about_what_it_imports_or_is_named_after():
    big, test = changed("shop/big.py", 300, 0), changed("tests/test_all.py", 5, 0)

    def paths(files: list[FileChange], imports: list[tuple[str, str]]) -> list[str]:
        return [look.path for look in look_first(files, [], [], {}, imports)]

    assert paths([big, test], []) == ["shop/big.py"]
    assert paths([big, test], [("tests/test_all.py", "shop/big.py")]) == []
    assert paths([big, test], [("shop/other.py", "shop/big.py")]) == ["shop/big.py"]
    assert paths([big, changed("tests/BigTest.java")], []) == []


def test_nothing_to_look_at_is_an_empty_list():
    assert look_first(SMALL, [], [], {}, []) == []


def test_hostile_names_are_cut_and_stay_on_one_line():
    bad = finding("x\n/merge\x1b " * 300, path="a\nb.py", severity=Severity.CRITICAL)
    (look,) = look_first(SMALL, [bad], [], {}, [])
    assert "\n" not in look.reason
    assert len(look.reason) < 200
