"""Lines of code elsewhere that speak of what some hunks change, told in little room.

A line that has several of the names is told once, for all of them. Where not all can be told, the
worthiest are, whosever they are. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reviewer.text import encode

LEAST_BYTES = 400
"""Of a name and its lines at the least, if they are as long."""

LISTED = 12
"""Names of which the same is told that stand in one line."""

OTHERS = 3
"""Further names that one line of code is told to have."""

_MORE_BYTES = 30
"""For a line that counts what is left out."""

Key = tuple[str, str, str]


class Mention(NamedTuple):
    """A line of code: where it is, what it does with the name, its text. The lowest worth first.

    `key` tells it from any line that a reader would tell from it.
    """

    worth: tuple[int, ...]
    key: Key
    place: str
    what: str
    text: str

    def line(self, others: Sequence[str] = ()) -> str:
        also = f"; {' and '.join(others)}, too" if others else ""
        return f"  {self.place} ({self.what}{also}): {self.text}"


@dataclass(frozen=True)
class About:
    """A name, what is said of it, and the lines that have it.

    `most` of them are told; `total` counts all there are. What has none stands in one line with
    others in that file of which the same is said.
    """

    where: str
    kind: str
    name: str
    said: str
    mentions: Sequence[Mention] = ()
    most: int = 0
    total: int = 0


@dataclass
class _Entry:
    head: str
    names: int
    about: About
    told: int = 0

    @property
    def size(self) -> int:
        lines = sorted(self.about.mentions, key=lambda each: each.worth)[: self.about.most]
        return _size([self.head, *(each.line() for each in lines)])


@dataclass
class _Line:
    of: int
    mention: Mention
    others: list[str]


def told(about: Sequence[About], room: int, shown: set[Key], unasked: int = 0) -> list[str]:
    """Return a heading for each name and its lines below it, as many as there is room for.

    What is left out is counted, with the names that are `unasked`. Lines that are `shown` already
    are not told again; those that are told are added.
    """
    entries = _entries(about)
    kept, left = 0, room - _MORE_BYTES
    for entry in entries:
        counted = _MORE_BYTES * bool(entry.about.mentions)
        left -= max(_size([entry.head]) + counted, min(entry.size + counted, LEAST_BYTES))
        kept += left >= 0
    more = unasked + sum(entry.names for entry in entries[kept:])
    del entries[kept:]
    heads = sum(_size([each.head]) + _MORE_BYTES * bool(each.about.mentions) for each in entries)
    chosen = _chosen(entries, room - _MORE_BYTES - heads, shown)
    lines: list[str] = []
    for number, entry in enumerate(entries):
        own = [each.mention.line(each.others) for each in chosen if each.of == number]
        lines.append(entry.head if own or not entry.told else f"{entry.head}; used in lines shown")
        lines += own
        if (left_out := entry.about.total - entry.told) > 0:
            lines.append(f"  … {left_out} more")
    return [*lines, f"… {more} more names"] if more and lines else lines


def _entries(about: Sequence[About]) -> list[_Entry]:
    """Return what is told together, in the order of the first of each."""
    groups: dict[tuple[str, ...], list[About]] = {}
    for each in about:
        alike = (each.where, each.kind, each.said)
        groups.setdefault((*alike, each.name) if each.mentions else alike, []).append(each)
    return [
        _Entry(_head(group[0], [each.name for each in group]), len(group), group[0])
        for group in groups.values()
    ]


def _head(about: About, names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if names[LISTED:] else ""
    return f"- {about.where} {about.kind} {', '.join(names[:LISTED])}{more}: {about.said}"


def _chosen(entries: Sequence[_Entry], room: int, shown: set[Key]) -> list[_Line]:
    """Return the lines that are told, in the order of their worth, and count those of each name.

    The first line of each name comes before the second of any that is worth no more.
    """
    ranked = sorted(
        (each.worth, rank, number, each)
        for number, entry in enumerate(entries)
        for rank, each in enumerate(sorted(entry.about.mentions, key=lambda each: each.worth))
    )
    lines: dict[Key, _Line] = {}
    for _, _, number, each in ranked:
        entry = entries[number]
        known = lines.get(each.key)
        if entry.told >= entry.about.most or (known is not None and known.of == number):
            continue
        if known is not None:
            name = entry.about.name.rpartition(".")[2]
            if (
                len(known.others) < OTHERS
                and (cost := len(encode(name)) + len(" and , too")) <= room
            ):
                known.others.append(name)
                room -= cost
                entry.told += 1
        elif each.key in shown:
            entry.told += 1
        elif (cost := _size([each.line()])) <= room:
            lines[each.key] = _Line(number, each, [])
            room -= cost
            entry.told += 1
    shown.update(lines)
    return list(lines.values())


def _size(lines: Iterable[str]) -> int:
    return sum(len(encode(line)) + 1 for line in lines)
