"""A review as Markdown for a pull-request comment or a job summary, within the platform's size."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.render import words
from app.render.diagram import diagram
from app.render.escape import (
    code_line,
    cut,
    fence,
    markdown,
    markdown_code,
    markdown_html,
    markdown_line,
    one_line,
)
from app.render.prose import Block, blocks, pieces, unbold
from app.render.snippet import CodeLine, Snippets, excerpt, suggested
from reviewer.finding import Finding, Severity
from reviewer.request import DependencyChange, LookFirst, Review

LIMIT_BYTES = 60_000
"""GitHub refuses more: "Body is too long (maximum is 65536 characters)"; callers add a marker."""

ROWS_SHARE = 2 / 3
"""Of the room for findings that their table may take: the worst are told at length, however many
others there are."""

SUMMARY_BYTES = 8_000
BODY_BYTES = 5_000
TITLE_BYTES = 600
LINE_CHARS = 300
CODE_LINES = 60
NOTES_SHOWN = 10
ROW_BYTES = 400
CELL_BYTES = 150
COVERAGE_BYTES = 12_000
NOTES_BYTES = 6_000
DEPENDENCIES_BYTES = 8_000

SIGNS = {
    Severity.CRITICAL: "🟥 critical",
    Severity.HIGH: "🟧 high",
    Severity.MEDIUM: "🟨 medium",
    Severity.LOW: "🟦 low",
    Severity.NIT: "⬜ nit",
}


LinesAt = Callable[[Finding | LookFirst], str]

DISMISSED_BY = "dismissed by"
CHECKED_BY = "already said by the check"


@dataclass(frozen=True, slots=True)
class SaidBy:
    """Who says what a finding says already, and where: an address that the caller answers for.

    `how` it was said, if otherwise.
    """

    login: str
    address: str = ""
    how: str = "already said by"


def render_markdown(
    review: Review,
    snippets: Snippets,
    *,
    limit_bytes: int = LIMIT_BYTES,
    elsewhere: Mapping[str, str] | None = None,
    lines_at: LinesAt | None = None,
    said_by: Mapping[str, SaidBy] | None = None,
) -> str:
    """Return the review in at most `limit_bytes` of UTF-8, cut between findings and saying so.

    Every finding has a row as long as there is room, the worst and surest first, then those that
    are told nowhere else have details; nits are folded. A finding whose id is in `elsewhere` is
    told at that address: its row leads there. A clean change is one line, all else is folded.
    `lines_at` says the address of lines, "" for none, `said_by` who else says it. The addresses
    are the caller's to answer for.
    """
    if words.clean(review):
        return _clean(review, lines_at)
    opening = _opening(review, lines_at)
    closing = _closing(review)
    ordered = words.foremost(review.findings)
    room = limit_bytes - _bytes(opening) - _bytes(closing)
    room -= _bytes(_not_shown(len(ordered), len(ordered)))
    room -= 2 * _bytes(_TABLE_HEAD) + _bytes(_nits(len(ordered), []))
    others = said_by or {}
    there = {name: one.address for name, one in others.items()} | dict(elsewhere or {})
    rows = _rows(ordered, there, others, lines_at, int(room * ROWS_SHARE))
    room -= sum(map(_bytes, rows))
    named = ordered[: len(rows)]
    untold = [one for one in named if one.id not in (elsewhere or {})]
    told = _within((_detail(one, others.get(one.id), snippets) for one in untold), room)
    # Nits come last, in the rows as in the details.
    nits = sum(one.severity is Severity.NIT for one in named)
    worse, told_worse = len(rows) - nits, sum(one.severity is not Severity.NIT for one in untold)
    parts = [opening]
    if worse:
        parts += [_TABLE_HEAD + "\n".join(rows[:worse]), *told[:told_worse]]
    if nits:
        parts.append(_nits(nits, [_TABLE_HEAD + "\n".join(rows[worse:]), *told[told_worse:]]))
    hidden, brief = len(ordered) - len(rows), len(untold) - len(told)
    if hidden or brief:
        parts.append(_not_shown(hidden, brief))
    return "\n\n".join([*parts, closing]) + "\n"


def _rows(
    findings: Sequence[Finding],
    elsewhere: Mapping[str, str],
    said_by: Mapping[str, SaidBy],
    lines_at: LinesAt | None,
    room: int,
) -> list[str]:
    """Return a row for each finding; where there is no room for all, without links to their lines.

    Every finding is to be named before one is told at length.
    """

    def row(finding: Finding, lines: str) -> str:
        return _row(finding, elsewhere.get(finding.id) or lines, said_by.get(finding.id))

    if lines_at is not None:
        rows = [row(finding, lines_at(finding)) for finding in findings]
        if sum(map(_bytes, rows)) <= room:
            return rows
    return _within((row(finding, "") for finding in findings), room)


def _nits(number: int, told: Sequence[str]) -> str:
    """Return what is a matter of taste, folded away."""
    summary = f"<details><summary>{words.count(number, 'nit')}</summary>"
    return "\n\n".join([summary, *told, "</details>"])


_TABLE_HEAD = "| Severity | Where | What |\n|---|---|---|\n"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8")) + len("\n\n")


def _not_shown(hidden: int, brief: int) -> str:
    said = []
    if brief:
        said.append(f"the details of {words.count(brief, 'finding')}")
    if hidden:
        said.append(words.count(hidden, "more finding"))
    return f"**Not shown here: {' and '.join(said)}**, for this text has a size limit."


def _opening(review: Review, lines_at: LinesAt | None) -> str:
    parts = [f"## {markdown_line(words.verdict(review))}"]
    if early := words.ended_early(review):
        parts.insert(0, f"> [!WARNING]\n> **{markdown_line(early)}**")
    if unsettled := words.unsettled(review):
        parts.append(f"> [!IMPORTANT]\n> {fitted(unsettled, SUMMARY_BYTES, _note)}")
    return "\n\n".join([*parts, *_outline(review, lines_at)])


def _clean(review: Review, lines_at: LinesAt | None) -> str:
    """Return the one line that a clean change is worth, and behind it what nobody has to read."""
    outline = _outline(review, lines_at)
    folds = review.notes or outline not in ([], [_LOW_RISK])
    cost = words.cost_briefly(review.cost) if folds else words.cost(review.cost)
    said = [f"**{markdown_line(words.verdict(review))}**"]
    if aside := words.set_aside(review):
        said.append(fitted(aside, 2 * ROW_BYTES, _note))
    line = " ".join([*said, f"<sub>{markdown_line(cost)}</sub>"])
    if not folds:
        return line + "\n"
    notes = f", {words.count(len(review.notes), 'note')}" if review.notes else ""
    fold = f"<details><summary>The change, and how it was read{notes}</summary>"
    return "\n\n".join([line, fold, *outline, _closing(review), "</details>"]) + "\n"


_LOW_RISK = "**Risk: low**"


def _outline(review: Review, lines_at: LinesAt | None) -> list[str]:
    """Return what the change is and does, without what is wrong with it."""
    parts = []
    if overview := words.overview(review).strip():
        parts.append(fitted(overview, SUMMARY_BYTES, prose))
    if review.risk:
        reasons = fitted("; ".join(review.risk.reasons), TITLE_BYTES, _note)
        parts.append(f"**Risk: {review.risk.level}**" + (f" ({reasons})" if reasons else ""))
    if review.look_first:
        looks = [_look(look, lines_at) for look in review.look_first]
        parts.append("\n".join(["**Where to look first**", "", *looks]))
    return [*parts, *_changes(review)]


def _look(look: LookFirst, lines_at: LinesAt | None) -> str:
    where = fitted(words.looked_at(look), ROW_BYTES, markdown_code)
    if lines_at and (address := lines_at(look)):
        where = f"[{where}]({address})"
    return f"1. {where}: {fitted(look.reason, TITLE_BYTES, _note)}"


def _changes(review: Review) -> list[str]:
    """Return what the change does, by module, and the diagram of the modules."""
    lines = []
    for module in review.modules:
        name = fitted(words.module_name(module), ROW_BYTES, markdown_code)
        lines.append(f"- {name} ({words.module_size(module)})")
        lines += [f"  - {fitted(text, TITLE_BYTES, _note)}" for text in module.changes]
    lines += [f"- {fitted(text, TITLE_BYTES, _note)}" for text in review.across]
    if len(review.modules) < 2 and len(lines) < 2:
        return []  # a small change shows what it does
    kept = _within(lines, SUMMARY_BYTES)
    more = len(lines) - len(kept)
    parts = ["\n".join(["**What changes**", "", *kept, *([f"- … {more:,} more"] if more else [])])]
    if drawn := diagram(review.modules, review.imports):
        parts += [drawn, "<sub>An arrow: changed files here import changed files there.</sub>"]
    return parts


def _row(finding: Finding, address: str, said_by: SaidBy | None) -> str:
    where = fitted(words.place(finding), ROW_BYTES, _code_cell)
    if address:
        where = f"[{where}]({address})"
    title = fitted(finding.title, TITLE_BYTES, _cell)
    if finding.places:
        title += f" (and at {words.count(len(finding.places), 'other place')})"
    if words.unverified(finding):
        title += f" ({words.UNVERIFIED_BRIEFLY})"
    if said_by:
        title += f" ({_already(said_by, _code_cell)})"
    return f"| {SIGNS[finding.severity]} | {where} | {title} |"


def also_at(finding: Finding) -> str:
    """Return the other places of a finding in one line; "" where there are none."""
    places = words.also_at(finding)
    shown = [fitted(place, ROW_BYTES, markdown_code) for place in places[: words.PLACES_SHOWN]]
    more = (
        [f"{len(places) - words.PLACES_SHOWN:,} more"] if len(places) > words.PLACES_SHOWN else []
    )
    return f"Also at: {', '.join(shown + more)}" if shown else ""


def fails_when(finding: Finding) -> str:
    """Return in one line what fails, "" where nobody has said it."""
    told = words.fails_when(finding)
    return f"**Fails when:** {fitted(told, TITLE_BYTES, _note)}" if told else ""


def seen_at(finding: Finding) -> str:
    """Return in one line where the code stands that proves a finding, "" where it is its own."""
    seen = words.seen_at(finding)
    if seen is None:
        return ""
    where, line = (fitted(cut(text, LINE_CHARS), ROW_BYTES, markdown_code) for text in seen)
    return f"**Seen at:** {where}{f', {line}' if seen[1] else ''}"


def sources(finding: Finding) -> str:
    """Return who says a finding, each as code."""
    return ", ".join(fitted(one, ROW_BYTES, markdown_code) for one in words.sources(finding))


def _already(said_by: SaidBy, code: Callable[[str], str]) -> str:
    """Name who said it in code, where a name is no mention."""
    return f"{said_by.how} {fitted(said_by.login, CELL_BYTES, code)}"


def _detail(finding: Finding, said_by: SaidBy | None, snippets: Snippets) -> str:
    where = fitted(words.place(finding), ROW_BYTES, markdown_code)
    title = fitted(finding.title, TITLE_BYTES, _title)
    opened = f"<details><summary><b>{finding.severity.value}</b>: {title}</summary>"
    about = [where, finding.category.value, *words.circumstances(finding)]
    if said_by:
        about.append(_already(said_by, markdown_code))
    parts = [opened, " · ".join(about)]
    if others := also_at(finding):
        parts.append(others)
    if code := excerpt(finding, snippets):
        parts.append(fence(short(_code(code))))
    if finding.body.strip():
        parts.append(fitted(finding.body, BODY_BYTES, prose))
    parts += filter(None, (fails_when(finding), seen_at(finding)))
    if fix := suggested(finding, snippets):
        lines = [line.kind + cut(code_line(line.text), LINE_CHARS) for line in fix]
        parts.append("Suggested:\n\n" + fence(short(lines), "diff"))
    sure = f"confidence {finding.confidence:.0%}"
    parts.append(f"<sub>{sources(finding)}, {sure}, {markdown_code(finding.id)}</sub>")
    return "\n\n".join([*parts, "</details>"])


def _code(lines: list[CodeLine]) -> list[str]:
    digits = max((len(str(line.number)) for line in lines if line.number), default=1)
    shown = []
    for line in lines:
        mark = ">" if line.marked else " "
        text = cut(code_line(line.text), LINE_CHARS)
        shown.append(
            f"{'':>{digits + 2}} ┆ {line.text}"
            if line.gap
            else f"{mark} {line.number or '':>{digits}} │ {text}".rstrip()
        )
    return shown


def short(lines: list[str]) -> list[str]:
    """Return at most CODE_LINES lines, and how many more there are."""
    if len(lines) <= CODE_LINES:
        return lines
    return [*lines[:CODE_LINES], f"… {len(lines) - CODE_LINES:,} more lines"]


def prose(text: str) -> str:
    """Return prose with the Markdown that we know, written anew, and all else escaped."""
    shown = blocks(text)
    return "\n".join(
        ("" if at == 0 or (block.kind == "bullet" == shown[at - 1].kind) else "\n") + _block(block)
        for at, block in enumerate(shown)
    )


def _block(block: Block) -> str:
    match block.kind:
        case "code":
            # Indented, so that no line of it starts with a command.
            return fence([" " + cut(code_line(s), LINE_CHARS) for s in block.text.split("\n")])
        case "heading":
            return f"#### {inline(block.text)}"
        case "bullet":
            return (
                f"{block.marker.rstrip('.)') + '.' if block.marker else '-'} {inline(block.text)}"
            )
        case _:
            return inline(block.text)


def inline(text: str, *, cell: bool = False) -> str:
    """Return one line of prose with its code spans and bold stretches, all else escaped."""
    said = ""
    for piece in pieces(text):
        if piece.kind == "code":
            # Never beside another backtick (see `pieces`), which would make it another span.
            said += markdown_code(piece.text, cell=cell)
        elif piece.kind == "strong":
            said += f"**{markdown(piece.text.strip(), opens=not said)}**"
        else:
            said += markdown(piece.text, opens=not said)
    return said


def _note(text: str) -> str:
    return inline(one_line(text))


def _cell(text: str) -> str:
    return inline(one_line(text), cell=True)


def _title(text: str) -> str:
    """Return a title for <summary>, in which Markdown is not read."""
    return "".join(
        f"<code>{markdown_html(piece.text)}</code>"
        if piece.kind == "code"
        else markdown_html(piece.text)
        for piece in unbold(one_line(text))
    )


def fitted(text: str, limit: int, escape: Callable[[str], str]) -> str:
    """Escape `text`, cut so that the result has at most `limit` bytes, the cut marked."""
    if len(text) > limit:  # escaping only adds, and a body may have megabytes
        text = text[:limit] + " …"
    escaped = escape(text)
    keep = len(text)
    while len(escaped.encode("utf-8")) > limit:
        keep = keep * 3 // 4
        escaped = escape(text[:keep] + " …")
    return escaped


def _closing(review: Review) -> str:
    parts = _dependencies(review.dependencies)
    if said := _coverage(review):
        parts.append(said)
    parts += _notes(review.notes)
    parts.append(f"<sub>{markdown_line(words.cost(review.cost))}</sub>")
    if early := words.ended_early(review):
        parts.append(f"**{markdown_line(early)}**")
    return "\n\n".join(parts)


def _notes(notes: Sequence[str]) -> list[str]:
    """Show the first notes, and fold the others; what finds no room is counted."""
    shown = [fitted(note, ROW_BYTES, _note) for note in notes]
    first, more = shown[:NOTES_SHOWN], shown[NOTES_SHOWN:]
    if not more:
        return first
    rows = _within((f"- {note}" for note in more), NOTES_BYTES)
    if left := len(more) - len(rows):
        rows.append(f"- {words.count(left, 'more note')} in the JSON of this review")
    summary = f"<details><summary>{words.count(len(more), 'more note')}</summary>"
    return [*first, "\n".join([summary, "", *rows, "", "</details>"])]


def _coverage(review: Review) -> str:
    reasons = words.reasons(review.coverage.skipped)
    if not reasons:
        return words.coverage(review)
    shown = _within(map(_reason, reasons), COVERAGE_BYTES)
    if more := reasons[len(shown) :]:
        files = words.count(sum(reason.files for reason in more), "file")
        shown.append(f"- {words.count(len(more), 'more reason')}, {files}")
    summary = f"<details><summary>{words.coverage(review).rstrip(':')}</summary>"
    return "\n".join([summary, "", *shown, "", "</details>"])


def _reason(reason: words.Reason) -> str:
    why = fitted(reason.reason, ROW_BYTES, markdown_line)
    paths = (f"  - {fitted(row, ROW_BYTES, markdown_code)}" for row in reason.rows)
    return "\n".join([f"- {why} ({reason.size})", *paths])


def _dependencies(changes: Sequence[DependencyChange]) -> list[str]:
    if not changes:
        return []
    table = ["| Package | Before | After | Where |", "|---|---|---|---|"]
    kept = _within(map(_dependency, changes), DEPENDENCIES_BYTES)
    more = ["", f"and {len(changes) - len(kept):,} more"] if len(kept) < len(changes) else []
    summary = f"<details><summary>{words.count(len(changes), 'dependency change')}</summary>"
    return ["\n".join([summary, "", *table, *kept, *more, "", "</details>"])]


def _dependency(one: DependencyChange) -> str:
    cells = (f"{one.name} ({one.ecosystem})", one.old or "—", one.new or "—", one.path)
    return f"| {' | '.join(fitted(cell, CELL_BYTES, _code_cell) for cell in cells)} |"


def _within(rows: Iterable[str], limit: int) -> list[str]:
    """Return the first rows that together take at most `limit` bytes."""
    kept: list[str] = []
    for row in rows:
        limit -= _bytes(row)
        if limit < 0:
            break
        kept.append(row)
    return kept


def _code_cell(text: str) -> str:
    return markdown_code(text, cell=True)
