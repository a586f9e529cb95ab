"""The tree of a run in a terminal: what stands where, at every width, whatever the trace says."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from app.render.trace_tree import Asked, joined, list_lines, node_lines, tree_lines
from app.trace_document import node_doc
from app.trace_folder import kept
from app.trace_lines import RunStarted
from app.trace_read import detail, read_trace
from reviewer.model.base import Stop, Usage
from reviewer.rlm.trace import (
    CodeRun,
    Delegated,
    FunctionCalled,
    NodeEnded,
    NodeStarted,
    Note,
    Replayed,
    Result,
    Submitted,
)
from tests.app.render.samples import HOSTILE
from tests.app.traces import END, EVENTS, FIRST, line, raw, whole, written

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def tree(content: bytes, width: int = 100, color: bool = False, **asked: object) -> str:
    trace = read_trace(io.BytesIO(content))
    shown = Asked(**asked)  # type: ignore[arg-type]
    return "".join(joined(tree_lines(trace, shown, running=False, width=width, color=color)))


def node(content: bytes, name: str, width: int = 100) -> str:
    file = io.BytesIO(content)
    trace = read_trace(file)
    doc = node_doc(trace.nodes[name], detail(file, trace.nodes[name].lines))
    return "".join(joined(node_lines(trace, doc, width=width, color=False)))


def test_the_whole_tree_as_people_see_it() -> None:
    assert tree(whole(), costs=True) == (Path(__file__).parent / "trace_tree.txt").read_text()


def test_one_node_in_full() -> None:
    shown = node(whole(), "1")
    assert shown == (Path(__file__).parent / "trace_node.txt").read_text()


@pytest.mark.parametrize("width", [20, 40, 61, 80, 120, 300])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    room = max(40, min(width, 120))
    for text in (tree(whole(), width, costs=True), node(whole(), "1", width)):
        assert [one for one in text.split("\n") if cell_len(one) > room] == []


def test_colour_adds_escapes_and_nothing_else() -> None:
    plain, coloured = tree(whole()), tree(whole(), color=True)
    assert "\x1b[" not in plain
    assert ESCAPE.sub("", coloured) == plain and "\x1b[33m" in coloured


def test_a_depth_leaves_out_what_is_below_and_says_so() -> None:
    shown = tree(whole(), depth=2)
    assert "1.2.1" not in shown
    assert "below     2 nodes not shown (1 done, 1 failed), $0.0200" in shown
    assert "4 nodes not shown (2 done, 1 failed, 1 partial), $0.0300" in tree(whole(), depth=1)


def hostile_events() -> Iterator[bytes]:
    yield line(RunStarted(*[HOSTILE] * 7, caps={HOSTILE: 1.0}, version=HOSTILE))
    yield line(NodeStarted("1", None, HOSTILE, HOSTILE, 1, 1))
    yield line(Delegated("1", "1.1", (HOSTILE, HOSTILE), HOSTILE, "model"))
    yield line(NodeStarted("1.1", "1", HOSTILE, HOSTILE, 1, 1))
    yield line(Replayed("1", "journal", Stop.TOOL, Usage(1), None, HOSTILE))
    yield line(CodeRun("1", HOSTILE, HOSTILE, True))
    yield line(FunctionCalled("1", HOSTILE, HOSTILE))
    yield line(Submitted("1", HOSTILE, (HOSTILE,)))
    yield line(Submitted("1.1", HOSTILE))
    yield line(Result("1", HOSTILE))
    yield line(NodeEnded("1", "failed", HOSTILE))
    yield line(Note(HOSTILE))


def test_what_a_trace_says_does_nothing_in_a_terminal(tmp_path: Path) -> None:
    content = b"".join(hostile_events())
    path = written(tmp_path, content)
    runs = kept(tmp_path)
    assert len(runs) == 1
    listed = "".join(joined(list_lines(runs, 0, width=80, color=False)))
    for text in (tree(content), node(content, "1"), node(content, "1.1"), listed):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert path.exists()


def test_a_trace_of_nothing_says_so() -> None:
    assert "The trace is empty" in tree(b"")
    assert "no node" in tree(raw([FIRST]))
    assert "Run 20261126-145003-x7q2: cut off" in tree(raw([FIRST]))
    assert "1 event of a kind unknown here: Verified" in tree(b'{"event": "Verified"}\n')


def test_many_lookups_are_summed_up_by_function() -> None:
    calls = [FunctionCalled("1", "read", f"'{'long/' * 30}{at}.py'") for at in range(9)]
    shown = tree(raw([FIRST, EVENTS[1], *calls, *[FunctionCalled("1", "grep", "'x'")] * 4]))
    assert "grep('x') ×4" in shown and "/long/0.py')" in shown and "4 more read" in shown
    assert max(map(len, shown.split("\n"))) <= 100


def test_deep_trees_keep_to_the_width() -> None:
    chain = [
        NodeStarted(".".join(["1"] * at), ".".join(["1"] * (at - 1)) or None, "t", "deep", 1, 1)
        for at in range(1, 60)
    ]
    shown = tree(raw([FIRST, *chain]), width=200)
    assert shown.count("deep") == 59


def test_the_list_says_when_what_and_how_it_ended(tmp_path: Path) -> None:
    written(tmp_path, whole())
    written(tmp_path, raw([FIRST]).replace(b"11-26T14", b"11-27T14"), "20261127-145003-aaaa")
    text = "".join(joined(list_lines(kept(tmp_path), 5, width=100, color=False)))
    head, cut, done, more = text.splitlines()
    assert head.split() == [
        "run", "when", "(UTC)", "status", "findings", "calls", "cost", "what",
    ]  # fmt: skip
    assert cut.split() == [
        "20261127-145003-aaaa", "2026-11-27", "14:50", "cut", "off", "–", "–", "–", "shop",
    ]  # fmt: skip
    assert done.split() == [
        "20261126-145003-x7q2", "2026-11-26", "14:50", "partial", "3", "4", "$0.0700", "shop",
    ]  # fmt: skip
    assert more == "and 5 older"
    assert END.findings == 3
