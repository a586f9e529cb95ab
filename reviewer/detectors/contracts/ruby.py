"""What a use in a Ruby file is certainly bound to."""

import re
from dataclasses import dataclass

from reviewer.detectors.contracts.outcomes import Absent, Found, Item, Module, Outcome
from reviewer.detectors.contracts.python import MAX_STEPS, defined_as_member
from reviewer.detectors.contracts.trees import Tree
from reviewer.detectors.contracts.views import View
from reviewer.parsing.symbols import Definition, DefKind, Import, Use, UseKind

_CONSTANTS = (DefKind.CLASS, DefKind.MODULE, DefKind.CONSTANT)
_OWNERS = (DefKind.CLASS, DefKind.MODULE)
_METHODS = (DefKind.METHOD, DefKind.FUNCTION)
_CATCHERS = frozenset({"const_missing", "method_missing", "respond_to_missing?"})
_MAKERS = _CATCHERS | {
    "class_eval",
    "class_exec",
    "const_set",
    "define_method",
    "def_delegator",
    "def_delegators",
    "def_instance_delegators",
    "delegate",
    "instance_eval",
    "instance_exec",
    "module_eval",
}
"""What lets a class have methods or constants that no definition names."""


_CORE = """
ARGF ARGV ArgumentError Array BasicObject Bundler CGI CSV Class Comparable Complex DATA Data Date
DateTime Digest Dir ENV ERB Encoding Enumerable Enumerator Errno Etc Exception FalseClass File
FileTest FileUtils Find Float Gem Hash IO Integer JSON Kernel LoadError Logger Marshal MatchData
Math Method Minitest Module Monitor Mutex NameError Net NilClass NoMethodError NotImplementedError
Numeric Object ObjectSpace OpenSSL OpenStruct OptionParser PP Pathname Proc Process PStore Queue
RSpec Rails Rack Rake Random Range Rational Ractor Regexp SecureRandom Set Shellwords Signal
Singleton Socket StandardError STDERR STDIN STDOUT String StringIO StringScanner Struct Symbol
SystemExit TOPLEVEL_BINDING TempFile Tempfile Test Thread Time Timeout TracePoint TrueClass
TypeError URI UnboundMethod WeakRef YAML Zlib
"""
_KNOWN = frozenset(_CORE.split())
"""Constants of Ruby itself and what is nearly always there: a repository may open them again."""


