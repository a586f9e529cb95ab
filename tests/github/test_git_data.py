"""The fake's Git Data API and its pull requests made over REST, one quirk of GitHub's after another."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.github import git
from tests.github.hub import FakeGitHub

REPO = "/repos/octo/hello"
GRANTED = {"contents": "write", "pull_requests": "write"}
GONE = "1" * 40


class Scene:
    """A repository with a pull request, and an App's token that may write."""

    def __init__(self, hub: FakeGitHub) -> None:
        self.hub = hub
        self.repo = hub.repository("octo/hello", private=True)
        self.app = hub.app("rlm-review")
        self.base = self.repo.commit(
            {"a.py": b"one\n", "dir/b.sh": b"run\n"}, modes={"a.py": "100644"}
        )
        self.head = self.repo.commit({"a.py": b"two\n", "dir/b.sh": b"run\n"}, self.base)
        self.pull = self.repo.pull(self.base, self.head, head_ref="topic")
        self.token = hub.token("rlm-review[bot]", self.repo, GRANTED)

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        url = f"{self.hub.api}{REPO}{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=10)

    def made(self, path: str, body: Any) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def tree(self, *entries: dict[str, Any], base: str = "") -> str:
        body: dict[str, Any] = {"tree": list(entries)}
        return str(self.made("/git/trees", body | {"base_tree": base or self.head})["sha"])

    def listing(self, tree: str) -> dict[str, tuple[str, bytes]]:
        """What git finds in a tree: modes and bytes."""
        folder, found = self.repo.folder, {}
        for line in git.git(folder, "ls-tree", "-r", "-z", tree).decode().split("\0")[:-1]:
            head, _, path = line.partition("\t")
            mode, _, sha = head.split()
            found[path] = (mode, git.git(folder, "cat-file", "blob", sha))
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as hub:
        yield Scene(hub)


def entry(path: str, mode: str = "100644", **what: Any) -> dict[str, Any]:
    return {"path": path, "mode": mode, "type": "blob", **what}


def refused(answer: requests.Response) -> tuple[int, str]:
    said = answer.json()
    reasons = [
        one.get("message") or f"{one['field']} {one['code']}" for one in said.get("errors", [])
    ]
    return answer.status_code, "; ".join(reasons) or said["message"]


def test_a_tree_is_its_base_with_entries_put_in_and_taken_out(scene: Scene) -> None:
    raw = b"\xff\x00\r\n"
    blob = scene.made(
        "/git/blobs", {"content": base64.b64encode(raw).decode(), "encoding": "base64"}
    )
    tree = scene.tree(
        entry("a.py", sha=None),
        entry("dir/b.sh", "100755", content="run\n"),
        entry("new/deep/c.bin", sha=blob["sha"]),
        entry("empty", content=""),
    )
    assert scene.listing(tree) == {
        "dir/b.sh": ("100755", b"run\n"),
        "empty": ("100644", b""),
        "new/deep/c.bin": ("100644", raw),
    }
    read = scene.ask("GET", f"/git/blobs/{blob['sha']}").json()
    assert base64.b64decode(read["content"]) == raw
    shown = scene.ask("GET", f"/git/trees/{tree}").json()["tree"]
    assert [(one["path"], one["type"]) for one in shown] == [
        ("dir", "tree"), ("empty", "blob"), ("new", "tree"),
    ]  # fmt: skip
    deep = scene.ask("GET", f"/git/trees/{tree}?recursive=1").json()["tree"]
    assert "new/deep/c.bin" in [one["path"] for one in deep]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (entry("nowhere", sha=None), "GitRPC::BadObjectState"),
        (entry("../a", content=""), "tree.path contains a malformed path component"),
        (entry(".git/config", content=""), "tree.path contains a malformed path component"),
        (entry("c", sha=GONE), f"tree.sha {GONE} is not a valid blob"),
        (entry("c", sha=GONE, content=""), "Must supply either tree.sha or tree.content."),
        (entry("c"), "Must supply either tree.sha or tree.content."),
    ],
    ids=["not there", "outside", "git's own", "no blob", "both", "neither"],
)
def test_a_tree_is_refused(scene: Scene, body: dict[str, Any], said: str) -> None:
    status, text = refused(
        scene.ask("POST", "/git/trees", {"base_tree": scene.head, "tree": [body]})
    )
    assert status == 422 and text.startswith(said)


def test_a_commit_without_an_author_is_the_apps_and_signed_and_never_the_same_again(
    scene: Scene,
) -> None:
    body = {
        "message": "Change it",
        "tree": scene.tree(entry("c", content="")),
        "parents": [scene.head],
    }
    one, other = (scene.made("/git/commits", body) for _ in range(2))
    assert one["sha"] != other["sha"]
    assert one["verification"]["verified"] is True
    assert (one["author"]["name"], one["committer"]["name"]) == ("rlm-review[bot]", "GitHub")
    shown = scene.ask("GET", f"/commits/{one['sha']}").json()
    assert (shown["author"]["login"], shown["committer"]["login"]) == (
        "rlm-review[bot]",
        "web-flow",
    )
    git.git(scene.repo.folder, "fsck", "--strict", one["sha"])


def test_a_commit_with_an_author_and_a_date_is_the_same_again_and_not_signed(scene: Scene) -> None:
    who = {"name": "A", "email": "a@example.com", "date": "2026-01-02T03:04:05Z"}
    body = {"message": "x", "tree": scene.tree(entry("c", content="")), "author": who}
    one, other = (scene.made("/git/commits", body) for _ in range(2))
    assert one["sha"] == other["sha"]
    assert (one["verification"]["reason"], one["author"]["date"]) == ("unsigned", who["date"])


