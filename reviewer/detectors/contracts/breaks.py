"""Finds the uses that a change breaks: bound before it, bound to nothing or misfit after it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reviewer.detectors.contracts.binders import BINDERS, Binder
from reviewer.detectors.contracts.differences import CONSTRUCTORS, FileDifference
from reviewer.detectors.contracts.fits import misfit
from reviewer.detectors.contracts.outcomes import Absent, Found, Item, Module
from reviewer.detectors.contracts.trees import Tree, family
from reviewer.detectors.contracts.views import View
from reviewer.languages import is_fixture, is_template
from reviewer.parsing.symbols import Import, Parameter, Use, UseKind

MAX_FILES = 3_000  # that mention one name; the rest is said in a note


_WORD = re.compile(r"\w+")
_MAKING = ("new", "__init__")
"""What a constructor is called by where that is not the name of its class."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the head that is broken, how, and its text."""

    path: str
    line: int
    kind: UseKind
    why: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """What the change did: `path` is the file at the base, `item` None for the file itself.

    `dropped` is a name that the file imported and passed on; `now` what the head has instead.
    """

    path: str
    item: Item | None = None
    dropped: str = ""
    now: Item | None = None

    @property
    def key(self) -> tuple[str, str, bool]:
        """What tells causes apart."""
        name = self.dropped if self.item is None else self.item.qualified
        return self.path, name, self.now is None


@dataclass(frozen=True, slots=True)
class Ends:
    """The two trees, and the changed files by their paths at the base."""

    head: Tree
    base: Tree
    files: Mapping[str, FileDifference]


def find(
    ends: Ends, differences: Sequence[FileDifference], notes: list[str]
) -> Iterator[tuple[Cause, Place]]:
    """Yield every broken place with its cause; raise OutOfTime."""
    for kind, binder in BINDERS.items():
        files = [each for each in differences if family(each.path) == kind]
        names = {name for each in files for name in each.names}
        if not names and not any(_away(each) for each in files):
            continue
        names |= _subclasses(ends, kind, files)
        words = names | _spelled(ends, files)
        for path in _candidates(ends.head, kind, words, files, notes):
            view = ends.head.view(path)
            if view is not None and view.what.complete and not is_template(path):
                yield from _in_file(ends, binder, view, names, words)


def _place(view: View, each: Use | Import, kind: UseKind, why: str = "") -> Place:
    return Place(view.path, each.line, kind, why, view.line(each.line))


def _candidates(
    head: Tree, kind: str, words: set[str], files: Iterable[FileDifference], notes: list[str]
) -> list[str]:
    head.ask(tuple(sorted(words)))
    found = {each.new.path for each in files if each.new is not None}
    for word in sorted(words):
        paths = head.mentioning(word, kind)
        found.update(path for path in paths[:MAX_FILES] if not is_fixture(path))
        if len(paths) > MAX_FILES:
            notes.append(
                f"Contracts: `{word}` is in {len(paths)} files; {MAX_FILES} were looked at."
            )
    return sorted(found)


def _spelled(ends: Ends, files: Iterable[FileDifference]) -> set[str]:
    """Return the words of imports of files that are gone, or whose default export changed."""
    found: set[str] = set()
    for each in files:
        if each.old is None:
            continue
        default = family(each.path) == "script" and b"default" in each.old.masked
        if _away(each) or default:
            found.update(ends.base.context.resolver("base").spellings(each.old.path))
    return found - {""}


def _subclasses(ends: Ends, kind: str, files: Iterable[FileDifference]) -> set[str]:
    """Return the classes that inherit a constructor that changed, or a class that is gone."""
    waiting = [
        path.rpartition(".")[0].rpartition(".")[2]
        for each in files
        for path in (*each.gone, *each.changed)
        if path.rpartition(".")[2] in CONSTRUCTORS
    ]
    found: set[str] = set()
    while waiting and len(found) < MAX_FILES:
        name = waiting.pop()
        for path in ends.head.mentioning(name, kind) if name else ():
            view = ends.head.view(path)
            for each in () if view is None else view.what.definitions:
                if each.name not in found and any(
                    base.replace("::", ".").rpartition(".")[2] == name for base in each.bases
                ):
                    found.add(each.name)
                    waiting.append(each.name)
    return found


# One file ----------------------------------------------------------------------------------------


def _in_file(
    ends: Ends, binder: Binder, view: View, names: set[str], words: set[str]
) -> Iterator[tuple[Cause, Place]]:
    broken: set[str] = set()
    local = {*names, *_MAKING}
    for each in view.what.imports:
        called = view.local_name(each)
        if each.name in names or each.name == "default":
            local.add(called)
        if each.name not in words and words.isdisjoint(_WORD.findall(each.module)):
            continue  # neither what it takes nor where from has changed
        now = binder.imported(ends.head, view, each)
        if not isinstance(now, Absent):
            continue
        before = binder.imported(ends.base, view, each)
        cause = _cause(ends, now, before)
        if cause is not None:
            broken.update({called} - {""})
            yield cause, _place(view, each, UseKind.IMPORT)
    for name in sorted(local - broken):
        for use in view.uses_by_name.get(name, ()):
            if use.receiver.partition(".")[0].removeprefix("new ") not in broken:
                yield from _in_use(ends, binder, view, use)


def _in_use(ends: Ends, binder: Binder, view: View, use: Use) -> Iterator[tuple[Cause, Place]]:
    now = binder.outcome(ends.head, view, use)
    if now is None or isinstance(now, Module):
        return
    before = binder.outcome(ends.base, view, use)
    if not isinstance(before, Found):
        return
    if isinstance(now, Absent):
        cause = _cause(ends, now, before)
        if cause is not None:
            yield cause, _place(view, use, use.kind)
        return
    if use.kind is not UseKind.CALL or not (now.bare and before.bare):
        return
    if not binder.judged(view, use):
        return
    were = binder.callables(ends.base, before)
    those = binder.callables(ends.head, now)
    # A file that is as it was cannot have changed what a call in it means.
    if not were or not those or not any(each.path in ends.files for each in were):
        return
    if all(misfit(_parameters(each), use, binder.name) for each in were):
        return
    reasons = [misfit(_parameters(each), use, binder.name) for each in those]
    first = reasons[0]
    if first is not None and None not in reasons:
        was = next((each for each in were if each.path in ends.files), were[0])
        yield (
            Cause(was.path, was, now=those[0]),
            _place(view, use, use.kind, first.why),
        )


def _parameters(item: Item) -> tuple[Parameter, ...]:
    return item.definition.parameters or ()


def _cause(ends: Ends, now: Absent, before: object) -> Cause | None:
    """Return what of the change took away what a use was bound to."""
    if isinstance(before, Module):
        gone = [path for path in before.files if _away(ends.files.get(path))]
        return Cause(gone[0]) if gone else None
    if not isinstance(before, Found):
        return None
    for item in before.items:
        file = ends.files.get(item.path)
        if file is None:
            continue
        named = bool(now.path) or now.name == item.definition.name
        away = _away(file)
        if away and not named:
            return Cause(item.path)
        if away or item.qualified in file.gone:
            return Cause(item.path, item)
    file = ends.files.get(now.path)
    if file is not None and now.name in file.dropped:
        return Cause(now.path, dropped=now.name)
    return None


def _away(file: FileDifference | None) -> bool:
    """Is there no file of that path at the head any more?"""
    return (
        file is not None
        and file.old is not None
        and (file.new is None or file.new.path != file.old.path)
    )
