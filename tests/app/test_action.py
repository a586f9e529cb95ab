"""The Action: the steps of action.yml, run as a job runs them, against GitHub's counterpart.

The action is installed once, for real, by its own step: venv, pip with hashes, the package.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.action import run_id
from app.action_step import exit_code
from app.action_work import Wish
from app.github.pulls import Pull
from app.github.urls import PullRequestUrl
from reviewer.finding import Severity
from reviewer.request import Review
from tests.composite import Composite, StepRan, job_environ
from tests.github.hub import FakeGitHub
from tests.github.state import FakeComment, FakePull, FakeRepo
from tests.model_server import Answer, ModelServer, hang, text, tool
from tests.warm import stand_in

ROOT = Path(__file__).parents[2]
KEY = "sk-test-1234567890"
BOT = "github-actions[bot]"
WRITE = {"contents": "read", "pull_requests": "write"}
READ = {"contents": "read", "pull_requests": "read"}

CLEAN = b"def area(w, h):\n    return w * h\n"
FLAWED = b"def area(w, h):\n    return w * w\n"
MARKED = b"def area(w, h):\n<<<<<<< HEAD\n    return w * h\n=======\n    return h * w\n>>>>>>> x\n"


@dataclass(frozen=True)
class Installed:
    """The action as a runner downloads it, and what its first step put out."""

    folder: Path
    step: StepRan
    warm: StepRan
    """The same with a program that does what the installed Python would be started for."""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    place = tmp_path_factory.mktemp("action")
    folder, step = installed_once(place, tmp_path_factory.getbasetemp().parent)
    python = step.outputs["python"]
    with stand_in(python, ("-I", "-m", "app.cli"), place, "app.action") as program:
        yield Installed(folder, step, replace(step, outputs={"python": str(program)}))


def installed_once(place: Path, run: Path) -> tuple[Path, StepRan]:
    """Install the action, once for all workers of a run of the tests: it takes half a minute.

    `place` is for who does it; `run` is the folder above those of the workers.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return install_action(place)
    done = run / "installed.json"
    with (run / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder, step = install_action(place)
            done.write_text(json.dumps([str(folder), asdict(step)]))
        name, fields = json.loads(done.read_text())
        return Path(name), StepRan(**fields)


def install_action(place: Path) -> tuple[Path, StepRan]:
    """Install a fresh copy of the tree by the action's own first step; return where it was."""
    folder = place / "source"
    folder.mkdir()
    for name in ("action.yml", "requirements.txt", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("app", "reviewer"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    before = sorted(folder.rglob("*"))
    for name in ("temp", "workspace", "home"):
        (place / name).mkdir()
    # A workspace in which an earlier step checked out the pull request.
    hostile(place / "workspace")
    given = job_environ(place / "home", PYTHONPATH=str(place / "workspace"))
    composite = Composite(
        folder, place / "temp", place / "workspace", given, {"github.token": "ghs_unused"}
    )
    step = composite.run("install")
    assert step.code == 0, step.log
    assert sorted(folder.rglob("*")) == before, "installing leaves the action's folder as it was"
    return folder, step


def hostile(workspace: Path) -> None:
    """Fill a folder with what Python and pip would pick up if they looked there."""
    trap = "import os; os.write(1, b'TRAPPED\\n'); os._exit(66)\n"
    for name in ("sitecustomize", "usercustomize", "pip", "ensurepip", "venv", "app", "pydantic"):
        (workspace / f"{name}.py").write_text(trap)
    (workspace / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:1/simple\n")
    (workspace / "setup.cfg").write_text("[install]\nprefix = /nowhere\n")
    (workspace / "pyproject.toml").write_text("not toml")


@dataclass
class Job:
    """One workflow run on one repository of the fake GitHub.

    `afresh`: the program is started from nothing, where a test is about that or sends a signal;
    for the others it is a fork of one that has imported already (`tests/warm.py`).
    """

    hub: FakeGitHub
    repo: FakeRepo
    installed: Installed
    place: Path
    permissions: dict[str, str] = field(default_factory=lambda: dict(WRITE))
    environ: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    number: int = 0
    afresh: bool = False

    def composite(self, event: str, payload: object) -> Composite:
        self.number += 1
        temp = self.place / f"temp-{self.number}"
        workspace = self.place / "workspace"
        for folder in (temp, workspace, self.place / "home"):
            folder.mkdir(exist_ok=True)
        hostile(workspace)
        path = temp / "event.json"
        path.write_text(json.dumps(payload, indent=2))
        token = self.hub.token(actor=BOT, repo=self.repo, permissions=self.permissions)
        given = job_environ(
            self.place / "home",
            PYTHONPATH=str(workspace),
            GITHUB_EVENT_NAME=event,
            GITHUB_EVENT_PATH=str(path),
            GITHUB_REPOSITORY=self.repo.full_name,
            GITHUB_SERVER_URL="https://github.com",
            GITHUB_API_URL="https://api.github.com",
            GITHUB_RUN_ID="77",
            GH_HOST="elsewhere.example",
            RLM_GITHUB_SERVER_URL=self.hub.web,
            RLM_GITHUB_API_URL=self.hub.api,
            RLM_GITHUB_PAUSE="0",
            **self.environ,
        )
        composite = Composite(
            self.installed.folder, temp, workspace, given, {"github.token": token}
        )
        composite.steps["install"] = self.installed.step if self.afresh else self.installed.warm
        return composite

    def run(self, event: str, payload: object, **inputs: str) -> StepRan:
        """Run the review step for an event; what no run may ever do is checked here."""
        composite = self.composite(event, payload)
        ran = composite.run("review", **inputs)
        self.outputs = composite.outputs()
        assert "TRAPPED" not in ran.log and "Traceback" not in ran.log, ran.log
        assert_quiet(ran, composite.context["github.token"])
        return ran

    def pushed(self, pull: FakePull, action: str = "opened", **inputs: str) -> StepRan:
        payload = self.hub.payload_pull(pull, action, self.hub.app("unused"))
        payload.pop("installation", None)
        return self.run("pull_request", payload, **inputs)

    def commented(self, comment: FakeComment, **inputs: str) -> StepRan:
        payload = self.hub.payload_comment(comment, self.hub.app("unused"))
        payload.pop("installation", None)
        return self.run("issue_comment", payload, **inputs)

    @property
    def review(self) -> Review:
        return Review.model_validate_json(Path(self.outputs["report"]).read_bytes())

    @property
    def writes(self) -> list[str]:
        """What was asked of REST other than to read; git's own POST reads."""
        return [
            f"{seen.method} {seen.path}"
            for seen in self.hub.requests
            if seen.method != "GET" and not seen.path.endswith("/git-upload-pack")
        ]


def assert_quiet(ran: StepRan, *secrets: str) -> None:
    """No secret is in the log but where it is hidden, and none is in the summary."""
    for secret in secrets:
        told = [line for line in ran.log.splitlines() if secret in line]
        assert told == [line for line in told if line == f"::add-mask::{secret}"]
        assert secret not in ran.summary
    allowed = {"add-mask", "notice", "warning", "error"}
    assert {command.name for command in ran.commands} <= allowed, ran.log


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "hub") as server:
        yield server


@pytest.fixture
def job(hub: FakeGitHub, installed: Installed, tmp_path: Path) -> Job:
    place = tmp_path / "job"
    place.mkdir()
    repo = hub.repository("octo/hello")
    repo.permit("alice", "write")
    return Job(hub, repo, installed, place)


def opened(repo: FakeRepo, head: bytes = FLAWED, path: str = "shapes.py", **more: Any) -> FakePull:
    """Open a pull request that changes one file."""
    base = repo.commit({path: CLEAN})
    return repo.pull(base=base, head=repo.commit({path: head}, base), **more)


def finder(request: dict[str, Any]) -> Answer:
    """Find `w * w` in whichever hunk shows it."""
    prompt = str(request["messages"][0]["content"][0]["text"])
    before, found, _ = prompt.partition("return w * w")
    claim = {
        "hunk": re.findall(r"--- hunk (\S+)", before)[-1] if found else "",
        "quote": "    return w * w",
        "category": "correctness",
        "severity": "high",
        "confidence": 0.9,
        "title": "The height is not used",
        "why": "area(2, 3) is 4 and should be 6. ::error::no ##[add-mask]3",
        "replacement": "    return w * h",
    }
    return tool("submit", {"overview": "Areas.", "claims": [claim] if found else []})


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(finder, key=KEY) as server:
        yield server


def key(model: ModelServer) -> dict[str, str]:
    return {"anthropic_api_key": KEY, "anthropic_base_url": model.url}


# A pull request ----------------------------------------------------------------------------------


def test_a_pull_request_is_reviewed_inline_and_in_a_summary(job: Job, model: ModelServer) -> None:
    job.afresh = True
    pull = opened(job.repo)
    ran = job.pushed(pull, **key(model))
    assert ran.code == 0, ran.log
    (review,) = pull.reviews
    assert (review.user.login, review.state, review.commit) == (BOT, "COMMENTED", pull.head)
    (comment,) = review.comments
    assert (comment.path, comment.line, comment.side) == ("shapes.py", 2, "RIGHT")
    assert "The height is not used" in comment.body and "```suggestion" in comment.body
    (summary,) = pull.comments
    assert summary.user.login == BOT and "1 finding: 1 high" in summary.body
    assert job.outputs["status"] == "complete"
    assert (job.outputs["findings"], job.outputs["posted"]) == ("1", "true")
    assert [finding.line for finding in job.review.findings] == [2]
    assert "1 finding: 1 high" in ran.summary and pull.url in ran.summary
    assert not ran.said("error") and not ran.said("warning")
    assert not job.repo.check_runs  # the job is one already


def test_running_the_job_again_posts_nothing_twice(job: Job, model: ModelServer) -> None:
    pull = opened(job.repo)
    job.pushed(pull, **key(model))
    ran = job.pushed(pull, **key(model))
    assert ran.code == 0 and job.outputs["posted"] == "true"
    assert len(pull.reviews) == len(pull.review_comments) == len(pull.comments) == 1
    asked = [write.partition(" ")[0] for write in job.writes]
    assert asked.count("POST") == 2 and set(asked) <= {"POST", "PATCH"}


def test_a_push_is_reviewed_and_what_was_said_is_not_repeated(job: Job, model: ModelServer) -> None:
    pull = opened(job.repo)
    job.pushed(pull, **key(model))
    more = job.repo.commit({"shapes.py": FLAWED, "other.py": MARKED}, pull.head)
    pull.push(more)
    job.pushed(pull, "synchronize", **key(model))
    said = [(comment.path, comment.commit) for comment in pull.review_comments]
    assert [path for path, _ in said] == ["shapes.py", "other.py"]
    assert len(pull.comments) == 1 and "2 findings" in pull.comments[0].body


def test_the_repository_says_how_it_is_reviewed(job: Job, model: ModelServer) -> None:
    policy = b"effort: quick\nthresholds: {severity: critical}\n"
    base = job.repo.commit({"shapes.py": CLEAN, ".github/rlm.yml": policy})
    head = job.repo.commit({"shapes.py": FLAWED, ".github/rlm.yml": b"effort: deep\n"}, base)
    pull = job.repo.pull(base=base, head=head)
    ran = job.pushed(pull, **key(model))
    assert ran.code == 0, ran.log
    assert not pull.review_comments
    assert len(model.calls) == 1, "one pass"
    assert any("1 finding is not shown" in note for note in job.review.notes)
    assert any("This change edits" in note for note in job.review.notes)


def test_without_a_key_the_detectors_review_and_say_so(job: Job) -> None:
    pull = opened(job.repo, MARKED)
    ran = job.pushed(pull)
    assert ran.code == 0
    assert pull.review_comments and "no model key is configured" in pull.comments[0].body
    assert job.review.cost.model is None


def test_the_summary_says_so_where_there_is_nothing_to_say(job: Job) -> None:
    pull = opened(job.repo, CLEAN + b"\n\nEMPTY = 0\n")
    assert job.pushed(pull).code == 0
    assert pull.reviews == [] and "No findings" in pull.comments[0].body
    assert (job.outputs["findings"], job.outputs["posted"]) == ("0", "true")


# A token that may only read ----------------------------------------------------------------------


def test_a_fork_gets_a_summary_and_annotations_where_the_token_may_only_read(job: Job) -> None:
    job.permissions = READ
    pull = opened(job.repo, MARKED, fork="bob/hello")
    ran = job.pushed(pull, **{"anthropic_api_key": ""})
    assert ran.code == 0, ran.log
    assert pull.reviews == pull.comments == []
    assert job.outputs["posted"] == "false" and int(job.outputs["findings"]) > 0
    (notice,) = ran.said("notice")
    assert "not on the pull request" in notice.message
    assert "Resource not accessible by integration" in notice.message
    assert "GitHub hands no secrets" in ran.summary and "Not posted" in ran.summary
    shown = [*ran.said("error"), *ran.said("warning")]
    assert len(shown) == int(job.outputs["findings"])
    assert {(one.properties["file"], one.properties["line"]) for one in shown} == {
        ("shapes.py", str(finding.start_line)) for finding in job.review.findings
    }


def test_many_findings_stay_within_what_github_shows_of_a_step(job: Job) -> None:
    job.permissions = READ
    base = job.repo.commit({"a.py": CLEAN})
    # Secrets, for each is a finding of its own.
    keys = [hashlib.sha256(bytes([n])).hexdigest()[:24] for n in range(25)]
    files = {
        f"dir,{n}:x/f%0A{n}.py": f'KEY = "sk_{"live"}_{key}"\n'.encode()
        for n, key in enumerate(keys)
    }
    pull = job.repo.pull(base=base, head=job.repo.commit({"a.py": CLEAN, **files}, base))
    ran = job.pushed(pull)
    assert int(job.outputs["findings"]) >= 25
    assert max(len(ran.said(level)) for level in ("error", "warning")) <= 10
    why, *shown = [*ran.said("warning"), *ran.said("error")]
    assert "`permissions:`" in why.message, "nobody expects it here, so it is a warning"
    assert len(shown) == 18
    assert {one.properties["file"] for one in shown} <= files.keys()


def test_a_locked_conversation_is_no_trouble(job: Job) -> None:
    pull = opened(job.repo, MARKED)
    pull.locked = True
    ran = job.pushed(pull)
    assert (ran.code, job.outputs["posted"]) == (0, "false")
    assert "locked" in ran.said("notice")[0].message and ran.said("error")


# Comments ----------------------------------------------------------------------------------------


def test_a_comment_starts_a_review_of_a_fork_with_the_model(job: Job, model: ModelServer) -> None:
    pull = opened(job.repo, fork="bob/hello")
    comment = pull.comment("alice", "/rlm review")
    ran = job.commented(comment, **key(model))
    assert ran.code == 0, ran.log
    assert [(r.user.login, r.content) for r in comment.reactions] == [(BOT, "eyes")]
    assert [one.line for one in pull.review_comments] == [2]
    assert [one.user.login for one in pull.comments] == ["alice", BOT]
    job.commented(comment, **key(model))
    assert len(pull.reviews) == 1 and len(pull.comments) == 2 and len(comment.reactions) == 1


def test_a_second_comment_asks_for_another_review_and_full_says_all_again(
    job: Job, model: ModelServer
) -> None:
    pull = opened(job.repo)
    job.pushed(pull, **key(model))
    job.commented(pull.comment("alice", "/rlm review"), **key(model))
    assert len(pull.reviews) == 1, "what was said is not repeated"
    job.commented(pull.comment("alice", "/rlm review full"), **key(model))
    assert len(pull.reviews) == 2


def test_paths_of_a_command_limit_the_review(job: Job) -> None:
    base = job.repo.commit({"a.py": CLEAN, "b.py": CLEAN})
    pull = job.repo.pull(base=base, head=job.repo.commit({"a.py": MARKED, "b.py": MARKED}, base))
    job.commented(pull.comment("alice", "/rlm review b.py"))
    assert {comment.path for comment in pull.review_comments} == {"b.py"}


def test_who_may_not_write_is_refused_once_and_nothing_is_reviewed(job: Job) -> None:
    pull = opened(job.repo, MARKED, author="mallory")
    first, second = (pull.comment("mallory", "/rlm review") for _ in range(2))
    for comment in (first, second):
        ran = job.commented(comment)
        assert (ran.code, job.outputs["status"]) == (0, "skipped")
        assert comment.reactions == []
    assert pull.reviews == []
    (answer,) = [one for one in pull.comments if one.user.login == BOT]
    assert "may write" in answer.body


def test_other_commands_are_answered_once(job: Job) -> None:
    pull = opened(job.repo)
    for body, answer in (
        ("/rlm help", "| `/rlm review` |"),
        ("/rlm stop", "**Cancel workflow**"),
        ("/rlm reviw", "Did you mean `/rlm review`?"),
    ):
        comment = pull.comment("alice", body)
        assert job.commented(comment).code == 0
        assert answer in pull.comments[-1].body and pull.comments[-1].user.login == BOT
        assert [reaction.content for reaction in comment.reactions] == ["eyes"]
    job.commented(comment)
    assert len(pull.comments) == 6 and pull.reviews == []


def answers(request: dict[str, Any]) -> Answer:
    if "The question:" not in str(request["messages"][-1]):
        return finder(request)
    quote = {"path": "shapes.py", "quote": "    return w * w"}
    return tool("submit", {"answer": "It takes `w` twice @bob.", "quotes": [quote]})


def test_a_question_is_answered_once_with_where_it_says_so(job: Job, model: ModelServer) -> None:
    pull = opened(job.repo)
    model.script = answers
    comment = pull.comment("alice", "/rlm ask What does area\ndo with h?")
    ran = job.commented(comment, **key(model))
    assert (ran.code, job.outputs["status"], pull.reviews) == (0, "complete", [])
    body = pull.comments[-1].body
    assert body.startswith("It takes `w` twice @&#8203;bob.")
    where = f"/octo/hello/blob/{pull.head}/shapes.py?plain=1#L2)"
    assert "From: [`shapes.py:2`](" in body and where in body
    asked = model.requests[-1].body["messages"][0]["content"][-1]["text"]
    assert asked == "The question:\n\n> What does area\n> do with h?"
    job.commented(comment, **key(model))
    assert len(pull.comments) == 2


def test_a_question_that_cannot_be_answered_is_told_so(job: Job) -> None:
    pull = opened(job.repo)
    ran = job.commented(pull.comment("alice", "/rlm ask Why?"))
    assert (ran.code, job.outputs["status"]) == (3, "partial")
    assert "cannot answer this" in pull.comments[-1].body
    assert "no model is asked" in pull.comments[-1].body


def test_a_comment_can_give_several_commands(job: Job, model: ModelServer) -> None:
    pull = opened(job.repo)
    model.script = answers
    comment = pull.comment("alice", "/rlm pause\n/rlm review\n/rlm ask Why?\n/rlm review")
    assert job.commented(comment, **key(model)).code == 0
    assert len(pull.reviews) == 1
    bodies = [one.body for one in pull.comments if one.user.login == BOT]
    assert sum("takes the App" in body for body in bodies) == 1
    assert sum("twice" in body for body in bodies) == 1


def test_a_question_before_another_command_is_answered_too(job: Job, model: ModelServer) -> None:
    pull = opened(job.repo)
    model.script = answers
    comment = pull.comment("alice", "/rlm ask Why?\n/rlm pause")
    for _ in range(2):
        assert job.commented(comment, **key(model)).code == 0
    bodies = [one.body for one in pull.comments if one.user.login == BOT]
    assert [("takes the App" in body, "twice" in body) for body in bodies] == [
        (True, False),
        (False, True),
    ]


def test_talk_is_no_command(job: Job) -> None:
    pull = opened(job.repo)
    ran = job.commented(pull.comment("alice", "> /rlm review\n\nDoes that work?"))
    assert ran.code == 0 and job.writes == []


# What is not reviewed ----------------------------------------------------------------------------


def test_a_draft_is_left_until_somebody_asks(job: Job) -> None:
    pull = opened(job.repo, MARKED, draft=True)
    ran = job.pushed(pull)
    assert (ran.code, job.outputs["status"], job.writes) == (0, "skipped", [])
    assert "draft" in ran.said("notice")[0].message
    job.commented(pull.comment("alice", "/rlm review"))
    assert len(pull.reviews) == 1


def test_a_pull_request_that_was_closed_meanwhile_is_left(job: Job) -> None:
    pull = opened(job.repo, MARKED)
    payload = job.hub.payload_pull(pull, "opened", job.hub.app("unused"))
    pull.close()
    ran = job.run("pull_request", payload)
    assert (ran.code, job.outputs["status"], job.writes) == (0, "skipped", [])
    job.commented(pull.comment("alice", "/rlm review"))
    assert "open pull request" in pull.comments[-1].body


def test_a_head_that_moves_during_the_review_gets_no_review_of_the_old_one(
    job: Job, model: ModelServer
) -> None:
    pull = opened(job.repo)
    newer = job.repo.commit({"shapes.py": MARKED}, pull.head)
    model.script = lambda request: (pull.push(newer), finder(request))[1]
    ran = job.pushed(pull, **key(model))
    assert ran.code == 0 and pull.reviews == []
    assert "newer head" in ran.said("notice")[0].message
    assert "1 finding: 1 high" in ran.summary


def test_a_number_given_by_hand_is_reviewed(job: Job) -> None:
    pull = opened(job.repo, MARKED, draft=True)
    ran = job.run("workflow_dispatch", {"inputs": {}}, pull_request=str(pull.number))
    assert ran.code == 0 and len(pull.reviews) == 1


# The exit code -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "threshold", "code"),
    [
        ("complete", None, 0),
        ("complete", Severity.CRITICAL, 0),
        ("complete", Severity.HIGH, 1),
        ("complete", Severity.NIT, 1),
        ("partial", None, 0),
        ("partial", Severity.CRITICAL, 3),
        ("partial", Severity.HIGH, 1),
    ],
)
def test_the_step_fails_only_if_it_is_told_to(
    status: str, threshold: Severity | None, code: int
) -> None:
    assert exit_code(status, [Severity.HIGH, Severity.NIT], threshold) == code


def test_a_review_has_one_name_for_what_it_is_about() -> None:
    pull = Pull(
        url=PullRequestUrl("https://github.com", "octo", "hello", 3),
        repository="octo/hello", base="b" * 40, head="a" * 40, state="open", repository_id=9,
        number=3, draft=False, locked=False, author="bob", base_ref="main", head_ref="topic",
        head_repository="octo/hello", title="x", body="",
    )  # fmt: skip
    wish = Wish(3, "head")
    name = run_id(pull, wish, "complete")
    assert re.fullmatch(r"[0-9a-f]{24}", name)
    # The base branch moves with every merge; its tip is not what a review is about.
    assert run_id(replace(pull, base="c" * 40), wish, "complete") == name
    others = {
        run_id(replace(pull, head="c" * 40), wish, "complete"),
        run_id(replace(pull, base_ref="next"), wish, "complete"),
        run_id(replace(pull, repository_id=10), wish, "complete"),
        run_id(pull, Wish(3, "comment:7"), "complete"),
        run_id(pull, wish, "partial"),
    }
    assert len(others - {name}) == 5


def test_findings_at_the_threshold_are_posted_and_fail_the_step(job: Job) -> None:
    pull = opened(job.repo, MARKED)
    ran = job.pushed(pull, fail_on="high")
    assert ran.code == 1 and len(pull.reviews) == 1
    assert "fail-on" in ran.said("error")[0].message and job.outputs["status"] == "complete"


def test_an_early_end_is_said_and_fails_who_relies_on_the_whole(job: Job) -> None:
    pull = opened(job.repo)
    with ModelServer(lambda _: text("no tool call, ever"), key=KEY) as model:
        ran = job.pushed(pull, fail_on="high", **key(model))
    assert (ran.code, job.outputs["status"]) == (3, "partial")
    assert "ended early" in ran.said("warning")[0].message
    assert "not reviewed" in ran.said("error")[0].message
    assert "ended early" in pull.comments[0].body


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"fail_on": "urgent"}, "fail-on is not a severity: 'urgent'"),
        ({"model": "a b\n::error::c"}, "RLM_MODEL"),
    ],
)
def test_a_wrong_input_is_an_error_that_names_it(
    job: Job, inputs: dict[str, str], said: str
) -> None:
    ran = job.pushed(opened(job.repo), **inputs)
    assert ran.code == 2
    (error,) = ran.said("error")
    assert said in error.message
    assert job.writes == []


