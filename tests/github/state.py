"""The state of the fake GitHub: users, repositories, pull requests and what is said on them.

A test reads and changes these objects; the routes do the same by the rules in review_rules.py and
rest.py. Nothing here knows HTTP.
"""

import itertools
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from tests.github import git
from tests.github.git import FileDiff, Hunk
from tests.github.quirks import quirk

WRITERS = ("write", "maintain", "admin")

# GitHub's numbers do not fit into 32 bits any more.
FIRST_ID = 3_100_000_000


@dataclass(eq=False)
class User:
    """An account. `type` is User, Bot or Organization."""

    id: int
    login: str
    type: str = "User"


@dataclass(eq=False)
class Reaction:
    """One user's reaction."""

    id: int
    user: User
    content: str
    created: float


@dataclass(eq=False)
class FakeComment:
    """A comment in the conversation of a pull request or an issue."""

    id: int
    pull: "FakePull"
    user: User
    body: str
    created: float
    updated: float
    app: str | None = None
    reactions: list[Reaction] = field(default_factory=list)

    def edit(self, body: str) -> None:
        """Change the text, as its author does on the page."""
        self.body, self.updated = body, self.pull.repo.state.now()


@dataclass(eq=False)
class ReviewComment:
    """A comment on lines. `line` is None once it is outdated; `line` of a file comment is None."""

    id: int
    review: "Review"
    user: User
    body: str
    path: str
    commit: str
    original_commit: str
    side: str
    line: int | None
    start_line: int | None
    start_side: str | None
    original_line: int | None
    original_start_line: int | None
    hunk: Hunk | None
    created: float
    updated: float
    subject: str = "line"
    in_reply_to: int | None = None
    reactions: list[Reaction] = field(default_factory=list)
    resolved: bool = False
    """Of the first comment: its thread is resolved."""
    resolved_with: str = ""
    """The token that resolved it through the API."""
    folded: str = ""
    """Why it was minimised; "" while it is not."""


@dataclass(eq=False)
class Review:
    """A review; state is PENDING, COMMENTED, APPROVED, CHANGES_REQUESTED or DISMISSED."""

    id: int
    pull: "FakePull"
    user: User
    body: str
    state: str
    commit: str
    submitted: float | None
    comments: list[ReviewComment] = field(default_factory=list)


@dataclass(eq=False)
class FakeCheckRun:
    """A check run; `annotations` are appended to, never replaced."""

    id: int
    repo: "FakeRepo"
    app: str
    suite: int
    name: str
    head_sha: str
    status: str
    started: str
    conclusion: str | None = None
    completed: str | None = None
    details_url: str | None = None
    external_id: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, object]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)


@dataclass(eq=False)
class FakeStatus:
    """A commit status: error, failure, pending or success."""

    id: int
    sha: str
    context: str
    state: str
    said: str
    at: float


@dataclass(eq=False)
class FakeWorkflowRun:
    """A run of a workflow in GitHub Actions, whose file is `path`."""

    id: int
    workflow: int
    path: str
    event: str
    title: str
    status: str
    at: float
    conclusion: str | None = None


