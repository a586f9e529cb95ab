"""Take apart what `git diff --raw --patch -z` prints: bytes in, values out, no I/O.

First come the raw entries (names, modes, object names), then one section of the patch for each, or
two for a change of type. Where a section begins and ends never depends on a name: every line of a
hunk begins with " ", "+", "-" or "\\", and git quotes a newline in a name, so a line that begins
with "diff --git " or "@@ " is a header whatever the files hold. What each header promises is then
counted, and its object names are compared with the raw entry's.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from mmap import mmap

from unidiff.errors import UnidiffParseError
from unidiff.patch import Line as UnidiffLine
from unidiff.patch import PatchSet

from reviewer.change import Hunk, Line, Packed
from reviewer.errors import GiveUp
from reviewer.text import decode, encode

UNIDIFF_BYTES = 1 << 20
"""The hunks of a longer patch are parsed by `_strictly`. With unidiff a change of 8,000 files takes
1.9 times as long as git and unidiff by themselves, where 1.5 is the most that it may; and one hunk
of 100 MB takes more than 1 GB of memory."""

COUNT_BYTES = 8 << 20
"""How much of a patch is copied at once to be counted."""

DECODE_BYTES = 1 << 20

ID_DIGITS = 16

Buffer = bytes | mmap

_RAW = re.compile(
    rb":([0-7]{6}) ([0-7]{6}) ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) ([ADMRT])([0-9]{0,3})"
)
_HEADER = re.compile(rb"\n(?:diff --git |@@ )")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(?: ([^\n]*))?\n")
_INDEX = re.compile(rb"\nindex ([0-9a-f]{40,64})\.\.([0-9a-f]{40,64})(?: [0-7]{6})?\n")
_BINARY = re.compile(rb"\n(?:Binary files .* differ|GIT binary patch)\n")


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One file of a change, as git names it; `status` is git's letter, one of ADMRT."""

    old_mode: str
    new_mode: str
    old_sha: str
    new_sha: str
    status: str
    similarity: int | None
    old_path: str
    new_path: str


@dataclass(frozen=True, slots=True)
class Section:
    """One diff of one file within the patch. `start`..`stop` are the bytes of its hunks.

    `shas` are the object names in its header, where it has any. `error` says what does not add up.
    """

    start: int
    stop: int
    hunk_count: int
    added: int
    deleted: int
    is_binary: bool
    shas: tuple[str, str] | None
    error: str | None


def raw_entries(data: Buffer) -> tuple[list[RawEntry], int]:
    """Return the entries, and where the patch begins. Raise GiveUp for what git never prints."""
    entries: list[RawEntry] = []
    at = 0

    def field() -> bytes:
        nonlocal at
        end = data.find(b"\0", at)
        if end < 0:
            raise GiveUp("git's list of changed files ends within an entry.")
        at, begin = end + 1, at
        return data[begin:end]

    # The list ends with the data, or with an empty field before the patch.
    while at < len(data) and (head := field()):
        found = _RAW.fullmatch(head)
        if found is None:
            raise GiveUp(f"git's list of changed files has an entry {head[:200]!r}.")
        old_mode, new_mode, old_sha, new_sha, status, score = map(decode, found.groups())
        old_path = decode(field())
        new_path = decode(field()) if status == "R" else old_path
        similarity = int(score) if score else None
        entries.append(
            RawEntry(old_mode, new_mode, old_sha, new_sha, status, similarity, old_path, new_path)
        )
    return entries, at


def sections(data: Buffer, start: int) -> Iterator[Section]:
    """Return the sections of the patch that begins at `start`, in order."""
    if start >= len(data):
        return
    marks: list[int] = []  # of the section at hand: its beginning, then that of each hunk
    if data[start : start + 11] != b"diff --git ":
        raise GiveUp(f"git's patch begins with {data[start : start + 40]!r}.")
    marks.append(start)
    for found in _HEADER.finditer(data, start):
        at = found.start() + 1
        if data[at] == ord("d"):
            yield _section(data, marks, at)
            marks = []
        marks.append(at)
    yield _section(data, marks, len(data))


def _section(data: Buffer, marks: list[int], stop: int) -> Section:
    head_end = marks[1] if len(marks) > 1 else stop
    head = data[marks[0] : head_end]
    index = _INDEX.search(head)
    added = deleted = 0
    error = None
    for begin, end in pairwise([*marks[1:], stop]):
        plus, minus, wrong = _count(data, begin, end)
        added += plus
        deleted += minus
        error = error or wrong
    return Section(
        start=head_end,
        stop=stop,
        hunk_count=len(marks) - 1,
        added=added,
        deleted=deleted,
        is_binary=len(marks) == 1 and _BINARY.search(head) is not None,
        shas=(index[1].decode(), index[2].decode()) if index else None,
        error=error,
    )


