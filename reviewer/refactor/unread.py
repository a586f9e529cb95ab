"""Code in languages of which the context knows no names: a component, a stylesheet, SQL.

Nobody follows what it uses. Where a step of the host leaves it behind a node or the user is told:
by the text, for nothing here parses it, so what may be meant counts as meant.
"""

import re
from collections.abc import Iterable, Mapping

from reviewer.context.resolving.tree import folder_of
from reviewer.languages import NO_CODE, Language, is_prose, language_of
from reviewer.parsing.extract import LANGUAGES
from reviewer.refactor.patch import Blob
from reviewer.refactor.protect import shown
from reviewer.refactor.script_names import ENDINGS, RELATIVE, SCRIPTS, Way, leads_to
from reviewer.refactor.symbols import Done, cut, said
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Move, Rename
from reviewer.text import decode, encode, printable

MOST_FILES = 2_000
MOST_BYTES = 200_000
"""Of files that are looked at, and of one of them."""

TOLD = 12
NAMED = 5
"""Names, and files that have one."""

_WORD = re.compile(r"[\w$]{2,}")

_COMPONENTS = frozenset({Language.VUE, Language.SVELTE})
_FROM = re.compile(
    r"""\b(?:import|export)\b(?P<names>[^"'`;=()]{0,600}?)\bfrom\s*["'](?P<path>[^"'\n]{1,300})["']"""
    r"""|\b(?:import|require)\s*\(\s*["'`](?P<loaded>[^"'`\n]{1,300})["'`]"""
)


def is_unread(path: str) -> bool:
    """Is it code, by its name, and none that the context knows the names of?"""
    language = language_of(path)
    return language not in NO_CODE and language not in LANGUAGES and not is_prose(path)


def is_component(path: str) -> bool:
    """Is it a component that imports scripts as a module does?"""
    return language_of(path) in _COMPONENTS or path.endswith(".astro")


def tell_components(one: Rename | Move, done: Done, tree: Overlay) -> None:
    """Tell of components that have the name, and import its file or import something so named.

    `tree` is what is there before the step. More components than can be looked at are a note.
    """
    if language_of(one.path) not in SCRIPTS:
        return
    ending = next((each for each in ENDINGS if one.path.endswith(each)), "")
    way, short = Way(one.path, one.path, ending), one.symbol.rpartition(".")[2]
    word = re.compile(rf"(?<![\w$]){re.escape(short)}(?![\w$])")
    if isinstance(one, Rename):
        what = f"{said(one)}, and the old name still stands here"
    else:
        what = f"{printable(one.symbol)} of {shown(one.path)} goes to {shown(one.to)}, used here"
    paths = _components(tree)
    if len(paths) > MOST_FILES:
        done.notes.append(f"Of {len(paths)} components {MOST_FILES} were looked at.")
    for path in paths[:MOST_FILES]:
        blob = tree.blob(path)
        text = _text(blob)
        if word.search(text) and _may_use(text, folder_of(path), word, way):
            for line in text.split("\n"):
                if word.search(line):
                    done.lead(path, f"{what}, in a component: {cut(encode(line))}")


def _components(tree: Overlay) -> list[str]:
    known = {*tree.start.modes, *tree.files}
    return sorted(each for each in known if is_component(each) and "node_modules/" not in each)


def _may_use(text: str, folder: str, word: re.Pattern[str], way: Way) -> bool:
    """Does it import the file by a relative path, or anything of that name?"""
    for found in _FROM.finditer(text):
        path = found["path"] or found["loaded"]
        if RELATIVE.fullmatch(path) and leads_to(path, folder, way):
            return True
        if word.search(found["names"] or ""):
            return True
    return False


def still_named(gone: Iterable[str], moved: Mapping[str, str], tree: Overlay) -> list[str]:
    """Say which such files still have a name that is gone, or one that was moved.

    `moved` has the file in which a name is now.
    """
    said_of = {name: f"which is in {shown(path)} now," for name, path in moved.items()}
    said_of |= {name: "which is gone," for name in gone if name not in moved}
    if not said_of:
        return []
    known = {*tree.start.modes, *tree.files}
    paths = sorted(each for each in known if is_unread(each) or is_component(each))
    having: dict[str, list[str]] = {}
    for path in paths[:MOST_FILES]:
        blob = tree.blob(path)
        for name in said_of.keys() & set(_WORD.findall(_text(blob))):
            having.setdefault(name, []).append(path)
    notes = []
    for name in sorted(having)[:TOLD]:
        named = ", ".join(shown(path) for path in having[name][:NAMED])
        more = f" and {len(having[name]) - NAMED} more" if having[name][NAMED:] else ""
        notes.append(f"The name {printable(name)}, {said_of[name]} still stands in {named}{more}.")
    if len(having) > TOLD:
        notes.append(f"So do {len(having) - TOLD} more names in files that nothing here reads.")
    if len(paths) > MOST_FILES:
        notes.append(f"Of {len(paths)} such files {MOST_FILES} were searched for old names.")
    return notes


def _text(blob: Blob | None) -> str:
    return decode(blob.data[:MOST_BYTES]) if blob is not None else ""
