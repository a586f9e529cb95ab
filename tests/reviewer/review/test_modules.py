"""A change is told by a few folders, whatever its size, and each sentence once in the right one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.change import FileChange, Kind, Status
from reviewer.review.modules import (
    CHANGE_CHARS,
    FEWEST,
    MOST,
    MOST_CHANGES,
    module_imports,
    modules,
    modules_of,
)


def changed(path: str, added: int = 3, deleted: int = 1) -> FileChange:
    return FileChange(
        path, path, path, Status.MODIFIED, Kind.TEXT, None, None, None, None, added, deleted, 1
    )


def folders(paths: list[str]) -> dict[str, int]:
    return dict(Counter(modules_of(paths).values()))


def test_the_largest_folders_are_divided_first():
    paths = [
        *(f"backend/shop/{n}.py" for n in range(10)),
        *(f"backend/tests/test_{n}.py" for n in range(3)),
        "backend/pyproject.toml",
        *(f"web/src/{n}.ts" for n in range(9)),
        "web/package.json",
        ".github/workflows/ci.yml",
    ]
    assert folders(paths) == {
        "backend/shop": 10,
        "backend/tests": 3,
        "backend": 1,
        "web/src": 9,
        "web": 1,
        ".github": 1,
    }


def test_what_all_have_in_common_is_no_module():
    assert folders(["src/main/java/org/a/A.java", "src/main/java/org/b/B.java"]) == {
        "src/main/java/org/a": 1,
        "src/main/java/org/b": 1,
    }


def test_one_folder_is_one_module_and_the_root_has_no_name():
    assert folders(["a/b/one.py", "a/b/two.py"]) == {"a/b": 2}
    assert folders(["one.py", "two.py"]) == {"": 2}
    assert folders(["one.py", "a/two.py"]) == {"": 1, "a": 1}
    assert folders([]) == {}


def test_of_many_folders_the_largest_have_a_name():
    paths = [f"pkg{n:02}/{m}.py" for n in range(30) for m in range(n + 1)]
    found = folders(paths)
    assert len(found) == MOST
    assert found["pkg29"] == 30
    assert found[""] == sum(n + 1 for n in range(23))


NAMES = st.sampled_from(["a", "b", "c", "ü", '"]', "a b", "\n", "."])


@given(st.lists(st.lists(NAMES, min_size=1, max_size=6).map("/".join), max_size=40, unique=True))
def test_every_file_is_in_one_module_that_is_a_folder_of_it(paths: list[str]):
    found = modules_of(paths)
    assert found.keys() == set(paths)
    assert len(set(found.values())) <= MOST
    assert all(path.startswith(f"{name}/") or not name for path, name in found.items())
    assert modules_of(reversed(paths)) == found
    if len({path.rpartition("/")[0] for path in paths}) > 1:
        assert len(set(found.values())) >= FEWEST


FILES = [changed(path) for path in ("a/1.py", "a/2.py", "b/1.py", "c/1.py", "c/2.py")]
MODULE_OF = modules_of(file.path for file in FILES)


def test_a_sentence_belongs_where_half_of_what_it_is_about_lies():
    told, across = modules(
        FILES,
        MODULE_OF,
        [
            (["a/1.py", "a/1.py", "b/1.py"], "Of a."),
            (["b/1.py"], "Of b.\n\n  It has two\tlines. "),
            (["a/1.py", "b/1.py", "c/1.py"], "Of all."),
            (["elsewhere.py"], "Of nothing here."),
            (["a/2.py"], "Of a."),
        ],
    )
    assert {one.path: one.changes for one in told} == {
        "a": ["Of a."],
        "b": ["Of b.", "It has two lines."],
        "c": [],
    }
    assert across == ["Of all.", "Of nothing here."]
    assert [(one.path, one.files, one.added, one.deleted) for one in told] == [
        ("a", 2, 6, 2),
        ("c", 2, 6, 2),
        ("b", 1, 3, 1),
    ]


def test_what_is_said_is_bounded_and_printable():
    said = [(["a/1.py"], f"{n} \x1b[2J " + "x" * 1_000) for n in range(100)]
    told, _ = modules(FILES, MODULE_OF, said)
    lines = told[0].changes
    assert len(lines) == MOST_CHANGES + 1
    assert lines[-1] == f"… and {100 - MOST_CHANGES} more parts"
    assert max(map(len, lines)) <= CHANGE_CHARS


def test_imports_between_modules_are_counted_and_those_inside_are_not():
    pairs = [("a/1.py", "b/1.py"), ("a/2.py", "b/1.py"), ("c/1.py", "a/1.py"), ("a/1.py", "a/2.py")]
    found = module_imports([*pairs, ("a/1.py", "nowhere.py")], MODULE_OF)
    assert [(one.source, one.target, one.files) for one in found] == [("a", "b", 2), ("c", "a", 1)]


@pytest.mark.parametrize("number", [2_000])
def test_thousands_of_folders_take_no_time(number: int):
    paths = ["/".join(["deep"] * n) + "/x.py" for n in range(1, number)]
    assert len(set(modules_of(paths).values())) <= MOST
