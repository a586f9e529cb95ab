"""What a project tells people and tools, in files that many of them read: bounded, with notes on
what of it is not used. Where they are read from is the caller's: see `app.policy`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.github.cache import Stopped
from reviewer.errors import RlmError
from reviewer.guide_file import FOLDER, is_scoped
from reviewer.guide_file import parse as parse_scoped
from reviewer.policy import Guide
from reviewer.policy_file import BadPolicy
from reviewer.text import printable

GUIDES = (
    "AGENTS.md",
    "CLAUDE.md",
    ".github/copilot-instructions.md",
    ".cursorrules",
    "CONTRIBUTING.md",
)
"""At the root of a repository: what it tells people and tools, what is most about code first."""

GUIDE_CHARACTERS = 6_000
GUIDES_CHARACTERS = 12_000
"""Of all of them: about 3,000 tokens, which every node is given."""

MOST_SCOPED = 40
"""Files of guidance for some paths; what of them is for a change is bounded with it."""

NAMES_SHOWN = 5
"""Of such files, in one note."""

PLACES = (*GUIDES, FOLDER)
MOST_GUIDES = len(GUIDES) + MOST_SCOPED

Read = Callable[[str], bytes | None]
"""Gives the bytes of a file, None where there is none; raises RlmError where neither is known."""


Below = Callable[[str], Sequence[str]]
"""Gives the paths of the files below a folder, in order; raises RlmError where they are unknown."""


def nothing_below(_folder: str) -> Sequence[str]:
    """Give no path: there are no such files."""
    return ()


def is_guide(path: str) -> bool:
    """Is this a file that is read as guidance?"""
    return path in GUIDES or is_scoped(path)


def guides_among(paths: Iterable[str]) -> list[str]:
    """Return which of these paths are read as guidance, in the order of reading, for people."""
    known = set(paths)
    scoped = sorted(path for path in known if is_scoped(path))
    more = len(scoped) - NAMES_SHOWN
    return [
        *(name for name in GUIDES if name in known),
        *map(printable, scoped[:NAMES_SHOWN]),
        *([f"{more} more of {FOLDER}"] if more > 0 else []),
    ]


@dataclass(frozen=True, slots=True)
class Guides:
    """What a project tells people and tools, under the `names` of its files; `scoped` is for some
    paths alone.
    """

    text: str = ""
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scoped: tuple[Guide, ...] = ()


def read_guides(start: Read, below: Below = nothing_below) -> Guides:
    """Return the project's guidance, bounded, with notes on what of it is not used."""
    parts: dict[str, str] = {}
    cut: list[str] = []
    notes: list[str] = []
    known: set[str] = set()
    left = GUIDES_CHARACTERS
    for name in GUIDES:
        try:
            raw = start(name)
        except Stopped:
            raise
        except RlmError as error:
            notes.append(f"{name} was not used as guidance: {error}")
            continue
        text = (raw or b"").decode("utf-8", "replace").removeprefix("\ufeff").strip()
        if not text or text in known:
            continue
        known.add(text)
        taken = text[: min(GUIDE_CHARACTERS, left)]
        left -= len(taken)
        if len(taken) < len(text):
            cut.append(f"{name} (the first {len(taken):,} of {len(text):,} characters)")
        if taken:
            parts[name] = f"{name}:\n\n{taken}"
    if cut:
        notes.append(f"Used as guidance in part: {', '.join(cut)}.")
    scoped, not_used = _scoped(start, below)
    names = (*parts, *(printable(guide.name) for guide in scoped))
    return Guides("\n\n".join(parts.values()), names, (*notes, *not_used), tuple(scoped))


def _scoped(start: Read, below: Below) -> tuple[list[Guide], list[str]]:
    """Return the guidance for some paths, and notes on the files that are not used."""
    guides: list[Guide] = []
    problems: list[str] = []
    try:
        names = [path for path in below(FOLDER) if is_scoped(path)]
    except Stopped:
        raise
    except RlmError as error:
        return [], [f"{FOLDER} was not used as guidance: {error}"]
    for name in names[:MOST_SCOPED]:
        try:
            raw = start(name)
            guide = None if raw is None else parse_scoped(printable(name), raw, GUIDE_CHARACTERS)
        except Stopped:
            raise
        except BadPolicy as error:
            problems.append(f"{printable(name)} was not used as guidance: {error.problem}")
        except RlmError as error:
            problems.append(f"{printable(name)} was not used as guidance: {error}")
        else:
            guides += [guide] if guide else []
    notes = problems[:NAMES_SHOWN]
    if more := len(problems[NAMES_SHOWN:]) + len(names[MOST_SCOPED:]):
        notes.append(f"{more} more files of {FOLDER} were not used as guidance.")
    return guides, notes
