"""What a use in a JavaScript or TypeScript file is certainly bound to."""

import re
from dataclasses import dataclass

from reviewer.detectors.contracts.outcomes import Absent, Found, Item, Module, Outcome
from reviewer.detectors.contracts.python import MAX_STEPS, defined_as_member
from reviewer.detectors.contracts.trees import Tree
from reviewer.detectors.contracts.views import View
from reviewer.languages import Language
from reviewer.parsing.symbols import Definition, DefKind, Import, Use, UseKind

_LISTS = re.compile(rb"\bexport\s*(?:type\s*)?\{([^{}]*)\}(\s*from\b)?")
_DEFAULT = re.compile(
    rb"\bexport\s+default\s+(?:async\s+)?(?:abstract\s+)?(?:function\b\s*\*?\s*|class\s+)?([\w$]*)"
)
_ASSIGNED = re.compile(rb"\bmodule\.exports\s*=(?!=)\s*(\{([^{}]*)\})?")
_EQUALS = re.compile(rb"\bexport\s*=|\bexport\s+as\s+namespace\b|\bexport\s+import\b")
_DYNAMIC = re.compile(
    rb"\bexports\s*\[|\bexports\s*=(?!=)|[(,]\s*(?:module\.)?exports\s*[,)]|\b__exportStar\b"
)
_FUNCTION = re.compile(rb"^exports[ \t]*=[ \t]*module\.exports[ \t]*=[ \t]*(\w+)[ \t]*;?", re.M)
_OF_FUNCTIONS = ("apply", "arguments", "bind", "call", "caller", "length", "name", "prototype")
_SUPPRESSED = re.compile(rb"@ts-(?:expect-error|ignore|nocheck)\b")
_GLOBALS = re.compile(r"[A-Z]\w*|[a-z]{1,9}|\w*(?:Timeout|Interval|Immediate|Microtask|Component)")
"""Names that the host of a script may have for itself: not told absent within their own file."""
_TYPED = (Language.TYPESCRIPT, Language.TSX)


