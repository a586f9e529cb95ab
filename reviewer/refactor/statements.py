"""Python's `from X import a, b as c` as text: found, taken apart and written anew.

Only what is plain is touched; a statement with a comment in it, a continuation or a star is not.
"""

import re
from dataclasses import dataclass

from reviewer.detectors.contracts.masking import masked
from reviewer.errors import GiveUp
from reviewer.languages import Language
from reviewer.refactor.annotations import CHECKED
from reviewer.text import decode, encode

_FROM = re.compile(
    r"(?P<indent>[ \t]*)from[ \t]+(?P<module>\.*[\w.]*)[ \t]+import[ \t]+"
    r"(?:\((?P<many>[^()#\\]*)\)|(?P<one>[\w \t,]+?))[ \t]*(?P<tail>#[^\n]*)?(?=\r?\n|\Z)"
)
_PLAIN = re.compile(r"import [\w.]+(?: as \w+)?")
_NAME = re.compile(r"(\w+)(?:\s+as\s+(\w+))?")
WIDTH = 88
"""A line that is longer is written with one name a line, as formatters do it."""


@dataclass(frozen=True)
class FromImport:
    """One statement: where it stands in the text, and (name, alias) of what it imports."""

    start: int
    end: int
    indent: str
    module: str
    names: tuple[tuple[str, str], ...]
    tail: str


def from_import(text: str, line: int) -> FromImport:
    """Return the statement that begins at a line (from 1), or around it; GiveUp for one not plain.

    A name of a statement of several lines may be on a later line than its `from`.
    """
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        raise GiveUp("an import is not where it was")
    for first in range(line, 0, -1):
        if lines[first - 1].lstrip().startswith("from "):
            break
    else:
        raise GiveUp("an import is written in another way than `from X import name`")
    start = sum(len(one) + 1 for one in lines[: first - 1])
    found = _FROM.match(text, start)
    if found is None or text.count("\n", start, found.end()) < line - first:
        raise GiveUp("an import is written in a way that is not taken apart here")
    names = []
    for piece in (found["many"] or found["one"] or "").split(","):
        if not piece.strip():
            continue
        name = _NAME.fullmatch(piece.strip())
        if name is None:
            raise GiveUp("an import is written in a way that is not taken apart here")
        names.append((name[1], name[2] or ""))
    return FromImport(
        start, found.end(), found["indent"], found["module"], tuple(names), found["tail"] or ""
    )


def written(indent: str, module: str, names: tuple[tuple[str, str], ...], tail: str = "") -> str:
    """Return a statement as a formatter writes it, without a line end."""
    said = [f"{name} as {alias}" if alias else name for name, alias in names]
    end = f"  {tail}" if tail else ""
    line = f"{indent}from {module} import {', '.join(said)}{end}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"{indent}    {one},\n" for one in said)
    return f"{indent}from {module} import (\n{inner}{indent}){end}"


def redirected(text: str, line: int, name: str, module: str, *, single: bool = False) -> str:
    """Return the text with one name of a statement imported from another module.

    At the top of a file it goes where sorters of imports have it, as far as that is in its block.
    `single`: with a statement for each name.
    """
    old = from_import(text, line)
    moved = tuple(one for one in old.names if one[0] == name)
    kept = tuple(one for one in old.names if one[0] != name)
    if not moved:
        raise GiveUp(f"an import does not name {name}")
    new = written(old.indent, module, moved, "" if kept else old.tail)
    rest = written(old.indent, old.module, kept, old.tail) if kept else ""
    if not old.indent and (kept or not old.tail):
        end = _end_of_block(text, old.end)
        first = text[: old.start] + rest if kept else text[: old.start].removesuffix("\n")
        if placed := _among((first + text[old.end : end]).removeprefix("\n"), new, single):
            return placed + text[end:]
    if kept:
        new = f"{rest}\n{new}"
    return text[: old.start] + new + text[old.end :]


def _end_of_block(text: str, end: int) -> int:
    """Return where the imports that follow a statement without an empty line end."""
    while text.startswith(("\nfrom ", "\nimport "), end):
        line = text.count("\n", 0, end + 1) + 1
        if _PLAIN.fullmatch(text.split("\n")[line - 1]):
            end = text.index("\n", end + 1) if "\n" in text[end + 1 :] else len(text)
            continue
        try:
            end = from_import(text, line).end
        except GiveUp:
            break
    return end


