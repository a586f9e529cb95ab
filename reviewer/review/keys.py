"""Names that no file owns and lines of text know: settings, variables of the environment, routes,
tables and columns.

By patterns over single lines, each of which is linear in the line and looks at its beginning only.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

LINE_CHARS = 1_000
"""A longer line is data or minified; what is behind this is not looked at."""

KEYS_OF_LINE = 20


KINDS = ("config", "route", "schema", "serialised")


class Key(NamedTuple):
    """What a line has: one of KINDS, and its name."""

    kind: str
    name: str


_NAME = r"[A-Za-z_][\w.:-]{0,99}"
_QUOTE = r"[\"'`]"
_VERB = r"(?:get|post|put|patch|delete|head|options|all|any)"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "config",
        re.compile(
            r"(?:\bgetenv|\bGetenv|\bLookupEnv|\bGetEnvironmentVariable|\benv::var(?:_os)?"
            r"|\benviron(?:\.get|\.pop|\.setdefault)?|\bENV(?:\.fetch)?|\bprocess\.env"
            rf"|\b(?:settings|config|Config|conf)(?:\.get|\.fetch)?)[\[(]\s{{0,4}}{_QUOTE}({_NAME}){_QUOTE}"
        ),
    ),
    ("config", re.compile(r"\b(?:process\.env|import\.meta\.env)\.(\w{1,100})")),
    ("config", re.compile(r"\bsettings\.([A-Z][A-Z0-9_]{1,99})\b")),
    (
        "route",
        re.compile(
            rf"(?:\.(?:{_VERB}|{_VERB.upper()}|websocket|HandleFunc|Handle)"
            rf"|\bMap(?:Get|Post|Put|Patch|Delete)|\bRoute::{_VERB}|^\s{{0,40}}{_VERB}\b)"
            rf"[\s(]\s{{0,4}}{_QUOTE}(/[^\"'`\s]{{0,199}}){_QUOTE}"
        ),
    ),
    (
        "route",
        re.compile(
            rf"(?:\.route|^\s{{0,40}}(?:re_)?path|\burl|\[Http(?:Get|Post|Put|Patch|Delete)"
            rf"|@(?:Get|Post|Put|Patch|Delete|Request)(?:Mapping)?)"
            rf"\(\s{{0,4}}(?:(?:value|path)\s?=\s?)?r?{_QUOTE}([/\w<^{{:][^\"'`\s]{{0,199}}){_QUOTE}"
        ),
    ),
    ("serialised", re.compile(r"\b(?:json|yaml|xml|bson|db):\"([\w.-]{1,100})")),
    (
        "schema",
        re.compile(
            r"\b(?:CREATE|ALTER|DROP|RENAME)\s{1,4}TABLE\s{1,4}(?:IF\s{1,4}(?:NOT\s{1,4})?EXISTS\s{1,4})?"
            rf"[`\"\[]?({_NAME})",
            re.IGNORECASE,
        ),
    ),
    (
        "schema",
        re.compile(
            r"\b(?:ADD|ALTER|DROP|RENAME|MODIFY)\s{1,4}COLUMN\s{1,4}"
            rf"(?:IF\s{{1,4}}(?:NOT\s{{1,4}})?EXISTS\s{{1,4}})?[`\"\[]?({_NAME})",
            re.IGNORECASE,
        ),
    ),
    ("schema", re.compile(rf"\b(?:create|drop|rename|change)_table[\s(]\s{{0,4}}[:'\"]({_NAME})")),
    (
        "schema",
        re.compile(
            r"\b(?:add|remove|drop|rename|change|alter)_column[\s(]\s{0,4}[:'\"]\w{1,100}['\"]?,\s{0,4}"
            rf"(?:(?:\w{{1,20}}\.)?Column\(\s{{0,4}})?[:'\"]({_NAME})"
        ),
    ),
    ("schema", re.compile(rf"(?<!@)\b(?:Column|mapped_column)\(\s{{0,4}}['\"]({_NAME})['\"]")),
    (
        "serialised",
        re.compile(rf"@(?:JsonProperty|SerializedName|Column)\({_QUOTE}({_NAME}){_QUOTE}"),
    ),
    ("serialised", re.compile(rf"\bserde\(rename\s?=\s?\"({_NAME})\"")),
    ("serialised", re.compile(rf"\bJsonPropertyName\(\"({_NAME})\"")),
)

_HINTS = ("'", '"', "`", "settings.", "env.", "TABLE", "COLUMN", "table", "column")
"""One of these is in every line that has a key; most lines have none, and are many."""

_RAISING = ("raise", "throw", "panic", "Err")

_WORDS = re.compile(r"[\"'`]([^\"'`\s]{2,200})[\"'`]|\b([A-Z][A-Z0-9_]{3,99})\b")

_RAISED = re.compile(
    r"(?:(?:^|[;{}():>]|\b(?:else|or|return|then)\b)\s{0,80}(?:raise|throw)|\b(?:panic|Err))\b"
    r"\s{0,4}\(?\s{0,4}(?:new\s)?([A-Za-z_][\w.:]{0,99})"
)
"""A word for raising where a statement can begin: prose has it in the middle of a line."""

_NO_ERROR = frozenset(
    {"new", "from", "e", "err", "error", "ex", "exc", "self", "this", "None", "NotImplementedError"}
)
"""Variables, and what an abstract method says of itself: nobody catches that."""


def keys_in(line: str) -> list[Key]:
    """Return the keys that a line reads, writes or offers, each once, at most KEYS_OF_LINE."""
    line = line[:LINE_CHARS]
    if not any(hint in line for hint in _HINTS):
        return []
    found: dict[Key, None] = {}
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(line):
            found[Key(kind, match[1])] = None
    return list(found)[:KEYS_OF_LINE]


def words_in(line: str) -> Iterator[str]:
    """Yield what in a line may be a key used from elsewhere: quoted words, names in capitals."""
    for match in _WORDS.finditer(line[:LINE_CHARS]):
        yield match[1] or match[2]


def raised_in(line: str) -> set[str]:
    """Return the names of the errors that a line raises; a variable is not one."""
    line = line[:LINE_CHARS]
    if not any(word in line for word in _RAISING):
        return set()
    found = (match[1] for match in _RAISED.finditer(line))
    return {name for name in found if name not in _NO_ERROR and _is_error(name)}


def _is_error(name: str) -> bool:
    last = re.split(r"[.:]", name)[-1]
    return last[:1].isupper() or last.endswith(("error", "exception"))
