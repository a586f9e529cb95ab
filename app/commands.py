"""Commands that people write in comments: lines that begin with `/rlm`.

A comment is untrusted text. What comes out of it are a few typed commands, whose only free words
are paths to compare with the paths of the change, and a question or an instruction that a model is
given; nothing in it can name a key, an address, a branch or a model.
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from reviewer.text import is_blank, printable

PREFIX = "/rlm"

Plain = Literal[
    "go", "tests", "undo", "stop", "pause", "resume", "resolve", "cost", "config", "memory", "help"
]
"""Commands without arguments."""

PLAIN: tuple[Plain, ...] = get_args(Plain)

WRITING = ("refactor", "go", "fix", "tests", "undo")
"""Commands that come to commits, or take some back."""

NAMES = ("review", "ask", "forget", "refactor", "fix", *PLAIN)

LATER = ("debug",)
"""Commands that are planned, and whose job is not there yet."""

ONLY_WRITERS = "Only people who may write to this repository can give commands."

MAX_COMMANDS = 5
"""Of one comment."""

MAX_PATHS = 20
MAX_PATH_CHARS = 400
MAX_STARTS = 50
"""Lines of one comment that address us. Where there are more, none of them is looked at."""

MAX_QUESTION_CHARS = 4_000
MAX_FINDINGS = 20
"""Of one `fix`."""

_COMMAND = re.compile(r" {0,3}/rlm(?:[ \t]|\Z)", re.IGNORECASE)
"""With as many spaces before it as Markdown takes for none, and as a phone may begin a line."""

_FINDING = re.compile(r"[0-9a-f]{12}(?:-[0-9]{1,4})?", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class ReviewCommand:
    """Review this pull request. `full`: say again what was said before. `paths`: only these."""

    full: bool = False
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskCommand:
    """Answer a question about this pull request, or about what the thread is about."""

    question: str


@dataclass(frozen=True, slots=True)
class ForgetCommand:
    """Say a dismissed finding again, by its id."""

    finding: str


@dataclass(frozen=True, slots=True)
class RefactorCommand:
    """Plan what an instruction says; a person starts the plan."""

    instruction: str


@dataclass(frozen=True, slots=True)
class FixCommand:
    """Close findings, by their ids; none: of this thread, or all that stand."""

    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlainCommand:
    """A command without arguments."""

    name: Plain


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """Something was meant for us and is no command; `why` is a sentence for its author."""

    why: str


Parsed = (
    ReviewCommand
    | AskCommand
    | ForgetCommand
    | RefactorCommand
    | FixCommand
    | PlainCommand
    | Misunderstood
)


def parse_commands(body: str) -> tuple[Parsed, ...]:
    """Return the commands of a comment in their order, each once; none if nobody addresses us.

    A command starts its line and stands outside of quotes, code and HTML. The lines after a
    question or an instruction belong to it, its code too, up to the next command.
    """
    lines = _lines(body)
    starts = [n for n, line in enumerate(lines) if line.plain and _COMMAND.match(line.text)]
    if len(starts) > MAX_STARTS:
        return (_too_many(len(starts)),)
    if starts:
        others = _no_text(_split(body)[: starts[-1] + 1])  # a line means what those before it say
        starts = [n for n in starts if n not in others]
    found: list[Parsed] = []
    for start, end in pairwise([*starts, len(lines)]):
        after = [line.text for line in lines[start + 1 : end]]
        said = _parse(lines[start].text.lstrip()[len(PREFIX) :], after)
        if said not in found:
            found.append(said)
    return (_too_many(len(found)),) if len(found) > MAX_COMMANDS else tuple(found)


def _too_many(number: int) -> Misunderstood:
    return Misunderstood(f"A comment can give {MAX_COMMANDS} commands; this one gives {number}.")


HELP: Sequence[tuple[str, str]] = (
    ("review", "review this pull request now; what was said before is not repeated"),
    ("review full", "the same, and everything is said again"),
    ("review path/to/folder file.py", "review only these files and folders"),
    ("ask why is this lock needed?", "answer a question about this pull request or this thread"),
    ("refactor rename f to g", "plan this change of how the program is built, for you to start"),
    ("go", "carry the newest plan out: a pull request on top of this one"),
    ("fix 0a1b2c3d4e5f", "close this finding; alone, that of this thread, or all that stand"),
    ("tests", "write tests for what this pull request changes and no test covers"),
    ("undo", "close my pull request on top of this one, and delete its branch"),
    ("resolve", "close this thread; on the pull request itself, all threads of mine"),
    ("stop", "stop what is running; if nothing is, set aside the plan that waits"),
    ("pause", "review no further pushes of this pull request by myself"),
    ("resume", "the opposite of `pause`"),
    ("cost", "what this pull request has cost so far"),
    ("config", "the settings that hold here, and where each comes from"),
    ("memory", "what was dismissed in this repository, and by whom"),
    ("forget 0a1b2c3d4e5f", "say that finding again; `memory` has its name"),
    ("help", "this table"),
)


def help_text(problem: str = "", *, only: Sequence[str] = NAMES) -> str:
    """Return what `/rlm help` answers, as Markdown; `problem` goes first.

    `only`: the commands there are where this runs.
    """
    opening = f"{problem}\n\n" if problem else ""
    rows = [f"| `{PREFIX} {shown}` | {does} |" for shown, does in HELP if shown.split()[0] in only]
    return (
        f"{opening}| Comment | What happens |\n|---|---|\n"
        + "\n".join(rows)
        + f"\n\n{ONLY_WRITERS}"
    )


_NO_TEXT = frozenset({"blockquote_open", "fence", "code_block", "html_block"})
"""Blocks of Markdown in which nothing is said by whoever wrote the comment."""


_MAY_BEGIN = re.compile(
    r"[ \t]*(?:[#>`~<]|[-+*_](?:[ \t]|[-*_]|\Z)|=+[ \t]*\Z|[0-9]{1,9}[.)](?:[ \t]|\Z)|\Z)"
)
"""What may begin a block of Markdown, or end a paragraph. Any other line goes on with the one
before it, if that is such a line, too."""

_ENDS_HTML = re.compile(r"-->|\?>|\]\]>|</(?:script|pre|textarea|style)>|>", re.IGNORECASE)


def _no_text(lines: Sequence[str]) -> set[int]:
    """Return the lines of a comment that are quoted, code or HTML, as Markdown's own rules have it:
    a quote goes on in the lines after it that begin with no mark, and HTML up to an empty line.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415 few comments have a command

    # Where lines end is said by `_lines`: a lone carriage return would be one to the parser.
    lines = [line.replace("\r", " ") for line in lines]
    # Each level of a quote goes through all lines that go on with it: one tells of all of them.
    parsed, of = _without_repeats(lines)
    blocks = MarkdownIt("commonmark").disable("inline").parse("\n".join(parsed))
    others = {
        line
        for block in blocks
        if block.type in _NO_TEXT
        and block.map is not None
        # What is seen of an HTML comment's lines `_lines` knows.
        and not (block.type == "html_block" and block.content.lstrip(" ").startswith("<!--"))
        for line in range(*block.map)
    }
    return {n for n, at in enumerate(of) if at in others}


