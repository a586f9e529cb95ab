"""Batches over real HTTP with the real SDK: handed in together, answered once, paid once."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from reviewer.errors import GiveUp, TellUser
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Reply, Request, Stop, Text, ToolUse, Turn, Unanswered, Usage
from reviewer.model.batches import BATCH_SHARE, BatchModel
from reviewer.model.prices import Discounted, load

Result = dict[str, Any]


def message(text: str = "yes", **changes: Any) -> Result:
    return {
        "type": "succeeded",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 10, "output_tokens": 2},
            **changes,
        },
    }


def errored(kind: str, words: str = "no") -> Result:
    return {
        "type": "errored",
        "error": {"type": "error", "error": {"type": kind, "message": words}},
    }


@dataclass
class BatchServer:
    """The four calls of the Message Batches API; `answer` gives the result for a request's body."""

    answer: Callable[[dict[str, Any]], Result | None] = lambda _body: message()
    looks: int = 1  # at a batch, before it has ended
    status: int = 200  # of every call
    hang: bool = False  # batches never end
    batches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self._looked: dict[str, int] = {}
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request["params"] for batch in self.batches.values() for request in batch]

    def called(self, path: str, body: dict[str, Any] | None) -> tuple[int, bytes]:
        self.seen.append(path)
        if self.status != 200:
            return self.status, b'{"type": "error", "error": {"type": "x", "message": "not here"}}'
        parts = path.removeprefix("/v1/messages/batches").strip("/").split("/")
        name, verb = parts[0], parts[1] if len(parts) > 1 else ""
        if body is not None and not name:
            name = f"msgbatch_{len(self.batches)}"
            self.batches[name] = body["requests"]
            return 200, self._told(name)
        if verb == "cancel":
            self.cancelled.append(name)
            return 200, self._told(name)
        if verb == "results":
            lines = []
            for request in self.batches[name]:
                if (result := self.answer(request["params"])) is not None:
                    lines.append(json.dumps({"custom_id": request["custom_id"], "result": result}))
            return 200, "\n".join(["{half a line", *lines]).encode()
        if name not in self.batches:
            return 404, b'{"type": "error", "error": {"type": "not_found_error", "message": ""}}'
        self._looked[name] = self._looked.get(name, 0) + 1
        return 200, self._told(name)

    def _told(self, name: str) -> bytes:
        ended = not self.hang and self._looked.get(name, 0) > self.looks
        return json.dumps(
            {
                "id": name,
                "type": "message_batch",
                "processing_status": "ended" if ended else "in_progress",
                "request_counts": {
                    "processing": 0,
                    "succeeded": 0,
                    "errored": 0,
                    "canceled": 0,
                    "expired": 0,
                },
                "created_at": "2026-11-26T00:00:00Z",
                "expires_at": "2026-11-27T00:00:00Z",
                "ended_at": None,
                "archived_at": None,
                "cancel_initiated_at": None,
                "results_url": "http://127.0.0.1:9/elsewhere",
            }
        ).encode()


