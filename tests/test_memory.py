"""Where the tests write: in memory, where a container has room for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.memory import left_to_container

GB = 1 << 30
ROOT = Path(__file__).parent.parent
PYTHON = """#!/bin/sh
case "$1" in
tests/memory.py) mkdir "{place}" && echo "{place}" ;;
*) echo x > "$PYTEST_DEBUG_TEMPROOT/written" && exit {code} ;;
esac
"""


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("memory.max", "memory.current", "memory.stat"), "inactive_file"),
        (
            (
                "memory/memory.limit_in_bytes",
                "memory/memory.usage_in_bytes",
                "memory/memory.stat",
            ),
            "total_inactive_file",
        ),
    ],
)
def test_a_limit_of_the_container_counts(
    tmp_path: Path, names: tuple[str, str, str], kept: str
) -> None:
    (tmp_path / "memory").mkdir()
    for name, text in zip(names, (4 * GB, 3 * GB, f"anon {GB}\n{kept} {2 * GB}"), strict=True):
        (tmp_path / name).write_text(f"{text}\n")
    assert left_to_container(tmp_path) == 3 * GB


def test_no_limit_is_none(tmp_path: Path) -> None:
    assert left_to_container(tmp_path) == sys.maxsize
    for name, text in (("max", "max"), ("current", "5"), ("stat", "anon 5")):
        (tmp_path / f"memory.{name}").write_text(f"{text}\n")
    assert left_to_container(tmp_path) == sys.maxsize


@pytest.mark.parametrize(("code", "stays"), [(0, False), (1, True), (2, False)])
def test_make_leaves_what_failed_tests_wrote_and_nothing_else(
    tmp_path: Path, code: int, stays: bool
) -> None:
    place, python = tmp_path / "place", tmp_path / "python"
    python.write_text(PYTHON.format(place=place, code=code))
    python.chmod(0o755)
    there = [word for one in (".venv/.dev", ".make/npm/.installed") for word in ("-o", one)]
    command = ["make", "-C", str(ROOT), *there, "-o", "system-test-deps", f"BIN={tmp_path}", "test"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ran.returncode != 0) == (code != 0), ran.stderr
    assert (place / "written").exists() == stays == (str(place) in ran.stderr), ran.stderr
