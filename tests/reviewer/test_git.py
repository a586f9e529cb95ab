"""Git on a repository's objects: what is found, what the repository cannot make it do, its bounds."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from reviewer.diff import build_change
from reviewer.errors import GiveUp, TellUser
from reviewer.git import GitRepo, Killed, MissingObject, once_more, open_repo
from reviewer.gitdir import find
from reviewer.revisions import parse_range, resolve
from tests.repo import Repo, mortal_git


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.write("src/a.py", "one\ntwo\nthree\n")
    repo.write("data.bin", b"\0\1\2")
    repo.commit("first")
    repo.write("src/a.py", "one\n2\nthree\n")
    repo.write("data.bin", b"\0\1\3")
    repo.commit("second")
    return repo


def patch_of(path: Path) -> bytes:
    with open_repo(path) as opened:
        return opened.run("diff", "HEAD~1", "HEAD")[1]


# --- where a repository is ----------------------------------------------------------------------


def test_a_folder_below_the_work_tree_is_in_the_repository(repo: Repo) -> None:
    with open_repo(repo.path / "src") as opened:
        assert resolve(opened, "HEAD") == repo.sha("HEAD")


def test_the_git_directory_itself_and_a_bare_repository(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    for path in (repo.path / ".git", repo.path / ".git" / "refs", tmp_path / "bare.git"):
        with open_repo(path) as opened:
            assert resolve(opened, "main") == repo.sha("HEAD")


def test_a_bare_repository_without_a_configuration_file(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    (tmp_path / "bare.git" / "config").unlink()
    with open_repo(tmp_path / "bare.git") as opened:
        assert resolve(opened, "main") == repo.sha("HEAD")


def test_a_linked_worktree_has_its_own_head(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"), "HEAD~1")
    (tmp_path / "linked" / "sub").mkdir()
    with open_repo(tmp_path / "linked" / "sub") as opened:
        assert resolve(opened, "HEAD") == repo.sha("HEAD~1")
        assert resolve(opened, "main") == repo.sha("HEAD")


def test_a_submodule_is_a_repository(repo: Repo, tmp_path: Path) -> None:
    outer = Repo(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo.path), "sub")
    with open_repo(tmp_path / "outer" / "sub") as opened:
        assert resolve(opened, "HEAD") == repo.sha("HEAD")


def test_a_detached_head_and_fetch_head(repo: Repo, tmp_path: Path) -> None:
    clone = Repo(tmp_path / "clone")
    clone.git("fetch", "-q", str(repo.path), "main")
    clone.git("checkout", "-q", "--detach", "FETCH_HEAD~1")
    with open_repo(clone.path) as opened:
        assert resolve(opened, "HEAD") == repo.sha("HEAD~1")
        assert resolve(opened, "FETCH_HEAD") == repo.sha("HEAD")


def test_objects_borrowed_from_another_repository_by_a_relative_path(
    repo: Repo, tmp_path: Path
) -> None:
    clone = Repo(tmp_path / "clone")
    alternates = tmp_path / "clone/.git/objects/info/alternates"
    alternates.write_text("../../../repo/.git/objects\n")
    with open_repo(clone.path) as opened:
        assert resolve(opened, repo.sha("HEAD")) == repo.sha("HEAD")


def test_sha256_objects(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", "--object-format=sha256")
    repo.write("a", "1\n")
    first = repo.commit()
    repo.write("a", "2\n")
    second = repo.commit()
    with open_repo(repo.path) as opened:
        assert len(first) == 64
        (file,) = build_change(opened, first, second).files
        assert (file.added, file.deleted) == (1, 1)


@pytest.mark.parametrize("what", ["nothing", "folder", "broken link"])
def test_no_repository_is_the_users_to_put_right(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "folder":
        path.mkdir()
    if what == "broken link":
        path.mkdir()
        (path / ".git").write_text("gitdir: /nowhere/at/all\n")
    with pytest.raises(TellUser) as told:
        open_repo(path)
    assert str(path) in told.value.problem
    assert "--repo" in told.value.hint


def test_a_damaged_configuration_is_named(repo: Repo) -> None:
    (repo.path / ".git" / "config").write_text("[core\n")
    with pytest.raises(TellUser, match="bad config line 1"):
        open_repo(repo.path)


def test_a_damaged_head_is_named(repo: Repo) -> None:
    (repo.path / ".git" / "HEAD").write_text("ref: refs/heads/x\n[core]\n")
    with pytest.raises(TellUser, match="HEAD is damaged"):
        open_repo(repo.path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("name", ["HEAD", "config", "packed-refs"])
def test_a_pipe_in_the_git_directory_is_not_waited_for(repo: Repo, name: str) -> None:
    repo.commit()
    place = repo.path / ".git" / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    if name == "HEAD":
        with pytest.raises(TellUser, match="damaged"):
            open_repo(repo.path)
        return
    with open_repo(repo.path) as opened:
        assert opened.run("rev-parse", "HEAD")[1].strip() == repo_head(opened)


def repo_head(opened: GitRepo) -> bytes:
    """Return the commit that the branch main names, as git's plumbing says it."""
    return opened.run("for-each-ref", "--format=%(objectname)", "refs/heads/main")[1].strip()


