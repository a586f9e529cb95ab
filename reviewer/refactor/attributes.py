"""What the .gitattributes of a tree call generated or vendored, in GitHub's words for it. Pure.

`linguist-generated` and `linguist-vendored` are how a repository tells GitHub which files nobody
writes by hand. As in git, the last line that names a path decides, and the file of the nearest
folder comes last. Macros are not followed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reviewer.globs import check, is_path
from reviewer.text import decode

NAME = ".gitattributes"

MAX_RULES = 200
"""Of all files together: each is asked of each path, and people write a dozen."""

MAX_BYTES = 100_000
"""Of one file that is read."""

_WORDS = {
    "linguist-generated": "it is generated: .gitattributes says so",
    "linguist-vendored": "it is vendored: .gitattributes says so",
}
_LINE = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|(\S+))[ \t]+(.*)')


@dataclass(frozen=True)
class _Rule:
    """A line of the file in `folder`: what it says of each attribute, for the paths of a glob."""

    folder: str
    glob: str
    said: dict[str, bool | None]


class Attributes:
    """What is said of the paths of one tree.

    `files` are the paths and the bytes of its .gitattributes, in any order.
    """

    def __init__(self, files: Iterable[tuple[str, bytes]]) -> None:
        rules: list[_Rule] = []
        for path, data in sorted(files, key=lambda one: (one[0].count("/"), one[0])):
            rules += _rules(path.removesuffix(NAME), data)
        self._rules = rules[:MAX_RULES]

    def hands_off(self, path: str) -> str | None:
        """Return why a file is not written by hand, None where nothing says so."""
        said: dict[str, bool | None] = {}
        for rule in self._rules:
            inside = path.removeprefix(rule.folder)
            if path.startswith(rule.folder) and is_path(inside, rule.glob):
                said |= rule.said
        return next((why for word, why in _WORDS.items() if said.get(word)), None)


def _rules(folder: str, data: bytes) -> Sequence[_Rule]:
    rules = []
    for line in decode(data[:MAX_BYTES]).splitlines():
        found = _LINE.fullmatch(line.strip(" \t"))
        if found is None or "linguist-" not in found[3]:
            continue
        glob = found[2] if found[1] is None else re.sub(r"\\(.)", r"\1", found[1])
        said = dict(filter(None, map(_said, found[3].split())))
        # A folder's own path is that of no file, and git takes no `!` here.
        if not said or glob.startswith(("#", "!", "[attr]")) or glob.endswith("/"):
            continue
        try:
            rules.append(_Rule(folder, check(glob), said))
        except ValueError:
            continue
    return rules


def _said(word: str) -> tuple[str, bool | None] | None:
    """Return an attribute and whether it is set; None instead for one that is unspecified again."""
    name, has_value, value = word.lstrip("-!").partition("=")
    if name not in _WORDS:
        return None
    if word.startswith("!"):
        return name, None
    return name, not word.startswith("-") and not (has_value and value == "false")
