import io
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render.live import LINE_EVERY_S, progress, sums
from app.render.tree import Tree
from reviewer.model.base import Stop, Usage
from reviewer.rlm.trace import (
    CallEnded,
    CallStarted,
    CodeRun,
    Delegated,
    FunctionCalled,
    NodeEnded,
    NodeSplit,
    NodeStarted,
    Note,
    Replayed,
    Result,
    Submitted,
)
from tests.app.render.samples import HOSTILE

ROOT = Path(__file__).parents[3]


def started(name: str, label: str = "shop") -> NodeStarted:
    parent = name.rpartition(".")[0] or None
    return NodeStarted(name, parent, "review", label, 1_000, 3)


def answered(name: str, usd: float | None = 0.01) -> CallEnded:
    return CallEnded(name, 1, Stop.TOOL, Usage(1_000, 200, 500, 0), usd, 2.0)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_sums_are_those_of_the_events():
    tree = Tree()
    for event in (
        started("1"),
        NodeSplit("1", 2),
        started("1.1"),
        started("1.2"),
        CallStarted("1.1", 1, 0.05),
        answered("1.1"),
        answered("1.2"),
        NodeEnded("1.1", "done"),
        answered("elsewhere"),
    ):
        tree.take(event, 0.0)
    assert sums(tree, 61.0, 2.0) == (
        "1/3 nodes, $0.0300 of $2.00, 4.5k tokens in, 600 out, 1 min 01 s"
    )
    tree.take(answered("1.2", usd=None), 0.0)
    assert "over $0.0300" in sums(tree, 1.0, None)
    assert sums(Tree(), 1.0, 2.0) == "detectors at work, 1.0 s"


def test_what_was_given_out_and_what_was_replayed_is_seen():
    tree = Tree()
    for event in (
        started("1"),
        Delegated("1", "1.1", ("a", "b"), "", "model"),
        Delegated("1", "1.2", ("c",), "contracts", "host"),
        started("1.1"),
        Replayed("1.1", "journal", Stop.TOOL, Usage(900, 100), 0.5),
        Replayed("elsewhere", "run", Stop.TOOL, Usage(900, 100), 0.5),
        Result("1.1", "{}"),
    ):
        tree.take(event, 7.0)
    assert (tree.nodes["1"].given, tree.nodes["1"].doing) == (2, "gave parts to 2 children")
    assert tree.nodes["1.1"].doing == "read an answer that was there"
    assert sums(tree, 3.0, 2.0) == "0/2 nodes, 2 answers replayed, 3.0 s"
    assert tree.usd == 0.0 and tree.calls == 0


def test_nodes_at_work_are_shown_with_the_way_to_them_and_the_rest_is_left():
    tree = Tree()
    tree.take(started("1"), 0.0)
    for at in range(1, 41):
        tree.take(started(f"1.{at}"), 0.0)
    for at in range(1, 31):
        tree.take(NodeEnded(f"1.{at}", "done"), float(at))
    tree.take(started("1.40.1"), 50.0)
    tree.take(CallStarted("1.40.1", 1, None), 50.0)
    shown, rest = tree.visible(4)
    assert [node.name for node in shown][:1] == ["1"]
    assert {"1.40", "1.40.1"} <= {node.name for node in shown}
    assert len(shown) == 4
    assert len(shown) + len(rest) == 42
    shown, _ = tree.visible(20)
    order = [node.order for node in shown]
    assert order == sorted(order)
    assert (1, 9) < (1, 10)
    assert {f"1.{at}" for at in range(31, 41)} <= {node.name for node in shown}
    assert "1.30" in {node.name for node in shown}  # the latest that ended


names = st.sampled_from(["1", "1.1", "1.1.1", "1.2", "2", "x.y", ""])
events = st.one_of(
    st.builds(NodeStarted, names, st.none() | names, st.text(), st.text(), st.just(1), st.just(1)),
    st.builds(NodeSplit, names, st.integers(0, 3)),
    st.builds(NodeEnded, names, st.sampled_from(["done", "partial", "failed"]), st.text()),
    st.builds(CallStarted, names, st.integers(0, 3), st.none()),
    st.builds(answered, names, st.none() | st.just(0.5)),
    st.builds(Delegated, names, names, st.just(("a",)), st.text(), st.just("host")),
    st.builds(Replayed, names, st.just("run"), st.just(Stop.END), st.just(Usage(1)), st.none()),
    st.builds(Result, names, st.text()),
    st.builds(CodeRun, names, st.text(), st.text(), st.booleans()),
    st.builds(FunctionCalled, names, st.text(), st.text()),
    st.builds(Submitted, names, st.text(), st.sampled_from([(), ("bad",)])),
    st.builds(Note, st.text()),
)


