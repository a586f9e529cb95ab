"""A service on loopback in the model's place, which answers from a record, or asks and records.

A record is a JSON file: {"commit": ..., "answers": [{"node": "plan" or "edit", "at": ...,
"conversation": 1, "turn": 1, "said": [{"text": ...} or {"tool": ..., "input": ...}]}]}. An answer
belongs to a place in the work, not to the words of a prompt: the kind of the node, the first file
that it is shown (the name of its part, where it is shown none), which conversation about that it
is, and which turn. What an answer quotes of the package is named by its place (`refactor_quotes`).
"""

import hashlib
import json
import re
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.refactor_quotes import Tree, pointed, quotations, resolved

PASSED_ON = ("x-api-key", "authorization", "anthropic-version", "anthropic-beta", "content-type")

_FILE = re.compile(r'^=== file ("(?:[^"\\]|\\.)*")', re.M)
_PART = re.compile(r"^Your part: (.*)$", re.M)

Place = tuple[str, str, int, int]
"""The node's kind, what it is at, and its conversation and turn, both from 1 on."""


class Unusable(ValueError):
    """A record that is not one of this tree."""


@dataclass
class Record:
    """The answers of one refactoring by place, and what a run has asked of them."""

    path: Path
    commit: str
    tree: Tree
    answers: dict[Place, Any] = field(default_factory=dict)
    asked: set[Place] = field(default_factory=set)
    lacking: list[Place] = field(default_factory=list)
    _begun: defaultdict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    @classmethod
    def load(cls, path: Path, commit: str, tree: Tree) -> "Record":
        """Return the record of a file, empty where there is none; raise Unusable."""
        record = cls(path, commit, tree)
        if not path.exists():
            return record
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["commit"] != commit:
            raise Unusable(f"{path.name} is about {value['commit']}, not {commit}")
        if quoted := quotations(value["answers"], tree):
            raise Unusable(f"{path.name} quotes the package: {quoted[0]!r}")
        for one in value["answers"]:
            place = (one["node"], one["at"], one["conversation"], one["turn"])
            record.answers[place] = one["said"]
        return record

    @property
    def unasked(self) -> list[Place]:
        """The answers that no run has asked for."""
        return [place for place in self.answers if place not in self.asked]

    def place(self, request: Mapping[str, Any]) -> Place:
        """Return where in the work a request is made; a new conversation there is counted."""
        kinds = [tool["input_schema"].get("properties", {}) for tool in request.get("tools", ())]
        node = "plan" if any("modules" in kind for kind in kinds) else "edit"
        opening = "\n".join(_texts([*_blocks(request.get("system")), *_opening(request)]))
        file, part = _FILE.search(opening), _PART.search(opening)
        at = str(json.loads(file[1])) if file else part[1] if part else ""
        begun = self._begun[node, at]
        digest = hashlib.sha256(opening.encode("utf-8", "surrogatepass")).hexdigest()
        if digest not in begun:
            begun.append(digest)
        turn = sum(message["role"] == "assistant" for message in request["messages"])
        return node, at, begun.index(digest) + 1, turn + 1

    def find(self, place: Place) -> list[dict[str, Any]] | None:
        """Return the blocks that were answered at a place, as the API writes them."""
        said = self.answers.get(place)
        if said is None:
            self.lacking.append(place)
            return None
        self.asked.add(place)
        return [
            {"type": "text", "text": one["text"]}
            if "text" in one
            else {"type": "tool_use", "name": one["tool"], "input": one["input"]}
            for one in resolved(said, self.tree)
        ]

    def keep(self, place: Place, blocks: list[dict[str, Any]]) -> None:
        """Take note of an answer, in the file too; raise Unusable for one that would quote.

        Thinking is left out: it belongs to the conversation that it was made in.
        """
        said = [
            {"text": one["text"]}
            if one["type"] == "text"
            else {"tool": one["name"], "input": one["input"]}
            for one in blocks
            if one["type"] in {"text", "tool_use"}
        ]
        self.answers[place] = pointed(said, self.tree)
        self.asked.add(place)
        self.save()

    def save(self) -> None:
        """Write the file, unless an answer in it quotes the package."""
        answers = [
            dict(zip(("node", "at", "conversation", "turn"), place, strict=True)) | {"said": said}
            for place, said in self.answers.items()
        ]
        if quoted := quotations(answers, self.tree):
            raise Unusable(f"it would quote the package: {quoted[0]!r}")
        value = json.dumps({"commit": self.commit, "answers": answers}, indent=1)
        part = self.path.with_suffix(".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(f"{value}\n", encoding="utf-8")
        part.replace(self.path)


def named(place: Place) -> str:
    """Return a place in words."""
    node, at, conversation, turn = place
    return f"{node} at {at or 'all proposals'}, conversation {conversation}, turn {turn}"


@contextmanager
def replies(record: Record, behind: str | None) -> Iterator[str]:
    """Yield the URL of a service that answers from a record, and asks `behind` what it lacks.

    Without `behind` what the record lacks is refused for good, so that a replay never asks anybody.
    Only whole answers (200) are kept.
    """
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            if self.path.partition("?")[0] != "/v1/messages":
                self._refuse(f"{self.path} is not recorded")
                return
            with lock:
                place = record.place(request)
                blocks = record.find(place)
            if blocks is not None:
                self._stream(_message(request, blocks))
            elif behind is None:
                self._refuse(f"no answer was recorded of {named(place)}")
            else:
                self._ask(request, place)

        def _ask(self, request: dict[str, Any], place: Place) -> None:
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            url = f"{behind.rstrip('/')}{self.path}" if behind else ""
            body = json.dumps({**request, "stream": False}).encode()
            status, kind, answer = _asked(urllib.request.Request(url, body, headers))
            if status != HTTPStatus.OK:
                self._send(status, kind, answer)
                return
            message = json.loads(answer)
            with lock:
                record.keep(place, message["content"])
            self._stream(message)

        def _refuse(self, message: str) -> None:
            said = {"type": "not_found_error", "message": message}
            body = json.dumps({"type": "error", "error": said}).encode()
            self._send(HTTPStatus.NOT_FOUND, "application/json", body)

        def _stream(self, message: dict[str, Any]) -> None:
            events = (
                f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in _events(message)
            )
            self._send(HTTPStatus.OK, "text/event-stream", "".join(events).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            with suppress(BrokenPipeError):  # who asked has gone, and will find it here
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _asked(request: urllib.request.Request) -> tuple[int, str, bytes]:
    """Return the status, the kind and the whole body of an answer, also of a refusal."""
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers.get("content-type", ""), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("content-type", ""), error.read()


# The API's shapes --------------------------------------------------------------------------------


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _opening(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _blocks(request["messages"][0]["content"])


def _texts(blocks: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in blocks if one["type"] == "text"]


def _message(request: Mapping[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message of these blocks; tokens are counted at four bytes each, none as cached."""
    prompt = [request.get("tools", []), request.get("system", []), request["messages"]]
    asks = any(one["type"] == "tool_use" for one in blocks)
    marks = hashlib.sha256(json.dumps(prompt).encode()).hexdigest()[:16]
    return {
        "id": f"msg_{marks}",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [
            {**one, "id": f"toolu_{marks}_{number}"} if one["type"] == "tool_use" else one
            for number, one in enumerate(blocks)
        ],
        "stop_reason": "tool_use" if asks else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": _tokens(prompt), "output_tokens": _tokens(blocks)},
    }


def _tokens(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) // 4 + 1


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a message as the events of a stream; a block that is no text or tool comes whole."""
    yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        begun, delta = block, None
        if block["type"] == "text":
            begun, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        elif block["type"] == "tool_use":
            said = json.dumps(block["input"])
            begun, delta = (
                {**block, "input": {}},
                {"type": "input_json_delta", "partial_json": said},
            )
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        if delta is not None:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}
