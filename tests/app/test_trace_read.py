"""From any bytes to a tree: the sums of a sound trace, and what is missing of the others."""

import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import trace_nodes, trace_read
from app.trace_document import Document, totals_doc
from app.trace_json import json_pieces
from app.trace_lines import MAX_LINE_BYTES, read_line
from app.trace_nodes import in_tree_order, place
from app.trace_read import read_trace
from app.trace_words import pretty, said_by
from reviewer.model.base import Stop, Usage
from reviewer.rlm.trace import (
    CallEnded,
    CallStarted,
    CodeRun,
    FunctionCalled,
    NodeEnded,
    NodeStarted,
    Note,
    Replayed,
    Result,
)
from tests.app.traces import END, EVENTS, FIRST, answered, line, raw, whole


def read(content: bytes) -> trace_nodes.Trace:
    return read_trace(io.BytesIO(content))


def document(content: bytes) -> Document:
    file = io.BytesIO(content)
    trace = read_trace(file)
    return Document.model_validate_json("".join(json_pieces(trace, file, running=False)))


def test_the_tree_says_who_was_given_what_looked_up_what_and_returned_what() -> None:
    trace = read(whole())
    assert [node.name for node in in_tree_order(trace)] == ["1", "1.1", "1.2", "1.2.1", "1.2.2"]
    root, web, backend = (trace.nodes[name] for name in ("1", "1.1", "1.2"))
    assert root.looked == {("grep", "'area'"): 2, ("read", "'a.py', 1, 40"): 1}
    assert (root.code_runs, root.code_failed, root.printed) == (2, 1, 100 + 17)
    assert (root.turns, root.spent.calls, root.failed_calls) == (1, 2, 1)
    assert root.returned == "1 claim; “All in all.”"
    assert root.delegated == {"model": 1, "host": 1}
    assert (web.by, web.parts, web.lens) == ("model", ("p1", "p2"), "contracts")
    assert (web.refused, web.problems) == (1, ["overview: a string is wanted"])
    assert web.returned == "0 claims; “Fine.”"
    assert (backend.by, backend.split, backend.state) == ("host", 2, "partial")
    assert backend.why == "the model kept answering without a result"
    assert backend.below_usd == pytest.approx(0.02)
    assert root.below_usd == pytest.approx(0.07)
    assert trace.missing() == []
    assert trace.end == END and trace.first == FIRST


def test_the_sums_are_those_of_the_events() -> None:
    totals = totals_doc(read(whole()))
    assert (totals.nodes, totals.depth) == (5, 3)
    assert totals.states == {"done": 2, "partial": 2, "failed": 1}
    assert (totals.spent.calls, totals.failed_calls, totals.open_calls) == (4, 1, 0)
    assert totals.spent.usd == pytest.approx(0.07)
    assert totals.spent.usage.cache_read == 9_000 and totals.spent.usage.input == 3_000
    assert totals.cache_read_share == 0.75
    assert totals.replayed == {"journal": 1} and totals.saved.usd == 0.5
    assert {name: one.usd for name, one in totals.models.items()} == {
        "strong-1": pytest.approx(0.06),  # the call that named no model was the run's
        "cheap-1": pytest.approx(0.01),
    }
    assert (totals.notes, totals.borders) == (1, 1)


def test_a_price_that_is_not_known_is_not_zero() -> None:
    events = [EVENTS[1], CallStarted("1", 1, None), answered("1", 1, None)]
    totals = totals_doc(read(whole(events)))
    assert totals.spent.usd is None and totals.models["strong-1"].usd is None


def test_a_run_that_was_killed_says_what_is_missing() -> None:
    content = raw([FIRST, *EVENTS[:3]])[:-9]
    trace = read(content)
    assert trace.cut_off and trace.nodes["1"].state == "active"
    assert any("cut off" in sentence for sentence in trace.missing())
    trace = read(raw([FIRST, *EVENTS[:3]]))
    assert trace.totals.open_calls == 1
    assert any("under way" in sentence for sentence in trace.missing())
    assert document(content).run.state == "cut"


