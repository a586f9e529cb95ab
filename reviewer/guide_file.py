"""Reads a file of instructions for some paths, as GitHub Copilot has them: front matter that names
paths in `applyTo`, and Markdown below it. Anybody may have written it: see `reviewer.policy_file`.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain, product
from math import prod
from typing import Any

from reviewer.globs import check
from reviewer.policy import MAX_GLOBS, Guide
from reviewer.policy_file import BadPolicy, plain

FOLDER = ".github/instructions"
ENDING = ".instructions.md"

REVIEWS = "code-review"
"""What a file names in `excludeAgent` that is not for reviews."""

_FENCE = re.compile(r"---[ \t]*")
_UNQUOTED = re.compile(r"(applyTo:[ \t]+|[ \t]*-[ \t]+)(\*.*?)(?:[ \t]+#.*)?[ \t]*")
"""A glob without quotes that begins with `*`: many files have it, and in YAML it is an alias."""


def is_scoped(path: str) -> bool:
    """Is this the path of such a file?"""
    return path.startswith(f"{FOLDER}/") and path.endswith(ENDING)


def parse(name: str, data: bytes, most: int) -> Guide | None:
    """Return what a file has to say, cut after `most` characters; None if nothing, or not here, or
    without `applyTo`, which is for those who ask for it.

    Raise BadPolicy where `applyTo` names no paths, or the front matter cannot be read.
    """
    lines = data.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    ends = (number for number, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line))
    end = next(ends, 0) if lines and _FENCE.fullmatch(lines[0]) else 0
    if not end and not (lines and _FENCE.fullmatch(lines[0])):
        return None
    text = "\n".join(lines[end + 1 :]).strip() if end else ""
    said, _ = plain("\n".join(map(_quoted, lines[:end])).encode()) if end else (None, {})
    if end and (said is None or (isinstance(said, dict) and "applyTo" not in said)):
        return None
    if not isinstance(said, dict) or not said["applyTo"]:
        raise _bad("it does not say with `applyTo` to which paths it applies")
    if not text or REVIEWS in _words(said.get("excludeAgent")):
        return None
    globs = list(dict.fromkeys(chain.from_iterable(map(_globs, _words(said["applyTo"])))))
    if not globs or len(globs) > MAX_GLOBS:
        raise _bad(f"applyTo names {len(globs)} globs and not 1 to {MAX_GLOBS}")
    for glob in globs:
        try:
            check(glob)
        except ValueError as error:
            raise _bad(f"applyTo: {glob[:60]!a} {error}") from error
    return Guide(name=name, paths=tuple(globs), text=text[:most], left=max(0, len(text) - most))


def _quoted(line: str) -> str:
    """Return a line of the front matter with quotes around a glob that lacks them."""
    found = _UNQUOTED.fullmatch(line)
    return line if found is None else found[1] + "'" + found[2].replace("'", "''") + "'"


def _words(value: Any) -> list[str]:
    """Return a value of the front matter, one text or a list of them, as a list."""
    if isinstance(value, Mapping):
        raise _bad("applyTo and excludeAgent should be text")
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _globs(listed: str) -> Iterable[str]:
    """Yield the globs of a list with commas: `**/*.{ts,tsx}` as two, for ours know no braces."""
    for one in re.findall(r"(?:\{[^{}]*\}|[^,])+", listed):
        pieces = re.split(r"\{([^{}]*)\}", one.strip())
        choices = [[piece] if at % 2 == 0 else piece.split(",") for at, piece in enumerate(pieces)]
        if prod(map(len, choices)) > MAX_GLOBS:
            raise _bad(f"applyTo names more than {MAX_GLOBS} globs")
        globs = ("".join(parts).strip().removeprefix("./") for parts in product(*choices))
        yield from filter(None, globs)


def _bad(why: str) -> BadPolicy:
    return BadPolicy(why, "docs/configuration.md says how such a file begins.")
