"""Globs name what git's own would name, and never take long over it."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reviewer.globs import check, named
from tests.examples import examples
from tests.repo import Repo


@pytest.mark.parametrize(
    ("glob", "named_by_it", "not_named"),
    [
        ("*.snap", ["a.snap", "x/y/b.snap"], ["a.snap.py", "snap"]),
        ("docs", ["docs/a.md", "x/docs/b", "docs"], ["docs2/a", "mydocs/a"]),
        ("docs/", ["docs/a.md", "x/docs/b"], ["docs", "x/docs"]),
        ("/docs", ["docs/a.md"], ["x/docs/a.md"]),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "x/src/a.py"]),
        ("src/**", ["src/a", "src/x/y"], ["src", "x/src/a"]),
        ("**/gen/*.go", ["gen/a.go", "x/y/gen/b.go"], ["gen/x/a.go", "regen/a.go"]),
        ("src/**/test", ["src/test/a", "src/x/y/test"], ["src/tests", "test/a"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("v[0-9].txt", ["v1.txt"], ["va.txt", "v10.txt"]),
        ("v[!0-9].txt", ["va.txt"], ["v1.txt"]),
        (r"\!a\*", ["!a*"], ["a", "!ab"]),
        ("**", ["a", "a/b"], []),
    ],
)
def test_a_glob_names(glob: str, named_by_it: list[str], not_named: list[str]) -> None:
    assert [path for path in named_by_it if not named(path, [check(glob)])] == []
    assert [path for path in not_named if named(path, [glob])] == []


def test_the_last_glob_that_names_a_path_decides() -> None:
    globs = ["vendor", "!vendor/ours", "vendor/ours/*.min.js"]
    assert named("vendor/a.js", globs)
    assert not named("vendor/ours/a.js", globs)
    assert named("vendor/ours/a.min.js", globs)
    assert not named("src/a.js", globs)


@pytest.mark.parametrize(
    "glob",
    ["", "/", "!", "a//b", "./a", "../a", "a/../b", "a[", "a\\", "a**", "[b-a]", "a\nb", "x" * 201],
)
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|holds) "):
        check(glob)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Repo(tmp_path_factory.mktemp("globs")).path


PIECE = st.sampled_from(
    ["a", "b", "*", "/", "?", "**/", "/**", "/**/", "[ab]", "[!a]", "[a-b]", r"\a"]
)
NAME = st.text("abc", min_size=1, max_size=3)
PATH = st.lists(NAME, min_size=1, max_size=5).map("/".join)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(PIECE, min_size=1, max_size=6).map("".join), st.lists(PATH, min_size=20, max_size=40)
)
def test_globs_name_what_git_would_ignore(folder: Path, glob: str, paths: list[str]) -> None:
    try:
        check(glob)
    except ValueError:
        return
    (folder / ".git/info/exclude").write_text(glob + "\n")
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=folder,
        input="\n".join(paths).encode(),
        capture_output=True,
        check=False,
    )
    assert {path for path in paths if named(path, [glob])} == set(done.stdout.decode().split())


@pytest.mark.parametrize(
    "glob",
    [
        "*a" * 50 + "b",
        "**/*" + "a*" * 40 + "b",
        "**/a/" * 30 + "c",
        "a/**/*/" * 20 + "x",
        "?*" * 60 + "z",
        "**/" + "*/" * 90 + "z",
    ],
)
@pytest.mark.parametrize("path", ["a/" * 2_040 + "b", "a" * 4_096, "a/b/" * 1_000 + "a"])
def test_no_glob_is_slow(glob: str, path: str) -> None:
    check(glob)
    began = time.perf_counter()
    for _ in range(10):
        named(path, [glob])
    assert time.perf_counter() - began < 1.0
