"""Small trees written as text, and what an import written in one of their files means."""

from reviewer.context.resolving import TreeResolver, resolver
from reviewer.context.values import Resolved
from reviewer.languages import language_of
from reviewer.parsing.extract import extract
from reviewer.parsing.symbols import Import

Tree = str | dict[str, str]


def of(tree: Tree) -> TreeResolver:
    """A tree of empty files, as words, or of files with their contents."""
    files = dict.fromkeys(tree.split(), "") if isinstance(tree, str) else tree
    return resolver(files, lambda path: files[path].encode("utf-8", "surrogateescape"))


def means(tree: Tree, importer: str, source: str) -> Resolved:
    """What the one import in a source means."""
    language = language_of(importer)
    assert language is not None
    (what,) = extract(source.encode(), language).imports
    return of(tree).resolve(importer, what)


def module(name: str, taken: str = "") -> Import:
    return Import(name, taken, "", 1)
