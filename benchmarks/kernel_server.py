"""A model of fixed latency for the kernel's benchmarks, in a process of its own.

    with serving() as server:
        book = server.open(role="words", latency_s=0.5)
        ...  # the base URL of the Messages API is book.url, of chat completions book.url + "/v1"
        book.tally()

Every book is an address with its own script and its own count of what was asked. It speaks as much
of both APIs as the kernel and its peers use, over kept connections in one event loop: it costs a
third of a millisecond a call, where the server of the tests costs several.

A call takes `latency_s` from the request's last byte to the answer's last event. The first event
comes after the share `begun` of that, as the real service sends it once it has read the prompt.
"""

import asyncio
import hashlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

BEGUN = 0.1
"""A prompt of ten thousand tokens is read in about a second of the ten that an answer takes."""

ASKED = "Sub-question"
"""What the questions of a program in a node begin with, ours and the peers'."""

LAST_TURN = "This is your last turn"
"""How a node is told that it has to hand in now."""


@dataclass(frozen=True)
class Script:
    """What is played at one address. `code` is what a node runs first, in Python.

    A call is billed `input_usd` and `output_usd` a token, or `call_usd`. With `whole` it writes, as
    far as the bill goes, all that it may. Every `cut`th answer breaks off in the middle, billed.
    """

    role: str = "words"
    latency_s: float = 0.0
    begun: float = BEGUN
    code: str = ""
    input_usd: float = 0.0
    output_usd: float = 0.0
    call_usd: float = 0.0
    whole: bool = False
    cut: int = 0


@dataclass
class Tally:
    """What was asked at one address. Prompts are in tokens of four bytes."""

    received: int = 0
    answered: int = 0
    vanished: int = 0  # whoever asked was gone before the answer's end
    usd: float = 0.0
    open: int = 0
    peak: int = 0
    prompt_tokens: int = 0  # of the largest
    shown_bytes: int = 0  # of different scopes that nodes were given to read whole
    distinct: int = 0
    first_s: float = 0.0  # of the server's clock: the first request, the last answer
    last_s: float = 0.0


# What the model says -----------------------------------------------------------------------------

Block = dict[str, Any]


def _tool(name: str, value: dict[str, Any]) -> list[Block]:
    return [{"type": "tool_use", "name": name, "input": value}]


def _text(words: str) -> list[Block]:
    return [{"type": "text", "text": words}]


def _first(request: dict[str, Any]) -> str:
    return str(request["messages"][0]["content"][0]["text"])


def _runs_code(script: Script, request: dict[str, Any]) -> bool:
    messages = request["messages"]
    last = str(messages[-1]["content"][-1].get("text"))
    return bool(script.code) and len(messages) == 1 and not last.startswith(LAST_TURN)


def _words(script: Script, request: dict[str, Any]) -> list[Block]:
    """The task of the kernel's tests: a leaf has words, and whoever divides or compares has none.

    `code` is for a node that divides; where the scope is small enough to be read, for its reader.
    """
    said = _first(request)
    if said.startswith(ASKED):
        return _text("yes")
    leads = said.startswith("# You lead")
    alone = said.startswith("words: ") and script.role == "coding"
    if (leads or alone) and _runs_code(script, request):
        return _tool("python", {"code": script.code})
    if said.startswith("words: "):
        return _tool("submit", {"words": said.removeprefix("words: ").split()})
    return _tool("submit", {"words": []})


RETOLD = "What readers of the code say"
"""How the question begins that is asked once, of what all readers said."""

_PART = re.compile(r"^(p\d+): ", re.M)


def _review(script: Script, request: dict[str, Any]) -> list[Block]:
    """A finder that finds nothing, and says about its hunks what depends on their every byte."""
    said = _first(request)
    if said.startswith("# You lead"):
        if script.role == "regroups" and len(request["messages"]) == 1:
            return _tool("python", {"code": _regrouping(_PART.findall(said))})
        return _tool("submit", {"overview": "", "claims": []})
    if said.startswith(RETOLD):
        return _tool("submit", {"modules": []})
    mark = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return _tool("submit", {"overview": f"Changes {mark}.", "claims": []})


