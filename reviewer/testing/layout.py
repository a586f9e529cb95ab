"""Which files of a tree are tests, by its own layout, and what a new one may be called. Pure.

Tests are told by their paths (`languages.is_test`). Where a folder has files that are named like
tests, those that are not (helpers, `conftest.py`, data) are none: nobody runs them as tests.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from reviewer.detectors.places import is_test_data
from reviewer.languages import is_fixture, is_test, language_of, test_folder
from reviewer.refactor.protect import shown
from reviewer.review.changed import EXTRACTED

_SCRIPT = frozenset(["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts"])
_MARKS = (
    re.compile(r"^(tests?[_-])."),
    re.compile(r"^(Tests?)[A-Z]"),
    re.compile(r".([._-](?:tests?|spec|cy|e2e))$"),
    re.compile(r".(Tests?|TestCase|Spec|ITCase|IT)$"),
    re.compile(r"^(tests?)$"),
)
"""What a file's name says that it is a test, without its suffix."""


class Layout:
    """The test files of a tree, and where others like them may lie.

    `paths` are all of the tree in order, `there` the same as a set.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = sorted(paths)

    def refusal(self, path: str) -> str | None:
        """Return why a path is none of a test file, there or new; None if it is one."""
        if not is_test(path):
            return "by its path it is no test file"
        if language_of(path) not in EXTRACTED:
            return "it is in a language whose tests are not written here"
        if is_test_data(folder_of(path)):
            return "it lies among the data of tests"
        alike = self._by_family.get(family_of(path), frozenset())
        if path in self.there:
            return None if path in alike else "it lies among tests and is none: a helper, or data"
        if not alike:
            return "no test of that language is there, whose place and style a new one could follow"
        return self._not_new(path, family_of(path))

    def neighbours(self, path: str) -> list[str]:
        """Return the test files that a new one would be like, the nearest first, not itself."""
        folder, root = folder_of(path), test_folder(path)
        alike = [one for one in self.tests if family_of(one) == family_of(path) and one != path]
        return sorted(
            alike,
            key=lambda one: (
                folder_of(one) != folder,
                test_folder(one) != root,
                -len(_shared(one, path)),
                one,
            ),
        )

    def _not_new(self, path: str, family: str) -> str | None:
        root = test_folder(path)
        # Another package of a repository may get the folder that the first one has.
        marks = self._marks.get((family, _last(root)))
        if root is None:
            if not marks:
                return "tests lie in folders of their own here, not beside the code"
            if folder_of(path) not in self.folders:
                return "there is no code beside it"
        else:
            if not marks:
                return f"no test of that language lies in a folder like {shown(root)}"
            if folder_of(root) not in self.folders:
                return f"there is no folder {shown(folder_of(root))}"
        if _mark(path) not in marks:
            near = (one for one in self.neighbours(path) if _last(test_folder(one)) == _last(root))
            names = ", ".join(shown(one.rpartition("/")[2]) for one in islice(near, 3))
            return f"it is not named like the tests around it ({names})"
        return None

    @cached_property
    def there(self) -> frozenset[str]:
        return frozenset(self.paths)

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders of the tree, the root as ""."""
        found = {""}
        for path in self.paths:
            while (path := folder_of(path)) and path not in found:
                found.add(path)
        return frozenset(found)

    @cached_property
    def tests(self) -> list[str]:
        """The test files in order, without helpers and data."""
        named = [
            path
            for path in self.paths
            if is_test(path)
            and language_of(path) in EXTRACTED
            and not is_test_data(folder_of(path))
            and (_mark(path) or not is_fixture(path))
        ]
        marked = {(test_folder(path), family_of(path)) for path in named if _mark(path)}
        return [
            path
            for path in named
            if _mark(path) or (test_folder(path), family_of(path)) not in marked
        ]

    @cached_property
    def test_names(self) -> frozenset[str]:
        """The names of the test files, without their folders."""
        return frozenset(path.rpartition("/")[2] for path in self.tests)

    @cached_property
    def _by_family(self) -> dict[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for path in self.tests:
            found[family_of(path)].add(path)
        return {family: frozenset(paths) for family, paths in found.items()}

    @cached_property
    def _marks(self) -> dict[tuple[str, str | None], set[str]]:
        """What names say, by family and the name of the folder of tests."""
        found: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
        for path in self.tests:
            found[family_of(path), _last(test_folder(path))].add(_mark(path))
        return dict(found)


def folder_of(path: str) -> str:
    """Return the folder of a path without its slash, "" for the root."""
    return path.rstrip("/").rpartition("/")[0]


def family_of(path: str) -> str:
    """Return what files of a language have in common: a suffix, "script" for all of JavaScript."""
    suffix = path.rpartition(".")[2].lower()
    return "script" if suffix in _SCRIPT else suffix


def worn(path: str) -> tuple[str, str, str]:
    """Return the name of a test file in three: what says so before what it is about, that, and
    what says so behind it. Without its suffix; the middle is "" for a name such as `tests`."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    match = next((found for mark in _MARKS if (found := mark.search(stem))), None)
    if match is None:
        return "", stem, ""
    if match.start(1) == 0:
        return match[1], stem[match.end(1) :], ""
    return "", stem[: match.start(1)], match[1]


def _mark(path: str) -> str:
    """Return what of a name says that the file is a test; "" where its place alone does."""
    before, _, behind = worn(path)
    return before + behind


def _last(folder: str | None) -> str | None:
    """Return what a folder is called, None for none."""
    return None if folder is None else folder.rstrip("/").rpartition("/")[2]


def _shared(one: str, other: str) -> str:
    """Return the folders that both paths begin with."""
    common = ""
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        common += f"{left}/"
    return common