@dataclass(frozen=True, slots=True)
class JavaScript:
    """The binder for JavaScript and TypeScript; see `binders.Binder`."""

    name: str = "script"

    def outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        if use.kind in (UseKind.IMPORT, UseKind.KEYWORD, UseKind.STRING, UseKind.WRITE):
            return None
        if _suppressed(view, use.line):
            return None
        receiver = use.receiver.removeprefix("new").strip()
        if not receiver:
            return None if view.hidden(use.name, use) else self._top(tree, view, use.name)
        if receiver in ("this", "super"):
            return self._own(tree, view, use, receiver)
        return self._through(tree, view, use, receiver)

    def imported(self, tree: Tree, view: View, what: Import) -> Outcome:
        if what.guarded or _suppressed(view, what.line):
            return None
        if not what.name and not what.alias and what.reexport:
            return None
        return self._import(tree, tree.here(view.path), what, 0)

    def _top(self, tree: Tree, view: View, name: str) -> Outcome:
        imports = [each for each in view.locals.get(name, ()) if not each.reexport]
        if imports:
            if len(imports) > 1 or imports[0].guarded or view.members("", name):
                return None
            if view.inside(imports[0].line):
                return None
            return self._import(tree, tree.here(view.path), imports[0], 0)
        path = tree.here(view.path)
        mine = tree.view(path)
        if mine is None:
            return None
        if found := mine.members("", name):
            return Found(tuple(Item(path, each) for each in found))
        if not mine.what.complete or mine.bound_lines(name):
            return None
        if not _is_module(mine):
            return self._global(tree, name)
        if _GLOBALS.fullmatch(name) or self._ambient(tree, name, path):
            return None
        return Absent(path, name)

    def _global(self, tree: Tree, name: str) -> Outcome:
        """Return what scripts know each other's: a name that one alone of them all defines."""
        found: list[Item] = []
        for path in tree.mentioning(name, self.name):
            view = tree.view(path)
            if view is None:
                return None
            if not _is_module(view):
                found += [Item(path, each) for each in view.members("", name)]
        paths = {item.path for item in found}
        return Found(tuple(found)) if len(paths) == 1 and not tree.unread(self.name) else None

    def _ambient(self, tree: Tree, name: str, path: str) -> bool:
        """May a script or a declaration file make the name known everywhere?"""
        for other in tree.mentioning(name, self.name):
            if other == path:
                continue
            view = tree.view(other)
            if view is None:
                return True
            if view.by_name.get(name) and (other.endswith(".d.ts") or not _is_module(view)):
                return True
        return tree.unread(self.name)

    # Modules -------------------------------------------------------------------------------------

    def _import(self, tree: Tree, importer: str, what: Import, depth: int) -> Outcome:
        if what.name == "*" or depth > MAX_STEPS:
            return None
        to = tree.resolve(importer, what)
        if not to.files:
            return Absent("", what.module) if to.inside else None
        if not what.name:
            return Module(to.files)
        if to.files[0].rpartition(".")[2] in ("json", "css", "vue", "svelte"):
            return None
        return self.lookup(tree, to.files[0], what.name, depth + 1)

    def lookup(self, tree: Tree, path: str, name: str, depth: int = 0) -> Outcome:
        """Return what a module exports under a name."""
        view = tree.view(path)
        if view is None or depth > MAX_STEPS:
            return None
        if name == "default":
            return self._default(tree, view, depth)
        exported = _listed(view)
        local = exported.get(name, name)
        if defined := [each for each in view.members("", local) if each.exported]:
            return Found(tuple(Item(path, each) for each in defined))
        for each in view.locals.get(local, ()):
            if each.reexport or name in exported:
                return self._import(tree, path, each, depth + 1)
        if not view.what.complete or name in exported:
            return None
        for each in view.what.imports:
            if each.name == "*" and each.reexport:
                to = tree.resolve(path, each)
                found = self.lookup(tree, to.files[0], name, depth + 1) if to.files else None
                if not isinstance(found, Absent):
                    return found
        return None if _dynamic(view, name) else Absent(path, name)

    def _default(self, tree: Tree, view: View, depth: int) -> Outcome:
        exported = _listed(view)
        match = _DEFAULT.search(view.masked)
        if match is None and "default" not in exported:
            for each in view.locals.get("default", ()):
                if each.reexport:
                    return self._import(tree, view.path, each, depth + 1)
            plain = _is_module(view) and view.what.complete and not _common(view)
            quiet = plain and not _EQUALS.search(view.masked)
            return Absent(view.path, "default") if quiet else None
        name = match.group(1).decode() if match else exported["default"]
        defined = view.members("", name or "default")
        return Found(tuple(Item(view.path, each) for each in defined)) if defined else None

    # Members -------------------------------------------------------------------------------------

    def _own(self, tree: Tree, view: View, use: Use, receiver: str) -> Outcome:
        around = view.class_around(use.scope)
        if not around or use.scope == around or view.local(view.by_path[around][0]):
            return None
        method = use.scope[len(around) + 1 :]
        if "." in method and receiver == "this" and not _arrows(view, around, method):
            return None  # a function inside a method has a `this` of its own
        path = tree.here(view.path)
        if receiver == "super":
            mine = tree.view(path)
            found = None if mine is None else self._in_bases(tree, mine, around, use.name, 0)
        else:
            found = self.member(tree, path, around, use.name)
        if isinstance(found, Absent) and defined_as_member(tree, self.name, use.name):
            return None
        return found

    def member(self, tree: Tree, path: str, scope: str, name: str, depth: int = 0) -> Outcome:
        """Return what a class of a file has under a name, itself or from its bases."""
        view = tree.view(path)
        if view is None or depth > MAX_STEPS:
            return None
        if found := view.members(scope, name):
            return Found(tuple(Item(path, each) for each in found))
        return self._in_bases(tree, view, scope, name, depth)

    def _in_bases(self, tree: Tree, view: View, scope: str, name: str, depth: int) -> Outcome:
        classes = [each for each in view.by_path.get(scope, ()) if each.kind is DefKind.CLASS]
        if len(classes) != 1 or not view.what.complete or classes[0].decorators:
            return None
        if not re.match(
            r"(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\b", classes[0].signature
        ):
            return None
        if any(use.kind is UseKind.WRITE for use in view.uses_by_name.get(name, ())):
            return None
        if "[" in _body_start(view, classes[0]) or view.quotes(name):
            return None
        if "extends" in classes[0].signature and not classes[0].bases:
            return None
        for base in classes[0].bases:
            owner = self._top(tree, view, base) if "." not in base else None
            if not isinstance(owner, Found) or len(owner.items) != 1:
                return None
            item = owner.items[0]
            if item.definition.kind is not DefKind.CLASS:
                return None
            if re.search(r"\binterface\b", item.definition.signature):
                continue
            found = self.member(tree, item.path, item.qualified, name, depth + 1)
            if not isinstance(found, Absent):
                return found
        return Absent(view.path, name, scope)

    def _through(self, tree: Tree, view: View, use: Use, receiver: str) -> Outcome:
        if not re.fullmatch(r"[\w$]+", receiver) or view.hidden(receiver, use):
            return None
        owner = self._top(tree, view, receiver)
        if isinstance(owner, Module):
            imports = view.locals[receiver]
            if imports[0].name:
                return None
            return self.lookup(tree, owner.files[0], use.name)
        if isinstance(owner, Found) and len(owner.items) == 1:
            item = owner.items[0]
            if item.definition.kind is DefKind.CLASS:
                return self.member(tree, item.path, item.qualified, use.name)
        return None

    # Calls ---------------------------------------------------------------------------------------

    def callables(self, tree: Tree, found: Found) -> tuple[Item, ...]:
        """Return the functions one of which a call runs; () where that cannot be told.

        A missing argument is undefined in JavaScript and one too many is dropped: only what
        TypeScript would refuse is judged.
        """
        first = found.items[0]
        view = tree.view(first.path)
        if view is None or view.language not in _TYPED:
            return ()
        items = found.items
        if first.definition.kind is DefKind.CLASS:
            made = self.member(tree, first.path, first.qualified, "constructor")
            items = made.items if isinstance(made, Found) and len(items) == 1 else ()
        functions = [each.definition for each in items]
        if any(each.parameters is None or each.decorators for each in functions):
            return ()
        if any(re.match(r"(?:static\s+)?[gs]et\s", each.signature) for each in functions):
            return ()
        if any("void" in _parameters(each.signature) for each in functions):
            return ()  # an argument of the type void may be left out
        return items

    def judged(self, view: View, use: Use) -> bool:
        """Is a call one whose arguments TypeScript counts?"""
        start = view.offset(use.line, use.column)
        jsx = view.masked[:start].rstrip()[-1:] == b"<" if use.column < 200 else True
        return view.language in _TYPED and not jsx and not _suppressed(view, use.line)


