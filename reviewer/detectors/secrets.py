"""Secrets on added lines: known forms wherever they stand, assignments only on strong evidence.

A value never leaves this module: findings carry it masked, and their ids are made of what they
show. A comment of the author ("allowlist secret") does not silence a known form.
"""

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from reviewer.change import FileChange, Kind, Status
from reviewer.detectors import places, secret_words
from reviewer.detectors.added import MAX_QUOTED_CHARS, added
from reviewer.detectors.base import Note, Source
from reviewer.detectors.secret_kinds import (
    KINDS,
    checksum_holds,
    is_documented,
    looks_random,
)
from reviewer.detectors.secret_kinds import Kind as Form
from reviewer.finding import Category, Finding, Severity
from reviewer.ports import Objects
from reviewer.text import encode, printable

_REVOKE = (
    "Revoke it now: whoever can read this repository, a fork or a cached copy has it, and removing "
    "the line leaves it in the history. Give the new one to the program from a secret store or "
    "the environment."
)
_SHOWN_CHARS = 4
_NEAR_CHARS = 400  # an object of a few short fields


@dataclass(frozen=True, slots=True)
class Hit:
    """One secret on one line. `value` must not leave this module unmasked."""

    line: int
    value: str
    name: str
    severity: Severity
    confidence: float


class Secrets:
    """Keys, tokens and passwords that the change adds to a text file."""

    @property
    def name(self) -> str:
        return "secrets"

    def wants(self, file: FileChange) -> bool:
        return file.kind is Kind.TEXT and file.status is not Status.DELETED

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterable[Finding | Note]:
        candidates = [(source, text, hits) for source in sources for text, hits in _search(source)]
        moved = _removed_text(sources) if candidates else ""
        for source, text, hits in candidates:
            before = source.base or b""
            new = [h for h in hits if encode(h.value) not in before and h.value not in moved]
            yield from _findings(source, text, new)


