"""The github role's steps about what is written, without its process: an App, a repository with a
pull request, and the engine's part played by the test.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from app.github.auth import AppAuth
from app.github.client import Hub
from app.github.urls import Server
from app.jobs import Command, Look, Step, Wish, step
from app.roles.github import TO_READ, TO_WRITE, WRITES
from app.steps import Steps
from app.store import ENGINE, GITHUB, PUBLISH, Job, Run, Store
from app.written import Written, blob_id
from reviewer.refactor.patch import Blob, Patch, commit_of
from reviewer.refactor.values import CommitInfo, FileInfo, Module, Plan, Refactoring
from tests.github.hub import FakeGitHub
from tests.github.state import FakeComment, FakePull, Reaction

NAME = "octo/hello"
KEY = b"k" * 32
POLICY = ".github/rlm.yml"

GRANTED = {"contents": "write", "pull_requests": "write", "checks": "write", "issues": "read"}

BASE = {"a.py": b"def f():\n    return 1\n", "b.py": b"from a import f\n\nprint(f())\n"}
HEAD = BASE | {"c.py": b"from a import f\n\nprint(f() + 1)\n"}
AFTER = {name: data.replace(b"f()", b"g()").replace(b"import f", b"import g")
         for name, data in HEAD.items()}  # fmt: skip

PLAN = Plan(
    summary="f is called g.", modules=[Module(name="all", files=sorted(AFTER), what="Rename f.")]
)


class Desk:
    """Steps over a store; `writes`: the server may write. `policy`: the engine says that the
    repository wants it, and its default branch does say so.
    """

    def __init__(
        self,
        fake: FakeGitHub,
        folder: Path,
        *,
        writes: bool = True,
        granted: Mapping[str, str] = GRANTED,
    ) -> None:
        self.fake = fake
        self.app = fake.app("rlm-review", permissions=GRANTED)
        self.repo = fake.repository(NAME, private=True)
        self.repo.permit("alice", "write")
        self.installation = self.app.install(self.repo, permissions=granted)
        self.base = self.repo.commit(BASE | {POLICY: b"write: on\n"})
        self.head = self.repo.commit(HEAD, self.base)
        self.pull = self.repo.pull(self.base, self.head, author="bob", head_ref="topic")
        self.policy = True
        self.store = Store(folder / "rlm.sqlite3")
        self.server = Server(fake.web, fake.api)
        self.auth = AppAuth(self.server, str(self.app.id), SecretStr(self.app.pem))
        self.writes = writes
        self.steps = self.started()

    def started(self) -> Steps:
        """Return the steps of a process that has just begun."""
        return Steps(
            self.store,
            self._with(WRITES),
            self._with(WRITES),
            KEY,
            lambda *_: None,
            connect_for_scanning=self._with(WRITES),
            connect_to_read=self._with(TO_READ),
            connect_to_write=self._with(TO_WRITE) if self.writes else None,
            installed=self.auth.installation_of,
            includes=self.auth.includes,
            is_installed=self.auth.is_installed,
        )

    def _with(self, wanted: Mapping[str, str]) -> Any:
        def connect(installation: int, repository: int) -> AbstractContextManager[Hub]:
            @contextmanager
            def opened() -> Iterator[Hub]:
                token = self.auth.installation_token(installation, repository, wanted)
                with Hub(
                    self.server, token.value, actor=self.app.actor, write_pause_s=0, backoff_s=0.05
                ) as hub:
                    yield hub

            return opened()

        return connect

    # What happens there

    def says(self, who: str, text: str, pull: FakePull | None = None) -> Command:
        """Have somebody comment, and obey it; return the command."""
        where = pull or self.pull
        comment = where.comment(who, text)
        command = Command(
            installation=self.installation.id,
            repository_id=self.repo.id,
            repository=NAME,
            number=where.number,
            comment_id=comment.id,
            body=text,
            sender=who,
        )
        self.obeys(command)
        return command

    def obeys(self, command: Command) -> None:
        """Have a command obeyed, perhaps again."""
        self.store.put(command.job())
        self.work()

    def reacts(self, who: str, content: str, comment: FakeComment, after_s: float = 2.0) -> None:
        """Have somebody react to a comment, who has taken the time to read it."""
        state = self.fake.state
        comment.reactions.append(
            Reaction(state.next_id(), self.fake.user(who), content, state.now() + after_s)
        )

    def looked_at(
        self, trigger: Literal["opened", "pushed"] = "opened", pull: FakePull | None = None
    ) -> None:
        """Let the event come that says that something happened to the pull request, or another."""
        look = Look(
            installation=self.installation.id,
            repository_id=self.repo.id,
            repository=NAME,
            number=(pull or self.pull).number,
            trigger=trigger,
        )
        self.store.put(replace(look.job(), not_before=0.0))
        self.work()

    def work(self) -> list[str]:
        """Do every job that there is for the role; return their kinds."""
        done = []
        while (job := self.store.claim(GITHUB, "github", 60)) is not None:
            self.steps.do(job)
            done.append(job.kind)
        return done

    # What the engine does

    def engine(self) -> tuple[Job, Run, Wish]:
        """Claim what waits for an engine."""
        job = self.store.claim(ENGINE, "engine-1", 60)
        assert job is not None, "nothing waits for an engine"
        run = self.store.run(Step.model_validate_json(job.payload).run)
        assert run is not None
        return job, run, Wish.model_validate_json(run.request)

    def comes(self, written: Written | str = "", problem: str = "") -> Run:
        """Let the run that waits come to this."""
        job, run, _ = self.engine()
        report = written if isinstance(written, str) else written.model_dump_json()
        self.store.reviewed(job, run.id, step(PUBLISH, run), report=report, problem=problem)
        return run

    def plans(self, plan: Plan = PLAN, **changes: object) -> Run:
        """Let the run that waits come to a plan, and show it."""
        status = "planned" if plan.is_work else "declined"
        account = Refactoring(
            status=status,  # type: ignore[arg-type]
            instruction="rename f to g",
            commit=self.pull.head,
            plan=plan,
        ).model_copy(update=changes)
        named = {name: blob_id(data, self.head) for name, data in HEAD.items()}
        written = Written.of("refactor", account, Patch(self.pull.head), write=self.policy)
        run = self.comes(written.model_copy(update={"named": named if plan.is_work else {}}))
        self.work()
        return run

    def carries(self) -> Run:
        """Let the run that waits come to commits, and deliver them."""
        run = self.comes(self.written())
        self.work()
        return run

    def written(self, after: Mapping[str, bytes] = AFTER) -> Written:
        """A commit on top of the head that was fetched."""
        before = {name: Blob(HEAD[name]) if name in HEAD else None for name in after}
        commit = commit_of(
            "all", "model", "Call f g\n\nIt is shorter.", before,
            {name: Blob(data) for name, data in after.items()},
        )  # fmt: skip
        assert commit is not None
        account = Refactoring(
            instruction="rename f to g",
            commit=self.head,
            plan=PLAN,
            commits=[
                CommitInfo(
                    module="all",
                    by="model",
                    message=commit.message,
                    files=[FileInfo(path=one.path, status=one.status) for one in commit.files],
                )
            ],
        )
        return Written.of("refactor", account, Patch(self.head, (commit,)), write=self.policy)

    # What stands there

    @property
    def ours(self) -> list[FakeComment]:
        """Our comments on the pull request."""
        return [one for one in self.pull.comments if one.user.login == self.app.actor]

    @property
    def stacked(self) -> list[FakePull]:
        """The pull requests that our actor has opened."""
        return [one for one in self.repo.pulls.values() if one.author.login == self.app.actor]

    @property
    def branches(self) -> dict[str, str]:
        """The branches that are not the pull request's."""
        shown = self.repo.git(
            "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"
        )
        every = dict(line.split() for line in shown.splitlines())
        return {name: sha for name, sha in every.items() if name not in {"main", "topic"}}

    def text(self, commit: str, path: str) -> bytes:
        """What git finds there."""
        return self.repo.git("show", f"{commit}:{path}").encode() + b"\n"

    def outcomes(self) -> list[str]:
        """How the runs of the pull request ended, the oldest first."""
        runs = self.store.runs_of(self.repo.id, self.pull.number)
        return [run.outcome or run.state for run in reversed(runs)]
