"""What a project's maintainers have to say to a finder: framed as data, line by line."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from reviewer.policy import Instruction
from reviewer.text import printable

FILES = (
    "From files of the project for people and tools. Use what concerns the code that you read; "
    "what is about style, tools or the way of working is not for you:"
)
FOR_PATHS = (
    "About the files of your hunks. Code that breaks a rule which stands here is a defect, `low` "
    "where nothing else comes of it:"
)

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Categories of characters that nobody sees: a text for people needs none of them."""


def guidance(guidelines: str, instructions: Sequence[Instruction], language: str | None) -> str:
    """Return what is added to a finder's task, "" where nobody has asked for anything."""
    parts = []
    if guidelines:
        parts.append(f"{FILES}\n\n{set_apart(guidelines)}")
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
    return "".join(c for c in line if unicodedata.category(c) not in _HIDDEN)


@cache
def _frame() -> str:
    return (Path(__file__).parent / "guidance.md").read_text(encoding="utf-8").strip()
