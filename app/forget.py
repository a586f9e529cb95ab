"""What was forgotten leaves no server's disk with anything: each removes its own part.

The rows of the store go in one transaction (`app/store/forgotten.py`), which stores what every
server has to remove: files of its own state folder (fetched repositories, what was derived from
them, traces, the journal where that is a file), and the journal that servers share. Each server
goes through it at its start, when it is told, and every ten minutes; which it has done lies in its
folder, so what a kill or a full disk prevents is done the next time. Doing it twice does no harm.

A server that was down for longer than the store remembers that goes through its disk once, at its
start (`left_over`): what belongs to no repository of the store, and was not used for as long, goes.

A repository that is there again by then keeps what it has since: a run that the store knows, what
is being read, what was fetched later.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.diagnosis import Check
from app.github.cache import forget, history_of, place_of, unused
from app.github.urls import Server
from app.journal import FILE, forget_paid
from app.store import Forgotten, Store
from app.store.forgotten import FORGOTTEN_S
from app.trace_folder import Kept, drop_traces, forget_traces
from reviewer.errors import RlmError

if TYPE_CHECKING:
    from app.store.database import Database

log = logging.getLogger(__name__)

TENANT = "installation {}"
"""Whose the answers in the journal are."""

DONE = "forgotten.json"
"""Under RLM_HOME: when this server has removed what a row of the store names, by the row's id."""

AGAIN_S = 6 * 3600.0
"""So long after it was forgotten it is removed once more: what runs under way at the time have
fetched or written meanwhile. None lasts that long."""

CLOCKS_S = 300.0
"""So far the clocks of two servers may be from each other."""


@dataclass(frozen=True)
class Forgetting:
    """What this server does about it. Threads may share one."""

    store: Store
    home: Path
    server: Server
    stopped: Callable[[], bool]
    _alone: threading.Lock = field(default_factory=threading.Lock)
    _gone_through: threading.Event = field(default_factory=threading.Event)

    def left_over(self) -> int:
        """Remove, once in this process, what is of no repository of the store and was not used for
        as long as the store remembers what is forgotten; return how many things that were.

        Nothing goes where the store has nothing, or is younger than that: then it is another one,
        and nobody can tell. Raise RetryLater or TellUser where it cannot be read.
        """
        if self._gone_through.is_set():
            return 0
        with self._alone:
            before = self.store.believed_time() - FORGOTTEN_S
            names = {name.lower() for name in self.store.names_for(before)}
            count = self._left_over(names, before) if names else 0
        self._gone_through.set()
        return count

    def _left_over(self, names: Collection[str], before: float) -> int:
        count = 0
        for name, repo in unused(self.home, self.server, before):
            if name.lower() in names or self.stopped():
                continue
            if trouble := _tried(partial(self._remove_unused, repo, before)):
                log.warning("not removed yet", extra={"repo": name, "why": trouble})
            else:
                log.info("removed: of no repository that is known", extra={"repo": name})
                count += 1

        def is_dropped(trace: Kept) -> bool:
            return trace.repository.lower() not in names and self.store.run(trace.run) is None

        return count + drop_traces(self.home, is_dropped, before)

    def _remove_unused(self, repo: Path, before: float) -> None:
        from app.code import forget_code  # noqa: PLC0415 half a second at each start

        # Whoever began to use it meanwhile keeps it.
        if forget(repo, lambda: True, before, self.stopped):
            forget_code(self.home, repo)

    def catch_up(self) -> int:
        """Remove what is to be removed here and was not yet; return how many times that was.

        What cannot be removed is logged, and left to the next time. Raise RetryLater or TellUser
        where the store cannot be read.
        """
        with self._alone:
            return self._catch_up()

    def _catch_up(self) -> int:
        wanted = self.store.to_forget()
        before = done_at(self.home)
        done = {one.id: before[one.id] for one in wanted if one.id in before}
        count = 0
        for one in wanted:
            now = time.time()
            if self.stopped() or not is_due(one, done.get(one.id), now):
                continue
            trouble = list(filter(None, map(_tried, self._parts(one))))
            if trouble:
                log.warning("not removed yet", extra={"why": trouble[0]} | _about(one))
                continue
            done[one.id] = now
            count += 1
            _note(self.home, done)
            log.info("removed from this server", extra=_about(one))
        if done != before and not count:
            _note(self.home, done)
        return count

    def _parts(self, one: Forgotten) -> Iterator[Callable[[], object]]:
        """Yield what has to be done for a row; what one part meets keeps no other from its work."""
        for name in one.repositories:
            yield partial(self._remove_fetched, place_of(self.home, self.server, name), name, one)
            yield partial(self._remove_fetched, history_of(self.home, self.server, name), name, one)
        yield partial(self._remove_traces, one)
        # A server that shares a database now may have had none before.
        yield partial(self._remove_paid, self.home / FILE, one)
        if (shared := self.store.database.shared) is not None:
            yield partial(self._remove_paid, shared, one)

    def _remove_fetched(self, repo: Path, name: str, one: Forgotten) -> None:
        from app.code import forget_code  # noqa: PLC0415 half a second at each start

        if forget(repo, partial(self.store.is_there, name), one.since, self.stopped):
            forget_code(self.home, repo)

    def _remove_traces(self, one: Forgotten) -> None:
        def is_wanted(trace: Kept) -> bool:
            if self.store.run(trace.run) is not None:
                return True
            # A run that ended is not known for ever.
            return trace.began > one.since + CLOCKS_S and self.store.is_there(trace.repository)

        forget_traces(self.home, one.repositories, is_wanted)

    def _remove_paid(self, where: "Path | Database", one: Forgotten) -> None:
        tenant = TENANT.format(one.installation)
        if one.whole:
            forget_paid(where, tenant)
            return
        known = [run.id for run in self.store.runs_in(one.installation)]
        # A run since then that ended is not known for ever, and one from before is over by then.
        forget_paid(where, tenant, one.repositories, known, one.since + AGAIN_S)


def is_due(one: Forgotten, at: float | None, now: float) -> bool:
    """Is a row to be gone through at `now`? `at` is when it was last, None for never."""
    return at is None or at < one.since + AGAIN_S <= now


def removed_here(home: Path, rows: Collection[str]) -> Check:
    """Say whether this server has gone through these rows of the store."""
    left = len(set(rows) - done_at(home).keys())
    if not left:
        said = "what was uninstalled, or taken out, is removed from this disk"
        return Check("uninstalled", "ok", said)
    times = "once" if left == 1 else f"{left} times"
    return Check(
        "uninstalled",
        "warning",
        f"something was uninstalled or taken out, {times}, and not removed from this disk yet",
        "A running `rlm serve` does so within ten minutes; its log says what keeps it.",
    )


def done_at(home: Path) -> dict[str, float]:
    """Return when this server went through each row, by its id; what cannot be read is nothing."""
    try:
        found = json.loads((home / DONE).read_bytes())
        return {str(row): float(at) for row, at in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _note(home: Path, done: Mapping[str, float]) -> None:
    part = home / f".{DONE}.new"
    try:
        part.write_text(json.dumps(done), "ascii")
        part.replace(home / DONE)
    except OSError as error:  # it is done once more
        log.warning("not noted down", extra={"why": error})


def _tried(part: Callable[[], object]) -> Exception | None:
    try:
        part()
    except (RlmError, OSError) as error:
        return error
    return None


def _about(one: Forgotten) -> dict[str, object]:
    return {"installation": one.installation, "repositories": len(one.repositories)}
