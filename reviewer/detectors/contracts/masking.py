"""Source with its comments and strings blanked, so that a word found in it is code."""

import re
from collections.abc import Iterator

from reviewer.languages import Language

# Every alternative ends at the end of the line or the file where its close is missing, and none
# goes back: the time is linear in the text, whatever it is.
_LINE_STRINGS = rb"""|"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?"""
_SLASHES = rb"//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
_BACKTICK = rb"|`(?:[^`\\]|\\.)*+`?"
_REGEX = (
    rb"|(?<=[=(,:;!&|?{}\[])[ \t]{0,9}/(?![*/])"
    rb"(?:\\.|\[(?:\\.|[^\]\\\n]){0,200}\]|[^/\\\n\[]){1,300}/"
)
_PYTHON = re.compile(
    rb"#[^\n]*+"
    rb'|"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?'
    rb"|'''(?:[^'\\]|\\.|'(?!''))*+(?:''')?" + _LINE_STRINGS,
    re.DOTALL,
)
_GO = re.compile(_SLASHES + rb"|`[^`]*+`?" + _LINE_STRINGS, re.DOTALL)
_JAVA = re.compile(_SLASHES + rb'|"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?' + _LINE_STRINGS, re.DOTALL)
_SCRIPT = re.compile(_SLASHES + _REGEX + _BACKTICK + _LINE_STRINGS, re.DOTALL)
_RUBY = re.compile(
    rb"^=begin\b.*?(?:^=end\b|\Z)|(?<![\w$?])#(?!\{)[^\n]*+" + _LINE_STRINGS,
    re.DOTALL | re.MULTILINE,
)
_PATTERNS = {
    Language.PYTHON: _PYTHON,
    Language.GO: _GO,
    Language.JAVA: _JAVA,
    Language.JAVASCRIPT: _SCRIPT,
    Language.TYPESCRIPT: _SCRIPT,
    Language.TSX: _SCRIPT,
    Language.RUBY: _RUBY,
}

MASKED = frozenset(_PATTERNS)
"""The languages that `masked` knows."""


def masked(data: bytes, language: Language) -> bytes:
    """Return the source with every comment and string blanked, each byte at its place."""
    return _PATTERNS[language].sub(_blank, data)


def _blank(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if b"\n" not in text:
        return b" " * len(text)
    return b"\n".join(b" " * len(line) for line in text.split(b"\n"))


def literals(data: bytes, language: Language) -> Iterator[tuple[int, int]]:
    """Give where each string of a source begins and ends, with its quotes."""
    for match in _PATTERNS[language].finditer(data):
        if match.group()[:1] in (b'"', b"'", b"`"):
            yield match.span()
