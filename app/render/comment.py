"""One finding as the comment that stands at its line, with a suggestion that can be committed."""

import html
import re

from app.render import words
from app.render.escape import (
    code_line,
    cut,
    fence,
    markdown,
    markdown_code,
    one_line,
    visible,
)
from app.render.markdown import (
    BODY_BYTES,
    LINE_CHARS,
    SIGNS,
    TITLE_BYTES,
    also_at,
    fails_when,
    fitted,
    prose,
    seen_at,
    short,
    sources,
)
from app.render.outgoing import size
from app.render.prose import unbold
from app.render.snippet import Snippets, suggested
from app.report import Anchor
from reviewer.finding import Category, Finding

SUGGESTION_BYTES = 40_000
"""A body has 65,536 characters at the most. A longer replacement is shown cut, as a diff."""

_BEFORE = "This was there before this change."
_FOLDED = "<details><summary>Where this comes from</summary>"

_PROVED = re.compile(r"\n\n\*\*(?:Fails when|Seen at):\*\* [^\n]*")

# Programs that obey comments read them as plain text, a suggestion included. Those that are called
# by name are listed: `@State private var` is code.
_COMMAND = re.compile(
    r"^[ \t]*(?:/[a-z]|@?bors[ \t]|@(?:claude|codex|coderabbitai|copilot|dependabot|homu|mergify"
    r"|mergifyio|renovate|renovate-bot|rustbot)\b)",
    re.IGNORECASE | re.MULTILINE,
)


def render_comment(finding: Finding, anchor: Anchor, snippets: Snippets) -> str:
    """Return the Markdown of a finding for the place of its anchor, which itself is not named."""
    parts = [f"**{SIGNS[finding.severity]}: {fitted(finding.title, TITLE_BYTES, _bold)}**"]
    if finding.body.strip():
        parts.append(fitted(finding.body, BODY_BYTES, prose))
    parts += filter(None, (fails_when(finding), seen_at(finding)))
    if finding.preexisting:
        parts.append(_BEFORE)
    if fix := _fix(finding, anchor, snippets):
        parts.append(fix)
    sure = f"confidence {finding.confidence:.0%}"
    named = f"{sure} · {markdown_code(finding.id)}"
    parts += [_FOLDED, f"{finding.category.value} · {sources(finding)} · {named}", "</details>"]
    # Behind what `said` returns: neither a repeat that comes nor a second look is news.
    if words.unverified(finding):
        parts.append(f"{words.UNVERIFIED.capitalize()}.")
    if others := also_at(finding):
        parts.append(others)
    return "\n\n".join(parts)


def said(text: str) -> str:
    """Return what a comment of ours tells a reader: without how sure we are, who says it, whether
    it was verified and by which input, and the other places where it is true."""
    return _PROVED.sub("", text.rpartition(f"\n\n{_FOLDED}")[0] or text)


_CLAIM = re.compile(
    rf"\*\*(?P<sign>{'|'.join(map(re.escape, SIGNS.values()))}): (?P<title>[^\n]*)\*\*"
    r"(?:\n\n(?P<body>.*))?",
    re.DOTALL,
)
_FIX = re.compile(r"\n\n(?:Suggested:\n\n`{3,}diff|`{3,}suggestion)\n.*\Z", re.DOTALL)
_KIND = re.compile(
    r"(?P<category>[a-z]+) · (?P<ticks>`+) ?(?P<source>.+?) ?(?P=ticks)(?:, [^\n]*)? · confidence"
)
_BREAKS = re.compile(r"\u200b|\\(?=_|[^\w\s])|\\$")


def claim_of(text: str, path: str) -> Finding | None:
    """Return what a comment of ours claims, as far as its text tells; None for another's text.

    Of the whole file: its words, its names and its kind are those of the finding, and no more.
    """
    shown, _, folded = text.rpartition(f"\n\n{_FOLDED}")
    claim, kind = _CLAIM.fullmatch(_PROVED.sub("", shown)), _KIND.search(folded)
    if claim is None or kind is None or kind["category"] not in set(Category):
        return None
    body = _FIX.sub("", "\n\n" + (claim["body"] or ""))
    body = body.removesuffix(f"\n\n{_BEFORE}").removeprefix("\n\n")
    severity = next(one for one, sign in SIGNS.items() if sign == claim["sign"])
    return Finding(
        path=path,
        category=Category(kind["category"]),
        severity=severity,
        confidence=0.0,
        title=_BREAKS.sub("", html.unescape(claim["title"])),
        body=_BREAKS.sub("", html.unescape(body)),
        source=kind["source"],
    )


def _bold(title: str) -> str:
    """Return a title whose bold stretches are not told apart: all of it will be bold."""
    return "".join(
        markdown_code(piece.text) if piece.kind == "code" else markdown(piece.text, opens=False)
        for piece in unbold(one_line(title))
    ).strip()


def _fix(finding: Finding, anchor: Anchor, snippets: Snippets) -> str:
    if can_commit(finding, anchor):
        return suggestion(finding.suggestion or "")
    if lines := suggested(finding, snippets):
        shown = [line.kind + cut(code_line(line.text), LINE_CHARS) for line in lines]
        return "Suggested:\n\n" + fence(short(shown), "diff")
    return ""


def can_offer(text: str) -> bool:
    """May a text be a suggestion: may it stand in a comment as it is, and is it short enough?"""
    return size(text) <= SUGGESTION_BYTES and can_show(text)


def can_show(text: str) -> bool:
    """May a text stand in a comment as it is: is nothing hidden in it, and would no program that
    reads comments obey it?"""
    return visible(text) == text and not _COMMAND.search(text)


def can_commit(finding: Finding, anchor: Anchor) -> bool:
    """May the replacement be offered as it is: are its lines these, and is nothing hidden in it?"""
    text = finding.suggestion
    return (
        text is not None
        and anchor.suggest
        and anchor.side == finding.side == "RIGHT"
        and (anchor.start_line, anchor.line) == (finding.start_line, finding.line)
        and can_offer(text)
    )


def suggestion(text: str) -> str:
    """Return the block that GitHub puts in the place of the lines; an empty one deletes them."""
    if not text:
        return "```suggestion\n```"
    return fence(text.removesuffix("\n").split("\n"), "suggestion")
