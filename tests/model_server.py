"""A scripted stand-in for the Anthropic Messages API, over real HTTP on loopback.

    with ModelServer([text("hello"), tool("submit", {"ok": True})]) as server:
        model = AnthropicModel(api_key="k", base_url=server.url)

A script is a list of answers, given out in order of arrival, or a function from the request's body
to an answer. A function runs in the thread of its request and may block; several run at once.
An answer is an `Answer`, a string, or a list of those, which become blocks of one answer:

    text("...")  tool("python", {"code": "1"})  [text("a"), tool("submit", {})]  thinking("hm")
    error(429, "rate_limit_error", retry_after=1)   error(502, body="<html>...")
    cut(text("half"), after_events=3)   hang(2.0, text("late"))   stall(text("slow"), 3, 2.0)
    truncated("submit", '{"a": "b')   stopped("refusal")   stopped("brand_new", text("x"))
    stream_error("overloaded_error", text("x"))   raw(b"event: ...")

The same script is played at the addresses of Bedrock (`/model/NAME/invoke-with-response-stream`, in
Amazon's binary frames) and Vertex AI (`.../models/NAME:streamRawPredict`); `amazon_error` and
`google_error` are how those fail.

Before it answers, the server checks the request against the API's own rules (`tests.model_rules`)
and refuses what the real service would refuse with a 400. Tokens are bytes / 4; a prefix that ends
in a cache_control mark is read from the cache once an answer to it has begun.
"""

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from tests import event_stream
from tests.model_rules import digest, every_block, refusal, sign

AUTO = "<signed by the server>"
END = -1  # for `stall`: after the last event, before the end of the body
PIECES = 3  # in how many deltas a block's content is streamed


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `blocks` are those of the API; everything else is how it goes wrong."""

    blocks: tuple[dict[str, Any], ...] = ()
    stop: str | None = None  # None: "tool_use" if a tool is asked for, else "end_turn"
    usage: dict[str, int] | None = None  # None: estimated
    status: int = 200
    body: bytes | None = None  # sent as it is, in place of JSON or events
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0  # before the status line
    stall: tuple[int, float] | None = None  # wait so many seconds after so many events
    cut_events: int | None = None  # break the connection after so many events
    cut_bytes: int | None = None  # ... or bytes of the body
    clean_cut: bool = False  # end the body properly where it is cut, as a proxy does
    error_event: tuple[str, str, int] | None = None  # type, message, after so many events


Scripted = Answer | str | Sequence["Answer | str"]
Script = Sequence[Scripted] | Callable[[dict[str, Any]], Scripted]


def text(words: str) -> Answer:
    return Answer(({"type": "text", "text": words},))


def tool(name: str, value: dict[str, Any]) -> Answer:
    return raw_tool(name, json.dumps(value))


def raw_tool(name: str, partial_json: str) -> Answer:
    """A tool call whose streamed input is whatever text is given: invalid JSON, a list, nothing."""
    return Answer(({"type": "tool_use", "name": name, "partial_json": partial_json},))


def thinking(words: str = "", signature: str = AUTO) -> Answer:
    """A thinking block, by default with a signature that only this conversation may send back."""
    return Answer(({"type": "thinking", "thinking": words, "signature": signature},))


def redacted(data: str) -> Answer:
    return Answer(({"type": "redacted_thinking", "data": data},))


def block(value: dict[str, Any]) -> Answer:
    """Any block, sent whole at its start: one of a kind that this version does not know, say."""
    return Answer((value,))


def error(
    status: int,
    kind: str = "api_error",
    message: str = "",
    *,
    retry_after: float | str | None = None,
    code: str | None = None,
    body: str | None = None,
) -> Answer:
    """An error answer; `body` replaces the API's JSON (an HTML page of a proxy, say)."""
    value: dict[str, Any] = {"type": kind, "message": message or kind}
    if code:
        value["details"] = {"error_code": code}
    told = () if retry_after is None else (("retry-after", str(retry_after)),)
    page = body if body is not None else json.dumps({"type": "error", "error": value})
    return Answer(status=status, body=page.encode(), headers=told)


def amazon_error(status: int, name: str, message: str = "") -> Answer:
    """An error as Bedrock writes it."""
    headers = (("x-amzn-errortype", f"{name}:http://internal.amazon.com/coral/"),)
    return Answer(status=status, body=json.dumps({"message": message}).encode(), headers=headers)


