"""What a use in a Python file is certainly bound to."""

import builtins
import re
from dataclasses import dataclass

from reviewer.detectors.contracts.outcomes import Absent, Found, Item, Module, Outcome
from reviewer.detectors.contracts.trees import Tree
from reviewer.detectors.contracts.views import View
from reviewer.parsing.symbols import Definition, DefKind, Import, Use, UseKind

MAX_STEPS = 12  # through re-exports or base classes
_BUILTINS = frozenset(dir(builtins)) | {"__file__", "__path__", "__builtins__", "WindowsError"}
HARMLESS = {
    "abc.abstractmethod",
    "abstractmethod",
    "asynccontextmanager",
    "cache",
    "classmethod",
    "contextlib.asynccontextmanager",
    "contextlib.contextmanager",
    "contextmanager",
    "deprecated",
    "final",
    "functools.cache",
    "functools.lru_cache",
    "lru_cache",
    "overload",
    "override",
    "staticmethod",
    "t.final",
    "t.overload",
    "typing.final",
    "typing.overload",
    "typing.override",
    "typing_extensions.override",
}
"""Decorators that leave the parameters as they are written."""
_PLAIN_CLASS = {"dataclass", "dataclasses.dataclass", "final", "typing.final", "total_ordering"}
_PLAIN_BASES = {
    "ABC",
    "Generic",
    "Protocol",
    "abc.ABC",
    "t.Generic",
    "t.Protocol",
    "typing.Generic",
    "typing.Protocol",
}
_WARNING = ("AttributeError", "format", "warn")
_SETS_OTHERS = re.compile(rb"\bsetattr\((?!\s*self\b)")
_OWN_MODULE = re.compile(rb"\bsys\s*\.\s*modules\s*\[\s*__name__")
_DYNAMIC = ("globals",)


