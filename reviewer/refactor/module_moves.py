"""Moves of a whole Python file: its own imports and those of all that import it, by rule.

A file of which that is not sure keeps what it says and is told to a node; where the module itself
cannot go for sure, the host declines, and nothing is done.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword

from reviewer.context.values import Context, Imported
from reviewer.detectors.contracts.views import View
from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.symbols import Import, Use, UseKind
from reviewer.refactor.annotations import only_checked
from reviewer.refactor.apply import as_in, readable
from reviewer.refactor.dotted import meant, package, parts, relative, respelled
from reviewer.refactor.import_style import one_a_line
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.statements import WIDTH, from_import, written
from reviewer.refactor.symbols import LINE_CHARS, Done
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import ModuleMove
from reviewer.text import decode, encode, printable

MOST_REACHED = 400
"""Files that the new package may import, one after the other, when it is looked for circles."""

_ITS_NAME = frozenset({"__main__", "conftest", "setup"})
"""Files that tools find by their name and place."""

_ITS_PLACE = re.compile(r"\b(?:__file__|__package__|__path__)\b|import_module\(\s*[\"']\.")
"""What means something else in another folder."""

_FROM = re.compile(rb"(?:^|[;:])[ \t]*from[ \t]+(\.*[\w.]*)[ \t]*(?=import\b|[ \t]import\b)", re.M)


@dataclass(frozen=True)
class _Way:
    """From where to where a module goes. `root` counts the folders above its outermost package."""

    old: str
    new: str
    root: int

    @property
    def name(self) -> str:
        """The module's absolute name, as it was."""
        return ".".join(parts(self.old)[self.root :])

    @property
    def now(self) -> str:
        """The module's absolute name, as it is."""
        return ".".join(parts(self.new)[self.root :])

    @property
    def stem(self) -> str:
        """What its package knows it by."""
        return parts(self.old)[-1]


@dataclass
class _File:
    """A file that is rewritten: what it says, and the pieces that change, as bytes."""

    path: str
    text: str
    view: View
    imports: tuple[Imported, ...]
    pieces: dict[tuple[int, int], bytes]

    def put(self, start: int, end: int, new: bytes) -> None:
        """Have other bytes at a place; GiveUp where something else changes there, too."""
        for (first, last), known in self.pieces.items():
            same = (first, last) == (start, end) and known == new
            if first < end and start < last and not same:
                raise GiveUp("one statement would change in two ways")
        if self.view.data[start:end] != new:
            self.pieces[start, end] = new

    def result(self) -> str:
        data = self.view.data
        for (start, end), new in sorted(self.pieces.items(), reverse=True):
            data = data[:start] + new + data[end:]
        return decode(data)


def move_module(one: ModuleMove, context: Context, tree: Overlay) -> Done:
    """Move a file with all imports of it; raise GiveUp, and do nothing, where that is not sure."""
    way, packages = _way(one, tree)
    importers = _importers(way, context)
    _makes_no_circle(way, importers, packages, context, tree)
    done = Done()
    old = tree.blob(way.old)
    if old is None:
        raise GiveUp(f"there is no {shown(way.old)}")
    texts: dict[str, str] = dict.fromkeys(packages, "")
    texts[way.new] = _moved(way, context, tree)
    if one.shim:
        texts[way.old] = _shim(way, context, tree)
    said = f"{shown(way.old)} is {shown(way.new)} now, the module {way.now}"
    texts.update(_users(way, importers, context, tree, done, said))
    for path, text in texts.items():
        blob = old if path == way.new else tree.blob(path)
        if problem := refused(path, tree):
            raise GiveUp(f"{shown(path)} would have to change: {problem}")
        data = as_in(blob.data, text) if blob is not None else text.encode()
        if tree.blob(path) is None or blob is None or data != blob.data:
            done.files[path] = Blob(data, blob.mode if blob is not None else "100644")
    if problem := refused(way.old, tree):
        raise GiveUp(f"{shown(way.old)} is not moved: {problem}")
    if not one.shim:
        done.files[way.old] = None
    if package(way.old) != package(way.new) and (found := _ITS_PLACE.search(texts[way.new])):
        done.lead(way.new, f"{said}, and it says {found[0]}, which is another in another folder")
    _tell(way, importers, context, tree, done, said)
    return done


