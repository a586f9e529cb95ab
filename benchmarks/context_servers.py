"""Asks language servers where a name is used: by LSP, and tsserver by its own protocol.

They run as child processes over pipes, in the tree that they are asked about.
"""

import json
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

Place = tuple[str, int]
"""A path and a line from 1."""

START_TIMEOUT_S = 300.0
ANSWER_TIMEOUT_S = 60.0


class Dead(Exception):
    """The server ended, or did not answer in time."""


class _Process:
    """A child that sends messages with a Content-Length before each."""

    def __init__(self, command: list[str], root: Path, env: dict[str, str]) -> None:
        self._child = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if not self._child.stdin or not self._child.stdout:
            raise Dead("it has no pipes")
        self.stdin: IO[bytes] = self._child.stdin
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, args=(self._child.stdout,), daemon=True).start()

    def _listen(self, pipe: IO[bytes]) -> None:
        while line := pipe.readline():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                while pipe.readline().strip():
                    pass
                self._messages.put(json.loads(pipe.read(int(value))))
        self._messages.put(None)

    def next(self, until: float) -> dict[str, Any]:
        """Return the next message; raise Dead at the time `until`."""
        try:
            message = self._messages.get(timeout=max(until - time.monotonic(), 0.001))
        except queue.Empty:
            raise Dead("no answer in time") from None
        if message is None:
            raise Dead("the server ended")
        return message

    def peak_mb(self) -> float:
        """Return the peak of the child's resident memory so far, in MB."""
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0

    def close(self) -> None:
        self._child.kill()
        self._child.wait()


class LanguageServer:
    """A server that speaks LSP over stdio; ready when `is_ready` says so of one of its messages.

    `language` is the name by which LSP knows that of the files.
    """

    def __init__(
        self,
        command: list[str],
        root: Path,
        *,
        env: dict[str, str],
        settings: dict[str, Any],
        is_ready: Callable[[dict[str, Any]], bool],
        language: str,
    ) -> None:
        self._root = root.resolve()
        self._settings = settings
        self._language = language
        self._number = 0
        self.process = _Process(command, self._root, env)
        uri = self._root.as_uri()
        capabilities = {
            "workspace": {"configuration": True, "workspaceFolders": True},
            "window": {"workDoneProgress": True},
        }
        folders = [{"uri": uri, "name": "root"}]
        self._ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": uri,
                "workspaceFolders": folders,
                "capabilities": capabilities,
                "initializationOptions": settings,
            },
            START_TIMEOUT_S,
        )
        self._send({"method": "initialized", "params": {}})
        until = time.monotonic() + START_TIMEOUT_S
        while not is_ready(message := self.process.next(until)):
            self._oblige(message)

    def references(self, path: str, line: int, column: int) -> list[Place] | None:
        """Return where the name at a place is used; None if the server knows nothing there."""
        file = self._root / path
        item = {
            "uri": file.as_uri(),
            "languageId": self._language,
            "version": 1,
            "text": file.read_text("utf-8", "replace"),
        }
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        answer = self._ask(
            "textDocument/references",
            {
                "textDocument": {"uri": item["uri"]},
                "position": {"line": line - 1, "character": column},
                "context": {"includeDeclaration": False},
            },
            ANSWER_TIMEOUT_S,
        )
        closed = {"textDocument": {"uri": item["uri"]}}
        self._send({"method": "textDocument/didClose", "params": closed})
        if answer is None:
            return None
        places = []
        for found in answer:
            where = Path(unquote(urlsplit(found["uri"]).path))
            if where.is_relative_to(self._root):
                inside = where.relative_to(self._root).as_posix()
                places.append((inside, found["range"]["start"]["line"] + 1))
        return places

    def _ask(self, method: str, params: dict[str, Any], timeout_s: float) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        until = time.monotonic() + timeout_s
        while True:
            message = self.process.next(until)
            if message.get("id") == self._number and "method" not in message:
                return message.get("result")
            self._oblige(message)

    def _oblige(self, message: dict[str, Any]) -> None:
        """Answer what the server asks of its client."""
        if "method" in message and "id" in message:
            result: Any = None
            if message["method"] == "workspace/configuration":
                result = [self._section(item) for item in message["params"]["items"]]
            self._send({"id": message["id"], "result": result})

    def _section(self, item: dict[str, Any]) -> Any:
        value: Any = self._settings
        for part in filter(None, (item.get("section") or "").split(".")):
            value = value.get(part, {}) if isinstance(value, dict) else {}
        return value

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()


class TypeScriptServer:
    """tsserver: requests are lines, answers are framed as in LSP."""

    def __init__(self, command: list[str], root: Path) -> None:
        self._root = root.resolve()
        self._number = 0
        self.process = _Process(command, self._root, {})

    def references(self, path: str, line: int, column: int) -> list[Place] | None:
        """Return where the name at a place is used; None for a file that belongs to no project."""
        file = str(self._root / path)
        self._send("open", {"file": file})
        try:
            info = self._ask("projectInfo", {"file": file, "needFileNameList": False})
            if not info or info["configFileName"].startswith("/dev/null"):
                return None
            where = {"file": file, "line": line, "offset": column + 1}
            answer = self._ask("references", where)
        finally:
            self._send("close", {"file": file})
        if answer is None:
            return None
        return [
            (Path(found["file"]).relative_to(self._root).as_posix(), found["start"]["line"])
            for found in answer["refs"]
            if Path(found["file"]).is_relative_to(self._root) and not found.get("isDefinition")
        ]

    def _ask(self, command: str, arguments: dict[str, Any]) -> Any:
        number = self._send(command, arguments)
        until = time.monotonic() + ANSWER_TIMEOUT_S
        while True:
            message = self.process.next(until)
            if message.get("type") == "response" and message.get("request_seq") == number:
                return message.get("body")

    def _send(self, command: str, arguments: dict[str, Any]) -> int:
        self._number += 1
        message = {"seq": self._number, "type": "request", "command": command}
        self.process.stdin.write(json.dumps({**message, "arguments": arguments}).encode() + b"\n")
        self.process.stdin.flush()
        return self._number
