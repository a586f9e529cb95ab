"""The fake GitHub itself: each quirk of the platform that it has to have, one by one.

The case of each stands in `tests.github.quirks`.
"""

import base64
import hashlib
import json
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github import apps, review_rules
from tests.github.contract import contract
from tests.github.git import ENV
from tests.github.hub import (
    DELIVERY_TIMEOUT_S,
    FakeApp,
    FakeGitHub,
    FakePull,
    FakeRepo,
    delivery_headers,
)
from tests.github.npm import package_file

LINES = [b"%d\n" % number for number in range(1, 61)]
OLD = b"".join(LINES)
NEW = b"".join([*LINES[:9], b"ten\n", *LINES[10:49], b"fifty\n", b"more\n", *LINES[50:]])
# What git shows of it: @@ -7,7 +7,7 @@ and @@ -47,7 +47,8 @@.

WRITE = {"contents": "read", "pull_requests": "write", "issues": "read", "checks": "write"}


class Scene:
    """One private repository with an App on it and a fork's pull request."""

    def __init__(self, hub: FakeGitHub) -> None:
        self.hub = hub
        self.repo: FakeRepo = hub.repository("octo/hello", private=True)
        self.base = self.repo.commit({"a.py": OLD, "b.bin": b"\0old", "c.py": b"same\n" * 9})
        self.head = self.repo.commit(
            {"a.py": NEW, "b.bin": b"\0new", "moved.py": b"same\n" * 9}, self.base
        )
        self.pull: FakePull = self.repo.pull(self.base, self.head, "bob", fork="bob/hello")
        self.app: FakeApp = hub.app("rlm-review", permissions=WRITE)
        self.installation = self.app.install(self.repo)
        self.token = self.mint()

    def mint(self, **wanted: Any) -> str:
        answer = self.as_app(
            "POST", f"/app/installations/{self.installation.id}/access_tokens", wanted
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def as_app(self, method: str, path: str, body: Any = None, **claims: Any) -> requests.Response:
        now = int(time.time())
        known = {"iat": now - 60, "exp": now + 300, "iss": str(self.app.id)} | claims
        return self.ask(method, path, body, jwt.encode(known, self.app.pem, algorithm="RS256"))

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = "",
        **options: Any,
    ) -> requests.Response:
        token = self.token if token == "" else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        return requests.request(
            method, self.hub.api + path, json=body, headers=headers, timeout=10, **options
        )

    def review(self, *comments: dict[str, Any], token: str = "", **body: Any) -> requests.Response:
        """Post a review of comments; those without a body get one."""
        full = [{"path": "a.py", "body": "x", **comment} for comment in comments]
        sent = {"event": "COMMENT", "body": "said", "comments": full} | body
        return self.ask(
            "POST", f"{PULL}/reviews", {k: v for k, v in sent.items() if v is not None}, token
        )


REPO = "/repos/octo/hello"
PULL = f"{REPO}/pulls/1"
ISSUE = f"{REPO}/issues/1"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with FakeGitHub(tmp_path) as hub:
        yield Scene(hub)


def refused(answer: requests.Response) -> tuple[int, Any]:
    """The status with the reason: the strings of a review's 422, else the message."""
    said = answer.json()
    return answer.status_code, said.get("errors", said["message"])


# Lines.


@pytest.mark.parametrize(
    "comment",
    [
        {"line": 7, "side": "RIGHT"},
        {"line": 10, "side": "RIGHT"},
        {"line": 54, "side": "RIGHT"},
        {"line": 10, "side": "LEFT"},
        {"line": 53, "side": "LEFT"},
        {"line": 13},
        {"line": 12, "start_line": 8, "side": "RIGHT", "start_side": "RIGHT"},
        {"line": 10, "start_line": 10, "side": "RIGHT", "start_side": "LEFT"},
        {"position": 5},
        {"path": "b.bin", "line": 1, "subject_type": "file"},
    ],
    ids=json.dumps,
)
def test_a_line_of_a_hunk_takes_a_comment(scene: Scene, comment: dict[str, Any]) -> None:
    body = {"path": "a.py", "body": "x", "commit_id": scene.head, **comment}
    if "subject_type" in comment:
        del body["line"]
    answer = scene.ask("POST", f"{PULL}/comments", body)
    assert answer.status_code == 201, answer.text
    assert scene.pull.review_comments[0].path == body["path"]


def test_a_review_shows_its_comments_as_they_were_placed(scene: Scene) -> None:
    made = scene.review(
        {"line": 51, "start_line": 49, "side": "RIGHT", "start_side": "RIGHT"},
        {"line": 10, "side": "LEFT", "body": "gone"},
    ).json()
    assert (made["state"], made["commit_id"], made["user"]["login"], made["user"]["type"]) == (
        "COMMENTED",
        scene.head,
        "rlm-review[bot]",
        "Bot",
    )
    listed = scene.ask("GET", f"{PULL}/comments").json()
    assert [(c["start_line"], c["line"], c["side"], c["body"]) for c in listed] == [
        (49, 51, "RIGHT", "x"),
        (None, 10, "LEFT", "gone"),
    ]
    assert listed[1]["diff_hunk"].startswith("@@ -7,7 +7,7 @@")
    of_review = scene.ask("GET", f"{PULL}/reviews/{made['id']}/comments").json()
    # The list of one review is the old kind: by position, without lines.
    assert [("line" in c, c["position"]) for c in of_review] == [(False, 15), (False, 4)]


