"""Real git: the bare repositories of the fake, the diffs it shows, and smart HTTP in front of them."""

import itertools
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
    "LC_ALL": "C",
}

# GitHub serves every object that it has by name, a commit of a fork among them, and lets a client
# leave blobs out.
SERVING = """
[uploadpack]
    allowAnySHA1InWant = true
    allowFilter = true
    hideRefs = refs/fake
"""

GONE = "0" * 40
_STATUS = {
    "A": "added",
    "C": "copied",
    "D": "removed",
    "M": "modified",
    "R": "renamed",
    "T": "changed",
}
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")

MAX_PATCH_LINES, MAX_PATCH_BYTES = 20_000, 500_000
"""A file with more than this has no patch, and so no line that takes a comment."""


@dataclass(frozen=True)
class Hunk:
    """Lines of one hunk. `left` and `right` are the line numbers that it shows on each side."""

    left: range
    right: range
    text: str

    def lines(self, side: str) -> range:
        """Return the lines of a side."""
        return self.left if side == "LEFT" else self.right


@dataclass(frozen=True)
class FileDiff:
    """One file of a pull request. `patch` is None where GitHub sends none."""

    path: str
    old_path: str | None
    status: str
    blob: str
    additions: int
    deletions: int
    patch: str | None
    hunks: tuple[Hunk, ...]


def git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    """Run git in a folder and return its output."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENV, input=data, capture_output=True, check=False
    )
    assert done.returncode == 0, f"git {arguments[:3]}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def create(folder: Path, *, shares_with: Path | None = None) -> None:
    """Make a bare repository; a fork finds the objects of its network in another one."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "--template=")
    with (folder / "config").open("a") as config:
        config.write(SERVING)
    if shares_with is not None:
        (folder / "objects/info").mkdir(exist_ok=True)
        (folder / "objects/info/alternates").write_text(f"{shares_with / 'objects'}\n")


def commit(
    folder: Path,
    files: Mapping[str, bytes],
    parents: Sequence[str],
    message: str,
    modes: Mapping[str, str],
) -> str:
    """Write a commit of a tree that holds exactly `files`; a name may hold slashes.

    `modes` are those that differ from 100644: the content of a 120000 is the link's target, that
    of a 160000 the name of the submodule's commit.
    """
    stream = f"commit refs/fake/new\nmark :1\ncommitter A <a@example.com> {1_700_000_000} +0000\n".encode()
    text = message.encode()
    stream += b"data %d\n%s\n" % (len(text), text)
    if parents:
        stream += f"from {parents[0]}\n".encode()
    stream += b"".join(f"merge {parent}\n".encode() for parent in parents[1:])
    stream += b"deleteall\n"
    for name, content in sorted(files.items()):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        mode = modes.get(name, "100644")
        if mode == "160000":
            stream += f'M {mode} {content.decode()} "{quoted}"\n'.encode()
        else:
            stream += f'M {mode} inline "{quoted}"\ndata {len(content)}\n'.encode()
            stream += content + b"\n"
    stream += b"\nget-mark :1\n"
    return git(folder, "fast-import", "--quiet", "--force", data=stream).decode().strip()


def has_commit(folder: Path, name: str) -> bool:
    """Is there such a commit?"""
    command = ["git", "cat-file", "-e", f"{name}^{{commit}}"]
    done = subprocess.run(command, cwd=folder, env=ENV, capture_output=True, check=False)
    return done.returncode == 0


def entry(folder: Path, commit: str, path: str) -> tuple[str, str] | None:
    """Return what a path is at a commit (blob, tree) and its name; None if it is not there."""
    if not has_commit(folder, commit):
        return None
    listed = git(folder, "ls-tree", commit, "--", path).decode().split()
    return (listed[1], listed[2]) if listed else None


def merge_base(folder: Path, base: str, head: str) -> str | None:
    """Return the commit that a three-dot diff starts from; None where the two share nothing."""
    command = ["git", "merge-base", base, head]
    done = subprocess.run(command, cwd=folder, env=ENV, capture_output=True, check=False)
    return done.stdout.decode().strip() or None


