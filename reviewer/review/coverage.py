"""The coverage ledger: every hunk of the change was reviewed, or is listed with the reason."""

from collections.abc import Iterable, Mapping

from reviewer.change import Change, FileChange, Hunk, Span
from reviewer.request import Coverage, Skipped
from reviewer.text import printable


def account(
    change: Change,
    aside: Iterable[tuple[FileChange, str]],
    spans: Iterable[Span],
    covered: frozenset[str],
    missed: Mapping[str, str],
) -> Coverage:
    """Return the ledger. A hunk counts as reviewed when each of its spans was covered.

    `aside` are the files that triage set aside, `covered` and `missed` name spans by id. Raise
    AssertionError if a hunk is in none of them or in two: a review must not end like that.
    """
    skipped = [
        Skipped(path=printable(file.path), hunks=file.hunk_count, reason=reason)
        for file, reason in aside
    ]
    by_hunk: dict[str, list[Span]] = {}
    hunks: dict[str, Hunk] = {}
    for span in spans:
        by_hunk.setdefault(span.hunk.id, []).append(span)
        hunks[span.hunk.id] = span.hunk
    reviewed = 0
    holes: dict[tuple[str, str], int] = {}
    for name, pieces in by_hunk.items():
        reasons = sorted({missed[piece.id] for piece in pieces if piece.id not in covered})
        if reasons:
            key = (hunks[name].path, "; ".join(reasons))
            holes[key] = holes.get(key, 0) + 1
        else:
            reviewed += 1
    skipped += [
        Skipped(path=printable(path), hunks=count, reason=reason)
        for (path, reason), count in holes.items()
    ]
    total = change.hunk_count
    if reviewed + sum(entry.hunks for entry in skipped) != total:
        raise AssertionError(
            f"{total} hunks, {reviewed} reviewed, {skipped}: one is unaccounted for"
        )
    return Coverage(hunks=total, reviewed=reviewed, skipped=skipped)
