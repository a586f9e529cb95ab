"""Hub: what it asks, what it never repeats, and what becomes of an answer that is no answer."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.github.client import Hub, connect, request
from app.github.errors import (
    BadToken,
    Limited,
    Misfit,
    NotThere,
    Unreachable,
    Unsure,
    calls,
)
from app.github.pulls import look_at
from app.github.urls import Server
from reviewer.errors import GiveUp, RetryLater, TellUser
from tests.app.github.loopback import Answer, Loopback
from tests.app.github.tls import tls_server
from tests.github.hub import FakeGitHub

TOKEN = "ghs_1234567_" + "abc.DEF-ghi_" * 43
SHA_1, SHA_2 = "1" * 40, "2" * 40


def hub(loopback: Loopback) -> Hub:
    return Hub(loopback.server, SecretStr(TOKEN), write_pause_s=0)


def post(hub: Hub) -> Any:
    return hub.ask("post the comment", "POST", "/repos/o/r/issues/1/comments", {"body": "x"})


def get(hub: Hub) -> Any:
    return hub.ask("look", "GET", "/repos/o/r")


def test_a_request_carries_the_token_and_its_body() -> None:
    with Loopback(Answer(201, {"id": 7})) as loopback, hub(loopback) as mine:
        assert post(mine) == {"id": 7}
    (seen,) = loopback.requests
    assert (seen.method, seen.path) == ("POST", "/api/v3/repos/o/r/issues/1/comments")
    assert seen.body == {"body": "x"}
    assert seen.authorization is not None and seen.authorization.split() == ["token", TOKEN]


@pytest.mark.parametrize("verb", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [500, 502, 503, 0])
def test_a_write_that_failed_is_never_repeated(verb: str, status: int) -> None:
    with Loopback(Answer(status, {"message": "x"})) as loopback, hub(loopback) as mine:
        with pytest.raises(Unsure):
            mine.ask("write", verb, "/repos/o/r/issues/1/comments", {"body": "x"})
        assert len(loopback.requests) == 1


def test_a_read_is_repeated_through_a_short_outage() -> None:
    answers = Answer(502, "<html>"), Answer(0), Answer(200, {"id": 1})
    with Loopback(*answers) as loopback, hub(loopback) as mine:
        assert get(mine)["id"] == 1
        assert len(loopback.requests) == 3


def test_a_long_outage_is_for_the_caller_to_wait_out() -> None:
    with Loopback(Answer(503, {"message": "down"})) as loopback, hub(loopback) as mine:
        begin = time.monotonic()
        with pytest.raises(Unsure, match=r"problem of its own \(503\): down"):
            get(mine)
        assert time.monotonic() - begin < 5
        assert len(loopback.requests) == 3


@pytest.mark.parametrize("ask", [get, post])
@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_is_neither_slept_for_nor_asked_again(ask: Any, status: int) -> None:
    refused = Answer(
        status, {"message": "You have exceeded a secondary rate limit."}, {"Retry-After": "90"}
    )
    with Loopback(refused) as loopback, hub(loopback) as mine:
        begin = time.monotonic()
        with pytest.raises(Limited) as limited:
            ask(mine)
        assert time.monotonic() - begin < 2
        assert limited.value.after_s == 91
        assert len(loopback.requests) == 1


def test_a_renamed_repository_does_not_swallow_a_post() -> None:
    """PyGithub would take the redirect's body for the new comment."""
    moved = Answer(307, {"message": "Moved Permanently"}, {"Location": "/repositories/1/x"})
    with Loopback(moved) as loopback, hub(loopback) as mine:
        with pytest.raises(RetryLater, match="has moved"):
            post(mine)
        assert len(loopback.requests) == 1


def test_a_renamed_repository_is_followed_by_a_read() -> None:
    moved = Answer(301, {"message": "Moved Permanently"}, {})
    with Loopback(moved, Answer(200, {"id": 9})) as loopback, hub(loopback) as mine:
        moved.headers["Location"] = f"{loopback.server.api}/repositories/9"
        assert get(mine)["id"] == 9
        assert loopback.requests[1].path == "/api/v3/repositories/9"


def test_the_token_does_not_follow_a_redirect_to_another_host() -> None:
    moved = Answer(301, {"message": "Moved Permanently"}, {})
    with Loopback(Answer(200, {"id": 9})) as elsewhere, Loopback(moved) as loopback:
        port = elsewhere.server.web.rpartition(":")[2]
        moved.headers["Location"] = f"http://localhost:{port}/api/v3/repositories/9"
        with hub(loopback) as mine, pytest.raises(Misfit):
            get(mine)
        assert elsewhere.requests == []


