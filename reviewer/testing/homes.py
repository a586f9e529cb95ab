"""Where a new test file for some code goes, and what it is called: as those that are there. Pure.

The tree shows it: a test file that is named after a file of code says how the two lie to each
other, and the next one lies the same way to its own. Nobody is asked, least of all a model.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from reviewer.languages import is_test, language_of, test_folder
from reviewer.review.changed import EXTRACTED
from reviewer.testing.layout import Layout, family_of, folder_of, worn

Folders = tuple[str, ...]

_OF_FOLDER = frozenset({"__init__", "mod"})
"""Files that are their folder: a test of one is named after that."""

_BROAD = frozenset(
    ("integration", "integration_tests", "functional", "system", "acceptance", "e2e", "smoke")
)
"""Folders of tests of more than a unit, where a new one goes only if there are no others."""

MOST_TRIED = 32
"""Different names for a test, after which its code has none."""

MOST_DEEP = 16
"""Folders in folders by which what is near is told."""


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
    """The homes that the layout of a tree gives. Remembers what it has looked at, and which new
    file it has given to which code."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._families: dict[str, _Family] = {}
        self._known: dict[str, str | None] = {}
        self._given: dict[str, str] = {}

    def of(self, source: str) -> str | None:
        """Return the test file that is named after a file of code: new, or there already.

        None where there is no test of its language that shows where one goes.
        """
        if source not in self._known:
            known = not is_test(source) and language_of(source) in EXTRACTED
            self._known[source] = self._found(source) if known else None
        return self._known[source]

    def _found(self, source: str) -> str | None:
        family = self._family(family_of(source))
        return (
            self._by_pairs(source, family, _here)
            or self._by_pairs(source, family, _moved)
            or self._by_neighbours(source, family)
        )

    def _family(self, name: str) -> "_Family":
        if name not in self._families:
            self._families[name] = _Family(self.layout, name)
        return self._families[name]

    def _by_pairs(self, source: str, family: "_Family", fitted: "_Fitted") -> str | None:
        """Return what the rules of the nearest pairs give, as they fit the code."""
        tried: set[tuple[Folders, tuple[str, str], bool, str]] = set()
        for pair, rule in family.nearest(_folders(source)):
            fit = fitted(rule, _folders(source))
            folder = self._folder(source, fit, family) if fit else None
            if folder is None:
                continue
            like = _suffix(pair.test) == _suffix(pair.source)
            suffixed = source if like else pair.test
            way = folder, rule.mark, worn(pair.test)[1][:1].isupper(), _suffix(suffixed)
            if way in tried:
                continue
            if len(tried) == MOST_TRIED:
                return None
            tried.add(way)
            if path := self._named(source, folder, pair.test, suffixed):
                return path
        return None

    def _folder(self, source: str, rule: _Rule, family: "_Family") -> Folders | None:
        """Return the folder of a new test by a rule; None where the rule is of other code."""
        here = _folders(source)
        if rule.inner:
            folder = here if rule.inner == "." else (*here, rule.inner)
            if self._is_there(folder) or not _is_package(source):
                return folder
        rest = here[len(rule.source) :]
        if here[: len(rule.source)] != rule.source or not family.is_open(rule.test, here):
            return None
        folder = rule.test + rest
        if self._is_there(folder) or not rest or (rule.deep and not _is_package(source)):
            return folder
        if named := self._named_after(here, rule.test):
            return named
        # A new folder might not be found, or want an `__init__.py`: the nearest one that is there.
        while not self._is_there(folder) and len(folder) > len(rule.test):
            folder = folder[:-1]
        return folder

    def _named_after(self, here: Folders, test: Folders) -> Folders | None:
        """Return the folder among the tests that is named after one of code, and those around it
        as far as can be."""
        root = _root(test)
        named = ((*root, *here[at:]) for at in range(len(here))) if root else ()
        return next(filter(self._is_there, named), None)

    def _by_neighbours(self, source: str, family: "_Family") -> str | None:
        """Return a place among the nearest tests, where none is named after code."""
        here = _folders(source)
        for alike in family.around(here):
            open_ = [one for one in alike if family.is_open(_folders(one), here)]
            places = {one: here if test_folder(one) is None else _folders(one) for one in open_}
            if all(test_folder(one) is None for one in open_):
                moved = ((one, _sibling(_folders(one), here)) for one in alike if one not in places)
                places |= {one: folder for one, folder in moved if folder is not None}
            if places:
                return self._beside(source, places)
        return None

    def _beside(self, source: str, places: dict[str, Folders]) -> str | None:
        """Return a path that is like the most usual of some tests, each with the folder that the
        code has as that test has its own."""
        here = _folders(source)
        usual = Counter((folder, worn(one)[::2]) for one, folder in places.items())
        like = min(
            places,
            key=lambda one: (_is_broad(one, here), -usual[places[one], worn(one)[::2]], one),
        )
        folder = places[like]
        if test_folder(like) is not None:
            folder = self._named_after(here, folder) or folder
        known = {_suffix(one) for one in places}
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
        # One named for its place, such as `tests.py`, is of all code of the folder.
        whole = source.rpartition(".")[0] if core else folder_of(source)
        for name in names:
            path = "/".join((*folder, f"{name}.{_suffix(suffixed)}"))
            if self._is_anothers(path, source) or self.layout.refusal(path) is not None:
                continue
            if path in self.layout.there or self._given.setdefault(path, whole) == whole:
                return path
        return None

    def _is_anothers(self, path: str, source: str) -> bool:
        """Is the name taken, by the test of other code or (in Python) elsewhere among tests?"""
        family = self._family(family_of(path))
        if path in self.layout.there:
            return family.sources.get(path, source) != source
        packaged = f"{folder_of(path)}/__init__.py".lstrip("/") in self.layout.there
        return (
            _is_package(path) and not packaged and path.rpartition("/")[2] in self.layout.test_names
        )

    def _is_there(self, folder: Folders) -> bool:
        return "/".join(folder) in self.layout.folders


