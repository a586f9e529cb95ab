"""Where a new test file for some code goes, and what it is called: as those that are there. Pure.

The tree shows it: a test file that is named after a file of code says how the two lie to each
other, and the next one lies the same way to its own. Nobody is asked, least of all a model.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reviewer.languages import is_test, language_of, test_folder
from reviewer.review.changed import EXTRACTED
from reviewer.testing.layout import Layout, family_of, folder_of, worn

Folders = tuple[str, ...]

_OF_FOLDER = frozenset({"__init__", "mod"})
"""Files that are their folder: a test of one is named after that."""


@dataclass(frozen=True)
class _Pair:
    """A test file, and the code that it is named after."""

    test: str
    source: str


@dataclass(frozen=True)
class _Rule:
    """How a test lies to its code. `inner` is the folder beside the code that it lies in, "." for
    none between them; else what lies below `source` has its tests below `test`, `deep`: in folders
    of the same names, which may be made.
    """

    mark: tuple[str, str]
    inner: str = ""
    test: Folders = ()
    source: Folders = ()
    deep: bool = False


class Homes:
    """The homes that the layout of a tree gives. Remembers what it has looked at."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._pairs: dict[str, dict[_Pair, _Rule]] = {}

    def of(self, source: str) -> str | None:
        """Return the test file that is named after a file of code: new, or there already.

        None where there is no test of its language that shows where one goes.
        """
        if is_test(source) or language_of(source) not in EXTRACTED:
            return None
        found = (self._by_pair(source, pair, rule) for pair, rule in self._nearest(source))
        return next(filter(None, found), None) or self._by_neighbours(source)

    def _nearest(self, source: str) -> list[tuple[_Pair, _Rule]]:
        """Return how tests of the language lie to their code: that of the nearest code first, and
        of what is as near the most usual."""
        family = family_of(source)
        if family not in self._pairs:
            self._pairs[family] = {one: _rule(one) for one in self._paired(family)}
        known = self._pairs[family]
        usual = Counter(known.values())
        here = _folders(source)
        return sorted(
            known.items(),
            key=lambda item: (
                -_common(_folders(item[0].source), here),
                -usual[item[1]],
                item[0].test,
            ),
        )

    def _paired(self, family: str) -> list[_Pair]:
        by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.layout.paths:
            if family_of(path) == family and not is_test(path):
                by_stem[_plain(_stem(path))].append(path)
        pairs = []
        for test in self.layout.tests:
            core = worn(test)[1]
            sources = by_stem.get(_plain(core), []) if core and family_of(test) == family else []
            if sources:
                here = _folders(test)
                best = min(
                    sources,
                    key=lambda one: (
                        -_common(_folders(one)[::-1], here[::-1]),
                        -_common(_folders(one), here),
                        one,
                    ),
                )
                pairs.append(_Pair(test, best))
        return pairs

    def _by_pair(self, source: str, pair: _Pair, rule: _Rule) -> str | None:
        folder = self._folder(source, rule)
        if folder is None:
            return None
        like = _suffix(pair.test) == _suffix(pair.source)
        return self._named(source, folder, pair.test, source if like else pair.test)

    def _folder(self, source: str, rule: _Rule) -> Folders | None:
        """Return the folder of a new test by a rule; None where the rule is of other code."""
        here = _folders(source)
        if rule.inner:
            folder = here if rule.inner == "." else (*here, rule.inner)
            if self._is_there(folder) or not _is_package(source):
                return folder
        if here[: len(rule.source)] != rule.source:
            return None
        folder = rule.test + here[len(rule.source) :]
        if rule.deep and not _is_package(source):
            return folder
        # A new folder might not be found, or want an `__init__.py`: the nearest one that is there.
        while not self._is_there(folder) and len(folder) > len(rule.test):
            folder = folder[:-1]
        return folder

    def _by_neighbours(self, source: str) -> str | None:
        """Return a place among the nearest tests, where none is named after code."""
        alike = [one for one in self.layout.tests if family_of(one) == family_of(source)]
        if not alike:
            return None
        here = _folders(source)
        near = max(_common(_folders(one), here) for one in alike)
        alike = [one for one in alike if _common(_folders(one), here) == near]
        usual = Counter((folder_of(one), worn(one)[::2]) for one in alike)
        like = min(alike, key=lambda one: (-usual[folder_of(one), worn(one)[::2]], one))
        folder = here if test_folder(like) is None else _folders(like)
        known = {_suffix(one) for one in alike}
        return self._named(source, folder, like, source if _suffix(source) in known else like)

    def _named(self, source: str, folder: Folders, like: str, suffixed: str) -> str | None:
        """Return the path of the test of some code, named `like` a test, if it may be written."""
        before, core, behind = worn(like)
        stem = _stem(source).strip("_")
        if not stem:
            return None
        if core and core[:1].isupper() and not stem[:1].isupper():
            stem = "".join(
                part[:1].upper() + part[1:] for part in stem.replace("-", "_").split("_")
            )
        names = [f"{before}{stem}{behind}" if core else f"{before}{behind}"]
        if core and _is_package(source) and (parent := source.split("/")[-2:-1]):
            names.append(f"{before}{parent[0].strip('_')}_{stem}{behind}")
        for name in names:
            path = "/".join((*folder, f"{name}.{_suffix(suffixed)}"))
            if not self._is_anothers(path, source) and self.layout.refusal(path) is None:
                return path
        return None

    def _is_anothers(self, path: str, source: str) -> bool:
        """Is the name taken, by the test of other code or (in Python) elsewhere among tests?"""
        if path in self.layout.there:
            of = (one.source for one in self._pairs[family_of(path)] if one.test == path)
            return next(of, source) != source
        packaged = f"{folder_of(path)}/__init__.py".lstrip("/") in self.layout.there
        name = path.rpartition("/")[2]
        return (
            _is_package(path)
            and not packaged
            and any(one.rpartition("/")[2] == name for one in self.layout.tests)
        )

    def _is_there(self, folder: Folders) -> bool:
        return "/".join(folder) in self.layout.folders


def _rule(pair: _Pair) -> _Rule:
    test, source, mark = _folders(pair.test), _folders(pair.source), worn(pair.test)[::2]
    if test == source:
        return _Rule(mark, inner=".", test=test, source=source)
    if test[:-1] == source:
        return _Rule(mark, inner=test[-1], test=test, source=source)
    depth = (test_folder(pair.test) or "").count("/")
    same = min(_common(test[::-1], source[::-1]), len(test) - depth)
    return _Rule(
        mark,
        test=test[: len(test) - same],
        source=source[: len(source) - same],
        deep=same > 0,
    )


def _folders(path: str) -> Folders:
    return tuple(path.split("/")[:-1])


def _suffix(path: str) -> str:
    return path.rpartition(".")[2]


def _stem(path: str) -> str:
    """Return what code is called: its file's name, or its folder's where the file stands for it."""
    name = path.rpartition("/")[2].rpartition(".")[0]
    return folder_of(path).rpartition("/")[2] if name in _OF_FOLDER else name


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _is_package(path: str) -> bool:
    """Is it Python, where a folder of tests is a package or none, and names may clash?"""
    return _suffix(path) in {"py", "pyi"}


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many names two paths begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
