"""The web role's pages over loopback: deliveries good and bad, slow clients, a full disk, a kill."""

import hashlib
import hmac
import http.client
import json
import logging
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest

from app import strict_json
from app.defaults import NO_KEY
from app.events import ACTED_ON, MAX_BODY_BYTES
from app.jobs import Look
from app.readiness import ALIVE_S, readiness
from app.roles import LISTEN_FD
from app.roles.web import HURRIED_S, MAX_CONNECTIONS, REQUEST_S, Arrivals, answer
from app.signature import secrets_in, sign, verified
from app.store import Store, Worker
from app.webhook import make_app
from tests.app.deliveries import SECRET, VERSIONS, example, examples, headers

OLD_SECRET = "the one before"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection to a port of this machine, opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        fields: dict[str, str] | None = None,
    ) -> Answer:
        self._connection.request(method, path, body, fields or {})
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    def deliver(
        self, event: str, payload: Any, *, delivery: str = "", secret: str = SECRET
    ) -> Answer:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        fields = headers(event, body, secret=secret, delivery=delivery)
        return self.ask("POST", "/webhook", body, fields)

    def post(self, body: bytes, **changes: str | None) -> Answer:
        """Send a signed body with some headers replaced (by None: left out)."""
        fields: dict[str, str | None] = {**headers("pull_request", body)}
        fields |= {name.replace("_", "-"): value for name, value in changes.items()}
        given = {name: value for name, value in fields.items() if value is not None}
        return self.ask("POST", "/webhook", body, given)

    def close(self) -> None:
        self._connection.close()


class Web(Client):
    """The pages over a store, served as the web process serves them, in a thread of this one."""

    def __init__(self, store: Store, secrets: tuple[str, ...]) -> None:
        self.store = store
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        app = make_app(store, [secret.encode() for secret in secrets])
        self._thread = threading.Thread(
            target=answer, args=(app, self._listener, self._stopping), daemon=True
        )
        super().__init__(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._stopping.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._listener.close()

    def jobs(self) -> list[Look]:
        """Take what the store has for the github role."""
        found = []
        while (job := self.store.claim("github", "github", 60)) is not None:
            found.append(Look.model_validate_json(job.payload))
            self.store.done(job)
        return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "home" / "rlm.sqlite3")
    yield store
    store.close()


@pytest.fixture
def web(store: Store) -> Iterator[Web]:
    with Web(store, (SECRET, OLD_SECRET)) as web:
        yield web


def opened(number: int = 2) -> dict[str, Any]:
    payload = example("pull_request", "opened")
    payload["number"] = payload["pull_request"]["number"] = number
    return payload


# Signatures


def test_the_signature_is_the_one_in_githubs_documentation() -> None:
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign(b"It's a Secret to Everybody", b"Hello, World!") == expected
    assert verified([b"other", b"It's a Secret to Everybody"], b"Hello, World!", expected)
    assert not verified([b"other"], b"Hello, World!", expected)
    assert not verified([b"It's a Secret to Everybody"], b"Hello, World", expected)


def test_an_empty_secret_signs_nothing() -> None:
    assert not verified([b""], b"{}", sign(b"", b"{}"))


def test_secrets_are_read_one_a_line_the_current_ones_first() -> None:
    environ = {"RLM_WEBHOOK_SECRET": " a \n\nb\r\n", "RLM_WEBHOOK_SECRET_OLD": "c\na"}
    assert secrets_in(environ) == (b"a", b"b", b"c")
    assert secrets_in({"RLM_WEBHOOK_SECRET": " \n"}) == ()


# Deliveries


def test_a_signed_delivery_is_stored_before_it_is_answered(web: Web, tmp_path: Path) -> None:
    answer = web.deliver("pull_request", opened(7))
    assert (answer.status, answer.json) == (202, {"status": "queued"})
    with sqlite3.connect(tmp_path / "home" / "rlm.sqlite3") as db:
        ((payload,),) = db.execute("SELECT payload FROM jobs").fetchall()
    db.close()
    assert json.loads(payload)["number"] == 7


def test_the_same_delivery_again_is_known_and_stored_once(web: Web) -> None:
    guid = str(uuid.uuid4())
    assert web.deliver("pull_request", opened(), delivery=guid).status == 202
    again = web.deliver("pull_request", opened(), delivery=guid.upper())
    assert (again.status, again.json) == (200, {"status": "known"})
    assert len(web.jobs()) == 1


