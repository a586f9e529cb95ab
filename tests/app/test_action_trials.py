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
from app.written import MAX_BYTES, Written
from reviewer.errors import GiveUp, RetryLater
from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Blob, Commit, FileEdit, Patch

HEAD = "a" * 40
PASSED, FAILED = Ran("passed", 0, "", 1.0), Ran("failed", 1, "no", 1.0)


def made(before: bytes, after: bytes, mails: str = "mail") -> Written:
    edit = FileEdit("a.py", Blob(before), Blob(after))
    patch = Patch(HEAD, (Commit("m", "model", "Mend it", (edit,)),))
    account = Fixing(commit=HEAD, reviewed=HEAD)
    return Written.of("fix", account, patch, write=True).model_copy(update={"mails": mails})


FIRST = made(b"1\n", b"2\n")
SECOND = made(b"2\n", b"3\n")


def tries(home: Path, mended: Written | Exception, *runs: Ran | Exception) -> Tried:
    """Try what was written first, where the runs come out as told, and so does its mending."""
    left = list(runs)

    def run(_commit: str, _what: str) -> Ran:
        return cast(Ran, given(left.pop(0)))

    server = Server("https://github.com", "https://api.github.com")
    wanted = Wanted(server, "o/r", 1, "b" * 40, HEAD)
    log = SimpleNamespace(tell=lambda *_: None)
    bench = SimpleNamespace(
        there=Checkout(Origin(wanted, home, cast(Any, None)), cast(Any, None), True),
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
        run=run,
    )
    done = _Trials(cast(_Bench, bench), "`check`", lambda *_: given(mended)).of(FIRST)
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
