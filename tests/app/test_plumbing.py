"""Commits and references through git's plumbing, and the trees that a refactoring comes to."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.plumbing import Author, Plumbing, author_of
from app.trees import GitTrees
from reviewer.errors import GiveUp
from reviewer.git import open_repo
from reviewer.refactor.patch import Blob, Commit, FileEdit, Patch
from reviewer.refactor.tree import Overlay
from tests.repo import Repo

ADA = Author("Ada", "ada@example.org")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = Repo(tmp_path_factory.mktemp("r") / "work")
    made.write("a.py", b"a\n")
    made.write("b/c.py", b"c\n", 0o755)
    made.link("link", "a.py")
    made.commit()
    return made


def plumbing(repo: Repo) -> Plumbing:
    return Plumbing(repo.path / ".git")


def of(*edits: FileEdit, message: str = "Say why") -> Commit:
    return Commit("m", "model", message, edits)


def test_the_repository_has_exactly_what_the_patch_says(repo: Repo) -> None:
    start = repo.sha("HEAD")
    first = of(FileEdit("a.py", Blob(b"a\n"), Blob(b"\r\n\xff")), FileEdit("n/x", None, Blob(b"")))
    second = of(FileEdit("b/c.py", Blob(b"c\n", "100755"), None), message="Line\n\n# kept\nWhy.")
    names = plumbing(repo).commits(start, [first, second], ADA)
    assert repo.git("ls-tree", "-r", "--name-only", names[1]) == b"a.py\nlink\nn/x"
    assert repo.git("cat-file", "blob", f"{names[1]}:a.py") == b"\r\n\xff"
    assert repo.git("log", "-1", "--format=%B", names[1]).strip() == b"Line\n\n# kept\nWhy."
    assert repo.git("rev-parse", f"{names[1]}~2").decode() == start
    assert repo.git("status", "--porcelain") == b""


def test_a_folder_takes_the_place_of_a_file(repo: Repo) -> None:
    edits = FileEdit("a.py", Blob(b"a\n"), None), FileEdit("a.py/x", None, Blob(b"x\n"))
    (name,) = plumbing(repo).commits(repo.sha("HEAD"), [of(*edits)], ADA)
    assert b"a.py/x" in repo.git("ls-tree", "-r", "--name-only", name)


def test_a_reference_is_made_once(repo: Repo) -> None:
    head = repo.sha("HEAD")
    plumbing(repo).create("refs/heads/once", head)
    with pytest.raises(GiveUp, match="exists"):
        plumbing(repo).create("refs/heads/once", head)
    with pytest.raises(GiveUp):
        plumbing(repo).create("refs/heads/once/more", head)
    with pytest.raises(GiveUp):
        plumbing(repo).create("refs/heads/none", "0" * 39 + "1")
    assert repo.git("branch", "--format=%(refname:short)").split() == [b"main", b"once"]


def test_who_commits_is_who_git_says_it_is(repo: Repo, tmp_path: Path) -> None:
    git_dir = repo.path / ".git"
    nobody = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "GIT_CONFIG_SYSTEM": "/dev/null"}
    assert author_of(git_dir, nobody) is None
    said = {**nobody, "GIT_AUTHOR_NAME": "A B", "GIT_AUTHOR_EMAIL": "a@b"}
    assert author_of(git_dir, said) == Author("A B", "a@b")
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = C\n\temail = c@d\n")
    assert author_of(git_dir, nobody) == Author("C", "c@d")


PATHS = st.sampled_from(["a.py", "b/c.py", "new.py", "b/new.py", "deep/er/x"])
STATES = st.dictionaries(PATHS, st.none() | st.binary(max_size=6).map(Blob), min_size=1)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STATES)
def test_the_tree_that_is_asked_about_is_the_one_that_is_committed(
    repo: Repo, state: dict[str, Blob | None]
) -> None:
    commit = repo.sha("HEAD")
    with open_repo(repo.path) as opened, GitTrees(opened, commit) as trees:
        overlay = Overlay(trees.start).over(state)
        edits = [
            FileEdit(path, Overlay(trees.start).blob(path), blob)
            for path, blob in sorted(overlay.files.items())
        ]
        patch = Patch(commit, (of(*edits),) if edits else ())
        names = plumbing(repo).commits(commit, patch.commits, ADA)
        with trees.tree(overlay.files) as tree:
            made = repo.git("ls-tree", "-r", names[-1] if names else commit)
            asked = "\n".join(
                f"{e.mode} blob {e.sha}\t{e.path}" for e in tree.objects.entries("", "head")
            )
            assert asked.encode() == made
            assert {f.path for f in tree.change.files} == set(overlay.files)


def test_nothing_is_written_to_the_repository_before_it_is_asked_for(tmp_path: Path) -> None:
    made = Repo(tmp_path / "r")
    made.write("a.py", b"a\n")
    commit = made.commit()
    before = {p: p.stat().st_mtime_ns for p in (made.path / ".git").rglob("*")}
    with open_repo(made.path) as opened, GitTrees(opened, commit) as trees:
        with trees.tree({"a.py": Blob(b"b\n")}):
            pass
        text = trees.mails(Patch(commit, (of(FileEdit("a.py", Blob(b"a\n"), Blob(b"b\n"))),)), ADA)
    assert b"Subject: [PATCH] Say why" in text and b"From: Ada <ada@example.org>" in text
    assert {p: p.stat().st_mtime_ns for p in (made.path / ".git").rglob("*")} == before


def test_submodules_and_links_are_known(tmp_path: Path) -> None:
    made = Repo(tmp_path / "r", "--object-format=sha256")
    made.write("a.py", b"a\n")
    made.link("link", "a.py")
    head = made.commit()
    made.git("update-index", "--add", "--cacheinfo", f"160000,{head},deps/other")
    made.git("commit", "-q", "-m", "a submodule")
    with open_repo(made.path) as opened, GitTrees(opened, made.sha("HEAD")) as trees:
        overlay = Overlay(trees.start)
        assert "submodule" in str(overlay.blocked("deps/other/x.py"))
        assert "symbolic link" in str(overlay.blocked("link"))
        assert overlay.has("deps/other") and overlay.blocked("deps/x.py") is None
        with trees.tree({"b.py": Blob(b"b\n")}) as tree:
            assert [file.path for file in tree.change.files] == ["b.py"]
