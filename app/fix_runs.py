"""A fix as an engine makes it for a pull request: findings of its review, or checks that failed.

What is closed is what somebody asked for, by the ids of a review that the store has kept. Nothing
of the repository is run: its checks run where they always do, and what they say comes back as data.
"""

from collections.abc import Mapping, Sequence

from app.report import Report
from app.task_work import Came, There
from app.written import Written
from reviewer.errors import GiveUp
from reviewer.finding import Finding
from reviewer.fix.job import fix
from reviewer.fix.request import (
    DIFF_CHARS,
    MOST_KEPT,
    MOST_PATCHED,
    TITLE_CHARS,
    FixRequest,
    Patched,
)
from reviewer.fix.reviewer import diff_of
from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Blob
from reviewer.request import Review
from reviewer.testing.values import Testing

NO_REVIEW = "the review with these findings is not kept any more. `/rlm review` makes another one."
NO_FINDING = "none of these findings is in the review any more."


async def fixing(there: There) -> Came:
    """Close findings at the head of a pull request, or mend what checks say of our own branch."""
    wish = there.wish
    before = _before(there) if wish.failed else ()
    reviewed, findings = _findings(there) if wish.review_of else ("", ())
    request = FixRequest(
        commit=there.commit,
        reviewed=reviewed,
        findings=findings,
        failed=wish.failed,
        patched=_patched(there, before),
        kept=_kept(before),
        new_tests=any(isinstance(one.account, Testing) for one in before),
        model=there.model_name,
        cheap_model=there.request.cheap_model,
        effort=there.request.effort,
        caps=there.request.caps,
        guidelines=there.request.guidelines,
    )
    outcome = await fix(
        request,
        there.trees.start,
        there.trees,
        model=there.model,
        **there.means,
    )
    return Came(outcome.fixing, outcome.patch, {})


def _findings(there: There) -> tuple[str, tuple[Finding, ...]]:
    """Return the commit that was reviewed, and the findings that are meant, the gravest first."""
    raw = there.stored(there.wish.review_of)
    if not raw:
        raise GiveUp(NO_REVIEW)
    review: Review = Report.model_validate_json(raw).review
    wanted = set(there.wish.findings)
    meant = [each for each in review.findings if each.id in wanted]
    if not meant:
        raise GiveUp(NO_FINDING)
    return review.change.head, tuple(sorted(meant, key=lambda each: each.severity.rank))


def _before(there: There) -> tuple[Written, ...]:
    """Return what the runs have written whose commits are below this one's, as far as is kept."""
    kept = (there.stored(run) for run in there.wish.mends)
    return tuple(Written.model_validate_json(raw) for raw in kept if raw)


def _kept(written: Sequence[Written]) -> tuple[str, ...]:
    """Return the titles of the findings that they have closed."""
    accounts = [one.account for one in written if isinstance(one.account, Fixing)]
    titles = [
        each.title[:TITLE_CHARS]
        for account in accounts
        if not account.checks
        for each in account.all_closed
    ]
    return tuple(titles[:MOST_KEPT])


def _patched(there: There, written: Sequence[Written]) -> tuple[Patched, ...]:
    """Return what they have made of each file, as far as it can be shown."""
    before: dict[str, str] = {}
    after: dict[str, Blob | None] = {}
    for one in written:
        for path, name in one.before.items():
            before.setdefault(path, name)
        for path, file in one.files.items():
            after[path] = Blob(file.raw, file.mode) if file.mode else None
    paths = sorted(after)[:MOST_PATCHED]
    known = there.blobs([before[path] for path in paths if before[path]])
    return tuple(
        Patched(path=path, diff=_diff(path, before[path], after[path], known)) for path in paths
    )


def _diff(path: str, before: str, after: Blob | None, known: Mapping[str, bytes]) -> str:
    """Return what became of a file; "" where nobody can say what it was."""
    if before and before not in known:
        return ""
    old = {path: Blob(known[before]) if before else None}
    text = diff_of(old, {path: after}).partition("\n")[2]  # its name stands above it
    return text if len(text) <= DIFF_CHARS else f"{text[: DIFF_CHARS - 20]}\n… cut here"
