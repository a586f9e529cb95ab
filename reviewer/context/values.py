"""What a question about the code is answered with: small, ranked, honest about what is left out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from reviewer.parsing.symbols import Definition, Extraction, Import, Use
from reviewer.parsing.worker import Parsers
from reviewer.ports import Cancelled, Rev

T = TypeVar("T")

MAX_LIMIT = 500
"""Items that an answer has at the most, whatever limit is asked for."""


class Certainty(StrEnum):
    """How sure it is that an item is about what was asked."""

    EXACT = "exact"  # the imports and scopes of the language say so
    LIKELY = "likely"  # the name, and something more: the receiver, an import of the module
    NAME = "by name only"


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The best `items`, best first. `total` counts all that were found, shown or not.

    `notes` are sentences on what was not looked at: files too large, candidates beyond the cap.
    """

    items: tuple[T, ...] = ()
    total: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defined:
    """A definition and the file it is in."""

    path: str
    definition: Definition
    certainty: Certainty
    why: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Used:
    """A use of a name and the file it is in. `text` is its line, "" where it was not read."""

    path: str
    use: Use
    certainty: Certainty
    why: str
    score: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Which files of the tree an import means.

    `files` hold the module, best first: one for most languages, all files of the package where a
    package is a folder (Go, a Java wildcard). `submodule` is the file of the imported name where
    that is a module itself (`from package import module`). `inside` says that by the rules of the
    language the import can only be meant within this repository (a relative one; one whose first
    segment is a package of this tree): with no files then, it does not resolve.
    """

    files: tuple[str, ...] = ()
    submodule: str = ""
    inside: bool = False


class Resolver(Protocol):
    """Says which files of one tree belong together. Pure: paths, and a few files of settings."""

    def resolve(self, importer: str, what: Import) -> Resolved:
        """Return the files that an import in the file `importer` means."""
        ...

    def beside(self, path: str) -> str:
        """Return a key that is equal for files that see each other's names without an import.

        A Go package's folder, a Java package, a C# namespace's project; the path itself where
        the language has no such thing.
        """
        ...

    def spellings(self, path: str) -> tuple[str, ...]:
        """Return the words one of which an import of this file has to have in its source.

        "utils" for pkg/utils.py, "pkg" for pkg/__init__.py; () if that cannot be told.
        """
        ...

    def tests_of(self, path: str) -> tuple[str, ...]:
        """Return the files of the tree that by their names test this one, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Imported:
    """One import of a file, and what it means in the tree."""

    what: Import
    to: Resolved


@dataclass(frozen=True, slots=True)
class Importing:
    """A file that imports another, by which of its imports."""

    path: str
    what: Import
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """A test: the file, and where in it the name is used (line 0: the whole file)."""

    path: str
    why: str
    line: int = 0
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """One commit that touched some lines, or a file: never more than its message's first line."""

    sha: str
    date: str
    author: str
    subject: str
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Together:
    """A file that changes together with another: in `times` of its `of` commits looked at."""

    path: str
    times: int
    of: int


class History(Protocol):
    """What came before the change: commits that its merge base reaches, and no others.

    A question may bring them first, which takes seconds. Raise GiveUp ("the history is not
    fetched") where they cannot be brought: an empty answer means that there is nothing. Paths and
    lines are those at the merge base. Thread-safe.
    """

    def history(
        self, path: str, start: int | None = None, end: int | None = None, limit: int = 10
    ) -> Answer[Past]:
        """Return the commits that last changed a file, or its lines `start` to `end` (from 1).

        Newest first. With lines, `Past.lines` says how many of them are as that commit left them.
        NoSuchFile where there is no such file.
        """
        ...

    def changed_together(self, path: str, limit: int = 10) -> Answer[Together]:
        """Return the files that changed in the same recent commits, the most frequent first."""
        ...


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that could not be looked at, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What one file says about names; `missing` says why it is empty, where it is."""

    path: str
    what: Extraction = field(default_factory=Extraction)
    missing: str = ""


class Context(Protocol):
    """Answers about a repository at the two ends of a change. Thread-safe; every answer bounded.

    `near` is the path of the file where the name is meant, "" if that is not known. A question that
    needs all files waits until they are there, and raises GiveUp if they will never be.
    """

    def definition(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 10
    ) -> Answer[Defined]:
        """Return where a name is defined. A dotted name says what it is in: "Class.method"."""
        ...

    def meant(self, name: str, near: str, at: Rev = "head") -> tuple[Defined, ...]:
        """Return what a file means by a name, by its own definitions and imports; () if unknown."""
        ...

    def meant_by(self, use: Use, near: str, at: Rev = "head") -> tuple[Defined, ...]:
        """Return what one use in a file means, by what its receiver is of; () if unknown."""
        ...

    def references(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        """Return where a name is used: calls, imports, attributes, overrides, strings."""
        ...

    def uses(self, name: str, near: str = "", at: Rev = "head") -> Answer[Used]:
        """Return every use of a name, several of one line too, for code that rewrites them.

        Without the lines' texts. Notes say what was not looked at: nothing may be rewritten then.
        """
        ...

    def extraction(self, path: str, at: Rev = "head") -> Extracted:
        """Return what a file says about names; NoSuchFile if there is none of that path."""
        ...

    @property
    def parsers(self) -> Parsers:
        """The workers that parse for it, to be used among others: see `Parsers`."""
        ...

    def ahead(self, paths: Iterable[str], cancelled: Cancelled, at: Rev = "head") -> None:
        """Parse files that will be asked about, many at once; what cannot be is left.

        Ends early when it is cancelled.
        """
        ...

    def mentioning(self, names: tuple[str, ...], at: Rev = "head") -> dict[str, tuple[str, ...]]:
        """Return, for each name, the paths of the source files that have it as a word, sorted.

        Never misses one (files that could not be read are in `unread`); may name one too many.
        """
        ...

    def unread(self, at: Rev = "head") -> tuple[Missing, ...]:
        """Return the source files of which nothing is known."""
        ...

    def resolver(self, at: Rev = "head") -> Resolver:
        """Return what resolves imports in that tree."""
        ...

    def imports(self, path: str, at: Rev = "head") -> Answer[Imported]:
        """Return what a file imports."""
        ...

    def importers(self, path: str, at: Rev = "head", limit: int = 20) -> Answer[Importing]:
        """Return the files that import a file."""
        ...

    def importing(self, path: str, at: Rev = "head") -> Answer[Importing]:
        """Return every file that imports a file, for code that rewrites them.

        Notes say what was not looked at: nothing may be rewritten then.
        """
        ...

    def implementations(
        self, name: str, near: str = "", at: Rev = "head", limit: int = 20
    ) -> Answer[Defined]:
        """Return what extends a class or implements an interface, or overrides "Class.method"."""
        ...

    def tests_for(self, what: str, at: Rev = "head", limit: int = 20) -> Answer[Tested]:
        """Return the tests of a file (by its path) or of a name."""
        ...

    def callers(
        self, name: str, near: str = "", depth: int = 1, at: Rev = "head", limit: int = 20
    ) -> Answer[Used]:
        """Return who calls a function, and who calls those, `depth` steps up."""
        ...
