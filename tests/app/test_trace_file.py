"""What a run leaves behind: its first and last line, who may read it, and disks that are full."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from app.trace_file import about, recording
from app.trace_folder import folder_of
from reviewer.errors import TellUser
from reviewer.request import Caps, ChangeInfo, Cost, Coverage, Review, ReviewRequest, StopReason
from reviewer.rlm.trace import CodeRun, NodeStarted, Note

REQUEST = ReviewRequest(model="strong-1", caps=Caps(usd=1.5))
NODE = NodeStarted("1", None, "find", "shop", 100, 2)
REVIEW = Review(
    status="partial",
    stopped=StopReason.BUDGET,
    change=ChangeInfo(base="a", head="b", merge_base="a", files=1, added=1, deleted=0),
    findings=[],
    summary="",
    coverage=Coverage(hunks=1, reviewed=1),
    cost=Cost(model="strong-1", usd=0.25, calls=3, seconds=1.5),
)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def only(home: Path) -> Path:
    (path,) = folder_of(home).iterdir()
    return path


def never(line: str) -> None:
    raise AssertionError(line)


def test_a_trace_says_first_what_the_run_is_and_last_how_it_ended(tmp_path: Path) -> None:
    first = about("owner/shop#7", "base-sha", "head-sha", REQUEST)
    with recording(first, tmp_path, never) as trace:
        trace.see(NODE)
        trace.ended(REVIEW)
        kept = trace.run
    begin, node, end = lines(only(tmp_path))
    assert only(tmp_path).stem == kept == begin["run"] == first.run
    assert begin["event"] == "RunStarted" and begin["began"].endswith("Z")
    assert [begin[key] for key in ("what", "base", "head", "model", "effort", "version")] == [
        "owner/shop#7", "base-sha", "head-sha", "strong-1", "standard", first.version,
    ]  # fmt: skip
    assert begin["caps"] == {
        "usd": 1.5, "tokens": None, "calls": None, "seconds": None, "depth": 4,
    }  # fmt: skip
    assert node["event"] == "NodeStarted" and node["label"] == "shop"
    assert end == {
        "event": "RunEnded", "at_s": end["at_s"], "status": "partial", "stopped": "budget",
        "findings": 0, "usd": 0.25, "calls": 3, "seconds": 1.5,
    }  # fmt: skip


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with recording(about("shop", "a", "b", REQUEST), tmp_path / "home", never) as trace:
            trace.see(NODE)
    finally:
        os.umask(old)
    path = only(tmp_path / "home")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_secrets_are_masked_in_both_files(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    other = tmp_path / "other"
    first = about("shop", "a", "b", REQUEST)
    with recording(first, tmp_path / "home", never, target=str(other)) as trace:
        trace.see(CodeRun("1", f"x = '{token}'", token, False))
    kept = only(tmp_path / "home")
    assert kept.read_bytes() == other.read_bytes()
    assert token not in kept.read_text() and "ghp_" in kept.read_text()


def test_an_error_on_the_way_is_in_the_last_line(tmp_path: Path) -> None:
    first = about("shop", "a", "b", REQUEST)
    with pytest.raises(KeyboardInterrupt), recording(first, tmp_path, never) as trace:
        trace.see(NODE)
        raise KeyboardInterrupt
    assert lines(only(tmp_path))[-1]["status"] == "failed"


def test_a_run_in_which_nothing_happened_leaves_nothing(tmp_path: Path) -> None:
    with recording(about("shop", "a", "b", REQUEST), tmp_path, never) as trace:
        trace.ended(REVIEW)
    assert trace.run == "" and list(folder_of(tmp_path).iterdir()) == []


def test_without_a_model_only_the_file_that_was_asked_for_is_written(tmp_path: Path) -> None:
    first = about("shop", "a", "b", ReviewRequest())
    target = tmp_path / "asked"
    with recording(first, tmp_path / "home", never, target=str(target)) as trace:
        trace.see(NODE)
    assert trace.run == "" and not (tmp_path / "home").exists()
    assert [one["event"] for one in lines(target)] == ["RunStarted", "NodeStarted", "RunEnded"]


def test_a_home_that_cannot_be_written_costs_the_trace_and_not_the_run(tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("no folder")
    said: list[str] = []
    with recording(about("shop", "a", "b", REQUEST), tmp_path, said.append) as trace:
        trace.see(NODE)
    assert trace.run == "" and len(said) == 1 and said[0].startswith("warning: no trace")


def test_a_full_disk_ends_one_trace_and_not_the_other(tmp_path: Path) -> None:
    said: list[str] = []
    first = about("shop", "a", "b", REQUEST)
    with recording(first, tmp_path, said.append, target="/dev/full") as trace:
        trace.see(NODE)
        trace.see(Note("on"))
    assert said == ["warning: the trace ends here: No space left on device"]
    assert [one["event"] for one in lines(only(tmp_path))] == [
        "RunStarted", "NodeStarted", "Note", "RunEnded",
    ]  # fmt: skip


def test_a_named_file_that_cannot_be_opened_is_the_users_to_mend(tmp_path: Path) -> None:
    begun = recording(about("s", "a", "b", REQUEST), tmp_path, never, target="/no/where")
    with pytest.raises(TellUser, match="cannot be written"):
        begun.__enter__()


def test_a_run_that_is_tried_again_goes_on_in_its_file(tmp_path: Path) -> None:
    first = about("owner/shop#7", "a", "b", REQUEST, "00ff00ff00ff00ff")
    with recording(first, tmp_path, never) as trace:
        trace.see(NODE)
    path = only(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])  # the process was killed as it wrote
    with recording(first, tmp_path, never) as trace:
        trace.see(NODE)
        trace.ended(REVIEW)
    raw = path.read_text().splitlines()
    assert [json.loads(line)["event"] for line in (*raw[:2], *raw[3:])] == [
        "RunStarted", "NodeStarted", "RunStarted", "NodeStarted", "RunEnded",
    ]  # fmt: skip
    with recording(first, tmp_path, never):
        pass
    assert path.exists(), "what an earlier try left stays"
