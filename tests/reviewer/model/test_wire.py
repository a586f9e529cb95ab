"""Requests as the API takes them, and its events as our values, for all that can be made up."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.model.base import (
    Opaque,
    Request,
    Stop,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
)
from reviewer.model.wire import Assembly, Dialect, Malformed, body
from tests.examples import examples
from tests.model_rules import refusal

ANY = Dialect()
TOOL = Tool("python", "Run.", {"type": "object"})

WORDS = st.text(st.characters(), max_size=30)  # surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
THINKING = st.builds(
    lambda words: Opaque({"type": "thinking", "thinking": words, "signature": "s"}), WORDS
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Conversations as a node makes them: every tool call answered, anything as text."""
    turns = [Turn("user", (Text("start"), *draw(texts())), draw(st.booleans()))]
    for number in range(draw(st.integers(0, 5))):
        uses = [
            ToolUse(f"t{number}_{i}", "python", draw(st.dictionaries(WORDS, JSON, max_size=2)))
            for i in range(draw(st.integers(0, 2)))
        ]
        said = (*draw(st.lists(THINKING, max_size=2)), *draw(texts()), *uses)
        if draw(st.booleans()):
            said = (*said, *draw(st.lists(THINKING, max_size=1)))
        turns.append(Turn("assistant", said, draw(st.booleans())))
        results = tuple(ToolResult(use.id, draw(WORDS), draw(st.booleans())) for use in uses)
        extra = draw(texts())
        turns.append(
            Turn(
                "user", (*extra, *results, *(() if results else (Text("go"),))), draw(st.booleans())
            )
        )
    return Request(
        model=draw(st.sampled_from(["claude-sonnet-5-5", "claude-haiku-4-5", "other"])),
        system=tuple(draw(st.lists(WORDS, max_size=6))),
        turns=tuple(turns),
        tools=draw(st.sampled_from([(), (TOOL,)])),
        effort=draw(st.sampled_from([None, "low"])),
        require_tool=draw(st.booleans()),
    )


def texts() -> st.SearchStrategy[tuple[Text, ...]]:
    return st.lists(st.builds(Text, WORDS, st.booleans()), max_size=3).map(tuple)


@settings(max_examples=examples(200), deadline=None)
@given(requests())
def test_the_api_takes_whatever_a_node_can_say(request: Request) -> None:
    written = body(request, Dialect(forced_tools=False, effort=False))
    json.dumps(written, ensure_ascii=False, allow_nan=False).encode()
    assert refusal(written) is None


@settings(max_examples=examples(100), deadline=None)
@given(requests())
def test_a_longer_conversation_repeats_the_shorter_one_word_for_word(request: Request) -> None:
    """Thinking is bound to what was sent before it: nothing there may change later."""
    whole = [_bare(message) for message in body(request, ANY)["messages"]]
    for length in range(1, len(request.turns) + 1, 2):
        shorter = replace(request, turns=request.turns[:length])
        part = [_bare(message) for message in body(shorter, ANY)["messages"]]
        assert whole[: len(part)] == part


@settings(max_examples=examples(100), deadline=None)
@given(requests())
def test_the_end_of_the_system_and_of_the_conversation_are_always_marked(request: Request) -> None:
    written = body(request, ANY)
    parts = written.get("system", [])
    assert not parts or parts[-1].get("cache_control")
    blocks = [block for message in written["messages"] for block in message["content"]]
    assert all("wanted" not in block for block in blocks)
    if request.turns[-1].cache:
        assert blocks[-1].get("cache_control") or blocks[-1]["type"] == "thinking"


def _bare(message: dict[str, Any]) -> dict[str, Any]:
    return {
        **message,
        "content": [
            {k: v for k, v in block.items() if k != "cache_control"} for block in message["content"]
        ],
    }


def test_marks_are_spent_on_what_is_shared_most() -> None:
    request = Request(
        model="m",
        system=("one", "two", "three"),
        turns=(
            Turn("user", (Text("scope", cache=True), Text("lens"))),
            Turn("assistant", (Text("hm"),)),
            Turn("user", (Text("first"),), cache=True),
            Turn("assistant", (Text("hm"),)),
            Turn("user", (Text("latest"),), cache=True),
        ),
    )
    written = body(request, ANY)
    blocks = [*written["system"], *(b for m in written["messages"] for b in m["content"])]
    marked = [block["text"] for block in blocks if "cache_control" in block]
    assert marked == ["two", "three", "scope", "latest"]


