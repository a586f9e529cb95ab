import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.github.urls import (
    PullRequestUrl,
    Server,
    lines_url,
    looks_like_url,
    parse_pull_request,
    parse_server,
    server_at,
)
from reviewer.errors import TellUser

PULL = PullRequestUrl("https://github.com", "psf", "requests", 6789)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/psf/requests/pull/6789",
        "https://github.com/psf/requests/pull/6789/",
        "https://github.com/psf/requests/pull/6789/files",
        "https://github.com/psf/requests/pull/6789/commits/0123456789abcdef",
        "https://github.com/psf/requests/pull/6789/files#diff-1R20",
        "https://github.com/psf/requests/pull/6789?w=1",
        "https://github.com/psf/requests/pull/6789#issuecomment-1",
        "HTTPS://GitHub.COM/psf/requests/pull/6789",
        "https://www.github.com/psf/requests/pull/6789",
        "github.com/psf/requests/pull/6789",
    ],
)
def test_every_way_a_pull_request_is_pasted(text: str) -> None:
    assert looks_like_url(text)
    assert parse_pull_request(text) == PULL


@pytest.mark.parametrize(
    ("text", "web", "api"),
    [
        ("https://github.com/o/r/pull/1", "https://github.com", "https://api.github.com"),
        ("https://acme.ghe.com/o/r/pull/1", "https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://git.acme.com/o/r/pull/1", "https://git.acme.com", "https://git.acme.com/api/v3"),
        (
            "https://git.acme.com:8443/o/r/pull/1",
            "https://git.acme.com:8443",
            "https://git.acme.com:8443/api/v3",
        ),
    ],
)
def test_each_product_has_its_api_elsewhere(text: str, web: str, api: str) -> None:
    assert server_at(parse_pull_request(text).web) == Server(web, api)


def test_owner_and_name_keep_their_case_and_odd_characters() -> None:
    url = parse_pull_request("https://github.com/Mona_acme/.Dot-Files_2/pull/7")
    assert (url.owner, url.name) == ("Mona_acme", ".Dot-Files_2")
    assert str(url) == "https://github.com/Mona_acme/.Dot-Files_2/pull/7"


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/o/r/pull/0",
        "https://github.com/o/r/pull/1x",
        "https://github.com/o/r/pull/-1",
        "https://github.com/o/r/pull/99999999999",
        "https://github.com/o/r/pulls/1",
        "https://github.com/o/r/issues/1",
        "https://github.com/o/../pull/1",
        "https://github.com/o/r.git/pull/1",
        "https://github.com/-o/r/pull/1",
        "https://github.com/o/r%2f..%2fx/pull/1",
        "https://github.com/o/r/pull/1/ x",
        "https://github.com/o/r/pull/1\n",
        "https://github.com@evil.example/o/r/pull/1",
        "https://user:secret@github.com/o/r/pull/1",
        "https://evil.example\\@github.com/o/r/pull/1",
        "https://github.com:99999/o/r/pull/1",
        "https://github.com:/o/r/pull/1",
        "https://gith\u212aub.com/o/r/pull/1",
        "https://[::1]/o/r/pull/1",
        "https:///o/r/pull/1",
        "ssh://git@github.com/o/r/pull/1",
        "file:///o/r/pull/1",
        "ext::sh/o/r/pull/1",
        "https://github.com/" + "o" * 200 + "/r/pull/1",
        "https://github.com/o/r/pull/1?" + "x" * 3_000,
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(TellUser):
        parse_pull_request(text)


def test_plain_http_only_where_the_user_said_so() -> None:
    text = "http://127.0.0.1:8080/o/r/pull/1"
    with pytest.raises(TellUser, match="plain http"):
        parse_pull_request(text)
    with pytest.raises(TellUser, match="plain http"):
        parse_pull_request(text, plain_http="http://127.0.0.1:8081")
    assert parse_pull_request(text, plain_http="http://127.0.0.1:8080").number == 1


@pytest.mark.parametrize("text", ["main..HEAD", "a...b", "HEAD~3", "feature/pull/3", "v1.0..v2.0"])
def test_a_range_is_no_url(text: str) -> None:
    assert not looks_like_url(text)


def test_a_server_is_named_by_url_or_host() -> None:
    assert parse_server("git.acme.com") == "https://git.acme.com"
    assert parse_server("https://Git.Acme.com/") == "https://git.acme.com"
    for bad in ("https://git.acme.com/path", "git acme", "https://u@h", "", "javascript:x"):
        with pytest.raises(ValueError, match="not the address"):
            parse_server(bad)


@given(st.text(alphabet=string.printable + "é\u212a\u2028", max_size=40), st.integers(0, 60))
def test_no_splice_reaches_another_host_or_leaves_the_alphabet(noise: str, at: int) -> None:
    good = str(PULL)
    text = good[:at] + noise + good[at:]
    try:
        url = parse_pull_request(text)
    except TellUser:
        return
    assert re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]+)?", url.web)
    assert re.fullmatch(r"[A-Za-z0-9_-]+/[A-Za-z0-9._-]+", f"{url.owner}/{url.name}")
    # Whatever host was accepted is what a browser would have gone to as well.
    assert text.lower().removeprefix("https://").startswith(
        url.web.removeprefix("https://")
    ) or text.lower().startswith("https://www.github.com/")


@pytest.mark.parametrize(
    ("path", "lines", "end"),
    [
        ("a/b.py", (3, 3), "a/b.py?plain=1#L3"),
        ("a/b.py", (3, 9), "a/b.py?plain=1#L3-L9"),
        ("README.md", None, "README.md?plain=1"),
        ('a b)/x?y#z&\n`"<>ü.md', None, "a%20b%29/x%3Fy%23z%26%0A%60%22%3C%3E%C3%BC.md?plain=1"),
    ],
)
def test_lines_have_an_address_whatever_the_path(
    path: str, lines: tuple[int, int] | None, end: str
) -> None:
    repository = "https://github.com/octo/hello"
    assert lines_url(repository, "c" * 40, path, lines) == f"{repository}/blob/{'c' * 40}/{end}"
