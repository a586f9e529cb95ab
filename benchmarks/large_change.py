"""A change of more than 5,000 files: how long everything before the first model call takes.

    python -m benchmarks.large_change [CACHE_FOLDER]

Two releases of the public package `ansible` are downloaded by name, unpacked into a bare
repository as two commits (5,900 files differ), and measured beside `git diff` on the same
commits: the change, triage, detectors, spans and the split into scopes. Bounds: 60 s on two cores,
1 GiB for all processes together.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.git import open_repo
from reviewer.review.estimate import leaves
from reviewer.review.job import prepare
from reviewer.review.scope import divide
from reviewer.revisions import parse_range

PACKAGE, OLD, NEW = "ansible", "10.7.0", "11.0.0"
MIB = 1 << 20
BOUND_S, BOUND_MIB = 60.0, 1024.0

T = TypeVar("T")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "rlm-large")
    repo = built(folder)
    git = ["git", "--git-dir", str(repo), "diff", "-U3", "-M", "old", "new"]
    _, git_s = timed(lambda: subprocess.run(git, stdout=subprocess.DEVNULL, check=True))
    watch = Memory()
    with open_repo(repo) as opened, watch:
        base, head = parse_range(opened, "old..new")
        change, change_s = timed(lambda: build_change(opened, base, head))
        with LocalObjects(opened, change) as objects:
            prepared, prepare_s = timed(lambda: prepare(change, objects, lambda: False))
        parts, split_s = timed(lambda: leaves(prepared.spans, divide))
    total = change_s + prepare_s + split_s
    print(
        f"{len(change.files):,} files, {change.hunk_count:,} hunks, {len(prepared.spans):,} spans"
    )
    print(f"git diff alone                {git_s:7.1f} s")
    print(f"change                        {change_s:7.1f} s")
    print(f"triage, detectors, spans      {prepare_s:7.1f} s   {len(prepared.leads)} alarms")
    print(f"split                         {split_s:7.1f} s   {len(parts):,} scopes")
    verdict("all before the first call", total, BOUND_S, "s")
    verdict("peak memory, all processes", watch.peak / MIB, BOUND_MIB, "MiB")


def verdict(what: str, value: float, bound: float, unit: str) -> None:
    held = "within" if value <= bound else "OVER"
    print(f"{what:29} {value:7.1f} {unit}, {held} the bound of {bound:,.0f}")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began


class Memory:
    """Sums the resident memory of this process and all below it, 20 times a second."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.peak = max(self.peak, resident(os.getpid()))


def resident(root: int) -> int:
    """Return the proportional memory of a process and its descendants, in bytes."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    total, todo = 0, [root]
    while todo:
        pid = todo.pop()
        todo += parents.get(pid, [])
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def built(folder: Path) -> Path:
    """Return the repository, made on the first run."""
    repo = folder / "repo.git"
    if (repo / "refs/heads/new").exists():
        return repo
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "--bare", str(repo)], check=True)
    previous = ""
    for branch, version in (("old", OLD), ("new", NEW)):
        wheels = folder / version
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        download += ["--only-binary=:all:", "-d", str(wheels), f"{PACKAGE}=={version}"]
        subprocess.run(download, check=True)
        with tempfile.TemporaryDirectory(dir=folder) as tree:
            zipfile.ZipFile(next(wheels.glob("*.whl"))).extractall(tree)
            git = ["git", "--git-dir", str(repo), "--work-tree", tree]
            subprocess.run([*git, "add", "--all", "--force", "."], check=True)
        name = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]
        written = subprocess.run(
            ["git", "--git-dir", str(repo), "write-tree"], check=True, capture_output=True
        ).stdout.strip()
        parent = ["-p", previous] if previous else []
        commit = ["git", "--git-dir", str(repo), *name, "commit-tree", written.decode()]
        made = subprocess.run([*commit, *parent, "-m", version], check=True, capture_output=True)
        previous = made.stdout.decode().strip()
        update = ["git", "--git-dir", str(repo), "update-ref", f"refs/heads/{branch}", previous]
        subprocess.run(update, check=True)
    subprocess.run(["git", "--git-dir", str(repo), "repack", "-adq"], check=True)
    return repo


if __name__ == "__main__":
    main()
