"""What a use in a Java file is certainly bound to."""

import re
from dataclasses import dataclass

from reviewer.detectors.contracts.outcomes import Absent, Found, Item, Outcome
from reviewer.detectors.contracts.python import MAX_STEPS, defined_as_member
from reviewer.detectors.contracts.trees import Tree
from reviewer.detectors.contracts.views import View
from reviewer.parsing.symbols import Definition, DefKind, Import, Use, UseKind

_HARMLESS = {
    "Deprecated",
    "FunctionalInterface",
    "Override",
    "SafeVarargs",
    "SuppressWarnings",
    "Nullable",
    "NonNull",
    "NotNull",
    "Test",
    "Transactional",
    "VisibleForTesting",
    "CanIgnoreReturnValue",
}
_BROUGHT = """
clone compareTo equals finalize getClass getDeclaringClass hashCode length name notify notifyAll
ordinal super this toString valueOf values wait
"""
_OBJECT = frozenset(_BROUGHT.split())
_PLAIN_BASES: dict[str, tuple[str, ...]] = {
    "AutoCloseable": ("close",),
    "Cloneable": (),
    "Closeable": ("close",),
    "Comparable": ("compareTo",),
    "Flushable": ("flush",),
    "Iterable": ("forEach", "iterator", "spliterator"),
    "Object": (),
    "Runnable": ("run",),
    "Serializable": (),
}
"""Types outside that many classes have for a base, with all that they bring."""


