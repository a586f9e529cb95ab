"""The material of length.py: three repositories, one change in three sizes, the same defects."""

import os
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BASE, HEAD = "refs/heads/base", "refs/heads/head"
MESSAGES = ("What was there", "The change", "The rest of the change")
_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "benchmark"),
        ("EMAIL", "benchmark@example.org"),
        ("DATE", "2026-01-01T00:00:00+0000"),
    )
}


@dataclass(frozen=True)
class Place:
    """Lines first..last of a file at the head (from 1), and their text."""

    path: str
    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Planted:
    """One defect of the table. `other` is the side that it no longer agrees with."""

    id: str
    kind: str
    fails: str
    trigger: str
    at: tuple[Place, ...]
    other: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Table:
    """length.toml as it is."""

    base: str
    head: str
    sizes: dict[str, list[str]]
    defects: list[dict[str, Any]] = field(default_factory=list)


def table() -> Table:
    """Return the sizes, smallest first, and the defects."""
    with Path(__file__).with_name("length.toml").open("rb") as file:
        read = tomllib.load(file)
    source = read["source"]
    sizes = {size["name"]: size["paths"] for size in read["size"]}
    return Table(source["base"], source["head"], sizes, read["defect"])


def build(gitdir: Path, out: Path) -> None:
    """Make OUT/SIZE.git for each size, with the refs `base` and `head`; what is there stays.

    The head is the same tree in all of them: that of the source with the defects in it. The base is
    the same with the size's paths as they were before, so that the difference is these alone and no
    file of the head misses what it needs.
    """
    known = table()
    missing = {name: paths for name, paths in known.sizes.items() if not _at(out, name).exists()}
    with tempfile.TemporaryDirectory(dir=out) as folder:
        work = _borrowing(gitdir, Path(folder) / "work.git")
        planted = _planted(work, known)
        clean = _git(work, "rev-parse", f"{known.head}^{{tree}}")
        for name, paths in missing.items():
            before = _commit(work, _before(work, known, paths), MESSAGES[0])
            change = _commit(work, clean, MESSAGES[1], before)
            head = _commit(work, planted, MESSAGES[2], change)
            made = Path(folder) / f"{name}.git"
            subprocess.run(["git", "init", "-q", "--bare", str(made)], check=True)
            for ref, commit in ((BASE, before), (HEAD, head)):
                _git(work, "update-ref", ref, commit)
                _git(made, "fetch", "-q", "--no-tags", str(work.resolve()), f"+{ref}:{ref}")
            _git(made, "symbolic-ref", "HEAD", HEAD)
            made.rename(_at(out, name))


def places(gitdir: Path) -> list[Planted]:
    """Return where the defects stand at the head of a repository that `build` made."""
    texts: dict[str, str] = {}

    def text(path: str) -> str:
        if path not in texts:
            texts[path] = _git(gitdir, "show", f"{HEAD}:{path}", stripped=False)
        return texts[path]

    def at(side: dict[str, Any]) -> tuple[Place, ...]:
        return tuple(_place(side["file"], text(side["file"]), piece) for piece in side["at"])

    return [
        Planted(
            defect["id"],
            defect["kind"],
            defect["fails"],
            defect["trigger"],
            at(defect),
            at(defect["other"]) if "other" in defect else (),
        )
        for defect in table().defects
    ]


def _at(out: Path, size: str) -> Path:
    return out / f"{size}.git"


def edited(text: str, edits: list[dict[str, str]]) -> str:
    """Return the text with every edit made; raise ValueError where one does not fit once."""
    for edit in edits:
        if text.count(edit["old"]) != 1:
            raise ValueError(f"stands there {text.count(edit['old'])} times: {edit['old']!r}")
        text = text.replace(edit["old"], edit["new"])
    return text


def _place(path: str, text: str, piece: str) -> Place:
    """Return the lines that a piece of whole lines takes; raise ValueError if not just once."""
    whole = f"\n{piece}\n"
    if f"\n{text}".count(whole) != 1:
        raise ValueError(f"{path} has these lines not once: {piece!r}")
    first = f"\n{text}"[: f"\n{text}".index(whole)].count("\n") + 1
    return Place(path, first, first + piece.count("\n"), piece)


def _planted(work: Path, known: Table) -> str:
    """Return the tree of the head with every defect in it; each file has to compile."""
    by_file: dict[str, list[dict[str, str]]] = {}
    for defect in known.defects:
        by_file.setdefault(defect["file"], []).extend(defect["edit"])
    entries = []
    for path, edits in by_file.items():
        text = edited(_git(work, "show", f"{known.head}:{path}", stripped=False), edits)
        compile(text, path, "exec")
        blob = _git(work, "hash-object", "-w", "--stdin", given=text)
        entries.append(f"100644 {blob}\t{path}\0")
    return _tree(work, known.head, "".join(entries))


def _before(work: Path, known: Table, paths: list[str]) -> str:
    """Return the tree of the head with the paths as they were at the base."""
    rows = _git(
        work, "diff-tree", "-r", "-z", "--raw", "--no-renames", known.base, known.head, "--", *paths
    ).split("\0")
    entries = []
    for meta, path in zip(rows[::2], rows[1::2], strict=False):
        mode, _, blob, *_ = meta.removeprefix(":").split()
        gone = int(mode) == 0
        entries.append(f"{'0' if gone else mode} {blob}\t{path}\0")
    return _tree(work, known.head, "".join(entries))


def _tree(work: Path, start: str, entries: str) -> str:
    """Return the tree of a commit with some entries of the index replaced."""
    index = {"GIT_INDEX_FILE": str(work.resolve() / "index.benchmark")}
    _git(work, "read-tree", start, more=index)
    _git(work, "update-index", "-z", "--index-info", given=entries, more=index)
    return _git(work, "write-tree", more=index)


def _commit(work: Path, tree: str, message: str, *parents: str) -> str:
    above = [option for parent in parents for option in ("-p", parent)]
    return _git(work, "commit-tree", tree, *above, "-m", message, more=_WHO)


def _borrowing(gitdir: Path, work: Path) -> Path:
    """Make a repository whose new objects are its own and whose old ones are those of another."""
    subprocess.run(["git", "init", "-q", "--bare", str(work)], check=True)
    objects = (gitdir / "objects").resolve()
    (work / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    return work


def _git(
    gitdir: Path,
    *arguments: str,
    given: str | None = None,
    more: dict[str, str] | None = None,
    stripped: bool = True,
) -> str:
    command = ["git", f"--git-dir={gitdir}", *arguments]
    environment = {**os.environ, **(more or {})}
    done = subprocess.run(
        command,
        input=None if given is None else given.encode(),
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    text = done.stdout.decode("utf-8", "surrogateescape")
    return text.strip("\n") if stripped else text