class _Family:
    """The tests and the code of a language in a tree, by their folders."""

    def __init__(self, layout: Layout, name: str) -> None:
        code = [one for one in layout.paths if family_of(one) == name and not is_test(one)]
        tests = [one for one in layout.tests if family_of(one) == name]
        pairs = {one: _rule(one) for one in _paired(tests, code)}
        usual = Counter(pairs.values())
        self.sources = {one.test: one.source for one in pairs}
        """The code that each test is named after."""
        self._code = {above for one in code for above in _above(_folders(one))}
        self._tests: defaultdict[Folders, list[str]] = defaultdict(list)
        for test in tests:
            for above in _above(_folders(test)):
                self._tests[above].append(test)
        self._pairs: defaultdict[tuple[bool, Folders], list[tuple[_Pair, _Rule]]]
        self._pairs = defaultdict(list)
        for pair, rule in sorted(pairs.items(), key=lambda item: (-usual[item[1]], item[0].test)):
            folders = _folders(pair.source)
            broad = _is_broad(pair.test, folders)
            for above in _above(folders):
                self._pairs[broad, above].append((pair, rule))

    def nearest(self, here: Folders) -> Iterator[tuple[_Pair, _Rule]]:
        """Yield how tests lie to their code: that of the nearest code first, and of what is as
        near the most usual; those of more than a unit behind all others."""
        for broad in (False, True):
            for above in _above(here):
                below = here[: len(above) + 1] if len(above) < min(len(here), MOST_DEEP) else None
                for pair, rule in self._pairs.get((broad, above), ()):
                    if _folders(pair.source)[: len(above) + 1] != below:
                        yield pair, rule

    def around(self, here: Folders) -> Iterator[list[str]]:
        """Yield the tests around some code, more and more of them."""
        return filter(None, (self._tests.get(above) for above in _above(here)))

    def is_open(self, test: Folders, here: Folders) -> bool:
        """May a folder of tests have those of code there? One within a package of code has its."""
        owner = _owner(test)
        return here[: len(owner)] == owner or owner not in self._code


_Fitted = Callable[[_Rule, Folders], _Rule | None]


def _here(rule: _Rule, here: Folders) -> _Rule:
    return rule


def _moved(rule: _Rule, here: Folders) -> _Rule | None:
    """Return a rule of code in a package as one of code in the package beside it."""
    at = _common(rule.source, here)
    if at >= min(len(rule.source), len(here)) or len(_owner(rule.test)) <= at:
        return None
    moved = (*rule.source[:at], here[at], *rule.source[at + 1 :])
    if here[: len(moved)] != moved or rule.test[: at + 1] != rule.source[: at + 1]:
        return None
    test = (*moved[: at + 1], *rule.test[at + 1 :])
    return replace(rule, inner="", test=test, source=moved)


def _sibling(test: Folders, here: Folders) -> Folders | None:
    """Return a folder of tests in a package as one in the package beside it that code is in."""
    owner = _owner(test)
    at = _common(owner, here)
    if at == len(owner) or here[at + 1 : len(owner)] != owner[at + 1 :] or len(here) < len(owner):
        return None
    return (*here[: len(owner)], test[len(owner)])


def _paired(tests: list[str], code: list[str]) -> list[_Pair]:
    """Return each test that is named after code with that whose folders end most like its own, and
    of those begin most like them."""
    cores = {test: _plain(core) for test in tests if (core := worn(test)[1])}
    wanted = set(cores.values())
    # By name and the ends of their folders, ordered, so that those that begin alike are together.
    by_end: defaultdict[tuple[str, Folders], list[tuple[Folders, str]]] = defaultdict(list)
    for path in code:
        stem = _plain(_stem(path))
        if stem in wanted:
            here = _folders(path)
            for end in _ends(here):
                by_end[stem, end].append((here, path))
    for alike in by_end.values():
        alike.sort()
    pairs = []
    for test, core in cores.items():
        here = _folders(test)
        for alike in filter(None, (by_end.get((core, end)) for end in _ends(here))):
            at = bisect_left(alike, (here, ""))
            around = alike[max(at - 1, 0) : at + 1]
            most = max(_common(folders, here) for folders, _ in around)
            pairs.append(_Pair(test, alike[bisect_left(alike, (here[:most], ""))][1]))
            break
    return pairs


def _above(folders: Folders) -> Iterator[Folders]:
    """Yield a folder and those that it is in, to the root; of a very deep one, the upper ones."""
    return (folders[:count] for count in range(min(len(folders), MOST_DEEP), -1, -1))


def _ends(folders: Folders) -> Iterator[Folders]:
    """Yield what folders end with, the longest first."""
    deep = min(len(folders), MOST_DEEP)
    return (folders[len(folders) - count :] for count in range(deep, -1, -1))


def _root(test: Folders) -> Folders:
    """Return the outermost folder of tests that a folder is in, () for none."""
    return _folders(test_folder("/".join((*test, ""))) or "")


def _owner(test: Folders) -> Folders:
    """Return the folder that has the folder of tests."""
    return _root(test)[:-1]


def _is_broad(test: str, source: Folders) -> bool:
    """Is it a test of more than a unit, by its folder? Not where the code is called so, too."""
    return bool((_BROAD & {*_folders(test)}) - {*source})


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