OUTSIDE = {"line": 20, "side": "RIGHT"}
WORDINGS = [
    (2025, OUTSIDE, f"{review_rules.LINE_OUTSIDE} and {review_rules.BLANK_HUNK}"),
    (
        2025,
        {"line": 20, "start_line": 18, "side": "RIGHT", "start_side": "RIGHT"},
        f"{review_rules.LINE_OUTSIDE}, {review_rules.OTHER_HUNK}, and {review_rules.BLANK_HUNK}",
    ),
    (2025, {"line": 50, "start_line": 10, "side": "RIGHT"}, review_rules.OTHER_HUNK),
    (2025, {"line": 10, "start_line": 10, "side": "RIGHT"}, review_rules.START_AFTER),
    (2025, {"line": 9, "start_line": 12, "side": "RIGHT"}, review_rules.START_AFTER),
    (
        2025,
        {"path": "nowhere.py", "line": 1},
        f"{review_rules.BAD_PATH} and {review_rules.BLANK_HUNK}",
    ),
    (2026, OUTSIDE, review_rules.LINE_UNRESOLVED),
    (2026, {"line": 50, "start_line": 10, "side": "RIGHT"}, review_rules.LINE_UNRESOLVED),
    (2026, {"line": 10, "start_line": 10, "side": "RIGHT"}, review_rules.LINE_UNRESOLVED),
    (2026, {"path": "c.py", "line": 1}, review_rules.PATH_UNRESOLVED),
    (2026, {"path": "b.bin", "line": 1}, review_rules.LINE_UNRESOLVED),
    (2026, {"path": "moved.py", "line": 1}, review_rules.LINE_UNRESOLVED),
]


@pytest.mark.parametrize(("year", "comment", "text"), WORDINGS)
def test_one_bad_line_refuses_the_whole_review_in_the_words_of_its_year(
    scene: Scene, year: int, comment: dict[str, Any], text: str
) -> None:
    scene.hub.wording = year
    answer = scene.review({"line": 10, "side": "RIGHT"}, comment)
    assert refused(answer) == (422, [text])
    assert answer.json()["message"] == "Unprocessable Entity"
    assert scene.pull.all_reviews == []


def test_the_other_route_for_comments_names_the_field_of_a_bad_line(scene: Scene) -> None:
    body = {"path": "a.py", "body": "x", "commit_id": scene.head, "line": 20, "side": "RIGHT"}
    answer = scene.ask("POST", f"{PULL}/comments", body)
    assert answer.status_code == 422 and answer.json()["message"] == "Validation Failed"
    assert answer.json()["errors"][0]["field"] == "pull_request_review_thread.line"


# Reviews.


def test_a_pending_review_is_seen_by_its_author_alone_and_bars_the_next(scene: Scene) -> None:
    pending = scene.review({"line": 10}, event=None, body="draft").json()
    assert pending["state"] == "PENDING" and "submitted_at" not in pending
    scene.repo.permit("alice", "write")
    alice = scene.hub.token("alice")
    reviews = f"{PULL}/reviews"
    assert [r["id"] for r in scene.ask("GET", reviews).json()] == [pending["id"]]
    assert scene.ask("GET", reviews, token=alice).json() == []
    assert scene.ask("GET", f"{reviews}/{pending['id']}", token=alice).status_code == 404
    assert scene.ask("GET", f"{PULL}/comments").json() == []
    assert refused(scene.review()) == (422, [review_rules.ONE_PENDING])
    assert scene.review(token=alice).status_code == 200
    assert scene.ask("DELETE", f"{reviews}/{pending['id']}").status_code == 200
    assert scene.review().status_code == 200


def test_a_pending_review_can_be_submitted_once(scene: Scene) -> None:
    pending = scene.review({"line": 10}, event=None, body=None).json()
    events = f"{PULL}/reviews/{pending['id']}/events"
    done = scene.ask("POST", events, {"event": "COMMENT", "body": "now"})
    assert (done.json()["state"], done.json()["body"]) == ("COMMENTED", "now")
    assert scene.ask("POST", events, {"event": "COMMENT", "body": "again"}).status_code == 422


def test_a_submitted_review_cannot_be_deleted(scene: Scene) -> None:
    made = scene.review().json()
    path = f"{PULL}/reviews/{made['id']}"
    assert refused(scene.ask("DELETE", path)) == (422, [review_rules.NOT_PENDING])
    assert scene.ask("PUT", path, {"body": "edited"}).json()["body"] == "edited"


@pytest.mark.parametrize("event", ["APPROVE", "REQUEST_CHANGES"])
def test_nobody_judges_their_own_pull_request(scene: Scene, event: str) -> None:
    scene.pull.author = scene.app.bot
    assert refused(scene.review(event=event)) == (422, [review_rules.OWN[event]])
    assert scene.review(event="COMMENT").status_code == 200


@pytest.mark.parametrize("event", ["COMMENT", "REQUEST_CHANGES"])
def test_a_review_has_to_say_something(scene: Scene, event: str) -> None:
    assert scene.review(event=event, body="").status_code == 422
    assert scene.review(event="APPROVE", body=None).json()["state"] == "APPROVED"


def test_a_review_of_a_commit_from_elsewhere_is_refused(scene: Scene) -> None:
    other = scene.repo.commit({"z": b""})
    assert refused(scene.review(commit_id=other)) == (422, [review_rules.FOREIGN_COMMIT])


@pytest.mark.parametrize(
    ("text", "status"), [("ä" * 65_536, 200), ("ä" * 65_537, 422)], ids=["fits", "too-long"]
)
def test_a_body_holds_65536_characters_not_bytes(scene: Scene, text: str, status: int) -> None:
    assert scene.review(body=text).status_code == status
    comment = scene.ask("POST", f"{ISSUE}/comments", {"body": text})
    assert comment.status_code == (201 if status == 200 else 422)
    if status == 422:
        assert comment.json()["errors"][0]["message"] == review_rules.TOO_LONG


def test_a_force_push_makes_comments_on_changed_files_outdated(scene: Scene) -> None:
    assert scene.review({"line": 10}).status_code == 200
    new = scene.repo.commit({"a.py": OLD + b"end\n"}, scene.base)
    scene.pull.push(new)
    seen = scene.ask("GET", PULL).json()
    assert (seen["head"]["sha"], seen["base"]["sha"]) == (new, scene.base)
    (comment,) = scene.ask("GET", f"{PULL}/comments").json()
    assert (comment["line"], comment["position"], comment["original_line"]) == (None, None, 10)
    assert (comment["original_commit_id"], scene.review({"line": 61}).status_code) == (
        scene.head,
        200,
    )


