"""What is made of the runs of a test command, whatever becomes of one of them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.action_trials import Tried, _Bench, _Trials
from app.github.fetch import Checkout
from app.github.origin import Origin
from app.github.urls import Server
from app.github.wanted import Wanted
from app.trial import Ran
from app.written import MAX_BYTES, Written, blob_id
from reviewer.errors import GiveUp, RetryLater
from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Blob, Commit, FileEdit, Patch
from reviewer.testing.values import Testing
from reviewer.testing.values import Written as FileWritten

HEAD = "a" * 40
PASSED, FAILED = Ran("passed", 0, "", 1.0), Ran("failed", 1, "no", 1.0)


def made(before: bytes, after: bytes, mails: str = "mail") -> Written:
    edit = FileEdit("a.py", Blob(before), Blob(after))
    patch = Patch(HEAD, (Commit("m", "model", "Mend it", (edit,)),))
    account = Fixing(commit=HEAD, reviewed=HEAD)
    return Written.of("fix", account, patch, write=True).model_copy(update={"mails": mails})


FIRST = made(b"1\n", b"2\n")
SECOND = made(b"2\n", b"3\n")


TESTED = "test_a.py"
OLD = b"def test_a():\n    assert a() == 1\n"
ADDED = OLD + b"\n\ndef test_b():\n    assert b() == 1\n"


def added(after: bytes, path: str = TESTED, *, before: bytes | None = OLD) -> Written:
    """Tests as they were written, on what is there, or the mending of them."""
    mends = path != TESTED or before == ADDED
    edit = FileEdit(path, Blob(before) if before is not None else None, Blob(after))
    patch = Patch(HEAD, (Commit("m", "model", "Test b", (edit,)),))
    if mends:
        return Written.of("fix", Fixing(commit=HEAD, reviewed=HEAD), patch, write=True)
    file = FileWritten(path=path, status="modified", message="Test b", tests=[], tries=1)
    account = Testing(base="b" * 40, commit=HEAD, written=[file])
    return Written.of("tests", account, patch, write=True)


def tries(
    home: Path, mended: Written | Exception, *runs: Ran | Exception, first: Written = FIRST
) -> Tried:
    """Try what was written first, where the runs come out as told, and so does its mending."""
    left = list(runs)

    def run(_commit: str, _what: str) -> Ran:
        return cast(Ran, given(left.pop(0)))

    server = Server("https://github.com", "https://api.github.com")
    wanted = Wanted(server, "o/r", 1, "b" * 40, HEAD)
    log = SimpleNamespace(tell=lambda *_: None)
    bench = SimpleNamespace(
        there=Checkout(
            Origin(wanted, home, cast(Any, None)), cast(Any, SimpleNamespace(commit="b" * 40)), True
        ),
        asked=SimpleNamespace(
            interrupts=lambda: False,
            step=SimpleNamespace(log=log, settings=SimpleNamespace(home=home)),
        ),
        planned=SimpleNamespace(
            request=SimpleNamespace(
                policy=SimpleNamespace(tests_by=("check",)), caps=SimpleNamespace(usd=None)
            )
        ),
        commit=lambda _start, _files: "c" * 40,
        blob=lambda name: {blob_id(OLD, HEAD): OLD}[name],
        run=run,
    )
    done = _Trials(cast(_Bench, bench), "`check`", lambda *_: given(mended)).of(first)
    assert not left
    return done


def given(what: Any) -> Any:
    if isinstance(what, Exception):
        raise what
    return what


def test_what_mends_it_is_joined_with_it(tmp_path: Path) -> None:
    done = tries(tmp_path, SECOND, PASSED, FAILED, PASSED)
    assert not done.failing and len(done.written.commits) == 2
    assert "after being mended 1 time" in done.said


def test_new_tests_are_mended_where_they_are_still_only_added(tmp_path: Path) -> None:
    right = added(ADDED.replace(b"b() == 1", b"b() == 2"), before=ADDED)
    done = tries(tmp_path, right, PASSED, FAILED, PASSED, FAILED, PASSED, first=added(ADDED))
    assert not done.failing and len(done.written.commits) == 2
    assert "after being mended 1 time" in done.said and "seen failing before" in done.said
    account = done.written.account
    assert isinstance(account, Testing) and account.fails_before == "run"


def test_where_a_pull_request_began_may_fail_by_itself(tmp_path: Path) -> None:
    done = tries(tmp_path, None, PASSED, PASSED, FAILED, FAILED, first=added(ADDED))
    assert "was not seen" in done.said and "seen failing" not in done.said
    account = done.written.account
    assert isinstance(account, Testing) and account.fails_before == "read"


@pytest.mark.parametrize(
    "mended",
    [
        added(ADDED.replace(b"a() == 1", b"a() == 2"), before=ADDED),
        added(b"def b():\n    return 1\n", "b.py", before=b"def b():\n    return 2\n"),
        added(b"", "conftest.py", before=None),
    ],
)
def test_what_mends_new_tests_changes_nothing_else(tmp_path: Path, mended: Written) -> None:
    first = added(ADDED)
    done = tries(tmp_path, mended, PASSED, FAILED, first=first)
    assert done.failing and done.written == first
    assert "changes more than the new tests" in done.said


@pytest.mark.parametrize(
    ("mended", "runs"),
    [
        (made(b"2\n", b"3\n", "x" * (MAX_BYTES - 1)), ()),  # no room for both
        (made(b"9\n", b"3\n"), ()),  # it does not follow on what it mends
        (RetryLater("the model's service is in trouble"), ()),
        (OSError(28, "No space left on device"), ()),
        (SECOND, (GiveUp("git checkout-index failed"),)),
    ],
)
def test_what_was_seen_failing_fails_whatever_comes_of_mending_it(
    tmp_path: Path, mended: Written | Exception, runs: tuple[Exception, ...]
) -> None:
    done = tries(tmp_path, mended, PASSED, FAILED, *runs)
    assert done.failing and done.written == FIRST
    assert "passes on this pull request, and not with these commits" in done.said
