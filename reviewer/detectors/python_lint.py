"""Python lint: ruff under our own rules, on copies of both ends, keeping what the change brought.

Ruff reads the copies under names chosen here and our settings only: nothing in the repository can
configure it. A `# noqa` of the author is honoured, except that it does not silence security rules.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reviewer.change import FileChange, Kind, Line, Status
from reviewer.detectors import places
from reviewer.detectors.added import lines_of, quote
from reviewer.detectors.base import Note, Source
from reviewer.detectors.programs import checked, run_program, workspace
from reviewer.detectors.python_conditions import Alarm, End, holds
from reviewer.detectors.python_rules import OURS, QUOTED, RULES, Rule
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Severity, Side
from reviewer.ports import Objects
from reviewer.text import printable

SETTINGS = Path(__file__).with_name("python_lint.toml")
CHUNK_FILES = 500  # of one process: its report stays far below the cap on output
TIMEOUT_S = 20.0  # of one chunk; 500 files of ordinary size take well under a second
MAX_FILE_BYTES = 2_000_000  # larger ones are data or generated

_SUFFIXES = (".py", ".pyw")
_SECURITY = tuple(code for code, rule in RULES.items() if rule.category is Category.SECURITY)
_OTHERS = tuple(code for code in RULES if code not in _SECURITY)
_KNOWN = RULES | OURS
_NAMES = ("F821", "F822")


@dataclass(frozen=True, slots=True)
class PythonLint:
    """Correctness and security rules of ruff on changed Python files.

    `ours`: the change was made here, and what names in `__all__` and in quoted annotations have
    lost with it counts, too.
    """

    ours: bool = False

    @property
    def name(self) -> str:
        return "python-lint"

    def wants(self, file: FileChange) -> bool:
        return (
            file.kind is Kind.TEXT
            and file.status is not Status.DELETED
            and file.path.endswith(_SUFFIXES)
            and not places.is_test_data(file.path)
        )

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterable[Finding | Note]:
        lint = partial(_lint, ours=self.ours)
        for item in checked(
            "ruff", "Python lint", sources, lint, max_bytes=MAX_FILE_BYTES, at_once=CHUNK_FILES
        ):
            if isinstance(item, Note):
                yield item
            else:
                source, (head, base) = item
                yield from _findings(source, head, base, ours=self.ours)


# --- running ruff ---


def _lint(ruff: Path, sources: Sequence[Source], *, ours: bool) -> list[tuple[End, End]]:
    """Return both ends of each file with their alarms; an absent end has no lines."""
    with workspace() as folder:
        for number, source in enumerate(sources):
            _copy(folder, f"head{number}", source.file.path, source.head)
            _copy(folder, f"base{number}", source.file.path, source.base)
        reported = _ruff(ruff, folder, _OTHERS) + _ruff(ruff, folder, _SECURITY, "--ignore-noqa")
        if ours:
            for package in folder.glob("*/__init__.py"):  # of which ruff does not say it
                package.rename(package.with_name("module.py"))
            reported += _ruff(ruff, folder, tuple(OURS))
    alarms: dict[str, list[Alarm]] = {}
    broken: set[str] = set()
    for item in reported:
        place = Path(item["filename"]).parent.name
        if item["code"] in _KNOWN:
            alarms.setdefault(place, []).append(_alarm(item))
        else:
            broken.add(place)  # a syntax error: what ruff makes of the rest is a guess

    def end(place: str, data: bytes | None) -> End:
        found = [] if place in broken else sorted(alarms.get(place, []), key=lambda a: a.row)
        return End(lines_of(data) if data is not None else [], found)

    return [
        (end(f"head{number}", source.head), end(f"base{number}", source.base))
        for number, source in enumerate(sources)
    ]


def _copy(folder: Path, place: str, path: str, data: bytes | None) -> None:
    """Write one end under a neutral name; ruff judges `__init__.py` and others differently."""
    if data is None or len(data) > MAX_FILE_BYTES:
        return
    target = folder / place
    target.mkdir()
    own = "__init__.py" if path.rpartition("/")[2] == "__init__.py" else "module.py"
    (target / own).write_bytes(data)


def _ruff(ruff: Path, folder: Path, codes: Sequence[str], *options: str) -> list[dict[str, Any]]:
    outcome = run_program(
        ruff,
        [
            *("check", "--quiet", "--no-cache", "--no-fix", "--output-format", "json"),
            *("--config", str(SETTINGS), "--select", ",".join(codes)),
            *options,
            *("--", "."),
        ],
        cwd=folder,
        timeout_s=TIMEOUT_S,
    )
    if outcome.code not in (0, 1):
        raise GiveUp(f"ruff failed: {outcome.complaint or outcome.code}")
    try:
        reported: list[dict[str, Any]] = json.loads(outcome.stdout)
    except ValueError as error:
        raise GiveUp(f"ruff's report could not be read: {error}") from error
    return reported


def _alarm(item: dict[str, Any]) -> Alarm:
    start, end = item["location"], item["end_location"]
    return Alarm(item["code"], start["row"], end["row"], start["column"], item["message"])


# --- what of it the change brought ---


def _findings(source: Source, head: End, base: End, *, ours: bool) -> Iterator[Finding]:
    path = source.file.path
    new = [alarm for alarm in _new(source, head, base) if _applies(_KNOWN[alarm.code], path)]
    fresh = [alarm for alarm in new if holds(head, alarm)]
    names = [alarm for alarm in fresh if alarm.code == "F821"]
    yield from _undefined(source, head, base, names)
    if ours:
        said = {alarm.message for alarm in names}
        lost = [a for a in new if a.code in _NAMES and a.message not in said]
        yield from _lost(source, head, base, lost)
    for alarm in fresh:
        if alarm.code not in _NAMES and alarm.row in source.file.added_lines:
            yield _finding(source, head, alarm)


def _new(source: Source, head: End, base: End) -> list[Alarm]:
    """Return the head's alarms that the base does not have, in the same code or rewritten."""
    known = Counter(base.identity(alarm) for alarm in base.alarms)
    unmatched = []
    for alarm in head.alarms:
        if known[head.identity(alarm)]:
            known[head.identity(alarm)] -= 1
        else:
            unmatched.append(alarm)
    left = [alarm for alarm in base.alarms if known[base.identity(alarm)]]
    if not unmatched or not left:
        return unmatched
    hunk_of = _hunks_by_line(source)
    gone = Counter((alarm.code, alarm.message, hunk_of.get(("-", alarm.row), "")) for alarm in left)
    fresh = []
    for alarm in unmatched:
        key = (alarm.code, alarm.message, hunk_of.get(("+", alarm.row), "none"))
        if gone[key]:
            gone[key] -= 1
        else:
            fresh.append(alarm)
    return fresh


