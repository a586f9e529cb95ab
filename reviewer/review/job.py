"""The review job: change in, `Review` out. Composes triage, detectors, finders and the joining."""

import asyncio
import ctypes
import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import count
from typing import get_args

from reviewer.change import Change, FileChange, Span
from reviewer.context.values import Context
from reviewer.detectors.lockfiles import Table, dependency_table, may_lock
from reviewer.detectors.names import DETECTORS, INTENT, Check
from reviewer.detectors.run import detect
from reviewer.detectors.secrets import redacted
from reviewer.finding import Finding
from reviewer.model.base import Model, Usage
from reviewer.policy import FILE, NO_POLICY, Policy, Thresholds
from reviewer.ports import Cancelled, FileTooLarge, MissingBlob, NoSuchFile, Objects, Rev
from reviewer.request import (
    ChangeInfo,
    Cost,
    DependencyChange,
    Effort,
    Looked,
    Module,
    Review,
    ReviewRequest,
    StopReason,
    Unsettled,
    Withheld,
)
from reviewer.review.arrangement import Arrangement, arrange
from reviewer.review.claims import Claim, FinderResult, Joined
from reviewer.review.coverage import account
from reviewer.review.duplicates import Repeats, duplicates, joined
from reviewer.review.finder import LENSES, PACES, Finder
from reviewer.review.functions import Code
from reviewer.review.guidance import guides_for
from reviewer.review.intent import Intent, IntentClaim, IntentScope, compares
from reviewer.review.join import join_counted, masked, once, told_as_defects
from reviewer.review.modules import Said, module_imports, modules, modules_of
from reviewer.review.place import Placer
from reviewer.review.risk import look_first, risk
from reviewer.review.scope import SPAN_BYTES, FindScope
from reviewer.review.suggestions import parsing
from reviewer.review.summary import STOPS, Outline, summarise
from reviewer.review.synthesis import question, retold
from reviewer.review.taken_back import kept_of, takes_itself_back
from reviewer.review.verify import Verifier, VerifyScope, judged
from reviewer.rlm.journal import Journal
from reviewer.rlm.once import ask_once
from reviewer.rlm.recording import Recording
from reviewer.rlm.run import CALL_TIMEOUT_S, CONCURRENCY, Pricing, Run, Seat, open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.solved import Solved
from reviewer.rlm.trace import BorderChanged, TraceSink
from reviewer.spans import spans as spans_of
from reviewer.text import printable
from reviewer.triage import Triage, not_wanted, triage, within

MIN_CONFIDENCE = 0.5
"""The finder is told not to report below this; what comes all the same is dropped and counted."""

VERIFYING = 0.15
"""Of the budget, held back while finders read: a claim that nobody has doubted may be noise. A
verifier is asked about twice for a claim, with some 5,000 tokens each time (45 claims of a real
change: 87 calls, 9,700 tokens in for each claim), on the cheaper model."""

DROPPED_SHOWN = 5
"""Titles in the note about claims that were dropped, so that a reader can look for himself."""

NOTHING_WRONG = "they conclude that nothing is wrong"

MANY_FILES = 1_000
"""From here on memory is worth half a second."""

ALL_OFF = f"every check is switched off by {FILE}, and no model was asked"
LOCKFILE = "lock file: shown as a table of dependency changes"


@dataclass(frozen=True)
class Prepared:
    """What is known of a change before any model is asked."""

    change: Change
    triage: Triage
    spans: tuple[Span, ...]
    leads: list[Finding]
    dependencies: list[DependencyChange]
    notes: list[str]
    checked: frozenset[str]
    """Paths of the files that the detectors have looked at."""

    detectors: frozenset[str]
    """Names of those that kept nothing back."""

    arrangement: Arrangement = field(default_factory=Arrangement)
    """What is read together, and what changed at borders: where a model will be asked."""


