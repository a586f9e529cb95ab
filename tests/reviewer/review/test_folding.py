"""Hunks that are alike are shown once, are held all the same, and can be spoken of one by one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reviewer.change import Hunk, Span
from reviewer.review.claims import Claim
from reviewer.review.finder import Finder
from reviewer.review.folding import FOLDED_FROM, folded, folded_size
from reviewer.review.scope import BYTES_A_TOKEN, FindScope, size_of
from tests.model_server import ModelServer
from tests.repo import Repo
from tests.reviewer.review.test_job import reviewed, submit
from tests.reviewer.review.test_place import Files
from tests.reviewer.review.values import change, changed, hunk, whole


def edit(number: int, shown: str = "-    old(x)\n+    new(x, 1)\n") -> Hunk:
    """Return a mechanical edit with code of its own around it."""
    path = f"pkg/m{number}.py"
    return hunk(
        path, f" def f{number}(x):\n{shown}     return {number}\n", 10 * number, 10 * number
    )


def letter(*hunks: Hunk) -> tuple[str, Finder, FindScope]:
    finder = Finder(change(*(changed(one.path, one) for one in hunks)), Files(), [])
    scope = FindScope(tuple(whole(one) for one in hunks), "correctness")
    return finder.content(scope), finder, scope


def test_of_many_alike_hunks_one_is_shown_and_the_others_are_listed():
    hunks = [edit(number) for number in range(1, 201)]
    text, finder, scope = letter(*hunks)
    assert text.count("+    new(x, 1)") == 1
    assert all(f'- hunk {one.id} in "{one.path}"\n' in text for one in hunks[1:])
    assert f"--- hunk {hunks[0].id}" in text
    assert finder.units(scope) == {one.id for one in hunks}, "each is covered"
    alone, *_ = letter(hunks[0])
    assert len(text) < len(alone) + 90 * len(hunks)


def test_the_one_place_where_the_same_lines_do_harm_is_seen():
    hunks = [edit(number) for number in range(1, 8)]
    shown = " def may(user):\n     if user.banned:\n-        old(x)\n+        new(x, 1)\n"
    text, _, scope = letter(*hunks, hunk("pkg/auth.py", f"{shown}     return False\n"))
    place = f'- hunk {scope.spans[-1].id} in "pkg/auth.py"\n'
    rows = " def may(user):\n     if user.banned:\n~        …\n     return False\n"
    assert place + rows in text
    assert text.count("new(x, 1)") == 1
    for number in range(1, 8):
        assert f" def f{number}(x):\n" in text and f"     return {number}\n" in text


def test_few_hunks_are_shown_as_they_are():
    text, *_ = letter(*(edit(number) for number in range(1, FOLDED_FROM)))
    assert text.count("+    new(x, 1)") == FOLDED_FROM - 1


def test_a_claim_about_a_folded_place_is_found_there_by_lines_that_it_has():
    hunks = [edit(number) for number in range(1, 9)]
    deeper = edit(9, "-        old(x)\n+        new(x, 1)\n")
    text, finder, scope = letter(*hunks, deeper)
    assert text.count("new(x, 1)") == 1
    for one in (hunks[4], deeper):
        claim = claimed(one, "    new(x, 1)")
        assert finder.check(scope, finder.result(overview="", claims=[claim])) == []
        found = finder._placer.finding(claim, {span.id: span for span in scope.spans}, "x")
        assert found is not None
        assert (found.path, found.line) == (one.path, one.new_start + 1)
    wrong = finder.result(overview="", claims=[claimed(hunks[4], "    return 7")])
    assert finder.check(scope, wrong), "that is another place's line"


def test_what_is_not_the_same_in_every_line_is_shown():
    same = [edit(number) for number in range(1, 9)]
    other = (
        edit(20, "-    old(x)\n+    new(x, 2)\n"),
        edit(21, "-    old(x)\n"),
        edit(22, "+    new(x, 1)\n-    old(x)\n"),
        edit(23, "-    old(x)\n     kept()\n+    new(x, 1)\n"),
        edit(24, "-    old(x)\n+        new(x, 1)\n"),
    )
    kept = folded([whole(one) for one in (*same, *other)])
    assert {name: fold.first for name, fold in kept.items()} == {
        one.id: same[0].id for one in same[1:]
    }


def language(
    code: str, ticket: str = "ticket", who: str = "who", said: str = "", path: str = ""
) -> Hunk:
    """Return an edit that is another in each file, by a word that is the file's own."""
    return hunk(
        path or f"src/languages/{code}.ts",
        f' export const code = "{code}";\n'
        " \n"
        "-export function assigned(who: string, ticket: string): string {\n"
        "-  return `[" + code + "] ${who}: ${ticket}`;\n"
        f"+export function assigned({ticket}: string, {who}: string): string {{\n"
        f"+  return `[{said or code}] ${{ticket}}: ${{who}}`;\n"
        " }\n"
        " \n"
        " export function closed(ticket: string): string {\n",
    )