def test_a_repository_of_another_user_can_be_read(repo: Repo) -> None:
    expected = patch_of(repo.path)
    for place in (repo.path, repo.path / ".git"):
        os.chown(place, 12345, 12345)
    with pytest.raises(AssertionError, match="dubious ownership"):
        repo.git("log")  # git itself refuses
    assert patch_of(repo.path) == expected


def test_nothing_is_written_to_the_repository_and_nothing_is_left_behind(
    repo: Repo, tmp_path: Path
) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        return {
            path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in repo.path.rglob("*")
        }

    before = state()
    with open_repo(repo.path) as opened:
        home = opened._home
        build_change(opened, *parse_range(opened, "HEAD~1"))
        assert home.exists()
    assert not home.exists()
    assert state() == before


# --- what the repository cannot do --------------------------------------------------------------

PRESENTATION = {
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.renames": "copies",
    "diff.algorithm": "patience",
    "diff.context": "0",
    "diff.interHunkContext": "50",
    "diff.orderFile": "order",
    "diff.submodule": "log",
    "diff.wsErrorHighlight": "all",
    "diff.suppressBlankEmpty": "true",
    "diff.indentHeuristic": "false",
    "diff.ignoreSubmodules": "all",
    "diff.colorMoved": "zebra",
    "diff.relative": "true",
    "color.ui": "always",
    "color.diff": "always",
    "core.quotePath": "false",
    "core.bigFileThreshold": "1",
    "core.abbrev": "4",
    "core.pager": "tac",
}


def test_configuration_of_the_repository_does_not_change_the_diff(repo: Repo) -> None:
    expected = patch_of(repo.path)
    assert b"-two" in expected
    for key, value in PRESENTATION.items():
        repo.git("config", key, value)
    (repo.path / "order").write_text("*.py\n")
    assert repo.git("diff", "HEAD~1", "HEAD") != expected  # git itself obeys
    assert patch_of(repo.path) == expected


def test_no_program_that_the_repository_names_is_run(repo: Repo, tmp_path: Path) -> None:
    expected = patch_of(repo.path)
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 $@ >>{ran}\necho hidden\n")
    program.chmod(0o755)
    hooks = repo.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc", "post-checkout"):
        (hooks / hook).symlink_to(program)
    for key in (
        "diff.external",
        "diff.mine.command",
        "diff.mine.textconv",
        "filter.mine.smudge",
        "filter.mine.clean",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "credential.helper",
        "alias.diff",
    ):
        repo.git("config", key, str(program))
    attributes = "*.py diff=mine filter=mine\n"
    (repo.path / ".gitattributes").write_text(attributes)
    (repo.path / ".git" / "info" / "attributes").write_text(attributes)
    repo.git("--no-pager", "diff", "--ext-diff", "--textconv", "HEAD~1", "HEAD")
    assert ran.exists()  # git itself runs it
    ran.unlink()
    assert patch_of(repo.path) == expected
    with open_repo(repo.path) as opened:
        assert opened.run("grep", "-h", "2", "HEAD")[1] == b"2\n"
    assert not ran.exists()


