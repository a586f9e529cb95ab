"""`/rlm fix`, `tests`, `refactor`, `go` and `undo` in a job of a workflow: its process, and GitHub's
counterpart.
"""

import json
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.action_plans import planned_name
from app.carried_plan import carried
from app.github.markers import Marker, Seal, visible
from app.render.writing import plan_comment
from app.written import Written
from reviewer.refactor.values import Module, Plan, Refactoring
from tests import warm
from tests.app.test_action import BOT, CLEAN, FLAWED, KEY, assert_quiet, finder
from tests.app.test_tests_command import (
    CART,
    CART_BEFORE,
    CART_NOW,
    LABELS,
    LABELS_NOW,
    SHOUTED,
    elsewhere,
)
from tests.app.test_tests_command import NEW as LABELS_TEST
from tests.app.test_tests_command import TEST as CART_TEST
from tests.app.test_tests_command import TEST_BEFORE as CART_TEST_BEFORE
from tests.app.test_tests_command import model as plays
from tests.app.test_tests_command import written as rewritten
from tests.composite import StepRan, job_environ, read_outputs
from tests.github.hub import FakeGitHub, Seen
from tests.github.state import FakeComment, FakePull, FakeRepo
from tests.model_server import ModelServer, Scripted, tool
from tests.reviewer.refactor.shop import edited, module, planned, prompt
from tests.reviewer.refactor.shop import plans as plans_modules

POLICY = ".github/rlm.yml"
WRITES = {"contents": "write", "pull_requests": "write"}
READS = {"contents": "read", "pull_requests": "write"}

NOT_ALLOWED = {"message": "Resource not accessible by integration"}

SHAPES = "shapes.py"
FLAW = "    return w * w"
GOOD = "    return w * h"
ID = re.compile(r"^(?:The finding|What failed) ([0-9a-f]{12}):", re.M)


@dataclass
class Model:
    """Finds the flaw, mends it by `patch`, and after checks failed by `mended`."""

    patch: str = GOOD
    mended: str = GOOD
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: dict[str, Any]) -> Scripted:
        fields = {name for one in request["tools"] for name in one["input_schema"]["properties"]}
        told = prompt(request)
        if "opinions" in fields:
            name = ID.search(told)
            assert name
            quote = re.findall(r"> \+(.*)", told)[0]
            said = {"finding": name[1], "reasoning": "Read.", "verdict": "closes"}
            return tool("submit", {"opinions": [{**said, "path": SHAPES, "quote": quote}]})
        if "replacements" not in fields:
            return finder(request)
        self.asked.append(told)
        if "What failed" in told:
            return edited((SHAPES, self.patch, self.mended), message="Mend it\n\nChecks said so.")
        return edited((SHAPES, FLAW, self.patch), message="Use the height\n\nIt was lost.")


