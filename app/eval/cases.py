"""What a dataset says: cases with their known defects. docs/evaluation.md describes the format."""

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reviewer.errors import TellUser
from reviewer.finding import Category, Severity, Side

PROBLEMS_SHOWN = 5

M = TypeVar("M", bound=BaseModel)


def _inside(path: str) -> str:
    """Refuse a path that leaves the folder or tree that it belongs to."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or re.search(r"[\0\n\\]", path):
        raise ValueError("a relative path with / and without .. is needed")
    return path


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")]
"""Of a case or defect; a case's is a file's name, too."""

Inside = Annotated[str, AfterValidator(_inside)]
Line = Annotated[int, Field(ge=1)]
Words = Annotated[str, Field(min_length=1)]
FullName = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Revision = Annotated[str, Field(pattern=r"^[0-9A-Za-z_][0-9A-Za-z._/~^-]*$")]


class Strict(BaseModel):
    """A value of the format: an unknown key is most likely a slip."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(Strict):
    """Lines start_line..line of a file: of the head, or with LEFT of the merge base."""

    path: Inside
    start_line: Line
    line: Line
    side: Side = "RIGHT"

    @model_validator(mode="after")
    def _in_order(self) -> "Place":
        if self.start_line > self.line:
            raise ValueError("start_line is after line")
        return self


class Defect(Place):
    """A known defect. `also` are other places at which a claim about it may stand."""

    id: Name
    category: Category
    severity: Severity
    kind: str = ""
    description: Words
    also: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        return (self, *self.also)


class NotDefect(Place):
    """A place where a claim is a false alarm for sure, and why."""

    why: Words


class Described(Strict):
    """What every case says of itself, wherever its commits come from."""

    id: Name
    language: Words
    control: bool = False
    held_back: bool = False


class Case(Described):
    """One change with what is known of it. Exactly one of `repository` and `bundle` is given.

    `repository` is a path (a relative one starts at the dataset's folder, and outside of it only
    what was allowed is read) or an https address, `bundle` a file of `git bundle` in that folder.
    """

    repository: Words | None = None
    bundle: Inside | None = None
    base: Revision
    head: Revision
    defects: tuple[Defect, ...] = ()
    not_defects: tuple[NotDefect, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Case":
        if (self.repository is None) == (self.bundle is None):
            raise ValueError("give either repository or bundle")
        if self.is_remote and not all(_FULL.fullmatch(one) for one in (self.base, self.head)):
            raise ValueError("with an address, base and head are full names of commits")
        check_defects(self.control, [one.id for one in self.defects])
        return self

    @property
    def is_remote(self) -> bool:
        return self.repository is not None and "://" in self.repository


_FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def check_defects(control: bool, names: Sequence[str]) -> None:
    """Refuse, with ValueError, a control with defects, a case without, two of one name."""
    if control and names:
        raise ValueError("a control has no defects")
    if not control and not names:
        raise ValueError("a case without defects says control: true")
    if len(set(names)) != len(names):
        raise ValueError("two defects have one id")


class Made(Strict):
    """A line that names a recipe, which says everything else."""

    recipe: Inside


def read_lines(path: Path) -> list[tuple[str, object]]:
    """Return the values of a JSONL file, each with where it stands; TellUser names a bad line."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TellUser(f"{path} is not UTF-8: {error.reason}", _HINT) from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise TellUser(f"{path} holds no case", _HINT)
    return [(f"{path}:{number}", _read(line, f"{path}:{number}")) for number, line in lines]


_HINT = "docs/evaluation.md describes the format."


def _read(line: str, where: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TellUser(f"{where}: not JSON: {error}", _HINT) from error


def checked(model: type[M], value: object, where: str) -> M:
    """Validate a value of the format; TellUser says where it stands and what is wrong with it."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [_problem(part["loc"], part["msg"]) for part in error.errors()]
        told = "; ".join(problems[:PROBLEMS_SHOWN])
        if (more := len(problems) - PROBLEMS_SHOWN) > 0:
            told += f"; and {more} more"
        raise TellUser(f"{where}: {told}", _HINT) from error


def _problem(location: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    return f"{'.'.join(map(str, location))}: {said}" if location else said