def _regrouping(names: list[str]) -> str:
    """Return code that has neighbours read together where they fit, and looks at what they found.

    At their overviews, the dearest there is: what readers say in passing changes with every byte
    in this model, and a leader that prints it pays for all its later turns.
    """
    pairs = [list(pair) for pair in pairwise(names)][::2]
    return (
        f"calls = [delegate(pair) for pair in {pairs}]\n"
        "said = []\n"
        "for call in calls:\n"
        "    try:\n"
        "        said.append((await call)['result']['overview'])\n"
        "    except Exception as error:\n"
        "        said.append('apart')\n"
        "print(said)\n"
    )


ROLES: dict[str, Callable[[Script, dict[str, Any]], list[Block]]] = {
    "words": _words,
    "coding": _words,
    "review": _review,
    "regroups": _review,
}


# One address -------------------------------------------------------------------------------------


class _Book:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.tally = Tally()
        self.asked: Counter[str] = Counter()
        self.shown: set[str] = set()

    def receive(self, request: dict[str, Any], body: bytes) -> int:
        """Count a request, and bill it: what was sent is paid whatever comes of it."""
        tally, script = self.tally, self.script
        now = time.monotonic()
        tally.first_s = tally.first_s or now
        tally.received += 1
        tally.open += 1
        tally.peak = max(tally.peak, tally.open)
        sent = tokens(request)
        tally.prompt_tokens = max(tally.prompt_tokens, sent)
        self.asked[hashlib.sha256(body).hexdigest()] += 1
        tally.distinct = len(self.asked)
        written = int(request.get("max_tokens") or 0) if script.whole else 100
        tally.usd += script.call_usd + sent * script.input_usd + written * script.output_usd
        return sent

    def show(self, request: dict[str, Any]) -> None:
        """Count the scope of a node that reads: the one block that several of its calls share."""
        text = _first(request)
        raw = text.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(raw).hexdigest()
        if not text.startswith("# You lead") and digest not in self.shown:
            self.shown.add(digest)
            self.tally.shown_bytes += len(raw)

    def done(self, whole: bool) -> None:
        self.tally.open -= 1
        self.tally.last_s = time.monotonic()
        self.tally.answered += whole
        self.tally.vanished += not whole

    def cuts(self) -> bool:
        return bool(self.script.cut) and self.tally.received % self.script.cut == 0


def tokens(request: dict[str, Any]) -> int:
    """Return the tokens of a prompt: the bytes of all its texts by four."""
    size = 0
    todo: list[Any] = [request.get(part) for part in ("system", "tools", "messages")]
    while todo:
        match todo.pop():
            case str(text):
                size += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            case list(items):
                todo += items
            case dict(items):
                todo += items.values()
    return size // 4


# HTTP --------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 %d OK\r\ncontent-type: %s\r\n%s\r\n"
STREAM = HEAD % (200, b"text/event-stream", b"transfer-encoding: chunked\r\n")


