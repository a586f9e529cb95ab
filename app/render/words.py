"""The sentences that every format says the same way: what was found, covered, skipped and spent."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.render.escape import one_line
from reviewer.explain.values import Shown
from reviewer.finding import Finding, Place, Proof, Severity
from reviewer.refactor.values import FailsBefore
from reviewer.request import (
    ChangeInfo,
    Cost,
    LookFirst,
    Module,
    Review,
    Skipped,
    StopReason,
)
from reviewer.review import summary

_STOPPED = {
    StopReason.BUDGET: "the budget did not cover more",
    StopReason.DEADLINE: "its time was up",
    StopReason.CANCELLED: "it was told to stop",
    StopReason.MODEL: "the model's service did not answer, or refused",
    StopReason.STORAGE: "what it costs could not be written down",
    StopReason.INCOMPLETE: "the model came to no result for a part of it",
}


def stopped(reason: StopReason) -> str:
    """Return why a run ended early, to go on a sentence with "because"."""
    return _STOPPED[reason]


_FAILS_BEFORE: dict[FailsBefore, str] = {
    "read": "that it fails {without} is what a reader says, and nobody has seen",
    "run": "seen failing {without}",
    "no": "it passes {without}, too",
}


def fails_before(how: FailsBefore, without: str) -> str:
    """Return how it is known that a test fails without what it tests, to go into brackets."""
    return _FAILS_BEFORE[how].format(without=without)


NAME_DIGITS = 10
"""Of a commit's name: enough to be the only one, and to be compared by eye."""

