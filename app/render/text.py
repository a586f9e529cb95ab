"""A review as text for a terminal, a pipe or a log: plain lines, colour only where asked for."""

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import TextIO, TypedDict

from rich.cells import cell_len, chop_cells, set_cell_size

from app.render import PIPE_COLUMNS, words
from app.render.escape import code_line, one_line, visible
from app.render.prose import blocks, plain
from app.render.snippet import CodeLine, DiffLine, Snippets, excerpt, suggested
from reviewer.finding import Finding
from reviewer.request import Review
from reviewer.review.summary import risk_line

NARROWEST = 40
WIDEST = 120
"""Prose wider than this is hard to read, however wide the terminal is."""

DEPENDENCIES_SHOWN = 40
CHANGES_SHOWN = 3
"""Of what a module's readers said; other formats have all of it."""

_STYLES = {
    "critical": "1;97;41",
    "high": "1;31",
    "medium": "1;33",
    "low": "1;36",
    "nit": "2",
    "bold": "1",
    "dim": "2",
    "place": "36",
    "mark": "1;31",
    "removed": "31",
    "added": "32",
    "loud": "1;30;43",
    "good": "1;32",
}


class Look(TypedDict):
    """What a stream can show; the keywords of `render`."""

    width: int
    color: bool


def look(stream: TextIO, environ: Mapping[str, str]) -> Look:
    """Return width and colour for a stream: NO_COLOR, FORCE_COLOR, COLUMNS and TERM count."""
    terminal = stream.isatty()
    capable = terminal and environ.get("TERM", "") not in {"", "dumb"}
    color = not environ.get("NO_COLOR") and (capable or bool(environ.get("FORCE_COLOR")))
    if environ.get("COLUMNS", "").isdigit():
        return Look(width=int(environ["COLUMNS"]), color=color)
    if not terminal:
        return Look(width=PIPE_COLUMNS, color=color)
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        width = shutil.get_terminal_size().columns
    return Look(width=width or PIPE_COLUMNS, color=color)


def render_text(review: Review, snippets: Snippets, *, width: int, color: bool) -> str:
    """Return the review as lines of at most `width` columns; without `color`, no escape at all."""
    page = _Page(max(NARROWEST, min(width, WIDEST)), color)
    return "\n".join(page.review(review, snippets)) + "\n"


