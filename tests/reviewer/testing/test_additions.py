"""What counts as adding tests: every line stays, and no test is touched or switched off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.languages import Language
from reviewer.parsing.extract import extract
from reviewer.testing.additions import (
    added_lines,
    changed_definition,
    code_of,
    diff_of,
    extended,
    missing_name,
    short,
)
from reviewer.testing.insertions import not_added

BEFORE = """\
import pytest
from shop import cart


@pytest.mark.parametrize("one", [1, 2])
def test_one(one):
    assert cart.total([one]) == one


class TestMore:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "items",
        [
            [1, 1],
        ],
    )
    def test_two(self, items):
        assert cart.total(items) == 2
"""
KNOWN = extract(BEFORE.encode(), Language.PYTHON).definitions


def refused(after: str) -> bool:
    return bool(
        not_added(BEFORE, after, Language.PYTHON) or changed_definition(BEFORE, after, KNOWN)
    )


NEW = "\n\ndef test_new():\n    assert cart.total([]) == 0\n"


@pytest.mark.parametrize(
    "after",
    [
        BEFORE + NEW,
        BEFORE.replace("from shop import cart", "from shop import cart, labels") + NEW,
        BEFORE.replace("import pytest\n", "import math\n\nimport pytest\n") + NEW,
        BEFORE.replace("\n\nclass TestMore", f"{NEW}\n\nclass TestMore"),
        BEFORE + "\n    def test_three(self):\n        assert True\n",
        BEFORE.replace("[1, 1],\n", "[1, 1],\n            [2],\n"),
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
        BEFORE.replace("    @pytest.mark.slow", "    @pytest.mark.skip\n    @pytest.mark.slow"),
        BEFORE.replace("slow\n", "slow\n    @pytest.mark.skip\n"),
        BEFORE.replace("            [1, 1],\n", ""),
        BEFORE.replace("items):\n", "items):\n        return\n"),
        BEFORE.replace("def test_one(one):", "def test_one(one):\n    pytest.skip()"),
        BEFORE.replace("test_two", "check_two"),
        BEFORE.replace("class TestMore", "class More"),
    ],
)  # fmt: skip
def test_what_is_there_is_not_touched(after: str) -> None:
    assert refused(after)


@given(st.lists(st.sampled_from(["a", "b", "import x", "", "  c"])), st.data())
def test_what_was_put_between_others_is_never_less_than_that(
    lines: list[str], data: st.DataObject
) -> None:
    after = list(lines)
    for _ in range(data.draw(st.integers(0, 4))):
        after.insert(data.draw(st.integers(0, len(after))), data.draw(st.sampled_from("abq")))
    assert len(added_lines("\n".join(lines), "\n".join(after))) >= len(after) - len(lines)


def test_the_name_of_a_test_has_to_be_among_what_is_added() -> None:
    assert missing_name(["test_new"], BEFORE, BEFORE + NEW, KNOWN) is None
    assert missing_name(["tests/test_cart.py::test_new[1]"], BEFORE, BEFORE + NEW, KNOWN) is None
    assert missing_name(["test_one"], BEFORE, BEFORE + NEW, KNOWN) == "test_one"


def test_a_test_with_more_cases_is_one_of_the_added() -> None:
    after = BEFORE.replace("[1, 1],\n", "[1, 1],\n            [2],\n")
    assert extended(BEFORE, after, KNOWN) == {"test_two"}
    assert missing_name(["TestMore.test_two"], BEFORE, after, KNOWN) is None
    assert missing_name(["test_two"], BEFORE, BEFORE + NEW, KNOWN) == "test_two"


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
    assert code.startswith("    @pytest.mark.slow\n") and code.endswith("total(items) == 2")
    assert "parametrize" in code_of(["test_one"], BEFORE, KNOWN)
    assert code_of(["it works"], BEFORE, KNOWN) == ""


def test_a_new_test_is_shown_whole_where_it_ends_like_the_one_before() -> None:
    one = "def test_a():\n    x = 1\n    assert x\n    assert x > 0\n"
    two = one.replace("test_a", "test_b").replace("x = 1", "x = 2")
    shown = diff_of(
        "tests/test_x.py", f"import x\n\n{one}\n# end", f"import x\n\n{one}\n{two}\n# end"
    )
    added = [line[1:] for line in shown.split("\n") if line.startswith("+")]
    assert "\n".join(added).strip() == two.strip()


def test_far_lines_are_left_out_of_what_was_added() -> None:
    many = "\n".join(f"x{number} = 1" for number in range(50))
    shown = diff_of("t.py", many, f"{many}\nnew").split("\n")
    assert shown[1] == "…" and shown[2] == " x44 = 1" and shown[-1] == "+new"
    assert diff_of("t.py", "", "a\nb") == '=== file "t.py"\n+a\n+b'
