"""Blobs in batches: joined, cut short, refused, killed, and beside another run."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.github import blobs
from app.github.blobs import RemoteBlobs
from app.github.cache import Stopped, locked
from app.github.fetch import Checkout, Wanted, checkout
from app.github.urls import Server
from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.errors import GiveUp
from reviewer.git import open_repo
from reviewer.ports import MissingBlob
from tests.app.github.test_checkout import Stall, at_work, run_in_thread, slow, wait_until
from tests.app.pull_server import REPOSITORY, PullServer

FILES = {f"f{number:02}": b"text %d\n" % number for number in range(30)}


@dataclass
class Scene:
    hub: PullServer
    done: Checkout
    supply: RemoteBlobs
    objects: LocalObjects
    cancel: threading.Event

    def connections(self) -> int:
        return sum("info/refs" in seen.path for seen in self.hub.requests)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as closing:
        hub = closing.enter_context(PullServer(tmp_path))
        root = hub.commit({"a": b"1", **FILES})
        hub.pull(1, root, hub.commit({"a": b"2", **FILES}, root))
        ends = [hub.pulls[1][end]["sha"] for end in ("base", "head")]
        what = Wanted(Server(hub.web, f"{hub.web}/api/v3"), REPOSITORY, 1, *ends)
        done = checkout(what, lambda: None, tmp_path / "home")
        assert sum("info/refs" in seen.path for seen in hub.requests) == 2
        hub.requests.clear()
        repo = closing.enter_context(open_repo(done.repo))
        change = build_change(repo, done.base, done.head, done.start)
        cancel = threading.Event()
        supply = RemoteBlobs(done.origin, cancel.is_set)
        objects = closing.enter_context(LocalObjects(repo, change, supply=supply))
        yield Scene(hub, done, supply, objects, cancel)


def names(scene: Scene) -> list[str]:
    return [entry.sha for entry in scene.objects.entries() if entry.path != "a"]


def test_what_differs_is_here_and_nothing_goes_to_the_network_for_it(scene: Scene) -> None:
    assert (scene.objects.read("a"), scene.objects.read("a", "base")) == (b"2", b"1")
    assert {entry.path: entry.size for entry in scene.objects.entries()} == {
        "a": 1,
        **dict.fromkeys(FILES, -1),
    }
    with pytest.raises(MissingBlob):
        list(scene.objects.blobs(names(scene)))
    assert scene.hub.requests == []
    config = (scene.done.repo / "config").read_text()
    assert "promisor" not in config and "partial" not in config


def test_a_batch_is_one_connection(scene: Scene) -> None:
    scene.objects.prefetch(names(scene))
    assert scene.connections() == 1
    scene.objects.prefetch(names(scene))
    assert scene.objects.read("f07") == b"text 7\n"
    assert {entry.size for entry in scene.objects.entries()} <= {1, 7, 8}
    assert scene.connections() == 1


def test_a_search_brings_what_it_searches_in_one_connection(scene: Scene) -> None:
    assert [match.path for match in scene.objects.grep("text 1[0-2]")] == ["f10", "f11", "f12"]
    assert scene.connections() == 1


def test_several_callers_are_joined(scene: Scene) -> None:
    wanted = names(scene)
    with Stall() as stall:
        scene.hub.before_git = stall
        threads = [run_in_thread(lambda: scene.objects.prefetch(wanted[:3]))]
        assert stall.reached.wait(10)
        scene.hub.before_git = lambda: None
        threads += [
            run_in_thread(lambda sha=sha: scene.objects.prefetch([sha])) for sha in wanted[3:9]
        ]
        wait_until(lambda: len(scene.supply._few._waiting) == 6)
    for thread, raised in threads:
        thread.join(20)
        assert raised == []
    assert scene.connections() == 2


def test_few_do_not_wait_for_many(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "FEW", 5)
    wanted = names(scene)
    with Stall() as stall:
        scene.hub.before_git = stall
        thread, raised = run_in_thread(lambda: scene.objects.prefetch(wanted[:20]))
        assert stall.reached.wait(10)
        scene.hub.before_git = lambda: None
        assert scene.objects.read("f29") == b"text 29\n"
        assert thread.is_alive()
    thread.join(20)
    assert raised == []


def test_many_come_in_batches(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "BATCH", 8)
    scene.objects.prefetch(names(scene))
    assert scene.connections() == 4


def test_one_that_the_server_has_not_costs_no_other(scene: Scene) -> None:
    with pytest.raises(MissingBlob, match="111111111111 could not be fetched: the server does not"):
        scene.objects.prefetch(["1" * 40, *names(scene)])
    assert scene.objects.read("f29") == b"text 29\n"
    before = scene.connections()
    with pytest.raises(MissingBlob):
        scene.objects.prefetch(["1" * 40])
    assert scene.connections() == before


def test_a_connection_that_is_cut_is_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "PAUSES_S", (0.1, 0.1))
    times: list[None] = []

    def cut() -> None:
        times.append(None)
        if len(times) == 2:  # in the middle of the pack
            raise ConnectionError

    scene.hub.half_way = cut
    scene.objects.prefetch(names(scene))
    assert scene.connections() == 2
    assert scene.objects.read("f07") == b"text 7\n"


def test_a_server_that_is_gone_makes_the_blob_missing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "PAUSES_S", (0.1, 0.1))
    scene.hub.git_redirect = "http://127.0.0.1:1"
    with pytest.raises(MissingBlob, match=r"f07.*cannot be reached by git"):
        scene.objects.read("f07")
    with pytest.raises(MissingBlob):
        scene.objects.grep("text")
    assert scene.objects.read("a") == b"2"
    scene.hub.git_redirect = None
    assert scene.objects.read("f07") == b"text 7\n"


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_batch_is_left_within_a_second(scene: Scene, how: str) -> None:
    with slow(scene.hub, "half_way") as stall:
        thread, raised = run_in_thread(lambda: scene.objects.prefetch(names(scene)))
        assert stall.reached.wait(10)
        scene.cancel.set() if how == "cancel" else scene.supply.close()
        assert wait_until(lambda: not thread.is_alive()) < 1.5
        assert not at_work(scene.done.repo)
    assert [type(error) for error in raised] == [Stopped]


def test_a_worker_that_is_killed_is_followed_by_another(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "PAUSES_S", (0.1, 0.1))
    with slow(scene.hub, "half_way") as stall:
        thread, raised = run_in_thread(lambda: scene.objects.prefetch(names(scene)))
        assert stall.reached.wait(10)
        for pid in at_work(scene.done.repo):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        scene.hub.half_way = lambda: None
    thread.join(20)
    assert raised == []
    assert scene.objects.read("f07") == b"text 7\n"


def test_two_runs_on_one_cache_bring_at_the_same_time(scene: Scene) -> None:
    other = RemoteBlobs(scene.done.origin, lambda: False)
    with Stall() as stall:
        scene.hub.before_git = stall
        thread, raised = run_in_thread(lambda: scene.objects.prefetch(names(scene)))
        assert stall.reached.wait(10)
        scene.hub.before_git = lambda: None
        other.bring(names(scene))
        with pytest.raises(Stopped), locked(scene.done.repo, lambda _: None, lambda: True):
            pass  # but nobody has the repository for itself meanwhile
    thread.join(20)
    assert raised == []


def test_what_is_no_name_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="object name"):
        scene.objects.prefetch(["--upload-pack=x"])
    with pytest.raises(GiveUp, match="too many"):
        scene.supply.bring(["1" * 40] * (blobs.MAX_NAMES + 1))


def test_the_server_forgets_a_head_that_was_pushed_over(scene: Scene) -> None:
    hub, old = scene.hub, scene.done.head
    hub.pull(1, scene.done.base, hub.commit({"b": b"3"}, scene.done.base))
    hub.git("reflog", "expire", "--expire=now", "--all")
    hub.git("gc", "--quiet", "--prune=now")
    home = scene.done.repo.parents[4]
    again = checkout(scene.done.origin.wanted, lambda: None, home)
    assert again.head == old and hub.requests == []
    assert scene.objects.read("a") == b"2"
    assert scene.objects.read("f07") == b"text 7\n"  # the base has it still