@dataclass
class _Read:
    """What the finders brought: nothing, where there is no model."""

    findings: list[Finding] = field(default_factory=list)
    causes: dict[str, Span] = field(default_factory=dict)
    told: list[Said] = field(default_factory=list)
    retold: tuple[list[Module], list[str]] | None = None
    """The same by module in the words of one node; None where there was none, or nothing to do."""

    covered: frozenset[str] = frozenset()
    missed: dict[str, str] = field(default_factory=dict)
    stopped: StopReason | None = None
    notes: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    usd: float | None = None
    calls: int = 0
    replayed: int = 0
    by: list[str] = field(default_factory=list)
    """The model's sources that saw every span."""

    withheld: list[Finding] = field(default_factory=list)
    unsettled: list[Finding] = field(default_factory=list)
    """What is grave, and two verifiers could neither prove nor refute."""

    repeats: Repeats = field(default_factory=Repeats)
    """Which findings, joined by program, a reader takes for one defect, or for one told before."""


def prepare(
    change: Change,
    objects: Objects,
    cancelled: Cancelled,
    paths: Sequence[str] = (),
    context: Context | None = None,
    *,
    policy: Policy = NO_POLICY,
    policy_before: Policy | None = None,
) -> Prepared:
    """Triage the change, run the detectors and cut what is in scope into spans. No model, no cost.

    `paths` and the policies as in `ReviewRequest`, `context` as in `detect`. Stops early, with a
    note, when it is cancelled.
    """
    sorted_out = triage(change, objects, paths, policy, policy_before)
    asked = [file for file in change.files if not paths or within(file, paths)]
    if context is not None:
        _parsed_ahead(sorted_out.scope, context, cancelled)
    detected = detect(
        replace(change, files=tuple(asked)),
        objects,
        sorted_out.scope,
        cancelled,
        context,
        off=policy.off,
    )
    _tidied(len(sorted_out.scope))
    listed = [
        file
        for file in asked
        if may_lock(file.path) and not not_wanted(file, policy, policy_before)
    ]
    tables = [_table(file, objects) for file in listed]
    spans = tuple(span for file in sorted_out.scope for span in spans_of(file, SPAN_BYTES))
    return Prepared(
        change,
        sorted_out,
        spans,
        list(detected.findings),
        [row for table in tables for row in table.changes],
        [
            *change.notes,
            *unmatched(change, paths),
            *_switched_off(policy),
            *detected.notes,
            *(table.note for table in tables if table.note),
        ],
        detected.checked,
        detected.whole,
    )


def _parsed_ahead(files: Sequence[FileChange], context: Context, cancelled: Cancelled) -> None:
    """Parse both ends of the files at once: detectors and clusters ask for one after the other."""
    context.ahead([file.new_path for file in files if file.new_path], cancelled)
    context.ahead([file.old_path for file in files if file.old_path], cancelled, "base")


def _arranged(
    prepared: Prepared, objects: Objects, cancelled: Cancelled, code: Code | None
) -> Prepared:
    files, context = prepared.triage.scope, None if code is None else code.context
    _tidied(len(files))
    arrangement = arrange(files, prepared.spans, objects, cancelled, context)
    _tidied(len(files))
    return replace(prepared, arrangement=arrangement)


def _tidied(files: int) -> None:
    """Give the system back what a step over many files has freed: a sixth of all it has.

    The C library keeps it, where nobody asks; other libraries than GNU's have no such call.
    """
    if files < MANY_FILES:
        return
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def unmatched(change: Change, paths: Sequence[str]) -> list[str]:
    """Say which of the paths asked for name nothing that changed: most likely a slip."""
    return [
        f"No changed file is at or under {printable(path)}."
        for path in paths
        if not any(within(file, [path]) for file in change.files)
    ]


def _switched_off(policy: Policy) -> list[str]:
    off = [name for name in get_args(Check) if name in policy.off]
    return [f"Switched off by {FILE}: {', '.join(off)}."] if off else []


