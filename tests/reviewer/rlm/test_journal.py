"""Names of requests, sealed replies, and the journal in memory."""

import asyncio
import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reviewer.errors import GiveUp
from reviewer.model.base import (
    Opaque,
    Reply,
    Request,
    Stop,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)
from reviewer.rlm.budget import Amount, Limit, OutOfBudget
from reviewer.rlm.journal import Key, Ledger
from reviewer.rlm.memory import MemoryJournal
from reviewer.rlm.sealed import key_of, seal, unseal
from tests.examples import examples

HALVES = "\ud83d\ude00"
WHOLE = "\U0001f600"

# Few and awkward, so that pieces meet that could be taken for one another.
_words = st.text(alphabet=["a", '"', ":", "1", "\x00", "é", "\ud83d", "\ude00", WHOLE], max_size=3)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0]) | _words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_words, inner, max_size=2),
    max_leaves=4,
)
_objects = st.dictionaries(_words, _values, max_size=2)
_blocks = st.one_of(
    st.builds(Text, _words, st.booleans()),
    st.builds(ToolUse, _words, _words, _objects, _words),
    st.builds(ToolResult, _words, _words, st.booleans()),
    st.builds(Opaque, _objects),
)
_turns = st.builds(
    Turn,
    st.sampled_from(["user", "assistant"]),
    st.lists(_blocks, max_size=2).map(tuple),
    st.booleans(),
)
_requests = st.builds(
    Request,
    model=_words,
    system=st.lists(_words, max_size=2).map(tuple),
    turns=st.lists(_turns, max_size=2).map(tuple),
    tools=st.lists(st.builds(Tool, _words, _words, _objects), max_size=2).map(tuple),
    max_tokens=st.integers(1, 3),
    effort=st.sampled_from([None, "low", "high"]),
    require_tool=st.booleans(),
)
_replies = st.builds(
    Reply,
    st.lists(_blocks, max_size=3).map(tuple),
    st.sampled_from(list(Stop)),
    st.builds(Usage, *[st.integers(0, 10**30)] * 4),
    _words,
)
_amounts = st.builds(
    Amount, st.floats(0, 1e6, allow_nan=False), st.integers(0, 10**9), st.integers(0, 5)
)

SAMPLE = Request(
    "model",
    ("system", "guidelines"),
    (
        Turn("user", (Text("look", cache=True),)),
        Turn(
            "assistant",
            (
                Opaque({"type": "thinking", "thinking": "hm", "signature": "abc"}),
                Text("I look."),
                ToolUse("id-1", "python", {"code": "x", "n": 1}),
            ),
        ),
        Turn("user", (ToolResult("id-1", "seen"),), cache=True),
    ),
    (Tool("python", "runs code", {"type": "object"}),),
    effort="low",
)


def seen(request: Request) -> str:
    """What the model is sent, without the marks of the cache; the order in an object stays."""
    turns = [
        (turn.role, [replace(b, cache=False) if isinstance(b, Text) else b for b in turn.blocks])
        for turn in request.turns
    ]
    return repr(dataclasses.replace(request, turns=tuple(turns)))  # type: ignore[arg-type]


def key(request: Request = SAMPLE, **more: Any) -> Key:
    return key_of(request, "find", "1", **more)


def _in_turn(at: int, change: Callable[[Turn], Turn]) -> Request:
    turns = list(SAMPLE.turns)
    turns[at] = change(turns[at])
    return replace(SAMPLE, turns=tuple(turns))


def _in_block(turn: int, at: int, **changed: Any) -> Request:
    def change(old: Turn) -> Turn:
        blocks = list(old.blocks)
        blocks[at] = replace(blocks[at], **changed)
        return replace(old, blocks=tuple(blocks))

    return _in_turn(turn, change)


MUTATIONS = {
    "model": replace(SAMPLE, model="mode"),
    "system": replace(SAMPLE, system=("system", "guideline")),
    "system's parts": replace(SAMPLE, system=("systemguidelines",)),
    "system's order": replace(SAMPLE, system=("guidelines", "system")),
    "a turn less": replace(SAMPLE, turns=SAMPLE.turns[:-1]),
    "turns joined": replace(SAMPLE, turns=(*SAMPLE.turns, Turn("user", ()))),
    "role": _in_turn(0, lambda turn: replace(turn, role="assistant")),
    "block order": _in_turn(1, lambda turn: replace(turn, blocks=turn.blocks[::-1])),
    "text": _in_block(0, 0, text="look "),
    "thinking": _in_block(1, 0, raw={"type": "thinking", "thinking": "hm!", "signature": "abc"}),
    "signature": _in_block(1, 0, raw={"type": "thinking", "thinking": "hm", "signature": "abd"}),
    "call's id": _in_block(1, 2, id="id-2"),
    "call's name": _in_block(1, 2, name="submit"),
    "call's input": _in_block(1, 2, input={"code": "y", "n": 1}),
    "input's type": _in_block(1, 2, input={"code": "x", "n": "1"}),
    "input's number": _in_block(1, 2, input={"code": "x", "n": 1.0}),
    "input's order": _in_block(1, 2, input={"n": 1, "code": "x"}),
    "broken": _in_block(1, 2, broken="{"),
    "result's id": _in_block(2, 0, id="id-2"),
    "result": _in_block(2, 0, text="see"),
    "error": _in_block(2, 0, is_error=True),
    "tool's name": replace(SAMPLE, tools=(replace(SAMPLE.tools[0], name="p"),)),
    "tool's words": replace(SAMPLE, tools=(replace(SAMPLE.tools[0], description="runs"),)),
    "schema": replace(SAMPLE, tools=(replace(SAMPLE.tools[0], schema={"type": "string"}),)),
    "no tools": replace(SAMPLE, tools=()),
    "max_tokens": replace(SAMPLE, max_tokens=8_001),
    "effort": replace(SAMPLE, effort=None),
    "require_tool": replace(SAMPLE, require_tool=True),
}