# May it go -------------------------------------------------------------------------------------


def _way(one: ModuleMove, tree: Overlay) -> tuple[_Way, list[str]]:
    """Return the way of a module, and the `__init__.py` that have to be made for it."""
    old, new = one.path, one.to
    for path in (old, new):
        if language_of(path) is not Language.PYTHON or not path.endswith(".py"):
            raise GiveUp("only modules of Python are moved by host code")
    if {parts(old)[-1:][0], old.rpartition("/")[2].removesuffix(".py")} & _ITS_NAME:
        raise GiveUp(f"{shown(old)} is found by its name and place")
    base = package(old)
    while base and tree.mode("/".join([*base, "__init__.py"])) is not None:
        base.pop()
    names = parts(new)[len(base) :]
    if package(new)[: len(base)] != base or not names:
        raise GiveUp(f"{shown(new)} is not below the folder that {shown(old)} is imported from")
    if odd := [name for name in names if not name.isidentifier() or iskeyword(name)]:
        raise GiveUp(f"{printable(odd[0])} is no name of a module")
    folder = old.removesuffix("/__init__.py")
    if old != folder and any(
        path.startswith(f"{folder}/") and path not in (old, new) for path in _paths(tree)
    ):
        raise GiveUp(f"the package {shown(folder)} has other files")
    _is_free(old, new, tree)
    return _Way(old, new, len(base)), _packages(old, new, len(base), tree)


def _paths(tree: Overlay) -> list[str]:
    known = {path for path in tree.start.modes if path not in tree.files}
    return [*known, *(path for path, blob in tree.files.items() if blob is not None)]


def _is_free(old: str, new: str, tree: Overlay) -> None:
    """Decline where the module's old or new name has another file, too."""
    at = "/".join(parts(new))
    others = [new, f"{at}.py", f"{at}/__init__.py", f"{at}.pyi", f"{at}/__init__.pyi"]
    for path in others:
        if path != old and tree.has(path):
            raise GiveUp(f"{shown(path)} is there already")
    if tree.has(at) and parts(old) != parts(new):
        raise GiveUp(f"{shown(at)} is there already")
    if tree.has(f"{old}i"):
        raise GiveUp(f"{shown(old)} has a stub beside it")


def _packages(old: str, new: str, root: int, tree: Overlay) -> list[str]:
    """Return the `__init__.py` of folders that the move makes, where they are to be packages."""
    regular = len(package(old)) > root
    found = []
    folders = package(new)
    for depth in range(root + 1, len(folders) + 1):
        folder = "/".join(folders[:depth])
        if f"{folder}/__init__.py" == old:
            raise GiveUp(f"{shown(folder)} would be no package any more")
        if tree.mode(f"{folder}/__init__.py") is not None:
            regular = True
        elif tree.has(folder):
            if regular:
                raise GiveUp(f"{shown(folder)} is no package")
        elif regular and f"{folder}/__init__.py" != new:
            found.append(f"{folder}/__init__.py")
    return found


def _importers(way: _Way, context: Context) -> list[str]:
    answer = context.importing(way.old)
    if answer.notes:
        raise GiveUp(" ".join(answer.notes))
    paths = {one.path for one in answer.items}
    return sorted(path for path in paths if language_of(path) is Language.PYTHON)


