"""A review as people meet it: comments at their lines, one summary, a concluded check run.

Whatever interrupts it (a kill, a lost answer, a limit), to call it again completes it, and nothing
stands there twice: what there is already is read from GitHub, by our markers, before each write.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Literal

from github.PullRequest import ReviewComment

from app.github import check_runs, sticky
from app.github.annotated import NOT_READ, annotated
from app.github.between import Became, Heads, Lines, Open, mentions
from app.github.client import Hub
from app.github.closing import Closed, Closing, ToResolve
from app.github.dismissals import Dismissal, Words, dismissals, finding_of
from app.github.dismissed import dismissed_as
from app.github.errors import NotThere, Refused
from app.github.markers import MAX_BYTES, MENDED, SOURCE_CHARS, Marker, Seal, short_id, visible
from app.github.others import (
    Annotated,
    Mention,
    Saying,
    by_others,
    is_for_programs,
    mentioned_by_others,
    said_by_checks,
    said_by_others,
)
from app.github.pulls import Pull, look_at
from app.github.remarks import (
    Remark,
    became_of,
    first_ids,
    ids_of,
    is_at,
    is_grave,
    known_again,
    lines_now,
    room_of,
    texts_of,
    told_before,
    under_ids,
    worth_a_line,
)
from app.github.reviews import Moved, Ours, Reviews, Said
from app.github.threads import MOST_THREADS, Comment, Thread, answer, threads
from app.github.urls import lines_url
from app.render import words
from app.render.comment import claim_of
from app.render.escape import markdown_code, markdown_line
from app.render.markdown import CHECKED_BY, DISMISSED_BY, LIMIT_BYTES, SaidBy, render_markdown
from app.render.outgoing import masked, size, without_secrets
from app.report import Report
from app.store.values import Begun, Dismissed, State, ThreadState, Told
from reviewer.finding import Finding, Place, Severity
from reviewer.policy import FILE
from reviewer.request import Effort, LookFirst
from reviewer.review.join import (
    ALIKE_TITLES,
    COMMON_NAMES,
    alike,
    is_plain_word,
    names_in,
    telling_words,
)
from reviewer.text import printable

Outcome = Literal["posted", "refused", "stale", "closed", "draft", "merged", "locked", "gone"]
"""What became of it in the conversation.