@dataclass
class Shop:
    """A repository with a pull request that has a flaw, and a job of a workflow on it."""

    hub: FakeGitHub
    repo: FakeRepo
    service: ModelServer
    model: Model
    place: Path
    permissions: dict[str, str] = field(default_factory=lambda: dict(WRITES))
    environ: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    started: int = 0
    process: Any = None
    """The program that runs, or ran last."""
    afresh = False
    """Whether the program is started from nothing: where what its process shows is looked at."""

    def pull(
        self, policy: str = "write: on\n", theirs: str = "", files: Any = (), **more: Any
    ) -> FakePull:
        """Open the pull request. `policy` is the default branch's, `theirs` that of the head."""
        given = dict(files)
        base = self.repo.commit({SHAPES: CLEAN, POLICY: policy.encode(), **given})
        changed = {POLICY: (theirs or policy).encode(), **given}
        head = self.repo.commit({SHAPES: FLAWED, **changed}, base)
        return self.repo.pull(base, head, **{"head_ref": "topic", **more})

    def says(self, pull: FakePull, text: str, who: str = "alice", ago_s: float = 0) -> StepRan:
        """Let somebody comment, so long ago, and the job run that this starts."""
        comment = pull.comment(who, text)
        comment.created -= ago_s
        comment.updated -= ago_s
        payload = self.hub.payload_comment(comment, self.hub.app("unused"))
        payload.pop("installation", None)
        return self.runs(payload)

    def pushed(self, pull: FakePull, action: str = "synchronize") -> StepRan:
        """Let the job run that a push starts, or something else that happens."""
        payload = self.hub.payload_pull(pull, action, self.hub.app("unused"), sender="alice")
        payload.pop("installation", None)
        return self.runs(payload, "pull_request")

    def runs(self, payload: Any, event_name: str = "issue_comment") -> StepRan:
        """Run the step for an event, a comment by itself."""
        self.started += 1
        temp = self.place / f"temp-{self.started}"
        temp.mkdir(parents=True)
        names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")
        files = {name: temp / name for name in names}
        for path in files.values():
            path.touch()
        event = temp / "event.json"
        event.write_text(json.dumps(payload))
        token = self.hub.token(actor=BOT, repo=self.repo, permissions=self.permissions)
        environ = job_environ(
            self.place,
            GITHUB_EVENT_NAME=event_name,
            GITHUB_EVENT_PATH=str(event),
            GITHUB_REPOSITORY=self.repo.full_name,
            GITHUB_SERVER_URL="https://github.com",
            GITHUB_API_URL="https://api.github.com",
            GITHUB_RUN_ID="77",
            GITHUB_TOKEN=token,
            ACTIONS_RUNTIME_TOKEN="the-runners-own-token",
            RLM_GITHUB_SERVER_URL=self.hub.web,
            RLM_GITHUB_API_URL=self.hub.api,
            RLM_GITHUB_PAUSE="0",
            ANTHROPIC_API_KEY=KEY,
            ANTHROPIC_BASE_URL=self.service.url,
            RUNNER_TEMP=str(temp),
            **{name: str(path) for name, path in files.items()},
        )
        process = warm.start(
            ["action"],
            cwd=temp,
            env=environ | self.environ,
            together=True,
            afresh=self.afresh,
        )
        self.process = process
        log, _ = process.communicate(timeout=240)
        self.outputs = read_outputs(files["GITHUB_OUTPUT"].read_text())
        summary = files["GITHUB_STEP_SUMMARY"].read_text()
        ran = StepRan(process.returncode, log.decode(), self.outputs, summary)
        assert_quiet(ran, token, KEY)
        assert "This is a bug" not in ran.log, ran.log
        assert not files["GITHUB_ENV"].read_text() + files["GITHUB_PATH"].read_text()
        return ran

    @property
    def stacked(self) -> list[FakePull]:
        return [one for one in self.repo.pulls.values() if one.author.login == BOT]

    def branches(self) -> list[str]:
        shown = self.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/rlm-*")
        return shown.split()

    def log(self, pull: FakePull, stacked: FakePull) -> list[str]:
        shown = self.repo.git("log", "--reverse", "--format=%s", f"{pull.head}..{stacked.head}")
        return shown.splitlines()

    def patch(self) -> str:
        return Path(self.outputs["patch"]).read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    model = Model()
    with (
        FakeGitHub(tmp_path / "hub") as hub,
        ModelServer(model, key=KEY) as service,
    ):
        repo = hub.repository("octo/hello")
        repo.permit("alice", "write")
        yield Shop(hub, repo, service, model, tmp_path / "job")


def ours(pull: FakePull) -> list[str]:
    return [one.body for one in pull.comments if one.user.login == BOT]


# A fix -------------------------------------------------------------------------------------------


def test_a_fix_is_a_pull_request_on_top_that_undo_takes_away(shop: Shop) -> None:
    pull = shop.pull()
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0, ran.log
    (stacked,) = shop.stacked
    assert (stacked.base_ref, stacked.title) == ("topic", "Fix: 1 finding")
    assert GOOD in shop.repo.git("show", f"{stacked.head}:{SHAPES}")
    assert shop.log(pull, stacked) == ["Use the height"]
    (said,) = ours(pull)
    assert f"/pull/{stacked.number}" in said and "reviewed again" in said
    assert "starts no workflow" in stacked.body and "No test was run here" in stacked.body
    assert shop.outputs["status"] == "complete" and shop.outputs["findings"] == "0"
    assert f"+{GOOD}" in shop.patch() and Path(shop.outputs["report"]).is_file()
    assert stacked.number and f"/pull/{stacked.number}" in ran.summary

    # The same job again finds what it has opened; nothing is reviewed or paid a second time.
    paid = len(shop.service.requests)
    command = next(one for one in pull.comments if one.user.login == "alice")
    payload = shop.hub.payload_comment(command, shop.hub.app("unused"))
    payload.pop("installation", None)
    assert shop.runs(payload).code == 0
    assert len(shop.stacked) == 1 and len(shop.service.requests) == paid
    assert shop.outputs["status"] == "skipped"

    # What else a comment asks for is answered, too.
    ran = shop.says(pull, "/rlm pause\n/rlm undo")
    assert "takes the App" in ours(pull)[-2]
    assert ran.code == 0 and stacked.state == "closed" and shop.branches() == [], ran.log
    assert "is closed, and its branch" in ours(pull)[-1]
    # Once more it is what it was; what is left is said, and nothing else is touched.
    ran = shop.says(pull, "/rlm undo")
    assert ran.code == 0 and f"#{stacked.number}" in ours(pull)[-1], ran.log
    assert "is closed, and its branch" in ours(pull)[-1] and pull.state == "open"


def cancelled(shop: Shop, *at: tuple[int, str]) -> None:
    """Have the runner cancel the job: send it these signals, each after a request that writes."""
    shop.afresh = True
    left = list(at)

    def cancel(_index: int, seen: Seen, when: str) -> None:
        while left and (when, seen.method) == ("after", "POST") and seen.path.endswith(left[0][1]):
            shop.process.send_signal(left.pop(0)[0])

    shop.hub.on_request(cancel)