def test_an_answer_that_is_still_computed_is_not_asked_for_for_ever() -> None:
    with Loopback(Answer(202, {})) as loopback, hub(loopback) as mine:
        with pytest.raises(RetryLater, match="not ready"):
            get(mine)
        assert len(loopback.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, '{"id": 7, "body": "cut off here'),
        Answer(201, '{"id": 7, "body": "cut off here', claimed=500),
        Answer(0),
    ],
)
def test_an_answer_cut_off_leaves_a_write_unsure(answer: Answer) -> None:
    with Loopback(answer) as loopback, hub(loopback) as mine:
        with pytest.raises(Unsure):
            post(mine)
        assert len(loopback.requests) == 1


def test_a_server_that_is_not_there() -> None:
    with Loopback(Answer(200)) as loopback:
        server = loopback.server
    with Hub(server, None) as mine, pytest.raises(Unreachable, match="cannot be reached"):
        get(mine)


def test_no_error_shows_the_token() -> None:
    answers = (
        Answer(401, {"message": "Bad credentials"}),
        Answer(403, {"message": "no"}),
        Answer(422, {"message": "no"}),
        Answer(404, "<html>"),
        Answer(0),
    )
    for answer in answers:
        with Loopback(answer) as loopback, hub(loopback) as mine:
            with pytest.raises((RetryLater, GiveUp)) as raised:
                post(mine)
            error: BaseException | None = raised.value
            while error is not None:
                assert TOKEN not in f"{error} {error!r} {error.args}"
                error = error.__cause__ or error.__context__


def test_writes_keep_the_distance_that_github_asks_for() -> None:
    with Loopback(Answer(201, {"id": 7})) as loopback:
        with Hub(loopback.server, None, write_pause_s=0.4) as mine:
            begin = time.monotonic()
            post(mine)
            post(mine)
        assert time.monotonic() - begin >= 0.4


@pytest.mark.parametrize(
    ("permission", "role", "may"),
    [
        ("admin", "admin", True),
        ("write", "maintain", True),
        ("write", "write", True),
        ("write", "release-manager", True),
        ("read", "triage", False),
        ("read", "admin-of-nothing", False),
        ("none", "none", False),
        ("WRITE", "write", False),
    ],
)
def test_the_permission_of_the_api_decides_who_may_write(
    permission: str, role: str, may: bool
) -> None:
    answer = Answer(200, {"permission": permission, "role_name": role, "user": {"login": "a"}})
    with Loopback(answer) as loopback, hub(loopback) as mine:
        assert mine.may_write("octo/hello", "alice") is may
    assert [seen.path for seen in loopback.requests] == [
        "/api/v3/repos/octo/hello/collaborators/alice/permission"
    ]


def test_a_stranger_may_not_write() -> None:
    unknown = Answer(404, {"message": "ghost is not a user"})
    with Loopback(unknown) as loopback, hub(loopback) as mine:
        assert not mine.may_write("octo/hello", "nobody-at-all")
        assert not mine.may_write("octo/hello", "dependabot[bot]")
        assert loopback.requests[1].path.endswith("/collaborators/dependabot%5Bbot%5D/permission")


@pytest.mark.parametrize("login", ["", "a/b", "../../orgs", "a?b", "a b", "-x", "a\n", "ä"])
def test_what_is_no_login_is_not_asked_about(login: str) -> None:
    with Loopback(Answer(200, {"permission": "admin"})) as loopback, hub(loopback) as mine:
        assert not mine.may_write("octo/hello", login)
        assert loopback.requests == []


@pytest.mark.parametrize(
    "answer", [{}, [], "admin", {"permission": None}, {"permission": ["admin"]}]
)
def test_a_permission_that_cannot_be_read_is_an_error_and_no_yes(answer: object) -> None:
    with Loopback(Answer(200, answer)) as loopback, hub(loopback) as mine, pytest.raises(Misfit):
        mine.may_write("octo/hello", "alice")


def test_a_permission_that_cannot_be_asked_for_is_an_error_and_no_no() -> None:
    refused = Answer(401, {"message": "Bad credentials"})
    with Loopback(refused) as loopback, hub(loopback) as mine, pytest.raises(BadToken):
        mine.may_write("octo/hello", "alice")


