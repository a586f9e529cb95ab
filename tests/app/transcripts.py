"""What the documents quote of our answers, to be held against what is answered."""

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"

_LINK = re.compile(r"\[([^\]\n]+)\]\([^)\s]+\)")
_COST = re.compile(r"<sub>.*?</sub>", re.DOTALL)
_PRICE = re.compile(r"\$\d[^$]*?\d s\.")
_COMMIT = re.compile(r"\b[0-9a-f]{10}\b")


def quoted(page: str, heading: str) -> list[str]:
    """Return the paragraphs that a section of a document quotes, commands left out, plainly."""
    _, found, rest = (DOCS / page).read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert found, f"{page} has no section {heading!r}"
    rest = rest.split("\n#", 1)[0]
    quotes = re.findall(r"(?:^>.*\n)+", rest, re.MULTILINE)
    lines = "\n\n".join(re.sub(r"^> ?", "", one, flags=re.MULTILINE) for one in quotes)
    return [one for one in _paragraphs(lines) if not one.startswith("/rlm ")]


def printed(page: str, heading: str, command: str) -> list[str]:
    """Return the lines that a section of a document shows of what a command prints, plainly."""
    _, found, rest = (DOCS / page).read_text(encoding="utf-8").partition(f"\n{heading}\n")
    _, is_run, rest = rest.partition(f"\n    $ {command}\n")
    assert found and is_run, f"{page} has no {command!r} under {heading!r}"
    block = re.match(r"(?:(?: {4}.*)?\n)+", rest)
    assert block
    return plainly(re.sub(r"^ {4}", "", block[0], flags=re.MULTILINE))


def plainly(text: str) -> list[str]:
    """Return the lines that a program prints, without figures of cost and names of commits."""
    return _COMMIT.sub("COMMIT", _PRICE.sub("COST.", text)).strip().splitlines()


def answered(*said: str) -> set[str]:
    """Return the paragraphs of our comments, in the same way."""
    return {one for text in said for one in _paragraphs(text)}


def _paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs on one line each: without addresses, figures of cost, names of commits."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = _LINK.sub(r"\1", _COST.sub("<sub>", text))
    text = re.sub(r"^## (.*)$", r"**\1**", text, flags=re.MULTILINE)
    for one in re.split(r"\n\s*\n", text):
        if words := " ".join(_COMMIT.sub("COMMIT", one).split()):
            yield words
