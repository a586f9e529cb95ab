"""Members that a result took away, or whose parameters it changed, at objects that are still asked
for them.

Of the result alone: in a review code of others set it off that expects what it does. Only names of
the change are asked about: a search for the word, then each use is bound, by what its scope says
that it is an object of (`made_objects.py`; `self` and `this`; `new Class().member`). An object that
is made there is of that class; another one may be of a class that extends it, so the family
(`family.py`) has to be known whole, and nothing in it may have the name, or fit the call.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reviewer.detectors.contracts.binders import BINDERS
from reviewer.detectors.contracts.breaks import MAX_FILES, Cause, Ends, Place
from reviewer.detectors.contracts.differences import FileDifference, moved_to, renamed_to
from reviewer.detectors.contracts.fits import misfit
from reviewer.detectors.contracts.javascript import JavaScript
from reviewer.detectors.contracts.outcomes import Absent, Found, Item
from reviewer.detectors.contracts.python import Python
from reviewer.detectors.contracts.trees import family as language_family
from reviewer.detectors.contracts.views import View
from reviewer.errors import GiveUp
from reviewer.languages import is_fixture, is_template
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Use, UseKind
from reviewer.refactor.family import Class, family
from reviewer.refactor.made_objects import MadeObjects

EXPECTED_LINES = 40
"""Above a use and below it, in which the heads of the blocks around it are looked for."""

_ASKED = frozenset({UseKind.CALL, UseKind.ATTRIBUTE})
_OWN = frozenset({"self", "cls", "this"})
_NEW = re.compile(r"new ([\w$]+)\(")
_MADE_UP = ("setattr", "__dict__", "vars", "exec", "locals")
_EXPECTED = re.compile(
    r"\b(?:raises|assertRaises\w*|suppress|hasattr|getattr|version\w*|VERSION\w*|"
    r"AttributeError|TypeError)\b"
)
_HEAD = re.compile(
    r"(?:if|elif|else|try|with|while|except|async with|switch|\}\s*(?:else|catch))\b"
)


@dataclass
class _Asked:
    """What is known of the two ends while one family of languages is looked through.

    `was` has the class at the base of each class at the head that is not where it was.
    """

    ends: Ends
    binder: Python | JavaScript
    was: dict[Class, Class] = field(default_factory=dict)
    objects: dict[str, MadeObjects] = field(default_factory=dict)
    without: dict[tuple[Class, str], tuple[Class, ...] | None] = field(default_factory=dict)

    def base_of(self, one: Class) -> Class:
        return self.was.get(one) or Class(self.ends.base.here(one.path), one.name)


def at_objects(
    ends: Ends, differences: Sequence[FileDifference], notes: list[str]
) -> Iterator[tuple[Cause, Place]]:
    """Yield every place where an object is asked for a member that it has no more, or by a call
    that does not fit any more, with its cause; raise OutOfTime."""
    for binder in BINDERS.values():
        if not isinstance(binder, Python | JavaScript):
            continue
        files = [each for each in differences if language_family(each.path) == binder.name]
        asked = _Asked(ends, binder)
        names = {name for each in files for name in _lost(each, files, asked)}
        ends.head.ask(tuple(sorted(names)))
        for name in sorted(names):
            paths = ends.head.mentioning(name, binder.name)
            if len(paths) > MAX_FILES:
                notes.append(
                    f"Members: `{name}` is in {len(paths)} files; {MAX_FILES} were looked at."
                )
            for path in paths[:MAX_FILES]:
                view = ends.head.view(path)
                if view is None or not view.what.complete or is_template(path) or is_fixture(path):
                    continue
                for use in view.uses_by_name.get(name, ()):
                    if use.receiver and use.kind in _ASKED:
                        ends.head.clock.check()
                        yield from _broken(asked, view, use)


# What the change took away -----------------------------------------------------------------------


def _lost(file: FileDifference, files: Sequence[FileDifference], asked: _Asked) -> set[str]:
    """Return the members of a file's classes that these have no more, or with other parameters.

    A class may have another name by now, or be in another file: then that is noted.
    """
    if file.old is None:
        return set()
    found: set[str] = set()
    named: dict[str, set[str]] = {}
    for each in file.old.what.definitions:
        named.setdefault(each.scope, set()).add(each.name)
    for scope, definitions in file.old.by_path.items():
        if len(definitions) != 1 or definitions[0].kind is not DefKind.CLASS:
            continue
        now = _class_now(file, definitions[0], files)
        view = asked.ends.head.view(now.path) if now is not None else None
        if now is None or view is None:
            continue
        if now != Class(file.old.path, scope):
            asked.was[now] = Class(file.old.path, scope)
        asked.ends.head.clock.check()
        for name in named.get(scope, ()):
            before, after = file.old.members(scope, name), view.members(now.name, name)
            if not name.startswith("__") and _shapes(before) != _shapes(after):
                found.add(name)
    return found


def _class_now(
    file: FileDifference, class_: Definition, files: Sequence[FileDifference]
) -> Class | None:
    """Return what a class of the base is at the head, None where it is gone or not known."""
    scope = path_of(class_)
    if file.old is None:
        return None
    if file.new is not None and any(
        each.kind is DefKind.CLASS for each in file.new.by_path.get(scope, ())
    ):
        return Class(file.new.path, scope)
    if class_.scope:
        return None
    if path := moved_to(files, Item(file.old.path, class_)):
        return Class(path, class_.name)
    name = renamed_to(file, class_)
    return Class(file.new.path, name) if name and file.new is not None else None


def _shapes(definitions: Sequence[Definition]) -> set[object]:
    return {
        None
        if each.parameters is None
        else tuple((p.name, p.how, p.required) for p in each.parameters)
        for each in definitions
    } or {"gone"}


# One use -----------------------------------------------------------------------------------------


def _broken(asked: _Asked, view: View, use: Use) -> Iterator[tuple[Cause, Place]]:
    head, binder = asked.ends.head, asked.binder
    if view.quotes(use.name) or binder.outcome(head, view, use) is not None:
        return  # asked for by its name, or judged by the contracts of all changes
    for one, exact in _classes(asked, view, use):
        now = binder.member(head, one.path, one.name, use.name)
        was = asked.base_of(one)
        before = binder.member(asked.ends.base, was.path, was.name, use.name)
        if not isinstance(before, Found) or now is None:
            continue
        cause: Cause | None = None
        why = ""
        if isinstance(now, Absent):
            cause = _gone(asked, view, use, one, before, exact)
        elif isinstance(now, Found) and use.kind is UseKind.CALL and binder.judged(view, use):
            cause, why = _unfit(asked, use, one, (before, now), exact)
        if cause is not None and not _is_expected(view, use):
            yield cause, Place(view.path, use.line, use.kind, why, view.line(use.line))
            return


def _classes(asked: _Asked, view: View, use: Use) -> Iterator[tuple[Class, bool]]:
    """Give the class that the object before the dot is of, and whether it can be of no other."""
    head, binder = asked.ends.head, asked.binder
    if use.receiver in _OWN:
        around = view.class_around(use.scope)
        method = use.scope[len(around) + 1 :]
        own = view.members(around, method) if around and method else []
        if own and not any("staticmethod" in each.decorators for each in own):
            yield Class(view.path, around), False
        return
    for made in _making(asked, view, use):
        found = binder.outcome(head, view, made)
        if not isinstance(found, Found) or len(found.items) != 1:
            continue
        item = found.items[0]
        if item.definition.kind is not DefKind.CLASS:
            continue
        if made.kind is not UseKind.CALL:
            yield Class(item.path, item.qualified), False
        elif binder.name != "python" or _makes_its_own(asked, item):
            yield Class(item.path, item.qualified), True


def _making(asked: _Asked, view: View, use: Use) -> Sequence[Use]:
    """Return the uses of a name one of which says of which class an object is."""
    if asked.binder.name == "python":
        if view.path not in asked.objects:
            asked.objects[view.path] = MadeObjects(view)
        return asked.objects[view.path].made_by(use)
    made = _NEW.match(use.receiver)
    if made is None or not _closes_last(use.receiver[made.end() - 1 :]):
        return ()
    return [
        each
        for each in view.uses_by_name.get(made[1], ())
        if each.kind is UseKind.CALL
        and each.receiver == "new"
        and (each.line, each.column) < (use.line, use.column)
    ][-1:]


def _closes_last(text: str) -> bool:
    """Is the bracket that opens a text closed by its last sign, and not before?"""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if not depth:
            return at == len(text) - 1
    return False


def _makes_its_own(asked: _Asked, item: Item) -> bool:
    """Does a call of a class of Python certainly make an object of that class?"""
    made = asked.binder.member(asked.ends.head, item.path, item.qualified, "__new__")
    return isinstance(made, Absent)  # and not None, as where it has a metaclass


def _gone(  # noqa: PLR0917
    asked: _Asked, view: View, use: Use, one: Class, before: Found, exact: bool
) -> Cause | None:
    """Return what took a member away, None where it may still be there."""
    ends = asked.ends
    if not exact and _members(asked, one, use.name) != ():
        return None
    for path in {one.path, *(each.path for each in before.items)}:
        owner = ends.head.view(path)
        if owner is not None and owner.says(*_MADE_UP):
            return None
    if _is_written(asked, view, use.name, one, exact):
        return None
    for item in before.items:
        file = ends.files.get(item.path)
        if file is not None and item.qualified in file.gone:
            return Cause(item.path, item)
    return None


def _unfit(
    asked: _Asked, use: Use, one: Class, found: tuple[Found, Found], exact: bool
) -> tuple[Cause | None, str]:
    """Return what changed the parameters of a call that fitted before, and why it does not now."""
    ends, binder = asked.ends, asked.binder
    were = binder.callables(ends.base, found[0])
    those = list(binder.callables(ends.head, found[1]))
    changed = [each for each in were if each.path in ends.files]
    if not changed or not those:
        return None, ""
    if not exact:
        members = _members(asked, one, use.name)
        if members is None:
            return None, ""
        for each in members:
            view = ends.head.view(each.path)
            items = () if view is None else view.members(each.name, use.name)
            more = (
                binder.callables(ends.head, Found(tuple(Item(each.path, item) for item in items)))
                if items
                else ()
            )
            if not more:
                return None, ""
            those += more
    if all(misfit(each.definition.parameters or (), use, binder.name) for each in were):
        return None, ""
    reasons = [misfit(each.definition.parameters or (), use, binder.name) for each in those]
    first = reasons[0]
    if first is None or None in reasons:
        return None, ""
    return Cause(changed[0].path, changed[0], now=those[0]), first.why


def _members(asked: _Asked, one: Class, name: str) -> tuple[Class, ...] | None:
    """Return the classes of a family that define a member; None where it is not known whole."""
    key = (one, name)
    if key not in asked.without:
        try:
            asked.without[key] = family(one, name, "", asked.ends.head.context).members
        except GiveUp:
            asked.without[key] = None
    return asked.without[key]


def _is_written(asked: _Asked, view: View, name: str, one: Class, exact: bool) -> bool:
    """Does somebody give the object, or its class, such a member from outside of it?

    What is made on the spot has what its class has: files that do not name that are not looked at.
    """
    head, kind = asked.ends.head, asked.binder.name
    paths = set(head.mentioning(name, kind))
    if exact:
        paths &= {*head.mentioning(one.name.rpartition(".")[2], kind), view.path}
    for path in sorted(paths):
        there = head.view(path)
        if there is None or any(
            use.kind is UseKind.WRITE and (use.receiver not in _OWN or path == view.path)
            for use in there.uses_by_name.get(name, ())
        ):
            return True
    return False


def _is_expected(view: View, use: Use) -> bool:
    """Do the line of a use, or the heads of the blocks around it, speak of what is not there?"""
    line = view.line(use.line)
    if _EXPECTED.search(line):
        return True
    depth = _indent(line)
    for number in range(use.line - 1, max(0, use.line - EXPECTED_LINES), -1):
        above = view.line(number)
        if not above.strip() or _indent(above) >= depth:
            continue
        depth = _indent(above)
        if _HEAD.match(above.strip()) and _EXPECTED.search(above):
            return True
        if above.strip() == "try:" and _EXPECTED.search(_caught(view, use.line, depth)):
            return True
        if not depth:
            break
    return False


def _caught(view: View, line: int, depth: int) -> str:
    """Return the heads of what catches, of the block of that depth around a line of Python."""
    found = []
    for number in range(line + 1, line + EXPECTED_LINES):
        below = view.line(number)
        if below.strip() and _indent(below) <= depth:
            if not below.strip().startswith("except"):
                break
            found.append(below)
    return "\n".join(found)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
