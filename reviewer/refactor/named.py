"""What an instruction names: files, what is defined in them, and who uses that.

These files are planned over together: of two nodes that see half of them each, both plan all.
"""

import re
from collections import Counter
from collections.abc import Sequence

from reviewer.context.values import Certainty, Context
from reviewer.errors import GiveUp

SYMBOLS = 12
"""Names of an instruction whose users are looked for, in its order."""

DEFINED = 3
"""A name that more places define, in no file that is named, is nobody's in particular; so is a
file's name without a folder that more files have."""

FOLLOWED = 60
"""Users of one name, and importers of one file, that are looked at."""

IDENTIFIER = re.compile(r".*(?:_|\d|[a-z][A-Z]|\$)")
WORD = re.compile(r"[A-Za-z_$][\w$]{2,}")
PATH = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*/?")

_MEANT = re.compile(
    r"(?:`|\b(?:class|function|method|constant|type|interface|struct|enum|variable)\s+[`\"']?)"
    r"(?:[\w$]+\.)*([A-Za-z_$][\w$]*)"
)
"""A name that is set apart as one, or behind a word that says what it is."""


def named(instruction: str, asked: Sequence[str], context: Context) -> list[str]:
    """Return those of the files that an instruction names, define what it names, or use that.

    In this order, each once.
    """
    files = _files(instruction, asked)
    try:
        defining, users = _of_symbols(instruction, frozenset(asked), files, context)
        for path in files:
            if path not in defining:  # it is meant as a whole
                users.update(one.path for one in context.importers(path, limit=FOLLOWED).items)
    except GiveUp:  # too many files that cannot be had
        return files
    mine = set(asked)
    ordered = [*files, *defining, *(path for path, _ in users.most_common())]
    return [path for path in dict.fromkeys(ordered) if path in mine]


def _files(instruction: str, asked: Sequence[str]) -> list[str]:
    """Return the files whose path, the end of it, or dotted name an instruction has.

    The end of many paths without a folder (`__init__.py`) is the name of none of them.
    """
    found: set[str] = set()
    for said in set(PATH.findall(instruction)):
        one = said.strip("./")
        paths = [path for path in asked if _is_named(path, one)] if "." in one else []
        common = "/" not in one and len(paths) > DEFINED
        found.update([path for path in paths if path == one] if common else paths)
    return [path for path in asked if path in found]


def _is_named(path: str, one: str) -> bool:
    """Is it a file's path, the end of it, or its module's dotted name?"""
    if f"/{path}".endswith(f"/{one}"):
        return True
    stem, _, suffix = path.rpartition(".")
    return suffix == "py" and "/" not in one and f"/{stem}".endswith(f"/{_slashed(one)}")


def _slashed(dotted: str) -> str:
    return dotted.replace(".", "/")


def _of_symbols(
    instruction: str, asked: frozenset[str], files: Sequence[str], context: Context
) -> tuple[list[str], Counter[str]]:
    """Return the files that define what is named, and how often files use it."""
    meant = set(_MEANT.findall(instruction))
    words = tuple(dict.fromkeys(WORD.findall(instruction)))
    having = context.mentioning(words)
    defining: list[str] = []
    users: Counter[str] = Counter()
    followed = 0
    for word in words:
        if followed == SYMBOLS or not asked.intersection(having.get(word, ())):
            continue
        as_name = word in meant or word[:1].isupper() or bool(IDENTIFIER.match(word))
        if not files and not as_name:
            continue
        for path in _definers(word, asked, files, context, as_name=as_name):
            followed += 1
            defining.append(path)
            found = context.references(word, path, limit=FOLLOWED).items
            users.update(one.path for one in found if one.certainty is not Certainty.NAME)
    return defining, users


def _definers(
    word: str, asked: frozenset[str], files: Sequence[str], context: Context, *, as_name: bool
) -> list[str]:
    """Return the files that define a word which is meant as a name."""
    answer = context.definition(word, limit=DEFINED + len(files))
    found = [one.path for one in answer.items if one.definition.name == word and one.path in asked]
    here = [path for path in found if path in files]
    if here:
        return list(dict.fromkeys(here))
    return list(dict.fromkeys(found)) if as_name and answer.total <= DEFINED else []
