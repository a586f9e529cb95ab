"""Does a file still parse? Asked of workers that meet hostile files, as the detectors do."""

from collections.abc import Mapping

from reviewer.languages import is_template, language_of
from reviewer.parsing.broken import CHECKED
from reviewer.parsing.worker import Parsers, Question
from reviewer.refactor.patch import Blob, Files
from reviewer.text import printable


def broken(files: Files, before: Mapping[str, Blob | None], parsers: Parsers) -> dict[str, str]:
    """Return what is wrong with each file that parsed before and does not now, in words.

    A language that nobody here parses, or a file that is too large or slow, says nothing.
    """
    questions = []
    for path, blob in files.items():
        language = language_of(path)
        if blob is None or language not in CHECKED or is_template(path):
            continue
        old = before.get(path)
        base = old.data if old is not None else None
        questions.append(Question("check", (blob.data, base), (language, printable(path)), path))
    found = {}
    for question, answer in parsers.ask_all(questions):
        if isinstance(answer, dict):
            line, says = answer["line"], printable(str(answer["says"]))
            found[question.about] = f"it does not parse any more: line {line}: {says}"
    return found
