"""The folder of the traces: names, age and size, and which trace is meant."""

import fcntl
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import trace_folder
from app.trace_folder import expire, find, kept, new_id, open_new, open_trace
from reviewer.errors import TellUser
from tests.app.traces import END, FIRST, RUN, raw, whole, written

DAY = 24 * 3600.0


def aged(folder: Path, name: str, days: float, size: int = 10) -> Path:
    path = written(folder, b"x" * size, name)
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def test_names_are_in_the_order_of_time_and_differ() -> None:
    began = datetime(2026, 11, 26, 14, 50, 3, tzinfo=UTC)
    names = [new_id(began + timedelta(seconds=at)) for at in range(120)]
    assert names == sorted(names)
    assert names[0].startswith("20261126-145003-") and len(names[0]) == 20
    assert len({new_id(began) for _ in range(50)}) > 45
    east = began.astimezone(datetime.now().astimezone().tzinfo)
    assert new_id(east)[:15] == names[0][:15]


def test_what_is_old_goes_and_nothing_that_is_not_ours(tmp_path: Path) -> None:
    old = aged(tmp_path, "20260101-000000-aaaa", 31)
    young = aged(tmp_path, "20260102-000000-aaaa", 29)
    foreign = tmp_path / "notes.txt"
    foreign.write_text("mine")
    os.utime(foreign, (0, 0))
    target = tmp_path / "target"
    target.write_text("mine")
    link = tmp_path / "20250101-000000-aaaa.jsonl"
    link.symlink_to(target)
    expire(tmp_path, time.time())
    assert not old.exists() and young.exists() and foreign.exists()
    assert link.is_symlink() and target.exists()


def test_how_long_they_are_kept_can_be_set(tmp_path: Path) -> None:
    paths = [aged(tmp_path, f"run-{days}", days) for days in (1, 3, 40)]
    expire(tmp_path, time.time(), 2 * 86_400)
    assert [path.exists() for path in paths] == [True, False, False]


def test_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_folder, "MAX_BYTES", 250)
    paths = [aged(tmp_path, f"run-{days}", days, 100) for days in (4, 3, 2, 1)]
    expire(tmp_path, time.time())
    assert [path.exists() for path in paths] == [False, False, True, True]
    fresh = aged(tmp_path, "run-0", 0, 1_000)
    expire(tmp_path, time.time())
    assert fresh.exists() and not any(path.exists() for path in paths)


def test_a_running_one_is_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    file = open_new(folder, "run-1")
    try:
        then = time.time() - 99 * DAY
        os.utime(file, (then, then))
        expire(folder, time.time())
        assert (folder / "run-1.jsonl").exists()
        (one,) = kept(folder)
        assert one.running and one.end is None
    finally:
        os.close(file)
    expire(folder, time.time())
    assert not (folder / "run-1.jsonl").exists()


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    expire(tmp_path / "none", time.time())
    assert kept(tmp_path / "none") == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "a.b", "-a", "a" * 65])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        open_new(tmp_path / "traces", name)


def test_a_link_in_the_place_of_a_trace_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "run-1.jsonl").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        open_new(tmp_path, "run-1")
    assert target.read_text() == "mine"


def test_the_list_is_in_the_order_of_the_first_lines(tmp_path: Path) -> None:
    later = raw([FIRST]).replace(b"2026-11-26T14", b"2026-11-27T14").replace(b"shop", b"later")
    written(tmp_path, later, "0000")
    written(tmp_path, whole())
    written(tmp_path, b"garbage", "9999")
    os.utime(tmp_path / "9999.jsonl", (0, 0))
    first, second, third = kept(tmp_path)
    assert first.run == "0000" and first.head is not None and first.head.what == "later"
    assert first.end is None and not first.running
    assert second.run == RUN and second.end == END
    assert third.head is None


def test_a_run_is_found_by_what_people_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = written(tmp_path, whole())
    other = written(tmp_path, whole().replace(b"2026-11-26", b"2026-11-20"), "20261120-101010-zzzz")
    assert find(tmp_path, "last") == mine
    assert find(tmp_path, RUN) == mine
    assert find(tmp_path, "20261120") == other
    assert find(tmp_path, str(other)) == other
    with pytest.raises(TellUser) as ambiguous:
        find(tmp_path, "202611")
    assert "2 runs" in ambiguous.value.problem and RUN in ambiguous.value.hint
    with pytest.raises(TellUser) as missing:
        find(tmp_path, "20261126-145003-x7q3")
    assert RUN in missing.value.hint
    with pytest.raises(TellUser):
        find(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copy").write_bytes(whole())
    assert find(tmp_path, "copy") == Path("copy")
    with pytest.raises(TellUser, match="no trace yet"):
        find(tmp_path / "none", "last")


def test_the_whole_name_wins_over_a_longer_one(tmp_path: Path) -> None:
    short = written(tmp_path, whole(), "abc")
    written(tmp_path, whole(), "abcd")
    assert find(tmp_path, "abc") == short


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(TellUser):
            open_trace(path)


def test_a_lock_of_another_writer_is_respected(tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    file = open_new(folder, "run-1")
    try:
        with pytest.raises(BlockingIOError):
            open_new(folder, "run-1")
        fcntl.flock(file, fcntl.LOCK_UN)
        os.close(open_new(folder, "run-1"))
    finally:
        os.close(file)