def mask(value: str) -> str:
    """Return the first characters of a secret, four at the most and a quarter of it, and "…"."""
    return value[: min(_SHOWN_CHARS, len(value) // 4)] + "…"


_LONG_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}")


def masked(line: str, secrets: Iterable[str] = ()) -> str:
    """Return a line fit to be shown: given secrets, known forms and long random runs masked."""
    for secret in sorted({*secrets, *(hit[0] for hit in _known(line))}, key=len, reverse=True):
        line = line.replace(secret, mask(secret))
    for value in secret_words.values(line):
        line = line.replace(value, mask(value))
    line = _LONG_RUN.sub(lambda run: mask(run[0]) if _drawn(run[0]) else run[0], line)
    return printable(line[:MAX_QUOTED_CHARS])


def redacted(text: str) -> str:
    """Return a text of any length with each secret of a known form masked, and nothing else."""
    for value in sorted({hit[0] for hit in _known(text)}, key=len, reverse=True):
        text = text.replace(value, mask(value))
    return text


def _drawn(run: str) -> bool:
    return any(map(str.isdigit, run)) and looks_random(run)


# --- searching ---


@dataclass(frozen=True)
class Added:
    """The added lines of a file as one text, and back from an offset to a line."""

    lines: list[tuple[int, str]]
    text: str
    starts: list[int]

    def index(self, offset: int) -> int:
        return bisect.bisect_right(self.starts, offset) - 1


def _search(source: Source) -> Iterator[tuple[Added, list[Hit]]]:
    lines = list(added(source))
    starts = [0, *accumulate(len(line) + 1 for _, line in lines)][: len(lines)]
    text = Added(lines, "\n".join(line for _, line in lines), starts)
    path = source.file.path
    quiet = places.is_test(path) or places.is_sample(path)
    hits = [*_formed(text, quiet=quiet), *_private_keys(text, quiet=quiet)]
    if not quiet:
        # What has a known form was judged by it, for good or ill.
        taken = {hit.value for hit in hits} | {value for value, _, _ in _known(text.text)}
        hits += [
            Hit(text.lines[index][0], value, name, Severity.HIGH, confidence)
            for index, value, name, confidence in secret_words.search(path, text.text, text.index)
            if not any(value in known or known in value for known in taken)
        ]
    if hits:
        yield text, hits


def _formed(text: Added, *, quiet: bool) -> Iterator[Hit]:
    for value, form, offset in _known(text.text):
        if is_documented(value) or not form.real(value):
            continue
        if form.public_near and form.public_near in _around(text.text, offset):
            continue
        confidence = form.confidence
        if form.checksum and not checksum_holds(value):
            if quiet:
                continue  # a token whose checksum is wrong opens nothing: a mock
            confidence = 0.75
        elif quiet:
            if not form.everywhere:
                continue
            confidence = min(confidence, 0.7)
        yield Hit(text.lines[text.index(offset)][0], value, form.name, form.severity, confidence)


def _around(text: str, offset: int) -> str:
    return text[max(0, offset - _NEAR_CHARS) : offset + _NEAR_CHARS]


_HINTS = [(hint, form) for form in KINDS for hint in form.hints]


def _known(text: str) -> Iterator[tuple[str, Form, int]]:
    """Yield what has a known form, real or not: value, form and offset."""
    likely = {form.name for hint, form in _HINTS if hint in text}
    for form in KINDS if likely else ():
        if form.name not in likely:
            continue
        for pattern in form.patterns():
            group = "secret" if "secret" in pattern.groupindex else 0
            for match in pattern.finditer(text):
                yield match[group], form, match.start(group)


# --- private keys ---

_HEADER = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{40,}")
_BODY_CHARS = 1_000  # the same for a key in one line
_DOC_COMMENT = re.compile(r"\s*(?:\*|///|>>>)")
_BODY_WITHIN = 8  # lines: an encrypted key has headers and an empty line before its body


def _private_keys(text: Added, *, quiet: bool) -> Iterator[Hit]:
    """A header alone is a name in a parser or a test; with a body behind it, it is a key."""
    if quiet or "PRIVATE KEY" not in text.text:
        return
    for header in _HEADER.finditer(text.text):
        index = text.index(header.start())
        if _DOC_COMMENT.match(text.lines[index][1]):
            continue
        behind = text.text[header.end() : header.end() + _BODY_CHARS].replace("\\n", "\n")
        block = "\n".join(behind.split("\n")[:_BODY_WITHIN])
        body = _KEY_BODY.search(block)
        if body is None or not looks_random(body[0]):
            continue
        locked = "ENCRYPTED" in header[0] or "ENCRYPTED" in block[: body.start()]
        severity = Severity.MEDIUM if locked else Severity.CRITICAL
        yield Hit(text.lines[index][0], body[0], "Private key", severity, 0.95)


# --- reporting ---


def _removed_text(sources: Sequence[Source]) -> str:
    """Return all removed lines of the change: what is in there only moved."""
    return "\n".join(
        line.text
        for source in sources
        for hunk in source.file.hunks
        for line in hunk.lines
        if line.kind == "-"
    )


def _findings(source: Source, text: Added, hits: list[Hit]) -> Iterator[Finding]:
    by_line = dict(text.lines)
    seen: set[str] = set()
    ids: Counter[str] = Counter()
    for hit in sorted(hits, key=lambda hit: (hit.line, -hit.confidence)):
        if hit.value in seen:
            continue
        seen.add(hit.value)
        together = [other.value for other in hits if other.line == hit.line]
        rule = hit.name.lower().replace(" ", "-")
        finding = Finding(
            path=printable(source.file.path),
            start_line=hit.line,
            line=hit.line,
            category=Category.SECRET,
            severity=hit.severity,
            confidence=hit.confidence,
            title=f"{hit.name} in the code",
            body=f"The line holds what has the form of a secret ({mask(hit.value)}). {_REVOKE}",
            evidence=masked(by_line[hit.line], together),
            source=f"detector:secrets/{rule}",
        )
        # Two secrets can look the same once they are masked, and both have to be seen.
        ids[finding.id] += 1
        if ids[finding.id] > 1:
            finding = finding.model_copy(update={"id": f"{finding.id}-{ids[finding.id]}"})
        yield finding