@dataclass(frozen=True, slots=True)
class Java:
    """The binder for Java; see `binders.Binder`."""

    name: str = "java"

    def outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        if use.kind in (UseKind.IMPORT, UseKind.KEYWORD, UseKind.STRING):
            return None
        receiver = use.receiver
        new = receiver.split(" ")[0] == "new"
        if new or (not receiver and use.name[:1].isupper() and use.kind is not UseKind.CALL):
            if receiver not in ("", "new"):
                return None
            return None if view.hidden(use.name, use) else self.type_named(tree, view, use.name)
        if not receiver or receiver == "this":
            return self._own(tree, view, use)
        owner = self._owner(tree, view, use)
        if owner is None:
            return None
        of_class = use.kind is UseKind.CALL and receiver[:1].isupper()
        return self.member(tree, owner, use.name, of_class=of_class)

    def imported(self, tree: Tree, view: View, what: Import) -> Outcome:
        if what.name == "*":
            return None
        last = what.module.rpartition(".")[2]
        to = tree.resolve(tree.here(view.path), what)
        if not to.files:
            return Absent("", last) if to.inside else None
        owner = self._in_files(tree, to.files, last)
        if not what.name or not isinstance(owner, Found):
            return owner
        return self.member(tree, owner.items[0], what.name)

    # Types ---------------------------------------------------------------------------------------

    def type_named(self, tree: Tree, view: View, name: str) -> Outcome:
        """Return the class that a simple name means in a file of the head."""
        path = tree.here(view.path)
        imports = [each for each in view.locals.get(name, ()) if not each.name]
        if imports:
            to = tree.resolve(path, imports[0])
            return self._in_files(tree, to.files, name) if to.files else None
        mine = tree.view(path)
        if mine is None:
            return None
        if any(each.scope for each in (*mine.by_name.get(name, ()), *view.by_name.get(name, ()))):
            return None  # a nested class, a field, or a constructor that a class is left without
        if found := mine.members("", name):
            return Found(tuple(Item(path, each) for each in found))
        for each in view.what.imports:
            package = each.module.rpartition(".")[2]
            if each.name == "*" and not package[:1].isupper():
                return None
        return self._beside(tree, path, name)

    def _beside(self, tree: Tree, path: str, name: str) -> Outcome:
        key, unsure = tree.beside(path), False
        for other in tree.mentioning(name, self.name):
            if tree.beside(other) != key:
                continue
            view = tree.view(other)
            if view is None:
                unsure = True
            elif found := _classes(view, "", name):
                return Found(tuple(Item(other, each) for each in found))
            else:
                unsure = unsure or not view.what.complete
        if unsure or tree.unread(self.name):
            return None
        return Absent(path, name)

    def _in_files(self, tree: Tree, files: tuple[str, ...], name: str) -> Outcome:
        unsure = False
        for path in files:
            view = tree.view(path)
            if view is None or not view.what.complete:
                unsure = True
            elif found := [each for each in view.by_name.get(name, ()) if _is_class(each)]:
                return Found(tuple(Item(path, each) for each in found))
        return None if unsure or not files else Absent(files[0], name)

    # Members -------------------------------------------------------------------------------------

    def _own(self, tree: Tree, view: View, use: Use) -> Outcome:
        around = view.class_around(use.scope)
        if not around or use.name in _OBJECT or use.kind is UseKind.TYPE:
            return None
        if use.kind is not UseKind.CALL and view.hidden(use.name, use):
            return None
        if "." in use.scope[len(around) + 1 :]:
            return None  # inside an anonymous class
        if view.locals.get(use.name) or any(
            each.name == "*" and each.module.rpartition(".")[2][:1].isupper()
            for each in view.what.imports
        ):
            return None  # a static import may bring it
        path = tree.here(view.path)
        mine = tree.view(path)
        absent: Outcome = None
        while around:
            classes = [] if mine is None else _by_path(mine, around)
            if len(classes) != 1:
                return None
            found = self.member(tree, Item(path, classes[0]), use.name)
            if not isinstance(found, Absent):
                return found
            absent = absent or found
            around = around.rpartition(".")[0] if not use.receiver else ""
        if isinstance(absent, Absent) and defined_as_member(tree, self.name, use.name):
            return None  # an anonymous class or one that is extended may bring it
        return absent

    def member(
        self, tree: Tree, owner: Item, name: str, depth: int = 0, *, of_class: bool = False
    ) -> Outcome:
        """Return what a class has under a name: all that overload it, its bases' too.

        `of_class`: called on the class itself, which has no method of an interface's.
        """
        view = tree.view(owner.path)
        what = owner.definition
        if view is None or depth > MAX_STEPS or not view.what.complete or name in _OBJECT:
            return None
        scope = owner.qualified
        found = [Item(owner.path, each) for each in view.members(scope, name)]
        sure = all(each.rpartition(".")[2] in _HARMLESS for each in what.decorators)
        for base in _extended(what) if of_class else what.bases:
            last = base.partition("<")[0].strip()
            if last in _PLAIN_BASES and name not in _PLAIN_BASES[last]:
                continue
            above = self.type_named(tree, view, last) if "." not in last else None
            if isinstance(above, Found) and len(above.items) == 1:
                of_base = self.member(tree, above.items[0], name, depth + 1, of_class=of_class)
                if isinstance(of_base, Found):
                    found += of_base.items
                elif of_base is None:
                    sure = False
            else:
                sure = False
        if found:
            # What a base outside may overload cannot be judged by its arguments.
            return Found(tuple(found), bare=sure)
        if not sure or "enum " in what.signature or "record " in what.signature:
            return None
        return Absent(owner.path, name, scope)

    def _owner(self, tree: Tree, view: View, use: Use) -> Item | None:
        """Return the class of a receiver: a class's name, or a variable with one declared type."""
        receiver = use.receiver.removeprefix("this.")
        if match := re.fullmatch(r"\(?new (\w+)(?:<\w*>)?\([^()]*\)\)?", receiver):
            name = match.group(1)
        elif re.fullmatch(r"[A-Z]\w*(?:\.[A-Z]\w*)+", receiver):
            return self._nested(tree, view, receiver)
        elif not receiver.isidentifier():
            return None
        elif receiver[0].isupper():
            if view.hidden(receiver, use):
                return None
            name = receiver
        else:
            name = self._declared_type(view, receiver)
        found = self.type_named(tree, view, name) if name else None
        if not isinstance(found, Found) or len(found.items) != 1:
            return None
        return found.items[0] if _is_class(found.items[0].definition) else None

    def _nested(self, tree: Tree, view: View, dotted: str) -> Item | None:
        """Return the class that `Outer.Inner` means."""
        outer, *names = dotted.split(".")
        found = self.type_named(tree, view, outer)
        if not isinstance(found, Found) or len(found.items) != 1 or view.bound_lines(outer):
            return None
        item = found.items[0]
        its_file = tree.view(item.path)
        for name in names:
            inner = [] if its_file is None else _classes(its_file, item.qualified, name)
            if len(inner) != 1:
                return None
            item = Item(item.path, inner[0])
        return item

    def _declared_type(self, view: View, variable: str) -> str:
        """Return the one type that every declaration of a variable in the file has."""
        declared = re.compile(
            rb"(?:([A-Z]\w*)(?:<[\w<>?,. ]{0,200}>)?|(\w+)|[\])>])\s+"
            + re.escape(variable.encode())
            + rb"\s*[=;,):]"
        )
        kinds = set()
        for match in declared.finditer(view.masked):
            if match.group(2) in (b"return", b"else", b"case", b"throw", b"in", b"instanceof"):
                continue
            kinds.add((match.group(1) or b"").decode())
        lambdas = re.search(
            rb"\b" + re.escape(variable.encode()) + rb"\s*(?:,[\w\s,]*\))?\)?\s*->", view.masked
        )
        return kinds.pop() if len(kinds) == 1 and lambdas is None else ""

    # Calls ---------------------------------------------------------------------------------------

    def callables(self, tree: Tree, found: Found) -> tuple[Item, ...]:
        """Return the functions one of which a call runs; () where that cannot be told."""
        first = found.items[0]
        if first.definition.kind is DefKind.CLASS:
            return self._constructors(tree, first) if len(found.items) == 1 else ()
        functions = [each.definition for each in found.items]
        if any(each.kind is not DefKind.METHOD or each.parameters is None for each in functions):
            return ()
        return found.items

    def _constructors(self, tree: Tree, item: Item) -> tuple[Item, ...]:
        view = tree.view(item.path)
        what = item.definition
        if view is None or not view.what.complete or what.parameters is not None:
            return ()
        if any(each.rpartition(".")[2] not in _HARMLESS for each in what.decorators):
            return ()
        made = view.members(item.qualified, what.name)
        if any(each.parameters is None for each in made):
            return ()
        return tuple(Item(item.path, each) for each in made)

    def judged(self, view: View, use: Use) -> bool:
        """Are the arguments of a call counted?"""
        return True


def _extended(what: Definition) -> tuple[str, ...]:
    """Return the bases that are no interfaces; all of them where that is not written."""
    before, implements, _ = what.signature.partition(" implements ")
    if not implements and " extends " not in before:
        return what.bases
    return tuple(base for base in what.bases if base in before)


def _is_class(each: Definition) -> bool:
    return each.kind is DefKind.CLASS


def _classes(view: View, scope: str, name: str) -> list[Definition]:
    return [each for each in view.members(scope, name) if _is_class(each)]


def _by_path(view: View, path: str) -> list[Definition]:
    return [each for each in view.by_path.get(path, ()) if _is_class(each)]
