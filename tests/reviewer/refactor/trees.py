"""Trees held in memory, for what asks neither git nor a model."""

from collections.abc import Iterable, Mapping

from reviewer.change import Change
from reviewer.context.values import Context
from reviewer.ports import Entry, Rev
from reviewer.refactor.tree import Overlay, Start, Tree
from reviewer.review.functions import Code
from tests.reviewer.context.memory import MemoryObjects

SHA = "a" * 40


class Files(MemoryObjects):
    """`links` are paths of symbolic links."""

    def __init__(self, files: Mapping[str, bytes | str], links: Iterable[str] = ()) -> None:
        super().__init__({**files, **dict.fromkeys(links, "elsewhere")})
        self._links = frozenset(links)

    def entries(self, under: str = "", at: Rev = "head") -> list[Entry]:
        return [
            Entry(e.path, "120000" if e.path in self._links else e.mode, e.sha, e.size)
            for e in super().entries(under, at)
        ]


def overlay(
    files: Mapping[str, bytes | str], links: Iterable[str] = (), submodules: Iterable[str] = ()
) -> Overlay:
    objects = Files(files, links)
    return Overlay(Start(objects, tuple(objects.entries()), frozenset(submodules)))


def tree_of(made: Overlay, context: Context) -> Tree:
    return Tree(Change(SHA, SHA, SHA, ()), made.start.objects, Code(context))
