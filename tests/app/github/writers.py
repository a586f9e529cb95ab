"""A pull request on the fake GitHub that something is written for, and the engine's side of it."""

from collections.abc import Mapping

from pydantic import SecretStr

from app.github.client import Hub
from app.github.urls import Server
from app.written import Written
from reviewer.refactor.patch import Blob, Commit, Patch, commit_of
from reviewer.refactor.values import CommitInfo, FileInfo, Left, Module, Plan, Refactoring
from reviewer.request import Cost
from tests.github import git
from tests.github.hub import FakeGitHub, FakePull, FakeRepo
from tests.github.state import FakePull as Pull

ACTOR = "rlm-review[bot]"
NAME = "octo/hello"
RUN = "0123456789abcdef"
KEY = b"k" * 32

GRANTED = {"contents": "write", "pull_requests": "write", "issues": "write"}

BASE: Mapping[str, Blob] = {
    "a.py": Blob(b"def f():\n    return 1\n"),
    "pkg/b.py": Blob(b"from a import f\n\nprint(f())\n"),
    "pkg/gone.py": Blob(b"old = 1\n"),
    "run.sh": Blob(b"#!/bin/sh\n", "100755"),
    "latin.txt": Blob(b"caf\xe9\n"),
    "empty": Blob(b""),
    "untouched.md": Blob(b"# stays\n"),
}

AFTER: Mapping[str, Blob | None] = {
    "a.py": Blob(b"def g():\n    return 1\n"),
    "pkg/b.py": Blob(b"from a import g\n\nprint(g())\n", "100755"),
    "pkg/gone.py": None,
    "run.sh": Blob(b"#!/bin/sh\n"),
    "latin.txt": Blob(b"caf\xe9s\r\n\xff\x00"),
    "pkg/new/deep.py": Blob("ein Umlaut: \u00e4\n".encode()),
    "pkg/new/__init__.py": Blob(b""),
    "blank": Blob(b" \n"),
}


def commits_of(*steps: Mapping[str, Blob | None], start: Mapping[str, Blob] = BASE) -> list[Commit]:
    """Make commits that bring these files, one after the other."""
    now: dict[str, Blob | None] = dict(start)
    made = []
    for number, step in enumerate(steps, 1):
        before = {path: now.get(path) for path in step}
        commit = commit_of(f"part {number}", "model", f"Do part {number}\n\nBecause.", before, step)
        assert commit is not None
        made.append(commit)
        now |= step
    return made


def two_steps() -> list[Commit]:
    """Commits that between them do all there is: modes, deletions, bytes of every kind."""
    first = {path: AFTER[path] for path in ("a.py", "pkg/gone.py", "latin.txt", "blank")}
    second = {path: blob for path, blob in AFTER.items() if path not in first}
    return commits_of(first, second | {"a.py": Blob(b"def h():\n    return 1\n")})


def account(commits: list[Commit], start: str, **changes: object) -> Refactoring:
    """What a refactoring says of these commits."""
    made = Refactoring(
        instruction="rename f to g",
        commit=start,
        plan=Plan(
            summary="f is called g. Callers follow.", modules=[Module(name="part 1", what="rename")]
        ),
        commits=[
            CommitInfo(
                module=one.module,
                by=one.by,
                message=one.message,
                files=[FileInfo(path=edit.path, status=edit.status) for edit in one.files],
            )
            for one in commits
        ],
        left=[Left(module="docs", what="the README", why="nobody came to it")],
        cost=Cost(model="claude", usd=0.12, calls=3),
    )
    return made.model_copy(update=changes)


class Scene:
    """A pull request, its tree, and what is to be written on top of it."""

    def __init__(self, fake: FakeGitHub, *, fork: str | None = None, private: bool = True) -> None:
        self.fake = fake
        self.repo: FakeRepo = fake.repository(NAME, private=private)
        self.app = fake.app("rlm-review")
        self.base = self.repo.commit({"untouched.md": b"# stays\n"})
        self.head = self.tree(BASE, self.base)
        self.pull: FakePull = self.repo.pull(self.base, self.head, fork=fork, head_ref="topic")
        self.commits = two_steps()

    def tree(self, files: Mapping[str, Blob], *parents: str) -> str:
        """Commit exactly these files."""
        modes = {path: blob.mode for path, blob in files.items()}
        return self.repo.commit({p: b.data for p, b in files.items()}, *parents, modes=modes)

    def hub(self, actor: str = ACTOR, **permissions: str) -> Hub:
        """Our client there."""
        wanted = {name: level for name, level in (GRANTED | permissions).items() if level}
        token = self.fake.token(actor=actor, repo=self.repo, permissions=wanted)
        server = Server(self.fake.web, self.fake.api)
        return Hub(server, SecretStr(token), actor=actor, write_pause_s=0)

    def written(self, commits: list[Commit] | None = None, *, write: bool = True) -> Written:
        """What the engine hands over."""
        made = self.commits if commits is None else commits
        patch = Patch(self.head, tuple(made))
        return Written.of("refactor", account(made, self.head), patch, write=write)

    def files(self, commit: str) -> dict[str, Blob]:
        """What git itself finds at a commit."""
        found = {}
        for line in git.git(self.repo.folder, "ls-tree", "-r", "-z", commit).decode().split("\0"):
            if line:
                head, _, path = line.partition("\t")
                mode, _, sha = head.split()
                data = git.git(self.repo.folder, "cat-file", "blob", sha)
                found[path] = Blob(data, mode)
        return found

    def branches(self) -> dict[str, str]:
        """The branches that are not the pull request's."""
        shown = self.repo.git(
            "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"
        )
        every = dict(line.split() for line in shown.splitlines())
        return {name: sha for name, sha in every.items() if name not in {"main", "topic"}}

    @property
    def stacked(self) -> list[Pull]:
        """The pull requests that our actor has opened."""
        return [one for one in self.repo.pulls.values() if one.author.login == ACTOR]

    def writes(self, since: int = 0) -> list[str]:
        """What was written from a request on."""
        return [f"{r.method} {r.path}" for r in self.fake.requests[since:] if r.method != "GET"]


def result_of(commits: list[Commit], start: Mapping[str, Blob] = BASE) -> dict[str, Blob]:
    """What the commits make of a tree."""
    now: dict[str, Blob | None] = dict(start)
    for commit in commits:
        now |= {edit.path: edit.after for edit in commit.files}
    return {path: blob for path, blob in now.items() if blob is not None}
