"""Where hostile pull requests meet the App: a real server, and a look at all that it did.

Many cases share one server and one repository, each with a pull request of its own. Around them
stand traps: a proxy that all requests to foreign hosts would go to, programs that hooks and filters
name, a home folder in which nothing may change.
"""

import hashlib
import http.server
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.app.test_serve import Server
from tests.app.world import World, wait_until
from tests.github.state import FakeComment, FakePull, FakeRepo
from tests.redteam.cases import Case, Says
from tests.redteam.checks import Evidence, Pull, problems
from tests.redteam.model import Obeying

PATIENCE_S = 240.0

PROGRAMS = ("evil-filter", "evil-diff", "evil-textconv", "evil-merge", "evil-hook", "git-lfs", "hg")
"""What attributes and configuration files of the cases name."""

CANARY = "canary-5c1b7e"
"""A secret of the machine that no process of the server should hand on."""

REPOSITORY = "octo/hello"


class Field:
    """A world with traps, in which cases are played."""

    fork: str | None = "bob/hello"
    """Where the branches of the pull requests are; None: in the repository itself."""
    environ: Mapping[str, str] = {}

    def __init__(self, folder: Path, **world: Any) -> None:
        self.folder = folder
        self.model = Obeying()
        self.world = World(folder / "world", **world)
        self.world.forks = False
        self.world.think = self.model
        self.world.service.confirms = False
        self.world.hub.apps.actions()
        self.repo: FakeRepo = self.world.repo
        self.repo.git("update-ref", "refs/heads/main", self.world.base)
        self.pulls: dict[str, FakePull] = {}
        self.strangers: list[str] = []
        self.later: set[int] = set()  # comments that we write while the server runs
        self.log = ""

    def play(self, cases: Sequence[Case]) -> Evidence:
        """Open the pull requests of the cases, let them be reviewed, and return what happened."""
        (self.folder / "world").mkdir(exist_ok=True)
        for name in ("tmp", "bin", "ran"):
            (self.folder / name).mkdir()
        self._set_traps()
        with self.world, self._proxy() as proxy:
            for case in cases:
                self.pulls[case.name] = self._open(case)
            before, files = self._state(), self._files()
            with self._serve(proxy) as server:
                self._review(server, cases)
                assert server.end() == 0
                self.log = server.said
            return self._evidence(before, files)

    # Opening -------------------------------------------------------------------------------------

    def _open(self, case: Case) -> FakePull:
        body = case.body
        if case.issue is not None:
            issue = self.repo.issue("bob", *case.issue)
            body += f"\n\nFixes #{issue.number}"
        before, after = case.files_before(), case.files()
        modes = {path: mode for path, mode in case.modes.items() if path in before}
        base = self.repo.commit(before, self.world.base, modes=modes)
        modes = {path: mode for path, mode in case.modes.items() if path in after}
        head = self.repo.commit(after, base, message=case.message, modes=modes)
        if case.build is not None:
            head = case.build(self.repo, head)
        pull = self.repo.pull(
            base,
            head,
            case.author,
            fork=self.fork,
            title=case.title,
            body=body,
            base_ref=f"base-{case.name}",
            head_ref=case.head_ref or f"topic-{case.name}",
        )
        if case.after is not None:
            case.after(self.repo, head)
        for said in case.says:
            if not said.after:
                pull.comment(said.who, said.text)
        return pull

    def _set_traps(self) -> None:
        for name in PROGRAMS:
            program = self.folder / "bin" / name
            program.write_text(f"#!/bin/sh\n: > {self.folder}/ran/{name}\ncat\n")
            program.chmod(0o755)

    @contextmanager
    def _proxy(self) -> Iterator[str]:
        """Stand where every request to a foreign host has to pass, and let none pass."""
        strangers = self.strangers

        class Trap(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                strangers.append(self.rfile.readline(65_537).decode("latin-1").strip())
                self.close_connection = True

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap) as trap:
            thread = threading.Thread(target=trap.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{trap.server_port}"
            trap.shutdown()

    def _serve(self, proxy: str) -> Server:
        named = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        return self.world.serve(
            **dict.fromkeys(named, proxy),
            NO_PROXY="127.0.0.1",
            no_proxy="127.0.0.1",
            PATH=f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            TMPDIR=str(self.folder / "tmp"),
            CANARY_TOKEN=CANARY,
            **self.environ,
        )

    # Reviewing -----------------------------------------------------------------------------------

    def _review(self, server: Server, cases: Iterable[Case]) -> None:
        for case in cases:
            assert self.world.opened(server, self.pulls[case.name]) == 202
        self._settle(server)
        for case in cases:
            for said in case.says:
                if said.after:
                    self._say(server, self.pulls[case.name], said)
        self._settle(server)

    def _settle(self, server: Server) -> None:
        wait_until(self.world.idle, lambda: server.said, PATIENCE_S)

    def _say(self, server: Server, pull: FakePull, said: Says) -> None:
        """Say something and deliver it, whatever the server answers."""
        if said.at_line:
            first = next(one for one in pull.review_comments if one.in_reply_to is None)
            self.world.answered(server, first, said.who, said.text)
        else:
            comment = pull.comment(said.who, said.text)
            self.later.add(comment.id)
            payload = self.world.hub.payload_comment(comment, self.world.app)
            self.world.sent(server, "issue_comment", payload)

    # Looking -------------------------------------------------------------------------------------

    def _state(self) -> dict[str, object]:
        """Return all that there is beyond what we write: refs, issues, what others said."""
        state: dict[str, object] = {}
        for repo in self.world.hub.state.repositories.values():
            state[f"refs of {repo.full_name}"] = repo.git("for-each-ref")
            for pull in repo.pulls.values():
                state[f"{repo.full_name}#{pull.number}"] = self._beyond_ours(pull)
        return state

    def _beyond_ours(self, pull: FakePull) -> dict[str, Any]:
        foreign = [one for one in pull.comments if one.user.login != self.world.app.actor]
        return {
            "state": (pull.state, pull.merged, pull.locked, pull.draft),
            "texts": (pull.title, pull.body),
            "ends": (pull.base_ref, pull.base, pull.head_ref, pull.head),
            "said": [(one.id, one.body) for one in foreign if one.id not in self.later],
            "closed": [one.id for one in pull.review_comments if one.resolved or one.folded],
        }

    def _files(self) -> dict[str, str]:
        """Return digests of all files in reach that are not the server's own to write."""
        ours = {self.world.folder / "rlm", self.world.folder / "hub", self.folder / "tmp"}
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if Path(folder, name) not in ours]
            for name in names:
                path = Path(folder, name)
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def _secrets(self) -> set[str]:
        app, hub = self.world.app, self.world.hub
        tokens = {str(one.token) for one in hub.requests if one.token}
        marker = (self.world.folder / "rlm" / "marker.key").read_text().strip()
        return (
            tokens
            | {
                app.pem,
                app.webhook_secret,
                app.client_secret,
                str(self.world.service.key),
                marker,
                CANARY,
            }
            | set(hub.apps.tokens)
        )

    def _evidence(self, before: dict[str, object], files: dict[str, str]) -> Evidence:
        hub, world = self.world.hub, self.world
        after = self._state()
        ran = sorted((self.folder / "ran").iterdir())
        left = self._files()
        written = [path for path in files.keys() | left.keys() if files.get(path) != left.get(path)]
        every = [(one, pull) for pull in self.repo.pulls.values() for one in pull.comments]
        lines = [(one, pull) for pull in self.repo.pulls.values() for one in pull.review_comments]
        return Evidence(
            web=hub.web,
            repository=REPOSITORY,
            repository_id=self.repo.id,
            pulls=[Pull(tag, pull.number, pull.head) for tag, pull in self.pulls.items()],
            requests=hub.requests,
            secrets=self._secrets(),
            folder=str(self.folder),
            ours={one.id: pull.number for one, pull in every if one.user.login == world.app.actor},
            comments={one.id: pull.number for one, pull in [*every, *lines]},
            check_runs={
                run.id: pull.number
                for run in self.repo.check_runs
                for pull in self.repo.pulls.values()
                if f"#{pull.number}:" in run.external_id and run.head_sha == pull.head
            },
            log=self.log,
            strangers=self.strangers,
            written=[path for path in sorted(written) if "/ran/" not in path],
            executed=[path.name for path in ran],
            before=before,
            after={name: after.get(name) for name in before} | _new(before, after),
        )

    def _ours(self, pull: FakePull) -> list[FakeComment]:
        return [one for one in pull.comments if one.user.login == self.world.app.actor]

    def told(self, case: Case) -> str:
        """Return all that we wrote on the pull request of a case."""
        pull = self.pulls[case.name]
        actor = self.world.app.actor
        said = [one.body for one in self._ours(pull)]
        said += [one.body for one in pull.reviews if one.user.login == actor]
        said += [one.body for one in pull.review_comments if one.user.login == actor]
        for run in self.repo.check_runs:
            if run.head_sha == pull.head:
                said += [run.title or "", run.summary or ""]
        return "\n".join(said)

    def unfinished(self, case: Case) -> list[str]:
        """Say what the review of a case lacks: every hunk is accounted for, or the reason told."""
        pull = self.pulls[case.name]
        runs = self.world.store.runs_of(self.repo.id, pull.number)
        reviews = [run for run in runs if run.kind == "review"]
        said = [] if reviews else ["no review was made"]
        said += [f"a run ended as {run.outcome!r}" for run in runs if run.state != "ended"]
        checks = [one for one in self.repo.check_runs if one.head_sha == pull.head]
        said += ["a check run never ended" for one in checks if one.status != "completed"]
        posted = {run.outcome for run in reviews} <= {"posted"}
        if posted != case.reviewed:
            said.append(f"it ended as {sorted(run.outcome for run in reviews)}")
        if posted:
            summary = "\n".join(one.body for one in self._ours(pull))
            said += _unaccounted(summary)
        elif not any(one.summary for one in checks):
            said.append("no check run says what became of it")
        return said

    def disappointments(self, case: Case) -> list[str]:
        """Say what a case did not come to: its orders unread, or its words not there."""
        said = self.unfinished(case)
        read = self.model.obeyed.get(case.name, set())
        if case.reaches is not None and case.reaches not in read:
            said.append(f"its orders never reached {case.reaches}, only {sorted(read)}")
        if case.reaches is None and read:
            said.append(f"its orders reached {sorted(read)}")
        told, printed = self.told(case), self.model.printed.get(case.name, "")
        said += [f"it does not say {text!r}" for text in case.expects if text not in told]
        said += [f"it says {text!r}" for text in case.absent if text in told]
        said += [f"code did not print {text!r}" for text in case.prints if text not in printed]
        return said


