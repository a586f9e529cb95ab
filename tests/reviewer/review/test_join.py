"""One cause is said once; two causes are never made one."""

import time

from reviewer.finding import Category, Finding, Severity
from reviewer.review.join import join, masked


def finding(title: str, line: int = 5, **changes: object) -> Finding:
    values: dict[str, object] = {
        "path": "a.py",
        "start_line": line,
        "line": line,
        "category": Category.CORRECTNESS,
        "severity": Severity.MEDIUM,
        "confidence": 0.8,
        "title": title,
        "body": "",
        "source": "model:correctness",
    }
    return Finding.model_validate(values | changes)


def test_two_passes_about_one_line_and_kind_are_one():
    joined = join(
        [
            finding("Off by one in the loop"),
            finding("The last page is lost", severity=Severity.HIGH, source="model:contracts"),
        ]
    )
    assert [f.title for f in joined] == ["The last page is lost"]


def test_what_one_pass_says_twice_of_one_line_are_two_causes_unless_the_words_agree():
    apart = [finding("Off by one in the loop"), finding("The rate is applied twice")]
    assert len(join(apart)) == 2
    same = [finding("Off by one in the loop"), finding("The loop is off by one")]
    assert len(join(same)) == 1


def test_the_same_harm_on_lines_that_only_overlap_takes_some_words_in_common():
    wide = {"start_line": 1, "line": 8}
    other = {"source": "model:contracts"}
    assert (
        len(join([finding("Loop drops the last page"), finding("Rate twice", **wide, **other)]))
        == 2
    )
    assert (
        len(join([finding("Last page lost"), finding("Loop drops last item", **wide, **other)]))
        == 1
    )


def test_thousands_of_findings_are_joined_in_no_time():
    began = time.monotonic()
    many = [finding(f"number {n}", n // 2 + 1, path=f"{n % 3}.py") for n in range(20_000)]
    assert len(join(many)) == 20_000
    assert time.monotonic() - began < 5


def test_the_same_words_about_one_line_are_one_whatever_the_kind():
    joined = join(
        [
            finding("get_url ignores configured DB_URI, always uses its own", confidence=0.7),
            finding("get_url ignores a DB_URI from the settings", category=Category.CONTRACT),
        ]
    )
    assert len(joined) == 1
    apart = [finding("The file is not closed"), finding("A wrong total", category=Category.TESTS)]
    assert len(join(apart)) == 2


def test_different_lines_sides_files_and_kinds_stay_apart():
    several = [
        finding("A"),
        finding("A", line=6),
        finding("A", path="b.py"),
        finding("A", side="LEFT"),
        finding("leaks the file", category=Category.RESOURCES),
    ]
    assert len(join(several)) == len(several)


def test_a_detector_that_says_the_same_speaks_before_the_model():
    joined = join(
        [finding("undefined name x"), finding("undefined name x", source="detector:ruff/F821")]
    )
    assert [f.source for f in joined] == ["detector:ruff/F821"]


def test_two_detectors_on_one_line_are_two():
    rules = [finding("one", source="detector:a/1"), finding("two", source="detector:b/2")]
    assert len(join(rules)) == 2


def test_the_worst_and_surest_come_first():
    joined = join(
        [
            finding("low", 1, severity=Severity.LOW),
            finding("unsure", 2, severity=Severity.HIGH, confidence=0.5),
            finding("sure", 3, severity=Severity.HIGH, confidence=0.9),
            finding("worst", 4, severity=Severity.CRITICAL, confidence=0.5),
        ]
    )
    assert [f.title for f in joined] == ["worst", "sure", "unsure", "low"]


def test_a_line_with_a_secret_is_quoted_masked_by_every_finding():
    secret = finding(
        "Key", category=Category.SECRET, evidence='KEY = "sk_l…"', source="detector:secrets/x"
    )
    other = finding(
        "Read twice",
        5,
        start_line=4,
        evidence='first\nKEY = "sk_live_1"',
        suggestion='first\nKEY = "sk_live_1"',
    )
    elsewhere = finding("Other", 9, evidence="sk_live_1 is not known to be a secret here")
    safe = masked([secret, other, elsewhere])
    assert safe[0] == secret
    assert safe[1].evidence == 'first\nKEY = "sk_l…"'
    assert safe[1].suggestion is None
    assert safe[2] == elsewhere
