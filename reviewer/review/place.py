"""From a claim to a finding: the host finds the line, and says so when there is none."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

from reviewer.change import Change, FileChange, Span
from reviewer.detectors.secrets import redacted
from reviewer.errors import GiveUp
from reviewer.finding import Finding, Proof
from reviewer.ports import Objects
from reviewer.review.anchor import (
    CARRIAGE_RETURN,
    Absent,
    Anchor,
    NotFound,
    Sheet,
    find_in_diff,
    find_in_file,
    find_like_in_diff,
)
from reviewer.review.claims import Claim
from reviewer.review.scope import quoted
from reviewer.text import decode, printable

TITLE_CHARS = 120
WHY_CHARS = 1_500
"""A longer text of the model's is cut: nobody reads it."""

TRIGGER_CHARS = 400
"""Of what fails: a line of a comment, which says more above it."""


FILES_KEPT = 4
"""Claims of one node name few files, and a file may have 5 MB."""


class Placer:
    """Turns claims into findings with lines. May be used from several threads.

    What a model wrote or quoted leaves here without the secrets that have a known form: it may
    have read one anywhere in the repository.
    """

    def __init__(self, change: Change, objects: Objects) -> None:
        self._change = change

        @lru_cache(maxsize=FILES_KEPT)
        def sheet(path: str) -> Sheet:
            return Sheet(decode(objects.read(path, "head")))

        self._sheet = sheet

    def problem(self, claim: Claim, spans: Mapping[str, Span]) -> str | None:
        """Say why a claim names no place, in words for the model; None if it names one."""
        try:
            self._find(claim, spans)
        except NotFound as error:
            return str(error)
        return None

    def stands(self, path: str, quote: str) -> str | None:
        """Say why a quote is not in a file, at either end of what the change shows; None if it is.

        Words for the model. The quote may stand in several places: it proves, it anchors nothing.
        """
        try:
            self.where(path, quote)
        except Absent as error:
            return str(error)
        return None

    def where(self, path: str, quote: str) -> tuple[str, Anchor | None]:
        """Return a file's path as it can be shown, and where a quote stands in it.

        None for the place if there is more than one; raise Absent if there is none.
        """
        file = self._change.by_path.get(path) or self._printed_as(path)
        shown = printable(path if file is None else file.path)
        try:
            if file is not None:
                with suppress(Absent):
                    return shown, find_in_diff(quote, file, None)
            return shown, self._in_whole_file(quote, path if file is None else file.path)
        except Absent:
            raise
        except NotFound:
            return shown, None  # it stands there more than once

    def proof(self, path: str, quote: str) -> Proof | None:
        """Return a quote with its place, as it may be shown; None where it does not stand."""
        try:
            name, anchor = self.where(path, quote)
        except NotFound:
            return None
        if anchor is None:
            return Proof(path=name, quote=redacted(printable(quote.strip("\n"))))
        return Proof(
            path=name,
            side=anchor.side,
            start_line=anchor.start_line,
            line=anchor.line,
            quote=redacted(printable(anchor.text)),
        )

    def finding(self, claim: Claim, spans: Mapping[str, Span], lens: str) -> Finding | None:
        """Return the finding that a claim makes, or None if it names no place."""
        try:
            path, anchor = self._find(claim, spans)
        except NotFound:
            return None
        return Finding(
            path=printable(path),
            side=anchor.side,
            start_line=anchor.start_line,
            line=anchor.line,
            category=claim.category,
            severity=claim.severity,
            confidence=claim.confidence,
            title=shown(claim.title, TITLE_CHARS),
            body=shown(claim.why, WHY_CHARS),
            evidence=redacted(printable(anchor.text)),
            suggestion=self._suggestion(claim, anchor),
            preexisting=claim.preexisting,
            trigger=shown(claim.trigger, TRIGGER_CHARS),
            source=f"model:{lens}",
        )

    def _find(self, claim: Claim, spans: Mapping[str, Span]) -> tuple[str, Anchor]:
        """Find a quote: in the diff, then in the whole file, then what in the diff is most like it.

        What stands outside the diff word for word is never a misquotation of the diff. Only a claim
        that gives a path may mean it.
        """
        span = spans.get(claim.hunk)
        path = claim.path or (span.path if span else None)
        if path is None:
            raise NotFound(f"there is no hunk {claim.hunk!r} here; yours are {', '.join(spans)}")
        file = self._change.by_path.get(path) or self._printed_as(path)
        if file is None:
            return path, self._in_whole_file(claim.quote, path)
        ours = span is not None and span.path == file.path
        named = span.hunk if span is not None and ours else None
        within = range(span.start, span.stop) if span is not None and ours else None
        try:
            return file.path, find_in_diff(claim.quote, file, named, within)
        except Absent:
            pass
        try:
            outside = self._in_whole_file(claim.quote, file.path)
        except NotFound:
            return file.path, find_like_in_diff(claim.quote, file, named, within)
        if claim.path is None:
            raise NotFound("the quoted lines are outside the diff: give the path of their file too")
        return file.path, outside

    def _in_whole_file(self, quote: str, path: str) -> Anchor:
        try:
            sheet = self._sheet(path)
        except GiveUp as error:
            raise Absent(f"{path!r} cannot be read at the head: {error}") from None
        return find_in_file(quote, sheet)

    def _printed_as(self, path: str) -> FileChange | None:
        """Find the file whose path was shown as `path`: not every path is valid Unicode, or fits a
        line as it is."""
        for file in self._change.files:
            if path in (printable(file.path), quoted(file.path)[1:-1]):
                return file
        return None

    def _suggestion(self, claim: Claim, anchor: Anchor) -> str | None:
        """Return the replacement if it replaces exactly the lines that the finding names.

        These may lie outside the diff: then nobody can commit it with a click, but see it. With a
        quote in a diff's first column the column of the replacement is taken away, too.
        """
        if claim.replacement is None or not anchor.exact or anchor.side != "RIGHT":
            return None
        text = claim.replacement.replace(CARRIAGE_RETURN, "").replace("\r", "").removesuffix("\n")
        if text and (anchor.signed or _has_plus(text)) and not _has_plus(anchor.text):
            if not (anchor.signed and _has_plus(text)):
                return None  # nobody knows whether that is the column of a diff
            text = "\n".join(line[1:] for line in text.split("\n"))
        if anchor.text.endswith("\r"):
            text = text.replace("\n", "\r\n") + "\r"
        return text if text != anchor.text and redacted(text) == text else None


def _has_plus(text: str) -> bool:
    """Does every line begin with the sign of an added one?"""
    return all(line.startswith("+") for line in text.split("\n"))


def shown(text: str, limit: int) -> str:
    """Return a text of the model's as it may be shown: without secrets, and cut."""
    text = printable(redacted(text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
