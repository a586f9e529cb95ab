"""Stubs: files beside code that say of it which names and types it has (`a.pyi`, `m.d.ts`)."""

import re
from collections.abc import Iterator

from reviewer.refactor.tree import Overlay
from reviewer.text import encode

_SCRIPTS = {
    ".mjs": (".d.mts",),
    ".cjs": (".d.cts",),
    ".js": (".d.ts", ".d.mts", ".d.cts"),
    ".jsx": (".d.ts",),
}


def stubs_of(path: str, tree: Overlay) -> list[str]:
    """Return the stubs that lie beside a file."""
    if path.endswith(".py"):
        beside = [f"{path}i"]
    else:
        ending = next((each for each in _SCRIPTS if path.endswith(each)), None)
        beside = [path.removesuffix(ending) + each for each in _SCRIPTS[ending]] if ending else []
    return [each for each in beside if tree.blob(each) is not None]


def named_in_stubs(path: str, name: str, tree: Overlay) -> Iterator[tuple[str, int]]:
    """Yield the stub and the line of each that has a name of a file, in those beside it."""
    word = re.compile(rb"(?<![\w$])" + re.escape(encode(name)) + rb"(?![\w$])")
    for stub in stubs_of(path, tree):
        blob = tree.blob(stub)
        rows = blob.data.split(b"\n") if blob is not None else []
        yield from ((stub, number) for number, row in enumerate(rows, 1) if word.search(row))