class FakePull:
    """A pull request, or a plain issue where `base` is ""."""

    def __init__(
        self,
        repo: "FakeRepo",
        number: int,
        author: User,
        *,
        base: str = "",
        head: str = "",
        base_ref: str = "main",
        head_ref: str = "topic",
        head_repo: "FakeRepo | None" = None,
        draft: bool = False,
        title: str = "A change",
        body: str | None = None,
    ) -> None:
        self.repo, self.number, self.author = repo, number, author
        self.id, self.issue_id = repo.state.next_id(), repo.state.next_id()
        self.base, self.head, self.base_ref, self.head_ref = base, head, base_ref, head_ref
        self.head_repo = head_repo  # None: the fork is gone
        self.draft, self.title, self.body = draft, title, body
        self.created = self.updated = repo.state.now()
        self.closed_at: float | None = None
        self.merged = False
        self.locked = False
        self.mergeable: bool | None = None
        self.vanished = False
        self.comments: list[FakeComment] = []
        self.all_reviews: list[Review] = []

    @property
    def is_issue(self) -> bool:
        """Is this a plain issue?"""
        return not self.base

    @property
    def state(self) -> str:
        """The state as GitHub names it: a merged pull request is closed."""
        return "open" if self.closed_at is None else "closed"

    @property
    def url(self) -> str:
        """The page of the pull request."""
        kind = "issues" if self.is_issue else "pull"
        return f"{self.repo.html_url}/{kind}/{self.number}"

    @property
    def reviews(self) -> list[Review]:
        """The submitted reviews, the oldest first."""
        return [review for review in self.all_reviews if review.state != "PENDING"]

    @property
    def pending(self) -> list[Review]:
        """The reviews that only their authors see."""
        return [review for review in self.all_reviews if review.state == "PENDING"]

    @property
    def review_comments(self) -> list[ReviewComment]:
        """The comments of all submitted reviews."""
        return [comment for review in self.reviews for comment in review.comments]

    @property
    @quirk("27 the base is not the merge base")
    def merge_base(self) -> str:
        """Where the three-dot diff starts: not `base`, if the base branch moved on."""
        return git.merge_base(self.repo.folder, self.base, self.head) or self.base

    def files(self, head: str | None = None) -> list[FileDiff]:
        """Return the pull request's diff, up to one of its commits."""
        return self.repo.diff(self.base, head or self.head)

    def commits(self) -> list[str]:
        """List the commits of the pull request."""
        return git.commits(self.repo.folder, self.base, self.head)

    def comment(self, login: str, body: str) -> FakeComment:
        """Comment as a user on the page."""
        return self.add_comment(self.repo.state.user(login), body)

    def add_comment(self, user: User, body: str, app: str | None = None) -> FakeComment:
        """Append a comment to the conversation."""
        now = self.repo.state.now()
        comment = FakeComment(self.repo.state.next_id(), self, user, body, now, now, app)
        self.comments.append(comment)
        self.updated = now
        return comment

    @quirk("20 a push by force during the review")
    def push(self, head: str) -> None:
        """Move the head, forwards or by force. Comments on files that differ become outdated."""
        before, self.head = self.head, head
        self._point()
        old = {file.path: file.blob for file in self.files(before)}
        new = {file.path: file.blob for file in self.files()}
        for comment in (c for review in self.all_reviews for c in review.comments):
            if new.get(comment.path) == old.get(comment.path) and comment.line is not None:
                comment.commit = head
            elif comment.subject == "line":
                comment.line = comment.start_line = None

    @quirk("19 another base")
    def retarget(self, base_ref: str, base: str) -> None:
        """Change the base branch."""
        self.base_ref, self.base = base_ref, base
        self._point()

    @quirk("closed or merged meanwhile")
    def close(self, *, merged: bool = False) -> None:
        """Close or merge."""
        self.closed_at = self.updated = self.repo.state.now()
        self.merged = merged

    def reopen(self) -> None:
        """Open again."""
        self.closed_at = None

    @quirk("25 a repository or pull request that is gone")
    def vanish(self) -> None:
        """Be gone for REST, as after GitHub's staff removed a spammer."""
        self.vanished = True

    @quirk("a deleted fork leaves the head without a repository")
    def lose_fork(self) -> None:
        """Have the fork deleted: the head's repository is null, its commits stay."""
        if self.head_repo is not None and self.head_repo is not self.repo:
            self.head_repo.delete()
        self.head_repo = None

    @quirk("the head of a fork is in the base's repository")
    def _point(self) -> None:
        self.updated = self.repo.state.now()
        if self.is_issue:
            return
        self.repo.git("update-ref", f"refs/pull/{self.number}/head", self.head)
        self.repo.git("update-ref", f"refs/heads/{self.base_ref}", self.base)
        if self.head_repo is not None:
            self.head_repo.git("update-ref", f"refs/heads/{self.head_ref}", self.head)


