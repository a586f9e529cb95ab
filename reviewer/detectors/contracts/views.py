"""One file at one end of a change: what it defines, uses and imports, ready to be asked by name."""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from reviewer.detectors.contracts.masking import masked
from reviewer.languages import Language
from reviewer.parsing.symbols import Definition, DefKind, Extraction, Import, Use, UseKind

_CALLABLE = (DefKind.FUNCTION, DefKind.METHOD)
_AS = re.compile(rb"\bas\s+\Z")
MAX_OCCURRENCES = 20_000  # of one name in one file; beyond it the name counts as bound anew


@dataclass(frozen=True)
class View:
    """A file's extraction and source; everything is computed when first asked for."""

    path: str
    language: Language
    what: Extraction
    data: bytes

    @cached_property
    def masked(self) -> bytes:
        """The source with comments and strings blanked."""
        return masked(self.data, self.language)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(rb"\n", self.data))]

    @cached_property
    def by_name(self) -> dict[str, list[Definition]]:
        """Definitions by their own names."""
        found = defaultdict(list)
        for each in self.what.definitions:
            found[each.name].append(each)
        return dict(found)

    @cached_property
    def by_path(self) -> dict[str, list[Definition]]:
        """Definitions by their dotted paths."""
        found = defaultdict(list)
        for each in self.what.definitions:
            found[f"{each.scope}.{each.name}" if each.scope else each.name].append(each)
        return dict(found)

    @cached_property
    def uses_by_name(self) -> dict[str, list[Use]]:
        """Uses by the name that is used."""
        found = defaultdict(list)
        for each in self.what.uses:
            found[each.name].append(each)
        return dict(found)

    @cached_property
    def locals(self) -> dict[str, list[Import]]:
        """Imports by the name they have in this file."""
        found = defaultdict(list)
        for each in self.what.imports:
            found[self.local_name(each)].append(each)
        return dict(found)

    def local_name(self, imported: Import) -> str:
        """Return the name that an import binds in this file, "" if none."""
        if imported.alias:
            return imported.alias
        if imported.name:
            return imported.name
        if self.language is Language.PYTHON:
            return imported.module.partition(".")[0]
        if self.language is Language.JAVA:
            return imported.module.rpartition(".")[2]
        if self.language is Language.GO:
            return go_package(imported.module)
        return ""

    def members(self, scope: str, name: str) -> list[Definition]:
        """Return the definitions of a name directly inside a dotted path ("" is the top)."""
        path = f"{scope}.{name}" if scope else name
        return [each for each in self.by_path.get(path, ()) if each.scope == scope]

    def class_around(self, scope: str) -> str:
        """Return the dotted path of the innermost class around a scope, "" if there is none."""
        while scope:
            for each in self.by_path.get(scope, ()):
                if each.kind in (DefKind.CLASS, DefKind.MODULE):
                    return scope
            scope = scope.rpartition(".")[0]
        return ""

    # Where a name stands -------------------------------------------------------------------------

    def offset(self, line: int, column: int) -> int:
        """Return the byte where a line's column is."""
        return self._starts[min(line, len(self._starts)) - 1] + column

    def line_of(self, offset: int) -> int:
        """Return the number of the line that a byte is on."""
        return bisect_right(self._starts, offset)

    def line(self, number: int) -> str:
        """Return the text of a line, "" beyond the end."""
        if not 0 < number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.data)
        return self.data[start:end].decode("utf-8", "replace").rstrip("\r\n")

    @cached_property
    def _explained(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = defaultdict(set)
        for use in self.what.uses:
            found[use.name].add(self.offset(use.line, use.column))
        return found

    def bound_lines(self, name: str) -> list[int]:
        """Return the lines where code has the name and no use, definition or import explains it.

        There it is a parameter, a local variable, a label: something that may hide what the name
        means elsewhere in the file.
        """
        return self._bound.setdefault(name, self._find_bound(name))

    @cached_property
    def _bound(self) -> dict[str, list[int]]:
        return {}

    def _find_bound(self, name: str) -> list[int]:
        word = re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])")
        explained = self._explained.get(name, set())
        defined = {number for each in self.by_name.get(name, ()) for number in _head(each)}
        imported = {each.line for each in self.what.imports}
        lines = []
        for count, match in enumerate(word.finditer(self.masked)):
            if count > MAX_OCCURRENCES:
                return list(range(1, len(self._starts) + 1))
            if match.start() in explained:
                continue
            line = self.line_of(match.start())
            if line not in defined and line not in imported and not self._named(match, name):
                lines.append(line)
        return lines

    def _named(self, match: re.Match[bytes], name: str) -> bool:
        """Is an unexplained word the alias of an import that goes on, or the key of a hash?"""
        start = match.start()
        if name in self.locals and _AS.search(self.masked, max(0, start - 30), start):
            if self.language is not Language.PYTHON:
                return True
            return any(self._goes_on(each.line, start) for each in self.locals[name])
        return self.language is Language.RUBY and self.masked[match.end() : match.end() + 2] in (
            b": ",
            b":\n",
        )

    def _goes_on(self, line: int, end: int) -> bool:
        """Does the import at a line of Python go on to there? `with x as name` is none."""
        text = self.masked[self.offset(line, 0) : end]
        if text.count(b"(") == 1 and b")" not in text:
            return True
        return all(row.rstrip(b"\r").endswith(b"\\") for row in text.split(b"\n")[:-1])

    def hidden(self, name: str, use: Use) -> bool:
        """May the bare name mean something else at this use than at the top of its file?"""
        around = list(self._around(use))
        if any(each.name == name for each in self._inner(around)):
            return True
        if any(p.name == name for each in around for p in each.parameters or ()):
            return True
        return any(
            any(each.start <= line <= each.end for each in around) or not self.inside(line)
            for line in self.bound_lines(name)
        )

    def _around(self, use: Use) -> list[Definition]:
        """Return the definitions that a use is inside of."""
        scope, found = use.scope, []
        while scope:
            found += [
                each for each in self.by_path.get(scope, ()) if each.start <= use.line <= each.end
            ]
            scope = scope.rpartition(".")[0]
        return found

    def _inner(self, around: list[Definition]) -> list[Definition]:
        paths = {f"{each.scope}.{each.name}" if each.scope else each.name for each in around}
        return [each for each in self.what.definitions if each.scope in paths]

    def inside(self, line: int) -> bool:
        """Is the line inside a function or class of the file?"""
        starts, ends = self._tops
        index = bisect_right(starts, line) - 1
        return index >= 0 and line <= ends[index]

    @cached_property
    def _tops(self) -> tuple[list[int], list[int]]:
        tops = sorted(
            (each.start, each.end)
            for each in self.what.definitions
            if each.kind in (*_CALLABLE, DefKind.CLASS) and not self._in_function(each)
        )
        starts, ends, reach = [], [], 0
        for start, end in tops:
            reach = max(reach, end)
            starts.append(start)
            ends.append(reach)
        return starts, ends

    def _in_function(self, each: Definition) -> bool:
        return any(up.kind in _CALLABLE for up in self.by_path.get(each.scope, ()))

    def local(self, each: Definition) -> bool:
        """Is the definition inside a function, where no other file sees it?"""
        scope = each.scope
        while scope:
            if any(up.kind in _CALLABLE for up in self.by_path.get(scope, ())):
                return True
            scope = scope.rpartition(".")[0]
        return False

    def says(self, *names: str, receiver: str | None = None, scope: str | None = None) -> bool:
        """Is one of the names used in the file?

        With that receiver, where one is given; in that scope, and what is in it but for the top.
        """
        return any(
            (receiver is None or use.receiver == receiver)
            and (scope is None or f"{use.scope}.".startswith(f"{scope}." if scope else "."))
            for name in names
            for use in self.uses_by_name.get(name, ())
            if use.kind is not UseKind.STRING
        )

    def quotes(self, name: str) -> bool:
        """Is the name a string of the file?"""
        return any(use.kind is UseKind.STRING for use in self.uses_by_name.get(name, ()))


def _head(each: Definition) -> tuple[int, ...]:
    """Return the lines on which a definition's own name may stand.

    A decorator comes before it, and a constant's is written where it begins.
    """
    return tuple(range(each.start, min(each.end, each.start + 2 + 4 * len(each.decorators)) + 1))


def go_package(module: str) -> str:
    """Return the name that a Go import has by itself, by the custom of paths."""
    parts = module.split("/")
    if len(parts) > 1 and re.fullmatch(r"v\d+", parts[-1]):
        parts.pop()
    return re.sub(r"\.v\d+$", "", parts[-1]).removeprefix("go-")
