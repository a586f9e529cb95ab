"""One large bare repository out of the trees of many, and a second commit that changes a part."""

import os
import random
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reviewer.context.tree import source_language

SHARE = 0.01
"""Of the source files that the second commit changes."""

SEED = 4

_PERSON = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "benchmark"),
        ("EMAIL", "b@example.com"),
        ("DATE", "1700000000 +0000"),
    )
}


@dataclass(frozen=True, slots=True)
class Joined:
    """The repository: its commits `first` and `second`, and `part`, with `part_sources` of them."""

    git: Path
    first: str
    second: str
    part: str
    files: int
    sources: int
    part_sources: int
    changed: int


def join(gits: Sequence[Path], into: Path, part_sources: int) -> Joined:
    """Make the repository in the folder `into`, which must not exist; each tree in its folder."""
    subprocess.run(["git", "init", "-q", "--bare", str(into)], check=True)
    stores = [str(git / "objects") for git in gits]
    env = {**os.environ, **_PERSON, "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(stores)}
    rows = [row for number, git in enumerate(gits) for row in _rows(git, f"{number:02}")]
    sources = [row for row in rows if source_language(_path(row))]
    some = (
        rows[: rows.index(sources[part_sources - 1]) + 1] if len(sources) > part_sources else rows
    )
    first, part = _commit(into, rows, env, "first"), _commit(into, some, env, "part")
    changed = random.Random(SEED).sample(sources, round(SHARE * len(sources)))
    second = _changed(into, first, changed, env)
    # Not repack: where a store is a partial clone's, that takes over everything in it.
    tips = "".join(f"{tip}\n" for tip in (first, second, part)).encode()
    _git(into, "pack-objects", "--revs", "-q", f"{into}/objects/pack/pack", feed=tips, env=env)
    _git(into, "prune-packed", "-q")
    counted = min(part_sources, len(sources))
    return Joined(into, first, second, part, len(rows), len(sources), counted, len(changed))


def _rows(git: Path, prefix: str) -> Iterable[str]:
    """Yield "mode blob TAB path" of the regular files that are there, below a folder."""
    listed = _git(git, "ls-tree", "-r", "-z", "HEAD").decode("utf-8", "surrogateescape").split("\0")
    rows = [
        (head.split(), path) for head, _, path in (row.partition("\t") for row in listed if row)
    ]
    files = [(head[0], head[2], path) for head, path in rows if head[0].startswith("100")]
    asked = "".join(f"{sha}\n" for _, sha, _ in files).encode()
    known = _git(git, "cat-file", "--batch-check", "--buffer", feed=asked).splitlines()
    for (mode, sha, path), said in zip(files, known, strict=True):
        if not said.endswith(b"missing"):
            yield f"{mode} {sha}\t{prefix}/{path}"


def _path(row: str) -> str:
    return row.partition("\t")[2]


def _commit(git: Path, rows: Iterable[str], env: dict[str, str], name: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        own = {**env, "GIT_INDEX_FILE": str(Path(folder, "index"))}
        fed = "".join(f"{row}\0" for row in rows).encode("utf-8", "surrogateescape")
        _git(git, "update-index", "-z", "--index-info", feed=fed, env=own)
        tree = _git(git, "write-tree", env=own).decode().strip()
        commit = _git(git, "commit-tree", tree, "-m", name, env=own).decode().strip()
    _git(git, "update-ref", f"refs/heads/{name}", commit)
    return commit


def _changed(git: Path, first: str, rows: Sequence[str], env: dict[str, str]) -> str:
    """Commit the files with a line more at their ends."""
    parts = [b"commit refs/heads/second\ncommitter b <b@example.com> 1700000001 +0000\n"]
    parts.append(f"data 6\nsecond\nfrom {first}\n".encode())
    for row in rows:
        mode, sha = row.partition("\t")[0].split()
        text = _git(git, "cat-file", "blob", sha, env=env) + b"\nadded_by_the_second = 1\n"
        quoted = _path(row).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        parts.append(f'M {mode} inline "{quoted}"\n'.encode("utf-8", "surrogateescape"))
        parts.append(b"data %d\n%s\n" % (len(text), text))
    _git(git, "fast-import", "--quiet", feed=b"".join(parts), env=env)
    return _git(git, "rev-parse", "refs/heads/second").decode().strip()


def _git(
    git: Path, *args: str, feed: bytes | None = None, env: dict[str, str] | None = None
) -> bytes:
    command = ["git", f"--git-dir={git}", *args]
    return subprocess.run(command, input=feed, capture_output=True, check=True, env=env).stdout