def test_a_commit_before_the_head_can_still_be_reviewed(scene: Scene) -> None:
    scene.pull.push(scene.repo.commit({"a.py": OLD + b"end\n"}, scene.head))
    answer = scene.review({"line": 10}, commit_id=scene.head)
    assert (answer.status_code, answer.json()["commit_id"]) == (200, scene.head)


# The conversation.


def test_a_locked_pull_request_takes_no_comment_and_no_review_from_a_bot(scene: Scene) -> None:
    scene.pull.locked = True
    said = scene.ask("POST", f"{ISSUE}/comments", {"body": "x"})
    assert refused(said) == (403, "Unable to create comment because issue is locked.")
    assert refused(scene.review()) == (422, [review_rules.LOCKED])
    scene.repo.permit("alice", "write")
    alice = scene.hub.token("alice")
    assert scene.ask("POST", f"{ISSUE}/comments", {"body": "x"}, alice).status_code == 201


def test_a_comment_is_edited_in_place_and_deleted(scene: Scene) -> None:
    made = scene.ask("POST", f"{ISSUE}/comments", {"body": "one"}).json()
    assert made["performed_via_github_app"]["slug"] == "rlm-review"
    path = f"{REPO}/issues/comments/{made['id']}"
    assert scene.ask("PATCH", path, {"body": "two"}).json()["body"] == "two"
    assert [c.body for c in scene.pull.comments] == ["two"]
    assert scene.ask("PATCH", path, {"body": " "}).status_code == 422
    assert scene.ask("DELETE", path).status_code == 204
    assert scene.ask("PATCH", path, {"body": "three"}).status_code == 404


def test_a_person_without_write_access_edits_only_their_own_words(scene: Scene) -> None:
    scene.repo.permit("carol", "read")
    comment = scene.pull.comment("alice", "mine")
    path = f"{REPO}/issues/comments/{comment.id}"
    carol = scene.hub.token("carol")
    assert scene.ask("PATCH", path, {"body": "hers"}, carol).status_code == 403
    assert comment.body == "mine"


