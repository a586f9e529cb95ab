"""What a node that leads a review is told: its parts in brief, and then what to ask across them.

Pure functions of the scope and of what its children said. Sizes are rounded and lines are not
numbered, so that an edit which changes no outline changes no word.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from reviewer.change import Change, Span
from reviewer.languages import is_test
from reviewer.review.borders import Border
from reviewer.review.claims import Claim, FinderResult
from reviewer.review.scope import FindScope, quoted, size_of
from reviewer.text import printable

BRIEF_CHARS = 14_000
ACROSS_CHARS = 9_000
"""What is told at the most, about 4,500 and 3,000 tokens: a print-out may have as much."""

FILES_SHOWN = 12
"""Of one part. The code of the node that leads has them all."""

NAMES_SHOWN = 8
"""Of one file: what its hunks define or lie in."""

BORDERS_SHOWN = 40
BORDER_CHARS = 600
CLAIMS_SHOWN = 40
OVERVIEW_CHARS = 300

MENTION_TOKENS = 1_000_000
"""Up to this size a scope is searched for who mentions a border: a tenth of a second."""

MENTIONS_SHOWN = 4

# What must follow a name tells a definition from prose that has "class" in it.
_DEFINES = re.compile(
    r"\s*(?:[\w@()]+\s+){0,4}?"
    r"(def|class|function|func|fn|interface|struct|enum|trait|module|type|const)\s+(\w+)"
    r"(?=\s*(?:[(:<{\[=;]|$|extends\b|implements\b|where\b|struct\b|interface\b))"
)
_HEADING = re.compile(
    r"\b(?:def|class|function|func|fn|interface|struct|enum|trait|impl|module|type)\b"
)


def brief(change: Change, parts: Mapping[str, FindScope], borders: Sequence[Border]) -> str:
    """Return the parts in brief: their sizes, files and outlines, and what changes at borders."""
    lines: list[str] = []
    for name, part in parts.items():
        files = [(path, list(group)) for path, group in groupby(part.spans, lambda span: span.path)]
        lines.append(f"{name}: {_rounded(size_of(part.spans))} tokens")
        lines += [_file(change, path, spans) for path, spans in files[:FILES_SHOWN]]
        if more := len(files) - FILES_SHOWN:
            lines += [f"  … {more} more files"] if more > 0 else []
    holders = {span.id: name for name, part in parts.items() for span in part.spans}
    told = []
    for group in _ranked(borders):
        held = {holders[span] for border in group for span in border.spans if span in holders}
        if held:
            told.append(f"- {_border(group)} ({', '.join(sorted(held, key=_number))})")
    if told:
        lines += ["", "What the change does to what other code may rely on:", *told[:BORDERS_SHOWN]]
        lines += [f"… {len(told) - BORDERS_SHOWN} more"] if told[BORDERS_SHOWN:] else []
    return _cut(lines, BRIEF_CHARS)


def across(
    change: Change, scope: FindScope, borders: Sequence[Border], results: Sequence[FinderResult]
) -> str:
    """Return the question about what lies between the parts of a scope that was read."""
    lines = ["What the parts change, in their readers' words:"]
    lines += [
        f"- {' '.join(result.overview.split())[:OVERVIEW_CHARS]}"
        for result in results
        if result.overview.strip()
    ]
    claims = sorted((claim for result in results for claim in result.claims), key=_weight)
    if claims:
        lines += ["", "What they report:"]
        lines += [
            f"- {claim.title} ({_where(change, scope, claim)})" for claim in claims[:CLAIMS_SHOWN]
        ]
        lines += [f"… {len(claims) - CLAIMS_SHOWN} more"] if claims[CLAIMS_SHOWN:] else []
    told = _borders_of(scope, borders)
    if told:
        lines += ["", "What they do to what other code may rely on, and who else here mentions it:"]
        lines += told
    question = (
        "Where do two of the parts not agree? For each thing above that one part changed, and each "
        "value, name, unit, key, order or error that one hands to another, look at both sides, in "
        "their hunks or in the files, and report a defect only where you have seen both."
    )
    return f"{_cut(lines, ACROSS_CHARS)}\n\n{question}"


def _file(change: Change, path: str, spans: Sequence[Span]) -> str:
    hunks = len({span.hunk.id for span in spans})
    names = list(dict.fromkeys(_names(spans)))
    told = ", ".join(names[:NAMES_SHOWN]) + (", …" if names[NAMES_SHOWN:] else "")
    file = change.by_path[path]
    count = "1 hunk" if hunks == 1 else f"{hunks} hunks"
    return f"  {quoted(path)} ({file.status}, {count}){': ' + told if told else ''}"


def _names(spans: Sequence[Span]) -> Iterable[str]:
    """Yield what the hunks lie in, by git's heading, and what they define."""
    for span in spans:
        section = printable(span.hunk.section)
        if _HEADING.search(section) and (found := _DEFINES.match(section)):
            yield f"{found[1]} {found[2]}"
        for line in span.lines:
            if line.kind != " " and (found := _DEFINES.match(line.text[:300])):
                yield printable(f"{found[1]} {found[2]}")