@pytest.mark.parametrize(
    "at",
    [
        [(signal.SIGINT, "/git/refs")],
        # So a runner does it: seconds later it sends another, and only then it kills.
        [(signal.SIGINT, "/git/refs"), (signal.SIGTERM, "/git/refs")],
        [(signal.SIGINT, "/git/refs"), (signal.SIGTERM, "/pulls")],
        [(signal.SIGINT, "/pulls"), (signal.SIGTERM, "/pulls")],
    ],
)
def test_a_job_that_is_cancelled_while_it_hands_over_leaves_no_half(
    shop: Shop, at: list[tuple[int, str]]
) -> None:
    pull = shop.pull()
    cancelled(shop, *at)
    ran = shop.says(pull, "/rlm fix")
    (stacked,) = shop.stacked
    assert shop.branches() == [stacked.head_ref] and stacked.state == "open"
    assert f"/pull/{stacked.number}" in ours(pull)[-1]
    assert ran.code == 0 and "cancelled too late" in ran.said("warning")[0].message


@pytest.mark.parametrize("first", ["/git/trees", "/git/commits"])
def test_a_job_that_is_cancelled_before_it_has_made_a_branch_makes_none(
    shop: Shop, first: str
) -> None:
    pull = shop.pull()
    cancelled(shop, (signal.SIGINT, first), (signal.SIGTERM, "/git/refs"))
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 130 and "nothing is written" in ran.said("warning")[0].message
    assert shop.branches() == [] and shop.stacked == [] and ours(pull) == []
    assert shop.hub.asked("POST", "/git/")[-1].path.endswith(first), "it ends where it is"


def test_undo_leaves_a_branch_with_the_work_of_others(shop: Shop) -> None:
    pull = shop.pull()
    assert shop.says(pull, "/rlm undo").code == 0
    assert "no pull request of mine" in ours(pull)[-1]
    shop.says(pull, "/rlm fix")
    (stacked,) = shop.stacked
    stacked.push(shop.repo.commit({SHAPES: b"theirs\n"}, stacked.head))
    shop.says(pull, "/rlm undo")
    assert stacked.state == "closed" and shop.branches() == [stacked.head_ref]
    assert "commits that are not ours" in ours(pull)[-1]


def test_a_push_below_one_on_top_is_told_to_it(shop: Shop) -> None:
    pull = shop.pull()
    shop.says(pull, "/rlm fix")
    (stacked,) = shop.stacked
    theirs = shop.repo.pull(pull.head, stacked.head, author="bob", base_ref="topic", head_ref="x")
    tips, on, kept = shop.branches(), pull.head, {SHAPES: FLAWED, POLICY: b"write: on\n"}
    shop.environ = {"ANTHROPIC_API_KEY": ""}

    def pushed(changes: dict[str, bytes]) -> str:
        """Have alice push, and the job run that this starts; return what is said on top."""
        pull.push(shop.repo.commit(kept | changes, pull.head))
        ran = shop.pushed(pull)
        assert ran.code == 0 and "the model" not in ran.log and not ran.said("warning"), ran.log
        (said,) = [visible(one.body) for one in stacked.comments]
        return said

    said = pushed({"other.py": b"x = 1\n"})
    assert said.startswith(f"#{pull.number} has moved on since this was made (`{on[:10]}` then, ")
    assert "**it still applies exactly**. 1 other file changed meanwhile; none uses a name" in said
    renamed = shop.repo.git("show", f"{stacked.head}:{SHAPES}").replace("def area", "def size")
    stacked.push(shop.repo.commit(kept | {SHAPES: f"{renamed}\n".encode()}, stacked.head))
    said = pushed({"other.py": b"from shapes import area\n"})
    assert "uses names that are gone by this**: `area` in `other.py`." in said
    said = pushed({SHAPES: FLAWED + b"\n\nEMPTY = 0\n"})
    assert f"`{SHAPES}` changed there" in said and "and `/rlm fix` makes it anew" in said
    stacked.push(shop.repo.commit(kept, pull.head, stacked.head))
    assert shop.pushed(stacked).code == 0
    assert f"This stands on what #{pull.number} ends at by now" in stacked.comments[0].body
    assert shop.branches() == tips and theirs.comments == []
    edited = stacked.comments[0].updated
    assert shop.pushed(pull, "edited").code == 0 and stacked.comments[0].updated == edited
    # Who may not speak there reviews all the same.
    shop.hub.fault("PATCH", f"/issues/comments/{stacked.comments[0].id}$", status=403)
    pull.push(shop.repo.commit(kept, pull.head))
    ran = shop.pushed(pull)
    assert ran.code == 0 and f"#{stacked.number} is not told of the push" in ran.log, ran.log
    assert shop.outputs["posted"] == "true"


