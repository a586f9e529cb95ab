"""Entry points of Python projects: what settings name as `package.module:function`.

No import leads to them, so no rename finds them, and a command that names what is gone breaks when
somebody installs it. They are rewritten where that is exact: the tables of `pyproject.toml` and
`setup.cfg` that are for them, and strings of a `setup.py`, read again afterwards. Else whoever
edits the file is told, and in the end all are looked up once more.
"""

import configparser
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.parsing.packed import path_of
from reviewer.ports import Rev
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import refused
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import ModuleMove, Move, Step
from reviewer.text import decode, encode

MOST_SETTINGS = 200
"""Files of settings that are looked at."""

ROOTS = ("", "src", "lib", "python")
"""Folders beside the settings in which a project's packages lie."""

_CFG_SECTION = "options.entry_points"
_IS_TABLE = {
    "pyproject.toml": re.compile(
        r"project\.(?:scripts|gui-scripts|entry-points\..+)|tool\.poetry\.(?:scripts|plugins\..+)"
    ),
    "setup.cfg": re.compile(re.escape(_CFG_SECTION)),
}
_HEADER = re.compile(r"^\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_REF = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)")
_EXTRAS = r"\s*(?:\[[\w\s,.-]*\])?\s*"
_AROUND = {
    "pyproject.toml": (r"[\"']\s*", r"[\"']"),
    "setup.cfg": (r"=\s*", r"$"),
    "setup.py": (r"[\"']\s*[\w. -]+?\s*=\s*", r"[\"']"),
}
"""What stands before and behind an entry point, in a line of each file."""

_LITERAL = re.compile(rf"""(["'])\s*[\w. -]+?\s*=\s*({_REF.pattern}){_EXTRAS}\1""")


