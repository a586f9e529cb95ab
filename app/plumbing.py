"""Write commits and references with git's plumbing: no hook, filter, signature or network.

Nothing here checks anything out, reads a work tree or touches its index. Objects that no reference
names do no harm; the reference comes last, and only if it is what it was expected to be.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from reviewer.errors import GiveUp, TellUser
from reviewer.refactor.patch import Commit, Files
from reviewer.text import decode, encode, printable

TIMEOUT_S = 120.0
SAID_CHARACTERS = 500

_SHA = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_IDENTITY = re.compile(r"(.*) <([^<>]*)> \d+ [+-]\d{4}", re.DOTALL)

_SETTINGS = {
    "commit.gpgSign": "false",
    "core.attributesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.sparseCheckout": "false",
    "core.splitIndex": "false",
    "gc.auto": "0",
    "i18n.commitEncoding": "UTF-8",
    "maintenance.auto": "false",
    "protocol.allow": "never",
}


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits; `date` as git takes it, None for now."""

    name: str
    email: str
    date: str | None = None


NOBODY = Author("rlm", "rlm@localhost", "2000-01-01T00:00:00+00:00")
"""Of commits that only we look at."""


class Plumbing:
    """One git directory, to be written to."""

    def __init__(self, git_dir: Path) -> None:
        self.git_dir = git_dir
        self._env = environment() | {"GIT_DIR": str(git_dir)}

    @classmethod
    def apart(cls, folder: Path, objects: Path, like: str, *, writes_there: bool = False) -> Self:
        """Make a git directory in an empty folder that has the objects of another one, and none of
        its configuration, attributes and hooks; `like` is the name of a commit in it.

        New objects are its own; with `writes_there` they are the other one's.
        """
        made = cls.alone(folder, like)
        if writes_there:
            made._env |= {"GIT_OBJECT_DIRECTORY": str(objects)}
            return made
        (folder / "objects" / "info").mkdir(exist_ok=True)
        (folder / "objects" / "info" / "alternates").write_bytes(bytes(objects) + b"\n")
        return made

    @classmethod
    def alone(cls, folder: Path, like: str) -> Self:
        """Make a git directory in an empty folder that has no objects; `like` is the name of a
        commit of a repository whose names are as long.
        """
        made = cls(folder)
        kind = "sha256" if len(like) == 64 else "sha1"
        made.run("init", "--quiet", "--bare", f"--object-format={kind}", "--template=")
        return made

    def run(self, *args: str | bytes, stdin: bytes = b"", **more: str) -> bytes:
        """Return git's stdout; raise GiveUp with its own words where it fails."""
        done = run(args, self._env | more, self.git_dir, stdin)
        if done.returncode:
            raise GiveUp(f"git {words(args)} failed: {said(done.stderr)}")
        return done.stdout

    def commits(self, start: str, commits: Sequence[Commit], author: Author) -> list[str]:
        """Write commits on top of one another and return their names; no reference has them."""
        names = []
        with tempfile.TemporaryDirectory(prefix="rlm-index-") as folder:
            index = str(Path(folder) / "index")
            self.run("read-tree", start, GIT_INDEX_FILE=index)
            parent = start
            for commit in commits:
                files = {edit.path: edit.after for edit in commit.files}
                tree = self._tree(files, start, index, Path(folder))
                parent = self._commit(tree, parent, commit.message, author)
                names.append(parent)
        return names

    def snapshot(self, start: str, files: Files) -> str:
        """Write one commit that is the start with some files changed, and return its name."""
        with tempfile.TemporaryDirectory(prefix="rlm-index-") as folder:
            index = str(Path(folder) / "index")
            self.run("read-tree", start, GIT_INDEX_FILE=index)
            tree = self._tree(files, start, index, Path(folder))
            return self._commit(tree, start, "a state of the work", NOBODY)

    def root(self, files: Files) -> str:
        """Write one commit with these files and nothing else, on top of none; return its name."""
        nothing = _name(self.run("mktree"))
        return self.snapshot(self._commit(nothing, "", "nothing", NOBODY), files)

    def create(self, reference: str, commit: str) -> None:
        """Make a reference that is not there yet, in one step; raise GiveUp if it is by now."""
        order = f"create {reference}\0{commit}\0".encode()
        self.run("update-ref", "-m", "rlm", "-z", "--stdin", stdin=order)

    def _tree(self, files: Files, start: str, index: str, folder: Path) -> str:
        blobs = {path: blob for path, blob in files.items() if blob is not None}
        for number, blob in enumerate(blobs.values()):
            (folder / f"{number}").write_bytes(blob.data)
        names = "".join(f"{folder / str(number)}\n" for number in range(len(blobs))).encode()
        written = self.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names)
        shas = dict(zip(blobs, written.split(), strict=True))
        # What goes comes first: a file may make room for a folder of its name.
        nothing = b"0" * len(start)
        lines = [b"0 %s\t%s\0" % (nothing, encode(path)) for path in files]
        lines += [
            b"%s %s\t%s\0" % (blob.mode.encode(), shas[path], encode(path))
            for path, blob in blobs.items()
        ]
        self.run("update-index", "-z", "--index-info", stdin=b"".join(lines), GIT_INDEX_FILE=index)
        return _name(self.run("write-tree", GIT_INDEX_FILE=index))

    def _commit(self, tree: str, parent: str, message: str, author: Author) -> str:
        who = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_COMMITTER_NAME": author.name,
            "GIT_COMMITTER_EMAIL": author.email,
        }
        if author.date is not None:
            who |= {"GIT_AUTHOR_DATE": author.date, "GIT_COMMITTER_DATE": author.date}
        text = printable(message).encode() + b"\n"
        on = ("-p", parent) if parent else ()
        args = ("commit-tree", "--no-gpg-sign", tree, *on, "-F", "-")
        return _name(self.run(*args, stdin=text, **who))


