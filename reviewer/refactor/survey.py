"""Which files may an instruction concern? By its words and by the paths that are given.

A file that uses a name has it as a word; users of what is named come by the context (`named.py`),
and who else is concerned, the planner asks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reviewer.context.values import Context
from reviewer.errors import GiveUp
from reviewer.languages import is_prose, language_of
from reviewer.refactor.named import IDENTIFIER, PATH, WORD, named
from reviewer.refactor.protect import generated, not_ours
from reviewer.refactor.tree import REGULAR, Start

FEW = 12
"""Files that are all shown, whatever the instruction says: choosing costs more than reading."""

MOST = 400
"""Files that are shown in outline at the most, those that share most words first."""

COMMON = 0.25
"""A word in more of the files than this tells nothing."""

NEAR = 0.4
"""Of the best file's score: a file with less has words in common with the instruction by chance."""

NAMED = 4.0
"""How much more a word tells that is written as names in code are, or as a path is."""


@dataclass(frozen=True)
class Concerned:
    """Files to plan over, sorted; `first` are those that are named or use what is, best first."""

    paths: tuple[str, ...]
    first: tuple[str, ...] = ()


def concerned(instruction: str, paths: Sequence[str], start: Start, context: Context) -> Concerned:
    """Return the files to plan over: sources and documents that may be edited."""
    candidates = [path for path in start.modes if _may_be_edited(path, start)]
    asked = sorted(path for path in candidates if not paths or under(path, paths))
    first = named(instruction, asked, context)[:MOST]
    best = asked if len(asked) <= FEW else _by_score(instruction, asked, context)
    chosen = [*first, *(path for path in best if path not in first)][:MOST]
    return Concerned(tuple(sorted(chosen or asked[:MOST])), tuple(first))


def _by_score(instruction: str, asked: Sequence[str], context: Context) -> list[str]:
    """Return the files that share enough with the instruction, best first."""
    score = _by_words(instruction, asked, context)
    said = [one.strip("./") for one in PATH.findall(instruction)]
    for path in asked:
        folder, _, name = path.rpartition("/")
        if any(one in {path, name, name.partition(".")[0]} for one in said):
            score[path] = score.get(path, 0.0) + NAMED
        elif any("/" in one and under(path, [one]) for one in said) or folder in said:
            score[path] = score.get(path, 0.0) + NAMED / 2
    enough = NEAR * max(score.values(), default=0.0)
    return sorted(
        (path for path in score if score[path] >= enough), key=lambda path: (-score[path], path)
    )


def under(path: str, folders: Sequence[str]) -> bool:
    """Is a path one of these, or in one of these folders?"""
    names = [folder.removeprefix("./").rstrip("/") for folder in folders]
    return any(name in {"", ".", path} or path.startswith(f"{name}/") for name in names)


def _may_be_edited(path: str, start: Start) -> bool:
    if start.modes[path] not in REGULAR or not_ours(path) or generated(path, b"", start):
        return False
    return language_of(path) is not None or is_prose(path)


def _by_words(instruction: str, asked: Sequence[str], context: Context) -> dict[str, float]:
    words = tuple(dict.fromkeys(WORD.findall(instruction)))
    try:
        having = context.mentioning(words)
    except GiveUp:  # too many files that cannot be had
        return {}
    mine = set(asked)
    score: dict[str, float] = {}
    for word, paths in having.items():
        found = mine.intersection(paths)
        if found and len(found) <= COMMON * len(asked):
            weight = NAMED if IDENTIFIER.match(word) else 1.0
            for path in found:
                score[path] = score.get(path, 0.0) + weight / (1.0 + len(found) / 10)
    return score
