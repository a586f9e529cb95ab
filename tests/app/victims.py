"""The processes of a server, as the system knows them: whom a SIGKILL can meet during a review."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.app.test_serve import Server

ROLES = ("web", "github", "engine")
PASSING = ("fetch", "git", "nursery", "parser", "detector", "sandbox")
"""What comes and goes with a review: the process that fetches, any git (of that one, too, and the
helpers that git starts), the one that forks parsers, a parser, ruff and the like, the sandbox."""
KINDS = ("serve", *ROLES, *PASSING)

_PROGRAMS = {"ruff": "detector", "zizmor": "detector", "monty": "sandbox"}
_LOOK_S = 0.003


def processes(server: Server) -> dict[int, str]:
    """Return the kind of each process below the server that has one, by its id."""
    roles = {pid: name.partition("-")[0] for name, pid in server.pids.items()}
    return {pid: kind for pid, kind in _below(server.process.pid, "serve", roles) if kind}


def kill_passing(server: Server, kind: str, after_s: float, over: threading.Event) -> int:
    """Kill a process of a kind that comes and goes: one that lives `after_s` seconds after the
    first was seen, else the next; return its id, 0 if there was none until `over`.
    """
    due = None
    while not over.is_set():
        found = [pid for pid, one in processes(server).items() if one == kind]
        now = time.monotonic()
        if found and due is None:
            due = now + after_s
        if found and due is not None and now >= due:
            with suppress(ProcessLookupError):
                os.kill(found[-1], signal.SIGKILL)
                return found[-1]
        time.sleep(_LOOK_S)
    return 0


def _below(pid: int, kind: str, roles: dict[int, str]) -> Iterator[tuple[int, str]]:
    for child in _children(pid):
        which = roles.get(child) or _kind(child, kind)
        yield child, which
        yield from _below(child, which or kind, roles)


def _children(pid: int) -> list[int]:
    found = []
    with suppress(OSError):  # it has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _kind(pid: int, parent: str) -> str:
    """Return what a process of the engine is, "" while it is a fork that has not become it yet."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    program = words[0].rpartition(b"/")[2].decode("utf-8", "replace")
    if program.startswith("git"):
        return "git"
    if program in _PROGRAMS:
        return _PROGRAMS[program]
    said = b" ".join(words)
    if b"app.github.fetch_worker" in said:  # those that it is forked from lead sessions
        return "fetch" if _session(pid) != pid else ""
    if b"reviewer.nursery" in said:
        return "parser" if parent in {"nursery", "parser"} else "nursery"
    return ""


def _session(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return pid
