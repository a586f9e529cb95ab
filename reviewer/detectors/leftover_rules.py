"""What a focused test or a forgotten debugger looks like in each language: queries and judgement.

A query finds candidates; `judge` looks at what stands around one, at the path and at the file, and
answers None for what may well be meant.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reviewer.finding import Category, Severity
from reviewer.languages import Language, is_prose, is_test


@dataclass(frozen=True, slots=True)
class Leftover:
    """One leftover in the words of a finding."""

    rule: str
    category: Category
    severity: Severity
    confidence: float
    title: str
    body: str


Hit = dict[str, Any]
"""A `reviewer.parsing.trees.Hit` as it came over the wire."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one language is searched. `looks_like` is tried on added lines before any parsing."""

    looks_like: re.Pattern[str]
    query: str
    judge: Callable[[Hit, str, bytes], Leftover | None]


def rule_for(language: Language | None) -> Rule | None:
    """Return the rule of a language, None where there is nothing to look for."""
    return _RULES.get(language) if language is not None else None


def _debugger(call: str, effect: str) -> Leftover:
    return Leftover(
        rule="debugger",
        category=Category.LEFTOVER,
        severity=Severity.HIGH,
        confidence=0.92,
        title=f"Debugger left in the code: {call}",
        body=f"`{call}` {effect}. Remove it before merging.",
    )


_WAITS = "stops the program and waits for somebody at a terminal; on a server or in CI it hangs"
_ENDS = "prints its arguments and ends the request there, for every user who gets this far"


def _focused(call: str, runner: str) -> Leftover:
    return Leftover(
        rule="focused-test",
        category=Category.TESTS,
        severity=Severity.HIGH,
        confidence=0.95,
        title=f"Focused test: {call}",
        body=f"With `{call}` {runner} runs only what is focused and silently skips the others, "
        "so CI stays green whatever they would say. Remove the focus.",
    )


# Files whose business is debugging have these as their subject.
_ABOUT_DEBUGGING = re.compile(
    r"debug|breakpoint|pdb|pry\b|(?:^|[/_.-])(?:repl|irb|byebug|dd|dump|xdebug|shell|trace)"
    r"(?:[/_.-]|$)",
    re.IGNORECASE,
)
_GUARD_KINDS = re.compile(r"^(?:if|unless|else|elif|elsif|conditional|while|match|switch|case)")
_FUNCTION_KINDS = re.compile(r"function|method|definition$|^fn_")
_FUNCTION_NAMES = re.compile(r"\b(?:dd|dump|debug|break)[A-Z_(]|debug|breakpoint|pdb|pry\b")
_GUARD_WORDS = re.compile(r"debug|pdb|break|trace|\bdev\b|pry|interactive|isatty", re.IGNORECASE)


def _meant(hit: Hit, path: str) -> bool:
    """Is it in a file or a function about debugging, an example, or behind a condition for it?"""
    if _ABOUT_DEBUGGING.search(path) or re.search(r"(?:^|/)(?:docs?|examples?)/", path):
        return True
    if is_prose(path):
        return True
    around = [(kind, text.replace(hit["text"], "")) for kind, text in hit["around"]]
    return any(
        (_GUARD_KINDS.match(kind) and _GUARD_WORDS.search(text))
        or (_FUNCTION_KINDS.search(kind) and _FUNCTION_NAMES.search(text))
        for kind, text in around
    )


# Python ------------------------------------------------------------------------------------------

_DEBUGGERS = "pdb|ipdb|pudb|rpdb|web_pdb|remote_pdb|epdb|bpdb|pdbpp|wdb|pytest"

_PYTHON = rf"""
((call function: (identifier) @_f) @call (#eq? @_f "breakpoint"))
((call function: (attribute object: (identifier) @_o attribute: (identifier) @_a)) @call
  (#match? @_o "^({_DEBUGGERS})$") (#eq? @_a "set_trace"))
(import_statement name: ((dotted_name) @import (#match? @import "^(pdb|ipdb|pudb)$")))
"""


