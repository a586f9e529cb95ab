"""Our provider as the benchmark asks it, over one commit of a bare repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.objects import LocalObjects
from benchmarks.context_recall import Place
from reviewer.change import Change
from reviewer.context.provider import Provider
from reviewer.context.values import Context
from reviewer.git import open_repo
from reviewer.parsing.symbols import UseKind

MOST = 500
"""How many items an answer is asked for; the provider gives no more."""


@contextmanager
def opened(git: Path, head: str, base: str = "", cache: Path | None = None) -> Iterator[Provider]:
    """Open a provider on two commits (the same, without a base), as a run does."""
    change = Change(base or head, head, base or head, ())
    with open_repo(git) as repo, LocalObjects(repo, change) as objects:
        provider = Provider(objects, cache)
        try:
            yield provider
        finally:
            provider.close()


def ranked(context: Context, one: dict[str, Any]) -> list[Place]:
    """Return where a function of the truth is used, best first; imports of it left out.

    A method is asked for as whoever sees its definition knows it: with its class.
    """
    name = f"{one['scope']}.{one['name']}" if one["kind"] == "method" else one["name"]
    found = context.references(name, near=one["path"], limit=MOST)
    return [
        (each.path, each.use.line) for each in found.items if each.use.kind is not UseKind.IMPORT
    ]


def candidates(context: Context, one: dict[str, Any]) -> list[Place]:
    """Return all uses of the name that the extractors see in the files that have the word."""
    name = one["name"]
    places = []
    for path in context.mentioning((name,))[name]:
        said = context.extraction(path).what
        aliases = {each.alias for each in said.imports if each.name == name and each.alias}
        names = {name, *aliases}
        places += [
            (path, use.line)
            for use in said.uses
            if use.name in names and use.kind is not UseKind.IMPORT
        ]
    return places
