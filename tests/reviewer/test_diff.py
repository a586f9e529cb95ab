"""A change built by git from real repositories, checked against git's own words and the blobs."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from reviewer.change import Change, FileChange, Hunk, Kind, Status
from reviewer.diff import RENAME_LIMIT, build_change
from reviewer.errors import TellUser
from reviewer.git import open_repo
from reviewer.text import decode, encode
from tests.repo import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


def change_of(repo: Repo, base: str = "HEAD~1", head: str = "HEAD") -> Change:
    with open_repo(repo.path) as opened:
        return build_change(opened, repo.sha(base), repo.sha(head))


def only(change: Change) -> FileChange:
    (file,) = change.files
    return file


def apply(hunks: tuple[Hunk, ...], base: bytes) -> bytes:
    """Apply hunks to a file as `patch` would, insisting that all they say of it is true."""
    lines = base.split(b"\n")
    old = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    new: list[bytes] = []
    at = 0
    for hunk in hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        assert start >= at
        new += old[at:start]
        at = start
        assert hunk.new_start == len(new) + (1 if hunk.new_count else 0)
        for line in hunk.lines:
            raw = encode(line.text) + (b"\n" if line.newline else b"")
            if line.kind != "+":
                assert old[at] == raw
                at += 1
                assert line.old == at
            if line.kind != "-":
                new.append(raw)
                assert line.new == len(new)
    return b"".join(new + old[at:])


def blobs(repo: Repo, change: Change) -> dict[str | None, bytes]:
    """Return the content of every blob of a change, by object name; None stands for no file."""
    names = {
        sha
        for file in change.files
        for sha, mode in ((file.old_sha, file.old_mode), (file.new_sha, file.new_mode))
        if sha is not None and mode != "160000"
    }
    out = (
        repo.git("cat-file", "--batch", stdin="".join(f"{sha}\n" for sha in names).encode()) + b"\n"
    )
    found: dict[str | None, bytes] = {None: b""}
    while out.strip():
        head, _, out = out.partition(b"\n")
        sha, _, size = head.decode().split()
        found[sha], out = out[: int(size)], out[int(size) + 1 :]
    return found


def assert_true_to_git(repo: Repo, change: Change) -> None:
    """Compare everything with git's other outputs and with the blobs themselves."""
    args = ("-M50%", f"-l{RENAME_LIMIT}", "-z", change.merge_base, change.head)
    numstat = {}
    fields = iter(repo.git("diff", "--numstat", *args).split(b"\0")[:-1])
    for field in fields:
        added, deleted, path = field.split(b"\t", 2)
        if not path:
            next(fields)
            path = next(fields)
        numstat[decode(path)] = (added, deleted)
    assert [file.path for file in change.files] == list(numstat)
    patch = own_patch_lines(repo, change)
    content = blobs(repo, change)
    for file in change.files:
        assert file.kind is not Kind.BROKEN
        assert len(file.hunks) == file.hunk_count
        kinds = [line.kind for hunk in file.hunks for line in hunk.lines]
        assert (file.added, file.deleted) == (kinds.count("+"), kinds.count("-"))
        if file.kind is Kind.BINARY:
            assert numstat[file.path] == (b"-", b"-")
        if file.status is Status.TYPE_CHANGED:  # git's numstat compares the two all the same
            for side in ("old", "new"):
                assert_whole(file, side, content)
        elif file.kind in (Kind.TEXT, Kind.SYMLINK):
            assert (b"%d" % file.added, b"%d" % file.deleted) == numstat[file.path]
            assert apply(file.hunks, content[file.old_sha]) == content[file.new_sha]
        else:
            assert file.hunks == ()
        if "160000" not in (file.old_mode, file.new_mode):
            assert file.commentable == patch[file.path]
            assert all(
                file.takes_comment(side, n, n)
                for side, numbers in patch[file.path].items()
                for n in numbers
            )
        ids = [hunk.id for hunk in file.hunks]
        assert len(set(ids)) == len(ids)


def assert_whole(file: FileChange, side: str, content: dict[str | None, bytes]) -> None:
    """One end of a change of type: its hunks, where it has any, are all of its content."""
    is_old = side == "old"
    hunks = tuple(hunk for hunk in file.hunks if (hunk.new_count == 0) == is_old)
    if not hunks:
        return
    whole = content[file.old_sha if is_old else file.new_sha]
    assert apply(hunks, whole if is_old else b"") == (b"" if is_old else whole)


