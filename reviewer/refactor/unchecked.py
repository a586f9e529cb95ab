"""Files of a patch of which no parser says whether they are still whole. Pure.

Detectors look at them for secrets and hidden characters, and at nothing that an edit could break: a
result that says nothing of them would let them pass for checked.
"""

from collections.abc import Iterable, Sequence

from reviewer.languages import Language, is_prose, is_template, language_of
from reviewer.parsing.broken import CHECKED
from reviewer.refactor.patch import FileEdit
from reviewer.refactor.protect import shown
from reviewer.refactor.values import Unchecked

NO_PARSER = "no parser for it"
TEMPLATE = "a template, which is no whole file before it is filled in"

NAMED = 8
"""Of each kind in a note; the account has all of them."""


def unchecked(changed: Iterable[FileEdit]) -> list[Unchecked]:
    """Return what an edit has touched and nothing has parsed, in path order, with the reason.

    A document has nothing that could break, but for a page (HTML).
    """
    found = {}
    for each in changed:
        language = language_of(each.path)
        if each.after is None or (is_prose(each.path) and language is not Language.HTML):
            continue
        if is_template(each.path):
            found[each.path] = TEMPLATE
        elif language not in CHECKED:
            found[each.path] = NO_PARSER
    return [Unchecked(path=shown(path), why=why) for path, why in sorted(found.items())]


def told(files: Sequence[Unchecked]) -> list[str]:
    """Return that as notes, one for each reason."""
    notes = []
    for why in dict.fromkeys(one.why for one in files):
        paths = [one.path for one in files if one.why == why]
        more = f" and {len(paths) - NAMED} more" if paths[NAMED:] else ""
        notes.append(f"Not checked: {', '.join(paths[:NAMED])}{more}: {why}.")
    return notes
