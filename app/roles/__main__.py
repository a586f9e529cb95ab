"""The start and the end of every process of the server: logging, signals, and whose child it is."""

import atexit
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from app import log
from app.defaults import UNSET
from app.roles import ALIVE_FD, role_of
from reviewer.errors import RlmError, TellUser

logger = logging.getLogger(__name__)

STANDARD_ERROR = 2
STOPS = (signal.SIGTERM, signal.SIGINT)

Run = Callable[[str, Mapping[str, str], threading.Event], None]


def main(name: str, environ: Mapping[str, str]) -> int:
    """Be the process `name` until a signal or the supervisor's end; return its exit code."""
    as_json = environ.get("RLM_LOG", "").strip().lower() == "json"
    debug = environ.get("RLM_DEBUG", "").strip() not in UNSET
    log.configure(name, debug, "json" if as_json else "text")
    _keep_descriptors()
    stopping = threading.Event()
    _watch(stopping, environ.get(ALIVE_FD, ""))
    try:
        _role(name)(name, environ, stopping)
    except TellUser as error:
        logger.error(error.problem, extra={"hint": error.hint} if error.hint else {})
        return 2
    except RlmError as error:
        logger.error(str(error))
        return 1
    except Exception:
        logger.exception("this is a bug")
        return 1
    if not stopping.is_set():
        logger.error("ended without being asked to")
        return 1
    return 0


def _role(name: str) -> Run:
    """Import what this process does, and nothing that it has no use for."""
    match role_of(name):
        case "web":
            from app.roles import web  # noqa: PLC0415

            return web.run
        case "github":
            from app.roles import github  # noqa: PLC0415

            return github.run
        case "engine":
            from app.roles import engine  # noqa: PLC0415

            return engine.run
    raise TellUser(f"{name!a} is no process of this server", "Start it by `rlm serve`.")


def _keep_descriptors() -> None:
    """Let no program that this process starts inherit what it inherited itself."""
    for entry in [*Path("/dev/fd").iterdir()]:
        if int(entry.name) > STANDARD_ERROR:
            with suppress(OSError):  # the one that listed the folder
                os.set_inheritable(int(entry.name), False)


def _watch(stopping: threading.Event, alive: str) -> None:
    """Set `stopping` at the first signal; end at once when the supervisor is no more.

    A thread does it: `Event.set` in a signal's handler can wait for the very code it interrupted.
    """
    noticed, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for number in STOPS:
        signal.signal(number, lambda *_: None)
    watched = [noticed, int(alive)] if alive else [noticed]

    def watch() -> None:
        while True:
            ready, _, _ = select.select(watched, [], [])
            if noticed in ready and set(os.read(noticed, 64)) & set(STOPS):
                stopping.set()
            if len(watched) > 1 and watched[1] in ready:
                _orphaned()

    threading.Thread(target=watch, name="watch", daemon=True).start()


def _orphaned() -> NoReturn:
    """End like a power cut, with every program started here: the next start finds none of us."""
    # Not a word about it: whoever reads standard error may be gone too, and writing would block.
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def run() -> NoReturn:
    """Run a process of the server as a program; see `app.cli.run` about its end."""
    code = main(sys.argv[1] if len(sys.argv) == 2 else "", os.environ)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