@dataclass(frozen=True, slots=True)
class Ruby:
    """The binder for Ruby; see `binders.Binder`."""

    name: str = "ruby"

    def outcome(self, tree: Tree, view: View, use: Use) -> Outcome:
        if use.kind in (UseKind.IMPORT, UseKind.KEYWORD, UseKind.STRING, UseKind.WRITE):
            return None
        receiver = use.receiver.removeprefix("::")
        if use.name[:1].isupper() and use.kind is not UseKind.CALL:
            return self._constant(tree, view, use, receiver)
        if receiver in ("", "self", "self.class"):
            return self._own(tree, view, use)
        if re.fullmatch(r"[A-Z]\w*(?:::[A-Z]\w*)*", receiver):
            before, _, last = receiver.rpartition("::")
            owner = self._named(tree, view, use, last, before)
            if isinstance(owner, Found) and owner.items[0].definition.kind in _OWNERS:
                if use.name == "new":
                    return owner
                return self._member(tree, owner.items[0], use.name, exact=True)
        return None

    def imported(self, tree: Tree, view: View, what: Import) -> Outcome:
        if what.guarded:
            return None
        to = tree.resolve(tree.here(view.path), what)
        if not to.files:
            relative = what.module.startswith(".")
            return Absent("", what.module) if to.inside or relative else None
        return Module(to.files)

    # Constants -----------------------------------------------------------------------------------

    def _constant(self, tree: Tree, view: View, use: Use, receiver: str) -> Outcome:
        if receiver and not re.fullmatch(r"[A-Z]\w*(?:::[A-Z]\w*)*", receiver):
            return None
        return self._named(tree, view, use, use.name, receiver)

    def _named(self, tree: Tree, view: View, use: Use, name: str, before: str) -> Outcome:
        """Return the constant that a name means: the nearest around it, or the only one."""
        # Of a module of the repository's own, what Ruby and its libraries bring is no part.
        ours = before != "" and before.partition("::")[0] not in _KNOWN
        if not ours and (name in _KNOWN or name.startswith("RUBY_")):
            return None
        found: list[Item] = []
        unsure = tree.unread(self.name)
        for path in tree.mentioning(name, self.name):
            other = tree.view(path)
            if other is None:
                return None
            found += [
                Item(path, each) for each in other.by_name.get(name, ()) if each.kind in _CONSTANTS
            ]
            unsure = unsure or _may_define(tree, other, use, name)
            unsure = unsure or (not ours and _required(tree, other, name))
            for each in other.what.imports:
                if each.name == name and not tree.resolve(path, each).files:
                    return None  # loaded when it is first used, from outside
        if not found:
            return None if unsure else Absent("", name, before)
        scope = _meant({item.definition.scope for item in found}, use.scope, before)
        if scope is None:
            gone = ours and not unsure and self._lacks(tree, view, use, name, before)
            return Absent("", name, before) if gone else None
        return Found(tuple(item for item in found if item.definition.scope == scope))

    def _lacks(self, tree: Tree, view: View, use: Use, name: str, before: str) -> bool:
        """Is `before` a module of the repository that cannot have the constant from elsewhere?"""
        above, _, last = before.rpartition("::")
        owner = self._named(tree, view, use, last, above)
        return (
            isinstance(owner, Found)
            and owner.items[0].definition.kind in _OWNERS
            and self._plain(tree, owner.items[0], name, 0)
        )

    # Methods -------------------------------------------------------------------------------------

    def _own(self, tree: Tree, view: View, use: Use) -> Outcome:
        if not use.receiver and view.hidden(use.name, use):
            return None
        around = view.class_around(use.scope)
        path = tree.here(view.path)
        if not around:
            return self._everywhere(tree, use.name)
        mine = tree.view(path)
        owners = [] if mine is None else mine.by_path.get(around, [])
        owners = [each for each in owners if each.kind in _OWNERS]
        if not owners:
            return None
        return self._member(tree, Item(path, owners[0]), use.name)

    def _everywhere(self, tree: Tree, name: str) -> Outcome:
        """Return a method at the top of a file, which every object has."""
        found = []
        for path in tree.mentioning(name, self.name):
            view = tree.view(path)
            if view is None or not view.what.complete or view.quotes(name):
                return None
            methods = [each for each in view.by_name.get(name, ()) if each.kind in _METHODS]
            if any(each.scope for each in methods):
                return None
            found += [Item(path, each) for each in methods]
        if found:
            return Found(tuple(found))
        return None if tree.unread(self.name) else Absent("", name)

    def _member(self, tree: Tree, owner: Item, name: str, *, exact: bool = False) -> Outcome:
        """Return the methods of a name in a class.

        Absent where no class at all has one any more: what a module that is included brings, or a
        class that is opened again, would be one. `exact`: it is that very class that is called, and
        nothing that extends it.
        """
        found = []
        told = False
        for path in tree.mentioning(name, self.name):
            view = tree.view(path)
            if view is None:
                return None
            # `attr :name`, `delegate :name`, or a list of names that others make methods of.
            told = told or (view.quotes(name) and tree.changes(view))
            found += [
                Item(path, each)
                for each in view.by_name.get(name, ())
                if each.kind not in (DefKind.CLASS, DefKind.MODULE)
            ]
        if found:
            scopes = {item.definition.scope for item in found}
            inside = [item for item in found if item.definition.scope == owner.qualified]
            return Found(tuple(inside), bare=exact or len(scopes) == 1) if inside else None
        if (
            told
            or defined_as_member(tree, self.name, name)
            or not self._plain(tree, owner, name, 0)
        ):
            return None
        return Absent(owner.path, name, owner.qualified)

    def _plain(self, tree: Tree, owner: Item, name: str, depth: int) -> bool:
        """Has the class nothing but what its definitions in this repository say?

        What a file that the change leaves alone makes at run time was made at the base, too, where
        the name had a definition of its own: only a class that answers to any name is not plain.
        """
        if depth > MAX_STEPS:
            return False
        written = re.compile(
            rb"(?:\bdef[ \t]+(?:self\.)?|[:'\"])" + re.escape(name.encode()) + rb"\b"
        )
        for path in tree.mentioning(owner.definition.name, self.name):
            view = tree.view(path)
            if view is None:
                return False
            for each in view.by_name.get(owner.definition.name, ()):
                if each.kind not in _OWNERS or each.scope != owner.definition.scope:
                    continue
                makers = _MAKERS if tree.changes(view) else _CATCHERS
                if _made_up(view, owner.qualified, makers) or view.quotes(name):
                    return False
                if not view.what.complete and written.search(view.data):
                    return False
                if not self._plain_bases(tree, view, each, name, depth):
                    return False
        return True

    def _plain_bases(self, tree: Tree, view: View, what: Definition, name: str, depth: int) -> bool:
        scope = f"{what.scope}.{what.name}" if what.scope else what.name
        bases = list(what.bases)
        for word in ("include", "extend", "prepend"):
            for use in view.uses_by_name.get(word, ()):
                if use.scope == scope:
                    names = re.findall(r"[A-Z][\w:]*", view.line(use.line))
                    if not names:
                        return False
                    bases += names
        for base in bases:
            last = base.rpartition("::")[2]
            if last in ("StandardError", "Comparable", "Enumerable", "Object", "RuntimeError"):
                continue
            owners = [
                Item(path, each)
                for path in tree.mentioning(last, self.name)
                if (other := tree.view(path)) is not None
                for each in other.by_name.get(last, ())
                if each.kind in _OWNERS
            ]
            if not owners or not self._plain(tree, owners[0], name, depth + 1):
                return False
        return True

    # Calls ---------------------------------------------------------------------------------------

    def callables(self, tree: Tree, found: Found) -> tuple[Item, ...]:
        """Return the functions one of which a call runs; () where that cannot be told."""
        first = found.items[0]
        if first.definition.kind in _OWNERS:
            made = [
                Item(item.path, each)
                for item in found.items
                if (view := tree.view(item.path)) is not None
                for each in view.members(item.qualified, "initialize")
            ]
            own = any(
                (view := tree.view(item.path)) is not None
                and (view.members(item.qualified, "new") or view.says("undef_method"))
                for item in found.items
            )
            return tuple(made) if len(made) == 1 and not own else ()
        functions = [each.definition for each in found.items]
        if any(each.kind not in _METHODS or each.parameters is None for each in functions):
            return ()
        return found.items if found.bare else ()

    def judged(self, view: View, use: Use) -> bool:
        """Are all arguments of a call seen? Not a hash without braces, or what is forwarded."""
        start = view.offset(use.line, use.column)
        rest = view.masked[start : start + 2000]
        line = rest.partition(b"\n")[0]
        shown = _balanced(rest) if rest[len(use.name.encode()) :][:1] == b"(" else line
        return (
            b"=>" not in shown and b"..." not in shown and not re.search(rb"[,(]\s*\*|,\s*$", line)
        )


