"""What each refusal of GitHub means, by the words and headers that it really comes with."""

import subprocess
import sys
import time
from email.utils import formatdate
from typing import Any

import pytest

from app.github.errors import (
    LIMITED_S,
    LONGEST_LIMIT_S,
    SAID_CHARS,
    BadToken,
    Elsewhere,
    Forbidden,
    Limited,
    Misfit,
    NotThere,
    Refused,
    Unsure,
    refusal,
)
from app.github.urls import Server
from reviewer.errors import RetryLater, RlmError

SERVER = Server("https://github.com", "https://api.github.com")
DOING = "post the review"


def meaning(status: int, body: object, **headers: str) -> RlmError:
    return refusal(
        SERVER, DOING, status, body, {k.replace("_", "-"): v for k, v in headers.items()}
    )


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"message": text, "documentation_url": "https://docs.github.com/rest", **more}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, message("Bad credentials"), BadToken),
        (404, message("Not Found"), NotThere),
        (410, message("This issue was deleted"), NotThere),
        (403, message("Resource not accessible by integration"), Forbidden),
        (403, message("Unable to create comment because issue is locked."), Forbidden),
        (403, message("This installation has been suspended"), Forbidden),
        (422, message("Unprocessable Entity", errors=["Line could not be resolved"]), Refused),
        (409, message("Git Repository is empty."), Refused),
        (400, message("Problems parsing JSON"), Refused),
        (451, message("Repository access blocked"), Refused),
        (500, message("Server Error"), Unsure),
        (502, {"data": "<html><h1>Unicorn!</h1>"}, Unsure),
        (503, None, Unsure),
        (408, None, Unsure),
        (429, {"data": "<html>Whoa there!"}, Limited),
        (403, message("API rate limit exceeded for installation ID 1."), Limited),
        (403, message("You have exceeded a secondary rate limit. Please wait"), Limited),
        (403, message("You have triggered an abuse detection mechanism."), Limited),
        (422, message("Validation Failed", errors=[{"code": "abuse", "field": "body"}]), Limited),
        (422, message("Validation Failed", errors=["was submitted too quickly"]), Limited),
        (422, message("Validation Failed", errors=[{"code": "invalid"}, "abuse"]), Refused),
        (403, {"data": "<html>Blocked by the proxy of your company"}, Misfit),
        (404, {"data": "<html>nginx"}, Misfit),
        (404, None, Misfit),
        (404, ["Not Found"], Misfit),
        (307, message("Moved Permanently"), Elsewhere),
        (202, message("Accepted"), RetryLater),
    ],
)
def test_each_refusal_has_its_kind(status: int, body: object, kind: type[RlmError]) -> None:
    error = meaning(status, body)
    assert type(error) is kind
    assert DOING in str(error)


def test_the_servers_words_and_its_list_of_errors_are_told_together() -> None:
    lines = [
        "Pull request review thread line must be part of the diff",
        "Pull request review thread line must be part of the diff",
        {"field": "pull_request_review_thread.line", "message": "must be part of the diff"},
        {"resource": "CheckRun", "code": "custom", "field": "summary"},
    ]
    error = meaning(422, message("Validation Failed", errors=lines))
    assert isinstance(error, Refused)
    assert error.status == 422
    assert error.said == (
        "Validation Failed; Pull request review thread line must be part of the diff; "
        "pull_request_review_thread.line must be part of the diff; summary custom"
    )
    assert str(error).endswith(error.said)


def test_what_is_invalid_is_so_although_it_was_the_last_request_of_the_hour() -> None:
    spent = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "0"}
    assert type(meaning(422, message("Validation Failed"), **spent)) is Refused


@pytest.mark.parametrize("errors", ["one text", {"message": "one text"}, None, 3, [None, [], {}]])
def test_a_list_of_errors_may_have_any_shape(errors: object) -> None:
    error = meaning(422, message("Unprocessable Entity", errors=errors))
    assert isinstance(error, Refused)
    assert error.said.startswith("Unprocessable Entity")


def test_what_a_server_says_is_bounded_and_has_no_control_characters() -> None:
    error = meaning(422, message("\x1b[31mred\nline\u202e" + "x" * 5_000))
    assert isinstance(error, Refused)
    assert error.said.startswith("[31mred linex")
    assert len(error.said) == SAID_CHARS


def test_a_missing_permission_is_named_with_the_place_where_it_is_granted() -> None:
    error = meaning(
        403,
        message("Resource not accessible by integration"),
        X_Accepted_GitHub_Permissions="pull_requests=write; contents=read",
    )
    assert "pull_requests=write" in str(error)
    assert "owner of the installation" in str(error) and "`permissions:`" in str(error)
    assert "permissions:" not in str(meaning(403, message("issue is locked")))


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "42"}, 43.0),
        ({"Retry_After": "42", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "9"}, 43.0),
        ({}, LIMITED_S),
        ({"X_RateLimit_Remaining": "12", "X_RateLimit_Reset": "99999999999"}, LIMITED_S),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "soon"}, LIMITED_S),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "9" * 400}, LONGEST_LIMIT_S),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "5"}, 1.0),
        ({"Retry_After": "-5"}, LIMITED_S),
    ],
)
def test_a_limit_lasts_as_long_as_the_headers_say(headers: dict[str, str], wait: float) -> None:
    error = meaning(403, message("You have exceeded a secondary rate limit."), **headers)
    assert isinstance(error, Limited)
    assert error.after_s == wait


def test_a_reset_is_read_by_the_servers_clock() -> None:
    """Ours is an hour ahead; the limit still ends in ten minutes."""
    theirs = time.time() - 3_600
    error = meaning(
        429,
        message("API rate limit exceeded"),
        X_RateLimit_Remaining="0",
        X_RateLimit_Reset=str(int(theirs) + 600),
        Date=formatdate(theirs, usegmt=True),
    )
    assert isinstance(error, Limited)
    assert 598 <= error.after_s <= 603
    assert "(in 10 min)" in str(error)


def test_a_refused_token_comes_with_how_far_the_clocks_are_apart() -> None:
    error = meaning(401, message("x"), Date=formatdate(time.time() - 500, usegmt=True))
    assert isinstance(error, BadToken)
    assert error.ahead_s is not None and 498 <= error.ahead_s <= 503
    for date in ("yesterday", ""):
        unknown = meaning(401, message("x"), Date=date)
        assert isinstance(unknown, BadToken) and unknown.ahead_s is None


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("FORBIDDEN", Forbidden),
        ("NOT_FOUND", NotThere),
        ("RATE_LIMITED", Limited),
        ("UNPROCESSABLE", Refused),
    ],
)
def test_a_graphql_answer_is_a_200_with_the_errors_inside(type_: str, kind: type[RlmError]) -> None:
    errors = [{"type": type_, "path": ["x"], "message": "Resource not accessible by integration"}]
    assert type(meaning(400, {"data": {"x": None}, "errors": errors})) is kind


def test_pygithub_is_not_imported_for_the_errors_alone() -> None:
    """Everything that catches these errors is on the way of `rlm --help`."""
    code = "import app.github.errors, sys; print('github' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