def test_a_finding_is_named_by_the_comment_that_told_it(shop: Shop) -> None:
    pull = shop.pull()
    assert shop.says(pull, "/rlm review").code == 0
    (comment,) = pull.review_comments
    marker = re.search(r'"finding":"([0-9a-f]{12})"', comment.body)
    assert marker
    shop.says(pull, "/rlm fix 0123456789ab")
    assert "There is no finding `0123456789ab`" in ours(pull)[-1] and shop.stacked == []
    # A model says the same in other words the next time: the place says which is meant.
    comment.body = comment.body.replace(marker[1], "aaaaaaaaaaaa")
    ran = shop.says(pull, "/rlm fix aaaaaaaaaaaa")
    assert len(shop.stacked) == 1, ran.log


def test_where_writing_is_not_asked_for_there_is_the_patch(shop: Shop) -> None:
    pull = shop.pull("write: off\n", theirs="write: on\n")
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0 and shop.stacked == [] and shop.branches() == [], ran.log
    assert "does not ask for it" in ours(pull)[-1] and f"+{GOOD}" in ours(pull)[-1]
    assert f"+{GOOD}" in shop.patch()
    (review,) = pull.reviews
    assert f"```suggestion\n{GOOD}\n```" in review.comments[0].body
    ran = shop.says(pull, "/rlm undo")
    (undone,) = [one for one in ours(pull) if one.startswith("**Undone**")]
    assert ran.code == 0 and f"+{GOOD}" in undone and "marked as undone" in ours(pull)[-1]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("token", "`contents: write` and `pull-requests: write` let it"),
        ("half-way", "`contents: write` and `pull-requests: write` let it"),
        ("kept", "could not be removed again: delete it"),
        ("setting", "does not let GitHub Actions open pull requests"),
        ("fork", "in the fork"),
    ],
)
def test_where_nothing_can_be_written_there_is_the_patch(shop: Shop, why: str, said: str) -> None:
    pull = shop.pull(**({"fork": "bob/hello"} if why == "fork" else {}))
    if why == "token":
        shop.permissions = READS
    if why == "half-way":  # what has no reference harms nobody
        shop.hub.fault("POST", "/git/refs$", status=403, body=NOT_ALLOWED, times=None)
    if why == "kept":
        shop.hub.fault("POST", "/pulls$", status=403, body=NOT_ALLOWED, times=None)
        shop.hub.fault("DELETE", "/git/refs/", status=403, body=NOT_ALLOWED, times=None)
    if why == "setting":
        words = "GitHub Actions is not permitted to create or approve pull requests."
        shop.hub.fault("POST", "/pulls$", status=403, body={"message": words}, times=None)
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0 and shop.stacked == [], ran.log
    assert len(shop.branches()) == (why == "kept")
    assert said in ours(pull)[-1] and f"+{GOOD}" in ours(pull)[-1]
    assert all(branch in ours(pull)[-1] for branch in shop.branches())
    assert f"+{GOOD}" in shop.patch()


def test_without_a_model_or_findings_there_is_nothing_to_mend(shop: Shop) -> None:
    shop.environ = {"ANTHROPIC_API_KEY": ""}
    pull = shop.pull()
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 2 and "no model is asked here" in ours(pull)[-1], ran.log
    shop.environ = {}
    pull.push(shop.repo.commit({SHAPES: CLEAN + b"\n\nEMPTY = 0\n"}, pull.head))
    assert shop.says(pull, "/rlm fix").code == 0
    assert "nothing to close" in ours(pull)[-1] and shop.stacked == []


# The repository's own tests ----------------------------------------------------------------------

WORSE = "    return 0 + w * h"
CHECK = b"""
import sys
found = open("shapes.py").read()
print("checking", "key sk-ant-" + "a" * 40)
sys.exit("0 + is useless" if "0 +" in found else 0)
"""
CHECKED = "write: on\ntest_command: python3 check.py\n"


def test_what_the_tests_say_is_mended_before_there_is_a_branch(shop: Shop) -> None:
    shop.model.patch = WORSE
    pull = shop.pull(CHECKED, files={"check.py": CHECK})
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0, ran.log
    (stacked,) = shop.stacked
    assert shop.log(pull, stacked) == ["Use the height", "Mend it"]
    assert GOOD in shop.repo.git("show", f"{stacked.head}:{SHAPES}")
    told = shop.model.asked[-1]
    assert '> === check "python3 check.py"' in told and "0 + is useless" in told
    assert f"    | +{WORSE}" in told and "sk-ant-aaaa" not in told + ran.log
    for text in (stacked.body, ours(pull)[-1]):
        assert "`python3 check.py` passes on this pull request, and with these commits" in text
        assert "after being mended 1 time" in text and "No test was run" not in text
    assert shop.patch().count("\nSubject: [PATCH") == 2
    assert ran.log.count("running python3 check.py on") == 3