def _hunks_by_line(source: Source) -> dict[tuple[str, int], str]:
    hunk_of: dict[tuple[str, int], str] = {}
    for hunk in source.file.hunks:
        for line in hunk.lines:
            number = line.old if line.kind == "-" else line.new
            if line.kind != " " and number is not None:
                hunk_of[line.kind, number] = hunk.id
    return hunk_of


def _applies(rule: Rule, path: str) -> bool:
    if rule.category is Category.SECURITY:
        return not (places.is_test(path) or places.is_sample(path) or places.is_tool(path))
    return rule.in_tests or not places.is_test(path)


def _finding(  # noqa: PLR0917
    source: Source,
    head: End,
    alarm: Alarm,
    more: str = "",
    gone: Line | None = None,
    rule: Rule | None = None,
) -> Finding:
    """Make the finding, on the alarm's own line or on `gone`, the deleted line that caused it."""
    rule = rule or _KNOWN[alarm.code]
    side: Side = "RIGHT" if gone is None else "LEFT"
    row = alarm.row if gone is None else gone.old
    path = source.file.path
    return Finding(
        path=printable(path),
        side=side,
        start_line=row,
        line=row,
        category=rule.category,
        severity=Severity.LOW if places.is_sample(path) else rule.severity,
        confidence=rule.confidence,
        title=printable(rule.title or alarm.message.rstrip(".")),
        body=rule.why + more,
        evidence=quote([head.line(alarm.row) if gone is None else gone.text], 1, 1),
        source=f"detector:python-lint/{alarm.code}",
    )