class _Handler(BaseHTTPRequestHandler):
    owner: BatchServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._answer(json.loads(body) if body else {})

    def do_GET(self) -> None:
        self._answer(None)

    def _answer(self, body: dict[str, Any] | None) -> None:
        status, said = self.owner.called(self.path, body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


async def until(there: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    async with asyncio.timeout(10):
        while not there():  # noqa: ASYNC110 - it happens in a thread of the server
            await asyncio.sleep(0.01)


def ask(words: str) -> Request:
    return Request("claude-sonnet-5-5", ("s",), (Turn("user", (Text(words),)),))


def batched(
    server: BatchServer, folder: Path, *words: str, said: list[str] | None = None
) -> Sequence[Reply | BaseException]:
    """Ask several things at the same time, through one BatchModel."""

    async def main() -> Sequence[Reply | BaseException]:
        tell = (said if said is not None else []).append
        async with (
            AnthropicModel("k", server.url) as model,
            BatchModel(model, folder, tell, gather_s=0.05, first_poll_s=0.01) as batches,
        ):
            calls = (batches.complete(ask(one), 0.001) for one in words)
            return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(main())


def test_what_is_asked_together_is_one_batch_and_each_gets_its_own(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Result:
        return message(f"to {body['messages'][0]['content'][0]['text']}")

    said: list[str] = []
    with BatchServer(answer) as server:
        replies = batched(server, tmp_path, "one", "two", "three", said=said)
    assert [reply.text for reply in replies if isinstance(reply, Reply)] == [
        "to one",
        "to two",
        "to three",
    ]
    assert len(server.batches) == 1
    assert all("stream" not in body for body in server.bodies)
    assert said == ["handed in a batch of 3 requests; answers may take up to a day"]
    assert list(tmp_path.iterdir()) == []  # all were given to who asked


def test_equal_requests_are_handed_in_once(tmp_path: Path) -> None:
    with BatchServer() as server:
        replies = batched(server, tmp_path, "same", "same")
    assert [type(reply) for reply in replies] == [Reply, Reply]
    assert len(server.bodies) == 1


def test_a_whole_message_is_the_reply_that_a_stream_would_be(tmp_path: Path) -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "python", "input": {"code": "1"}},
    ]
    usage = {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 5}
    with BatchServer(
        lambda _body: message(content=blocks, stop_reason="tool_use", usage=usage)
    ) as server:
        (reply,) = batched(server, tmp_path, "x")
    assert isinstance(reply, Reply)
    assert reply.stop is Stop.TOOL
    assert reply.tool_uses == (ToolUse("t1", "python", {"code": "1"}),)
    assert reply.usage == Usage(input=3, output=4, cache_read=5)
    assert len(reply.blocks) == 3


@pytest.mark.parametrize(
    ("result", "kind", "billed"),
    [
        (errored("invalid_request_error", "too long"), GiveUp, None),
        (errored("authentication_error"), TellUser, None),
        (errored("overloaded_error"), Unanswered, False),
        (errored("api_error"), Unanswered, False),
        ({"type": "canceled"}, Unanswered, False),
        ({"type": "expired"}, Unanswered, False),
        ({"type": "brand_new"}, Unanswered, True),
        ({"type": "succeeded", "message": {"content": 3}}, Unanswered, True),
        ({"type": "succeeded"}, Unanswered, True),
        (None, Unanswered, True),
    ],
)
def test_what_is_no_answer_is_the_error_that_it_means(
    tmp_path: Path, result: Result | None, kind: type[Exception], billed: bool | None
) -> None:
    with BatchServer(lambda _body: result) as server:
        (error,) = batched(server, tmp_path, "x")
    assert isinstance(error, kind)
    assert getattr(error, "billed", None) == billed


def test_a_feature_that_is_refused_is_left_out_in_the_next_batch(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Result:
        if "output_config" in body:
            return errored("invalid_request_error", "output_config.effort is not supported")
        return message("without")

    async def main(server: BatchServer) -> str:
        async with (
            AnthropicModel("k", server.url) as model,
            BatchModel(model, tmp_path, str, gather_s=0.01, first_poll_s=0.01) as batches,
        ):
            request = Request("brand-new", (), (Turn("user", (Text("x"),)),), effort="low")
            return (await batches.complete(request, 1.0)).text

    with BatchServer(answer) as server:
        assert asyncio.run(main(server)) == "without"
    assert len(server.batches) == 2


def test_a_batch_of_a_process_that_was_cut_off_is_taken_up_and_not_handed_in_again(
    tmp_path: Path,
) -> None:
    async def killed(server: BatchServer) -> None:
        async with AnthropicModel("k", server.url) as model:
            batches = BatchModel(model, tmp_path, str, gather_s=0.01, first_poll_s=0.01)
            calls = [asyncio.create_task(batches.complete(ask(w), 1.0)) for w in ("one", "two")]
            await until(lambda: any(tmp_path.iterdir()))
            for call in calls:  # no aclose: nobody gave the batch up
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    with BatchServer(hang=True) as server:
        asyncio.run(killed(server))
        server.hang = False
        (file,) = tmp_path.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        replies = batched(server, tmp_path, "two", "three", "one")
    assert all(isinstance(reply, Reply) for reply in replies)
    handed_in = [body["messages"][0]["content"][0]["text"] for body in server.bodies]
    assert sorted(handed_in) == ["one", "three", "two"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b'["../x"]', b'{"a": 1}', b"\xff", b"3"])
def test_a_file_that_makes_no_sense_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "msgbatch_9.json").write_bytes(content)
    with BatchServer() as server:
        (reply,) = batched(server, tmp_path, "x")
    assert isinstance(reply, Reply)
    assert not any("msgbatch_9" in path for path in server.seen)


def test_a_batch_that_the_service_does_not_know_any_more_is_forgotten(tmp_path: Path) -> None:
    name = "0" * 60
    (tmp_path / "msgbatch_9.json").write_text(json.dumps([name]))
    with BatchServer() as server:
        (reply,) = batched(server, tmp_path, "x")
    assert isinstance(reply, Reply)


