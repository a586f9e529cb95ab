"""The folders by which a change is told: two to eight of them, whatever the size of the change."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reviewer.change import FileChange
from reviewer.request import Module, ModuleImport
from reviewer.text import printable

FEWEST = 2
MOST = 8
"""Of a list with more entries a reader remembers none; of a diagram with more nodes no edge."""

LARGE_SHARE = 0.25
"""A module with more than this part of the files is divided, as long as there is room."""

SMALL_FILES = 2
"""A folder with fewer files is no module of its own, once there are FEWEST."""

MOST_CHANGES = 20
CHANGE_CHARS = 400
"""Of one module, and of one sentence about it. The whole of it is what the diff says better."""

MOST_IMPORTS = 24

Said = tuple[Sequence[str], str]
"""What a reader said of its scope, and the path of each piece of that."""


def modules_of(paths: Iterable[str]) -> dict[str, str]:
    """Return the module of each path: a folder, "" for what lies in none of them.

    The largest is divided by folders until none is large or there are MOST. Pure and the same for
    the same paths; fewer than FEWEST only where all files lie in one folder.
    """
    held: dict[str, list[str]] = {"": sorted(set(paths))}
    total = len(held[""])
    whole: set[str] = set()
    while open_ := [name for name in held if name not in whole]:
        name = min(open_, key=lambda one: (-len(held[one]), one))
        if len(held) >= FEWEST and len(held[name]) <= LARGE_SHARE * total:
            break
        rest, below = _divided(name, held[name])
        if not rest and len(below) == 1:
            held[next(iter(below))] = held.pop(name)
            continue
        ordered = sorted(below, key=lambda one: (-len(below[one]), one))
        few = SMALL_FILES if len(held) >= FEWEST else 1
        room = MOST - len(held) + (0 if rest else 1)
        own = [folder for folder in ordered if len(below[folder]) >= few]
        if len(own[:room]) < len(below) and not rest:
            own = own[: room - 1]
        for folder in own[:room]:
            held[folder] = below.pop(folder)
        left = [*rest, *(path for paths_below in below.values() for path in paths_below)]
        if left:
            held[name] = left
        else:
            del held[name]
        whole.add(name)
    return {path: name for name, of_module in held.items() for path in of_module}


def _divided(module: str, paths: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the files that lie directly in a module, and the others by the folder below it."""
    start = len(module) + 1 if module else 0
    rest: list[str] = []
    below: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        end = path.find("/", start)
        if end < 0:
            rest.append(path)
        else:
            below[path[:end]].append(path)
    return rest, below


def modules(
    files: Sequence[FileChange], module_of: Mapping[str, str], said: Sequence[Said]
) -> tuple[list[Module], list[str]]:
    """Return the modules with what was said of each, the largest first, and what was said of none.

    A sentence belongs to the module that has at least half of what it is about.
    """
    changes: defaultdict[str, list[str]] = defaultdict(list)
    across: list[str] = []
    for paths, text in said:
        about = Counter(module_of[path] for path in paths if path in module_of)
        module, most = max(about.items(), key=lambda each: (each[1], each[0]), default=("", 0))
        to = changes[module] if 2 * most >= about.total() > 0 else across
        to += [line for line in _sentences(text) if line not in to]
    held: defaultdict[str, list[FileChange]] = defaultdict(list)
    for file in files:
        held[module_of[file.path]].append(file)
    told = [
        Module(
            path=printable(name),
            files=len(of_module),
            added=sum(file.added for file in of_module),
            deleted=sum(file.deleted for file in of_module),
            changes=_bounded(changes[name]),
        )
        for name, of_module in held.items()
    ]
    told.sort(key=lambda one: (-(one.added + one.deleted), one.path))
    return told, _bounded(across)


def _sentences(text: str) -> list[str]:
    lines = (" ".join(printable(line).split()) for line in text.splitlines())
    return [fitted(line) for line in lines if line]


def fitted(line: str) -> str:
    """Return what is said in one line, cut to its bound."""
    return line if len(line) <= CHANGE_CHARS else line[: CHANGE_CHARS - 1] + "…"


def _bounded(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_CHANGES
    return [*lines[:MOST_CHANGES], *([f"… and {more} more parts"] if more > 0 else [])]


def module_imports(
    imports: Iterable[tuple[str, str]], module_of: Mapping[str, str]
) -> list[ModuleImport]:
    """Return which modules import which others, by how many pairs of changed files, most first."""
    pairs = Counter(
        (module_of[one], module_of[other])
        for one, other in imports
        if one in module_of and other in module_of and module_of[one] != module_of[other]
    )
    ordered = sorted(pairs.items(), key=lambda each: (-each[1], each[0]))
    return [
        ModuleImport(source=printable(one), target=printable(other), files=number)
        for (one, other), number in ordered[:MOST_IMPORTS]
    ]