def google_error(status: int, name: str, message: str = "", *, listed: bool = False) -> Answer:
    """An error as Vertex AI itself writes it; `listed` as it does for some streams."""
    value: Any = {"error": {"code": status, "message": message, "status": name}}
    return Answer(status=status, body=json.dumps([value] if listed else value).encode())


def limited(
    answer: Answer, left: int, limit: int, reset_s: float = 60.0, kind: str = "requests"
) -> Answer:
    """An answer whose headers say what is left of a limit, and when it is whole again."""
    at = datetime.now(UTC) + timedelta(seconds=reset_s)
    said = {"limit": str(limit), "remaining": str(left), "reset": at.isoformat()}
    prefix = f"anthropic-ratelimit-{kind}"
    headers = tuple((f"{prefix}-{name}", value) for name, value in said.items())
    return replace(answer, headers=(*answer.headers, *headers))


def redirect(url: str) -> Answer:
    return Answer(status=307, body=b"", headers=(("location", url),))


def raw(body: bytes) -> Answer:
    """A 200 whose body is whatever is given, with the content type that was asked for."""
    return Answer(body=body)


def cut(
    answer: Answer,
    after_events: int | None = None,
    after_bytes: int | None = None,
    clean: bool = False,
) -> Answer:
    """Break the connection in the middle (0 events: right after the status line)."""
    return replace(answer, cut_events=after_events, cut_bytes=after_bytes, clean_cut=clean)


def hang(seconds: float, answer: Answer | None = None) -> Answer:
    """Answer only after so many seconds."""
    return replace(answer or text("late"), delay_s=seconds)


def stall(answer: Answer, after_events: int, seconds: float) -> Answer:
    """Fall silent for so many seconds in the middle of the stream."""
    return replace(answer, stall=(after_events, seconds))


def truncated(name: str, partial_json: str) -> Answer:
    """The reply hit max_tokens in the middle of a tool's input."""
    return replace(raw_tool(name, partial_json), stop="max_tokens")


def stopped(reason: str, answer: Answer | None = None) -> Answer:
    """An answer with that stop_reason; empty if no answer is given (as a refusal is)."""
    return replace(answer or Answer(), stop=reason)


def stream_error(kind: str, answer: Answer, after_events: int = 4, message: str = "") -> Answer:
    """An `error` event in the middle of the stream, in place of the rest."""
    return replace(answer, error_event=(kind, message or kind, after_events))


def billed(answer: Answer, **usage: int) -> Answer:
    """The same answer with this usage in place of the estimate."""
    return replace(answer, usage=usage)


