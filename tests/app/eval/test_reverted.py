"""A fix that is taken back: the commits that are made of it, and what cannot be made."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.eval.repositories import Ready, entries, ready
from reviewer.errors import TellUser
from tests.repo import Repo
from tests.warm import ROOT

SHIPPED = ROOT / "evaluation/reverted.jsonl"
BROKEN, FIXED = "def last(rows):\n    return rows[0]\n", "def last(rows):\n    return rows[-1]\n"


@pytest.fixture
def fix(tmp_path: Path) -> tuple[Repo, str]:
    """A project whose newest commit mends a file, adds and removes one, and notes it."""
    repo = Repo(tmp_path / "data/project")
    repo.write("shop/rows.py", BROKEN)
    repo.write("shop/old name.py", "OLD = 1\n")
    repo.write("NEWS", "")
    repo.commit("base")
    repo.write("shop/rows.py", FIXED)
    repo.write("shop/more.py", "MORE = 1\n", 0o755)
    repo.remove("shop/old name.py")
    repo.write("NEWS", "last() is the last row.\n")
    repo.write("tests/test_rows.py", "assert last([1, 2]) == 2\n")
    return repo, repo.commit("Fix last")


def case(fix: str, *paths: str, **changes: Any) -> dict[str, Any]:
    defect = {
        "id": "first",
        "path": "shop/rows.py",
        "start_line": 2,
        "line": 2,
        "category": "correctness",
        "severity": "high",
        "description": "The first row is returned for the last one.",
    }
    return {
        "id": "rows",
        "language": "python",
        "repository": "project",
        "reverts": fix,
        "paths": list(paths or ("shop/rows.py",)),
        "message": "Return rows as they are",
        "defects": [defect],
        **changes,
    }


def made(folder: Path, value: dict[str, Any], out: str = "out") -> Ready:
    dataset = folder / "data/cases.jsonl"
    dataset.write_text(json.dumps(value) + "\n", encoding="utf-8")
    (entry,) = entries(dataset)
    return ready(entry, folder / out)


def git(one: Ready, *arguments: str) -> str:
    command = ["git", "-C", str(one.repo), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_change_takes_the_fix_back_and_nothing_tells_of_it(
    fix: tuple[Repo, str], tmp_path: Path
) -> None:
    one = made(tmp_path, case(fix[1]))
    assert git(one, "diff", "--name-only", one.base, one.head) == "shop/rows.py\n"
    assert git(one, "show", f"{one.base}:shop/rows.py") == FIXED
    assert git(one, "show", f"{one.head}:shop/rows.py") == BROKEN
    assert git(one, "show", f"{one.base}:NEWS") == git(one, "show", f"{one.head}:NEWS") == ""
    assert "tests" not in git(one, "ls-tree", "-r", "--name-only", one.base)
    log = git(one, "log", "--format=%an: %s", one.head).splitlines()
    assert log == [
        "Robin Example: Return rows as they are",
        "Robin Example: What is there",
        "Ada: base",
    ]
    assert (one.case.base, one.case.head, one.case.defects[0].id) == ("base", "head", "first")


def test_files_that_a_fix_adds_and_removes_are_taken_back_too(
    fix: tuple[Repo, str], tmp_path: Path
) -> None:
    paths = ("shop/rows.py", "shop/more.py", "shop/old name.py")
    one = made(tmp_path, case(fix[1], *paths))
    told = git(one, "diff", "--summary", one.base, one.head)
    assert " delete mode 100755 shop/more.py" in told
    assert " create mode 100644 shop/old name.py" in told


def test_the_same_case_gives_the_same_commits(fix: tuple[Repo, str], tmp_path: Path) -> None:
    one, again = (made(tmp_path, case(fix[1]), out) for out in ("out", "elsewhere"))
    assert (one.base, one.head) == (again.base, again.head)
    other = made(tmp_path, case(fix[1], message="Another word"))
    assert other.repo != one.repo and other.head != one.head


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"paths": ["shop/cart.py"]}, "changes none of: shop/cart.py"),
        ({"paths": ["shop"]}, "shop is no file in"),
        ({"paths": ["../x"]}, "paths.0: a relative path"),
        ({"paths": []}, "paths: "),
        ({"reverts": "main"}, "reverts: "),
        ({"reverts": "0" * 40}, "git fetch failed"),
        ({"repository": "http://example.org/x"}, "not an https address without a login"),
        ({"repository": "https://a:b@example.org/x"}, "not an https address without a login"),
        ({"repository": "/"}, "is not in the dataset's folder"),
        ({"defects": []}, "a case without defects says control: true"),
        ({"base": "main"}, "base: "),
    ],
)
def test_what_cannot_be_made_is_said_with_its_place(
    fix: tuple[Repo, str], tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(TellUser) as caught:
        made(tmp_path, case(fix[1]) | changes)
    assert "cases.jsonl:1: " in caught.value.problem
    assert said in caught.value.problem
    assert not list((tmp_path / "out").glob("repositories/*")), "nothing half made is kept"


def test_a_merge_is_no_fix(fix: tuple[Repo, str], tmp_path: Path) -> None:
    repo, name = fix
    repo.git("switch", "-q", "-c", "side", f"{name}^")
    repo.write("side", "1\n")
    repo.commit("side")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "main")
    merge = repo.git("rev-parse", "HEAD").decode()
    with pytest.raises(TellUser, match="has 2 parents: a fix has one"):
        made(tmp_path, case(merge))


# What is shipped, read without the network -------------------------------------------------------


def test_shipped_cases_are_as_many_as_documented_and_each_is_of_its_files() -> None:
    found = entries(SHIPPED)
    taken_back = [entry.reverted for entry in found if entry.reverted is not None]
    clean = [entry.case for entry in found if entry.case.control]
    assert (len(found), len(taken_back), len(clean)) == (10, 8, 2)
    for one in taken_back:
        (defect,) = one.defects
        assert one.repository.startswith("https://github.com/")
        assert {place.path for place in defect.places} <= set(one.paths)
        assert {place.side for place in defect.places} == {"LEFT", "RIGHT"}
        assert defect.id not in one.message and "fix" not in one.message.lower()
    assert all(len(case.base) == len(case.head) == 40 for case in clean)
