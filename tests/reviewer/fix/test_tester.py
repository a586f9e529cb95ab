"""What comes of the tests of closed findings: written, refuted, left out, or too dear."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reviewer.finding import Finding
from reviewer.fix.job import Outcome
from reviewer.fix.tester import behind
from reviewer.refactor.patch import Blob, Commit, FileEdit, apply
from reviewer.request import Caps, StopReason
from tests.model_server import Answer, ModelServer, Scripted, error, tool
from tests.repo import Repo
from tests.reviewer.fix.shop import fixed
from tests.reviewer.fix.test_rounds import CART, DOUBLE, FLOOR, PRICES, closes, finding, looks, of
from tests.reviewer.refactor.shop import FILES, edited, make, prompt

TEST = "tests/test_cart.py"
FIRST = "from shop.cart import total\n\n\ndef test_nothing():\n    assert total([]) == 0\n"
LAST = "    assert total([]) == 0\n"
NEW = f"{LAST}\n\ndef test_once():\n    assert total([1, 2]) == 3\n"
BEHAVIOUR = re.compile(r"^(?:> |The behaviour )([0-9a-f]{12})(?: \(altered\))?:", re.M)

SINGLE = edited((CART, "net(items) * 2", "net(items)"), message="Count once")
ROUND = edited((PRICES, "math.floor(value)", "math.floor(value + 0.5)"), message="Round")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make(tmp_path / "work", {**FILES, TEST: FIRST})


def asks(request: dict[str, Any], field: str) -> bool:
    return any(field in t["input_schema"].get("properties", {}) for t in request["tools"])


def behaviour(request: dict[str, Any]) -> str:
    found = BEHAVIOUR.search(prompt(request))
    assert found
    return found[1]


def wrote(request: dict[str, Any], new: str = NEW, name: str = "test_once") -> Answer:
    """Hand in a test beside the first one."""
    return edited(
        (TEST, LAST, new),
        message="Test that items count once",
        tests=[{"behaviour": behaviour(request), "names": [name]}],
    )


def judged(request: dict[str, Any], verdict: str = "proves", **more: Any) -> Answer:
    said = {"behaviour": behaviour(request), "now": "3 == 3", "before": "6 == 3", **more}
    proof = {"path": CART, "quote": "    return net(items)"}
    return tool("submit", {"looks": [{**proof, **said, "verdict": verdict}]})


def patched(request: dict[str, Any]) -> Scripted:
    """Close what is found in the cart and in the prices."""
    if not looks(request):
        return SINGLE if of(request) != FLOOR.id else ROUND
    if of(request) == FLOOR.id:
        return closes(request, PRICES, "    return math.floor(value + 0.5)")
    return closes(request, CART, "    return net(items)")


Say = Callable[[dict[str, Any]], Scripted]


def played(
    repo: Repo, *findings: Finding, write: Say = wrote, read: Say = judged, **more: Any
) -> tuple[Outcome, list[dict[str, Any]]]:
    def say(request: dict[str, Any]) -> Scripted:
        if asks(request, "looks"):
            return read(request)
        return write(request) if asks(request, "tests") else patched(request)

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=findings, **more)
        return done, list(server.calls)


def nobody(request: dict[str, Any]) -> Scripted:
    raise AssertionError("nobody is asked for a test")


def test_a_closed_finding_gets_a_test_in_a_commit_behind_its_patch(repo: Repo) -> None:
    done, _ = played(repo, DOUBLE)
    (one,) = done.fixing.closed
    assert (one.id, one.test, one.no_test) == (DOUBLE.id, TEST, "")
    assert done.fixing.status == "complete" and done.fixing.notes == []
    patches = [[edit.path for edit in commit.files] for commit in done.patch.commits]
    assert patches == [[CART], [TEST]]
    message = done.patch.commits[1].message
    assert message == f"Test that items count once\n\nFinding: {DOUBLE.id}"
    assert (done.patch.files[TEST] or pytest.fail()).data.decode() == FIRST.replace(LAST, NEW)


def test_code_without_a_test_file_gets_one_as_its_neighbours_are(repo: Repo) -> None:
    path, start = "tests/test_prices.py", "from shop.prices import rounded\n"
    half = "\n\ndef test_half():\n    assert rounded(0.5) == 1\n"
    other = finding(PRICES, 1, FILES[PRICES].split("\n")[0], "It is imported whole", "low")
    seen: list[str] = []

    def write(request: dict[str, Any]) -> Scripted:
        seen.append(prompt(request))
        tests = [{"behaviour": behaviour(request), "names": ["test_half"]}]
        if len(seen) == 1:
            files = [{"path": path, "text": start + half}]
            return edited(message="Test halves", new_files=files, tests=tests)
        tests[0]["names"] = ["test_more"]
        more = (path, start + half, start + half + half.replace("half", "more"))
        return edited(more, message="Test more", tests=tests)

    def say(request: dict[str, Any]) -> Scripted:
        if asks(request, "looks"):
            return judged(request, path=PRICES, quote="    return math.floor(value + 0.5)")
        if asks(request, "tests"):
            return write(request)
        if of(request) == FLOOR.id:
            return patched(request)
        line = other.evidence
        if looks(request):
            return closes(request, PRICES, f"{line}  # whole")
        return edited((PRICES, line, f"{line}  # whole"), message="Say so")

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=[FLOOR, other])
    assert [one.test for one in done.fixing.closed] == [path, path]
    assert f'Your test file is new: "{path}"' in seen[0]
    assert 'as an example:\n\n=== file "tests/test_cart.py"' in seen[0]
    assert "def test_half():" in seen[1]  # the second is on the file with the first
    statuses = [[edit.before is None for edit in commit.files] for commit in done.patch.commits]
    assert statuses == [[False], [True], [False], [False]]


def test_without_any_test_in_its_language_none_is_made(tmp_path: Path) -> None:
    done, _ = played(make(tmp_path / "bare", FILES), DOUBLE, write=nobody)
    (one,) = done.fixing.closed
    assert one.test == "" and "no test of its language is there" in one.no_test
    assert [[edit.path for edit in commit.files] for commit in done.patch.commits] == [[CART]]


def test_its_writer_and_its_reader_see_what_the_finding_says_and_both_ends(repo: Repo) -> None:
    _, calls = played(repo, DOUBLE)
    written = next(body for body in calls if asks(body, "tests"))
    read = next(body for body in calls if asks(body, "looks"))
    for body in (written, read):
        text = prompt(body)
        assert (
            "in place of this defect: The total is doubled" in text
            and "It fails for one input." in text
        )
        assert ">         return net(items)\n" in text  # what the patch made of it
        assert "-    return net(items) * 2" in text and "+    return net(items)" in text
    assert 'Your test file:\n\n=== file "tests/test_cart.py"' in prompt(written)
    assert "+def test_once():" in prompt(read) and "Count once" not in prompt(read)


def test_a_test_that_would_pass_without_the_patch_leaves_the_finding_closed(repo: Repo) -> None:
    def read(request: dict[str, Any]) -> Scripted:
        return judged(request, "passes without", reason="An empty cart is 0 in any case.")

    done, calls = played(repo, DOUBLE, read=read)
    (one,) = done.fixing.closed
    assert one.test == "" and "none stood" in one.no_test and "An empty cart" in one.no_test
    assert [commit.module for commit in done.patch.commits] == [DOUBLE.id]
    assert done.fixing.status == "complete" and done.fixing.open == []
    assert sum(asks(body, "tests") for body in calls) == 3


def test_a_yes_without_its_proof_brings_no_test(repo: Repo) -> None:
    done, _ = played(repo, DOUBLE, read=lambda request: judged(request, quote="nowhere()"))
    (one,) = done.fixing.closed
    assert one.test == "" and "brought no proof" in one.no_test and len(done.patch.commits) == 1


def test_a_writer_that_changes_a_test_writes_none(repo: Repo) -> None:
    done, calls = played(repo, DOUBLE, write=lambda request: wrote(request, NEW.replace("0", "1")))
    (one,) = done.fixing.closed
    assert one.test == "" and "is to stay as it is" in one.no_test
    assert TEST not in done.patch.files and not any(asks(body, "looks") for body in calls)


def test_two_findings_of_one_test_file_have_a_commit_each(repo: Repo) -> None:
    name = finding(CART, 4, "def total(items):", "A name is taken", "low")

    def write(request: dict[str, Any]) -> Scripted:
        if behaviour(request) == DOUBLE.id:
            return wrote(request)
        assert "def test_once():" in prompt(request)  # on the file with the first test
        return wrote(request, f"{LAST}\n\ndef test_name():\n    total([1], 1)\n", "test_name")

    def read(request: dict[str, Any]) -> Scripted:
        mine = behaviour(request) == DOUBLE.id
        return judged(request, quote="    return net(items)" if mine else "def total(items, *_):")

    def say(request: dict[str, Any]) -> Scripted:
        if asks(request, "looks"):
            return read(request)
        if asks(request, "tests"):
            return write(request)
        if of(request) == DOUBLE.id:
            return patched(request)
        if looks(request):
            return closes(request, CART, "def total(items, *_):")
        return edited((CART, "def total(items):", "def total(items, *_):"), message="Take more")

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=[DOUBLE, name])
    assert [one.test for one in done.fixing.closed] == [TEST, TEST]
    of_commits = [re.sub(r"^.*: ", "", c.message, flags=re.S) for c in done.patch.commits]
    assert of_commits == [DOUBLE.id, DOUBLE.id, name.id, name.id]
    start = {CART: Blob(FILES[CART].encode()), TEST: Blob(FIRST.encode())}
    text = apply(done.patch, start)[TEST].data.decode()
    assert text.count("def test_") == 3


@pytest.mark.parametrize(
    ("update", "why"),
    [
        ({"severity": "nit"}, "for a nit"),
        ({"category": "intent"}, "category intent"),
        ({"category": "tests"}, "category tests"),
    ],
)
def test_nobody_is_asked_for_a_test_of_what_gets_none(
    repo: Repo, update: dict[str, Any], why: str
) -> None:
    one = Finding.model_validate({**DOUBLE.model_dump(), "id": "", **update})
    done, _ = played(repo, one, write=nobody)
    assert [why in closed.no_test for closed in done.fixing.closed] == [True]


def test_what_is_no_code_gets_none(repo: Repo) -> None:
    repo.write("README.md", "The total is twice the net.\n")
    repo.commit()
    claim = finding("README.md", 1, "The total is twice the net.", "It is not")

    def say(request: dict[str, Any]) -> Scripted:
        assert not asks(request, "tests")
        if looks(request):
            return closes(request, "README.md", "The total is the net.")
        return edited(("README.md", "twice the net", "the net"), message="Say what it is")

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=[claim])
    assert "no code" in done.fixing.closed[0].no_test


def test_without_tests_nothing_is_asked_and_nothing_said(repo: Repo) -> None:
    done, _ = played(repo, DOUBLE, write=nobody, tests=False)
    (one,) = done.fixing.closed
    assert (one.test, one.no_test) == ("", "")


@pytest.mark.parametrize("calls", [2, 3])
def test_where_the_money_ends_before_the_tests_it_is_said_and_nothing_partial(
    repo: Repo, calls: int
) -> None:
    done, bodies = played(repo, DOUBLE, caps=Caps(calls=calls))
    (one,) = done.fixing.closed
    assert len(bodies) <= calls and not any(asks(body, "looks") for body in bodies)
    assert (done.fixing.status, done.fixing.stopped) == ("complete", None)
    assert one.test == "" and one.no_test == "the budget was spent before"
    assert done.fixing.notes == [
        "Not every closed finding that could have a test has one: the budget was spent before."
    ]
    assert [commit.module for commit in done.patch.commits] == [DOUBLE.id]


def test_all_findings_have_their_turn_before_any_test(repo: Repo) -> None:
    other = finding(CART, 4, "def total(items):", "A name is taken", "low")

    def say(request: dict[str, Any]) -> Scripted:
        if asks(request, "tests") or asks(request, "looks"):
            return error(400, "invalid_request_error", "no")
        if of(request) == other.id:
            return edited(left=[{"what": "it", "why": "It is meant."}])
        return patched(request)

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=[DOUBLE, other])
        order = [asks(body, "tests") for body in server.calls]
    assert order == sorted(order) and any(order)
    assert done.fixing.status == "complete"
    assert "invalid_request" not in done.fixing.closed[0].no_test  # the operator's to read


def test_who_stops_it_while_tests_are_written_gets_a_partial_result(repo: Repo) -> None:
    stopped: list[bool] = []

    def write(request: dict[str, Any]) -> Scripted:
        stopped.append(True)
        return error(529, "overloaded_error", "later")

    done, _ = played(repo, DOUBLE, write=write, cancelled=lambda: bool(stopped))
    assert (done.fixing.status, done.fixing.stopped) == ("partial", StopReason.CANCELLED)
    assert done.fixing.closed[0].no_test == "the run was stopped before"
    assert len(done.patch.commits) == 1


def commit(name: str, **files: tuple[str, str]) -> Commit:
    edits = [FileEdit(p, Blob(a.encode()), Blob(b.encode())) for p, (a, b) in files.items()]
    return Commit(name, "model", name, tuple(edits))


def test_a_test_comes_behind_whatever_patch_changes_its_file() -> None:
    patches = [
        commit("1", a=("1", "2")),
        commit("2", b=("1", "2"), t=("1", "2")),
        commit("3", c=("1", "2")),
    ]
    tests = [(0, commit("test 1", t=("2", "3"))), (1, commit("test 2", t=("3", "4")))]
    tests += [(2, commit("test 3", u=("1", "2")))]
    done = behind(patches, tests)
    assert [one.module for one in done] == ["1", "2", "test 1", "test 2", "3", "test 3"]