class _Connection(asyncio.Protocol):
    def __init__(self, books: dict[str, _Book]) -> None:
        self._books = books
        self._buffer = b""
        self._transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        size = int(length[1]) if length else 0
        if len(rest) >= size:
            self._buffer = rest[size:]
            self._request(head.split(b" ", 2)[1].decode(), rest[:size])

    def _request(self, path: str, body: bytes) -> None:
        _, name, *call = path.partition("?")[0].split("/")
        if call == ["open"]:
            self._books[name] = _Book(Script(**json.loads(body)))
            return self._json({})
        book = self._books[name]
        if call == ["tally"]:
            return self._json(asdict(book.tally))
        request = json.loads(body)
        if call == ["v1", "messages", "count_tokens"]:
            return self._json({"input_tokens": tokens(request)})
        if call == ["v1", "messages"]:
            return self._messages(book, request, body)
        if call == ["v1", "chat", "completions"]:
            return self._completion(book, request, body)
        return self._json({"error": {"type": "not_found_error", "message": path}}, 404)

    def _json(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        length = b"content-length: %d\r\n" % len(data)
        self._transport.write(HEAD % (status, b"application/json", length) + data)

    # The Messages API, streamed.

    def _messages(self, book: _Book, request: dict[str, Any], body: bytes) -> None:
        script = book.script
        sent = book.receive(request, body)
        book.show(request)
        cut = book.cuts()
        blocks = ROLES[script.role](script, request)
        number = book.tally.received
        message = {
            "id": f"msg_{number}",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": sent, "output_tokens": 1},
        }
        start = STREAM + _chunk([{"type": "message_start", "message": message}])
        written = int(request["max_tokens"]) if script.whole else 100
        events = list(_events(blocks, number, written))
        rest = _chunk(events[:1]) if cut else _chunk(events) + b"0\r\n\r\n"
        self._loop.call_later(script.latency_s * script.begun, self._transport.write, start)
        self._loop.call_later(script.latency_s, self._end, book, rest, cut)

    def _end(self, book: _Book, data: bytes, cut: bool = False) -> None:
        gone = self._transport.is_closing()
        book.done(not gone and not cut)
        if not gone:
            self._transport.write(data)
            if cut:
                self._transport.close()

    # Chat completions, in one piece.

    def _completion(self, book: _Book, request: dict[str, Any], body: bytes) -> None:
        script = book.script
        sent = book.receive(request, body)
        said = request["messages"][-1]["content"]
        if not isinstance(said, str):
            said = "".join(str(part.get("text", "")) for part in said)
        answer = "yes" if said.startswith(ASKED) else script.code
        value = {
            "id": f"chatcmpl-{book.tally.received}",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": answer},
                }
            ],
            "usage": {
                "prompt_tokens": sent,
                "completion_tokens": 100,
                "total_tokens": sent + 100,
                "cost": script.call_usd,  # as OpenRouter says it
            },
        }
        data = json.dumps(value).encode()
        length = b"content-length: %d\r\n" % len(data)
        whole = HEAD % (200, b"application/json", length) + data
        self._loop.call_later(script.latency_s, self._end, book, whole)


def _events(blocks: list[Block], number: int, written: int) -> Iterator[dict[str, Any]]:
    """The events of an answer after its first."""
    for index, block in enumerate(blocks):
        if block["type"] == "tool_use":
            opened = {**block, "id": f"toolu_{number}_{index}", "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        else:
            opened = {"type": "text", "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        yield {"type": "content_block_start", "index": index, "content_block": opened}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": {"output_tokens": written},
    }
    yield {"type": "message_stop"}


def _chunk(events: list[dict[str, Any]]) -> bytes:
    data = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    raw = data.encode()
    return b"%x\r\n%s\r\n" % (len(raw), raw)


async def _serve() -> None:
    books: dict[str, _Book] = {}
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(books), "127.0.0.1", 0, backlog=1_024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it holds its input: it ends with that process, however that ends.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# The other side ----------------------------------------------------------------------------------


@dataclass
class Book:
    """One address of a server, as a benchmark has it."""

    url: str

    def tally(self) -> Tally:
        """Return what was asked until now."""
        with urllib.request.urlopen(f"{self.url}/tally", timeout=30) as answer:
            return Tally(**json.load(answer))


@dataclass
class Server:
    """A server that was started."""

    url: str
    pid: int
    _books: list[Book] = field(default_factory=list)

    def open(self, **script: Any) -> Book:
        """Open an address of its own for a script: the fields of `Script`."""
        book = Book(f"{self.url}/{len(self._books)}")
        data = json.dumps(script).encode()
        urllib.request.urlopen(f"{book.url}/open", data=data, timeout=30).close()
        self._books.append(book)
        return book


@contextmanager
def serving() -> Iterator[Server]:
    """Start a server, and end it."""
    command = [sys.executable, "-m", "benchmarks.kernel_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve())