@dataclass(frozen=True, slots=True)
class Python:
    """The binder for Python; see `binders.Binder`."""

    name: str = "python"

    def outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        found = self._outcome(tree, view, use)
        if isinstance(found, Absent) and found.scope and use.kind is not UseKind.CALL:
            owner = tree.view(found.path)
            if owner is None or owner.says("setattr", "__dict__", "vars"):
                return None  # an attribute may be set by a name that is computed
        return found

    def _outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        if use.kind in (UseKind.IMPORT, UseKind.KEYWORD, UseKind.STRING, UseKind.WRITE):
            return None
        if not use.receiver:
            return None if view.hidden(use.name, use) else self.top(tree, view, use.name, use.line)
        if use.receiver in ("self", "cls"):
            return self._own(tree, view, use)
        if use.receiver == "super()":
            return self._inherited(tree, view, use)
        return self._through(tree, view, use)

    def imported(self, tree: Tree, view: View, what: Import) -> Outcome:
        return None if what.guarded else self._import(tree, tree.here(view.path), what, 0)

    def top(self, tree: Tree, view: View, name: str, line: int = 0) -> Outcome:
        """Return what a name at the top of a file of the head means at the tree's end."""
        imports = [each for each in view.locals.get(name, ()) if each.name != "*"]
        inner = [each for each in imports if view.inside(each.line)]
        if inner:
            return None  # an import inside a function binds the name there alone
        if imports:
            alone = len({(_bound(each), each.name) for each in imports}) == 1
            if not alone or any(each.guarded for each in imports) or view.members("", name):
                return None
            return self._import(tree, tree.here(view.path), imports[0], 0)
        if name in _BUILTINS:
            return None
        return self.lookup(tree, tree.here(view.path), name)

    # Modules -------------------------------------------------------------------------------------

    def _import(self, tree: Tree, importer: str, what: Import, depth: int) -> Outcome:
        if what.name == "*" or depth > MAX_STEPS:
            return None
        to = tree.resolve(importer, what)
        if not to.files and not to.submodule:
            return Absent("", what.module) if to.inside else None
        if not what.name:
            package = _bound(what)
            if package != what.module:
                to = tree.resolve(importer, Import(package, "", "", what.line))
            return Module(to.files) if to.files else None
        found = self._in_any(tree, to.files, what.name, depth + 1)
        if to.submodule and not isinstance(found, Found):
            return Module((to.submodule,))
        return found

    def _in_any(self, tree: Tree, files: tuple[str, ...], name: str, depth: int) -> Outcome:
        outcomes = [self.lookup(tree, path, name, depth) for path in files]
        for each in outcomes:
            if isinstance(each, Found | Module):
                return each
        return outcomes[0] if outcomes and None not in outcomes else None

    def lookup(self, tree: Tree, path: str, name: str, depth: int = 0) -> Outcome:
        """Return what a module offers under a name."""
        view = tree.view(path)
        if view is None or depth > MAX_STEPS:
            return None
        if defined := view.members("", name):
            return Found(tuple(Item(path, each) for each in defined))
        imports = [
            each
            for each in view.locals.get(name, ())
            if each.name != "*" and not view.inside(each.line)
        ]
        if imports:
            if any(each.guarded for each in imports):
                return None
            return self._import(tree, path, imports[-1], depth + 1)
        if not view.what.complete:
            return None
        for each in view.what.imports:
            if each.name == "*":
                to = tree.resolve(path, each)
                found = self._in_any(tree, to.files, name, depth + 1) if to.files else None
                if not isinstance(found, Absent):
                    return found
        return None if self._dynamic(view, name) else Absent(path, name)

    def _dynamic(self, view: View, name: str) -> bool:
        """May the module have a name that nothing in it defines?"""
        if view.says(*_DYNAMIC, receiver="") or view.says("extend_path") or _makes_up(view, name):
            return True
        if _OWN_MODULE.search(view.masked) or view.says("exec", "vars", "locals", scope=""):
            return True
        if any(not view.inside(line) for line in view.bound_lines(name)):
            return True
        return re.search(rb"\bglobal\b[^\n]*\b" + name.encode() + rb"\b", view.masked) is not None

    # Members -------------------------------------------------------------------------------------

    def _own(self, tree: Tree, view: View, use: Use) -> Outcome:
        around = view.class_around(use.scope)
        if not around or use.scope == around:
            return None
        method = use.scope[len(around) + 1 :].partition(".")[0]
        if any("staticmethod" in each.decorators for each in view.members(around, method)):
            return None
        found = self.member(tree, tree.here(view.path), around, use.name)
        if isinstance(found, Absent) and defined_as_member(tree, self.name, use.name):
            return None  # a class that is mixed in, or a subclass, may bring it
        return found

    def _inherited(self, tree: Tree, view: View, use: Use) -> Outcome:
        around = view.class_around(use.scope)
        mine = tree.view(tree.here(view.path))
        if not around or mine is None:
            return None
        found = self._in_bases(tree, mine, around, use.name, 0)
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
        if len(classes) != 1 or not view.what.complete or self._magic(view, classes[0], name):
            return None
        sure = True
        for base in classes[0].bases:
            if base in _PLAIN_BASES or base == "object":
                continue
            builtin = getattr(builtins, base, None) if "." not in base else None
            if isinstance(builtin, type) and not view.members("", base):
                error = issubclass(builtin, BaseException) and name == "__new__"
                sure = sure and (error or not hasattr(builtin, name))
                continue
            found = self._in_base(tree, view, base, name, depth + 1)
            if isinstance(found, Found):
                return found if sure else None
            sure = sure and isinstance(found, Absent)
        return Absent(view.path, name, scope) if sure else None

    def _in_base(self, tree: Tree, view: View, base: str, name: str, depth: int) -> Outcome:
        before, _, last = base.rpartition(".")
        if not before:
            owner = self.lookup(tree, view.path, last, depth)
        else:
            owner = self._attribute_of(tree, view.path, before, last, depth)
        if not isinstance(owner, Found) or len(owner.items) != 1:
            return None
        item = owner.items[0]
        if item.definition.kind is not DefKind.CLASS:
            return None
        return self.member(tree, item.path, item.qualified, name, depth + 1)

    def _magic(self, view: View, what: Definition, name: str) -> bool:
        """May the class have members that nothing in it defines?"""
        scope = f"{what.scope}.{what.name}" if what.scope else what.name
        keywords = what.signature.partition("(")[2]
        return (
            any(each not in _PLAIN_CLASS for each in what.decorators)
            or ("=" in keywords and "ABCMeta" not in keywords)
            or any(view.members(scope, each) for each in ("__getattr__", "__getattribute__"))
            or any(use.kind is UseKind.WRITE for use in view.uses_by_name.get(name, ()))
            or view.quotes(name)
            or _SETS_OTHERS.search(view.masked) is not None
            or _binds(view, what, name)
        )

    # Receivers -----------------------------------------------------------------------------------

    def _through(self, tree: Tree, view: View, use: Use) -> Outcome:
        """Bind `a.b.name` where `a` is an imported module or a class."""
        receiver = use.receiver
        first = receiver.partition(".")[0]
        made = receiver.endswith("()") and receiver[:-2].replace(".", "").isidentifier()
        dotted = receiver[:-2] if made else receiver
        if not dotted.replace(".", "").isidentifier() or view.hidden(first, use):
            return None
        path = tree.here(view.path)
        for each in view.what.imports:
            plain = not each.name and not each.alias and not each.guarded
            if plain and "." in each.module and each.module == dotted:
                to = tree.resolve(path, each)
                return self._in_any(tree, to.files, use.name, 0) if to.files else None
        parts = dotted.split(".")
        owner = self.top(tree, view, first, use.line)
        for part in parts[1:]:
            owner = self._step(tree, owner, part)
        found = self._step(tree, owner, use.name)
        if isinstance(owner, Module) or not isinstance(found, Found):
            return found
        # `Class.method(instance, x)` passes what `instance.method(x)` does not.
        own = any(
            "classmethod" in each.definition.decorators
            or "staticmethod" in each.definition.decorators
            for each in found.items
        )
        return Found(found.items, bare=made or own)

    def _attribute_of(self, tree: Tree, path: str, dotted: str, name: str, depth: int) -> Outcome:
        first, *rest = dotted.split(".")
        owner = self.lookup(tree, path, first, depth)
        for part in (*rest, name):
            owner = self._step(tree, owner, part)
        return owner

    def _step(self, tree: Tree, owner: Outcome, name: str) -> Outcome:
        if isinstance(owner, Module):
            found = self._in_any(tree, owner.files, name, 0)
            return self._submodule(tree, owner, name) if isinstance(found, Absent) else found
        if isinstance(owner, Found) and len(owner.items) == 1:
            item = owner.items[0]
            if item.definition.kind is DefKind.CLASS:
                return self.member(tree, item.path, item.qualified, name)
        return None

    def _submodule(self, tree: Tree, owner: Module, name: str) -> Outcome:
        """A package has its modules as attributes once somebody has imported them."""
        absent = Absent(owner.files[0], name)
        for path in owner.files:
            to = tree.resolve(path, Import(".", name, "", 0))
            if to.submodule:
                return None
        return absent

    # Calls ---------------------------------------------------------------------------------------

    def callables(self, tree: Tree, found: Found) -> tuple[Item, ...]:
        """Return the functions one of which a call runs; () where that cannot be told."""
        first = found.items[0].definition
        if first.kind is DefKind.CLASS and len(found.items) == 1:
            return self._constructor(tree, found.items[0])
        functions = [each.definition for each in found.items]
        if any(each.parameters is None for each in functions):
            return ()
        if any(name not in HARMLESS for each in functions for name in each.decorators):
            return ()
        return found.items

    def judged(self, view: View, use: Use) -> bool:
        """Are the arguments of a call all seen?"""
        return True

    def _constructor(self, tree: Tree, item: Item) -> tuple[Item, ...]:
        what = item.definition
        if what.decorators or "=" in what.signature.partition("(")[2]:
            return ()
        # A base that is not ours may bring a metaclass, and with it any way of being called.
        made = self.member(tree, item.path, item.qualified, "__new__")
        found = self.member(tree, item.path, item.qualified, "__init__")
        if not isinstance(made, Absent) or not isinstance(found, Found):
            return ()
        return self.callables(tree, found)


