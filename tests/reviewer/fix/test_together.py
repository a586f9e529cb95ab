"""Patches side by side: one on top of the other, and findings that one patch closes together."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reviewer.finding import Finding
from reviewer.fix.job import Outcome
from tests.model_server import Answer, ModelServer, Scripted, error, tool
from tests.repo import Repo
from tests.reviewer.fix.shop import fixed
from tests.reviewer.fix.test_rounds import (
    CART,
    DOUBLE,
    FLOOR,
    NAMED,
    PRICES,
    closes,
    finding,
    looks,
    of,
)
from tests.reviewer.refactor.shop import FILES, edited, make, prompt, refused

REPORT = "shop/report.py"
SINGLE = edited((CART, "net(items) * 2", "net(items)"), message="Count once")
FLOORED = (PRICES, "math.floor(value)", "math.floor(value + 0.5)")
NAMED_ALL = (CART, "def total(items):", "def total(items, /):")

Say = Callable[[dict[str, Any]], Scripted]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make(tmp_path / "work", FILES)


def played(repo: Repo, code: Say, look: Say, *findings: Finding) -> tuple[Outcome, list[Any]]:
    """Let coders and reviewers answer so; no answer of them may fail."""
    faults: list[BaseException] = []

    def say(request: dict[str, Any]) -> Scripted:
        try:
            return look(request) if looks(request) else code(request)
        except BaseException as fault:
            faults.append(fault)
            raise

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=findings, tests=False)
        assert not faults, faults[0]
        return done, list(server.calls)


def proof(request: dict[str, Any]) -> Scripted:
    """Say of what is asked for that it is closed."""
    if of(request) == FLOOR.id:
        return closes(request, PRICES, "    return math.floor(value + 0.5)")
    return closes(request, CART, "    return net(items)")


def refutes(request: dict[str, Any], reason: str) -> Answer:
    said = {"finding": of(request), "reasoning": "Read.", "verdict": "does not close"}
    return tool("submit", {"opinions": [{**said, "reason": reason}]})


def along(by: Finding) -> Answer:
    return tool("submit", {"closed_with": by.id})


def reading(request: dict[str, Any], path: str, answer: Scripted) -> Scripted:
    """Read a file in the first turn, and answer in the next."""
    first = len(request["messages"]) == 1
    return tool("python", {"code": f"print(await read({path!r}))"}) if first else answer


def asked(calls: list[Any]) -> Counter[tuple[str, bool]]:
    """How many conversations were begun, by finding, and whether it was a look."""
    return Counter((of(one), looks(one)) for one in calls if len(one["messages"]) == 1)


# On top of one another ---------------------------------------------------------------------------


def test_a_patch_that_fits_on_top_of_another_is_kept_and_looked_at_there(repo: Repo) -> None:
    seen: list[str] = []

    def code(request: dict[str, Any]) -> Scripted:
        both = edited(FLOORED, NAMED_ALL, message="Round")
        return SINGLE if of(request) == DOUBLE.id else reading(request, CART, both)

    def look(request: dict[str, Any]) -> Scripted:
        if of(request) == FLOOR.id:
            seen.append(prompt(request))
        return proof(request)

    done, calls = played(repo, code, look, DOUBLE, FLOOR)
    assert [one.id for one in done.fixing.closed] == [DOUBLE.id, FLOOR.id]
    assert [one.tries for one in done.fixing.closed] == [1, 1] and done.fixing.open == []
    counted = asked(calls)
    assert counted[FLOOR.id, False] == 1, "its coder is not asked again"
    assert counted[FLOOR.id, True] == 2 and counted[DOUBLE.id, True] == 1
    first, second = seen
    assert "Mended before" not in first
    assert f'> - {DOUBLE.id}, "{CART}": The total is doubled' in second
    assert f'>     "{CART}", line 5: |    return net(items)' in second
    text = (done.patch.files[CART] or pytest.fail()).data.decode()
    assert "def total(items, /):" in text and "net(items) * 2" not in text


def test_what_rests_on_code_that_has_changed_is_looked_at_on_top_of_that(repo: Repo) -> None:
    """Two patches of one cause, in two files: each is right, and both are wrong."""
    halved = edited((PRICES, "    return sum(items)", "    return sum(items) / 2"))
    cause = finding(PRICES, 5, "    return sum(items)", "The sum is twice too much", "low")

    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return SINGLE
        return (
            along(DOUBLE) if "did not stand" in prompt(request) else reading(request, CART, halved)
        )

    def look(request: dict[str, Any]) -> Scripted:
        text = prompt(request)
        if of(request) == DOUBLE.id or "The patch of another finding" in text:
            return proof(request)
        if "Mended before" in text:
            return refutes(request, "It is halved for a second time.")
        return closes(request, PRICES, "    return sum(items) / 2")

    done, _ = played(repo, code, look, DOUBLE, cause)
    assert [one.id for one in done.fixing.closed] == [DOUBLE.id]
    assert [(one.id, one.by) for one in done.fixing.closed_with] == [(cause.id, DOUBLE.id)]
    assert PRICES not in done.patch.files


def test_what_changes_code_that_another_rests_on_is_looked_at_on_top_of_that(repo: Repo) -> None:
    """The same two in the other order: the first has read what the second one edits."""
    halved = edited((PRICES, "    return sum(items)", "    return sum(items) / 2"))
    cause = finding(PRICES, 5, "    return sum(items)", "The sum is twice too much", "critical")
    seen: list[str] = []

    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == cause.id:
            return reading(request, CART, halved)
        return along(cause) if "did not stand" in prompt(request) else SINGLE

    def look(request: dict[str, Any]) -> Scripted:
        text = prompt(request)
        if of(request) == cause.id or "The patch of another finding" in text:
            return closes(request, PRICES, "    return sum(items) / 2")
        seen.append(text)
        if "Mended before" in text:
            return refutes(request, "It is halved for a second time.")
        return proof(request)

    done, _ = played(repo, code, look, cause, DOUBLE)
    assert [one.id for one in done.fixing.closed] == [cause.id]
    assert [(one.id, one.by) for one in done.fixing.closed_with] == [(DOUBLE.id, cause.id)]
    assert CART not in done.patch.files
    assert len(seen) == 2 and f'> - {cause.id}, "{PRICES}": The sum is twice too' in seen[1]


def test_what_is_refuted_on_top_goes_back_although_its_lines_have_moved(repo: Repo) -> None:
    constant = (PRICES, "math.floor(value)", "math.floor(value + HALF)")

    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == FLOOR.id:
            known = "Use the constant." in prompt(request)
            return edited(constant if known else FLOORED, message="Round")
        more = (PRICES, "import math\n", "import math\n\nHALF = 0.5\n")
        both = edited((CART, "net(items) * 2", "net(items)"), more, message="Count once")
        return reading(request, PRICES, both)

    def look(request: dict[str, Any]) -> Scripted:
        text = prompt(request)
        if "value + HALF" in text:
            return closes(request, PRICES, "    return math.floor(value + HALF)")
        if of(request) == FLOOR.id and '"shop/prices.py", line 11' in text:
            return refutes(request, "Use the constant.")
        return proof(request)

    done, calls = played(repo, code, look, DOUBLE, FLOOR)
    assert [(one.id, one.tries) for one in done.fixing.closed] == [(DOUBLE.id, 1), (FLOOR.id, 2)]
    assert asked(calls)[FLOOR.id, False] == 2


def test_a_patch_that_does_not_fit_there_is_made_anew_and_told_of_the_other(repo: Repo) -> None:
    tries: list[str] = []

    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return SINGLE
        if len(request["messages"]) == 1:
            tries.append(prompt(request))
        if "Mended before yours" in prompt(request):
            return edited(FLOORED, message="Round")
        return reading(request, CART, edited(FLOORED, (CART, "net(items) * 2", "net(items) * 3")))

    done, _ = played(repo, code, proof, DOUBLE, FLOOR)
    assert [(one.id, one.tries) for one in done.fixing.closed] == [(DOUBLE.id, 1), (FLOOR.id, 1)]
    first, second = tries
    assert "Mended before" not in first
    assert f'> - {DOUBLE.id}, "{CART}": The total is doubled' in second
    assert "did not stand" not in second, "it is no fault of that patch"


# Closed with another one -------------------------------------------------------------------------


def test_a_finding_is_closed_with_another_one_when_somebody_has_looked(repo: Repo) -> None:
    questions: list[str] = []

    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return SINGLE
        assert f'>     "{CART}", line 5: |    return net(items)' in prompt(request)
        return along(DOUBLE)

    def look(request: dict[str, Any]) -> Scripted:
        if of(request) == NAMED.id:
            questions.append(prompt(request))
        return proof(request)

    done, _ = played(repo, code, look, DOUBLE, NAMED)
    (one,) = done.fixing.closed_with
    assert (one.id, one.by, one.why) == (NAMED.id, DOUBLE.id, "Read.")
    assert (done.fixing.status, done.fixing.open) == ("complete", [])
    assert len(done.patch.commits) == 1
    (question,) = questions
    assert f"The patch of another finding, {DOUBLE.id}, set behind a mark:" in question
    assert "> -    return net(items) * 2" in question


def test_nothing_is_closed_by_the_word_of_a_coder(repo: Repo) -> None:
    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return SINGLE
        if "does not close it: The name is what it was." in prompt(request):
            return edited(NAMED_ALL, message="Name it")
        return along(DOUBLE)

    def look(request: dict[str, Any]) -> Scripted:
        if "The patch of another finding" in prompt(request):
            return refutes(request, "The name is what it was.")
        return proof(request)

    done, _ = played(repo, code, look, DOUBLE, NAMED)
    assert [(one.id, one.tries) for one in done.fixing.closed] == [(DOUBLE.id, 1), (NAMED.id, 2)]
    assert done.fixing.closed_with == []


def test_a_yes_to_that_without_its_proof_is_none(repo: Repo) -> None:
    def look(request: dict[str, Any]) -> Scripted:
        return proof(request) if of(request) == DOUBLE.id else closes(request, CART, "no such line")

    done, _ = played(
        repo, lambda r: SINGLE if of(r) == DOUBLE.id else along(DOUBLE), look, DOUBLE, NAMED
    )
    (one,) = done.fixing.open
    assert (one.id, one.state) == (NAMED.id, "refused") and "brought no proof" in one.why


def test_where_nobody_looks_it_stays_open_and_the_result_is_partial(repo: Repo) -> None:
    def look(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return proof(request)
        return error(400, "invalid_request_error", "no")

    done, _ = played(
        repo, lambda r: SINGLE if of(r) == DOUBLE.id else along(DOUBLE), look, DOUBLE, NAMED
    )
    (one,) = done.fixing.open
    assert (one.id, one.state) == (NAMED.id, "missed")
    assert f"nobody has looked if {DOUBLE.id} closes it" in one.why
    assert done.fixing.status == "partial" and len(done.patch.commits) == 1


def test_who_leaves_it_to_a_finding_that_stays_open_is_asked_again(repo: Repo) -> None:
    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return edited(left=[{"what": "it", "why": "It is meant."}])
        if f"{DOUBLE.id} was to close it, and is not closed itself" in prompt(request):
            return edited(FLOORED, message="Round")
        return along(DOUBLE)

    done, _ = played(repo, code, proof, DOUBLE, FLOOR)
    assert [one.id for one in done.fixing.closed] == [FLOOR.id]
    assert [(one.id, one.state) for one in done.fixing.open] == [(DOUBLE.id, "declined")]


def test_of_two_that_leave_it_to_each_other_one_is_worked_on(repo: Repo) -> None:
    def code(request: dict[str, Any]) -> Scripted:
        if of(request) == FLOOR.id:
            return along(DOUBLE)
        return SINGLE if "is not closed itself" in prompt(request) else along(FLOOR)

    def look(request: dict[str, Any]) -> Scripted:
        return closes(request, CART, "    return net(items)")

    done, _ = played(repo, code, look, DOUBLE, FLOOR)
    assert [one.id for one in done.fixing.closed] == [DOUBLE.id]
    assert [(one.id, one.by) for one in done.fixing.closed_with] == [(FLOOR.id, DOUBLE.id)]


def test_a_coder_names_a_finding_that_it_was_told_of(repo: Repo) -> None:
    said: list[str] = []

    def code(request: dict[str, Any]) -> Scripted:
        if refused(request):
            said.append(refused(request))
            return edited(left=[{"what": "it", "why": "It is meant."}])
        return along(FLOOR)

    done, _ = played(repo, code, proof, DOUBLE)
    assert "the id of none of the findings that you were told of" in said[0]
    assert done.fixing.open[0].state == "declined"


# Gone with another one ---------------------------------------------------------------------------

AGAIN = finding(CART, 5, "    return net(items) * 2", "Twice too much", "low")


def of_double(request: dict[str, Any]) -> Scripted:
    assert of(request) == DOUBLE.id
    return SINGLE


def test_lines_that_another_patch_has_changed_are_looked_at_and_coded_by_nobody(repo: Repo) -> None:
    done, calls = played(repo, of_double, proof, DOUBLE, AGAIN)
    assert [(one.id, one.by) for one in done.fixing.closed_with] == [(AGAIN.id, DOUBLE.id)]
    assert (done.fixing.open, done.fixing.status) == ([], "complete")
    assert asked(calls)[AGAIN.id, True] == 1


def test_where_that_has_not_closed_it_the_finding_stays_open(repo: Repo) -> None:
    def look(request: dict[str, Any]) -> Scripted:
        return proof(request) if of(request) == DOUBLE.id else refutes(request, "Thrice, now.")

    done, _ = played(repo, of_double, look, DOUBLE, AGAIN)
    (one,) = done.fixing.open
    assert (one.id, one.state) == (AGAIN.id, "refused")
    assert "another patch of this run" in one.why and one.why.endswith("Thrice, now.")


def test_where_nobody_looks_it_is_outdated(repo: Repo) -> None:
    def look(request: dict[str, Any]) -> Scripted:
        if of(request) == DOUBLE.id:
            return proof(request)
        return error(400, "invalid_request_error", "no")

    done, _ = played(repo, of_double, look, DOUBLE, AGAIN)
    (one,) = done.fixing.open
    assert (one.id, one.state) == (AGAIN.id, "outdated") and "another patch" in one.why


# What a coder may edit ---------------------------------------------------------------------------


def test_files_of_a_patch_that_did_not_stand_may_be_edited_again(repo: Repo) -> None:
    def both(new: str) -> Answer:
        call = (REPORT, "total(items))", f"{new})")
        return edited((CART, "net(items) * 2", "net(items)"), call, message="Count once")

    def code(request: dict[str, Any]) -> Scripted:
        assert "none of your files" not in refused(request)
        if "did not stand" in prompt(request):
            return both("total(items=items)")
        return reading(request, REPORT, both("total(items, 1)"))

    def look(request: dict[str, Any]) -> Scripted:
        broken = re.search(r"^> \+.*total\(items, 1\)", prompt(request), re.M)
        return refutes(request, "It takes one argument.") if broken else proof(request)

    done, calls = played(repo, code, look, DOUBLE)
    assert [one.tries for one in done.fixing.closed] == [2], done.fixing.open
    assert asked(calls)[DOUBLE.id, False] == 2
    assert {CART, REPORT} == set(done.patch.files)
