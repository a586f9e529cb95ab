"""Every way in which the service can answer or fail, over real HTTP through the real SDK."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import (
    Model,
    Opaque,
    Reply,
    Request,
    Stop,
    Text,
    Tool,
    ToolResult,
    ToolUse,
    Turn,
    Unanswered,
    Usage,
)
from tests.model_server import (
    END,
    Answer,
    ModelServer,
    Script,
    billed,
    block,
    cut,
    error,
    hang,
    raw,
    raw_tool,
    redacted,
    redirect,
    stall,
    stopped,
    stream_error,
    text,
    thinking,
    tool,
    truncated,
)

KEY = "sk-ant-very-secret-0123456789"
SUBMIT = Tool("submit", "Hand it in.", {"type": "object", "properties": {}})
ASK = Request(
    model="claude-sonnet-5-5",
    system=("You review code.",),
    turns=(Turn("user", (Text("Here is a change."),)),),
    tools=(SUBMIT,),
    max_tokens=1_000,
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def ask(script: Script, request: Request = ASK, timeout_s: float = 10.0, **options: Any) -> Reply:
    with ModelServer(script) as server:
        return ask_at(server, request, timeout_s, **options)


def ask_at(
    server: ModelServer, request: Request = ASK, timeout_s: float = 10.0, **options: Any
) -> Reply:
    async def main() -> Reply:
        async with AnthropicModel(KEY, server.url, **options) as model:
            return await model.complete(request, timeout_s)

    return asyncio.run(main())


def failure(script: Script, request: Request = ASK, **options: Any) -> RlmError:
    with pytest.raises(RlmError) as caught:
        ask(script, request, **options)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert KEY not in shown
    return caught.value


def unanswered(script: Script, **options: Any) -> Unanswered:
    caught = failure(script, **options)
    assert isinstance(caught, Unanswered), caught
    return caught


def tell(script: Script, **options: Any) -> TellUser:
    caught = failure(script, **options)
    assert isinstance(caught, TellUser), caught
    assert caught.hint
    return caught


# Answers


def test_text_and_tools_come_back_in_order_with_their_usage() -> None:
    answer = [text("Let me see: ünïcode ✓"), tool("submit", {"a": [1, {"b": None}]})]
    reply = ask([billed_list(answer, input_tokens=7, output_tokens=11)])
    first, second = reply.blocks
    assert first == Text("Let me see: ünïcode ✓")
    assert isinstance(second, ToolUse)
    assert (second.name, second.input, second.broken) == ("submit", {"a": [1, {"b": None}]}, "")
    assert reply.stop is Stop.TOOL
    assert reply.usage == Usage(input=7, output=11)


def billed_list(parts: list[Answer], **usage: int) -> Answer:
    whole = replace(parts[0], blocks=tuple(b for part in parts for b in part.blocks))
    return billed(whole, **usage)


def test_the_model_is_a_model() -> None:
    model: Model = AnthropicModel(KEY)
    assert repr(model) == "AnthropicModel('https://api.anthropic.com')"


def test_usage_tells_cache_reads_and_writes_from_plain_input() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 4,
        "cache_read_input_tokens": 300,
        "cache_creation_input_tokens": 20,
    }
    reply = ask([billed(text("x"), **usage)])
    assert reply.usage == Usage(input=10, output=4, cache_read=300, cache_write=20)


def test_a_second_call_reads_the_marked_prefix_from_the_cache() -> None:
    with ModelServer([text("one"), text("two")]) as server:
        cold, warm = ask_at(server).usage, ask_at(server).usage
    assert cold.cache_write > 0 == cold.cache_read
    assert warm.cache_read == cold.cache_write
    assert warm.cache_write == 0


def test_a_tool_without_input_has_an_empty_one() -> None:
    (use,) = ask([raw_tool("submit", "")]).tool_uses
    assert (use.input, use.broken) == ({}, "")


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("end_turn", Stop.END),
        ("stop_sequence", Stop.END),
        ("max_tokens", Stop.TRUNCATED),
        ("refusal", Stop.REFUSED),
        ("pause_turn", Stop.PAUSED),
        ("model_context_window_exceeded", Stop.WINDOW),
    ],
)
def test_every_stop_reason_has_its_word(reason: str, stop: Stop) -> None:
    reply = ask([stopped(reason, text("so far"))])
    assert (reply.stop, reply.text) == (stop, "so far")


def test_a_stop_reason_of_the_future_is_unknown_and_named() -> None:
    reply = ask([stopped("went_fishing", text("bye"))])
    assert (reply.stop, reply.why, reply.text) == (Stop.UNKNOWN, "went_fishing", "bye")


def test_a_refusal_has_no_blocks_and_no_error() -> None:
    reply = ask([stopped("refusal")])
    assert (reply.blocks, reply.stop) == ((), Stop.REFUSED)


def test_an_empty_reply_is_a_reply() -> None:
    reply = ask([Answer()])
    assert (reply.blocks, reply.stop) == ((), Stop.END)


def test_half_a_tool_input_is_kept_as_text_and_never_as_input() -> None:
    reply = ask([truncated("submit", '{"findings": [{"title": "Off by')])
    (use,) = reply.tool_uses
    assert reply.stop is Stop.TRUNCATED
    assert use.input == {}
    assert use.broken == '{"findings": [{"title": "Off by'


@pytest.mark.parametrize(
    "written", ["[1, 2]", "nonsense", '{"x": NaN}', '{"x": 1e999}', '{"x":' + "[" * 50_000]
)
def test_tool_input_that_is_no_json_object_is_broken(written: str) -> None:
    (use,) = ask([raw_tool("submit", written)]).tool_uses
    assert use.input == {}
    assert use.broken == written


def test_lone_surrogates_in_a_reply_become_visible_text() -> None:
    reply = ask([raw_tool("submit", '{"x\\ud800": "\\udc80"}')])
    json.dumps(reply.tool_uses[0].input, ensure_ascii=False).encode()
    assert "ud800" in next(iter(reply.tool_uses[0].input))


def test_blocks_and_events_of_the_future_are_passed_over_or_kept() -> None:
    future = block({"type": "hologram", "beam": 3})
    events = (
        b'event: vibe\ndata: {"type": "vibe"}\n\n'
        b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":1}}}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    with ModelServer([future, raw(events)]) as server:
        assert ask_at(server).blocks == (Opaque({"type": "hologram", "beam": 3}),)
        assert ask_at(server).usage == Usage(input=1)


# Conversations


def test_thinking_goes_back_as_it_came_and_the_service_takes_it() -> None:
    def script(request: dict[str, Any]) -> list[Answer] | Answer:
        turns = len(request["messages"])
        return [thinking(), redacted("blob"), tool("submit", {})] if turns < 5 else text("done")

    with ModelServer(script) as server:
        request = ASK
        for _ in range(3):
            reply = ask_at(server, request)
            answers = tuple(ToolResult(use.id, "no") for use in reply.tool_uses)
            request = replace(
                request,
                turns=(
                    *request.turns,
                    Turn("assistant", reply.blocks),
                    Turn("user", answers or (Text("thanks"),), cache=True),
                ),
            )
        assert reply.text == "done"
        assert server.refused == []
        said = server.calls[-1]["messages"][1]["content"]
    assert [part["type"] for part in said] == ["thinking", "redacted_thinking", "tool_use"]
    assert said[0]["signature"].startswith("bound:")


def test_thinking_of_another_conversation_is_left_out_after_the_refusal() -> None:
    stale = Opaque({"type": "thinking", "thinking": "", "signature": "bound:elsewhere"})
    use = ToolUse("t1", "submit", {})
    request = replace(
        ASK,
        turns=(
            *ASK.turns,
            Turn("assistant", (stale, use)),
            Turn("user", (ToolResult("t1", "go on"),)),
        ),
    )
    with ModelServer([text("fine")]) as server:
        assert ask_at(server, request).text == "fine"
        assert len(server.refused) == 1
        sent = server.calls[-1]["messages"][1]["content"]
    assert [part["type"] for part in sent] == ["tool_use"]


def test_a_tool_is_forced_where_the_model_takes_it() -> None:
    with ModelServer(["x", "x"]) as server:
        ask_at(server, replace(ASK, model="claude-haiku-5-5", require_tool=True))
        ask_at(server, replace(ASK, model="claude-opus-5-5", require_tool=True))
        forced, free = server.calls
        assert server.refused == []
    assert forced["tool_choice"] == {"type": "any"}
    assert "tool_choice" not in free


@pytest.mark.parametrize(
    ("complaint", "gone"),
    [
        ('tool_choice: type "tool" and "any" are not supported for this model.', "tool_choice"),
        ("This model does not support the effort parameter.", "output_config"),
    ],
)
def test_a_refused_feature_is_left_out_at_once_and_from_then_on(complaint: str, gone: str) -> None:
    request = replace(ASK, model="house-model-1", require_tool=True, effort="low")

    def script(body: dict[str, Any]) -> Answer:
        return error(400, "invalid_request_error", complaint) if gone in body else text("ok")

    async def main(url: str) -> list[str]:
        async with AnthropicModel(KEY, url) as model:
            return [(await model.complete(request, 5)).text for _ in range(2)]

    with ModelServer(script) as server:
        assert asyncio.run(main(server.url)) == ["ok", "ok"]
        assert [gone in body for body in server.calls] == [True, False, False]


def test_a_refused_feature_that_was_not_asked_for_is_a_refused_request() -> None:
    caught = failure([error(400, "invalid_request_error", "effort: what?")] * 3)
    assert isinstance(caught, GiveUp)
    assert "effort: what?" in str(caught)


def test_effort_is_sent_where_the_model_knows_it() -> None:
    with ModelServer(["x", "x"]) as server:
        ask_at(server, replace(ASK, effort="low"))
        ask_at(server, replace(ASK, model="claude-haiku-4-5-20251001", effort="low"))
        new, old = server.calls
        assert server.refused == []
    assert new["output_config"] == {"effort": "low"}
    assert "output_config" not in old


def test_surrogates_of_any_kind_can_be_sent() -> None:
    request = replace(
        ASK,
        system=("caf\udce9",),
        turns=(
            Turn("user", (Text("raw byte \udc80 and worse \ud800"),)),
            Turn("assistant", (ToolUse("t1", "submit", {"\udcff": ["\ud83d"]}),)),
            Turn("user", (ToolResult("t1", "\udcfe", is_error=True),)),
        ),
    )
    with ModelServer([text("ok")]) as server:
        assert ask_at(server, request).text == "ok"
        sent = server.calls[0]
    assert sent["system"][0]["text"] == "caf\\xe9"
    assert sent["messages"][2]["content"][0]["content"] == "\\xfe"


# Refusals


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "authentication_error"), (403, "permission_error")]
)
def test_a_refused_key_is_for_the_user(status: int, kind: str) -> None:
    caught = tell([error(status, kind, "invalid x-api-key")])
    assert "refused the key" in caught.problem
    assert "ANTHROPIC_API_KEY" in caught.hint


def test_a_service_that_echoes_the_key_does_not_make_us_print_it() -> None:
    caught = tell([error(401, "authentication_error", f"bad header: Bearer {KEY}\nx")])
    assert "[key]" in caught.problem


def test_an_unknown_model_is_named() -> None:
    caught = tell([error(404, "not_found_error", "model: claude-sonnet-5-5")])
    assert "claude-sonnet-5-5" in caught.problem
    assert "--model" in caught.hint


def test_an_address_without_the_api_is_named() -> None:
    with ModelServer(["never"]) as server:
        url = f"{server.url}/wrong"

        async def main() -> None:
            await AnthropicModel(KEY, url).complete(ASK, 5)

        with pytest.raises(TellUser) as caught:
            asyncio.run(main())
    # The stand-in says not_found_error for paths too; a web server says it with a page.
    assert url in caught.value.problem
    page = tell([error(404, body="<html>nginx</html>")])
    assert "no Messages API" in page.problem


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "invalid_request_error", "Your credit balance is too low to access the API."),
        error(402, "billing_error", "Payment required"),
        error(400, "invalid_request_error", "You have reached your specified API usage limits."),
        error(429, "rate_limit_error", "no", code="enforced_spend_limit_reached"),
    ],
)
def test_an_account_that_cannot_pay_is_for_the_user(answer: Answer) -> None:
    assert "cannot pay" in tell([answer]).problem


@pytest.mark.parametrize(
    "answer",
    [
        error(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
        error(413, "request_too_large", "Request exceeds the maximum size"),
        error(413, body="<html>413 Request Entity Too Large</html>"),
        error(422, "invalid_request_error", "no"),
    ],
)
def test_a_request_that_will_never_be_answered_is_given_up(answer: Answer) -> None:
    caught = failure([answer])
    assert isinstance(caught, GiveUp)
    assert str(answer.status) in str(caught)


def test_a_prompt_that_is_too_long_is_said_in_the_services_words() -> None:
    answer = error(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")
    assert "prompt is too long: 9 tokens > 8 maximum" in str(failure([answer]))


def test_a_redirect_is_not_followed() -> None:
    with ModelServer([text("stolen")]) as thief:
        caught = tell([redirect(f"{thief.url}/v1/messages")])
        assert thief.requests == []
    assert "redirect" in caught.problem


# Try again


@pytest.mark.parametrize(
    ("answer", "after_s"),
    [
        (error(429, "rate_limit_error", retry_after=7), 7.0),
        (error(429, "rate_limit_error", retry_after="0.5"), 0.5),
        (error(429, "rate_limit_error", retry_after="Thu, 01 Jan 2015 00:00:00 GMT"), 0.0),
        (error(429, "rate_limit_error", retry_after=1e9), 0.0),
        (error(429, "rate_limit_error", retry_after=-5), 0.0),
        (error(429, "rate_limit_error", retry_after="nan"), 0.0),
        (error(429, "rate_limit_error", retry_after="soon"), 0.0),
        (error(429, "rate_limit_error"), 0.0),
        (error(529, "overloaded_error"), 0.0),
        (error(503, body="<html>busy</html>", retry_after=3), 3.0),
    ],
)
def test_a_busy_service_is_tried_again_when_it_says(answer: Answer, after_s: float) -> None:
    caught = unanswered([answer])
    assert (caught.busy, caught.billed, caught.after_s) == (True, False, after_s)


@pytest.mark.parametrize(
    ("answer", "charged"),
    [
        (error(500, "api_error", "Internal server error"), False),
        (error(504, "timeout_error"), False),
        (error(408, "timeout_error"), False),
        # A proxy in between gave up; the service may have answered all the same.
        (error(502, body="<html>Bad gateway</html>"), True),
        (error(504, body="<html>Gateway time-out</html>"), True),
    ],
)
def test_a_server_error_is_tried_again(answer: Answer, charged: bool) -> None:
    caught = unanswered([answer])
    assert (caught.busy, caught.billed) == (False, charged)
    assert str(answer.status) in str(caught)
    assert "<html>" not in str(caught)


def test_a_refused_connection_costs_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        caught = at_address(url)
    assert (caught.billed, caught.busy) == (False, False)
    assert url in str(caught)


def test_an_unknown_host_costs_nothing() -> None:
    assert not at_address("http://no-such-host.invalid").billed


def test_a_host_that_does_not_answer_the_connection_costs_nothing() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with socket.create_connection(full.getsockname()):  # the queue of 0 holds this one
            assert not at_address(url, connect_s=0.2).billed


def at_address(url: str, **options: Any) -> Unanswered:
    async def main() -> None:
        async with AnthropicModel(KEY, url, **options) as model:
            await model.complete(ASK, 5.0)

    with pytest.raises(Unanswered) as caught:
        asyncio.run(main())
    assert KEY not in str(caught.value)
    return caught.value


def test_a_certificate_of_a_strangers_proxy_is_for_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path)
    with ModelServer(["through TLS"], certificate=(certificate, key)) as server:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with pytest.raises(TellUser) as caught:
            ask_at(server)
        assert "certificate" in caught.value.problem
        assert "SSL_CERT_FILE" in caught.value.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask_at(server).text == "through TLS"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
        with pytest.raises(TellUser, match=r"absent\.pem"):
            ask_at(server)


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "proxy")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("after", [0, 1, 4, 6])
def test_a_cut_answer_counts_as_charged(after: int, clean: bool) -> None:
    caught = unanswered([cut(text("some words"), after_events=after, clean=clean)])
    assert (caught.billed, caught.busy) == (True, False)


def test_an_answer_cut_within_an_event_counts_as_charged() -> None:
    assert unanswered([cut(text("some words"), after_bytes=700)]).billed
    assert unanswered([cut(text("some words"), after_bytes=700, clean=True)]).billed


def test_an_answer_that_lacks_only_its_last_event_is_whole() -> None:
    # start, ping, block start, 3 deltas, block stop, message delta; then "message_stop"
    reply = ask([cut(text("complete"), after_events=8)])
    assert (reply.text, reply.stop) == ("complete", Stop.END)


def test_a_connection_closed_without_an_answer_counts_as_charged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        async def main() -> None:
            loop = asyncio.get_running_loop()
            asked = asyncio.ensure_future(
                AnthropicModel(KEY, f"http://127.0.0.1:{server.getsockname()[1]}").complete(ASK, 5)
            )
            connection, _ = await loop.run_in_executor(None, server.accept)
            await loop.run_in_executor(None, connection.recv, 1_000)
            connection.close()
            await asked

        with pytest.raises(Unanswered) as caught:
            asyncio.run(main())
    assert caught.value.billed


def test_an_answer_that_comes_too_late_is_cut_and_counts_as_charged() -> None:
    began = time.monotonic()
    caught = unanswered([hang(5)], timeout_s=0.3)
    assert caught.billed
    assert "0.3 s" in str(caught)
    assert time.monotonic() - began < 4


def test_a_stream_that_falls_silent_is_cut_and_counts_as_charged() -> None:
    began = time.monotonic()
    caught = unanswered([stall(text("some words"), after_events=4, seconds=5)], stall_s=0.3)
    assert caught.billed
    assert "silent" in str(caught)
    assert time.monotonic() - began < 4


def test_a_stream_that_does_not_end_after_its_last_event_is_whole() -> None:
    endless = stall(text("complete"), after_events=END, seconds=5)
    began = time.monotonic()
    assert ask([endless]).text == "complete"
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome to our hotel's network</html>",
        b'event: message_start\ndata: {"type": "message_st\n\n',
        b"event: message_start\ndata: 3\n\n",
        b'event: message_start\ndata: {"type": "message_start"}\n\n',
        b'event: x\ndata: {"type":"content_block_delta","index":4,"delta":{}}\n\n',
        b"event: message_start\ndata: \xff\xfe\x00\n\n",
        b"event: x\ndata: " + b"[" * 100_000 + b"\n\n",
        json.dumps({"type": "message", "content": []}).encode(),
    ],
)
def test_garbage_counts_as_charged(body: bytes) -> None:
    assert unanswered([raw(body)]).billed


@pytest.mark.parametrize(
    ("kind", "busy"), [("overloaded_error", True), ("rate_limit_error", True), ("api_error", False)]
)
def test_an_error_in_mid_stream_counts_as_charged(kind: str, busy: bool) -> None:
    caught = unanswered([stream_error(kind, text("some words"), message="Overloaded")])
    assert (caught.busy, caught.billed) == (busy, True)
    assert "Overloaded" in str(caught)


def test_an_error_before_the_answer_began_costs_nothing() -> None:
    caught = unanswered([stream_error("overloaded_error", text("x"), after_events=0)])
    assert (caught.busy, caught.billed) == (True, False)


@pytest.mark.parametrize("kind", ["authentication_error", "invalid_request_error"])
def test_what_ends_an_answer_that_had_begun_counts_as_charged_whoever_must_mend_it(
    kind: str,
) -> None:
    assert unanswered([stream_error(kind, text("x"))]).billed


def test_an_error_event_for_the_user_is_for_the_user() -> None:
    tell([stream_error("authentication_error", text("x"), after_events=0)])


def test_an_error_event_that_makes_no_sense_is_tried_again() -> None:
    assert "ouch" in str(unanswered([raw(b"event: error\ndata: ouch\n\n")]))


# One attempt, one deadline, many at once


def test_one_call_is_one_request() -> None:
    with ModelServer([error(500), text("second")]) as server:
        with pytest.raises(Unanswered):
            ask_at(server)
        assert len(server.calls) == 1


def test_a_cancelled_call_ends_at_once() -> None:
    arrived = threading.Event()

    def script(_: dict[str, Any]) -> Answer:
        arrived.set()
        return hang(5)

    async def main(url: str) -> float:
        async with AnthropicModel(KEY, url) as model:
            call = asyncio.ensure_future(model.complete(ASK, 30))
            await asyncio.to_thread(arrived.wait, 5)
            began = time.monotonic()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return time.monotonic() - began

    with ModelServer(script) as server:
        assert asyncio.run(main(server.url)) < 1


def test_the_beginning_of_an_answer_is_told_while_the_rest_is_awaited() -> None:
    with ModelServer([stall(text("slow"), 1, 10.0)]) as server:

        async def main() -> tuple[bool, Reply, int]:
            said: list[str] = []
            begun = asyncio.Event()

            def told() -> None:
                said.append("begun")
                begun.set()

            async with AnthropicModel(KEY, server.url) as model:
                call = asyncio.ensure_future(model.complete(ASK, 20, told))
                await asyncio.wait_for(begun.wait(), 5)
                early = not call.done()
                server.release()
                return early, await call, len(said)

        early, reply, times = asyncio.run(main())
    assert (early, reply.text, times) == (True, "slow", 1)


def beginnings(answers: list[Answer]) -> int:
    """Return how often one call was told that its answer had begun."""
    said: list[str] = []
    with ModelServer(answers) as server:

        async def main() -> None:
            async with AnthropicModel(KEY, server.url) as model:
                with suppress(RlmError):
                    await model.complete(replace(ASK, effort="low"), 5, lambda: said.append("b"))

        asyncio.run(main())
        assert len(server.calls) == len(answers)
    return len(said)


def test_the_beginning_is_told_once_where_a_feature_was_refused_first() -> None:
    refused = error(400, "invalid_request_error", "effort is not supported")
    assert beginnings([refused, text("ok")]) == 1


@pytest.mark.parametrize(
    "answer", [error(529, "overloaded_error"), error(400), cut(text("a"), after_events=0)]
)
def test_the_beginning_of_an_answer_that_never_began_is_not_told(answer: Answer) -> None:
    assert beginnings([answer]) == 0


def test_many_calls_run_side_by_side() -> None:
    async def main(url: str) -> list[str]:
        async with AnthropicModel(KEY, url) as model:
            asked = [replace(ASK, turns=(Turn("user", (Text(f"number {i}"),)),)) for i in range(20)]
            replies = await asyncio.gather(*(model.complete(one, 10) for one in asked))
            return [reply.text for reply in replies]

    def echo(body: dict[str, Any]) -> Answer:
        return hang(0.3, text(body["messages"][0]["content"][0]["text"]))

    with ModelServer(echo) as server:
        assert asyncio.run(main(server.url)) == [f"number {i}" for i in range(20)]
        assert server.peak > 10


def test_a_long_stream_of_small_pieces_is_read_in_good_time() -> None:
    long = "word " * 200_000
    assert ask([text(long)]).text == long


# Counting


def counted(server: ModelServer, request: Request = ASK) -> int:
    async def main() -> int:
        async with AnthropicModel(KEY, server.url) as model:
            return await model.count(request)

    return asyncio.run(main())


def test_tokens_are_counted_of_the_very_request() -> None:
    with ModelServer([]) as server:
        small = counted(server)
        large = counted(server, replace(ASK, system=("x" * 4_000,)))
        assert [call.path for call in server.requests] == ["/v1/messages/count_tokens"] * 2
        assert server.requests[0].body["tools"][0]["name"] == "submit"
    assert 900 < large - small < 1_100


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, "authentication_error"), TellUser),
        (error(404, "not_found_error", "model: x"), TellUser),
        (error(404, body="<html>no</html>"), GiveUp),
        (error(529, "overloaded_error"), Unanswered),
        (error(502, body="<html>no</html>"), Unanswered),
        (raw(b"<html>hello</html>"), Unanswered),
        (raw(b'{"input_tokens": "many"}'), Unanswered),
        (raw(b'{"input_tok'), Unanswered),
    ],
)
def test_counting_fails_like_asking_but_is_never_charged(
    answer: Answer, kind: type[RlmError]
) -> None:
    with ModelServer([], counting=answer) as server, pytest.raises(kind) as caught:
        counted(server)
    assert not getattr(caught.value, "billed", False)


# Keys, addresses, surroundings


def headers(server: ModelServer) -> dict[str, str]:
    return server.requests[-1].headers


def test_the_environment_gives_neither_key_nor_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "env-key")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "env-token")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(TellUser, match="key"):
        AnthropicModel()
    assert "127.0.0.1" not in AnthropicModel(KEY).address
    with ModelServer(["x"], key=KEY) as server:
        ask_at(server)
        assert "env-" not in json.dumps(headers(server))


def test_nothing_else_around_us_changes_the_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ModelServer(["x", "x"], key=KEY) as server:
        ask_at(server)
        plain = headers(server)
        (tmp_path / "configs").mkdir()
        profile = {"base_url": "http://127.0.0.1:9", "credentials": {"api_key": "stolen"}}
        (tmp_path / "configs" / "default.json").write_text(json.dumps(profile))
        monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
        monkeypatch.setenv("ANTHROPIC_PROFILE", "default")
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Spy: yes\nAuthorization: Bearer other")
        monkeypatch.setenv("ANTHROPIC_IDENTITY_TOKEN", "t")
        monkeypatch.setenv("ANTHROPIC_FEDERATION_RULE_ID", "r")
        monkeypatch.setenv("ANTHROPIC_ORGANIZATION_ID", "o")
        ask_at(server)
        assert headers(server) == plain


@pytest.mark.parametrize("bad", ["", "  ", "kéy", "two words", "line\nbreak", "nul\0"])
def test_a_key_that_no_header_can_carry_is_for_the_user(bad: str) -> None:
    with pytest.raises(TellUser) as caught:
        AnthropicModel(bad)
    assert "ANTHROPIC_API_KEY" in caught.value.hint
    assert not bad.strip() or bad not in str(caught.value)


def test_a_key_pasted_with_a_line_break_at_its_end_works() -> None:
    with ModelServer(["x"], key=KEY) as server:

        async def main() -> str:
            async with AnthropicModel(f"{KEY}\n", server.url) as model:
                return (await model.complete(ASK, 5)).text

        assert asyncio.run(main()) == "x"


@pytest.mark.parametrize("bad", ["gateway", "ftp://x", "http://", "http://h:99999", "http://[::"])
def test_an_address_that_is_no_url_is_for_the_user(bad: str) -> None:
    with pytest.raises(TellUser):
        AnthropicModel(KEY, bad)


def test_a_password_in_the_address_is_not_shown() -> None:
    model = AnthropicModel(KEY, "https://me:hunter2@gateway.example/llm/")
    assert repr(model) == "AnthropicModel('https://gateway.example/llm')"


def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        ask(["x"])
        failure([error(401, "authentication_error")])
    assert caplog.records
    assert KEY not in caplog.text


def run_python(code: str) -> str:
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_importing_the_module_does_not_import_the_sdk() -> None:
    code = "import sys, reviewer.model.anthropic; print('anthropic' in sys.modules)"
    assert run_python(code) == "False"


def test_what_is_preloaded_is_all_that_the_first_client_needs() -> None:
    code = """if True:
        import asyncio, sys
        from reviewer.model.anthropic import AnthropicModel, preload

        async def main():
            await asyncio.to_thread(preload)
            there = set(sys.modules)
            await AnthropicModel("sk-test").service()
            print(set(sys.modules) - there)

        asyncio.run(main())
    """
    assert run_python(code) == "set()"
