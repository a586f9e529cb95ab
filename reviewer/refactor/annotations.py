"""What code of Python needs a name for: to run, or in annotations alone, which nobody evaluates.

Pure. In doubt it is needed to run.
"""

import re
from collections.abc import Callable
from enum import StrEnum

from reviewer.detectors.contracts.views import View
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind
from reviewer.text import encode

_QUIET_DECORATORS = frozenset(
    {
        "abc.abstractmethod",
        "abstractmethod",
        "cached_property",
        "classmethod",
        "contextmanager",
        "final",
        "functools.cached_property",
        "overload",
        "override",
        "property",
        "staticmethod",
        "typing.overload",
    }
)
_QUIET_BASES = frozenset({"ABC", "Exception", "Generic", "Protocol", "object"})
"""Who does not read the annotations of what it decorates or is a base of; others may.

Those of a dataclass, a NamedTuple or a TypedDict are there for others to read.
"""

_CASE = re.compile(rb"^\s*case\b", re.M)


class Need(StrEnum):
    """What a name is needed for."""

    NOTHING = "nothing"  # comments and documentation have the word, at most
    TYPES = "types"
    RUN = "run"


def need(
    name: str, view: View, inside: Callable[[int], bool], handed: Callable[[Definition], bool]
) -> Need:
    """Return what the lines of a file for which `inside` is true need a name of its top for.

    `handed` says of a function or a class whether it may be given to others, who may read its
    annotations.
    """
    uses = {(use.line, use.column): use for use in view.what.uses if use.name == name}
    word = re.compile(rb"(?<![\w.])" + re.escape(encode(name)) + rb"(?!\w)")
    found = Need.NOTHING
    seen: set[tuple[int, int]] = set()
    for number, line in enumerate(view.masked.split(b"\n"), 1):
        for place in word.finditer(line) if inside(number) else ():
            at = (number, place.start())
            seen.add(at)
            use = uses.get(at)
            if use is not None and use.kind in {UseKind.KEYWORD, UseKind.IMPORT}:
                continue
            if use is None or use.kind is not UseKind.TYPE or not _unevaluated(use, view, handed):
                return Need.RUN
            found = Need.TYPES
    for at, use in uses.items():  # of strings: their whole, or what stands in braces
        if at in seen or not inside(use.line) or use.receiver:
            continue
        if use.kind is not UseKind.STRING:
            return Need.RUN
        found = Need.TYPES
    return found


def only_checked(text: str, line: int) -> bool:
    """Does a line (from 1) stand in an `if TYPE_CHECKING:` at the top of a file?"""
    lines = text.split("\n")
    for number in range(line - 1, 0, -1):
        above = lines[number - 1]
        if above.strip() and not above[:1].isspace():
            return CHECKED.fullmatch(above) is not None
    return False


CHECKED = re.compile(r"if (?:\w+\.)?TYPE_CHECKING:[ \t]*(?:#.*)?")


def _unevaluated(use: Use, view: View, handed: Callable[[Definition], bool]) -> bool:
    """Is an annotation never looked at while the program runs, as far as the file tells?"""
    what = view.what
    lazy = any(one.module == "__future__" and one.name == "annotations" for one in what.imports)
    if not lazy or _CASE.search(view.masked):
        return False
    for each in what.definitions:
        path = path_of(each)
        if use.scope != path and not use.scope.startswith(f"{path}."):
            continue
        names = {one.partition("(")[0].lstrip("@").strip() for one in each.decorators}
        if names - _QUIET_DECORATORS:
            return False
        if each.kind in {DefKind.FUNCTION, DefKind.CLASS} and handed(each):
            return False
        if each.kind is DefKind.CLASS and {_bare(one) for one in each.bases} - _QUIET_BASES:
            return False
    return True


def _bare(base: str) -> str:
    return base.partition("[")[0].rpartition(".")[2]
