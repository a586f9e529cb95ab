"""Files that were touched and that nothing can parse: which they are, and how they are named."""

import pytest

from reviewer.refactor.patch import Blob, FileEdit
from reviewer.refactor.unchecked import NAMED, NO_PARSER, TEMPLATE, told, unchecked

BLOB = Blob(b"x\n")


PARSED = ["a.py", "a.ts", "a.json", "a.ipynb", "setup.cfg", "a.yml", "a.md", "notes.txt", "a.rst"]


def touched(*paths: str) -> list[FileEdit]:
    return [FileEdit(path, None, BLOB) for path in paths]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("web/list.vue", NO_PARSER),
        ("web/style.css", NO_PARSER),
        ("db/orders.sql", NO_PARSER),
        ("web/page.html", NO_PARSER),
        ("data/prices.csv", NO_PARSER),
        ("etc/server.ini", NO_PARSER),
        ("bin/run", NO_PARSER),
        ("web/page.py.j2", TEMPLATE),
        ("templates/settings.py", TEMPLATE),
        ("templates/page.html", TEMPLATE),
    ],
)
def test_what_has_no_parser_is_named_with_the_reason(path: str, why: str) -> None:
    assert [(one.path, one.why) for one in unchecked(touched(path))] == [(path, why)]


@pytest.mark.parametrize("path", PARSED)
def test_what_is_parsed_or_only_read_is_not(path: str) -> None:
    assert unchecked(touched(path)) == []


def test_a_file_that_is_gone_cannot_be_broken() -> None:
    assert unchecked([FileEdit("a.css", BLOB, None)]) == []


def test_notes_name_some_of_each_kind_and_count_the_others() -> None:
    paths = [f"web/{number}.css" for number in range(NAMED + 2)]
    first, second = told(unchecked(touched(*paths, "a.j2")))
    assert first == f"Not checked: a.j2: {TEMPLATE}."
    assert second.startswith("Not checked: web/0.css, ") and second.count(".css") == NAMED
    assert second.endswith(f" and 2 more: {NO_PARSER}.")


def test_a_path_is_shown_on_one_line() -> None:
    assert "\n" not in told(unchecked(touched("a\nb.css")))[0]