def commits(folder: Path, start: str, end: str) -> list[str]:
    """List the commits from `start` (not in it) to `end`, the oldest first."""
    return git(folder, "rev-list", "--reverse", f"{start}..{end}").decode().split()


@dataclass(frozen=True)
class Commit:
    """What stands in a commit: people are name, address, and when."""

    parents: list[str]
    tree: str
    message: str
    author: tuple[str, str, float]
    committer: tuple[str, str, float]
    signature: str | None


def read_commit(folder: Path, name: str) -> Commit:
    """Read a commit."""
    text = git(folder, "cat-file", "commit", name).decode(errors="replace")
    head, _, message = text.partition("\n\n")
    # A line that begins with a space goes on with the one before it: a signature has many.
    fields = [line.split(" ", 1) for line in head.replace("\n ", "\0").split("\n")]
    every = {key: value.replace("\0", "\n") for key, value in fields}
    return Commit(
        [value for key, value in fields if key == "parent"],
        every["tree"],
        message,
        _person(every["author"]),
        _person(every["committer"]),
        every.get("gpgsig"),
    )


def _person(text: str) -> tuple[str, str, float]:
    who, _, when = text.rpartition("> ")
    name, _, address = who.partition(" <")
    return name, address, float(when.split(" ", maxsplit=1)[0])


def parents(folder: Path, name: str) -> tuple[list[str], str, str]:
    """Return a commit's parents, tree and message."""
    read = read_commit(folder, name)
    return read.parents, read.tree, read.message


def diff(folder: Path, base: str, head: str) -> list[FileDiff]:
    """Compare as GitHub does: three dots, three lines of context, renames found."""
    start = merge_base(folder, base, head)
    if start is None:
        return []
    options = ("-U3", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color")
    names = _names(git(folder, "diff", "--raw", "-z", "--no-abbrev", *options, start, head))
    text = git(folder, "diff", "--patch", *options, start, head)
    patches = [b"diff --git " + part for part in re.split(rb"(?:^|\n)diff --git ", text)[1:]]
    found = []
    for status, blob, old, path in names:
        patch = patches.pop(0)
        if status == "T":  # a file that becomes a link is two patches of one entry
            patch = patches.pop(0)
        found.append(_file(status, blob, old, path, patch))
    return found


def _names(raw: bytes) -> list[tuple[str, str, str | None, str]]:
    fields = raw.decode(errors="replace").split("\0")
    found = []
    while fields and fields[0]:
        _, _, _, blob, status = fields.pop(0)[1:].split(" ")
        old = fields.pop(0) if status[0] in "RC" else None
        found.append((status[0], blob, old, fields.pop(0)))
    return found


def _file(status: str, blob: str, old: str | None, path: str, patch: bytes) -> FileDiff:
    at = patch.find(b"\n@@ ")
    body = patch[at + 1 :].removesuffix(b"\n") if at >= 0 else b""
    lines = body.split(b"\n") if body else []
    too_large = len(lines) > MAX_PATCH_LINES or len(body) > MAX_PATCH_BYTES
    return FileDiff(
        path,
        old,
        _STATUS[status],
        blob,
        sum(line.startswith(b"+") for line in lines),
        sum(line.startswith(b"-") for line in lines),
        None if too_large or not lines else body.decode(errors="replace"),
        () if too_large else tuple(_hunks(lines)),
    )


def _hunks(lines: list[bytes]) -> list[Hunk]:
    starts = [index for index, line in enumerate(lines) if line.startswith(b"@@ ")]
    found = []
    for begin, end in itertools.pairwise([*starts, len(lines)]):
        header = _HUNK.match(lines[begin])
        assert header is not None, lines[begin]
        left, left_size, right, right_size = (
            1 if part is None else int(part) for part in header.groups()
        )
        text = b"\n".join(lines[begin:end]).decode(errors="replace")
        found.append(Hunk(range(left, left + left_size), range(right, right + right_size), text))
    return found


def serve(
    root: Path, path: str, *, method: str, query: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Answer one request of smart HTTP with git's own server, which only ever reads here."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], env=env, input=body, capture_output=True, check=False
    )
    head, _, rest = done.stdout.partition(b"\r\n\r\n")
    answer = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    return int(answer.pop("Status", "200").split()[0]), answer, rest
