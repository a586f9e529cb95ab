"""Files that are typed again: what is there is kept or moved by the host, and not said anew.

What a model types again from memory is close to what it was, and nobody sees where it is not. So
a new file is measured by the lines it keeps: a row counts where it and two rows beside it stand so,
in this order and with their indentation, in another file as well. Rows are lines without comments,
imports and empty ones, which new files rightly have in common with old ones. A replacement is
measured in the same way, by what its new text keeps of its old one. Pure.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from reviewer.languages import is_prose
from reviewer.refactor.apply import readable
from reviewer.refactor.protect import MAX_FILE_BYTES, shown
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Edits, Replacement

RUN = 3
"""Rows that have to stand together: of `else:` or `return None` alone every file has some."""

LEAST_ROWS = 20
SHARE = 0.5
"""So many rows, and so much of the smaller one of the two files, are to repeat it. A test beside
another, or a class built like its neighbour, has less; a file typed again with a word changed on
each fourth line still has three of four rows in such runs, with one on each third it has none."""

LOOKED_AT_BYTES = 4_000_000
"""Of files that are no part of the work, those in the nearest folders first."""

_COMMENT = re.compile(r"#|//|/\*|\*|<!--|--\s")
_IMPORT = re.compile(
    r"(?:from|import|use|using|require\w*|include|package)\b"
    r"|export\b.*\bfrom\b|(?:const|let|var)\b.*\brequire\("
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")

_ITSELF = (
    "for a file that gets another path use `renamed`, with `replacements` of its old path for what "
    "changes; for pieces of one use `cuts`, and type what is new alone"
)
_OTHERS = "use what is there, or say in `left` what you lack: only files of yours are moved or cut"


@dataclass(frozen=True)
class _Rows:
    """The rows of a text, and its runs."""

    rows: tuple[str, ...]
    runs: frozenset[tuple[str, ...]]


def retyped(edits: Edits, tree: Overlay, mine: Collection[str]) -> list[str]:
    """Complain about edits that repeat, to a large part, what a file of the tree has or had.

    `mine` are the files of whoever edits: what several of them held counts together.
    """
    problems = []
    for index, one in enumerate(edits.new_files):
        made = _rows(one.path, one.text)
        if len(made.rows) < LEAST_ROWS:
            continue
        found = _repeated(one.path, made, tree, mine)
        if found is not None:
            where, kept, way = found
            problems.append(
                f"new_files.{index}.text: {kept} of its {len(made.rows)} lines (imports and "
                f"comments aside) repeat what {where} has or had: {way}"
            )
    return [*problems, *_kept_in_place(edits.replacements, tree)]


def _kept_in_place(replacements: Sequence[Replacement], tree: Overlay) -> Iterator[str]:
    """Complain about replacements that say a large part of their file anew, as it was.

    Small ones are not counted: lines that tell where they stand are in them rightly.
    """
    again: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for index, one in enumerate(replacements):
        kept = _count(_rows(one.path, one.old), _rows(one.path, one.new).runs)
        if kept >= LEAST_ROWS:
            again[one.path][index] = kept
    for path, found in again.items():
        blob = tree.blob(path)
        rows = 0 if blob is None else len(_rows(path, readable(blob.data)).rows)
        if rows and sum(found.values()) >= SHARE * rows:
            yield (
                f"replacements.{next(iter(found))}.new: {sum(found.values())} of the {rows} lines "
                f'of "{shown(path)}" (imports and comments aside) are said anew as they were: '
                "replace the lines that change alone, each by a replacement of its own"
            )


def _repeated(
    path: str, made: _Rows, tree: Overlay, mine: Collection[str]
) -> tuple[str, int, str] | None:
    """Return what a new file repeats, in how many rows, and what to do instead."""
    own = sorted({*mine, *(gone for gone, blob in tree.files.items() if blob is None)})
    held = [(other, _rows(other, text)) for other in own for text in _texts(other, tree)]
    for other, rows in held:
        if kept := _kept(made, rows.runs, len(rows.rows)):
            return f'"{shown(other)}"', kept, _ITSELF
    runs = frozenset(run for _, rows in held for run in rows.runs)
    if kept := _kept(made, runs, len(made.rows)):
        return "your files together", kept, _ITSELF
    known = frozenset(made.rows)
    for other in _near(path, tree, {path, *own}):
        for text in _texts(other, tree):
            # Most have next to nothing in common with it: of those no runs are made.
            if sum(line.rstrip() in known for line in text.split("\n")) < LEAST_ROWS:
                continue
            rows = _rows(other, text)
            if kept := _kept(made, rows.runs, len(rows.rows)):
                return f'"{shown(other)}"', kept, _OTHERS
    return None


def _kept(made: _Rows, runs: frozenset[tuple[str, ...]], size: int) -> int:
    """Return how many rows stand in runs that another file has, 0 for few."""
    kept = _count(made, runs)
    return kept if kept >= max(LEAST_ROWS, SHARE * min(len(made.rows), size)) else 0


def _count(made: _Rows, runs: frozenset[tuple[str, ...]]) -> int:
    """Return how many rows stand in runs that are among these; each run counts once."""
    if made.runs.isdisjoint(runs):
        return 0
    kept: set[int] = set()
    seen: set[tuple[str, ...]] = set()
    for at in range(len(made.rows) - RUN + 1):
        run = made.rows[at : at + RUN]
        if run in runs and run not in seen:
            seen.add(run)
            kept.update(range(at, at + RUN))
    return len(kept)


def _texts(path: str, tree: Overlay) -> Iterator[str]:
    """Yield what a file holds, and what it held before anything was done."""
    blobs = [tree.blob(path)]
    if path in tree.files:
        blobs.append(Overlay(tree.start).blob(path))
    for blob in blobs:
        if blob is not None and b"\0" not in blob.data:
            yield readable(blob.data)


def _near(path: str, tree: Overlay, without: Collection[str]) -> Sequence[str]:
    """Return files of the same kind, the nearest first, as many as are looked at."""
    folders, kind = path.split("/")[:-1], _kind(path)
    sizes = {one.path: one.size for one in tree.start.entries}
    sizes |= {other: len(blob.data) for other, blob in tree.files.items() if blob is not None}
    found, room = [], LOOKED_AT_BYTES
    for other in sorted(
        (one for one in sizes if _kind(one) == kind and one not in without),
        key=lambda one: (-_shared(folders, one.split("/")[:-1]), one),
    ):
        if 0 < sizes[other] <= min(room, MAX_FILE_BYTES):
            room -= sizes[other]
            found.append(other)
    return found


def _kind(path: str) -> str:
    """Return the ending of a file's name, the whole name of one without any."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2] if "." in name else name


def _shared(folders: Sequence[str], others: Sequence[str]) -> int:
    same = 0
    for one, other in zip(folders, others, strict=False):
        if one != other:
            break
        same += 1
    return same


def _rows(path: str, text: str) -> _Rows:
    rows: list[str] = []
    depth, prose = 0, is_prose(path)
    for line in text.split("\n"):
        bare = line.strip()
        if depth > 0:  # in the brackets of an import
            depth += _opened(bare)
        elif not bare or (not prose and _COMMENT.match(bare)):
            continue
        elif not prose and _IMPORT.match(bare):
            depth = _opened(bare) if bare.startswith(("from ", "import ")) else 0
        else:
            rows.append(line.rstrip())
    runs = (tuple(rows[at : at + RUN]) for at in range(len(rows) - RUN + 1))
    return _Rows(tuple(rows), frozenset(runs))


def _opened(line: str) -> int:
    """Return how many brackets a line opens and does not close, comments left out."""
    code = re.split(r"#|//", line, maxsplit=1)[0]
    return sum((sign in _OPEN) - (sign in _CLOSE) for sign in code)