@dataclass(frozen=True)
class Received:
    """One request as it came. Header names are in lower case; `at` is time.monotonic()."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    raw: bytes = b""  # the body, byte for byte


@dataclass
class ModelServer:
    """The server; a context manager. `key`, if given, is the only one that it accepts.

    With a `certificate` (files of certificate and key) it speaks TLS.
    """

    script: Script
    key: str | None = None
    certificate: tuple[Path, Path] | None = None
    counting: Answer | None = None  # what count_tokens answers, if not an estimate
    confirms: bool = True  # says of each claim of the script that it holds, of each promise that
    # it is kept, nothing better than readers have said, nothing told twice; else the script is asked
    repeats: tuple[str, ...] = ()  # reports that are one, by their names, where it confirms
    requests: list[Received] = field(default_factory=list)  # of both endpoints, in order
    peak: int = 0  # the most calls of /v1/messages that were open at one time
    refused: list[str] = field(default_factory=list)  # what the rules complained about

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._open = 0
        self._given = 0
        self._prefixes: set[str] = set()
        self._claims: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"owner": self})
        self._http = _Server(("127.0.0.1", 0), handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._http.socket = context.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()  # wakes whoever hangs
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        scheme = "https" if self.certificate else "http"
        return f"{scheme}://127.0.0.1:{self._http.server_port}"

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The bodies of the calls of /v1/messages that the script was asked, in order of arrival."""
        with self._lock:
            asked = [r.body for r in self.requests if r.path == "/v1/messages"]
        own = (verifies, compares, retells, seeks_repeats) if self.confirms else ()
        return [body for body in asked if not any(kind(body) for kind in own)]

    @property
    def comparisons(self) -> list[dict[str, Any]]:
        """The bodies of the calls that ask whether a change does what it promises."""
        with self._lock:
            return [r.body for r in self.requests if compares(r.body)]

    @property
    def verifications(self) -> list[dict[str, Any]]:
        """The bodies of the calls that ask whether a claim is true."""
        with self._lock:
            return [r.body for r in self.requests if verifies(r.body)]

    @property
    def retellings(self) -> list[dict[str, Any]]:
        """The bodies of the calls that ask for what readers said in other words."""
        with self._lock:
            return [r.body for r in self.requests if retells(r.body)]

    def receive(self, request: Received) -> None:
        with self._lock:
            self.requests.append(request)

    def opened(self) -> None:
        with self._lock:
            self._open += 1
            self.peak = max(self.peak, self._open)

    def closed(self) -> None:
        with self._lock:
            self._open -= 1

    def wait(self, seconds: float) -> None:
        """Keep an answer back for so long, or until `release`."""
        self._released.wait(seconds)

    def release(self) -> None:
        """Let every answer that waits go out."""
        self._released.set()

    def anew(self) -> None:
        """Let whoever waits have an answer, and forget who asked what, for the next test."""
        self._released.set()
        end = time.monotonic() + 10
        while self._open:
            assert time.monotonic() < end, "somebody still waits for an answer"
            time.sleep(0.01)
        with self._lock:
            self.requests, self.refused, self.peak, self._claims = [], [], 0, {}
            self._released = threading.Event()
            self.repeats = ()

    def answer(self, request: dict[str, Any]) -> Answer:
        """Return what the script says to this request; the API's refusal comes first."""
        complaint = refusal(request)
        if complaint:
            with self._lock:
                self.refused.append(complaint)
            return error(400, "invalid_request_error", complaint)
        if self.confirms and verifies(request):
            return confirmed(request, self._claims)
        if self.confirms and compares(request):
            return tool("submit", {"claims": []})
        if self.confirms and retells(request):
            return tool("submit", {"modules": []})
        if self.confirms and seeks_repeats(request):
            one = {"edit": "Mend it.", "reports": list(self.repeats)}
            return tool("submit", {"groups": [one] if self.repeats else [], "patterns": []})
        answer = self._scripted(request)
        with self._lock:
            self._claims.update({claim["title"]: claim for claim in _claims_in(answer)})
        return answer

    def _scripted(self, request: dict[str, Any]) -> Answer:
        if callable(self.script):
            return _one(self.script(request))
        with self._lock:
            number, self._given = self._given, self._given + 1
        if number >= len(self.script):
            return error(400, "invalid_request_error", f"the script has no answer {number + 1}")
        return _one(self.script[number])

    def message(self, request: dict[str, Any], answer: Answer) -> dict[str, Any]:
        """Return the API's message for an answer: ids, signatures, stop reason and usage."""
        with self._lock:
            spent, cached = _usage(request, self._prefixes)
            self._prefixes |= cached
            number = len(self.requests)
        blocks = []
        for index, scripted in enumerate(answer.blocks):
            value = dict(scripted)
            if value["type"] == "tool_use":
                value["id"] = f"toolu_{number:05d}_{index}"
            if value.get("signature") == AUTO:
                value["signature"] = sign(request, len(request["messages"]))
            blocks.append(value)
        uses_tool = any(value["type"] == "tool_use" for value in blocks)
        spent["output_tokens"] = tokens(blocks)
        return {
            "id": f"msg_{number:05d}",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": blocks,
            "stop_reason": answer.stop or ("tool_use" if uses_tool else "end_turn"),
            "stop_sequence": None,
            "usage": answer.usage or spent,
        }


def verifies(request: dict[str, Any]) -> bool:
    """Does a request ask whether a reported defect is real?"""
    return any(
        "verdicts" in tool.get("input_schema", {}).get("properties", {})
        for tool in request.get("tools") or ()
    )


def compares(request: dict[str, Any]) -> bool:
    """Does a request ask whether a change does what it promises?"""
    return any(
        "IntentClaim" in tool.get("input_schema", {}).get("$defs", {})
        for tool in request.get("tools") or ()
    )


def retells(request: dict[str, Any]) -> bool:
    """Does a request ask to tell what several readers said?"""
    return any(
        "ModuleText" in tool.get("input_schema", {}).get("$defs", {})
        for tool in request.get("tools") or ()
    )


def seeks_repeats(request: dict[str, Any]) -> bool:
    """Does a request ask which reports are about one and the same defect?"""
    return any(
        "Group" in tool.get("input_schema", {}).get("$defs", {})
        for tool in request.get("tools") or ()
    )


