"""The trees of a repository's commits in memory, each blob read once."""

import subprocess
from pathlib import Path

from reviewer.languages import language_of
from reviewer.parsing.languages import STRATEGIES

_SETTINGS = ("go.mod", "package.json", "tsconfig.json", "pyproject.toml", "setup.cfg", "setup.py")
MAX_BYTES = 1_000_000


class Store:
    """Source files and settings of commits; a blob that two trees share is one object."""

    def __init__(self, gitdir: Path) -> None:
        self._gitdir = gitdir
        self._blobs: dict[str, bytes] = {}

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Return what git prints; raise CalledProcessError."""
        command = ["git", f"--git-dir={self._gitdir}", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def commits(self, count: int) -> list[tuple[str, str]]:
        """Return the last commits with one parent, newest first, each with that parent."""
        shown = self.git("rev-list", "--no-merges", "--parents", f"--max-count={count}", "HEAD")
        pairs = [line.split() for line in shown.decode().splitlines()]
        return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]

    def tree(self, commit: str) -> dict[str, bytes]:
        """Return the source and settings files of a commit by path."""
        wanted = {}
        for row in self.git("ls-tree", "-r", "-z", "-l", commit).split(b"\0"):
            meta, _, name = row.partition(b"\t")
            path = name.decode("utf-8", "surrogateescape")
            fields = meta.split()
            if len(fields) == 4 and fields[1] == b"blob" and fields[0] != b"120000":
                source = language_of(path) in STRATEGIES or path.endswith(_SETTINGS)
                if source and int(fields[3]) <= MAX_BYTES:
                    wanted[path] = fields[2].decode()
        self._fetch(sorted(set(wanted.values()) - set(self._blobs)))
        return {path: self._blobs[sha] for path, sha in wanted.items()}

    def _fetch(self, shas: list[str]) -> None:
        if not shas:
            return
        out = self.git("cat-file", "--batch", stdin="\n".join(shas).encode())
        at = 0
        for sha in shas:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            self._blobs[sha] = out[end + 1 : end + 1 + size]
            at = end + 2 + size
