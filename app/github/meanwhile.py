"""What was pushed while a patch was made, in files that it does not touch.

A patch that fits the files that it touches breaks the program all the same where a push has begun
to use a name that it takes away. So the files that the push changed are looked through, bounded,
for such names: one that stands there more often than before is taken for a use.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from app.github.client import Hub
from app.github.git_trees import Entry, Trees
from app.github.patches import read_blob
from reviewer.languages import is_prose, language_of

MOST_FILES = 100
MOST_BYTES = 2_000_000
"""Of what a push changed, that is read; a reader of ten thousand files would hold up the others."""

MOST_FOLDERS = 300


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """How many other files were changed, how many of them with code nobody looked through, and
    which names that are gone stand in which of them anew: (path, name).
    """

    files: int
    unseen: int
    uses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Patched:
    """What there is to know of a patch: the commit that it is made for, the files that it touches,
    and the names that it takes away; None where nobody knows them.
    """

    start: str
    paths: Collection[str]
    names: tuple[str, ...] | None


def meanwhile(hub: Hub, repository: str, trees: Trees, patch: Patched, head: str) -> Meanwhile:
    """Look through what was changed between the start of a patch and `head`."""
    others = [
        (path, before, after)
        for path, before, after in trees.changes(patch.start, head, MOST_FOLDERS)
        if path not in patch.paths
    ]
    words = _words(patch.names or ())
    counts = words is not None or patch.names is None
    code = [one for one in others if counts and _is_code(one[0], one[2])]
    uses: list[tuple[str, str]] = []
    seen, room = 0, MOST_BYTES
    for path, before, after in code[:MOST_FILES]:
        if words is None or after is None or not after.is_file or room < 0:
            continue
        text = read_blob(hub, repository, after.sha, patch.start)
        room -= len(text)
        seen += 1
        found = words.findall(text)
        if found and before is not None and before.is_file:
            for known in words.findall(read_blob(hub, repository, before.sha, patch.start)):
                if known in found:
                    found.remove(known)
        uses += [(path, name.decode()) for name in dict.fromkeys(found)]
    return Meanwhile(len(others), len(code) - seen, tuple(uses))


def _words(names: tuple[str, ...]) -> re.Pattern[bytes] | None:
    if not names:
        return None
    one = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w$])(?:{one})(?![\w$])".encode())


def _is_code(path: str, after: Entry | None) -> bool:
    """Could this have a use in it? What is gone has none; a folder that was not read may."""
    if after is None:
        return False
    return not after.is_file or (language_of(path) is not None and not is_prose(path))
