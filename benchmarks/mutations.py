"""Breaks of contracts made in real trees, each with a twin in which all users were adapted.

What breaks is known by construction and not by our own binding: a name that one definition alone
in the repository has, and a line of another file that is plain to a regular expression (an import
that names it, `package.Name`, `self.name(`). Extraction only says where a definition lies.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reviewer.detectors.contracts.trees import family
from reviewer.languages import Language, is_fixture, language_of
from reviewer.parsing.extract import extract
from reviewer.parsing.symbols import Definition, DefKind, Extraction

Files = Mapping[str, bytes]
Edits = dict[str, bytes | None]

NEW = "Renamed"  # what a renamed thing gets behind its name
MIN_NAME = 6  # characters; a shorter name is a word of the language's own library too often
_USERS = {  # the use of NAME in another file that is certain, by family and kind
    ("python", "top"): (
        r"^from[ \t]+[.\w]+[ \t]+import[ \t]+"
        r"(?:\([^)]*\bNAME\b(?![ \t]+as)|[^\n(]*\bNAME\b(?![ \t]+as))"
    ),
    ("script", "top"): (
        r"^import\s*(?:type\s*)?(?:[\w$]+\s*,\s*)?"
        r"\{[^}]*\bNAME\b(?!\s+as)[^}]*\}\s*from\s*['\"](?:\.|@vue/)"
    ),
    ("script", "common"): r"\b\w+\.NAME\(",
    ("go", "top"): r"(?<![.\w\"/])(?:[a-z]\w*\.)?NAME\b(?!\s*:)",
    ("java", "class"): r"^import [\w.]+\.NAME;",
    ("java", "static"): r"\bOWNER\.NAME\(",
    ("ruby", "top"): r"\b[A-Z]\w*(?:::[A-Z]\w*)*::NAME\b",
    ("ruby", "static"): r"\bOWNER\.NAME\b",
}  # fmt: skip
_OWN = {"python": r"\bself\.NAME\(", "script": r"\bthis\.NAME\(", "ruby": r"\bself\.NAME\b"}


@dataclass(frozen=True)
class Mutation:
    """One break: the files that it edits, and those that its twin edits."""

    kind: str
    family: str
    name: str
    broken: Edits
    twin: Edits


@dataclass(frozen=True)
class Site:
    """A definition whose name is its own in the whole repository, and the files that use it."""

    path: str
    definition: Definition
    users: tuple[str, ...]
    exact: str  # the kind of certain use

    @property
    def name(self) -> str:
        return self.definition.name


@dataclass
class Repository:
    """The source files of one family of languages, by path, with what they define."""

    family: str
    files: Files
    extractions: dict[str, Extraction] = field(default_factory=dict)
    defined: Counter[str] = field(default_factory=Counter)
    holders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, files: Files, kind: str) -> "Repository":
        """Read the files of one family; tests and sources alike."""
        mine = {path: data for path, data in files.items() if family(path) == kind}
        made = cls(kind, mine)
        for path, data in sorted(mine.items()):
            language = language_of(path)
            assert language is not None
            made.extractions[path] = extract(data, language)
            made.defined.update(each.name for each in made.extractions[path].definitions)
            made.defined.update(
                parameter.name
                for each in made.extractions[path].definitions
                for parameter in each.parameters or ()
            )
            for word in set(re.findall(rb"[A-Za-z_]\w+", data)):
                made.holders[word.decode()].append(path)
        return made


def mutations(files: Files, kind: str, most: int, seed: int = 0) -> Iterator[Mutation]:
    """Yield at most `most` mutations of each kind, the same for the same files and seed."""
    repository = Repository.of(files, kind)
    sites = list(_sites(repository))
    for what, make in _OPERATIONS.items():
        random.Random(f"{seed}{what}").shuffle(sites)
        made = 0
        renamed: set[str] = set()
        for site in sites:
            if made >= most or (make is _rename_file and site.path in renamed):
                continue
            renamed.add(site.path)
            mutation = make(repository, site)
            if mutation is not None:
                broken, twin = mutation
                noun, name = site.definition.kind.value, site.name
                if make is _rename_file:
                    noun, name = "", PurePosixPath(site.path).stem
                yield Mutation(f"{what} {noun}".strip(), kind, name, broken, twin)
                made += 1


# Sites -------------------------------------------------------------------------------------------


def _sites(repository: Repository) -> Iterator[Site]:
    for path, extraction in repository.extractions.items():
        if not extraction.complete or is_fixture(path) or "/test" in path or "spec/" in path:
            continue
        for each in extraction.definitions:
            if len(each.name) < MIN_NAME or repository.defined[each.name] != 1:
                continue
            if not each.name.isidentifier() or each.kind is DefKind.MODULE:
                continue
            classes = {one.name for one in extraction.definitions if one.kind is DefKind.CLASS}
            inside = each.scope.rpartition(".")[2] in classes
            for exact, pattern in _patterns(repository.family, each, in_class=inside):
                users = tuple(_users(repository, path, each, pattern, exact))
                if users:
                    yield Site(path, each, users, exact)
                    break


def _patterns(kind: str, each: Definition, *, in_class: bool) -> Iterator[tuple[str, str]]:
    owner = each.scope.rpartition(".")[2]
    if each.kind is DefKind.METHOD:
        static = kind == "java" and "static " in each.signature
        if static or (kind == "ruby" and each.signature.startswith("def self.")):
            yield "static", _USERS[kind, "static"].replace("OWNER", owner)
        elif kind in _OWN and "." not in each.scope and in_class:
            yield "own", _OWN[kind]
    elif kind == "java":
        if each.kind is DefKind.CLASS and not each.scope:
            yield "class", _USERS[kind, "class"]
    elif kind == "ruby":
        if each.kind in (DefKind.CLASS, DefKind.CONSTANT):
            yield "top", _USERS[kind, "top"]
    elif not each.scope:
        yield "top", _USERS[kind, "top"]
        if kind == "script" and each.signature.startswith("exports."):
            yield "common", _USERS[kind, "common"]


def _users(
    repository: Repository, path: str, each: Definition, pattern: str, exact: str
) -> Iterator[str]:
    user = re.compile(pattern.replace("NAME", each.name).encode(), re.MULTILINE)
    for other in repository.holders[each.name]:
        if (other == path) == (exact == "own") and repository.extractions[other].complete:
            data = repository.files[other]
            if is_fixture(other) or (exact == "common" and not _requires(data, path)):
                continue
            if repository.family == "go" and not _go_user(repository, path, other, each.name):
                continue
            for match in user.finditer(_code(data, repository.family)):
                if match.group():
                    yield other
                    break


def _requires(data: bytes, path: str) -> bool:
    """Does a file require the one of that path, by its name?"""
    stem = re.escape(PurePosixPath(path).stem).encode()
    return (
        re.search(rb"\brequire\(['\"][./][^'\"]*/?\b" + stem + rb"(?:\.js)?['\"]\)", data)
        is not None
    )


def _go_user(repository: Repository, path: str, other: str, name: str) -> bool:
    """Is it another file of the same folder, or one that writes `package.Name`?"""
    same = PurePosixPath(path).parent == PurePosixPath(other).parent
    package = re.search(rb"^package (\w+)", repository.files[path], re.MULTILINE)
    theirs = re.search(rb"^package (\w+)", repository.files[other], re.MULTILINE)
    if package is None or theirs is None:
        return False
    if same and package.group(1) == theirs.group(1):
        return True
    wanted = rb"\b" + package.group(1) + rb"\." + name.encode() + rb"\b"
    return name[0].isupper() and re.search(wanted, repository.files[other]) is not None


def _code(data: bytes, kind: str) -> bytes:
    """Return the source without the lines that are comments, which is enough to find a use in."""
    mark = rb"^[ \t]*#[^\n]*" if kind in ("python", "ruby") else rb"^[ \t]*(?://|\*|/\*)[^\n]*"
    return re.sub(mark, b"", data, flags=re.MULTILINE)


# Edits -------------------------------------------------------------------------------------------

Pair = tuple[Edits, Edits] | None


def _renamed(data: bytes, name: str, new: str) -> bytes:
    return re.sub(rb"(?<!\w)" + name.encode() + rb"(?!\w)", new.encode(), data)


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")


def _in_definition(data: bytes, each: Definition, name: str, new: str) -> bytes:
    """Rename where the definition says its name, and nowhere else."""
    lines = _lines(data)
    word = re.compile(rb"(?<!\w)" + name.encode() + rb"(?!\w)")
    for index in range(each.start - 1, each.end):
        if word.search(lines[index]) and not lines[index].lstrip().startswith((b"@", b"#", b"//")):
            lines[index] = word.sub(new.encode(), lines[index], count=1)
            break
    return b"\n".join(lines)


def _without(data: bytes, each: Definition) -> bytes:
    lines = _lines(data)
    return b"\n".join([*lines[: each.start - 1], *lines[each.end :]])


def _body(data: bytes, each: Definition) -> bytes:
    return b"\n".join(_lines(data)[each.start - 1 : each.end])


def _everywhere(repository: Repository, site: Site, new: str) -> Edits:
    return {
        path: _renamed(repository.files[path], site.name, new)
        for path in repository.holders[site.name]
    }


def _rename(repository: Repository, site: Site) -> Pair:
    new = site.name + ("_renamed" if "_" in site.name else NEW)
    data = repository.files[site.path]
    edit = _in_definition(data, site.definition, site.name, new)
    if site.exact != "own":
        edit = _renamed(data, site.name, new)
    return ({site.path: edit}, _everywhere(repository, site, new))


def _remove(repository: Repository, site: Site) -> Pair:
    """Take the definition out; the twin leaves its old name as another name for a new one."""
    data, each = repository.files[site.path], site.definition
    lines = _lines(data)
    first, last = lines[each.start - 1], lines[each.end - 1]
    if site.exact == "own" or (each.start == each.end and b";" in last.rstrip(b"; \t")):
        return None
    shim = _shim(repository.family, site)
    if shim is None or (first.count(b",") and each.kind is DefKind.CONSTANT):
        return None
    new = site.name + ("_renamed" if "_" in site.name else NEW)
    twin = _in_definition(data, each, site.name, new)
    kept = _lines(twin)
    kept[each.end : each.end] = (
        shim.replace("NAME", site.name).replace("NEW", new).encode().split(b"\n")
    )
    return {site.path: _without(data, each)}, {site.path: b"\n".join(kept)}


def _shim(kind: str, site: Site) -> str | None:
    """Return the lines after a definition that keep its old name."""
    each = site.definition
    if kind == "python":
        return "NAME = NEW"
    if kind == "ruby":
        if each.kind is DefKind.METHOD:
            return "def self.NAME(*args, **rest, &block) = NEW(*args, **rest, &block)"
        if re.match(r"(?:class|module)\s+\w+::", each.signature):
            return None  # beside it the old name would be another one
        return "NAME = NEW"
    if kind == "script":
        if not each.exported or site.exact == "common":
            return "exports.NAME = exports.NEW;" if site.exact == "common" else None
        word = "type " if re.search(r"\b(?:interface|type)\b", each.signature) else ""
        return f"export {word}{{ NEW as NAME }};"
    if kind == "go" and each.kind in (DefKind.FUNCTION, DefKind.CLASS, DefKind.TYPE):
        if not re.match(r"func|type", each.signature) and each.kind is not DefKind.FUNCTION:
            return None  # one of several in a group
        return "var NAME = NEW" if each.kind is DefKind.FUNCTION else "type NAME = NEW"
    return None


def _move(repository: Repository, site: Site) -> Pair:
    """Put the definition into another file; the twin passes it on, or is in the same package."""
    data, each = repository.files[site.path], site.definition
    if site.exact == "own" or each.kind is DefKind.METHOD:
        return None
    folder, body, rest = PurePosixPath(site.path).parent, _body(data, each), _without(data, each)
    if repository.family == "python" and each.kind is not DefKind.CONSTANT:
        new = str(folder / "moved_elsewhere.py")
        passed = f"from .moved_elsewhere import {site.name}\n".encode()
        return {site.path: rest, new: body}, {site.path: rest + b"\n" + passed, new: body}
    if repository.family == "script" and each.exported and body.startswith(b"export "):
        new = str(folder / f"movedElsewhere{PurePosixPath(site.path).suffix}")
        passed = (
            f"import {{ {site.name} }} from './movedElsewhere'\nexport {{ {site.name} }}\n"
        ).encode()
        return {site.path: rest, new: body}, {site.path: rest + b"\n" + passed, new: body}
    if repository.family == "go" and body.startswith((b"func", b"type")):
        package = re.search(rb"^package \w+", data, re.MULTILINE)
        assert package is not None
        away = {site.path: rest, "elsewhere/moved.go": b"package elsewhere\n\n" + body}
        near = {site.path: rest, str(folder / "moved.go"): package.group() + b"\n\n" + body}
        return away, near
    if repository.family == "java" and each.kind is DefKind.CLASS:
        return _move_class(repository, site)
    return None


def _move_class(repository: Repository, site: Site) -> Pair:
    data = repository.files[site.path]
    package = re.search(rb"^package ([\w.]+);", data, re.MULTILINE)
    if package is None or PurePosixPath(site.path).stem != site.name:
        return None
    old = package.group(1)
    new_path = str(PurePosixPath(site.path).parent / "elsewhere" / f"{site.name}.java")
    moved = data.replace(package.group(), b"package " + old + b".elsewhere;", 1)
    broken: Edits = {site.path: None, new_path: moved}
    twin: Edits = dict(broken)
    name = site.name.encode()
    for path in repository.holders[site.name]:
        if path == site.path:
            continue
        text = repository.files[path]
        new = b"import " + old + b".elsewhere." + name + b";"
        theirs = re.search(rb"^package [\w.]+;", text, re.MULTILINE)
        qualified = re.compile(re.escape(old + b"." + name) + rb"\b")
        if qualified.search(text):
            text = qualified.sub(old + b".elsewhere." + name, text)
            twin[path] = text
        if theirs is not None and theirs.group() == package.group():
            twin[path] = text.replace(theirs.group(), theirs.group() + b"\n" + new, 1)
    return broken, twin


def _rename_file(repository: Repository, site: Site) -> Pair:
    """Give the file another name; the twin says the new one wherever the old one was said."""
    path = PurePosixPath(site.path)
    stem = path.stem
    extraction = repository.extractions[site.path]
    if repository.family not in ("python", "script", "ruby") or site.exact == "own":
        return None
    if path.name in ("__init__.py", "index.ts", "index.js") or len(stem) < MIN_NAME:
        return None
    if any(each.name == stem for each in extraction.definitions) or not stem.isidentifier():
        return None
    if sum(PurePosixPath(each).stem == stem for each in repository.files) != 1:
        return None
    said = {
        "python": rf"^from[ \t]+[.\w]*\b{stem}[ \t]+import",
        "script": rf"^import[^;]*?from ['\"]\.[^'\"]*/{stem}['\"]",
        "ruby": rf"^require_relative ['\"][^'\"]*\b{stem}['\"]",
    }[repository.family]
    users = [
        each
        for each in repository.holders[stem]
        if each != site.path
        and not is_fixture(each)
        and repository.extractions[each].complete
        and re.search(said.encode(), repository.files[each], re.MULTILINE)
    ]
    if not users:
        return None
    new = str(path.with_name(f"{stem}_renamed{path.suffix}"))
    broken: Edits = {site.path: None, new: repository.files[site.path]}
    twin: Edits = dict(broken)
    for each in repository.holders[stem]:
        twin[new if each == site.path else each] = _renamed(
            repository.files[each], stem, f"{stem}_renamed"
        )
    return broken, twin


# Signatures --------------------------------------------------------------------------------------

_FIRST = {"python": "added", "go": "added int", "java": "int added", "ruby": "added"}
_GIVEN = {"python": "None", "go": "0", "java": "0", "ruby": "nil", "script": "0"}


def _calls(repository: Repository, site: Site) -> dict[str, list[re.Match[bytes]]] | None:
    """Return every call of the name by file; None unless all its uses are plain calls."""
    name = site.name.encode()
    plain = re.compile(rb"(?<!\w)" + name + rb"\(([\w.'\" ,=*&:-]*)\)")
    found = {}
    for path in repository.holders[site.name]:
        if re.search(name + rb"[ \t]+as\b", repository.files[path]):
            return None  # called by another name
        if language_of(path) is Language.JAVASCRIPT and repository.family == "script":
            return None
        data = _code(repository.files[path], repository.family)
        if repository.family == "ruby" and re.search(rb"\." + name + rb"(?![\w(?!])", data):
            return None  # called without parentheses
        calls = list(plain.finditer(data))
        words = len(re.findall(rb"(?<!\w)" + name + rb"\(", data))
        if len(calls) != words or b"*" in b"".join(call.group(1) for call in calls):
            return None
        if path != site.path and not calls and path in site.users:
            return None
        found[path] = calls
    return found


def _function(repository: Repository, site: Site) -> bool:
    each = site.definition
    typed = repository.family != "script" or language_of(site.path) is not Language.JAVASCRIPT
    called = each.kind in (DefKind.FUNCTION, DefKind.METHOD) and site.exact != "own"
    plain = not any(p.how in ("*args", "**kwargs", "keyword") for p in each.parameters or ())
    return bool(typed and called and plain and not each.decorators)


def _add_parameter(repository: Repository, site: Site) -> Pair:
    """Ask for one more argument, in front; the twin passes it everywhere."""
    each = site.definition
    if not _function(repository, site) or _calls(repository, site) is None:
        return None
    if not all(parameter.required for parameter in each.parameters or ()):
        return None  # the argument in front would take the place of the next one
    name = re.escape(site.name)
    before = r"def (?:self\.)?" if repository.family in ("python", "ruby") else r"\b"
    head = rf"({before}{name}(?:<[^>(]*>)?\()"
    first = _FIRST.get(repository.family, "added: number")
    comma = ", " if each.parameters else ""
    edits: Edits = {}
    twin: Edits = {}
    called = False
    for path in repository.holders[site.name]:
        data = repository.files[path]
        if path == site.path:
            lines = _lines(data)
            for index in range(each.start - 1, each.end):
                changed = re.sub(
                    head.encode(), rb"\1" + (first + comma).encode(), lines[index], count=1
                )
                if changed != lines[index]:
                    lines[index] = changed
                    break
            else:
                return None
            edits[path] = b"\n".join(lines)
            data = edits[path]
        call = re.compile(
            rb"(?<!\w)" + site.name.encode() + rb"\((?!" + first.encode() + rb"\b)(\s*\))?"
        )
        adapted = call.sub(
            lambda match: (
                site.name.encode()
                + b"("
                + _GIVEN[repository.family].encode()
                + (b")" if match.group(1) else b", ")
            ),
            data,
        )
        called = called or (path in site.users and adapted != data)
        twin[path] = adapted
    return (edits, twin) if edits and called else None


def _drop_parameter(repository: Repository, site: Site) -> Pair:
    """Take the last parameter away that callers pass; the twin no longer passes it."""
    each, parameters = site.definition, site.definition.parameters or ()
    if not _function(repository, site) or not parameters or not parameters[-1].required:
        return None
    calls = _calls(repository, site)
    if calls is None:
        return None
    users = [call for path in site.users for call in calls[path]]
    if not users or any(call.group(1).count(b",") != len(parameters) - 1 for call in users):
        return None
    if any(not call.group(1).strip() or b"=" in call.group(1) for call in users):
        return None

    def shorter(data: bytes) -> bytes:
        pattern = rb"(?<!\w)(" + site.name.encode() + rb"\()([^()]*)\)"
        return re.sub(pattern, lambda m: m.group(1) + m.group(2).rpartition(b",")[0] + b")", data)

    data = repository.files[site.path]
    lines = _lines(data)
    head = lines[each.start - 1]
    if shorter(head) == head:
        return None
    lines[each.start - 1] = shorter(head)
    broken: Edits = {site.path: b"\n".join(lines)}
    twin: Edits = {path: shorter(repository.files[path]) for path in repository.holders[site.name]}
    return broken, twin


def _rename_keyword(repository: Repository, site: Site) -> Pair:
    """Rename a parameter that a caller passes by name; the twin passes it by the new one."""
    if repository.family not in ("python", "ruby") or site.exact == "own":
        return None
    each = site.definition
    if each.kind not in (DefKind.FUNCTION, DefKind.METHOD) or each.decorators:
        return None
    if any(p.how == "**kwargs" for p in each.parameters or ()):
        return None
    if _calls(repository, site) is None:
        return None
    mark = "=" if repository.family == "python" else ":"
    for parameter in each.parameters or ():
        if parameter.how not in ("both", "keyword") or len(parameter.name) < 3:
            continue
        call = re.compile(
            rf"(?<![\w.])((?:\w+\.)?{site.name}\([^()]*?\b){parameter.name}({mark}(?!=))".encode()
        )
        users = [path for path in site.users if call.search(repository.files[path])]
        if not users:
            continue
        new = f"{parameter.name}_renamed"
        data = repository.files[site.path]
        body = _body(data, each)
        broken = data.replace(body, _renamed(body, parameter.name, new), 1)
        twin: Edits = {site.path: broken}
        for path in repository.holders[site.name]:
            text = broken if path == site.path else repository.files[path]
            twin[path] = call.sub(rb"\1" + new.encode() + rb"\2", text)
        return {site.path: broken}, twin
    return None


_OPERATIONS: dict[str, Callable[[Repository, Site], Pair]] = {
    "rename": _rename,
    "remove": _remove,
    "move": _move,
    "rename a file": _rename_file,
    "add a parameter to": _add_parameter,
    "drop a parameter of": _drop_parameter,
    "rename a keyword of": _rename_keyword,
}
KINDS: Sequence[str] = tuple(_OPERATIONS)
