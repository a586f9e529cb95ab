"""`rlm eval`: from a dataset to its numbers, in the order in which it happens."""

import asyncio
import logging
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from app.code import code_of
from app.engine import Asked, review_with, service_of, with_notes
from app.eval.again import new_claims, remarks_of, told_next
from app.eval.anchors import nowhere
from app.eval.cases import Defect
from app.eval.judge import asked as question_of
from app.eval.judge import judge
from app.eval.kept import (
    AGAIN,
    TRANSIENT,
    Kept,
    Spent,
    Verdict,
    file_again,
    file_of,
    program,
    read_kept,
    tenant_of,
    write_kept,
)
from app.eval.markdown import as_markdown
from app.eval.match import match, pairs
from app.eval.report import Report, as_json, as_text
from app.eval.repositories import Entry, Ready, entries, ready
from app.eval.score import Scored, again, score
from app.github.remarks import Remark
from app.interrupt import Interrupts
from app.objects import LocalObjects
from app.output import STANDARD_OUTPUT, deliver
from app.paid import journal_here
from app.promise import promise_of_range
from app.render.words import count
from app.report import report
from app.review_command import EXIT_OK, EXIT_PARTIAL, Say, chosen, typed
from app.settings import Settings, read_settings
from app.trace_file import about, recording
from reviewer.change import Change
from reviewer.diff import build_change
from reviewer.errors import TellUser
from reviewer.finding import Finding
from reviewer.git import open_repo
from reviewer.model.base import Usage
from reviewer.model.prices import Prices, load
from reviewer.request import Caps, Effort, ReviewRequest
from reviewer.rlm.journal import Journal
from reviewer.rlm.run import open_run
from reviewer.rlm.trace import Event, Note

FOLDER = "eval"
"""Under RLM_HOME, where --out names no other: repositories and results."""

FORMS = {"text": as_text, "json": as_json, "markdown": as_markdown}

RESUME = "What is finished is kept: the same command goes on from here."


