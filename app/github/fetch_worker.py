"""The process in which GitPython fetches. `app.github.fetch_process` starts it; nothing imports it.

GitPython hands git the whole environment of its process, keeps what it is given on its objects,
and expands variables in paths. So it gets a process whose whole environment is what git may have
(`app.github.transport`), with the repository in GIT_DIR, and constants, numbers and SHAs for
arguments. The environment and the request come as a line of JSON on stdin, which stays open for as
long as the parent lives; progress and the result go out as lines of JSON.
"""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import git

from app.github.bare import Failed, Say, is_damaged
from app.github.fetch_tasks import bring_blobs, bring_history, bring_pull
from app.github.urls import Server
from app.github.wanted import Wanted

COMPLAINT_CHARACTERS = 4_000

_REQUEST_BYTES = 1 << 20
_NAMES = 3
"""The descriptor of the file that lists the wanted blobs."""


def main() -> None:
    """Fetch what stdin asks for; the last line says how it ended."""
    # Whatever a library prints must not end up between two lines of ours.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**fields: object) -> None:
        print(json.dumps(fields), file=out, flush=True)

    request = json.loads(_line())
    os.environ.clear()
    os.environ.update(request["environ"])
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # A git that is told to end is waited for: nobody else may be there to take its exit code.
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    place = Path(os.environ["GIT_DIR"])
    try:
        tell(**_do(request, place, lambda text: tell(say=text)))
    except Exception as error:
        if not stopped.is_set():
            words = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
            damaged = isinstance(error, git.InvalidGitRepositoryError) or is_damaged(place)
            tell(complaint=words[:COMPLAINT_CHARACTERS], damaged=damaged)
    os._exit(0)  # taking apart what was imported would cost 40 ms


def _do(request: dict[str, Any], place: Path, say: Say) -> dict[str, object]:
    """Do one task; return what there is to tell of its result."""
    wanted = Wanted(**{**request["wanted"], "server": Server(**request["wanted"]["server"])})
    match request["task"]:
        case "pull":
            parting, current = bring_pull(wanted, place, say)
            return {
                "start": parting.start,
                "is_unrelated": parting.is_unrelated,
                "current": current,
            }
        case "blobs":
            with os.fdopen(_NAMES, encoding="ascii") as file:
                names = file.read().split()
            return {"refused": bring_blobs(names, wanted, place)}
        case "history":
            bring_history(wanted, place)
            return {}
        case other:
            raise ValueError(f"no such task: {other}")


def _line() -> bytes:
    """Read the request, and not a byte more: the rest of stdin is waited for by a thread."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, _REQUEST_BYTES)
        if not piece or len(line) > _REQUEST_BYTES:
            raise EOFError("no request came")
        line += piece
    return line


def _die_with_parent() -> None:
    """End this process and its gits when stdin ends: the lock of the repository ended with it."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)