def _judge_python(hit: Hit, path: str, head: bytes) -> Leftover | None:
    if _meant(hit, path):
        return None
    if hit["name"] == "call":
        call = hit["text"].split("(")[0] + "()"
        if call == "breakpoint()" and re.search(rb"def breakpoint\b|import .*\bbreakpoint\b", head):
            return None
        return _debugger(call, _WAITS)
    module = hit["text"]
    if len(re.findall(rb"\b" + module.encode() + rb"\b", head)) > 1:
        return None  # it is used: by a leftover that is reported itself, or on purpose
    return Leftover(
        rule="debugger-import",
        category=Category.LEFTOVER,
        severity=Severity.LOW,
        confidence=0.85,
        title=f"Import of a debugger that nothing uses: {module}",
        body=f"`import {module}` is left from debugging: nothing in the file uses it. Remove it.",
    )


# JavaScript, TypeScript --------------------------------------------------------------------------

_JAVASCRIPT = """
(debugger_statement) @debugger
((member_expression property: (property_identifier) @_p) @only (#eq? @_p "only"))
((call_expression function: (identifier) @_f
    arguments: (arguments
      . [(string) (template_string)] . [(arrow_function) (function_expression)]))
  @short (#match? @_f "^(fit|fdescribe|fcontext)$"))
"""
_ONLY = re.compile(
    r"(?:it|test|describe|context|suite|specify)(?:\.(?:describe|serial|parallel|concurrent))?\.only"
)


def _judge_javascript(hit: Hit, path: str, head: bytes) -> Leftover | None:
    if hit["name"] == "debugger":
        effect = "stops everyone who has the developer tools open, and is dead weight otherwise"
        return None if _meant(hit, path) else _debugger("debugger", effect)
    if not is_test(path):
        return None
    if hit["name"] == "only":
        name = re.sub(r"\s+", "", hit["text"])
        kinds = [kind for kind, _ in hit["around"][:3]]
        called = kinds[:1] == ["call_expression"] or (
            kinds[:1] == ["member_expression"] and "call_expression" in kinds
        )
        wrapped = re.search(r"only\s*\(\s*\.\.\.", hit["around"][0][1])  # a runner of its own
        return (
            _focused(name, "the runner")
            if called and not wrapped and _ONLY.fullmatch(name)
            else None
        )
    name = hit["text"].split("(")[0].strip()
    own = rb"(?:function|const|let|var|import|,|\{)\s+" + re.escape(name.encode()) + rb"\b"
    return None if re.search(own, head) else _focused(name, "the runner")


# Ruby --------------------------------------------------------------------------------------------

_RUBY = """
((call receiver: (identifier) @_r method: (identifier) @_m) @call
  (#eq? @_r "binding") (#match? @_m "^(pry|irb|break|b|remote_pry)$"))
((identifier) @bare (#match? @bare "^(byebug|debugger)$"))
((call method: (identifier) @_m block: (_)) @short
  (#match? @_m "^(fit|fdescribe|fcontext|fspecify|fexample)$"))
((pair key: (hash_key_symbol) @_k value: (true)) @tag (#eq? @_k "focus"))
((simple_symbol) @tag (#eq? @tag ":focus"))
"""
_BODIES = frozenset({"program", "body_statement", "block_body", "then", "else", "do", "ensure"})
_EXAMPLE = re.compile(r"(?:RSpec\.)?(?:it|describe|context|specify|example|feature|scenario|xit)\b")


def _judge_ruby(hit: Hit, path: str, head: bytes) -> Leftover | None:
    around = hit["around"]
    name = hit["text"].split("(")[0].split(" ")[0].strip()
    match hit["name"]:
        case "call":
            return None if _meant(hit, path) else _debugger(name, _WAITS)
        case "bare":
            stands_alone = bool(around) and around[0][0] in _BODIES
            own = re.search(rb"def (?:self\.)?" + re.escape(name.encode()) + rb"\b", head)
            if not stands_alone or own or _meant(hit, path):
                return None
            return _debugger(name, _WAITS)
    if not path.endswith("_spec.rb"):
        return None
    if hit["name"] == "short":
        return _focused(name, "RSpec")
    call = next((text for kind, text in around[:3] if kind == "call"), "")
    return _focused("focus", "RSpec") if _EXAMPLE.match(call) else None


# Go, PHP, Rust -----------------------------------------------------------------------------------

