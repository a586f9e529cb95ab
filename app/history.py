"""What came before a change, from the commits that its merge base reaches: see `History`.

Of a commit nothing is shown but its name, date, author and subject. Git reads no mailmap, no
attributes and no configuration but ours (`reviewer.git`), follows no rename, and stops at the
commits whose parents were left out: what they changed cannot be known.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from app.objects import Supply, missing_objects
from reviewer.context.values import Answer, Past, Together
from reviewer.errors import GiveUp, RlmError
from reviewer.git import GitRepo, once_more
from reviewer.ports import NoSuchFile
from reviewer.text import decode, encode, printable

COMMITS = 1_000
"""How far back is looked."""

VERSIONS = 50
"""Of a file, to see which of them its lines come from."""

MAX_FILES = 50
"""A commit of more files is a sweep over everything, and says nothing of two of them."""

TIMEOUT_S = 30.0
MAX_CHARS = 200

_FORM = "--format=%x01%H%x00%as%x00%an%x00%s%x00"
_LOG = ("log", "--no-mailmap", "--no-show-signature", "--no-renames", "--no-color", "--no-notes")
_LINE = re.compile(rb"([0-9a-f]{40,64}) \d+ \d+( \d+)?\n")


class GitHistory:
    """Implements `reviewer.context.values.History` over one repository. Thread-safe.

    `opened` gives the repository, and is asked once: it may have to be fetched first, and raises
    what keeps it from being so. `supply` brings the old versions of files.
    """

    def __init__(
        self, opened: Callable[[], GitRepo], start: str, supply: Supply | None = None
    ) -> None:
        self._opened = opened
        self._start = start
        self._supply = supply
        self._lock = threading.Lock()
        self._repo: GitRepo | None = None
        self._recent: list[frozenset[str]] | None = None

    def history(
        self, path: str, start: int | None = None, end: int | None = None, limit: int = 10
    ) -> Answer[Past]:
        """Return the commits that last changed a file, or some of its lines; see the Protocol."""
        repo = self._ready()
        self._check(repo, path)
        if start is None:
            found = self._commits(repo, path, COMMITS)
            return Answer(tuple(found[:limit]), len(found), self._notes(repo))
        return self._lines(repo, path, max(start, 1), max(end or start, start, 1), limit)

    def changed_together(self, path: str, limit: int = 10) -> Answer[Together]:
        """Return the files that changed in the same recent commits; see the Protocol."""
        repo = self._ready()
        self._check(repo, path)
        with self._lock:
            if self._recent is None:
                self._recent = list(self._sets(repo))
            sets = [files for files in self._recent if path in files]
        times = Counter(other for files in sets for other in files if other != path)
        ranked = sorted(times.items(), key=lambda item: (-item[1], item[0]))
        items = tuple(Together(other, count, len(sets)) for other, count in ranked[:limit])
        return Answer(items, len(ranked), self._notes(repo))

    def _ready(self) -> GitRepo:
        with self._lock:
            if self._repo is None:
                try:
                    self._repo = self._opened()
                except RlmError as error:
                    raise GiveUp(f"The history is not fetched: {error}") from error
            return self._repo

    def _check(self, repo: GitRepo, path: str) -> None:
        args = ("ls-tree", "-z", self._start, "--", b":(top,literal)" + encode(path))
        if not path or "\0" in path or b" blob " not in repo.run(*args)[1].partition(b"\t")[0]:
            raise NoSuchFile(f"There is no file {printable(path)} at the merge base.")

    def _notes(self, repo: GitRepo) -> tuple[str, ...]:
        if not repo.cut():
            return (f"At most the last {COMMITS:,} commits were looked at.",)
        return ("Only recent history is here: older commits were not looked at.",)

    def _commits(self, repo: GitRepo, path: str, most: int) -> list[Past]:
        """Return the commits that changed a file, the newest first."""
        args = (*_LOG, _FORM, f"--max-count={most}", self._start, "--", *_spec(path))
        return [past for past in map(_past, _records(repo, *args)) if past.sha not in repo.cut()]

    def _lines(self, repo: GitRepo, path: str, first: int, last: int, limit: int) -> Answer[Past]:
        known = {past.sha: past for past in self._commits(repo, path, VERSIONS)}
        oldest = self._bring_versions(repo, path)
        args: list[str | bytes] = ["blame", "--porcelain", "--no-follow", f"-L{first},{last}"]
        commits = f"{oldest}..{self._start}" if oldest != self._start else self._start
        out = repo.run(*args, commits, "--", encode(path), ok=(0, 128))
        if out[0]:
            raise GiveUp(f"Which commits changed lines {first} to {last} cannot be told.")
        counts = Counter(line[1].decode() for line in _LINE.finditer(b"\n" + out[1]))
        items = [_with_lines(past, counts[sha]) for sha, past in known.items() if counts[sha]]
        older = sum(count for sha, count in counts.items() if sha not in known or sha == oldest)
        items = [past for past in items if past.sha != oldest or oldest not in repo.cut()]
        note = f"{older} of the lines are as old as the oldest version looked at, or older."
        return Answer(tuple(items[:limit]), len(items), (note,) if older else ())

    def _bring_versions(self, repo: GitRepo, path: str) -> str:
        """Have the last versions of a file here, in one batch; return the oldest's commit."""
        args = (*_LOG, "--raw", "--no-abbrev", "-z", "--format=%x01%H", f"-n{VERSIONS}")
        out = _all(repo, *args, self._start, "--", *_spec(path))
        commits = re.findall(rb"\x01([0-9a-f]{40,64})", out)
        raw = re.findall(rb":\d{6} \d{6} ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [A-Z]\0", out)
        # The version before the oldest commit is not needed: what is older is not told apart.
        names = [new.decode() for _, new in raw] + [old.decode() for old, _ in raw[:-1]]
        wanted = dict.fromkeys(name for name in names if name.strip("0"))
        missing = missing_objects(repo, wanted)
        if missing and self._supply is None:
            raise GiveUp(
                "The history of lines is not fetched: old versions of the file are not here."
            )
        if missing and self._supply is not None:
            self._supply.bring(missing)
        return commits[-1].decode() if commits else self._start

    def _sets(self, repo: GitRepo) -> Iterator[frozenset[str]]:
        """Yield the files of each recent commit that changed a few."""
        args = (*_LOG, "--name-only", "-z", "--no-merges", "--format=%x01%H", f"-n{COMMITS}")
        cut = repo.cut()
        out = _all(repo, *args, self._start, "--")
        for record in out.split(b"\x01")[1:]:
            sha, *names = record.split(b"\0")
            files = frozenset(decode(name.lstrip(b"\n")) for name in names if name.strip(b"\n"))
            if 1 < len(files) <= MAX_FILES and sha.decode("ascii") not in cut:
                yield files


@once_more
def _all(repo: GitRepo, *args: str | bytes) -> bytes:
    with repo.stream(*args, timeout_s=TIMEOUT_S) as pipe:
        return pipe.read()


def _records(repo: GitRepo, *args: str | bytes) -> Iterator[list[bytes]]:
    for record in _all(repo, *args).split(b"\x01")[1:]:
        fields = record.split(b"\0")
        if len(fields) >= 4:  # a name can hold no NUL, and may hold our separator
            yield fields


def _past(fields: Sequence[bytes]) -> Past:
    sha, date, author, subject = (_shown(decode(field)) for field in fields[:4])
    return Past(sha=sha, date=date, author=author, subject=subject)


def _shown(text: str) -> str:
    """Anybody can be called anything: one line without control characters, and not without end."""
    return "".join(c for c in printable(text[: 2 * MAX_CHARS]) if c.isprintable())[:MAX_CHARS]


def _with_lines(past: Past, lines: int) -> Past:
    return Past(past.sha, past.date, past.author, past.subject, lines)


def _spec(path: str) -> list[str | bytes]:
    return [b":(top,literal)" + encode(path)]
