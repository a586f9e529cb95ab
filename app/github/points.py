"""What a long comment says, point by point: paragraphs and list items, and what files they name.

Whoever reviews as a whole says many things in one body: each has to be told from the others, and a
file is often named once, in the heading above what is said of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from reviewer.review.join import is_plain_word, telling_words

MOST_CHARS = 65_536
"""Of one body: GitHub takes no longer ones."""

FEW_WORDS = 4
"""A point with fewer telling words beside its files says of what the next ones are."""

_IN_MARKDOWN, _IN_HTML = 6, 7
"""The deepest level of a heading; one in HTML lies within those of Markdown."""

# What the comment answers, what nobody sees, and code are not what it says.
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)

_HEADS = re.compile(r"<(?:summary|h[1-6])\b[^<>\n]{0,200}>", re.IGNORECASE)
_BREAKS = re.compile(
    r"</?(?:summary|h[1-6]|details|blockquote|p|br|hr|div|table|tr|td|th|ul|ol|li)\b[^<>\n]{0,200}>",
    re.IGNORECASE,
)
_CELLS = re.compile(r"<t[rdh]\b[^<>\n]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>\n]{0,200}>", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_HTML = "#" * _IN_HTML
_HEADING = re.compile(r" {0,3}(#{1,7})[ \t]")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,3}[.)]|\|)[ \t]")

_NAME = re.compile(r"[\w./@+-]+")
_ENDING = re.compile(r"\w\.[A-Za-z]\w{0,9}\Z")
_AT_A_COMMIT = re.compile(r"/(?:blob|blame|raw)/[0-9a-f]{7,64}/(.+)")


@dataclass(frozen=True, slots=True)
class Point:
    """One paragraph or list item; `names` may be of files, as those `above` it: of its heading."""

    text: str
    names: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()

    def is_about(self, path: str) -> bool:
        """Does it or its heading name a file: by its path, the end of that, or its bare name?"""
        return not _ends(path).isdisjoint(self.names | self.above)

    def without(self, path: str) -> str:
        """Return the text without the names of a file, whose words are not what it says of it."""
        ends = _ends(path)
        return _NAME.sub(lambda found: " " if _name(found[0]) in ends else found[0], self.text)

    def is_about_another(self, path: str) -> bool:
        """Does it or its heading name a file of some folder, or of the kind of this one?"""
        kind = f".{path.rpartition('.')[2]}"
        others = (one for one in self.names | self.above if _is_of_a_file(one))
        return any("/" in one or one.endswith(kind) for one in others if one not in _ends(path))


def points(body: str) -> Iterator[Point]:
    """Yield what a body of Markdown says, without quotes, code, and what is hidden."""
    above: frozenset[str] = frozenset()
    depth = 0
    for level, text in _blocks(shown(body[:MOST_CHARS])):
        names = frozenset(filter(None, map(_name, _NAME.findall(text))))
        files = frozenset(filter(_is_of_a_file, names))
        if level and (files or level <= min(depth, _IN_MARKDOWN)):
            above, depth = files, level
        yield Point(text, names, above)
        if not level and files and _says_little(text):
            above, depth = files, _IN_MARKDOWN


def shown(body: str) -> str:
    """Return what a comment says itself: without what it quotes, and what nobody sees."""
    return _QUOTED_LINE.sub("", _HIDDEN.sub("", body))


def _blocks(body: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs, list items and headings as a line each; the level of a heading, else 0."""
    body = _CELLS.sub("\n\n| ", body)
    text = _BREAKS.sub("\n\n", _HEADS.sub(f"\n\n{_HTML} ", body))
    lines: list[str] = []
    fence = ""
    blank = False
    for line in [*_TAG.sub(" ", text).splitlines(), ""]:
        if found := _FENCE.match(line):
            if not fence:
                fence = found[1]
            elif found[1].startswith(fence):
                fence = ""
            continue
        if fence:
            continue
        if not line.strip():
            blank = True
            continue
        heading = _level(line)
        goes_on = line[0] in " \t" if blank and lines and _ITEM.match(lines[0]) else not blank
        if lines and (heading or _ITEM.match(line) or not goes_on):
            yield 0, " ".join(lines)
            lines = []
        blank = False
        if heading:
            yield heading, line.lstrip("# \t")
        else:
            lines.append(line)
    if lines:
        yield 0, " ".join(lines)


def _level(line: str) -> int:
    found = _HEADING.match(line)
    return len(found[1]) if found else 0


def _says_little(text: str) -> bool:
    rest = _NAME.sub(lambda one: " " if _is_of_a_file(_name(one[0])) else one[0], text)
    return len(telling_words(rest)) < FEW_WORDS


@lru_cache(maxsize=1_000)
def _ends(path: str) -> frozenset[str]:
    """Return what a text may call a file: its path, the ends of that, and its bare name."""
    parts = path.split("/")
    ends = ("/".join(parts[at:]) for at in range(len(parts)))
    return frozenset(one for one in ends if not is_plain_word(one))


def _name(token: str) -> str:
    """Return a word without what belongs to its sentence or its address; "" for a plain one."""
    if found := _AT_A_COMMIT.search(token):
        token = found[1]
    token = token.removeprefix("./").lstrip("/").rstrip("./-+@")
    return "" if is_plain_word(token) else token


def _is_of_a_file(name: str) -> bool:
    """Does it look like one: with an ending ("e.g" has none), or in a folder of a folder?"""
    return (len(name) > 3 and _ENDING.search(name) is not None) or name.count("/") > 1
