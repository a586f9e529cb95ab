"""The files of a local repository at the two ends of a change, read from its object store.

Nothing is checked out and no path reaches the file system: a path is walked through tree objects,
so it cannot leave them, and a symlink on the way is an entry that is no folder.

GitPython, which fetches (`app.github.fetch`), has a persistent `cat-file`, too. But it would run in
this process, and hand git the whole environment (the model's key with it) and the configuration of
a repository that may be anybody's; it is not thread-safe; and it waits for an answer for ever.
Hence `app.catfile`.
"""

import re
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Protocol, TypeVar

from app.catfile import CatFile
from reviewer.change import Change
from reviewer.errors import GiveUp
from reviewer.git import GitRepo, MissingObject, once_more
from reviewer.ports import (
    Entry,
    FileTooLarge,
    Match,
    MissingBlob,
    NoSuchFile,
    NotAllSearched,
    Rev,
)
from reviewer.text import decode, encode, printable

MAX_FILE_BYTES = 5_000_000
"""A larger file is data, whatever its name says; nobody reviews it line by line."""

MAX_TREE_BYTES = 50_000_000
"""One folder of about a million files."""

MAX_ENTRIES = 1_000_000
MAX_PATH_BYTES = 4096
MAX_PATTERN_CHARACTERS = 2_000
MAX_LINE_BYTES = 1_000
"""Of a line that a grep found: minified code has the whole program on one."""

MAX_BROUGHT = 20_000
"""Files that are fetched for one grep; for more, a folder has to be named."""

MAX_ABSENT = 100
"""Files that a search may leave out because their content is not here: they are named to git."""

LIST_TIMEOUT_S = 60.0
GREP_TIMEOUT_S = 20.0

TREES_KEPT = 1024
LISTINGS_KEPT = 8

CHUNK = 1 << 16