def test_the_same_delivery_from_many_connections_is_stored_once(web: Web) -> None:
    guid = str(uuid.uuid4())
    statuses: list[int] = []

    def deliver() -> None:
        client = Client(web.port)
        statuses.append(client.deliver("pull_request", opened(), delivery=guid).status)
        client.close()

    threads = [threading.Thread(target=deliver) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 11 + [202]
    assert len(web.jobs()) == 1


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_the_old_secret_counts_while_it_is_rotated(web: Web, secret: str) -> None:
    assert web.deliver("pull_request", opened(), secret=secret).status == 202


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha256=" + "0" * 63,
        "sha1=" + "0" * 40,
        "0" * 64,
        "sha256=" + "é" * 64,
        "sha256=" + "0" * 64 + ", sha256=" + "0" * 64,
    ],
)
def test_a_forged_delivery_is_refused_and_leaves_nothing(web: Web, signature: str | None) -> None:
    body = json.dumps(opened()).encode()
    guid = str(uuid.uuid4())
    forged = web.post(body, X_Hub_Signature_256=signature, X_GitHub_Delivery=guid)
    assert forged.status == 401
    assert "X-Hub-Signature-256" in forged.json["why"]
    assert web.store.waiting("github") == 0
    assert web.deliver("pull_request", body, delivery=guid).status == 202


def test_a_sha1_signature_does_not_count(web: Web) -> None:
    body = json.dumps(opened()).encode()
    sha1 = "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()  # the right one
    refused = web.post(body, X_Hub_Signature_256=None, X_Hub_Signature=sha1)
    assert refused.status == 401
    assert "SHA-1" in refused.json["why"]


def test_a_recorded_rerun_sent_again_under_another_id_is_the_same_rerun(web: Web) -> None:
    body = json.dumps(example("check_run", "rerequested")).encode()
    for _ in range(2):
        assert web.deliver("check_run", body, delivery=str(uuid.uuid4())).status == 202
    jobs = [web.store.claim("github", f"w{n}", 0) for n in range(2)]
    (name,) = {json.loads(job.payload)["event_id"] for job in jobs if job is not None}
    assert name not in body.decode()


def test_a_changed_byte_breaks_the_signature(web: Web) -> None:
    body = json.dumps(opened()).encode()
    fields = headers("pull_request", body)
    assert web.ask("POST", "/webhook", body.replace(b"opened", b"closed"), fields).status == 401


def test_without_a_secret_nothing_is_taken(store: Store) -> None:
    with Web(store, ()) as web:
        answer = web.deliver("pull_request", opened(), secret="")
        assert answer.status == 503
        assert "rlm setup" in answer.json["why"]
    assert store.waiting("github") == 0


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X_GitHub_Delivery", None),
        ("X_GitHub_Delivery", "7"),
        ("X_GitHub_Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958; x"),
        ("X_GitHub_Event", None),
        ("X_GitHub_Event", ""),
        ("X_GitHub_Event", "pull_request\t"[:-1] + "!"),
        ("X_GitHub_Event", "x" * 200),
        ("X_GitHub_Event", "../ping"),
    ],
)
def test_a_delivery_without_its_headers_is_refused(
    web: Web, header: str, value: str | None
) -> None:
    answer = web.post(json.dumps(opened()).encode(), **{header: value})
    assert answer.status == 400
    assert header.replace("_", "-") in answer.json["why"]


BROKEN = {
    "nothing": b"",
    "half": b'{"action": "opened", "pull_re',
    "no object": b"[1]",
    "null": b"null",
    "a word": b'"opened"',
    "deep arrays": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "deep and closed": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a huge integer": b'{"number": ' + b"9" * 100_000 + b"}",
    "an integer that no id is": b'{"number": 123456789012345678901234567890}',
    "a number beyond floats": b'{"number": 1e999}',
    "NaN": b'{"number": NaN}',
    "Infinity": b'{"number": -Infinity}',
    "a duplicate key": b'{"action": "opened", "action": "closed"}',
    "no UTF-8": b'{"action": "\xff\xfe"}',
    "half a surrogate pair": b'{"action": "\\ud83d"}',
    "half a surrogate pair as a key": b'{"\\uDC00": 1}',
    "UTF-16": '{"action": "opened"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"action": "opened"}',
    "a control character": b'{"action": "a\x00b"}',
    "two values": b'{"action": "opened"}{"action": "opened"}',
    "Python": b"{'action': 'opened'}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=list(BROKEN))
