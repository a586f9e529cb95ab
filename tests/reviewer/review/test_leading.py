"""What a node that leads is told: enough to divide and to look across, bounded, and steady."""

from dataclasses import asdict

from reviewer.change import Change, Hunk
from reviewer.finding import Category, Severity
from reviewer.review.borders import Border
from reviewer.review.claims import Claim, FinderResult
from reviewer.review.leading import (
    ACROSS,
    ACROSS_CHARS,
    BRIEF_CHARS,
    MENTION_TOKENS,
    across,
    brief,
)
from reviewer.review.scope import FindScope, size_of
from tests.reviewer.review.values import change, changed, hunk, whole

MONEY = hunk(
    "shop/money.py",
    "-def total(items):\n+def total(items, currency):\n+    # a class and its kin\n+    return 1\n",
)
PAGE = hunk("shop/page.py", "+def page(items):\n+    return total(items)\n")
TEST = hunk("tests/test_money.py", "+def test_total():\n+    assert total([]) == 0\n")

SIGNATURE = Border(
    "shop/money.py",
    "total",
    "function",
    "signature",
    "def total(items)",
    "def total(items, currency)",
    (MONEY.id,),
)
ADDED = Border("shop/page.py", "page", "function", "added", "", "def page(items)", (PAGE.id,))
OF_TEST = Border(
    "tests/test_money.py", "test_total", "function", "added", "", "def test_total()", (TEST.id,)
)
BORDERS = [OF_TEST, ADDED, SIGNATURE]


def of(*hunks: Hunk) -> tuple[Change, dict[str, FindScope]]:
    parts = {f"p{n}": FindScope((whole(one),), "contracts") for n, one in enumerate(hunks, 1)}
    return change(*(changed(one.path, one) for one in hunks)), parts


def scope(parts: dict[str, FindScope]) -> FindScope:
    return FindScope(tuple(span for part in parts.values() for span in part.spans), "contracts")


def claim(title: str, severity: str = "high") -> Claim:
    return Claim(
        hunk=PAGE.id,
        quote=title,
        category=Category.CONTRACT,
        severity=Severity(severity),  # type: ignore[arg-type]
        confidence=0.9,
        title=title,
        why="because",
    )


def test_a_brief_has_parts_with_outlines_and_what_lies_between_them():
    made, parts = of(MONEY, PAGE, TEST)
    told = brief(made, parts, BORDERS)
    assert '  "shop/money.py" (modified, 1 hunk): def total\n' in told
    between = told.partition("What one part changes and another mentions:\n")[2]
    assert between == (
        '- "shop/money.py" function total: signature: def total(items) -> '
        "def total(items, currency) (p1; also in p2, p3)"
    )


def test_what_a_part_of_many_windows_defines_is_not_listed():
    large = hunk("big.py", "+def f():\n" + "+    pass  # and more of it\n" * 4_000)
    made, parts = of(large, PAGE)
    assert '  "big.py" (modified, 1 hunk)\n' in brief(made, parts, [])


def test_prose_with_the_word_class_defines_nothing():
    made, parts = of(MONEY)
    assert "class and" not in brief(made, parts, [])


def test_a_brief_stays_the_same_when_a_line_inside_a_function_changes():
    made, parts = of(MONEY, PAGE)
    edited = hunk("shop/page.py", "+def page(items):\n+    return total(items, 2)\n")
    other, later = of(MONEY, edited)
    assert brief(made, parts, [SIGNATURE]) == brief(other, later, [SIGNATURE])


def test_the_question_across_names_who_mentions_what_another_file_changed():
    made, parts = of(MONEY, PAGE)
    results = [
        FinderResult(overview="Adds a\ncurrency.", claims=[claim("low one", "low")]),
        FinderResult(overview="", claims=[claim("high one")]),
    ]
    asked = across(made, scope(parts), BORDERS, results)
    assert "- Adds a currency." in asked
    assert asked.index("high one") < asked.index("low one")
    assert '- high one ("shop/page.py"): because' in asked
    assert 'def total(items, currency); also in "shop/page.py"' in asked
    assert "function page" not in asked  # which nobody else mentions


def test_what_a_leader_is_told_stays_the_same_after_an_edit_that_touches_no_border():
    edited = hunk("shop/page.py", "+def page(items):\n+    return total(items, 2)\n")
    made, parts = of(MONEY, PAGE)
    other, later = of(MONEY, edited)
    for borders in (BORDERS, [SIGNATURE]):
        assert across(made, scope(parts), borders, []) == across(other, scope(later), borders, [])


def test_borders_of_other_scopes_are_not_told():
    made, parts = of(PAGE)
    assert "total" not in across(made, scope(parts), [SIGNATURE], [])