def _makes_no_circle(
    way: _Way, importers: Sequence[str], made: Sequence[str], context: Context, tree: Overlay
) -> None:
    """Decline where a package that is now imported first imports who imports the module.

    Who lies in that package has it imported first anyway.
    """
    folders = package(way.new)
    for depth in range(way.root + 1, len(folders) + 1):
        folder = "/".join(folders[:depth])
        start = f"{folder}/__init__.py"
        if start in (*made, way.new, way.old) or way.old.startswith(f"{folder}/"):
            continue
        outside = {path for path in importers if not path.startswith(f"{folder}/")}
        seen, wanted = {start}, [start]
        while wanted:
            path = wanted.pop()
            if path in outside and any(
                way.old in (*each.to.files, each.to.submodule)
                for each in _running(path, context, tree)
            ):
                raise GiveUp(f"{shown(path)} would import {shown(start)}, which imports it")
            for each in _running(path, context, tree):
                wanted += {*each.to.files, each.to.submodule} - seen - {"", way.old}
                seen.update((*each.to.files, each.to.submodule))
            if len(seen) > MOST_REACHED:
                raise GiveUp(f"{shown(start)} imports too much to be followed")


def _running(path: str, context: Context, tree: Overlay) -> list[Imported]:
    """Return what a file imports while it is imported itself."""
    blob = tree.blob(path)
    if blob is None or language_of(path) is not Language.PYTHON:
        return []
    text = readable(blob.data)
    lines = text.split("\n")

    def runs(line: int) -> bool:
        return not only_checked(text, line) and not re.match(r"(?:async )?def\b", _top(lines, line))

    return [each for each in context.imports(path).items if runs(each.what.line)]


def _top(lines: Sequence[str], line: int) -> str:
    """Return the line at the left margin that a line is below, or itself."""
    for number in range(min(line, len(lines)), 0, -1):
        row = lines[number - 1]
        if row.strip() and not row[:1].isspace() and not row.startswith((")", "#")):
            return row
    return ""


# The module itself -----------------------------------------------------------------------------


def _moved(way: _Way, context: Context, tree: Overlay) -> str:
    """Return the module's text with relative imports that mean what they meant."""
    file = _file(way.old, context, tree)
    for each in file.imports:
        if way.old in (*each.to.files, each.to.submodule):
            raise GiveUp(f"{shown(way.old)} imports itself")
        if each.what.module.startswith(".") and package(way.old) != package(way.new):
            target = meant(way.old, each.what.module)
            _said(file, each.what, relative(target, package(way.new), way.root))
    return file.result()


def _shim(way: _Way, context: Context, tree: Overlay) -> str:
    """Return a module that offers, under the old name, what is public in the new one."""
    what = context.extraction(way.old).what
    names = {one.name for one in what.definitions if not one.scope}
    offered = sorted(name for name in names if not name.startswith("_") or name == "__all__")
    if not offered:
        raise GiveUp(f"{shown(way.old)} offers nothing by name")
    pairs = [(name, name) for name in offered]
    if one_a_line(way.old, "", tree):
        said = "\n".join(written("", way.now, (one,)) for one in pairs)
    else:
        said = written("", way.now, tuple(pairs))
    return f'"""The old name of {way.now}."""\n\n{said}\n'


# Who imports it --------------------------------------------------------------------------------


def _file(path: str, context: Context, tree: Overlay) -> _File:
    blob = tree.blob(path)
    if blob is None:
        raise GiveUp(f"there is no {shown(path)}")
    found = context.extraction(path)
    if not found.what.complete or found.missing:
        raise GiveUp(f"{shown(path)} does not parse")
    text = readable(blob.data)
    view = View(path, Language.PYTHON, found.what, encode(text))
    return _File(path, text, view, context.imports(path).items, {})


