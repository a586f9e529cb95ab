"""What `benchmarks/refactor.py` counts, on a package of two files."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.refactor import Row, _left, _planned, missed
from benchmarks.refactor_judge import Silent, judged, names_of, new
from benchmarks.refactor_lines import unnamed
from tests.repo import Repo

HOST = {"by": "host", "module": "Rename f to g", "files": [{"path": "a.py"}, {"path": "b.py"}]}
MODEL = {"by": "model", "module": "more", "files": [{"path": "a.py"}, {"path": "d.py"}]}
ACCOUNT: dict[str, Any] = {
    "plan": {
        "modules": [{"name": "more", "files": ["a.py"], "new_files": ["c.py"]}],
        "renames": [{"path": "a.py", "symbol": "f", "to": "g"}],
    },
    "commits": [HOST, MODEL],
}
EDITS = {
    "replacements": [{"path": "a.py", "old": "return 1", "new": "return 2\n    # so"}],
    "cuts": [{"path": "a.py", "first": "def h():", "last": "    return 3", "to": "c.py"}],
    "new_files": [{"path": "c.py", "text": "import os\n"}],
    "removed": ["b.py"],
    "renamed": [],
}
TRACE = [
    {"event": "NodeStarted", "node": "1", "task": "plan"},
    {"event": "Result", "node": "1", "value": "{}"},
    {"event": "NodeStarted", "node": "2.1", "task": "edit"},
    {"event": "Result", "node": "2.1", "value": json.dumps({"by_module": [["more", EDITS]]})},
]


def made(tmp_path: Path, *, more: str = "", renamed: str = "") -> tuple[Repo, str]:
    """The package with a rename and the edits on a branch, and whatever nobody asked for."""
    repo = Repo(tmp_path / "r")
    repo.write("a.py", "def f():\n    return 1\n\n\ndef h():\n    x = 2\n    return 3\n")
    repo.write("b.py", "from a import f\n\nf()\n")
    repo.commit("the start")
    base = repo.sha("HEAD")
    repo.git("checkout", "-q", "-b", "refactored")
    repo.write("a.py", "def g():\n    return 1\n\n\ndef h():\n    x = 2\n    return 3\n")
    repo.write("b.py", f"from a import g\n\ng()\n{renamed}")
    repo.commit("Rename f to g")
    repo.write("a.py", f"def g():\n    return 2\n    # so\n{more}")
    repo.write("c.py", "import os\n\n\ndef h():\n    x = 2\n    return 3\n")
    repo.git("rm", "-q", "b.py")
    repo.commit("More")
    return repo, base


def test_every_line_of_accepted_edits_and_renames_is_accounted_for(tmp_path: Path) -> None:
    repo, base = made(tmp_path)
    assert unnamed(repo.path, base, "refactored", ACCOUNT, TRACE) == {}


def test_a_line_that_nobody_handed_in_is_counted_in_a_planned_file_too(tmp_path: Path) -> None:
    repo, base = made(tmp_path, more="\nstray = 1\n", renamed="other()\n")
    found = unnamed(repo.path, base, "refactored", ACCOUNT, TRACE)
    assert found == {"a.py": 1, "b.py": 1}
    assert unnamed(repo.path, base, "refactored", ACCOUNT, TRACE[:2])["a.py"] > 1


def test_a_file_that_a_node_touched_beyond_its_module_is_not_planned() -> None:
    assert _planned(ACCOUNT) == {"a.py", "b.py", "c.py"}


def test_what_the_command_left_is_counted_and_a_partial_result_without_a_word_too() -> None:
    whole = {"status": "complete", "stopped": None, "left": [], "findings": []}
    assert _left(whole) == []
    assert _left({**whole, "status": "partial", "stopped": "budget"}) == ["partial: budget"]
    left = [{"module": "core", "what": "f", "why": "missed"}]
    finding = {"path": "a.py", "title": "gone"}
    told = {**whole, "status": "partial", "left": left, "findings": [finding]}
    assert _left(told) == ["core: f: missed", "a.py: gone"]


def test_each_bound_that_is_missed_is_said() -> None:
    assert missed([Row("whole", prompt=40_000, newly_failing=["t"]), *map(Row, "abcdefghi")]) == []
    rows = [
        Row("a", error="exit 2"),
        Row("h", left=["core: the callers: nobody came to it"]),
        Row("b", unparsed=["x.py"]),
        Row("c", contracts=["x.py: gone"]),
        Row("d", prompt=40_001),
        Row("e", outside=3, outside_files=["x.py"]),
        Row("g", judged=["mypy: there is no x"]),
        Row("f", newly_failing=["t"]),
    ]
    said = missed(rows)
    assert [one[0] for one in said] == list("ahbcgdef")
    assert said[1] == "h: left undone: core: the callers: nobody came to it"
    assert said[6] == "e: 3 lines outside, in x.py"


PACKAGE = {
    "src/pkg/__init__.py": "",
    "src/pkg/shelf.py": "class Shelf:\n    def room(self) -> int:\n        return 3\n\n\n"
    "def first() -> Shelf:\n    return Shelf()\n",
    "src/pkg/use.py": "from pkg.shelf import first\n\n\ndef told():\n    return first().room()\n",
    "src/pkg/odd.py": "from pkg.shelf import first\n\nfirst().width\nraise OSError('not here')\n",
    "tests/test_use.py": "from pkg.use import told\n\n\ndef test_told():\n    assert told() == 3\n",
}


def test_judges_that_are_not_ours_find_what_a_result_breaks(tmp_path: Path) -> None:
    clone = tmp_path / "clone"

    def said(**changed: str) -> Counter[str]:
        for path, text in {**PACKAGE, **changed}.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_text(text)
        return judged(Path(sys.executable), clone, "src", tmp_path / "cache")

    before = said()
    assert [one.partition(":")[0] for one in sorted(before)] == ["import of pkg.odd", "mypy"]
    shelf = PACKAGE["src/pkg/shelf.py"]
    # A method that a value of a known type is asked for: no import of it, no call by its class.
    broken = said(**{"src/pkg/shelf.py": shelf.replace("def room", "def space")})
    assert new(before, broken, {}) == ['mypy: "Shelf" has no attribute "room" [attr-defined]']
    gone = said(**{"src/pkg/shelf.py": shelf.replace("def first", "def front")})
    found = new(before, gone, {})
    assert sum(one.startswith("import of pkg.use: ImportError") for one in found) == 1
    assert any('has no attribute "first"' in one for one in found)
    # What was said of a class before it had another name is not new.
    files = {path: text.replace("Shelf", "Rack") for path, text in PACKAGE.items()}
    renamed = said(**files)
    assert new(before, renamed, {}) and new(before, renamed, {"Shelf": "Rack"}) == []


def test_a_judge_that_comes_to_no_end_says_so(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("x = 1\n")
    with pytest.raises(Silent, match="mypy: "):
        judged(Path("/bin/false"), tmp_path, "src", tmp_path / "cache")


def test_names_that_a_plan_changes_are_told_by_its_renames_and_moves() -> None:
    plan = {
        "renames": [{"path": "a.py", "symbol": "A.f", "to": "g"}],
        "module_moves": [{"path": "src/p/a.py", "to": "src/p/b/__init__.py"}],
    }
    assert names_of(plan, "src") == {"f": "g", "p.a": "p.b"}
