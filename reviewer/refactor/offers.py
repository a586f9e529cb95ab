"""What a Python file offers to whoever imports all of it, when one of its names goes elsewhere.

`__all__` lists it no more, and a file that hands it on by a star imports it by name.
"""

import re
from collections.abc import Collection

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.symbols import Import, Quoted
from reviewer.parsing.worker import Parsers, Question
from reviewer.refactor.protect import shown
from reviewer.text import decode, encode, printable


def listed(text: str, parsers: Parsers) -> list[Quoted]:
    """Return the entries of a file's `__all__`, in file order; none where it has none."""
    if "__all__" not in text:
        return []
    found = parsers.ask(Question("names_in_strings", (encode(text),)))
    return [each for each in (Quoted(**one) for one in found) if each.listed]


def unlisted(text: str, name: str, parsers: Parsers) -> str:
    """Return the text with a name taken out of `__all__`; GiveUp where that is not plain."""
    there = listed(text, parsers)
    gone = [each for each in there if each.name == name]
    if not gone:
        return text
    lines = encode(text).split(b"\n")
    for each in sorted(gone, key=lambda one: (-one.line, -one.column)):
        above = b"\n".join(lines[max(0, each.line - 4) : each.line - 1])
        if _CALLED.search(above):
            raise GiveUp(f"`__all__` lists {printable(each.name)} by a call that is not plain")
        row = _without(lines[each.line - 1], each)
        lines[each.line - 1 : each.line] = [] if row is None else [row]
    result = decode(b"\n".join(lines))
    left = [each.name for each in listed(result, parsers)]
    if left != [each.name for each in there if each.name != name]:
        raise GiveUp(f"`__all__` lists {printable(name)} in a way that is not taken apart here")
    return result


_CALLED = re.compile(rb"\.\s*\w+\s*\(\s*(?:#[^\n]*)?\s*\Z")
"""What a call of a method begins with, up to its first argument."""


def _without(line: bytes, each: Quoted) -> bytes | None:
    """Return a line without an entry, None where nothing is left of it but a comment on that."""
    name = re.escape(encode(each.name))
    literal = re.compile(rb"(?<![\w\"'])[rRuU]?(?P<quote>[\"'])" + name + rb"(?P=quote)(?![\"'])")
    stand = (one for one in literal.finditer(line) if one.start() < each.column < one.end())
    found = next(stand, None)
    if found is None:
        raise GiveUp(f"`__all__` lists {printable(each.name)} in a string that is not plain")
    before, after = line[: found.start()], line[found.end() :]
    alone = not before.strip() and re.fullmatch(rb"\s*,?\s*(?:#.*)?", after)
    grown = before == b"__all__.append(" and re.fullmatch(rb"\)\s*(?:#.*)?", after)
    if alone or grown:
        return None
    if _CALLED.search(before):
        # What would be left is a call of nothing, or a block with nothing in it.
        raise GiveUp(f"`__all__` lists {printable(each.name)} by a call that is not plain")
    if comma := re.match(rb"[ \t]*,[ \t]*", after):
        rest = after[comma.end() :]
        return before + rest if rest.strip()[:1] not in b")]}" else before.rstrip() + rest
    return re.sub(rb"[ \t]*,[ \t]*\Z", b"", before) + after


def handing_on(
    path: str, name: str, entries: Collection[str], context: Context
) -> list[tuple[str, Import]]:
    """Return (file, its import) of who offers others a name that a star brings from `path`.

    `entries` are those of the `__all__` of `path`, () for none. Who has the name of its own, or is
    imported by nobody, offers nothing.
    """
    if name not in entries if entries else name.startswith("_"):
        return []
    found = []
    for each in context.importing(path).items:
        if each.what.name != "*" or language_of(each.path) is not Language.PYTHON:
            continue
        what = context.extraction(each.path).what
        own = any(one.name == name and not one.scope for one in what.definitions)
        named = any((one.alias or one.name or one.module) == name for one in what.imports)
        offers = each.path.endswith("/__init__.py") or context.importing(each.path).items
        if offers and not own and not named:
            found.append((each.path, each.what))
    return found


def handed_on(path: str, text: str, what: Import, statement: str) -> str:
    """Return a text with a statement behind one of its stars; GiveUp where that is not plain."""
    lines = text.split("\n")
    star = lines[what.line - 1] if 0 < what.line <= len(lines) else ""
    if not re.match(r"from\s+\S+\s+import\s*\*\s*(?:#.*)?$", star):
        raise GiveUp(f"{shown(path)} imports everything of it in a way that is not plain")
    return "\n".join([*lines[: what.line], statement, *lines[what.line :]])
