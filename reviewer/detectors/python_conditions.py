"""Conditions under which an alarm of ruff is a defect: what the rule alone cannot see.

Each came from a false alarm on a public project. They read lines, not a syntax tree: ruff has
parsed the file, and a condition that misreads a line costs one alarm.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_COMMENT = re.compile(r"#[^'\"]*$")


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing ruff said about one copy. `column` counts from 1, in characters."""

    code: str
    row: int
    end_row: int
    column: int
    message: str


@dataclass(frozen=True)
class End:
    """One end of one file: its text and what ruff said about it."""

    lines: list[str]
    alarms: list[Alarm]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line(self, row: int) -> str:
        return self.lines[row - 1] if 0 < row <= len(self.lines) else ""

    def identity(self, alarm: Alarm) -> tuple[str, str, str]:
        """Name an alarm by its code, so that moving or reformatting it makes no new one."""
        code = _COMMENT.sub("", self.line(alarm.row)).replace("'", '"')
        return (alarm.code, alarm.message, "".join(code.split()))


Check = Callable[[End, Alarm], bool]


def _outside_string(head: End, alarm: Alarm) -> bool:
    """A name in a quoted annotation fails nowhere, and may be a notation of some library."""
    before = head.line(alarm.row)[: alarm.column - 1]
    inside_f_string = re.search(r"\b[rR]?[fFtT][rR]?[\"']", before) is not None
    return inside_f_string or (before.count('"') % 2 == 0 and before.count("'") % 2 == 0)


_DEFINITION = re.compile(r"^(\s*)(?:async\s+def|def|class)\s")
_FROM_LINE = re.compile(r"from line (\d+)")


def _redefines_same_scope(head: End, alarm: Alarm) -> bool:
    """Two plain definitions at one depth: not an import for type checking, not a decorated one."""
    origin = _FROM_LINE.search(alarm.message)
    if origin is None:
        return False
    pair = [_DEFINITION.match(head.line(row)) for row in (alarm.row, int(origin[1]))]
    if pair[0] is None or pair[1] is None or pair[0][1] != pair[1][1]:
        return False
    # A framework may have taken the first one: a route, a fixture, an overload, a property.
    return not any(
        head.line(row - 1).lstrip().startswith(("@", ")")) for row in (alarm.row, int(origin[1]))
    )


_EXPECTS_ERROR = re.compile(r"raises|assertRaises|warns|suppress|^\s*try\s*:|timeit")


def _result_wanted(head: End, alarm: Alarm) -> bool:
    """A comparison that is made for its exception throws its result away on purpose."""
    indent = len(head.line(alarm.row)) - len(head.line(alarm.row).lstrip())
    for row in range(alarm.row - 1, max(0, alarm.row - 12), -1):
        line = head.line(row)
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            return _EXPECTS_ERROR.search(line) is None
    return True


# The parameter whose default comes next: its annotation holds a comma only within brackets.
_PARAMETER = re.compile(r"(\w+)\s*(?::(?:[^,\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*)?=\s*$")
_PARAMETER_CHARS = 300  # the pattern's time grows with the square of what it is given
_DEPTH_LINES = 200  # of a function body that is searched for a change of the default


def _default_changes(head: End, alarm: Alarm) -> bool:
    """A mutable default does harm only where the function changes it, keeps it or returns it."""
    before = head.line(alarm.row)[: alarm.column - 1][-_PARAMETER_CHARS:]
    found = _PARAMETER.search(before)
    if found is None:
        return False
    name = re.escape(found[1])
    change = re.compile(
        rf"^\s*{name}\s*(?:\+|\||&|-|\*)=|^\s*del\s+{name}\["
        rf"|\b{name}\[[^\]]*\]\s*(?:\+|\||&|-|\*|/)?=(?!=)"
        rf"|\b{name}\.(?:append|extend|insert|add|update|setdefault|pop|popitem|remove|discard"
        rf"|clear|sort|reverse|appendleft)\("
        rf"|\bself\.\w+(?:\s*:[^=]*)?\s*=\s*{name}\s*(?:#.*)?$"
        rf"|^\s*(?:return|yield)\s+{name}\s*(?:#.*)?$"
    )
    rebound = re.compile(rf"^\s*{name}\s*(?::[^=]*)?=(?!=)|^\s*{name}\s*,.*=(?!=)")
    start = next(
        (row for row in range(alarm.row, 0, -1) if _DEFINITION.match(head.line(row))),
        alarm.row,
    )
    depth = len(head.line(start)) - len(head.line(start).lstrip())
    for row in range(alarm.end_row + 1, min(len(head.lines), start + _DEPTH_LINES) + 1):
        line = head.line(row)
        inside = len(line) - len(line.lstrip()) > depth
        if line.strip() and not inside and not line.lstrip().startswith(")"):
            return False
        if rebound.search(line):
            return False  # from here on it is another object
        if change.search(line):
            return True
    return False


def _command_varies(head: End, alarm: Alarm) -> bool:
    """Ruff says which shell commands are constant: "seems safe"."""
    return "seems safe" not in alarm.message


_FROM_OUTSIDE = re.compile(
    r"request|input\(|argv|params|query|body|payload|environ|headers|cookies|recv\(|stdin|message",
    re.IGNORECASE,
)


def _evaluates_input(head: End, alarm: Alarm) -> bool:
    """Shells, debuggers and config files in Python evaluate on purpose; input never should be."""
    return _FROM_OUTSIDE.search(head.line(alarm.row)[alarm.column - 1 :]) is not None


def _returns(head: End, alarm: Alarm) -> bool:
    """`break` in a `finally` is mostly a way to write "and ignore errors"."""
    return "`return`" in alarm.message


_INTERPOLATED = re.compile(
    r"\{([^{}]*)\}|[\"']\s*%\s*\(?\s*([\w.]+)|[\"']\s*\+\s*([\w.]+)|format\(([^()]*)\)"
)
_STRUCTURE = re.compile(
    r"[A-Z][A-Z0-9_]*|\d*|(?i:.*(?:table|column|field|placeholder|schema|clause|where|order|limit"
    r"|offset|index|suffix|prefix|cond|quote|join|relation|view|database|db_name|marks|sort|dir).*)"
)


def _value_in_sql(head: End, alarm: Alarm) -> bool:
    """Names of tables and lists of placeholders cannot be passed as parameters; values can."""
    text = "\n".join(head.lines[alarm.row - 1 : alarm.end_row])
    pieces = ["".join(found).strip() for found in _INTERPOLATED.findall(text)]
    return any(not _STRUCTURE.fullmatch(piece) for piece in pieces if piece)


_CHECKS: dict[str, Check] = {
    "F821": _outside_string,
    "F811": _redefines_same_scope,
    "B015": _result_wanted,
    "B006": _default_changes,
    "S602": _command_varies,
    "S605": _command_varies,
    "S307": _evaluates_input,
    "B012": _returns,
    "S608": _value_in_sql,
}


def holds(head: End, alarm: Alarm) -> bool:
    """Is the rule right here, as far as the text around the place tells?"""
    check = _CHECKS.get(alarm.code)
    return check is None or check(head, alarm)