def test_everything_in_a_request_counts():
    keys = {name: key(request) for name, request in MUTATIONS.items()} | {"": key()}
    digests = {one.digest for one in keys.values()}
    assert len(digests) == len({one.secret for one in keys.values()}) == len(keys)
    assert digests.isdisjoint(one.secret for one in keys.values())
    assert {(len(one.digest), len(one.secret)) for one in keys.values()} == {(32, 32)}


def test_what_asks_counts_too():
    base = key_of(SAMPLE, "find", "1")
    others = [
        key_of(SAMPLE, "fin", "d1"),
        key_of(SAMPLE, "check", "1"),
        key_of(SAMPLE, "find", "2"),
        key_of(SAMPLE, "find", "1", sample=1),
        key_of(SAMPLE, "find", "1", tenant="7"),
        key_of(SAMPLE, "find", "1", tenant="8"),
    ]
    assert len({base, *others}) == 7
    assert key_of(SAMPLE, "find", "1", sample=0, tenant="") == base


def test_marks_of_the_cache_do_not_count():
    assert key(_in_block(0, 0, cache=False)) == key()
    assert key(_in_turn(0, lambda turn: replace(turn, cache=True))) == key()


@settings(max_examples=examples(200), deadline=None)
@given(_requests, _requests)
@example(replace(SAMPLE, system=(HALVES,)), replace(SAMPLE, system=(WHOLE,)))
@example(_in_block(1, 2, input={"a": HALVES}), _in_block(1, 2, input={"a": WHOLE}))
@example(replace(SAMPLE, model=HALVES), replace(SAMPLE, model=WHOLE))
def test_two_requests_have_one_key_if_the_model_sees_the_same(one: Request, other: Request):
    assert (key(one) == key(other)) == (seen(one) == seen(other))


@settings(max_examples=examples(150), deadline=None)
@given(_requests, st.data())
def test_one_change_anywhere_is_another_key(request: Request, data: st.DataObject):
    name = data.draw(st.sampled_from([field.name for field in dataclasses.fields(Request)]))
    other = replace(request, **{name: getattr(data.draw(_requests), name)})
    assume(seen(request) != seen(other))
    assert key(request) != key(other)


def test_a_request_that_is_nested_too_deeply_is_given_up():
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"": deep}
    with pytest.raises(GiveUp):
        key(_in_block(1, 2, input=deep))


# Sealed replies

PAYER = b"p" * 16
REPLY = Reply(
    (Opaque({"type": "thinking", "signature": "s"}), ToolUse("i", "submit", {"b": 1, "a": [None]})),
    Stop.TOOL,
    Usage(1, 2, 3, 4),
)


@settings(max_examples=examples(150), deadline=None)
@given(_replies, _amounts, st.binary(max_size=16))
def test_a_reply_comes_back_as_it_was(reply: Reply, cost: Amount, payer: bytes):
    opened = unseal(key(), seal(key(), reply, cost, payer), payer)
    assert opened == (reply, cost)
    assert repr(opened) == repr((reply, cost))  # also the order in objects, 1 and 1.0 and True


def test_any_flipped_bit_or_missing_byte_is_seen():
    sealed = seal(key(), REPLY, Amount(0.5, 10, 1), PAYER)
    for at in range(len(sealed)):
        for bit in (1, 128):
            damaged = bytearray(sealed)
            damaged[at] ^= bit
            assert unseal(key(), bytes(damaged), PAYER) is None
        assert unseal(key(), sealed[:at], PAYER) is None
        assert unseal(key(), sealed[at + 1 :], PAYER) is None
    assert unseal(key(), sealed + b"\0", PAYER) is None
    assert unseal(key(), sealed, PAYER) == (REPLY, Amount(0.5, 10, 1))


def test_an_entry_opens_for_its_request_and_its_payer_alone():
    sealed = seal(key(), REPLY, Amount(), PAYER)
    other = key(tenant="other")
    assert unseal(other, sealed, PAYER) is None
    assert unseal(Key(other.digest, key().secret), sealed, PAYER) is None
    assert unseal(Key(key().digest, other.secret), sealed, PAYER) is None
    assert unseal(key(), sealed, b"q" * 16) is None
    for odd in (None, 1, "text", b"", memoryview(sealed)):
        assert unseal(key(), odd, PAYER) is None
        assert odd is memoryview(sealed) or unseal(key(), sealed, odd) is None


