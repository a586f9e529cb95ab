"""The family of a member: the classes that have it from one another, and all have to name it alike.

Two classes are of one family where one extends the other, and where a third extends both: what one
of them calls is then what the other has. All of it has to be known. Who extends something that is
not of the tree, or that is computed, may have to do with what nobody here sees: then it is GiveUp.
"""

import abc
import builtins
import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reviewer.context.values import Certainty, Context, Defined, Used
from reviewer.errors import GiveUp
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind
from reviewer.refactor.other_names import uses_by_any_name
from reviewer.refactor.protect import shown
from reviewer.text import printable

MOST_CLASSES = 200
"""Looked at for one family; each costs a look at all files that name it."""

MOST_PROTOCOLS = 50
"""Files that may have a protocol with such a member."""

MOST_NAMESAKES = 10
"""Classes that a base may be, where the imports do not lead to one at once."""

WALKED = frozenset({Language.PYTHON, Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX})
"""Languages in which the head of a class says all that it extends."""

_OWN = frozenset({"self", "cls", "this"})
_BEYOND = re.compile(r"super(?:\([^()]*\))?")
_KNOWN: dict[tuple[str, str], type] = {
    ("abc", "ABC"): abc.ABC,
    ("enum", "Enum"): enum.Enum,
    ("enum", "Flag"): enum.Flag,
    ("enum", "IntEnum"): enum.IntEnum,
    ("enum", "IntFlag"): enum.IntFlag,
    ("enum", "StrEnum"): enum.StrEnum,
    **{(each, "Generic"): object for each in ("typing", "typing_extensions")},
    **{(each, "NamedTuple"): tuple for each in ("typing", "typing_extensions")},
    **{(each, "Protocol"): object for each in ("typing", "typing_extensions")},
    **{(each, "TypedDict"): dict for each in ("typing", "typing_extensions")},
}
"""Classes of Python's library of which is known what they have, and that they ask for nothing by
name. Of most that is not so: a test case, a handler or a visitor calls what extends it."""