def test_a_second_reaction_of_a_kind_is_the_first_one(scene: Scene) -> None:
    comment = scene.pull.comment("alice", "/rlm review")
    path = f"{REPO}/issues/comments/{comment.id}/reactions"
    first, second = (scene.ask("POST", path, {"content": "eyes"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert scene.ask("POST", path, {"content": "rocket"}).status_code == 201
    assert [r.content for r in comment.reactions] == ["eyes", "rocket"]


def test_a_list_comes_in_pages_addressed_by_the_number_of_the_repository(scene: Scene) -> None:
    for number in range(65):
        scene.pull.comment("alice", str(number))
    first = scene.ask("GET", f"{ISSUE}/comments")
    assert (
        len(first.json()) == 30 and f"/repositories/{scene.repo.id}/" in first.links["next"]["url"]
    )
    bodies, address = [], f"{scene.hub.api}{ISSUE}/comments?per_page=30"
    while address:
        page = requests.get(address, headers={"Authorization": f"token {scene.token}"}, timeout=10)
        bodies += [comment["body"] for comment in page.json()]
        address = page.links.get("next", {}).get("url")
    assert bodies == [str(number) for number in range(65)]
    assert len(scene.ask("GET", f"{ISSUE}/comments?per_page=500").json()) == 65


def test_an_issue_is_no_pull_request(scene: Scene) -> None:
    issue = scene.repo.issue("alice")
    comment = issue.comment("alice", "/rlm review")
    payload = scene.hub.payload_comment(comment, scene.app)
    assert "pull_request" not in payload["issue"]
    assert scene.ask("GET", f"{REPO}/pulls/{issue.number}").status_code == 404
    # pull_requests: write does for a pull request's conversation, not for an issue's.
    said = scene.ask("POST", f"{REPO}/issues/{issue.number}/comments", {"body": "x"})
    assert refused(said) == (403, "Resource not accessible by integration")


# Permissions.


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("admin", "admin"),
        ("maintain", "write"),
        ("write", "write"),
        ("triage", "read"),
        ("read", "read"),
        ("none", "none"),
    ],
)
def test_a_role_is_told_in_the_four_old_words_and_by_its_name(
    scene: Scene, role: str, permission: str
) -> None:
    scene.repo.permit("carol", role)
    answer = scene.ask("GET", f"{REPO}/collaborators/carol/permission").json()
    assert (answer["permission"], answer["role_name"]) == (permission, role)


@pytest.mark.parametrize("login", ["rlm-review[bot]", "nobody-of-that-name"])
def test_who_is_no_user_has_no_permission_to_ask_about(scene: Scene, login: str) -> None:
    answer = scene.ask("GET", f"{REPO}/collaborators/{login}/permission")
    assert refused(answer) == (404, f"{login} is not a user")


def test_everybody_reads_a_public_repository_and_only_writers_see_permissions(
    scene: Scene,
) -> None:
    scene.hub.repository("octo/open")
    path = "/repos/octo/open"
    assert scene.ask("GET", path, token=None).json()["visibility"] == "public"
    assert scene.ask("GET", f"{path}/collaborators/x/permission", token=None).status_code == 401
    carol = scene.hub.token("carol")
    refusal = refused(scene.ask("GET", f"{path}/collaborators/carol/permission", token=carol))
    assert refusal == (403, "Must have push access to view collaborator permission.")
    # The App is not installed there: it reads like everybody, and writes nothing.
    assert scene.ask("GET", path).status_code == 200
    sha = "0" * 40
    assert (
        scene.ask("POST", f"{path}/check-runs", {"name": "x", "head_sha": sha}).status_code == 403
    )


def test_a_private_repository_is_not_there_for_others(scene: Scene) -> None:
    for token in (None, scene.hub.token("stranger")):
        for path in (REPO, PULL, f"{ISSUE}/comments"):
            assert refused(scene.ask("GET", path, token=token)) == (404, "Not Found")


def test_a_permission_that_was_not_accepted_is_named_in_the_refusal(scene: Scene) -> None:
    scene.installation.permissions = {"contents": "read", "pull_requests": "read"}
    answer = scene.review()
    assert refused(answer) == (403, "Resource not accessible by integration")
    assert answer.headers["x-accepted-github-permissions"] == "pull_requests=write"
    assert answer.json()["status"] == "403"
    tokens = f"/app/installations/{scene.installation.id}/access_tokens"
    wanted = {"permissions": {"pull_requests": "write"}}
    assert refused(scene.as_app("POST", tokens, wanted)) == (422, apps.NOT_GRANTED)


def test_a_token_holds_what_was_asked_for_and_no_more(scene: Scene) -> None:
    token = scene.mint(repository_ids=[scene.repo.id], permissions={"contents": "read"})
    assert scene.ask("GET", REPO, token=token).status_code == 200
    assert scene.ask("GET", PULL, token=token).status_code == 403
    other = scene.hub.repository("octo/other", private=True)
    scene.app.install(other)
    assert scene.ask("GET", "/repos/octo/other", token=token).status_code == 404
    assert scene.ask("GET", "/repos/octo/other", token=scene.mint()).status_code == 200


def test_a_repository_taken_out_of_the_installation_is_gone(scene: Scene) -> None:
    scene.installation.remove(scene.repo)
    assert refused(scene.review()) == (404, "Not Found")
    tokens = f"/app/installations/{scene.installation.id}/access_tokens"
    wanted = {"repository_ids": [scene.repo.id]}
    assert refused(scene.as_app("POST", tokens, wanted)) == (422, apps.NOT_INSTALLED)


def test_an_app_that_is_suspended_or_uninstalled_gets_nothing(scene: Scene) -> None:
    tokens = f"/app/installations/{scene.installation.id}/access_tokens"
    scene.installation.suspended = True
    assert refused(scene.ask("GET", REPO)) == (403, apps.SUSPENDED)
    assert refused(scene.as_app("POST", tokens)) == (403, apps.SUSPENDED)
    scene.installation.delete()
    assert refused(scene.ask("GET", REPO)) == (401, "Bad credentials")
    assert refused(scene.as_app("POST", tokens)) == (404, "Not Found")


# Tokens.


def test_a_token_has_520_characters_with_dots_dashes_and_underscores(scene: Scene) -> None:
    for _ in range(20):
        token = scene.mint()
        assert re.fullmatch(r"ghs_[A-Za-z0-9._-]+", token) and 480 <= len(token) <= 560
        assert {".", "-", "_"} <= set(token.removeprefix("ghs_"))
    assert token.count(".") == 2
    scene.hub.old_tokens = True
    assert re.fullmatch(r"ghs_[A-Za-z0-9]{36}", scene.mint())


def test_a_token_ends_after_an_hour_in_the_middle_of_the_work(scene: Scene) -> None:
    made = scene.as_app("POST", f"/app/installations/{scene.installation.id}/access_tokens").json()
    assert made["expires_at"].endswith("Z") and made["permissions"]["checks"] == "write"
    assert scene.ask("GET", REPO).status_code == 200
    scene.hub.expire(scene.token)
    assert refused(scene.ask("GET", REPO)) == (401, "Bad credentials")
    assert scene.ask("GET", REPO, token=made["token"]).status_code == 200
    scene.hub.clock_offset = 3_601
    assert refused(scene.ask("GET", REPO, token=made["token"])) == (401, "Bad credentials")


def test_a_revoked_token_is_a_bad_one(scene: Scene) -> None:
    assert scene.ask("DELETE", "/installation/token").status_code == 204
    assert refused(scene.ask("GET", REPO)) == (401, "Bad credentials")


@pytest.mark.parametrize(
    ("claims", "status", "text"),
    [
        ({"exp": -10}, 401, apps.EXPIRED),
        ({"exp": 660}, 401, apps.TOO_FAR),
        ({"iat": 30}, 401, apps.NOT_YET),
        ({"iss": "12"}, 404, "Integration not found"),
        ({"iss": ""}, 401, apps.NO_ISSUER),
    ],
    ids=["expired", "too-far", "from-the-future", "unknown", "nobody"],
)
def test_a_wrong_jwt_is_refused_in_githubs_words(
    scene: Scene, claims: dict[str, Any], status: int, text: str
) -> None:
    now = int(time.time())
    claims = {name: now + value if name != "iss" else value for name, value in claims.items()}
    assert refused(scene.as_app("GET", "/app", **claims)) == (status, text)


def test_a_clock_that_is_wrong_spoils_a_jwt_that_looks_right(scene: Scene) -> None:
    for offset, text in ((-120.0, apps.NOT_YET), (-400.0, apps.TOO_FAR), (400.0, apps.EXPIRED)):
        scene.hub.clock_offset = offset
        assert refused(scene.as_app("GET", "/app")) == (401, text)


def test_only_the_apps_own_key_signs_for_it(scene: Scene) -> None:
    now = int(time.time())
    claims = {"iat": now - 60, "exp": now + 300, "iss": scene.app.client_id}
    strange = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for token in (
        jwt.encode(claims, strange, algorithm="RS256"),
        jwt.encode(claims, "a shared secret of some length, of no use", algorithm="HS256"),
        scene.token,
    ):
        assert refused(scene.ask("GET", "/app", token=token)) == (401, apps.UNREADABLE)
    right = jwt.encode(claims, scene.app.pem, algorithm="RS256")
    assert scene.ask("GET", "/app", token=right).json()["slug"] == "rlm-review"
    assert scene.ask("GET", REPO, token=right).status_code == 401


# Checks.


def check(scene: Scene, **body: Any) -> requests.Response:
    sent = {"name": "rlm", "head_sha": scene.head, **body}
    return scene.ask("POST", f"{REPO}/check-runs", sent)


def test_a_check_run_knows_no_pull_request_of_a_fork(scene: Scene) -> None:
    made = check(scene, external_id="octo/hello#1", status="in_progress").json()
    assert (made["pull_requests"], made["external_id"]) == ([], "octo/hello#1")
    payload = scene.hub.payload_check_run(scene.repo.check_runs[0], "rerequested", scene.app)
    assert payload["check_run"]["check_suite"]["head_branch"] is None
    own = scene.repo.pull(scene.base, scene.head)
    again = check(scene).json()
    assert [pull["number"] for pull in again["pull_requests"]] == [own.number]


def test_a_conclusion_completes_a_check_run(scene: Scene) -> None:
    made = check(scene, status="in_progress").json()
    assert (made["status"], made["conclusion"], made["completed_at"]) == ("in_progress", None, None)
    path = f"{REPO}/check-runs/{made['id']}"
    assert scene.ask("PATCH", path, {"status": "completed"}).status_code == 422
    scene.hub.violations.clear()  # the document knows that rule too
    done = scene.ask("PATCH", path, {"conclusion": "neutral"}).json()
    assert (done["status"], done["conclusion"]) == ("completed", "neutral")
    assert done["completed_at"] is not None


def test_a_summary_is_measured_in_bytes(scene: Scene) -> None:
    def summary(text: str) -> requests.Response:
        return check(scene, output={"title": "t", "summary": text})

    assert summary("x" * 65_535).status_code == 201
    smiles = "\U0001f600" * 16_384  # 65,536 bytes in 16,384 characters
    said = summary(smiles)
    assert said.status_code == 422 and said.json()["errors"] == [
        {
            "resource": "CheckRun",
            "code": "custom",
            "field": "summary",
            "message": "summary exceeds a maximum bytesize of 65535",
        }
    ]
    assert summary(smiles[:-1] + "abc").status_code == 201
    assert len(scene.repo.check_runs) == 2


def test_a_request_takes_50_annotations_and_an_update_adds_more(scene: Scene) -> None:
    def annotations(count: int) -> dict[str, Any]:
        one = {"path": "a.py", "annotation_level": "notice", "message": "m"}
        lines = [{**one, "start_line": n, "end_line": n} for n in range(1, count + 1)]
        return {"output": {"title": "t", "summary": "s", "annotations": lines}}

    too_many = check(scene, **annotations(51))
    assert "No more than 50 items are allowed; 51 were supplied." in too_many.json()["message"]
    made = check(scene, **annotations(50)).json()
    path = f"{REPO}/check-runs/{made['id']}"
    updated = scene.ask("PATCH", path, annotations(3)).json()
    assert updated["output"]["annotations_count"] == 53
    assert len(scene.ask("GET", f"{path}/annotations?per_page=100").json()) == 53
    scene.hub.violations.clear()  # the document has this limit too


def test_only_apps_write_checks_and_each_its_own(scene: Scene) -> None:
    body = {"name": "x", "head_sha": scene.head}
    scene.repo.permit("alice", "admin")
    answer = scene.ask("POST", f"{REPO}/check-runs", body, scene.hub.token("alice"))
    assert refused(answer) == (403, "You must authenticate via a GitHub App.")
    theirs = scene.hub.token(repo=scene.repo, permissions={"checks": "write"})
    made = scene.ask("POST", f"{REPO}/check-runs", body, theirs).json()
    assert made["app"]["slug"] == "github-actions"
    path = f"{REPO}/check-runs/{made['id']}"
    assert scene.ask("PATCH", path, {"conclusion": "success"}).status_code == 403


def test_check_runs_of_a_commit_are_found_by_name_and_app(scene: Scene) -> None:
    check(scene), check(scene, name="other")
    newest = check(scene, conclusion="success").json()["id"]
    runs = f"{REPO}/commits/{scene.head}/check-runs"

    def ids(query: str) -> list[int]:
        return [run["id"] for run in scene.ask("GET", f"{runs}?{query}").json()["check_runs"]]

    assert ids("check_name=rlm") == [newest]
    assert len(ids("check_name=rlm&filter=all")) == 2
    assert len(ids(f"app_id={scene.app.id}")) == 2 and ids("app_id=1") == []


# Diffs.


def test_a_file_that_is_binary_or_only_moved_has_no_patch(scene: Scene) -> None:
    files = {file["filename"]: file for file in scene.ask("GET", f"{PULL}/files").json()}
    assert {name: "patch" in file for name, file in files.items()} == {
        "a.py": True,
        "b.bin": False,
        "moved.py": False,
    }
    assert files["moved.py"]["previous_filename"] == "c.py"
    assert files["a.py"]["patch"].count("@@ -") == 2


def test_a_diff_of_more_than_300_files_is_refused_and_the_list_ends_at_3000(scene: Scene) -> None:
    many = {f"d/{number:04}.txt": b"x\n" for number in range(3_001)}
    scene.pull.push(scene.repo.commit(many, scene.base))
    answer = scene.ask("GET", PULL, headers={"Accept": "application/vnd.github.diff"})
    assert answer.status_code == 406 and "(300)" in answer.json()["message"]
    assert answer.json()["errors"][0]["code"] == "too_large"
    assert scene.ask("GET", PULL).json()["changed_files"] == 3_004
    assert len(scene.ask("GET", f"{PULL}/files?per_page=100&page=30").json()) == 100
    assert scene.ask("GET", f"{PULL}/files?per_page=100&page=31").json() == []


def test_a_diff_in_its_own_media_type_is_text(scene: Scene) -> None:
    answer = scene.ask("GET", PULL, headers={"Accept": "application/vnd.github.v3.diff"})
    assert answer.text.startswith("diff --git a/a.py b/a.py\n")


def test_the_base_of_a_pull_request_is_not_its_merge_base(scene: Scene) -> None:
    ahead = scene.repo.commit({"a.py": OLD, "new.py": b"x\n"}, scene.base)
    scene.pull.retarget("main", ahead)
    assert scene.ask("GET", PULL).json()["base"]["sha"] == ahead
    compared = scene.ask("GET", f"{REPO}/compare/{ahead}...{scene.head}").json()
    assert compared["merge_base_commit"]["sha"] == scene.base
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("diverged", 1, 1)
    names = [file["filename"] for file in scene.ask("GET", f"{PULL}/files").json()]
    assert "new.py" not in names


def test_a_file_is_read_from_the_default_branch_and_not_beyond_a_megabyte(scene: Scene) -> None:
    large = b"x" * 1_000_001
    files = {".github/rlm.yml": b"effort: quick\n", "large": large}
    scene.repo.git("update-ref", "refs/heads/main", scene.repo.commit(files, scene.base))
    answer = scene.ask("GET", f"{REPO}/contents/.github/rlm.yml").json()
    assert base64.b64decode(answer["content"]) == b"effort: quick\n"
    answer = scene.ask("GET", f"{REPO}/contents/large").json()
    assert (answer["encoding"], answer["content"], answer["size"]) == ("none", "", len(large))
    assert scene.ask("GET", f"{REPO}/contents/.github/other.yml").status_code == 404


def test_mergeable_is_null_at_the_first_look(scene: Scene) -> None:
    looks = [scene.ask("GET", PULL).json()["mergeable"] for _ in range(2)]
    assert looks == [None, True]


def test_a_deleted_fork_leaves_the_head_without_a_repository(scene: Scene) -> None:
    scene.pull.lose_fork()
    pull = scene.ask("GET", PULL).json()
    assert (pull["head"]["repo"], pull["head"]["sha"]) == (None, scene.head)
    assert fetched(scene, scene.head).returncode == 0


def test_a_closed_pull_request_is_merged_or_not(scene: Scene) -> None:
    scene.pull.close()
    pull = scene.ask("GET", PULL).json()
    assert (pull["state"], pull["merged"], pull["merged_at"]) == ("closed", False, None)
    scene.pull.close(merged=True)
    assert scene.ask("GET", PULL).json()["merged"] is True
    assert scene.ask("GET", f"{REPO}/pulls").json() == []
    scene.pull.vanish()
    assert scene.ask("GET", PULL).status_code == 404


def test_an_old_name_redirects_to_the_number(scene: Scene) -> None:
    scene.repo.rename("octo/renamed")
    answer = scene.ask("GET", PULL, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{scene.hub.api}/repositories/{scene.repo.id}/pulls/1"
    assert scene.ask("GET", PULL).json()["base"]["repo"]["full_name"] == "octo/renamed"
    body = {"body": "x"}
    said = scene.ask("POST", f"{ISSUE}/comments", body, allow_redirects=False)
    assert said.status_code == 307 and scene.pull.comments == []


# git.


def with_token(
    scene: Scene, folder: Path, verb: str, repository: str, *what: str, token: str | None = ""
) -> "subprocess.CompletedProcess[str]":
    """Talk to a repository with git's own client, the token in a header as the App does it."""
    token = scene.token if token == "" else token
    login = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    header = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
    }
    return subprocess.run(
        ["git", verb, "-q", f"{scene.hub.web}/{repository}.git", *what],
        cwd=folder,
        env={**ENV, "GIT_TERMINAL_PROMPT": "0", **(header if token else {})},
        capture_output=True,
        text=True,
        check=False,
    )


def fetched(
    scene: Scene, *what: str, token: str | None = "", repository: str = "octo/hello"
) -> "subprocess.CompletedProcess[str]":
    """Fetch into a fresh repository."""
    folder = Path(tempfile.mkdtemp(dir=scene.hub.state.root))
    subprocess.run(["git", "init", "-q", str(folder)], env=ENV, check=True)
    return with_token(scene, folder, "fetch", repository, *what, token=token)


def test_the_head_of_a_fork_is_fetched_by_sha_from_the_base_repository(scene: Scene) -> None:
    done = fetched(scene, scene.head)
    assert done.returncode == 0, done.stderr
    assert fetched(scene, "--filter=blob:none", scene.base, scene.head).returncode == 0
    assert fetched(scene, "refs/pull/1/head").returncode == 0
    assert "not our ref" in fetched(scene, "0" * 39 + "1").stderr


def test_git_of_a_private_repository_wants_a_token_that_may_read_contents(scene: Scene) -> None:
    assert "could not read Username" in fetched(scene, scene.head, token=None).stderr
    assert "could not read Username" in fetched(scene, scene.head, token="ghs_wrong").stderr
    no_contents = scene.mint(permissions={"pull_requests": "read"})
    assert "403" in fetched(scene, scene.head, token=no_contents).stderr
    stranger = scene.hub.token("stranger")
    assert "not found" in fetched(scene, scene.head, token=stranger).stderr
    scene.hub.expire(scene.token)
    assert "could not read Username" in fetched(scene, scene.head).stderr


def test_git_of_a_public_repository_asks_nobody(scene: Scene) -> None:
    repo = scene.hub.repository("octo/open")
    sha = repo.commit({"a": b"b"})
    assert fetched(scene, sha, token=None, repository="octo/open").returncode == 0


def test_nothing_can_be_pushed(scene: Scene) -> None:
    done = with_token(
        scene, scene.repo.folder, "push", "octo/hello", f"{scene.head}:refs/heads/pushed"
    )
    assert done.returncode != 0 and "403" in done.stderr
    assert "pushed" not in scene.repo.git("for-each-ref")


def test_a_pull_request_may_hold_links_submodules_and_odd_names(scene: Scene) -> None:
    files = {
        "link": b"/etc/passwd",
        "sub": scene.base.encode(),
        'we"ird\nname\\': b"x",
        ".gitmodules": b"",
    }
    sha = scene.repo.commit(files, scene.base, modes={"link": "120000", "sub": "160000"})
    pull = scene.repo.pull(scene.base, sha, fork="mallory/hello")
    listed = scene.repo.git("ls-tree", "-z", sha).split("\0")
    assert [entry.split()[0] for entry in listed if entry] == [
        "100644",
        "120000",
        "160000",
        "100644",
    ]
    names = {
        file["filename"] for file in scene.ask("GET", f"{REPO}/pulls/{pull.number}/files").json()
    }
    assert {"link", "sub", 'we"ird\nname\\'} <= names


# Faults.


def test_a_502_after_the_review_was_made_hides_that_it_was(scene: Scene) -> None:
    scene.hub.fault(method="POST", path=r"/reviews$", status=502, when="after")
    assert scene.review().status_code == 502
    assert len(scene.pull.reviews) == 1
    assert scene.review().status_code == 200


def test_a_limit_comes_with_its_headers_and_nothing_is_applied(scene: Scene) -> None:
    text = "You have exceeded a secondary rate limit."
    scene.hub.fault(
        "POST", status=403, body={"message": text}, headers={"retry-after": "7"}, times=2
    )
    answer = scene.review()
    assert refused(answer) == (403, text) and answer.headers["retry-after"] == "7"
    assert scene.ask("GET", PULL).status_code == 200
    assert (scene.review().status_code, scene.review().status_code) == (403, 200)
    assert len(scene.pull.reviews) == 1


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_connection_can_be_cut_on_either_side_of_a_write(
    scene: Scene, when: str, made: int
) -> None:
    scene.hub.fault("POST", r"/reviews$", when=when, cut=True)
    with pytest.raises(requests.ConnectionError):
        scene.review()
    assert len(scene.pull.reviews) == made
    assert scene.hub.requests[-1].status is None


def test_a_test_is_called_around_every_request(scene: Scene) -> None:
    calls: list[tuple[int, str, str, int]] = []
    scene.hub.on_request(
        lambda index, seen, phase: calls.append((index, seen.path, phase, len(scene.pull.reviews)))
    )
    scene.review()
    index = len(scene.hub.requests)
    assert calls == [
        (index, f"{PULL}/reviews", "before", 0),
        (index, f"{PULL}/reviews", "after", 1),
    ]
    (seen,) = scene.hub.asked("POST", r"/reviews$")
    assert (seen.token, seen.status, seen.body["event"]) == (scene.token, 200, "COMMENT")


def test_what_was_read_already_is_not_sent_again(scene: Scene) -> None:
    first = scene.ask("GET", REPO)
    had = {"If-None-Match": first.headers["ETag"]}
    again = scene.ask("GET", REPO, headers=had)
    assert (again.status_code, again.content) == (304, b"")
    used = [int(answer.headers["x-ratelimit-used"]) for answer in (first, again)]
    assert used[0] == used[1]
    scene.repo.default_branch = "trunk"
    assert scene.ask("GET", REPO, headers=had).status_code == 200


def test_an_answer_tells_the_rate_and_its_own_name(scene: Scene) -> None:
    first, second = (scene.ask("GET", REPO).headers for _ in range(2))
    assert int(first["x-ratelimit-remaining"]) - int(second["x-ratelimit-remaining"]) == 1
    assert first["x-github-request-id"] != second["x-github-request-id"]
    assert int(first["x-ratelimit-reset"]) > time.time()


# The contract.


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", f"{PULL}/reviews", {"event": "PRAISE"}, "'PRAISE' is not one of"),
        (
            "POST",
            f"{PULL}/reviews",
            {"comments": [{"path": "a.py", "body": "x", "line": 10, "subject_type": "line"}]},
            "body.comments[0].subject_type is not in the document",
        ),
        ("POST", f"{ISSUE}/comments", {}, "'body' is a required property"),
        ("POST", f"{ISSUE}/comments", None, "has no body"),
        ("GET", f"{PULL}/files?per_page=lots", None, "'lots' is not of type 'integer'"),
        ("GET", f"{PULL}/files?order=up", None, "query parameter order is not in the document"),
        ("GET", f"{PULL}/remarks", None, "no such operation"),
        ("GET", f"{REPO}/pulls/one", None, "'one' is not of type 'integer'"),
    ],
)
def test_a_request_that_githubs_document_does_not_allow_fails_the_test_that_made_it(
    tmp_path: Path, method: str, path: str, body: Any, words: str
) -> None:
    with pytest.raises(AssertionError, match=re.escape(words)), FakeGitHub(tmp_path) as hub:
        scene = Scene(hub)
        answer = scene.ask(method, path, body)
        assert answer.status_code in {404, 422}
        assert scene.pull.all_reviews == [] and scene.pull.comments == []


