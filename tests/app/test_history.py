"""History: of a clone, and fetched from a server that holds more than is looked at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.github.blobs import RemoteBlobs
from app.github.fetch import Wanted, checkout
from app.github.urls import Server
from app.history import GitHistory
from reviewer.errors import GiveUp
from reviewer.git import open_repo
from reviewer.ports import NoSuchFile
from tests.app.pull_server import REPOSITORY, PullServer
from tests.repo import Repo


@pytest.fixture
def clone(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    for number in range(1, 4):
        repo.write("a.py", "".join(f"{min(i, number)}\n" for i in range(1, 5)))
        repo.write("b.py", f"{number}\n")
        if number == 2:
            repo.write("c.py", "c\n")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", f"change {number} \x1b[31mred")
    repo.write(".mailmap", "Somebody Else <ada@example.org>\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "mailmap")
    return repo


def history(clone: Repo, at: str = "HEAD") -> Iterator[GitHistory]:
    with open_repo(clone.path) as opened:
        yield GitHistory(lambda: opened, clone.sha(at))


def test_who_changed_a_file_and_its_lines(clone: Repo) -> None:
    for past in history(clone):
        found = past.history("a.py")
        assert [one.subject for one in found.items] == [f"change {n} [31mred" for n in (3, 2, 1)]
        assert {one.author for one in found.items} == {"Ada"}
        lines = past.history("a.py", 1, 4)
        assert [(one.subject[:8], one.lines) for one in lines.items] == [
            ("change 3", 2),
            ("change 2", 1),
            ("change 1", 1),
        ]
        assert past.history("a.py", limit=1).total == 3


def test_only_what_the_merge_base_reaches_is_shown(clone: Repo) -> None:
    for past in history(clone, "HEAD~2"):
        assert [one.subject[:8] for one in past.history("a.py").items] == ["change 2", "change 1"]


def test_what_changes_together(clone: Repo) -> None:
    for past in history(clone):
        found = past.changed_together("a.py")
        assert [(one.path, one.times, one.of) for one in found.items] == [
            ("b.py", 3, 3),
            ("c.py", 1, 3),
        ]


@pytest.mark.parametrize("path", ["", "gone", "../a.py", "-x", ":(top)a.py", "a\0b"])
def test_no_such_file(clone: Repo, path: str) -> None:
    for past in history(clone):
        with pytest.raises(NoSuchFile):
            past.history(path)


def test_lines_beyond_the_end_are_refused(clone: Repo) -> None:
    for past in history(clone):
        with pytest.raises(GiveUp, match="cannot be told"):
            past.history("a.py", 100, 200)


def test_history_that_cannot_be_fetched_is_not_empty() -> None:
    def fail() -> None:
        raise GiveUp("the server is gone")

    with pytest.raises(GiveUp, match="history is not fetched: the server is gone"):
        GitHistory(fail, "0" * 40).history("a")  # type: ignore[arg-type]


def test_history_is_fetched_without_files_and_versions_in_one_batch(tmp_path: Path) -> None:
    with PullServer(tmp_path) as hub:
        above = hub.commit({"a": b"0\n", "b": b"0\n"}, message="first")
        for number in range(1, 9):
            above = hub.commit({"a": b"%d\n" % number, "b": b"0\n"}, above, message=f"m{number}")
        hub.pull(1, above, hub.commit({"a": b"x\n", "b": b"0\n"}, above, message="secret head"))
        server = Server(hub.web, f"{hub.web}/api/v3")
        wanted = Wanted(server, REPOSITORY, 1, above, hub.pulls[1]["head"]["sha"])
        done = checkout(wanted, lambda: None, tmp_path / "home")
        place = done.origin.bring_history(lambda: False)
        with open_repo(place) as opened:
            supply = RemoteBlobs(done.origin, lambda: False, place)
            past = GitHistory(lambda: opened, above, supply)
            assert [one.subject for one in past.history("a").items][:2] == ["m8", "m7"]
            hub.requests.clear()
            assert [(one.subject, one.lines) for one in past.history("a", 1, 1).items] == [
                ("m8", 1)
            ]
            assert sum("info/refs" in seen.path for seen in hub.requests) == 1
            assert past.history("b").items[0].subject == "first"