def test_a_pull_request_that_is_gone_is_an_error_that_says_so(job: Job) -> None:
    pull = opened(job.repo)
    payload = job.hub.payload_pull(pull, "opened", job.hub.app("unused"))
    pull.vanish()
    ran = job.run("pull_request", payload)
    assert ran.code == 2 and f"octo/hello#{pull.number}" in ran.said("error")[0].message


def test_a_server_in_trouble_is_asked_again_and_posts_once(job: Job) -> None:
    pull = opened(job.repo, MARKED)
    job.hub.fault(method="POST", path=r"/reviews$", status=502, when="after", times=1)
    job.hub.fault(
        method="POST", path=r"/comments$", status=429, headers={"retry-after": "1"}, times=1
    )
    ran = job.pushed(pull)
    assert ran.code == 0, ran.log
    assert "trying again" in ran.log
    assert (len(pull.reviews), len(pull.comments)) == (1, 1)


def test_a_review_that_cannot_be_posted_is_not_lost(job: Job) -> None:
    pull = opened(job.repo, MARKED)
    job.hub.fault(
        method="POST", path=r"/comments$", status=429, headers={"retry-after": "900"}, times=9
    )
    ran = job.pushed(pull)
    assert ran.code == 2 and job.outputs["posted"] == "false"
    assert "limits the rate" in ran.said("error")[0].message
    assert "Not posted on the pull request" in ran.summary and "conflict" in ran.summary


