"""Build the `Change` between two commits from one run of git, at any size.

Git writes the whole patch to a temporary file, which is mapped, not read: what stays in memory is
where each file's hunks are. They are parsed when somebody asks for them, one file at a time.
"""

import mmap
import re
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO

from reviewer.change import Change, FileChange, Hunk, Kind, Status
from reviewer.errors import GiveUp, TellUser
from reviewer.git import GitRepo
from reviewer.patch import Buffer, RawEntry, Section, hunks, raw_entries, sections
from reviewer.revisions import merge_bases
from reviewer.text import printable

DIFF_TIMEOUT_S = 300.0
MAX_PATCH_BYTES = 2 << 30

BIG_FILE_BYTES = 8 << 20
"""Where a change is too much for git, files above this are set aside; see `build_change`."""

RENAME_LIMIT = 1000
"""Git's own default: beyond 1000 candidates on a side, only exact renames are found."""

OPTIONS = (
    "--raw",
    "--patch",
    "-z",
    "--no-abbrev",
    "--full-index",
    # What GitHub's diff is made with. Git's defaults today, spelled out: the hunks must be GitHub's
    # whatever a later git prefers, since they say which lines take a comment.
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=default",
    "--indent-heuristic",
    "--find-renames=50%",
    f"-l{RENAME_LIMIT}",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--submodule=short",
    "--ignore-submodules=none",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_EMPTY_BLOBS = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)

_LINK, _SUBMODULE = "120000", "160000"

_STATUS = {
    "A": Status.ADDED,
    "D": Status.DELETED,
    "M": Status.MODIFIED,
    "R": Status.RENAMED,
    "T": Status.TYPE_CHANGED,
}


@dataclass(frozen=True, slots=True)
class Start:
    """The commit that `head` is compared with, and what the reader should know about it."""

    commit: str
    notes: tuple[str, ...] = ()


def unrelated(base: str, head: str) -> Start:
    """Return the start of a change whose two commits have no common ancestor."""
    note = (
        f"{base[:12]} and {head[:12]} have no common ancestor: their files are compared directly."
    )
    return Start(base, (note,))


def build_change(repo: GitRepo, base: str, head: str, start: Start | None = None) -> Change:
    """Return what `head` adds since it left `base`; both are full names of commits.

    Where that was is looked up in the history, unless `start` says so: then `base` itself need not
    be in the repository. TellUser if objects or history are missing (nothing is fetched), GiveUp
    if git takes more than DIFF_TIMEOUT_S or MAX_PATCH_BYTES. The patch's temporary file lives as
    long as the `Change`.
    """
    for name in (base, head, *([start.commit] if start else [])):
        if not _SHA.fullmatch(name):
            raise ValueError(f"not a full object name: {name!r}")
    start = start or compared_from(repo, base, head)
    notes = list(start.notes)
    with tempfile.TemporaryFile(prefix="rlm-patch-") as spool:
        try:
            said = _diff(repo, spool, start.commit, head)
        except GiveUp as error:
            # One file can be the cause, and its author may mean it: then the others still count.
            spool.seek(0)
            spool.truncate()
            option = f"core.bigFileThreshold={BIG_FILE_BYTES}"
            said = _diff(repo, spool, start.commit, head, "-c", option)
            notes.append(
                f"Files of more than {BIG_FILE_BYTES >> 20} MiB are taken for binary here, because "
                f"the whole was too much: {error}"
            )
        data: Buffer = b""
        if spool.seek(0, 2):  # nothing cannot be mapped
            data = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
    if "rename detection was skipped" in said:
        notes.append(
            f"More than {RENAME_LIMIT} files were added or deleted: a file that was renamed and "
            "edited appears as one deleted and one added."
        )
    return Change(base, head, start.commit, tuple(_files(data)), tuple(notes))


def _diff(repo: GitRepo, spool: IO[bytes], start: str, head: str, *options: str) -> str:
    args = (*options, "diff", *OPTIONS, start, head, "--")
    return repo.run_into(spool, *args, timeout_s=DIFF_TIMEOUT_S, max_bytes=MAX_PATCH_BYTES)