@given(st.lists(events, max_size=25), st.integers(1, 8))
def test_no_order_of_events_breaks_the_tree(given_events, rows):
    tree = Tree()
    for at, event in enumerate(given_events):
        tree.take(event, float(at))
    shown, rest = tree.visible(rows)
    assert len(shown) <= rows
    assert len(shown) + len(rest) == len(tree.nodes)


def test_a_pipe_gets_a_line_every_few_seconds_and_one_at_the_end():
    out, clock = io.StringIO(), Clock()
    with progress(out, {}, cap_usd=1.0, clock=clock) as sink:
        sink(started("1"))
        for _ in range(80):
            clock.now += 0.25
            sink(FunctionCalled("1", "read", HOSTILE))
            sink(answered("1", 0.0001))
        sink(Note(HOSTILE))
        sink(NodeEnded("1", "done"))
    lines = out.getvalue().split("\n")[:-1]
    assert lines[0] == "reviewing: 0/1 node, 0.0 s"
    assert (
        len([line for line in lines if line.startswith("reviewing")]) == 1 + 20 / LINE_EVERY_S + 1
    )
    assert lines[-1].startswith("reviewing: 1/1 node, $0.0080 of $1.00, ")
    assert lines[-2].startswith("note: \\x1b[2J")
    assert not [c for c in out.getvalue() if unicodedata.category(c) in {"Cc", "Cf"} and c != "\n"]


def test_quiet_prints_nothing():
    out = io.StringIO()
    with progress(out, {}, quiet=True) as sink:
        sink(started("1"))
        sink(Note("x"))
        sink(NodeEnded("1", "done"))
    assert out.getvalue() == ""


def test_a_reader_that_went_away_does_not_end_the_run():
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    clock = Clock()
    with progress(stream, {}, clock=clock) as sink:
        for at in range(5):
            clock.now += 60
            sink(started(f"{at}"))
    with pytest.raises(BrokenPipeError):
        stream.close()
    closed = io.StringIO()
    with progress(closed, {}, clock=clock) as sink:
        closed.close()
        sink(started("1"))


PROGRAM = """
import os, sys, time
from app.render.live import progress
from reviewer.rlm.trace import *
with progress(sys.stderr, os.environ, cap_usd=2.0) as sink:
    sink(NodeStarted("1", None, "review", "all \\x1b[2J of it [red]x[/red] \\u202e", 9, 9))
    for at in range(1, 60):
        sink(NodeStarted(f"1.{at}", "1", "review", f"part {at}", 9, 9))
        sink(CallStarted(f"1.{at}", 1, 0.1))
    time.sleep(0.4)
    print("READY", flush=True)
    %s
print("RESULT", flush=True)
"""


def on_terminal(last: str, send: int | None = None, **environ: str) -> tuple[str, str]:
    """Run the display with standard error on a terminal; return what came there, and stdout."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM) % last],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=there,
        env={"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "PATH": ""} | environ,
    )
    os.close(there)
    seen = b""
    sent = False
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            got = os.read(here, 65_536)
        except OSError:  # EIO: the other side is closed
            break
        if not got:
            break
        seen += got
        if send is not None and not sent and process.stdout.readline() == b"READY\n":
            process.send_signal(send)
            sent = True
    os.close(here)
    out, _ = process.communicate(timeout=30)
    return seen.decode("utf-8", "replace"), out.decode()


@pytest.mark.parametrize(
    ("last", "send"),
    [
        ("pass", None),
        ("raise ValueError('broken')", None),
        ("time.sleep(20)", signal.SIGINT),
    ],
)
def test_the_cursor_comes_back_however_it_ends(last, send):
    screen, out = on_terminal(last, send)
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h") == 1
    assert screen.index("\x1b[?25l") < screen.index("\x1b[?25h")
    assert ("RESULT" in out) is (last == "pass")
    assert "reviewing" not in out  # standard output has the result only
    assert "Exception in thread" not in screen


def test_the_tree_is_bounded_and_says_what_it_leaves_out():
    screen, _ = on_terminal("pass")
    bare = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)
    assert "reviewing  0/60 nodes" in bare
    assert "part 1  " in bare
    assert re.search(r"… \d+ more at work", bare)
    frame = bare.split("reviewing")[-1]
    assert frame.count("part") <= 16
    assert "all \\x1b[2J of it [red]x[/red] \\u{202e}" in bare
    assert "\x1b[2J" not in screen


def test_no_colour_is_respected():
    screen, _ = on_terminal("pass", NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", screen)
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", on_terminal("pass")[0])


def test_a_dumb_terminal_gets_lines():
    screen, _ = on_terminal("pass", TERM="dumb")
    assert "\x1b" not in screen
    assert "reviewing: 0/1 node" in screen