def _without_repeats(lines: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the lines but those that go on with the one before, and for each line which of the
    returned ones tells of it.
    """
    kept: list[str] = []
    of: list[int] = []
    in_text = False
    ends: set[str] = set()
    for line in lines:
        if _MAY_BEGIN.match(line):
            kept.append(line)
            in_text = False
            ends.clear()
        else:
            # HTML may end with it, but not twice: no more begins before the text ends.
            more = {one.lower() for one in _ENDS_HTML.findall(line)} - ends
            if more or not in_text:
                kept.append(line)
            in_text = not more and (in_text or not line.startswith((" ", "\t")))  # may be code
            ends |= more
        of.append(len(kept) - 1)
    return kept, of


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as people see it; `plain` says that it is neither code nor begun in a comment."""

    text: str
    plain: bool


def _lines(body: str) -> list[_Line]:
    """Return the lines of a comment without HTML comments, as GitHub shows them.

    In doubt what looks like an HTML comment is one: nobody is to give a command that nobody sees.
    A code span is believed where nothing before it, in its paragraph or as HTML, can undo it.
    """
    lines: list[_Line] = []
    fence = ""
    hidden = tangled = has_html = False
    for line in _split(body):
        found = None if hidden else _FENCE.match(line)
        if fence:
            closing = found and found["marks"][0] == fence[0] and len(found["marks"]) >= len(fence)
            fence = "" if closing and line.strip() == found["marks"] else fence  # type: ignore[index]
            lines.append(_Line(line.rstrip(), plain=False))
        elif found:
            fence = found["marks"]
            lines.append(_Line(line.rstrip(), plain=False))
        else:
            has_html |= line.count("<") > line.count("<!--")
            spans = not (tangled or has_html or "\\" in line)
            begun = hidden
            text, hidden = _shown(line, hidden=hidden, spans=spans)
            lines.append(_Line(text.rstrip(), plain=not begun))
            tangled = bool(line.strip()) and (tangled or "`" in line or "\\" in line)
    return lines


def _split(body: str) -> list[str]:
    return body.replace("\r\n", "\n").split("\n")


def _shown(line: str, *, hidden: bool, spans: bool) -> tuple[str, bool]:
    """Return what is seen of a line, and whether it ends within an HTML comment.

    With `spans`, what stands in a code span of this line is no comment.
    """
    shown: list[str] = []
    at = 0
    code = _code_spans(line) if spans else {}
    while True:
        if hidden:
            end = line.find("-->", at)
            if end < 0:
                return "".join(shown), True
            at, hidden = end + len("-->"), False
        start = at
        while (mark := _MARK.search(line, at)) and mark[0] != "<!--":
            at = code.get(mark.start(), mark.end())
        if mark is None:
            shown.append(line[start:])
            return "".join(shown), False
        shown.append(line[start : mark.start()])
        at, hidden = mark.end(), True


def _code_spans(line: str) -> dict[int, int]:
    """Return where a code span would end, by where it began: at the next run of as many marks."""
    ends: dict[int, int] = {}
    last: dict[int, int] = {}
    for run in re.finditer("`+", line):
        length = run.end() - run.start()
        if length in last:
            ends[last[length]] = run.end()
        last[length] = run.start()
    return ends


_MARK = re.compile(r"`+|<!--")


def _parse(rest: str, after: Sequence[str]) -> Parsed:
    name, *arguments = printable(rest).split() or ["help"]
    name = name.lower()
    if name in _WITH_PATHS_OR_NAMES:
        return _WITH_PATHS_OR_NAMES[name](arguments)
    if name in _WITH_WORDS:
        return _WITH_WORDS[name](rest.split(None, 1)[1:], after)
    if (plain := _PLAIN.get(name)) is not None:
        return Misunderstood(f"`{PREFIX} {name}` takes no arguments.") if arguments else plain
    return Misunderstood(_unknown(name))


_PLAIN: dict[str, PlainCommand] = {name: PlainCommand(name) for name in PLAIN}


def _unknown(name: str) -> str:
    if name in LATER:
        return f"`{PREFIX} {name}` comes later: this version cannot do it yet."
    near = difflib.get_close_matches(name, NAMES, n=1)
    meant = f" Did you mean `{PREFIX} {near[0]}`?" if near else ""
    return f"There is no such command.{meant}"


def _forget(arguments: list[str]) -> Parsed:
    if len(arguments) != 1 or not _FINDING.fullmatch(arguments[0].strip("`")):
        return Misunderstood(f"`{PREFIX} forget` takes the name of a finding: see `memory`.")
    return ForgetCommand(arguments[0].strip("`").lower())


def _refactor(first: Sequence[str], after: Sequence[str]) -> Parsed:
    text = _words(first, after)
    if not text:
        return Misunderstood(
            f"`{PREFIX} refactor` needs an instruction, on the same line or below it."
        )
    if len(text) > MAX_QUESTION_CHARS:
        return _too_long("An instruction", text)
    return RefactorCommand(text)


def _fix(arguments: list[str]) -> Parsed:
    names = [one.strip("`,").lower() for one in arguments]
    if any(not _FINDING.fullmatch(one) for one in names):
        return Misunderstood(f"`{PREFIX} fix` takes names of findings, or nothing.")
    if len(names) > MAX_FINDINGS:
        return Misunderstood(f"At most {MAX_FINDINGS} findings can be named.")
    return FixCommand(tuple(dict.fromkeys(names)))


def _too_long(what: str, text: str) -> Misunderstood:
    return Misunderstood(
        f"{what} can have {MAX_QUESTION_CHARS:,} characters; this one has {len(text):,}."
    )


def _words(first: Sequence[str], after: Sequence[str]) -> str:
    text = "\n".join(printable(line) for line in (*first, *after)).strip()
    return "" if is_blank(text) else text


def _ask(first: Sequence[str], after: Sequence[str]) -> Parsed:
    text = _words(first, after)
    if not text:
        return Misunderstood(f"`{PREFIX} ask` needs a question, on the same line or below it.")
    if len(text) > MAX_QUESTION_CHARS:
        return _too_long("A question", text)
    return AskCommand(text)


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


_WITH_PATHS_OR_NAMES: Mapping[str, Callable[[list[str]], Parsed]] = {
    "review": _review,
    "forget": _forget,
    "fix": _fix,
}
_WITH_WORDS: Mapping[str, Callable[[Sequence[str], Sequence[str]], Parsed]] = {
    "ask": _ask,
    "refactor": _refactor,
}
