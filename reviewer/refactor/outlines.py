"""Files in outline, for whoever plans over more of them than can be read; and how to divide them.

An outline has no line numbers: they change with code elsewhere, and what a node was told decides
what has to be asked anew.
"""

import re
from collections.abc import Collection, Sequence
from itertools import groupby

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Extraction
from reviewer.ports import Rev
from reviewer.review.scope import BYTES_A_TOKEN, quoted
from reviewer.text import printable

SHOWN = 80
"""Definitions of one file; the node can ask for the outline of the rest."""

IMPORTS = 12
HEAD_LINES = 60
"""Before the first definition of a file that is shown in outline: its imports."""

PLAIN_CHARS = 160
SIGNATURE_CHARS = 280
"""Of what has parameters and is ASCII, the longer: a prompt is bounded in bytes. Less than what an
extractor keeps, so that a signature which it has cut is cut here."""

NAME_CHARS = 80
IMPORTS_CHARS = 600
"""A name can be as long as its file: what is shown of one line is bounded."""

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_PATH = re.compile(r"[\w.@-]*/[\w./@-]+")


def outline(path: str, context: Context, at: Rev = "head") -> str:
    """Return what a file defines and imports, in a few lines."""
    try:
        found = context.extraction(path, at)
    except GiveUp as error:
        return f"=== file {quoted(path)}\n({printable(str(error))})\n"
    lines = [f"=== file {quoted(path)}"]
    if found.missing:
        lines.append(f"({found.missing})")
    modules = list(dict.fromkeys(each.module for each in found.what.imports))
    if modules:
        more = ", …" if modules[IMPORTS:] else ""
        named = printable(", ".join(modules[:IMPORTS]))[:IMPORTS_CHARS]
        lines.append(f"imports {named}{more}")
    outer = [each for each in found.what.definitions if "." not in each.scope]
    for each in outer[:SHOWN]:
        inner = "  " if each.scope else ""
        private = "" if each.exported or each.kind is DefKind.METHOD else " (not exported)"
        said = _signature(each)
        name = "" if each.name in said else f"{printable(path_of(each))[:NAME_CHARS]}: "
        kind = "" if not name and said.startswith(f"{each.kind.value} ") else f"{each.kind.value} "
        lines.append(f"{inner}{kind}{name}{said}{private}")
    if outer[SHOWN:]:
        lines.append(f"… {len(outer) - SHOWN} more: outline(path)")
    return "\n".join(lines) + "\n"


def _signature(each: Definition) -> str:
    """Return a signature in one line: a long one up to a parameter, with how many are left out."""
    said = printable(" ".join(each.signature.split()))
    most = SIGNATURE_CHARS if each.parameters and said.isascii() else PLAIN_CHARS
    if len(said) <= most:
        return said
    depth, cut = 0, 0
    for at, sign in enumerate(said[:most]):
        depth += (sign in "([{<") - (sign in ")]}>" and said[at - 1 : at] not in ("-", "="))
        if sign == "," and depth == 1:
            cut = at
    names = [one.name for one in each.parameters or ()]
    if not cut or not names:
        return f"{said[:most]}…"
    kept, behind = 0, 0
    for name in names:
        found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(said[:cut], behind)
        if found is None:
            break
        kept, behind = kept + 1, found.end()
    return f"{said[:cut]}, … {len(names) - kept} more)"


def tokens(text: str) -> int:
    """Return about how many tokens a text takes."""
    return int(len(text.encode("utf-8", "replace")) / BYTES_A_TOKEN)


def named_code(text: str, what: Extraction, said: Sequence[str], room: int) -> list[list[str]]:
    """Return the lines before a file's first definition, and those of definitions that are named
    in what is said, in the file's order, up to so many tokens."""
    words = {word for one in said for word in _WORD.findall(_PATH.sub(" ", one))}
    lines = text.split("\n")
    outer = [one for one in what.definitions if "." not in one.scope]
    first = min((one.start for one in outer), default=1)
    ranges = [(1, min(first - 1, HEAD_LINES))]
    ranges += [(one.start, one.end) for one in outer if _is_named(one, words)]
    pieces: list[list[str]] = []
    shown = 0
    for start, end in sorted(set(ranges)):
        piece = lines[max(start, shown + 1) - 1 : end]
        size = tokens("\n".join(piece))
        if piece and size <= room:
            pieces.append(piece)
            room -= size
            shown = end
    return pieces


def _is_named(one: Definition, words: Collection[str]) -> bool:
    """Is a definition meant by one of these words? Every class has an `__init__`, many a `name`."""
    common = one.name.startswith("__") or one.kind is DefKind.CONSTANT
    if one.scope and common and one.scope.rpartition(".")[2] not in words:
        return False
    return one.name in words


def marked(lines: Sequence[str]) -> str:
    """Return lines behind a mark of ours, so that none of a file passes for one of our own."""
    return "\n".join(f"|{line}" for line in lines)


def divided(paths: Sequence[str], sizes: dict[str, int], window: int) -> list[tuple[str, ...]]:
    """Return sorted paths in parts: by folder, then by file; neighbours are packed.

    A single path comes back alone.
    """
    first, last = paths[0].split("/"), paths[-1].split("/")
    depth = 0
    while depth < min(len(first), len(last)) - 1 and first[depth] == last[depth]:
        depth += 1

    def folder(path: str) -> str:
        parts = path.split("/")
        return parts[depth] if len(parts) > depth + 1 else ""

    groups = [tuple(group) for _, group in groupby(paths, key=folder)]
    if len(groups) == 1:
        groups = [(path,) for path in paths]
    parts: list[tuple[str, ...]] = []
    room = 0
    for group in groups:
        size = sum(sizes[path] for path in group)
        if parts and size <= room:
            parts[-1] += group
            room -= size
        else:
            parts.append(group)
            room = window - size
    return parts
