"""Moves of a whole file of JavaScript or TypeScript: its relative imports and those of it, by rule.

What is between the quotes of an import is a path: it is rewritten by paths alone, with its ending
as it was written. Whatever names the file by another name than its path (an alias, settings, a
framework, code that nothing here parses: `script_names.py`) is a reason to decline.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import relpath

from reviewer.context.resolving.tree import folder_of, joined, name_of, stem_of, upward, within
from reviewer.context.values import Context
from reviewer.detectors.contracts.masking import literals, masked
from reviewer.errors import GiveUp
from reviewer.languages import language_of
from reviewer.parsing.symbols import Import
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.script_names import (
    ENDINGS,
    INDEX,
    RELATIVE,
    SCRIPTS,
    SETTINGS,
    Way,
    elsewhere,
    no_other_name,
    settings_of,
)
from reviewer.refactor.symbols import Done, cut, line_of
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import ModuleMove
from reviewer.text import decode, encode, printable

_ALWAYS = {".mjs": ".mjs", ".mts": ".mjs", ".cjs": ".cjs", ".cts": ".cjs"}
_OUTPUT = {".js": ".js", ".jsx": ".jsx", ".ts": ".js", ".tsx": ".js"}
"""What the files of an ending are named with where a name needs one."""

_DECLARED = (".d.ts", ".d.mts", ".d.cts")
_IMPORTS = re.compile(
    rb"(?:\b(?:from|import|module)"
    rb"|(?:\bimport|\brequire(?:\s*\.\s*resolve)?|\bnew\s+URL|\b(?:jest|vi)\s*\.\s*\w+(?:<[^;{}]*>)?)"
    rb"\s*\()\s*$"
)
"""What stands before the path of a module, where comments are blanks."""

_QUOTED = re.compile(rb"""["'`](\.{1,2}(?:/[^"'`\\\n$]*)?)["'`]""")
_COMMENT = re.compile(rb"(?<!:)//|/\*|^\s*\*")
_OF_TYPES = re.compile(rb"(?:\bimport\s*\(|<reference\s+path\s*=)\s*$")
"""What stands before a path in a comment that compilers read."""

_LOADED = re.compile(r"!\.{1,2}/")
_ITS_PLACE = re.compile(
    rb"\b(?:__dirname|__filename|require\s*\.\s*context|import\s*\.\s*meta\s*\.\s*\w+)\b|"
    rb"///\s*<reference\s+path"
)


@dataclass(frozen=True)
class _Path:
    """A string that is a relative path: its bytes between the quotes, and is a module named so?"""

    start: int
    end: int
    text: str
    imports: bool
    loaded: bool

    @property
    def bare(self) -> str:
        """The path without a bundler's query."""
        return re.split(r"[?#]", self.text, maxsplit=1)[0]


def move_script(one: ModuleMove, context: Context, tree: Overlay) -> Done:
    """Move a file with all imports of it; raise GiveUp, and do nothing, where that is not sure."""
    way = _way(one, tree)
    answer = context.importing(way.old)
    if answer.notes:
        raise GiveUp(" ".join(answer.notes))
    words = context.resolver().spellings(way.old)
    having = context.mentioning(words) if words else {}
    users = {each.path for each in answer.items} | {
        path for some in having.values() for path in some
    }
    users = {path for path in users if language_of(path) in SCRIPTS and path != way.old}
    no_other_name(way, sorted(users), context, tree)
    done = Done()
    said = f"{shown(way.old)} is {shown(way.new)} now"
    for path, line, is_code in elsewhere(way, tree):
        if is_code:
            done.lead(path, f"{said}, and is perhaps named here: {cut(encode(line))}")
        else:
            done.notes.append(
                f"{shown(path)} may name {shown(way.old)}, which was moved: look there."
            )
    for path in sorted(users):
        data = _following(path, way, context, tree, done, said)
        if data is not None:
            _put(done, path, data, tree)
    blob = tree.blob(way.old)
    if blob is None:
        raise GiveUp(f"there is no {shown(way.old)}")
    for path in (way.old, way.new):
        if problem := refused(path, tree):
            raise GiveUp(f"{shown(path)} is not moved: {problem}")
    done.files[way.new] = Blob(_moved(way, context, tree, done, said), blob.mode)
    done.files[way.old] = None
    if one.shim:
        ending = _ending(way, sorted(users), blob.data, context, tree)
        done.files[way.old] = Blob(_shim(way, blob.data, ending), blob.mode)
    return done


def _put(done: Done, path: str, data: bytes, tree: Overlay) -> None:
    blob = tree.blob(path)
    if problem := refused(path, tree):
        raise GiveUp(f"{shown(path)} would have to change: {problem}")
    done.files[path] = Blob(data, blob.mode if blob is not None else "100644")


# May it go -------------------------------------------------------------------------------------


def _way(one: ModuleMove, tree: Overlay) -> Way:
    ending = next((each for each in ENDINGS if one.path.endswith(each)), "")
    if not ending or one.path.endswith(_DECLARED) or not one.to.endswith(ending):
        raise GiveUp("only a file of code is moved by host code, to a path with the same ending")
    way = Way(one.path, one.to, ending)
    if one.to.endswith(_DECLARED) or stem_of(one.to) == "":
        raise GiveUp(f"{shown(one.to)} is no file of code")
    if re.search(r"[\"'`$\\?#!*\n]", one.to):
        raise GiveUp(f"{shown(one.to)} is no path that an import can name as it stands")
    if SETTINGS.fullmatch(name_of(way.old)):
        raise GiveUp(f"{shown(way.old)} is found by its name and place")
    for path in (
        *(f"{way.now}{each}" for each in (*ENDINGS, *_DECLARED)),
        way.now,
        *(f"{way.stem}{each}" for each in _DECLARED),
        *(f"{way.stem}{each}" for each in ENDINGS if each != ending),
        within(folder_of(way.old), f"__mocks__/{name_of(way.old)}"),
        within(folder_of(way.old), f"__snapshots__/{name_of(way.old)}.snap"),
    ):
        if tree.has(path):
            raise GiveUp(f"{shown(path)} is there already, and goes with that name")
    return way


# The files -------------------------------------------------------------------------------------


def _moved(way: Way, context: Context, tree: Overlay, done: Done, said: str) -> bytes:
    """Return the file with relative paths that mean what they meant."""
    data = _data(way.old, context, tree)
    resolver = context.resolver()
    for each in context.imports(way.old).items:
        what = each.what
        if way.old in each.to.files:
            raise GiveUp(f"{shown(way.old)} imports itself")
        if not RELATIVE.fullmatch(what.module) and (
            resolver.resolve(way.new, what).files != each.to.files
        ):
            raise GiveUp(f"{printable(what.module)} means something else in another folder")
    here, there = folder_of(way.old), folder_of(way.new)
    if here == there:
        return data
    pieces: dict[tuple[int, int], bytes] = {}
    strings = list(_strings(data, way.old))
    for one in strings:
        if one.loaded:
            raise GiveUp(f"a bundler's loader is named in {shown(way.old)}")
        at = joined(here, one.bare)
        if at is None:
            raise GiveUp(f"{printable(one.text)} is outside of the repository")
        if one.imports:
            now = _spelled(at, there, slash=one.bare.endswith("/"))
            pieces[one.start, one.end] = encode(now + one.text[len(one.bare) :])
        else:
            done.lead(way.new, f"{said}, and a string here may be a path: {printable(one.text)}")
    modules = {each.what.module for each in context.imports(way.old).items}
    unseen = {each for each in modules if RELATIVE.fullmatch(each)} - {
        one.text for one in strings if one.imports
    }
    if unseen:
        raise GiveUp(
            f"{shown(way.old)} imports in a way that was not found, {printable(min(unseen))}"
        )
    for _, row in _hidden(data, {one.start for one in strings}):
        done.lead(way.new, f"{said}, and this may be a path: {row}")
    if found := _ITS_PLACE.search(data):
        what_ = printable(decode(found[0]))
        done.lead(way.new, f"{said}, and it says {what_}, which is another in another folder")
    return _with(data, pieces)


def _following(  # noqa: PLR0917
    path: str, way: Way, context: Context, tree: Overlay, done: Done, said: str
) -> bytes | None:
    """Return a file that imports the moved one from where it is, None for one that does not."""
    wanted = {each.what.module for each in context.imports(path).items if way.old in each.to.files}
    data = _data(path, context, tree) if wanted else _whole(path, tree)
    resolver = context.resolver()
    pieces: dict[tuple[int, int], bytes] = {}
    found: set[str] = set()
    strings = list(_strings(data, path))
    for one in strings:
        files = resolver.resolve(path, Import(one.text, "", "", 1)).files
        if one.loaded or way.old not in files:
            continue
        if len(files) > 1:
            raise GiveUp(f"{printable(one.text)} in {shown(path)} may be another file")
        if not one.imports:
            row = line_of(data, data.count(b"\n", 0, one.start) + 1)
            done.lead(path, f"{said}, and is perhaps named here: {row}")
            continue
        found.add(one.text)
        now = _renamed(one, path, way, tree)
        pieces[one.start, one.end] = encode(now + one.text[len(one.bare) :])
    if missing := wanted - found:
        raise GiveUp(
            f"{shown(path)} imports it in a way that was not found, {printable(min(missing))}"
        )
    for text, row in _hidden(data, {one.start for one in strings}):
        if way.old in resolver.resolve(path, Import(text, "", "", 1)).files:
            done.lead(path, f"{said}, and is perhaps named here: {row}")
    return _with(data, pieces) if pieces else None


def _renamed(one: _Path, path: str, way: Way, tree: Overlay) -> str:
    """Return how a file names the moved one: with the ending that it has named it with."""
    here = folder_of(path)
    at = joined(here, one.bare) or ""
    is_index = name_of(way.now) == INDEX
    if at == folder_of(way.old) and name_of(way.stem) == INDEX:
        if tree.has(within(at, "package.json")):
            raise GiveUp(f"{shown(at)} has a package.json, which says what it means")
        ending = ""
    elif at == way.stem:
        ending = ""
    elif at.startswith(f"{way.stem}."):
        ending = at[len(way.stem) :]
    else:
        raise GiveUp(f"{shown(path)} names it by {printable(one.text)}, which is not its path")
    folder = folder_of(way.now)
    short = is_index and not ending and folder not in {here, ""}
    if short and not any(tree.has(f"{folder}{each}") for each in (*ENDINGS, *_DECLARED)):
        return _spelled(folder, here, slash=one.bare.endswith("/"))
    return _spelled(f"{way.now}{ending}", here, slash=False)


def _spelled(at: str, folder: str, *, slash: bool) -> str:
    """Return a path as an import of a folder spells it."""
    said = relpath(f"/{at}", f"/{folder}")
    if said not in {".", ".."} and not said.startswith("../"):
        said = f"./{said}"
    return f"{said}/" if slash else said


def _strings(data: bytes, path: str) -> Iterator[_Path]:
    """Give the strings of a file that are relative paths, and those behind a loader's name."""
    language = language_of(path)
    if language not in SCRIPTS:
        return
    bare = masked(data, language)
    for start, end in literals(data, language):
        quote, inner = data[start : start + 1], data[start + 1 : end - 1]
        if end - start < 3 or data[end - 1 : end] != quote or b"\\" in inner or b"${" in inner:
            continue
        text = decode(inner)
        loaded = _LOADED.search(text) is not None
        if RELATIVE.fullmatch(text) or loaded:
            imports = _IMPORTS.search(bare, max(0, start - 300), start) is not None
            yield _Path(start + 1, end - 1, text, imports, loaded and imports)


def _hidden(data: bytes, known: set[int]) -> Iterator[tuple[str, str]]:
    """Give relative paths between quotes, with their lines, that do not begin at known places.

    What tells strings from code goes astray behind an apostrophe of JSX or a quote in a pattern.
    Comments are left out, but for those that name types.
    """
    for match in _QUOTED.finditer(data):
        if match.start(1) in known:
            continue
        before = data[data.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        if not _COMMENT.search(before) or _OF_TYPES.search(before):
            yield decode(match[1]), line_of(data, data.count(b"\n", 0, match.start()) + 1)


def _data(path: str, context: Context, tree: Overlay) -> bytes:
    """Return the bytes of a file that was parsed whole."""
    known = context.extraction(path)
    if known.missing or not known.what.complete:
        raise GiveUp(f"{shown(path)} does not parse")
    return _whole(path, tree)


def _whole(path: str, tree: Overlay) -> bytes:
    blob = tree.blob(path)
    return blob.data if blob is not None else b""


def _with(data: bytes, pieces: dict[tuple[int, int], bytes]) -> bytes:
    for (start, end), new in sorted(pieces.items(), reverse=True):
        data = data[:start] + new + data[end:]
    return data


def _ending(way: Way, users: list[str], data: bytes, context: Context, tree: Overlay) -> str:
    """Return the ending with which a file beside the moved one has to name it: "" for none.

    An ES module of Node's is found by no name without one. Who names the file with one is believed
    first, then the file itself, of others, then the settings.
    """
    if way.ending in _ALWAYS:
        return _ALWAYS[way.ending]
    modules = [
        each.what.module
        for path in users
        for each in context.imports(path).items
        if way.old in each.to.files
    ]
    said = [end for each in modules for end in ENDINGS if each.endswith(end)]
    if said:
        return max(sorted(set(said)), key=said.count)
    named = re.search(rb"""\bfrom\s*["']\.{1,2}/[^"'\n]*?(\.[cm]?[jt]sx?)["']""", data)
    if named:
        return named[1].decode()
    for folder in upward(folder_of(way.new)):
        blob = tree.blob(within(folder, "package.json"))
        if blob is not None:
            return _OUTPUT[way.ending] if _is_strict(way, decode(blob.data), tree) else ""
    return ""


def _is_strict(way: Way, package: str, tree: Overlay) -> bool:
    """Are paths of imports taken as they stand: by Node, or by a compiler that is told so?"""
    if way.ending in {".js", ".jsx"}:
        return re.search(r'"type"\s*:\s*"module"', package) is not None
    return any(
        re.search(r'"module(?:Resolution)?"\s*:\s*"node(?:16|18|20|next)"', text, re.IGNORECASE)
        for path, text in settings_of(tree).items()
        if folder_of(path) in upward(folder_of(way.new)) and name_of(path) != "package.json"
    )


def _shim(way: Way, data: bytes, ending: str) -> bytes:
    """Return a module that offers, under the old path, what the new one does."""
    language = language_of(way.old)
    bare = masked(data, language) if language in SCRIPTS else data
    if re.search(rb"\bmodule\s*\.\s*exports\b|\bexports\s*\.|\bexport\s*=", bare):
        raise GiveUp(f"{shown(way.old)} does not export by name")
    if not re.search(rb"\bexport\b", bare):
        raise GiveUp(f"{shown(way.old)} offers nothing by name")
    at = _spelled(f"{way.now}{ending}", folder_of(way.old), slash=False)
    semicolon = b";" if b";" in bare else b""
    line = b"export * from '" + encode(at) + b"'" + semicolon + b"\n"
    if re.search(rb"\bexport\s+default\b|\bas\s+default\b", bare):
        line += b"export { default } from '" + encode(at) + b"'" + semicolon + b"\n"
    return line