def test_a_service_without_batches_is_for_the_user(tmp_path: Path) -> None:
    with BatchServer(status=404) as server:
        errors = batched(server, tmp_path, "one", "two")
    assert all(isinstance(error, TellUser) and "--batch" in error.hint for error in errors)


def test_a_service_that_is_busy_when_a_batch_is_handed_in_charges_nothing(tmp_path: Path) -> None:
    with BatchServer(status=529) as server:
        (error,) = batched(server, tmp_path, "one")
    assert isinstance(error, Unanswered)
    assert not error.billed


def test_results_come_from_our_own_address_alone(tmp_path: Path) -> None:
    with BatchServer() as server:
        batched(server, tmp_path, "x")
    assert "/v1/messages/batches/msgbatch_0/results" in server.seen


def test_who_gives_up_gives_the_batch_up(tmp_path: Path) -> None:
    async def main(server: BatchServer) -> None:
        async with (
            AnthropicModel("k", server.url) as model,
            BatchModel(model, tmp_path, str, gather_s=0.01, first_poll_s=0.01) as batches,
        ):
            call = asyncio.create_task(batches.complete(ask("x"), 1.0))
            await until(lambda: len(server.seen) > 1)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    with BatchServer(hang=True) as server:
        asyncio.run(main(server))
    assert server.cancelled == ["msgbatch_0"]


def test_who_gives_up_leaves_batches_alone_that_others_wait_for(tmp_path: Path) -> None:
    """Two runs share the folder: another process, or one that was cut off and will go on."""

    async def main(server: BatchServer) -> None:
        async with AnthropicModel("k", server.url) as model:
            first, second = (
                BatchModel(model, tmp_path, str, gather_s=0.01, first_poll_s=0.01) for _ in "12"
            )
            for number, (batches, words) in enumerate(((first, "theirs"), (second, "ours"))):
                call = asyncio.create_task(batches.complete(ask(words), 1.0))
                await until(lambda made=number: len(list(tmp_path.iterdir())) > made)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await second.aclose()
            assert server.cancelled == ["msgbatch_1"]
            await first.aclose()
            assert server.cancelled == ["msgbatch_1", "msgbatch_0"]

    with BatchServer(hang=True) as server:
        asyncio.run(main(server))


def test_what_is_too_much_for_one_batch_is_handed_in_as_several(tmp_path: Path) -> None:
    async def main(server: BatchServer) -> Sequence[Reply]:
        async with (
            AnthropicModel("k", server.url) as model,
            BatchModel(
                model, tmp_path, str, gather_s=0.05, first_poll_s=0.01, most_bytes=3_000
            ) as batches,
        ):
            words = (f"{number}".rjust(1_000) for number in range(7))
            calls = [batches.complete(ask(one), 1.0) for one in (*words, "x" * 5_000)]
            return await asyncio.gather(*calls)

    with BatchServer() as server:
        assert len(asyncio.run(main(server))) == 8
    sizes = [len(batch) for batch in server.batches.values()]
    assert sum(sizes) == 8
    assert max(sizes) == 2  # of some 1,100 bytes each, and one alone that is more by itself
    assert 1 in sizes
    assert list(tmp_path.iterdir()) == []


def test_begun_is_told_at_once_so_that_nobody_waits_for_a_first_one(tmp_path: Path) -> None:
    told: list[int] = []

    async def main(server: BatchServer) -> None:
        async with (
            AnthropicModel("k", server.url) as model,
            BatchModel(model, tmp_path, str, gather_s=0.01, first_poll_s=0.01) as batches,
        ):
            await batches.complete(ask("x"), 1.0, lambda: told.append(len(server.batches)))

    with BatchServer() as server:
        asyncio.run(main(server))
    assert told == [0]


def test_a_batch_costs_half() -> None:
    prices = load(None)
    half = Discounted(prices, BATCH_SHARE)
    usage = Usage(input=1_000_000, output=1_000_000)
    whole, cost = prices.cost("claude-sonnet-5-5", usage), half.cost("claude-sonnet-5-5", usage)
    assert whole is not None
    assert cost == whole / 2
    worst = prices.worst("claude-sonnet-5-5", 1_000, 1_000)
    assert worst is not None
    assert half.worst("claude-sonnet-5-5", 1_000, 1_000) == worst / 2
    assert half.cost("unknown", usage) is None
    assert half.worst("unknown", 1, 1) is None
    assert half.window("claude-sonnet-5-5") == prices.window("claude-sonnet-5-5")