def test_a_signed_payload_that_is_no_plain_json_is_refused(web: Web, body: bytes) -> None:
    answer = web.post(body)
    assert answer.status == 400
    assert answer.json["status"] == "refused"
    assert web.store.waiting("github") == 0


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert strict_json.loads(b'{"a": "\\ud83d\\ude00"}') == {"a": "😀"}


def test_a_form_is_read_too(web: Web) -> None:
    text = json.dumps({**opened(), "note": "a+b & c=d é 😀"}, ensure_ascii=False)
    body = urlencode({"payload": text}).encode()
    form = "application/x-www-form-urlencoded"
    assert web.post(body, Content_Type=form).status == 202
    assert len(web.jobs()) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"payload", b"payload=", b"other=%7B%7D", b"payload=%7B%7D&payload=%7B%7D", b"payload=%ff",
     b"payload=\xff", b"a=1&" * 10_000],
)  # fmt: skip
def test_a_form_that_holds_anything_else_is_refused(web: Web, body: bytes) -> None:
    assert web.post(body, Content_Type="application/x-www-form-urlencoded").status == 400


def test_another_content_type_is_refused(web: Web) -> None:
    answer = web.post(json.dumps(opened()).encode(), Content_Type="text/plain")
    assert answer.status == 415
    assert "application/json" in answer.json["why"]


def test_what_nobody_acts_upon_is_answered_with_the_reason(web: Web) -> None:
    assert web.deliver("ping", {"zen": "Keep it logically awesome.", "hook_id": 1}).json == {
        "status": "pong"
    }
    for event, payload in (
        ("star", example("star", "created")),
        ("an_event_of_next_year", {"action": "created"}),
        ("pull_request", {**opened(), "action": "an_action_of_next_year"}),
        ("installation", example("installation", "created")),
    ):
        answer = web.deliver(event, payload)
        assert (answer.status, answer.json["status"]) == (200, "ignored")
        assert "not acted upon" in answer.json["why"]
    assert web.store.waiting("github") == 0