def _table(file: FileChange, objects: Objects) -> Table:
    """Return what a file's change means for the dependencies; nothing where it cannot be read."""

    def end(path: str | None, at: Rev) -> bytes | None:
        try:
            return None if path is None else objects.read(path, at)
        except NoSuchFile:
            return None

    try:
        return dependency_table(file.path, end(file.old_path, "base"), end(file.new_path, "head"))
    except (FileTooLarge, MissingBlob) as error:
        return Table([], f"{printable(file.path)} is not in the table of dependencies: {error}")


async def review(
    request: ReviewRequest,
    change: Change,
    objects: Objects,
    *,
    model: Model | None,
    prices: Pricing,
    sink: TraceSink,
    cancelled: Cancelled,
    concurrency: int = CONCURRENCY,
    code: Code | None = None,
    journal: Journal | None = None,
    tenant: str = "",
    recording: Recording | None = None,
    call_timeout_s: float = CALL_TIMEOUT_S,
) -> Review:
    """Review a change, with the model that the request names or by detectors alone.

    `code` answers questions about the rest of the code; without it nodes can read and search only.
    `journal` is opened for this run; what it holds of `tenant` is not paid again.
    What a run can meet (no budget, no service, a cancellation, a deadline) ends in a partial
    review that says so, never in an exception.
    """
    began = time.monotonic()
    end = math.inf if request.caps.seconds is None else began + request.caps.seconds

    def late() -> bool:
        return time.monotonic() > end

    prepared = await asyncio.to_thread(
        prepare,
        change,
        objects,
        lambda: cancelled() or late(),
        request.paths,
        None if code is None else code.context,
        policy=request.policy,
        policy_before=request.policy_before,
    )
    asks = model is not None and request.model is not None
    # Without a model the arrangement is for the summary alone, from what the detectors have parsed.
    known = code is not None and len(prepared.triage.scope) <= MANY_FILES
    if (asks or known) and not (cancelled() or late()):
        prepared = await asyncio.to_thread(
            _arranged, prepared, objects, lambda: cancelled() or late(), code
        )
        for border in prepared.arrangement.borders if asks else ():
            sink(BorderChanged(**asdict(border)))
    if cancelled() or late():
        reason = StopReason.CANCELLED if cancelled() else StopReason.DEADLINE
        read = _stopped(prepared, reason, by_detectors=request.model is None)
    elif request.model is None and request.policy.off.issuperset(DETECTORS):
        read = _Read(missed={span.id: ALL_OFF for span in prepared.spans})
    elif model is None or request.model is None:
        # Without a model the detectors are the whole review; what they ran on is reviewed.
        read = _Read(covered=frozenset(span.id for span in prepared.spans))
    elif not prepared.spans:
        looked = {*LENSES[request.effort], *LENSES[Effort.QUICK], INTENT}
        read = _Read(by=[f"model:{lens}" for lens in sorted(looked)])
    else:
        left = None if end == math.inf else max(0.1, end - time.monotonic())
        pace = PACES[request.effort]
        async with open_run(
            model,
            request.model,
            prices,
            caps=request.caps.model_copy(update={"seconds": left}),
            sink=sink,
            cancelled=cancelled,
            thinking=pace.thinking,
            output_tokens=pace.output_tokens,
            concurrency=concurrency,
            cheap=request.cheap_model,
            journal=journal,
            tenant=tenant,
            recording=recording,
            call_timeout_s=call_timeout_s,
        ) as run:
            read = await _passes(request, prepared, objects, run, code)
    return _assemble(request, prepared, read, time.monotonic() - began)


def _stopped(prepared: Prepared, reason: StopReason, *, by_detectors: bool) -> _Read:
    """Say what the run had read when it ended before any model was asked.

    Where the detectors are the whole review, the files that they had looked at are reviewed.
    """
    done = prepared.checked if by_detectors else frozenset[str]()
    covered = frozenset(span.id for span in prepared.spans if span.path in done)
    missed = {span.id: STOPS[reason] for span in prepared.spans if span.id not in covered}
    return _Read(covered=covered, missed=missed, stopped=reason if missed else None)


