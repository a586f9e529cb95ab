"""`rlm serve`: starts the server's processes, each with its own secrets, and keeps them running.

This process holds what has to outlive each of them: the lock on the state folder, the listening
socket, the sockets between the github role and the engines. It answers no request itself.
"""

import argparse
import fcntl
import hashlib
import ipaddress
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import app
from app import broker, log
from app.credentials import FILE as APP_FILE
from app.defaults import PROGRAM
from app.interrupt import Interrupts
from app.operations import GRACE_S
from app.roles import ALIVE_FD, BROKER_FDS, LISTEN_FD, MARKER_KEY, NODE
from app.server_settings import (
    ServerSettings,
    make_marker_key,
    node,
    read_server_settings,
    role_environ,
    store_at,
)
from app.store import Store
from reviewer.errors import RlmError, TellUser

logger = logging.getLogger(__name__)

LOCK_FILE = "serve.lock"

BACKLOG = 1_024
"""Connections that wait while the web process starts anew; the kernel caps it by somaxconn."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 30.0
STEADY_S = 30.0
"""A process that ran for so long did not fail at its start: the next one starts soon."""

LOOK_S = 1.0
"""How often the file that `rlm setup` writes is looked at."""

GONE_S = 10.0
"""How long the processes of an `rlm serve` that was killed may take to see that it is gone."""

ROOT = Path(app.__file__).parent.parent
"""Where the processes find the very code that this one runs."""


class Process(Protocol):
    """What was started, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its id, which is that of its group and its session, too."""

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""

    def wait(self) -> int:
        """Wait for its end and return the exit code."""

    def terminate(self) -> None:
        """Ask it to end."""


Launch = Callable[[str, Mapping[str, str], Sequence[int]], Process]
"""Starts the process of a role by its name, with an environment and descriptors to inherit."""


def launch_program(name: str, environ: Mapping[str, str], descriptors: Sequence[int]) -> Process:
    """Start a role as a program of its own: it has nothing of ours but what it is given."""
    return subprocess.Popen(
        # -P: the folder that `rlm serve` was started in is no place for code.
        [sys.executable, "-P", "-m", "app.roles", name],
        env=environ,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us alone; and its programs end with it
    )


def serve(
    options: argparse.Namespace,
    environ: Mapping[str, str],
    interrupts: Interrupts,
    launch: Launch = launch_program,
) -> int:
    """Run the server until it is asked to stop; return 0 when all its processes have ended."""
    settings = read_server_settings(environ)
    operations = settings.base.operations
    log.configure("serve", settings.base.debug, operations.log)
    os.umask(0o077)  # what is written under RLM_HOME is nobody else's business
    with ExitStack() as held, interrupts.gently(silent=operations.log == "json"):
        lock = held.enter_context(_locked(settings.home))
        key = make_marker_key(settings.home, environ.get(MARKER_KEY, "").strip())
        with closing(Store(store_at(settings.home, environ))) as store:
            _check_key(store, key)  # what is wrong with the store is told here, once
            state = store.database.name
        environ = {**environ, MARKER_KEY: key}
        if ours := node(settings.home, environ):
            environ[NODE] = ours
        listener = held.enter_context(_listening(options.host, options.port))
        make = partial(Child, grace_s=operations.grace_s, launch=launch)
        children = _children(options.engines, make, listener, lock, held)
        wakeup = held.enter_context(_wakeup())
        _introduce(settings, listener, options.engines, state)
        watched = _Watched(settings.home / APP_FILE)
        try:
            while not interrupts():
                if watched.changed():
                    settings = _read_again(settings, environ)
                for child in children:
                    child.tend(role_environ(settings, child.name, environ))
                _wait(wakeup, min(LOOK_S, *(child.idle_s() for child in children)))
        finally:
            until = time.monotonic() + operations.grace_s
            _stop(children[:1], wakeup, until)  # web: it answers what it has taken, and no more
            _stop(children[1:], wakeup, until)
    logger.info("stopped")
    return 0


def _check_key(store: Store, key: str) -> None:
    """Refuse to work beside servers that sign otherwise: each would repeat what the other said."""
    if not store.agree("marker key", hashlib.sha256(bytes.fromhex(key)).hexdigest()):
        raise TellUser(
            f"The servers of {store.database.name} sign with another key than this one",
            f"Set {MARKER_KEY} to what is in the file marker.key of the first one's state folder.",
        )


def _children(
    engines: int,
    make: "Callable[[str, Mapping[str, str], tuple[int, ...]], Child]",
    listener: socket.socket,
    lock: int,
    held: ExitStack,
) -> "list[Child]":
    """Return the processes to start, web first, with the descriptors that each inherits."""
    alive, ours = os.pipe()  # nobody writes: it ends when this process does
    held.callback(os.close, alive)
    held.callback(os.close, ours)
    at_github, at_engines = {}, {}
    for number in range(1, engines + 1):
        name = f"engine-{number}"
        one, other = broker.pair()
        at_github[name] = held.enter_context(one).fileno()
        at_engines[name] = held.enter_context(other).fileno()

    def child(name: str, given: Mapping[str, str], *descriptors: int) -> Child:
        # They hold the lock too: as long as one of them lives, nobody else starts.
        inherits = {ALIVE_FD: str(alive), **given}
        return make(name, inherits, (alive, lock, *descriptors))

    names = ",".join(f"{name}={number}" for name, number in at_github.items())
    listening = listener.fileno()
    return [
        child("web", {LISTEN_FD: str(listening)}, listening),
        child("github", {BROKER_FDS: names}, *at_github.values()),
        *(child(name, {BROKER_FDS: f"github={n}"}, n) for name, n in at_engines.items()),
    ]


@dataclass(slots=True)
class Child:
    """One process of the server, through all its lives. `given` names what it inherits."""

    name: str
    given: Mapping[str, str]
    descriptors: tuple[int, ...]
    grace_s: float = GRACE_S
    launch: Launch = launch_program
    _process: Process | None = None
    _environ: Mapping[str, str] = field(default_factory=dict)
    _since: float = 0.0
    _wait_s: float = FIRST_WAIT_S
    _due: float = 0.0
    _killed_at: float | None = None

    def tend(self, environ: Mapping[str, str]) -> None:
        """Start it if it is due, and have it end if its environment is to be another."""
        self._bury()
        now = time.monotonic()
        if self._process is None:
            if now >= self._due:
                self._start(environ)
        elif self._killed_at is None:
            if environ != self._environ:
                logger.info("starts anew, with what is configured now", extra={"role": self.name})
                self.ask_to_end()
        elif now >= self._killed_at:
            self.kill()

    def idle_s(self) -> float:
        """Return for how many seconds nothing has to be done, unless it ends."""
        now = time.monotonic()
        if self._process is None:
            return max(0.0, self._due - now)
        return LOOK_S if self._killed_at is None else max(0.0, self._killed_at - now)

    @property
    def lives(self) -> bool:
        """Is there a process?"""
        self._bury()
        return self._process is not None

    def ask_to_end(self) -> None:
        """Let it finish what it is doing."""
        if self._process is not None:
            self._killed_at = time.monotonic() + self.grace_s
            self._process.terminate()

    def kill(self) -> None:
        """End it at once, and every program that it has started."""
        if self._process is not None:
            logger.warning("does not end by itself", extra={"role": self.name})
            _kill_group(self._process.pid)
            self._process.wait()
            self._bury()

    def _start(self, environ: Mapping[str, str]) -> None:
        given = {**environ, **self.given, "PYTHONPATH": str(ROOT)}
        self._process = self.launch(self.name, given, self.descriptors)
        self._environ, self._since, self._killed_at = environ, time.monotonic(), None
        logger.info("started", extra={"role": self.name, "pid": self._process.pid})

    def _bury(self) -> None:
        """Note that it has ended, and when the next one is due."""
        if self._process is None or (code := self._process.poll()) is None:
            return
        _kill_group(self._process.pid)  # what it had started
        now = time.monotonic()
        asked = self._killed_at is not None
        if asked or now - self._since >= STEADY_S:
            self._wait_s = FIRST_WAIT_S
        wait_s = 0.0 if asked else self._wait_s
        self._process, self._killed_at, self._due = None, None, now + wait_s
        how = {"signal": signal.Signals(-code).name} if code < 0 else {"code": code}
        if asked:
            logger.info("ended", extra={"role": self.name, **how})
        else:
            extra = {"role": self.name, **how, "again_in_s": wait_s}
            logger.error("ended by itself", extra=extra)
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter
        os.killpg(pid, signal.SIGKILL)


def _stop(children: Sequence[Child], wakeup: int, until: float) -> None:
    """End these processes: in peace if they can within the grace, else by force.

    What one of them was doing then is done by its successor: the next start takes its jobs back.
    """
    for child in children:
        child.ask_to_end()
    while any(child.lives for child in children) and (left := until - time.monotonic()) > 0:
        _wait(wakeup, left)
    for child in children:
        child.kill()


@dataclass(slots=True)
class _Watched:
    """A file that somebody may write while we run."""

    path: Path
    _seen: object = None

    def __post_init__(self) -> None:
        self._seen = self._look()

    def changed(self) -> bool:
        """Is it another than when this was asked last?"""
        before, self._seen = self._seen, self._look()
        return self._seen != before

    def _look(self) -> object:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode, status.st_uid


def _read_again(settings: ServerSettings, environ: Mapping[str, str]) -> ServerSettings:
    """Take what `rlm setup` has just written."""
    try:
        settings = read_server_settings(environ)
    except RlmError as error:
        logger.error(str(error))
    else:
        logger.info("the stored App changed", extra={"app": settings.app_id or "none"})
        for sentence in settings.missing:
            logger.warning(sentence)
    return settings


@contextmanager
def _locked(home: Path) -> Iterator[int]:
    """Be the only server on a folder; yields the lock's descriptor. Ends with its last holder."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + GONE_S
        while not _try_lock(lock):
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            if _lives(holder):
                raise TellUser(
                    f"Another `rlm serve` runs on {home} (process {holder})",
                    "Stop that one, or set RLM_HOME to another folder.",
                )
            if time.monotonic() > until:
                raise TellUser(
                    f"Processes of an earlier `rlm serve` on {home} do not end",
                    f"Look for them: ps ax | grep app.roles; {home / LOCK_FILE} is what they hold.",
                )
            time.sleep(0.05)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        try:
            yield lock
        finally:
            os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def running(home: Path) -> str:
    """Return the process id of the server on a folder, "" if none runs."""
    try:
        lock = os.open(home / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if _try_lock(lock):
            return ""
        return os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: str) -> bool:
    """Is there such a process? Nothing is said by a server that starts this very moment."""
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError, ValueError):
        return False
    return True


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen, for as long as this process lives: connections wait while web starts anew."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise TellUser(
            f"--host is no address: {host[:200]!a}", "Give one like 127.0.0.1."
        ) from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            raise TellUser(
                f"Cannot listen on port {port} of {host}: {error.strerror}",
                "Give another with --port, or 0 for any that is free.",
            ) from error
        yield listener


