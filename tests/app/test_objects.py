"""The two ends of a change, read from a real object store."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.objects import MAX_LINE_BYTES, LocalObjects
from reviewer.diff import build_change
from reviewer.errors import GiveUp
from reviewer.git import GitRepo, open_repo
from reviewer.ports import FileTooLarge, MissingBlob, NoSuchFile, NotAllSearched, Objects
from reviewer.text import decode
from tests.repo import Repo, mortal_git

NASTY = [b"with space", b"new\nline", b"tab\t", b'quo"te', b"back\\slash", b"\xff\xfe", b"-dash",
         b":(glob)*", b"*", "é".encode(), b"a:b"]  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """The base has other contents than the head, and main has moved on since."""
    repo = Repo(tmp_path / "repo")
    repo.write("src/a.py", "old = 1\n")
    repo.write("src/gone.py", "gone = 1\n")
    repo.commit()
    repo.git("branch", "feature")
    repo.write("src/a.py", "main = 1\n")
    repo.commit()
    repo.git("checkout", "-q", "feature")
    repo.write("src/a.py", "new = 1\nother = 2\n")
    repo.write("src/deep/b.py", "new = 3\n")
    repo.write("run.sh", "#!/bin/sh\n", 0o755)
    repo.write("srcs", "new = 4\n")
    repo.write("empty")
    repo.write("binary", b"\0new\n")
    repo.link("link", "src/a.py")
    repo.link("folder-link", "src")
    repo.link("outside", "/etc/passwd")
    repo.remove("src/gone.py")
    for name in NASTY:
        repo.write(b"nasty/" + name, b"needle " + name.replace(b"\n", b"") + b"\n")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.sha('main')},module")
    repo.git("add", "--all", ":!module")
    repo.git("commit", "-q", "-m", "head")
    return repo


def open_objects(repo: Repo, **options: Any) -> tuple[GitRepo, LocalObjects]:
    opened = open_repo(repo.path)
    change = build_change(opened, repo.sha("main"), repo.sha("feature"))
    return opened, LocalObjects(opened, change, **options)


@pytest.fixture
def objects(repo: Repo) -> Iterator[LocalObjects]:
    opened, found = open_objects(repo)
    with opened, found:
        yield found


def test_it_is_what_the_engine_asks_for(objects: LocalObjects) -> None:
    port: Objects = objects
    assert port.read("src/a.py") == b"new = 1\nother = 2\n"


def test_head_and_base_which_is_the_merge_base(objects: LocalObjects) -> None:
    assert objects.read("src/a.py", "head") == b"new = 1\nother = 2\n"
    assert objects.read("src/a.py", "base") == b"old = 1\n"
    assert objects.read("src/gone.py", "base") == b"gone = 1\n"
    with pytest.raises(NoSuchFile, match=r"There is no src/gone\.py at the head"):
        objects.read("src/gone.py")
    assert (objects.read("empty"), objects.read("binary")) == (b"", b"\0new\n")
    assert objects.read("run.sh") == b"#!/bin/sh\n"


@pytest.mark.parametrize("name", NASTY)
def test_names_of_any_bytes(objects: LocalObjects, name: bytes) -> None:
    path = "nasty/" + decode(name)
    assert objects.read(path).startswith(b"needle")
    (entry,) = objects.entries(path)
    assert entry.path == path
    (match,) = objects.grep("needle", under=path)
    assert (match.path, match.line) == (path, 1)


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../repo/src/a.py", "src/../src/a.py", "src/./a.py", "/etc/passwd", "/src/a.py",
        "src//a.py", "src/a.py/", "src\\a.py", "..\\src\\a.py", "src/a.py\0", "src\0/a.py", ".git/config",
        ".GIT/config", "src/.git/x", "src", "src/a.py/x", "link", "folder-link", "folder-link/a.py",
        "outside", "module", "module/x", "SRC/a.py", "src/a.py\n", ":src/a.py", "a" * 100_000,
        "x/" * 50_000, "HEAD:src/a.py", "--batch",
    ],
)  # fmt: skip
def test_what_is_no_regular_file_of_the_tree(objects: LocalObjects, path: str) -> None:
    with pytest.raises(NoSuchFile):
        objects.read(path)
    assert objects.read("src/a.py") == b"new = 1\nother = 2\n"  # and the next answer is right


@pytest.mark.parametrize(
    "path", ["..", "/", "src/..", ".git", "nope", "src\0", "module/x", "link/x"]
)
def test_no_folder_to_list_or_search(objects: LocalObjects, path: str) -> None:
    with pytest.raises(NoSuchFile):
        objects.entries(path)
    with pytest.raises(NoSuchFile):
        objects.grep("x", under=path)


def test_a_forged_tree_gives_nothing_under_forbidden_names(repo: Repo) -> None:
    blob = bytes.fromhex(repo.sha("feature:empty"))
    raw = b"".join(b"100644 %s\0%s" % (name, blob) for name in (b"..", b".git", b"a/b", b"ok"))
    tree = repo.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw).decode()
    repo.git("update-ref", "refs/heads/feature", repo.commit_tree(tree, repo.sha("main")))
    opened, objects = open_objects(repo)
    with opened, objects:
        assert objects.read("ok") == b""
        for path in ("..", ".git", "a/b"):
            with pytest.raises(NoSuchFile):
                objects.read(path)


def test_a_file_above_the_cap_is_not_read(repo: Repo) -> None:
    opened, objects = open_objects(repo, max_file_bytes=9)
    with opened, objects:
        assert objects.read("src/deep/b.py") == b"new = 3\n"
        with pytest.raises(FileTooLarge, match=r"src/a\.py: 18 bytes"):
            objects.read("src/a.py")
        with pytest.raises(FileTooLarge):
            objects.blob(repo.sha("feature:src/a.py"))
        assert objects.read("src/deep/b.py") == b"new = 3\n"


def test_after_a_huge_file_the_next_answer_is_right(repo: Repo) -> None:
    repo.write("huge", b"x" * 20_000_000)
    repo.commit()
    opened, objects = open_objects(repo)
    with opened, objects:
        for _ in range(3):
            with pytest.raises(FileTooLarge, match="huge: 20000000 bytes"):
                objects.read("huge")
            assert objects.read("src/deep/b.py") == b"new = 3\n"
            with pytest.raises(NoSuchFile, match="is no blob"):
                objects.blob(repo.sha("feature"))
            assert objects.read("src/a.py") == b"new = 1\nother = 2\n"


def test_blobs_by_name(repo: Repo, objects: LocalObjects) -> None:
    assert objects.blob(repo.sha("feature:src/a.py")) == b"new = 1\nother = 2\n"
    assert objects.blob(repo.sha("feature:outside")) == b"/etc/passwd"
    for other in (repo.sha("feature"), repo.sha("feature^{tree}")):
        with pytest.raises(NoSuchFile):
            objects.blob(other)
    with pytest.raises(MissingBlob):
        objects.blob("1" * 40)
    with pytest.raises(ValueError, match="object name"):
        objects.blob("HEAD:src/a.py")


def test_entries(repo: Repo, objects: LocalObjects) -> None:
    found = objects.entries()
    expected = repo.git("ls-tree", "-r", "-z", "--name-only", "feature").split(b"\0")[:-1]
    assert [entry.path for entry in found] == [decode(p) for p in expected if p != b"module"]
    by_path = {entry.path: entry for entry in found}
    assert (by_path["run.sh"].mode, by_path["run.sh"].size) == ("100755", 10)
    assert by_path["link"].mode == "120000"
    assert by_path["src/a.py"].sha == repo.sha("feature:src/a.py")
    assert [entry.path for entry in objects.entries("src")] == ["src/a.py", "src/deep/b.py"]
    assert objects.entries("src/") == objects.entries("src")
    assert [entry.path for entry in objects.entries(at="base")] == ["src/a.py", "src/gone.py"]
    found.clear()
    assert objects.entries() != []  # what was given away is a copy


def test_grep(objects: LocalObjects) -> None:
    def places(pattern: str, **options: Any) -> list[tuple[str, int, str]]:
        found = objects.grep(pattern, **options)
        return [(match.path, match.line, match.text) for match in found]

    assert places("^(new|other) = [12]$") == [
        ("src/a.py", 1, "new = 1"),
        ("src/a.py", 2, "other = 2"),
    ]
    assert [path for path, _, _ in places("^new")] == ["src/a.py", "src/deep/b.py", "srcs"]
    assert [path for path, _, _ in places("^new", under="src")] == ["src/a.py", "src/deep/b.py"]
    assert places("= 1", at="base") == [("src/a.py", 1, "old = 1"), ("src/gone.py", 1, "gone = 1")]
    assert places("other = [12]", literal=True) == []
    assert places("other = 2", literal=True) == [("src/a.py", 2, "other = 2")]
    assert places("nothing like it") == []
    assert places("--output=x") == places("-r") == []
    assert places("/etc/passwd") == []  # the target of a link is no text


def test_grep_stops_at_its_limit(objects: LocalObjects) -> None:
    assert len(objects.grep("needle")) == len(NASTY)
    assert len(objects.grep("needle", limit=3)) == 3
    assert objects.grep("needle", limit=0) == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "Unmatched"), ("[a", "brackets?|Unmatched"), ("a\nb", "one line"), ("a\0", "one line"), ("x" * 3000, "one line")],
)  # fmt: skip
def test_a_pattern_that_is_none(objects: LocalObjects, pattern: str, why: str) -> None:
    with pytest.raises(GiveUp, match=why):
        objects.grep(pattern)


def test_long_lines_are_cut_and_later_ones_are_whole(repo: Repo) -> None:
    repo.write("min.js", b"needle" + b"x" * 1_000_000 + b"\nsecond needle\0\xff\n")
    repo.commit()
    opened, objects = open_objects(repo)
    with opened, objects:
        first, second = objects.grep("needle", under="min.js")
        assert (len(first.text), first.line) == (MAX_LINE_BYTES, 1)
        assert (second.text, second.line) == ("second needle\0\udcff", 2)


def test_a_pattern_that_takes_for_ever_is_stopped(repo: Repo) -> None:
    repo.write("a.txt", ("a" * 40 + "b\n") * 2_000)
    repo.commit()
    opened, objects = open_objects(repo, grep_timeout_s=0.5)
    began = time.monotonic()
    with opened, objects, pytest.raises(GiveUp, match=r"longer than 0\.5 s"):
        objects.grep(r"^(a*)*(a*)*(a*)*\1\2\3c$", under="a.txt")
    assert time.monotonic() - began < 10


def test_many_threads_get_their_own_answers(repo: Repo) -> None:
    for i in range(200):
        repo.write(f"many/{i}", f"content {i}\n" * (i + 1))
    repo.commit()
    opened, objects = open_objects(repo)
    wrong: list[int] = []

    def read(start: int) -> None:
        for i in range(start, 200, 2):
            if objects.read(f"many/{i}") != f"content {i}\n".encode() * (i + 1):
                wrong.append(i)

    with opened, objects:
        threads = [threading.Thread(target=read, args=(i % 2,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
    assert wrong == []


def test_a_process_that_is_killed_costs_nothing(objects: LocalObjects) -> None:
    objects.read("src/a.py")
    batch = objects._cat._batch
    assert batch is not None
    batch._process.kill()
    batch._process.wait()
    assert objects.read("src/a.py") == b"new = 1\nother = 2\n"


def test_processes_that_die_each_time_are_given_up(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killer = mortal_git(tmp_path, "cat-file --batch", times=3)
    monkeypatch.setenv("PATH", f"{killer}{os.pathsep}{os.environ['PATH']}")
    opened, objects = open_objects(repo)
    with opened, objects:
        with pytest.raises(GiveUp, match="died"):
            objects.read("src/a.py")
        assert objects.read("src/a.py") == b"new = 1\nother = 2\n"


@pytest.mark.parametrize("command", ["ls-tree", "grep"])
def test_a_listing_or_search_whose_git_is_killed_is_made_again(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    opened, objects = open_objects(repo)
    with opened, objects:
        expected = objects.entries(), objects.grep("new")
    killer = mortal_git(tmp_path, command)
    monkeypatch.setenv("PATH", f"{killer}{os.pathsep}{os.environ['PATH']}")
    opened, objects = open_objects(repo)
    with opened, objects:
        assert (objects.entries(), objects.grep("new")) == expected
    assert (killer / "died").read_text() == "x"


def test_closing_ends_the_processes_and_may_be_done_twice(objects: LocalObjects) -> None:
    objects.read("src/a.py")
    batch = objects._cat._batch
    assert batch is not None
    objects.close()
    objects.close()
    assert batch._process.poll() is not None
    assert objects.read("src/a.py") == b"new = 1\nother = 2\n"


def test_what_a_partial_clone_lacks_is_missing(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    repo.git(
        "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(partial)
    )
    with open_repo(partial) as opened:
        head = repo.sha("feature")
        change = build_change(opened, head, head)
        with LocalObjects(opened, change) as objects:
            with pytest.raises(MissingBlob, match="not in this repository's object store"):
                objects.read("src/a.py")
            assert {entry.size for entry in objects.entries("src")} == {-1}
            with pytest.raises(GiveUp, match="Not all files can be searched"):
                objects.grep("new")
            with pytest.raises(GiveUp, match="Not all files can be searched"):
                objects.grep("^#!|new", limit=1)


def test_a_file_that_a_damaged_store_lacks_hides_no_match_elsewhere(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    for path in ("a.py", "b/c.py", "b/new\nline", "b/*"):
        repo.write(path, f"needle of {path}\n" * 3)
    base = repo.commit("base")
    repo.write("a.py", "needle = 1\n")
    head = repo.commit("head")
    for path in ("b/*", "b/new\nline"):
        sha = decode(repo.git("rev-parse", f"HEAD:{path}")).strip()
        (repo.path / ".git/objects" / sha[:2] / sha[2:]).unlink()
    with (
        open_repo(repo.path) as opened,
        LocalObjects(opened, build_change(opened, base, head)) as has,
    ):
        with pytest.raises(NotAllSearched, match=r"lacks 'b/\*' and 1 more") as caught:
            has.grep("needle")
        assert [match.path for match in caught.value.matches] == ["a.py", *["b/c.py"] * 3]
        with pytest.raises(NotAllSearched) as caught:
            has.grep("needle", under="b", limit=2)
        assert [match.path for match in caught.value.matches] == ["b/c.py"] * 2
        assert [match.path for match in has.grep("needle", under="a.py")] == ["a.py"]


def test_sha256_objects(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo", "--object-format=sha256")
    repo.write("a/b", "1\n")
    repo.commit()
    repo.git("branch", "feature")
    opened, objects = open_objects(repo)
    with opened, objects:
        assert objects.read("a/b") == b"1\n"
        assert [entry.path for entry in objects.entries()] == ["a/b"]
