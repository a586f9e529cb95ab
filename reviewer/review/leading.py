"""What a node that leads a review is told: its parts in brief, and then what to ask across them.

Pure functions of the scope and of what its children said. Sizes are rounded and lines are not
numbered, so that an edit which changes no outline changes no word.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from reviewer.change import Change, Span
from reviewer.languages import is_prose, is_test
from reviewer.review.borders import Border
from reviewer.review.claims import Claim, FinderResult
from reviewer.review.join import is_plain_word
from reviewer.review.keys import KINDS
from reviewer.review.scope import FindScope, fitting, quoted, size_of, source_first
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.text import printable

BRIEF_CHARS = 14_000
ACROSS_CHARS = 9_000
"""What is told at the most, about 4,500 and 3,000 tokens: a print-out may have as much."""

ACROSS = (
    "Where do two of the parts not agree? For each thing above that one part changed, and each "
    "value, name, unit, key, order or error that one hands to another, look at both sides, in "
    "their hunks (`diff`) or in the files. Ask, too: does a rule that two places keep still hold "
    "in both? Does code need a migration that another part makes, or the other way round, and what "
    "happens while only one of them is there? Is a flag, setting or field read that nothing sets, "
    "or set and never read? Other nodes have read your hunks for you, and none is shown to you "
    "here, so a claim gives the path of its file. Report a defect only where you have seen both."
)
"""What only a node that leads can ask."""

FILES_SHOWN = 12
"""Of one part. The code of the node that leads has them all."""

NAMES_SHOWN = 8
"""Of one file: what its hunks define or lie in."""

BORDERS_SHOWN = 40
BORDER_CHARS = 600
CLAIMS_SHOWN = 40
OVERVIEW_CHARS = 300
WHY_CHARS = 240
"""Of a claim's reason: what a value is that one part hands to another often stands there alone."""

MENTION_TOKENS = 1_000_000
"""Of a scope that is searched for who mentions a border, source first: a tenth of a second."""

MENTIONS_SHOWN = 4

NAME_CHARS = 3
"""A shorter name is in every second line, and says nothing."""

OUTLINED_TOKENS = 2 * WINDOW_TOKENS

_WORD = re.compile(r"\w+")

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
    """Return the parts in brief: their sizes, files and outlines, and what lies between them."""
    lines: list[str] = []
    for name, part in parts.items():
        size = size_of(part.spans)
        by_path: dict[str, list[Span]] = {}
        for span in part.spans:
            by_path.setdefault(span.path, []).append(span)
        files = list(by_path.items())
        lines.append(f"{name}: {_rounded(size)} tokens")
        # What a part of many windows defines is for whoever divides it.
        outlined = size <= OUTLINED_TOKENS
        lines += [_file(change, path, spans, outlined) for path, spans in files[:FILES_SHOWN]]
        if (more := len(files) - FILES_SHOWN) > 0:
            lines.append(f"  … {more} more files")
    holders = {span.id: name for name, part in parts.items() for span in part.spans}
    told = []
    for group, mentions in _crossing([s for part in parts.values() for s in part.spans], borders):
        held = {holders[span] for border in group for span in border.spans if span in holders}
        others = {holders[span.id] for span in mentions} - held
        if others:
            told.append(f"- {_border(group)} ({_listed(held)}; also in {_listed(others)})")
    if told:
        lines += ["", "What one part changes and another mentions:", *_first(told, BORDERS_SHOWN)]
    return _cut(lines, BRIEF_CHARS)


def across(
    change: Change, scope: FindScope, borders: Sequence[Border], results: Sequence[FinderResult]
) -> str:
    """Return the question about what lies between the parts of a scope that was read.

    The borders come first, for they are what only this node can ask about; what its parts say of
    themselves takes no room from them.
    """
    told = _told(_crossing(scope.spans, borders))
    claims = _once(sorted((each for result in results for each in result.claims), key=_weight))
    said = [
        f"- {' '.join(result.overview.split())[:OVERVIEW_CHARS]}"
        for result in results
        if result.overview.strip()
    ]
    listed = (
        ("What the parts do to what other files of theirs mention:", told, BORDERS_SHOWN),
        ("What they report:", [_claimed(change, scope, each) for each in claims], CLAIMS_SHOWN),
        ("What the parts change, in their readers' words:", said, len(said)),
    )
    sections = [[head, *_first(lines, most)] for head, lines, most in listed if lines]
    return f"{shared(sections, ACROSS_CHARS)}\n\n{ACROSS}".strip()


def _file(change: Change, path: str, spans: Sequence[Span], outlined: bool) -> str:
    hunks = len({span.hunk.id for span in spans})
    names = list(dict.fromkeys(_names(spans))) if outlined else []
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


def elsewhere(spans: Sequence[Span], borders: Sequence[Border]) -> list[str]:
    """Return a line for each thing that other spans change, or take away, and these mention.

    In the order in which a leader is told such things; what is new there is not among them.
    """
    held = {span.id for span in spans}
    others = [each for each in borders if each.what != "added" and held.isdisjoint(each.spans)]
    return _told(_met(others, [span for span in spans if not is_prose(span.path)]))


def _crossing(
    spans: Sequence[Span], borders: Sequence[Border]
) -> list[tuple[list[Border], list[Span]]]:
    """Return what the spans change that spans of other files here mention, with those spans.

    The rest is for the parts: so an edit that touches no border between files changes no word of
    what a leader is told.
    """
    held = {span.id for span in spans}
    return _met([each for each in borders if not held.isdisjoint(each.spans)], spans)