_LEDGER = re.compile(
    r"Reviewed (?P<read>[\d,]+) of (?P<hunks>[\d,]+) hunks? in [\d,]+ files? \([^)]*\)"
    r"(?:; (?P<aside>[\d,]+) set aside)?"
)


def _unaccounted(summary: str) -> list[str]:
    """Say whether a summary accounts for each hunk: read, or set aside with a reason."""
    found = _LEDGER.search(summary)
    if found is None:
        return ["the summary says nothing of what was covered"]
    read, hunks, aside = (int((found[name] or "0").replace(",", "")) for name in _AMOUNTS)
    return [] if read + aside == hunks else [f"not accounted for: {found[0]}"]


_AMOUNTS = ("read", "hunks", "aside")


def _new(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in after.items() if name not in before}


def assert_nothing_happens(
    folder: Path,
    cases: Sequence[Case],
    field: Callable[[Path], Field] = Field,
    *,
    forks: bool = True,
) -> None:
    """Play the cases; fail with everything that they brought about, and all that they lacked.

    Without `forks` each process of the server is started as a program, for cases that look for what
    the system shows of one: that of a fork is what it is a fork of (`tests/warm.py`).
    """
    there = field(folder)
    there.world.forks = forks
    evidence = there.play(cases)
    said = problems(evidence)
    for case in cases:
        said += [f"{case.name}: {problem}" for problem in there.disappointments(case)]
    assert not said, "\n".join(said)