class _Page:
    """Width and colour, and the parts of a review laid out with them."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = width
        self.color = color

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text

    def review(self, review: Review, snippets: Snippets) -> Iterator[str]:
        early = words.ended_early(review)
        if early:
            yield from self.loud(early)
            yield ""
        for finding in words.ranked(review.findings):
            yield from self.finding(finding, snippets)
            yield ""
        yield from self.wrapped(
            words.verdict(review),
            style="bold" if review.findings or review.unsettled or early else "good",
        )
        if unsettled := words.unsettled(review):
            yield from self.wrapped(one_line(unsettled), style="bold")
        if overview := words.overview(review).strip():
            yield ""
            yield from self.prose(overview, "")
        yield from self.outline(review)
        yield from self.dependencies(review)
        yield ""
        if words.coverage(review):
            yield from self.coverage(review)
        for note in review.notes:
            yield from self.wrapped(one_line(note), "Note: ")
        yield from self.wrapped(words.cost(review.cost), style="dim")
        if early:
            yield ""
            yield from self.loud(early)

    def loud(self, sentence: str) -> Iterator[str]:
        for at, line in enumerate(wrap(sentence, self.width - len("PARTIAL  "))):
            lead = "PARTIAL" if at == 0 else ""
            yield self.paint(f"{lead:<7}  {line}", "loud")

    def finding(self, finding: Finding, snippets: Snippets) -> Iterator[str]:
        head = f"{finding.severity.value}[{finding.category.value}]:"
        first, *more = wrap(f"{head} {one_line(finding.title)}", self.width)
        label = self.paint(head, finding.severity.value)
        yield label + self.paint(first.removeprefix(head), "bold")
        yield from self.wrapped(" ".join(more), "  ", style="bold")
        # Never wrapped: terminals and editors make `path:line` something to click on.
        yield "  " + self.paint(words.place(finding), "place")
        for said in words.circumstances(finding):
            yield from self.wrapped(f"({said})", "  ")
        places = words.also_at(finding)
        for at, other in enumerate(places[: words.PLACES_SHOWN]):
            yield f"  {'also at:' if at == 0 else '        '} " + self.paint(other, "place")
        if (left := len(places) - words.PLACES_SHOWN) > 0:
            yield f"           and {left:,} more (all are in --format json)"
        code = excerpt(finding, snippets)
        if code:
            yield from self.code(code)
        if finding.body.strip():
            yield ""
            yield from self.prose(finding.body, "  ")
        if fails := words.fails_when(finding):
            yield ""
            yield from self.wrapped(plain(fails), "  Fails when: ")
        if seen := words.seen_at(finding):
            yield ""
            yield from self.wrapped(seen[1], "  Seen in: ")
            if finding.proof and finding.proof.line:
                yield "  " + self.paint(seen[0], "place")
            else:
                yield from self.wrapped(seen[0], "  ", style="place")
        fix = suggested(finding, snippets)
        if finding.suggestion is not None and fix:
            yield ""
            yield "  Suggested:"
            yield from self.diff(fix)
        yield ""
        sources = ", ".join(words.sources(finding))
        origin = f"{sources}, confidence {finding.confidence:.0%}, {finding.id}"
        yield from self.wrapped(one_line(origin), "  ", style="dim")

    def outline(self, review: Review) -> Iterator[str]:
        """Say in short how risky it is, where to begin, and what it does."""
        if review.risk:
            yield ""
            yield from self.wrapped(one_line(plain(risk_line(review.risk))))
        for at, look in enumerate(review.look_first):
            lead = "Look first at " if at == 0 else " " * len("Look first at ")
            yield lead + self.paint(words.looked_at(look), "place")
            yield from self.wrapped(one_line(plain(look.reason)), " " * (len(lead) + 2), "dim")
        said = [(words.module_name(one), one.changes) for one in review.modules if one.changes]
        said += [("", review.across)] if review.across else []
        if said:
            yield ""
        for name, texts in said:
            if name:
                yield self.paint(name, "bold")
            for text in texts[:CHANGES_SHOWN]:
                yield from self.wrapped(one_line(plain(text)), "  • ")
            if len(texts) > CHANGES_SHOWN:
                yield f"    and {len(texts) - CHANGES_SHOWN:,} more"

    def code(self, lines: list[CodeLine]) -> Iterator[str]:
        digits = max((len(str(line.number)) for line in lines if line.number), default=1)
        for line in lines:
            if line.gap:
                yield "  " + self.paint(f"{'':>{digits + 2}} ┆ {line.text}", "dim")
                continue
            number = f"{line.number or '':>{digits}}"
            mark = self.paint("▶", "mark") if line.marked else " "
            gutter = self.paint(f"{number} │", "dim")
            text = self.fit(code_line(line.text), digits + 7)
            text = text if line.marked else self.paint(text, "dim")
            yield f"  {mark} {gutter} {text}".rstrip()

    def diff(self, lines: list[DiffLine]) -> Iterator[str]:
        styles = {"-": "removed", "+": "added"}
        for line in lines:
            text = f"{line.kind} {self.fit(code_line(line.text), 6)}".rstrip()
            yield "    " + (self.paint(text, styles[line.kind]) if line.kind in styles else text)

    def fit(self, text: str, used: int) -> str:
        """Cut one line of code to the columns that are left of it."""
        room = self.width - used
        return text if cell_len(text) <= room else set_cell_size(text, room - 1).rstrip() + "…"

    def prose(self, text: str, indent: str) -> Iterator[str]:
        previous = ""
        for block in blocks(visible(text)):
            if previous and not (previous == "bullet" == block.kind):
                yield ""
            previous = block.kind
            match block.kind:
                case "code":
                    for line in block.text.split("\n"):
                        yield f"{indent}    {self.fit(code_line(line), len(indent) + 4)}".rstrip()
                case "bullet":
                    marker = f"{block.marker or '•'} "
                    yield from self.wrapped(plain(block.text), f"{indent}  {marker}")
                case "heading":
                    yield from self.wrapped(plain(block.text), indent, style="bold")
                case _:
                    yield from self.wrapped(plain(block.text), indent)

    def wrapped(self, text: str, lead: str = "", style: str = "") -> Iterator[str]:
        """Wrap one paragraph, later lines under the first behind `lead`."""
        for at, line in enumerate(wrap(text.replace("\t", " "), self.width - cell_len(lead))):
            front = lead if at == 0 else " " * cell_len(lead)
            yield front + (self.paint(line, style) if style else line)

    def dependencies(self, review: Review) -> Iterator[str]:
        if not review.dependencies:
            return
        yield ""
        yield self.paint("Dependencies", "bold")
        shown = review.dependencies[:DEPENDENCIES_SHOWN]
        for one in shown:
            old, new = one_line(one.old or "—"), one_line(one.new or "—")
            line = f"  {one_line(one.name)}  {old} → {new}  ({one_line(one.ecosystem)}, "
            yield self.fit(line + f"{one_line(one.path)})", 0)
        if more := len(review.dependencies) - len(shown):
            yield f"  and {more:,} more"

    def coverage(self, review: Review) -> Iterator[str]:
        yield from self.wrapped(words.coverage(review))
        for reason in words.reasons(review.coverage.skipped):
            size = f" ({reason.size})" if reason.files > 1 else ""
            line = f"{reason.reason}{size}: {', '.join(reason.rows)}"
            if len(reason.rows) == 1 or cell_len(line) <= self.width - len("  - "):
                yield from self.wrapped(line, "  - ")
                continue
            yield from self.wrapped(f"{reason.reason}{size}:", "  - ")
            for row in reason.rows:
                yield from self.wrapped(row, "      ")


def wrap(text: str, columns: int) -> list[str]:
    """Return the words of `text` in lines of at most `columns` terminal cells."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and cell_len(line) + 1 + cell_len(word) <= columns:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, columns) or [""]
        lines += full
    return [*lines, line] if line else lines
