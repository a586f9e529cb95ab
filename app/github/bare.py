"""A bare repository of ours, as the process that fetches works on it: git, through GitPython.

Blobs are left out by a filter, and git takes a repository without them for whole only where it
knows of a remote that promises the rest. It is told of one for the length of a fetch or a check,
in the environment: nobody else may ever be sent to the network for what is missing.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import git

from app.github.names import listed

NO_BLOBS = "--filter=blob:none"
NO_TREES = "--filter=tree:0"
WHOLE = "--no-filter"

_REMOTE = "origin"
_SUBMODULE = "160000"
_IGNORED = "filtering not recognized by server"

_PLAIN: dict[str, Any] = {"with_extended_output": True, "with_exceptions": False}
"""Have GitPython return (exit code, stdout, stderr), instead of an error that quotes them."""

Say = Callable[[str], None]


class Failed(Exception):
    """Git ended with an error; holds its own words."""


class Bare:
    """The bare repository at `path`, fetched into from `url`."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._git = git.Repo(path, expand_vars=False).git
        self._remote = _remote(url)

    @classmethod
    def made(cls, path: Path, url: str) -> "Bare":
        """Create the repository, or complete one whose creation was interrupted.

        The caller has it for itself: a lock file of git's own was left by one that was killed.
        """
        for stale in (*path.rglob("*.lock"), *path.glob("objects/pack/tmp_*")):
            stale.unlink(missing_ok=True)
        # Not Repo.init: whatever it is told, it expands variables in the path that it opens then.
        made = git.Git(os.sep).init("--quiet", "--bare", "--template=", env=_at(path), **_PLAIN)
        answer(made)
        return cls(path, url)

    def fetch(self, what: Sequence[str], *options: str) -> bool:
        """Fetch refspecs; False where the server knew no filter and sent whole files."""
        names = ("--end-of-options", _REMOTE, *what)
        return self._fetch(options, names, None)

    def fetch_listed(self, names: IO[bytes]) -> None:
        """Fetch the objects whose names a file lists, one a line, whatever else is here."""
        # Without negotiation: that we have commits says nothing of the blobs.
        env = {"fetch.negotiationAlgorithm": "noop"}
        self._fetch((NO_BLOBS, "--stdin"), ("--end-of-options", _REMOTE), names, env)

    def _fetch(
        self,
        options: Sequence[str],
        names: Sequence[str],
        stdin: IO[bytes] | None,
        settings: dict[str, str] | None = None,
    ) -> bool:
        fetched = self._git.fetch(
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            *options,
            *names,
            istream=stdin,
            env=_configured({**self._remote, **(settings or {})}) | _at(self._path),
            **_PLAIN,
        )
        answer(fetched)
        return _IGNORED not in fetched[2]

    def commit(self, name: str) -> str:
        """Return the commit that a reference or name means, "" if it is not here."""
        status, out, _ = self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return out if status == 0 else ""

    def point(self, ref: str, commit: str) -> None:
        """Have a reference of ours mean a commit that is here."""
        answer(self.ask("update-ref", ref, commit))

    def has_refs(self) -> bool:
        """Did an earlier fetch end well? Objects alone may lack what they point to."""
        args = ("--count=1", "--format=%(refname)", "refs/rlm")
        return bool(answer(self.ask("for-each-ref", *args)))

    def count(self, *commits: str) -> int:
        """Count the commits that are reached from some."""
        return int(answer(self.ask("rev-list", "--count", *commits)))

    def cut(self) -> set[str]:
        """Return the commits whose parents were left out."""
        shallow = self._path / "shallow"
        return set(shallow.read_text().split()) if shallow.exists() else set()

    def certain_base(self, base: str, head: str) -> str | None:
        """Return the merge base that the whole history would give, "" if there is none in it.

        None where that cannot be said yet: a cut history can hold an old common ancestor and miss
        the newest one. It is certain when neither side, down to what was found, reaches a commit
        whose parents were cut off.
        """
        found = answer(self.ask("merge-base", "--all", base, head), ok=(0, 1)).split()
        cut = self.cut()
        if cut:
            if not found:
                return None
            reached = answer(self.ask("rev-list", base, head, "--not", *found)).split()
            if not cut.isdisjoint(reached):
                return None
        return found[0] if found else ""

    def differing_blobs(self, start: str, head: str) -> list[str]:
        """Return the blobs at both ends of the files that differ between two commits, each once."""
        args = ("-r", "--raw", "-z", "--no-renames", "--no-abbrev", start, head, "--")
        fields = answer(self.ask("diff-tree", *args)).split("\0")
        found: dict[str, None] = {}
        for field in fields[::2]:
            if not field:
                continue
            old_mode, new_mode, old, new, _ = field.lstrip(":").split(" ")
            for mode, name in ((old_mode, old), (new_mode, new)):
                if mode != _SUBMODULE and name.strip("0"):
                    found[name] = None
        return list(found)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those of the objects that are not here."""
        with listed(names) as file:
            checked = self._git.cat_file("--batch-check", "--buffer", istream=file, **_PLAIN)
        lines = answer(checked).splitlines()
        return [line.partition(" ")[0] for line in lines if line.endswith(" missing")]

    def ask(self, command: str, *args: str) -> tuple[int, str, str]:
        """Run a command of git's; return its exit code, stdout and stderr."""
        done = getattr(self._git, command.replace("-", "_"))(*args, env=_at(self._path), **_PLAIN)
        return int(done[0]), str(done[1]), str(done[2])


def answer(result: tuple[int, str, str], ok: tuple[int, ...] = (0,)) -> str:
    """Return stdout, or raise Failed with git's words."""
    status, out, err = result
    if status not in ok:
        raise Failed(err or f"git ended with {status}")
    return out


def is_damaged(path: Path) -> bool:
    """Does git find fault with what is there? Then no fetch into it will ever end well."""
    if not os.path.lexists(path):
        return False
    env = _configured(_remote("")) | _at(path)
    checked = git.Git(os.sep).fsck("--connectivity-only", "--no-dangling", env=env, **_PLAIN)
    return bool(checked[0] > 0)  # below 0: it was killed, and has said nothing


def _remote(url: str) -> dict[str, str]:
    """Return the settings of a remote that promises what is missing here."""
    # With the filter among them git has nothing to note down in the repository's configuration.
    return {
        f"remote.{_REMOTE}.url": url,
        f"remote.{_REMOTE}.promisor": "true",
        f"remote.{_REMOTE}.partialCloneFilter": "blob:none",
    }


def _configured(settings: dict[str, str]) -> dict[str, str]:
    """Add settings to those in the environment of this process."""
    first = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    env = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _at(path: Path) -> dict[str, str]:
    """Name the repository, without which git takes none that is bare."""
    return {"GIT_DIR": str(path)}