def test_an_operation_that_the_fake_lacks_is_the_fakes_fault(tmp_path: Path) -> None:
    words = re.escape("no route GET /repos/{owner}/{repo}/topics")
    with pytest.raises(AssertionError, match=words), FakeGitHub(tmp_path) as hub:
        assert Scene(hub).ask("GET", f"{REPO}/topics").status_code == 501


def test_a_failing_test_shows_its_own_failure_first(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), FakeGitHub(tmp_path) as hub:
        requests.get(f"{hub.api}/nonsense", timeout=10)
        raise ZeroDivisionError


# Webhooks.


class Inbox(BaseHTTPRequestHandler):
    """Keeps what was delivered."""

    seen: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append((dict(self.headers), body))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


def test_a_delivery_is_signed_and_a_redelivery_keeps_its_guid(scene: Scene) -> None:
    inbox = type("Mine", (Inbox,), {"seen": []})
    server = HTTPServer(("127.0.0.1", 0), inbox)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/webhook"
    payload = scene.hub.payload_pull(scene.pull, "opened", scene.app)
    for tenant in ("", "octocorp"):
        answer = scene.hub.deliver(
            url,
            "pull_request",
            payload,
            scene.app.webhook_secret,
            "guid-1",
            headers={"X-GitHub-Tenant": tenant},
        )
        assert answer == (202, "ok")
    server.shutdown()
    server.server_close()
    (first, body), (second, _) = inbox.seen
    assert json.loads(body) == payload
    assert first["X-GitHub-Delivery"] == second["X-GitHub-Delivery"] == "guid-1"
    assert ("X-GitHub-Tenant" in first, second["X-GitHub-Tenant"]) == (False, "octocorp")
    assert first["User-Agent"].startswith("GitHub-Hookshot/")
    assert len(bytes.fromhex(first["X-Hub-Signature"].removeprefix("sha1="))) == 20
    assert len(bytes.fromhex(first["X-Hub-Signature-256"].removeprefix("sha256="))) == 32


