"""Checkouts for the server and the Action: from a hostile repository, cut short, over damage."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.github import cache, fetch_process
from app.github.cache import check_size, in_use, locked, make_room, place
from app.github.fetch import Stopped, Wanted, checkout
from app.github.origin import Lend
from app.github.transport import Moved
from app.github.urls import Server
from app.objects import LocalObjects
from reviewer import nursery
from reviewer.diff import Start, build_change
from reviewer.errors import GiveUp, RetryLater, TellUser
from reviewer.git import GitRepo
from reviewer.ports import MissingBlob
from tests.app.pull_server import REPOSITORY, PullServer
from tests.app.test_serve import lives

ROOT = Path(__file__).parents[3]
TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a.tok-en_7"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[PullServer]:
    with PullServer(tmp_path) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def wanted(hub: PullServer, number: int = 1, **changed: str) -> Wanted:
    """The pull request as the API shows it now."""
    pull = hub.pulls[number]
    ends = {"base": pull["base"]["sha"], "head": pull["head"]["sha"], **changed}
    return Wanted(Server(hub.web, f"{hub.web}/api/v3"), REPOSITORY, number, **ends)


def fetched(what: Wanted, home: Path, *args: Any, lend: Lend = lambda: None, **more: Any) -> Path:
    """The repository of a checkout."""
    return checkout(what, lend, home, *args, **more).repo


def small_pull(hub: PullServer) -> Wanted:
    root = hub.commit({"a": b"1"})
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    return wanted(hub)


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", f"--git-dir={repo}", *arguments],
        env={"PATH": os.environ["PATH"], "GIT_NO_LAZY_FETCH": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def at_work(repo: Path) -> dict[int, dict[str, str]]:
    """The environment of every process that works on a repository of ours.

    That of a git names the repository. Of the process that has it fetch, a fork, the kernel shows
    what it is a fork of; it works on ours, for no other test of ours has one at the same time.
    """
    found = {}
    for path in Path("/proc").glob("[0-9]*/environ"):
        pid = int(path.parent.name)
        try:
            pairs = [item.partition("=") for item in path.read_text().split("\0") if item]
            env = {name: value for name, _, value in pairs}
            if env.get("GIT_DIR") == str(repo) or fetches_for_us(pid):
                found[pid] = env
        except OSError:
            continue
    return found


def fetches_for_us(pid: int) -> bool:
    """Is it a worker that fetches for this process, or for one that it started?

    It leads a group, and those that it is a fork of lead a session, too.
    """
    if b"app.github.fetch_worker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        return False
    state, parent, group, session = stat(pid)
    if state == "Z" or group != pid or session == pid:
        return False
    while parent not in {0, 1, os.getpid()}:
        parent = stat(parent)[1]
    return parent == os.getpid()


def stat(pid: int) -> tuple[str, int, int, int]:
    """The state of a process, its parent, its group and its session."""
    state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4]
    parent, group, session = map(int, numbers)
    return state, parent, group, session


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it never came to that"
        time.sleep(0.02)
    return time.monotonic() - began


class Stall:
    """Holds the server's answers back, wherever it is called, until the block ends."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.over = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        self.over.wait(30)

    def __enter__(self) -> "Stall":
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()


def slow(hub: PullServer, where: str) -> Stall:
    stall = Stall()
    setattr(hub, where, stall)
    return stall


# What is fetched ---------------------------------------------------------------------------------


def test_both_commits_come_from_the_base_repository(hub: PullServer, home: Path) -> None:
    what = small_pull(hub)
    repo = fetched(what, home)
    assert git(repo, "show", f"{what.head}:a") == "2"
    assert {seen.path for seen in hub.requests} == {
        f"/api/v3/repos/{REPOSITORY}/compare/{what.base}...{what.head}",
        f"/{REPOSITORY}.git/info/refs",
        f"/{REPOSITORY}.git/git-upload-pack",
    }


def test_one_token_does_for_the_fetch_and_for_what_comes_after(hub: PullServer, home: Path) -> None:
    lent: list[int] = []
    done = checkout(small_pull(hub), lambda: lent.append(1), home)
    assert done.origin.token() is None
    assert len(lent) == 1
    assert done.origin.wanted.start == done.start.commit != ""


