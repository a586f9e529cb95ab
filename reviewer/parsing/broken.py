"""Is a file broken, and certainly so? Asked inside the worker process.

Grammars lag behind their languages, so an ERROR node alone proves little. What does:

- Python: Python's own parser refuses the file, and the grammar (which knows newer syntax than the
  running Python) refuses it too, or the fault is one that no later Python can make legal.
- INI, JSON, TOML, YAML: their parsers, with the known dialects and extensions let through.
- GRAMMAR_SUFFICES: the grammar parsed the file before the change and does not after it.
- Everything else: the brackets do not match any more, neither as tokens nor counted. A file
  without a base is judged by this only, and only in languages whose grammars do not stumble over
  brackets themselves.

A file that was broken before the change is never reported, whatever the change did to it.
"""

import ast
import configparser
import json
import re
import tomllib
import warnings
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

import yaml

from reviewer.languages import Language
from reviewer.parsing.grammars import PARSED, parse
from reviewer.parsing.trees import Fault, faults, unbalanced

Proof = Literal["parser", "brackets", "grammar"]


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong at which line (from 1), and how we know. `faults` are the grammar's words."""

    line: int
    says: str
    proof: Proof
    faults: list[Fault] = field(default_factory=list)


CHECKED = PARSED | {Language.INI, Language.JSON, Language.TOML, Language.YAML}
"""The languages that `check` knows."""


def check(language: Language, path: str, head: bytes, base: bytes | None) -> Broken | None:
    """Return what the change broke in a file, None where nothing is certain."""
    if b"\x00" in head:
        return None
    match language:
        case Language.PYTHON:
            return _check_python(head, base)
        case Language.JSON:
            return _check_json(PurePosixPath(path).name, head, base)
        case Language.INI | Language.TOML:
            return (_check_ini if language is Language.INI else _check_toml)(head, base)
        case Language.YAML:
            return _check_yaml(head, base)
    return _check_tree(language, path, head, base)