posted: the conversation shows it. refused: it does not, and `problem` says why. stale: the pull
request has a newer head, so nothing was said about this one. closed, draft, locked: nothing was
said.
merged: the findings stand in the summary alone. gone: it is not there any more, or not for us. But
for the last, the check run, if there is one, has all of it in any case.
"""

CONTRACTS = "detector:contracts/"
"""What the sources of the detector of broken contracts begin with."""

_ADDRESS = re.compile(r"[A-Za-z0-9./:#_~%?=&-]{1,500}")
"""Longer ones would be a summary of addresses; a path has a name of its own beside it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One run's report and where it belongs. `repeat` says what was said before once more.

    `dismissed` is what somebody dismissed in this repository; `forgotten` are dismissals that count
    no more, though their words still stand in threads. `whole`: all of the pull request was to be
    reviewed, so what is not found is gone.
    `fixable`: its findings can be closed by the press of a button.
    `unasked`: nobody asked for it by name, so a draft is not told of it. `page`: the address of the
    run's own page. `repository_id`: what has the name of the repository
    by now and another number is another one; 0 where nobody knows it.
    """

    run: str
    repository: str
    number: int
    head: str
    report: Report
    check_run: int | None
    repeat: bool = False
    dismissed: Sequence[Dismissed] = ()
    forgotten: frozenset[Words] = frozenset()
    whole: bool = True
    repository_id: int = 0
    page: str = ""
    fixable: bool = False
    unasked: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """What stands there now. `inline` counts the findings of the report that stand at their lines.

    `review` and `summary` are addresses, "" where there is none. Where there is neither, and the
    check run is not `concluded`, nobody can see it: whoever called has `problem` to tell.
    `dismissed` is what people have dismissed in the threads there, `mended` how many were closed.
    `findings` are those of the report that nobody dismissed.
    `told` says how each finding stands that was told there, now or before.
    `threads` are all that are ours there, None where they could not all be read.
    `first_ids` are for the ids of the report that are not those under which it was said first.
    """

    outcome: Outcome
    review: str = ""
    inline: int = 0
    summary: str = ""
    concluded: bool = False
    problem: str = ""
    dismissed: tuple[Dismissal, ...] = ()
    mended: int = 0
    findings: tuple[Finding, ...] = ()
    told: tuple[Told, ...] = ()
    threads: tuple[Begun, ...] | None = None
    first_ids: Mapping[str, str] = field(default_factory=dict)


def publish(
    hub: Hub,
    what: Publication,
    *,
    key: bytes | None,
    to_read: Open | None = None,
    to_resolve: ToResolve | None = None,
) -> Published:
    """Publish a report; raise RetryLater if it has to be called again, with the same arguments.

    What GitHub refuses is no error here: see `Published`. `key` signs our markers; without one the
    text of a comment decides whether it was said before. `to_read` opens GitHub with permission to
    read contents, where `hub` has not got it, and `to_resolve` with that to resolve threads.
    """
    if hub.actor is None:
        raise ValueError("who does not know its own login cannot know its own words")
    try:
        pull = look_at(hub, what.repository, what.number)
    except NotThere as error:
        return Published("gone", problem=str(error))
    if what.repository_id not in {0, pull.repository_id}:
        return Published("gone", problem=f"{what.repository} is another repository by now.")
    what = replace(what, repository=pull.repository, report=without_secrets(what.report))
    heads = Heads(to_read or (lambda: nullcontext(hub)), what.repository, what.head)
    posting = _Posting(hub, what, Seal(key, pull.repository_id, what.number), heads)
    outcome = _outcome(pull, what)
    if outcome != "stale":  # what blocks and what is kept depends on it, whatever may be said there
        posting.hear(pull.author)
    posting.set_aside()
    if outcome == "posted":
        outcome = posting.comment()
    if outcome == "posted":
        with Closing(hub, to_resolve) as closing:
            posting.close_mended(closing)
    if outcome == "posted" or (outcome == "merged" and what.report.review.findings):
        posting.summarise()
    posting.conclude(outcome)
    return posting.published(outcome)


def _outcome(pull: Pull, what: Publication) -> Outcome:
    if pull.state == "closed":
        return "closed"
    if pull.head != what.head:
        return "stale"
    if pull.state == "merged":
        return "merged"
    if pull.draft and what.unasked:
        return "draft"
    return "locked" if pull.locked else "posted"


class _Posting:
    """One attempt. What GitHub refuses is noted; what may be tried again is raised."""

    def __init__(self, hub: Hub, what: Publication, seal: Seal, heads: Heads) -> None:
        self.hub = hub
        self.what = what
        self.seal = seal
        self.heads = heads
        self.reviews = Reviews(hub, what.repository, what.number, what.head, what.run, seal)
        self.found = what.report.review.findings
        self.findings = words.foremost(self.found)
        self.texts = texts_of(what.report)
        self.problems: list[str] = []
        self.author = ""
        self.said: Said | None = None
        self.told: dict[str, Remark] = {}
        self.again: dict[str, Remark] = {}
        self.by_reader: frozenset[str] = frozenset()
        self.first_ids: Mapping[str, str] = {}
        self.said_by: dict[str, Saying | Mention] = {}
        self.threads: list[Thread] | None = None
        self.remarks: list[Remark] | None = None
        self.closed: dict[int, Closed] = {}
        self.dismissed: list[Dismissal] = []
        self.waived = {one.finding: one.who for one in what.dismissed}
        self.mended = 0
        self.fixed: set[str] = set()
        self.review: Ours | None = None
        self.sticky: sticky.Sticky | None = None
        self.concluded = False

    def hear(self, author: str) -> None:
        """Read what was said at lines, and what people answer in our threads.

        Without a key no thread is ours for certain.
        """
        self.author = author
        with self._noting():
            self.said = self.reviews.said()
            self._know_again(self.said.remarks)
        if self.seal.key is None:
            return
        what = self.what
        with self._noting():
            self.threads = list(threads(self.hub, what.repository, what.number))
            self.dismissed = dismissals(self.hub, what.repository, author, self.threads, self.seal)
            for one in self.dismissed:
                if one.words not in what.forgotten:
                    self.waived.setdefault(one.finding, one.who)
        # Who dismissed a claim has not seen the one that a reader alone takes for the same.
        for name in self.by_reader:
            self.waived.pop(name, None)

    def _know_again(self, remarks: Sequence[Remark]) -> None:
        """Find what was said in other words, or before its file was renamed: its id is the old one,
        and with it all that was decided about it."""
        there = known_again(self.what.report, remarks, self.heads)
        told, again, self.by_reader = there.told, there.again, there.by_reader
        names = first_ids(self.findings, told, again, self.heads)
        known = {one.finding for one in remarks} | (self.waived.keys() & _names(self.findings))
        met = {*told, *again, *names}
        new = [one for one in self.findings if met.isdisjoint(ids_of(one))]
        names |= dismissed_as(new, self.what.dismissed, known)
        self.first_ids = names
        report = under_ids(self.what.report, names)
        self.again = {names.get(name, name): remark for name, remark in again.items()}
        self.what = replace(self.what, report=report)
        self.found = report.review.findings
        self.findings = words.foremost(self.found)
        self.texts = texts_of(report)

    def _told(self, remarks: Sequence[Remark]) -> dict[str, Remark]:
        """Return which remark says each of the findings that are left, in whatever words."""
        told = told_before(self.findings, self.texts, remarks)
        for one in self.findings:
            known = (self.again[name] for name in ids_of(one) if name in self.again)
            if one.id not in told and (remark := next(known, None)):
                told[one.id] = remark
        return told

    def set_aside(self) -> None:
        """Leave out what was dismissed, and say so; what is grave stays in the summary."""
        review = self.what.report.review
        left: list[Finding] = []
        who: set[str] = set()
        whole = places = 0
        for one in review.findings:
            shown, waived = _divided(one, self.waived)
            left += shown
            if is_grave(one):
                left += waived
                continue
            ids = {short_id(name) for each in waived for name in ids_of(each)}
            who |= {self.waived[name] for name in ids if name in self.waived}
            whole += not shown
            places += sum(len(ids_of(each)) for each in waived) if shown else 0
        if left == review.findings:
            return
        notes = [*review.notes]
        if who:
            told = [words.count(whole, "finding")] if whole else []
            told += [f"{words.count(places, 'place')} of others"] if places else []
            by = ", ".join(sorted(who))
            notes.append(f"{' and '.join(told)} not shown: dismissed by {by}.")
        review = review.model_copy(update={"findings": left, "notes": notes})
        report = self.what.report.model_copy(update={"review": review})
        self.what = replace(self.what, report=report)
        self.findings = words.foremost(left)
        self.texts = texts_of(report)

    def close_mended(self, closing: Closing) -> None:
        """Close the threads of ours whose finding is gone.

        It is gone if who had made it looked again, at that file, and kept nothing back about it,
        and if something was changed that has to do with it: see `_why_gone`. What somebody opened
        again since is theirs to close.
        """
        what = self.what
        if not what.whole or what.report.review.status != "complete":
            return
        remarks = {one.number: one for one in self.said.remarks} if self.said else {}
        for thread in self.threads or ():
            marker = finding_of(thread, self.hub.actor or "", self.seal)
            if marker is None or thread.resolved or thread.first.folded:
                continue
            about = f"{MENDED}{what.run}-{thread.first.number}"
            if not self._is_gone(thread, marker, thread.path) or self._was_closed(thread, about):
                continue
            with self._noting():
                why = self._why_gone(thread, marker, remarks.get(thread.first.number))
                if not why:
                    continue
                answer(
                    self.hub,
                    what.repository,
                    what.number,
                    thread.first.number,
                    why,
                    about,
                    self.seal.key,
                    repository_id=self.seal.repository,
                )
                self.closed[thread.first.number] = closing.close(thread)
                self.mended += 1
                self.fixed.add(marker.finding)

    def _why_gone(self, thread: Thread, marker: Marker, remark: Remark | None) -> str:
        """Say since which commit a finding is gone that nobody makes now; "" if it may stand."""
        if self._is_at_a_place(thread, remark):
            return ""
        if not thread.outdated:
            return self._why_gone_by_others(marker, remark) if remark else ""
        known = remark if remark and remark.said_at and remark.side == "RIGHT" else None
        became = became_of(known, self.heads) if known else None
        path = became.path if became else None
        if path is not None and not self._is_gone(thread, marker, path):
            return ""
        commit = ""
        if known and known.said_at:
            commit = self.heads.changed_by(known.commit, Lines(known.path, *known.said_at))
        return self._gone(commit, "it changed these lines", "these lines were changed")

    def _why_gone_by_others(self, marker: Marker, remark: Remark) -> str:
        """Say so of a finding whose lines are as they were: silence alone closes nothing then.

        Something else has to be pushed, and for what a model said, something that changes lines of
        code with a name which it speaks of. What is grave nothing of this closes.
        """
        claim = claim_of(remark.text, remark.path)
        grave = claim is None or is_grave(claim)
        since = None if grave else self.heads.since(remark.commit)
        if claim is None or since is None or not since.straight or not since.forward:
            return ""
        said = names_in(f"{claim.title} {claim.body}") - COMMON_NAMES
        names = sorted(name for name in said if not is_plain_word(name))
        if marker.source.startswith("model:") and not mentions(since.forward, names):
            return ""
        commit = self.heads.mentioned_by(remark.commit, names)
        changed = "changed what this is about"
        return self._gone(commit, f"it {changed}", "these lines are as they were, others were not")

    def _gone(self, commit: str, how: str, how_else: str) -> str:
        digits = words.NAME_DIGITS
        silent = "and the review does not find it any more."
        if commit:
            return f"Gone with {commit[:digits]}: {how}, {silent}"
        return f"Gone as of {self.what.head[:digits]}, the head: {how_else}, {silent}"

    def _is_gone(self, thread: Thread, marker: Marker, path: str) -> bool:
        looked, review = self.what.report.looked, self.what.report.review
        if marker.source not in looked.by:
            return False
        if marker.source.startswith("model:") and not _at_least(looked.effort, marker.effort):
            return False
        if printable(path) in {one.path for one in review.coverage.skipped}:
            return False
        made = [(ids_of(one), _paths(one), one.title) for one in self.found]
        made += [(one.ids, {one.path}, one.title) for one in looked.withheld]
        return not any(
            marker.finding in map(short_id, ids) or (path in paths and _is_about(thread, title))
            for ids, paths, title in made
        ) and thread.first.number not in {one.number for one in self.again.values()}

    def _is_at_a_place(self, thread: Thread, remark: Remark | None) -> bool:
        """Is a finding reported there that stands elsewhere, in the words that it has there?

        The words for its other places are lost, so that only the lines tell what is still found.
        """
        places = [place for one in self.found for place in one.places if place.side == thread.side]
        if not places:
            return False
        now = lines_now(remark, self.heads) if remark else Became(thread.path)
        return any(is_at(place, now) for place in places)

    def _was_closed(self, thread: Thread, about: str) -> bool:
        """Was it closed before, by another run? This one may have been killed before it closed."""
        ours = (self.hub.actor or "").lower()
        said = [self.seal.read(one.body) for one in thread.replies if one.login.lower() == ours]
        runs = [one.marker.run for one in said if one is not None and one.signed]
        return any(run.startswith(MENDED) and run != about for run in runs)

    def comment(self) -> Outcome:
        """Post the review with its comments, unless it is there or has nothing to say."""
        what, reviews = self.what, self.reviews
        mentions: list[Mention] = []
        with self._noting():
            self.sticky, mentions = sticky.read(self.hub, what.repository, what.number, self.seal)
        if self.said is None:
            return "posted"  # who cannot read what stands there would say it twice
        with self._noting():
            remarks = self.said.remarks
            self.told = self._told(remarks)
            self.review, opening = reviews.read()
            self._hear_others(self.said.sayings, [*self.said.mentions, *mentions, *opening])
            self._hear_checks()
            if self.review is None and (chosen := self._choice()):
                try:
                    self._post(reviews, chosen)
                except Moved:
                    return "stale"
                remarks = reviews.said().remarks
                self.told = self._told(remarks)
                if any(one.id not in self.told for one in chosen):
                    return "posted"  # of what had no place, or was not read, nobody knows more
            self.remarks = remarks
        return "posted"

    def _hear_others(self, sayings: Sequence[Saying], mentions: Sequence[Mention]) -> None:
        """Find what others have said: at its lines, or, of what we have not told there, elsewhere.

        Who made the change has no word in what is said of it.
        """
        what = self.what
        heard = by_others(sayings, self.author)
        self.said_by |= said_by_others(self.findings, what.report.anchors, heard)
        known = self.said_by.keys() | self.told.keys()
        left = [one for one in self.findings if one.id not in known]
        self.said_by |= mentioned_by_others(left, by_others(mentions, self.author), self.heads)

    def _hear_checks(self) -> None:
        """Find what other checks say at lines, of what would have a comment there otherwise."""
        known = self.said_by.keys() | self.told.keys()
        left = [
            one
            for one in self._worth()
            if one.id not in known and is_for_programs(one) and one.side == "RIGHT"
        ]
        if not left:
            return
        what, paths = self.what, {one.path for one in left}
        told = annotated(self.hub, what.repository, what.head, paths)
        if told is None:
            self._note(NOT_READ)
        else:
            self.said_by |= said_by_checks(left, what.report.anchors, told)

    def _note(self, note: str) -> None:
        """Add to the notes of the run: the summary and the check run have it, once."""
        review = self.what.report.review
        review = review.model_copy(update={"notes": [*review.notes, note]})
        report = self.what.report.model_copy(update={"review": review})
        self.what = replace(self.what, report=report)

    def _worth(self) -> list[Finding]:
        """Return what may have a comment at its line, if nobody else has said it."""
        return [
            finding
            for finding in worth_a_line(self.what.report, self.texts)
            if finding.id not in self.said_by and short_id(finding.id) not in self.waived
        ]

    def _choice(self) -> list[Finding]:
        """Return what is worth a comment at its line: of the worst, what was not said before.

        The worst are the same when the same is reviewed again: then nothing is left to say. To say
        it once more is about our own words.
        """
        before = {} if self.what.repeat else self.told
        worst = self._worth()[: room_of(self.what.report)]
        return [finding for finding in worst if finding.id not in before]

    def _post(self, reviews: Reviews, chosen: Sequence[Finding]) -> None:
        self.review, lost = reviews.post(self._opening, [self._at_its_line(one) for one in chosen])
        if lost:
            self.problems.append(f"GitHub has no place for {words.count(lost, 'comment')}.")

    def _opening(self, shown: int) -> str:
        """Return the text of the review: what is not at a line has its place in the summary."""
        every = len(self.findings)
        where = "the summary"
        if self.sticky and (address := self._address(self.sticky.url)):
            where = f"[the summary]({address})"
        if shown == every:
            text = f"{words.count(every, 'finding')}. What was covered is in {where}."
        else:
            text = f"{shown:,} of {words.count(every, 'finding')}. All are in {where}."
        return text + self.seal.write(Marker(kind="review", run=self.what.run, head=self.what.head))

    def _at_its_line(self, finding: Finding) -> ReviewComment:
        anchor = self.what.report.anchors[finding.id]
        marker = Marker(
            kind="finding",
            run=self.what.run,
            finding=short_id(finding.id),
            source=finding.source.partition("/")[0][:SOURCE_CHARS],
            effort=self.what.report.looked.effort,
        )
        comment: ReviewComment = {
            "path": finding.path,
            "body": self.texts[finding.id] + self.seal.write(marker),
            "side": anchor.side,
            "line": anchor.line,
        }
        if anchor.start_line < anchor.line:  # equal ones are refused
            comment["start_line"] = anchor.start_line
            comment["start_side"] = anchor.side
        return comment

    def summarise(self) -> None:
        """Let the summary in the conversation say what the report does."""
        what = self.what
        marker = Marker(kind="summary", run=what.run, head=what.head)
        body = self._text(LIMIT_BYTES - MAX_BYTES) + self.seal.write(marker)
        with self._noting():
            if self.sticky is None:
                self.sticky = sticky.find(self.hub, what.repository, what.number, self.seal)
            self.sticky = sticky.put(
                self.hub, what.repository, what.number, self.seal, body, there=self.sticky
            )

    def conclude(self, outcome: Outcome) -> None:
        """Complete the check run, which carries what could not be said elsewhere."""
        what = self.what
        if what.check_run is None:
            return
        review = what.report.review
        blocks = what.report.blocks
        notes = [_NOTES[outcome]] if outcome in _NOTES else []
        if outcome != "stale" and blocks and (number := check_runs.blocking(review, blocks)):
            notes.append(_blocking(number, blocks))
        notes += [markdown_line(problem) for problem in self.problems]
        said = self.told.keys() | self.said_by.keys()
        unsaid = [] if outcome == "stale" else [f for f in self.findings if f.id not in said]
        said_here = outcome == "posted" and not self.problems
        with self._noting():
            check_runs.conclude(
                self.hub,
                what.repository,
                what.check_run,
                "neutral" if outcome == "stale" else check_runs.conclusion(review, blocks),
                STALE_TITLE if outcome == "stale" else check_runs.title(review),
                self._text(check_runs.SUMMARY_BYTES, notes),
                [] if said_here else check_runs.annotations(unsaid),
                fixable=what.fixable and bool(self.findings) and review.status == "complete",
            )
            self.concluded = True

    def _text(self, limit: int, notes: Sequence[str] = ()) -> str:
        what = self.what
        top = "".join(f"> {note}\n\n" for note in notes)
        page = f" [How this was made]({what.page})" if what.page else ""
        commit = markdown_code(what.head[: words.NAME_DIGITS])
        foot = f"\n<sub>Reviewed commit {commit}.{page}</sub>"
        told = {name: self._address(remark.url) for name, remark in self.told.items()}
        body = render_markdown(
            what.report.review,
            what.report.snippets(),
            limit_bytes=limit - size(top) - size(foot),
            # The words that stand there are another claim's: this one's are told in full.
            elsewhere={
                name: address
                for name, address in told.items()
                if address and short_id(name) not in self.by_reader
            },
            lines_at=self._lines_at,
            said_by={
                **{
                    name: _said_by(saying, self._address(saying.url))
                    for name, saying in self.said_by.items()
                    if name not in self.told
                },
                **{
                    one.id: SaidBy(self.waived[short_id(one.id)], how=DISMISSED_BY)
                    for one in self.findings
                    if short_id(one.id) in self.waived
                },
            },
        )
        return masked(top + body + foot)

    def _lines_at(self, spot: Finding | LookFirst) -> str:
        """Return the address of lines, as they are at the commit that has them."""
        change = self.what.report.review.change
        commit = self.what.head if spot.side == "RIGHT" else change.merge_base
        start = spot.start_line if isinstance(spot, Finding) else spot.line
        where = None if start is None or spot.line is None else (start, spot.line)
        repository = f"{self.hub.server.web}/{self.what.repository}"
        return self._address(lines_url(repository, commit, spot.path, where))

    def _address(self, url: str) -> str:
        """Return an address fit for a link: a page of this very server; "" for another."""
        ours = url.startswith(f"{self.hub.server.web}/") and _ADDRESS.fullmatch(url)
        return url if ours else ""

    def published(self, outcome: Outcome) -> Published:
        """Say what stands there."""
        silent = outcome == "posted" and self.review is None and self.sticky is None
        return Published(
            outcome="refused" if silent else outcome,
            review=self.review.url if self.review else "",
            inline=len(self.told),
            summary=self.sticky.url if self.sticky else "",
            concluded=self.concluded,
            problem=" ".join(self.problems),
            dismissed=tuple(self.dismissed),
            mended=self.mended,
            findings=tuple(self.findings),
            told=tuple(self._standing()) if outcome in {"posted", "merged"} else (),
            threads=self._begun() if outcome == "posted" else None,
            first_ids=self.first_ids,
        )

    def _begun(self) -> tuple[Begun, ...] | None:
        """Return all threads of ours: those that were there, and what this run has said since."""
        if self.threads is None or self.remarks is None or len(self.threads) >= MOST_THREADS:
            return None
        there = {one.first.number: one for one in self.threads}
        begun = []
        for number, thread in there.items():
            marker = finding_of(thread, self.hub.actor or "", self.seal)
            if marker is not None:
                state, url = self._thread_state(thread), self._address(thread.first.url)
                begun.append(Begun(number, thread.id, marker.run, marker.finding, url, state))
        begun += [
            Begun(one.number, "", self.what.run, one.finding, self._address(one.url))
            for one in self.remarks
            if one.finding and one.number not in there
        ]
        return tuple(begun)

    def _thread_state(self, thread: Thread) -> ThreadState:
        closed = self.closed.get(thread.first.number, "left")
        if closed != "left":
            return closed
        if thread.resolved:
            return "resolved"
        return "folded" if thread.first.folded else "open"

    def _standing(self) -> Iterator[Told]:
        """Yield how each finding stands that was told here, now or before."""
        for finding in self.findings:
            if finding.id not in self.said_by:
                name = short_id(finding.id)
                yield Told(name, finding.severity.value, finding.category.value)
        known = {short_id(one.id): one for one in self.found}
        here = {short_id(one.id) for one in self.findings}
        for thread in self.threads or ():
            marker = finding_of(thread, self.hub.actor or "", self.seal)
            name = marker.finding if marker else ""
            state = self._state_of(thread, name) if name else "open"
            if state == "open" or (state == "fixed" and name in here):  # it came back
                continue
            one = known.get(name)
            severity, category = (one.severity.value, one.category.value) if one else ("", "")
            yield Told(name, severity, category, state)

    def _state_of(self, thread: Thread, finding: str) -> State:
        if finding in self.waived:
            return "dismissed"
        if finding in self.fixed or any(map(self._says_mended, thread.replies)):
            return "fixed"
        return "accepted" if thread.resolved or thread.first.folded else "open"

    def _says_mended(self, reply: Comment) -> bool:
        if reply.login.lower() != (self.hub.actor or "").lower():
            return False
        found = self.seal.read(reply.body)
        return found is not None and found.signed and found.marker.run.startswith(MENDED)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Note a refusal and go on: what cannot be said here is said in the next place."""
        try:
            yield
        except Refused as error:
            if (problem := f"{error}.") not in self.problems:
                self.problems.append(problem)


