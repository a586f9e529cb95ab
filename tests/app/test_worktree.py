"""A patch in the work tree: all of it, or nothing, and never over what somebody has there."""

import errno
import os
from pathlib import Path

import pytest

from app import worktree
from app.worktree import apply
from reviewer.errors import TellUser
from reviewer.refactor.patch import Blob, Commit, FileEdit, Patch
from tests.repo import Repo

OLD, NEW = Blob(b"old\n"), Blob(b"new\n")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "work")
    made.write("a/one.py", OLD.data)
    made.write("a/two.py", OLD.data)
    made.write("b/three.py", OLD.data, 0o755)
    made.commit()
    return made


def patch(repo: Repo) -> Patch:
    """Edits one, removes two, edits three (a program), adds four and a program five."""
    program = Blob(OLD.data, "100755")
    edits = (
        FileEdit("a/one.py", OLD, NEW),
        FileEdit("a/two.py", OLD, None),
        FileEdit("b/three.py", program, Blob(NEW.data, "100755")),
        FileEdit("c/d/four.py", None, NEW),
        FileEdit("five.sh", None, Blob(NEW.data, "100755")),
    )
    return Patch(repo.sha("HEAD"), (Commit("m", "model", "x", edits),))


def files(repo: Repo) -> dict[str, tuple[bytes, bool]]:
    return {
        path.relative_to(repo.path).as_posix(): (path.read_bytes(), os.access(path, os.X_OK))
        for path in repo.path.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def test_everything_is_written_and_nothing_is_staged(repo: Repo) -> None:
    apply(patch(repo), str(repo.path / "a"))  # from within
    assert files(repo) == {
        "a/one.py": (b"new\n", False),
        "b/three.py": (b"new\n", True),
        "c/d/four.py": (b"new\n", False),
        "five.sh": (b"new\n", True),
    }
    assert repo.git("diff", "--cached", "--name-only") == b""


def test_a_folder_that_is_left_empty_goes(repo: Repo) -> None:
    edits = tuple(FileEdit(f"a/{name}.py", OLD, None) for name in ("one", "two"))
    apply(Patch(repo.sha("HEAD"), (Commit("m", "model", "x", edits),)), str(repo.path))
    assert not (repo.path / "a").exists()


CASES = (
    "edited", "staged", "removed", "mode", "link", "link to a folder", "there", "a link there",
    "a folder there", "a file in place of a folder", "another commit",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_written_where_somebody_has_something(
    case: str, repo: Repo, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.py"
    outside.write_bytes(OLD.data)
    made = patch(repo)
    match case:
        case "edited":
            repo.write("a/one.py", b"mine\n")
        case "staged":
            repo.write("a/one.py", b"mine\n")
            repo.git("add", "a/one.py")
            repo.write("a/one.py", OLD.data)
        case "removed":
            repo.remove("a/two.py")
        case "mode":
            (repo.path / "a/one.py").chmod(0o755)
        case "link":
            repo.link("a/one.py", str(outside))
        case "link to a folder":
            (repo.path / "a").rename(tmp_path / "real")
            (repo.path / "a").symlink_to(tmp_path / "real")
        case "there":
            repo.write("five.sh", b"mine\n")
        case "a link there":
            repo.link("five.sh", "nowhere")
        case "a folder there":
            repo.write("five.sh/x", b"mine\n")
        case "a file in place of a folder":
            repo.write("c", b"mine\n")
        case _:
            repo.git("commit", "-q", "--allow-empty", "-m", "later")
    before = files(repo)
    with pytest.raises(TellUser):
        apply(made, str(repo.path))
    assert files(repo) == before
    assert outside.read_bytes() == OLD.data


@pytest.mark.parametrize("fails_at", range(1, 6))
def test_a_disk_that_fails_halfway_leaves_everything_as_it_was(repo: Repo, fails_at: int) -> None:
    class Failing(worktree._Folders):
        left = fails_at

        def put(self, path: str, name: str | None) -> None:
            self.left -= 1
            if self.left == 0:
                raise OSError(errno.EIO, "Input/output error", path)
            super().put(path, name)

    before = files(repo)
    with Failing(repo.path) as folders, pytest.raises(TellUser, match="it is as it was"):
        worktree._write(patch(repo).changed, folders)
    assert files(repo) == before
    assert not (repo.path / "c").exists()


def test_a_full_disk_is_met_before_anything_is_in_place(repo: Repo) -> None:
    class Full(worktree._Folders):
        def stage(self, path: str, blob: Blob, known: int | None) -> str:
            if path == "five.sh":
                raise OSError(errno.ENOSPC, "No space left on device", path)
            return super().stage(path, blob, known)

    before = files(repo)
    with Full(repo.path) as folders, pytest.raises(TellUser, match="No space left"):
        worktree._write(patch(repo).changed, folders)
    assert files(repo) == before


@pytest.mark.parametrize("fails_at", range(1, 6))
def test_who_presses_ctrl_c_halfway_finds_everything_as_it_was(repo: Repo, fails_at: int) -> None:
    class Stopped(worktree._Folders):
        left = fails_at

        def put(self, path: str, name: str | None) -> None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            super().put(path, name)

    removed = repo.path / "a/two.py"
    removed.chmod(0o640)
    before = files(repo)
    with Stopped(repo.path) as folders, pytest.raises(KeyboardInterrupt):
        worktree._write(patch(repo).changed, folders)
    assert files(repo) == before
    assert removed.stat().st_mode & 0o777 == 0o640


def test_a_folder_in_the_place_of_a_file_is_left_to_git(repo: Repo) -> None:
    edits = (FileEdit("a/one.py", OLD, None), FileEdit("a/one.py/main.py", None, NEW))
    swap = Patch(repo.sha("HEAD"), (Commit("m", "model", "x", edits),))
    with pytest.raises(TellUser, match="change places"):
        apply(swap, str(repo.path))
    assert (repo.path / "a/one.py").read_bytes() == OLD.data
