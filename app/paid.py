"""Where a run writes down what it pays: which journal, and under whose name.

A server's run has a name of its own and keeps it when it is taken up again. A run in a terminal or
a workflow leaves a mark while it is under way; who asks the same of the same commits and finds the
mark of a run that was cut off goes on in its name, so that its cap counts what was paid before.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.journal import FILE, StoredJournal
from app.journal_file import KEPT_S as ANSWERS_S
from reviewer.change import Change
from reviewer.errors import RetryLater
from reviewer.request import Caps
from reviewer.rlm.budget import Amount, Limit

if TYPE_CHECKING:
    from app.store.database import Database

UNFINISHED = "unfinished"
"""Under RLM_HOME: a file for each run under way, named by what was asked."""

KEPT_S = 7 * 86_400.0
"""A run that was cut off longer ago is not gone on with: nobody remembers it."""

TAKEN_UP = "Going on with a run that was cut off: what it paid is not paid again, and counts."


class Question(Protocol):
    """What is asked of the engine, a review or a refactoring: the same text for the same."""

    @property
    def caps(self) -> Caps: ...

    def model_dump_json(self) -> str: ...


_NAME = re.compile(r"[0-9a-f]{32}")


@contextmanager
def journal_of(  # noqa: PLR0917
    where: "Path | Database",
    run: str,
    caps: Caps,
    tenant: str,
    repository: str,
    kept_s: float = ANSWERS_S,
) -> Iterator[StoredJournal]:
    """Open the journal for a run with a name; raise RetryLater where another process has it.

    It lies in a folder, or in the database that servers share. What is paid goes when the
    `repository` does, and answers that were not used for `kept_s`. Where a call was not allowed
    because the journal was away or held for a while, what came of the block is a part of what is
    to be had: RetryLater, or NoRoom, is raised at its end, and what was paid is not paid again.
    """
    place = where / FILE if isinstance(where, Path) else where
    limit = _limit(caps)
    with StoredJournal(place, run, limit, tenant, repository=repository, kept_s=kept_s) as journal:
        yield journal
    if journal.refused is not None:
        raise journal.refused


@contextmanager
def journal_here(
    home: Path,
    request: Question,
    change: Change,
    tenant: str,
    say: Callable[[str], None],
    *,
    kept_s: float = ANSWERS_S,
) -> Iterator[StoredJournal]:
    """Open the journal for whoever asks now, in the name of an equal run that was cut off."""
    mark = home / UNFINISHED / _asked(request, change, tenant)
    run, limit = _cut_off(mark) or secrets.token_hex(16), _limit(request.caps)
    try:
        journal = StoredJournal(home / FILE, run, limit, tenant, kept_s=kept_s)
    except RetryLater:  # the same is asked twice at this moment
        run, mark = secrets.token_hex(16), mark.with_name(secrets.token_hex(32))
        journal = StoredJournal(home / FILE, run, limit, tenant, kept_s=kept_s)
    with journal:
        if journal.paid != Amount():
            say(TAKEN_UP)
        with suppress(OSError):
            mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark.write_text(run, encoding="ascii")
        yield journal
    # Only here: whoever is killed, or meets a bug, may go on later.
    with suppress(OSError):
        mark.unlink(missing_ok=True)


def _cut_off(mark: Path) -> str | None:
    """Return the name of the run that left its mark, if that is not too long ago."""
    try:
        if mark.is_symlink() or time.time() - mark.stat().st_mtime > KEPT_S:
            return None
        with mark.open("rb") as file:
            name = file.read(64).decode("ascii")
    except (OSError, ValueError):
        return None
    return name if _NAME.fullmatch(name) else None


def _asked(request: Question, change: Change, tenant: str) -> str:
    asked = "\n".join((tenant, change.base, change.head, request.model_dump_json()))
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def _limit(caps: Caps) -> Limit:
    return Limit(caps.usd, caps.tokens, caps.calls)