async def _passes(
    request: ReviewRequest, prepared: Prepared, objects: Objects, run: Run, code: Code | None
) -> _Read:
    """Read every span through each lens of the effort, one lens after the other.

    One after the other, so that a budget which does not reach buys the first pass everywhere
    rather than every pass somewhere, and a later pass finds the scope in the prompt cache.
    """
    clusters = prepared.arrangement.clusters
    guides, in_part = guides_for(request.guides, prepared.triage.scope)
    finder = Finder(
        prepared.change,
        objects,
        prepared.leads,
        request.guidelines,
        code=code,
        clusters=clusters,
        borders=prepared.arrangement.borders,
        nearby=prepared.arrangement.nearby,
        led=PACES[request.effort].led,
        instructions=request.policy.instructions,
        guides=guides,
        language=request.policy.comments.language,
    )
    placer = Placer(prepared.change, objects)
    lenses = LENSES[request.effort]
    read = _Read(notes=[in_part] if in_part else [])
    unfinished: list[str] = []
    verifies = PACES[request.effort].verifies
    held = run.account.child(run.account.left.share(VERIFYING if verifies else 0.0))
    for index, lens in enumerate(lenses, 1):
        if run.stopped is not None:
            unfinished.append(lens)
            continue
        root = FindScope(clusters.order, lens)
        solved = await solve(finder, root, run, str(index))
        await asyncio.to_thread(_collect, read, prepared, placer, solved, lens)
        if solved.missed:
            unfinished.append(lens)
        else:
            read.by.append(f"model:{lens}")
    if not unfinished:  # together they look for all that the one pass of a quick review does
        read.by += [f"model:{lens}" for lens in LENSES[Effort.QUICK] if lens not in lenses]
    names = map(str, count(len(lenses) + 1))
    if compares(request):
        await _compared(request, prepared, read, run, objects, code, next(names))
    held.close()
    if verifies:
        made = partial(
            Verifier,
            prepared.change,
            objects,
            prepared.spans,
            guidance=finder.asked_by_maintainers,
            language=request.policy.comments.language,
            code=code,
            causes=read.causes,
            promise=request.promise,
        )
        read.findings = await _verified(read, prepared.leads, made, run, names)
    among = None if code is None else code.context.parsers
    read.findings = await asyncio.to_thread(parsing, read.findings, objects, among)
    if unfinished and run.stopped is not None:
        read.stopped = run.stopped.reason  # what ended the run comes before what one node met
    # A span that one pass has read is reviewed; what later passes missed is said in a note.
    read.missed = {key: why for key, why in read.missed.items() if key not in read.covered}
    if unfinished and len(lenses) > 1:
        which = (
            f"pass {unfinished[0]}" if len(unfinished) == 1 else f"passes {', '.join(unfinished)}"
        )
        read.notes.append(f"The {which} did not reach every hunk.")
    if unfinished and run.stopped is not None:
        read.notes.append(str(run.stopped))
    found = masked(join_counted([*prepared.leads, *read.findings])[0])
    seat = Seat(run, run.account, next(names))
    read.repeats = await duplicates(found, seat, request.earlier)
    read.retold = await _retold(request, prepared, read, Seat(run, run.account, next(names)))
    _accounted(read, run)
    return read


def _accounted(read: _Read, run: Run) -> None:
    """Say what the run has used, and where that is a bound."""
    if cut := run.account.forfeits:
        calls = "a call that was cut off is" if cut == 1 else f"{cut} calls that were cut off are"
        read.notes.append(f"The cost is a bound: {calls} counted at the most it can have cost.")
    if lost := run.journal.lost.calls:
        calls = "A call that was" if lost == 1 else f"{lost} calls that were"
        verb = "counts" if lost == 1 else "count"
        read.notes.append(f"{calls} under way when this run was cut off {verb} in full.")
    read.usage, read.calls, read.replayed = run.account.usage, run.spent.calls, run.replayed
    priced = all(run.prices.cost(one, Usage()) is not None for one in (run.name, run.cheap))
    read.usd = run.spent.usd if priced else None