def environment() -> dict[str, str]:
    """Return all that a git of ours sees of its surroundings; the repository's own configuration
    counts, so that objects and references are written as it keeps them."""
    pairs = {"GIT_CONFIG_COUNT": str(len(_SETTINGS))}
    for number, (key, value) in enumerate(_SETTINGS.items()):
        pairs[f"GIT_CONFIG_KEY_{number}"] = key
        pairs[f"GIT_CONFIG_VALUE_{number}"] = value
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_PAGER": "cat",
        **pairs,
    }


def author_of(git_dir: Path, environ: Mapping[str, str]) -> Author | None:
    """Return who the user is to git, by their own configuration; None if git does not know."""
    kept = ("HOME", "XDG_CONFIG_HOME", "EMAIL", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM")
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")
    env = environment()
    for name in ("HOME", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"):
        del env[name]
    env |= {name: environ[name] for name in (*kept, *names) if name in environ}
    settings = int(env["GIT_CONFIG_COUNT"])
    # Without it git makes a name up out of the login and the machine.
    env |= {
        "GIT_CONFIG_COUNT": str(settings + 1),
        f"GIT_CONFIG_KEY_{settings}": "user.useConfigOnly",
        f"GIT_CONFIG_VALUE_{settings}": "true",
        "GIT_DIR": str(git_dir),
    }
    done = run(("var", "GIT_AUTHOR_IDENT"), env, git_dir, b"")
    found = _IDENTITY.fullmatch(decode(done.stdout).strip())
    if done.returncode or found is None or not found[1] or not found[2]:
        return None
    return Author(found[1], found[2])


def run(
    args: Sequence[str | bytes], env: Mapping[str, str], cwd: Path, stdin: bytes
) -> "subprocess.CompletedProcess[bytes]":
    """Run git and return how it ended; raise TellUser where there is none, GiveUp if too slow."""
    try:
        return subprocess.run(
            ["git", *args],
            cwd=cwd,
            env=dict(env),
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise TellUser(
            "The program git was not found.", "Install git, or put it on the PATH."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise GiveUp(f"git {words(args)} took longer than {TIMEOUT_S:g} s.") from error


def said(stderr: bytes) -> str:
    """Return what git complained about, on one line."""
    return " ".join(printable(decode(stderr)).split())[:SAID_CHARACTERS]


def words(args: Sequence[str | bytes]) -> str:
    """Return the name of a command, without options."""
    return next((one for one in args if isinstance(one, str) and not one.startswith("-")), "")


def _name(out: bytes) -> str:
    name = out.strip()
    if not _SHA.fullmatch(name):
        raise GiveUp(f"git wrote {out[:80]!r} in place of an object's name.")
    return name.decode("ascii")