def test_the_process_that_fetches_starts_while_the_api_is_asked(
    hub: PullServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = small_pull(hub)
    own = fetch_process._nursery(str(shutil.which("git")))
    own.close()
    own._root.close()
    seen: list[bool] = []

    def slow(*_: object) -> str:
        wait_until(lambda: own._asked is not None)
        process = own._root._process
        seen.append(process is not None and process.poll() is None)
        assert own._asked is not None
        struct.unpack(">ci", own._asked.recv(5, socket.MSG_PEEK))  # it has imported
        return what.base

    monkeypatch.setattr("app.github.compare.merge_base", slow)
    done = checkout(what, lambda: None, home)
    assert done.start.commit == what.base
    assert seen == [True]


def test_a_process_that_fetches_and_cannot_be_started_is_tried_again_later(
    hub: PullServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = small_pull(hub)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    fetch_process._nursery.cache_clear()
    monkeypatch.setattr(nursery, "_ROOTS", {})
    with pytest.raises(RetryLater, match="could not be started"):
        fetched(what, home)
    fetch_process._nursery.cache_clear()


def test_a_head_that_was_left_behind_is_taken_by_its_sha(hub: PullServer, home: Path) -> None:
    what = small_pull(hub)
    hub.pull(1, what.base, hub.commit({"a": b"3"}, what.base))
    repo = fetched(what, home)
    assert git(repo, "show", f"{what.head}:a") == "2"


def test_a_head_that_the_server_does_not_have_has_moved(hub: PullServer, home: Path) -> None:
    small_pull(hub)
    with pytest.raises(Moved) as told:
        fetched(wanted(hub, head="1" * 40), home)
    assert told.value.after_s <= 10


def test_a_pull_request_that_is_gone_is_no_bug(hub: PullServer, home: Path) -> None:
    what = small_pull(hub)
    hub.git("update-ref", "-d", "refs/pull/1/head")
    with pytest.raises(RetryLater, match="moved"):
        fetched(what, home)


def test_a_home_whose_name_looks_like_a_variable_is_taken_as_it_is(
    hub: PullServer, tmp_path: Path
) -> None:
    home = tmp_path / "~" / "$HOME %PATH% ${x}\udcff"
    what = small_pull(hub)
    repo = fetched(what, home)
    assert repo.is_relative_to(home)
    assert git(repo, "cat-file", "-t", what.head) == "commit"


# What a hostile repository or request meets ------------------------------------------------------


@pytest.mark.parametrize(
    "web",
    [
        "ext::sh -c touch% {mark}",
        "file://{mark}",
        "ssh://-oProxyCommand=x/",
        "git://127.0.0.1",
        "http://u:p@127.0.0.1",
        "https://x/../y",
        "--upload-pack=touch {mark}",
        "/etc",
        "",
    ],
)
def test_no_other_protocol_gets_as_far_as_git(home: Path, tmp_path: Path, web: str) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(GiveUp, match="not two commits"):
        Wanted(Server(web.format(mark=mark), ""), REPOSITORY, 1, "0" * 40, "1" * 40)


@pytest.mark.parametrize(
    "change",
    [
        {"repository": "../../etc"},
        {"repository": "o/.."},
        {"repository": "-o/x"},
        {"repository": "o/x --upload-pack=y"},
        {"repository": "o/x\n"},
        {"repository": "o/$HOME"},
        {"number": 0},
        {"number": True},
        {"number": -1},
        {"base": "HEAD"},
        {"head": "--upload-pack=touch /tmp/x"},
        {"head": "1" * 39},
        {"head": "1" * 40 + "\n"},
    ],
)
def test_what_is_not_two_commits_is_refused(change: dict[str, object]) -> None:
    good: dict[str, object] = {
        "server": Server("https://github.com", ""),
        "repository": "o/x",
        "number": 1,
        "base": "0" * 40,
        "head": "1" * 40,
    }
    Wanted(**good)  # type: ignore[arg-type]
    with pytest.raises(GiveUp):
        Wanted(**{**good, **change})  # type: ignore[arg-type]


def test_the_process_that_fetches_looks_at_its_request_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    server = {"web": f"ext::sh -c touch% {mark}", "api": ""}
    ends = {"base": "0" * 40, "head": "1" * 40}
    request = {"server": server, "repository": "o/x", "number": 1, **ends}
    with subprocess.Popen(
        [sys.executable, "-c", "from app.github.fetch_worker import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
        cwd=ROOT,
        start_new_session=True,
    ) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        environ = {"PATH": os.environ["PATH"], "GIT_DIR": str(tmp_path / "x.git")}
        told = {"task": "pull", "wanted": request, "environ": environ}
        worker.stdin.write(json.dumps(told).encode() + b"\n")
        worker.stdin.flush()
        said = json.loads(worker.stdout.read())
    assert said["complaint"].startswith("GiveUp: These are not two commits")
    assert not mark.exists() and not (tmp_path / "x.git").exists()


def test_nothing_of_the_pull_request_is_run_or_fetched(
    hub: PullServer, home: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    root = hub.commit({"a": b"1"})
    entries = b""
    for name, content in {
        ".gitattributes": b"* filter=evil diff=evil merge=evil\n*.bin filter=lfs diff=lfs\n",
        ".gitmodules": f'[submodule "x"]\n\tpath = sub\n\turl = {hub.web}/octo/sub.git\n'.encode(),
        ".lfsconfig": f"[lfs]\n\turl = {hub.web}/lfs\n".encode(),
        "big.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n"
        % (b"0" * 64),
    }.items():
        entries += f"100644 blob {hub.git('hash-object', '-w', '--stdin', data=content)}\t{name}\0".encode()
    link = hub.git("hash-object", "-w", "--stdin", data=b"../../../../etc/passwd")
    entries += f"120000 blob {link}\tlink\x00160000 commit {root}\tsub\0".encode()
    tree = hub.git("mktree", "-z", data=entries)
    hub.pull(1, root, hub.git("commit-tree", "-m", "x", "-p", root, tree))
    what = wanted(hub)
    hooks = place(home, what) / "hooks"
    hooks.mkdir(parents=True)
    for name in ("reference-transaction", "post-checkout", "post-merge", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {mark}\n")
        (hooks / name).chmod(0o755)
    repo = fetched(what, home)
    assert not mark.exists()
    assert not (repo / "modules").exists() and not (repo / "lfs").exists()
    assert git(repo, "cat-file", "-p", f"{what.head}:link") == "../../../../etc/passwd"
    assert b"git-lfs" in git(repo, "cat-file", "-p", f"{what.head}:big.bin").encode()
    assert {
        seen.path.rpartition("/")[2] for seen in hub.requests if "/compare/" not in seen.path
    } == {"refs", "git-upload-pack"}
    assert sum("/compare/" not in seen.path for seen in hub.requests) == 5


def test_a_bundle_that_the_server_names_is_not_fetched(hub: PullServer, home: Path) -> None:
    what = small_pull(hub)
    for key, value in {
        "uploadpack.advertiseBundleURIs": "true",
        "bundle.version": "1",
        "bundle.mode": "all",
        "bundle.x.uri": f"{hub.web}/bundle",
    }.items():
        hub.git("config", key, value)
    fetched(what, home)
    assert not any("bundle" in seen.path for seen in hub.requests)


HOSTILE_PARENT = """
import sys
from pathlib import Path
from pydantic import SecretStr
from app.github.fetch import Wanted, checkout
from app.github.urls import Server
web, base, head, home, token = sys.stdin.read().split()
what = Wanted(Server(web, f"{web}/api/v3"), "octo/hello", 1, base, head)
checkout(what, lambda: SecretStr(token), Path(home), print)
"""


def test_the_parents_keys_templates_and_configuration_stay_with_the_parent(
    tmp_path: Path, home: Path
) -> None:
    mark, template, user = tmp_path / "mark", tmp_path / "template", tmp_path / "user"
    (template / "hooks").mkdir(parents=True)
    user.mkdir()
    for hook in ("reference-transaction", "post-checkout"):
        (template / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (template / "hooks" / hook).chmod(0o755)
    (user / ".gitconfig").write_text(
        f"[init]\n\ttemplateDir = {template}\n[core]\n\thooksPath = {template}/hooks\n"
        f'[url "file:///nowhere/"]\n\tinsteadOf = http://\n[credential]\n\thelper = !touch {mark}\n'
    )
    with PullServer(tmp_path, token=TOKEN) as hub:
        what = small_pull(hub)
        seen: dict[int, dict[str, str]] = {}
        hub.before_git = lambda: seen.update(at_work(place(home, what)))
        done = subprocess.run(
            [sys.executable, "-c", HOSTILE_PARENT],
            input="\n".join((hub.web, what.base, what.head, str(home), TOKEN)).encode(),
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(user),
                "ANTHROPIC_API_KEY": "sk-ant-secret",
                "RLM_APP_PRIVATE_KEY": "pem",
                "GIT_TEMPLATE_DIR": str(template),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "core.sshCommand",
                "GIT_CONFIG_VALUE_0": f"touch {mark}",
                "GIT_PYTHON_TRACE": "full",
                "GIT_TRACE": str(tmp_path / "trace"),
                "PYTHONSTARTUP": str(mark),
            },
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    assert git(place(home, what), "cat-file", "-t", what.head) == "commit"
    assert not mark.exists() and not (tmp_path / "trace").exists()
    assert not (place(home, what) / "hooks").exists()
    workers = [env for env in seen.values() if "GIT_DIR" not in env]
    assert [sorted(env) for env in workers] == [["GIT_PYTHON_GIT_EXECUTABLE", "LC_ALL"]]
    assert len(seen) >= 3  # the worker, git fetch, git remote-http
    for env in seen.values():
        assert not env.keys() & {"ANTHROPIC_API_KEY", "RLM_APP_PRIVATE_KEY", "GIT_TEMPLATE_DIR"}
        assert not env.keys() & {"GIT_PYTHON_TRACE", "GIT_TRACE", "PYTHONSTARTUP"}
        if env in workers:
            continue
        assert env["HOME"] == str(place(home, what).with_suffix(".home"))
        assert TOKEN not in "".join(env.values())  # only in base64, in GIT_CONFIG_VALUE_n


def test_a_token_that_is_refused_is_in_no_word_of_the_error(tmp_path: Path, home: Path) -> None:
    with PullServer(tmp_path, token="another") as hub:
        what = small_pull(hub)
        with pytest.raises(TellUser, match="does not let us read") as told:
            fetched(what, home, lend=lambda: SecretStr(TOKEN))
        assert TOKEN in {seen.token for seen in hub.requests}
    assert "Check that GITHUB_TOKEN" in told.value.hint
    error: BaseException | None = told.value
    while error is not None:
        assert TOKEN not in f"{error!r}{error}"
        error = error.__cause__ or error.__context__
    for path in home.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path


# Cut short ---------------------------------------------------------------------------------------


def run_in_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


@pytest.mark.parametrize("where", ["before_git", "half_way"])
def test_who_does_not_want_it_any_more_is_let_go_within_a_second(
    hub: PullServer, home: Path, where: str
) -> None:
    what = small_pull(hub)
    repo = place(home, what)
    cancel = threading.Event()
    with slow(hub, where) as stall:
        thread, raised = run_in_thread(lambda: fetched(what, home, cancelled=cancel.is_set))
        assert stall.reached.wait(10)
        assert at_work(repo)
        cancel.set()
        began = time.monotonic()
        thread.join(10)
        assert time.monotonic() - began < 1
        assert not at_work(repo)
    assert [type(error) for error in raised] == [Stopped]


def test_the_time_limit_ends_the_whole_group(hub: PullServer, home: Path) -> None:
    what = small_pull(hub)
    with slow(hub, "before_git"):
        began = time.monotonic()
        with pytest.raises(RetryLater, match="too long"):
            fetched(what, home, limit_s=1)
        assert 0.9 < time.monotonic() - began < 3
        assert not at_work(place(home, what))


def test_a_worker_killed_in_the_middle_of_a_pack_leaves_what_the_next_run_can_use(
    hub: PullServer, home: Path
) -> None:
    root = hub.line(200, hub.commit({"a": os.urandom(300_000)}), "stem")
    hub.pull(1, root, hub.commit({"a": os.urandom(300_000)}, root))
    what = wanted(hub)
    repo = place(home, what)
    with slow(hub, "half_way") as stall:
        # Asked for: the merge base, what the server can do, its refs, the trees, and again what
        # it can do, and then the blobs.
        hub.half_way = lambda: stall() if len(hub.requests) == 6 else None
        thread, raised = run_in_thread(lambda: fetched(what, home))
        wait_until(lambda: any(repo.glob("objects/pack/tmp_*")))
        for pid in at_work(repo):
            with suppress(ProcessLookupError):  # it went with the one before
                os.kill(pid, signal.SIGKILL)
        thread.join(10)
    assert [type(error) for error in raised] == [RetryLater]
    (repo / "objects/pack/tmp_pack_x").touch()  # git may have had the time to remove its own
    hub.half_way = lambda: None
    fetched(what, home)
    assert not any(repo.glob("objects/pack/tmp_*"))
    assert git(repo, "cat-file", "-s", f"{what.head}:a") == "300000"


def test_a_parent_that_is_killed_takes_the_fetch_with_it(hub: PullServer, home: Path) -> None:
    """Its lock ends with it: nothing may go on writing into the repository."""
    what = small_pull(hub)
    repo = place(home, what)
    hub.token = "t"
    parent = subprocess.Popen(
        [sys.executable, "-c", HOSTILE_PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
    )
    assert parent.stdin is not None
    with slow(hub, "before_git"), parent:
        parent.stdin.write("\n".join((hub.web, what.base, what.head, str(home), "t")).encode())
        parent.stdin.close()
        wait_until(lambda: len(at_work(repo)) >= 3)
        there = at_work(repo)
        assert any("GIT_DIR" not in env for env in there.values())
        parent.kill()
        parent.wait()
        wait_until(lambda: not at_work(repo) and not any(map(lives, there)), seconds=1)


def test_a_lock_that_another_run_holds_is_waited_for_and_can_be_left(
    hub: PullServer, home: Path
) -> None:
    what = small_pull(hub)
    said: list[str] = []
    with locked(place(home, what), said.append, lambda: False), pytest.raises(Stopped):
        fetched(what, home, said.append, lambda: bool(said))
    assert said == ["waiting for another run that fetches the same repository"]
    fetched(what, home)


# A repository that is damaged, read, or in the way -----------------------------------------------


def cut_pack(repo: Path) -> None:
    for pack in repo.glob("objects/pack/*.pack"):
        pack.chmod(0o644)
        with pack.open("r+b") as file:
            file.truncate(pack.stat().st_size // 2)


def lose_objects(repo: Path) -> None:
    shutil.rmtree(repo / "objects")


def lose_head(repo: Path) -> None:
    (repo / "HEAD").unlink()


def garbage(name: str) -> Callable[[Path], None]:
    def write(repo: Path) -> None:
        (repo / name).write_bytes(b"\0garbage\xff[\n" * 9)

    return write


def become_a_file(repo: Path) -> None:
    shutil.rmtree(repo)
    repo.write_bytes(b"x")


@pytest.mark.parametrize(
    "damage",
    [
        cut_pack,
        lose_objects,
        lose_head,
        become_a_file,
        garbage("HEAD"),
        garbage("config"),
        garbage("packed-refs"),
        garbage("shallow"),
        garbage("refs/rlm/pull/1/head"),
        garbage("refs/rlm/pull/1/base"),
        garbage("refs/rlm/pull/9"),
        garbage("commondir"),
        garbage("objects/info/alternates"),
    ],
)
def test_a_damaged_repository_is_fetched_anew(
    hub: PullServer, home: Path, damage: Callable[[Path], None]
) -> None:
    root = hub.line(150, hub.commit({"a": b"1"}), "stem")
    hub.pull(1, root, hub.commit({"a": b"2"}, root))
    before = wanted(hub)
    repo = fetched(before, home)
    damage(repo)
    hub.pull(1, root, hub.commit({"a": b"3"}, before.head))
    for what in (before, wanted(hub)):
        assert fetched(what, home) == repo
        with GitRepo(repo) as reader:
            change = build_change(reader, what.base, what.head, Start(root))
            assert "a" in {file.path for file in change.files}
            assert reader.run("cat-file", "-p", f"{what.head}:a")[1] in (b"2", b"3")


def test_a_sound_repository_survives_what_goes_wrong_elsewhere(hub: PullServer, home: Path) -> None:
    what = small_pull(hub)
    repo = fetched(what, home)
    (repo / "mark").touch()
    hub.pull(1, what.base, hub.commit({"a": b"3"}, what.base))
    hub.git_redirect = "http://127.0.0.1:1"
    with pytest.raises(TellUser, match="302"):
        fetched(wanted(hub), home)
    assert (repo / "mark").exists()


def test_a_reader_reads_on_while_more_is_fetched(hub: PullServer, home: Path) -> None:
    root = hub.commit({"a": b"1", "b": b"b"})
    hub.pull(1, root, hub.commit({"a": b"2", "b": b"b"}, root))
    first = checkout(wanted(hub), lambda: None, home)
    with GitRepo(first.repo) as reader:
        change = build_change(reader, first.base, first.head, first.start)
        with LocalObjects(reader, change) as objects:
            assert objects.read("a") == b"2"
            with pytest.raises(MissingBlob):
                objects.read("b")
            hub.pull(2, root, hub.commit({"b": b"c"}, root))
            assert fetched(wanted(hub, 2), home) == first.repo
            assert objects.read("b") == b"b"  # the same process finds what has come since
            assert objects.read("a", "base") == b"1"


def test_room_is_made_at_the_cost_of_what_was_not_used_for_longest(home: Path) -> None:
    server = Server("https://github.com", "")
    now = time.time()
    repos = []
    for name, days in (("new", 0.5), ("busy", 5), ("old", 4), ("older", 3)):
        repo = place(home, Wanted(server, f"o/{name}", 1, "0" * 40, "1" * 40))
        (repo / "objects").mkdir(parents=True)
        (repo / "objects/x").write_bytes(b"x" * 1_000)
        repo.with_suffix(".lock").touch()
        os.utime(repo.with_suffix(".lock"), (now, now - days * 86_400))
        repos.append(repo)
    new, busy, old, older = repos
    make_room(home, limit=4_000)
    assert all(repo.exists() for repo in repos)
    with locked(busy, lambda _: None, lambda: False):
        os.utime(busy.with_suffix(".lock"), (now, now - 5 * 86_400))
        make_room(home, limit=2_500)
    assert [repo.exists() for repo in (new, busy, old, older)] == [True, True, False, False]
    with in_use(new):
        make_room(home, limit=0)
    assert [repo.exists() for repo in (new, busy)] == [True, False]
    make_room(home, limit=0)
    assert not new.exists()


def test_what_was_fetched_a_moment_ago_is_about_to_be_read(home: Path) -> None:
    repo = place(home, Wanted(Server("https://github.com", ""), "o/r", 1, "0" * 40, "1" * 40))
    (repo / "objects").mkdir(parents=True)
    (repo / "objects/x").write_bytes(b"x")
    repo.with_suffix(".lock").touch()
    make_room(home, limit=0)
    assert repo.exists()


def test_a_repository_that_grows_too_large_is_not_fetched_to_its_end(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = place(home, Wanted(Server("https://github.com", ""), "o/r", 1, "0" * 40, "1" * 40))
    repo.mkdir(parents=True)
    (repo / "pack").write_bytes(b"x" * 2_000)
    check_size(repo)
    monkeypatch.setattr(cache, "MAX_BYTES", 1_999)
    with pytest.raises(GiveUp, match="GB"):
        check_size(repo)
    monkeypatch.setattr(cache, "MAX_BYTES", 2_000)
    monkeypatch.setattr(cache, "LEFT_BYTES", 1 << 60)
    with pytest.raises(TellUser, match="on the disk") as told:
        check_size(repo)
    assert "RLM_HOME" in told.value.hint
