"""One end of a change, as the binders ask it: views of files, imports resolved, time bounded."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reviewer.context.values import Context, Resolved
from reviewer.detectors.contracts.views import View
from reviewer.errors import RlmError
from reviewer.languages import Language, language_of
from reviewer.parsing.symbols import Import
from reviewer.ports import NoSuchFile, Objects, Rev

FAMILIES: dict[Language, str] = {
    Language.PYTHON: "python",
    Language.JAVASCRIPT: "script",
    Language.TYPESCRIPT: "script",
    Language.TSX: "script",
    Language.GO: "go",
    Language.JAVA: "java",
    Language.RUBY: "ruby",
}
"""The languages whose contracts are checked, by the binder that knows them."""


class OutOfTime(RlmError):
    """The detector has used up its share of the run."""


@dataclass
class Clock:
    """The time that the detector may take over all batches, counted only while it works."""

    seconds: float
    _began: float = 0.0

    def start(self) -> None:
        self._began = time.monotonic()

    def stop(self) -> None:
        self.seconds -= time.monotonic() - self._began

    def check(self) -> None:
        """Raise OutOfTime when nothing is left."""
        if time.monotonic() - self._began > self.seconds:
            raise OutOfTime("the time for it was used up")


def family(path: str) -> str:
    """Return which binder knows a file's language, "" if none."""
    language = language_of(path)
    return "" if language is None else FAMILIES.get(language, "")


@dataclass
class Tree:
    """The files of one end. `moved` maps a file's path at the head to its path at this end."""

    context: Context
    objects: Objects
    at: Rev
    clock: Clock
    moved: Mapping[str, str] = field(default_factory=dict)
    _views: dict[str, View | None] = field(default_factory=dict)
    _changes: dict[str, bool] = field(default_factory=dict)
    _resolved: dict[tuple[str, Import], Resolved] = field(default_factory=dict)
    _mentions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _unread: frozenset[str] | None = None

    def view(self, path: str) -> View | None:
        """Return a file that is there and was read whole, else None."""
        if path not in self._views:
            self.clock.check()
            self._views[path] = self._view(path)
        return self._views[path]

    def _view(self, path: str) -> View | None:
        language = language_of(path)
        if language not in FAMILIES:
            return None
        try:
            extracted = self.context.extraction(path, self.at)
            if extracted.missing:
                return None
            data = self.objects.read(path, self.at)
        except NoSuchFile:
            return None
        except RlmError:
            return None
        return View(path, language, extracted.what, data)

    def changes(self, view: View) -> bool:
        """Is a file of this end another one, or none, at the other end?

        Asked of the objects: a detector is shown the changed files batch by batch.
        """
        if view.path not in self._changes:
            try:
                there = self.objects.read(view.path, "base" if self.at == "head" else "head")
                self._changes[view.path] = there != view.data
            except RlmError:
                self._changes[view.path] = True
        return self._changes[view.path]

    def here(self, path: str) -> str:
        """Return what a file of the head is called at this end."""
        return self.moved.get(path, path)

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the files that an import means; the importer by its path at this end."""
        key = (importer, what)
        if key not in self._resolved:
            self.clock.check()
            self._resolved[key] = self.context.resolver(self.at).resolve(importer, what)
        return self._resolved[key]

    def beside(self, path: str) -> str:
        """Return the key of the files that see each other's names."""
        return self.context.resolver(self.at).beside(path)

    def mentioning(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the files of one family of languages that have a name as a word."""
        self.ask((name,))
        return tuple(path for path in self._mentions[name] if family(path) == kind)

    def ask(self, names: tuple[str, ...]) -> None:
        """Look names up together: one question for many."""
        new = tuple(name for name in dict.fromkeys(names) if name not in self._mentions)
        if new:
            self.clock.check()
            found = self.context.mentioning(new, self.at)
            self._mentions.update({name: tuple(found.get(name, ())) for name in new})

    def unread(self, kind: str, folder: str | None = None) -> bool:
        """Is there a source file of the family, in the folder if one is given, nobody read?"""
        if self._unread is None:
            self._unread = frozenset(each.path for each in self.context.unread(self.at))
        return any(
            family(path) == kind and folder in (None, str(PurePosixPath(path).parent))
            for path in self._unread
        )