def test_what_differs_in_words_alone_is_shown_once_with_the_words_of_the_others():
    hunks = [language(f"l{number}") for number in range(100, 300)]
    text, finder, scope = letter(*hunks)
    assert text.count("export function assigned(ticket") == 1
    for one in hunks[1:]:
        code = one.path[-7:-3]
        assert f'- hunk {one.id} in "{one.path}": l100 -> {code}\n' in text
    assert finder.units(scope) == {one.id for one in hunks}, "each is covered"
    assert size_of(scope.spans) > 4 * folded_size(scope.spans)
    assert 0.8 < folded_size(scope.spans) / (len(text) / BYTES_A_TOKEN) < 1.25, "as it is shown"
    claim = claimed(hunks[7], "  return `[l107] ${ticket}: ${who}`;")
    assert finder.check(scope, finder.result(overview="", claims=[claim])) == []
    other = claimed(hunks[8], "  return `[l107] ${ticket}: ${who}`;")
    assert finder.check(scope, finder.result(overview="", claims=[other])), "that is another's"


def test_no_heading_is_taken_for_words_that_are_others():
    """A heading of git is any line that a file has."""
    made = [language(f"l{number}") for number in range(100, 110)]
    hunks = [replace(one, section="class A(B): l100 -> l999") for one in made]
    text, *_ = letter(*hunks)
    assert '/l103.ts": l100 -> l103, in: class A(B): l100 -> l999\n' in text


def test_a_hunk_in_which_one_word_became_two_or_two_one_is_shown():
    hunks = [language(f"l{number}") for number in range(100, 120)]
    odd = (
        language("l501", ticket="who", who="ticket"),  # the signature says it, the body does not
        language("l502", said="l100"),
        language("l503", who="ticket"),
    )
    text, *_ = letter(*hunks, *odd)
    for one in odd:
        assert f"--- hunk {one.id}\n" in text and f"\n- hunk {one.id} in" not in text
    assert "+  return `[l100] ${ticket}: ${who}`;\n }" in text.partition(odd[1].id)[2]


def test_words_that_changed_places_are_told_and_come_first():
    def call(number: int, one: str = "source", other: str = "target") -> Hunk:
        return hunk(
            f"jobs/copy_{number}.py",
            f" def copy_{number}({one}, {other}):\n"
            f"     # What this job does is said in the handbook, on the page of this job.\n"
            f"-    move_all_of_the_files({one}, {other}, keep=False)\n"
            f"+    move_all_of_the_files({one}, {other}, keep=True)\n"
            "     return done\n",
        )

    hunks = [call(number) for number in range(1, 10)]
    swapped = call(10, "target", "source")
    text, *_ = letter(*hunks, swapped)
    words = "copy_1 -> copy_10, source -> target, target -> source"
    rows = [row for row in text.splitlines() if row.startswith("- hunk ")]
    assert rows[0] == f'- hunk {swapped.id} in "jobs/copy_10.py": {words}'
    assert len(rows) == len(hunks) and text.count("keep=True") == 1


