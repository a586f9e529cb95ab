"""What we said before on a pull request, and which findings of a report that was.

First by what cannot be mistaken: the signed id, or the very same text. What is left may have been
said in other words, elsewhere in a file that was edited, or in one that has another name by now:
`retellings` finds that, by the words and by what became of the lines. What was said in quite other
words a reader has told the review (`paired`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from app.github.between import Became, Lines
from app.github.markers import short_id
from app.github.others import NEAR_LINES
from app.render import words
from app.render.comment import claim_of, render_comment, said
from app.render.outgoing import masked
from app.report import Report
from reviewer.finding import Finding, Place, Severity, Side
from reviewer.policy import MAX_INLINE
from reviewer.request import MOST_EARLIER, Earlier
from reviewer.review.join import retold

MOST_REMARKS = 500
"""The newest ones are compared by their words; of older ones only the id or the very text."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment by our actor at a line. `text` is what people see; `line` is None if outdated.

    `finding` is the id in its marker if that is signed, else ""; `number` its own. It was said of
    the lines `said_at`, the first and the last, of `commit`.
    """

    path: str
    line: int | None
    text: str
    url: str
    finding: str = ""
    number: int = 0
    side: Side = "RIGHT"
    start_line: int | None = None
    commit: str = ""
    said_at: tuple[int, int] | None = None


class Heads(Protocol):
    """Who knows earlier heads: see `between.Heads`."""

    def became(self, commit: str, lines: Lines, side: Side) -> Became | None:
        """Return what became of lines of an earlier head; None if nobody can tell."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """Which findings were said before, and by which remarks.

    `told` by ids of findings, without a doubt; `again` by those of findings or of their places, in
    other words or elsewhere. `by_reader` are the remarks' ids that a reader alone takes for them.
    """

    told: Mapping[str, Remark]
    again: Mapping[str, Remark]
    by_reader: frozenset[str]

    def has(self, finding: Finding) -> bool:
        """Was it said before, at any of its places?"""
        return any(name in self.told or name in self.again for name in ids_of(finding))


def known_again(report: Report, remarks: Sequence[Remark], heads: Heads) -> Known:
    """Find what of a report was said before, by all that can tell: ids, words, lines, a reader."""
    findings = words.foremost(report.review.findings)
    told = told_before(findings, texts_of(report), remarks)
    again = retellings(findings, told, remarks, heads)
    known = {**told, **again}
    by_reader = paired(findings, report.review.earlier, known, remarks, heads)
    names = frozenset(one.finding for one in by_reader.values())
    return Known(told, {**again, **by_reader}, names)


def texts_of(report: Report) -> dict[str, str]:
    """Return the comments for the findings that have a place, by the finding's id."""
    snippets = report.snippets()
    return {
        finding.id: masked(render_comment(finding, anchor, snippets))
        for finding in report.review.findings
        if (anchor := report.anchors.get(finding.id))
        and anchor.start_line <= anchor.line
        and finding.path
        and finding.path.isprintable()
    }


def worth_a_line(report: Report, texts: Iterable[str]) -> list[Finding]:
    """Return the findings of a report, the worst first, that may have a comment at their line;
    `texts` names those that have a place."""
    places = frozenset(texts)
    findings = words.foremost(report.review.findings)
    return [one for one in findings if one.id in places and one.severity is not Severity.NIT]


def room_of(report: Report) -> int:
    """Return how many comments at lines a report may have."""
    return min(report.inline_comments, MAX_INLINE)


def earlier_claims(remarks: Iterable[Remark]) -> tuple[Earlier, ...]:
    """Return what remarks say, in their order, as the next review is told: so many.

    Signed ones alone, each finding once, and none that is grave: that is said again unless words
    know it, and takes the place of none here.
    """
    return tuple(islice(_claims(remarks), MOST_EARLIER))


def _claims(remarks: Iterable[Remark]) -> Iterator[Earlier]:
    known: set[str] = set()
    for one in remarks:
        claim = claim_of(one.text, one.path) if one.finding else None
        if claim is None or claim.is_grave or one.finding in known:
            continue
        known.add(one.finding)
        place = {"side": one.side, "start_line": one.line and (one.start_line or one.line)}
        yield Earlier.bounded(
            claim.model_copy(update={"id": one.finding, "line": one.line, **place})
        )