# What a stranger writes --------------------------------------------------------------------------


def test_names_and_words_of_a_stranger_start_no_command(job: Job, model: ModelServer) -> None:
    path = "a\n::add-mask::e\n##[stop-commands]x.py"
    base = job.repo.commit({path: CLEAN})
    pull = job.repo.pull(
        base=base, head=job.repo.commit({path: FLAWED}, base), title="::error::title"
    )
    job.permissions = READ
    ran = job.pushed(pull, **key(model))
    assert ran.code == 0, ran.log
    (shown,) = ran.said("error")
    assert "##[add-mask]3" in shown.message  # quoted, as data of one command
    assert all(command.message != "e" for command in ran.said("add-mask"))


def test_the_action_runs_in_a_job_only(installed: Installed, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed.step.outputs["python"], "-I", "-m", "app.cli", "action"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_TOKEN": "ghs_secret"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "rlm review" in done.stdout
    assert "ghs_secret" not in done.stdout + done.stderr


def test_a_cancelled_job_ends_by_itself_and_posts_nothing(job: Job) -> None:
    job.afresh = True
    pull = opened(job.repo)
    payload = job.hub.payload_pull(pull, "opened", job.hub.app("unused"))
    with ModelServer(lambda _: hang(60), key=KEY) as model:
        composite = job.composite("pull_request", payload)
        process = composite.start("review", **key(model))
        wait_until(lambda: bool(model.requests))
        process.send_signal(signal.SIGINT)
        ran = composite.end("review", process, within_s=7)  # the runner kills it after 7.5 s
    assert ran.code == 130, ran.log
    assert "cancelled" in ran.said("warning")[0].message
    assert pull.reviews == pull.comments == []


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


# The first step ----------------------------------------------------------------------------------


def first_step(
    tmp_path: Path, installed: Installed, environ: dict[str, str], **given: str
) -> StepRan:
    for name in ("temp", "workspace", "home", "bin"):
        (tmp_path / name).mkdir()
    composite = Composite(
        installed.folder,
        tmp_path / "temp",
        tmp_path / "workspace",
        {**job_environ(tmp_path / "home"), **environ},
        {"github.token": "ghs_unused"},
    )
    return composite.run("install", **given)


def test_a_runner_without_a_new_python_is_told_what_to_do(
    installed: Installed, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("bash", "mktemp"):
        (tools / name).symlink_to(str(shutil.which(name)))
    ran = first_step(tmp_path, installed, {"PATH": str(tools)})
    assert ran.code == 2 and "setup-python" in ran.said("error")[0].message


def test_the_input_python_is_used_or_refused(installed: Installed, tmp_path: Path) -> None:
    ran = first_step(tmp_path, installed, {}, python="/nowhere/python3")
    assert ran.code == 2 and "No Python 3.11" in ran.said("error")[0].message


def test_windows_is_refused_in_words(installed: Installed, tmp_path: Path) -> None:
    ran = first_step(tmp_path, installed, {"RUNNER_OS": "Windows"}, python=sys.executable)
    assert ran.code == 2 and "Linux and macOS" in ran.said("error")[0].message