def test_a_reaction_goes_to_the_comment() -> None:
    with Loopback(Answer(201, {"id": 1, "content": "eyes"})) as loopback, hub(loopback) as mine:
        mine.react("octo/hello", 42, "eyes")
    (seen,) = loopback.requests
    assert seen.path == "/api/v3/repos/octo/hello/issues/comments/42/reactions"
    assert seen.body == {"content": "eyes"}


def test_a_repository_is_had_without_a_request() -> None:
    with Loopback(Answer(200, {})) as loopback, hub(loopback) as mine:
        assert mine.repo("octo/hello").full_name == "octo/hello"
        assert loopback.requests == []


@pytest.mark.parametrize(
    "name", ["octo", "octo/..", "octo/.", "../x", "o/r/pulls", "o/r?x=1", "o/r\n", "o/%2e%2e", ""]
)
def test_a_name_that_would_leave_its_place_in_the_path_is_refused(name: str) -> None:
    with Loopback(Answer(200, {})) as loopback, hub(loopback) as mine:
        for use in (mine.repo, lambda text: mine.react(text, 1, "eyes")):
            with pytest.raises(GiveUp, match="name of a repository"):
                use(name)
        assert loopback.requests == []


def pull_answer(**changes: Any) -> dict[str, Any]:
    return {
        "number": 5,
        "state": "open",
        "merged": False,
        "draft": True,
        "locked": True,
        "user": {"login": "bob"},
        "base": {"sha": SHA_1, "ref": "main", "repo": {"id": 99, "full_name": "octo/hello"}},
        "head": {"sha": SHA_2, "ref": "topic", "repo": {"id": 98, "full_name": "bob/hello"}},
        **changes,
    }


def test_a_pull_request_is_read_with_everything_that_decides_what_is_done() -> None:
    with Loopback(Answer(200, pull_answer())) as loopback, hub(loopback) as mine:
        pull = look_at(mine, "octo/hello", 5)
    assert (pull.base, pull.head, pull.base_ref, pull.head_ref) == (SHA_1, SHA_2, "main", "topic")
    assert (pull.repository, pull.repository_id, pull.number) == ("octo/hello", 99, 5)
    assert (pull.state, pull.draft, pull.locked, pull.author) == ("open", True, True, "bob")
    assert pull.head_repository == "bob/hello"
    assert str(pull.url) == f"{loopback.server.web}/octo/hello/pull/5"
    assert len(loopback.requests) == 1


def test_a_deleted_fork_and_a_deleted_author_are_no_errors() -> None:
    head = {"sha": SHA_2, "ref": "topic", "repo": None}
    answer = pull_answer(head=head, user=None, merged=True, state="closed")
    with Loopback(Answer(200, answer)) as loopback, hub(loopback) as mine:
        pull = look_at(mine, "octo/hello", 5)
    assert (pull.head_repository, pull.author, pull.state) == (None, "ghost", "merged")


def test_a_renamed_repository_is_known_by_its_new_name() -> None:
    base = {"sha": SHA_1, "ref": "main", "repo": {"id": 99, "full_name": "octo/renamed"}}
    moved = Answer(301, {"message": "Moved Permanently"}, {})
    answers = moved, Answer(200, pull_answer(base=base))
    with Loopback(*answers) as loopback, hub(loopback) as mine:
        moved.headers["Location"] = f"{loopback.server.api}/repositories/99/pulls/5"
        assert look_at(mine, "octo/hello", 5).repository == "octo/renamed"


@pytest.mark.parametrize(
    "changes",
    [
        {"base": None},
        {"head": {"sha": "HEAD", "ref": "x", "repo": None}},
        {"head": {"sha": SHA_1 + "\n", "ref": "x", "repo": None}},
        {"base": {"sha": SHA_1, "ref": "m", "repo": {"id": 1, "full_name": "octo/.."}}},
        {"base": {"sha": SHA_1, "ref": "m", "repo": {"full_name": "octo/hello"}}},
        {"user": {"login": 3}},
        {"merged": None},
    ],
)
def test_a_pull_request_of_another_shape_is_not_believed(changes: dict[str, Any]) -> None:
    answer = Answer(200, pull_answer(**changes))
    with Loopback(answer) as loopback, hub(loopback) as mine, pytest.raises(Misfit, match="o#5"):
        look_at(mine, "octo/hello", 5)


