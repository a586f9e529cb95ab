"""What a step says to the runner of GitHub Actions: log lines that are inert, and commands.

The runner reads every line of a step's output. `::name key=value::message` is a command at the
start of a line, white space aside, and the older `##[name]` is one anywhere in it. So each line
that may hold a stranger's words goes through here.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import BinaryIO, Literal

from pydantic import SecretStr

from app.render import words
from app.render.escape import cut, one_line, visible
from reviewer.finding import Category, Finding, Severity
from reviewer.text import printable

Level = Literal["error", "warning", "notice"]

ANNOTATIONS_EACH = 10
"""GitHub keeps "10 warning annotations and 10 error annotations per step"."""

KEPT_BACK = 1
"""Of each kind, for what we have to say about the run itself."""

MESSAGE_CHARS = 4_000
"""The runner cuts a message at 4,096 characters."""

TITLE_CHARS = 200
"""The API takes a title of 255."""

LINE_CHARS = 2_000

_LEVELS: dict[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "warning",
    Severity.NIT: "notice",
}
_LOWER: dict[Level, Level] = {"error": "warning", "warning": "notice"}

_OLD_COMMAND = re.compile(r"##(?=\[)")


def command(name: str, message: str = "", **properties: str | int) -> str:
    """Return a workflow command, on one line whatever is in it; `name` is ours."""
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_data(message)}"


def log_line(text: str) -> str:
    """Return a line for the log that is no command: visible, bounded, and with a start of its own.

    The text comes after "rlm: ", so that "::" does not open the line.
    """
    return "rlm: " + _OLD_COMMAND.sub("## ", cut(one_line(printable(text)), LINE_CHARS))


def annotations(findings: Sequence[Finding]) -> list[str]:
    """Return the commands that show the worst and surest findings beside the diff.

    As many as GitHub keeps. Where there are more errors than that, the rest of them become
    warnings, and so on.
    """
    return list(_fitting(words.foremost(findings)))


def _fitting(ordered: Sequence[Finding]) -> Iterator[str]:
    room: dict[Level, int] = dict.fromkeys(
        ("error", "warning", "notice"), ANNOTATIONS_EACH - KEPT_BACK
    )
    for finding in ordered:
        level: Level | None = _LEVELS[finding.severity]
        while level is not None and not room[level]:
            level = _LOWER.get(level)
        if level is None:
            return
        room[level] -= 1
        yield _annotation(finding, level)


def _annotation(finding: Finding, level: Level) -> str:
    place: dict[str, str | int] = {"file": finding.path}
    said = [_kind(finding.severity, finding.category), visible(finding.body).strip()]
    # The lines of an annotation are those of the head.
    if finding.side == "RIGHT" and finding.start_line is not None and finding.line is not None:
        place |= {"line": finding.start_line, "endLine": finding.line}
    elif finding.line is not None:
        said.insert(1, f"{words.place(finding)} of the version before this change")
    if words.unverified(finding):
        said.append(f"{words.UNVERIFIED.capitalize()}.")
    if others := words.also_at(finding):
        said.append(f"Also at: {', '.join(others)}")
    title = cut(one_line(finding.title), TITLE_CHARS) or finding.category.value
    message = "\n\n".join(part for part in said if part)
    return command(level, message[:MESSAGE_CHARS], **place, title=title)


def _kind(severity: Severity, category: Category) -> str:
    return f"{severity.value}, {category.value}"


_KINDS = frozenset(_kind(*each) for each in product(Severity, Category))


def is_annotation(message: str) -> bool:
    """Does a message read like one that `annotations` made, in whichever run?"""
    return message.partition("\n")[0].strip() in _KINDS


class StepLog:
    """The log of a step, on its standard output; a stream to `app.render.live` too."""

    encoding = "utf-8"

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream or sys.stdout.buffer

    def say(self, text: str) -> None:
        """Log a line."""
        self._print(log_line(text))

    def tell(self, level: Level, text: str) -> None:
        """Log a sentence that the run's page shows too."""
        self._print(command(level, cut(visible(printable(text)), MESSAGE_CHARS - 50), title="rlm"))

    def mask(self, secret: SecretStr | None) -> None:
        """Have the runner write *** for a secret from here on, in this job's logs and summaries."""
        if secret is not None:
            self._print(command("add-mask", secret.get_secret_value()))

    def annotate(self, findings: Sequence[Finding]) -> None:
        """Show the worst findings beside the diff."""
        for line in annotations(findings):
            self._print(line)

    def write(self, text: str) -> int:
        """Log each line of a text."""
        for line in text.splitlines():
            self.say(line)
        return len(text)

    def flush(self) -> None:
        """Do nothing: every line is flushed."""

    def isatty(self) -> bool:
        """Say no: a log is no terminal."""
        return False

    def _print(self, line: str) -> None:
        # Bytes: the locale of a self-hosted runner may know no UTF-8.
        self._stream.write(line.encode("utf-8", "backslashreplace") + b"\n")
        self._stream.flush()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
