"""What a project tells people and tools, in files that many of them read: bounded, with notes on
what of it is not used. Where they are read from is the caller's: see `app.policy`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from app.github.cache import Stopped
from reviewer.errors import RlmError
from reviewer.globs import check
from reviewer.guide_file import FOLDER, is_scoped
from reviewer.guide_file import parse as parse_scoped
from reviewer.policy import Guide
from reviewer.policy_file import BadPolicy
from reviewer.text import printable
from reviewer.triage import hands_off

GUIDES = (
    "AGENTS.md",
    "CLAUDE.md",
    ".github/copilot-instructions.md",
    ".cursorrules",
    "CONTRIBUTING.md",
    ".github/CONTRIBUTING.md",
    "docs/CONTRIBUTING.md",
)
"""What a repository tells people and tools about all of it, what is most about code first."""

FOR_PEOPLE = "CONTRIBUTING.md"
"""Most of it is about the way of working: of its sections those about code are told."""

_ABOUT_CODE = re.compile(
    r"\b(code(?! of conduct)|coding|style|convention|guideline|standard|principle|security|"
    r"architect|design|naming|error|logging|compatib|deprecat|test|commit|docstring)",
    re.IGNORECASE,
)
_ABOUT_WORK = re.compile(
    r"\b(run|running|start|starting|install\w*|set(?:ting)? ?up|build|building|resolv\w*|issues?|"
    r"troubleshoot\w*|pull requests?|reporting|submit\w*)\b",
    re.IGNORECASE,
)
"""What such a section has below it, or a heading speaks of beside code, and is for people."""

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*)")

NESTED = ("AGENTS.md", "CLAUDE.md")
"""In a folder, each is about what is in that folder."""

_GLOB = re.compile(r"[*?\[\]\\!]")

MOST_FOLDERS = 400
"""Of a change, in which such files are looked for, those near the root first."""

GUIDE_CHARACTERS = 6_000
GUIDES_CHARACTERS = 12_000
"""Of all of them: about 3,000 tokens, which every node is given."""

MOST_SCOPED = 40
"""Files of guidance for some paths; what of them is for a change is bounded with it."""

NAMES_SHOWN = 5
"""Of such files, in one note."""

PLACES = (*GUIDES, FOLDER)
MOST_GUIDES = len(GUIDES) + 2 * MOST_SCOPED

Read = Callable[[str], bytes | None]
"""Gives the bytes of a file, None where there is none; raises RlmError where neither is known."""


Below = Callable[[str], Sequence[str]]
"""Gives the paths of the files below a folder, in order; raises RlmError where they are unknown."""


def nothing_below(_folder: str) -> Sequence[str]:
    """Give no path: there are no such files."""
    return ()


def is_guide(path: str) -> bool:
    """Is this a file that is read as guidance?"""
    return path in GUIDES or is_scoped(path) or _is_nested(path)


def _is_nested(path: str) -> bool:
    """Is it about its folder? What another project's tools go by is not about ours."""
    folder, _, name = path.rpartition("/")
    return bool(folder) and name in NESTED and hands_off(path, b"") is None


def nested_for(paths: Iterable[str]) -> list[str]:
    """Return where guidance for these files may stand: in the folders around them, each in order
    from the root, without those of other projects.
    """
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    ordered = sorted(folders - {"."}, key=lambda folder: (folder.count("/"), folder))
    places = (f"{folder}/{name}" for folder in ordered[:MOST_FOLDERS] for name in NESTED)
    return [path for path in places if path not in GUIDES and _is_nested(path)]


