"""What lies around the spans of a change: the definitions that hold them and those they change.

Pure: from the spans and from what their files define at both ends.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from reviewer.change import Span
from reviewer.context.differences import Difference, Ends, Fate, dotted
from reviewer.languages import is_test
from reviewer.parsing.symbols import Definition, DefKind, Extraction
from reviewer.ports import Rev
from reviewer.review.sides import CONSTRUCTORS, innermost, outermost

Kind = Literal["+", "-"]


class Around(NamedTuple):
    """A definition that holds changed lines, where it lies in the file at the head (from 1)."""

    name: str
    kind: str
    start: int
    end: int


class Touched(NamedTuple):
    """A definition that was there before and that a span changes or removes.

    `path` is that of its file `at` the end at which others can be asked for: the head, or the base
    where it is gone. `contract`: it changes so that a user can see it without running it.
    """

    path: str
    name: str
    kind: str
    at: Rev
    contract: bool

    @property
    def asked(self) -> str:
        """The name by which code elsewhere speaks of it; "" where it has none of its own.

        Of a constructor that is its class, where callers must follow: else all that use the class
        would be named for a body that few of them rely on.
        """
        owner, _, last = self.name.rpartition(".")
        if last in CONSTRUCTORS:
            return owner if self.contract else ""
        return "" if last.startswith("__") else self.name


@dataclass(frozen=True)
class Nearby:
    """Both by the ids of spans, in the order of lines."""

    around: Mapping[str, tuple[Around, ...]] = field(default_factory=dict)
    touched: Mapping[str, tuple[Touched, ...]] = field(default_factory=dict)


NOTHING_NEARBY = Nearby()


def nearby(spans: Sequence[Span], files: Sequence[Ends], different: Sequence[Difference]) -> Nearby:
    """Return what lies around the spans, as far as their files are among `files`."""
    by_path: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_path[span.path].append(span)
    seen = _contracts(different)
    around: dict[str, tuple[Around, ...]] = {}
    touched: dict[str, tuple[Touched, ...]] = {}
    for file in files:
        of_file = by_path.get(file.new_path or file.old_path or "", ())
        if not of_file:
            continue
        head, base = _outer(file.head), _outer(file.base)
        known = _File(file, seen, _names(head), _names(base))
        for span in of_file:
            if held := _holding(head, _places(span)):
                around[span.id] = tuple(
                    Around(dotted(each), each.kind.value, each.start, each.end) for each in held
                )
            changed = (*_holding(head, _changed(span, "+")), *_holding(base, _changed(span, "-")))
            if found := tuple(dict.fromkeys(known.touched(changed))):
                touched[span.id] = found
    return Nearby(around, touched)


def _contracts(different: Sequence[Difference]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for each in different:
        if each.fate is not Fate.ADDED:
            found |= {(each.old_path, each.old_name), (each.new_path, each.new_name)}
    return found


def _outer(extraction: Extraction | None) -> list[Definition]:
    return [] if extraction is None else outermost(extraction.definitions)


def _names(definitions: Sequence[Definition]) -> frozenset[str]:
    return frozenset(dotted(each) for each in definitions)


def _changed(span: Span, sign: Kind) -> list[int]:
    """Return the lines that a span changes at one end."""
    numbers = (line.new if sign == "+" else line.old for line in span.lines if line.kind == sign)
    return [number for number in numbers if number is not None]


def _places(span: Span) -> list[int]:
    """Return the lines of the head that a span changes, or that are next to what it takes away."""
    found: set[int] = set()
    last, gone = None, False
    for line in span.lines:
        if line.new is None:
            gone = gone or last is None
            found.update(() if last is None else (last,))
            continue
        if line.kind == "+" or gone:
            found.add(line.new)
        last, gone = line.new, False
    return sorted(found)


def _holding(definitions: Sequence[Definition], lines: Sequence[int]) -> list[Definition]:
    """Return the innermost definitions around the lines, each once."""
    found = dict.fromkeys(innermost(definitions, lines))
    return [each for each in found if each is not None and each.kind is not DefKind.MODULE]


@dataclass(frozen=True)
class _File:
    ends: Ends
    contracts: set[tuple[str, str]]
    at_head: frozenset[str]
    at_base: frozenset[str]

    def touched(self, changed: Sequence[Definition]) -> Iterator[Touched]:
        """Yield what was there before. Nobody relies on what a test defines, or on what is new."""
        old, new = self.ends.old_path, self.ends.new_path
        if old is None or self.ends.base is None or is_test(new or old):
            return
        whole = new is None if self.ends.head is None else self.ends.head.complete
        for each in changed:
            name = dotted(each)
            if name in self.at_head and name in self.at_base and new is not None:
                contract = (new, name) in self.contracts
                # Of a class only what it is counts: what is in it has names of its own.
                if contract or each.kind is not DefKind.CLASS:
                    yield Touched(new, name, each.kind.value, "head", contract)
            elif name not in self.at_head and whole and self._by_itself(each):
                yield Touched(old, name, each.kind.value, "base", contract=True)

    def _by_itself(self, each: Definition) -> bool:
        """Is what is gone more than a part of something that is gone?"""
        return not each.scope or each.scope in self.at_head or each.scope not in self.at_base
