"""Secrets without a form of their own: a literal under a telling name, or a password in a URL.

Most such lines in real repositories are mock values, names of secrets and lookups, so everything
here has to be strong: a name that means a secret, and a value that nobody would type as a sample.
"""

import re
import string
from collections.abc import Callable, Iterator

from reviewer.detectors.secret_kinds import entropy, looks_random

_WORDS = ("password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key")
_MORE_WORDS = ("access_key", "private_key", "auth_key", "client_key", "signing_key", "credential")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_MAX_LINE = 1_000  # characters; a longer line is data or minified code
_MIN_VALUE, _MAX_VALUE = 10, 200

_NAME = (
    r"(?<![\w.\-])(?P<name>[\w.\-]{0,60}?(?i:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|auth[_-]?key|client[_-]?key|signing[_-]?key|credential)[\w\-]{0,30})"
)
# Comments explain with made-up values, and a note for other scanners is a person's judgement.
_SET_ASIDE = re.compile(r"^\s*(?:#|//|/?\*|--\s|;|<!--|rem\s)|allowlist secret|gitleaks:allow")
_QUOTED = re.compile(
    _NAME + r"[\"'\]]{0,2}\s{0,8}(?::\s{0,2}\w{1,20}\s{0,4})?(?::=|=>|=|:)\s{0,8}[bru]?"
    r"(?P<quote>[\"'`])(?P<value>[^\"'`\s]{8,200})(?P=quote)"
)
_BARE = re.compile(
    r"^\s*(?:export\s+|ENV\s+|ARG\s+|-\s+)?" + _NAME + r"\s{0,8}[=:]\s{0,8}"
    r"(?P<value>[^\s\"'`,;]{8,200})\s*(?:\s#.*)?$"
)
_URL = re.compile(
    r"(?<![\w.+-])(?P<scheme>[a-z][a-z0-9+.-]{1,20})://(?P<user>[^\s:/?#@\"'`<>]{0,64})"
    r":(?P<value>[^\s:/?#@\"'`<>]{4,200})@(?P<host>[\w.-]{1,200})"
)
_BARE_FILES = re.compile(
    r"(?:^|/)(?:\.env[\w.-]*|Dockerfile[\w.-]*)$|\.(?:sh|ini|cfg|conf|properties|ya?ml|toml|tfvars|env)$",
    re.IGNORECASE,
)
_NO_CODE = re.compile(
    r"\.(?:lock|sum|map|svg|css|csv|tsv|snap|xml|xlf|po|strings|pem|crt)$"
    r"|(?:^|/)(?:[\w.-]*lock[\w.-]*\.(?:json|yaml)|package\.json|i18n|locales?|lang)(?:/|$)",
    re.IGNORECASE,
)
_NOT_A_SECRET_NAME = re.compile(
    r"(?:id|ids|name|names|path|file|dir|url|uri|endpoint|header|field|type|kind|length|len|hint"
    r"|label|policy|pattern|regex|prefix|suffix|format|param|key_?ref|ref|class|hash|sha\d*|digest"
    r"|checksum|placeholder|text|title|message|error|help|description|expires?\w*|version|encoding"
    r"|env|var|arn|scope|algorithm|provider|manager|store|tokenizer|count|limit|usage|model|public"
    r"|site_?key|selector|input|storage_?key|cache_?key)$",
    re.IGNORECASE,
)
_PUBLIC_NAME = re.compile(r"public|publishable|csrf|xsrf|site_?key|sitekey|token_?type|page_?token")
_REFERENCE = re.compile(
    r"^\$[A-Za-z_]|\$[({]|\{\{|%[(\w]|<[^>]*>|\{\w*\}|^\w+\(|\bos\.environ|process\.env|^(?:env|var|ref|vault"
    r"|arn|file|https?|ssm|op|secret|data):|\.\.\."
)
_SEPARATORS = re.compile(r"[-_./:#@]+")
_WORD = re.compile(r"[A-Za-z]+\d{0,4}|\d{1,4}|")
_UUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_DIGEST = re.compile(r"^(?:sha\d+[-:])|^\$\d?[abxy]?\$|^\{\w+\}")
_PLAIN_HOST = re.compile(
    r"(?i)^(?:localhost|127\.|0\.0\.0\.0|\[|host\.docker)|example|\.(?:local|test)$"
)

_PASSWORD_ENTROPY = 3.0  # bits a character; "correcthorse" has 2.9, a drawn one of 12 has 3.4


def search(
    path: str, text: str, index: Callable[[int], int]
) -> Iterator[tuple[int, str, str, float]]:
    """Yield line index, value, a name for it and a confidence, for each strong literal."""
    if _NO_CODE.search(path):
        return
    done: set[int] = set()
    for offset in _offsets(text):
        number = index(offset)
        if number in done:
            continue
        done.add(number)
        start = text.rfind("\n", 0, offset) + 1
        end = text.find("\n", offset)
        line = text[start : end if end >= 0 else len(text)]
        if len(line) <= _MAX_LINE and not _SET_ASIDE.search(line):
            for value, name, confidence in _in_line(path, line):
                yield number, value, name, confidence


def values(line: str) -> list[str]:
    """Return every literal of a line that stands where a secret would, strong or weak."""
    if len(line) > _MAX_LINE:
        return []
    found = [match["value"] for match in _QUOTED.finditer(line)]
    found += [match["value"] for match in _URL.finditer(line)]
    return [value for value in found if not _REFERENCE.search(value)]


def _offsets(text: str) -> Iterator[int]:
    lower = text.translate(_LOWER)  # not lower(): a letter may become two, and offsets would lie
    for word in (*_WORDS, *_MORE_WORDS, "://"):
        at = lower.find(word)
        while at >= 0:
            yield at
            at = lower.find(word, at + 1)


def _in_line(path: str, line: str) -> Iterator[tuple[str, str, float]]:
    for match in _URL.finditer(line):
        if (
            "." in match["host"]
            and not _PLAIN_HOST.search(match["host"])
            and _strong(match["value"])
        ):
            yield match["value"], "Password in a URL", 0.7
    patterns = [_QUOTED, _BARE] if _BARE_FILES.search(path) else [_QUOTED]
    for pattern in patterns:
        for match in pattern.finditer(line):
            if _telling(match["name"]) and _strong(match["value"]):
                yield match["value"], "Hard-coded secret", 0.6


def _telling(name: str) -> bool:
    return not _NOT_A_SECRET_NAME.search(name) and not _PUBLIC_NAME.search(name.lower())


def _strong(value: str) -> bool:
    """Drawn by a machine or chosen to be hard to guess: letters, digits and no plain words."""
    return (
        _MIN_VALUE <= len(value) <= _MAX_VALUE
        and any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
        and not any(pattern.search(value) for pattern in (_REFERENCE, _UUID, _DIGEST))
        and not all(map(_WORD.fullmatch, _SEPARATORS.split(value)))
        and looks_random(value)
        and entropy(value) >= _PASSWORD_ENTROPY
    )