def _borders_of(scope: FindScope, borders: Sequence[Border]) -> list[str]:
    """Return the borders that the scope changes; those that others here mention come first."""
    held = {span.id for span in scope.spans}
    changed = [
        group
        for group in _ranked(borders)
        if any(not held.isdisjoint(border.spans) for border in group)
    ]
    if not changed:
        return []
    texts = _texts(scope) if size_of(scope.spans) <= MENTION_TOKENS else {}
    found = [(group, _mentions(group[0], scope, texts)) for group in changed]
    found.sort(key=lambda pair: not pair[1])  # stable: what is mentioned first, in their order
    lines = [
        f"- {_border(group)}" + (f"; also in {', '.join(others)}" if others else "")
        for group, others in found[:BORDERS_SHOWN]
    ]
    more = len(found) - BORDERS_SHOWN
    return [*lines, f"… {more} more"] if more > 0 else lines


def _ranked(borders: Sequence[Border]) -> list[list[Border]]:
    """Return the borders that can part two sides, by symbol, those of what was there before first.

    Nobody relies on what a test defines, and what is new has no users but new ones.
    """
    groups: dict[tuple[str, str, str], list[Border]] = {}
    for border in borders:
        if not is_test(border.path):
            groups.setdefault((border.path, border.kind, border.symbol), []).append(border)
    return sorted(groups.values(), key=lambda group: all(one.what == "added" for one in group))


def _texts(scope: FindScope) -> dict[str, str]:
    return {span.id: "\n".join(line.text for line in span.lines) for span in scope.spans}


def _mentions(border: Border, scope: FindScope, texts: Mapping[str, str]) -> list[str]:
    """Return the hunks, of other files than the border's, that have its name in them."""
    *owners, name = border.symbol.split(".")
    if name.startswith("__") and owners:  # nobody writes it: they write whose it is
        name = owners[-1]
    if len(name) < 3:
        return []
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    found = [
        f"{quoted(span.path)} hunk {span.id}"
        for span in scope.spans
        if span.path != border.path
        and name in texts.get(span.id, "")
        and word.search(texts[span.id])
    ]
    more = [f"{len(found) - MENTIONS_SHOWN} more hunks"] if found[MENTIONS_SHOWN:] else []
    return found[:MENTIONS_SHOWN] + more


def _border(group: Sequence[Border]) -> str:
    """Return what happens to one symbol, in one line."""
    first = group[0]
    named = f"{first.kind} {first.symbol}" if first.symbol else first.kind
    changes = [
        f"{one.what}: {one.before or '(nothing)'} -> {one.after or '(nothing)'}" for one in group
    ]
    told = printable(f"{quoted(first.path)} {named}: {'; '.join(changes)}")
    return told if len(told) <= BORDER_CHARS else f"{told[:BORDER_CHARS]}…"


def _where(change: Change, scope: FindScope, claim: Claim) -> str:
    if claim.path:
        return quoted(claim.path)
    paths = {span.id: span.path for span in scope.spans}
    return quoted(paths.get(claim.hunk, "?"))


def _weight(claim: Claim) -> tuple[int, float]:
    order = ["critical", "high", "medium", "low"]
    return order.index(claim.severity), -claim.confidence


def _number(name: str) -> int:
    return int(name.lstrip("p"))


def _rounded(tokens: int) -> str:
    """Return a size as a person says it: an edit of a few lines hardly ever changes it."""
    step = max(1_000, 10 ** (len(str(tokens)) - 1))
    return f"about {round(tokens / step) * step:,}" if tokens >= 1_000 else "less than 1,000"


def _cut(lines: Sequence[str], most: int) -> str:
    """Return as many lines as there is room for, and how many there are more."""
    kept: list[str] = []
    left = most
    for number, line in enumerate(lines):
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*kept, f"… {len(lines) - number} more lines"])
        kept.append(line)
    return "\n".join(kept)
