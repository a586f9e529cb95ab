"""Our REST calls against a GitHub that nobody here wrote: Prism over GitHub's own document.

Prism refuses a request that the document does not allow, and answers the document's examples. It
remembers nothing: what it says to one call does not depend on another.
"""

import copy
import json
import os
import re
import socket
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from app.credentials import load
from app.github import branches, check_runs, patches
from app.github.auth import AppAuth
from app.github.ci import checks_of, described
from app.github.client import Hub
from app.github.errors import Misfit, Refused
from app.github.git_trees import Trees
from app.github.markers import Seal
from app.github.publish import Publication, publish
from app.github.pulls import Pull, look_at, read_pull
from app.github.replies import reply
from app.github.reviews import Reviews
from app.github.sticky import Sticky, find, put
from app.github.urls import PullRequestUrl, Server
from app.written import WrittenCommit, WrittenFile
from reviewer.errors import RlmError
from tests.app.github.test_publish import report
from tests.app.test_setup import Running
from tests.github.contract import contract
from tests.github.hub import wait_until
from tests.github.npm import package_file

START_S = 90.0
"""It takes 3 s on an idle machine."""

NAME = "octocat/Hello-World"
RUN = "0123456789abcdef"

USED = {
    "/app": ["get"],
    "/app-manifests/{code}/conversions": ["post"],
    "/app/installations/{installation_id}": ["get"],
    "/app/installations/{installation_id}/access_tokens": ["post"],
    "/repos/{owner}/{repo}/check-runs": ["post"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["get", "patch"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations": ["get"],
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}/check-suites": ["get"],
    "/repos/{owner}/{repo}/commits/{ref}/status": ["get"],
    "/repos/{owner}/{repo}/compare/{basehead}": ["get"],
    "/repos/{owner}/{repo}/git/blobs": ["post"],
    "/repos/{owner}/{repo}/git/blobs/{file_sha}": ["get"],
    "/repos/{owner}/{repo}/git/commits": ["post"],
    "/repos/{owner}/{repo}/git/commits/{commit_sha}": ["get"],
    "/repos/{owner}/{repo}/git/ref/{ref}": ["get"],
    "/repos/{owner}/{repo}/git/refs": ["post"],
    "/repos/{owner}/{repo}/git/refs/{ref}": ["patch", "delete"],
    "/repos/{owner}/{repo}/git/trees": ["post"],
    "/repos/{owner}/{repo}/git/trees/{tree_sha}": ["get"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": ["post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/pulls": ["get", "post"],
    "/repos/{owner}/{repo}/pulls/{pull_number}": ["get", "patch"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/comments": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": ["get"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ["get", "post"],
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}": ["delete"],
}
"""The operations that we call. Prism knows no others: a call that is not here is refused."""


def reduced(document: Mapping[str, Any], web: str) -> str:
    """Return the document with the operations in USED and what they refer to, at our address.

    In its answers, headers are left out (the example of Link leads to a page that is nowhere), and
    JSON has the older name too, which GitHub takes for the same and PyGithub still asks for. The
    example of a pull request is unlocked and not merged, so that it can be worked on. Names of references have a
    slash in them, which Prism takes for the end of a segment: ours are all branches.
    """
    paths = {
        re.sub(r"(/git/refs?)/\{ref\}", r"\1/heads/{ref}", path): {
            method: copy.deepcopy(document["paths"][path][method]) for method in methods
        }
        for path, methods in USED.items()
    }
    components: dict[str, dict[str, Any]] = {}
    todo: list[Any] = [paths]
    while todo:
        match todo.pop():
            case dict() as value:
                todo += value.values()
                if isinstance(pointer := value.get("$ref"), str):
                    _, _, kind, name = pointer.split("/")
                    if name not in components.setdefault(kind, {}):
                        components[kind][name] = copy.deepcopy(document["components"][kind][name])
                        todo.append(components[kind][name])
            case list() as value:
                todo += value
    answers = [*components["responses"].values()]
    for methods in paths.values():
        for operation in methods.values():
            answers += operation["responses"].values()
    components["examples"]["pull-request"]["value"] |= {"locked": False, "merged_at": None}
    for answer in answers:
        answer.pop("headers", None)
        content = answer.get("content", {})
        if "application/json" in content:
            content["application/vnd.github.v3+json"] = content["application/json"]
    text = json.dumps(
        {
            "openapi": document["openapi"],
            "info": document["info"],
            "servers": document["servers"],
            "paths": paths,
            "components": components,
        }
    )
    return text.replace("https://api.github.com", web).replace("https://github.com/", f"{web}/")


class Prism:
    """The mock server as a process; what it says about requests stands in its log."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.web = f"http://127.0.0.1:{port}"
        self.server = Server(self.web, self.web)
        self._log = folder / "prism.log"
        document = folder / "github.json"
        document.write_text(reduced(contract().document, self.web))
        program = package_file("@stoplight/prism-cli", "dist/index.js")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["node", program, "mock", "-h", "127.0.0.1", "-p", str(port), document],
                env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._read = self._marks = 0

    def wait(self) -> None:
        """Wait until it listens."""

        def listens() -> bool:
            assert self._process.poll() is None, self._log.read_text()
            return "Prism is listening" in self._log.read_text()

        wait_until(listens, "Prism does not listen", START_S)

    def end(self) -> None:
        """Stop the process."""
        self._process.terminate()
        self._process.wait(10)

    def said(self) -> tuple[list[str], list[str]]:
        """Return what was asked since the last call, and what was wrong with it.

        A faulty example of the document in an answer is none of our business.
        """
        self._marks += 1
        mark = f"/mark-{self._marks} "
        requests.get(self.web + mark.strip(), timeout=10)  # in the log it stands behind the others
        whole = re.compile(f"{re.escape(mark)}✖.*\n")  # the line may be half there
        wait_until(lambda: whole.search(self._log.read_text()) is not None, "the log is behind")
        text = self._log.read_text()
        new = text[self._read : text.index(mark)]
        self._read = text.index("\n", text.index(f"{mark}✖"))
        new = new[: new.rindex("\n") + 1]
        asked = re.findall(r"\[HTTP SERVER\] (\w+ \S+) .*Request received", new)
        wrong = re.findall(r"Violation: (request.*)|errors#((?!VIOLATIONS)\w+)", new)
        return asked, ["".join(found) for found in wrong]

    def hub(self, actor: str = "rlm-review[bot]") -> Hub:
        """Return our client of it."""
        token = SecretStr("ghs_" + "x" * 36)
        return Hub(self.server, token, actor=actor, write_pause_s=0)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    prism = Prism(tmp_path_factory.mktemp("prism"))
    try:
        prism.wait()
        yield prism
    finally:
        prism.end()


@pytest.fixture
def prism(started: Prism) -> Iterator[Prism]:
    started.said()
    yield started


Taken = Callable[[], list[str]]


@pytest.fixture
def taken(prism: Prism) -> Taken:
    """What to call at the end: every request was one that the document allows."""

    def check() -> list[str]:
        asked, wrong = prism.said()
        assert wrong == []
        assert asked
        return asked

    return check


def the_pull(prism: Prism) -> Pull:
    with prism.hub() as hub:
        return look_at(hub, NAME, 1347)


def test_prism_refuses_what_the_document_does_not_allow(prism: Prism) -> None:
    with prism.hub() as hub:
        with pytest.raises(Refused):
            hub.ask("test", "POST", f"/repos/{NAME}/pulls/1/reviews", {"event": "PRAISE"})
        with pytest.raises(RlmError):
            hub.ask("test", "GET", f"/repos/{NAME}/remarks")
    asked, wrong = prism.said()
    assert asked[0] == f"post /repos/{NAME}/pulls/1/reviews"
    assert any("APPROVE, REQUEST_CHANGES, COMMENT" in one for one in wrong)
    assert "NO_PATH_MATCHED_ERROR" in wrong


def test_a_pull_request_is_read(prism: Prism, taken: Taken) -> None:
    example = contract().document["components"]["examples"]["pull-request"]["value"]
    pull = the_pull(prism)
    assert (pull.head, pull.base) == (example["head"]["sha"], example["base"]["sha"])
    assert (pull.repository, pull.state, pull.author) == (NAME, "open", "octocat")
    url = PullRequestUrl(prism.web, *NAME.split("/"), 1347)
    assert read_pull(url, prism.server, None).head == pull.head
    taken()


def test_a_permission_is_asked_for_and_a_comment_gets_a_reaction(
    prism: Prism, taken: Taken
) -> None:
    with prism.hub() as hub:
        assert hub.may_write(NAME, "octocat") is True
        hub.react(NAME, 42, "eyes")
        assert taken() == [
            f"get /repos/{NAME}/collaborators/octocat/permission",
            f"post /repos/{NAME}/issues/comments/42/reactions",
        ]


def test_an_app_logs_in_and_gets_a_token(prism: Prism, taken: Taken) -> None:
    key = contract().document["components"]["examples"]["integration-from-manifest"]["value"]["pem"]
    auth = AppAuth(prism.server, "Iv1.8a61f9b3a7aba766", SecretStr(key))
    assert auth.slug() == "octoapp"
    assert auth.permissions(1)["checks"] == "write"
    token = auth.installation_token(1, 1_296_269, {"checks": "write", "contents": "read"})
    assert token.value.get_secret_value().startswith("ghs_")
    assert len(taken()) == 3


def test_a_report_is_published(prism: Prism, taken: Taken) -> None:
    pull = the_pull(prism)
    with prism.hub() as hub:
        check = check_runs.ensure(hub, NAME, pull.head, RUN, 1347, "Reviewing", "It began.")
        check_runs.progress(hub, NAME, check, "Reviewing", "Half of it.")
        what = Publication(RUN, NAME, 1347, pull.head, report(), check)
        done = publish(hub, what, key=None)  # the document is REST's: it has no threads
    assert (done.outcome, done.concluded, done.problem) == ("posted", True, "")
    asked = taken()
    assert f"post /repos/{NAME}/pulls/1347/reviews" in asked
    assert f"post /repos/{NAME}/issues/1347/comments" in asked
    assert asked.count(f"patch /repos/{NAME}/check-runs/{check}") >= 2


def test_a_review_is_posted_with_ranges_on_both_sides(prism: Prism, taken: Taken) -> None:
    head = the_pull(prism).head
    seal = Seal(b"k" * 32, 1_296_269, 1347)
    with prism.hub() as hub:
        reviews = Reviews(hub, NAME, 1347, head, RUN, seal)
        assert (reviews.posted(), reviews.said().remarks) == (None, [])
        made, lost = reviews.post(
            lambda shown: f"{shown} findings",
            [
                {"path": "a.py", "body": "one", "line": 3, "side": "LEFT"},
                {
                    "path": "a.py",
                    "body": "two",
                    "start_line": 1,
                    "start_side": "RIGHT",
                    "line": 3,
                    "side": "RIGHT",
                },
            ],
        )
        assert made is not None and (made.id, made.pending, lost) == (80, False, 0)
        # What only a refusal leads to: the files that GitHub shows, and a pending review of ours.
        reviews._placed([{"path": "a.py", "body": "one", "line": 3}])
        reviews._remove(made)
    asked = taken()
    for request in (
        "get pulls/1347/files",
        "post pulls/1347/reviews",
        "delete pulls/1347/reviews/80",
    ):
        verb, path = request.split(" ")
        assert f"{verb} /repos/{NAME}/{path}" in asked


def test_a_summary_is_posted_and_edited_and_a_command_answered(prism: Prism, taken: Taken) -> None:
    seal = Seal(b"k" * 32, 1_296_269, 1347)
    with prism.hub() as hub:
        there = find(hub, NAME, 1347, seal)
        assert there is None
        made = put(hub, NAME, 1347, seal, "one", there=there)
        put(hub, NAME, 1347, seal, "two", there=Sticky(made.id, made.url, "one"))
        reply(hub, NAME, 1347, "Help", about="comment-1", key=None)
    asked = taken()
    assert f"patch /repos/{NAME}/issues/comments/{made.id}" in asked
    assert asked.count(f"post /repos/{NAME}/issues/1347/comments") == 2


def test_annotations_go_out_in_the_requests_that_githubs_limit_makes(
    prism: Prism, taken: Taken
) -> None:
    lines = [
        check_runs.Annotation("a.py", line, line, "warning", "title", "message")
        for line in range(1, 121)
    ]
    with prism.hub() as hub:
        check_runs.conclude(hub, NAME, 4, "neutral", "title", "summary", lines)
    asked = taken()
    # The example has two annotations already: they count as ours from an attempt before.
    assert asked.count(f"patch /repos/{NAME}/check-runs/4") == 3


def test_commits_a_branch_and_its_pull_request_are_made_and_undone(
    prism: Prism, taken: Taken
) -> None:
    examples = contract().document["components"]["examples"]
    tip = examples["git-ref"]["value"]["object"]["sha"]
    pull = examples["pull-request"]["value"]
    files = (
        WrittenFile(path="a.py", before="", mode="100755", data=b64encode(b"x = 1\n").decode()),
        WrittenFile(path="b", before="", mode="100644", data=b64encode(b"\xff").decode()),
        WrittenFile(path="c", before="c" * 40, mode="", data=""),
    )
    commits = [WrittenCommit(message="Do it", files=files)]
    with prism.hub("octocat") as hub:
        assert branches.push_commits(hub, NAME, "ours", commits, onto=tip).state == "pushed"
        assert branches._create(hub, NAME, "ours", tip)
        assert Trees(hub, NAME).at(tip, "file.rb") is not None
        assert not branches._ours_alone(hub, NAME, tip, "b" * 40)
        made = branches.open_stacked(hub, NAME, "ours", "main", "title", "body")
        assert (made.number, made.ours) == (pull["number"], True)
        done = branches.undo(hub, NAME, made.number, pull["head"]["ref"], tip)
        assert done == branches.Undone("closed", "gone")
        with pytest.raises(Misfit):  # the example has another name than its bytes
            patches.read_blob(hub, NAME, "c" * 40, tip)
    asked = taken()
    for verb, path in (("patch", "git/refs/heads/ours"), ("post", "git/blobs"), ("post", "pulls")):
        assert f"{verb} /repos/{NAME}/{path}" in asked


def test_what_checks_say_is_read(prism: Prism, taken: Taken) -> None:
    head = the_pull(prism).head
    with prism.hub() as hub:
        found = checks_of(hub, NAME, head)
        assert {one.by for one in found.checks} == {"octoapp", "status"} and not found.notes
        (told, *_) = described(hub, NAME, [one for one in found.checks if one.run])
    assert told.annotations[0].startswith("README.md:2: Spell Checker\n")
    assert {one.partition("?")[0].rpartition("/")[2] for one in taken()} >= {
        "check-runs",
        "check-suites",
        "status",
        "annotations",
    }


def test_setup_takes_the_key_of_a_new_app(
    prism: Prism, taken: Taken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {
        "HOME": str(tmp_path),
        "RLM_HOME": str(tmp_path / "rlm"),
        "RLM_GITHUB_SERVER_URL": prism.server.web,
        "RLM_GITHUB_API_URL": prism.server.api,
        "PATH": os.environ["PATH"],
    }
    mine = Running(environ, lambda: capsys.readouterr().out)
    _, state, _ = mine.start()
    assert mine.back(state).status_code == 200
    mine.end()
    app = load(tmp_path / "rlm")
    assert mine.code == 0 and app is not None and app.slug == "octoapp"
    assert taken()[0].startswith("post /app-manifests/")


def test_every_operation_that_we_call_is_tried_here(started: Prism) -> None:
    """Last in this file: what the tests above have asked for, against the list at its top."""
    text = started._log.read_text()
    asked = {
        (found[0], operation.template)
        for found in re.findall(r"\[HTTP SERVER\] (\w+) (\S+) .*Request received", text)
        if (operation := contract().operation(found[0], found[1].partition("?")[0]))
    }
    assert {(verb, path) for path, verbs in USED.items() for verb in verbs} - asked == set()