_PROTOCOLS = frozenset(each for each in _KNOWN if each[1] == "Protocol")
_ENUM = frozenset({"name", "value"})
_JS_BASE = re.compile(r"\bextends\s+[\w$.]+\s*(?:<.*>)?\s*(?:\{.*|implements\b.*)?$", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Class:
    """A class: its file, and its dotted path in it."""

    path: str
    name: str


@dataclass(frozen=True)
class Family:
    """The classes that have a member from one another. `members` define it, sorted.

    `uses` are the places where a class of the family is named for sure, without imports; `owners`
    has, by path, line and column, which one. `above` has what these and those above them extend.
    """

    classes: frozenset[Class]
    members: tuple[Class, ...]
    uses: tuple[Used, ...]
    owners: Mapping[tuple[str, int, int], Class] = field(default_factory=dict)
    above: Mapping[Class, tuple[Class, ...]] = field(default_factory=dict)


def family(start: Class, name: str, to: str, context: Context) -> Family:
    """Return the family of a member of a class; GiveUp where a part of it may not be known.

    `to` is the name that it is to get: that no class of the family, nor one above, may have.
    """
    if name == "constructor" or (name.startswith("__") and name.endswith("__")):
        raise GiveUp(f"the language itself calls {printable(name)}")
    return _Walk(name, to, context).family(start)


def above(one: Class, context: Context) -> set[Class]:
    """Return all classes of the tree that one extends, by any steps.

    GiveUp where it extends what is neither of the tree nor known, or is computed.
    """
    return _Walk("", "", context)._ancestors(one)


class _Walk:
    """Over the classes above and below. Remembers what it has found of each."""

    def __init__(self, name: str, to: str, context: Context) -> None:
        self._name = name
        self._to = to
        self._context = context
        self._named: dict[Class, tuple[Used, ...]] = {}
        self._above: dict[Class, tuple[Class, ...]] = {}

    def family(self, start: Class) -> Family:
        found: set[Class] = set()
        waiting = [start]
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found.add(one)
            waiting += self._below(one)
            waiting += [each for each in self._ancestors(one) if self._knows(each, self._name)]
        for each in sorted(self._above):
            if self._knows(each, self._to):
                raise GiveUp(f"{_said(each)} has the name {printable(self._to)} already")
        self._fulfils_nothing(found)
        members = sorted(each for each in found if self._defines(each, self._name))
        named = [
            (use, each)
            for each in sorted(found)
            for use in self._naming(each)
            if use.certainty is Certainty.EXACT and use.use.kind is not UseKind.IMPORT
        ]
        owners = {(use.path, use.use.line, use.use.column): each for use, each in named}
        uses = tuple(use for use, _ in named)
        return Family(frozenset(found), tuple(members), uses, owners, dict(self._above))

    # Down and up ---------------------------------------------------------------------------------

    def _below(self, one: Class) -> list[Class]:
        """Return the classes that extend one directly."""
        found = []
        for each in self._naming(one):
            kind, scope = each.use.kind, each.use.scope
            inner = Class(each.path, scope)
            sure = each.certainty is Certainty.EXACT
            if kind is UseKind.OVERRIDE and sure:
                if not self._classes(inner):
                    raise GiveUp(f"something without a name extends {_said(one)} in {_at(each)}")
                found.append(inner)
            elif kind is UseKind.OVERRIDE and (
                each.certainty is Certainty.LIKELY or each.score > 0
            ):
                if self._knows(inner, self._name):
                    raise GiveUp(f"{_said(inner)} may extend {_said(one)} ({each.why})")
            elif sure and self._in_head(each) and not _is_plain(self._classes(inner), inner.path):
                raise GiveUp(f"what {_said(inner)} extends is computed, out of {_said(one)}")
        return found

    def _in_head(self, each: Used) -> bool:
        """Is a class named where another one says what it extends?"""
        return each.use.kind is not UseKind.IMPORT and any(
            each.use.name in known.signature
            for known in self._classes(Class(each.path, each.use.scope))
        )

    def _ancestors(self, one: Class) -> set[Class]:
        found: set[Class] = set()
        waiting = [one]
        while waiting:
            for each in self._directly_above(waiting.pop()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return found

    def _directly_above(self, one: Class) -> tuple[Class, ...]:
        known = self._above.get(one)
        if known is None:
            if len(self._above) >= MOST_CLASSES:
                raise GiveUp(f"more than {MOST_CLASSES} classes have to do with one another")
            known = self._above[one] = tuple(self._bases(one))
        return known

    def _bases(self, one: Class) -> Iterable[Class]:
        classes = self._classes(one)
        if language_of(one.path) not in WALKED:
            raise GiveUp(f"{_said(one)} is of another language")
        if not _is_plain(classes, one.path):
            raise GiveUp(f"what {_said(one)} extends is computed")
        if _is_interface(classes, one.path) and self._knows(one, self._name):
            raise GiveUp(f"objects may be {_said(one)} without saying so")
        uses = self._context.extraction(one.path).what.uses
        for use in uses:
            if use.kind is not UseKind.OVERRIDE or use.scope != one.name:
                continue
            meant = self._meant(one, use)
            if not meant:
                self._outside(one, use)
            yield from meant

    def _meant(self, one: Class, use: Use) -> set[Class]:
        """Return the classes of the tree that a base is, by the rules of the language."""
        base = f"{use.receiver}.{use.name}" if use.receiver else use.name
        for candidates in (
            self._context.meant(base, one.path),
            self._context.definition(use.name, one.path, limit=MOST_NAMESAKES).items,
        ):
            found = {
                each
                for each in _classes_of(candidates)
                if any(
                    (used.path, used.use.line, used.use.column) == (one.path, use.line, use.column)
                    and used.certainty is Certainty.EXACT
                    for used in self._naming(each)
                )
            }
            if found:
                return found
        return set()

    def _outside(self, one: Class, use: Use) -> None:
        """Go on if a base that is not of the tree is known, and has neither of the names."""
        base = f"{use.receiver}.{use.name}" if use.receiver else use.name
        said = f"{_said(one)} extends {printable(base)}"
        known = self._known(one, use)
        if known is None:
            may = f"have {printable(self._name)}" if self._name else "make objects of it"
            raise GiveUp(f"{said}, which is not of this tree and may {may}")
        if known in _PROTOCOLS and self._knows(one, self._name):
            raise GiveUp(f"others may be {_said(one)}, a protocol, without saying so")
        class_ = _KNOWN.get(known) or getattr(builtins, known[1])
        has = {name for each in class_.__mro__ for name in vars(each)}
        has |= _ENUM if issubclass(class_, enum.Enum) else set()
        for name in (self._name, self._to):
            if name in has:
                raise GiveUp(f"{said}, which has {printable(name)} as well")

    def _known(self, one: Class, use: Use) -> tuple[str, str] | None:
        """Return the module and name of a base that is one of Python's own and known here."""
        if language_of(one.path) is not Language.PYTHON:
            return None
        what = self._context.extraction(one.path).what
        if use.receiver:
            module = next(
                (
                    each.module
                    for each in what.imports
                    if not each.name and use.receiver == (each.alias or each.module)
                ),
                "",
            )
            return (module, use.name) if (module, use.name) in _KNOWN else None
        bound = [each for each in what.imports if (each.alias or each.name) == use.name]
        if bound:
            found = (bound[0].module, bound[0].name)
            return found if len(bound) == 1 and found in _KNOWN else None
        defined = any(each.name == use.name for each in what.definitions)
        starred = any(each.name == "*" for each in what.imports)
        own = isinstance(getattr(builtins, use.name, None), type)
        return ("builtins", use.name) if own and not defined and not starred else None

    # What a class has ----------------------------------------------------------------------------

    def _classes(self, one: Class) -> list[Definition]:
        return [
            each
            for each in self._context.extraction(one.path).what.definitions
            if each.kind is DefKind.CLASS and path_of(each) == one.name
        ]

    def _defines(self, one: Class, name: str) -> bool:
        wanted = f"{one.name}.{name}"
        definitions = self._context.extraction(one.path).what.definitions
        return any(path_of(each) == wanted for each in definitions)

    def _knows(self, one: Class, name: str) -> bool:
        """Does a class define a member, or ask itself for it?"""
        if self._defines(one, name):
            return True
        what = self._context.extraction(one.path).what
        return any(
            use.name == name
            and is_own(use)
            and class_around(what.definitions, use.scope) == one.name
            for use in what.uses
        )

    def _naming(self, one: Class) -> tuple[Used, ...]:
        known = self._named.get(one)
        if known is None:
            answer = uses_by_any_name(one.name, one.path, self._context)
            if answer.notes:
                raise GiveUp(" ".join(answer.notes))
            known = self._named[one] = answer.items
        return known

    def _fulfils_nothing(self, found: set[Class]) -> None:
        """Refuse where a protocol asks for such a member: who fulfils it does not say so."""
        if all(language_of(each.path) is not Language.PYTHON for each in found):
            return
        words = self._context.mentioning((self._name, "Protocol"))
        both = sorted(set(words[self._name]) & set(words["Protocol"]))
        if len(both) > MOST_PROTOCOLS:
            raise GiveUp(f"more than {MOST_PROTOCOLS} files may have a protocol that asks for it")
        for path in both:
            for use in self._context.extraction(path).what.uses:
                one = Class(path, use.scope)
                asks = use.kind is UseKind.OVERRIDE and self._known(one, use) in _PROTOCOLS
                if asks and self._defines(one, self._name):
                    raise GiveUp(
                        f"{_said(one)} is a protocol that asks for {printable(self._name)}, and "
                        "who fulfils it does not say so"
                    )


def is_own(use: Use) -> bool:
    """Is something asked of the very object, or of what its class extends?"""
    return use.receiver in _OWN or _BEYOND.fullmatch(use.receiver) is not None


def class_around(definitions: Sequence[Definition], scope: str) -> str:
    """Return the dotted path of the innermost class around a place; "" outside of any."""
    classes = {path_of(each) for each in definitions if each.kind is DefKind.CLASS}
    while scope and scope not in classes:
        scope = scope.rpartition(".")[0]
    return scope


def _classes_of(found: Iterable[Defined]) -> set[Class]:
    return {
        Class(each.path, path_of(each.definition))
        for each in found
        if each.definition.kind is DefKind.CLASS
    }


def _is_plain(classes: Sequence[Definition], path: str) -> bool:
    """Does the head of a class name all that it extends?"""
    for each in classes:
        if language_of(path) is not Language.PYTHON:
            if re.search(r"\bextends\b", each.signature) and not _JS_BASE.search(each.signature):
                return False
            continue
        head = each.signature.partition("(")[2]
        if len(_arguments(head)) != len(each.bases) or (head and not head.rstrip().endswith(")")):
            return False
    return True


def _arguments(head: str) -> list[str]:
    """Return what stands in the brackets of a class's head, without keywords (a metaclass)."""
    found, depth, start = [], 0, 0
    for at, sign in enumerate(head):
        depth += (sign in "([{") - (sign in ")]}")
        if (sign == "," and not depth) or depth < 0:
            found.append(head[start:at].strip())
            start = at + 1
        if depth < 0:
            break
    return [each for each in found if each and not re.match(r"\w+\s*=(?!=)", each)]


def _is_interface(classes: Sequence[Definition], path: str) -> bool:
    return language_of(path) is not Language.PYTHON and any(
        re.match(r"(?:export\s+|default\s+|declare\s+)*interface\b", each.signature)
        for each in classes
    )


def _said(one: Class) -> str:
    return f"class {printable(one.name)} of {shown(one.path)}"


def _at(each: Used) -> str:
    return f"{shown(each.path)}, line {each.use.line}"