def reports(request: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return of each report that a verifier is shown its id, title, path and first quoted line."""
    shown = str(request["messages"][0]["content"][0]["text"])
    found = re.findall(r"^The report (\S+): (.*)$", shown, re.M)
    places = re.findall(r'^It is about these lines .*, in "(.*)":\n\n    (.*)$', shown, re.M)
    assert found and len(found) == len(places), shown
    return [(*one, *place) for one, place in zip(found, places, strict=True)]


def reported(request: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return the first of them."""
    return reports(request)[0]


def verdict(request: dict[str, Any], **said: Any) -> Answer:
    """Answer a verifier's question: that all holds, as it is reported, but for what is `said`."""
    return tool("submit", {"verdicts": [holds(one) | said for one in reports(request)]})


def holds(report: tuple[str, str, str, str]) -> dict[str, Any]:
    candidate, _, path, line = report
    return {
        "candidate": candidate,
        "reasoning": "The lines are as quoted.",
        "verdict": "holds",
        "trigger": "Any call gets there.",
        "path": path,
        "quote": line,
        "severity": "high",
        "confidence": 0.9,
        "replacement": "complete",
    }


def confirmed(request: dict[str, Any], claims: Mapping[str, dict[str, Any]]) -> Answer:
    kept = ("severity", "confidence", "preexisting")
    given = []
    for one in reports(request):
        claim = claims.get(one[1], {})
        given.append(holds(one) | {key: claim[key] for key in kept if key in claim})
    return tool("submit", {"verdicts": given})


def _claims_in(answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield the claims that an answer hands in, where it hands in any that are well formed."""
    for one in answer.blocks:
        try:
            value = json.loads(one.get("partial_json", "null"))
        except (ValueError, RecursionError):
            continue
        claims = value.get("claims") if isinstance(value, dict) else None
        for claim in claims if isinstance(claims, list) else ():
            if isinstance(claim, dict) and isinstance(claim.get("title"), str):
                yield claim


def tokens(value: object) -> int:
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (len(words.encode("utf-8", "surrogatepass")) + 3) // 4


def _one(scripted: Scripted) -> Answer:
    if isinstance(scripted, str):
        return text(scripted)
    if isinstance(scripted, Answer):
        return scripted
    parts = [_one(part) for part in scripted]
    return replace(parts[-1], blocks=tuple(block for part in parts for block in part.blocks))


def _usage(request: dict[str, Any], seen: set[str]) -> tuple[dict[str, int], set[str]]:
    """Split the prompt's tokens into cache read, cache write and plain input."""
    total = read = written = 0
    prefix = ""
    cached = set()
    for value in every_block(request):
        bare = {k: v for k, v in value.items() if k != "cache_control"}
        prefix = digest([prefix, bare])
        total += tokens(bare)
        if value.get("cache_control"):
            read = total if prefix in seen else read
            written = total
            cached.add(prefix)
    spent = {
        "input_tokens": total - max(read, written),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": max(0, written - read),
    }
    return spent, cached


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    start = {**message, "content": [], "stop_reason": None}
    start["usage"] = {**message["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, value in enumerate(message["content"]):
        first, deltas = _streamed(value)
        yield {"type": "content_block_start", "index": index, "content_block": first}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": message["usage"].get("output_tokens", 0)},
    }
    yield {"type": "message_stop"}


def _with_error(events: Iterator[dict[str, Any]], answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.error_event is None:
        yield from events
        return
    kind, words, after = answer.error_event
    yield from islice(events, after)
    yield {"type": "error", "error": {"type": kind, "message": words}}


def _streamed(value: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Split a block into what its start event carries and the deltas that fill it."""
    match value["type"]:
        case "text":
            deltas = [{"type": "text_delta", "text": part} for part in _pieces(value["text"])]
            return {"type": "text", "text": ""}, deltas
        case "tool_use":
            first = {"type": "tool_use", "id": value["id"], "name": value["name"], "input": {}}
            parts = _pieces(value["partial_json"])
            return first, [{"type": "input_json_delta", "partial_json": part} for part in parts]
        case "thinking":
            parts = _pieces(value["thinking"])
            deltas = [{"type": "thinking_delta", "thinking": part} for part in parts]
            deltas.append({"type": "signature_delta", "signature": value["signature"]})
            return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    return value, []


def _pieces(words: str) -> list[str]:
    step = max(1, -(-len(words) // PIECES))
    return [words[i : i + step] for i in range(0, len(words), step)]


_BEDROCK = re.compile(r"/model/([^/]+)/invoke-with-response-stream")
_VERTEX = re.compile(r"/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/([^/:]+):\w+")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # many calls may arrive at one moment

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up in the middle is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    binary = False
    owner: ModelServer

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        raw_body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw_body)
        except ValueError:
            body = None
        path = self.path.split("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.receive(Received(path, body, headers, time.monotonic(), raw_body))
        told = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-api-key")
        if self.owner.key is not None and told != self.owner.key:
            self._plain(error(401, "authentication_error", "invalid x-api-key"))
        elif path == "/v1/messages/count_tokens" or path.endswith(
            "/models/count-tokens:rawPredict"
        ):
            self._plain(self.owner.counting or self._count(body))
        elif path == "/v1/messages":
            self._answer(body)
        elif found := _BEDROCK.fullmatch(path):
            self.binary = True
            self._answer({**body, "model": unquote(found[1]), "stream": True})
        elif found := _VERTEX.fullmatch(path):
            self._answer({**body, "model": unquote(found[1])})
        else:
            self._plain(error(404, "not_found_error", f"no such endpoint: {path}"))

    def _answer(self, body: dict[str, Any]) -> None:
        self.owner.opened()
        try:
            self._reply(body, self.owner.answer(body))
        finally:
            self.owner.closed()

    def _count(self, body: dict[str, Any]) -> Answer:
        total = sum(tokens({**b, "cache_control": None}) for b in every_block(body))
        return raw(json.dumps({"input_tokens": total}).encode())

    def _reply(self, request: dict[str, Any], answer: Answer) -> None:
        if answer.delay_s:
            self.owner.wait(answer.delay_s)
        streaming = bool(request and request.get("stream"))
        if answer.status != 200 or (answer.body is not None and not streaming):
            self._plain(answer)
            return
        if not streaming:
            message = self.owner.message(request, answer)
            message["content"] = [_whole(value) for value in message["content"]]
            self._plain(replace(answer, body=json.dumps(message).encode()))
            return
        self._start_stream(answer)
        if answer.body is not None:
            self._chunk(answer.body)
            self._chunk(b"")
            return
        self._stream(answer, self.owner.message(request, answer))

    def _plain(self, answer: Answer) -> None:
        data = answer.body or b""
        self.send_response(answer.status)
        kind = "text/html" if data.startswith(b"<") else "application/json"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.send_header("request-id", f"req_{time.time_ns()}")
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if answer.cut_bytes is not None:
            self.wfile.write(data[: answer.cut_bytes])
            self._break()
            return
        self.wfile.write(data)

    def _start_stream(self, answer: Answer) -> None:
        self.send_response(200)
        kind = "application/vnd.amazon.eventstream" if self.binary else "text/event-stream"
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("request-id", f"req_{time.time_ns()}")
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, answer: Answer, message: dict[str, Any]) -> None:
        left = answer.cut_bytes
        for number, event in enumerate(_with_error(_events(message), answer)):
            if answer.stall and number == answer.stall[0]:
                self.owner.wait(answer.stall[1])
            if answer.cut_events is not None and number == answer.cut_events:
                return self._break(answer.clean_cut)
            data = self._written(event)
            if left is not None and len(data) >= left:
                self._chunk(data[:left])
                return self._break(answer.clean_cut)
            left = None if left is None else left - len(data)
            self._chunk(data)
        if answer.stall and answer.stall[0] == END:
            self.owner.wait(answer.stall[1])
        return self._chunk(b"")

    def _written(self, event: dict[str, Any]) -> bytes:
        if not self.binary:
            return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        if event["type"] == "error":
            return event_stream.exception(event["error"]["type"], event["error"]["message"])
        return event_stream.chunk(event)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _break(self, clean: bool = False) -> None:
        """End the connection: by the last chunk where `clean`, else by a reset."""
        if clean:
            self._chunk(b"")
            return
        self.close_connection = True
        # Let what was written arrive first: a reset throws away what is still on its way.
        time.sleep(0.01)
        reset = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        self.connection.close()


def _whole(value: dict[str, Any]) -> dict[str, Any]:
    """A block as an answer without streaming carries it."""
    if value["type"] != "tool_use":
        return value
    try:
        content = json.loads(value["partial_json"] or "{}")
    except ValueError:
        content = {}
    return {"type": "tool_use", "id": value["id"], "name": value["name"], "input": content}
