"""A server on loopback that answers each request with the next of the answers it was given.

For wordings and faults of one request. Whatever needs a GitHub that remembers uses
`tests.github.hub`.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from app.github.urls import Server


@dataclass
class Answer:
    """One answer. `body` that is no str goes out as JSON; status 0 cuts the connection instead."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    claimed: int | None = None  # what Content-Length says, if not the truth
    after: threading.Event | None = None


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    body: Any
    authorization: str | None


class Loopback:
    """The server; the last of `answers` is repeated."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def server(self) -> Server:
        web = f"http://127.0.0.1:{self._http.server_port}"
        return Server(web, f"{web}/api/v3")

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            token = self.headers.get("Authorization")
            loopback.requests.append(Request(self.command, self.path, body, token))
            answer = loopback.next()
            if answer.after is not None:
                answer.after.wait(20)
            if answer.status == 0:
                self.close_connection = True
                return
            body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Date" not in answer.headers:
                self.send_header("Date", self.date_time_string())
            self.send_header("Content-Length", str(answer.claimed or len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())
            if answer.claimed:
                self.close_connection = True

        do_POST = do_PATCH = do_DELETE = do_PUT = do_GET

        def log_message(self, *_: object) -> None:
            pass

    return Handler
