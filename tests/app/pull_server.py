"""A small GitHub on loopback: one repository, its pull requests over REST, and real git over HTTP.

    with PullServer(tmp_path) as hub:
        base = hub.commit({"a.py": b"x\\n"})
        hub.pull(1, base, hub.commit({"a.py": b"y\\n"}, base))
        fetch_pull(hub.url(1), hub.settings(home), print)

git itself serves the objects (git http-backend), so depth, refs and refusals are its own. Every
request is kept in `requests` with the credentials that came with it.
"""

import base64
import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

from app.github.urls import PullRequestUrl
from app.settings import Settings, read_settings

REPOSITORY = "octo/hello"
GIT_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
    "LC_ALL": "C",
}


@dataclass(frozen=True)
class Seen:
    """One request: the path without its query, and the token it carried, in whichever form."""

    path: str
    token: str | None


@dataclass
class Refusal:
    """What REST answers instead of a pull request."""

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)


class PullServer:
    """The server; `token` is what it wants from everybody, None lets everybody read."""

    def __init__(self, folder: Path, token: str | None = None) -> None:
        self.root = folder / "hub"
        self.repo = self.root / f"{REPOSITORY}.git"
        self.token = token
        self.pulls: dict[int, dict[str, Any]] = {}
        self.refusal: Refusal | None = None
        self.requests: list[Seen] = []
        self.before_git: Callable[[], None] = lambda: None
        self.half_way: Callable[[], None] = lambda: None
        """Called when half of what git answers has been sent."""
        self.git_redirect: str | None = None
        self.sent = 0
        """Bytes of the bodies of git's answers."""
        self.served_s = 0.0
        """What git took to make them."""
        self.files: dict[str, bytes | dict[str, Any] | list[Any] | int] = {}
        """What REST gives as files of default branches, by OWNER/NAME:PATH; or a whole answer, or
        the status of a refusal. A file at a commit is that of the repository, unless it stands here
        by OWNER/NAME@COMMIT:PATH."""
        self.compares = True
        """Does the API tell merge bases?"""
        self.git("init", "--quiet", "--bare", str(self.repo), cwd=folder)
        self.git("config", "uploadpack.allowFilter", "true")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def url(self, number: int) -> PullRequestUrl:
        owner, name = REPOSITORY.split("/")
        return PullRequestUrl(self.web, owner, name, number)

    def environ(self, home: Path, token: str | None = None) -> dict[str, str]:
        """The variables of a user whose GitHub this is."""
        here = {
            "HOME": str(home),
            "RLM_HOME": str(home / "rlm"),
            "RLM_GITHUB_SERVER_URL": self.web,
            "RLM_GITHUB_API_URL": f"{self.web}/api/v3",
        }
        return {**here, "GITHUB_TOKEN": token} if token else here

    def settings(self, home: Path, token: str | None = None) -> Settings:
        return read_settings(self.environ(home, token))

    def git(self, *arguments: str, data: bytes = b"", cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.repo,
            env=GIT_ENV,
            input=data,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, bytes], *parents: str, message: str = "x") -> str:
        """Write a commit of a tree that holds exactly `files`."""
        above = [part for parent in parents for part in ("-p", parent)]
        return self.git("commit-tree", "-m", message, *above, self._tree(files))

    def _tree(self, files: Mapping[str, bytes]) -> str:
        entries = b""
        folders: dict[str, dict[str, bytes]] = {}
        for name, content in sorted(files.items()):
            folder, slash, rest = name.partition("/")
            if slash:
                folders.setdefault(folder, {})[rest] = content
                continue
            blob = self.git("hash-object", "-w", "--stdin", data=content)
            entries += f"100644 blob {blob}\t{name}\0".encode()
        for folder, inner in folders.items():
            entries += f"040000 tree {self._tree(inner)}\t{folder}\0".encode()
        return self.git("mktree", "-z", data=entries)

    def line(self, count: int, parent: str, name: str) -> str:
        """Write `count` commits in a row on top of `parent`; return the last."""
        stream = b""
        for number in range(count):
            above = parent if number == 0 else f":{number}"
            stream += (
                f"commit refs/lines/{name}\nmark :{number + 1}\n"
                f"committer A <a@example.com> {1_700_000_100 + number} +0000\n"
                f"data 1\nx\nfrom {above}\nM 100644 inline {name}\ndata {len(str(number))}\n"
                f"{number}\n"
            ).encode()
        self.git("fast-import", "--quiet", "--force", data=stream)
        return self.git("rev-parse", f"refs/lines/{name}")

    def pull(self, number: int, base: str, head: str) -> None:
        """Open a pull request, or push to it. The base stays reachable by no branch of its own."""
        self.git("update-ref", f"refs/pull/{number}/head", head)
        self.git("update-ref", "refs/heads/main", base)
        self.pulls[number] = {
            "number": number,
            "state": "open",
            "merged": False,
            "base": {"sha": base, "ref": "main", "repo": {"full_name": REPOSITORY}},
            "head": {"sha": head, "ref": "topic", "repo": {"full_name": "fork/hello"}},
        }

    def answer(
        self, path: str, token: str | None, query: str = ""
    ) -> tuple[int, dict[str, str], Any]:
        """Answer a REST request."""
        if self.refusal:
            return self.refusal.status, self.refusal.headers, {"message": self.refusal.message}
        if token is not None and token != self.token:
            return 401, {}, {"message": "Bad credentials"}
        if self.token and token is None:
            return 404, {}, {"message": "Not Found"}
        ends = path.removeprefix(f"/api/v3/repos/{REPOSITORY}/compare/")
        if ends != path and self.compares:
            return self._compared(*ends.split("..."))
        repo, contents, name = path.partition("/contents/")
        if contents:
            ref = parse_qs(query).get("ref")
            return self._contents(repo.removeprefix("/api/v3/repos/"), name, ref and ref[0])
        number = path.removeprefix(f"/api/v3/repos/{REPOSITORY}/pulls/")
        pull = self.pulls.get(int(number)) if number.isdigit() else None
        return (200, {}, pull) if pull else (404, {}, {"message": "Not Found"})

    def _contents(self, repo: str, name: str, ref: str | None) -> tuple[int, dict[str, str], Any]:
        data = self.files.get(f"{repo}@{ref}:{name}" if ref else f"{repo}:{name}")
        if data is None and ref and self.git("ls-tree", ref, "--", name):
            data = self.git("cat-file", "blob", f"{ref}:{name}").encode()
        if data is None or isinstance(data, int):
            return data or 404, {}, {"message": "Not Found"}
        if not isinstance(data, bytes):
            return 200, {}, data
        text = base64.encodebytes(data).decode()
        return 200, {}, {"type": "file", "size": len(data), "encoding": "base64", "content": text}

    def _compared(self, base: str, head: str) -> tuple[int, dict[str, str], Any]:
        done = subprocess.run(
            ["git", "merge-base", base, head],
            cwd=self.repo,
            env=GIT_ENV,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            return 404, {}, {"message": f"No common ancestor between {base} and {head}."}
        return 200, {}, {"merge_base_commit": {"sha": done.stdout.decode().strip()}}


def _handler(hub: PullServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            token = _token(self.headers.get("Authorization", ""))
            hub.requests.append(Seen(path, token))
            if path.startswith("/api/"):
                status, headers, value = hub.answer(path, token, query)
                self._send(status, headers, json.dumps(value).encode())
            elif hub.token and token != hub.token:
                self._send(401, {"WWW-Authenticate": 'Basic realm="GitHub"'}, b"no")
            elif hub.git_redirect:
                self._send(302, {"Location": hub.git_redirect + self.path}, b"")
            else:
                hub.before_git()
                self._git(path, query)

        do_POST = do_GET

        def _git(self, path: str, query: str) -> None:
            body = self._body()
            env = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(hub.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
            }
            began = time.monotonic()
            done = subprocess.run(
                ["git", "http-backend"], env=env, input=body, capture_output=True, check=False
            )
            hub.served_s += time.monotonic() - began
            hub.sent += len(done.stdout)
            head, _, rest = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self._send(int(headers.pop("Status", "200").split()[0]), headers, rest, hub.half_way)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = b""
            while size := int(self.rfile.readline().strip(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            return body

        def _send(
            self,
            status: int,
            headers: Mapping[str, str],
            body: bytes,
            half_way: Callable[[], None] = lambda: None,
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the client was killed
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                half_way()
                self.wfile.write(body[len(body) // 2 :])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _token(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return base64.b64decode(value).decode().removeprefix("x-access-token:")
    return value or None