def _met(borders: Iterable[Border], spans: Sequence[Span]) -> list[tuple[list[Border], list[Span]]]:
    """Return the borders that spans of other files mention, with those spans.

    By symbol, and what was there before first: what is new has no users but new ones. Nobody
    relies on what a test defines. Of a scope that is too large to search whole, the source first.
    """
    groups: dict[tuple[str, str, str], list[Border]] = {}
    for border in borders:
        if not is_test(border.path):
            groups.setdefault((border.path, border.kind, border.symbol), []).append(border)
    names = {key: _name(key[2]) for key in groups}
    mentions = _mentions(
        _searched(spans), {name for name in names.values() if len(name) >= NAME_CHARS}
    )
    found = [
        (
            group,
            [s for s in mentions.get(names[key], ()) if s.path != key[0] and _means(s, *key[1:])],
        )
        for key, group in groups.items()
    ]
    crossing = [pair for pair in found if pair[1]]
    return sorted(crossing, key=_rank)


def _searched(spans: Sequence[Span]) -> Sequence[Span]:
    """Return the spans that are searched, in their own order."""
    if size_of(spans) <= MENTION_TOKENS:
        return spans
    chosen = {span.id for span in fitting(source_first(spans), MENTION_TOKENS)}
    return [span for span in spans if span.id in chosen]


def _rank(pair: tuple[list[Border], list[Span]]) -> tuple[bool, int]:
    """What few files mention comes first: what all do says little, and may be cut off."""
    group, mentions = pair
    return all(one.what == "added" for one in group), len({span.path for span in mentions})


def _means(span: Span, kind: str, symbol: str) -> bool:
    """May a span that has the name of a symbol as a word mean that symbol?"""
    *owners, _ = symbol.split(".")
    name = _name(symbol)
    if not is_plain_word(name):
        return True
    text = "\n".join(line.text for line in span.lines)
    if kind in KINDS:
        return re.search(rf"[\"'`.]{name}\b", text) is not None
    if owners and owners[-1] != name:
        return re.search(rf"\b{re.escape(owners[-1])}\b", text) is not None
    return re.search(rf"\b{name}\s*\(|\b(?:import|use|require)\b.*\b{name}\b", text) is not None


def _name(symbol: str) -> str:
    """Return the word by which code elsewhere speaks of a symbol."""
    *owners, name = symbol.split(".")
    # Nobody writes a constructor's name: they write whose it is.
    return owners[-1] if name.startswith("__") and owners else name


def _mentions(spans: Sequence[Span], wanted: Collection[str]) -> dict[str, list[Span]]:
    """Return for each word the spans that have it in their lines."""
    found: dict[str, list[Span]] = {}
    for span in spans if wanted else ():
        words = set(_WORD.findall("\n".join(line.text for line in span.lines)))
        for word in words.intersection(wanted):
            found.setdefault(word, []).append(span)
    return found


def _told(crossing: Sequence[tuple[list[Border], list[Span]]]) -> list[str]:
    """Return a line for each symbol, and where it is mentioned; what is done alike is said once.

    What one of many does otherwise is then a line of its own, and not one of hundreds.
    """
    alike: dict[str, list[tuple[list[Border], list[Span]]]] = {}
    for group, mentions in crossing:
        alike.setdefault(changes(group), []).append((group, mentions))
    lines = []
    for same in alike.values():
        group, mentions = same[0]
        more = f" (alike in {len(same) - 1} more files)" if len(same) > 1 else ""
        lines.append(f"- {_border(group)}{more}; also in {_paths(mentions)}")
    return lines


def _paths(spans: Sequence[Span]) -> str:
    paths = list(dict.fromkeys(quoted(span.path) for span in spans))
    more = [f"{len(paths) - MENTIONS_SHOWN} more files"] if paths[MENTIONS_SHOWN:] else []
    return ", ".join(paths[:MENTIONS_SHOWN] + more)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=_number))


def _border(group: Sequence[Border]) -> str:
    """Return what happens to one symbol, in one line."""
    told = printable(f"{quoted(group[0].path)} {changes(group)}")
    return told if len(told) <= BORDER_CHARS else f"{told[:BORDER_CHARS]}…"


def changes(group: Sequence[Border]) -> str:
    """Return what happens to one symbol, without its path."""
    first = group[0]
    named = f"{first.kind} {first.symbol}" if first.symbol else first.kind
    return f"{named}: {changed(group)}"


def changed(group: Sequence[Border]) -> str:
    """Return what happens to one symbol, without its name."""
    return "; ".join(
        f"{one.what}: {one.before or '(nothing)'} -> {one.after or '(nothing)'}" for one in group
    )


def _once(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims, those about one quote of one place once: two parts may look at it."""
    kept: dict[tuple[str, str], Claim] = {}
    for each in claims:
        kept.setdefault((each.path or each.hunk, each.quote.strip()), each)
    return list(kept.values())


def _claimed(change: Change, scope: FindScope, claim: Claim) -> str:
    why = " ".join(claim.why.split())
    why = why if len(why) <= WHY_CHARS else f"{why[:WHY_CHARS]}…"
    return f"- {claim.title} ({_where(change, scope, claim)}): {why}"


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


def _first(lines: Sequence[str], most: int) -> list[str]:
    """Return the first lines, and how many there are more."""
    return [*lines[:most], *([f"… {len(lines) - most} more"] if lines[most:] else [])]


def shared(sections: Sequence[Sequence[str]], most: int) -> str:
    """Return sections of lines one after the other, in the room for characters that they share.

    Each has an equal share for certain. What one leaves goes to the others, the first ones first.
    """
    sizes = [sum(len(line) + 1 for line in lines) for lines in sections]
    share = most // max(1, len(sections))
    spare = most - sum(min(size, share) for size in sizes)
    shown = []
    for lines, size in zip(sections, sizes, strict=True):
        extra = min(spare, max(0, size - share))
        spare -= extra
        shown.append(_cut(lines, share + extra))
    return "\n\n".join(shown)


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