def test_garbage_is_counted_and_stepped_over() -> None:
    lines = [
        b"\xff\xfe\x00garbage\n",
        b"[1, 2]\n",
        b"{}\n",
        b'{"event": "NodeStarted", "node": "9"}\n',
        b'{"event": "NodeEnded", "node": "../9", "outcome": "done"}\n',
        b'{"event": "NodeEnded", "node": "1", "outcome": "splendid"}\n',
        b'{"event": "Note", "text": "x", "at_s": -1}\n',
        b'{"event": "Note", "text": "x", "at_s": NaN}\n',
        b'{"event": "Note", "text": "x", "at_s": 1e999}\n',
        b'{"event": "Note", "text": "x", "at_s": true}\n',
        b'{"event": "NodeSplit", "node": "1", "parts": 1' + b"0" * 30 + b"}\n",
        b"[" * 200_000 + b"\n",
        b'{"event": "Note", "text": "' + b"x" * MAX_LINE_BYTES + b'"}\n',
    ]
    assert [one for one in lines if read_line(one[:MAX_LINE_BYTES]) is not None] == []
    trace = read(line(FIRST) + b"".join(lines) + b"\n\n" + raw([*EVENTS, END]))
    assert trace.damaged == len(lines)
    same = {"seconds": 0.0}
    sound = totals_doc(read(whole()))
    assert totals_doc(trace).model_copy(update=same) == sound.model_copy(update=same)
    assert trace.missing() == [f"{len(lines)} lines could not be read."]


def test_events_of_a_newer_version_are_named() -> None:
    newer = b'{"at_s": 1, "event": "Verified", "node": "1"}\n'
    more = line(EVENTS[1]).replace(b'"units"', b'"mood": "good", "units"')
    trace = read(line(FIRST) + newer * 2 + more)
    assert trace.nodes["1"].units == 22
    assert trace.missing() == [
        "2 events of a kind unknown here: Verified (written by a newer version)."
    ]


def test_an_empty_file_is_a_trace_of_nothing() -> None:
    for content in (b"", b"\n \n"):
        trace = read(content)
        assert trace.nodes == {} and "empty" in trace.missing()[0]
        assert document(content).nodes == []


def test_a_run_that_was_tried_twice_keeps_what_both_cost() -> None:
    first_try = raw([FIRST, EVENTS[1], CallStarted("1", 1, 0.1), answered("1", 1)])
    killed = raw([EVENTS[11], CallStarted("1.1", 2, 0.1)])
    trace = read(first_try + killed + whole())
    assert trace.tries == 2 and trace.nodes["1"].tries == 2
    assert trace.totals.spent.calls == 5 and trace.totals.open_calls == 1
    assert trace.nodes["1"].state == "partial"
    gone = read(first_try + raw([EVENTS[11]]) + raw([FIRST]))
    assert gone.nodes["1.1"].state == "cut"


def test_a_node_that_nobody_began_is_shown_where_its_name_says() -> None:
    trace = read(raw([EVENTS[1], NodeEnded("1.3", "done"), NodeEnded("7.1", "done")]))
    assert trace.nodes["1"].children == ["1.3"] and trace.roots == ["1", "7.1"]


def test_children_stand_in_the_order_of_their_numbers() -> None:
    names = [f"1.{at}" for at in (10, 2, 1, 9)]
    trace = read(raw([EVENTS[1], *(NodeStarted(name, "1", "t", "", 1, 1) for name in names)]))
    assert trace.nodes["1"].children == ["1.1", "1.2", "1.9", "1.10"]
    assert sorted(["b", "2", "a.1", "10"], key=place) == ["2", "10", "a.1", "b"]


