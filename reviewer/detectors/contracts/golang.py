"""What a use in a Go file is certainly bound to."""

import re
from dataclasses import dataclass

from reviewer.detectors.contracts.outcomes import Absent, Found, Item, Module, Outcome
from reviewer.detectors.contracts.python import MAX_STEPS
from reviewer.detectors.contracts.trees import Tree
from reviewer.detectors.contracts.views import View
from reviewer.parsing.symbols import DefKind, Import, Use, UseKind

_PREDECLARED = """
any append bool byte cap clear close comparable complex complex128 complex64 copy delete error
false float32 float64 imag int int16 int32 int64 int8 iota len make max min new nil panic print
println real recover rune string true uint uint16 uint32 uint64 uint8 uintptr
"""
_UNIVERSE = frozenset(_PREDECLARED.split())
_TYPE = r"\*?([\w.]+)(?:\[[^\]]*\])?"


@dataclass(frozen=True, slots=True)
class Go:
    """The binder for Go; see `binders.Binder`."""

    name: str = "go"

    def outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        if use.kind in (UseKind.IMPORT, UseKind.KEYWORD, UseKind.STRING):
            return None
        path = tree.here(view.path)
        if not use.receiver:
            if use.name in _UNIVERSE or view.hidden(use.name, use) or view.locals.get("*"):
                return None
            return self._in_package(tree, path, use.name)
        if not use.receiver.isidentifier():
            return None
        owner = self._owner(view, use)
        if owner:
            return self._member_of(tree, view, owner, use.name)
        if view.hidden(use.receiver, use):
            return None
        imports = view.locals.get(use.receiver, ())
        if len(imports) != 1:
            return None
        to = tree.resolve(path, imports[0])
        return self._in_package(tree, to.files[0], use.name) if to.files else None

    def imported(self, tree: Tree, view: View, what: Import) -> Outcome:
        to = tree.resolve(tree.here(view.path), what)
        if not to.files:
            return Absent("", what.module) if to.inside else None
        return Module(to.files)

    def _in_package(self, tree: Tree, path: str, name: str) -> Outcome:
        """Return what the package of a file has under a name, in whichever of its files."""
        return self._anywhere(tree, path, "", name)

    def _anywhere(self, tree: Tree, path: str, scope: str, name: str) -> Outcome:
        key = tree.beside(path)
        found, unsure = [], False
        for other in tree.mentioning(name, self.name):
            if tree.beside(other) != key:
                continue
            view = tree.view(other)
            if view is None:
                unsure = True
                continue
            found += [Item(other, each) for each in view.members(scope, name)]
            unsure = unsure or not view.what.complete
        if found:
            return Found(tuple(found))
        if unsure or tree.unread(self.name, path.rpartition("/")[0] or "."):
            return None
        return Absent(path, name, scope)

    # Methods -------------------------------------------------------------------------------------

    def _owner(self, view: View, use: Use) -> str:
        """Return the type of a receiver or parameter, by the head of the function around."""
        scope = use.scope
        for each in view.by_path.get(scope, ()):
            if not each.start <= use.line <= each.end or each.kind is DefKind.CLASS:
                continue
            bound = [
                line for line in view.bound_lines(use.receiver) if each.start <= line <= each.end
            ]
            if any(line > each.start for line in bound):
                return ""  # declared anew in the body, or the head takes several lines
            match = re.search(rf"[(,]\s*{re.escape(use.receiver)}\s+{_TYPE}\s*[,)]", each.signature)
            return match.group(1) if match else ""
        return ""

    def _member_of(self, tree: Tree, view: View, owner: str, name: str, depth: int = 0) -> Outcome:
        path = tree.here(view.path)
        package, _, last = owner.rpartition(".")
        if package:
            imports = view.locals.get(package, ())
            to = tree.resolve(path, imports[0]) if len(imports) == 1 else None
            if to is None or not to.files:
                return None
            path = to.files[0]
        return self._member(tree, path, last, name, depth)

    def _member(self, tree: Tree, path: str, scope: str, name: str, depth: int) -> Outcome:
        if depth > MAX_STEPS:
            return None
        types = self._in_package(tree, path, scope)
        if not isinstance(types, Found) or len(types.items) != 1:
            return None
        item = types.items[0]
        found = self._anywhere(tree, path, scope, name)
        if not isinstance(found, Absent):
            return found
        if item.definition.kind is not DefKind.CLASS:
            return None  # another name for a type that may have it
        view = tree.view(item.path)
        for base in item.definition.bases:
            if view is None:
                return None
            above = self._member_of(tree, view, base, name, depth + 1)
            if not isinstance(above, Absent):
                return above
        return found

    # Calls ---------------------------------------------------------------------------------------

    def callables(self, tree: Tree, found: Found) -> tuple[Item, ...]:
        """Return the functions one of which a call runs; () where that cannot be told."""
        unknown = any(each.definition.parameters is None for each in found.items)
        return () if unknown else found.items

    def judged(self, view: View, use: Use) -> bool:
        """Are the arguments counted? Not in `f(g())`, where g may return several."""
        start = view.offset(use.line, use.column) + len(use.name.encode())
        one = rb"(?:\[[^\]\n]{0,200}\])?\(\s*[\w.]{1,200}(?:\[[^\]\n]{0,200}\])?\("
        return not (use.arguments == 1 and re.match(one, view.masked[start : start + 500]))
