"""Commands that people write in comments: `/rlm review [full] [path…]`, `/rlm help`, `/rlm stop`.

A comment is untrusted text. What comes out of it is one of a few typed commands, whose only free
words are paths to compare with the paths of the change; nothing in it can name a key, an address
or a model.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from reviewer.text import printable

PREFIX = "/rlm"
NAMES = ("review", "help", "stop")

MAX_PATHS = 20
MAX_PATH_CHARS = 400
MAX_LINES = 1_000

_COMMAND = re.compile(r"^/rlm(?:[ \t]+(?P<rest>.*))?$")
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class ReviewCommand:
    """Review this pull request. `full`: say again what was said before. `paths`: only these."""

    full: bool = False
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlainCommand:
    """A command without arguments."""

    name: Literal["help", "stop"]


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """Something was meant for us and is no command; `why` is a sentence for its author."""

    why: str


Parsed = ReviewCommand | PlainCommand | Misunderstood


def parse_command(body: str) -> Parsed | None:
    """Return the first command of a comment; None if nobody addresses us.

    A command starts its line and stands outside of quotes, code and HTML comments.
    """
    for line in _plain_lines(body):
        if found := _COMMAND.match(line.rstrip()):
            return _parse(printable(found["rest"] or "").split())
    return None


def help_text(problem: str = "") -> str:
    """Return what `/rlm help` answers, as Markdown; `problem` goes first."""
    opening = f"{problem}\n\n" if problem else ""
    return (
        f"{opening}"
        "| Comment | What happens |\n|---|---|\n"
        "| `/rlm review` | review this pull request now; what was said before is not repeated |\n"
        "| `/rlm review full` | the same, and everything is said again |\n"
        "| `/rlm review path/to/folder file.py` | review only these files and folders |\n"
        "| `/rlm stop` | stop the review that is running |\n"
        "| `/rlm help` | this table |\n\n"
        "Only people who may write to this repository can give commands."
    )


def _plain_lines(body: str) -> list[str]:
    """Return the lines that are neither quoted nor code nor inside an HTML comment."""
    body = re.sub(r"<!--.*?(?:-->|\Z)", "", body.replace("\r\n", "\n"), flags=re.DOTALL)
    lines: list[str] = []
    fence = ""
    for line in body.split("\n")[:MAX_LINES]:
        found = _FENCE.match(line)
        if fence:
            closing = found and found["marks"][0] == fence[0] and len(found["marks"]) >= len(fence)
            fence = "" if closing and line.strip() == found["marks"] else fence  # type: ignore[index]
        elif found:
            fence = found["marks"]
        else:
            lines.append(line)
    return lines


def _parse(words: list[str]) -> Parsed:
    if not words:
        return PlainCommand("help")
    name, arguments = words[0].lower(), words[1:]
    if name == "review":
        return _review(arguments)
    if name in {"help", "stop"}:
        if arguments:
            return Misunderstood(f"`{PREFIX} {name}` takes no arguments.")
        return PlainCommand("help" if name == "help" else "stop")
    near = difflib.get_close_matches(name, NAMES, n=1)
    meant = f" Did you mean `{PREFIX} {near[0]}`?" if near else ""
    return Misunderstood(f"There is no such command.{meant}")


def _review(arguments: list[str]) -> Parsed:
    full = bool(arguments) and arguments[0].lower() == "full"
    paths = [path.strip("`") for path in (arguments[1:] if full else arguments)]
    if len(paths) > MAX_PATHS:
        return Misunderstood(f"At most {MAX_PATHS} paths can be named.")
    for path in paths:
        if path.startswith("-"):
            return Misunderstood(f"`{PREFIX} review` takes `full` and paths, and no options.")
        if (
            not path
            or len(path) > MAX_PATH_CHARS
            or path.startswith("/")
            or ".." in path.split("/")
        ):
            return Misunderstood("A path is written from the root of the repository, as in `src/`.")
    return ReviewCommand(full, tuple(paths))