def test_a_page_instead_of_an_answer_is_called_so() -> None:
    page = Answer(200, "<html>Sign in to the hotel's network")
    with Loopback(page) as loopback, hub(loopback) as mine, pytest.raises(Misfit):
        look_at(mine, "octo/hello", 5)


def test_a_pull_request_that_was_deleted_is_not_there() -> None:
    gone = Answer(404, {"message": "Not Found"})
    with Loopback(gone) as loopback, hub(loopback) as mine, pytest.raises(NotThere):
        look_at(mine, "octo/hello", 5)


def test_pygithubs_own_methods_are_translated_too() -> None:
    with Loopback(Answer(502, "<html>")) as loopback, hub(loopback) as mine:
        with (
            pytest.raises(Unsure, match="post the comment"),
            calls(mine.server, "post the comment"),
        ):
            mine.repo("octo/hello").get_issue(1).create_comment("x")
        assert [seen.method for seen in loopback.requests] == ["POST"]


def test_an_answer_that_never_comes_is_waited_for_no_longer_than_the_time_limit() -> None:
    never = threading.Event()
    with Loopback(Answer(201, {}, after=never)) as loopback:
        client = connect(loopback.server, None, timeout_s=1, write_pause_s=0)
        begin = time.monotonic()
        with pytest.raises(Unreachable, match="ReadTimeout"), calls(loopback.server, "wait"):
            request(client, "POST", "/x", {})
        assert time.monotonic() - begin < 3
        never.set()
        client.close()
        assert len(loopback.requests) == 1


def test_a_certificate_that_is_not_trusted_is_told_to_the_user(tmp_path: Path) -> None:
    with tls_server(tmp_path) as port:
        server = Server(f"https://127.0.0.1:{port}", f"https://127.0.0.1:{port}/api/v3")
        with Hub(server, None) as mine, pytest.raises(TellUser, match="certificate") as told:
            get(mine)
        assert "REQUESTS_CA_BUNDLE" in told.value.hint


def test_a_bundle_of_authorities_that_is_missing_is_told_to_the_user(tmp_path: Path) -> None:
    """requests raises a bare OSError for it."""
    code = (
        "from app.github.client import Hub; from app.github.urls import Server\n"
        "from reviewer.errors import TellUser\n"
        "try: Hub(Server('https://127.0.0.1:1', 'https://127.0.0.1:1'), None).ask('x', 'GET', '/x')\n"
        "except TellUser as error: print(error.problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"REQUESTS_CA_BUNDLE": str(tmp_path / "missing.pem"), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "missing.pem" in done.stdout


def test_the_server_is_the_one_that_was_given() -> None:
    with Loopback(Answer(200, {"id": 1})) as loopback, hub(loopback) as mine:
        assert mine.server == loopback.server and mine.actor is None


def test_every_role_of_a_repository_is_judged_as_github_has_it(tmp_path: Path) -> None:
    roles = ("none", "read", "triage", "write", "maintain", "admin")
    with FakeGitHub(tmp_path) as github:
        repo = github.repository("octo/hello", private=True)
        for role in roles:
            repo.permit(f"{role}-user", role)
        token = github.token("github-actions[bot]", repo, {"contents": "read"})
        with Hub(Server(github.web, github.api), SecretStr(token)) as mine:
            may = {role: mine.may_write("octo/hello", f"{role}-user") for role in roles}
            assert not mine.may_write("octo/hello", "never-heard-of")
            assert mine.may_write("octo/hello", "octo")
    assert {role for role in roles if may[role]} == {"write", "maintain", "admin"}


def test_a_reaction_given_twice_is_there_once(tmp_path: Path) -> None:
    with FakeGitHub(tmp_path) as github:
        repo = github.repository("octo/hello")
        base = repo.commit({"a": b"1"})
        pull = repo.pull(base, repo.commit({"a": b"2"}, base), author="bob", fork="bob/hello")
        comment = pull.comment("alice", "/rlm review")
        token = github.token("github-actions[bot]", repo, {"pull_requests": "write"})
        with Hub(Server(github.web, github.api), SecretStr(token), write_pause_s=0) as mine:
            for _ in range(2):
                mine.react("octo/hello", comment.id, "eyes")
            seen = look_at(mine, "octo/hello", pull.number)
        assert len(comment.reactions) == 1
    assert (seen.author, seen.head_repository, seen.repository_id) == ("bob", "bob/hello", repo.id)
    assert (seen.base, seen.head, seen.state, seen.draft) == (pull.base, pull.head, "open", False)