class FakeRepo:
    """A repository and its bare git; a fork shares the objects of its source."""

    def __init__(
        self, state: "State", full_name: str, *, private: bool, source: "FakeRepo | None" = None
    ) -> None:
        self.state = state
        self.id = state.next_id()
        self.full_name = full_name
        self.private = private
        self.source = source
        self.created = state.now()
        self.default_branch = "main"
        self.deleted = False
        self.permissions: dict[str, str] = {}
        self.pulls: dict[int, FakePull] = {}
        self.check_runs: list[FakeCheckRun] = []
        self.code_scanning = True
        self.no_new_branches = False
        """Does a rule of the repository forbid to make branches?"""
        self.sarifs: list[dict[str, object]] = []
        self.suites: dict[tuple[str, str], int] = {}
        self.suites_to_come: set[int] = set()  # with jobs that wait for those that ran
        self.statuses: list[FakeStatus] = []
        self.workflow_runs: list[FakeWorkflowRun] = []
        self._diff = lru_cache(maxsize=16)(lambda base, head: git.diff(self.folder, base, head))
        git.create(self.folder, shares_with=source.folder if source else None)
        self.permit(self.owner.login, "admin")

    @property
    def folder(self) -> Path:
        """The bare repository."""
        return self.state.root / f"{self.full_name}.git"

    @property
    def owner(self) -> User:
        """The account that the repository belongs to."""
        return self.state.user(self.full_name.partition("/")[0])

    @property
    def name(self) -> str:
        """The name without its owner."""
        return self.full_name.partition("/")[2]

    @property
    def html_url(self) -> str:
        """The repository's page."""
        return f"{self.state.web}/{self.full_name}"

    def git(self, *arguments: str, data: bytes = b"") -> str:
        """Run git in the bare repository."""
        return git.git(self.folder, *arguments, data=data).decode().strip()

    @quirk("30 links, submodules, LFS and .git")
    def commit(
        self,
        files: Mapping[str, bytes],
        *parents: str,
        message: str = "x",
        modes: Mapping[str, str] | None = None,
    ) -> str:
        """Write a commit whose tree holds exactly `files`; no branch moves.

        `modes` makes links (120000: the content is the target) and submodules (160000: a commit).
        """
        with self.state.lock:
            return git.commit(self.folder, files, parents, message, modes or {})

    def diff(self, base: str, head: str) -> list[FileDiff]:
        """Compare two commits as a pull request does."""
        return self._diff(base, head)

    def permit(self, login: str, role: str) -> None:
        """Give a user a role: none, read, triage, write, maintain or admin."""
        self.permissions[self.state.user(login).login.lower()] = role

    def role(self, user: User | None) -> str:
        """Return a user's role: everybody reads what is public."""
        given = self.permissions.get(user.login.lower(), "none") if user else "none"
        return "read" if given == "none" and not self.private else given

    def pull(
        self,
        base: str,
        head: str,
        author: str = "bob",
        *,
        fork: str | None = None,
        draft: bool = False,
        title: str = "A change",
        body: str | None = None,
        base_ref: str = "main",
        head_ref: str | None = None,
    ) -> FakePull:
        """Open a pull request; the base branch is moved to `base`, the head's branch to `head`."""
        number = self.state.next_number(self)
        head_repo = self
        if fork is not None:
            head_repo = self.state.repositories.get(fork.lower()) or self.fork(fork)
        pull = FakePull(
            self,
            number,
            self.state.user(author),
            base=base,
            head=head,
            base_ref=base_ref,
            head_ref=head_ref or f"topic-{number}",
            head_repo=head_repo,
            draft=draft,
            title=title,
            body=body,
        )
        self.pulls[number] = pull
        pull._point()
        return pull

    @quirk("23 a command on an issue")
    def issue(
        self, author: str = "bob", title: str = "A question", body: str | None = None
    ) -> FakePull:
        """Open a plain issue."""
        number = self.state.next_number(self)
        who = self.state.user(author)
        self.pulls[number] = FakePull(self, number, who, title=title, body=body)
        return self.pulls[number]

    def fork(self, full_name: str) -> "FakeRepo":
        """Fork into another account."""
        return self.state.add_repository(full_name, private=self.private, source=self)

    @quirk("a branch takes its pull requests along")
    def delete_branch(self, name: str) -> None:
        """Delete a branch; the open pull requests from it and into it are closed."""
        self.git("update-ref", "-d", f"refs/heads/{name}")
        for pull in [*self.pulls.values()]:
            ends = {(pull.repo, pull.base_ref), (pull.head_repo, pull.head_ref)}
            if not pull.is_issue and pull.closed_at is None and (self, name) in ends:
                pull.close()

    @quirk("renamed or transferred")
    def rename(self, full_name: str) -> None:
        """Rename or transfer: the old name answers with a redirect."""
        old = self.folder
        self.state.moved[self.full_name.lower()] = self
        del self.state.repositories[self.full_name.lower()]
        self.full_name = full_name
        self.state.repositories[full_name.lower()] = self
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(old, self.folder)

    @quirk("25 a repository or pull request that is gone")
    def delete(self) -> None:
        """Delete the repository."""
        self.deleted = True
        self.state.repositories.pop(self.full_name.lower(), None)

    def suite(self, app: str, head_sha: str) -> int:
        """Return the check suite of an App on a commit."""
        if (app, head_sha) not in self.suites:
            self.suites[app, head_sha] = self.state.next_id()
        return self.suites[app, head_sha]

    def has_commit(self, name: str) -> bool:
        """Is there a commit of this name, in this repository's network?"""
        return git.has_commit(self.folder, name)


