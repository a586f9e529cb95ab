"""Globs for paths of a repository, as in a .gitignore; matched in time linear in the path.

A glob without a slash (but at its end) names a file or folder at any depth, one with a slash
starts at the root. What is below a folder that a glob names is named, too. `*` and `?` stop at a
slash, `**` between slashes is any number of folders, `[a-z]` and `[!a-z]` are one character,
`\\` takes the next one as it is.

Unlike in a .gitignore, the last glob of a list that names a path always decides: one that starts
with `!` takes a path back whatever became of its folder.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

MAX_GLOB_CHARACTERS = 200

KEPT = 1_024
"""Compiled globs: those of a few repositories."""

_ITEM = re.compile(
    r"(?P<stars>\*+)|(?P<any>\?)|\[(?P<not>[!^]?)(?P<set>\]?[^\]/]*)\]|\\(?P<as_it_is>.)"
    r"|(?P<bad>[\[\\])|(?P<plain>.)",
    re.DOTALL,
)
_RANGE = re.compile(r"(.)(?:-(.))?", re.DOTALL)
_NO_NAME = ("", ".", "..")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")


def named(path: str, globs: Sequence[str]) -> bool:
    """Do these globs, in this order, name the path of a file?"""
    for glob in reversed(globs):
        if _compiled(glob.removeprefix("!")).fullmatch(path):
            return not glob.startswith("!")
    return False


def is_path(path: str, glob: str) -> bool:
    """Does a glob name this path itself, as in a .gitattributes, and not a folder that it is in?"""
    return bool(_compiled(glob, below=False).fullmatch(path))


def check(glob: str) -> str:
    """Return a glob if it is one; raise ValueError saying why it is none."""
    if len(glob) > MAX_GLOB_CHARACTERS:
        raise ValueError(f"is longer than {MAX_GLOB_CHARACTERS} characters")
    if _CONTROL.search(glob):
        raise ValueError("holds a control character")
    _compiled(glob.removeprefix("!"))
    return glob


@lru_cache(KEPT)
def _compiled(glob: str, *, below: bool = True) -> re.Pattern[str]:
    body = glob.removesuffix("/")
    parts = body.removeprefix("/").split("/")
    if any(part in _NO_NAME for part in parts):
        raise ValueError("is no path: paths start at the root of the repository, as in src/*.py")
    if "/" not in body:
        parts.insert(0, "**")
    is_folder = body != glob
    if is_folder and parts[-1] == "**":
        parts.append("*")
    rest = "(?:/.*)?" if below else ""
    if is_folder or parts[-1] == "**":
        rest = "/.*"
    while len(parts) > 1 and parts[-1] == "**":
        parts.pop()  # what is below is said already
    return re.compile(".*" if parts == ["**"] else _folders(parts) + rest, re.DOTALL)


def _folders(parts: Sequence[str]) -> str:
    """Return the pattern of whole names, one after the other.

    Of what follows a `**`, its first place is taken and no other one is tried: what comes later can
    only gain by it. The same is true of a `*` within a name. So nothing is ever tried twice.
    """
    runs: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_name(part))
    first, *others = ["/".join(run) for run in runs]
    text = first
    for run in others:
        if run:
            text += ("/" if text else "") + f"(?>(?:[^/]*/)*?{run}(?![^/]))"
    return text


def _name(glob: str) -> str:
    """Return the pattern of one name between slashes."""
    pieces = [""]
    for found in _ITEM.finditer(glob):
        if found["bad"]:
            raise ValueError(f"has a {found['bad']} that nothing follows or closes")
        if found["stars"]:
            if found["stars"] != "*":
                raise ValueError("has a ** that does not stand alone between slashes")
            pieces.append("")
        elif found["any"]:
            pieces[-1] += "[^/]"
        elif found["set"] is not None:
            pieces[-1] += _one_of(found["set"], bool(found["not"]))
        else:
            pieces[-1] += re.escape(found["as_it_is"] or found["plain"])
    first, *others = pieces
    if not others:
        return first
    *middle, last = others
    skips = "".join(f"(?>[^/]*?{piece})" for piece in middle if piece)
    return f"(?>{first}{skips}[^/]*{last})"


def _one_of(characters: str, is_not: bool) -> str:
    """Return the pattern of one character out of a set; a dash between two is a range."""
    if not characters:
        raise ValueError("has an empty [ ]")
    text = ""
    for first, last in _RANGE.findall(characters):
        if last and first > last:
            raise ValueError(f"has a range that is empty: [{first}-{last}]")
        text += re.escape(first) + (f"-{re.escape(last)}" if last else "")
    return f"(?!/)[{'^' if is_not else ''}{text}]"