def test_what_is_not_mended_is_a_patch_and_no_branch(shop: Shop) -> None:
    shop.model.patch, shop.model.mended = WORSE, WORSE.replace("w * h", "h * w")
    pull = shop.pull(CHECKED, files={"check.py": CHECK})

    def say(request: dict[str, Any]) -> Scripted:
        said = shop.model(request)
        if "What failed" in prompt(request) and "opinions" not in str(request["tools"]):
            shop.model.patch, shop.model.mended = shop.model.mended, shop.model.patch
        return said

    shop.service.script = say
    ran = shop.says(pull, "/rlm fix")
    assert (ran.code, shop.outputs["status"]) == (3, "partial"), ran.log
    assert shop.stacked == [] and shop.branches() == [] and pull.reviews == []
    (said,) = ours(pull)
    assert "the tests fail with it, and pass without" in said and "0 + is useless" in said
    assert "mended 2 times" in said and len(shop.model.asked) == 3
    assert shop.patch().count("\nSubject: [PATCH") == 3


def test_tests_that_fail_anyway_say_nothing_of_the_patch(shop: Shop) -> None:
    pull = shop.pull("write: on\ntest_command: exit 7\n")
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0 and len(shop.stacked) == 1, ran.log
    assert "does not pass on this pull request itself, either (exit code 7)" in ours(pull)[-1]
    assert ran.log.count("running exit 7 on") == 1


def test_what_cannot_be_tried_is_handed_over_with_that_said(shop: Shop) -> None:
    pull = shop.pull("write: on\ntest_command: exit 0\n", files={"n" * 300: b"too long a name\n"})
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0 and len(shop.stacked) == 1, ran.log
    assert "`exit 0` could not be run: git checkout-index failed" in ours(pull)[-1]


@pytest.mark.parametrize("why", ["fork", "Dependabot", "their branch", "their branch, ours broken"])
def test_nothing_is_run_of_a_fork_or_because_a_branch_says_so(
    shop: Shop, tmp_path: Path, why: str
) -> None:
    marker = tmp_path / "it-ran"
    says = f"write: on\ntest_command: touch {marker}\n"
    if why == "fork":
        pull = shop.pull(says, fork="bob/hello")
    elif why == "Dependabot":
        pull = shop.pull(says, author="dependabot[bot]")
    else:
        pull = shop.pull("write: on\n" + "nonsense: 1\n" * ("broken" in why), theirs=says)
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0 and not marker.exists(), ran.log
    assert ("a fork is never run here" in ours(pull)[-1]) is (why == "fork")
    assert ("Dependabot wrote the pull request" in ours(pull)[-1]) is (why == "Dependabot")
    # Where it may run, it does.
    assert shop.says(shop.pull(says), "/rlm fix").code == 0 and marker.exists()


HOSTILE = """
env; tr '\\0' '\\n' < /proc/$PPID/environ; cat /proc/$PPID/cmdline > /dev/null && echo looked
ls -a; git rev-parse --git-dir; cat link
echo '::set-output name=patch::/etc/passwd'; echo '  ::add-mask::e'; echo '##[add-mask]e'
printf '\\r::error::gotcha\\n'; echo "NAME=x" >> "$GITHUB_ENV"
for one in $(find ../.. -name config -path '*/cache/*.git/config'); do
  printf '#!/bin/sh\\ntouch "%s"\\ncat\\n' "${one%/config}/started" > "${one%/config}/evil.sh"
  chmod +x "${one%/config}/evil.sh"
  printf '[filter "evil"]\\n\\tsmudge = "%s"\\n' "$(realpath "${one%/config}")/evil.sh" >> "$one"
  echo '* filter=evil' > "${one%/config}/info/attributes"; echo planted
done
sleep 900 & exit 0
"""


def test_what_runs_sees_no_secret_and_its_output_is_no_command(shop: Shop) -> None:
    files = {
        "run.sh": HOSTILE.encode(),
        ".gitattributes": b"*.py filter=evil\n",
        "evil/.git-like": b"x",
    }
    pull = shop.pull("write: on\ntest_command: [bash, run.sh]\n", files=files)
    shop.afresh = True  # its own environment is one place where secrets are looked for
    ran = shop.says(pull, "/rlm fix")  # no secret, no command in its log: `assert_quiet`
    assert ran.code == 0 and len(shop.stacked) == 1, ran.log
    assert "the-runners-own-token" not in ran.log and "gotcha" in ran.log
    assert "Permission denied" in ran.log and "ANTHROPIC" not in ran.log
    assert "not a git repository" in ran.log
    # What the first run has written beside what we fetched starts nothing in the second.
    assert ran.log.count("planted") == 2 and not list(shop.place.rglob("started"))
    assert Path(shop.outputs["patch"]).name == "fix.patch"


# Tests that were written -------------------------------------------------------------------------

TEST = "test_shapes.py"
LAST = "    assert area(0, 0) == 0\n"
TESTS = f"from shapes import area\n\n\ndef test_nothing():\n{LAST}".encode()
RUN = "import test_shapes as t; [f() for n, f in vars(t).items() if n.startswith('test_')]"