def test_a_delivery_is_waited_for_and_no_longer(scene: Scene) -> None:
    assert DELIVERY_TIMEOUT_S == 10
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/webhook"
        with pytest.raises(TimeoutError):
            scene.hub.deliver(url, "ping", {}, timeout_s=0.05)


def test_the_signature_is_the_one_of_githubs_own_example() -> None:
    headers = delivery_headers("ping", b"Hello, World!", "It's a Secret to Everybody")
    assert headers["X-Hub-Signature-256"] == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def payloads(scene: Scene) -> dict[str, dict[str, Any]]:
    """One payload of each kind that the fake sends, by event and action."""
    hub, app, pull = scene.hub, scene.app, scene.pull
    assert check(scene, conclusion="success", output={"title": "t", "summary": "s"}).ok
    made = {
        f"pull_request${action}": hub.payload_pull(pull, action, app)
        for action in ("opened", "reopened", "synchronize", "ready_for_review")
    }
    made["issue_comment$created"] = hub.payload_comment(pull.comment("alice", "/rlm review"), app)
    made["check_run$rerequested"] = hub.payload_check_run(
        scene.repo.check_runs[0], "rerequested", app
    )
    made["check_run$requested_action"] = hub.payload_check_run(
        scene.repo.check_runs[0], "requested_action", app, button="full"
    )
    made["merge_group$checks_requested"] = hub.payload_merge_group(pull, scene.head, app)
    assert scene.review({"line": 7, "side": "RIGHT"}).ok
    made["pull_request_review_comment$created"] = hub.payload_review_comment(
        pull.review_comments[0], app
    )
    made["check_suite$rerequested"] = hub.payload_check_suite(
        scene.repo, scene.head, "rerequested", app
    )
    made["installation$created"] = hub.payload_installation(scene.installation, "created")
    pull.close(merged=True)
    made["pull_request$closed"] = hub.payload_pull(pull, "closed", app)
    return made


