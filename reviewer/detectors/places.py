"""What a file's path tells about the code in it: tests, samples, prose, tools around the product.

A mock password in a test or a pickle in a release script is not the defect it would be elsewhere.
"""

import re

_SEPARATORS = re.compile(r"[/._\- ]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# fmt: off
_TEST = frozenset((
    "test", "tests", "testing", "tester", "unittest", "unittests", "spec", "specs", "e2e",
    "cypress", "mock", "mocks", "mocked", "fake", "fakes", "stub", "stubs", "conftest", "testutil",
    "testutils", "testlib", "pytest",
))
_DATA = frozenset((
    "fixture", "fixtures", "testdata", "snapshot", "snapshots", "cassette", "cassettes", "golden",
    "goldens",
))
_SAMPLE = frozenset((
    "example", "examples", "sample", "samples", "demo", "demos", "tutorial", "tutorials", "doc",
    "docs", "documentation", "quickstart", "playground", "placeholder", "readme", "changelog",
    "changes",
))
_TOOL = frozenset((
    "script", "scripts", "tool", "tools", "ci", "hack", "bench", "benchmark", "benchmarks", "perf",
    "devtools", "setup", "noxfile", "fabfile", "release",
))
_PROSE_FOLDERS = frozenset((
    "doc", "docs", "documentation", "tutorial", "tutorials", "snippet", "snippets",
))
# fmt: on
_PROSE = (
    ".md",
    ".mdx",
    ".rst",
    ".adoc",
    ".txt",
    ".ipynb",
    ".html",
    ".tex",
    ".po",
    ".pot",
)


def _words(path: str) -> frozenset[str]:
    return frozenset(_SEPARATORS.split(_CAMEL.sub("_", path).lower()))


def is_test(path: str) -> bool:
    """Is this a test, or something that exists for tests?"""
    words = _words(path)
    return bool(words & (_TEST | _DATA)) or path.startswith("t/")


def is_test_data(path: str) -> bool:
    """Is this a file that tests read, such as code that is broken on purpose?"""
    return bool(_words(path) & _DATA)


def is_sample(path: str) -> bool:
    """Is this documentation, an example or a template, where made-up values stand for real ones?"""
    return bool(_words(path) & _SAMPLE) or path.lower().endswith(_PROSE)


def is_prose(path: str) -> bool:
    """Is this documentation, whose code may be a sketch that was never meant to run?"""
    return bool(_words(path) & _PROSE_FOLDERS)


def is_tool(path: str) -> bool:
    """Is this a script for those who develop the product, who run it on input of their own?"""
    return bool(_words(path) & _TOOL)