_GO = """
((call_expression function: (identifier) @_f) @focus
  (#match? @_f "^F(It|Describe|Context|When|Specify|DescribeTable|Entry)$"))
((call_expression function: (selector_expression
    operand: (identifier) @_o field: (field_identifier) @_m)) @focus
  (#eq? @_o "ginkgo") (#match? @_m "^F(It|Describe|Context|When|Specify|DescribeTable|Entry)$"))
((call_expression function: (selector_expression
    operand: (identifier) @_o field: (field_identifier) @_m)) @break
  (#eq? @_o "runtime") (#eq? @_m "Breakpoint"))
"""


def _judge_go(hit: Hit, path: str, head: bytes) -> Leftover | None:
    if hit["name"] == "break":
        effect = "traps into a debugger, and ends the program where there is none"
        return None if _meant(hit, path) else _debugger("runtime.Breakpoint()", effect)
    if not path.endswith("_test.go") or b"ginkgo" not in head:
        return None
    return _focused(hit["text"].split("(")[0], "Ginkgo")


_PHP = r"""
((function_call_expression function: [(name) (qualified_name)] @_f) @call
  (#match? @_f "^\\\\?(dd|ddd|xdebug_break)$"))
((expression_statement (function_call_expression function: (name) @_f)) @call
  . [(exit_statement) (expression_statement (function_call_expression function: (name) @_e))]
  (#match? @_f "^(var_dump|print_r|var_export|dump)$") (#match? @_e "^(die|exit)$"))
"""


def _judge_php(hit: Hit, path: str, head: bytes) -> Leftover | None:
    name = hit["text"].split("(")[0].strip(" \\")
    if _meant(hit, path) or re.search(rb"function\s+" + re.escape(name.encode()) + rb"\s*\(", head):
        return None
    if name == "xdebug_break":
        return _debugger("xdebug_break()", "stops the request wherever Xdebug is installed")
    return _debugger(f"{name}()", _ENDS)


_FOR_TESTS = re.compile(r"(?:^|[/_-])(?:tests?|bench(?:es)?)(?:[/_.-]|$)|(?:^|/)build\.rs$")
_RUST = '((macro_invocation macro: (identifier) @_m) @call (#eq? @_m "dbg"))'


def _judge_rust(hit: Hit, path: str, head: bytes) -> Leftover | None:
    in_tests = any(
        kind == "mod_item" and re.search(r"\bmod \w*tests?\b", text) for kind, text in hit["around"]
    )
    # Cargo shows a build script's output only to who asks for it.
    if in_tests or _FOR_TESTS.search(path) or is_test(path) or _meant(hit, path):
        return None
    return Leftover(
        rule="debugger",
        category=Category.LEFTOVER,
        severity=Severity.LOW,
        confidence=0.9,
        title="Debugging print left in the code: dbg!",
        body="`dbg!` prints file, line and value to standard error in release builds, too. "
        "Remove it, or log through the program's logger.",
    )


_JS = Rule(
    re.compile(r"\bdebugger\b|\.\s*only\b|\bf(?:it|describe|context)\b"),
    _JAVASCRIPT,
    _judge_javascript,
)
_RULES = {
    Language.PYTHON: Rule(
        re.compile(r"\bbreakpoint\b|\bset_trace\b|\bimport\s+(?:pdb|ipdb|pudb)\b"),
        _PYTHON,
        _judge_python,
    ),
    Language.JAVASCRIPT: _JS,
    Language.TYPESCRIPT: _JS,
    Language.TSX: _JS,
    Language.RUBY: Rule(
        re.compile(
            r"\bbinding\s*\.|\bbyebug\b|\bdebugger\b|\bfocus\b|\bf(?:it|describe|context|specify|example)\b"
        ),
        _RUBY,
        _judge_ruby,
    ),
    Language.GO: Rule(re.compile(r"\bF[A-Z]\w+\(|\bBreakpoint\("), _GO, _judge_go),
    Language.PHP: Rule(
        re.compile(r"\b(?:ddd?|xdebug_break|var_dump|print_r|var_export|dump)\s*\("),
        _PHP,
        _judge_php,
    ),
    Language.RUST: Rule(re.compile(r"\bdbg!"), _RUST, _judge_rust),
}
