"""Names of the top of a Python file in strings that the language reads as names.

That is `__all__`, and annotations in quotes. Exact where the name is bound in that file, by
definitions, imports and stars, to the one definition; nothing is said of the others.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reviewer.context.values import Context
from reviewer.detectors.contracts.views import View
from reviewer.languages import Language, language_of
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, Quoted, Use, UseKind
from reviewer.parsing.worker import Question, Unchecked
from reviewer.refactor.patch import Blob
from reviewer.refactor.tree import Overlay
from reviewer.text import encode, printable

MOST_STEPS = 5
"""Files through which a name is handed on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands in such a string: see `Quoted`."""

    path: str
    what: Quoted


def named_in_strings(path: str, name: str, context: Context, tree: Overlay) -> list[Place]:
    """Return where strings name what the file at `path` defines at its top, in all files.

    A file that could not be looked at is left out.
    """
    may = re.compile(
        rb"(?<![\w.])__all__\b|[\"'][^\"'\n]*(?<!\w)" + re.escape(encode(name)) + rb"(?!\w)"
    )
    files: dict[str, Blob] = {}
    for other in context.mentioning((name,)).get(name, ()):
        blob = tree.blob(other) if language_of(other) is Language.PYTHON else None
        if blob is not None and may.search(blob.data):
            files[other] = blob
    questions = [
        Question("names_in_strings", (blob.data,), (), printable(other))
        for other, blob in files.items()
    ]
    names = _Names(path, name, context)
    found = []
    answers = context.parsers.ask_all(questions)
    for (other, blob), (_, answer) in zip(files.items(), answers, strict=True):
        if isinstance(answer, Unchecked):
            continue
        said = [each for one in answer if (each := Quoted(**one)).name == name]
        view = View(other, Language.PYTHON, context.extraction(other).what, blob.data)
        found += [Place(other, each) for each in said if names.means(each, view)]
    return found


class _Names:
    """What a name means in files, compared with one definition. Remembers its answers."""

    def __init__(self, path: str, name: str, context: Context) -> None:
        self._path = path
        self._name = name
        self._context = context
        self._known: dict[str, bool] = {}

    def means(self, each: Quoted, view: View) -> bool:
        """Is a name in a string of a file the definition, by the rules of the language?"""
        first = each.receiver.partition(".")[0] or each.name
        scope = _scope(each.line, view.what.definitions)
        use = Use(each.name, UseKind.TYPE, each.line, each.column, scope, each.receiver)
        if not each.listed and view.hidden(first, use):
            return False
        if not each.receiver:
            return self.bound(view.path)
        module = self._module(view.path, each.receiver)
        return bool(module) and self.bound(module)

    def bound(self, path: str, steps: int = MOST_STEPS) -> bool:
        """Does a file have the definition at its top, under its own name?"""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._is_bound(path, steps)
        return known

    def _is_bound(self, path: str, steps: int) -> bool:
        if not steps or language_of(path) is not Language.PYTHON:
            return False
        items = self._context.imports(path).items
        definitions = self._context.extraction(path).what.definitions
        own = any(each.name == self._name and not each.scope for each in definitions)
        imports = [
            each
            for each in items
            if each.what.name != "*"
            and (each.what.alias or each.what.name or each.what.module) == self._name
        ]
        if own:
            return path == self._path and not imports
        if imports:
            return all(
                each.what.name == self._name
                and not each.to.submodule
                and len(each.to.files) == 1
                and self.bound(each.to.files[0], steps - 1)
                for each in imports
            )
        stars = [each.to.files for each in items if each.what.name == "*"]
        # A star from elsewhere may bring the name as well.
        return bool(stars) and all(
            len(files) == 1 and self.bound(files[0], steps - 1) for files in stars
        )

    def _module(self, path: str, receiver: str) -> str:
        """Return the file of the module that a receiver is in a file, "" if that is not sure."""
        found = set()
        for each in self._context.imports(path).items:
            what = each.what
            if (what.alias or what.name or what.module) == receiver:
                files = (each.to.submodule,) if what.name else each.to.files
                found.add(files[0] if len(files) == 1 else "")
        return found.pop() if len(found) == 1 else ""


def _scope(line: int, definitions: Sequence[Definition]) -> str:
    """Return the dotted path of the innermost definition around a line."""
    around: Iterator[Definition] = (each for each in definitions if each.start <= line <= each.end)
    inner = max(around, key=lambda each: (each.start, -each.end), default=None)
    return path_of(inner) if inner is not None else ""
