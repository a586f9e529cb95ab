"""The shipped dataset: what its recipes say of themselves is so."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.eval.recipes import Cooked, Files, Planted, Quoted, cook, edited, located
from app.eval.repositories import entries, ready
from reviewer.change import Change
from reviewer.diff import build_change
from reviewer.git import open_repo

ROOT = Path(__file__).parents[3]
RECIPES = sorted((ROOT / "evaluation/cases").glob("*.toml"))
FRESH = sorted((ROOT / "evaluation/fresh/cases").glob("*.toml"))
SHIPPED = {path.stem: cook(path) for path in RECIPES}
COOKED = SHIPPED | {path.stem: cook(path) for path in FRESH}

KINDS = {
    "authorisation",
    "cache-key",
    "cross-file",
    "fix-reverted",
    "migration",
    "missing-await",
    "off-by-one",
    "race",
    "resource",
    "sql",
}
LANGUAGES = {"python", "typescript", "go", "java", "ruby"}


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Change]:
    out = tmp_path_factory.mktemp("eval")
    found = {}
    for entry in entries(ROOT / "evaluation") + entries(ROOT / "evaluation/fresh"):
        one = ready(entry, out)
        with open_repo(one.repo) as repo:
            found[one.case.id] = build_change(repo, one.base, one.head)
            assert [file.hunks for file in found[one.case.id].files]
    return found


def test_there_are_as_many_cases_as_documented() -> None:
    cases = [one.case for one in SHIPPED.values()]
    assert [len(cases), sum(case.control for case in cases)] == [26, 8]
    assert all(1 <= len(case.defects) <= 3 for case in cases if not case.control)
    assert {path.stem for path in RECIPES} == {case.id for case in cases}


def test_the_fresh_cases_are_apart_and_all_held_back() -> None:
    cases = [entry.case for entry in entries(ROOT / "evaluation/fresh")]
    assert {case.id for case in cases} == {path.stem for path in FRESH}
    said = " ".join((ROOT / "docs/evaluation.md").read_text(encoding="utf-8").split())
    clean = sum(case.control for case in cases)
    assert f"so far {len(cases)} cases, {clean} of them clean," in said
    assert clean >= 10 <= len(cases) - clean
    assert LANGUAGES - {"ruby"} | {"rust"} <= {case.language for case in cases if case.control}
    assert all(case.held_back for case in cases)
    assert not {case.id for case in cases} & SHIPPED.keys()


def test_changes_have_one_file_and_many(changes: dict[str, Change]) -> None:
    sizes = sorted(len(change.files) for change in changes.values())
    assert sizes[0] == 1 and sizes[-2:] == [61, 202]


@pytest.mark.parametrize("held_back", [True, False])
def test_each_half_has_every_kind_and_language(held_back: bool) -> None:
    half = [one.case for one in SHIPPED.values() if one.case.held_back == held_back]
    assert len(half) == 13
    assert sum(case.control for case in half) == 4
    assert {case.language for case in half} == LANGUAGES
    assert {defect.kind for case in half for defect in case.defects} == KINDS


@pytest.mark.parametrize("name", COOKED)
def test_every_place_holds_its_quote_and_the_first_is_in_the_diff(
    name: str, changes: dict[str, Change]
) -> None:
    cooked, files = COOKED[name], changes[name].by_path
    for planted, defect in zip(cooked.recipe.defect, cooked.case.defects, strict=True):
        quotes = (planted.at, *planted.also)
        for quoted, place in zip(quotes, defect.places, strict=True):
            assert _lines(cooked, quoted, place.start_line, place.line) == quoted.text.strip("\n")
        changed = files[defect.path].added_lines
        assert changed & set(range(defect.start_line, defect.line + 1)), defect.id
        assert files[defect.path].takes_comment("RIGHT", defect.start_line, defect.line)
    for right in cooked.case.not_defects:
        assert files[right.path].takes_comment(right.side, right.start_line, right.line)


def _lines(cooked: Cooked, quoted: Quoted, start: int, end: int) -> str:
    files = cooked.base if quoted.side == "LEFT" else cooked.head
    assert located(files, quoted) == (start, end)
    return "\n".join(files[quoted.path].split("\n")[start - 1 : end])


def planted_in_python() -> Iterator[tuple[str, str]]:
    for name, cooked in COOKED.items():
        if cooked.case.language == "python":
            yield from ((name, planted.id) for planted in cooked.recipe.defect)


@pytest.mark.parametrize(("name", "defect"), list(planted_in_python()))
def test_a_python_defect_is_real(name: str, defect: str, tmp_path: Path) -> None:
    cooked = COOKED[name]
    (planted,) = [one for one in cooked.recipe.defect if one.id == defect]
    fixed = edited(cooked.head, planted.fix)
    assert fixed != cooked.head
    assert "Error" in _run(cooked.head, planted, tmp_path / "head")
    assert _run(fixed, planted, tmp_path / "fixed") == ""


def _run(files: Files, planted: Planted, folder: Path) -> str:
    """Run the test of a defect in a tree; return the last line that it complains with."""
    _write(files, folder)
    (folder / "planted_test.py").write_text(planted.test, encoding="utf-8")
    done = _python(folder, "planted_test.py")
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "name", [name for name, one in COOKED.items() if one.case.language == "python"]
)
def test_the_own_tests_of_a_python_case_pass_at_both_ends(name: str, tmp_path: Path) -> None:
    for end, files in (("base", COOKED[name].base), ("head", COOKED[name].head)):
        _write(files, tmp_path / end)
        tests = [path for path in files if path.startswith("tests/test_")]
        assert tests
        done = _python(
            tmp_path / end,
            "-m",
            "pytest",
            "-q",
            "--disable-plugin-autoload",
            "-p",
            "no:cacheprovider",
            *tests,
        )
        assert done.returncode == 0, done.stdout


def _write(files: Files, folder: Path) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
