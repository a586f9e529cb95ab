"""What a reviewer is given beside the diff, in the ways that ablation.py compares.

Everything is read at the head of the change and through the product's own provider, so that what
is compared is when the reviewer sees something, and not which tool found it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reviewer.change import Change, Span
from reviewer.context.values import Certainty, Context, Defined, Used
from reviewer.errors import GiveUp
from reviewer.languages import is_test
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind, Extraction, UseKind
from reviewer.ports import Objects
from reviewer.text import decode, printable

ADDED_CHARS = 6_000
"""About 2,000 tokens, as the estimate of `reviewer.review.scope` counts them."""

LINE_CHARS = 200
SCOPE_LINES = 200
"""A function that is longer is left for the next one inside it."""

CODE_LINES = 40
"""Of a definition that is shown whole; of a longer one the signature is."""

NAMES = 60
SHOWN_CALLERS = 5
CALLERS_LOOKED_AT = 100

BY_NAME = 5
"""Of a name with more definitions, none of which is surer than the others, none is shown."""

_NO_USES = (UseKind.KEYWORD, UseKind.STRING)
_FUNCTIONS = (DefKind.FUNCTION, DefKind.METHOD)


@dataclass(frozen=True)
class _Block:
    """A heading of ours, and lines of the repository; `focus` are indexes of those that matter."""

    heading: str
    lines: tuple[str, ...]
    focus: tuple[int, ...] = (0,)

    def text(self, room: int) -> str:
        """Return the block, with the lines farthest from its focus left out as `room` asks."""
        nearest = sorted(
            range(len(self.lines)), key=lambda at: (min(abs(at - one) for one in self.focus), at)
        )
        kept: set[int] = set()
        room -= len(self.heading) + 1
        for at in nearest:
            room -= len(_shown(self.lines[at])) + 1
            if room < 0:
                break
            kept.add(at)
        out = [self.heading]
        for at, line in enumerate(self.lines):
            if at in kept:
                out.append(_shown(line))
            elif at == 0 or at - 1 in kept:
                out.append("…")
        return "\n".join(out) + "\n"


def enclosing(change: Change, objects: Objects, context: Context, spans: Sequence[Span]) -> str:
    """Return the whole function, or else class, around each changed line."""
    blocks = []
    for path, (touched, shown) in _places(change, spans).items():
        around: dict[tuple[int, int], set[int]] = {}
        found = _definitions(context, path)
        for line in sorted(touched):
            scope = _scope(found, line)
            if scope is not None and not shown.issuperset(range(scope.start, scope.end + 1)):
                around.setdefault((scope.start, scope.end), set()).add(line)
        for (start, end), lines in sorted(around.items()):
            focus = {min(max(line, start), end) - start for line in lines}
            blocks.append(
                _Block(
                    f"== {printable(path)}, lines {start} to {end}",
                    _lines(objects, path, start, end),
                    (0, *sorted(focus)),
                )
            )
    share = ADDED_CHARS // max(1, len(blocks))
    texts = [block.text(ADDED_CHARS) for block in blocks]
    if sum(map(len, texts)) > ADDED_CHARS:
        texts = [block.text(share) for block in blocks]
    return _joined("The whole functions or classes that the hunks are in, after the change", texts)


def definitions(change: Change, objects: Objects, context: Context, spans: Sequence[Span]) -> str:
    """Return what the added lines use and other files define, the surest first."""
    found: dict[tuple[str, int], Defined] = {}
    places = _places(change, spans)
    for path in places:
        added = {
            line.new
            for span in spans
            if _head_path(change, span) == path
            for line in span.lines
            if line.kind == "+"
        }
        uses = _extraction(context, path).uses
        received: dict[str, bool] = {}
        for use in uses:
            if use.line in added and use.kind not in _NO_USES:
                received[use.name] = received.get(use.name, False) or bool(use.receiver)
        for name, has_receiver in list(received.items())[:NAMES]:
            answer = context.definition(name, path, "head", BY_NAME)
            # A bare name that is neither imported nor of the package is a local one.
            guesses = answer.items if has_receiver and answer.total <= BY_NAME else ()
            best = answer.items[:1]
            for each in best if best and _is_sure(best[0]) else guesses:
                where = range(each.definition.start, each.definition.end + 1)
                _, shown = places.get(each.path, (set(), set()))
                if each.path != path and not shown.issuperset(where):
                    found.setdefault((each.path, each.definition.start), each)
    ranked = sorted(found.values(), key=lambda each: not _is_sure(each))  # else in order of use
    blocks = [_defined(each, objects) for each in ranked]
    return _joined("Definitions, in other files, of what the new lines use", _greedy(blocks))


def callers(change: Change, objects: Objects, context: Context, spans: Sequence[Span]) -> str:
    """Return uses of what the change defines or alters, beyond the hunks: a few of each symbol."""
    places = _places(change, spans)
    shown = {(path, line) for path, (_, lines) in places.items() for line in lines}
    blocks = []
    for path, symbol in _altered(change, context, spans):
        answer = context.references(symbol, path, "head", CALLERS_LOOKED_AT)
        uses = list(_each_line_once(answer.items))
        elsewhere = [
            each
            for each in uses
            if each.use.kind is not UseKind.IMPORT and (each.path, each.use.line) not in shown
        ]
        elsewhere.sort(key=lambda each: (not _is_sure(each), is_test(each.path)))
        more = answer.total - len(answer.items) + max(0, len(elsewhere) - SHOWN_CALLERS)
        for number, each in enumerate(elsewhere[:SHOWN_CALLERS]):
            start = max(1, each.use.line - 1)
            heading = (
                f"== use of {printable(symbol)} ({each.certainty.value}): "
                f"{printable(each.path)}, line {each.use.line}"
            )
            if each.use.scope:
                heading += f", in {printable(each.use.scope)}"
            lines = _lines(objects, each.path, start, each.use.line + 1)
            blocks.append(_Block(heading, lines, (each.use.line - start,)))
            if number == min(len(elsewhere), SHOWN_CALLERS) - 1 and more:
                blocks.append(_Block(f"== +{more} more uses of {printable(symbol)}", ()))
    return _joined("Uses, beyond the hunks, of what the change defines or alters", _greedy(blocks))


def _joined(title: str, texts: Sequence[str]) -> str:
    return f"\n{title}:\n\n" + ("\n".join(texts) if texts else "(none)\n")


def _greedy(blocks: Sequence[_Block]) -> list[str]:
    """Return the blocks, each whole, for which there is room, and say how many there are more."""
    room = ADDED_CHARS
    texts: list[str] = []
    for block in blocks:
        text = block.text(ADDED_CHARS)
        if len(text) < room:
            texts.append(text)
            room -= len(text) + 1
    left = len(blocks) - len(texts)
    return [*texts, f"(+{left} more, left out)\n"] if left else texts


def _places(change: Change, spans: Sequence[Span]) -> dict[str, tuple[set[int], set[int]]]:
    """Return, for each path at the head, the lines that changed and those that are shown.

    Where lines were only removed, the line before them stands for them.
    """
    places: dict[str, tuple[set[int], set[int]]] = {}
    for span in spans:
        path = _head_path(change, span)
        if path is None:
            continue
        touched, shown = places.setdefault(path, (set(), set()))
        last = max(1, span.hunk.new_start)
        for line in span.lines:
            if line.new is not None:
                last = line.new
                shown.add(line.new)
            if line.kind != " ":
                touched.add(last)
    return places


def _head_path(change: Change, span: Span) -> str | None:
    return change.by_path[span.path].new_path


def _altered(change: Change, context: Context, spans: Sequence[Span]) -> list[tuple[str, str]]:
    """Return path and dotted name of the innermost definition around each changed line.

    Functions and classes come before constants. What only its own function sees, and what the
    language calls by itself (`__init__`, a constructor), has no callers to show.
    """
    altered: dict[tuple[str, str], bool] = {}
    for path, (touched, _) in _places(change, spans).items():
        found = _definitions(context, path)
        functions = [each for each in found if each.kind in _FUNCTIONS]
        seen = [
            each
            for each in found
            if not each.name.startswith("__")
            and each.name != "constructor"
            and (
                each.kind is not DefKind.CONSTANT
                or not any(one.start <= each.start <= one.end for one in functions)
            )
        ]
        for line in sorted(touched):
            around = [each for each in seen if each.start <= line <= each.end]
            if around:
                inner = min(around, key=lambda each: (each.end - each.start, -each.start))
                altered[(path, path_of(inner))] = inner.kind is DefKind.CONSTANT
    return sorted(altered, key=lambda each: altered[each])


def _scope(found: Iterable[Definition], line: int) -> Definition | None:
    """Return the outermost function around a line that is not too long, or else its class."""
    around = [
        each
        for each in found
        if each.start <= line <= each.end and each.end - each.start < SCOPE_LINES
    ]
    functions = [each for each in around if each.kind in _FUNCTIONS]
    if functions:
        return max(functions, key=lambda each: each.end - each.start)
    classes = [each for each in around if each.kind is DefKind.CLASS]
    return min(classes, key=lambda each: each.end - each.start, default=None)


def _defined(each: Defined, objects: Objects) -> _Block:
    what = each.definition
    heading = (
        f"== {what.kind.value} {printable(path_of(what))} ({each.certainty.value}): "
        f"{printable(each.path)}, line {what.start}"
    )
    if what.end - what.start < CODE_LINES:
        return _Block(heading, _lines(objects, each.path, what.start, what.end))
    heading += f", {what.end - what.start + 1} lines, of which the signature"
    return _Block(heading, (what.signature,))


def _is_sure(each: Defined | Used) -> bool:
    return each.certainty is not Certainty.NAME


def _each_line_once(uses: Iterable[Used]) -> Iterator[Used]:
    seen = set()
    for each in uses:
        if (each.path, each.use.line) not in seen:
            seen.add((each.path, each.use.line))
            yield each


def _definitions(context: Context, path: str) -> tuple[Definition, ...]:
    return _extraction(context, path).definitions


def _extraction(context: Context, path: str) -> Extraction:
    return context.extraction(path).what


def _lines(objects: Objects, path: str, start: int, end: int) -> tuple[str, ...]:
    try:
        return tuple(decode(objects.read(path)).split("\n")[start - 1 : end])
    except GiveUp as error:
        return (f"({error})",)


def _shown(line: str) -> str:
    """Return a line with a column before it, as unchanged lines of a hunk have."""
    return " " + printable(line).replace("\r", "␍")[:LINE_CHARS]