def guides_among(paths: Iterable[str]) -> list[str]:
    """Return which of these paths are read as guidance, in the order of reading, for people."""
    known = set(paths)
    scoped = sorted(path for path in known if is_scoped(path) or _is_nested(path))
    more = len(scoped) - NAMES_SHOWN
    return [
        *(name for name in GUIDES if name in known),
        *map(printable, scoped[:NAMES_SHOWN]),
        *([f"{more} more files of guidance"] if more > 0 else []),
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


def read_guides(start: Read, below: Below = nothing_below, nested: Sequence[str] = ()) -> Guides:
    """Return the project's guidance, bounded, with notes on what of it is not used.

    `nested` are paths at which guidance for a folder may stand, as `nested_for` has them.
    """
    parts: dict[str, str] = {}
    cut: list[str] = []
    notes: list[str] = []
    known: set[str] = set()
    left = GUIDES_CHARACTERS
    for name in GUIDES:
        text = _news(start, name, known, notes)
        if name.endswith(FOR_PEOPLE):
            text = about_code(text)
        if not text:
            continue
        taken = text[: min(GUIDE_CHARACTERS, left)]
        left -= len(taken)
        if len(taken) < len(text):
            cut.append(f"{name} (the first {len(taken):,} of {len(text):,} characters)")
        if taken:
            parts[name] = f"{name}:\n\n{taken}"
    if cut:
        notes.append(f"Used as guidance in part: {', '.join(cut)}.")
    scoped, not_used = _scoped(start, below)
    of_folders, not_read = _of_folders(start, nested, known)
    scoped, not_used = [*scoped, *of_folders], [*not_used, *not_read]
    names = (*parts, *(printable(guide.name) for guide in scoped))
    return Guides("\n\n".join(parts.values()), names, (*notes, *not_used), tuple(scoped))


def about_code(text: str) -> str:
    """Return the sections of a Markdown text whose heading, or one above it, speaks of code, and
    none of them of how to work on it; all of a text without headings.
    """
    lines = text.split("\n")
    headings = dict(_headings(lines))
    levels = [level for level, _ in headings.values()]
    if not levels:
        return text
    # A title is above everything, so that it says nothing of any part.
    title = levels[0] if levels.count(levels[0]) == 1 and min(levels) == levels[0] else 0
    kept: list[str] = []
    above: dict[int, bool] = {}
    wanted = False
    for number, line in enumerate(lines):
        if number in headings:
            level, words = headings[number]
            above = {known: said for known, said in above.items() if title < known < level}
            is_about_code = level > title and _ABOUT_CODE.search(words) is not None
            nearest = above[max(above)] if above else False
            wanted = (is_about_code or nearest) and _ABOUT_WORK.search(words) is None
            above[level] = wanted
        if wanted:
            kept.append(line)
    return "\n".join(kept).strip()


def _headings(lines: Sequence[str]) -> Iterator[tuple[int, tuple[int, str]]]:
    """Yield for each line that is a heading its number, from 0, and its level and words."""
    fence = ""
    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            is_end = fence != "" and mark[1].startswith(fence)
            fence = "" if is_end else fence or mark[1]
        elif not fence and (heading := _HEADING.match(line)):
            yield number, (len(heading[1]), heading[2])


def _news(start: Read, path: str, known: set[str], notes: list[str]) -> str:
    """Return what a file says that is not `known`, which it is then; "" for nothing, with a note
    where that is because it cannot be read.
    """
    try:
        raw = start(path)
    except Stopped:
        raise
    except RlmError as error:
        notes.append(f"{printable(path)} was not used as guidance: {error}")
        return ""
    text = (raw or b"").decode("utf-8", "replace").removeprefix("\ufeff").strip()
    if text in known:
        return ""
    known.add(text)
    return text


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


def _of_folders(
    start: Read, places: Sequence[str], known: set[str]
) -> tuple[list[Guide], list[str]]:
    """Return what folders have to say that is not `known`, and notes on what is not used."""
    guides: list[Guide] = []
    problems: list[str] = []
    for place in places:
        if len(guides) == MOST_SCOPED:
            problems.append(f"Guidance of folders is used of the first {MOST_SCOPED} of them.")
            break
        text = _news(start, place, known, problems)
        if not text:
            continue
        try:
            glob = check(_GLOB.sub(r"\\\g<0>", place.rpartition("/")[0]) + "/**")
        except ValueError:
            problems.append(
                f"{printable(place)} was not used as guidance: no glob names its folder"
            )
            continue
        left = max(0, len(text) - GUIDE_CHARACTERS)
        cut = text[:GUIDE_CHARACTERS]
        guides.append(Guide(name=printable(place), paths=(glob,), text=cut, left=left))
    return guides, problems[:NAMES_SHOWN]