def _followed(
    path: str,
    way: _Way,
    context: Context,
    tree: Overlay,
    by_package: Mapping[str, str],
) -> str:
    """Return a file with every import and use of the module as it is called now.

    Whoever loads the module loads it where it is, so what has used it as an attribute of a package
    (`by_package`: see `_by_package`) finds it there.
    """
    file = _file(path, context, tree)
    shadowed = _is_shadowed(way, context)
    chains = dict(by_package)
    if not all(chains.values()):
        raise GiveUp("that package does not hold it any more")
    for each in file.imports:
        what, to = each.what, each.to
        if what.name and to.submodule == way.old:
            if not shadowed or not tree.has(f"{'/'.join(package(way.old))}/__init__.py"):
                _from_package(file, what, way, context)
        elif way.old in to.files:
            if len(to.files) > 1:
                raise GiveUp(f"{printable(what.module)} may be another file")
            now = respelled(path, what.module, way.old, way.new, way.root)
            if what.name:
                _said(file, what, now)
            else:
                chains.update(_plainly(file, what, now))
    for old, new in chains.items():
        _renamed(file, old, new)
    return file.result()


def _users(  # noqa: PLR0917
    way: _Way,
    importers: Sequence[str],
    context: Context,
    tree: Overlay,
    done: Done,
    said: str,
) -> dict[str, str]:
    """Return the files that use the module as they are now; those not sure become leads."""
    texts: dict[str, str] = {}
    known = [] if _is_kept(way, context) else _naming(way, context)
    by_package = {path: used for path in known if (used := _by_package(path, way, context))}
    for path in sorted({*importers, *by_package}):
        used = by_package.get(path, {})
        try:
            texts[path] = _followed(path, way, context, tree, used)
        except GiveUp as error:
            named = f", as it is used by its package, {printable(', '.join(used))}" if used else ""
            done.lead(path, f"{said}. What uses it here was left as it is{named}: {error}")
    return texts


def _start_of(way: _Way) -> str:
    """Return the path of the file that the old package begins with."""
    return "/".join([*package(way.old), "__init__.py"])


def _is_shadowed(way: _Way, context: Context) -> bool:
    """Does the package mean something else by the module's name, or may it?"""
    start = _start_of(way)
    try:
        what = context.extraction(start).what
    except GiveUp:
        return False
    if any(not one.scope and one.name == way.stem for one in what.definitions):
        return True
    resolver = context.resolver()
    named = [one for one in what.imports if (one.alias or one.name) == way.stem]
    return any(resolver.resolve(start, one).submodule != way.old for one in named)


def _said(file: _File, what: Import, now: str) -> None:
    """Have a `from X import …` name another module."""
    first = file.view.offset(what.line, 0)
    end = file.view.offset(what.line + 1, 0) if what.line < file.text.count("\n") + 1 else None
    module = encode(what.module)
    found = [
        one
        for one in _FROM.finditer(file.view.masked, 0, end or len(file.view.data))
        if one[1] == module
    ]
    if not found or file.view.masked.find(b"\n\n", found[-1].end(), first) >= 0:
        raise GiveUp("an import is not where it was")
    start, stop = found[-1].span(1)
    line = file.view.line_of(start)
    row = file.view.line(line)
    if len(row) <= WIDTH < len(row) - len(what.module) + len(now):
        statement = from_import(file.text, line)
        begins = len(encode(file.text[: statement.start]))
        ends = len(encode(file.text[: statement.end]))
        said = written(statement.indent, now, statement.names, statement.tail)
        file.put(begins, ends, encode(said))
        return
    file.put(start, stop, encode(now))


def _from_package(file: _File, what: Import, way: _Way, context: Context) -> None:
    """Have `from package import module` name the new package, and uses the module's new name."""
    said = (
        f"{what.module}{what.name}" if what.module.endswith(".") else f"{what.module}.{what.name}"
    )
    now = respelled(file.path, said, way.old, way.new, way.root)
    head, _, name = now.rpartition(".")
    if not head.strip("."):
        head = f"{head}." if now.startswith(".") else head
    if not head or not name:
        raise GiveUp(f"{printable(now)} is in no package")
    alias = what.alias
    if not alias and name != what.name:
        alias = "" if _takes(file, what, name, context) else what.name
    statement = from_import(file.text, what.line)
    if any(other != what.name and other == name for other, _ in statement.names):
        raise GiveUp(f"it imports another {printable(name)} there")
    mine = (name, "" if alias == name and what.alias != what.name else alias)
    kept = tuple(one for one in statement.names if one[0] != what.name)
    if len(statement.names) - len(kept) != 1:
        raise GiveUp("an import names it twice")
    if head == statement.module:
        names = tuple(mine if one[0] == what.name else one for one in statement.names)
        ordered = list(statement.names) == sorted(statement.names)
        text = written(
            statement.indent, head, tuple(sorted(names)) if ordered else names, statement.tail
        )
    else:
        text = written(statement.indent, head, (mine,), "" if kept else statement.tail)
        if kept:
            before = written(statement.indent, statement.module, kept, statement.tail)
            text = f"{before}\n{text}"
    start = len(encode(file.text[: statement.start]))
    file.put(start, len(encode(file.text[: statement.end])), encode(text))