def _introduce(settings: ServerSettings, listener: socket.socket, engines: int, store: str) -> None:
    """Tell whoever started this where it is, what it works with and what it lacks."""
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    base = settings.base
    known = settings.app_id is not None and settings.private_key is not None
    budget = "no cap" if base.budget_usd is None else f"at most ${base.budget_usd:.2f} a review"
    model = f"{base.model}, {base.effort}, {budget}"
    if settings.problem_of("engine"):
        model = "its settings are wrong: nothing is reviewed until they are mended"
    elif not base.has_key:
        model = "detectors alone: no model key"
    if base.operations.log == "json":
        _introduce_as_json(settings, address, model, engines)
        return
    lines = [
        f"{PROGRAM} serve listens on {address} (GitHub delivers to /webhook)",
        f"  App     {settings.slug or settings.app_id if known else 'none yet'}"
        f"{f' on {settings.github.host}' if known else ''}",
        f"  model   {model}",
        f"  at once {engines} review{'s' if engines > 1 else ''}",
        f"  state   {settings.home}",
        *([] if store.startswith(str(settings.home)) else [f"  store   {store}"]),
        f"  ready?  {address}/readyz",
        f"  pages   {settings.public.why_off or settings.public.url}",
    ]
    if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        lines.append("  open to others without TLS: put a proxy in front that has it")
    lines += [f"  missing: {sentence}" for sentence in settings.missing]
    lines += [f"  warning: {sentence}" for sentence in settings.warnings]
    sys.stderr.write("\n".join(lines) + "\n")


def _introduce_as_json(settings: ServerSettings, address: str, model: str, engines: int) -> None:
    told = {"address": address, "model": model, "engines": engines, "state": settings.home}
    logger.info("listening", extra={**told, "app": settings.slug or settings.app_id or "none"})
    for sentence in settings.missing:
        logger.warning("missing", extra={"why": sentence})
    for sentence in settings.warnings:
        logger.warning("setting", extra={"why": sentence})


@contextmanager
def _wakeup() -> Iterator[int]:
    """Yield a descriptor that has something to read after each signal, the end of a child too."""
    woken, wakeup = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wakeup, False)
    before = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield woken
    finally:
        signal.signal(signal.SIGCHLD, handler)
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wakeup)


def _wait(wakeup: int, seconds: float) -> None:
    """Sleep, but not through a signal."""
    select.select([wakeup], [], [], max(0.0, seconds))
    with suppress(BlockingIOError):
        while os.read(wakeup, 4_096):
            pass
