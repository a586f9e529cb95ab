"""Edits as a node hands them in, checked against the tree and made into files. Pure.

Every replacement is exact: its old text stands once in the file as it is, so what a model remembers
wrongly is refused and never merged. Replacements of one file are independent of their order.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import no_path, refused, shown
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Cut, Edits, Replacement
from reviewer.text import decode, encode

TWICE = 'it stands {count} times in "{path}": give more lines, so that it stands once'
STAYS = '"{path}" stays: your part names the files that go, and it is none of them'
TWIN = 'it differs from "{path}" by upper and lower case alone, so that one of them would be lost'
NOT_THERE = 'it does not stand in "{path}": copy whole lines exactly as they are'


@dataclass
class Applied:
    """The files that edits make, None for one that is gone; and what was wrong, for the model."""

    files: dict[str, Blob | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def applied(
    edits: Edits,
    tree: Overlay,
    files: Collection[str],
    new_files: Collection[str],
    removable: Collection[str] = (),
) -> Applied:
    """Return what the edits of a module make of its `files` and of those that it may make.

    Only the files that are `removable` can go: be removed, renamed, or left with nothing in them.
    Nothing is made of edits with a problem but the list of problems.
    """
    done = Applied()
    pieces = _cut(edits.cuts, tree, files, done.problems)
    texts = _replaced(edits.replacements, pieces, tree, files, done.problems)
    gone = _removed(edits, tree, files, removable, texts, done.problems)
    for index, one in enumerate(edits.new_files):
        where = f"new_files.{index}.path"
        if problem := _not_new(one.path, tree, new_files, done.files):
            done.problems.append(f"{where}: {problem}")
        else:
            done.files[one.path] = Blob(encode(one.text))
    for path, data in texts.items():
        blob = tree.blob(path)
        if blob is not None and path not in gone:
            done.files[path] = Blob(data, blob.mode)
    for path, to in gone.items():
        blob = tree.blob(path)
        if to is not None and blob is not None:
            if problem := _not_new(to, tree, new_files, {**done.files, path: None}):
                done.problems.append(f"renamed: {problem}")
            done.files[to] = Blob(texts.get(path, blob.data), blob.mode)
        done.files[path] = None
    _put(pieces, gone, tree, files, done)
    if not done.problems:
        done.problems += _emptied(done.files, tree, removable)
        done.problems += _in_the_way(done.files, tree)
    return Applied({}, done.problems) if done.problems else done


@dataclass(frozen=True)
class _Piece:
    """What a cut takes: where it stands, with the empty lines that go with it, and its text."""

    cut: Cut
    where: str
    start: int
    end: int
    text: str
    gap: int
    """Empty lines that stood before it, else behind it; at least one."""


def _cut(
    cuts: list[Cut], tree: Overlay, files: Collection[str], problems: list[str]
) -> list[_Piece]:
    pieces = []
    for index, one in enumerate(cuts):
        where = f"cuts.{index}"
        blob, problem = _own(one.path, tree, files)
        if blob is None:
            problems.append(f"{where}.path: {problem}")
            continue
        first, last = (as_in(blob.data, text.strip("\n")) for text in (one.first, one.last))
        starts = _lines_at(blob.data, first)
        if len(starts) != 1:
            words = TWICE if starts else NOT_THERE
            said = words.format(count=len(starts), path=shown(one.path))
            problems.append(f"{where}.first: {said}")
            continue
        ends = [at + len(last) for at in _lines_at(blob.data, last, starts[0])]
        end = next((end for end in ends if end >= starts[0] + len(first)), None)
        if end is None:
            problems.append(f"{where}.last: no line from `first` on reads so: copy whole lines")
            continue
        pieces.append(_piece(one, where, blob.data, starts[0], end))
    return pieces


def _lines_at(data: bytes, text: bytes, start: int = 0) -> list[int]:
    """Return where whole lines stand that read so."""
    if not text.strip():
        return []
    whole = re.compile(rb"^" + re.escape(text) + rb"(?=\r?$)", re.MULTILINE)
    return [found.start() for found in whole.finditer(data, start)]


def _piece(cut: Cut, where: str, data: bytes, start: int, end: int) -> _Piece:
    """Return the piece with the empty lines behind it."""
    above = data[len(data[:start].rstrip()) : start]
    below = data[end : len(data) - len(data[end:].lstrip())]
    empty = (each.count(b"\n") - 1 for each in (above, below))
    gap = next((count for count in empty if count > 0), 1)
    text = readable(data[start:end])
    if end + len(below) == len(data):
        return _Piece(cut, where, start, len(data), text, gap)
    return _Piece(cut, where, start, end + below.rfind(b"\n") + 1, text, gap)


def _put(
    pieces: Sequence[_Piece],
    gone: Collection[str],
    tree: Overlay,
    mine: Collection[str],
    done: Applied,
) -> None:
    """Put pieces at the ends of the files that they go to."""
    for one in pieces:
        to = one.cut.to
        if to == one.cut.path or to in gone:
            blob, problem = None, "it is the file itself" if to == one.cut.path else "it is gone"
        elif to in done.files or to not in mine:
            blob, problem = (
                done.files.get(to),
                f'"{shown(to)}" is no file of yours, nor in `new_files`',
            )
        else:
            blob, problem = _own(to, tree, mine)
        if blob is None:
            done.problems.append(f"{one.where}.to: {problem}")
            continue
        kept = blob.data.rstrip()
        text = "\n" * (one.gap + 1 if kept else 0) + one.text + "\n"
        done.files[to] = Blob(kept + as_in(blob.data, text), blob.mode)


def _replaced(
    replacements: list[Replacement],
    cut: Sequence[_Piece],
    tree: Overlay,
    files: Collection[str],
    problems: list[str],
) -> dict[str, bytes]:
    """Return the bytes of each file with its replacements made and pieces cut, all at once."""
    found: defaultdict[str, list[tuple[int, int, bytes, str]]] = defaultdict(list)
    for piece in cut:
        found[piece.cut.path].append((piece.start, piece.end, b"", f"{piece.where}.first"))
    for index, one in enumerate(replacements):
        blob, problem = _own(one.path, tree, files)
        if blob is None:
            problems.append(f"replacements.{index}.path: {problem}")
            continue
        old, new = as_in(blob.data, one.old), as_in(blob.data, one.new)
        count = blob.data.count(old)
        # `count` passes over places that overlap; a second one may begin within the first.
        first = blob.data.find(old)
        if count == 1 and blob.data.find(old, first + 1) >= 0:
            count = 2
        if count != 1:
            words = NOT_THERE if not count else TWICE
            said = words.format(count=count, path=shown(one.path))
            problems.append(f"replacements.{index}.old: {said}")
            continue
        found[one.path].append((first, first + len(old), new, f"replacements.{index}.old"))
    texts: dict[str, bytes] = {}
    for path, pieces in found.items():
        pieces.sort()
        data = (tree.blob(path) or Blob(b"")).data
        out, at = [], 0
        for start, end, new, where in pieces:
            if start < at:
                problems.append(
                    f'{where}: it overlaps another replacement or cut of "{shown(path)}": make one '
                    "of the two"
                )
                continue
            out += [data[at:start], new]
            at = end
        text = b"".join([*out, data[at:]])
        at_end = any(each.cut.path == path and each.end == len(data) for each in cut)
        texts[path] = _ended(text) if at_end else text
    return texts


def _ended(data: bytes) -> bytes:
    """Return a file without the empty lines that a piece of its end has left."""
    kept = data.rstrip()
    end = data.find(b"\n", len(kept))
    return data[: end + 1] if kept and end >= 0 else kept


def _removed(  # noqa: PLR0917
    edits: Edits,
    tree: Overlay,
    files: Collection[str],
    removable: Collection[str],
    texts: Mapping[str, bytes],
    problems: list[str],
) -> dict[str, str | None]:
    """Return the files that are gone, and what they are renamed to."""
    gone: dict[str, str | None] = {}
    for index, path in enumerate(edits.removed):
        blob, problem = _own(path, tree, files)
        if blob is None:
            problems.append(f"removed.{index}: {problem}")
        elif path not in removable:
            problems.append(f"removed.{index}: {STAYS.format(path=shown(path))}")
        elif path in texts or path in gone:
            problems.append(f'removed.{index}: "{shown(path)}" is also edited, or removed twice')
        else:
            gone[path] = None
    for index, one in enumerate(edits.renamed):
        blob, problem = _own(one.path, tree, files)
        if blob is None:
            problems.append(f"renamed.{index}.path: {problem}")
        elif one.path not in removable:
            problems.append(f"renamed.{index}.path: {STAYS.format(path=shown(one.path))}")
        elif one.path in gone:
            problems.append(f'renamed.{index}.path: "{shown(one.path)}" is gone already')
        else:
            gone[one.path] = one.to
    return gone


def _own(path: str, tree: Overlay, files: Collection[str]) -> tuple[Blob | None, str]:
    """Return a file that the module may edit, or None and why it may not."""
    if problem := no_path(path):
        return None, problem
    if path not in files:
        return None, f'"{shown(path)}" is none of your files'
    if problem := refused(path, tree):
        return None, f'"{shown(path)}": {problem}'
    blob = tree.blob(path)
    return blob, "" if blob is not None else f'there is no file "{shown(path)}"'


def _not_new(
    path: str, tree: Overlay, new_files: Collection[str], made: Mapping[str, Blob | None]
) -> str | None:
    if problem := no_path(path):
        return problem
    if path not in new_files:
        return f'"{shown(path)}" is none of the files that you may make'
    if problem := refused(path, tree):
        return f'"{shown(path)}": {problem}'
    after = tree.over(made)
    if tree.has(path) or path in made:
        return f'"{shown(path)}" is there already'
    twin = after.twin(path)
    return f'"{shown(path)}": {TWIN.format(path=shown(twin))}' if twin is not None else None


def _emptied(
    files: Mapping[str, Blob | None], tree: Overlay, removable: Collection[str]
) -> list[str]:
    """Refuse to leave a file with nothing in it that does not go: that removes it, too."""
    return [
        f"{STAYS.format(path=shown(path))}, so it is not left empty"
        for path, blob in files.items()
        if blob is not None
        and path not in removable
        and not blob.data.strip()
        and (before := tree.blob(path)) is not None
        and before.data.strip()
    ]


def _in_the_way(files: Mapping[str, Blob | None], tree: Overlay) -> list[str]:
    """Say which new file would lie in a folder that another one is, or the other way round."""
    after = tree.over(files)
    return [
        f'"{shown(path)}": {problem}'
        for path, blob in files.items()
        if blob is not None and (problem := after.blocked(path))
    ]


def as_in(data: bytes, text: str) -> bytes:
    """Return text as bytes with the ends of lines that a file has: a node sees no CR."""
    raw = encode(text)
    if is_crlf(data):
        return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw


def is_crlf(data: bytes) -> bool:
    """Do all lines of a file end with CR and LF?"""
    return b"\r\n" in data and data.count(b"\n") == data.count(b"\r\n")


def readable(data: bytes) -> str:
    """Return a file as a node reads it."""
    return decode(data.replace(b"\r\n", b"\n") if is_crlf(data) else data)