def _takes(file: _File, what: Import, name: str, context: Context) -> bool:
    """Have a file's uses of a module say its new name, if that is free and nobody else asks."""
    free = not re.search(rf"\b{re.escape(name)}\b", file.text)
    strings = any(
        use.kind is UseKind.STRING and what.name in (use.name, use.receiver.partition(".")[0])
        for use in file.view.what.uses
    )
    offered = what.reexport or file.path.endswith("/__init__.py") or strings
    if not free or offered or context.importers(file.path, limit=1).total:
        return False
    before = dict(file.pieces)
    try:
        _renamed(file, what.name, name)
    except GiveUp:
        file.pieces = before
        return False
    return True


def _plainly(file: _File, what: Import, now: str) -> dict[str, str]:
    """Have `import a.b` name another module; return the names by which uses have to follow."""
    view = file.view
    start = view.offset(what.line, 0)
    row = view.masked[start:].partition(b"\n")[0]
    found = re.search(rb"(?<![\w.])" + re.escape(encode(what.module)) + rb"(?![\w.])", row)
    if found is None:
        raise GiveUp("an import is not where it was")
    new = now
    if not what.alias and _needs_package(file, what, now):
        if row.strip() != f"import {what.module}".encode():
            raise GiveUp("an import is not alone on its line")
        indent = row[: len(row) - len(row.lstrip())].decode()
        new = f"{what.module.partition('.')[0]}\n{indent}import {now}"
    file.put(start + found.start(), start + found.end(), encode(new))
    return {} if what.alias else {what.module: now}


def _needs_package(file: _File, what: Import, now: str) -> bool:
    """Does a file need the package that an import has bound for more than the module?"""
    head = what.module.partition(".")[0]
    if "." not in what.module or now.partition(".")[0] == head:
        return False
    others = [
        one.what
        for one in file.imports
        if one.what is not what and file.view.local_name(one.what) == head
    ]
    if any(one.name or one.module != what.module for one in others):
        return False
    chain = re.compile(
        rb"(?<![\w.])"
        + re.escape(encode(head))
        + rb"(?!\w)(?!"
        + re.escape(encode(what.module[len(head) :]))
        + rb"(?!\w))"
    )
    return chain.search(file.view.masked) is not None


def _renamed(file: _File, old: str, new: str) -> None:
    """Have every use of a dotted name say another one; GiveUp where one is not sure."""
    view = file.view
    receiver, _, name = old.rpartition(".")
    head = old.partition(".")[0]
    length = len(encode(old))
    places: set[int] = set()
    known: set[int] = set()
    for use in view.what.uses:
        place = _place(use, view, name, receiver, old)
        if place is None:
            continue
        known.add(place)
        if use.kind in {UseKind.KEYWORD, UseKind.IMPORT}:
            continue
        if use.kind is UseKind.STRING or view.hidden(head, use):
            raise GiveUp(f"{printable(head)} may be another in line {use.line}")
        places.add(place)
    word = re.compile(rb"(?<![\w.])" + re.escape(encode(old)) + rb"(?!\w)")
    lines = {one.what.line for one in file.imports}
    for found in word.finditer(view.masked):
        at = found.start()
        if at not in known and view.line_of(at) not in lines:
            raise GiveUp(f"{printable(old)} in line {view.line_of(at)} may be another")
    for place in places:
        file.put(place, place + length, encode(new))