def test_words_are_told_only_where_that_is_short():
    def data(number: int) -> Hunk:
        rows = "".join(f"+    name_{number}_{at} = value_{number}_{at}\n" for at in range(8))
        return hunk(f"pkg/d{number}.py", f" class D:\n{rows}")

    text, _, scope = letter(*(data(number) for number in range(1, 9)))
    assert " -> " not in text and text.count("_7 = value_") == 8
    assert folded(scope.spans) == {}


def test_changed_lines_that_differ_in_words_stand_with_their_own_unchanged_lines():
    def asserts(number: int) -> Hunk:
        rows = "".join(
            f"{kind}    assert answer_of_the_shop(order_{number}, {at}) == {says}\n"
            for kind, says in (("-", "None"), ("+", "EMPTY"))
            for at in ("first", "second", "third", "fourth")
        )
        return hunk(f"t/test_{number}.py", f" @given({', '.join('abcdefgh'[:number])})\n{rows}")

    hunks = [asserts(number) for number in range(1, 7)]
    text, *_ = letter(*hunks)
    assert text.count("== EMPTY") == 4
    for number, one in enumerate(hunks[1:], 2):
        place = f'- hunk {one.id} in "{one.path}": order_1 -> order_{number}\n'
        assert f"{place} @given({', '.join('abcdefgh'[:number])})\n~    …\n" in text


def test_many_alike_hunks_fit_one_node_and_all_are_covered(tmp_path: Path):
    made = Repo(tmp_path / "repo")
    for number in range(150):
        made.write(
            f"pkg/m{number}.py", f"def f{number}(x):\n    old({'x' * 300})\n    return {number}\n"
        )
    base = made.commit("base")
    for number in range(150):
        made.write(
            f"pkg/m{number}.py", f"def f{number}(x):\n    new({'x' * 300})\n    return {number}\n"
        )
    head = made.commit("head")
    with ModelServer(lambda _request: submit()) as server:
        done = reviewed((made.path, base, head), server)
    assert len(server.calls) == 1, "unfolded they take several windows"
    assert done.status == "complete"
    assert (done.coverage.hunks, done.coverage.reviewed) == (150, 150)


Row = tuple[str, str]
"""The sign of a line and its text."""

texts = st.lists(
    st.sampled_from(["one", "two", "3", " ", "(", ")", ",", "=", "."]), min_size=1, max_size=5
).map("".join)
rows = st.lists(
    st.tuples(
        st.sampled_from("  ++-"), st.tuples(st.sampled_from(["", "  ", "    "]), texts).map("".join)
    ),
    min_size=1,
    max_size=6,
).filter(lambda rows: any(sign != " " for sign, _ in rows))


def edited(rows: Sequence[Row], draw: st.DataObject) -> list[Row]:
    """Return the lines with one edit in them, of whatever kind."""
    made = list(rows)
    at = draw.draw(st.integers(0, len(made) - 1))
    sign, text = made[at]
    kind = draw.draw(
        st.sampled_from(["drop", "add", "sign", "letter", "indent", "all", "word", "swap"])
    )
    if kind == "drop" and len(made) > 1:
        del made[at]
    elif kind == "add":
        made.insert(at, (draw.draw(st.sampled_from(" +-")), draw.draw(texts)))
    elif kind == "sign":
        made[at] = (draw.draw(st.sampled_from(" +-")), text)
    elif kind == "letter":
        cut = draw.draw(st.integers(0, len(text)))
        made[at] = (sign, text[:cut] + draw.draw(st.sampled_from("!x9 .")) + text[cut + 1 :])
    elif kind == "word":
        words = re.split(r"(\w+)", text)
        spot = draw.draw(st.sampled_from(range(1, len(words), 2) or [0]))
        words[spot] = draw.draw(st.sampled_from(["one", "two", "3"]))
        made[at] = (sign, "".join(words))
    elif kind == "indent":
        made[at] = (sign, f"  {text}")
    elif kind == "all":
        made = [(sign, f"  {text}") for sign, text in made]
    else:
        made = [*made[1:], made[0]]
    return made


