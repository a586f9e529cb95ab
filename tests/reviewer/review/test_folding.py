"""Hunks that are alike are shown once, are held all the same, and can be spoken of one by one."""

from pathlib import Path

from reviewer.change import Hunk
from reviewer.review.claims import Claim
from reviewer.review.finder import Finder
from reviewer.review.folding import FOLDED_FROM, folded
from reviewer.review.scope import FindScope
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
    assert kept == {one.id: same[0].id for one in same[1:]}


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