async def _compared(  # noqa: PLR0917
    request: ReviewRequest,
    prepared: Prepared,
    read: _Read,
    run: Run,
    objects: Objects,
    code: Code | None,
    name: str,
) -> None:
    """Add where the change and its promise differ. It covers nothing and misses nothing."""
    if request.promise is None:
        return
    why = str(run.stopped) if run.stopped is not None else ""
    if not why:
        task = Intent(
            prepared.change,
            objects,
            code=code,
            borders=prepared.arrangement.borders,
            language=request.policy.comments.language,
        )
        scope = IntentScope(prepared.spans, request.promise)
        solved = await solve(task, scope, run, name)
        placed = [task.finding(claim, scope) for claim in solved.result.claims]
        found = _meant(read, solved.result.claims, placed, "about what was promised")
        read.findings += [one for one in found if one.confidence >= MIN_CONFIDENCE]
        if lost := placed.count(None):
            read.notes.append(
                f"{lost} claim(s) about what was promised quoted nothing that is there."
            )
        unsure = (one for one in found if one.confidence < MIN_CONFIDENCE)
        read.withheld += unsure
        why = "; ".join(sorted(set(solved.missed.values())))
    if not why:
        read.by.append(f"model:{INTENT}")
    else:
        read.notes.append(f"The change was not compared with what it promises: {why}")


async def _verified(
    read: _Read,
    leads: Sequence[Finding],
    made: Callable[..., Verifier],
    run: Run,
    names: Iterator[str],
) -> list[Finding]:
    """Have each thing that the finders report refuted, if it can be; return what stands.

    What is grave and was neither proved nor refuted is put to a second verifier; what he cannot
    settle either is no finding, and kept for a person to look at. What nobody could look at, for
    want of money or time, stays, and is said to be unverified. A promise that a defect of its file
    breaks is looked at with it, and by itself only where that does not stand: what is no defect may
    still be what nobody was told of. `names` are for the trace.
    """
    known = once([*leads, *read.findings], by_words=True)  # each has to stand by itself
    candidates, promises = told_as_defects(
        [each for each in known if each.source.startswith("model:")], same_file=True
    )
    first, second = made(), made(second=True)
    stand: list[Finding] = []
    fell: list[Finding] = []
    back: list[Finding] = []
    missed: set[str] = set()
    stops: set[StopReason] = set()
    while candidates:
        gone: list[Finding] = []
        asked = candidates
        for verifier in (first, second):
            if not asked:
                break
            solved = await solve(verifier, VerifyScope(tuple(asked)), run, next(names))
            verdicts = await asyncio.to_thread(verifier.proved, solved.result, asked)
            found = await asyncio.to_thread(judged, asked, verdicts, MIN_CONFIDENCE, verifier.proof)
            takes = [one for one in found.fell if verdicts[one.id].taken_back]
            stand, back = [*stand, *found.stand], [*back, *takes]
            fell += [one for one in found.fell if one not in takes]
            missed.update(solved.missed.values())
            stops |= solved.stops
            gone, asked = [*gone, *found.fell], found.open
        read.unsettled += asked
        gone += asked
        candidates = [promise for one in gone for promise in promises.pop(one.id, ())]
    read.withheld += read.unsettled  # who could not tell closes nothing
    if back:
        # Whoever wrote it was of two minds, so that it closes nothing.
        read.withheld += back
        read.notes.append(f"{len(back)} claim(s) were dropped: {NOTHING_WRONG}.")
    if fell:
        said = "; ".join(f"{one.title} ({one.path})" for one in fell[:DROPPED_SHOWN])
        more = "; …" if fell[DROPPED_SHOWN:] else ""
        read.notes.append(
            f"{len(fell)} claim(s) were dropped: a second look did not confirm them: {said}{more}"
        )
    if unseen := sum(not each.verified for each in stand):
        why = "; ".join(sorted(missed)) or "no verdict came with a proof"
        read.notes.append(f"{unseen} claim(s) were not verified: {why}")
    if stops and read.stopped is None:
        read.stopped = min(stops, key=list(StopReason).index)
    return stand