def dropped(text: str, line: int, name: str) -> str:
    """Return the text without one name of a statement, or without the statement.

    Without a name it is `import module`, alone on its line.
    """
    if not name:
        lines = text.split("\n")
        if _PLAIN.fullmatch(lines[line - 1]) is None:
            raise GiveUp("an import is not alone on its line")
        return "\n".join([*lines[: line - 1], *lines[line:]])
    old = from_import(text, line)
    kept = tuple(one for one in old.names if one[0] != name)
    if len(kept) == len(old.names):
        raise GiveUp(f"an import does not name {name}")
    if kept:
        new = written(old.indent, old.module, kept, old.tail)
        return text[: old.start] + new + text[old.end :]
    if old.indent:
        raise GiveUp("an import inside of a block is the only statement on its line")
    end = old.end + 1 if text[old.end : old.end + 1] == "\n" else old.end
    return text[: old.start] + text[end:]


def with_imports(
    text: str, statements: list[str], last_import: int, *, single: bool = False
) -> str:
    """Return the text with statements added at its top, as sorters of imports have them.

    Each goes into a statement of the same module (beside it where `single` says that each name has
    a statement), else among those of the same package where these
    are in order, else behind the last import, which ends at or after line `last_import` (0: none).
    """
    if not statements:
        return text
    lines = text.split("\n")
    at = _end_of(lines, last_import) if last_import else _after_docstring(lines)
    top, after = "\n".join(lines[:at]), lines[at:]
    rest = []
    for statement in statements if last_import else ():
        placed = _among(top, statement, single)
        top = placed or top
        rest += [] if placed else [statement]
    before = top.split("\n") if at else []
    if not last_import:
        rest = statements
    if not last_import and before and before[-1].strip():
        before.append("")
    gap = [""] if not last_import and after and after[0].strip() else []
    return "\n".join([*before, *rest, *gap, *after])


def _among(top: str, statement: str, single: bool) -> str:
    """Return the lines at the top of a file with a statement in its place among them, "" without.

    Those of its package have to be in order, plain, and in one block of imports alone: what is not
    one may have to run first. Nothing else there may give the name that it gives.
    """
    new = from_import(statement, 1) if statement.startswith("from ") else None
    if new is None:
        return ""
    there = _of_package(top, new.module)
    same = [one for one in there if one.module == new.module]
    apart = single and all(len(one.names) == 1 for one in (new, *same))
    fits = (one for one in same if (one.names == new.names if apart else not one.tail))
    known = next(fits, None)
    if not there or (not (known and set(new.names) <= set(known.names)) and _gives(top, new)):
        return ""
    if known is not None:
        names = _joined(known.names, new.names)
        return top[: known.start] + written("", known.module, names, known.tail) + top[known.end :]
    if apart and same:
        ranks = [_rank(one.names[0]) for one in same]
        mine = _rank(new.names[0]) if ranks == sorted(ranks) else _LAST
        later = (one for one in same if _rank(one.names[0]) > mine)
        return _before(top, statement, next(later, None), same[-1])
    modules = [one.module.lower() for one in there]
    if modules != sorted(modules) or not _is_block(top, there):
        return ""
    later = (one for one in there if one.module.lower() > new.module.lower())
    return _before(top, statement, next(later, None), there[-1])


def _before(top: str, statement: str, later: FromImport | None, last: FromImport) -> str:
    """Return a text with a statement before another one, behind the last where there is none."""
    if later is None:
        return f"{top[: last.end]}\n{statement}{top[last.end :]}"
    return f"{top[: later.start]}{statement}\n{top[later.start :]}"


def _of_package(top: str, module: str) -> list[FromImport]:
    """Return the statements that import of a module's package; none where one is not plain."""
    there = []
    code = decode(masked(encode(top), Language.PYTHON))  # a line of a string may look like one
    for at, line in enumerate(code.split("\n"), 1):
        if line.startswith("from ") and _package(line.split()[1]) == _package(module):
            try:
                there.append(from_import(top, at))
            except GiveUp:
                return []
    return there