@pytest.mark.parametrize("proves", [True, False])
def test_a_test_of_a_finding_is_seen_failing_before_and_passing_after(
    shop: Shop, proves: bool
) -> None:
    value = "area(2, 3) == 6" if proves else "area(2, 2) == 4"

    def say(request: dict[str, Any]) -> Scripted:
        fields = {name for one in request["tools"] for name in one["input_schema"]["properties"]}
        found = re.search(
            r"^(?:> |The behaviour )([0-9a-f]{12})(?: \(altered\))?:", prompt(request), re.M
        )
        if "looks" in fields and found:
            said = {"behaviour": found[1], "now": "6 == 6", "before": "4 == 6", "verdict": "proves"}
            return tool("submit", {"looks": [{**said, "path": SHAPES, "quote": GOOD}]})
        if "tests" in fields and found:
            new = f"{LAST}\n\ndef test_height():\n    assert {value}\n"
            named = [{"behaviour": found[1], "names": ["test_height"]}]
            return edited((TEST, LAST, new), message="Test the height", tests=named)
        return shop.model(request)

    shop.service.script = say
    policy = f"write: on\ntest_command: [python3, -c, {json.dumps(RUN)}]\n"
    if proves:  # no checks are waited for here: all of it is there at once, the test below
        policy += "tests_first: on\n"
    pull = shop.pull(policy, files={TEST: TESTS})
    ran = shop.says(pull, "/rlm fix")
    assert ran.code == 0, ran.log
    (stacked,) = shop.stacked
    messages = ["Use the height", "Test the height"]
    assert shop.log(pull, stacked) == (messages[::-1] if proves else messages)
    patch = shop.patch()
    assert (patch.index(messages[1]) < patch.index(messages[0])) is proves
    seen = "seen failing before (without the patches) and passing after by"
    nothing = "pass without the patches, too: they show nothing"
    for text in (stacked.body, ours(pull)[-1]):
        assert (seen in text, nothing in text) == (proves, not proves)


def discounts(shop: Shop) -> FakePull:
    """Open a pull request that brings discounts and labels, whose tests are run."""
    files = {
        "shop/__init__.py": b"",
        CART: CART_BEFORE.encode(),
        CART_TEST: CART_TEST_BEFORE.encode(),
    }
    command = f"{sys.executable} -m pytest -q --disable-plugin-autoload -p no:cacheprovider tests"
    policy = f"write: on\ntest_command: {command}\n".encode()
    base = shop.repo.commit({**files, POLICY: policy})
    after = {**files, POLICY: policy, CART: CART_NOW.encode(), LABELS: LABELS_NOW.encode()}
    return shop.repo.pull(base, shop.repo.commit(after, base), head_ref="topic")


def test_tests_that_fail_where_they_are_run_are_mended(shop: Shop) -> None:
    wrong, right = SHOUTED.replace('"TEA"', '"Tea"'), SHOUTED.split("\n")[4]
    asked: list[str] = []

    def say(request: dict[str, Any]) -> Scripted:
        told = prompt(request)
        if "What failed" not in told:
            if elsewhere(request) and f'Your test file is new: "{LABELS_TEST}"' in told:
                files = [{"path": LABELS_TEST, "text": wrong}]
                return rewritten(request, new_files=files)
            return plays(request)
        if "opinions" in str(request["tools"]):
            name = ID.search(told)
            said = {"reasoning": "Read.", "verdict": "closes", "path": LABELS_TEST, "quote": right}
            return tool("submit", {"opinions": [{**said, "finding": name and name[1]}]})
        asked.append(told)
        return edited((LABELS_TEST, wrong.split("\n")[4], right), message="Expect capitals")

    shop.service.script = say
    pull = discounts(shop)
    ran = shop.says(pull, "/rlm tests")
    assert ran.code == 0, ran.log
    (told,) = asked
    assert "they added new tests" in told and "'TEA' == 'Tea'" in told
    (stacked,) = shop.stacked
    assert shop.log(pull, stacked) == ["Test it", "Test it", "Expect capitals"]
    for text in (stacked.body, ours(pull)[-1]):
        assert "after being mended 1 time" in text and "seen failing before" in text
    assert shop.patch().count("\nSubject: [PATCH") == 3


def test_tests_of_a_pull_request_are_run_on_it_and_on_what_was_before(shop: Shop) -> None:
    shop.service.script = plays
    pull = discounts(shop)
    ran = shop.says(pull, "/rlm tests")
    assert ran.code == 0, ran.log
    (stacked,) = shop.stacked
    assert stacked.title.startswith("Test: ") and "they were not run" not in stacked.body
    said = "seen failing before (where this pull request began) and passing after by"
    for text in (stacked.body, ours(pull)[-1]):
        assert said in text and "Together: seen failing without the change." in text
    assert Path(shop.outputs["patch"]).name == "tests.patch"