def test_a_conversation_that_ends_with_the_model_asks_it_to_go_on() -> None:
    request = Request("m", (), (Turn("user", (Text("a"),)), Turn("assistant", (Text("b"),))))
    last = body(request, ANY)["messages"][-1]
    assert last == {"role": "user", "content": [{"type": "text", "text": "Continue."}]}


def test_what_is_not_asked_for_is_not_sent() -> None:
    request = Request("m", (), (Turn("user", (Text("a"),)),))
    assert set(body(request, ANY)) == {"model", "max_tokens", "messages"}


def test_require_tool_without_tools_forces_nothing() -> None:
    request = Request("m", (), (Turn("user", (Text("a"),)),), require_tool=True)
    assert "tool_choice" not in body(request, ANY)


def take(*events: dict[str, Any]) -> Assembly:
    assembly = Assembly()
    for event in events:
        assembly.take(event)
    return assembly


START = {"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}


def opened(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def closed(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def delta(index: int, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def test_later_usage_replaces_earlier() -> None:
    usage = take(START, END).reply().usage
    assert (usage.input, usage.output) == (3, 9)


@pytest.mark.parametrize("figure", [None, -1, "7", 1.5, True, [], {}])
def test_a_figure_that_is_no_number_of_tokens_is_passed_over(figure: object) -> None:
    odd = {**END, "usage": {"output_tokens": figure, "input_tokens": 4}}
    usage = take(START, odd).reply().usage
    assert (usage.input, usage.output) == (4, 1)


def test_an_open_block_or_a_missing_reason_is_not_whole() -> None:
    assert not take(START).complete
    assert not take(END).complete
    assert not take(START, opened(0, type="text", text=""), END).complete
    assert take(START, opened(0, type="text", text=""), closed(0), END).complete


def test_thinking_without_a_signature_cannot_go_back_and_is_left_out() -> None:
    words = delta(0, type="thinking_delta", thinking="hm")
    reply = take(START, opened(0, type="thinking", thinking=""), words, closed(0), END).reply()
    assert reply.blocks == ()


def test_a_block_with_a_part_that_this_version_cannot_read_is_left_out() -> None:
    part = delta(0, type="hologram_delta", beam=1)
    assert take(START, opened(0, type="hologram"), part, closed(0), END).reply().blocks == ()
    cited = delta(0, type="citations_delta", citation={})
    reply = take(START, opened(0, type="text", text="a"), cited, closed(0), END).reply()
    assert reply.blocks == (Text("a"),)


def test_the_category_of_a_refusal_is_kept() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "no exploits"}
    refused = {
        "type": "message_delta",
        "delta": {"stop_reason": "refusal", "stop_details": details},
    }
    reply = take(START, refused).reply()
    assert (reply.stop, reply.why) == (Stop.REFUSED, "cyber: no exploits")


def test_an_endless_answer_is_malformed() -> None:
    flood = delta(0, type="text_delta", text="x" * 1_000_000)
    with pytest.raises(Malformed, match="characters"):
        take(START, opened(0, type="text", text=""), *[flood] * 9)


PLACE = st.sampled_from([0, 1]) | JSON
KIND = st.sampled_from(["text", "tool_use", "thinking", "hologram"])
PIECE = st.sampled_from(["text", "partial_json", "thinking", "signature"])
ODD_EVENTS = st.one_of(
    st.just(START),
    st.just(END),
    JSON,
    st.builds(
        lambda index, block: opened(0, **block) | {"index": index},
        PLACE,
        st.fixed_dictionaries(
            {"type": KIND | JSON}, optional={"text": JSON, "input": JSON, "id": JSON, "name": JSON}
        ),
    ),
    st.builds(
        lambda index, kind, piece, part: (
            delta(0, type=f"{kind}_delta", **{piece: part}) | {"index": index}
        ),
        PLACE,
        st.sampled_from(["text", "input_json", "thinking", "signature", "x"]),
        PIECE,
        WORDS | JSON,
    ),
    st.builds(lambda index: closed(0) | {"index": index}, PLACE),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["message_start", "message_delta"]) | JSON},
        optional={"message": JSON, "delta": JSON, "usage": JSON},
    ),
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(ODD_EVENTS, max_size=8))
def test_no_event_can_do_more_than_be_malformed(events: list[Any]) -> None:
    assembly = Assembly()
    try:
        for event in events:
            assembly.take(event)
    except Malformed:
        return
    reply = assembly.reply()
    again = Request("m", (), (Turn("user", (Text("a"),)), Turn("assistant", reply.blocks)))
    json.dumps(body(again, ANY), ensure_ascii=False).encode()
