"""Everything an App needs to live, for tests: GitHub, a model, and a real `rlm serve` between."""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select

from app.store import ENGINE, GITHUB, Run, Store
from app.store.tables import FINDINGS
from tests.app.test_serve import Server
from tests.github import review_rules
from tests.github.hub import FakeApp, FakeGitHub, FakePull, FakeRepo
from tests.github.state import ReviewComment
from tests.model_server import Answer, ModelServer, Scripted, tool

PATIENCE_S = 60.0

BASE = {"cart.py": b"def total(items):\n    return sum(i.price for i in items)\n"}
FLAWED = {
    "cart.py": b"def total(items, rate):\n    return sum(i.price for i in items[1:]) * rate\n",
    "notes.md": b"words\n",
}
QUOTE = "    return sum(i.price for i in items[1:]) * rate"
FIX = "    return sum(i.price for i in items) * rate"

Script = Callable[[dict[str, Any]], Scripted]


class World:
    """A GitHub with one repository and one installed App, a model's service, and the server.

    `think` answers the model's requests; a test may replace it. `among`: the GitHub, the App and
    the service are those of that world (see `tests.app.site`); the installation is not.
    """

    forks = False
    """Whether the server's processes are forks (`tests/warm.py`); the tests of the app say so."""

    def __init__(
        self,
        folder: Path,
        *,
        model: bool = True,
        database: str = "",
        among: "World | None" = None,
        name: str = "octo/hello",
        **install: Any,
    ) -> None:
        self.folder = folder
        self.database = database
        self.think: Script = finds
        self.model = model
        if among is None:
            self.hub = FakeGitHub(folder)
            self.service = ModelServer(self._think, key="sk-test")
            self.app: FakeApp = self.hub.app("rlm-review")
        else:
            self.hub, self.service, self.app = among.hub, among.service, among.app
        self.repo: FakeRepo = self.hub.repository(name, private=True)
        self.repo.permit("alice", "write")
        self.installation = self.app.install(self.repo, **install)
        self.base = self.repo.commit(BASE)
        self.head = self.repo.commit(FLAWED, self.base)
        self._store: Store | None = None
        self._open = ExitStack()

    def _think(self, request: dict[str, Any]) -> Scripted:
        return self.think(request)

    def __enter__(self) -> Self:
        self._open.enter_context(self.hub)
        self._open.enter_context(self.service)
        return self

    def __exit__(self, *error: Any) -> None:
        self.leave()
        self._open.__exit__(*error)

    def leave(self) -> None:
        """Close the store; who asks afterwards what became of it opens it anew."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def environ(self) -> dict[str, str]:
        """The environment in which the server is started."""
        environ = self.hub.environ(self.folder) | self.app.environ()
        if self.database:
            environ["DATABASE_URL"] = self.database
        if self.model:
            environ |= {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": self.service.url}
        return environ

    def serve(self, *options: str, **environ: str) -> Server:
        """Start the server; a context manager."""
        home = self.folder / "user"
        home.mkdir(exist_ok=True)
        return Server(home, *options, forks=self.forks, **(self.environ() | environ))

    def pull(self, **options: Any) -> FakePull:
        """Open the pull request with the flaw."""
        return self.repo.pull(self.base, self.head, **options)

    def opened(self, server: Server, pull: FakePull, action: str = "opened") -> int:
        """Deliver what happened to a pull request; return the status of the answer."""
        return self.sent(server, "pull_request", self.hub.payload_pull(pull, action, self.app))

    def commented(self, server: Server, pull: FakePull, who: str, text: str) -> Any:
        """Write a comment and deliver it; return the comment."""
        comment = pull.comment(who, text)
        payload = self.hub.payload_comment(comment, self.app)
        assert self.sent(server, "issue_comment", payload) in {200, 202}
        return comment

    def answered(self, server: Server, comment: ReviewComment, who: str, text: str) -> Any:
        """Answer in a thread and deliver it; return the answer."""
        made = review_rules.answer(comment, self.hub.user(who), text)
        payload = self.hub.payload_review_comment(made, self.app)
        assert self.sent(server, "pull_request_review_comment", payload) in {200, 202}
        return made

    def sent(self, server: Server, event: str, payload: Any, guid: str | None = None) -> int:
        """Deliver an event to the server; return the status of the answer."""
        url = f"{server.url}/webhook"
        return self.hub.deliver(url, event, payload, self.app.webhook_secret, guid)[0]

    # What became of it

    @property
    def store(self) -> Store:
        """The server's store, opened by us too: once, for whoever waits asks it all the time."""
        if self._store is None:
            self._store = Store(self.database or self.folder / "rlm" / "rlm.sqlite3")
        return self._store

    def runs(self) -> list[Run]:
        """Every run of the first pull request, the newest first."""
        return self.store.runs_of(self.repo.id, 1)

    def idle(self) -> bool:
        """Has the server nothing left to do?"""
        store = self.store
        if store.waiting(GITHUB) or store.waiting(ENGINE):
            return False
        return not store.open_runs()

    def settle(self, *, runs: int = 1) -> None:
        """Wait until so many runs of the first pull request are there, and all has ended."""
        wait_until(lambda: len(self.runs()) >= runs and self.idle(), lambda: repr(self.runs()))

    def ours(self, pull: FakePull) -> list[str]:
        """The bodies of our comments in the conversation."""
        return [one.body for one in pull.comments if one.user.login == self.app.actor]

    def became(self) -> list[str]:
        """What became of each finding that was told, as the store has it."""
        with self.store.database.read() as db:
            told = select(FINDINGS.c.state).where(FINDINGS.c.repository_id == self.repo.id)
            return list(db.scalars(told.order_by(FINDINGS.c.said)))

    def assert_said_once(self, pull: FakePull) -> None:
        """One review with the finding at its line, one summary, one concluded check run."""
        (review,) = pull.all_reviews
        assert (review.user.login, review.state) == (self.app.actor, "COMMENTED")
        (comment,) = review.comments
        assert (comment.path, comment.line, comment.side) == ("cart.py", 2, "RIGHT")
        assert "The first item is lost" in comment.body
        assert f"```suggestion\n{FIX}\n```" in comment.body
        (summary,) = self.ours(pull)
        assert "1 finding" in summary
        checks = [run for run in self.repo.check_runs if run.head_sha == pull.head]
        assert [(run.status, run.conclusion) for run in checks] == [("completed", "neutral")]


def finds(request: dict[str, Any], **changes: Any) -> Answer:
    """Answer as a model that sees the flaw, and nothing else; `changes` of what it claims."""
    shown = str(request["messages"][0]["content"][0]["text"])
    if QUOTE not in shown:
        return submit()
    before = shown[: shown.index(QUOTE)]
    claim = {
        "hunk": re.findall(r"--- hunk (\S+)", before)[-1],
        "quote": QUOTE,
        "category": "correctness",
        "severity": "high",
        "confidence": 0.9,
        "title": "The first item is lost",
        "why": "total([a]) is 0",
        "replacement": FIX,
        **changes,
    }
    return submit(claim)


def submit(*claims: dict[str, object]) -> Answer:
    """Answer with a result."""
    return tool("submit", {"overview": "The total takes a rate.", "claims": list(claims)})


def wait_until(
    true: Callable[[], bool], what: Callable[[], str], timeout_s: float = PATIENCE_S
) -> None:
    """Wait for something to become true, or fail saying how things stand.

    Who has waited long already asks less often: asking takes time from what is waited for.
    """
    start = time.monotonic()
    while not true():
        waited = time.monotonic() - start
        assert waited < timeout_s, what()
        time.sleep(min(max(waited / 20, 0.1), 0.5))