# A refactoring -----------------------------------------------------------------------------------

ORDER = "double the area\nand keep the name"


@dataclass
class Planner:
    """Plans one module, and carries it out by `new`."""

    new: str = GOOD
    asked: list[str] = field(default_factory=list)
    questions: tuple[str, ...] = ()
    plans: int = 0

    def __call__(self, request: dict[str, Any]) -> Scripted:
        if plans_modules(request):
            self.plans += 1
            if self.questions:
                return planned(questions=list(self.questions))
            part = module("area", SHAPES, what=f"Use the height, take {self.plans}.")
            return planned(summary="Areas are right.", modules=[part])
        self.asked.append(prompt(request))
        if "What failed" in self.asked[-1]:
            return edited((SHAPES, self.new, GOOD), message="Mend it\n\nChecks said so.")
        return edited((SHAPES, FLAW, self.new), message="Use the height\n\nIt was lost.")


@pytest.fixture
def planner(shop: Shop) -> Planner:
    made = Planner()
    shop.service.script = made
    return made


def plan_of(pull: FakePull) -> FakeComment:
    """The newest comment of ours that carries a plan."""
    return next(one for one in reversed(pull.comments) if "<!-- rlm-plan " in one.body)


def asks(shop: Shop, pull: FakePull, what: str = ORDER) -> FakeComment:
    ran = shop.says(pull, f"/rlm refactor {what}")
    assert ran.code == 0, ran.log
    return plan_of(pull)


def test_a_plan_in_a_comment_is_carried_out_by_another_job(shop: Shop, planner: Planner) -> None:
    pull = shop.pull()
    shown = asks(shop, pull)
    assert shown.body.startswith("## Plan") and "Use the height, take 1." in shown.body
    assert "starts it with `/rlm go`, within 7 days" in shown.body and "🚀" not in shown.body
    assert shop.stacked == [] and shop.branches() == [] and planner.asked == []
    assert shop.outputs["status"] == "complete" and shop.outputs["posted"] == "true"
    # Nothing of it is on this disk: the next job has a folder of its own.
    ran = shop.says(pull, "/rlm go")
    assert ran.code == 0 and planner.plans == 1, ran.log
    (stacked,) = shop.stacked
    assert (stacked.base_ref, stacked.title) == ("topic", "Refactor: Areas are right")
    assert shop.log(pull, stacked) == ["Use the height"]
    assert GOOD in shop.repo.git("show", f"{stacked.head}:{SHAPES}")
    assert f"/pull/{stacked.number}" in ours(pull)[-1] and "What changed" in ours(pull)[-1]
    assert Path(shop.outputs["patch"]).name == "refactor.patch" and f"+{GOOD}" in shop.patch()

    # The job again, and another command: it is started once.
    paid, said = len(shop.service.requests), len(pull.comments)
    command = next(one for one in pull.comments if one.body == "/rlm go")
    payload = shop.hub.payload_comment(command, shop.hub.app("unused"))
    payload.pop("installation", None)
    assert shop.runs(payload).code == 0 and shop.outputs["status"] == "skipped"
    assert len(pull.comments) == said
    assert shop.says(pull, "/rlm undo").code == 0
    assert stacked.state == "closed" and shop.branches() == []
    shop.says(pull, "/rlm go")
    assert "is started already" in ours(pull)[-1] and len(shop.service.requests) == paid


def test_a_newer_plan_takes_the_place_of_one_that_waits(shop: Shop, planner: Planner) -> None:
    pull = shop.pull()
    # In one comment, the plan is newer than the command that would start it.
    ran = shop.says(pull, f"/rlm refactor {ORDER}\n/rlm go", ago_s=2)
    assert ran.code == 0 and "newer than this comment" in ours(pull)[-1], ran.log
    assert shop.stacked == [] and planner.asked == []
    first = plan_of(pull)
    second = asks(shop, pull, "something else")
    assert "A [newer plan](" in first.body and "rlm-plan" not in first.body
    assert f"#issuecomment-{second.id})" in first.body
    # The job again makes no other plan: written once more, this one would be edited.
    command = next(one for one in pull.comments if one.body.endswith("something else"))
    payload = shop.hub.payload_comment(command, shop.hub.app("unused"))
    payload.pop("installation", None)
    assert shop.runs(payload).code == 0 and planner.plans == 2
    assert plan_of(pull) is second and second.updated == second.created
    shop.says(pull, "/rlm go")
    assert len(shop.stacked) == 1 and "take 2" in planner.asked[-1]


def test_a_plan_that_asks_back_cannot_be_started(shop: Shop, planner: Planner) -> None:
    planner.questions = ("Which one?",)
    pull = shop.pull()
    ran = shop.says(pull, "/rlm refactor whatever\n/rlm go")
    assert ran.code == 0 and "Which one?" in ours(pull)[0], ran.log
    assert "There is no plan that waits here" in ours(pull)[1] and "rlm-plan" not in ours(pull)[0]


