"""No quirk of the fake without a case, and no case without code and a test."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.app.test_checklist import ELSEWHERE
from tests.github.quirks import GIT, HUB, QUIRKS

ROOT = Path(__file__).parents[2]
MEANS = {
    "test_a_test_is_called_around_every_request",
    "test_an_operation_that_the_fake_lacks_is_the_fakes_fault",
    "test_a_failing_test_shows_its_own_failure_first",
}
"""What the fake does for a test, and GitHub for nobody."""

PLUMBING = {"contract.py", "git.py", "hub.py:_broken"}
"""Where an error is raised that no client is told: the document's, git's, and a cut connection."""


@cache
def functions() -> dict[str, ast.FunctionDef]:
    """Return every function of the fake by its file and name."""
    return {
        f"{path.name}:{node.name}:{node.lineno}": node
        for path in sorted((ROOT / "tests/github").glob("*.py"))
        if not path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef)
    }


def cases_of(function: ast.FunctionDef) -> Iterator[str]:
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "quirk":
            yield from (ast.literal_eval(name) for name in one.args)


def test_the_thirty_and_the_others_of_the_checklist_have_the_names_that_they_have_there() -> None:
    numbered = {name for name in QUIRKS if name[0].isdigit()}
    assert numbered == {name for name in ELSEWHERE if name[0].isdigit()}
    assert len(numbered) == 30


def test_every_case_is_one_of_a_function_of_the_fake_and_every_function_names_a_case() -> None:
    named = {case for function in functions().values() for case in cases_of(function)}
    assert named == set(QUIRKS)


def test_who_refuses_says_in_which_case() -> None:
    unnamed = [
        name
        for name, function in functions().items()
        if any(isinstance(one, ast.Raise) and one.exc for one in ast.walk(function))
        and not any(name.startswith(place) for place in PLUMBING)
        and not list(cases_of(function))
    ]
    assert unnamed == []


@pytest.mark.parametrize("case", QUIRKS)
def test_every_case_has_a_test_that_is_there(case: str) -> None:
    nodes = QUIRKS[case] + ELSEWHERE.get(case, ())
    assert nodes, "nothing tries it"
    assert [node for node in nodes if node.partition("::")[2] not in names_in(node)] == []


@pytest.mark.parametrize("path", [HUB, GIT])
def test_every_test_of_the_fake_is_one_of_a_case(path: str) -> None:
    named = {node for nodes in QUIRKS.values() for node in nodes}
    assert [name for name in sorted(names_in(path) - MEANS) if f"{path}::{name}" not in named] == []


@cache
def names_in(node: str) -> set[str]:
    """Return the names of the tests in the file of a node."""
    tree = ast.parse((ROOT / node.partition("::")[0]).read_bytes())
    names = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    return {name for name in names if name.startswith("test_")}
