"""The little Markdown that a model writes, as blocks: read as data, each format shows its own.

Headings, paragraphs, bullets, fenced code; inside a line code spans and bold. Everything else
(links, images, HTML, tables) stays the text that it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^#{1,6}\s+(\S.*)$")
_BULLET = re.compile(r"^\s*(?:[-*+]|(\d{1,3}[.)]))\s+(\S.*)$")
_INLINE = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)|\*\*(?P<strong>[^\s*](?:[^*]*[^\s*])?)\*\*"
)


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `text` has no newline unless it is code; `marker` is a bullet's own number."""

    kind: Literal["paragraph", "heading", "bullet", "code"]
    text: str
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one line."""

    kind: Literal["text", "code", "strong"]
    text: str


def blocks(text: str) -> list[Block]:
    """Return the blocks of `text` in order."""
    return list(_blocks(text.replace("\r\n", "\n").split("\n")))


def _blocks(lines: list[str]) -> Iterator[Block]:
    paragraph: list[str] = []
    marker: str | None = None  # of the bullet that the lines in `paragraph` belong to

    def flush() -> Iterator[Block]:
        if paragraph:
            joined = " ".join(line.strip() for line in paragraph)
            kind: Literal["paragraph", "bullet"] = "paragraph" if marker is None else "bullet"
            yield Block(kind, joined, marker or "")
            paragraph.clear()

    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if opened := _FENCE.match(line):
            yield from flush()
            marker = None
            end = _end_of_fence(lines, at, opened.group(1))
            yield Block("code", "\n".join(lines[at:end]))
            at = end + 1
        elif not line.strip():
            yield from flush()
            marker = None
        elif heading := _HEADING.match(line):
            yield from flush()
            marker = None
            yield Block("heading", heading.group(1).rstrip("# "))
        elif bullet := _BULLET.match(line):
            yield from flush()
            marker = bullet.group(1) or ""
            paragraph.append(bullet.group(2))
        else:
            paragraph.append(line)
    yield from flush()


def _end_of_fence(lines: list[str], start: int, opened: str) -> int:
    """Return the index of the closing fence, or of the end: an open fence runs to the end."""
    for at in range(start, len(lines)):
        closing = lines[at].strip()
        if len(closing) >= len(opened) and set(closing) == {opened[0]}:
            return at
    return len(lines)


def plain(line: str) -> str:
    """Return one line with its bold marks gone; code spans keep theirs, as people read them."""
    return _INLINE.sub(lambda found: found.group("strong") or found.group(), line)


def unbold(line: str) -> list[Piece]:
    """Return the code spans and plain stretches of one line without its bold marks.

    What stands together then is one piece: escaped in two, `@**name**` would be a mention.
    """
    found: list[Piece] = []
    for piece in pieces(line):
        if piece.kind == "code":
            found.append(piece)
        elif found and found[-1].kind == "text":
            found[-1] = Piece("text", found[-1].text + piece.text)
        else:
            found.append(Piece("text", piece.text))
    return found


def pieces(line: str) -> list[Piece]:
    """Return the code spans, bold stretches and plain stretches of one line."""
    found: list[Piece] = []
    at = 0
    for match in _INLINE.finditer(line):
        if match.start() > at:
            found.append(Piece("text", line[at : match.start()]))
        if match.group("code") is not None:
            found.append(Piece("code", match.group("code").strip() or match.group("code")))
        else:
            found.append(Piece("strong", match.group("strong")))
        at = match.end()
    if at < len(line):
        found.append(Piece("text", line[at:]))
    return found