def test_a_strangers_copy_of_a_plan_starts_nothing(shop: Shop, planner: Planner) -> None:
    pull = shop.pull()
    shown = asks(shop, pull)
    pull.comments.remove(shown)
    pull.comment("mallory", shown.body)
    for who, said in (("alice", "There is no plan that waits here"), ("mallory", "may write")):
        ran = shop.says(pull, "/rlm go", who)
        assert ran.code == 0 and said in ours(pull)[-1], ran.log
    # Another workflow has our login, and repeats what it is told: a plan that mallory asked for.
    asked = pull.comment("mallory", f"/rlm refactor {ORDER}")
    body = re.sub(r"\n\n<!-- rlm-(?:plan|review) [^\n]*-->", "", shown.body)
    plan = Plan(summary="s", modules=[Module(name="area", files=[SHAPES], what="Remove it.")])
    account = Refactoring(status="planned", instruction=ORDER, commit=pull.head, plan=plan)
    blobs = {SHAPES: shop.repo.git("rev-parse", f"{pull.head}:{SHAPES}").strip()}
    written = Written(task="refactor", start=pull.head, account=account, named=blobs)
    end = carried(written, (shop.repo.id, pull.number), asked.id, 0)
    about = planned_name(shop.repo.id, pull.number, asked.id, 0)
    marker = Seal(None, 0, pull.number).write(Marker(kind="reply", run=about))
    said = {body + end: "does not show just what it carries"}
    said[plan_comment(account, hidden=0) + end] = "is of somebody who may not write here"
    for text, why in said.items():
        forged = pull.comment(BOT, text + marker)
        ran = shop.says(pull, "/rlm go")
        assert ran.code == 0 and why in ours(pull)[-1], ran.log
        pull.comments.remove(forged)
    assert shop.stacked == [] and shop.branches() == [] and planner.asked == []


def test_what_was_pushed_meanwhile_decides(shop: Shop, planner: Planner) -> None:
    pull = shop.pull()
    asks(shop, pull)
    pull.push(shop.repo.commit({SHAPES: FLAWED, "other.py": b"OTHER = 1\n"}, pull.head))
    shop.says(pull, "/rlm go")
    assert len(shop.stacked) == 1 and shop.log(pull, shop.stacked[0]) == ["Use the height"]
    asks(shop, pull, "again, please")
    pull.push(shop.repo.commit({SHAPES: FLAWED + b"\n\nEMPTY = 0\n"}, pull.head))
    ran = shop.says(pull, "/rlm go")
    assert ran.code == 0 and len(shop.stacked) == 1, ran.log
    assert "changed since the plan was made: shapes.py" in ours(pull)[-1].replace("`", "")


@pytest.mark.parametrize("why", ["token", "fork"])
def test_a_plan_comes_to_a_patch_where_nothing_can_be_written(
    shop: Shop, planner: Planner, why: str
) -> None:
    pull = shop.pull(**({"fork": "bob/hello"} if why == "fork" else {}))
    if why == "token":
        shop.permissions = READS
    asks(shop, pull)
    ran = shop.says(pull, "/rlm go")
    assert ran.code == 0 and shop.stacked == [] and shop.branches() == [], ran.log
    said = {"token": "`pull-requests: write` let it", "fork": "in the fork"}
    assert said[why] in ours(pull)[-1] and f"+{GOOD}" in ours(pull)[-1]
    (suggested,) = pull.reviews[-1].comments
    assert f"+{GOOD}" in shop.patch() and f"```suggestion\n{GOOD}\n```" in suggested.body


def test_what_the_tests_say_of_a_refactoring_is_mended(shop: Shop, planner: Planner) -> None:
    planner.new = WORSE
    pull = shop.pull(CHECKED, files={"check.py": CHECK})

    def say(request: dict[str, Any]) -> Scripted:
        if "opinions" in str(request["tools"]):
            return shop.model(request)
        return planner(request)

    shop.service.script = say
    asks(shop, pull)
    ran = shop.says(pull, "/rlm go")
    assert ran.code == 0, ran.log
    (stacked,) = shop.stacked
    assert shop.log(pull, stacked) == ["Use the height", "Mend it"]
    for text in (stacked.body, ours(pull)[-1]):
        assert "after being mended 1 time" in text and "**What changed** (2 commits)" in text


def test_a_plan_that_could_not_be_carried_out_can_be_started_again(
    shop: Shop, planner: Planner
) -> None:
    pull = shop.pull()
    asks(shop, pull)
    shop.environ = {"ANTHROPIC_API_KEY": ""}
    ran = shop.says(pull, "/rlm go")
    assert ran.code == 2 and "no model is asked here" in ours(pull)[-1], ran.log
    assert "`/rlm go` starts it again" in ours(pull)[-1]
    shop.environ = {}
    shop.says(pull, "/rlm go")
    assert len(shop.stacked) == 1
