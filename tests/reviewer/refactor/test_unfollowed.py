"""Files of languages without contracts whose definitions a patch changes or takes away."""

import pytest

from reviewer.parsing.worker import Parsers
from reviewer.refactor.patch import Blob, FileEdit
from reviewer.refactor.unfollowed import NOT_FOLLOWED, unfollowed


def named(path: str, before: str | None, after: str | None) -> list[tuple[str, str]]:
    blobs = [None if text is None else Blob(text.encode()) for text in (before, after)]
    with Parsers() as parsers:
        return [(x.path, x.why) for x in unfollowed([FileEdit(path, *blobs)], parsers)]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.c", "int f(int x) { return x; }\nint g(void) { return 1; }\n", "int g(void) { return 1; }\n"),
        ("a.c", "int f(int x) { return x; }\n", "int f(long x) { return 1; }\n"),
        ("a.cpp", "int f(int x) { return x; }\n", None),
        ("A.cs", "class A { void F() { } }\n", "class A { void G() { } }\n"),
        ("A.kt", "class A { fun f() = 1 }\n", "class A { fun f(x: Int) = 1 }\n"),
        ("a.php", "<?php\nfunction f() { }\n", "<?php\nfunction g() { }\n"),
        ("a.rs", "pub fn f() {}\n", "pub fn f(x: i32) {}\n"),
    ],
)  # fmt: skip
def test_what_is_gone_or_another_is_named(path: str, before: str, after: str | None) -> None:
    assert named(path, before, after) == [(path, NOT_FOLLOWED)]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.c", "int f(int x) { return x; }\n", "int f(int x) { return 2; }\nint g(void);\n"),
        ("a.rs", None, "pub fn f() {}\n"),
        ("a.py", "def f(): pass\n", ""),
        ("a.go", "package a\n\nfunc F() { }\n", "package a\n"),
        ("a.vue", "<script>\nf()\n</script>\n", ""),
    ],
)  # fmt: skip
def test_what_stays_comes_or_has_contracts_is_not(
    path: str, before: str | None, after: str
) -> None:
    assert named(path, before, after) == []
