import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.github.fetch import Fetched, fetch_pull
from app.github.transport import environment
from app.github.urls import Server
from reviewer.errors import RetryLater, TellUser
from tests.app.pull_server import PullServer, Refusal

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a.tok-en_7"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[PullServer]:
    with PullServer(tmp_path) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def quiet(_: str) -> None:
    pass


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", f"--git-dir={repo}", *arguments],
        env={"PATH": os.environ["PATH"], "GIT_NO_LAZY_FETCH": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def merge_base(fetched: Fetched) -> str:
    return fetched.checkout.start.commit


def test_both_ends_arrive_with_the_files_that_differ(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a.py": b"one\n", "b.py": b"same\n"})
    hub.pull(7, hub.commit({"a.py": b"two\n"}, root), hub.commit({"a.py": b"three\n"}, root))
    fetched = fetch_pull(hub.url(7), hub.settings(home), quiet)
    assert (
        fetched.checkout.repo
        == home / f"rlm/cache/repos/{hub.web[7:].replace(':', '_')}/octo/hello.git"
    )
    assert merge_base(fetched) == root
    assert git(fetched.checkout.repo, "show", f"{fetched.pull.head}:a.py") == "three"
    assert git(fetched.checkout.repo, "show", f"{root}:a.py") == "one"
    assert fetched.pull.state == "open"


def test_a_second_run_asks_git_nothing(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    fetch_pull(hub.url(1), hub.settings(home), quiet)
    hub.requests.clear()
    said: list[str] = []
    fetch_pull(hub.url(1), hub.settings(home), said.append)
    assert [seen.path for seen in hub.requests] == ["/api/v3/repos/octo/hello/pulls/1"]
    assert said == []


def test_a_push_and_a_second_pull_request_reuse_the_repository(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1"})
    old = hub.line(300, root, "old")
    hub.pull(1, old, hub.commit({"a": b"2"}, old))
    first = fetch_pull(hub.url(1), hub.settings(home), quiet)
    hub.pull(1, old, hub.commit({"a": b"3"}, first.pull.head))
    again = fetch_pull(hub.url(1), hub.settings(home), quiet)
    assert again.checkout.repo == first.checkout.repo
    assert merge_base(again) == old
    # This one left far below where the first fetch cut the history.
    hub.pull(2, old, hub.commit({"a": b"4"}, root))
    second = fetch_pull(hub.url(2), hub.settings(home), quiet)
    assert merge_base(second) == root
    assert merge_base(first) == old


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize("distance", [10, 49, 50, 51, 120, 260, 1_100])
def test_the_merge_base_is_found_without_the_api_however_far_back(
    hub: PullServer, home: Path, distance: int, filters: str
) -> None:
    hub.compares = False
    hub.git("config", "uploadpack.allowFilter", filters)
    root = hub.line(40, hub.commit({"a": b"1"}), "before")
    hub.pull(1, hub.line(distance, root, "main"), hub.line(distance, root, "topic"))
    said: list[str] = []
    fetched = fetch_pull(hub.url(1), hub.settings(home), said.append)
    assert merge_base(fetched) == root
    assert not fetched.checkout.repo.with_suffix(".commits").exists()
    if distance < 49:
        assert len(said) == 2
        assert (fetched.checkout.repo / "shallow").exists()
    # Without the filter everything is here, as ever.
    missing = git(
        fetched.checkout.repo, "rev-list", "--objects", "--missing=print", fetched.pull.head
    )
    assert ("?" in missing) == (filters == "true")


def test_an_old_common_ancestor_is_not_taken_for_the_newest(hub: PullServer, home: Path) -> None:
    """Both sides reach `old` by a short way; the better base lies beyond the first cut."""
    old = hub.commit({"a": b"1"})
    newest = hub.line(10, old, "stem")
    stale = hub.commit({"stale": b"1"}, old)
    trunk = hub.line(200, newest, "trunk")
    base = hub.commit({"a": b"2"}, trunk, stale)
    topic = hub.commit({"topic": b"1"}, old)
    head = hub.commit({"a": b"3"}, topic, newest)
    hub.pull(1, base, head)
    hub.compares = False
    assert hub.git("merge-base", base, head) == newest
    assert merge_base(fetch_pull(hub.url(1), hub.settings(home), quiet)) == newest


def test_unrelated_histories_are_compared_directly(hub: PullServer, home: Path) -> None:
    main = hub.line(80, hub.commit({"a": b"1"}), "main")
    hub.pull(1, main, hub.line(80, hub.commit({"b": b"2"}), "other"))
    fetched = fetch_pull(hub.url(1), hub.settings(home), quiet)
    assert fetched.checkout.start.commit == main
    assert "no common ancestor" in fetched.checkout.start.notes[0]


def test_objects_that_old_gits_wrote_are_let_in(hub: PullServer, home: Path) -> None:
    """Public histories have a zone of +0051800 and a mode of 040000; fsck calls that an error."""
    blob = hub.git("hash-object", "-w", "--stdin", data=b"x")
    inner = hub.git("mktree", data=f"100644 blob {blob}\tx\n".encode())
    raw = b"040000 d\0" + bytes.fromhex(inner)
    tree = hub.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=raw)
    text = f"tree {tree}\nauthor A<a@b> 1 +0051800\ncommitter A <a@b> 1 +0051800\n\nx\n"
    old = hub.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", data=text.encode())
    hub.pull(1, old, hub.commit({"a": b"2"}, old))
    assert merge_base(fetch_pull(hub.url(1), hub.settings(home), quiet)) == old


def test_a_tree_that_would_write_into_dot_git_is_refused(hub: PullServer, home: Path) -> None:
    blob = hub.git("hash-object", "-w", "--stdin", data=b"x")
    raw = b"100644 .git\0" + bytes.fromhex(blob)
    tree = hub.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=raw)
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.git("commit-tree", "-m", "x", "-p", root, tree))
    with pytest.raises(TellUser, match=r"malformed.*\.git"):
        fetch_pull(hub.url(1), hub.settings(home), quiet)


def test_a_push_while_we_fetch_is_followed(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    newer = hub.commit({"a": b"3"}, root)

    def push() -> None:
        hub.before_git = lambda: None
        hub.pull(1, root, newer)

    hub.before_git = push
    fetched = fetch_pull(hub.url(1), hub.settings(home), quiet)
    assert fetched.pull.head == newer
    assert git(fetched.checkout.repo, "show", f"{newer}:a") == "3"


def test_an_api_that_stays_ahead_of_git_is_given_up(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    hub.pulls[1]["head"]["sha"] = "1" * 40
    with pytest.raises(RetryLater, match="pushed"):
        fetch_pull(hub.url(1), hub.settings(home), quiet)


def test_a_private_repository_with_its_token(tmp_path: Path, home: Path) -> None:
    with PullServer(tmp_path, token=TOKEN) as hub:
        root = hub.commit({"a": b"1"})
        hub.pull(1, root, hub.commit({"a": b"2"}, root))
        lines: list[bytes] = []
        watched = threading.Event()
        hub.before_git = lambda: lines.extend(_command_lines()) or watched.set()
        fetched = fetch_pull(hub.url(1), hub.settings(home, TOKEN), quiet)
        assert merge_base(fetched) == root
        assert {seen.token for seen in hub.requests} <= {TOKEN, None}
        assert TOKEN in {seen.token for seen in hub.requests if ".git/" in seen.path}
    assert watched.is_set() and any(b"fetch" in line for line in lines)
    secrets = [TOKEN.encode(), environment_header(hub.web)]
    for secret in secrets:
        assert not any(secret in line for line in lines)
        for path in home.rglob("*"):
            assert path.is_dir() or secret not in path.read_bytes(), path


def environment_header(web: str) -> bytes:
    env = environment(Server(web, web), SecretStr(TOKEN), Path(), {})
    (header,) = [value for value in env.values() if value.startswith("Authorization")]
    return header.rpartition(" ")[2].encode()


def _command_lines() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return found


def test_another_host_never_sees_the_token(hub: PullServer, home: Path) -> None:
    """The pull request's server is not the one that the user's token belongs to."""
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    other = hub.settings(home, TOKEN).model_copy(
        update={"github": Server("https://github.com", "https://api.github.com")}
    )
    fetch_pull(hub.url(1), other, quiet)
    assert len(hub.requests) >= 3
    assert {seen.token for seen in hub.requests} == {None}


def test_a_redirect_of_git_is_not_followed(hub: PullServer, home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    with PullServer(tmp_path / "elsewhere") as elsewhere:
        hub.git_redirect = elsewhere.web
        with pytest.raises(TellUser, match="302"):
            fetch_pull(hub.url(1), hub.settings(home), quiet)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("refusal", "token", "words"),
    [
        (Refusal(404, "Not Found"), None, "private.*GITHUB_TOKEN"),
        (Refusal(404, "Not Found"), "t", "may not read.*token may read"),
        (Refusal(401, "Requires authentication"), None, "wants a token.*GH_HOST"),
        (Refusal(401, "Bad credentials"), "t", "refuses GITHUB_TOKEN.*new token"),
        (
            Refusal(
                403,
                "API rate limit exceeded for 1.2.3.4.",
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3_000)},
            ),
            None,
            r"rate of requests until \d\d:\d\d \(in \d\d min\).*GITHUB_TOKEN",
        ),
        (
            Refusal(403, "You have exceeded a secondary rate limit.", {"Retry-After": "120"}),
            "t",
            r"in 2 min.*Wait",
        ),
        (Refusal(429, "slow down", {"Retry-After": "600"}), "t", "in 10 min.*Wait"),
        (Refusal(403, "Behind SAML\x1b[31m"), "t", r"SAML\[31m .*single sign-on"),
        (Refusal(422, "odd"), None, "422: odd.*address"),
    ],
)
def test_refusals_say_what_to_do(
    hub: PullServer, home: Path, refusal: Refusal, token: str | None, words: str
) -> None:
    hub.refusal = refusal
    with pytest.raises(TellUser) as told:
        fetch_pull(hub.url(1), hub.settings(home, token), quiet)
    assert re.search(words, f"{told.value.problem} {told.value.hint}")


def test_an_outage_is_tried_again_and_then_reported(hub: PullServer, home: Path) -> None:
    hub.refusal = Refusal(502, "bad gateway")
    with pytest.raises(RetryLater, match="502"):
        fetch_pull(hub.url(1), hub.settings(home), quiet)
    assert len(hub.requests) == 3


def test_a_server_that_is_not_there(hub: PullServer, home: Path) -> None:
    settings = hub.settings(home)
    url = hub.url(1)
    hub._http.server_close()
    with pytest.raises(TellUser, match="cannot be reached") as told:
        fetch_pull(url, settings, quiet)
    assert "local clone" in told.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        {"base": None},
        {"head": {"sha": "--upload-pack=touch /tmp/x", "repo": None}},
        {"head": {"sha": "HEAD", "repo": None}},
        {"base": {"sha": "0" * 40, "repo": {"full_name": "../../etc"}}},
        {"base": {"sha": "0" * 40, "repo": {"full_name": "-o/x"}}},
        {"base": {"sha": ["x"], "repo": {"full_name": "o/x"}}},
    ],
)
def test_an_answer_of_another_shape(hub: PullServer, home: Path, damage: dict[str, object]) -> None:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, root)
    hub.pulls[1].update(damage)
    with pytest.raises(TellUser, match="did not answer as a GitHub"):
        fetch_pull(hub.url(1), hub.settings(home), quiet)
    assert not any("git-upload-pack" in seen.path for seen in hub.requests)