# --- undefined names ---

_NAME = re.compile(r"`([^`]+)`")
_PYTHON_2 = frozenset(
    (
        "StandardError", "apply", "basestring", "buffer", "cmp", "coerce", "execfile", "file",
        "intern", "long", "raw_input", "reduce", "reload", "unichr", "unicode", "xrange",
    )
)  # fmt: skip
_OLD_PYTHON = re.compile(r"\bPY[23]\b|\b(?:is_)?py[23]\b|version_info|\bsix\b|NameError")
_DYNAMIC = re.compile(
    r"globals\(\)(?:\.update|\[)|\bexec\(|__builtins__|setattr\((?:six\.moves\.)?builtins"
    r"|^# Databricks notebook source|^#\s*%%|^%",
    re.MULTILINE,
)


def _undefined(source: Source, head: End, base: End, alarms: list[Alarm]) -> Iterator[Finding]:
    """Report each undefined name once: where it came in, or where what defined it went out."""
    if not alarms or places.is_prose(source.file.path) or _DYNAMIC.search(head.text):
        return
    before = {alarm.message for alarm in base.alarms if alarm.code == "F821"}
    by_name: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        # A file that used the name undefined before gets it from somewhere that ruff cannot see.
        if alarm.message not in before:
            by_name.setdefault(alarm.message, []).append(alarm)
    for message, uses in by_name.items():
        found = _NAME.search(message)
        name = found[1] if found else ""
        if name in _PYTHON_2 and _OLD_PYTHON.search(head.text):
            continue
        first = next((a for a in uses if a.row in source.file.added_lines), None)
        if first is not None:
            rows = [a.row for a in uses if a.row != first.row]
            yield _finding(source, head, first, _also("Also on", rows))
        elif (gone := _removed_binding(source, name)) is not None:
            rows = [alarm.row for alarm in uses]
            more = f" This line defined it.{_also('It is still used on', rows)}"
            yield _finding(source, head, uses[0], more, gone)


def _lost(source: Source, head: End, base: End, alarms: list[Alarm]) -> Iterator[Finding]:
    """Report names in `__all__` and in quotes that lost their binding with the change.

    Of an entry of `__all__` that came in without one, too, unless a package may mean a module.
    """
    if places.is_prose(source.file.path) or _DYNAMIC.search(head.text):
        return
    seen = {alarm.message for alarm in base.alarms if alarm.code in _NAMES}  # before, or said
    package = source.file.path.rpartition("/")[2] == "__init__.py"
    for alarm in alarms:
        listed = alarm.code in OURS
        found = _NAME.search(alarm.message)
        if alarm.message in seen or (listed and "__getattr__" in head.text):
            continue
        seen.add(alarm.message)
        gone = _removed_binding(source, found[1] if found else "")
        rule = OURS[alarm.code] if listed else QUOTED
        if gone is not None:
            more = f" This line defined it. It is named on line {alarm.row}."
            yield _finding(source, head, alarm, more, gone, rule)
        elif listed and not package and alarm.row in source.file.added_lines:
            yield _finding(source, head, alarm, rule=rule)


def _also(words: str, rows: list[int]) -> str:
    rows = sorted(set(rows))
    if not rows:
        return ""
    listed = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    return f" {words} {'line' if len(rows) == 1 else 'lines'} {listed}."


def _removed_binding(source: Source, name: str) -> Line | None:
    """Return the deleted line that imported, defined or assigned a name."""
    word = re.escape(name)
    binding = re.compile(
        rf"^\s*(?:(?:from\b.*\b)?import\b.*\b{word}\b|(?:async\s+)?(?:def|class)\s+{word}\b"
        rf"|{word}\s*(?::[^=]*)?=(?!=)|{word},?\s*$)"
    )
    for hunk in source.file.hunks:
        for line in hunk.lines:
            if line.kind == "-" and binding.search(line.text):
                return line
    return None