def compared_from(repo: GitRepo, base: str, head: str) -> Start:
    """Return where a head has left a base; TellUser where the history does not reach so far."""
    found = merge_bases(repo, base, head)
    if not found and repo.is_shallow:
        raise TellUser(
            "This is a shallow clone, and it does not reach back to where the two commits part.",
            f"Run `git -C {shlex.quote(printable(str(repo.path)))} fetch --unshallow`.",
        )
    if not found:
        return unrelated(base, head)
    if len(found) > 1:
        note = (
            f"The two commits have {len(found)} nearest common ancestors; the change is counted "
            f"from {found[0][:12]}, as git does."
        )
        return Start(found[0], (note,))
    return Start(found[0])


def _files(data: Buffer) -> Iterator[FileChange]:
    """Give each entry its sections. One that fits no section is broken; the others are unharmed."""
    entries, at = raw_entries(data)
    found = list(sections(data, at))
    next_section = 0
    for entry in entries:
        expected = _expected(entry)
        own = found[next_section : next_section + len(expected)]
        if [section.shas for section in own] != expected:
            yield _file(entry, [], data, "git's patch has it not where it belongs")
            continue
        next_section += len(expected)
        error = next((section.error for section in own if section.error), None)
        yield _file(entry, own, data, error)


def _expected(entry: RawEntry) -> list[tuple[str, str] | None]:
    """Return the object names that stand in the headers of an entry's sections."""
    absent = "0" * len(entry.old_sha)
    if entry.status == "T":  # printed as a deletion and an addition
        return [(entry.old_sha, absent), (absent, entry.new_sha)]
    if entry.old_sha == entry.new_sha:  # only its name or mode changed
        return [None]
    return [(entry.old_sha, entry.new_sha)]


def _file(entry: RawEntry, own: list[Section], data: Buffer, error: str | None) -> FileChange:
    modes = [entry.old_mode if entry.status == "D" else entry.new_mode]
    if entry.status == "T":
        modes.insert(0, entry.old_mode)
    parts = [] if error else list(zip(modes, own, strict=True))
    # A submodule's hunk is two commit names that git writes as if they were lines of a file.
    readable = [(mode, part) for mode, part in parts if part.hunk_count and mode != _SUBMODULE]
    kind = _kind(entry, parts, readable)
    if kind is Kind.BROKEN and error is None:
        error = "git's patch says nothing of its content"
    path = entry.new_path
    ranges = [(part.start, part.stop) for _, part in readable]
    return FileChange(
        path=path,
        old_path=None if entry.status == "A" else entry.old_path,
        new_path=None if entry.status == "D" else entry.new_path,
        status=_STATUS[entry.status],
        kind=kind,
        old_mode=_present(entry.old_mode),
        new_mode=_present(entry.new_mode),
        old_sha=_present(entry.old_sha),
        new_sha=_present(entry.new_sha),
        added=sum(part.added for _, part in readable),
        deleted=sum(part.deleted for _, part in readable),
        hunk_count=sum(part.hunk_count for _, part in readable),
        similarity=entry.similarity,
        error=error,
        parse=partial(_parse, path, data, ranges),
    )


_Part = tuple[str, Section]
"""A section, and the mode that its file has on the side it tells of."""


def _kind(entry: RawEntry, parts: list[_Part], readable: list[_Part]) -> Kind:
    """Judge by the head's side, unless only the base's can be read (a file became a submodule)."""
    if readable:
        return Kind.SYMLINK if readable[-1][0] == _LINK else Kind.TEXT
    if parts and parts[-1][0] == _SUBMODULE:
        return Kind.SUBMODULE
    if parts and parts[-1][1].is_binary:
        return Kind.BINARY
    if parts and entry.old_sha == entry.new_sha and entry.status != "T":
        return Kind.RENAME_ONLY if entry.status == "R" else Kind.MODE_ONLY
    if parts and entry.status != "M" and {entry.old_sha, entry.new_sha} & _EMPTY_BLOBS:
        return Kind.EMPTY
    return Kind.BROKEN


def _present(name: str) -> str | None:
    """Return None for the zeros that git writes where a file is absent."""
    return name if name.strip("0") else None


def _parse(path: str, data: Buffer, ranges: list[tuple[int, int]]) -> tuple[Hunk, ...]:
    return hunks(path, [data[start:stop] for start, stop in ranges], len(data))
