"""A fix of a real project taken back: the defect that it mended comes as a change of its own.

The commits are made from the fix and what it stood on. The base is the commit before the fix, with
the fixed files; the head takes these back. Tests, notes and documents that came with the fix are in
neither, so that nothing but the code tells of it. The same case gives the same commits everywhere.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated

from pydantic import Field, model_validator

from app.eval.cases import (
    Case,
    Defect,
    Described,
    FullName,
    Inside,
    NotDefect,
    Words,
    check_defects,
)
from app.eval.recipes import AUTHOR, BASE, BORN, HEAD, REPOSITORY
from reviewer.errors import TellUser

FIX = "refs/rlm/fix"

Git = Callable[[list[str], bytes], bytes]
"""Runs git in the repository that is being made, with this as its input; returns what it says."""


class Reverted(Described):
    """One case: `reverts` is a commit of `repository` with one parent, `paths` are the files of it
    that are taken back, `message` is that of the change. Places are lines of the head, so of the
    commit before the fix, or with LEFT of the fixed file."""

    repository: Words
    reverts: FullName
    paths: Annotated[tuple[Inside, ...], Field(min_length=1)]
    message: Words
    defects: tuple[Defect, ...]
    not_defects: tuple[NotDefect, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Reverted":
        check_defects(self.control, [one.id for one in self.defects])
        return self

    @property
    def digest(self) -> str:
        """Name the commits: two cases with one digest give the same repository."""
        said = json.dumps([self.repository, self.reverts, self.paths, self.message, AUTHOR, BORN])
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def case(self) -> Case:
        """Return it as a case of a repository that was made."""
        kept = {*Described.model_fields, "defects", "not_defects"}
        return Case(
            **{name: getattr(self, name) for name in kept},
            repository=REPOSITORY,
            base=BASE,
            head=HEAD,
        )


def take_back(reverted: Reverted, git: Git) -> None:
    """Make the branches of both ends in a repository that has the fix as FIX."""
    parents = git(["rev-list", "--parents", "--max-count=1", FIX], b"").split()[1:]
    if len(parents) != 1:
        raise TellUser(f"{reverted.reverts} has {len(parents)} parents: a fix has one")
    before = parents[0].decode()
    git(["read-tree", before], b"")
    broken = git(["write-tree"], b"").strip().decode()
    git(["update-index", "-z", "--index-info"], b"".join(_rows(reverted, git)))
    fixed = git(["write-tree"], b"").strip().decode()
    if fixed == broken:
        raise TellUser(f"{reverted.reverts} changes none of: {', '.join(reverted.paths)}")
    base = _commit(git, fixed, before, "What is there", BORN)
    head = _commit(git, broken, base, reverted.message, BORN + 86_400)
    git(["update-ref", f"refs/heads/{BASE}", base], b"")
    git(["update-ref", f"refs/heads/{HEAD}", head], b"")


def _rows(reverted: Reverted, git: Git) -> list[bytes]:
    """Return what the index is told: each path as the fix has it, mode 0 where it has none."""
    rows = []
    for path in reverted.paths:
        found = git(["ls-tree", "-z", "--full-tree", FIX, "--", path], b"")
        kind = found.partition(b"\t")[0].split()
        if kind and kind[1] != b"blob":
            raise TellUser(f"{path} is no file in {reverted.reverts}")
        mode, name = (kind[0], kind[2]) if kind else (b"0", b"0" * 40)
        rows.append(mode + b" " + name + b"\t" + path.encode() + b"\0")
    return rows


def _commit(git: Git, tree: str, parent: str, message: str, at: int) -> str:
    """Write a commit by hand, so that nobody's settings are in it; return its name."""
    who = f"{AUTHOR} {at} +0000"
    text = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\n{message}\n"
    return git(["hash-object", "-t", "commit", "-w", "--stdin"], text.encode()).strip().decode()
