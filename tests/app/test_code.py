"""What is derived from repositories, where it lies and how room is made for it."""

import os
from pathlib import Path

from app.code import cache_file, code_of, make_room
from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.git import open_repo
from tests.repo import Repo


def review_of(repo: Repo, home: Path) -> tuple[int, int, list[str]]:
    """Ask one thing of the code and one of the past; return how much there is to both."""
    with open_repo(repo.path) as opened:
        change = build_change(opened, repo.sha("HEAD~1"), repo.sha("HEAD"))
        with (
            LocalObjects(opened, change) as objects,
            code_of(opened, change, objects, home, cancelled=lambda: False, warm=True) as code,
        ):
            uses = code.context.references("total", "prices.py")
            assert code.history is not None
            past = code.history.history("prices.py")
            return uses.total, past.total, [each.subject for each in past.items]


def test_a_local_repository_answers_and_is_remembered(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    for name, text in {
        "prices.py": "def total(): pass\n",
        "cart.py": "from prices import total\ntotal()\n",
    }.items():
        repo.write(name, text)
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", f"add {name}")
    home = tmp_path / "home"
    assert review_of(repo, home) == (2, 1, ["add prices.py"])
    (kept,) = (home / "cache" / "context").glob("*.db")
    assert kept.stat().st_size > 0
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert review_of(repo, home) == (2, 1, ["add prices.py"])
    assert list((home / "cache" / "context").glob("*.db")) == [kept]


def test_each_repository_has_its_own_file(tmp_path: Path) -> None:
    one, other = cache_file(tmp_path, tmp_path / "a"), cache_file(tmp_path, tmp_path / "b")
    assert one != other
    assert one == cache_file(tmp_path, tmp_path / "x" / ".." / "a")


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    for age in range(5):
        file = tmp_path / f"{age}.db"
        file.write_bytes(b"x" * 1000)
        file.with_name(f"{age}.db-wal").write_bytes(b"x")
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    make_room(tmp_path, 2500)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0.db",
        "0.db-wal",
        "1.db",
        "1.db-wal",
    ]


def test_a_folder_that_is_not_there_needs_no_room(tmp_path: Path) -> None:
    make_room(tmp_path / "none", 0)