def test_no_chain_of_parents_is_too_deep_or_goes_in_a_circle() -> None:
    circle = [NodeStarted("1", "2", "t", "", 1, 1), NodeStarted("2", "1", "t", "", 1, 1)]
    assert document(raw(circle)).totals.depth == 2
    chain = [
        NodeStarted(str(at), str(at - 1) if at else None, "t", "", 1, 1) for at in range(3_000)
    ]
    trace = read(raw(chain))
    assert trace.depth == trace_read.MAX_DEPTH and len(list(in_tree_order(trace))) == 3_000
    assert document(raw(chain)).totals.nodes == 3_000


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ('{"overview": "Two\\nlines", "claims": [1, 2], "a": []}', "2 claims, 0 a; “Two lines”"),
        ('{"verdict": "holds"}', "“holds”"),
        ('{"score": 3}', '{"score": 3}'),
        ("[1]", "[1]"),
        ('{"claims": [… (9 more characters)', '{"claims": [… (9 more characters)'),
        ("word " * 100, "word " * 23 + "word…"),
        ("[" * 100_000, "[" * 119 + "…"),
    ],
)
def test_a_result_is_said_in_a_line(result: str, said: str) -> None:
    assert said_by(result) == said


@pytest.mark.parametrize("result", ["[" * 900 + "]" * 900, "NaN", "1e999", "[1, -Infinity]", "{"])
def test_a_result_that_json_cannot_carry_stays_text(result: str) -> None:
    assert pretty(result) == (result, False)
    (node,) = document(raw([EVENTS[1], Result("1", result)])).nodes
    assert node.result == result and not node.result_is_whole


def test_many_lookups_are_counted_in_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_read, "KINDS_LOOKED_UP", 3)
    calls = [FunctionCalled("1", "read", str(at)) for at in range(10)]
    many = [FunctionCalled("1", f"f{at}", "") for at in range(10)]
    node = read(raw([EVENTS[1], *calls, *many])).nodes["1"]
    assert len(node.looked) == 3 and node.more_looked["read"] == 7
    assert node.looked.total() + node.more_looked.total() == 20
    assert len(node.more_looked) <= 4


def test_nodes_beyond_the_bound_are_counted_in_the_sums() -> None:
    trace = trace_read.TraceReader(most_nodes=2).read(io.BytesIO(whole()))
    assert len(trace.nodes) == 2 and trace.totals.spent.usd == pytest.approx(0.07)
    assert any("beyond" in sentence for sentence in trace.missing())


def test_the_texts_of_a_large_trace_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    code = CodeRun("1", "x" * 2_000, "y" * 2_000, False)
    result = Result("1", json.dumps({"claims": ["z" * 100] * 1_500}))
    with path.open("wb") as file:
        file.write(raw([FIRST, EVENTS[1]]))
        for _ in range(40):
            file.write(line(code) * 50 + line(result))
    assert path.stat().st_size > 14_000_000
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            trace = read_trace(file)
            for _ in json_pieces(read_trace(file := path.open("rb")), file, running=False):
                pass
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            file.close()
    assert trace.nodes["1"].code_runs == 2_000
    assert peak < 40_000_000, "one node in full, and never the whole file twice"


names = st.sampled_from(["1", "1.1", "1.1.1", "1.2", "2", "x.y"])
events = st.one_of(
    st.builds(NodeStarted, names, st.none() | names, st.text(), st.text(), st.just(1), st.just(1)),
    st.builds(NodeEnded, names, st.sampled_from(["done", "partial", "failed"]), st.text()),
    st.builds(CallStarted, names, st.integers(0, 3), st.none(), st.text()),
    st.builds(
        CallEnded,
        names,
        st.integers(0, 3),
        st.none() | st.sampled_from(Stop),
        st.just(Usage(1, 2, 3, 4)),
        st.none() | st.just(0.5),
        st.just(1.0),
        st.text(),
    ),
    st.builds(Replayed, names, st.just("run"), st.sampled_from(Stop), st.just(Usage(1)), st.none()),
    st.builds(Result, names, st.text() | st.just('{"a": [1, "\\ud800"]}')),
    st.builds(CodeRun, names, st.text(), st.text(), st.booleans()),
    st.builds(Note, st.text()),
    st.just(FIRST),
    st.just(END),
)


@given(st.lists(events, max_size=20), st.binary(max_size=30), st.integers(0, 2_000))
def test_any_bytes_give_a_document(given_events, garbage, at):
    content = raw(given_events)
    content = content[:at] + garbage + content[at:]
    done = document(content)
    count = 0
    todo = list(done.nodes)
    while todo:
        node = todo.pop()
        count += 1
        todo += node.children
    assert count == done.totals.nodes
