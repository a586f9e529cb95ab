"""A small builder of real git repositories, for tests that need one."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

WHO = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    # Fixed dates: the same files give the same commit names in every run.
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+00:00",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+00:00",
}


class Repo:
    """A repository with a work tree at `path`; its first branch is `main`, and nothing is in it."""

    def __init__(self, path: Path, *init_options: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *init_options)

    def git(self, *args: str | bytes, stdin: bytes | None = None) -> bytes:
        """Run git in the work tree and return its stdout without the last newline."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={
                **WHO,
                "PATH": os.environ["PATH"],
                "HOME": os.devnull,
                "LC_ALL": "C",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
            },
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"git {args} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout.removesuffix(b"\n")

    def write(self, path: str | bytes, content: bytes | str = b"", mode: int = 0o644) -> Path:
        """Write a file of the work tree, its folders with it. Str content is written as UTF-8."""
        target = self.path / os.fsdecode(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        return target

    def link(self, path: str | bytes, target: str | bytes) -> Path:
        """Make `path` a symlink to `target`, in place of whatever was there."""
        place = self.path / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(os.fsdecode(target))
        return place

    def remove(self, path: str | bytes) -> None:
        """Delete a file of the work tree."""
        (self.path / os.fsdecode(path)).unlink()

    def commit(self, message: str = "a commit") -> str:
        """Commit the whole work tree as it is, even if nothing changed; return the full name."""
        self.git("add", "--all", "--force")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.sha("HEAD")

    def commit_tree(self, tree: str, *parents: str, message: str = "a commit") -> str:
        """Make a commit of a tree object, touching neither branch nor work tree."""
        options = [option for parent in parents for option in ("-p", parent)]
        return self.git("commit-tree", tree, *options, "-m", message).decode()

    def sha(self, revision: str) -> str:
        """Return the full object name of a revision."""
        return self.git("rev-parse", "--verify", revision).decode()


def mortal_git(folder: Path, words: str, times: int = 1) -> Path:
    """Return a folder for the PATH whose git is killed so many times in the middle of its answer
    when its arguments hold `words`, as if by whoever frees memory, and is the real one otherwise.

    A file `died` in it has an x for each time.
    """
    place = folder / "mortal"
    place.mkdir()
    real, died = (shlex.quote(str(one)) for one in (shutil.which("git"), place / "died"))
    (place / "git").write_text(
        "#!/bin/sh\n"
        f'case "$*" in *{shlex.quote(words)}*)\n'
        f"  touch {died}\n"
        f"  if test $(wc -c < {died}) -lt {times}; then\n"
        f"    printf x >> {died}\n"
        f'    test -p /dev/stdin || {real} "$@" | head -c 20\n'
        "    kill -9 $$\n"
        "  fi;;\n"
        "esac\n"
        f'exec {real} "$@"\n'
    )
    (place / "git").chmod(0o755)
    return place
