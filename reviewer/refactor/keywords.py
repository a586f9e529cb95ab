"""Keywords that are called like a field, in Python: which of them mean it.

A class whose constructor is made of its fields (a dataclass, one of attrs, a NamedTuple) takes them
by name, and so does what makes one of it like another (`dataclasses.replace`). One with a
constructor of its own takes that one's parameters, which only happen to be called so. A pattern
(`case Point(x=0)`) names the field itself.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from reviewer.context.values import Certainty, Context, Used
from reviewer.detectors.contracts.views import View
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Extraction, UseKind
from reviewer.refactor.family import Class, Family, class_around
from reviewer.text import encode, printable

MOST_BYTES = 20_000
"""Between the bracket of a call and one of its arguments."""

_ATTRS = frozenset(
    (module, name)
    for module in ("attr", "attrs")
    for name in ("s", "attrs", "attributes", "dataclass", "define", "frozen", "mutable")
)
_DECORATORS = _ATTRS | {("dataclasses", "dataclass")}
_BASES = frozenset(
    (module, name)
    for module in ("typing", "typing_extensions")
    for name in ("NamedTuple", "TypedDict")
)
"""What makes a constructor of the fields of a class."""

_LIKE = frozenset(
    {
        ("dataclasses", "replace"),
        ("copy", "replace"),
        *((module, name) for module in ("attr", "attrs") for name in ("evolve", "assoc")),
    }
)
"""What makes an object like another one, its first argument, but for fields that it names."""

OF_ITSELF = re.compile(rb"(?:\bcls|\btype\(\s*(?:self|cls)\s*\)|\bself\.__class__)$")
_ABOVE = re.compile(rb"\bsuper\([^()]*\)\.__init__$")
_ASKS_OF_CLASS = frozenset({"isinstance", "issubclass", "super"})
_ITSELF = re.compile(rb"\.\s*__(?:call|wrapped|func)__\b")
_CATCHES = re.compile(rb"\b(?:except|raise)\s*$")
_PASSED_ON = re.compile(rb"(?:^|[(,])\s*\*\*")
_CALLEE = re.compile(rb"((?:[A-Za-z_]\w*\s*\.\s*)*)([A-Za-z_]\w*)$")
_FIRST = re.compile(rb"\s*((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)\s*([,(])")

Place = tuple[str, int, int]


class Made(Enum):
    """By what a class is made: its fields, a constructor of its own, or what is not known."""

    FIELDS = "fields"
    OWN = "own"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Call:
    """What is called with an argument: its text up to the bracket, where its last name stands."""

    text: bytes
    name: str
    receiver: str
    place: Place
    first: str
    first_place: Place | None
    """Its first argument, as far as that is a name, or a call of one."""


class Keywords:
    """Judges the keywords of the name of a member that is to have another name.

    `named`: where a class of the family is named for sure, and how.
    """

    def __init__(  # noqa: PLR0917
        self,
        name: str,
        to: str,
        kin: Family,
        named: Mapping[Place, UseKind],
        context: Context,
        view: Callable[[str], View | None],
    ) -> None:
        self._name = name
        self._to = to
        self._kin = kin
        self._named = named
        self._context = context
        self._view = view
        self._by_attrs = False
        self._made = {one: self._made_by(one, ()) for one in sorted(kin.classes)}

    def other_argument(self) -> str:
        """Return why the argument for the field has, or gets, another name, "" if it does not."""
        for name in (self._name, self._to) if self._by_attrs else ():
            if name.startswith("_"):
                return f"attrs takes {printable(name)} as an argument of another name"
        return ""

    def judged(self, each: Used) -> Used:
        """Return a keyword as what it is: sure, likely, perhaps, or of something else."""
        view = self._view(each.path)
        call = call_of(view, each) if view is not None else None
        if call is None:
            return _as(each, None, "of another call")
        class_ = self._class_at(call.place)
        if class_ is not None:
            if self._named[call.place] is UseKind.TYPE:
                return _as(each, Certainty.EXACT, "in a pattern of its class")
            return _as(each, *_ARGUMENT[self._made[class_]])
        around = self._around(each)
        if around in self._kin.classes and OF_ITSELF.search(call.text):
            return _as(each, *_ARGUMENT[self._of_all()])
        above = [one for one in self._kin.above.get(around, ()) if one in self._made]
        if above and _ABOVE.search(call.text):
            return _as(each, *_ARGUMENT[_one({self._made[one] for one in above})])
        return self._beside(each, call, around)

    def _beside(self, each: Used, call: Call, around: Class) -> Used:
        """Judge an argument of a call that is told an object, or a class, to make one of."""
        what = self._context.extraction(each.path).what
        like = origin(what, f"{call.receiver}.{call.name}".lstrip(".")) in _LIKE
        own = call.receiver if call.name == "_replace" else call.first if like else ""
        first = self._class_at(call.first_place) if call.first_place is not None else None
        if own in {"self", "cls"} and around in self._kin.classes:
            return _as(each, *_ARGUMENT[self._of_all()])
        if first is not None and (like or call.name == "partial"):
            return _as(each, *_ARGUMENT[self._made[first]])
        if first is not None:
            return _as(each, Certainty.LIKELY, "an argument of a call that is told its class")
        if like or call.name == "_replace":
            return _as(each, Certainty.NAME, "an argument of what makes an object like another", 1)
        return _as(each, None, "of another call")

    def _of_all(self) -> Made:
        """Return by what all classes of the family are made: `cls` may be any of them."""
        return _one(set(self._made.values()))

    def _class_at(self, place: Place) -> Class | None:
        return self._kin.owners.get(place) if place in self._named else None

    def _around(self, each: Used) -> Class:
        definitions = self._context.extraction(each.path).what.definitions
        return Class(each.path, class_around(definitions, each.use.scope))

    # How a class is made -------------------------------------------------------------------------

    def _made_by(self, one: Class, seen: tuple[Class, ...]) -> Made:
        what, view = self._context.extraction(one.path).what, self._view(one.path)
        classes = [
            each
            for each in what.definitions
            if each.kind is DefKind.CLASS and path_of(each) == one.name
        ]
        if len(classes) != 1 or view is None or one in seen:
            return Made.UNKNOWN
        members = {each.name for each in what.definitions if each.scope == one.name}
        if members & {"__init__", "__new__"}:
            return Made.OWN
        decorators = {origin(what, each) for each in classes[0].decorators}
        if decorators & _DECORATORS:
            return self._generated(one, classes[0], view, attrs=bool(decorators & _ATTRS))
        if any(origin(what, each) in _BASES for each in classes[0].bases):
            return Made.FIELDS
        return _one({self._made_by(each, (*seen, one)) for each in self._kin.above.get(one, ())})

    def _generated(self, one: Class, class_: Definition, view: View, *, attrs: bool) -> Made:
        """Return what a decorator makes, unless it is told otherwise."""
        head = b"\n".join(view.masked.split(b"\n")[class_.start - 1 : class_.end])
        if re.search(rb"\binit\s*=\s*False", head.partition(b"class ")[0]):
            return Made.UNKNOWN
        for each in view.what.definitions:
            if each.scope == one.name and each.name == self._name and attrs:
                said = view.masked.split(b"\n")[each.start - 1 : each.end]
                if re.search(rb"\balias\s*=", b"\n".join(said)):
                    return Made.UNKNOWN
        self._by_attrs |= attrs
        return Made.FIELDS


_ARGUMENT: Mapping[Made, tuple[Certainty | None, str]] = {
    Made.FIELDS: (Certainty.EXACT, "a field that its class is made of"),
    Made.OWN: (None, "of a constructor that its class has"),
    Made.UNKNOWN: (Certainty.LIKELY, "an argument of its class, which may be the field"),
}


def _one(made: Collection[Made]) -> Made:
    """Return what all of them are, unknown where they differ or are none."""
    return next(iter(made)) if len(made) == 1 else Made.UNKNOWN


def _as(each: Used, certainty: Certainty | None, why: str, score: float = 0.0) -> Used:
    """Return a use with another verdict; None is that of another thing of that name."""
    if certainty is None:
        return replace(each, certainty=Certainty.NAME, why=why, score=-1.0)
    return replace(each, certainty=certainty, why=why, score=score)


def origin(what: Extraction, dotted: str) -> tuple[str, str]:
    """Return the module and the name that a name of a file was imported as, ("", "") for none."""
    receiver, _, name = dotted.rpartition(".")
    for each in what.imports:
        if receiver and not each.name and receiver == (each.alias or each.module):
            return each.module, name
        if not receiver and each.name and name == (each.alias or each.name):
            return each.module, each.name
    return "", ""


def call_of(view: View, each: Used) -> Call | None:
    """Return the call, or the pattern, in whose brackets a use stands, a keyword for one."""
    at = view.offset(each.use.line, each.use.column)
    word = encode(each.use.name)
    # What stands in the brackets of an f-string is masked with it: there the line itself is read.
    plain = view.masked[at : at + len(word)] == word
    code = view.masked if plain else view.data
    least = max(0, at - MOST_BYTES) if plain else code.rfind(b"\n", 0, at) + 1
    opened = _bracket(code, at, least)
    if opened is None:
        return None
    text = code[max(0, opened - 300) : opened].rstrip()
    end = len(code[:opened].rstrip())
    found = _CALLEE.search(text)
    first = _FIRST.match(code, opened + 1, at)
    return Call(
        text=text,
        name=found[2].decode() if found else "",
        receiver=_dotted(found[1]) if found else "",
        place=_place(each.path, view, end - len(found[2])) if found else ("", 0, 0),
        first=_dotted(first[1] + first[2]) if first and first[3] == b"," else "",
        first_place=_place(each.path, view, first.start(2)) if first else None,
    )


def is_value(view: View | None, each: Used) -> bool:
    """Is a name the thing itself, and not what something is asked of, or compared with?"""
    if view is None:
        return True
    at = view.offset(each.use.line, each.use.column)
    after = view.masked[at + len(encode(each.use.name)) :][:40].lstrip()
    if after.startswith(b"."):
        return _ITSELF.match(after) is not None
    if _CATCHES.search(view.masked, max(0, at - 20), at):
        return False
    call = call_of(view, each)
    return call is None or call.name not in _ASKS_OF_CLASS


def passes_keywords(view: View | None, each: Used) -> bool:
    """Are keywords of a call unpacked from a value, as far as its brackets can be read?"""
    if view is None:
        return True
    at = view.offset(each.use.line, each.use.column) + len(encode(each.use.name))
    text, depth = view.masked[at : at + MOST_BYTES], 0
    own = bytearray()
    for place in range(len(text)):
        sign = text[place : place + 1]
        depth -= sign in {b")", b"]", b"}"}
        own += sign if depth <= 1 else b" "
        depth += sign in {b"(", b"[", b"{"}
        if not depth and sign == b")":
            return _PASSED_ON.search(bytes(own).lstrip()) is not None
    return True


def _bracket(code: bytes, at: int, least: int) -> int | None:
    """Return where the bracket around a place of a call opens."""
    depth = 0
    for place in range(at - 1, least - 1, -1):
        sign = code[place : place + 1]
        if sign in {b")", b"]", b"}"}:
            depth += 1
        elif sign in {b"(", b"[", b"{"}:
            if not depth:
                return place if sign == b"(" else None
            depth -= 1
    return None


def _dotted(text: bytes) -> str:
    return "".join(text.decode("utf-8", "replace").split()).rstrip(".")


def _place(path: str, view: View, at: int) -> Place:
    return path, view.line_of(at), at - (view.data.rfind(b"\n", 0, at) + 1)
