"""One cause is said once; two causes are never made one."""

import time

import pytest

from reviewer.finding import MOST_PLACES, Category, Finding, Place, Proof, Severity, Side
from reviewer.review.join import join, join_counted, masked, once, retold, told_as_defects
from reviewer.review.promised import with_promise
from tests.reviewer.review.retold_pairs import ONE, TWO, Claim


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
    assert joined[0].body == "Also: Off by one in the loop", "it may be another cause"


def at_one_place(**changes: object) -> list[Finding]:
    """Return two verified claims of two passes about one line that share next to nothing."""
    return [
        finding(
            "Off by one in the loop",
            body="The last page is never read.",
            severity=Severity.HIGH,
            verified=True,
        ),
        finding(
            "The amount is taken as cents",
            body="Yen have none.",
            source="model:contracts",
            verified=True,
            suggestion="yen()",
        ).model_copy(update=changes),
    ]


def test_two_claims_of_one_place_are_one_comment_that_tells_both_and_is_counted():
    (joined,), beside = join_counted(at_one_place())
    told = "The last page is never read.\n\nAlso: The amount is taken as cents"
    assert (joined.title, beside) == ("Off by one in the loop", 1)
    assert joined.body == f"{told}\n\nYen have none."
    (joined,), _ = join_counted(at_one_place(verified=False))
    assert joined.body == told, "of what nobody has looked at no more than that"
    assert len(once(at_one_place(), by_words=True)) == 2, "each is verified by itself"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "The loop is off by one"},
        {"body": "The last page of the list is never read, so its rows are missing."},
        {"category": Category.SECRET},
    ],
)
def test_what_is_told_in_like_words_is_not_told_twice(changes):
    one, other = at_one_place(**changes)
    kind = {"category": changes.get("category", one.category)}
    joined, beside = join_counted([one.model_copy(update=kind), other])
    assert ([each.body for each in joined], beside) == ([one.body], 0)


def test_a_replacement_is_not_taken_over_from_another_claim_about_the_lines():
    (joined,) = join(at_one_place())
    assert joined.suggestion is None


def test_what_stays_keeps_its_suggestion_and_takes_over_one_for_the_very_same_lines():
    def joined(kept: str | None, repeat: str | None, **changes: object) -> list[str | None]:
        worse = finding("The last page is lost", severity=Severity.HIGH, suggestion=kept)
        changes = {"verified": True, "source": "model:x", **changes}
        other = finding("The last page gets lost", suggestion=repeat, **changes)
        return [f.suggestion for f in join([other, worse])]

    assert joined("mine", "other") == ["mine"]
    assert joined(None, "other") == ["other"]
    assert joined(None, "") == [""], "it deletes the lines"
    assert joined(None, "other", start_line=4) == [None], "it replaces other lines"
    assert joined(None, None) == [None]
    assert joined(None, "other", verified=False) == [None], "nobody will look at it any more"
    once_looked_at = [
        finding("It is lost"),
        finding("It gets lost", source="model:x", suggestion=""),
    ]
    assert [f.suggestion for f in once(once_looked_at, by_words=True)] == [""], "a verifier will"