def told_before(
    findings: Sequence[Finding], texts: Mapping[str, str], remarks: Sequence[Remark]
) -> dict[str, Remark]:
    """Pair findings with the remarks that say them, each remark with one finding at the most.

    By the signed id, else by what is there to read: a marker that anybody could have made counts
    for nothing. One text can be true of several lines, so the same line goes first. What was said
    at one of a finding's places was said, whichever of them comes first now.
    """
    bodies = {name: said(text) for name, text in texts.items()}

    def by_id(finding: Finding, remark: Remark) -> bool:
        ids = (finding.id, *(one.id for one in finding.places))
        return remark.finding in map(short_id, ids)

    def by_text(finding: Finding, remark: Remark) -> bool:
        return finding.id in bodies and bodies[finding.id] == said(remark.text)

    def by_text_there(finding: Finding, remark: Remark) -> bool:
        return remark.line == finding.line and by_text(finding, remark)

    free: dict[str, list[Remark]] = {}
    for remark in remarks:
        free.setdefault(remark.path, []).append(remark)
    told: dict[str, Remark] = {}
    for same in (by_id, by_text_there, by_text):
        for finding in findings:
            if finding.id in told:
                continue
            paths = dict.fromkeys((finding.path, *(one.path for one in finding.places)))
            near = (remark for path in paths for remark in free.get(path, ()))
            found = next((one for one in near if same(finding, one)), None)
            if found is not None:
                told[finding.id] = found
                free[found.path].remove(found)
    return told


def retellings(
    findings: Sequence[Finding], told: Mapping[str, Remark], remarks: Sequence[Remark], heads: Heads
) -> dict[str, Remark]:
    """Pair those that `told_before` left with remarks that say the same otherwise, or elsewhere.

    By the id of the finding's place that was meant: what was said of two places before may be one
    finding now, and each place has a remark of its own. Each remark says one place of one finding,
    the one that it has most in common with. What no signed marker shows to be ours says nothing
    that is grave.
    """
    taken = {id(one) for one in told.values()}
    free = [
        (one, claim)
        for one in remarks[:MOST_REMARKS]
        if id(one) not in taken and (claim := claim_of(one.text, one.path))
    ]
    settled = {_meant(one, told[one.id]) for one in findings if one.id in told}
    left = [one for one in findings if not settled.issuperset(ids_of(one))]
    pairs = sorted(
        (-share, not there, at, number, name)
        for number, finding in enumerate(left)
        for at, (remark, claim) in enumerate(free)
        if (remark.finding or not is_grave(finding)) and not is_graver(finding, claim)
        for share, there, name in _shares(finding, remark, claim, heads)
    )
    found: dict[str, Remark] = {}
    used: set[int] = set()
    for _, _, at, _, name in pairs:
        if at not in used and name not in settled:
            found[name] = free[at][0]
            used.add(at)
            settled.add(name)
    return found


def paired(
    findings: Sequence[Finding],
    earlier: Mapping[str, str],
    known: Mapping[str, Remark],
    remarks: Sequence[Remark],
    heads: Heads,
) -> dict[str, Remark]:
    """Pair what is left with remarks that a reader takes for the same, as `Review.earlier` has it.

    `known` are those that say something by what programs know, by ids of findings or their places.
    By the id of a finding or of its place. A change can talk a reader into anything, so this says
    nothing that is or was grave, nor what is graver now by a single step, and the remark is a
    signed one that no finding has yet, of a file of the finding's, by the name that the file has
    now or had. Nor does what somebody decided about the remark hold for the finding.
    """
    used = {one.finding for one in known.values()}
    used |= {short_id(name) for one in findings for name in ids_of(one)}
    signed: dict[str, Remark] = {}
    for one in remarks:
        if one.finding:
            signed.setdefault(one.finding, one)
    found: dict[str, Remark] = {}
    for finding in findings:
        for name in ids_of(finding):
            remark = signed.get(earlier.get(name, ""))
            if remark is None or remark.finding in used or name in known:
                continue
            claim = claim_of(remark.text, remark.path)
            if claim and _may_be(finding, claim) and _is_of_its_files(finding, remark, heads):
                found[name] = remark
                used.add(remark.finding)
    return found


def _may_be(finding: Finding, claim: Finding) -> bool:
    graver = finding.severity.rank < claim.severity.rank
    return not (is_grave(finding) or is_grave(claim) or graver)


def _is_of_its_files(finding: Finding, remark: Remark, heads: Heads) -> bool:
    paths = {one.path for one in (finding.place, *finding.places)}
    return remark.path in paths or lines_now(remark, heads).path in paths