def _place(use: Use, view: View, name: str, receiver: str, old: str) -> int | None:
    """Return the byte where a use has a dotted name, None where it is of something else."""
    if use.name == name and use.receiver == receiver:
        place = view.offset(use.line, use.column) - len(encode(old)) + len(encode(name))
    elif use.kind is UseKind.STRING and f"{use.receiver}.".startswith(f"{old}."):
        if not _is_annotation(use, view):
            return None  # told as a string
        raise GiveUp(f"an annotation in line {use.line} names it in a string")
    else:
        return None
    if view.data[place : place + len(encode(old))] != encode(old):
        raise GiveUp(f"{printable(old)} is not on one line")
    return place


def _is_annotation(use: Use, view: View) -> bool:
    row = view.masked[view.offset(use.line, 0) : view.offset(use.line, use.column)]
    return bool(re.search(rb"(?:->|^\s*\w+\s*:|\bdef\b.*:)\s*[\w\[, |]*$", row.rstrip()))


# What is left ----------------------------------------------------------------------------------


def _tell(  # noqa: PLR0917
    way: _Way,
    importers: Sequence[str],
    context: Context,
    tree: Overlay,
    done: Done,
    said: str,
) -> None:
    """Tell of strings with the module's old name, as leads."""
    name = re.escape(way.name)
    end = r"(?!\w)" if "." in way.name else r"\.[A-Za-z_]"
    quoted = re.compile(rf"""["']{name}{end}""")
    for path in sorted({*_naming(way, context), *importers}):
        blob = done.files.get(path) or tree.blob(path)
        if blob is None or language_of(path) is not Language.PYTHON or path == way.old:
            continue
        if "." not in way.name and path not in importers:
            continue
        for row in readable(blob.data).split("\n"):
            if quoted.search(row):
                what = printable(row.strip())[:LINE_CHARS]
                done.lead(path, f"{said}, and its old name stands here in a string: {what}")


def _naming(way: _Way, context: Context) -> list[str]:
    """Return the files of Python that have the module's last name as a word."""
    having = context.mentioning((way.stem,)).get(way.stem, ())
    return sorted(
        path for path in having if path != way.old and language_of(path) is Language.PYTHON
    )


def _is_kept(way: _Way, context: Context) -> bool:
    """Does the old package go on to offer the module, because it imports it by that name?"""
    start = _start_of(way)
    try:
        imports = context.imports(start).items
    except GiveUp:
        return False
    return any(
        one.to.submodule == way.old and (one.what.alias or one.what.name) == way.stem
        for one in imports
    )


def _by_package(path: str, way: _Way, context: Context) -> dict[str, str]:
    """Return by what a file may use the module as an attribute of a package, and what that is now;
    "" where the package does not hold it any more.

    Who imports the module itself under that name is not among them.
    """
    imports = context.imports(path).items
    direct = {one.what.module for one in imports if not one.what.name and way.old in one.to.files}
    old, new = parts(way.old), parts(way.new)
    chains: dict[str, str] = {}
    for one in imports:
        what = one.what
        at = one.to.submodule or next(iter(one.to.files), "")
        if not what.name and not what.alias:
            said, base = what.module.partition(".")[0], old[: way.root + 1]
            if base[way.root :] != [said]:
                continue
        elif at.endswith("/__init__.py") and (one.to.submodule or not what.name):
            said, base = what.alias or what.name, parts(at)
        else:
            continue
        if old[: len(base)] == base and len(old) > len(base):
            rest = new[len(base) :] if new[: len(base)] == base else []
            chains[".".join([said, *old[len(base) :]])] = ".".join([said, *rest]) if rest else ""
    used = {f"{use.receiver}.{use.name}" for use in context.extraction(path).what.uses}
    return {chain: now for chain, now in chains.items() if chain in used - direct}