class State:
    """Everything that one fake GitHub knows. `lock` is held while a request is answered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.web = ""
        self.clock_offset = 0.0
        self.lock = threading.RLock()
        self.users: dict[str, User] = {}
        self.repositories: dict[str, FakeRepo] = {}
        self.moved: dict[str, FakeRepo] = {}
        self._ids: Iterator[int] = itertools.count(FIRST_ID)
        self._numbers: dict[int, int] = {}

    @property
    @quirk("28 servers of one's own")
    def api(self) -> str:
        """The root of REST."""
        return f"{self.web}/api/v3"

    def now(self) -> float:
        """The time on GitHub's clock, which may differ from ours."""
        return time.time() + self.clock_offset

    def next_id(self) -> int:
        """Return a number that nothing else has."""
        return next(self._ids)

    def next_number(self, repo: FakeRepo) -> int:
        """Return the next number of a pull request or issue."""
        self._numbers[repo.id] = self._numbers.get(repo.id, 0) + 1
        return self._numbers[repo.id]

    def user(self, login: str, kind: str | None = None) -> User:
        """Find an account, or make it; a name with [bot] is a Bot."""
        key = login.lower()
        if key not in self.users:
            kind = kind or ("Bot" if login.endswith("[bot]") else "User")
            self.users[key] = User(self.next_id(), login, kind)
        return self.users[key]

    def add_repository(
        self, full_name: str, *, private: bool = False, source: FakeRepo | None = None
    ) -> FakeRepo:
        """Make a repository."""
        assert full_name.lower() not in self.repositories, f"{full_name} is there already"
        repo = FakeRepo(self, full_name, private=private, source=source)
        self.repositories[full_name.lower()] = repo
        return repo

    def repository_by_id(self, number: int) -> FakeRepo | None:
        """Find a repository by its id."""
        return next((repo for repo in self.repositories.values() if repo.id == number), None)
