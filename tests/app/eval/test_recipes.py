"""From a recipe to commits, and what in a recipe does not fit."""

from pathlib import Path

import pytest

from app.eval.recipes import Edit, Quoted, cook, edited, located
from app.eval.repositories import entries, ready
from reviewer.errors import TellUser

RECIPE = """
id = "shop"
language = "python"
package = "shop"
message = "Take a rate"
[[change]]
path = "cart.py"
old = "return net"
new = "return net * rate"
[[defect]]
id = "rate"
category = "correctness"
severity = "high"
kind = "name"
description = "rate is no name"
at = { path = "cart.py", text = "    return net * rate" }
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    (tmp_path / "packages/shop").mkdir(parents=True)
    (tmp_path / "packages/shop/cart.py").write_text("def total(net):\n    return net\n")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases/shop.toml").write_text(RECIPE)
    return tmp_path


def test_a_recipe_gives_the_same_commits_everywhere(dataset: Path, tmp_path: Path) -> None:
    (entry,) = entries(dataset)
    one, other = ready(entry, tmp_path / "one"), ready(entry, tmp_path / "other")
    assert (one.base, one.head) == (other.base, other.head)
    assert (one.case.defects[0].start_line, one.case.defects[0].line) == (2, 2)


def test_a_repository_is_made_once(dataset: Path, tmp_path: Path) -> None:
    (entry,) = entries(dataset)
    made = ready(entry, tmp_path / "out").repo
    before = made.stat().st_mtime_ns
    assert ready(entry, tmp_path / "out").repo == made
    assert made.stat().st_mtime_ns == before
    assert [path.name for path in made.parent.iterdir()] == [made.name]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('old = "return net"', 'old = "return gross"', "cart.py has this 0 times, not once"),
        ('text = "    return net * rate"', 'text = "return"', "cart.py has these lines 0 times"),
        ('package = "shop"', 'package = "sho"', "there is no package"),
        ('severity = "high"', 'severity = "huge"', "defect.0.severity"),
        ('id = "shop"', 'id = "../shop"', "id: String should match"),
        ('path = "cart.py"\nold', 'path = "../cart.py"\nold', "change.0.path: a relative path"),
        ('new = "return net * rate"', "remove = true", "old and new are given together"),
        ('id = "shop"', 'id = "shop', "not TOML"),
        ('language = "python"', "control = true", "language: Field required"),
        ('language = "python"', 'language = "python"\ncontrol = true', "a control has no defects"),
    ],
)
def test_what_does_not_fit_is_named_with_its_file(
    dataset: Path, old: str, new: str, told: str
) -> None:
    path = dataset / "cases/shop.toml"
    assert old in RECIPE
    path.write_text(RECIPE.replace(old, new, 1))
    with pytest.raises(TellUser) as error:
        cook(path)
    assert str(path) in error.value.problem
    assert told in error.value.problem


def test_edits_are_made_in_order() -> None:
    files = {"a": "one two\n", "b": "x\n"}
    made = edited(
        files,
        [
            Edit(path="a", old="one", new="three"),
            Edit(path="a", to="c"),
            Edit(path="b", remove=True),
            Edit(path="b", text="new\n"),
        ],
    )
    assert made == {"c": "three two\n", "b": "new\n"}
    with pytest.raises(ValueError, match="there is no a to edit"):
        edited(made, [Edit(path="a", remove=True)])
    with pytest.raises(ValueError, match="b is there already"):
        edited(made, [Edit(path="b", text="")])


def test_a_quote_is_of_whole_lines() -> None:
    files = {"a": "x = 1\ny = 2\nx = 11\n"}
    assert located(files, Quoted(path="a", text="x = 1")) == (1, 1)
    assert located(files, Quoted(path="a", text="y = 2\nx = 11\n")) == (2, 3)
    with pytest.raises(ValueError, match="0 times"):
        located(files, Quoted(path="a", text="= 2"))


MANY = """
[[many]]
count = 3
path = "tax_{n}.py"
before = "CODE = {n!r}\\n"
after = "CODE = '{n}'\\n"
"""


def with_many(dataset: Path, text: str = MANY) -> Path:
    path = dataset / "cases/shop.toml"
    path.write_text(RECIPE.replace("[[change]]", f"{text}\n[[change]]", 1))
    return path


def test_files_alike_are_numbered_and_may_be_edited_one_by_one(dataset: Path) -> None:
    odd = '[[before]]\npath = "tax_002.py"\nold = "CODE"\nnew = "NAME"\n'
    cooked = cook(with_many(dataset, MANY + odd))
    assert cooked.base["tax_002.py"] == "NAME = {n!r}\n"
    assert cooked.base["tax_003.py"] == "CODE = {n!r}\n"
    assert [cooked.head[f"tax_00{n}.py"] for n in (1, 2, 3)] == [
        f"CODE = '00{n}'\n" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tax_{n}.py", "tax.py", "the path needs {n}"),
        ("count = 3", "count = 1000", "999"),
        ('"tax_{n}.py"', '"../tax_{n}.py"', "many.0.path"),
    ],
)
def test_files_alike_that_do_not_fit_are_named(
    dataset: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(TellUser) as error:
        cook(with_many(dataset, MANY.replace(old, new)))
    assert told in f"{error.value.problem} {error.value.hint}"


def test_files_alike_take_no_name_that_there_is(dataset: Path) -> None:
    (dataset / "packages/shop/tax_001.py").write_text("x = 1\n")
    with pytest.raises(TellUser, match=r"tax_001.py is there already"):
        cook(with_many(dataset))
