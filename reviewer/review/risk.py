"""How much care a change deserves, and where to begin: by rules that name their reasons.

A rule is a threshold in this file, so that a reader can disagree with it. No model is asked.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from reviewer.change import FileChange
from reviewer.context.differences import Fate
from reviewer.finding import Finding, Severity
from reviewer.languages import is_prose, is_test, language_of
from reviewer.request import LookFirst, Risk, RiskLevel
from reviewer.review.borders import Border
from reviewer.review.changed import EXTRACTED
from reviewer.text import printable

LARGE_LINES = 400
HUGE_LINES = 1_500
"""Beyond 400 lines people find ever fewer of the defects that are there; the second is several
such sittings."""

MANY_BORDERS = 10

UNTESTED_LINES = 30
"""Fewer new lines in code that no changed test touches are nothing to remark on."""

MOST_LOOKS = 5
FINDING_LOOKS = 3
"""Of those places that findings take as long as there are others: a reader of the findings comes
there anyway."""

PATHS_NAMED = 3
TITLE_CHARS = 160

_GUARDED = re.compile(
    r"(?:^|[/._-])(?:auth(?:n|z|ent\w*|ori\w*)?|oauth\w*|login|sessions?|passwords?|passwd|credentials?|secrets?|"
    r"tokens?|jwt|crypto\w*|encrypt\w*|permissions?|acl|rbac|security|csrf|cors|saniti[sz]e\w*|"
    r"payments?|billing|checkout|migrations?|dockerfile)(?:[/._-]|$)|^\.github/workflows/|\.tf$",
    re.IGNORECASE,
)
"""What guards access, money or data, or runs with rights, as paths are named."""

_GRAVE = 4  # points from which the risk is high
_NOTABLE = 2  # and medium


def risk(
    files: Sequence[FileChange], findings: Sequence[Finding], borders: Sequence[Border]
) -> Risk:
    """Return the risk of the files' change, with its reasons, the weightiest first."""
    reasons = sorted(_reasons(files, findings, borders), key=lambda each: -each[0])
    points = sum(weight for weight, _ in reasons)
    level: RiskLevel = "high" if points >= _GRAVE else "medium" if points >= _NOTABLE else "low"
    return Risk(level=level, reasons=[reason for _, reason in reasons])


def _reasons(
    files: Sequence[FileChange], findings: Sequence[Finding], borders: Sequence[Border]
) -> Iterator[tuple[int, str]]:
    counts = Counter(finding.severity for finding in findings)
    grave = [
        level for level in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM) if counts[level]
    ]
    if grave:
        said = " and ".join(f"{counts[level]} {level}" for level in grave[:2])
        weight = {Severity.CRITICAL: 4, Severity.HIGH: 2, Severity.MEDIUM: 1}[grave[0]]
        weight += grave[0] is Severity.HIGH and counts[Severity.HIGH] > 1
        total = sum(counts[level] for level in grave[:2])
        yield weight, f"{said} finding{_s(total)}"
    lines = sum(file.added + file.deleted for file in files)
    if lines >= LARGE_LINES:
        yield 2 if lines >= HUGE_LINES else 1, f"{lines:,} lines changed"
    relied = {(one.path, one.symbol, one.kind) for one in borders if _breaks(one)}
    if relied:
        many = len(relied) >= MANY_BORDERS
        yield (
            2 if many else 1,
            f"{len(relied)} change{_s(len(relied))} to what other code may rely on",
        )
    guarded = [
        file.path
        for file in files
        if _GUARDED.search(file.path) and not is_test(file.path) and not is_prose(file.path)
    ]
    if guarded:
        yield 1, f"code that guards access, money or data ({_named(guarded)})"
    code = sum(file.added for file in files if _is_code(file.path))
    if code >= UNTESTED_LINES and not any(is_test(file.path) for file in files):
        yield 1, f"{code:,} new lines of code and no test changed"


def look_first(
    files: Sequence[FileChange],
    findings: Sequence[Finding],
    borders: Sequence[Border],
    users: Mapping[tuple[str, str], Collection[str]],
    imports: Iterable[tuple[str, str]],
) -> list[LookFirst]:
    """Return at most MOST_LOOKS files, each with the reason: what is worst, relied on, untested.

    `findings` come the worst first. `users` has by span and name the other changed files that use
    it, `imports` pairs of changed files.
    """
    by_finding = list(_by_finding(findings))
    by_border = list(_by_border(borders, users))
    untested = islice(_untested(files, imports), 1)
    chosen: dict[str, LookFirst] = {}
    for look in (
        *by_finding[:FINDING_LOOKS],
        *by_border[:1],
        *untested,
        *by_finding[FINDING_LOOKS:],
        *by_border[1:],
    ):
        chosen.setdefault(look.path, look)
    return list(chosen.values())[:MOST_LOOKS]


def _by_finding(findings: Sequence[Finding]) -> Iterator[LookFirst]:
    seen: set[str] = set()
    for finding in findings:
        if finding.severity.at_least(Severity.MEDIUM) and finding.path not in seen:
            seen.add(finding.path)
            reason = f"{finding.severity}: {_cut(finding.title)}"
            yield LookFirst(
                path=finding.path, side=finding.side, line=finding.start_line, reason=reason
            )


def _by_border(
    borders: Sequence[Border], users: Mapping[tuple[str, str], Collection[str]]
) -> Iterator[LookFirst]:
    relied: dict[tuple[str, str], set[str]] = {}
    for border in borders:
        if _breaks(border):
            name = border.symbol.rpartition(".")[2]
            using = relied.setdefault((border.path, border.symbol), set())
            for span in border.spans:
                using.update(set(users.get((span, name), ())) - {border.path})
    for (path, symbol), using in sorted(relied.items(), key=lambda each: (-len(each[1]), each[0])):
        if using:
            number = len(using)
            use = "file uses" if number == 1 else "files use"
            reason = f"`{symbol}` changes, and {number} changed {use} it"
            yield LookFirst(path=printable(path), reason=_cut(printable(reason)))


def _untested(
    files: Sequence[FileChange], imports: Iterable[tuple[str, str]]
) -> Iterator[LookFirst]:
    """Yield changed code that no changed test imports or is named after, the largest first."""
    tested = {other for one, other in imports if is_test(one)}
    names = [file.path.rpartition("/")[2].lower() for file in files if is_test(file.path)]
    for file in sorted(files, key=lambda one: (-one.added, one.path)):
        if file.added < UNTESTED_LINES:
            return
        stem = file.path.rpartition("/")[2].lower().partition(".")[0]
        named = any(stem in name for name in names)
        if _is_code(file.path) and file.path not in tested and not named:
            reason = f"{file.added:,} new lines that no changed test is about"
            yield LookFirst(path=printable(file.path), reason=reason)


def _breaks(border: Border) -> bool:
    """Is it a change to what was there before, in code that others may use?"""
    return border.what not in _NEW and not is_test(border.path)


_NEW = frozenset({str(Fate.ADDED), "used here"})


def _is_code(path: str) -> bool:
    return language_of(path) in EXTRACTED and not is_test(path)


def _named(paths: Sequence[str]) -> str:
    more = len(paths) - PATHS_NAMED
    said = [f"`{printable(path)}`" for path in paths[:PATHS_NAMED]]
    return ", ".join(said + ([f"{more} more"] if more > 0 else []))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"


def _s(number: int) -> str:
    return "" if number == 1 else "s"