async def _retold(
    request: ReviewRequest, prepared: Prepared, read: _Read, seat: Seat
) -> tuple[list[Module], list[str]] | None:
    """Have what several readers said told once, in the project's words; None where nobody did.

    It is the last thing that is paid for: without it what they said is shown as they said it.
    """
    if len({text for _, text in read.told}) < 2 or seat.run.stopped is not None:
        return None
    files = prepared.triage.scope
    told, across = modules(files, modules_of(file.path for file in files), read.told)
    asked = question(told, across, request.promise, request.policy.comments.language)
    said = await ask_once(asked, seat)
    return None if said is None else retold(told, across, said, request.promise)


def _collect(
    read: _Read, prepared: Prepared, placer: Placer, solved: Solved[FinderResult], lens: str
) -> None:
    spans = {span.id: span for span in prepared.spans}
    placed = [placer.finding(claim, spans, lens) for claim in solved.result.claims]
    for claim, finding in zip(solved.result.claims, placed, strict=True):
        if finding is not None and claim.hunk in spans:
            read.causes.setdefault(finding.id, spans[claim.hunk])
    found = _meant(read, solved.result.claims, placed, f"of the pass {lens}")
    sure = [finding for finding in found if finding.confidence >= MIN_CONFIDENCE]
    read.findings += sure
    read.withheld += [finding for finding in found if finding.confidence < MIN_CONFIDENCE]
    if isinstance(solved.result, Joined):
        # Another pass reads the same again; only what one saw between the parts is new.
        first = not read.told
        told = (one for one in solved.result.told if first or one.across)
        read.told += [(one.paths, redacted(one.text)) for one in told]
    if lost := placed.count(None):
        read.notes.append(f"{lost} claim(s) of the pass {lens} quoted no code that is there.")
    if unsure := len(found) - len(sure):
        read.notes.append(f"{unsure} claim(s) of the pass {lens} were too unsure to show.")
    read.covered |= solved.covered
    read.missed.update(solved.missed)
    if solved.stops and read.stopped is None:
        read.stopped = min(solved.stops, key=list(StopReason).index)


def _meant(
    read: _Read,
    claims: Iterable[Claim | IntentClaim],
    placed: Sequence[Finding | None],
    whose: str,
) -> list[Finding]:
    """Return the findings of claims that have a place, without those that take themselves back.

    These are withheld, with a note: who wrote one was of two minds, so that it closes nothing.
    What is grave stays, for a verifier to judge: the words may be those of a comment in the code,
    which its author has put there to be repeated.
    """
    found = [(c, one) for c, one in zip(claims, placed, strict=True) if one is not None]
    kept: list[Finding] = []
    dropped: list[Finding] = []
    for claim, one in found:
        if not takes_itself_back(claim.title, claim.why):
            kept.append(one)
        elif one.is_grave:
            kept.append(one.model_copy(update={"body": kept_of(one.body)}))
        else:
            dropped.append(one)
    if dropped:
        read.withheld += dropped
        read.notes.append(f"{len(dropped)} claim(s) {whose} were dropped: {NOTHING_WRONG}.")
    return kept


def _for_a_person(one: Finding) -> Unsettled:
    """Return what to say of a claim that nobody could settle: not that nothing is wrong."""
    return Unsettled(
        id=one.id,
        path=one.path,
        side=one.side,
        line=one.line,
        severity=one.severity,
        category=one.category,
        title="" if takes_itself_back(one.title, "") else one.title,
    )


