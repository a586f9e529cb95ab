"""What an engine hands to whoever writes it to GitHub: commits as plain, checked data.

Whoever reads it trusts nothing of it: a path that leaves the tree, or that is not ours to write,
and commits that do not follow on one another are refused when it is read.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from operator import not_
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.accounts import Account, secrets_of
from app.jobs import Sha
from app.store import Task
from reviewer.fix.values import Fixing
from reviewer.refactor.patch import Blob, Patch
from reviewer.refactor.protect import no_path, not_ours
from reviewer.refactor.values import MOST_GONE, NAME_CHARS, Refactoring
from reviewer.testing.values import Testing

ACCOUNTS: dict[Task, type[BaseModel]] = {
    "refactor": Refactoring,
    "fix": Fixing,
    "tests": Testing,
}

BlobId = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")]

Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS)]

MAX_BYTES = 4_000_000
"""Of all files together, as they are handed over."""

MAX_COMMITS = 300
MAX_FILES = 3_000
"""Of one commit: a rename may reach them all."""

MAX_NAMED = 6_000
"""Files of a plan: as many as its modules, renames and moves can name."""

MESSAGE_CHARS = 20_000

MOST_SAID = 200
"""Of what was left, found or noted, each: nobody reads more, and a comment has no room for it."""

EXECUTABLE = "100755"


class WrittenFile(BaseModel):
    """One file of a commit. `before` is the id of its blob before the commit, "" where it is new;
    `data` its bytes in base64. With an empty `mode` it is deleted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(min_length=1, max_length=1_000)]
    before: BlobId
    mode: Literal["100644", "100755", ""]
    data: Annotated[str, Field(max_length=MAX_BYTES)]

    @model_validator(mode="after")
    def _ours(self) -> Self:
        if problem := no_path(self.path) or not_ours(self.path):
            raise ValueError(f"a path that is not written: {problem}")
        if not self.mode and (self.data or not self.before):
            raise ValueError("a file that is deleted was there, and has no bytes")
        try:
            base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("data is no base64") from error
        return self

    @property
    def raw(self) -> bytes:
        """The bytes of the file."""
        return base64.b64decode(self.data)


class WrittenCommit(BaseModel):
    """One commit, its files in the order of their paths, each once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Annotated[str, Field(min_length=1, max_length=MESSAGE_CHARS)]
    files: Annotated[tuple[WrittenFile, ...], Field(min_length=1, max_length=MAX_FILES)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        paths = [one.path for one in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("a file is there twice in one commit")
        return self


class Written(BaseModel):
    """What a run came to that writes: its account, and commits on top of one another, the first on
    top of `start`.

    `policy_write`: the repository wants branches and pull requests. `too_large`: there are commits,
    with more than can be handed over. `named` are the files that a plan names, with the ids of
    their blobs as the plan has seen them ("": not there). `mails` are the commits as `git am` takes
    them, "" where that is too large or no text: for whoever fetches it, and never written.
    `names` are those that the commits take away. `tests_first`: so many of the commits, the first,
    are tests, and are to be on the branch alone before the others; 0: nobody asks for that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    start: Sha
    account: Account
    commits: Annotated[tuple[WrittenCommit, ...], Field(max_length=MAX_COMMITS)] = ()
    policy_write: bool = False
    too_large: bool = False
    named: Annotated[dict[str, BlobId], Field(max_length=MAX_NAMED)] = {}
    mails: Annotated[str, Field(max_length=MAX_BYTES)] = ""
    names: Annotated[tuple[Name, ...], Field(max_length=MOST_GONE)] = ()
    # Left out where nobody asks for it: a server of an earlier version takes nothing that it does
    # not know.
    tests_first: Annotated[int, Field(ge=0, lt=MAX_COMMITS, exclude_if=not_)] = 0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if type(self.account) is not ACCOUNTS.get(self.task):
            raise ValueError(f"the account is none of {self.task}")
        if (self.commits or self.mails) and secrets_of(self.account):
            raise ValueError("what would add a secret is not handed over")
        if sum(len(one.data) for commit in self.commits for one in commit.files) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES:,} bytes are written")
        if self.tests_first and self.tests_first >= len(self.commits):
            raise ValueError("nothing is left that could follow on the tests")
        known: dict[str, str] = {}
        for commit in self.commits:
            for one in commit.files:
                if known.get(one.path, one.before) != one.before:
                    raise ValueError("a commit does not follow on the one before it")
                known[one.path] = blob_id(one.raw, self.start) if one.mode else ""
        return self

    @classmethod
    def of(cls, task: Task, account: Account, patch: Patch, *, write: bool) -> Self:
        """Return a patch with its account, ready to be handed over.

        What is too large stays out, and so does all of what would add a secret.
        """
        held = bool(secrets_of(account))
        size = sum(
            4 * (len(edit.after.data) + 2) // 3
            for commit in patch.commits
            for edit in commit.files
            if edit.after is not None
        )
        most = max((len(commit.files) for commit in patch.commits), default=0)
        too_large = size > MAX_BYTES or most > MAX_FILES or len(patch.commits) > MAX_COMMITS
        return cls(
            task=task,
            start=patch.start,
            account=_bounded(account),
            commits=() if too_large or held else _commits(patch),
            policy_write=write,
            too_large=too_large and not held,
        )

    @property
    def files(self) -> dict[str, WrittenFile]:
        """What all commits together make of the files that they touch, by path."""
        return {one.path: one for commit in self.commits for one in commit.files}

    @property
    def parts(self) -> tuple[tuple[WrittenCommit, ...], tuple[WrittenCommit, ...]]:
        """The commits that are there alone first, and those that follow."""
        return self.commits[: self.tests_first], self.commits[self.tests_first :]

    @property
    def before(self) -> dict[str, str]:
        """The ids of the blobs that the commits touch, as they are at the start; "" for none."""
        found: dict[str, str] = {}
        for commit in self.commits:
            for one in commit.files:
                found.setdefault(one.path, one.before)
        return found


def blob_id(data: bytes, like: str) -> str:
    """Return what git calls a blob in a repository whose commits have names `like` this one."""
    kind = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return kind(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _commits(patch: Patch) -> tuple[WrittenCommit, ...]:
    def name(blob: Blob | None) -> str:
        return "" if blob is None else blob_id(blob.data, patch.start)

    return tuple(
        WrittenCommit(
            message=commit.message[:MESSAGE_CHARS],
            files=tuple(
                WrittenFile(
                    path=edit.path,
                    before=name(edit.before),
                    mode=_mode(edit.after),
                    data="" if edit.after is None else base64.b64encode(edit.after.data).decode(),
                )
                for edit in commit.files
            ),
        )
        for commit in patch.commits
    )


def _mode(blob: Blob | None) -> Literal["100644", "100755", ""]:
    if blob is None:
        return ""
    return "100755" if blob.mode == EXECUTABLE else "100644"


def _bounded(account: Account) -> Account:
    """Return an account whose lists are no longer than anybody reads."""
    secrets = secrets_of(account)  # first: because of them nothing is handed over
    others = [one for one in account.findings if one not in secrets]
    update: dict[str, Sequence[object]] = {
        "notes": account.notes[:MOST_SAID],
        "unchecked": account.unchecked[:MOST_SAID],
        "findings": [*secrets, *others][:MOST_SAID],
    }
    if isinstance(account, Refactoring):
        update["unneeded"] = account.unneeded[:MOST_SAID]
    if isinstance(account, Refactoring | Testing):
        update["left"] = account.left[:MOST_SAID]
    if isinstance(account, Testing):
        update["covered"] = account.covered[:MOST_SAID]
    return account.model_copy(update=update)
