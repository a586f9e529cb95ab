"""What .gitattributes call generated or vendored, held against what git itself says."""

import os
import subprocess
from pathlib import Path

import pytest

from reviewer.refactor.attributes import MAX_RULES, Attributes
from reviewer.refactor.protect import refused
from tests.reviewer.refactor.trees import overlay

ROOT = """\
# api is written by a tool
api/** linguist-generated=true
api/own/** -linguist-generated
*.gen.ts text linguist-generated
folder linguist-generated
slash/ linguist-generated
direct/* linguist-vendored
/top.py linguist-vendored=1
"with space/*.py" linguist-generated
no.py linguist-generated=false
back.py linguist-generated
back.py !linguist-generated
!not.py linguist-generated
[z-a] linguist-generated
lib/** linguist-vendored linguist-generated
lib/** -linguist-vendored
[ab]?.c linguist-generated
**/deep/**/x.h linguist-generated
*.py diff=python
# words.py linguist-generated
"""
NEARER = "*.gen.ts -linguist-generated\nx/*.py linguist-vendored\n/api/y.py linguist-generated\n"

PLAIN = """
    api/a.py api/b/c.py api/own/a.py other/api/a.py a.gen.ts sub/a.gen.ts sub/b/a.gen.ts folder
    folder/a.py slash/a.py direct/a.py direct/b/a.py top.py sub/top.py no.py back.py not.py
    lib/a.py a1.c x/b2.c c1.c deep/x.h a/deep/b/c/x.h x.h sub/x/a.py x/a.py sub/api/y.py words.py
"""
PATHS = [*PLAIN.split(), "with space/a.py"]


def test_it_is_read_as_git_reads_it(tmp_path: Path) -> None:
    files = {".gitattributes": ROOT, "sub/.gitattributes": NEARER}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    words = ("linguist-generated", "linguist-vendored")
    alone = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "init", "-q", tmp_path], check=True, env=alone)
    out = subprocess.run(
        ["git", "-C", tmp_path, "check-attr", "-z", *words, "--", *PATHS],
        check=True,
        capture_output=True,
        env=alone,
    ).stdout.decode()
    said = out.split("\0")[:-1]
    rows = zip(said[::3], said[1::3], said[2::3], strict=True)
    not_set = {"unset", "unspecified", "false"}
    theirs = {path for path, _, value in rows if value not in not_set}
    ours = Attributes((path, text.encode()) for path, text in files.items())
    assert {path for path in PATHS if ours.hands_off(path)} == theirs
    assert {"api/a.py", "sub/x/a.py", "lib/a.py"} <= theirs and "folder/a.py" not in theirs


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("api/client.py", "it is generated: .gitattributes says so"),
        ("api/new.py", "it is generated: .gitattributes says so"),
        ("direct/a.py", "it is vendored: .gitattributes says so"),
        ("src/a.py", None),
    ],
)
def test_such_files_are_not_written_nor_made(path: str, why: str | None) -> None:
    tree = overlay({".gitattributes": ROOT, "api/client.py": "", "direct/a.py": "", "src/a.py": ""})
    assert refused(path, tree) == why


def test_a_link_says_nothing_and_the_rest_of_a_flood_neither() -> None:
    linked = overlay({"a.py": ""}, links=[".gitattributes"])
    assert refused("a.py", linked) is None
    flood = "".join(f"f{number}.py linguist-generated\n" for number in range(MAX_RULES + 1))
    tree = overlay({".gitattributes": flood})
    assert refused(f"f{MAX_RULES - 1}.py", tree) and not refused(f"f{MAX_RULES}.py", tree)
    assert refused("a.py", overlay({".gitattributes": b"\xff\0 linguist-generated\n"})) is None