def _said_by(saying: Saying | Mention, address: str) -> SaidBy:
    """Return who says it; a check is called one, for it may have the name of a person."""
    if isinstance(saying, Annotated):
        return SaidBy(saying.login, address, CHECKED_BY)
    return SaidBy(saying.login, address)


STALE_TITLE = "Superseded: the pull request has newer commits"

_NOTES: Mapping[Outcome, str] = {
    "stale": "The pull request has moved on: this is about an older commit, and only told here.",
    "closed": "The pull request was closed meanwhile: this is only told here.",
    "draft": "The pull request became a draft meanwhile: this is only told here. "
    "It is reviewed when it is ready, or on `/rlm review`.",
    "locked": "The conversation is locked: this is only told here.",
}


def _blocking(number: int, blocks: Severity) -> str:
    """Say why the check run fails, and what to do about it."""
    what = words.count(number, "claim")
    return (
        f"This check fails: {what} of severity {blocks.value} or worse (`blocking` in "
        f"`{FILE}` of the default branch). What is mended, or dismissed by somebody who may, is "
        "gone with the next review; what is critical or about security, once it is mended."
    )


def _divided(finding: Finding, waived: Mapping[str, str]) -> tuple[list[Finding], list[Finding]]:
    """Return a finding at the places that are left, and at those where it was dismissed.

    Those of a broken contract have one cause: who dismisses it means all of them.
    """
    places = [finding.place, *finding.places]
    gone = [one for one in places if short_id(one.id) in waived]
    if gone and finding.source.startswith(CONTRACTS):
        gone = places
    left = [one for one in places if one not in gone]
    return _of_places(finding, left), _of_places(finding, gone)


def _of_places(finding: Finding, places: Sequence[Place]) -> list[Finding]:
    """Return a finding at some of its places: the first of them is where it stands."""
    if not places:
        return []
    first, *others = places
    if first.id == finding.id:
        return [finding.model_copy(update={"places": tuple(others)})]
    return [finding.at(first, others)]


def _at_least(effort: Effort, other: str) -> bool:
    """Is this effort as high as that of a marker? Of one that we do not know it is not."""
    efforts = list(Effort)
    return other in efforts and efforts.index(effort) >= efforts.index(Effort(other))


def _names(findings: Sequence[Finding]) -> set[str]:
    """Return the ids of findings and of their places, as markers hold them."""
    return {short_id(name) for one in findings for name in ids_of(one)}


def _paths(finding: Finding) -> set[str]:
    return {finding.path, *(place.path for place in finding.places)}


def _is_about(thread: Thread, title: str) -> bool:
    """Does a finding of that file say in other words what began a thread?"""
    said = telling_words(visible(thread.first.body).split("\n", 1)[0])
    return alike(telling_words(title), said) >= ALIKE_TITLES