def well_formed(language: Language, path: str, data: bytes) -> bool:
    """Is a file of a language in CHECKED certainly well-formed?

    The other end of the same doubt: what `check` would not hold against a file (a dialect, a gap of
    its grammar) does not prove it right either.
    """
    if b"\x00" in data or not (language in PARSED or _is_utf8(data)):
        return False
    match language:
        case Language.PYTHON:
            tree = parse(language, data)
            error = python_error(data)
            newer = error is not None and not _CERTAIN.search(error[1])
            return error is None or (newer and not tree.root_node.has_error)
        case Language.JSON:
            return json_error(data) is None or (
                PurePosixPath(path).name not in _STRICT_JSON
                and json_error(_without_comments(data)) is None
            )
        case Language.INI | Language.TOML:
            return (ini_error if language is Language.INI else toml_error)(data) is None
        case Language.YAML:
            return yaml_error(data) is None
    return _parses(language, data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# Python ------------------------------------------------------------------------------------------

# No later Python can make these legal: they are about layout and the order of arguments.
_CERTAIN = re.compile(
    r"expected an indented block|unindent does not match|unexpected indent|"
    r"positional argument follows keyword argument|default argument follows default argument"
)
# The parser's own limits: a file that meets them may be Python all the same.
_LIMIT = re.compile(r"too many|too complex|too large|exceeds the limit|unknown encoding")
_PYTHON_2 = re.compile(
    rb"^[ \t]*(?:print[ \t]+[\"'\w%]|print$|except[ \t]+[\w.]+[ \t]*,[ \t]*\w+[ \t]*:|"
    rb"raise[ \t]+[\w.]+[ \t]*,|exec[ \t]+[\"'\w])",
    re.MULTILINE,
)
# Syntax that came after 3.11; the grammar may be behind on the newest of it.
_PYTHON_NEWER = re.compile(
    r"\b(?:[tT][rR]?|[rR][tT])[\"']|^\s*lazy\s+(?:import|from)\b|^\s*except\*?\s+[^(:]*,|"
    r"^\s*type\s+\w+|^\s*(?:async\s+)?(?:def|class)\s+\w+\["
)


def python_error(data: bytes) -> tuple[int, str] | None:
    """Return line and words of Python's own objection to a file; nothing is executed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except SyntaxError as error:
        if _LIMIT.search(error.msg):
            return None
        return error.lineno or 1, error.msg
    except (ValueError, RecursionError, MemoryError):
        return None  # too deep or too odd for this parser: no statement about the file
    return None


def _check_python(head: bytes, base: bytes | None) -> Broken | None:
    error = python_error(head)
    if error is None:
        return None
    if python_error(base) if base is not None else _PYTHON_2.search(head):
        return None
    line, says = error
    if _PYTHON_NEWER.search(_text_of(head, line)):
        return None
    tree = parse(Language.PYTHON, head)
    if not tree.root_node.has_error and not _CERTAIN.search(says):
        return None
    return Broken(line, says, "parser", faults(tree))


def _text_of(data: bytes, line: int) -> str:
    lines = data.split(b"\n")
    return lines[line - 1].decode("utf-8", "replace") if 0 < line <= len(lines) else ""


# INI, JSON, TOML, YAML ---------------------------------------------------------------------------

_FILLED_IN = re.compile(rb"\{\{|\{%|<%|\$\{|<\?|#\{|%\(|@[A-Z_]{3,40}@")
_COMMENT_OR_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')
_INTERPOLATED = re.compile(rb"%\(\w+\)[-#0 +]{0,5}[\d.]{0,9}[a-z]|\$\{[\w:]+\}")
_STRICT_JSON = frozenset(
    {"package.json", "package-lock.json", "composer.json", "manifest.json", "lerna.json"}
)


def json_error(data: bytes) -> tuple[int, str] | None:
    """Return line and words of the JSON parser's objection to a file."""
    try:
        json.loads(data.decode("utf-8-sig"), parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return error.lineno, error.msg
    except (UnicodeDecodeError, RecursionError):
        return None  # another encoding or too deep: no statement about the file
    return None


def _without_comments(data: bytes) -> bytes:
    def blank(match: re.Match[str]) -> str:
        piece = match[0]
        return piece if piece.startswith('"') else re.sub(r"[^\n]", " ", piece)

    text = _COMMENT_OR_STRING.sub(blank, data.decode("utf-8-sig", "replace"))
    return _TRAILING_COMMA.sub(lambda match: match[1] or " ", text).encode()


def _check_json(name: str, head: bytes, base: bytes | None) -> Broken | None:
    error = json_error(head)
    if error is None or not head.strip():
        return None
    # A notebook holds code and formulas in its strings, and is filled in by nobody.
    if not name.endswith(".ipynb") and _FILLED_IN.search(head):
        return None
    if name.endswith(".json5") or (base is not None and json_error(base)):
        return None
    if name not in _STRICT_JSON:
        # Many tools read JSON with comments and trailing commas, and no list knows them all.
        error = json_error(_without_comments(head))
    if error is None or _is_json_stream(head):
        return None
    return Broken(*error, "parser")


_SPACE = re.compile(r"\s*")


def _is_json_stream(data: bytes) -> bool:
    """Is it several JSON values one after the other, as logs and recordings have them?"""
    text, at = data.decode("utf-8", "replace"), 0
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    try:
        while at < len(text):
            _, at = decoder.raw_decode(text, at)
            space = _SPACE.match(text, at)
            at = space.end() if space else at
    except (json.JSONDecodeError, RecursionError):
        return False
    return True


# TOML 1.1 allows newlines, comments and a trailing comma in an inline table, and two new escapes.
_TOML_NEWER = re.compile(r"inline table|Unescaped '\\|Invalid initial character for a key part")
_AT_LINE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)$")


def toml_error(data: bytes) -> tuple[int, str] | None:
    """Return line and words of the TOML 1.0 parser's objection to a file."""
    try:
        tomllib.loads(data.decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        last = data.count(b"\n", 0, len(data.rstrip())) + 1
        line = int(place[1]) if place and place[1] else last
        return line, _AT_LINE.sub("", str(error)).strip()
    except (UnicodeDecodeError, RecursionError, ValueError):
        return None
    return None


def _check_toml(head: bytes, base: bytes | None) -> Broken | None:
    error = toml_error(head)
    if error is None or _FILLED_IN.search(head) or (base is not None and toml_error(base)):
        return None
    line, says = error
    before = b"\n".join(head.split(b"\n")[:line])
    if _TOML_NEWER.search(says) and (b"{" in before or "\\" in says):
        return None
    return Broken(line, says, "parser")


def ini_error(data: bytes) -> tuple[int, str] | None:
    """Return line and words of Python's INI parser's objection to a file."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(data.decode("utf-8"))
    except configparser.MissingSectionHeaderError as error:
        return error.lineno, "a line before any section"
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        # What follows a line that is broken is read wrongly, so this one has no line of its own.
        return error.lineno or 1, "a section or a key that is there already"
    except configparser.ParsingError as error:
        return error.errors[0][0], "neither a section nor a key with a value"
    except (configparser.Error, UnicodeDecodeError, ValueError):
        return None
    return None


def _check_ini(head: bytes, base: bytes | None) -> Broken | None:
    error = ini_error(head)
    if error is None or _FILLED_IN.search(_INTERPOLATED.sub(b"", head)):
        return None
    if base is not None and ini_error(base):
        return None
    return Broken(*error, "parser")


_YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # absent without libyaml


def yaml_error(data: bytes) -> tuple[int, str] | None:
    """Return line and words of the YAML parser's objection; tags and anchors are not resolved."""
    try:
        for _ in yaml.parse(data, Loader=_YAML_LOADER):
            pass
    except yaml.MarkedYAMLError as error:
        # An unclosed [ or { is noticed lines later; its context is where it was opened.
        inline = "flow" in (error.context or "") and error.context_mark is not None
        mark = error.context_mark if inline else error.problem_mark or error.context_mark
        return (mark.line + 1 if mark else 1), error.problem or "not YAML"
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError):
        return None  # an encoding or a character it does not take: no statement about the file
    return None


def _check_yaml(head: bytes, base: bytes | None) -> Broken | None:
    error = yaml_error(head)
    if error is None or (base is not None and yaml_error(base)):
        return None
    # ${{ }} is a value to YAML; what else is filled in may make or break its layout.
    if _FILLED_IN.search(re.sub(rb"\$\{\{[^{}\n]{0,500}\}\}|\$\{[^{}\n]{0,500}\}", b"", head)):
        return None
    return Broken(*error, "parser")


# Everything with a grammar -----------------------------------------------------------------------

# Judged by parsing whole public repositories, every file of which compiles: JavaScript and Ruby had
# no refusal in 3,500 files each, Java and TypeScript one in 1,000 and in 200, all in _GAPS.
GRAMMAR_SUFFICES = frozenset(
    {
        Language.GO,
        Language.JAVA,
        Language.JAVASCRIPT,
        Language.RUBY,
        Language.RUST,
        Language.TSX,
        Language.TYPESCRIPT,
    }
)
# Languages in which brackets alone convict a file without a base.
_NEW_FILES = GRAMMAR_SUFFICES | {Language.PHP}
# `using`, escapes in String.raw, a bare & between the tags of JSX.
_JS_GAPS = r"\busing\s|\\u\$|(?<!&)&(?!&|\w+;)"
# `import("x").T<U>` and `import("x").T[]`, members called `in2`, `export type * as`.
_TS_GAPS = _JS_GAPS + r"|\bimport\(|^\s*in\d\w*\??:|\btype\s*\*"
# What these grammars are known to refuse, found in code that compiles. A fault beside it is none.
_GAPS = {
    # Annotated arrays and varargs: `Object @Nullable ... items`.
    Language.JAVA: re.compile(r"@[\w.]+\s*(?:\.\.\.|\[)"),
    # A macro that is called like a primitive type: `str![]`.
    Language.RUST: re.compile(r"\b(?:str|char|bool|[iuf]\d+|[iu]size)!"),
    Language.JAVASCRIPT: re.compile(_JS_GAPS),
    Language.TSX: re.compile(_TS_GAPS),
    Language.TYPESCRIPT: re.compile(_TS_GAPS),
}
# A file that its own grammar refuses may be of a dialect that a neighbour's takes.
_NEIGHBOURS = {
    Language.C: (Language.CPP,),
    Language.JAVASCRIPT: (Language.TSX, Language.TYPESCRIPT),
    Language.TYPESCRIPT: (Language.TSX,),
}
_BRANCHES = re.compile(rb"^[ \t]*#[ \t]*(?:if|el|endif)", re.MULTILINE)
_PREPROCESSED = frozenset({Language.C, Language.CPP, Language.CSHARP, Language.SWIFT})
_MAX_LINE = 2_000  # bytes; longer ones are written by machines, for machines


def _parses(language: Language, data: bytes) -> bool:
    return any(
        not parse(each, data).root_node.has_error
        for each in (language, *_NEIGHBOURS.get(language, ()))
    )


def _comparable(language: Language, head: bytes, base: bytes | None) -> bool:
    """May a grammar's word about the head be believed, given what it says of the base?"""
    if head.lstrip().startswith(b"<?xml") or any(
        len(line) > _MAX_LINE for line in head.split(b"\n")
    ):
        return False
    return language in _NEW_FILES if base is None else _parses(language, base)


def _check_tree(language: Language, path: str, head: bytes, base: bytes | None) -> Broken | None:
    if _parses(language, head) or not _comparable(language, head, base):
        return None
    tree = parse(language, head)
    found = faults(tree)
    odd = _unbalanced(language, head, base)
    if odd is not None:
        return Broken(odd, "a bracket has no partner", "brackets", found)
    if base is None or language not in GRAMMAR_SUFFICES or not found or path.endswith(".d.ts"):
        return None  # declarations are where the grammar of TypeScript has most of its gaps
    gap = _GAPS.get(language)
    if gap and any(gap.search(_text_of(head, line)) for each in found for line in _around(each)):
        return None
    return Broken(found[0].start, "unexpected code here or just above", "grammar", found)


def _around(fault: Fault) -> range:
    return range(fault.start - 1, min(fault.end, fault.start + 3) + 1)


def _unbalanced(language: Language, head: bytes, base: bytes | None) -> int | None:
    """Return the line of a bracket that lost its partner by this change."""
    if language in _PREPROCESSED:
        before = len(_BRANCHES.findall(base)) if base is not None else 0
        if len(_BRANCHES.findall(head)) != before:
            return None  # both branches of an #if are read as one text
    if _surplus(head) == (_surplus(base) if base is not None else (0, 0, 0)):
        return None  # the tree has lost its way: the text has as many brackets as it should
    if base is not None and unbalanced(parse(language, base)) is not None:
        return None
    return unbalanced(parse(language, head))


def _surplus(data: bytes) -> tuple[int, int, int]:
    """Return how many more brackets of each kind a text opens than it closes."""
    return (
        data.count(b"(") - data.count(b")"),
        data.count(b"[") - data.count(b"]"),
        data.count(b"{") - data.count(b"}"),
    )
