"""A git directory of our own that borrows another repository's objects and refs, and nothing else.

Git does what a repository's configuration says: it runs the programs named there (hooks, external
diffs, text conversions, fsmonitor), fetches what a partial clone lacks, hides files that an
attribute calls binary. Switching these off one by one is a list that is never complete. So no git
of ours ever runs in the repository under review: it runs in an empty bare repository in a
temporary folder, whose `objects`, `refs`, `packed-refs`, `shallow` and reflogs are symlinks, and
whose configuration we write. There is no work tree and no index, so no `.gitattributes` counts; no
remote, so nothing can be fetched; and git finds a folder that we own, so that a repository of
another user (a mounted volume, a CI cache) can be read without trusting it.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reviewer.errors import TellUser
from reviewer.text import decode, printable

HEAD_BYTES = 4096
"""A HEAD, .git or commondir file holds one line; a longer one is something else."""

HINT = "Name a folder of a git repository with --repo, or run the command inside one."

CONFIG_TIMEOUT_S = 10.0

_PSEUDO_REFS = ("FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")

_BORROWED_KEYS = re.compile(rb"branch\.(.+)\.(remote|merge)|remote\.(.+)\.(fetch)", re.DOTALL)
"""What `@{upstream}` needs. Subsections keep their case and may hold any character."""

_ADDRESS_KEY = re.compile(rb"remote\..+\.url", re.DOTALL)

_FORMAT_KEYS = {b"extensions.objectformat": "objectFormat", b"extensions.refstorage": "refStorage"}
"""The extensions without which git would misread objects or refs; all others are left out."""


@dataclass(frozen=True)
class GitDir:
    """Where a repository keeps its things. `own` differs from `common` in a linked worktree."""

    own: Path
    common: Path


@dataclass(frozen=True)
class Borrowed:
    """What the repository's own configuration says about its objects."""

    is_partial: bool  # a partial clone: objects may be missing, to be fetched when needed
    is_sha256: bool
    remotes: tuple[str, ...]  # addresses, to be told and never asked


def find(path: Path) -> GitDir:
    """Return the git directory that `path` is, contains, or lies below; TellUser if there is none.

    The same search that git makes, made here because git's own also runs its checks of ownership
    and reads configuration on the way.
    """
    try:
        start = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise TellUser(f"{printable(str(path))}: no such folder.", HINT) from error
    for folder in (start, *start.parents):
        for candidate in (_linked(folder / ".git"), folder):
            if candidate is not None and (found := _git_dir(candidate)) is not None:
                return found
    raise TellUser(f"{printable(str(path))} is not in a git repository.", HINT)


def _linked(dot_git: Path) -> Path | None:
    """Follow a `.git` file ("gitdir: PATH") of a worktree or submodule; a folder is itself."""
    if not dot_git.is_file():
        return dot_git
    line = _line(dot_git)
    if line is None or not line.startswith(b"gitdir: "):
        return None
    return dot_git.parent / os.fsdecode(line.removeprefix(b"gitdir: "))


def _git_dir(candidate: Path) -> GitDir | None:
    """Judge by what must be there: a HEAD, and objects and refs here or in the common folder."""
    try:
        if not os.path.lexists(candidate / "HEAD"):
            return None
        common = candidate
        if (candidate / "commondir").is_file():
            line = _line(candidate / "commondir")
            if line is None:
                return None
            common = candidate / os.fsdecode(line)
        if (common / "objects").is_dir() and (common / "refs").is_dir():
            return GitDir(candidate.resolve(), common.resolve())
    except PermissionError as error:
        raise TellUser(
            f"{printable(str(candidate))} cannot be read: permission denied.",
            "Run the command as a user who may read the repository.",
        ) from error
    return None


def _line(path: Path) -> bytes | None:
    try:
        if not path.is_file():  # opening a pipe waits for somebody who writes
            return None
        with path.open("rb") as file:
            text = file.read(HEAD_BYTES + 1)
    except OSError:
        return None
    return text.rstrip(b"\r\n") if 0 < len(text) <= HEAD_BYTES else None


def borrow(git_dir: GitDir, into: Path, environment: dict[str, str]) -> Borrowed:
    """Fill the empty folder `into`, so that it is a git directory."""
    own, common = git_dir.own, git_dir.common
    settings = list(_settings(common / "config", environment))
    (into / "HEAD").write_bytes(_head(own / "HEAD"))
    (into / "config").write_bytes(_config(settings))
    for name in ("objects", "refs", "packed-refs", "reftable", "shallow"):
        _symlink(into / name, common / name)
    for name in _PSEUDO_REFS:
        _symlink(into / name, own / name)
    (into / "logs").mkdir()
    _symlink(into / "logs" / "HEAD", own / "logs" / "HEAD")
    _symlink(into / "logs" / "refs", common / "logs" / "refs")
    return Borrowed(
        is_partial=any(
            key == b"extensions.partialclone" or key.endswith(b".promisor") for key, _ in settings
        ),
        is_sha256=(b"extensions.objectformat", b"sha256") in settings,
        remotes=tuple(decode(value) for key, value in settings if _ADDRESS_KEY.fullmatch(key)),
    )


def _symlink(link: Path, target: Path) -> None:
    # A dangling link would do for most; for `shallow` git would take it for a file it cannot read.
    if target.is_file() or target.is_dir():  # never a pipe, which git would wait for
        link.symlink_to(target)


def _head(path: Path) -> bytes:
    """Return HEAD's line; a HEAD that is a symlink (git before 2005 made those) as a ref."""
    if path.is_symlink() and not path.exists():
        return b"ref: " + os.fsencode(path.readlink()) + b"\n"
    line = _line(path)
    if line is None or not re.fullmatch(rb"ref: refs/[^\x00-\x20\x7f]+|[0-9a-f]{40,64}", line):
        raise TellUser(f"{printable(str(path))} is damaged.", "Try `git fsck` there.")
    return line + b"\n"


def _settings(config: Path, environment: dict[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """Read a configuration file as data: git parses it and obeys none of it."""
    if not config.is_file():
        return
    done = subprocess.run(
        ["git", "config", "--file", config, "--no-includes", "--null", "--list"],
        env=environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=CONFIG_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        why = printable(decode(done.stderr)).strip()
        raise TellUser(f"The repository's configuration cannot be read: {why}", "Repair the file.")
    for item in done.stdout.split(b"\0"):
        key, _, value = item.partition(b"\n")
        yield key, value


def _config(settings: list[tuple[bytes, bytes]]) -> bytes:
    """Write the configuration that our git runs with."""
    extensions = [
        b"\t%s = %s\n" % (_FORMAT_KEYS[key].encode(), _quoted(value))
        for key, value in settings
        if key in _FORMAT_KEYS
    ]
    out = [b"[core]\n\tbare = true\n\trepositoryFormatVersion = %d\n" % bool(extensions)]
    if extensions:
        out += [b"[extensions]\n", *extensions]
    for key, value in settings:
        if found := _BORROWED_KEYS.fullmatch(key):
            section = b"branch" if found[1] is not None else b"remote"
            name = (found[1] or found[3]).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            variable = found[2] or found[4]
            out.append(b'[%s "%s"]\n\t%s = %s\n' % (section, name, variable, _quoted(value)))
    return b"".join(out)


def _quoted(value: bytes) -> bytes:
    for plain, escaped in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\t", b"\\t")):
        value = value.replace(plain, escaped)
    return b'"' + value + b'"'
