"""The shipped dataset of real defects, read without the network: what benchmarks/ablation.toml says
of a defect, its case says too."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.eval.cases import Case, Defect
from app.eval.repositories import entries
from tests.warm import ROOT

SHIPPED = ROOT / "evaluation"
CASES = {entry.case.id: entry.case for entry in entries(SHIPPED / "real.jsonl")}
KNOWN: dict[str, dict[str, Any]] = {
    one["id"]: one
    for one in tomllib.loads((ROOT / "benchmarks/ablation.toml").read_text("utf-8"))["defect"]
}


def only(case: Case) -> Defect:
    (defect,) = case.defects
    return defect


def test_there_is_a_case_for_each_known_defect() -> None:
    assert len(CASES) == 11  # as documented
    assert list(CASES) == list(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_case_is_what_is_known_of_its_defect(name: str) -> None:
    case, known = CASES[name], KNOWN[name]
    assert case.repository == f"https://github.com/{known['repo']}"
    assert (case.base, case.head) == (known["base"], known["head"])
    assert case.language == known["language"].lower()
    assert not case.control and not case.held_back
    defect = only(case)
    assert defect.kind == known["needs"]
    what_should_be = defect.description.removeprefix(f"{known['fails']} ")
    assert what_should_be and what_should_be != defect.description


@pytest.mark.parametrize("name", KNOWN)
def test_the_places_are_in_the_change_and_in_what_has_to_be_seen(name: str) -> None:
    defect, known = only(CASES[name]), KNOWN[name]
    assert defect.side == "RIGHT"
    assert any(defect.path == path or defect.path.startswith(f"{path}/") for path in known["paths"])
    paths = [place.path for place in defect.places]
    assert set(known["elsewhere"]) <= set(paths)
    assert len(set(defect.places)) == len(defect.places)


def test_no_two_cases_are_alike() -> None:
    cases = CASES.values()
    for unlike in (
        [(case.repository, case.head) for case in cases],
        [only(case).id for case in cases],
        [only(case).description for case in cases],
        [only(case).places for case in cases],
    ):
        assert len(set(unlike)) == len(CASES)


def test_the_folder_and_the_file_are_two_datasets() -> None:
    recipes = entries(SHIPPED)
    assert all(entry.cooked is not None for entry in recipes)
    assert not CASES.keys() & {entry.case.id for entry in recipes}


def test_a_folder_of_recipes_takes_no_jsonl_in_it(tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    recipe = SHIPPED / "cases/ledger-rates.toml"
    (tmp_path / "cases" / recipe.name).write_text(recipe.read_text("utf-8"), encoding="utf-8")
    (tmp_path / "packages").symlink_to(SHIPPED / "packages")
    for place in (tmp_path, tmp_path / "cases"):
        (place / "real.jsonl").write_text((SHIPPED / "real.jsonl").read_text("utf-8"), "utf-8")
    assert [entry.case.id for entry in entries(tmp_path)] == ["ledger-rates"]