def test_nothing_of_a_reply_can_be_read_without_its_request():
    secret = "the code under review"
    reply = Reply((Text(secret),), Stop.END, why=secret)
    first, second = (seal(key(), reply, Amount(), PAYER) for _ in range(2))
    assert first != second
    assert secret.encode() not in first


GOOD: list[Any] = [1, [0.5, 10, 1], "end", "", [1, 2, 3, 4], [["text", "a", False]]]


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ((0,), 2),
        ((0,), "1"),
        ((1,), [0.5, 10]),
        ((1, 0), -0.5),
        ((1, 0), float("nan")),
        ((1, 0), float("inf")),
        ((1, 0), True),
        ((1, 0), "0.5"),
        ((1, 1), -1),
        ((1, 1), 1.5),
        ((1, 2), True),
        ((2,), "unheard of"),
        ((2,), None),
        ((3,), None),
        ((4,), [1, 2, 3]),
        ((4, 0), -1),
        ((4, 0), None),
        ((5,), {}),
        ((5, 0), "text"),
        ((5, 0), ["text", "a"]),
        ((5, 0), ["text", "a", 0]),
        ((5, 0), ["text", 1, False]),
        ((5, 0), ["use", "i", "n", [], ""]),
        ((5, 0), ["use", "i", "n", {}]),
        ((5, 0), ["result", "i", "t", None]),
        ((5, 0), ["opaque", []]),
        ((5, 0), ["other", {}]),
    ],
)
def test_what_another_version_may_have_sealed_is_no_reply(at: tuple[int, ...], value: Any):
    def sealed(content: Any) -> bytes:
        written = json.dumps(content).encode()
        return b"n" * 12 + AESGCM(key().secret).encrypt(b"n" * 12, written, key().digest + PAYER)

    assert unseal(key(), sealed(GOOD), PAYER) is not None
    bad = json.loads(json.dumps(GOOD))
    place = bad
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = value
    assert unseal(key(), sealed(bad), PAYER) is None
    assert unseal(key(), sealed(GOOD[:-1]), PAYER) is None
    assert unseal(key(), sealed([*GOOD, 1]), PAYER) is None


@pytest.mark.parametrize("written", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 10_000])
def test_what_is_no_json_is_no_reply(written: bytes):
    sealed = b"n" * 12 + AESGCM(key().secret).encrypt(b"n" * 12, written, key().digest + PAYER)
    assert unseal(key(), sealed, PAYER) is None


# The ledger, and the journal in memory


def test_a_ledger_keeps_its_caps_with_what_was_used_before():
    ledger = Ledger(Limit(usd=0.3), Amount(0.1))
    first = ledger.reserve(Amount(0.1))
    ledger.reserve(Amount(0.1))  # 0.1 + 0.1 + 0.1 is more than 0.3, in floats
    with pytest.raises(OutOfBudget):
        ledger.reserve(Amount(0.01))
    assert ledger.settle(first, Amount(0.05)) == Amount(0.1)
    ledger.reserve(Amount(0.05))
    with pytest.raises(ValueError, match="once"):
        ledger.settle(first, Amount())


@pytest.mark.parametrize("caps", [Limit(tokens=10), Limit(calls=1), Limit(usd=1.0)])
def test_each_cap_binds(caps: Limit):
    ledger = Ledger(caps)
    ledger.reserve(Amount(1.0, 10, 1))
    with pytest.raises(OutOfBudget):
        ledger.reserve(Amount(1.0, 10, 1))
    assert ledger.used == Amount(1.0, 10, 1)


def test_in_memory_a_run_goes_on_as_it_would_on_the_disk():
    async def run() -> None:
        journal = MemoryJournal(Limit(usd=1.0), "one")
        paid, cut, charged = key(), key(sample=1), key(sample=2)
        assert await journal.find(paid) is None
        await journal.settle(await journal.reserve(paid, Amount(0.3)), paid, Amount(0.2), REPLY)
        await journal.settle(
            await journal.reserve(charged, Amount(0.1)), charged, Amount(0.1), None
        )
        await journal.reserve(cut, Amount(0.4))
        assert journal.lost == Amount()

        again = journal.again()
        assert again.lost == Amount(0.5)
        kept = await again.find(paid)
        assert kept is not None
        assert (kept.reply, kept.cost, kept.own) == (REPLY, Amount(0.2), True)
        assert await again.find(cut) is await again.find(charged) is None
        await again.reserve(cut, Amount(0.3))
        with pytest.raises(OutOfBudget):
            await again.reserve(cut, Amount(0.1))

        other = journal.again("two")
        assert other.lost == Amount()
        kept = await other.find(paid)
        assert kept is not None
        assert not kept.own

    asyncio.run(run())
