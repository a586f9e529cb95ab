"""A recipe: a small package of code and a change to it, made into a git repository.

The same recipe gives the same commits on every machine: fixed dates, a fixed author, nobody's git
configuration. Places are quoted in a recipe, never numbered: the lines are found here, and a quote
that does not stand there exactly once is an error.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from app.eval.cases import (
    Case,
    Defect,
    Described,
    Inside,
    Name,
    NotDefect,
    Place,
    Strict,
    Words,
    check_defects,
    checked,
)
from reviewer.errors import TellUser
from reviewer.finding import Category, Severity, Side

PACKAGES = "packages"
"""Beside the folder of the recipes: what they start from, a folder each."""

BASE, HEAD = "base", "head"
"""The branches of a repository that was made."""

REPOSITORY = "."
"""In the case of a recipe, until its repository is made."""

BORN = 1_767_225_600
AUTHOR = "Robin Example <robin@example.org>"
"""Who has made every commit of ours, and when, in seconds."""

NUMBER = "{n}"
MOST_FILES = 999

Files = dict[str, str]
"""Texts by their paths."""


class Edit(Strict):
    """One step: a new file (`text`), a replacement (`old`, `new`), a move (`to`), a removal."""

    path: Inside
    text: str | None = None
    old: Words | None = None
    new: str | None = None
    to: Inside | None = None
    remove: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> "Edit":
        if (self.old is None) != (self.new is None):
            raise ValueError("old and new are given together")
        given = (self.text is not None, self.old is not None, self.to is not None, self.remove)
        if sum(given) != 1:
            raise ValueError("give one of: text, old with new, to, remove")
        return self


class Many(Strict):
    """So many files alike, numbered from 1: `{n}` is the number in three digits, in path and texts.

    `before` is the file at the base, `after` what the change makes of it; an edit of `before` or
    `change` makes one of them different.
    """

    count: Annotated[int, Field(ge=1, le=MOST_FILES)]
    path: Inside
    before: str
    after: str

    def at_base(self) -> Files:
        """Return the files as they are before the change."""
        return self._numbered(self.before)

    def at_head(self) -> Files:
        """Return the files as the change leaves them."""
        return self._numbered(self.after)

    def _numbered(self, text: str) -> Files:
        numbers = [f"{number:03}" for number in range(1, self.count + 1)]
        return {self.path.replace(NUMBER, n): text.replace(NUMBER, n) for n in numbers}

    @model_validator(mode="after")
    def _apart(self) -> "Many":
        if NUMBER not in self.path:
            raise ValueError(f"the path needs {NUMBER}: else all files have one name")
        return self


class Quoted(Strict):
    """Whole lines of a file of the head (LEFT: of the base), which stand there exactly once."""

    path: Inside
    text: Words
    side: Side = "RIGHT"


class Planted(Strict):
    """A defect of the change. `test` is a Python program that fails at the head, run in its tree;
    with the edits of `fix` it ends well."""

    id: Name
    at: Quoted
    also: tuple[Quoted, ...] = ()
    category: Category
    severity: Severity
    kind: Words
    description: Words
    test: str = ""
    fix: tuple[Edit, ...] = ()


class Right(Strict):
    """Lines that look odd and are right."""

    at: Quoted
    why: Words


class Recipe(Described):
    """One case: the package it starts from, what is edited before the base, and the change."""

    package: Name
    many: tuple[Many, ...] = ()
    before: tuple[Edit, ...] = ()
    message: Words
    change: Annotated[tuple[Edit, ...], Field(min_length=1)]
    defect: tuple[Planted, ...] = ()
    right: tuple[Right, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Recipe":
        check_defects(self.control, [one.id for one in self.defect])
        return self


@dataclass(frozen=True)
class Cooked:
    """What a recipe gives: the trees of both ends, and the case with its places numbered."""

    recipe: Recipe
    base: Files
    head: Files
    case: Case

    @property
    def digest(self) -> str:
        """Name the commits: two recipes with one digest give the same repository."""
        said = json.dumps([BORN, AUTHOR, self.recipe.message, self.base, self.head])
        return hashlib.sha256(said.encode()).hexdigest()[:32]


def cook(path: Path) -> Cooked:
    """Read a recipe and follow it; TellUser says what in it does not fit."""
    try:
        with path.open("rb") as file:
            value = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TellUser(f"{path}: not TOML: {error}", "Correct the recipe.") from error
    recipe = checked(Recipe, value, str(path))
    try:
        package = _package(path.parent.parent / PACKAGES / recipe.package)
        base = edited(_with(package, [one.at_base() for one in recipe.many]), recipe.before)
        swept = base | {k: v for one in recipe.many for k, v in one.at_head().items()}
        head = edited(swept, recipe.change)
        return Cooked(recipe, base, head, _case(recipe, base, head))
    except ValueError as error:
        raise TellUser(f"{path}: {error}", "Correct the recipe or its package.") from error


def edited(files: Mapping[str, str], edits: Iterable[Edit]) -> Files:
    """Return the files with every edit made in order; raise ValueError where one does not fit."""
    made = dict(files)
    for edit in edits:
        if edit.text is not None:
            if edit.path in made:
                raise ValueError(f"{edit.path} is there already")
            made[edit.path] = edit.text
            continue
        if edit.path not in made:
            raise ValueError(f"there is no {edit.path} to edit")
        text = made[edit.path]
        if edit.remove:
            del made[edit.path]
        elif edit.to is not None:
            del made[edit.path]
            made[edit.to] = text
        elif edit.old is not None and edit.new is not None:
            if (times := text.count(edit.old)) != 1:
                raise ValueError(f"{edit.path} has this {times} times, not once: {edit.old!r}")
            made[edit.path] = text.replace(edit.old, edit.new)
    return made


def _with(files: Files, more: Iterable[Files]) -> Files:
    made = dict(files)
    for each in more:
        if there := made.keys() & each.keys():
            raise ValueError(f"{min(there)} is there already")
        made |= each
    return made


def script(cooked: Cooked) -> bytes:
    """Return what `git fast-import` makes the two commits from."""
    head = [f"D {path}\n".encode() for path in sorted(cooked.base.keys() - cooked.head.keys())]
    head += _files({k: v for k, v in cooked.head.items() if cooked.base.get(k) != v})
    return b"".join(
        [
            *_commit(BASE, "What is there", BORN, _files(cooked.base)),
            *_commit(HEAD, cooked.recipe.message, BORN + 86_400, head, parent=BASE),
        ]
    )


def _commit(
    branch: str, message: str, at: int, files: Sequence[bytes], parent: str = ""
) -> list[bytes]:
    start = f"commit refs/heads/{branch}\ncommitter {AUTHOR} {at} +0000\n"
    origin = f"from refs/heads/{parent}\n" if parent else ""
    return [start.encode(), _data(message), origin.encode(), *files, b"\n"]


def _files(files: Mapping[str, str]) -> list[bytes]:
    return [f"M 100644 inline {path}\n".encode() + _data(files[path]) for path in sorted(files)]


def _data(text: str) -> bytes:
    raw = text.encode()
    return f"data {len(raw)}\n".encode() + raw + b"\n"


def _package(folder: Path) -> Files:
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }
    if not files:
        raise ValueError(f"there is no package {folder}")
    return files


def _case(recipe: Recipe, base: Files, head: Files) -> Case:
    def place(quoted: Quoted) -> Place:
        start, end = located(base if quoted.side == "LEFT" else head, quoted)
        return Place(path=quoted.path, side=quoted.side, start_line=start, line=end)

    defects = [
        Defect(
            **place(one.at).model_dump(),
            also=tuple(map(place, one.also)),
            **one.model_dump(include={"id", "category", "severity", "kind", "description"}),
        )
        for one in recipe.defect
    ]
    right = [NotDefect(**place(one.at).model_dump(), why=one.why) for one in recipe.right]
    return Case(
        **recipe.model_dump(include=set(Described.model_fields)),
        repository=REPOSITORY,
        base=BASE,
        head=HEAD,
        defects=tuple(defects),
        not_defects=tuple(right),
    )


def located(files: Mapping[str, str], quoted: Quoted) -> tuple[int, int]:
    """Return the first and last line of a quote; ValueError unless it stands there once."""
    text, piece = f"\n{files.get(quoted.path, '')}", quoted.text.strip("\n")
    if (times := text.count(f"\n{piece}\n")) != 1:
        raise ValueError(f"{quoted.path} has these lines {times} times, not once: {piece!r}")
    first = text[: text.index(f"\n{piece}\n")].count("\n") + 1
    return first, first + piece.count("\n")
