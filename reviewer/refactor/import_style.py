"""How a file of Python writes what it imports of one module: in one statement, or one name a line.

A file whose own imports do not tell is written like those around it: the nearest that tell decide.
"""

import re
from collections import Counter
from collections.abc import Iterator

from reviewer.detectors.contracts.masking import masked
from reviewer.languages import Language
from reviewer.refactor.apply import readable
from reviewer.refactor.tree import Overlay, above
from reviewer.text import decode, encode

LOOKED_AT = 20
"""Files of one folder."""

_STATEMENT = re.compile(
    r"^[ \t]*from[ \t]+(?!__future__\b)([\w.]+)[ \t]+import[ \t]*(\([^()]*\)|[^\n;]*)", re.M
)


def one_a_line(path: str, text: str, tree: Overlay) -> bool:
    """Does a file that may be new, or the code around it, have a statement for each name?"""
    own = _says(text)
    if own is not None:
        return own
    for folder in reversed(["", *above(path)]):
        votes = [_says(other) for other in _texts(folder, path, tree)]
        yes, no = votes.count(True), votes.count(False)
        if yes != no:
            return yes > no
    return False


def _says(text: str) -> bool | None:
    """Return what the imports of a file tell: None where none has two names of one module."""
    code = decode(masked(encode(text), Language.PYTHON))
    modules: Counter[str] = Counter()
    several = 0
    for module, names in _STATEMENT.findall(code):
        if len([one for one in names.strip("()").split(",") if one.strip()]) > 1:
            several += 1
        else:
            modules[module] += 1
    again = sum(many - 1 for many in modules.values())
    return again > several if again != several else None


def _texts(folder: str, but: str, tree: Overlay) -> Iterator[str]:
    """Yield the Python files that lie directly in a folder."""
    lead = f"{folder}/" if folder else ""
    paths = [
        path
        for path in tree.start.modes
        if path.startswith(lead) and path.endswith(".py") and "/" not in path[len(lead) :]
    ]
    for path in [path for path in paths if path != but][:LOOKED_AT]:
        blob = tree.blob(path)
        if blob is not None:
            yield readable(blob.data)