@pytest.mark.parametrize("place", ["work tree", "index", "head", "info"])
def test_attributes_hide_nothing_and_binary_files_stay_binary(repo: Repo, place: str) -> None:
    expected = patch_of(repo.path)
    assert b"Binary files a/data.bin and b/data.bin differ" in expected
    attributes = "*.py -diff binary\n*.bin diff text\n"
    if place == "info":
        (repo.path / ".git" / "info" / "attributes").write_text(attributes)
    else:
        (repo.path / ".gitattributes").write_text(attributes)
    if place == "index":
        repo.git("add", ".gitattributes")
    if place == "head":
        tree = repo.git("rev-parse", "HEAD^{tree}")  # the same two commits, with attributes in both
        repo.git("add", ".gitattributes")
        repo.git("commit", "-q", "-m", "attributes")
        assert tree != repo.git("rev-parse", "HEAD^{tree}")
        with open_repo(repo.path) as opened:
            assert opened.run("diff", "HEAD~2", "HEAD~1")[1] == expected
            (a_py,) = [
                file
                for file in build_change(opened, *parse_range(opened, "HEAD~2..HEAD")).files
                if file.path == "src/a.py"
            ]
            assert (a_py.added, a_py.deleted) == (1, 1)
        return
    assert b"Binary files a/src/a.py" in repo.git("diff", "HEAD~1", "HEAD")  # git itself obeys
    assert patch_of(repo.path) == expected


def test_replaced_objects_are_seen_as_they_are(repo: Repo) -> None:
    expected = patch_of(repo.path)
    repo.git("replace", "HEAD", "HEAD~1")
    assert patch_of(repo.path) == expected


def test_git_sees_no_variable_of_ours(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cret")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'diff.noprefix'='true'")
    with open_repo(repo.path) as opened:
        with opened.start("cat-file", "--batch", stdin=-1) as process:
            environ = Path(f"/proc/{process.pid}/environ")
            if environ.exists():
                deadline = time.monotonic() + 5  # until exec, it is still our own
                while b"GIT_ALLOW_PROTOCOL" not in environ.read_bytes():
                    assert time.monotonic() < deadline
                assert b"s3cret" not in environ.read_bytes()
            process.communicate(b"", timeout=10)
        assert b"a/src/a.py" in opened.run("diff", "HEAD~1", "HEAD")[1]


