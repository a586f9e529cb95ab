"""What the text of a file says about the types of its variables, by patterns.

`session = Session()`, `def f(session: Session)`, `func (c *Context) Next()`, `Session session;`: a
line that looks like one of these says what class the name may have. It is a hint and never more:
whoever reads it must be able to be wrong. A syntax tree would say it more surely and take a
strategy for each of eleven languages.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from reviewer.languages import Language

MAX_HINTS = 20_000
MAX_HINT_CHARS = 80
_MAX_LINE = 600
"""A longer line is not written by a person; cutting it also bounds what a pattern can cost."""

HintRow = tuple[str, str, int, str]
"""Name (with `self.` or `this.` where it has that), type or what makes it, line, scope."""

_FACTORY = re.compile(r"^(?:[Nn]ew|[Mm]ake|[Cc]reate|[Gg]et)_?(?=[A-Z])")
_TYPE = rb"([A-Za-z_]\w{0,79}(?:(?:\.|::|\\)[A-Za-z_]\w{0,79}){0,5})"
_NAME_AT_END = re.compile(rb"(?:(?:self|cls|this)\.|\$this->|@|\$)?[A-Za-z_]\w{0,79}$")
_MADE = re.compile(
    rb"=\s{0,9}(?:await\s|new\s|&|\*){0,2}\s{0,3}" + _TYPE + rb"(?:<[^<>()]{0,80}>)?\s?[({]"
)
_RUBY_MADE = re.compile(rb"=\s{0,9}" + _TYPE + rb"\.new\b")
_WITH = re.compile(
    rb"\bwith\s+" + _TYPE + rb"\([^\n]{0,300}?\)\s+as\s+((?:self\.)?[A-Za-z_]\w{0,79})"
)
_ANNOTATED = re.compile(rb":\s{0,3}[\"'&]?(?:mut\s)?" + _TYPE)
_LEADING = re.compile(
    rb"\b((?:[A-Za-z_]\w{0,79}(?:\.|::|\\)){0,4}[A-Z]\w{0,79})(?:<[^;(){}\n]{0,120}?>)?"
    rb"(?:\[\])?[\s*&]{1,4}(\$?[A-Za-z_]\w{0,79})\s{0,3}(?=[=;,):])"
)
_GO_SIGNATURE = re.compile(
    rb"(?<![\w.])([A-Za-z_]\w{0,79})\s\*?" + _TYPE + rb"\s{0,3}(?=[,)={;\[]|$)"
)
_GO_FIELD = re.compile(rb"\s+([A-Za-z_]\w{0,79})\s{1,30}\*?" + _TYPE + rb"\s{0,30}(?:[`/]|$)")
_BEFORE = 90
"""Bytes before a colon or an equals sign in which the name is looked for."""

_GO_WORDS = frozenset({b"return", b"case", b"go", b"defer", b"goto", b"import", b"package"})
_ANNOTATES = frozenset(
    {
        Language.KOTLIN,
        Language.PYTHON,
        Language.RUST,
        Language.TSX,
        Language.TYPESCRIPT,
    }
)
_LEADS = frozenset({Language.C, Language.CPP, Language.CSHARP, Language.JAVA, Language.PHP})


Scope = tuple[int, int, str]
"""First line, last line, dotted path of a definition that has others in it."""


def made_by(made: str) -> str:
    """Return the class that a type or the name of what makes it speaks of: Foo for NewFoo."""
    return _FACTORY.sub("", made.rpartition(".")[2])


def hints(data: bytes, language: Language, scopes: Sequence[Scope]) -> list[HintRow]:
    """Return what the lines of a file say, in their order."""
    found: list[HintRow] = []
    inner = _Scopes(scopes)
    for number, line in enumerate(data.split(b"\n"), 1):
        for name, made in _of_line(line[:_MAX_LINE], language):
            row = (_text(name), _text(made), number, inner.at(number))
            if len(row[0]) <= MAX_HINT_CHARS and len(row[1]) <= MAX_HINT_CHARS:
                found.append(row)
        if len(found) >= MAX_HINTS:
            break
    return found[:MAX_HINTS]


def _of_line(line: bytes, language: Language) -> Iterator[tuple[bytes, bytes]]:
    if b"=" in line:
        yield from _named(_MADE, line)
        if language is Language.RUBY:
            yield from _named(_RUBY_MADE, line)
    if language in _ANNOTATES:
        if b":" in line:
            yield from _named(_ANNOTATED, line)
        if language is Language.PYTHON and b" as " in line:
            for match in _WITH.finditer(line):
                yield match[2], match[1]
    elif language in _LEADS:
        for match in _LEADING.finditer(line):
            yield match[2], match[1]
    elif language is Language.GO:
        yield from _of_go(line)


def _of_go(line: bytes) -> Iterator[tuple[bytes, bytes]]:
    if line.startswith((b"func", b"var")):
        for match in _GO_SIGNATURE.finditer(line):
            if match[1] != b"func":  # func name[T any]
                yield match[1], match[2]
    elif (field := _GO_FIELD.match(line)) and field[1] not in _GO_WORDS:
        yield field[1], field[2]


def _named(pattern: re.Pattern[bytes], line: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name before the match, type in it)."""
    for match in pattern.finditer(line):
        before = line[max(0, match.start() - _BEFORE) : match.start()].rstrip(b"?: ")
        if b":" in before and pattern is not _ANNOTATED:
            before = before.partition(b":")[0].rstrip(b"? ")  # name: Type = made()
        if name := _NAME_AT_END.search(before):
            yield name[0], match[1]


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "replace").replace("::", ".").replace("\\", ".").replace("->", ".")


class _Scopes:
    """The innermost function or class around a line."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self._starts: list[int] = [0]
        self._paths: list[str] = [""]
        open_: list[tuple[int, str]] = []  # (last line, path)
        events = sorted(scopes, key=lambda each: (each[0], -each[1]))
        for start, end, path in events:
            while open_ and open_[-1][0] < start:
                last, _ = open_.pop()
                self._mark(last + 1, open_[-1][1] if open_ else "")
            self._mark(start, path)
            open_.append((end, path))
        while open_:
            last, _ = open_.pop()
            self._mark(last + 1, open_[-1][1] if open_ else "")

    def _mark(self, line: int, path: str) -> None:
        if line < self._starts[-1]:
            return  # ranges that cross: of code that does not parse
        if line == self._starts[-1]:
            self._paths[-1] = path
        else:
            self._starts.append(line)
            self._paths.append(path)

    def at(self, line: int) -> str:
        return self._paths[bisect_right(self._starts, line) - 1]
