"""What the changed files define, use and import at both ends, read once before the split."""

from collections.abc import Iterator, Sequence

from reviewer.change import FileChange, Kind
from reviewer.context.differences import Ends
from reviewer.context.values import Context
from reviewer.languages import Language, is_template, language_of
from reviewer.parsing.packed import Packed
from reviewer.parsing.symbols import Extraction
from reviewer.parsing.worker import Parsers, Question, Unchecked
from reviewer.ports import Cancelled, FileTooLarge, MissingBlob, NoSuchFile, Objects, Rev

MAX_BYTES = 60_000_000
"""Of source at both ends. What comes behind is clustered by path: a bound in bytes and not in
seconds, so that the same change gives the same scopes on any machine."""

EXTRACTED = frozenset(
    {
        Language.C,
        Language.CPP,
        Language.CSHARP,
        Language.GO,
        Language.JAVA,
        Language.JAVASCRIPT,
        Language.KOTLIN,
        Language.PHP,
        Language.PYTHON,
        Language.RUBY,
        Language.RUST,
        Language.TSX,
        Language.TYPESCRIPT,
    }
)
"""The languages that have a strategy: named here, for the strategies load the parser's library."""


def read_ends(
    files: Sequence[FileChange],
    objects: Objects,
    cancelled: Cancelled,
    context: Context | None = None,
) -> tuple[Ends, ...]:
    """Return the extractions of the files that have a language we extract, in their order.

    From the context, which may know them already, else by parsing in worker processes. What cannot
    be read or parsed is None. Ends early when it is cancelled.
    """
    wanted = [file for file in files if _wanted(file)]
    if context is not None:
        found = dict(_asked(wanted, objects, context, cancelled))
    else:
        with Parsers() as parsers:
            found = dict(_parsed(wanted, objects, parsers, cancelled))
    return tuple(
        Ends(
            file.old_path,
            file.new_path,
            found.get(("base", file.old_path)),
            found.get(("head", file.new_path)),
        )
        for file in wanted
    )


_Key = tuple[Rev, str | None]


def _wanted(file: FileChange) -> bool:
    return (
        file.kind is Kind.TEXT
        and language_of(file.path) in EXTRACTED
        and not is_template(file.path)
    )


def _read(
    files: Sequence[FileChange], objects: Objects, cancelled: Cancelled
) -> Iterator[tuple[Rev, str, bytes]]:
    """Yield the ends of the files that can be read, up to the bound."""
    left = MAX_BYTES
    for at, path in _places(files):
        if cancelled():
            return
        try:
            data = objects.read(path, at)
        except (NoSuchFile, FileTooLarge, MissingBlob):
            continue
        left -= len(data)
        if left < 0:
            return
        yield at, path, data


def _places(files: Sequence[FileChange]) -> Iterator[tuple[Rev, str]]:
    for file in files:
        if file.new_path is not None:
            yield "head", file.new_path
        # A file that was in another language is not compared with what it was.
        if file.old_path is not None and language_of(file.old_path) is language_of(file.path):
            yield "base", file.old_path


def _asked(
    files: Sequence[FileChange], objects: Objects, context: Context, cancelled: Cancelled
) -> Iterator[tuple[_Key, Extraction]]:
    for at, path, _ in _read(files, objects, cancelled):
        extracted = context.extraction(path, at)
        if not extracted.missing:
            yield (at, path), extracted.what


def _parsed(
    files: Sequence[FileChange], objects: Objects, parsers: Parsers, cancelled: Cancelled
) -> Iterator[tuple[_Key, Extraction]]:
    questions = (
        Question("extract", (data,), (language_of(path),), f"{at}:{path}")
        for at, path, data in _read(files, objects, cancelled)
    )
    for question, answer in parsers.ask_all(questions):
        if not isinstance(answer, Unchecked):
            at, _, path = question.about.partition(":")
            yield ("head" if at == "head" else "base", path), Packed(answer).extraction()
