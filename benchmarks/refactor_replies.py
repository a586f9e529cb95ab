"""A service on loopback in front of the model's, which keeps each answer and gives it again."""

import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PASSED_ON = ("x-api-key", "authorization", "anthropic-version", "anthropic-beta", "content-type")


@contextmanager
def kept_replies(folder: Path, behind: str | None) -> Iterator[str]:
    """Yield the URL of a service that answers from `folder`, and asks `behind` what is not there.

    A reply is found by all of its request. Without `behind` an unknown one is refused for good, so
    that a replay never asks anybody. Only whole answers (200) are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            kept = folder / f"{_digest(self.path, raw)}.reply"
            if kept.exists():
                head, _, body = kept.read_bytes().partition(b"\n")
                self._send(200, head.decode(), body)
                return
            if behind is None:
                said = {"type": "not_found_error", "message": "no reply to this was recorded"}
                self._send(404, "application/json", _json({"type": "error", "error": said}))
                return
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            url = f"{behind.rstrip('/')}{self.path}"
            status, kind, body = _asked(urllib.request.Request(url, raw, headers))
            if status == HTTPStatus.OK:
                part = kept.with_suffix(f".{threading.get_ident()}.part")
                part.write_bytes(kind.encode() + b"\n" + body)
                part.replace(kept)
            self._send(status, kind, body)

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who asked has gone, and will find it here
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
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


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _digest(path: str, raw: bytes) -> str:
    body = json.dumps(json.loads(raw), sort_keys=True) if raw else ""
    return hashlib.sha256(f"{path}\0{body}".encode()).hexdigest()[:32]
