"""What `benchmarks/refactor.py` counts, on a package of two files."""

import json
from pathlib import Path
from typing import Any

from benchmarks.refactor import Row, _planned, missed
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


def test_each_bound_that_is_missed_is_said() -> None:
    assert missed([Row("whole", prompt=40_000, newly_failing=["t"]), *map(Row, "abcdefghi")]) == []
    rows = [
        Row("a", error="exit 2"),
        Row("b", unparsed=["x.py"]),
        Row("c", contracts=["x.py: gone"]),
        Row("d", prompt=40_001),
        Row("e", outside=3, outside_files=["x.py"]),
        Row("f", newly_failing=["t"]),
    ]
    said = missed(rows)
    assert [one[0] for one in said] == list("abcdef")
    assert said[4] == "e: 3 lines outside, in x.py"