def test_a_suggestion_is_never_taken_over_by_what_reports_a_secret():
    secret = finding(
        "A key", category=Category.SECRET, severity=Severity.HIGH, source="detector:secrets/key"
    )
    model = finding("A key is committed", category=Category.SECRET, suggestion="key = 'sk-1'")
    (joined,) = masked(join([secret, model]))
    assert joined.suggestion is None


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
    began = time.process_time()  # of the processor: others may have the machine meanwhile
    many = [finding(f"number {n}", n // 2 + 1, path=f"{n % 3}.py") for n in range(20_000)]
    assert len(join(many)) == 20_000
    assert time.process_time() - began < 5


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


def removed(name: str, line: int = 5, **changes: object) -> Finding:
    given = {
        "category": Category.CONTRACT,
        "severity": Severity.HIGH,
        "confidence": 0.95,
        "body": "Not adapted: `a.py:2`; `b.py:1`.",
        "source": "detector:contracts/name",
        "side": "LEFT",
        **changes,
    }
    title = f"`{name}` was removed from a.py, but is still used"
    return finding(title, line, **given)


def undefined(name: str, line: int = 5, **changes: object) -> Finding:
    given = {
        "severity": Severity.HIGH,
        "confidence": 0.9,
        "body": "The name is not defined in this file: NameError when it runs.",
        "source": "detector:python-lint/F821",
        "side": "LEFT",
        **changes,
    }
    return finding(f"Undefined name `{name}`", line, **given)


def test_a_name_that_is_gone_is_told_once_by_the_detector_that_says_who_uses_it():
    (joined,) = join([undefined("f"), removed("f")])
    assert (joined.title, joined.source) == (removed("f").title, "detector:contracts/name")
    assert joined.also_by == ("detector:python-lint/F821",)
    assert joined.id == removed("f").id, "a repeat makes nothing new of it"
    (joined,) = join([undefined("f"), removed("f", severity=Severity.MEDIUM)])
    assert (joined.source, joined.severity) == ("detector:contracts/name", Severity.HIGH)
    assert joined.also_by == ("detector:python-lint/F821",)


def test_other_names_lines_and_rules_of_detectors_stay_apart():
    for other in (
        undefined("g"),
        undefined("f", 6),
        undefined("f", side="RIGHT"),
        undefined("f", source="detector:python-lint/F811"),
        undefined("Shop.f"),
        finding("`f` is used before it is set", side="LEFT", source="detector:python-lint/F823"),
    ):
        assert len(join([removed("f"), other])) == 2, other.title
        assert all(one.also_by == () for one in join([removed("f"), other]))


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


def test_a_proof_that_holds_a_secret_is_left_out():
    secret = finding("Key", category=Category.SECRET, evidence="KEY", source="detector:secrets/x")

    def proved(path: str, line: int | None, side: Side = "RIGHT") -> Finding:
        proof = Proof(path=path, side=side, start_line=line, line=line, quote="KEY = 'sk_live_1'")
        return finding("Read twice", 30, proof=proof)

    for path, line, side, kept in (
        ("a.py", 5, "RIGHT", False),
        ("a.py", None, "RIGHT", False),
        ("a.py", 6, "RIGHT", True),
        ("a.py", 5, "LEFT", True),
        ("b.py", 5, "RIGHT", True),
        ("b.py", None, "RIGHT", True),
    ):
        one = proved(path, line, side)
        assert masked([secret, one])[1].proof == (one.proof if kept else None), (path, line, side)


# Repeats


INJECTED = "User input is put into the shell unescaped by `create`"


def test_one_pattern_in_several_places_is_one_finding_at_the_worst():
    (joined,) = join(
        [
            finding(INJECTED, 5, path="a.py"),
            finding(INJECTED.replace("create", "delete"), 9, path="b.py", severity=Severity.HIGH),
            finding(INJECTED, 70, path="a.py", start_line=68),
        ]
    )
    assert (joined.path, joined.line, joined.severity) == ("b.py", 9, Severity.HIGH)
    assert [(p.path, p.start_line, p.line) for p in joined.places] == [
        ("a.py", 5, 5),
        ("a.py", 68, 70),
    ]


def test_one_cause_that_two_passes_show_at_two_places_is_one_finding():
    reader = finding(
        "Letter still reads `order['name']`, which is no longer there",
        45,
        body="`Letter` builds its lines from `order['name']`; that key is gone, so each line of an open "
        "order is printed without a name. The change does not touch that file.",
    )
    writer = finding(
        "Letter reads `order['name']`, which `shown` no longer gives",
        13,
        path="letter.py",
        source="model:contracts",
        body="`shown` has the name elsewhere now, but `Letter`, a file that the change does not touch, "
        "still reads `order['name']`: an open order is printed without any name.",
    )
    (joined,) = join([reader, writer])
    assert [(place.path, place.line) for place in joined.places] == [("letter.py", 13)]
    # So is what another node of the same pass says; who gives other reasons means another cause.
    again = writer.model_copy(update={"source": reader.source})
    assert len(join([reader, again])) == 1
    other = writer.model_copy(update={"body": "A refund in another currency is rounded down."})
    assert len(join([reader, other])) == 2


TWO_CAUSES = [
    ("The file is not closed", "The file is closed twice"),
    ("The discount is applied before tax instead of after", "The discount is applied after tax instead of before"),
    ("A timeout of 30 seconds is too short here", "A timeout of 300 seconds is too short here"),
    ("Missing validation", "Missing validation"),
    ("The first page leaves out the newest twenty orders", "The last page leaves out the oldest orders"),
    ("The cache key has lost the tenant", "The cache key has lost the currency and locale"),
    ("The coupon's check is not awaited", "The coupon's refund is not awaited"),
    ("Two customers can use the last coupon", "Two customers can reserve the last lamp"),
    ("`total` can be None here and is added", "`total` can be negative here and is added twice"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), TWO_CAUSES)
def test_two_causes_that_share_words_stay_two(one: str, other: str):
    assert len(join([finding(one, path="a.py"), finding(other, path="b.py")])) == 2


def test_alike_titles_about_another_kind_of_harm_or_older_code_stay_apart():
    same = [
        finding(INJECTED, 1),
        finding(INJECTED, 2, category=Category.SECURITY),
        finding(INJECTED, 3, preexisting=True),
    ]
    assert len(join(same)) == 3


def rule(line: int, name: str = "log", **changes: object) -> Finding:
    values = {"source": "detector:python-lint/F821", "body": "NameError.", "path": f"{line}.py"}
    return finding(f"Undefined name `{name}`", line, **(values | changes))


def test_a_rule_of_a_detector_is_a_pattern_from_three_places_on():
    assert [f.places for f in join([rule(1), rule(2)])] == [(), ()]
    (joined,) = join([rule(1), rule(2), rule(3, "os")])
    assert [place.path for place in joined.places] == ["2.py", "3.py"]
    assert joined.body == "NameError.\n\n- `3.py:3`: Undefined name `os`"
    several = [rule(n, source=f"detector:python-lint/F{n}") for n in (1, 2, 3)]
    assert len(join(several)) == 3


def test_secrets_and_broken_contracts_of_one_rule_are_each_their_own():
    secrets = [
        finding("Key in the code", n, category=Category.SECRET, source="detector:secrets/key")
        for n in range(1, 6)
    ]
    assert len(join(secrets)) == 5
    broken = [
        finding(f"`{name}` was removed, but it is used", 1, path=f"{name}.py",
                category=Category.CONTRACT, source="detector:contracts/name")
        for name in ("one", "two", "three")
    ]  # fmt: skip
    assert len(join(broken)) == 3
    same = [one.model_copy(update={"title": broken[0].title}) for one in broken]
    assert len(join(same)) == 3, "a method of that name was removed from three classes"


def test_the_id_is_that_of_the_first_place_whatever_repeats_come_or_go():
    ids = [join([rule(n) for n in range(1, 1 + number)])[0].id for number in (1, 2, 3, 7)]
    assert set(ids) == {rule(1).id}
    alone = finding(INJECTED)
    assert join([alone]) == [alone]
    joined = join([rule(n) for n in (1, 2, 3)])[0]
    assert [place.id for place in joined.places] == [rule(2).id, rule(3).id]


def test_no_place_of_hundreds_is_lost():
    joined = join([rule(n) for n in range(1, 301)])
    assert [1 + len(one.places) for one in joined] == [101, 101, 98]
    places = {(p.path, p.line) for one in joined for p in (one, *one.places)}
    assert len(places) == 300


def test_thousands_of_titles_are_compared_in_no_time():
    began = time.monotonic()
    words = ["input", "escaped", "written", "shell", "query", "order", "refund", "cache", "page"]
    many = [
        finding(f"{words[n % 9]} {words[n % 7]} {words[n % 5]} of thing{n} goes to item{n}x", path=f"{n}.py")
        for n in range(5_000)
    ]  # fmt: skip
    assert len(join(many)) == 5_000
    assert time.process_time() - began < 5


def places(*paths: str) -> tuple[Place, ...]:
    return tuple(Place(id=f"of {path}", path=path, start_line=3, line=3) for path in paths)


def test_what_is_made_one_keeps_the_places_that_each_had():
    first = finding(INJECTED, 1, severity=Severity.HIGH, places=places("x.py"))
    other = finding(INJECTED, 9, path="b.py", places=places("x.py", "y.py"))
    (joined,) = join([first, other])
    assert [place.path for place in joined.places] == ["x.py", "b.py", "y.py"]
    same = finding(INJECTED, 1, source="model:security", places=places("z.py"))
    (joined,) = join([first, same])
    assert [place.path for place in joined.places] == ["x.py", "z.py"]
    by_both = [removed("f", places=places("x.py")), undefined("f", places=places("z.py"))]
    (joined,) = join(by_both)
    assert [place.path for place in joined.places] == ["x.py", "z.py"]
    defect, broken = said(TWICE, places=places("x.py")), promise(*AGAIN, places=places("y.py"))
    (joined,) = join([defect, broken])
    assert [place.path for place in joined.places] == ["x.py", "a.py", "y.py"]


def test_what_has_more_places_than_one_finding_may_have_is_several_findings():
    def many(number: int) -> Finding:
        paths = (f"{number}_{n}.py" for n in range(60))
        return finding(INJECTED, 7, path=f"{number}.py", places=places(*paths))

    joined = join([many(number) for number in range(3)])
    assert sum(1 + len(one.places) for one in joined) == 3 * 61
    assert all(len(one.places) <= MOST_PLACES for one in joined)


TWICE = (
    "A notice that comes twice is counted as two payments",
    "The bank repeats its notices. `record` no longer looks for the reference and inserts a second "
    "payment for the same notice.",
)
AGAIN = (
    "Repeated notices are no longer recognised",
    "The look for the reference was removed, so a notice that the bank repeats inserts another "
    "payment.",
)
OTHER = (
    "The amount is read in the wrong currency",
    "`record` takes the number as cents, and the file has whole units for the yen.",
)


def said(words: tuple[str, str], **changes: object) -> Finding:
    return finding(words[0], **{"body": words[1], "source": "model:contracts", **changes})


def test_one_cause_in_other_words_and_of_another_kind_is_one():
    first = said(TWICE, source="model:correctness", severity=Severity.HIGH)
    again = said(AGAIN, category=Category.CONTRACT)
    assert [f.title for f in join([again, first])] == [TWICE[0]]
    assert [f.title for f in once([again, first], by_words=True)] == [TWICE[0]]
    apart = said(OTHER, category=Category.CONTRACT)
    assert len(join([apart, first])) == 2
    elsewhere = said(AGAIN, category=Category.CONTRACT, start_line=50, line=50)
    assert len(join([elsewhere, first])) == 2, "so few words tie nothing that lies apart"


def test_one_cause_that_two_nodes_of_a_pass_show_on_the_same_lines_is_one():
    """As of a real change: a node of a part and the one above it, each in words of its own."""
    one = finding(
        "A value named `self` can no longer be passed",
        body="`url_for` was a function whose only reserved name was `endpoint`; it reaches the "
        "method with **values now, whose `self` can be given by keyword. A variable or query "
        "argument called `self` raises TypeError.",
    )
    other = finding(
        "Values named `self` collide with the method's own parameter",
        body="`url_for` passes **values on to the bound method, whose `self` may be given by "
        "keyword. A variable or query argument called `self`, which the function took before, "
        "raises TypeError.",
    )
    assert len(once([one, other])) == 1
    assert len(once([one, other], by_words=True)) == 2, "one of the two may be refuted"
    far = other.model_copy(update={"path": "b.py", "category": Category.CONTRACT})
    (joined,) = join([one, far])
    assert [place.path for place in joined.places] == ["b.py"]
    assert joined.body.endswith(f"\n- `b.py:5`: {far.title}"), "nothing that it says is lost"
    # A hole, an older fault, and what each title names and the other does not, stay by themselves.
    for changes in (
        {"category": Category.SECURITY},
        {"category": Category.PERFORMANCE},
        {"preexisting": True},
        {"title": "Values named `self` collide in `redirect_to`"},
        {"title": "A wrong result where nothing is asked"},
    ):
        titled = "title" in changes
        first = one.model_copy(update={"title": "`make_link` takes no value named `self`"})
        assert len(join([first if titled else one, far.model_copy(update=changes)])) == 2


def test_two_faults_of_one_place_in_the_same_words_stay_two():
    told = "The total sums the price of every line of the order and does not look at the {0} of the line, so the customer sees the whole price."
    one = finding("The discount is ignored", body=told.format("discount"))
    other = finding("Total is wrong for orders that came back", body=told.format("refund"))
    assert len(once([one, other])) == len(join([one, other])) == 2


@pytest.mark.parametrize("mentioned", [True, False])
def test_a_broken_promise_that_is_a_defect_too_is_told_as_the_defect(mentioned: bool):
    promised = said(
        ("Notices seen before are counted again", "A repeated notice was to change nothing."),
        category=Category.INTENT,
        source="model:intent",
        confidence=0.95,
    )
    broken = promised.model_copy(
        update={
            "body": with_promise(
                promised.body, "take the file of payments in whole yen", mentioned=mentioned
            )
        }
    )
    assert [f.title for f in join([broken, said(TWICE)])] == [TWICE[0]]
    assert len(join([broken, said(OTHER)])) == 2, "the words of the promise are not the claim's"


def promise(title: str, body: str, line: int = 90, **changes: object) -> Finding:
    given = {"category": Category.INTENT, "source": "model:intent", "body": body, **changes}
    return finding(title, line, **given)


def test_a_defect_stands_for_the_promise_that_it_breaks_wherever_that_is_shown():
    defect = finding(
        "A notice that comes twice is booked twice",
        body="The check for a payment with this reference was removed: a repeated notice is counted.",
    )
    broken = promise(
        "A notice that comes twice is no longer refused",
        "The check for a payment with the same reference is gone: a repeated notice is counted.",
        path="b.py",
        side="LEFT",
        severity=Severity.HIGH,
    )
    (one,) = join([broken, defect])
    assert (one.title, one.severity) == (defect.title, Severity.HIGH)
    assert [(place.path, place.side, place.line) for place in one.places] == [("b.py", "LEFT", 90)]
    assert one.id == defect.id


def test_before_they_are_verified_only_promises_of_the_same_file_are_told_as_defects():
    said = "The check for a payment with this reference was removed: a repeat is counted."
    defect = finding("A notice that comes twice is booked twice", body=said)
    near = promise("A notice that comes twice is no longer refused", said)
    far = near.model_copy(update={"path": "b.py"})
    (one,), left_out = told_as_defects([near, defect], same_file=True)
    assert (one.title, left_out) == (defect.title, {defect.id: [near]})
    both, left_out = told_as_defects([far, defect], same_file=True)
    assert (len(both), left_out) == (2, {})
    assert len(told_as_defects([far, defect])[0]) == 1


def test_a_promise_that_nothing_else_breaks_stays():
    defect = finding("A notice that comes twice is booked twice", body="The check was removed.")
    other = promise("Payments of void invoices are left out", "Promised is that all are taken.")
    assert len(join([defect, other])) == 2


def test_two_broken_promises_are_not_made_one_by_a_few_words():
    one = promise("The limit is 10 and not 20", "Promised is a limit of 20 for each page.", 3)
    other = promise("The page has no limit", "Promised is a page for each of the limits.", 80)
    assert len(join([one, other])) == 2


def test_a_detectors_finding_takes_no_promise():
    lint = finding("The name rate is not defined", source="detector:python-lint/F821")
    broken = promise("The name rate is not defined anywhere", "The name rate is promised.")
    assert len(join([lint, broken])) == 2


# What another run said


def claims(pair: tuple[Claim, Claim], **changes: object) -> tuple[Finding, Finding]:
    (title, body), (other, reason) = pair
    return finding(title, body=body, **changes), finding(other, body=reason)


@pytest.mark.parametrize("pair", ONE, ids=lambda pair: pair[0][0])
def test_one_defect_in_the_words_of_two_runs_is_one(pair):
    now, before = claims(pair)
    assert retold(now, before, there=True) == retold(before, now, there=True) > 0
    assert retold(now, now, there=True) == 1


@pytest.mark.parametrize("pair", TWO, ids=lambda pair: " / ".join(title for title, _ in pair))
def test_two_defects_of_one_line_are_two_though_one_pass_says_both(pair):
    now, before = claims(pair)
    assert retold(now, before, there=True) == retold(before, now, there=True) == 0


def numbered(one: str, other: str) -> tuple[Finding, Finding]:
    body = "The request fails for each caller, and nothing tells them why it did."
    return finding(one, body=body), finding(other, body=body)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A page is cut at 10 rows", "A page is cut at 20 rows"),
        ("The handler answers status 404", "The handler answers status 500"),
        ("Client waits 10ms too long", "Client waits 1,000ms too long"),
        ("Breaks with version 3.9 of it", "Breaks with version 3.10 of it"),
        ("Index 0 of `rows` is lost on line 7", "Index 1 of `rows` is lost on line 7"),
    ],
)
def test_titles_with_different_numbers_are_two_claims(one, other):
    assert retold(*numbered(one, other), there=True) == 0
    assert retold(*numbered(one, one), there=True) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The handler answers 404 instead of 500", "The handler answers 404"),
        ("The handler answers 404 instead of 500", "The handler answers 500 nowhere, but 404"),
        ("Client waits 5000 seconds", "Client waits 5,000 seconds"),
        ("The handler answers status 404", "The handler answers no status"),
        ("The lock of line 12 is lost", "The lock of line 14 is lost"),
        ("The lock is lost (lines 12-14)", "The lock is lost (lines 13 to 15)"),
        ("The lock is lost at store.py:12", "The lock is lost at store.py:14"),
        ("The lock is lost at L12-L14", "The lock is lost at L13"),
        ("`sha256` of the lock is lost", "`sha256` of the lock is lost twice"),
    ],
)
def test_numbers_of_lines_and_those_that_both_have_make_no_two_claims(one, other):
    assert retold(*numbered(one, other), there=True) > 0
    assert retold(*numbered(other, one), there=True) > 0


def test_elsewhere_the_titles_have_to_agree_too():
    told = [retold(*claims(pair), there=False) > 0 for pair in ONE]
    alike_too = [retold(*claims(pair, category=Category.CONTRACT), there=True) > 0 for pair in ONE]
    assert told == alike_too and 0 < sum(told) < len(ONE)


def test_a_hole_is_never_what_was_another_kind_of_harm():
    assert not any(retold(*claims(pair, category=Category.SECURITY), there=True) for pair in ONE)


def test_detectors_say_the_same_by_their_rule():
    rule = {"source": "detector:python-lint/F821"}
    one, other = finding("undefined name `x`", **rule), finding("undefined name `y`", **rule)
    assert retold(one, one, there=True) == 1
    assert retold(one, one, there=False) == retold(one, other, there=True) == 0