@dataclass(frozen=True, slots=True)
class Ref:
    """What an entry point names: a module, and a name in it, perhaps with dots."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True)
class _Home:
    """The file of a module, and the folder that its dotted name begins in ("" or "src/")."""

    path: str
    root: str


@dataclass
class Followed:
    """Files of settings as they are now; what to tell who edits others; what nobody can say."""

    files: dict[str, Blob | None] = field(default_factory=dict)
    leads: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


def follow(
    one: Step, renamed: tuple[tuple[str, str], ...], context: Context, tree: Overlay
) -> Followed:
    """Return what the settings of a tree have to say after a step. `tree` is that before it.

    `renamed` are the (path, symbol) that a rename gives another name.
    """
    done = Followed()
    for path, data in _settings(tree):
        text = decode(data)
        changes: dict[Ref, Ref] = {}
        for ref in entries(path, text):
            home = _home(ref, path, tree)
            if home is None:
                if _perhaps(one, ref):
                    done.left.append((path, f"{ref} may mean it, and no file is where that says"))
                continue
            if isinstance(one, Move | ModuleMove):
                new = _moved(one, ref, home)
            else:
                new = _renamed(ref, home, renamed, one.to, context)
            if new is None:
                done.leads.append((path, f"the entry point {ref} goes where it has no name"))
            elif new != ref:
                changes[ref] = new
        if not changes:
            continue
        said = ", ".join(f"{old} is {new} now" for old, new in changes.items())
        written = rewritten(path, text, changes)
        if written is None or refused(path, tree):
            done.leads.append((path, f"the entry point {said}, and has to say so"))
        else:
            mode = tree.mode(path)
            done.files[path] = Blob(encode(written), mode or "100644")
    return done


def broken(before: Overlay, after: Overlay, context: Context) -> list[tuple[str, str]]:
    """Return (settings, what they name) of entry points that named something, and do not now.

    `context` has `before` as its base and `after` as its head.
    """
    found = []
    for path, data in _settings(after):
        old = before.blob(path)
        known = set(entries(path, decode(old.data))) if old is not None else set()
        for ref in entries(path, decode(data)):
            was = ref not in known or _stands(ref, path, before, context, "base")
            if was and not _stands(ref, path, after, context, "head"):
                found.append((path, str(ref)))
    return found


def entries(path: str, text: str) -> list[Ref]:
    """Return the entry points that a file of settings has, each once; none where it is broken."""
    return list(dict.fromkeys(_ENTRIES[path.rpartition("/")[2]](text)))


def rewritten(path: str, text: str, changes: Mapping[Ref, Ref]) -> str | None:
    """Return settings with entry points changed and nothing else; None where that is not sure."""
    name = path.rpartition("/")[2]
    table = ""
    lines = []
    for line in text.split("\n"):
        if header := _HEADER.match(line):
            table = re.sub(r"[\"'\s]", "", header[1])
        at_home = name == "setup.py" or _IS_TABLE[name].fullmatch(table)
        lines.append(_line(line, changes, name) if at_home else line)
    new = "\n".join(lines)
    wanted = [changes.get(each, each) for each in entries(path, text)]
    if entries(path, new) != list(dict.fromkeys(wanted)):
        return None
    if name == "pyproject.toml" and _rest(text) != _rest(new):
        return None
    return new


def _line(line: str, changes: Mapping[Ref, Ref], name: str) -> str:
    start, end = _AROUND[name]
    for old, new in changes.items():
        # A name has no backslash: it is no pattern of what is put in.
        line = re.sub(rf"({start}){re.escape(str(old))}({_EXTRAS}{end})", rf"\g<1>{new}\g<2>", line)
    return line


# What settings have -------------------------------------------------------------------------------


def _of_toml(text: str) -> Iterator[Ref]:
    for table in _tables(text):
        for value in table.values():
            yield from _refs(value)


def _tables(text: str) -> list[dict[str, Any]]:
    """Return the tables of a pyproject.toml that are for entry points."""
    try:
        whole = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    project, poetry = _in(whole, "project"), _in(_in(whole, "tool"), "poetry")
    found = [_in(project, "scripts"), _in(project, "gui-scripts"), _in(poetry, "scripts")]
    for groups in (_in(project, "entry-points"), _in(poetry, "plugins")):
        found += [_in(groups, name) for name in groups]
    return found


def _rest(text: str) -> dict[str, Any]:
    """Return a pyproject.toml without what its entry points name."""
    whole = tomllib.loads(text)
    for table in (_in(whole, "project"), _in(_in(whole, "tool"), "poetry")):
        for name in ("scripts", "gui-scripts", "entry-points", "plugins"):
            table.pop(name, None)
    return whole


def _in(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def _of_cfg(text: str) -> Iterator[Ref]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    if parser.has_section(_CFG_SECTION):
        for _, lines in parser.items(_CFG_SECTION):
            for line in lines.split("\n"):
                yield from _refs(line.partition("=")[2])


def _of_code(text: str) -> Iterator[Ref]:
    if "entry_points" in text:
        for found in _LITERAL.finditer(text):
            yield from _refs(found[2])


def _refs(value: object) -> Iterator[Ref]:
    if isinstance(value, str) and (found := re.fullmatch(rf"\s*{_REF.pattern}{_EXTRAS}", value)):
        yield Ref(found[1], found[2])


_ENTRIES: dict[str, Callable[[str], Iterator[Ref]]] = {
    "pyproject.toml": _of_toml,
    "setup.cfg": _of_cfg,
    "setup.py": _of_code,
}


def _settings(tree: Overlay) -> list[tuple[str, bytes]]:
    paths = sorted(
        path for path in {*tree.start.modes, *tree.files} if path.rpartition("/")[2] in _ENTRIES
    )
    found = []
    for path in paths[:MOST_SETTINGS]:
        blob = tree.blob(path)
        if blob is not None:
            found.append((path, blob.data))
    return found


# What they mean ----------------------------------------------------------------------------------


def _home(ref: Ref, settings: str, tree: Overlay) -> _Home | None:
    folder = settings.rpartition("/")[0]
    for name in ROOTS:
        root = "".join(f"{part}/" for part in (folder, name) if part)
        stem = root + ref.module.replace(".", "/")
        for path in (f"{stem}/__init__.py", f"{stem}.py"):
            if tree.blob(path) is not None:
                return _Home(path, root)
    return None


def _moved(one: Move | ModuleMove, ref: Ref, home: _Home) -> Ref | None:
    """Return what is named after a move; None where that has no name from there."""
    if home.path != one.path:
        return ref
    if isinstance(one, Move) and ref.name.partition(".")[0] != one.symbol:
        return ref
    inner = one.to.removeprefix(home.root).removesuffix(".py").removesuffix("/__init__")
    module = inner.replace("/", ".")
    sure = one.to.startswith(home.root) and one.to.endswith(".py")
    return Ref(module, ref.name) if sure and _REF.fullmatch(f"{module}:x") else None


def _renamed(
    ref: Ref, home: _Home, renamed: tuple[tuple[str, str], ...], to: str, context: Context
) -> Ref:
    first, *rest = ref.name.split(".")
    meant = {(home.path, first)}
    meant |= {(each.path, path_of(each.definition)) for each in context.meant(first, home.path)}
    for path, symbol in renamed:
        parts = symbol.split(".")
        for where, name in meant:
            whole = [name, *rest]
            if where != path or whole[: len(parts)] != parts:
                continue
            if len(parts) > 1 or first == name:  # else it has another name there, and keeps it
                named = [first, *rest]
                named[len(parts) - 1] = to
                return Ref(ref.module, ".".join(named))
    return ref


def _perhaps(one: Step, ref: Ref) -> bool:
    """May an entry point of an unknown place mean what a step changes?"""
    stem = one.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    if ref.module.rpartition(".")[2] != stem:
        return False
    return isinstance(one, ModuleMove) or one.symbol.partition(".")[0] in ref.name.split(".")


def _stands(ref: Ref, settings: str, tree: Overlay, context: Context, at: Rev) -> bool:
    """Is there what an entry point names, as far as a look at its file tells?"""
    home = _home(ref, settings, tree)
    if home is None:
        return False
    try:
        found = context.extraction(home.path, at)
    except GiveUp:
        return True
    if found.missing or not found.what.complete:
        return True
    names = {path_of(each) for each in found.what.definitions}
    first = ref.name.partition(".")[0]
    owners = [each for each in found.what.definitions if path_of(each) == first]
    if owners and first != ref.name:
        inherits = any(each.bases for each in owners)
        return inherits or ref.name in names
    imported = {each.alias or each.name or each.module for each in found.what.imports}
    return first in names or first in imported or "*" in imported or "__getattr__" in names
