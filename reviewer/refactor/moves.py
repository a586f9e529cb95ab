"""Moves of a definition at the top of a Python file, where the context is sure of every use.

What the code needs goes along (imports), and whoever imported it from the old place does so from
the new one. Where any of that is not plain, the host declines: half a move is none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, partial

from reviewer.context.values import Certainty, Context, Used
from reviewer.context.verdicts import OFFERED_ON
from reviewer.detectors.contracts.masking import masked
from reviewer.detectors.contracts.views import View
from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.symbols import Definition, DefKind, Extraction, Import, Use, UseKind
from reviewer.ports import NoSuchFile
from reviewer.refactor.annotations import Need, need, only_checked
from reviewer.refactor.apply import as_in, readable
from reviewer.refactor.import_style import one_a_line
from reviewer.refactor.offers import handed_on, handing_on, listed, unlisted
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.statements import (
    dropped,
    redirected,
    unchecked,
    with_imports,
    with_types,
    written,
)
from reviewer.refactor.stubs import stubs_of
from reviewer.refactor.symbols import LINE_CHARS, Done
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Move
from reviewer.text import decode, encode, printable

_IMPORT = re.compile(r"from\s+\S+\s+import\b|import\s+\S+")

_OF_ITS_FILE = frozenset({"__file__", "__name__", "__package__", "__path__", "global"})
"""What means something else in another file."""

_KINDS = frozenset({DefKind.FUNCTION, DefKind.CLASS, DefKind.CONSTANT})

_MAKERS = frozenset(
    {"bool", "bytes", "dict", "float", "frozenset", "int", "list", "range", "set", "str", "tuple"}
)
"""What makes a value and does nothing else."""

_LITERAL = frozenset(b"False None True and not or b br f fr r rb rf u".split())
"""Words of a literal, prefixes of strings among them."""

_WORD = re.compile(rb"(?<![\w])[^\W\d]\w*")
_SUBSCRIPT = re.compile(rb"[\w\])]\s*\[")

_DYNAMIC = re.compile(
    r"\b(?:__dict__|__import__|eval|exec|globals|import_module|locals|modules|vars)\b"
)
"""Who says one of these may name anything."""

_CALLED = frozenset({UseKind.CALL, UseKind.DECORATOR, UseKind.IMPORT, UseKind.KEYWORD})
"""Uses of a function by which nobody comes to read its annotations."""

_READERS = frozenset({"__annotations__", "get_annotations", "get_type_hints", "globals", "vars"})
"""What reads annotations, or comes by anything of a file without naming it."""

MOST_COMPANIONS = 20
"""Constants that go along with a definition."""


@dataclass(frozen=True)
class _Ends:
    """Both files of a move: what they say of names, and their texts as a node reads them."""

    symbol: str
    old: str
    new: str
    what: Extraction
    target: Extraction
    text: str
    target_text: str
    handed: Callable[[Definition], bool]
    """May a function or class of the old file be given to others, who may read its annotations?"""

    @cached_property
    def view(self) -> View:
        return View(self.old, Language.PYTHON, self.what, encode(self.text))

    def need(self, name: str, inside: Callable[[int], bool]) -> Need:
        """Return what the lines of the old file for which `inside` is true need a name for."""
        return need(name, self.view, inside, self.handed)


@dataclass(frozen=True)
class _Needed:
    """What the code takes along: imports, and statements for whoever checks types alone."""

    imports: list[Import]
    typed: list[str]
    there: list[Import]
    """Of the old file, what the new one has itself."""
    checked: list[Import]
    """Of the old file, what it imports for types alone, and the code takes along so."""


def companions(one: Move, planned: Sequence[Move], context: Context, tree: Overlay) -> list[Move]:
    """Return what has to be moved before a definition, in this order.

    That is what it needs to run of what is planned to go to the same file, and constants that
    nobody else uses, with what these need.
    """
    same = {each.symbol for each in planned if (each.path, each.to) == (one.path, one.to)}
    ends = _ends(one, context, tree)
    tops = {each.name: each for each in ends.what.definitions if not each.scope}
    order: list[str] = []
    seen: set[str] = set()

    def visit(user: Definition) -> None:
        seen.add(user.name)
        if len(seen) > MOST_COMPANIONS:
            raise GiveUp(f"it needs more than {MOST_COMPANIONS} others")
        for other in tops.values():
            if (
                other.name not in seen
                and ends.need(other.name, partial(_inside, definition=user)) is Need.RUN
                and (other.name in same or _is_alone(other, user, ends, context))
            ):
                visit(other)
        order.append(user.name)  # behind all that it needs

    if one.symbol in tops:
        visit(tops[one.symbol])
    return [one.model_copy(update={"symbol": name}) for name in order[:-1]]


def _is_alone(constant: Definition, user: Definition, ends: _Ends, context: Context) -> bool:
    """Is it a constant of a plain value that nothing but this definition uses, in any file?"""
    if constant.kind is not DefKind.CONSTANT or not _is_pure(constant, ends):
        return False
    lines = enumerate(ends.text.split("\n"), 1)
    rest_text = "\n".join(
        line for at, line in lines if not (_inside(at, user) or _inside(at, constant))
    )
    # Words of strings and comments count: what builds code or names of them is not told apart.
    if _DYNAMIC.search(ends.text) or re.search(rf"\b{re.escape(constant.name)}\b", rest_text):
        return False
    rest = ends.need(
        constant.name, lambda line: not (_inside(line, user) or _inside(line, constant))
    )
    having = context.mentioning((constant.name,)).get(constant.name, ())
    return rest is Need.NOTHING and set(having) <= {ends.old}


def _is_pure(constant: Definition, ends: _Ends) -> bool:
    """Is a value the same wherever and whenever it is made?

    It is of literals, names that the file defines or imports, and calls that do nothing else.
    """
    view, code = ends.view, ends.view.masked
    end = view.offset(constant.end + 1, 0) if constant.end < code.count(b"\n") + 1 else len(code)
    head = re.compile(re.escape(encode(constant.name)) + rb"\s*(?::[^=]+)?=(?!=)")
    found = head.match(code, view.offset(constant.start, 0), end)
    if found is None or _SUBSCRIPT.search(code, found.end(), end):
        return False
    uses = {view.offset(use.line, use.column): use for use in view.what.uses}
    words = {each.start() for each in _WORD.finditer(code, found.end(), end)}
    inner = {at for at in uses if found.end() <= at < end}  # those of f-strings are masked
    own = {each.name for each in view.what.definitions if not each.scope}
    own |= {_local(each) for each in view.what.imports}

    def plain(at: int) -> bool:
        use = uses.get(at)
        if use is None:
            word = _WORD.match(code, at)
            return word is not None and word[0] in _LITERAL
        if use.kind is UseKind.CALL:
            return f"{use.receiver}.{use.name}" == "re.compile" or (
                not use.receiver and use.name in _MAKERS - own
            )
        if use.receiver:
            return use.receiver == "re"  # its flags
        return use.kind in {UseKind.KEYWORD, UseKind.STRING} or use.name in own | _MAKERS

    return all(plain(at) for at in words | inner)


def move(one: Move, context: Context, tree: Overlay) -> Done:
    """Move a definition with all that it needs; raise GiveUp, and do nothing, where in doubt."""
    ends = _ends(one, context, tree)
    definition = _definition(ends)
    answer = context.uses(one.symbol, one.path)
    if answer.notes:
        raise GiveUp(" ".join(answer.notes))
    sure = [each for each in answer.items if each.certainty is Certainty.EXACT]
    likely = [each for each in answer.items if each.certainty is Certainty.LIKELY]
    if likely:
        where = ", ".join(sorted({shown(each.path) for each in likely})[:3])
        raise GiveUp(f"it may be used in {where} without being imported by name")
    still = ends.need(ends.symbol, lambda line: not _inside(line, definition))
    needed = _needed(ends, definition, context, tree)
    _no_circle(ends, needed.imports, still, context)
    _nothing_else_of_its_name(ends, sure, context)
    elsewhere = _imported_elsewhere(ends, context)
    texts = {ends.old: _cut(ends, definition, sure, needed, still, elsewhere, tree)}
    texts[ends.new] = _put(ends, definition, needed, tree)
    for path in sorted({each.path for each in sure} - {ends.old, ends.new}):
        uses = [each for each in sure if each.path == path]
        texts[path] = _followed(path, uses, ends, context, tree)
    if still is not Need.RUN:
        texts.update(_offered(ends, texts, context, tree))
    done = Done()
    for path, text in texts.items():
        blob = tree.blob(path)
        if problem := refused(path, tree):
            raise GiveUp(f"{shown(path)} would have to change: {problem}")
        data = as_in(blob.data, text) if blob is not None else text.encode()
        if blob is None or data != blob.data:
            done.files[path] = Blob(data, blob.mode if blob is not None else "100644")
    _tell_of_strings(ends, context, tree, done)
    return done


def _offered(
    ends: _Ends, texts: Mapping[str, str], context: Context, tree: Overlay
) -> dict[str, str]:
    """Return files that offered the name by a star, or list it, as they are now.

    The old one has it no more; who hands on all of the old one goes on to offer it.
    """
    entries = [each.name for each in listed(ends.text, context.parsers)]
    found = {ends.old: unlisted(texts[ends.old], ends.symbol, context.parsers)}
    for path, star in handing_on(ends.old, ends.symbol, entries, context):
        blob = tree.blob(path)
        text = readable(blob.data) if blob is not None else ""
        if path == ends.new or texts.get(path, text) != text:  # it has it, or imports it by name
            continue
        statement = written("", _spelled(path, star.module, ends), ((ends.symbol, ""),))
        found[path] = handed_on(path, text, star, statement)
    return found


def _tell_of_strings(ends: _Ends, context: Context, tree: Overlay, done: Done) -> None:
    """Tell of lines with the name as a string, in files that import the old module.

    It may say which attribute of that module to patch: `setattr(old, "name", …)`.
    """
    having = context.mentioning((ends.symbol,)).get(ends.symbol, ())
    for path in sorted(set(having) - {ends.old}):
        blob = tree.blob(path)
        if blob is None or language_of(path) is not Language.PYTHON:
            continue
        imported = [one.to for one in context.imports(path).items]
        if not any(ends.old in (*to.files, to.submodule) for to in imported):
            continue
        what = f"{printable(ends.symbol)} of {shown(ends.old)} is in {shown(ends.new)} now"
        for line in readable(blob.data).split("\n"):
            if _quoted(ends.symbol, line):
                row = printable(line.strip())[:LINE_CHARS]
                done.lead(path, f"{what}, and its name stands here in a string: {row}")


def _quoted(name: str, text: str) -> bool:
    return re.search(rf"""(["']){re.escape(name)}\1""", text) is not None


def _ends(one: Move, context: Context, tree: Overlay) -> _Ends:
    for path in (one.path, one.to):
        if language_of(path) is not Language.PYTHON or not path.endswith(".py"):
            raise GiveUp("only definitions of Python are moved by host code")
        if stubs_of(path, tree):  # it has to follow, and is what imports are read by
            raise GiveUp(f"{shown(path)} has a stub beside it")
    blob, target = tree.blob(one.path), tree.blob(one.to)
    if blob is None:
        raise GiveUp(f"there is no {shown(one.path)}")
    if target is None and tree.has(one.to):
        raise GiveUp(f"{shown(one.to)} is no regular file")
    what = context.extraction(one.path).what
    try:
        there = context.extraction(one.to).what if target is not None else Extraction()
    except NoSuchFile:
        there = Extraction()
    if not what.complete or not there.complete:
        raise GiveUp("one of the files does not parse")
    text = readable(blob.data)
    target_text = readable(target.data) if target is not None else ""
    handed = cache(partial(_is_handed, one.path, what, context))
    return _Ends(one.symbol, one.path, one.to, what, there, text, target_text, handed)


def _is_handed(path: str, what: Extraction, context: Context, function: Definition) -> bool:
    """Is a function or class used for anything else than to be called, or is that not known?

    A class may also be named as a type, and be extended.
    """
    quiet = (
        _CALLED | {UseKind.TYPE, UseKind.OVERRIDE} if function.kind is DefKind.CLASS else _CALLED
    )
    if any(use.name in _READERS for use in what.uses):
        return True
    if function.scope:
        return any(
            use.name == function.name and not use.receiver and use.kind not in quiet
            for use in what.uses
        )
    answer = context.uses(function.name, path)
    return bool(answer.notes) or any(
        each.certainty is not Certainty.NAME and each.use.kind not in quiet for each in answer.items
    )


def _definition(ends: _Ends) -> Definition:
    found = [each for each in ends.what.definitions if each.name == ends.symbol and not each.scope]
    if len(found) != 1 or found[0].kind not in _KINDS:
        raise GiveUp(f"{printable(ends.symbol)} is not one definition at the top")
    if found[0].kind is DefKind.CONSTANT:
        _is_plain(found[0], ends)
    if any(each.name == ends.symbol for each in ends.target.definitions):
        raise GiveUp(f"{shown(ends.new)} defines {printable(ends.symbol)} already")
    return found[0]


def _is_plain(constant: Definition, ends: _Ends) -> None:
    """Decline a constant that is not one assignment on lines of its own, or is changed later."""
    name = re.escape(encode(constant.name))
    code = ends.view.masked
    first = code.split(b"\n")[constant.start - 1]
    changes = re.findall(
        rb"(?<![\w.])" + name + rb"\s*(?::[^=\n]+)?(?:[^\s\w=!<>]{1,2})?=(?!=)", code
    )
    beside = [
        each
        for each in ends.what.definitions
        if each is not constant and constant.start <= each.start <= constant.end
    ]
    plain = re.match(name + rb"\s*(?::[^=]+)?=(?!=)", first) and b";" not in first
    if (
        not plain
        or len(changes) != 1
        or beside
        or re.search(rb"\bglobal\b[^\n]*\b" + name + rb"\b", code)
    ):
        raise GiveUp(f"{printable(constant.name)} is not one plain assignment")


def _inside(line: int, definition: Definition) -> bool:
    return definition.start <= line <= definition.end


def _needed(ends: _Ends, definition: Definition, context: Context, tree: Overlay) -> _Needed:
    """Return what the code needs imported; decline what it needs of its own file to run."""
    body = _piece(ends, definition)
    _is_at_home_anywhere(set(re.findall(r"(?<![\w.])\w+", body)))  # an attribute is the object's

    def needs(name: str) -> Need:
        return ends.need(name, lambda line: _inside(line, definition))

    tops = [d.name for d in ends.what.definitions if not d.scope and d.name != ends.symbol]
    whats = {name: needs(name) for name in tops}
    for name, what_for in whats.items():
        if what_for is Need.RUN:
            raise GiveUp(f"it needs {printable(name)} of {shown(ends.old)}")
    if any(each.name == "*" for each in ends.what.imports):
        raise GiveUp(f"{shown(ends.old)} imports everything of another module")
    needed: list[Import] = []
    typed: list[str] = []
    there: list[Import] = []
    for_types: list[Import] = []
    for what in ends.what.imports:
        what_for = needs(_local(what))
        if what_for is Need.NOTHING or _inside(what.line, definition):
            continue
        checked = what_for is Need.TYPES and only_checked(ends.text, what.line)
        if ends.new in context.resolver().resolve(ends.old, what).files:
            there.append(what)  # it goes to where that is
            continue
        if not _can_go(what, ends, checked=checked):
            continue
        if checked:
            for_types.append(what)
        else:
            needed.append(what)
    if back := sorted(name for name, what_for in whats.items() if what_for is Need.TYPES):
        typed += _back(back, ends, tree)
    typed[:0] = [_statement(what) for what in for_types]
    future = re.compile(r"^from __future__ import", re.M)
    differs = bool(future.search(ends.text)) != bool(future.search(ends.target_text))
    if differs and ends.target_text.strip():
        raise GiveUp("the two files differ in what they import of __future__")
    return _Needed(needed, list(dict.fromkeys(typed)), there, for_types)


def _can_go(what: Import, ends: _Ends, *, checked: bool) -> bool:
    """Does an import have to go along? Decline one that cannot. `checked`: for types alone."""
    local = _local(what)
    if (what.guarded or _in_block(ends.text, what.line)) and not checked:
        raise GiveUp(f"it needs {printable(local)}, whose import is conditional")
    if what.module.startswith(".") and _folder(ends.old) != _folder(ends.new):
        raise GiveUp(f"it needs {printable(local)}, whose import is relative")
    if any(d.name == local and not d.scope for d in ends.target.definitions):
        raise GiveUp(f"{shown(ends.new)} has another {printable(local)}")
    there = [other for other in ends.target.imports if _local(other) == local]
    if not all(_same(other, what) for other in there):
        raise GiveUp(f"{shown(ends.new)} imports another {printable(local)}")
    if checked or not there:
        return not there
    if all(only_checked(ends.target_text, other.line) for other in there):
        raise GiveUp(f"{shown(ends.new)} imports {printable(local)} for types alone")
    return True


def _back(names: list[str], ends: _Ends, tree: Overlay) -> list[str]:
    """Return the imports of what the code names of the old file in annotations alone."""
    for name in names:
        known = [*(d.name for d in ends.target.definitions), *map(_local, ends.target.imports)]
        if name in known:
            raise GiveUp(f"{shown(ends.new)} has a {printable(name)} already")
    style = ends.target if ends.target_text.strip() else ends.what
    module, pairs = _module(ends.new, ends.old, style, tree), [(one, "") for one in names]
    if one_a_line(ends.new, ends.target_text, tree):
        return [written("", module, (one,)) for one in pairs]
    return [written("", module, tuple(pairs))]


def _is_at_home_anywhere(words: set[str]) -> None:
    if here := words & _OF_ITS_FILE:
        raise GiveUp(f"it uses {min(here)}, which is another in another file")


def _same(one: Import, other: Import) -> bool:
    return (one.module, one.name, one.alias) == (other.module, other.name, other.alias)


def _local(what: Import) -> str:
    """Return the name by which a file knows what it imports."""
    return what.alias or what.name or what.module.partition(".")[0]


def _nothing_else_of_its_name(ends: _Ends, sure: list[Used], context: Context) -> None:
    """Decline where the target has the name of something else, or runs code before its end."""
    mine = [each.use for each in sure if each.path == ends.new]
    if any(use.receiver and use.kind is not UseKind.IMPORT for use in mine):
        raise GiveUp(f"{shown(ends.new)} uses it by its module")
    for each in ends.target.imports:
        if _local(each) == ends.symbol:
            if context.resolver().resolve(ends.new, each).files != (ends.old,):
                raise GiveUp(f"{shown(ends.new)} imports another {printable(ends.symbol)}")
            if _used_on_the_way(ends):
                raise GiveUp(f"{shown(ends.new)} uses it before its end, where it would be put")
    if re.search(r"^if __name__\b", ends.target_text, re.M):
        raise GiveUp(f"{shown(ends.new)} ends with code that runs")
    if re.match(r"""(?:#[^\n]*\n|\s)*[rRuU]?(?:"(?!"")|'(?!''))""", ends.target_text):
        raise GiveUp(f"{shown(ends.new)} begins with a string that host code does not read")


def _used_on_the_way(ends: _Ends) -> bool:
    """Does the target use the name outside of functions, while it is imported?"""
    lines = ends.target_text.split("\n")
    named = re.compile(rf"\b{re.escape(ends.symbol)}\b")
    return any(
        named.search(line) and not line[:1].isspace() and not re.match(r"(?:from|import)\s", line)
        for line in lines
    )


def _imported_elsewhere(ends: _Ends, context: Context) -> set[str] | None:
    """Return the names that other files import from the old one; None where that is not known."""
    answer = context.importing(ends.old)
    if answer.notes:
        return None
    found = [
        each
        for path in {one.path for one in answer.items}
        for each in context.extraction(path).what.imports
    ]
    return None if any(each.name == "*" for each in found) else {each.name for each in found}


def _in_block(text: str, line: int) -> bool:
    return text.split("\n")[line - 1][:1].isspace()


def _no_circle(ends: _Ends, needed: list[Import], still: Need, context: Context) -> None:
    """Decline where the target imports the source, by itself or one step on.

    What is imported for the types alone makes no circle, in neither file.
    """
    reached: set[str] = set()
    for importer, each in (
        *((ends.new, one) for one in _running(ends) if one.name != ends.symbol),
        *((ends.old, one) for one in needed),
    ):
        to = context.resolver().resolve(importer, each)
        reached.update(to.files)
        reached.add(to.submodule)
    for path in sorted(reached - {"", ends.old, ends.new}):
        for imported in context.imports(path).items:
            if ends.old in (*imported.to.files, imported.to.submodule):
                raise GiveUp(f"{shown(ends.new)} would import {shown(path)}, which imports the old")
    if ends.old in reached and still is Need.RUN:
        raise GiveUp(f"{shown(ends.new)} imports {shown(ends.old)}")


def _running(ends: _Ends) -> list[Import]:
    """Return what the target imports when the program runs."""
    return [one for one in ends.target.imports if not only_checked(ends.target_text, one.line)]


def _start_with_comments(ends: _Ends, definition: Definition) -> int:
    lines = ends.text.split("\n")
    start = definition.start
    while start > 1 and lines[start - 2].startswith("#") and not lines[start - 2].startswith("#!"):
        start -= 1
    return start if start == 1 or not lines[start - 2].strip() else definition.start


def _piece(ends: _Ends, definition: Definition) -> str:
    lines = ends.text.split("\n")
    return "\n".join(lines[_start_with_comments(ends, definition) - 1 : definition.end])


def _cut(  # noqa: PLR0917
    ends: _Ends,
    definition: Definition,
    sure: list[Used],
    needed: _Needed,
    still: Need,
    elsewhere: set[str] | None,
    tree: Overlay,
) -> str:
    """Return the old file without the definition, and with an import of it if it is used there."""
    lines = ends.text.split("\n")
    start = _start_with_comments(ends, definition)
    before, after = lines[: start - 1], lines[definition.end :]
    while before and not before[-1].strip():
        before.pop()
    while after and not after[0].strip():
        after.pop(0)
    gap = ["", ""] if before and after else []
    if definition.kind is DefKind.CONSTANT and gap:  # the larger of those around it
        above, below = start - 1 - len(before), len(lines) - definition.end - len(after)
        gap = [""] * max(above, below)
    text = "\n".join([*before, *gap, *(after or [""])])
    own = [e for e in sure if e.path == ends.old and not _inside(e.use.line, definition)]
    if any(each.use.kind is UseKind.STRING for each in own):
        raise GiveUp(f"{shown(ends.old)} names it in a string")
    for each in sorted((*needed.imports, *needed.there), key=lambda what: -what.line):
        local = _local(each)
        offered = elsewhere is None or local in elsewhere
        # The import's own statement has the word; anything else that has it may need it.
        alone = len(re.findall(rf"\b{re.escape(local)}\b", text)) == 1
        if local and not offered and each.line < start and alone:
            with suppress(GiveUp):  # it has a comment, perhaps a linter's: it stays
                text = dropped(text, each.line, each.name).lstrip("\n")
    if still is not Need.NOTHING:
        module = _module(ends.old, ends.new, ends.what, tree)
        statement = [written("", module, ((ends.symbol, ""),))]
        run, typed = (statement, []) if still is Need.RUN else ([], statement)
        single = one_a_line(ends.old, ends.text, tree)
        text = with_types(text, run, typed, _last_import(text, ends), single=single)
    for each in needed.checked:
        local = _local(each)
        offered = elsewhere is None or local in elsewhere
        if not offered and len(re.findall(rf"\b{re.escape(local)}\b", text)) == 1:
            text = unchecked(text, _statement(each))
    return text


def _put(ends: _Ends, definition: Definition, needed: _Needed, tree: Overlay) -> str:
    """Return the new file with the definition at its end and the imports that it needs."""
    text = ends.target_text
    for each in ends.target.imports:
        if each.name == ends.symbol:
            if each.alias:
                raise GiveUp(f"{shown(ends.new)} imports it under another name")
            text = dropped(text, each.line, ends.symbol)
    have = {(each.module, each.name, each.alias) for each in ends.target.imports}
    statements = []
    for each in needed.imports:
        if (each.module, each.name, each.alias) in have:
            continue
        statements.append(_statement(each))
    last = max(
        (
            e.line
            for e in ends.target.imports
            if e.name != ends.symbol and not _in_block(ends.target_text, e.line)
        ),
        default=0,
    )
    if text != ends.target_text and last:
        raise GiveUp(f"the imports of {shown(ends.new)} would have to be rewritten")
    statements = list(dict.fromkeys(statements))
    if not text.strip() and "from __future__ import annotations" in ends.text:
        gap = [""] if statements else []
        statements = ["from __future__ import annotations", *gap, *statements]
    single = one_a_line(ends.new, ends.target_text, tree)
    text = with_types(text, statements, needed.typed, last, single=single)
    head = text.rstrip("\n")
    return f"{head}\n\n\n{_piece(ends, definition)}\n" if head else f"{_piece(ends, definition)}\n"


def _statement(each: Import) -> str:
    if each.name:
        return written("", each.module, ((each.name, each.alias),))
    return f"import {each.module} as {each.alias}" if each.alias else f"import {each.module}"


def _followed(path: str, uses: list[Used], ends: _Ends, context: Context, tree: Overlay) -> str:
    """Return a file that imports the definition, importing it from where it is now."""
    blob = tree.blob(path)
    if blob is None:
        raise GiveUp(f"there is no {shown(path)}")
    text = readable(blob.data)
    what = context.extraction(path).what
    imports = [e for e in what.imports if e.name == ends.symbol]
    from_old = [e for e in imports if context.resolver().resolve(path, e).files == (ends.old,)]
    local = {e.alias or e.name for e in imports}
    # A package that hands it on goes on to do so: who has it from there needs no change.
    used = [
        each.use
        for each in uses
        if each.use.kind is not UseKind.IMPORT and each.why != OFFERED_ON.why
    ]
    if dotted := [use for use in used if use.receiver or use.name not in local]:
        text = _by_name(path, text, what, dotted, ends, context, tree)
    single = one_a_line(path, text, tree)
    for each in sorted(from_old, key=lambda one: -one.line):
        module = _spelled(path, each.module, ends)
        text = redirected(text, each.line, ends.symbol, module, single=single)
    return text


def _by_name(  # noqa: PLR0917
    path: str,
    text: str,
    what: Extraction,
    uses: Sequence[Use],
    ends: _Ends,
    context: Context,
    tree: Overlay,
) -> str:
    """Return a text with uses by the old module (`module.name`) as uses by the name alone.

    The name is imported, and the module no more where nothing else needs it.
    """
    by_module = GiveUp(f"{shown(path)} uses it by its module")
    receivers = {use.receiver for use in uses}
    view = View(path, Language.PYTHON, what, encode(text))
    imports = [one for one in what.imports if _module_name(path, one, ends, context) in receivers]
    if _quoted(ends.symbol, text):
        raise by_module  # it may be patched there
    if len(receivers) != 1 or len(imports) != 1 or _in_block(text, imports[0].line):
        raise by_module
    (imported,), (receiver,) = imports, receivers
    if any(use.line <= imported.line for use in uses):
        raise by_module  # the name would be imported behind it
    head = receiver.partition(".")[0]
    if len(_words(ends.symbol, view.masked, dotted=True)) != len(uses):
        raise by_module  # the name means something else there, too
    lines = encode(text).split(b"\n")
    before = encode(f"{receiver}.")
    for use in sorted(uses, key=lambda one: (-one.line, -one.column)):
        line = lines[use.line - 1]
        start = use.column - len(before)
        if start < 0 or line[start : use.column] != before or view.hidden(head, use):
            raise by_module
        lines[use.line - 1] = line[:start] + line[use.column :]
    said = imported.module
    if imported.name:
        said = f"{said}{imported.name}" if said.endswith(".") else f"{said}.{imported.name}"
    statement = written("", _spelled(path, said, ends), ((ends.symbol, ""),))
    changed = decode(b"\n".join(lines))
    # Right behind the module's own: a later import may stand behind the first use.
    single = one_a_line(path, text, tree)
    done = with_imports(changed, [statement], imported.line, single=single)
    if len(_words(head, masked(encode(changed), Language.PYTHON))) == 1:  # in its import
        above = "".join(f"{one}\n" for one in changed.split("\n")[: imported.line - 1])
        more = 0 if done.startswith(above) else done.count("\n") - changed.count("\n")
        done = dropped(done, imported.line + more, imported.name)
    return done


def _module_name(path: str, what: Import, ends: _Ends, context: Context) -> str:
    """Return by what a file knows the old module, if it is this import that says so."""
    to = context.resolver().resolve(path, what)
    if what.name:
        return _local(what) if to.submodule == ends.old else ""
    return (what.alias or what.module) if to.files == (ends.old,) else ""


def _words(name: str, code: bytes, *, dotted: bool = False) -> list[bytes]:
    """Return the occurrences of a name in masked code; with `dotted` behind a dot, too."""
    before = rb"(?<!\w)" if dotted else rb"(?<![\w.])"
    return re.findall(before + re.escape(encode(name)) + rb"(?!\w)", code)


def _spelled(importer: str, module: str, ends: _Ends) -> str:
    """Return the new module as an import that spells the old one so would spell it."""
    if module.startswith("."):
        level = len(module) - len(module.lstrip("."))
        base = importer.split("/")[:-1]
        base = base[: len(base) - (level - 1)]
        return "." * level + _dotted(ends.new, base)
    old = _parts(ends.old)
    said = module.split(".")
    if old[-len(said) :] != said:
        raise GiveUp(f"{shown(importer)} imports it by a path that cannot be told")
    return _dotted(ends.new, old[: len(old) - len(said)])


def _parts(path: str) -> list[str]:
    parts = path.removesuffix(".py").split("/")
    return parts[:-1] if parts[-1] == "__init__" else parts


def _dotted(path: str, base: list[str]) -> str:
    parts = _parts(path)
    if parts[: len(base)] != base or len(parts) == len(base):
        raise GiveUp(f"{shown(path)} is in another package")
    return ".".join(parts[len(base) :])


def _module(importer: str, path: str, what: Extraction, tree: Overlay) -> str:
    """Return how a file imports another one of its tree: as it imports others."""
    if any(each.module.startswith(".") for each in what.imports):
        if _folder(importer) != _folder(path):
            raise GiveUp(f"{shown(importer)} would have to import it from another folder")
        return "." + _parts(path)[-1]
    # The root of absolute imports is where the packages around the file end.
    root = importer.split("/")[:-1]
    while root and tree.mode("/".join([*root, "__init__.py"])) is not None:
        root.pop()
    return _dotted(path, root)


def _last_import(text: str, ends: _Ends) -> int:
    """Return the line of the last import at the top of a text, 0 where there is none.

    A line of a string may look like one: only those count that the file had as imports.
    """
    last = 0
    lines = ends.text.split("\n")
    real = {_IMPORT.match(lines[each.line - 1]) for each in ends.what.imports}
    known = {found[0] for found in real if found is not None}
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(("def ", "class ", "async def ", "@")):
            break
        if (found := _IMPORT.match(line)) and found[0] in known:
            last = number
    return last


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
