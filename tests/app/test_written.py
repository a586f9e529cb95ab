"""What an engine hands over to be written: whole, bounded, and refused when it is not ours."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.written import MAX_BYTES, MOST_SAID, Written, blob_id
from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Blob, Commit, FileEdit, Patch
from reviewer.refactor.values import Left, Refactoring
from tests.app.render.samples import finding

START = "a" * 40
DONE = Refactoring(instruction="rename f to g", commit=START)


def patch(*commits: tuple[FileEdit, ...]) -> Patch:
    return Patch(
        START, tuple(Commit(f"m{n}", "model", f"Do {n}", c) for n, c in enumerate(commits))
    )


def edit(path: str, before: bytes | None, after: bytes | None, mode: str = "100644") -> FileEdit:
    return FileEdit(
        path,
        None if before is None else Blob(before, "100644"),
        None if after is None else Blob(after, mode),
    )


def handed(written: Written, **changed: object) -> Written:
    """Read it as the other side does, with some values changed on the way."""
    raw: dict[str, Any] = json.loads(written.model_dump_json())
    return Written.model_validate_json(json.dumps(raw | changed))


def file(**changed: str) -> dict[str, str]:
    return {"path": "a.py", "before": "", "mode": "100644", "data": ""} | changed


def test_nothing_of_what_would_add_a_secret_is_handed_over() -> None:
    many = [finding(title=f"x{n}") for n in range(MOST_SAID)]
    secret = finding(title="s").model_copy(update={"source": "detector:secrets/github-token"})
    account = DONE.model_copy(update={"status": "partial", "findings": [*many, secret]})
    made = Written.of("refactor", account, patch((edit("a.py", b"1", b"2"),)), write=True)
    assert made.commits == () and secret in handed(made).account.findings
    whole = Written.of("refactor", DONE, patch((edit("a.py", b"1", b"2"),)), write=True)
    for more in ({"commits": json.loads(whole.model_dump_json())["commits"]}, {"mails": "From x"}):
        with pytest.raises(ValidationError, match="secret"):
            handed(made, **more)


def test_tests_that_go_first_leave_something_to_follow() -> None:
    files = (edit("t.py", None, b"2"),), (edit("a.py", b"1", b"2"),)
    made = Written.of("refactor", DONE, patch(*files), write=True)
    assert "tests_first" not in made.model_dump_json()  # which an earlier server would refuse
    first, then = handed(made, tests_first=1).parts
    assert [one.files[0].path for one in (*first, *then)] == ["t.py", "a.py"] and len(first) == 1
    assert handed(handed(made, tests_first=1)).tests_first == 1
    for number in (-1, 2, 3):
        with pytest.raises(ValidationError, match=r"tests_first|follow on the tests"):
            handed(made, tests_first=number)


def test_bytes_modes_and_deletions_come_over_whole() -> None:
    done = Written.of(
        "refactor",
        DONE,
        patch(
            (
                edit("a.py", b"1\n", b"\xff\xfe\0", "100755"),
                edit("b.py", None, b"", "100664"),
                edit("c.py", b"gone", None),
            ),
            (edit("a.py", b"\xff\xfe\0", b"2\n"),),
        ),
        write=True,
    )
    read = handed(done)
    assert read == done
    assert read.policy_write and not read.too_large
    first, second = read.commits
    assert [(one.path, one.mode, one.raw) for one in first.files] == [
        ("a.py", "100755", b"\xff\xfe\0"),
        ("b.py", "100644", b""),
        ("c.py", "", b""),
    ]
    assert second.files[0].raw == b"2\n"
    assert read.before == {
        "a.py": blob_id(b"1\n", START),
        "b.py": "",
        "c.py": blob_id(b"gone", START),
    }
    assert read.files["a.py"].raw == b"2\n"


@given(st.binary(max_size=200), st.sampled_from(["sha1", "sha256"]))
def test_a_blob_has_the_name_that_git_gives_it(data: bytes, kind: str) -> None:
    where = Path("/tmp")
    like = "0" * (40 if kind == "sha1" else 64)
    if kind == "sha1":
        made = subprocess.run(
            ["git", "hash-object", "--stdin"],
            input=data,
            capture_output=True,
            check=True,
            cwd=where,
        )
        assert made.stdout.decode().strip() == blob_id(data, like)
    assert len(blob_id(data, like)) == len(like)


@pytest.mark.parametrize(
    "path",
    [
        "../x", "/etc/passwd", "a/../b", ".git/config", "a/.GIT/hooks/x", "git~1/config", "a\\b",
        ".github/workflows/ci.yml", ".gitattributes", ".github/rlm.yml", "id_rsa", ".env", "a//b",
        "poetry.lock", "CODEOWNERS", "a/\u202eb", "x/.git /config",
    ],
)  # fmt: skip
def test_a_path_that_is_not_ours_is_refused_on_the_way_out_and_in(path: str) -> None:
    good = Written.of("refactor", DONE, patch((edit("a.py", None, b"1"),)), write=True)
    with pytest.raises(ValidationError, match=r"is not written|should"):
        handed(good, commits=[{"message": "m", "files": [file(path=path)]}])
    with pytest.raises(ValidationError):
        Written.of("refactor", DONE, patch((edit(path, None, b"1"),)), write=True)


@pytest.mark.parametrize(
    "commits",
    [
        [{"message": "m", "files": [file(), file()]}],
        [{"message": "m", "files": []}],
        [{"message": "", "files": [file()]}],
        [{"message": "m", "files": [file(mode="120000")]}],
        [{"message": "m", "files": [file(mode="160000")]}],
        [{"message": "m", "files": [file(mode="")]}],
        [{"message": "m", "files": [file(mode="", before="b" * 40, data="MQ==")]}],
        [{"message": "m", "files": [file(data="no base64!")]}],
        [{"message": "m", "files": [file(before="main")]}],
        # The second does not begin where the first ends.
        [{"message": "m", "files": [file()]}, {"message": "m", "files": [file()]}],
    ],
)
def test_what_does_not_hold_together_is_refused(commits: object) -> None:
    good = Written.of("refactor", DONE, patch((edit("a.py", None, b"1"),)), write=True)
    with pytest.raises(ValidationError):
        handed(good, commits=commits)


def test_an_account_belongs_to_its_task() -> None:
    fixing = Fixing(commit=START, reviewed=START)
    assert handed(Written.of("fix", fixing, Patch(START), write=False)).account == fixing
    for task in ("fix", "tests"):
        with pytest.raises(ValidationError, match="account"):
            Written.of(task, DONE, Patch(START), write=False)  # type: ignore[arg-type]


def test_what_is_too_large_keeps_its_account_and_no_commit() -> None:
    large = patch((edit("a.py", None, b"x" * (MAX_BYTES * 3 // 4 + 10)),))
    done = Written.of("refactor", DONE, large, write=True)
    assert done.too_large and done.commits == () and done.account == DONE
    fits = patch((edit("a.py", None, b"x" * (MAX_BYTES * 3 // 4 - 10)),))
    assert len(Written.of("refactor", DONE, fits, write=True).commits) == 1
    by_two = [
        file(path=f"{n}.py", data=base64.b64encode(b"x" * 2_000_000).decode()) for n in (1, 2)
    ]
    with pytest.raises(ValidationError, match="bytes are written"):
        handed(done, commits=[{"message": "m", "files": by_two}])


def test_an_account_says_no_more_than_anybody_reads() -> None:
    left = [Left(module="m", what=f"{n}", why="w") for n in range(MOST_SAID + 50)]
    long = DONE.model_copy(update={"left": left, "notes": ["n"] * 5_000})
    account = Written.of("refactor", long, Patch(START), write=False).account
    assert isinstance(account, Refactoring)
    assert (len(account.left), len(account.notes)) == (MOST_SAID, MOST_SAID)