NEWER = {"user_view_type", "client_id"}
"""What GitHub has added since octokit's schemas, which allow nothing that they do not name."""


UNLISTED = {"merge_group"}
"""An event that GitHub's own list of an App's events leaves out, in schema and document alike."""


def without_newer(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_newer(inner) for name, inner in value.items() if name not in NEWER}
    if isinstance(value, list):
        return [
            without_newer(inner)
            for inner in value
            if not (isinstance(inner, str) and inner in UNLISTED)
        ]
    return value


@pytest.mark.parametrize("fork", [True, False], ids=["fork", "branch"])
def test_payloads_fit_the_schemas_of_octokit_and_of_github(scene: Scene, fork: bool) -> None:
    if not fork:
        scene.pull.head_repo = scene.repo
    schema = json.loads(package_file("@octokit/webhooks-schemas", "schema.json").read_bytes())
    for name, payload in payloads(scene).items():
        judge = jsonschema.Draft7Validator(
            {"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]}
        )
        faults = [error.message for error in judge.iter_errors(without_newer(payload))]
        assert faults == [], name
        ours = name.replace("$", "-").replace("_", "-")
        faults = [
            fault
            for fault in contract().webhook_faults(ours, payload)
            if not any(f"'{event}' is not one of" in fault for event in UNLISTED)
        ]
        assert faults == [], name


# The manifest.


def manifest(**changes: Any) -> str:
    return json.dumps(
        {
            "name": "My review",
            "url": "https://example.com",
            "redirect_url": "http://127.0.0.1:9/done?from=setup",
            "hook_attributes": {"url": "https://hooks.example.com/webhook", "active": True},
            "default_permissions": {"pull_requests": "write"},
            "default_events": ["pull_request"],
        }
        | changes
    )


def test_a_manifest_becomes_an_app_whose_code_works_once(scene: Scene) -> None:
    page = f"{scene.hub.web}/organizations/octo/settings/apps/new?state=s%26t"
    sent = requests.post(page, data={"manifest": manifest()}, allow_redirects=False, timeout=10)
    target = sent.headers["Location"]
    found = re.fullmatch(
        r"http://127.0.0.1:9/done\?from=setup&code=([0-9a-f]{40})&state=s%26t", target
    )
    assert found is not None, target
    path = f"/app-manifests/{found[1]}/conversions"
    app = scene.ask("POST", path, token=None).json()
    assert (app["slug"], app["permissions"]) == (
        "my-review",
        {"metadata": "read", "pull_requests": "write"},
    )
    now = int(time.time())
    claims = {"iat": now - 60, "exp": now + 300, "iss": app["client_id"]}
    token = jwt.encode(claims, app["pem"], algorithm="RS256")
    assert scene.ask("GET", "/app", token=token).json()["id"] == app["id"]
    assert len({app["client_secret"], app["webhook_secret"], hashlib.sha1(b"").hexdigest()}) == 3
    assert scene.ask("POST", path, token=None).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"hook_attributes": {"url": "http://localhost:8000/webhook"}},
        {"hook_attributes": {"active": True}},
        {"default_events": ["check_run"]},
        {"default_events": ["pull_request", "everything"]},
        {"name": "x" * 35},
        {"redirect_url": ""},
        {"homepage": "https://example.com"},
    ],
    ids=str,
)
def test_a_manifest_that_github_would_not_take_makes_no_app(
    scene: Scene, changes: dict[str, Any]
) -> None:
    before = len(scene.hub.apps.by_slug)
    page = f"{scene.hub.web}/settings/apps/new"
    answer = requests.post(
        page, data={"manifest": manifest(**changes)}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 422 and len(scene.hub.apps.by_slug) == before