def _arrows(view: View, around: str, method: str) -> bool:
    """Are the functions inside a method all arrow functions, which keep its `this`?"""
    path = f"{around}.{method.partition('.')[0]}"
    for name in method.split(".")[1:]:
        path = f"{path}.{name}"
        if not all(each.signature.endswith("=>") for each in view.by_path.get(path, ())):
            return False
    return True


def _parameters(signature: str) -> str:
    return signature.partition("(")[2].rpartition(")")[0]


def _suppressed(view: View, line: int) -> bool:
    around = f"{view.line(line - 1)}\n{view.line(line)}\n{view.line(line - 2)}".encode()
    return _SUPPRESSED.search(around) is not None or b"@ts-nocheck" in view.data[:2000]


def _is_module(view: View) -> bool:
    return (
        bool(view.what.imports)
        or re.search(rb"\bexport\b|\bmodule\.exports\b|\bexports\.", view.masked) is not None
    )


def _common(view: View) -> bool:
    return re.search(rb"\bmodule\.exports\b|\bexports\.|\bexports\s*=", view.masked) is not None


def _listed(view: View) -> dict[str, str]:
    """Return the local names that are exported in lists, by the names they are exported under."""
    found: dict[str, str] = {}
    for match in _LISTS.finditer(view.masked):
        if match.group(2) is None:
            for item in match.group(1).decode("utf-8", "replace").split(","):
                words = item.split()
                if words[:1] == ["type"] and len(words) > 1:
                    del words[0]
                if len(words) in (1, 3):
                    found[words[-1]] = words[0]
    for match in _ASSIGNED.finditer(view.masked):
        for item in (match.group(2) or b"").decode("utf-8", "replace").split(","):
            key, _, value = (part.strip() for part in item.partition(":"))
            if key:
                found[key] = value or key
    return found


def _dynamic(view: View, name: str) -> bool:
    """May the module export a name that nothing in it names?"""
    text = view.masked
    function = _FUNCTION.search(text)
    if function is not None and name in _OF_FUNCTIONS:
        return True
    if function is not None and view.members("", function.group(1).decode()):
        text = text[: function.start()] + text[function.end() :]  # its properties are `exports.x`
    if _EQUALS.search(text) or _DYNAMIC.search(text):
        return True
    for match in _ASSIGNED.finditer(text):
        if match.group(1) is None or b"..." in match.group(2):
            return True
    if not _is_module(view):
        return True
    return any(not view.inside(line) for line in view.bound_lines(name))


def _body_start(view: View, what: Definition) -> str:
    """Return what shows computed members: the lines of the class that start with a bracket."""
    lines = (view.line(number) for number in range(what.start, min(what.end, what.start + 3000)))
    return "".join(line.strip()[:1] for line in lines)