def _bound(what: Import) -> str:
    """Return the module that an import names or, of `import a.b`, binds: `a`."""
    plain = not what.name and not what.alias
    return what.module.partition(".")[0] if plain else what.module


def _binds(view: View, what: Definition, name: str) -> bool:
    """Does the body of a class bind a name by what is no definition: an import, a loop?"""
    scope = f"{what.scope}.{what.name}" if what.scope else what.name
    lines = {*view.bound_lines(name), *(each.line for each in view.locals.get(name, ()))}
    inner = [
        (each.start, each.end)
        for each in view.what.definitions
        if each.scope == scope and each.kind is not DefKind.CONSTANT
    ]
    return any(
        what.start < line <= what.end and not any(start <= line <= end for start, end in inner)
        for line in lines
    )


def _makes_up(view: View, name: str) -> bool:
    """May a module's own `__getattr__` know the name? Not if it only warns of other names."""
    for each in view.members("", "__getattr__"):
        start, end = view.offset(each.start, 0), view.offset(each.end + 1, 0)
        if b"[" in view.masked[start:end] or name.encode() in view.data[start:end]:
            return True
        calls = [use for use in view.what.uses if use.scope.split(".")[0] == "__getattr__"]
        if any(use.kind is UseKind.CALL and use.name not in _WARNING for use in calls):
            return True
    return False


def defined_as_member(tree: Tree, family: str, name: str) -> bool:
    """Does any class of the tree define a name, or any code assign it to an object?"""
    for path in tree.mentioning(name, family):
        view = tree.view(path)
        if view is None:
            return True
        if any(each.scope for each in view.by_name.get(name, ())):
            return True
        if any(use.kind is UseKind.WRITE for use in view.uses_by_name.get(name, ())):
            return True
    return tree.unread(family)