@given(rows, st.data())
def test_whatever_is_folded_follows_to_the_letter_from_what_is_shown(
    base: list[Row], draw: st.DataObject
):
    """A hunk that differs in more than words is shown: nothing of the odd one out is left out."""
    deeper = draw.draw(st.sampled_from(["", "  "]))
    name = draw.draw(st.sampled_from(["two", "two{}"]))
    many = [
        [(sign, deeper * at + text.replace("two", name.format(at))) for sign, text in base]
        for at in range(6)
    ]
    odd = [edited(base, draw) for _ in range(draw.draw(st.integers(1, 5)))]
    spans = [
        whole(hunk(f"m{at}.py", "".join(f"{sign}{text}\n" for sign, text in each)))
        for at, each in enumerate([*many, *odd])
        if any(sign != " " for sign, _ in each)
    ]
    shown = {span.id: span for span in spans}
    for name, fold in folded(spans).items():
        first = shown[fold.first]
        assert fold.first not in folded(spans), "what others are told by is shown"
        theirs = dict(fold.words)
        if fold.unchanged:
            assert [*signed_changes(shown[name], {})] == [*signed_changes(first, theirs)]
            kept = [f" {line.text}" for line in shown[name].lines if line.kind == " "]
            assert [row for row in fold.unchanged if not row.startswith("~")] == kept
            stand = [f"~{indent}…" for indent in indents_of(shown[name])]
            assert [row for row in fold.unchanged if row.startswith("~")] == stand
        else:
            lines = [(line.kind, renamed(line.text, theirs)) for line in first.lines]
            assert [(line.kind, line.text) for line in shown[name].lines] == lines


def renamed(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\w+", lambda found: words.get(found[0], found[0]), text)


def signed_changes(span: Span, words: Mapping[str, str]) -> Iterator[list[Row]]:
    """Yield the changed lines of each stretch, without the indentation that all have."""
    changed = [renamed(line.text, words) for line in span.lines if line.kind != " "]
    indents = [len(text) - len(text.lstrip()) for text in changed if text.strip()]
    cut = min(indents, default=0)
    for is_same, lines in groupby(span.lines, key=lambda line: line.kind == " "):
        if not is_same:
            yield [(one.kind, renamed(one.text, words)[cut:].rstrip(" ")) for one in lines]


def indents_of(span: Span) -> Iterator[str]:
    """Yield how far each stretch of changed lines is indented, by its first line with a word."""
    for is_same, lines in groupby(span.lines, key=lambda line: line.kind == " "):
        if not is_same:
            said = next((one.text for one in lines if one.text.strip()), "")
            yield said[: len(said) - len(said.lstrip(" "))]


def claimed(one: Hunk, quote: str) -> Claim:
    return Claim.model_validate(
        {
            "hunk": one.id,
            "quote": quote,
            "category": "correctness",
            "severity": "high",
            "confidence": 0.9,
            "title": "It takes one value",
            "why": "It fails.",
        }
    )


def test_what_others_are_told_by_is_shown_itself():
    def of(shape: str, count: int, first: int) -> list[Hunk]:
        rows = "".join(f"     {shape}\n" for _ in range(6))
        edited = f"-    old(x)\n+    new(x, 1)\n{rows}"
        return [edit(number, edited) for number in range(first, first + count)]

    alone = [*of("a", 1, 1), *of("b + c", 1, 2), *of("d(e, f)", 1, 3), *of("g[h:i:j]", 1, 4)]
    one, other = of("k = 1", FOLDED_FROM, 10), of("m.n(o)", FOLDED_FROM, 20)
    spans = [whole(each) for each in (*alone, *one, *other)]
    folds = folded(spans)
    told_by = {fold.first for fold in folds.values()}
    assert told_by == {one[0].id, other[0].id}, "of all alike, those that others are told by"
    assert not told_by & folds.keys()
    assert {folds[each.id].first for each in alone} == {one[0].id}
