"""Write the end of a patch to the user's work tree: everything or nothing, and nobody's changes.

Bytes are compared and written by us, not by git: no filter, hook or conversion runs. A file that
is not, byte for byte, what the commit has is somebody's work, and nothing is written then.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.plumbing import environment, run, said
from reviewer.errors import TellUser
from reviewer.git import open_repo
from reviewer.gitdir import find
from reviewer.refactor.patch import Blob, FileEdit, Patch
from reviewer.revisions import resolve
from reviewer.text import decode, encode, printable

NAMED = 5
PATHS_AT_ONCE = 200

_EXECUTABLE = 0o111
_COMMIT_FIRST = (
    "Commit or stash them first, or use --branch NAME, which leaves the work tree alone."
)


def work_tree(repo: str) -> Path:
    """Return the top of the work tree that a path lies in; TellUser where there is none."""
    git_dir = find(Path(repo)).own
    env = environment()
    done = run(("rev-parse", "--show-toplevel"), env, Path(repo).resolve(), b"")
    top = Path(decode(done.stdout.removesuffix(b"\n")))
    if done.returncode or not top.is_dir():
        why = said(done.stderr)
        raise TellUser(
            f"There is no work tree to write to in {printable(str(git_dir))}: {why}",
            "Use --branch NAME, or --format patch.",
        )
    return top


def apply(patch: Patch, repo: str) -> list[str]:
    """Write what the patch makes of the files to the work tree; return their paths.

    TellUser, and nothing is written, where the work tree is at another commit, a file was changed,
    something lies where a new file goes, or a folder on the way is a link.
    """
    top = work_tree(repo)
    with open_repo(repo) as opened:
        if resolve(opened, "HEAD") != patch.start:
            raise TellUser(
                "HEAD is at another commit than when this run began.",
                "Run it again: what was answered is kept, and what is still so costs nothing.",
            )
    edits = patch.changed
    _refuse_swaps(edits)
    _refuse_staged(top, repo, patch.start, [edit.path for edit in edits])
    with _Folders(top) as folders:
        dirty = [edit.path for edit in edits if not folders.is_as(edit.path, edit.before)]
        if dirty:
            if away := _not_checked_out(top, repo, dirty):
                raise TellUser(
                    f"{_named(away)}: not in this sparse checkout.",
                    "Use --branch NAME, or check the files out (`git sparse-checkout add`).",
                )
            raise TellUser(f"{_named(dirty)}: changed since the commit.", _COMMIT_FIRST)
        _write(edits, folders)
    return [edit.path for edit in edits]


def _refuse_swaps(edits: Sequence[FileEdit]) -> None:
    """Refuse what puts a folder in the place of a file, or the reverse: no step of it is small."""
    there = {edit.path for edit in edits if edit.after is not None}
    gone = {edit.path for edit in edits if edit.after is None}
    for path in sorted(there | gone):
        others = gone if path in there else there
        above = ["/".join(path.split("/")[:n]) for n in range(1, path.count("/") + 1)]
        if both := others.intersection(above):
            raise TellUser(
                f"A folder and a file change places at {_named(sorted(both))}.",
                "Use --branch NAME: git does that when the branch is checked out.",
            )


def _refuse_staged(top: Path, repo: str, start: str, paths: Sequence[str]) -> None:
    env = environment() | {
        "GIT_DIR": str(find(Path(repo)).own),
        "GIT_WORK_TREE": str(top),
        "GIT_LITERAL_PATHSPECS": "1",
    }
    staged: list[str] = []
    for at in range(0, len(paths), PATHS_AT_ONCE):
        some = [encode(path) for path in paths[at : at + PATHS_AT_ONCE]]
        args: list[str | bytes] = ["diff-index", "--cached", "--name-only", "-z", start, "--"]
        args += some
        done = run(args, env, top, b"")
        if done.returncode:
            raise TellUser(f"The index cannot be read: {said(done.stderr)}", "See `git status`.")
        staged += [decode(one) for one in done.stdout.split(b"\0") if one]
    if staged:
        raise TellUser(f"{_named(staged)}: changes are staged.", _COMMIT_FIRST)


def _not_checked_out(top: Path, repo: str, paths: Sequence[str]) -> list[str]:
    """Return which files the index has and the work tree is not to have."""
    env = environment() | {
        "GIT_DIR": str(find(Path(repo)).own),
        "GIT_WORK_TREE": str(top),
        "GIT_LITERAL_PATHSPECS": "1",
    }
    some = [encode(path) for path in paths[:PATHS_AT_ONCE]]
    done = run(["ls-files", "-t", "-z", "--", *some], env, top, b"")
    if done.returncode:
        return []  # all that is lost is the better word
    return [decode(one[2:]) for one in done.stdout.split(b"\0") if one.startswith(b"S ")]


def _named(paths: Sequence[str]) -> str:
    named = ", ".join(printable(path) for path in paths[:NAMED])
    return f"{named} and {len(paths) - NAMED} more" if paths[NAMED:] else named


@dataclass(frozen=True)
class _Staged:
    """A file written beside its place, not yet in it."""

    edit: FileEdit
    name: str


def _write(edits: Sequence[FileEdit], folders: "_Folders") -> None:
    """Write all files beside their places, then put all in place; undo what an error leaves."""
    staged: list[_Staged] = []
    placed: list[FileEdit] = []
    modes = {edit.path: folders.mode(edit.path) for edit in edits if edit.before is not None}
    try:
        for edit in edits:
            if edit.after is not None:
                staged.append(
                    _Staged(edit, folders.stage(edit.path, edit.after, modes.get(edit.path)))
                )
        # What goes comes first: less is on the disk then.
        for edit in sorted(edits, key=lambda one: one.after is not None):
            placed.append(edit)
            name = next((one.name for one in staged if one.edit is edit), None)
            folders.put(edit.path, name)
    except BaseException as error:  # Ctrl-C, too, leaves nothing half done
        _undo(edits, placed, staged, modes, folders)
        if not isinstance(error, OSError):
            raise
        where = printable(str(error.filename or "a file"))
        raise TellUser(
            f"The work tree cannot be written ({where}: {error.strerror}); it is as it was.",
            "Put that right, or use --branch NAME.",
        ) from error
    for edit in edits:
        if edit.after is None:
            folders.prune(edit.path)


def _undo(
    edits: Sequence[FileEdit],
    placed: Sequence[FileEdit],
    staged: Sequence[_Staged],
    modes: Mapping[str, int | None],
    folders: "_Folders",
) -> None:
    for edit in reversed(placed):
        with contextlib.suppress(OSError):
            if edit.before is None:
                folders.put(edit.path, None)
            else:
                name = folders.stage(edit.path, edit.before, modes.get(edit.path))
                folders.put(edit.path, name)
    for one in staged:
        folders.discard(one)
    for edit in edits:
        if edit.before is None:
            folders.prune(edit.path)


class _Folders:
    """The folders of a work tree, opened step by step so that no link leads out of it."""

    def __init__(self, top: Path) -> None:
        self._top = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> "_Folders":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._top)

    def is_as(self, path: str, blob: Blob | None) -> bool:
        """Is a file what a commit has there? None: nothing of that name is there."""
        try:
            with self._parent(path) as (folder, name):
                file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            return blob is None
        except OSError:  # a link, a file in place of a folder, nothing that may be read
            return False
        status = os.fstat(file)
        if blob is None or not stat.S_ISREG(status.st_mode):
            os.close(file)
            return False
        with os.fdopen(file, "rb") as opened:
            is_program = blob.mode == "100755"
            return opened.read() == blob.data and bool(status.st_mode & 0o100) == is_program

    def mode(self, path: str) -> int | None:
        """Return who may do what with a file; None if it is not there."""
        try:
            with self._parent(path) as (folder, own):
                return stat.S_IMODE(os.stat(own, dir_fd=folder, follow_symlinks=False).st_mode)
        except OSError:
            return None

    def stage(self, path: str, blob: Blob, known: int | None) -> str:
        """Write a file beside its place, under a name that nobody has; return the name.

        `known` is the mode that it had.
        """
        name = f".rlm-{secrets.token_hex(8)}"
        with self._parent(path, make=True) as (folder, _):
            mode = 0o777 if blob.mode == "100755" else 0o666
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, mode, dir_fd=folder)
            try:
                with os.fdopen(file, "wb") as opened:
                    opened.write(blob.data)
                    if known is not None:
                        os.fchmod(opened.fileno(), known)
                    opened.flush()
                    os.fsync(opened.fileno())
            except OSError:
                os.unlink(name, dir_fd=folder)
                raise
        return name

    def put(self, path: str, name: str | None) -> None:
        """Put what was staged in its place; without a name, remove what is there."""
        with self._parent(path) as (folder, own):
            if name is None:
                os.unlink(own, dir_fd=folder)
            else:
                os.rename(name, own, src_dir_fd=folder, dst_dir_fd=folder)

    def discard(self, staged: _Staged) -> None:
        """Remove what was staged, if it is still there."""
        with contextlib.suppress(OSError), self._parent(staged.edit.path) as (folder, _):
            os.unlink(staged.name, dir_fd=folder)

    def prune(self, path: str) -> None:
        """Remove the folders that a removed file leaves empty."""
        while "/" in path:
            path = path.rpartition("/")[0]
            with contextlib.suppress(OSError):
                with self._parent(path) as (folder, own):
                    os.rmdir(own, dir_fd=folder)
                continue
            return

    @contextlib.contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, bytes]]:
        *folders, name = encode(path).split(b"/")
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        at = os.dup(self._top)
        try:
            for one in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(one, dir_fd=at)
                below = os.open(one, flags, dir_fd=at)
                os.close(at)
                at = below
            yield at, name
        finally:
            os.close(at)