def test_an_event_of_ours_without_its_fields_is_refused(web: Web) -> None:
    payload = opened()
    del payload["repository"]["full_name"]
    answer = web.deliver("pull_request", payload)
    assert answer.status == 400
    assert "repository.full_name" in answer.json["why"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_example_of_github_is_taken_or_ignored(web: Web, version: str) -> None:
    # They come from webhooks of repositories as well; an App's name its installation.
    statuses = [
        (web.deliver(name, {"installation": {"id": 77}, **payload}).status, name)
        for name, payload in examples(version)
    ]
    assert {status for status, _ in statuses} == {200, 202}
    taken = {name for status, name in statuses if status == 202}
    assert "pull_request" in taken
    assert taken <= ACTED_ON
    as_they_are = {web.deliver(name, payload).status for name, payload in examples(version)}
    assert as_they_are <= {200, 202}


def test_no_mutilated_example_makes_the_server_fail(web: Web) -> None:
    """Bytes cut off, changed and put in; the events are read by tests of their own."""
    chance = random.Random(3)
    originals = [
        (name, json.dumps(payload).encode()) for name, payload in examples("api.github.com")
    ]
    statuses = set()
    for _ in range(300):
        name, body = chance.choice(originals)
        match chance.randrange(4):
            case 0:
                body = body[: chance.randrange(len(body))]
            case 1:
                at = chance.randrange(len(body))
                body = body[:at] + chance.randbytes(3) + body[at + 2 :]
            case 2:
                old, new = chance.choice(
                    [(b'"id": ', b'"id": -'), (b"{", b"["), (b"null", b'"\\u0000"'), (b": ", b":[")]
                )
                body = body.replace(old, new)
            case 3:
                name = chance.choice(["pull_request", "issue_comment", "check_run", "check_suite"])
        statuses.add(web.deliver(name, body).status)
    assert statuses <= {200, 202, 400}
    assert {200, 400} <= statuses


# Sizes and slowness


def test_a_payload_of_25_mb_is_taken_and_one_byte_more_is_not(web: Web) -> None:
    payload = opened()
    payload["filler"] = ""
    body = json.dumps(payload).encode()
    largest = body.replace(
        b'"filler": ""', b'"filler": "%s"' % (b"x" * (MAX_BODY_BYTES - len(body)))
    )
    assert len(largest) == MAX_BODY_BYTES
    assert web.deliver("pull_request", largest).status == 202
    assert len(web.jobs()) == 1
    # The answer comes at once: nothing of this body is ever sent.
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: sha256="
            + b"0" * 64
            + b"\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1)
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_an_announced_end_is_cut_off_at_the_limit(web: Web) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        sent = 0
        try:
            while sent < 2 * MAX_BODY_BYTES:
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass  # the server has hung up
    assert sent < 2 * MAX_BODY_BYTES


def test_headers_without_end_are_refused(web: Web) -> None:
    answer = web.ask("GET", "/healthz", fields={"X-Filler": "x" * 40_000})
    assert answer.status == 431
    web.close()


def test_slow_clients_keep_nobody_waiting(web: Web) -> None:
    slow = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(b"POST /webhook HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        assert web.deliver("pull_request", opened()).status == 202
        assert time.monotonic() - began < 5
    finally:
        for connection in slow:
            connection.close()


class Connection:
    """What the server keeps of a connection, as far as its age is judged."""

    def __init__(self, request: object = None, *, used: bool = True) -> None:
        self.request = request
        self.requests: list[object] = []
        self.creation_time = 0.0
        self.last_activity = 0.5 if used else 0.0
        self.will_close = False


def closed_after(second: int, connections: list[Connection]) -> list[bool]:
    """Look at the connections each second, as the server does."""
    arrivals = Arrivals()
    for now in range(1, second + 1):
        arrivals.close_late(connections, float(now))  # type: ignore[arg-type]
    return [connection.will_close for connection in connections]


def connections() -> list[Connection]:
    """Return one whose request trickles in, one that is silent, an idle one and a busy one."""
    busy = Connection()
    busy.requests.append(object())
    return [Connection(object()), Connection(used=False), Connection(), busy]


def test_a_request_that_only_trickles_in_is_cut_off_in_the_end() -> None:
    assert closed_after(int(REQUEST_S), connections()) == [False, False, False, False]
    assert closed_after(int(REQUEST_S) + 2, connections()) == [True, True, False, False]


def test_the_next_request_on_a_connection_has_its_own_time() -> None:
    arrivals, connection = Arrivals(), Connection(object())
    arrivals.close_late([connection], 1.0)  # type: ignore[list-item]
    connection.request = object()
    arrivals.close_late([connection], 1.0 + REQUEST_S)  # type: ignore[list-item]
    arrivals.close_late([connection], 2.0 + REQUEST_S)  # type: ignore[list-item]
    assert not connection.will_close


def test_where_connections_run_out_those_that_are_not_used_make_room() -> None:
    crowd = [one for _ in range(MAX_CONNECTIONS // 4) for one in connections()]
    assert closed_after(int(HURRIED_S), crowd).count(True) == 0
    assert closed_after(int(HURRIED_S) + 2, crowd) == [True, True, True, False] * (len(crowd) // 4)


def test_a_crowd_of_silent_clients_delays_a_delivery_by_seconds_at_most(web: Web) -> None:
    silent = [
        socket.create_connection(("127.0.0.1", web.port)) for _ in range(MAX_CONNECTIONS + 20)
    ]
    try:
        time.sleep(0.2)
        began = time.monotonic()
        assert web.deliver("pull_request", opened()).status == 202
        assert time.monotonic() - began < HURRIED_S + 5
    finally:
        for connection in silent:
            connection.close()


def test_answers_that_their_reader_is_slow_to_take_all_arrive(web: Web) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(request * 1_500 + request.replace(b"Host", b"Connection: close\r\nHost"))
        time.sleep(0.5)
        received = b""
        while piece := connection.recv(1 << 20):
            received += piece
    assert received.count(b"HTTP/1.1 200 OK") == received.count(b"</html>") == 1_501


# The other pages


def test_pages_that_do_not_exist_and_methods_that_do_not_fit_say_so_in_json(web: Web) -> None:
    missing = web.ask("GET", "/webhooks")
    assert (missing.status, missing.json["status"]) == (404, "refused")
    wrong = web.ask("GET", "/webhook")
    assert (wrong.status, wrong.json["status"]) == (405, "refused")
    assert "POST" in wrong.headers["allow"]
    assert web.ask("POST", "/readyz", b"").status == 405


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/nothing", "/webhook"])
def test_every_answer_has_headers_against_misuse_and_names_no_version(web: Web, path: str) -> None:
    answer = web.ask("GET", path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_the_front_page_says_what_this_is(web: Web) -> None:
    page = web.ask("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    text = page.body.decode()
    for words in ("reviews pull requests", "/webhook", "/readyz", "/rlm help", "rlm setup"):
        assert words in text
    assert "<script" not in text


def test_the_server_is_healthy_before_it_is_ready(web: Web) -> None:
    assert (web.ask("GET", "/healthz").status, web.ask("GET", "/healthz").json) == (
        200,
        {"status": "ok"},
    )
    ready = web.ask("GET", "/readyz")
    assert (ready.status, ready.json["ready"]) == (503, False)
    assert [line.split(" process")[0] for line in ready.json["missing"]] == [
        "The github",
        "No engine",
    ]


def test_the_server_is_ready_when_its_processes_live(store: Store) -> None:
    store.beat("github")
    store.beat("engine-1", NO_KEY)
    with Web(store, (SECRET,)) as web:
        ready = web.ask("GET", "/readyz")
    assert (ready.status, ready.json) == (
        200,
        {
            "ready": True,
            "missing": [],
            "notes": [NO_KEY],
        },
    )


def test_a_setting_that_keeps_an_engine_from_its_work_is_missing_and_no_note() -> None:
    workers = [Worker("engine-1", "RLM_EFFORT is not an effort.", 1.0), Worker("github", "", 1.0)]
    found = readiness(has_secret=True, store_problem="", workers=workers, now=1.0)
    assert (found.ready, found.notes) == (False, ())
    assert found.missing == ("RLM_EFFORT is not an effort.",)


def test_readiness_names_everything_that_is_missing() -> None:
    now = 1_000.0
    workers = [
        Worker("engine-1", "", now - ALIVE_S - 1),
        Worker("github", "No GitHub App is configured: run `rlm setup`.", now - 1),
    ]
    found = readiness(has_secret=False, store_problem="", workers=workers, now=now)
    assert not found.ready
    assert len(found.missing) == 3
    assert "RLM_WEBHOOK_SECRET" in found.missing[0]
    assert found.missing[1] == "No GitHub App is configured: run `rlm setup`."
    assert "engine" in found.missing[2]


def test_one_engine_is_enough_and_a_silent_github_process_is_gone() -> None:
    now = 1_000.0
    workers = [
        Worker("engine-1", "", now - 300),
        Worker("engine-2", "", now - 2),
        Worker("github", "", now - ALIVE_S - 1),
    ]
    found = readiness(has_secret=True, store_problem="", workers=workers, now=now)
    assert len(found.missing) == 1
    assert "github process" in found.missing[0]


def test_a_store_that_cannot_be_written_is_missing(tmp_path: Path) -> None:
    store = Store(tmp_path / "rlm.sqlite3")
    store.close()
    with Web(store, (SECRET,)) as web:
        ready = web.ask("GET", "/readyz")
    assert ready.status == 503
    assert ready.json["missing"] == [
        "The store cannot be written: the server's log has the reason."
    ]


# The log


def test_each_delivery_is_one_line_of_the_log_without_secrets(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    guid = str(uuid.uuid4())
    web.deliver("pull_request", {**opened(), "note": "ghs_private"}, delivery=guid)
    web.deliver("pull_request", opened(), secret="wrong")
    lines = [record for record in caplog.records if record.name == "app.webhook"]
    assert [record.getMessage() for record in lines] == ["delivery queued", "delivery refused"]
    told = vars(lines[0])
    assert (told["delivery"], told["event"], told["action"]) == (guid, "pull_request", "opened")
    assert (told["repository"], told["number"]) == ("Codertocat/Hello-World", 2)
    assert "repository" not in vars(lines[1])  # nothing is read of what nobody has signed
    for record in lines:
        assert SECRET not in str(vars(record))
        assert "ghs_private" not in str(vars(record))


# The process


class Process(Client):
    """`python -m app.roles web`, with this test in the place of the supervisor."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        super().__init__(self.listener.getsockname()[1])
        self.start()

    def start(self) -> None:
        with (self._home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.roles", "web"],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self._home),
                    "RLM_HOME": str(self._home),
                    "RLM_WEBHOOK_SECRET": SECRET,
                    LISTEN_FD: str(self.listener.fileno()),
                },
                pass_fds=[self.listener.fileno()],
                stderr=log,
            )

    def stored(self) -> dict[str, int]:
        """Return the stored deliveries, and the number of jobs under ""."""
        with sqlite3.connect(self._home / "rlm.sqlite3") as db:
            ids = [row[0] for row in db.execute("SELECT id FROM deliveries")]
            ((jobs,),) = db.execute("SELECT count(*) FROM jobs").fetchall()
        db.close()
        return {**dict.fromkeys(ids, 1), "": jobs}

    @property
    def log(self) -> str:
        return (self._home / "log").read_text()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    process.close()
    process.process.kill()
    process.process.wait()
    process.listener.close()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process")
def test_a_full_disk_is_told_and_forgotten_when_there_is_room_again(
    process: Process, tmp_path: Path
) -> None:
    assert process.deliver("pull_request", opened()).status == 202
    # Bytes of a file: what is written next is appended to this one, however little it is.
    limit = (tmp_path / "rlm.sqlite3-wal").stat().st_size
    resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    guids = [str(uuid.uuid4()) for _ in range(200)]
    answers: dict[str, Answer] = {}
    for guid in guids:
        answers[guid] = process.deliver("pull_request", opened(), delivery=guid)
        if answers[guid].status != 202:
            break
    failed = answers[guid]
    assert (failed.status, failed.json["status"]) == (503, "failed")
    assert "again" in failed.json["why"]
    assert failed.headers["retry-after"] == "60"
    assert process.deliver("pull_request", opened(), delivery=guid).status == 503
    assert process.ask("GET", "/readyz").json["missing"] == [
        "The store cannot be written: the server's log has the reason."
    ]
    assert process.ask("GET", "/healthz").status == 200
    resource.prlimit(
        process.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    assert process.deliver("pull_request", opened(), delivery=guid).status == 202
    stored = process.stored()
    assert set(answers) <= stored.keys()
    assert stored[""] == len(stored) - 1
    assert "could not be stored" in process.log
    assert SECRET not in process.log


def test_another_writer_is_waited_for(process: Process, tmp_path: Path) -> None:
    assert process.deliver("pull_request", opened()).status == 202
    other = sqlite3.connect(tmp_path / "rlm.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, other.execute, ["COMMIT"])
    timer.start()
    began = time.monotonic()
    assert process.deliver("pull_request", opened()).status == 202
    assert time.monotonic() - began > 0.3
    timer.join()
    other.close()


def test_what_was_taken_survives_a_kill_and_what_waits_meets_the_next_process(
    process: Process,
) -> None:
    taken: list[str] = []
    stop = threading.Event()

    def deliver() -> None:
        while not stop.is_set():
            client = Client(process.port)
            guid = str(uuid.uuid4())
            try:
                if client.deliver("pull_request", opened(), delivery=guid).status == 202:
                    taken.append(guid)
            except (OSError, http.client.HTTPException):
                pass  # cut by the kill
            finally:
                client.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    _until(lambda: len(taken) > 40)
    process.process.kill()
    process.process.wait()
    before = len(taken)
    process.start()
    _until(lambda: len(taken) > before + 40)
    stop.set()
    for thread in threads:
        thread.join()
    stored = process.stored()
    assert set(taken) <= stored.keys()
    assert stored[""] == len(stored) - 1


def test_a_request_that_has_begun_is_answered_before_the_process_ends(process: Process) -> None:
    assert process.ask("GET", "/healthz").status == 200
    body = json.dumps(opened()).encode()
    fields = "".join(
        f"{name}: {value}\r\n" for name, value in headers("pull_request", body).items()
    )
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    with socket.create_connection(("127.0.0.1", process.port), timeout=20) as connection:
        connection.sendall(head.encode() + body[:-5])
        assert process.ask("GET", "/healthz").status == 200  # so it has been accepted by now
        process.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.sendall(body[-5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")
    assert process.process.wait(20) == 0


def _until(condition: Any, patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
