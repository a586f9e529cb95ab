"""The process in which GitPython fetches. `app.github.fetch` starts it; nothing imports it.

GitPython hands git the whole environment of its process, keeps what it is given on its objects,
and expands variables in paths. So it gets a process whose whole environment is what git may have
(`app.github.transport`), with the repository in GIT_DIR, and constants, numbers and SHAs for
arguments. The request comes as a line of JSON on stdin, which stays open for as long as the parent
lives; progress and the result go out as lines of JSON.
"""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import git

from app.github.urls import Server
from app.github.wanted import Wanted

FIRST_DEPTH = 50
DEEPER = (150, 600, 2_400)
"""Each step makes the history four times as long; after the last one it is fetched whole."""

COMPLAINT_CHARACTERS = 4_000

_REQUEST_BYTES = 1 << 16
_PLAIN: dict[str, Any] = {"with_extended_output": True, "with_exceptions": False}
"""Have GitPython return (exit code, stdout, stderr), instead of an error that quotes them."""


class Failed(Exception):
    """Git ended with an error; holds its own words."""


def main() -> None:
    """Fetch what stdin asks for; the last line says how it ended."""
    # Whatever a library prints must not end up between two lines of ours.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**fields: object) -> None:
        print(json.dumps(fields), file=out, flush=True)

    request = json.loads(_line())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # A git that is told to end is waited for: nobody else may be there to take its exit code.
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    place = Path(os.environ["GIT_DIR"])
    try:
        wanted = Wanted(**{**request, "server": Server(**request["server"])})
        clone = Clone(wanted, place, lambda text: tell(say=text))
        tell(current=clone.bring())
    except Exception as error:
        if not stopped.is_set():
            words = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
            damaged = isinstance(error, git.InvalidGitRepositoryError) or _is_damaged(place)
            tell(complaint=words[:COMPLAINT_CHARACTERS], damaged=damaged)
    os._exit(0)  # taking apart what was imported would cost 40 ms


class Clone:
    """The bare repository at `path`, where the wanted commits shall be."""

    def __init__(self, wanted: Wanted, path: Path, say: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._path = path
        self._say = say
        self._head_ref = f"refs/rlm/pull/{wanted.number}/head"
        self._base_ref = f"refs/rlm/pull/{wanted.number}/base"
        self._make()
        self._git = git.Repo(path, expand_vars=False).git

    def bring(self) -> bool:
        """Fetch until the merge base is certain; False if the pull request has moved on."""
        current = True
        if not self._has_both():
            self._say(f"fetching {self._name} from {self._wanted.server.host}")
            # A depth would cut what an earlier run made deeper and another may be reading now.
            depth = [] if self._has_refs() else [f"--depth={FIRST_DEPTH}"]
            self._fetch(f"refs/pull/{self._wanted.number}/head", *depth)
            current = self._commit(self._head_ref) == self._wanted.head
            if not current:
                self._fetch(self._wanted.head, *depth)
        for more in DEEPER:
            if self._is_certain():
                return current
            self._say(f"fetching {more} more commits: the branch point lies further back")
            self._fetch(self._wanted.head, f"--deepen={more}")
        if not self._is_certain():
            self._say("fetching the whole history: the branch point lies very far back")
            self._fetch(self._wanted.head, "--unshallow")
        return current

    @property
    def _name(self) -> str:
        return f"{self._wanted.repository}#{self._wanted.number}"

    def _make(self) -> None:
        """Create the repository, or complete one whose creation was interrupted."""
        # The parent holds the lock: a lock file of git's own was left by one that was killed.
        for stale in (*self._path.rglob("*.lock"), *self._path.glob("objects/pack/tmp_*")):
            stale.unlink(missing_ok=True)
        # Not Repo.init: whatever it is told, it expands variables in the path that it opens then.
        _answer(git.Git(os.sep).init("--quiet", "--bare", "--template=", **_PLAIN))

    def _has_both(self) -> bool:
        return (
            self._commit(self._head_ref) == self._wanted.head
            and self._commit(self._base_ref) == self._wanted.base
        )

    def _has_refs(self) -> bool:
        """Did an earlier fetch end well? Objects alone may lack what they point to."""
        found = self._git.for_each_ref("--count=1", "--format=%(refname)", "refs/rlm", **_PLAIN)
        return bool(_answer(found))

    def _commit(self, ref: str) -> str:
        name = f"{ref}^{{commit}}"
        status, out, _ = self._git.rev_parse("--verify", "--quiet", name, **_PLAIN)
        return str(out) if status == 0 else ""

    def _fetch(self, head: str, *depth: str) -> None:
        fetched = self._git.fetch(
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            *depth,
            "--end-of-options",
            self._wanted.url,
            f"+{head}:{self._head_ref}",
            f"+{self._wanted.base}:{self._base_ref}",
            **_PLAIN,
        )
        _answer(fetched)

    def _is_certain(self) -> bool:
        """Is the merge base that git finds here the one that the whole history would give?

        A cut history can hold an old common ancestor and miss the newest one. It is certain when
        neither side, down to what was found, reaches a commit whose parents were cut off.
        """
        shallow = self._path / "shallow"
        cut = set(shallow.read_text().split()) if shallow.exists() else set()
        if not cut:
            return True
        ends = (self._wanted.base, self._wanted.head)
        bases = _answer(self._git.merge_base("--all", *ends, **_PLAIN), ok=(0, 1)).split()
        if not bases:
            return False
        reached = _answer(self._git.rev_list(*ends, "--not", *bases, **_PLAIN)).split()
        return cut.isdisjoint(reached)


def _answer(result: tuple[int, str, str], ok: tuple[int, ...] = (0,)) -> str:
    status, out, err = result
    if status not in ok:
        raise Failed(err or f"git ended with {status}")
    return out


def _is_damaged(place: Path) -> bool:
    """Does git find fault with what is there? Then no fetch into it will ever end well."""
    if not os.path.lexists(place):
        return False
    status, _, _ = git.Git(os.sep).fsck("--connectivity-only", "--no-dangling", **_PLAIN)
    return bool(status > 0)  # below 0: it was killed, and has said nothing


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
