"""The trace of a run as JSON lines, one event each, with the second at which it came.

The first line says which run it is and the last how it ended. Every run that asks a model leaves
one in the folder of the traces; the user may have another file written beside it.
"""

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from app.accounts import Account, WritingRequest
from app.defaults import DISTRIBUTION
from app.output import check_link
from app.trace_folder import MAX_AGE_S, SUFFIX, expire_now, folder_of, new_id, open_new
from app.trace_lines import RunEnded, RunStarted
from reviewer.detectors.secrets import redacted
from reviewer.errors import TellUser
from reviewer.explain.values import Explanation
from reviewer.request import Cost, Review, ReviewRequest, StopReason
from reviewer.rlm.trace import Event, as_json
from reviewer.text import printable

Say = Callable[[str], None]
Status = Literal["complete", "partial"]


def about(
    what: str,
    base: str,
    head: str,
    request: ReviewRequest | WritingRequest,
    run: str = "",
) -> RunStarted:
    """Return the first line of a trace; a run without a name (a server's has one) is given one."""
    began = datetime.now(UTC)
    return RunStarted(
        run=run or new_id(began),
        began=f"{began:%Y-%m-%dT%H:%M:%SZ}",
        what=printable(what),
        base=base,
        head=head,
        model=request.model,
        effort=request.effort.value,
        caps=request.caps.model_dump(),
        version=version(DISTRIBUTION),
    )


@contextmanager
def recording(
    first: RunStarted,
    home: Path,
    say: Say,
    *,
    target: str | None = None,
    kept_s: float = MAX_AGE_S,
) -> Iterator["Recording"]:
    """Yield what writes the trace of a run: in RLM_HOME if a model is asked, and to `target`.

    Each line is written at once, so that a killed run leaves its trace. A disk that fills up, or
    cannot be written, ends a trace with a word through `say`, and not the run. A file that the user
    named and that cannot be opened raises TellUser. Traces that are older than `kept_s` make room.
    """
    trace = Recording(say)
    try:
        if target is not None:
            trace.files.append(_named(target))
        if first.model is not None:
            _keep(trace, home, first.run, say, kept_s)
        trace.write("RunStarted", dataclasses.asdict(first))
        yield trace
    finally:
        trace.close()


class Recording:
    """A trace as it is written. `run` is the name under which it is kept, "" if it is not."""

    def __init__(self, say: Say) -> None:
        self.files: list[int] = []
        self.run = ""
        self.path: Path | None = None
        self._say = say
        self._began = time.monotonic()
        self._events = 0
        self._end = RunEnded("failed")

    def see(self, event: Event) -> None:
        """Take an event of the kernel."""
        value = as_json(event)
        self._events += 1
        self.write(value.pop("event"), value)

    def ended(self, review: Review) -> None:
        """Note what came of the review; without this word it counts as failed."""
        self._ended(review.status, review.stopped, len(review.findings), review.cost)

    def answered(self, done: Explanation) -> None:
        """Note what came of a question."""
        self._ended("complete" if done.answer else "partial", done.stopped, 0, done.cost)

    def wrote(self, done: Account) -> None:
        """Note what came of a job that makes commits."""
        status: Status = "partial" if done.status == "partial" else "complete"
        self._ended(status, done.stopped, len(done.findings), done.cost)

    def _ended(self, status: Status, stopped: StopReason | None, findings: int, cost: Cost) -> None:
        seconds = round(cost.seconds, 3)
        self._end = RunEnded(status, stopped, findings, cost.usd, cost.calls, seconds)

    def write(self, kind: str, value: dict[str, Any]) -> None:
        """Add a line to each file that still takes one."""
        if not self.files:
            return
        line = {"at_s": round(time.monotonic() - self._began, 3), "event": kind, **value}
        # A model may have read or written a secret; a trace outlives its run.
        raw = redacted(json.dumps(line)).encode() + b"\n"
        for file in self.files.copy():
            try:
                _write_all(file, raw)
            except OSError as error:
                self.files.remove(file)
                os.close(file)
                self._say(f"warning: the trace ends here: {error.strerror}")

    def close(self) -> None:
        """Write how the run ended. A run in which nothing happened leaves nothing."""
        self.write("RunEnded", dataclasses.asdict(self._end))
        if self.path is not None and not self._events:
            with suppress(OSError):
                self.path.unlink()
            self.run = ""
        for file in self.files:
            os.close(file)
        self.files.clear()


def _named(target: str) -> int:
    check_link(target, "--trace")
    try:
        return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise TellUser(
            f"The trace cannot be written to {target}: {error.strerror}.",
            "Give another file to --trace.",
        ) from error


def _keep(trace: Recording, home: Path, run: str, say: Say, kept_s: float) -> None:
    folder = folder_of(home)
    expire_now(folder, kept_s)
    path = folder / f"{run}{SUFFIX}"
    is_new = not path.exists()
    try:
        trace.files.append(open_new(folder, run))
    except OSError as error:
        say(f"warning: no trace of this run is kept in {folder}: {error.strerror}")
        return
    trace.run = run
    trace.path = path if is_new else None  # what an earlier try left there stays


def _write_all(file: int, raw: bytes) -> None:
    while raw:
        raw = raw[os.write(file, raw) :]
