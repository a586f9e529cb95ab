"""Which files test a file, by what test files are called in each language."""

import re
from functools import cached_property

from reviewer.context.resolving.tree import MAX_MATCHES, Tree, folder_of, name_of, stem_of
from reviewer.languages import Language, is_test, language_of

MAX_TESTS = 20  # of one file

_SCRIPT = "js jsx mjs cjs ts tsx mts cts vue svelte"
_JVM = "java kt kts groovy scala"
_NATIVE = "c cc cpp cxx c++ h hh hpp hxx"
_GROUPS = ("py pyi", _SCRIPT, "go", _JVM, _NATIVE, "rb", "rs", "cs", "php")
_TESTED = {suffix: group for group in _GROUPS for suffix in group.split()}
_LANGUAGES = frozenset(
    {
        *(Language.C, Language.CPP, Language.CSHARP, Language.GO, Language.JAVA),
        *(Language.JAVASCRIPT, Language.KOTLIN, Language.PHP, Language.PYTHON, Language.RUBY),
        *(Language.RUST, Language.SCALA, Language.SVELTE, Language.TSX, Language.TYPESCRIPT),
        Language.VUE,
    }
)
_WHOLE_FOLDER = frozenset({"__init__", "index", "mod", "lib", "main"})
# "test_x", "TestX", "x_test", "x.spec", "XTests", "XIT": what is tested is x.
_BEFORE = re.compile(r"^(?:tests?[_-]|Tests?(?=[A-Z]))")
_AFTER = re.compile(
    r"(?:[._-](?:tests?|spec|unittests?|cy|e2e|bench)|(?:Tests?|TestCase|Spec|ITCase|IT))$"
)
_UNMARKED = (".rs", ".c", ".cc", ".cpp", ".cxx")
_PLACES = frozenset({"test", "tests", "spec", "specs", "unit", "integration", "__tests__", "src"})


class Naming:
    """The test files of a tree by what they test."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def tests_of(self, path: str) -> tuple[str, ...]:
        """Return at most MAX_TESTS test files, those first whose folders are like the file's."""
        group = _TESTED.get(path.rpartition(".")[2].lower())
        if group is None or is_test(path):
            return ()
        tested = stem_of(path)
        if tested in _WHOLE_FOLDER:
            tested = name_of(folder_of(path).removesuffix("/src"))
        found = self._by_tested.get((group, _folded(tested)), [])
        folders = _folders(path)
        return tuple(
            sorted(found[:MAX_MATCHES], key=lambda test: (-_likeness(folders, test), test))[
                :MAX_TESTS
            ]
        )

    @cached_property
    def _by_tested(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for suffix, group in _TESTED.items():
            for path in self._tree.having(suffix):
                if not is_test(path) or language_of(path) not in _LANGUAGES:
                    continue
                tested = _tested_by(path)
                if tested:
                    found.setdefault((group, _folded(tested)), []).append(path)
        for tests in found.values():
            tests.sort(key=lambda path: (path.count("/"), path))
        return found


def _tested_by(path: str) -> str:
    """Return the stem of what a test file tests, "" if its name does not say.

    Only where a test's place is its mark may it have the name of what it tests.
    """
    stem = name_of(path).rpartition(".")[0]
    tested = _AFTER.sub("", _BEFORE.sub("", stem))
    if tested == stem and not (path.endswith(_UNMARKED) or "__tests__/" in path):
        return ""
    return tested.partition(".")[0]


def _folded(stem: str) -> str:
    return stem.replace("-", "_").strip("_").casefold()


def _folders(path: str) -> list[str]:
    return [each for each in folder_of(path).split("/") if each and each not in _PLACES]


def _likeness(folders: list[str], test: str) -> int:
    """Count the folders that both have in this order: those of tests often mirror the sources'."""
    count = 0
    rest = iter(_folders(test))
    for folder in folders:
        if any(each == folder for each in rest):
            count += 1
        else:
            rest = iter(_folders(test))
    return count * 4 - abs(len(folders) - len(_folders(test)))
