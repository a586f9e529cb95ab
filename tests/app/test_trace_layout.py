"""A trace as files: where each lies, and which folders are left alone."""

import io
import json
import stat
from pathlib import Path

import pytest

from app.trace_layout import MARKER, lay_out
from app.trace_read import read_trace
from reviewer.errors import TellUser
from reviewer.rlm.trace import CodeRun, NodeStarted, Result
from tests.app.traces import EVENTS, FIRST, raw, whole


def lay(content: bytes, target: Path) -> int:
    file = io.BytesIO(content)
    return lay_out(read_trace(file), file, str(target), running=False)


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_each_node_has_its_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert lay(whole(), out) == 5
    assert files(out) == [
        MARKER,
        "1/1/node.md",
        "1/1/result.json",
        "1/2/1/node.md",
        "1/2/2/node.md",
        "1/2/node.md",
        "1/node.md",
        "1/result.json",
        "index.md",
    ]
    assert json.loads((out / "1/result.json").read_text()) == {
        "overview": "All in all.", "claims": [{"title": "Broken"}],
    }  # fmt: skip
    page = (out / "1/1/node.md").read_text()
    for said in ("by the model, lens contracts: p1, p2", "a string is wanted", "[result.json]"):
        assert said in page, page
    index = (out / "index.md").read_text()
    assert "- [1.2.1](1/2/1/node.md) backend/a" in index and "The dearest nodes" in index
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.rglob("*")}
    assert modes == {0o600, 0o700}


def test_a_layout_of_another_run_is_replaced_whole(tmp_path: Path) -> None:
    lay(whole(), tmp_path / "out")
    assert lay(raw([FIRST, EVENTS[1]]), tmp_path / "out") == 1
    assert files(tmp_path / "out") == [MARKER, "1/node.md", "index.md"]


def test_an_empty_folder_is_taken_and_one_with_anything_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    lay(whole(), tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/thesis.txt").write_text("mine")
    with pytest.raises(TellUser, match="something else"):
        lay(whole(), tmp_path / "full")
    assert files(tmp_path / "full") == ["thesis.txt"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(TellUser, match="no folder"):
        lay(whole(), tmp_path / "file")
    with pytest.raises(TellUser, match="cannot be written"):
        lay(whole(), tmp_path / "none/at/all")


@pytest.mark.parametrize("name", ["1/notes.txt", "1/1/own.md", "Photos/x", "1/.git/config"])
def test_one_of_ours_that_somebody_used_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    lay(whole(), out)
    added = out / name
    added.parent.mkdir(exist_ok=True)
    added.write_text("mine")
    before = files(out)
    with pytest.raises(TellUser, match="was not made here"):
        lay(whole(), out)
    assert files(out) == before and added.read_text() == "mine"


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "index.md").write_text("mine")
    (target / MARKER).write_text("")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(TellUser, match="no folder"):
        lay(whole(), tmp_path / "link")
    out = tmp_path / "out"
    lay(whole(), out)
    (out / "3").symlink_to(target)
    with pytest.raises(TellUser, match="was not made here"):
        lay(whole(), out)
    (out / "3").unlink()
    (out / "index.md").unlink()
    (out / "index.md").symlink_to(target / "index.md")
    with pytest.raises(TellUser, match="was not made here"):
        lay(whole(), out)
    assert (target / "index.md").read_text() == "mine"


def test_a_result_that_was_cut_is_text(tmp_path: Path) -> None:
    content = raw([FIRST, EVENTS[1], Result("1", '{"claims": [\x1b… (9 more characters)')])
    lay(content, tmp_path / "out")
    assert files(tmp_path / "out") == [MARKER, "1/node.md", "1/result.txt", "index.md"]
    assert (tmp_path / "out/1/result.txt").read_text().startswith('{"claims": [\\x1b…')


def test_what_a_trace_says_names_no_file_and_ends_no_fence(tmp_path: Path) -> None:
    evil = NodeStarted("1", None, "../../t", "../../../etc [x](http://evil) ```", 1, 1)
    bad = raw([NodeStarted("2", None, "t", "", 1, 1)]).replace(b'"2"', b'"../2"')
    result = CodeRun("1", "```\n# Heading\n<img src=x>", "```", False)
    lay(raw([FIRST, evil]) + bad + raw([result]), tmp_path / "out")
    assert files(tmp_path / "out") == [MARKER, "1/node.md", "index.md"]
    assert files(tmp_path) == [f"out/{name}" for name in files(tmp_path / "out")]
    page = (tmp_path / "out/1/node.md").read_text()
    assert "](http:" not in page.split("````")[0]
    assert page.count("````") == 2, "one fence, longer than what is inside"
