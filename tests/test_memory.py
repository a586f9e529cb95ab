"""Where the tests write: in memory, where a container has room for it."""

import sys
from pathlib import Path

import pytest

from tests.memory import left_to_container

GB = 1 << 30


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