def _below(number: int, thresholds: Thresholds) -> list[str]:
    """Say how many findings are not shown, so that none is lost in silence."""
    if not number:
        return []
    findings = "1 finding is" if number == 1 else f"{number} findings are"
    return [f"{findings} not shown: below the thresholds of {FILE} ({thresholds})."]


def _beside(number: int) -> list[str]:
    """Say how many findings have no comment of their own, for another one has their lines."""
    if not number:
        return []
    findings = "1 finding is" if number == 1 else f"{number} findings are"
    return [f"{findings} told with another one of the same lines."]


def _said_once(number: int) -> list[str]:
    """Say how many findings have no comment of their own, for a reader takes them for repeats."""
    if not number:
        return []
    findings = "1 finding is" if number == 1 else f"{number} findings are"
    return [f"{findings} told with another one of the same defect."]


def _assemble(request: ReviewRequest, prepared: Prepared, read: _Read, seconds: float) -> Review:
    change = prepared.change
    aside = [*prepared.triage.skipped, *((file, LOCKFILE) for file in prepared.triage.lockfiles)]
    coverage = account(change, aside, prepared.spans, read.covered, read.missed)
    apart, beside = join_counted([*prepared.leads, *read.findings])
    found = masked(apart)
    shown = [one for one in found if request.policy.thresholds.admit(one)]
    left_open = masked(read.unsettled)
    below = [one for one in [*found, *left_open] if not request.policy.thresholds.admit(one)]
    unsettled = [_for_a_person(one) for one in left_open if one not in below]
    # What is shown is not told with what is not, and hides behind none.
    findings = joined(shown, read.repeats.same)
    asked = read.calls > 0 or read.replayed > 0
    files, arrangement = prepared.triage.scope, prepared.arrangement
    module_of = modules_of(file.path for file in files)
    told, across = read.retold or modules(files, module_of, read.told)
    outline = Outline(
        risk(files, findings, arrangement.borders) if files else None,
        look_first(files, findings, arrangement.borders, arrangement.users, arrangement.imports),
        told,
        across,
        unsettled,
    )
    return Review(
        status="complete" if read.stopped is None else "partial",
        stopped=read.stopped,
        change=ChangeInfo(
            base=change.base,
            head=change.head,
            merge_base=change.merge_base,
            files=len(change.files),
            added=sum(file.added for file in change.files),
            deleted=sum(file.deleted for file in change.files),
        ),
        findings=findings,
        summary=summarise(change, findings, coverage, outline, read.stopped),
        notes=[
            *prepared.notes,
            *read.notes,
            *_beside(beside),
            *_said_once(len(shown) - len(findings)),
            *_below(len(below), request.policy.thresholds),
        ],
        coverage=coverage,
        dependencies=prepared.dependencies,
        cost=Cost(
            model=request.model if asked else None,
            usd=read.usd if asked else None,
            calls=read.calls,
            replayed_calls=read.replayed,
            input_tokens=read.usage.input,
            output_tokens=read.usage.output,
            cache_read_tokens=read.usage.cache_read,
            cache_write_tokens=read.usage.cache_write,
            seconds=round(seconds, 3),
        ),
        risk=outline.risk,
        look_first=list(outline.look_first),
        modules=told,
        across=across,
        imports=module_imports(arrangement.imports, module_of),
        earlier=read.repeats.earlier_of(findings),
        unsettled=unsettled,
        looked=Looked(
            by=(*(f"detector:{name}" for name in sorted(prepared.detectors)), *read.by),
            effort=request.effort,
            withheld=tuple(
                Withheld(
                    ids=(*one.ids, *read.repeats.earlier_of([one]).values()),
                    path=one.path,
                    title=one.title,
                )
                for one in [*below, *read.withheld]
            ),
        ),
    )
