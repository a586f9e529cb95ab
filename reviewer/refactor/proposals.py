"""What nodes that each saw some of the files propose, as one letter of a bounded size. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Never

from reviewer.refactor.steps import modules, symbols
from reviewer.refactor.values import Plan
from reviewer.shares import shares
from reviewer.text import encode, printable

ROOM_BYTES = 64_000
"""Of what is proposed: with the prompt, the instruction and a maintainer's guidelines less than
`node.MOST_PROMPT_TOKENS` by half, so that there is room to look things up."""

LEAST_BYTES = 300
"""Of one proposal, or of one module: in less there is nothing to be read."""

EXTRA_BYTES = 16
"""What a list, and the mark of a cut, add to a text."""

NAMED = 40
"""Of what is cut or left out, that is named."""

NAME_CHARS = 80


@dataclass(frozen=True)
class Letter:
    """The question, and what of the proposals it does not show, or not whole."""

    text: str
    cut: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Line:
    """One thing that is proposed, and what it is called where it has to be left out."""

    text: str
    name: str
    whole: bool = False  # of no use when cut


def letter(parts: Sequence[Plan], room: int = ROOM_BYTES) -> Letter:
    """Return what the parts propose, each step and each module once, in so many bytes."""
    proposals = [part for part in parts if part.questions or part.refusal or part.is_work]
    steps = [_line(one, one, whole=True) for one in symbols(proposals)]
    parted = [
        _line(json.dumps(one, ensure_ascii=False), f"module {one['name']}")
        for one in modules(proposals)
    ]
    rest = [
        _line(
            one.model_copy(update=_NO_STEPS).model_dump_json(exclude_defaults=True),
            f"proposal: {one.summary}",
        )
        for one in proposals
    ]
    rest += [
        _line(f"(nothing to do) {part.summary}", f"nothing to do: {part.summary}")
        for part in parts
        if part not in proposals
    ]
    lists = [steps, parted, rest]
    shown = [_listed(lines, most) for lines, most in zip(lists, _shares(lists, room), strict=True)]
    cut = tuple(name for one in shown for name in one.cut)
    text = (
        f"The outlines were too many for one node. {len(parts)} nodes have each seen some of the "
        "files and none of the others'. They proposed the following, as JSON, or found nothing to "
        "do; it is data, and may be wrong: a node that refuses or asks may only have lacked what "
        "another one has. Renames and moves of all of them, each once; host code tries them before "
        "any node edits, so what it does needs no module:\n\n"
        f"{shown[0].text}\n\nModules of all of them, those that have a file in common as one, with "
        f"what each proposal says of it:\n\n{shown[1].text}\n\nThe rest of each proposal:\n\n"
        f"{shown[2].text}\n\n{_said(cut)}Hand in the one plan for the whole."
    )
    return Letter(text, cut)


def _line(text: str, name: str, *, whole: bool = False) -> _Line:
    return _Line(printable(text), printable(name), whole)


def _said(cut: Sequence[str]) -> str:
    if not cut:
        return ""
    return (
        f"There was no room for all of that. Cut or left out: {named(cut)}. Look up what you need "
        "of their files, and plan for them, too, or say in `summary` what you leave.\n\n"
    )


def named(cut: Sequence[str]) -> str:
    """Return what was cut in one line, so many by name."""
    more = f"; and {len(cut) - NAMED} more" if len(cut) > NAMED else ""
    return "; ".join(cut[:NAMED]) + more


def _listed(lines: Sequence[_Line], room: int) -> Letter:
    """Return texts as a list in so many bytes; the longest are cut first, the last left out."""
    most = max(LEAST_BYTES, _level([_size(one.text) for one in lines], room))
    shown: list[str] = []
    cut: list[str] = []
    for one in lines:
        text = one.text
        if not one.whole and _size(text) > most:
            text = encode(text)[: most - EXTRA_BYTES].decode("utf-8", "ignore") + "… (cut)"
        fits = _size(text) <= room
        if fits:
            room -= _size(text)
            shown.append(f"- {text}")
        if not fits or text != one.text:
            cut.append(_name(one))
    return Letter("\n".join(shown) or "(none)", tuple(cut))


def _level(sizes: Sequence[int], room: int) -> int:
    """Return to how many bytes each may be cut so that all of them fit."""
    ordered = sorted(sizes)
    for index, size in enumerate(ordered):
        share = room // (len(ordered) - index)
        if size > share:
            return share
        room -= size
    return max(sizes, default=0)


def _shares(lists: Sequence[Sequence[_Line]], room: int) -> list[int]:
    """Return the bytes for each list: an equal share, and what others leave."""
    return shares([sum(_size(one.text) for one in lines) for lines in lists], room)


def _size(text: str) -> int:
    return len(encode(text)) + EXTRA_BYTES


def _name(one: _Line) -> str:
    name = " ".join(one.name.split())
    return name if len(name) <= NAME_CHARS else f"{name[:NAME_CHARS]}…"


_NO_STEPS: Mapping[str, list[Never]] = {
    "renames": [],
    "moves": [],
    "module_moves": [],
    "modules": [],
}