def test_a_reference_is_made_moved_and_deleted(scene: Scene) -> None:
    ref = {"ref": "refs/heads/ours", "sha": scene.head}
    assert scene.made("/git/refs", ref)["object"]["sha"] == scene.head
    assert refused(scene.ask("POST", "/git/refs", ref)) == (422, "Reference already exists")
    beside = {"ref": "refs/heads/ours/below", "sha": scene.head}
    assert refused(scene.ask("POST", "/git/refs", beside)) == (422, "Reference update failed")
    missing = {"ref": "refs/heads/other", "sha": GONE}
    assert refused(scene.ask("POST", "/git/refs", missing)) == (422, "Object does not exist")
    back = scene.ask("PATCH", "/git/refs/heads/ours", {"sha": scene.base})
    assert refused(back) == (422, "Update is not a fast forward")
    forced = scene.ask("PATCH", "/git/refs/heads/ours", {"sha": scene.base, "force": True})
    assert forced.json()["object"]["sha"] == scene.base
    assert scene.ask("GET", "/git/ref/heads/ours").json()["object"]["sha"] == scene.base
    assert scene.ask("DELETE", "/git/refs/heads/ours").status_code == 204
    assert scene.ask("GET", "/git/ref/heads/ours").status_code == 404
    for method, body in (("DELETE", None), ("PATCH", {"sha": scene.base})):
        gone = scene.ask(method, "/git/refs/heads/ours", body)
        assert refused(gone) == (422, "Reference does not exist")


def test_a_rule_may_forbid_new_branches(scene: Scene) -> None:
    scene.repo.no_new_branches = True
    answer = scene.ask("POST", "/git/refs", {"ref": "refs/heads/ours", "sha": scene.head})
    assert refused(answer) == (422, "Reference update failed")


def test_a_repository_without_a_commit_is_empty(scene: Scene) -> None:
    bare = scene.hub.repository("octo/empty")
    headers = {"Authorization": f"Bearer {scene.hub.token('rlm-review[bot]', bare, GRANTED)}"}
    url = f"{scene.hub.api}/repos/octo/empty/git/ref/heads/main"
    answer = requests.get(url, headers=headers, timeout=10)
    assert refused(answer) == (409, "Git Repository is empty.")


def test_who_may_not_write_contents_is_told_so(scene: Scene) -> None:
    reader = scene.hub.token("rlm-review[bot]", scene.repo, GRANTED | {"contents": "read"})
    answer = scene.ask("POST", "/git/trees", {"tree": [entry("c", content="")]}, reader)
    assert refused(answer) == (403, "Resource not accessible by integration")
    assert answer.headers["x-accepted-github-permissions"] == "contents=write"


def opened(scene: Scene) -> dict[str, Any]:
    """A pull request from a new branch into that of another pull request."""
    parents = {"message": "x", "tree": scene.tree(entry("c", content="")), "parents": [scene.head]}
    commit = scene.made("/git/commits", parents)["sha"]
    scene.made("/git/refs", {"ref": "refs/heads/ours", "sha": commit})
    return dict(scene.made("/pulls", {"title": "T", "head": "ours", "base": "topic", "body": "B"}))


def test_a_pull_request_is_opened_into_another_ones_branch_and_closed(scene: Scene) -> None:
    made = opened(scene)
    assert (made["base"]["ref"], made["head"]["ref"], made["user"]["login"]) == (
        "topic", "ours", "rlm-review[bot]",
    )  # fmt: skip
    again = scene.ask("POST", "/pulls", {"title": "T", "head": "octo:ours", "base": "topic"})
    assert refused(again) == (422, "A pull request already exists for octo:ours.")
    listed = scene.ask("GET", "/pulls?head=octo:ours&state=all").json()
    assert [one["number"] for one in listed] == [made["number"]]
    closed = scene.ask("PATCH", f"/pulls/{made['number']}", {"state": "closed"}).json()
    assert (closed["state"], scene.repo.pulls[made["number"]].state) == ("closed", "closed")


@pytest.mark.parametrize(
    ("head", "base", "said"),
    [
        ("nowhere", "main", "head invalid"),
        ("topic", "nowhere", "base invalid"),
        ("topic", "topic", "No commits between topic and topic"),
    ],
)
def test_a_pull_request_needs_two_branches_and_a_commit(
    scene: Scene, head: str, base: str, said: str
) -> None:
    answer = scene.ask("POST", "/pulls", {"title": "T", "head": head, "base": base})
    assert refused(answer) == (422, said)


@pytest.mark.parametrize("branch", ["ours", "topic"])
def test_deleting_either_branch_closes_the_pull_request(scene: Scene, branch: str) -> None:
    number = opened(scene)["number"]
    assert scene.ask("DELETE", f"/git/refs/heads/{branch}").status_code == 204
    assert scene.ask("GET", f"/pulls/{number}").json()["state"] == "closed"


def test_a_push_to_a_branch_moves_its_pull_request(scene: Scene) -> None:
    number = opened(scene)["number"]
    head = scene.repo.pulls[number].head
    body = {
        "message": "y",
        "tree": scene.tree(entry("d", content=""), base=head),
        "parents": [head],
    }
    new = scene.made("/git/commits", body)["sha"]
    assert scene.ask("PATCH", "/git/refs/heads/ours", {"sha": new}).status_code == 200
    assert scene.ask("GET", f"/pulls/{number}").json()["head"]["sha"] == new
