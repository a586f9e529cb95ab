"""What a finder is given: some spans of a change, seen through a lens; and how it is divided."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from weakref import WeakKeyDictionary

from reviewer.change import Change, FileChange, Span
from reviewer.languages import is_test, reading_order
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.text import encode, printable

BYTES_A_TOKEN = 3.0
"""Code runs at about 3 to 3.5 bytes a token; the lower figure errs towards smaller scopes."""

SHOWN_LINE_CHARS = 2_000
"""A longer line is cut in what a node sees: it is data or minified, and hides the rest."""

SPAN_BYTES = int(WINDOW_TOKENS * BYTES_A_TOKEN * 0.75)
"""The largest span: it fits a window together with its heading, its file's and a few leads."""

PACK = 4
"""One path in so many starts a new part although the last one has room (see `_packed`)."""


_SCOPE_WORD = re.compile(
    r"(?:\w+ )*(?:class|struct|interface|trait|impl|enum|module|namespace|object|type|record)\b"
)


@dataclass(frozen=True)
class FindScope:
    """Spans in the change's order, and the name of the lens to read them through."""

    spans: tuple[Span, ...]
    lens: str


def size_of(spans: Sequence[Span]) -> int:
    """Return about how many tokens the spans take when shown."""
    return sum(_span_tokens(span) for span in spans)


def fitting(spans: Iterable[Span], tokens: int) -> tuple[Span, ...]:
    """Return the first spans, as many as take so many tokens; one at least."""
    kept: list[Span] = []
    left = tokens
    for span in spans:
        left -= size_of([span])
        if left < 0 and kept:
            break
        kept.append(span)
    return tuple(kept)


def source_first(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in the order in which they are read where not all can be."""
    return sorted(spans, key=lambda span: reading_order(span.path))


def added_lines(spans: Iterable[Span]) -> dict[str, set[int]]:
    """Return the lines that spans add, by the path of their file: files of source first."""
    found: dict[str, set[int]] = {}
    for span in sorted(spans, key=lambda span: is_test(span.path)):
        added = {line.new for line in span.lines if line.kind == "+" and line.new is not None}
        if added:
            found.setdefault(span.path, set()).update(added)
    return found


def listed(files: Sequence[FileChange], most: int) -> str:
    """Return the names of the first files with their size, and how many more there are."""
    lines = [f"- {quoted(file.path)} (+{file.added} -{file.deleted})" for file in files[:most]]
    if (more := len(files) - most) > 0:
        lines.append(f"- and {more} more")
    return "\n".join(lines) + "\n"


def label_of(spans: Sequence[Span]) -> str:
    """Return a few words for people: the path, or what the paths have in common."""
    paths = sorted({printable(span.path) for span in spans})
    if len(paths) == 1:
        return paths[0]
    folder = _common_folder(paths)
    return f"{folder or '.'} ({len(paths)} files)"


def show(change: Change, spans: Sequence[Span]) -> str:
    """Return the spans as a node reads them: by file, each under its id, without line numbers.

    Every line of code keeps its first column (space, + or -), so that no line of a file can be
    taken for one of ours. Line numbers are left out because they change with code elsewhere.
    """
    parts = []
    for path, group in groupby(spans, key=lambda span: span.path):
        file = change.by_path[path]
        parts.append(f"=== file {quoted(path)} ({what(file)})")
        parts += [_shown(span) for span in group]
    return "\n".join(parts) + "\n"


def divide(spans: tuple[Span, ...], window: int) -> list[tuple[Span, ...]]:
    """Return the spans in parts: by folder, then by file, then by span; neighbours are packed.

    A part boundary depends on names and sizes nearby alone, so that a change in one folder does
    not shift the parts of the others. Spans that cannot be divided come back as one part.
    """
    for key in (_next_folder(spans), _path, _span_id):
        groups = [tuple(group) for _, group in groupby(spans, key=key)]
        if len(groups) > 1:
            return _packed(groups, window)
    return [spans]


def _packed(groups: list[tuple[Span, ...]], window: int) -> list[tuple[Span, ...]]:
    parts: list[tuple[Span, ...]] = []
    room = 0
    for group in groups:
        size = size_of(group)
        starts = int(hashlib.sha256(encode(group[0].path)).hexdigest(), 16) % PACK == 0
        if parts and size <= room and not (starts and room < window // 2):
            parts[-1] += group
            room -= size
        else:
            parts.append(group)
            room = window - size
    return parts


def _next_folder(spans: tuple[Span, ...]) -> Callable[[Span], str]:
    """Return a key: the first component of a path below the folder that all paths share."""
    folder = _common_folder([span.path for span in spans])
    start = len(folder) + 1 if folder else 0

    def key(span: Span) -> str:
        end = span.path.find("/", start)
        return span.path[start:end] if end >= 0 else ""

    return key


def _common_folder(paths: Sequence[str]) -> str:
    """Return the folder that all paths share: what the first and the last of them share."""
    first, last = min(paths), max(paths)
    common = 0
    for at, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            break
        if one == "/":
            common = at
    return first[:common]


def _path(span: Span) -> str:
    return span.path


def _span_id(span: Span) -> str:
    return span.id


def what(file: FileChange) -> str:
    """Return what becomes of a file, as a node reads it."""
    if file.status == "renamed" and file.old_path is not None:
        return f"renamed from {quoted(file.old_path)}"
    return str(file.status)


def _shown(span: Span) -> str:
    heading = f"--- hunk {span.id}"
    if around := section_of(span):
        heading += f" in: {around}"
    return "\n".join([heading, *(shown_line(line.kind, line.text) for line in span.lines)])


def section_of(span: Span) -> str:
    """Return git's heading of a span's hunk, where it names a function or type; else ""."""
    section = span.hunk.section
    return printable(section)[:200] if _names_scope(section) else ""


def _names_scope(section: str) -> bool:
    """Does git's heading name a function or type? In many languages it is any unindented line."""
    return "(" in section or _SCOPE_WORD.match(section) is not None


def shown_line(kind: str, text: str) -> str:
    """Return a line of code as a node reads it: its column in front, cut."""
    text = printable(text).replace("\r", "␍")
    if len(text) > SHOWN_LINE_CHARS:
        text = f"{text[:SHOWN_LINE_CHARS]}… ({len(text) - SHOWN_LINE_CHARS} more characters)"
    return kind + text


_known_tokens: WeakKeyDictionary[Span, int] = WeakKeyDictionary()
"""A span is measured once and not at each level of the tree, of which a path may make thousands."""


def _span_tokens(span: Span) -> int:
    known = _known_tokens.get(span)
    if known is None:
        shown = sum(min(len(line.text), SHOWN_LINE_CHARS) + 2 for line in span.lines)
        known = _known_tokens[span] = int((shown + 60) / BYTES_A_TOKEN)
    return known


def quoted(path: str) -> str:
    """Return a path as a node reads it: in quotation marks, on one line."""
    return '"' + printable(path).replace("\n", "\\n").replace('"', '\\"') + '"'