def is_graver(finding: Finding, claim: Finding) -> bool:
    """Is this another matter than what was said, however alike the words?

    How grave a defect is called differs by a step from run to run. What was low and is high now, or
    was anything else and is critical, is not settled by what somebody thought of the former.
    """
    now, before = finding.severity, claim.severity
    return now.rank < before.rank and (now is Severity.CRITICAL or before.rank - now.rank > 1)


def _meant(finding: Finding, remark: Remark) -> str:
    """Return the id of the place that a remark says which `told_before` has found."""
    named = (name for name in ids_of(finding) if short_id(name) == remark.finding)
    return next(named, finding.id)


def _shares(
    finding: Finding, remark: Remark, claim: Finding, heads: Heads
) -> Iterator[tuple[float, bool, str]]:
    """Yield how much a remark says of a finding, whether it is at the very lines of a place that it
    may mean, and the id of that place.

    The words come first: to know where lines went may cost a request.
    """
    places = [one for one in (finding.place, *finding.places) if one.side == remark.side]
    if remark.line is not None:
        places = [one for one in places if is_at(one, lines_now(remark, heads))]
    if not places or not retold(finding, claim, there=True):
        return
    became = lines_now(remark, heads)
    for place in places:
        if not is_at(place, became):
            continue
        there = became.lines is not None and _is_near(place, became.lines, within=0)
        if share := retold(finding, claim, there=there):
            yield share, there, place.id


def lines_now(remark: Remark, heads: Heads) -> Became:
    """Return where the lines of a remark are now, as far as anybody can tell."""
    if remark.line is not None:
        return Became(
            remark.path, Lines(remark.path, remark.start_line or remark.line, remark.line)
        )
    return became_of(remark, heads) or Became(remark.path)


def is_at(place: Place, became: Became) -> bool:
    """May a place be about these lines: does it overlap them, or lie near? Where nobody knows the
    lines, the file has to do."""
    near = became.lines is None or _is_near(place, became.lines)
    return place.path == became.path and near


def _is_near(place: Place, lines: Lines, within: int = NEAR_LINES) -> bool:
    return (
        place.start_line is not None
        and place.line is not None
        and lines.start - within <= place.line
        and place.start_line <= lines.end + within
    )


def became_of(remark: Remark, heads: Heads) -> Became | None:
    """Return what became of the lines of a remark; None if nobody can tell."""
    if remark.said_at is None:
        return None
    return heads.became(remark.commit, Lines(remark.path, *remark.said_at), remark.side)


def first_ids(
    findings: Sequence[Finding],
    told: Mapping[str, Remark],
    retold_as: Mapping[str, Remark],
    heads: Heads,
) -> dict[str, str]:
    """Return for ids of findings and of their places those under which they were first said.

    So what was decided about one (dismissed, mended, accepted) holds whatever its words are now.
    Signed ids alone; of the very same text too, where it is at the same lines.
    """
    meant = dict(retold_as)
    for one in findings:
        remark = told.get(one.id)
        if remark is None or remark.finding in {"", *map(short_id, ids_of(one))}:
            continue
        claim = claim_of(remark.text, remark.path)
        for _, _, name in _shares(one, remark, claim, heads) if claim else ():
            meant.setdefault(name, remark)
    taken = {short_id(name) for one in findings for name in ids_of(one)}
    names: dict[str, str] = {}
    for name, remark in meant.items():
        if remark.finding and remark.finding not in taken:
            names[name] = remark.finding
            taken.add(remark.finding)
    return names


def under_ids(report: Report, names: Mapping[str, str]) -> Report:
    """Return a report with other ids for some findings and places."""
    if not names:
        return report

    def named(name: str) -> str:
        return names.get(name, name)

    def place(one: Place) -> Place:
        return one.model_copy(update={"id": named(one.id)})

    findings = [
        one.model_copy(update={"id": named(one.id), "places": tuple(map(place, one.places))})
        for one in report.review.findings
    ]
    earlier = {named(name): said for name, said in report.review.earlier.items()}
    review = report.review.model_copy(update={"findings": findings, "earlier": earlier})
    return report.model_copy(
        update={
            "review": review,
            "anchors": {named(name): anchor for name, anchor in report.anchors.items()},
            "code": {named(name): code for name, code in report.code.items()},
        }
    )


def ids_of(finding: Finding) -> tuple[str, ...]:
    """Return the ids of a finding: its own, and those of its other places."""
    return finding.ids


def is_grave(finding: Finding) -> bool:
    """May nobody make it disappear?"""
    return finding.is_grave