def test_a_partial_clone_is_not_completed_behind_your_back(repo: Repo, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    repo.git("clone", "-q", "--filter=blob:none", f"file://{repo.path}", str(partial))
    (partial / ".git" / "config").write_text(
        (partial / ".git" / "config").read_text()
        + f'[remote "origin"]\n\tuploadpack = touch {ran}; git-upload-pack\n'
    )
    began = time.monotonic()
    with open_repo(partial) as opened, pytest.raises(MissingObject) as told:
        assert opened.is_partial
        build_change(opened, *parse_range(opened, "HEAD~1"))
    assert time.monotonic() - began < 10
    assert "partial clone" in told.value.problem
    assert "fetch --refetch --no-filter" in told.value.hint
    assert not ran.exists()


def test_a_missing_object_of_a_whole_clone_is_damage(repo: Repo) -> None:
    sha = repo.sha("HEAD~1:src/a.py")
    (repo.path / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    with open_repo(repo.path) as opened, pytest.raises(MissingObject, match="lacks an object"):
        build_change(opened, *parse_range(opened, "HEAD~1"))


# --- bounds -------------------------------------------------------------------------------------


def children_named(name: str) -> int:
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        count += f"({name})" in text and f" {os.getpid()} " in text.partition(")")[2][:30]
    return count


def bomb(repo: Repo, levels: int) -> str:
    """Make a commit of 10 ** levels files from a dozen objects."""
    inner = repo.git("hash-object", "-w", "--stdin", stdin=b"boom\n").decode()
    mode, kind = "100644", "blob"
    for _ in range(levels):
        listing = "".join(f"{mode} {kind} {inner}\tf{i}\n" for i in range(10))
        inner = repo.git("mktree", stdin=listing.encode()).decode()
        mode, kind = "040000", "tree"
    return repo.commit_tree(inner)


def test_git_is_killed_when_its_time_is_up(repo: Repo) -> None:
    head = bomb(repo, 9)
    with (
        open_repo(repo.path) as opened,
        tempfile.TemporaryFile() as spool,
        pytest.raises(GiveUp, match=r"git diff took longer than 0\.5 s"),
    ):
        opened.run_into(
            spool, "diff", opened.empty_tree, head, "--", timeout_s=0.5, max_bytes=1 << 30
        )
    assert children_named("git") == 0


def test_git_is_killed_when_it_prints_too_much(repo: Repo) -> None:
    head = bomb(repo, 5)
    args = ("ls-tree", "-r", head)
    with (
        open_repo(repo.path) as opened,
        tempfile.TemporaryFile() as spool,
        pytest.raises(GiveUp, match="printed more than 1 MiB"),
    ):
        opened.run_into(spool, *args, timeout_s=60, max_bytes=1 << 20)
    assert children_named("git") == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk_is_the_users_to_clear(repo: Repo) -> None:
    with (
        open_repo(repo.path) as opened,
        Path("/dev/full").open("wb") as full,
        pytest.raises(TellUser, match="no space left") as told,
    ):
        opened.run_into(full, "diff", "HEAD~1", "HEAD", "--", timeout_s=10, max_bytes=1 << 20)
    assert "TMPDIR" in told.value.hint


def test_a_reader_may_leave_a_stream_before_its_end(repo: Repo) -> None:
    head = bomb(repo, 7)
    began = time.monotonic()
    with open_repo(repo.path) as opened:
        with opened.stream("ls-tree", "-r", head, timeout_s=60) as pipe:
            assert pipe.readline().endswith(b"f0/f0/f0/f0/f0/f0/f0\n")
        assert children_named("git") == 0
        with (
            pytest.raises(GiveUp, match=r"longer than 0\.3 s"),
            opened.stream("ls-tree", "-r", head, timeout_s=0.3) as pipe,
        ):
            while pipe.read(1 << 16):
                pass
    assert time.monotonic() - began < 20


def test_a_failing_stream_says_why(repo: Repo) -> None:
    with (
        open_repo(repo.path) as opened,
        pytest.raises(GiveUp, match=r"git ls-tree failed: .*Not a valid object name"),
        opened.stream("ls-tree", "nonsense", timeout_s=10) as pipe,
    ):
        pipe.read()


@pytest.mark.parametrize("times", [1, 2])
def test_a_git_that_somebody_kills_is_asked_once_more(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, times: int
) -> None:
    expected = patch_of(repo.path)
    killer = mortal_git(tmp_path, "diff", times=times)
    monkeypatch.setenv("PATH", f"{killer}{os.pathsep}{os.environ['PATH']}")
    if times > 1:
        with pytest.raises(GiveUp, match="git diff was killed"):
            patch_of(repo.path)
        return
    assert patch_of(repo.path) == expected
    (killer / "died").unlink()
    with open_repo(repo.path) as opened, tempfile.TemporaryFile() as spool:
        spool.write(b"before ")
        spool.flush()
        args = ("diff", "HEAD~1", "HEAD")
        opened.run_into(spool, *args, timeout_s=60, max_bytes=1 << 20)
        spool.seek(0)
        assert spool.read() == b"before " + expected
    assert (killer / "died").read_text() == "x"


def test_questions_on_stdin_are_asked_again_from_the_first(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killer = mortal_git(tmp_path, "--batch-check")
    monkeypatch.setenv("PATH", f"{killer}{os.pathsep}{os.environ['PATH']}")
    with open_repo(repo.path) as opened, tempfile.TemporaryFile() as names:
        names.write(b"HEAD\nHEAD~1\n")
        names.seek(0)
        out = opened.run("cat-file", "--batch-check", stdin=names)[1]
    assert [line.split()[1] for line in out.splitlines()] == [b"commit", b"commit"]


def test_a_reader_whose_git_is_killed_is_told_and_may_read_again(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killer = mortal_git(tmp_path, "ls-tree", times=3)
    monkeypatch.setenv("PATH", f"{killer}{os.pathsep}{os.environ['PATH']}")
    with open_repo(repo.path) as opened:

        def names() -> list[str]:
            with opened.stream("ls-tree", "-r", "HEAD", timeout_s=10) as pipe:
                return [line.split()[3].decode() for line in pipe]  # of a line cut off: IndexError

        with pytest.raises(Killed):
            names()
        with pytest.raises(Killed):
            once_more(names)()
        assert once_more(names)() == ["data.bin", "src/a.py"]


def test_no_git_on_the_path(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TellUser, match="git was not found"):
        GitRepo(repo.path)


def test_find_follows_a_link_to_the_folder(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repo.path / "src")
    assert find(tmp_path / "link").own == (repo.path / ".git").resolve()
