"""The trace of a run as JSON lines, one event each, with the second at which it came."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.output import check_link
from reviewer.detectors.secrets import redacted
from reviewer.errors import TellUser
from reviewer.rlm.trace import Event, TraceSink, as_json, silent


@contextmanager
def trace_to(target: str | None, say: Callable[[str], None]) -> Iterator[TraceSink]:
    """Yield a sink that writes to the file `target`, or one that forgets if there is none.

    Each line is written at once, so that a killed run leaves its trace. A disk that fills up ends
    the trace, with a word through `say`, and not the run.
    """
    if target is None:
        yield silent
        return
    check_link(target, "--trace")
    try:
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise TellUser(
            f"The trace cannot be written to {target}: {error.strerror}.",
            "Give another file to --trace.",
        ) from error
    began = time.monotonic()
    broken = False

    def sink(event: Event) -> None:
        nonlocal broken
        if broken:
            return
        line = {"at_s": round(time.monotonic() - began, 3), **as_json(event)}
        try:
            # A model may have read or written a secret; a trace outlives its run.
            os.write(file, redacted(json.dumps(line)).encode() + b"\n")
        except OSError as error:
            broken = True
            say(f"warning: the trace ends here: {error.strerror}")

    try:
        yield sink
    finally:
        os.close(file)