def _count(data: Buffer, begin: int, end: int) -> tuple[int, int, str | None]:
    """Count a hunk's added and deleted lines, and say how it differs from what its header says."""
    header = _HUNK.match(data, begin, end)
    if header is None:
        return 0, 0, f"a hunk's header reads {data[begin : min(end, begin + 60)]!r}"
    plus = minus = context = markers = newlines = 0
    last = end - 1  # the last line's newline, which no line follows
    for at in range(header.end() - 1, last, COUNT_BYTES):
        # One byte more than the step, so that a pair across the border is seen, and seen once.
        window = data[at : min(end, at + COUNT_BYTES + 1)]
        plus += window.count(b"\n+")
        minus += window.count(b"\n-")
        context += window.count(b"\n ")
        markers += window.count(b"\n\\")
        newlines += window.count(b"\n", 0, min(COUNT_BYTES, last - at))
    promised = _range(header)[1::2]
    if (minus + context, plus + context) != promised:
        return plus, minus, f"a hunk of {promised} lines has {(minus + context, plus + context)}"
    if data[last] != ord("\n") or newlines != plus + minus + context + markers:
        return plus, minus, "a hunk has a line without a sign"
    return plus, minus, None


def _range(header: "re.Match[bytes]") -> tuple[int, int, int, int]:
    """Return old start, old count, new start, new count; a count left out is 1."""
    old_start, old_count, new_start, new_count = header.groups()[:4]
    return int(old_start), int(old_count or b"1"), int(new_start), int(new_count or b"1")


def hunks(path: str, pieces: list[bytes], patch_bytes: int = 0) -> tuple[Hunk, ...]:
    """Parse a file's hunks, which `sections` found sound; one piece for each of its sections.

    `patch_bytes` is the size of the patch that they are from: it decides how, never what.
    """
    found: list[Hunk] = []
    equals: Counter[bytes] = Counter()
    for piece in pieces:
        starts = [0, *(match.start() + 1 for match in _HEADER.finditer(piece))] if piece else []
        parsed = _by_unidiff(piece) if patch_bytes <= UNIDIFF_BYTES else None
        if parsed is not None and len(parsed) != len(starts):
            parsed = None
        for number, (start, stop) in enumerate(pairwise([*starts, len(piece)])):
            header = _HUNK.match(piece, start, stop)
            if header is None:
                raise AssertionError("`sections` has matched this header")
            counts = _range(header)
            body = memoryview(piece)[header.end() : stop]
            lines = parsed[number] if parsed else _strictly(body, counts[0], counts[2])
            found.append(
                Hunk(
                    _name(path, body, equals),
                    path,
                    *counts,
                    section=decode(header[5] or b""),
                    lines=Packed(lines, counts[0], counts[2]),
                )
            )
    return tuple(found)


def _name(path: str, body: memoryview, equals: "Counter[bytes]") -> str:
    """Return a hunk's id; `equals` counts the hunks of this file that have the same lines."""
    digest = hashlib.sha256(encode(path) + b"\0")
    digest.update(body)
    key = digest.digest()
    digest.update(b"\0%d" % equals[key])
    equals[key] += 1
    return digest.hexdigest()[:ID_DIGITS]


def _by_unidiff(piece: bytes) -> list[tuple[Line, ...]] | None:
    """Return each hunk's lines as unidiff reads them, or None if it does not.

    It takes names from headers and guesses at the formats of many tools, so it is given a header
    that says nothing and lines that end where git's end; `bytes.split` knows no other newline.
    """
    texts = [decode(line) + "\n" for line in piece.split(b"\n")]
    texts.pop()
    try:
        (file,) = PatchSet(["--- a/file\n", "+++ b/file\n", *texts])
    except (UnidiffParseError, ValueError):
        return None
    return [_converted(hunk) for hunk in file]


def _converted(hunk: list[UnidiffLine]) -> tuple[Line, ...]:
    """Return our lines; unidiff gives "No newline at end of file" as a line of its own."""
    lines: list[Line] = []
    make, append = Line._make, lines.append
    for line in hunk:
        kind = line.line_type
        if kind == "\\":
            lines[-1] = lines[-1]._replace(newline=False)
        else:
            append(make((kind, line.value[:-1], line.source_line_no, line.target_line_no, True)))
    return tuple(lines)


def _strictly(body: memoryview, old: int, new: int) -> tuple[Line, ...]:
    """Return a hunk's lines, in a third of unidiff's time, for what git printed only."""
    lines: list[Line] = []
    for text in _texts(body):
        sign = text[0]
        if sign == "+":
            lines.append(Line._make(("+", text[1:], None, new, True)))
            new += 1
        elif sign == "-":
            lines.append(Line._make(("-", text[1:], old, None, True)))
            old += 1
        elif sign == " ":
            lines.append(Line._make((" ", text[1:], old, new, True)))
            old += 1
            new += 1
        else:
            lines[-1] = lines[-1]._replace(newline=False)
    return tuple(lines)


def _texts(body: memoryview, step: int = DECODE_BYTES) -> Iterator[str]:
    """Decode a part at a time: one snowman in 100 MB would make all of it two bytes a character."""
    parts: list[bytes] = []
    for at in range(0, len(body), step):
        head, newline, tail = bytes(body[at : at + step]).rpartition(b"\n")
        if newline:
            yield from decode(b"".join([*parts, head])).split("\n")
            parts = []
        parts.append(tail)