def test_a_lock_left_by_a_killed_git_is_no_obstacle(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    repo = fetch_pull(hub.url(1), hub.settings(home), quiet).checkout.repo
    hub.pull(1, root, hub.commit({"a": b"3"}, root))
    (repo / "shallow.lock").touch()
    (repo / "refs/rlm/pull/1/head.lock").touch()
    assert merge_base(fetch_pull(hub.url(1), hub.settings(home), quiet)) == root


def test_runs_at_the_same_time_take_turns(hub: PullServer, home: Path) -> None:
    root = hub.line(60, hub.commit({"a": b"1"}), "stem")
    for number in (1, 2, 3):
        hub.pull(number, root, hub.line(5, root, f"topic{number}"))
    found: list[str] = []

    def one(number: int) -> None:
        found.append(merge_base(fetch_pull(hub.url(number), hub.settings(home), quiet)))

    threads = [threading.Thread(target=one, args=(number,)) for number in (1, 2, 3, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [root] * 4


def test_a_home_that_cannot_be_made(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, root)
    (home / "rlm").write_text("a file")
    with pytest.raises(TellUser, match="cannot be written") as told:
        fetch_pull(hub.url(1), hub.settings(home), quiet)
    assert "RLM_HOME" in told.value.hint


class Cut:
    """Closes the connections of git's first requests without an answer."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> None:
        if self.left > 0:
            self.left -= 1
            raise ConnectionAbortedError


def test_a_connection_that_is_cut_is_tried_again_and_said(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a.py": b"one\n"})
    hub.pull(7, root, hub.commit({"a.py": b"two\n"}, root))
    hub.before_git = Cut(1)
    said: list[str] = []
    fetched = fetch_pull(hub.url(7), hub.settings(home), said.append)
    assert git(fetched.checkout.repo, "show", f"{fetched.checkout.head}:a.py") == "two"
    assert [line for line in said if "trying again" in line] == [
        f"{hub.web[7:]} was not reached by git: trying again"
    ]


def test_a_server_that_cuts_every_connection_is_named(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a.py": b"one\n"})
    hub.pull(7, root, hub.commit({"a.py": b"two\n"}, root))
    cut = hub.before_git = Cut(1_000)
    with pytest.raises(RetryLater, match=r"cannot be reached by git .*HTTPS_PROXY"):
        fetch_pull(hub.url(7), hub.settings(home), quiet)
    assert cut.left <= 1_000 - 3  # each try of ours is a request of git's at least
