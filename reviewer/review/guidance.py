"""What a project's maintainers have to say to a finder: framed as data, line by line."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from reviewer.change import FileChange
from reviewer.globs import named
from reviewer.policy import Guide, Instruction
from reviewer.text import HIDDEN, printable

FILES = (
    "From files of the project for people and tools. Use what concerns the code that you read; "
    "what is about style, tools or the way of working is not for you:"
)
FOR_PATHS = (
    "About the files of your hunks. Code that breaks a rule which stands here is a defect, `low` "
    "where nothing else comes of it:"
)

GUIDES_CHARACTERS = 12_000
"""Of all guides for paths of a change: about 3,000 tokens, which one node may be told."""


def guides_for(
    guides: Sequence[Guide], files: Iterable[FileChange]
) -> tuple[tuple[Guide, ...], str]:
    """Return the guides for any of these files, bounded all together, and a note on what is cut."""
    paths = list(dict.fromkeys(name for file in files for name in file.names))
    left = GUIDES_CHARACTERS
    meant: list[Guide] = []
    cut: list[str] = []
    for guide in guides:
        if not any(named(path, guide.paths) for path in paths):
            continue
        text = guide.text[:left]
        left -= len(text)
        if whole := len(guide.text) + guide.left - len(text):
            whole += len(text)
            cut.append(f"{printable(guide.name)} (the first {len(text):,} of {whole:,} characters)")
        if text:
            meant.append(guide.model_copy(update={"text": text}))
    return tuple(meant), f"Used as guidance in part: {', '.join(cut)}." if cut else ""


def guidance(
    guidelines: str,
    instructions: Sequence[Instruction],
    language: str | None,
    guides: Sequence[Guide] = (),
) -> str:
    """Return what is added to a finder's task, "" where nobody has asked for anything."""
    parts = []
    told = [*([guidelines] if guidelines else []), *(f"{g.name}:\n\n{g.text}" for g in guides)]
    if told:
        parts.append(f"{FILES}\n\n" + "\n>\n".join(map(set_apart, told)))
    if instructions:
        texts = "\n>\n".join(set_apart(one.text) for one in instructions)
        parts.append(f"{FOR_PATHS}\n\n{texts}")
    text = "\n\n".join([_frame(), *parts]) + "\n" if parts else ""
    if language is not None:
        text += f"\nWrite `overview`, `title` and `why` in the language `{language}` (BCP-47).\n"
    return text


def set_apart(text: str) -> str:
    """Return each line behind a mark of ours, so that none passes for one of our own.

    What nobody sees is left out.
    """
    return "\n".join(f"> {seen(line)}".rstrip() for line in text.splitlines())


def seen(line: str) -> str:
    """Return a line without the characters in it that nobody sees."""
    line = printable(line.expandtabs(4))
    return "".join(c for c in line if unicodedata.category(c) not in HIDDEN)


@cache
def _frame() -> str:
    return (Path(__file__).parent / "guidance.md").read_text(encoding="utf-8").strip()