def eval_command(options: Namespace, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Review the cases of a dataset, print what that was worth and return the exit code."""
    settings = typed(options, read_settings(environ))
    if not settings.debug:
        # Libraries would print their own warnings between the lines of the progress.
        logging.getLogger().addHandler(logging.NullHandler())
    for warning in settings.warnings:
        _say(f"warning: {warning}")
    say = _silence if options.quiet else _say
    prices = load(settings.prices)
    asked = chosen(options, settings, prices)
    out = (Path(options.out) if options.out else settings.home / FOLDER).absolute()
    evaluation = _Evaluation(
        settings,
        prices,
        asked,
        request=ReviewRequest(
            effort=Effort(settings.effort),
            model=asked.name,
            cheap_model=asked.name and settings.cheap_for(asked.name),
            caps=Caps(usd=asked.budget_usd),
        ),
        judging=_judging(options, asked),
        out=out,
        interrupts=interrupts,
        say=say,
        twice=options.again,
    )
    # All of them before the first is reviewed: a slip in the last line should cost nothing.
    found = _wanted(entries(Path(options.dataset)), options)
    allowed = (*settings.repositories, *map(Path, options.repositories))
    cases = [ready(entry, out, allowed) for entry in found]
    if asked.budget_usd is not None:
        most = asked.budget_usd * len(cases) * (1 + evaluation.twice)
        say(f"{count(len(cases), 'case')}, ${most:.2f} at the most")
    with interrupts.gently():
        scored, taken_up = evaluation.all(cases)
    unfinished = [one.case.id for one in cases[len(scored) :]]
    second = again(scored, evaluation.seconds) if evaluation.twice else None
    told = Report(
        dataset=str(options.dataset),
        program=program(),
        model=asked.name,
        effort=evaluation.request.effort.value,
        budget_usd=asked.budget_usd,
        judge=evaluation.request.cheap_model if evaluation.judging else None,
        held_back=options.held_back,
        taken_up=taken_up,
        unfinished=unfinished,
        notes=[
            *filter(None, [asked.why_not]),
            *evaluation.notes,
            *([RESUME] if unfinished else []),
        ],
        score=score(scored),
        again=second,
    )
    deliver(FORMS[options.format](told), STANDARD_OUTPUT)
    early = told.score.partial or (second is not None and second.partial)
    return EXIT_PARTIAL if unfinished or early else EXIT_OK


def _judging(options: Namespace, asked: Asked) -> bool:
    if options.judge and asked.name is None:
        raise TellUser(
            "--judge needs a model, and none is asked.",
            "Leave it out: the places alone decide then. Or set ANTHROPIC_API_KEY.",
        )
    return asked.name is not None and options.judge is not False


def _wanted(found: Sequence[Entry], options: Namespace) -> list[Entry]:
    """Return the cases that the options leave; TellUser about a name that is none."""
    names = {entry.case.id for entry in found}
    if strange := [name for name in options.only or () if name not in names]:
        raise TellUser(
            f"--only: there is no case {', '.join(strange)}",
            f"There are: {', '.join(sorted(names))}.",
        )
    wanted = [
        entry
        for entry in found
        if (not options.only or entry.case.id in options.only)
        and options.held_back in {None, entry.case.held_back}
    ]
    if not wanted:
        raise TellUser(
            "No case is left.", "Leave out --only, --held-back or --open, or choose another."
        )
    return wanted


@dataclass
class _Evaluation:
    """What all cases of one evaluation share. `notes` are for the report.

    With `twice` each case is reviewed a second time: `seconds` are those, in the cases' order.
    """

    settings: Settings
    prices: Prices
    asked: Asked
    request: ReviewRequest
    judging: bool
    out: Path
    interrupts: Interrupts
    say: Say
    twice: bool = False

    def __post_init__(self) -> None:
        self.notes: list[str] = []
        self.seconds: list[Scored] = []
        self._taken_up = 0
        self._not_judged: dict[str, int] = {}

    def all(self, cases: Sequence[Ready]) -> tuple[list[Scored], int]:
        """Return the cases that have a result, from the first on, and how many had it before."""
        scored: list[Scored] = []
        for number, one in enumerate(cases, 1):
            path = file_of(self.out, one, self.request)
            at = f"[{number}/{len(cases)}] {one.case.id}"
            if self.interrupts() or (first := self._reviewed(one, path, at)) is None:
                break
            if self.twice:
                path = file_again(path, first.kept)
                second = None if self.interrupts() else self._reviewed(one, path, at, first.kept)
                if second is None:
                    break
                self.seconds.append(second)
            scored.append(first)
        for why, times in self._not_judged.items():
            self.notes.append(f"Not judged, {count(times, 'pair')} of claim and defect: {why}")
        return scored, self._taken_up

    def _reviewed(
        self, one: Ready, path: Path, at: str, first: Kept | None = None
    ) -> Scored | None:
        """Take up a case or review it, a second time after a `first`; None where that ends it."""
        before = read_kept(path)
        kept = before or self._review(one, first)
        if kept is None:
            return None
        if before is None:
            write_kept(path, kept)
        elif first is None:
            self._taken_up += 1
        kept = self._judge(one, kept, path, is_new=before is None)
        cost = kept.review.cost
        how = "taken up" if before else f"{count(cost.calls, 'call')}, {cost.seconds:.0f} s"
        claims = count(len(kept.review.findings), "claim")
        if first is not None:
            claims += f" again, {len(kept.new or ())} new"
        self.say(f"{at}: {claims} ({how})")
        return self._scored(one, kept)

    def _review(self, one: Ready, first: Kept | None) -> Kept | None:
        """Review a case as `rlm review` does; None where the run says nothing of the review.

        After a `first` as the App does it: told of what was said, with answers of its own.
        """
        tenant = tenant_of(self.out, again=first is not None)
        name = one.case.id if first is None else f"{one.case.id} {AGAIN}"
        with open_repo(one.repo) as repo:
            change = build_change(repo, one.base, one.head)
            with (
                LocalObjects(repo, change) as objects,
                recording(
                    about(name, change.base, change.head, self.request),
                    self.settings.home,
                    _say,
                    kept_s=self.settings.operations.keep_traces_s,
                ) as trace,
                code_of(
                    repo,
                    change,
                    objects,
                    self.settings.home,
                    cancelled=self.interrupts,
                    warm=self.asked.name is not None,
                ) as code,
                self._paying(change, tenant) as journal,
            ):
                request = self.request
                if request.model is not None:
                    promise = promise_of_range(repo, change)
                    request = request.model_copy(update={"promise": promise})
                remarks: list[Remark] = []
                if first is not None:
                    before = report(first.review, change, objects)
                    remarks = remarks_of(before)
                    if request.model is not None:
                        earlier = told_next(before, remarks)
                        request = request.model_copy(update={"earlier": earlier})
                work = review_with(
                    self.settings,
                    request,
                    change,
                    objects,
                    code,
                    prices=self.prices,
                    sink=trace.see,
                    cancelled=self.interrupts,
                    journal=journal,
                    tenant=tenant,
                )
                done = asyncio.run(work)
                trace.ended(done)
                if done.stopped in TRANSIENT:
                    self.notes += [f"{one.case.id}: {note}" for note in done.notes]
                    return None
                new = None
                if first is not None:
                    new = new_claims(report(done, change, objects), remarks)
                return Kept(
                    case=one.case.id,
                    program=program(),
                    base=change.base,
                    head=change.head,
                    request=self.request,
                    review=with_notes(done, self.asked.why_not),
                    nowhere=nowhere(done.findings, change, objects),
                    trace=trace.run,
                    new=new,
                )

    def _paying(self, change: Change, tenant: str) -> AbstractContextManager[Journal | None]:
        if self.request.model is None:
            return nullcontext()
        home, kept_s = self.settings.home, self.settings.operations.keep_answers_s
        return journal_here(home, self.request, change, tenant, self.say, kept_s=kept_s)

    def _judge(self, one: Ready, kept: Kept, path: Path, *, is_new: bool) -> Kept:
        """Have the pairs compared on which there is no word yet, and keep the words."""
        model = self.request.cheap_model
        if not self.judging or model is None:
            return kept
        known = {verdict.asked for verdict in kept.verdicts}
        open_ = [
            pair
            for pair in pairs(one.case, kept.review.findings)
            if question_of(model, *pair) not in known
        ]
        if not open_:
            return kept
        caps = self.request.caps
        if is_new and caps.usd is not None:
            caps = Caps(usd=max(0.0, caps.usd - (kept.review.cost.usd or 0.0)))
        verdicts, spent = asyncio.run(self._asked_of_judge(model, open_, caps))
        kept = kept.model_copy(
            update={"verdicts": (*kept.verdicts, *verdicts), "judging": kept.judging + spent}
        )
        write_kept(path, kept)
        return kept

    async def _asked_of_judge(
        self, model: str, open_: Sequence[tuple[Finding, Defect]], caps: Caps
    ) -> tuple[list[Verdict], Spent]:
        settings = self.settings
        async with (
            service_of(settings) as service,
            open_run(
                service,
                model,
                self.prices,
                caps=caps,
                sink=self._hear,
                cancelled=self.interrupts,
                concurrency=settings.concurrency,
            ) as run,
        ):
            judged = await judge(run, open_)
            usage, priced = run.account.usage, self.prices.cost(model, Usage()) is not None
            spent = Spent(
                calls=run.spent.calls,
                input_tokens=usage.input,
                output_tokens=usage.output,
                cache_read_tokens=usage.cache_read,
                usd=run.spent.usd if priced else None,
            )
        verdicts = []
        for pair, word in zip(open_, judged, strict=True):
            if word.same is None:
                self._not_judged[word.why] = self._not_judged.get(word.why, 0) + 1
                continue
            verdicts.append(
                Verdict(
                    finding=word.finding,
                    defect=word.defect,
                    same=word.same,
                    why=word.why,
                    asked=question_of(model, *pair),
                )
            )
        return verdicts, spent

    def _hear(self, event: Event) -> None:
        if isinstance(event, Note):
            self.say(event.text)

    def _scored(self, one: Ready, kept: Kept) -> Scored:
        findings = kept.review.findings
        if not self.judging or self.request.cheap_model is None:
            return Scored(one.case, kept, match(one.case, findings, None))
        said = {verdict.asked: verdict.same for verdict in kept.verdicts}
        verdicts = {
            (finding.id, defect.id): said.get(
                question_of(self.request.cheap_model, finding, defect)
            )
            for finding, defect in pairs(one.case, findings)
        }
        return Scored(one.case, kept, match(one.case, findings, verdicts))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _silence(_line: str) -> None:
    pass