def own_patch_lines(repo: Repo, change: Change) -> dict[str, dict[str, frozenset[int]]]:
    """Return the numbers of the lines of git's own patch, counting lines as a reader would."""
    out = repo.git(
        "diff", "-U3", "-M50%", f"-l{RENAME_LIMIT}", change.merge_base, change.head, "--"
    )
    owners = iter(
        file.path for file in change.files for _ in range(1 + (file.status is Status.TYPE_CHANGED))
    )
    found: dict[str, dict[str, set[int]]] = {}
    mine: dict[str, set[int]] = {}
    old = new = left_old = left_new = 0
    for line in out.split(b"\n"):
        sign = line[:1]
        if sign == b"\\":
            continue
        if left_old or left_new:
            if sign in (b" ", b"-"):
                mine["LEFT"].add(old)
                old, left_old = old + 1, left_old - 1
            if sign in (b" ", b"+"):
                mine["RIGHT"].add(new)
                new, left_new = new + 1, left_new - 1
        elif line.startswith(b"diff --git "):
            mine = found.setdefault(next(owners), {"LEFT": set(), "RIGHT": set()})
        elif header := re.match(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            old, new = int(header[1]), int(header[3])
            left_old, left_new = int(header[2] or 1), int(header[4] or 1)
    assert next(owners, None) is None
    return {
        path: {side: frozenset(numbers) for side, numbers in sides.items()}
        for path, sides in found.items()
    }


# --- names --------------------------------------------------------------------------------------

NAMES = [
    b"with space", b'quo"te', b"tab\there", b"new\nline", b"a b/a b/a", b"x b/x", b"back\\slash",
    "non-ascii-é-\N{SNOWMAN}".encode(), b"not-utf8-\xff\xfe", b"-dash", b":(glob)*", b"*", b"trailing ",
    b" leading", b"cr\rname", b"\x1b[31m", b"b/b/b", b"=> {a => b}", b"diff --git a/x b/x", b"@@ -1 +1 @@",
    "right-to-left-\u202e-mark".encode(), b"dev/null", b"deep/er/and/deeper/" + b"n" * 200,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_bytes_costs_no_other_file(repo: Repo, name: bytes) -> None:
    for path in (b"aa", name, b"zz"):
        repo.write(path, b"1\n2\n3\n")
    repo.commit()
    for path in (b"aa", name, b"zz"):
        repo.write(path, b"1\ntwo\n3\n")
    repo.commit()
    change = change_of(repo)
    assert {file.path for file in change.files} == {"aa", decode(name), "zz"}
    assert all((file.added, file.deleted) == (1, 1) for file in change.files)
    assert_true_to_git(repo, change)


def test_all_names_at_once_renamed(repo: Repo) -> None:
    for number, name in enumerate(NAMES):
        repo.write(name, b"%d\n" % number * 20)
    repo.commit()
    for number, name in enumerate(NAMES):
        repo.remove(name)
        repo.write(b"renamed/" + name, b"%d\n" % number * 20 + b"more\n")
    repo.commit()
    change = change_of(repo)
    assert {file.status for file in change.files} == {Status.RENAMED}
    assert {file.old_path for file in change.files} == {decode(name) for name in NAMES}
    assert all(file.similarity and 50 <= file.similarity < 100 for file in change.files)
    assert_true_to_git(repo, change)


# --- contents -----------------------------------------------------------------------------------

CONTENTS = {
    "crlf": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    "crlf to lf": (b"a\r\nb\r\n", b"a\nb\n"),
    "lone cr": (b"a\rb\rc\nd\n", b"a\rB\rc\nd\n"),
    "unicode separators": ("a\u2028b\u2029c\x85d\x0ce\n".encode(), "a\u2028b\u2029C\x85d\x0ce\n".encode()),
    "not utf-8": (b"\xff\xfe caf\xe9\n\x80\n", b"\xff\xfe caf\xe8\n\x80\n"),
    "no newline at the end": (b"a\nb", b"a\nc"),
    "a newline comes": (b"a\nb", b"a\nb\n"),
    "a newline goes": (b"a\nb\n", b"a\nb"),
    "like headers": (b"-- a/x\n++ b/x\nx\n@@ -1 +1 @@\n", b"++ b/x\ndiff --git a/x b/x\n@@ -1 +1 @@\n-- y\n"),
    "like markers": (b"\\ No newline at end of file\n", b"\\ No newline at end of file\nmore"),
    "like binary": (b"Binary files a/x and b/x differ\n", b"GIT binary patch\n"),
    "blank lines": (b"\n\n\n\n\n", b"\n\nx\n\n\n\n"),
    "to empty": (b"a\n", b""),
    "from empty": (b"", b"a\n"),
    "one long line": (b"a" * 300_000, b"a" * 299_999 + b"b"),
    "late nul": (b"a\n" * 5000 + b"\0\n", b"b\n" + b"a\n" * 4999 + b"\0\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTENTS)
def test_contents(repo: Repo, case: str) -> None:
    old, new = CONTENTS[case]
    repo.write("f", old)
    repo.commit()
    repo.write("f", new)
    repo.commit()
    change = change_of(repo)
    assert only(change).kind is Kind.TEXT
    assert_true_to_git(repo, change)


def test_forty_thousand_lines_in_one_hunk(repo: Repo) -> None:
    repo.write("f", "".join(f"old {i}\n" for i in range(40_000)))
    repo.commit()
    repo.write("f", "".join(f"new {i}\n" for i in range(40_000)))
    repo.commit()
    change = change_of(repo)
    assert (only(change).hunk_count, only(change).added, only(change).deleted) == (
        1,
        40_000,
        40_000,
    )
    assert_true_to_git(repo, change)


def test_twenty_megabytes(repo: Repo) -> None:
    repo.commit()
    lines = [f"line {i} of a very large file, and not the last\n" for i in range(200_000)]
    repo.write("big", "".join(lines))
    for i in range(10):
        repo.write(f"dir{i}/f", "".join(lines[i * 20_000 : (i + 1) * 20_000]))
    repo.commit()
    change = change_of(repo)
    assert sum(file.added for file in change.files) == 400_000
    big = change.by_path["big"].hunks[0].lines
    assert "".join(line.text + "\n" for line in big) == "".join(lines)


# --- kinds --------------------------------------------------------------------------------------


def test_kinds_that_have_no_hunks(repo: Repo) -> None:
    repo.write("mode", "#!/bin/sh\n")
    repo.write("moved", "1\n2\n3\n")
    repo.write("moved-and-mode", "4\n5\n6\n")
    repo.write("gone-empty")
    repo.write("binary", b"\0\1")
    repo.write("gone-binary", b"\0\2")
    repo.commit()
    repo.write("mode", "#!/bin/sh\n", 0o755)
    (repo.path / "moved").rename(repo.path / "elsewhere")
    repo.remove("moved-and-mode")
    repo.write("elsewhere-and-mode", "4\n5\n6\n", 0o755)
    repo.remove("gone-empty")
    repo.remove("gone-binary")
    repo.write("new-binary", b"\0\3")
    repo.write("binary", b"\0\4")
    repo.commit()
    change = change_of(repo)
    assert {(file.path, file.kind, file.status) for file in change.files} == {
        ("mode", Kind.MODE_ONLY, Status.MODIFIED),
        ("elsewhere", Kind.RENAME_ONLY, Status.RENAMED),
        ("elsewhere-and-mode", Kind.RENAME_ONLY, Status.RENAMED),
        ("gone-empty", Kind.EMPTY, Status.DELETED),
        ("binary", Kind.BINARY, Status.MODIFIED),
        ("gone-binary", Kind.BINARY, Status.DELETED),
        ("new-binary", Kind.BINARY, Status.ADDED),
    }
    files = change.by_path
    assert (files["mode"].old_mode, files["mode"].new_mode) == ("100644", "100755")
    assert files["elsewhere"].similarity == 100
    assert (files["elsewhere"].old_path, files["elsewhere"].new_path) == ("moved", "elsewhere")
    assert (files["new-binary"].old_sha, files["new-binary"].old_mode) == (None, None)
    assert (files["gone-binary"].new_sha, files["gone-binary"].new_path) == (None, None)
    assert_true_to_git(repo, change)


def test_an_empty_file_comes(repo: Repo) -> None:
    repo.commit()
    repo.write("empty")
    repo.commit()
    file = only(change_of(repo))
    assert (file.kind, file.status, file.hunks) == (Kind.EMPTY, Status.ADDED, ())


def test_symlinks(repo: Repo) -> None:
    repo.link("link", "there")
    repo.link("gone", "there")
    repo.commit()
    repo.link("link", "else\nwhere")
    repo.link("new", b"\xff")
    repo.remove("gone")
    repo.commit()
    change = change_of(repo)
    assert {file.kind for file in change.files} == {Kind.SYMLINK}
    assert_true_to_git(repo, change)


def submodule(repo: Repo, path: str, sha: str) -> None:
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{path}")
    repo.git("commit", "-q", "-m", "a submodule")


def test_submodules(repo: Repo) -> None:
    first = repo.commit()
    submodule(repo, "sub", first)
    assert only(change_of(repo)).kind is Kind.SUBMODULE
    submodule(repo, "sub", repo.sha("HEAD"))
    file = only(change_of(repo))
    assert (file.kind, file.old_sha, file.hunks) == (Kind.SUBMODULE, first, ())
    assert_true_to_git(repo, change_of(repo))


ENDS = {
    "file": ("100644", b"text\n"),
    "link": ("120000", b"target"),
    "module": ("160000", None),
    "binary": ("100644", b"\0\1"),
    "empty": ("100644", b""),
}


@pytest.mark.parametrize(
    ("old", "new", "kind", "hunk_count"),
    [
        ("file", "link", Kind.SYMLINK, 2),
        ("link", "file", Kind.TEXT, 2),
        ("file", "module", Kind.TEXT, 1),
        ("module", "file", Kind.TEXT, 1),
        ("link", "module", Kind.SYMLINK, 1),
        ("module", "link", Kind.SYMLINK, 1),
        ("binary", "link", Kind.SYMLINK, 1),
        ("link", "binary", Kind.SYMLINK, 1),
        ("binary", "module", Kind.SUBMODULE, 0),
        ("module", "binary", Kind.BINARY, 0),
        ("empty", "link", Kind.SYMLINK, 1),
        ("link", "empty", Kind.SYMLINK, 1),
        ("empty", "module", Kind.SUBMODULE, 0),
        ("module", "empty", Kind.EMPTY, 0),
    ],
)
def test_a_change_of_type_between_two_others(
    repo: Repo, old: str, new: str, kind: Kind, hunk_count: int
) -> None:
    commit = repo.commit()

    def tree(end: str) -> str:
        mode, content = ENDS[end]
        sha = commit
        if content is not None:
            sha = repo.git("hash-object", "-w", "--stdin", stdin=content).decode()
        around = repo.git("hash-object", "-w", "--stdin", stdin=end.encode()).decode()
        listing = f"100644 blob {around}\ta\n{mode} {'commit' if content is None else 'blob'} {sha}\tm\n100644 blob {around}\tz\n"
        return repo.git("mktree", "--missing", stdin=listing.encode()).decode()

    base = repo.commit_tree(tree(old))
    head = repo.commit_tree(tree(new), base)
    change = change_of(repo, base, head)
    file = change.by_path["m"]
    assert (file.status, file.kind, file.hunk_count) == (Status.TYPE_CHANGED, kind, hunk_count)
    assert change.by_path["a"].added == change.by_path["z"].added == 1
    assert_true_to_git(repo, change)


def test_a_file_and_a_link_that_share_their_blob(repo: Repo) -> None:
    repo.write("f", "target")
    repo.commit()
    repo.link("f", "target")
    repo.commit()
    file = only(change_of(repo))
    assert file.old_sha == file.new_sha
    assert (file.kind, file.hunk_count) == (Kind.SYMLINK, 2)


def test_a_tree_that_somebody_forged(repo: Repo) -> None:
    sha = repo.git("hash-object", "-w", "--stdin", stdin=b"x\n").decode()
    raw = b"".join(
        b"100644 %s\0%s" % (name, bytes.fromhex(sha))
        for name in (b"..", b".git", b"a/b", b"same", b"same")
    )
    tree = repo.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=raw).decode()
    base = repo.commit()
    change = change_of(repo, base, repo.commit_tree(tree, base))
    assert [file.path for file in change.files] == ["..", ".git", "a/b", "same", "same"]
    assert all(file.kind is Kind.TEXT and file.added == 1 for file in change.files)


# --- which two commits --------------------------------------------------------------------------


def test_the_difference_is_from_the_merge_base(repo: Repo) -> None:
    repo.write("a", "1\n")
    first = repo.commit()
    repo.git("branch", "feature")
    repo.write("a", "changed on main\n")
    repo.commit()
    repo.git("checkout", "-q", "feature")
    repo.write("b", "2\n")
    repo.commit()
    change = change_of(repo, "main", "feature")
    assert (change.base, change.merge_base, change.notes) == (repo.sha("main"), first, ())
    assert only(change).path == "b"


def test_no_difference(repo: Repo) -> None:
    repo.commit()
    repo.commit()
    assert change_of(repo).files == ()
    assert change_of(repo, "HEAD", "HEAD").files == ()


def test_an_unrelated_history_is_compared_directly_and_said_so(repo: Repo) -> None:
    repo.write("a", "1\n")
    repo.commit()
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("rm", "-rfq", ".")
    repo.write("b", "other\n")
    repo.commit()
    change = change_of(repo, "main", "other")
    assert {(file.path, file.status) for file in change.files} == {
        ("a", Status.DELETED),
        ("b", Status.ADDED),
    }
    assert change.merge_base == change.base
    assert "no common ancestor" in change.notes[0]


def test_several_merge_bases_are_said(repo: Repo) -> None:
    tree = repo.git("mktree", stdin=b"").decode()
    root = repo.commit_tree(tree)
    one, two = (repo.commit_tree(tree, root, message=name) for name in ("one", "two"))
    left, right = (
        repo.commit_tree(tree, *pair, message=m)
        for pair, m in (((one, two), "l"), ((two, one), "r"))
    )
    change = change_of(repo, left, right)
    assert change.merge_base in (one, two)
    assert "2 nearest common ancestors" in change.notes[0]


def test_a_shallow_clone_without_the_merge_base(repo: Repo, tmp_path: Path) -> None:
    repo.commit()
    repo.git("branch", "feature")
    repo.write("a", "1\n")
    repo.commit()
    repo.git("checkout", "-q", "feature")
    repo.write("b", "1\n")
    repo.commit()
    repo.git(
        "clone",
        "-q",
        "--depth=1",
        "--no-single-branch",
        f"file://{repo.path}",
        str(tmp_path / "it's"),
    )
    clone = Repo(tmp_path / "it's")
    with pytest.raises(TellUser) as told:
        change_of(clone, "origin/main", "origin/feature")
    assert "shallow" in told.value.problem
    command = told.value.hint.partition("`")[2].partition("`")[0]
    assert command.endswith("fetch --unshallow")
    import shlex

    clone.git(*shlex.split(command)[1:])  # what we told the user to run works
    assert only(change_of(clone, "origin/main", "origin/feature")).path == "b"


def test_a_shallow_clone_that_reaches_back_far_enough(repo: Repo, tmp_path: Path) -> None:
    for i in range(4):
        repo.write("a", f"{i}\n")
        repo.commit()
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "clone"))
    assert only(change_of(Repo(tmp_path / "clone"))).added == 1


def test_renames_beyond_the_limit_are_said(repo: Repo) -> None:
    count = RENAME_LIMIT + 1
    for i in range(count):
        repo.write(f"old/{i}", f"{i}\n" * 5)
    repo.commit()
    (repo.path / "old").rename(repo.path / "new")
    for i in range(count):
        (repo.path / f"new/{i}").unlink()
        repo.write(f"new/n{i}", f"{i}\n" * 5 + "more\n")
    repo.commit()
    change = change_of(repo)
    assert {file.status for file in change.files} == {Status.ADDED, Status.DELETED}
    assert "renamed" in change.notes[0]


@pytest.mark.parametrize("name", ["HEAD", "--output=x", "abc", ""])
def test_only_full_object_names(repo: Repo, name: str) -> None:
    head = repo.commit()
    with open_repo(repo.path) as opened, pytest.raises(ValueError, match="object name"):
        build_change(opened, head, name)


def test_a_change_outlives_its_repository(repo: Repo) -> None:
    repo.write("a", "1\n")
    repo.commit()
    repo.write("a", "2\n")
    repo.commit()
    with open_repo(repo.path) as opened:
        change = build_change(opened, repo.sha("HEAD~1"), repo.sha("HEAD"))
    assert [line.text for line in only(change).hunks[0].lines] == ["1", "2"]


# --- any history --------------------------------------------------------------------------------

LINE = st.sampled_from(
    [b"", b"a", b"b", b"}", b"-- a/x", b"++ b/x", b"@@ -1 +1 @@", b"diff --git a/x b/x", b"\r", b"x\r",
     b"\\ No newline at end of file", "\u2028".encode(), b"\xff\xfe", b"\x0c", b"\x85", b" lead", b"\t"]
) | st.binary(max_size=6).map(lambda raw: raw.replace(b"\n", b""))  # fmt: skip

CONTENT = st.builds(
    lambda lines, end: b"\n".join(lines) + end,
    st.lists(LINE, max_size=30),
    st.sampled_from([b"", b"\n", b"\n\n"]),
)

NAME = st.sampled_from([b"a", b"b b/b", b"c\nc", b'd"\\', b"e/f", b"e/g h", b"\xff", "é".encode()])

MODE = st.sampled_from([b"100644", b"100755", b"120000"])

TREE = st.dictionaries(NAME, st.tuples(MODE, CONTENT), max_size=6)


@st.composite
def histories(draw: st.DrawFn) -> Iterator[dict[bytes, tuple[bytes, bytes]]]:
    """Return two trees: most of the second is the first's, edited, renamed or with another mode."""
    base = draw(TREE)
    head = {}
    for name, (mode, content) in base.items():
        what = draw(st.sampled_from(["keep", "edit", "rename", "mode", "drop", "replace"]))
        lines = content.split(b"\n")
        if what in ("edit", "rename"):
            at = draw(st.integers(0, len(lines)))
            lines[at : at + draw(st.integers(0, 3))] = draw(st.lists(LINE, max_size=3))
        new_name = b"r-" + name if what == "rename" else name
        new_mode = draw(MODE) if what == "mode" else mode
        if what == "replace":
            head[name] = draw(st.tuples(MODE, CONTENT))
        elif what != "drop":
            head[new_name] = (new_mode, b"\n".join(lines))
    head.update(draw(st.dictionaries(NAME, st.tuples(MODE, CONTENT), max_size=2)))
    return base, head


def write_tree(repo: Repo, files: dict[bytes, tuple[bytes, bytes]]) -> str:
    """Write a tree straight into the object store, with one git for all blobs."""
    stream = [b"commit refs/heads/scratch\ncommitter A <a@b> 0 +0000\ndata 0\ndeleteall\n"]
    for name, (mode, content) in files.items():
        quoted = b'"' + b"".join(b"\\%03o" % byte for byte in name) + b'"'
        stream.append(b"M %s inline %s\ndata %d\n%s\n" % (mode, quoted, len(content), content))
    repo.git("fast-import", "--quiet", "--force", stdin=b"".join(stream))
    return repo.sha("refs/heads/scratch^{tree}")


def test_a_file_that_is_too_much_for_git_costs_only_itself(repo: Repo) -> None:
    base = repo.commit()
    repo.write("bomb.txt", b"\n" * 20_000_000)
    repo.write("small.py", b"x = 1\n")
    change = change_of(repo, base, repo.commit())
    bomb, small = (change.by_path[name] for name in ("bomb.txt", "small.py"))
    assert small.hunk_count == 1
    assert small.hunks[0].lines[0].text == "x = 1"
    if bomb.kind is Kind.TEXT:  # a git that needs less memory shows it
        assert bomb.added == 20_000_000
    else:
        assert bomb.kind is Kind.BINARY
        assert "taken for binary" in change.notes[0]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories())
def test_any_history(trees: tuple[dict[bytes, tuple[bytes, bytes]], ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo(Path(folder))
        base = repo.commit_tree(write_tree(repo, trees[0]))
        head = repo.commit_tree(write_tree(repo, trees[1]), base)
        assert_true_to_git(repo, change_of(repo, base, head))