_FOLDER, _LINK = "40000", "120000"
_FILES = frozenset({"100644", "100755", "100664"})
"""Regular files; 100664 is from git's first weeks and still found."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class _Node:
    """One entry of one tree, its mode as trees write it."""

    mode: str
    sha: str


class Supply(Protocol):
    """Where the blobs come from that a repository of ours lacks; `app.github.blobs` is one."""

    def bring(self, names: Sequence[str]) -> None:
        """Put blobs into the repository; raise MissingBlob for those that cannot be had."""
        ...

    def close(self) -> None:
        """Stop what is under way."""
        ...


class LocalObjects:
    """Implements `reviewer.ports.Objects` over a repository on this machine. Thread-safe.

    "base" is the change's merge base. Without a supply nothing is ever fetched: what a user's
    partial clone lacks raises MissingBlob. `close` closes the supply, too.
    """

    def __init__(
        self,
        repo: GitRepo,
        change: Change,
        max_file_bytes: int = MAX_FILE_BYTES,
        grep_timeout_s: float = GREP_TIMEOUT_S,
        *,
        supply: Supply | None = None,
    ) -> None:
        self._repo = repo
        self._commits: dict[Rev, str] = {"head": change.head, "base": change.merge_base}
        self._max_file_bytes = max_file_bytes
        self._grep_timeout_s = grep_timeout_s
        self._supply = supply
        self._cat = CatFile(repo)
        self._lock = threading.Lock()
        self._trees: OrderedDict[str, dict[bytes, _Node]] = OrderedDict()
        self._listings: OrderedDict[tuple[str, str], list[Entry]] = OrderedDict()

    def __enter__(self) -> "LocalObjects":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what is under way; a later read of what is here works all the same."""
        if self._supply is not None:
            self._supply.close()
        self._cat.close()

    def read(self, path: str, at: Rev = "head") -> bytes:
        """Return the bytes of a regular file; raise NoSuchFile, FileTooLarge or MissingBlob."""
        node = self._find(path, at)
        if node.mode not in _FILES:
            raise NoSuchFile(f"{printable(path)} is no regular file at the {at}.")
        try:
            return self._brought(node.sha)
        except (FileTooLarge, MissingBlob) as error:
            raise type(error)(f"{printable(path)}: {error}") from error

    def blob(self, sha: str) -> bytes:
        """Return the bytes of a blob by its full name: the quick way to both ends of a change."""
        if not _SHA.fullmatch(sha):
            raise ValueError(f"not a full object name: {sha!r}")
        return self._cat.read(sha.encode(), "blob", self._max_file_bytes)

    def blobs(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield blobs by their full names, in the order asked; None for one larger than the cap."""
        for sha in shas:
            try:
                yield sha, self.blob(sha)
            except FileTooLarge:
                yield sha, None

    def prefetch(self, shas: Iterable[str]) -> None:
        """Bring the blobs that are not here: see the Protocol."""
        if self._supply is not None and (missing := self._missing(dict.fromkeys(shas))):
            self._bring(missing)

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        """Return the blobs below a folder, or the one that `under` names, in path order.

        Symlinks are among them, submodules are not. Raise NoSuchFile if nothing has that name.
        """
        under = self._folder(under, at)
        key = (at, under)
        with self._lock:
            known = self._listings.get(key)
        if known is None:
            known = self._list(under, at)
            self._keep(self._listings, key, known, LISTINGS_KEPT)
        return list(known)

    def grep(
        self,
        pattern: str,
        at: Rev = "head",
        under: str = "",
        limit: int = 200,
        *,
        literal: bool = False,
    ) -> list[Match]:
        """Return the lines of text files that match an extended regular expression, in path order.

        `literal`: that have this text. At most `limit`, each cut after MAX_LINE_BYTES. Raise GiveUp
        for a bad pattern, with git's own words, and for one that takes too long; MissingBlob where
        files cannot be brought, NotAllSearched where the others were searched.
        """
        if len(pattern) > MAX_PATTERN_CHARACTERS or re.search(r"[\0\n]", pattern):
            raise GiveUp(f"A pattern is one line of at most {MAX_PATTERN_CHARACTERS} characters.")
        under = self._folder(under, at)
        self._bring_all(under, at)
        commit = self._commits[at]
        kind = "-F" if literal else "-E"
        args: list[str | bytes] = ["grep", "-I", "-n", "-z", kind, "--no-color", "--full-name"]
        args += ["-e", encode(pattern), commit, "--", *_pathspec(under)]
        try:
            return self._found(args, len(commit) + 1, max(limit, 0))
        except MissingObject as error:
            absent = self._absent(under, at)
            if not 0 < len(absent) <= MAX_ABSENT:
                raise MissingBlob(f"Not all files can be searched. {error.problem}") from error
            args += [b":(top,exclude,literal)" + encode(path) for path in absent]
            rest = self._found(args, len(commit) + 1, max(limit, 0))
            raise NotAllSearched(
                f"Not all files can be searched: the repository lacks {_some(absent)}.", rest
            ) from error

    def _absent(self, under: str, at: Rev) -> list[str]:
        """Return the paths of files below a folder whose content is not here."""
        files = [entry for entry in self.entries(under, at) if entry.mode in _FILES]
        missing = set(self._missing({entry.sha for entry in files}))
        return [entry.path for entry in files if entry.sha in missing]

    @once_more
    def _found(self, args: Sequence[str | bytes], skip: int, limit: int) -> list[Match]:
        with self._repo.stream(*args, timeout_s=self._grep_timeout_s, ok=(0, 1)) as pipe:
            return list(islice(_matches(pipe, skip), limit))

    def _folder(self, under: str, at: Rev) -> str:
        """Return `under` as git names it; raise NoSuchFile if there is nothing of that name."""
        if not under:
            return under
        under = under[0] + under[1:].removesuffix("/")  # "/" is not the root of the tree
        self._find(under, at)
        return under

    def _find(self, path: str, at: Rev) -> _Node:
        """Walk from the root to what has that path; raise NoSuchFile where there is no way on."""
        parts = encode(path).split(b"/")
        if len(path) > MAX_PATH_BYTES or any(map(_is_forbidden, parts)):
            raise NoSuchFile(f"{printable(path[:MAX_PATH_BYTES])} is no path within a tree.")
        node = _Node(_FOLDER, self._commits[at] + "^{tree}")
        for part in parts:
            below = self._tree(node.sha).get(part) if node.mode == _FOLDER else None
            if below is None:
                raise NoSuchFile(f"There is no {printable(path)} at the {at}.")
            node = below
        return node

    def _tree(self, name: str) -> dict[bytes, _Node]:
        with self._lock:
            known = self._trees.get(name)
        if known is None:
            raw = self._cat.read(name.encode(), "tree", MAX_TREE_BYTES)
            known = dict(_nodes(raw, len(self._commits["head"]) // 2))
            self._keep(self._trees, name, known, TREES_KEPT)
        return known

    @once_more
    def _list(self, under: str, at: Rev) -> list[Entry]:
        # For each blob that is missing git would look for new packs before it gives no size.
        sizes = {} if self._supply is None else self._sizes()
        size = ["-l"] if self._supply is None else []
        args = ["ls-tree", "-r", *size, "-z", "--full-tree", self._commits[at], "--"]
        found: list[Entry] = []
        with self._repo.stream(*args, *_pathspec(under), timeout_s=LIST_TIMEOUT_S) as pipe:
            fields = _Fields(pipe)
            while (field := fields.until(b"\0")) is not None:
                head, _, path = field.partition(b"\t")
                mode, kind, sha, *known = head.decode("ascii").split()
                if kind != "blob":
                    continue
                if len(found) == MAX_ENTRIES:
                    raise GiveUp(f"There are more than {MAX_ENTRIES} files.")
                told = known[0] if known else sizes.get(sha, "")
                number = int(told) if told.isdigit() else -1
                found.append(Entry(decode(path), sys.intern(mode), sha, number))
        return found

    @once_more
    def _sizes(self) -> dict[str, str]:
        """Return the sizes of all blobs that are here, as git writes them."""
        form = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
        args = ("cat-file", "--batch-all-objects", "--unordered", "--buffer", form)
        found: dict[str, str] = {}
        with self._repo.stream(*args, timeout_s=LIST_TIMEOUT_S) as pipe:
            for line in pipe:
                kind, sha, size = line.decode("ascii").split()
                if kind == "blob":
                    found[sha] = size
        return found

    def _brought(self, sha: str) -> bytes:
        """Return the bytes of a blob, brought with whatever else is wanted just now."""
        try:
            return self.blob(sha)
        except MissingBlob:
            if self._supply is None:
                raise
        self._bring([sha])
        return self.blob(sha)

    def _bring(self, missing: Sequence[str]) -> None:
        assert self._supply is not None  # noqa: S101 - callers have looked
        try:
            self._supply.bring(missing)
        finally:
            with self._lock:
                self._listings.clear()  # sizes that were not known

    def _missing(self, shas: Iterable[str]) -> list[str]:
        return missing_objects(self._repo, shas)

    def _bring_all(self, under: str, at: Rev) -> None:
        """Have every file below a folder here, for a search that must not miss one."""
        if self._supply is None:
            return
        files = (entry for entry in self.entries(under, at) if entry.mode in _FILES)
        missing = self._missing({entry.sha for entry in files if entry.size < 0})
        if len(missing) > MAX_BROUGHT:
            raise MissingBlob(
                f"Not all files are here yet, and {len(missing):,} are too many to fetch for a "
                f"search: name a folder with at most {MAX_BROUGHT:,} files."
            )
        if missing:
            self._bring(missing)

    def _keep(self, cache: "OrderedDict[_K, _V]", key: _K, value: _V, most: int) -> None:
        with self._lock:
            cache[key] = value
            while len(cache) > most:
                cache.popitem(last=False)


def missing_objects(repo: GitRepo, shas: Iterable[str]) -> list[str]:
    """Return those of the objects that are not in a repository; ValueError for no full name."""
    with tempfile.TemporaryFile() as names:
        for sha in shas:
            if not _SHA.fullmatch(sha):
                raise ValueError(f"not a full object name: {sha!r}")
            names.write(sha.encode() + b"\n")
        names.seek(0)
        _, out = repo.run("cat-file", "--batch-check", "--buffer", stdin=names)
    lines = out.decode("ascii").splitlines()
    return [line.partition(" ")[0] for line in lines if line.endswith(" missing")]


def _is_forbidden(part: bytes) -> bool:
    """No tree that git makes has such a name in it; a tree that somebody forged might."""
    return part in (b"", b".", b"..") or b"\0" in part or part.lower() == b".git"


def _some(paths: Sequence[str]) -> str:
    """Return the first of some paths in words, and how many more there are."""
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return f"{printable(paths[0])!r}{more}"


def _pathspec(under: str) -> list[str | bytes]:
    return [b":(top,literal)" + encode(under)] if under else []


def _nodes(raw: bytes, width: int) -> Iterator[tuple[bytes, _Node]]:
    """Parse a tree object: "mode name NUL", then the object's name in `width` bytes, and so on."""
    at = 0
    while at < len(raw):
        space = raw.index(b" ", at)
        end = raw.index(b"\0", space)
        sha = raw[end + 1 : end + 1 + width]
        yield raw[space + 1 : end], _Node(sys.intern(raw[at:space].decode("ascii")), sha.hex())
        at = end + 1 + width


def _matches(pipe: IO[bytes], skip: int) -> Iterator[Match]:
    """Parse "COMMIT:path NUL number NUL text newline", again and again."""
    fields = _Fields(pipe)
    while (path := fields.until(b"\0")) is not None:
        number, text = fields.until(b"\0"), fields.until(b"\n", MAX_LINE_BYTES)
        if number is None or text is None:  # git was killed
            return
        yield Match(decode(path[skip:]), int(number), decode(text))


class _Fields:
    """Cuts what a pipe gives at separators that change from field to field."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._buffer = b""
        self._at = 0

    def until(self, end: bytes, keep: int | None = None) -> bytes | None:
        """Return the bytes before the next `end`, no more than `keep` of them; None at the end."""
        field = b""
        while True:
            stop = self._buffer.find(end, self._at)
            piece = self._buffer[self._at : stop if stop >= 0 else None]
            field += piece if keep is None else piece[: keep - len(field)]
            if stop >= 0:
                self._at = stop + 1
                return field
            self._buffer, self._at = self._pipe.read1(CHUNK), 0  # type: ignore[attr-defined]
            if not self._buffer:
                return None