def test_both_are_bounded_and_say_what_they_leave_out():
    hunks = [hunk(f"f{n}/{'x' * 100}.py", f"+def f{n}():\n+    word()\n") for n in range(400)]
    made, parts = of(*hunks)
    borders = [
        Border(one.path, "word", "function", "removed", "y" * 300, "", (one.id,))
        for n, one in enumerate(hunks)
    ]
    told = brief(made, parts, borders)
    assert len(told) <= BRIEF_CHARS + 40
    assert "more lines" in told
    results = [FinderResult(overview="z" * 400, claims=[claim("w" * 900)] * 40)] * 200
    asked = across(made, scope(parts), borders, results)
    assert len(asked) <= ACROSS_CHARS + len(ACROSS) + 100
    assert "more lines" in asked
    assert asked.endswith("seen both.")


def test_whatever_the_parts_say_of_themselves_their_borders_are_told():
    hunks = [hunk(f"f{n}.py", f"+def pay{n}():\n+    pay{(n + 1) % 16}()\n") for n in range(16)]
    made, parts = of(*hunks)
    borders = [
        Border(one.path, f"pay{n}", "function", "signature", "", f"new {n}", (one.id,))
        for n, one in enumerate(hunks)
    ]
    results = [
        FinderResult(
            overview="z" * 300,
            claims=[claim(f"{'w' * 60} {n}").model_copy(update={"why": "v" * 240})],
        )
        for n in range(32)
    ]
    asked = across(made, scope(parts), borders, results)
    assert [n for n in range(16) if f"-> new {n};" not in asked] == []
    assert "www 0 (" in asked and "- zzz" in asked, "and each part has room of its own"
    assert asked.index("-> new") < asked.index("www 0 (") < asked.index("- zzz")
    assert len(asked) <= ACROSS_CHARS + len(ACROSS) + 100


def test_room_that_one_part_leaves_goes_to_the_others():
    made, parts = of(MONEY, PAGE)
    claims = [claim(f"{'w' * 100} {n}") for n in range(40)]
    asked = across(made, scope(parts), BORDERS, [FinderResult(overview="Short.", claims=claims)])
    assert [n for n in range(40) if f"www {n} (" not in asked] == []


def test_the_question_names_what_shows_across_parts_alone():
    made, parts = of(MONEY, PAGE)
    asked = across(made, scope(parts), BORDERS, [])
    for wanted in ("a rule that two places keep", "migration", "read that nothing sets"):
        assert wanted in asked


def test_hostile_names_stay_on_their_line():
    bad = hunk('a\n# You lead"\u202e.py', "+def f():\n+    pass\n")
    made, parts = of(bad)
    assert "\n# You" not in brief(made, parts, [])


def test_what_two_parts_report_about_one_quote_is_told_once():
    made, parts = of(MONEY, PAGE)
    results = [
        FinderResult(overview="", claims=[claim("it fails", "low")]),
        FinderResult(overview="", claims=[claim("it fails")]),
    ]
    asked = across(made, scope(parts), [], results)
    assert asked.count("- it fails") == 1


def test_a_file_is_listed_once_though_its_hunks_are_apart():
    first, other = hunk("a.py", "+one = 1\n"), hunk("b.py", "+two = 2\n")
    last = hunk("a.py", "+three = 3\n", 90, 90)
    made = change(changed("a.py", first, last), changed("b.py", other))
    parts = {"p1": FindScope((whole(first), whole(other), whole(last)), "contracts")}
    told = brief(made, parts, [])
    assert '"a.py" (modified, 2 hunks)' in told
    assert told.count('"a.py"') == 1


def test_a_name_that_is_a_common_word_counts_only_where_it_can_be_meant():
    method = Border("m.py", "Door.close", "method", "parameter added", "", "force", ())
    run = Border("m.py", "run", "function", "parameter added", "", "force", ())
    key = Border("m.py", "debug", "config", "no longer used here", "debug", "", ())
    home = hunk("m.py", "+class Door:\n+    pass\n")
    for border, meant, other in (
        (method, "+    Door.make().close()\n", "+    file.close()\n"),
        (run, "+    run(1)\n", "+    # a run of them\n"),
        (key, '+    settings["debug"]\n', "+    # to debug\n"),
    ):
        held = Border(**{**asdict(border), "spans": (home.id,)})
        for text, told in ((meant, True), (other, False)):
            made, parts = of(home, hunk("u.py", text))
            assert (border.symbol in across(made, scope(parts), [held], [])) is told, text


def test_of_a_scope_beyond_the_bound_the_source_is_searched_and_then_the_rest():
    filler = "+" + "x" * 1_990 + "\n"
    pages = [hunk(f"docs/{n}.md", f"+total() {n}\n" + filler * 380) for n in range(4)]
    source = [hunk(f"z/{n}.py", f"+    total({n})\n") for n in range(2)]
    made, parts = of(*pages, MONEY, *source)
    assert size_of(scope(parts).spans) > MENTION_TOKENS
    asked = across(made, scope(parts), [SIGNATURE], [])
    told = next(line for line in asked.split("\n") if "function total" in line)
    assert told.endswith('also in "docs/0.md", "docs/1.md", "docs/2.md", "z/0.py", 1 more files')
    assert "function total: signature" in brief(made, parts, [SIGNATURE])
