"""What counts as adding tests: every line stays, and no test is touched or switched off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.languages import Language
from reviewer.parsing.extract import extract
from reviewer.testing.additions import (
    added_lines,
    changed_definition,
    changed_line,
    code_of,
    missing_name,
    short,
)

BEFORE = """\
import pytest
from shop import cart


@pytest.mark.parametrize("one", [1, 2])
def test_one(one):
    assert cart.total([one]) == one


class TestMore:
    def test_two(self):
        assert cart.total([1, 1]) == 2
"""
KNOWN = extract(BEFORE.encode(), Language.PYTHON).definitions


def refused(after: str) -> bool:
    return bool(changed_line(BEFORE, after) or changed_definition(BEFORE, after, KNOWN))


NEW = "\n\ndef test_new():\n    assert cart.total([]) == 0\n"


@pytest.mark.parametrize(
    "after",
    [
        BEFORE + NEW,
        BEFORE.replace("from shop import cart", "from shop import cart, labels") + NEW,
        BEFORE.replace("import pytest\n", "import math\n\nimport pytest\n") + NEW,
        BEFORE.replace("\n\nclass TestMore", f"{NEW}\n\nclass TestMore"),
        BEFORE + "\n    def test_three(self):\n        assert True\n",
    ],
)
def test_tests_and_imports_may_be_added(after: str) -> None:
    assert not refused(after)


@pytest.mark.parametrize(
    "after",
    [
        NEW,
        BEFORE.replace("== 2", "== 3"),
        BEFORE.replace("[1, 2])", "[1, 2, 3])"),
        BEFORE.replace("    assert cart.total([one]) == one", "    return\n    assert cart.total([one]) == one"),
        BEFORE.replace("@pytest.mark.param", "@pytest.mark.skip\n@pytest.mark.param"),
        BEFORE.replace("    def test_two", '    @pytest.mark.skip("x")\n    def test_two'),
        BEFORE.replace("def test_one(one):", "def test_one(one):\n    pytest.skip()"),
        BEFORE.replace("test_two", "check_two"),
        BEFORE.replace("class TestMore", "class More"),
    ],
)  # fmt: skip
def test_what_is_there_is_not_touched(after: str) -> None:
    assert refused(after)


@given(st.lists(st.sampled_from(["a", "b", "import x", "", "  c"])), st.data())
def test_lines_put_between_others_are_never_a_change(lines: list[str], data: st.DataObject) -> None:
    after = list(lines)
    for _ in range(data.draw(st.integers(0, 4))):
        after.insert(data.draw(st.integers(0, len(after))), data.draw(st.sampled_from("abq")))
    assert changed_line("\n".join(lines), "\n".join(after)) is None
    assert len(added_lines("\n".join(lines), "\n".join(after))) >= len(after) - len(lines)


def test_the_name_of_a_test_has_to_be_among_what_is_added() -> None:
    assert missing_name(["test_new"], BEFORE, BEFORE + NEW) is None
    assert missing_name(["tests/test_cart.py::test_new[1]"], BEFORE, BEFORE + NEW) is None
    assert missing_name(["test_one"], BEFORE, BEFORE + NEW) == "test_one"


@pytest.mark.parametrize(
    ("name", "is_called"),
    [
        ("test_a", "test_a"),
        ("tests/test_x.py::TestA::test_b[1-2]", "test_b"),
        ("TestA.test_b", "test_b"),
        ("adds 1.5 and 2 [sic]", "adds 1.5 and 2 [sic]"),
        ("rounds up.", "rounds up."),
    ],
)
def test_what_a_test_is_called(name: str, is_called: str) -> None:
    assert short(name) == is_called


def test_the_code_of_tests_is_told_apart_where_they_are_definitions() -> None:
    code = code_of(["test_two"], BEFORE, KNOWN)
    assert code == "    def test_two(self):\n        assert cart.total([1, 1]) == 2"
    assert "parametrize" in code_of(["test_one"], BEFORE, KNOWN)
    assert code_of(["it works"], BEFORE, KNOWN) == ""
