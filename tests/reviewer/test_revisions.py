"""From what a user typed to two commits."""

from pathlib import Path

import pytest

from reviewer.errors import TellUser
from reviewer.git import open_repo
from reviewer.revisions import default_range, merge_bases, parse_range, resolve
from tests.repo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """main: 1-2; feature (checked out): 1-3."""
    repo = Repo(tmp_path / "repo")
    repo.write("a", "1\n")
    repo.commit("first")
    repo.git("branch", "feature")
    repo.write("b", "2\n")
    repo.commit("second")
    repo.git("checkout", "-q", "feature")
    repo.write("c", "3\n")
    repo.commit("third")
    return repo


def clone_of(repo: Repo, path: Path, *options: str) -> Repo:
    repo.git("clone", "-q", *options, f"file://{repo.path}", str(path))
    return Repo(path)


def default(repo: Repo) -> tuple[str, str]:
    with open_repo(repo.path) as opened:
        return default_range(opened)


def told(repo: Repo, text: str | None) -> TellUser:
    with open_repo(repo.path) as opened, pytest.raises(TellUser) as caught:
        if text is None:
            default_range(opened)
        else:
            parse_range(opened, text)
    return caught.value


@pytest.mark.parametrize("text", ["main..feature", "main...feature", "main", "main..", "main..."])
def test_ways_to_write_a_range(repo: Repo, text: str) -> None:
    with open_repo(repo.path) as opened:
        assert parse_range(opened, text) == (repo.sha("main"), repo.sha("feature"))


def test_a_range_may_begin_with_its_dots(repo: Repo) -> None:
    with open_repo(repo.path) as opened:
        assert parse_range(opened, "..main") == (repo.sha("feature"), repo.sha("main"))


@pytest.mark.parametrize(
    "text", ["main~1", "@", "HEAD", ":/first", "main@{0}", "v1", "v1^{commit}"]
)
def test_revisions_as_git_knows_them(repo: Repo, text: str) -> None:
    repo.git("tag", "-a", "-m", "a tag", "v1", "main")
    with open_repo(repo.path) as opened:
        assert resolve(opened, text) == repo.sha(f"{text}^0" if text[0] != ":" else "main~1")


def test_a_typo_is_named_with_what_is_close(repo: Repo) -> None:
    error = told(repo, "mian..feature")
    assert "'mian' names no commit" in error.problem
    assert "Did you mean 'main'?" in error.hint


@pytest.mark.parametrize(
    "text", ["--output=/tmp/pwned", "-h", "", "main..-x", "main\nfeature", "a\0b", "main..--all"]
)
def test_what_is_no_revision_never_reaches_git(repo: Repo, text: str) -> None:
    assert "is not a revision" in told(repo, text).problem


@pytest.mark.parametrize("text", ["HEAD:c", "HEAD^{tree}"])
def test_an_object_that_is_no_commit(repo: Repo, text: str) -> None:
    assert "is not a commit" in told(repo, text).problem


@pytest.mark.parametrize(
    "text", ["^main", "nope", "main feature", "\udcff\udcfe", "\x1b[31m", "x" * 9000]
)
def test_what_names_nothing_is_shown_harmlessly(repo: Repo, text: str) -> None:
    error = told(repo, text)
    assert "names no commit" in error.problem
    assert "\x1b" not in error.problem
    assert len(error.problem) < 300
    error.problem.encode()  # no surrogate is left


def test_a_commit_that_was_not_fetched(repo: Repo) -> None:
    error = told(repo, "1" * 40)
    assert "is not in this repository" in error.problem
    assert "fetch origin " + "1" * 40 in error.hint


def test_an_option_like_branch_can_be_named_by_its_full_name(repo: Repo) -> None:
    repo.git("update-ref", "refs/heads/-x", "main")
    with open_repo(repo.path) as opened:
        assert resolve(opened, "refs/heads/-x") == repo.sha("main")


def test_the_upstream_is_the_default_base(repo: Repo, tmp_path: Path) -> None:
    clone = clone_of(repo, tmp_path / "clone", "-b", "main")
    clone.git("checkout", "-q", "-b", "work", "--track", "origin/feature")
    clone.write("d", "4\n")
    head = clone.commit()
    assert default(clone) == (repo.sha("feature"), head)


def test_a_local_upstream_and_a_name_that_needs_quotes(repo: Repo) -> None:
    repo.git("branch", "main\"'é\N{SNOWMAN}", "main")
    repo.git("branch", "--set-upstream-to", "main\"'é\N{SNOWMAN}")
    repo.git("branch", "-D", "main")
    assert default(repo) == (repo.sha("main\"'é\N{SNOWMAN}"), repo.sha("feature"))


def test_a_pushed_branch_is_compared_with_the_default_branch(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "main")
    clone = clone_of(repo, tmp_path / "clone")
    clone.git("checkout", "-q", "feature")
    assert default(clone) == (repo.sha("main"), repo.sha("feature"))


def test_without_upstream_the_remotes_default_branch(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "-m", "main", "trunk")
    repo.git("checkout", "-q", "trunk")
    clone = clone_of(repo, tmp_path / "clone", "-o", "elsewhere")
    clone.git("checkout", "-q", "--no-track", "-b", "work", "elsewhere/feature")
    assert default(clone) == (repo.sha("trunk"), repo.sha("feature"))


def test_without_remotes_main_or_master(repo: Repo) -> None:
    assert default(repo) == (repo.sha("main"), repo.sha("feature"))
    repo.git("branch", "-m", "main", "master")
    assert default(repo) == (repo.sha("master"), repo.sha("feature"))


def test_a_detached_head_is_compared_with_main(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")
    assert default(repo) == (repo.sha("main"), repo.sha("feature"))


def test_a_branch_with_nothing_new_is_an_empty_change(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "main")
    clone = clone_of(repo, tmp_path / "clone")
    clone.git("branch", "master", "HEAD~1")  # a leftover that nobody means
    assert default(clone) == (repo.sha("main"), repo.sha("main"))
    clone.git("reset", "-q", "--hard", "HEAD~1")  # behind, and nothing of its own
    assert default(clone) == (repo.sha("main"), repo.sha("main~1"))


def test_no_commit_a_single_commit_and_no_other_branch(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "new")
    assert "no commits yet" in told(repo, None).problem
    repo.commit()
    error = told(repo, None)
    assert "only commit" in error.problem
    assert "HEAD~1..HEAD" in error.hint
    repo.commit()
    assert "HEAD~1..HEAD" in told(repo, None).hint


def test_a_clone_of_depth_one_is_told_how_to_deepen(repo: Repo, tmp_path: Path) -> None:
    clone = clone_of(repo, tmp_path / "clone", "--depth=1", "-b", "main")
    clone.git("checkout", "-q", "--detach")
    clone.git("remote", "remove", "origin")
    clone.git("branch", "-D", "main")
    assert "fetch --unshallow" in told(clone, None).hint


def test_merge_bases(repo: Repo) -> None:
    with open_repo(repo.path) as opened:
        main, feature = repo.sha("main"), repo.sha("feature")
        assert merge_bases(opened, main, feature) == [repo.sha("main~1")]
        orphan = repo.commit_tree(repo.sha("main^{tree}"), message="an orphan")
        assert merge_bases(opened, main, orphan) == []
