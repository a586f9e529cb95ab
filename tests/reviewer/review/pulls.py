"""Pull requests written by hand: the texts of files before and after, as spans and extractions."""

import difflib
from collections.abc import Mapping

from reviewer.change import Span
from reviewer.context.differences import Ends
from reviewer.context.resolving import resolver
from reviewer.context.values import Resolver
from reviewer.languages import language_of
from reviewer.parsing.extract import extract
from reviewer.parsing.symbols import Extraction
from tests.reviewer.review.values import hunk, whole

Texts = Mapping[str, str]


def spans_of(before: Texts, after: Texts) -> tuple[Span, ...]:
    """Return a span for each hunk between the texts, with three lines of context."""
    spans = []
    for path in sorted(before.keys() | after.keys()):
        lines = difflib.unified_diff(
            before.get(path, "").splitlines(), after.get(path, "").splitlines(), lineterm="", n=3
        )
        shown: list[str] = []
        starts = (0, 0)
        for line in [*list(lines)[2:], "@@"]:
            if not line.startswith("@@"):
                shown.append(line)
                continue
            if shown:
                spans.append(whole(hunk(path, "\n".join(shown), *starts)))
            if line != "@@":
                old, new = line.split()[1:3]
                starts = (_start(old), _start(new))
            shown = []
    return tuple(spans)


def _start(numbers: str) -> int:
    return abs(int(numbers.split(",", maxsplit=1)[0]))


def ends_of(before: Texts, after: Texts) -> tuple[Ends, ...]:
    """Return what the changed files of a known language say at both ends."""
    return tuple(
        Ends(
            path if path in before else None,
            path if path in after else None,
            _extracted(path, before),
            _extracted(path, after),
        )
        for path in sorted(before.keys() | after.keys())
        if language_of(path) is not None
    )


def _extracted(path: str, texts: Texts) -> Extraction | None:
    language = language_of(path)
    if path not in texts or language is None:
        return None
    return extract(texts[path].encode("utf-8", "surrogateescape"), language)


def resolver_of(before: Texts, after: Texts, **others: str) -> Resolver:
    """Return what resolves imports among the files, with some files of settings beside them."""
    settings = {name.replace("_", "."): text.encode() for name, text in others.items()}
    return resolver({*before, *after, *settings}, settings.get)
