"""Files whose definitions a patch changes or takes away, in languages without contracts.

Who uses them elsewhere no detector looks for: a result that says nothing of it would let them pass
for followed. What no parser reads at all `unchecked.py` names.
"""

from collections.abc import Iterable

from reviewer.detectors.contracts.trees import FAMILIES
from reviewer.languages import is_template, language_of
from reviewer.parsing.extract import LANGUAGES
from reviewer.parsing.packed import Packed, path_of
from reviewer.parsing.worker import Parsers, Question
from reviewer.refactor.patch import Blob, FileEdit
from reviewer.refactor.protect import shown
from reviewer.refactor.values import Unchecked

NOT_FOLLOWED = "no detector follows what others use of it"

_Defined = frozenset[tuple[str, str, str]]


def unfollowed(changed: Iterable[FileEdit], parsers: Parsers) -> list[Unchecked]:
    """Return the files some of whose definitions are not there any more as they were.

    In path order. A file that cannot be looked at counts as one of them.
    """
    found = []
    for each in sorted(changed, key=lambda one: one.path):
        language = language_of(each.path)
        if language not in LANGUAGES or language in FAMILIES or is_template(each.path):
            continue
        before = _defined(each.path, each.before, parsers)
        after = _defined(each.path, each.after, parsers)
        if before is None or after is None or before - after:
            found.append(Unchecked(path=shown(each.path), why=NOT_FOLLOWED))
    return found


def _defined(path: str, blob: Blob | None, parsers: Parsers) -> _Defined | None:
    """Return what a file defines, with how it is asked for; None where that cannot be told."""
    language = language_of(path)
    if blob is None or language is None:
        return frozenset()
    (answer,) = (
        said
        for _, said in parsers.ask_all([Question("extract", (blob.data,), (language.value,), path)])
    )
    if not isinstance(answer, bytes):
        return None
    try:
        known = Packed(answer).definitions
    except ValueError:
        return None
    return frozenset((path_of(one), one.kind, " ".join(one.signature.split())) for one in known)