PATHS_LISTED = 12
"""Skipped paths named one by one for each reason; more are counted by folder."""


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in reading order: worst first, then by place."""
    return sorted(
        findings, key=lambda one: (one.severity.rank, one.path, one.start_line or 0, one.line or 0)
    )


def count(number: int, noun: str) -> str:
    """Return "1 hunk", "2,000 hunks"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def foremost(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in the order in which room is given to them: worst first, then surest."""
    return sorted(ranked(findings), key=lambda one: (one.severity.rank, -one.confidence))


def place(finding: Finding | Place | Proof | Shown) -> str:
    """Return `path:line` or `path:start-line`, the path alone for a whole file."""
    path = one_line(finding.path)
    if finding.start_line is None or finding.start_line == finding.line:
        return path if finding.line is None else f"{path}:{finding.line}"
    return f"{path}:{finding.start_line}-{finding.line}"


PLACES_SHOWN = 20
"""Of one finding, where people read them; `--format json` and SARIF have all."""


def also_at(finding: Finding) -> list[str]:
    """Return the other places of which a finding is true, in its order."""
    return [place(one) + _AT_BASE * (one.side == "LEFT") for one in finding.places]


_AT_BASE = " (before this change)"

WHYS = 4
"""Reasons for setting files aside that one sentence names."""


UNVERIFIED = "not verified: no second look has confirmed it"
UNVERIFIED_BRIEFLY = "not verified"


def circumstances(finding: Finding) -> list[str]:
    """Return what a reader must know to find the place, and to weigh the claim."""
    said = []
    if finding.line is None:
        said.append("about the whole file")
    elif finding.side == "LEFT":
        said.append("lines of the version before this change")
    if finding.preexisting:
        said.append("was there before this change")
    if unverified(finding):
        said.append(UNVERIFIED)
    return said


def fails_when(finding: Finding) -> str:
    """Return the input or state that fails, as it was named; "" where none was."""
    return one_line(finding.trigger).strip()


def seen_at(finding: Finding) -> tuple[str, str] | None:
    """Return where the code stands that proves a finding, and its first line; None where that is
    no other place than the finding's own, or none is known.
    """
    proof = finding.proof
    if proof is None or (
        (proof.path, proof.side) == (finding.path, finding.side)
        and (
            finding.start_line is None
            or finding.line is None
            or proof.start_line is None
            or proof.line is None
            or (proof.start_line <= finding.line and finding.start_line <= proof.line)
        )
    ):
        return None
    lines = (one_line(line).strip() for line in proof.quote.split("\n"))
    return place(proof) + _AT_BASE * (proof.side == "LEFT"), next(filter(None, lines), "")


def sources(finding: Finding) -> list[str]:
    """Return who says a finding, the one in whose words it is told first."""
    return [one_line(source) for source in (finding.source, *finding.also_by)]


def unverified(finding: Finding) -> bool:
    """Is this a model's claim that was not verified? Those of detectors need no second look."""
    return finding.source.startswith("model:") and not finding.verified


def ended_early(review: Review) -> str:
    """Return why the review is partial, as a sentence; "" for a complete one."""
    if review.status == "complete":
        return ""
    why = _STOPPED[review.stopped] if review.stopped else "its run stopped"
    covered = f"{review.coverage.reviewed:,} of {count(review.coverage.hunks, 'hunk')}"
    return f"This review ended early because {why}: {covered} reviewed."


def verdict(review: Review) -> str:
    """Return how many findings there are and how bad, or an honest sentence for none; and how many
    claims of grave harm are for a person to look at."""
    said = _verdict(review)
    if not review.unsettled:
        return said
    left = f"; {count(len(review.unsettled), 'grave claim')} unsettled"
    return f"{said[:-1]}{left}." if said.endswith(".") else said + left


def _verdict(review: Review) -> str:
    if review.change.files == 0:
        return _empty(review.change)
    if review.findings:
        by_severity = Counter(finding.severity for finding in review.findings)
        parts = [f"{by_severity[s]:,} {s.value}" for s in Severity if by_severity[s]]
        return f"{count(len(review.findings), 'finding')}: {', '.join(parts)}"
    if review.coverage.hunks == 0:
        return "No findings: this change has no text that could be reviewed."
    if review.coverage.reviewed == 0:
        return "No findings, because no hunk was reviewed."
    read = f"in the {count(review.coverage.reviewed, 'hunk')} reviewed"
    if review.cost.model is None:
        return f"No findings by the detectors {read}; no model read them."
    return f"No findings {read}."


def clean(review: Review) -> bool:
    """Was what can be read of the change read, to its end, without a finding? Then there is nothing
    to say but what was set aside. What nobody could read, or settle, calls for a person: that is
    not clean.
    """
    return (
        review.status == "complete"
        and not review.findings
        and not review.unsettled
        and not any(one.calls_for_a_person for one in review.coverage.skipped)
        and review.coverage.reviewed > 0
    )


def unsettled(review: Review) -> str:
    """Return what a person has to look at, for no reader could settle it; "" for none."""
    return summary.unsettled_line(review.unsettled)


def set_aside(review: Review) -> str:
    """Return in one sentence how many files were not read and why, "" for none."""
    skipped = review.coverage.skipped
    if not skipped:
        return ""
    whys = [reason.reason for reason in reasons(skipped)]
    more = [f"{count(len(whys) - WHYS, 'other reason')}"] if len(whys) > WHYS else []
    files = count(len({one.path for one in skipped}), "file")
    return f"{files} not read: {'; '.join(whys[:WHYS] + more)}."


def _empty(change: ChangeInfo) -> str:
    base, head = one_line(change.base)[:NAME_DIGITS], one_line(change.head)[:NAME_DIGITS]
    if base == head:
        return f"Nothing to review: both ends are the commit {head}."
    if change.merge_base == change.head:
        return f"Nothing to review: {head} has no commit that {base} lacks."
    return f"Nothing to review: no file differs between {base} and {head}."


_SIZE = re.compile(r"\d+ files? changed \(\+\d+ -\d+\); \d+ of \d+ hunks reviewed.*")


def overview(review: Review) -> str:
    """Return the summary without what has its own place on a page: "" where nothing is left.

    It is made to stand alone, in JSON. A review with a risk has all of it in fields, too.
    """
    if review.risk is not None:
        return ""
    first, _, rest = review.summary.partition("\n\n")
    if first != summary.verdict(review.findings, review.coverage, review.stopped):
        return review.summary
    if said := unsettled(review):
        rest = rest.removeprefix(f"{said}\n\n")
    second, _, more = rest.partition("\n\n")
    return more if _SIZE.fullmatch(second) else rest


def module_name(module: Module) -> str:
    """Return the folder of a module, or what the one without a folder is called."""
    return one_line(module.path) or summary.ELSEWHERE


def module_size(module: Module) -> str:
    """Return "12 files, +540 -20"."""
    return f"{count(module.files, 'file')}, +{module.added:,} -{module.deleted:,}"


def looked_at(look: LookFirst) -> str:
    """Return `path:line`, or the path alone, of where to look."""
    return one_line(summary.place_of(look))


def coverage(review: Review) -> str:
    """Return the ledger in one sentence, with the size of the change; "" for an empty one."""
    ledger, change = review.coverage, review.change
    if change.files == 0:
        return ""
    said = (
        f"Reviewed {ledger.reviewed:,} of {count(ledger.hunks, 'hunk')} "
        f"in {count(change.files, 'file')} (+{change.added:,} -{change.deleted:,})"
    )
    aside = sum(skipped.hunks for skipped in ledger.skipped)
    bare = sum(1 for skipped in ledger.skipped if not skipped.hunks)
    if aside:
        said += f"; {aside:,} set aside"
    if bare:
        said += f"; {count(bare, 'file')} without hunks not read"
    return said + ("." if not ledger.skipped else ":")


@dataclass(frozen=True, slots=True)
class Reason:
    """Everything that was skipped for one reason. `rows` name a path or a folder, with hunks."""

    reason: str
    files: int
    hunks: int
    rows: tuple[str, ...]
    members: tuple[Skipped, ...]

    @property
    def size(self) -> str:
        """How much that is: "3 files, 12 hunks"."""
        return _amount(self.files, self.hunks)


def reasons(skipped: Sequence[Skipped]) -> list[Reason]:
    """Return what was skipped, grouped by reason, every path named or counted in its folder."""
    groups: dict[str, list[Skipped]] = defaultdict(list)
    for one in skipped:
        groups[one_line(one.reason).removesuffix(".")].append(one)
    return [
        Reason(
            reason, len(group), sum(one.hunks for one in group), tuple(_rows(group)), tuple(group)
        )
        for reason, group in sorted(groups.items())
    ]


def _amount(files: int, hunks: int) -> str:
    """Files without hunks (binary ones) just count."""
    said = count(files, "file")
    return f"{said}, {count(hunks, 'hunk')}" if hunks else said


def _rows(group: Sequence[Skipped]) -> list[str]:
    if len(group) <= PATHS_LISTED:
        return [
            one_line(one.path) + (f" ({count(one.hunks, 'hunk')})" if one.hunks else "")
            for one in sorted(group, key=lambda one: one.path)
        ]
    depth = max(one.path.count("/") for one in group)
    folders = _folders(group, depth)
    while len(folders) > PATHS_LISTED and depth > 0:
        depth -= 1
        folders = _folders(group, depth)
    return [
        f"{one_line(folder)} ({_amount(files, hunks)})"
        for folder, (files, hunks) in sorted(folders.items())
    ]


def _folders(group: Sequence[Skipped], depth: int) -> dict[str, tuple[int, int]]:
    folders: dict[str, tuple[int, int]] = {}
    for one in group:
        parts = one.path.split("/")[:-1][:depth]
        name = "/".join(parts) + "/" if parts else "./"
        files, hunks = folders.get(name, (0, 0))
        folders[name] = (files + 1, hunks + one.hunks)
    return folders


def money(usd: float) -> str:
    """Return dollars with as many digits as say something."""
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def duration(seconds: float) -> str:
    """Return "0.4 s", "42 s", "3 min 05 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


def cost_briefly(spent: Cost) -> str:
    """Return what the run cost and how long it took."""
    time = duration(spent.seconds)
    return f"{time}." if spent.usd is None else f"{money(spent.usd)}, {time}."


def cost(spent: Cost) -> str:
    """Return what the run used, in one line."""
    if spent.model is None:
        return f"No model was asked. {duration(spent.seconds)}."
    price = "price unknown" if spent.usd is None else money(spent.usd)
    sent = spent.input_tokens + spent.cache_read_tokens + spent.cache_write_tokens
    known = ""
    if spent.replayed_calls:
        known = f" and {count(spent.replayed_calls, 'answer')} from before"
    cached = f" ({spent.cache_read_tokens:,} from the cache)" if spent.cache_read_tokens else ""
    return (
        f"{price}, {count(spent.calls, 'call')} of {one_line(spent.model)}{known}, "
        f"{sent:,} tokens in{cached}, {spent.output_tokens:,} out, {duration(spent.seconds)}."
    )