def _gives(top: str, new: FromImport) -> bool:
    """Does the top of a file speak of a name that the statement gives?"""
    code = decode(masked(encode(top), Language.PYTHON))
    return any(re.search(rf"\b{re.escape(alias or name)}\b", code) for name, alias in new.names)


def _is_block(top: str, there: list[FromImport]) -> bool:
    """Is there nothing but imports from the first to the last, each on the line after another?"""
    at = there[0].end
    while at < there[-1].end:
        end = _end_of_block(top, at)
        if end == at:
            return False
        at = end
    return True


def _package(module: str) -> str:
    """Return by what sorters group a module: its first name, or the dots it begins with."""
    return module.partition(".")[0] or "." * (len(module) - len(module.lstrip(".")))


def _joined(
    names: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return names with others, in order where they were: constants, classes, the rest."""
    more = tuple(one for one in new if one not in names)
    if sorted(names, key=_rank) != list(names):
        return (*names, *more)
    return tuple(sorted((*names, *more), key=_rank))


_LAST = (3, "")


def _rank(named: tuple[str, str]) -> tuple[int, str]:
    name = named[0]
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def with_types(
    text: str, statements: list[str], typed: list[str], last_import: int, *, single: bool = False
) -> str:
    """Return the text with statements added, and with others under `if TYPE_CHECKING:`."""
    if not typed:
        return with_imports(text, statements, last_import, single=single)
    lines = text.split("\n")
    if any(CHECKED.fullmatch(line) for line in lines):
        return _in_block(with_imports(text, statements, last_import, single=single), typed)
    known = re.search(r"^from typing import (?:.*[\s,])?TYPE_CHECKING\b", text, re.M)
    named = [] if known else ["from typing import TYPE_CHECKING"]
    block = ["if TYPE_CHECKING:", *(f"    {one}" for one in typed)]
    gap = [""] if statements or named or last_import else []
    return with_imports(text, [*statements, *named, *gap, *block], last_import, single=single)


def unchecked(text: str, statement: str) -> str:
    """Return the text without a statement of `if TYPE_CHECKING:` that is not its only one."""
    lines = text.split("\n")
    start, end = _block(lines)
    found = [at for at in range(start, end) if lines[at].strip() == statement]
    if len(found) != 1 or end - start < 2:
        return text
    return "\n".join([*lines[: found[0]], *lines[found[0] + 1 :]])


def _in_block(text: str, typed: list[str]) -> str:
    """Return the text with statements at the end of its `if TYPE_CHECKING:`, each once."""
    lines = text.split("\n")
    start, end = _block(lines)
    have = {line.strip() for line in lines[start:end]}
    first = lines[start] if end > start else "    "
    indent = first[: len(first) - len(first.lstrip())] or "    "
    new = [f"{indent}{one}" for one in typed if one not in have]
    return "\n".join([*lines[:end], *new, *lines[end:]])


def _block(lines: list[str]) -> tuple[int, int]:
    """Return the indexes of the first line under `if TYPE_CHECKING:` and of that after the last."""
    found = (at + 1 for at, line in enumerate(lines) if CHECKED.fullmatch(line))
    start = next(found, len(lines))
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end][:1].isspace()):
        end += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return start, end


def _end_of(lines: list[str], line: int) -> int:
    """Return the index after the statement that is at a line: after its closing bracket."""
    depth = 0
    for index in range(line - 1, len(lines)):
        depth += lines[index].count("(") - lines[index].count(")")
        if depth <= 0 and not lines[index].endswith("\\"):
            return index + 1
    raise GiveUp("an import has no end")


def _after_docstring(lines: list[str]) -> int:
    """Return the index after the comments and the docstring at the beginning."""
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith("#")):
        at += 1
    if at == len(lines):
        return len(lines) if any(line.strip() for line in lines) else 0
    for quote in ('"""', "'''"):
        if lines[at].lstrip("rRuU").startswith(quote):
            if lines[at].count(quote) >= 2:
                return at + 1
            for end in range(at + 1, len(lines)):
                if quote in lines[end]:
                    return end + 1
    return next((index for index in range(at, 0, -1) if not lines[index - 1].strip()), 0)
