"""Edits as a node hands them in, checked against the tree and made into files. Pure.

Every replacement is exact: its old text stands once in the file as it is, so what a model remembers
wrongly is refused and never merged. Replacements of one file are independent of their order.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import no_path, refused, shown
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Edits, Replacement
from reviewer.text import decode, encode

TWICE = 'it stands {count} times in "{path}": give more lines, so that it stands once'
NOT_THERE = 'it does not stand in "{path}": copy whole lines exactly as they are'


@dataclass
class Applied:
    """The files that edits make, None for one that is gone; and what was wrong, for the model."""

    files: dict[str, Blob | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def applied(
    edits: Edits, tree: Overlay, files: Collection[str], new_files: Collection[str]
) -> Applied:
    """Return what the edits of a module make of its `files` and of those that it may make.

    Nothing is made of edits with a problem but the list of problems.
    """
    done = Applied()
    texts = _replaced(edits.replacements, tree, files, done.problems)
    gone = _removed(edits, tree, files, texts, done.problems)
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
            if problem := _not_new(to, tree, new_files, done.files):
                done.problems.append(f"renamed: {problem}")
            done.files[to] = Blob(texts.get(path, blob.data), blob.mode)
        done.files[path] = None
    if not done.problems:
        done.problems += _in_the_way(done.files, tree)
    return Applied({}, done.problems) if done.problems else done


def _replaced(
    replacements: list[Replacement], tree: Overlay, files: Collection[str], problems: list[str]
) -> dict[str, bytes]:
    """Return the bytes of each file with its replacements made, all at once."""
    found: defaultdict[str, list[tuple[int, int, bytes, int]]] = defaultdict(list)
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
        found[one.path].append((first, first + len(old), new, index))
    texts: dict[str, bytes] = {}
    for path, pieces in found.items():
        pieces.sort()
        data = (tree.blob(path) or Blob(b"")).data
        out, at = [], 0
        for start, end, new, index in pieces:
            if start < at:
                problems.append(
                    f"replacements.{index}.old: it overlaps another replacement of "
                    f'"{shown(path)}": make one of the two'
                )
                continue
            out += [data[at:start], new]
            at = end
        texts[path] = b"".join([*out, data[at:]])
    return texts


def _removed(
    edits: Edits,
    tree: Overlay,
    files: Collection[str],
    texts: Mapping[str, bytes],
    problems: list[str],
) -> dict[str, str | None]:
    """Return the files that are gone, and what they are renamed to."""
    gone: dict[str, str | None] = {}
    for index, path in enumerate(edits.removed):
        blob, problem = _own(path, tree, files)
        if blob is None:
            problems.append(f"removed.{index}: {problem}")
        elif path in texts or path in gone:
            problems.append(f'removed.{index}: "{shown(path)}" is also edited, or removed twice')
        else:
            gone[path] = None
    for index, one in enumerate(edits.renamed):
        blob, problem = _own(one.path, tree, files)
        if blob is None:
            problems.append(f"renamed.{index}.path: {problem}")
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
    if tree.has(path) or path in made:
        return f'"{shown(path)}" is there already'
    return None


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