def _meant(scopes: set[str], around: str, before: str) -> str | None:
    """Return in which of some scopes a constant is looked up, None where that cannot be told.

    The innermost module around the use that has it is what Ruby takes first; the top comes after
    the classes that are inherited from, so it is sure only where nothing else has the name.
    """
    wanted = before.replace("::", ".")
    while around:
        scope = f"{around}.{wanted}" if wanted else around
        if scope in scopes:
            return scope
        around = around.rpartition(".")[0]
    if wanted in scopes and wanted:
        return wanted
    if len(scopes) != 1:
        return None
    (scope,) = scopes
    fits = scope == wanted or (wanted != "" and scope.endswith(f".{wanted}"))
    return scope if fits else None


def _made_up(view: View, owner: str, makers: frozenset[str]) -> bool:
    """May a file give a class methods or constants that no definition names?

    What is made inside another class is that one's; with a receiver it may be anybody's, but for
    a block that is run as an object's, which names what it defines.
    """
    for maker in makers:
        if any(each.scope == owner for each in view.by_name.get(maker, ())):
            return True
        for use in view.uses_by_name.get(maker, ()):
            receiver = use.receiver.removeprefix("self.")
            if use.kind is UseKind.STRING:
                continue
            if receiver in ("", "self", "singleton_class"):
                if view.class_around(use.scope) == owner:
                    return True
            elif maker not in ("instance_eval", "instance_exec") or receiver[:1].isupper():
                return True
    return False


def _required(tree: Tree, view: View, name: str) -> bool:
    """Does a file require a library from outside that is called like the constant?"""
    called = re.sub(r"[\W_]", "", name).lower()
    return any(
        called in re.sub(r"[-_]", "", each.module).lower().split("/")
        and not tree.resolve(view.path, each).files
        for each in view.what.imports
    )


def _may_define(tree: Tree, view: View, use: Use, name: str) -> bool:
    """May a file have a constant that its extraction does not show?"""
    for each in view.by_name.get("const_missing", ()):
        if not each.scope or f"{use.scope}.".startswith(f"{each.scope}.") or use.receiver:
            return True
    word = re.escape(name.encode())
    by_value = rb"\bconst_set\b(?!\s*\(?\s*:(?!" + word + rb"\b))"
    if re.search(by_value, view.data) and tree.changes(view):
        return True
    written = (
        rb"\b(?:class|module)[ \t]+[\w:]*" + word + rb"\b|\b" + word + rb"[ \t]*\|{0,2}=(?![=~])"
    )
    return not view.what.complete and re.search(written, view.data) is not None


def _balanced(text: bytes) -> bytes:
    depth = 0
    for match in re.finditer(rb"[()]", text):
        depth += 1 if match.group() == b"(" else -1
        if depth == 0:
            return text[: match.end()]
    return text
