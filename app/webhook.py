"""The web role's application: `POST /webhook`, `/healthz`, `/readyz`, and a page or the run pages.

What workflows ask for is in `app/handover.py`.

A delivery is read in this order: size, signature, headers, JSON, event. Nothing of it is looked at
before somebody who knows the secret has signed it, and it is on the disk before it is answered.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from flask import Flask, Request, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from app import strict_json
from app.events import (
    DELIVERY_ID,
    EVENT_NAME,
    MAX_BODY_BYTES,
    Bad,
    Ignored,
    Subject,
    read_event,
    subject_of,
)
from app.handover import handover
from app.measures import COUNTS, DELIVERIES, STORE_ERRORS
from app.oidc import Verifier
from app.readiness import NO_SECRET, Readiness, readiness
from app.signature import HEADER, verified, well_formed
from app.store import Store
from reviewer.errors import RlmError

if TYPE_CHECKING:
    from app.web.pages import Pages

log = logging.getLogger(__name__)

READY_FOR_S = 1.0
"""How long an answer about readiness is given again: each look writes to the store."""

RETRY_AFTER_S = 60

DIGEST_DIGITS = 32

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>rlm</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
</style>
<h1>rlm reviews pull requests</h1>
<p>This is the server of a GitHub App: reviews stand on the pull requests of the repositories in
which the App is installed. Its run pages, which show how each review was made, are off: when it
starts, <code>rlm serve</code> says what they need.</p>
<ul>
<li>GitHub delivers its events to <code>/webhook</code>.</li>
<li>Workflows hand their pull requests over at <code>/action</code>.</li>
<li><a href="/readyz"><code>/readyz</code></a> says whether everything is in place, and what is
missing.</li>
<li>In a comment on a pull request, <code>/rlm help</code> lists the commands.</li>
<li>On the server, <code>rlm setup</code> creates the App and <code>rlm doctor</code> checks the
machine; the documentation is <code>README.md</code> in the program's repository.</li>
</ul>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a delivery is told: a status code, one word and, where there is one, a reason."""

    code: int
    status: str
    why: str = ""


class _Refused(Exception):
    """The delivery goes no further."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.answer = _Answer(code, "refused", why)


def make_app(
    store: Store,
    secrets: Sequence[bytes],
    *,
    pages: "Pages | None" = None,
    verifier: Verifier | None = None,
    clock: Callable[[], float] = time.time,
    name: str = "web",
) -> Flask:
    """Return the application over a store; `secrets` are the webhook secrets that count, if any.

    `name` is this process's in its signs of life. Without `pages` nobody can log in, and there is
    one page that says what this is; without a `verifier`, which checks the tokens of workflows,
    none is taken.
    """
    app = Flask(__name__, static_folder=None)
    # One byte more than is allowed, so that the limit itself passes whoever counts how.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.register_blueprint(handover(store, verifier, clock=clock))
    ready = _Ready(store, any(secrets), clock, name)

    @app.post("/webhook")
    def webhook() -> tuple[Response, int, dict[str, str]]:
        answer = _deliver(store, secrets, request)
        told = {"status": answer.status, **({"why": answer.why} if answer.why else {})}
        headers = {"Retry-After": str(RETRY_AFTER_S)} if answer.code == 503 else {}
        return jsonify(told), answer.code, headers

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify({"status": "ok"})

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = ready.now()
        told = {"ready": found.ready, "missing": found.missing, "notes": found.notes}
        return jsonify(told), 200 if found.ready else 503

    if pages is not None:
        from app.web.pages import register  # noqa: PLC0415 - only where somebody can log in

        register(app, pages)
    else:

        @app.get("/")
        def page() -> Response:
            return Response(_PAGE, content_type="text/html; charset=utf-8")

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int, dict[str, str]]:
        # As werkzeug says it, without the page of HTML around it.
        allow = {"Allow": ", ".join(error.valid_methods or ())} if _is_405(error) else {}  # type: ignore[attr-defined]
        return _error(error.code or 500, error.description or error.name), error.code or 500, allow

    @app.errorhandler(Exception)
    def bug(error: Exception) -> tuple[Response, int]:
        log.error("this is a bug", exc_info=error)
        return _error(500, "This is a bug; the server's log has it."), 500

    @app.after_request
    def harden(response: Response) -> Response:
        for header, value in _HEADERS.items():
            response.headers.setdefault(header, value)
        return response

    return app


def _is_405(error: HTTPException) -> bool:
    return error.code == 405


def _error(code: int, why: str) -> Response:
    return jsonify({"status": "failed" if code >= 500 else "refused", "why": why})


# One delivery


def _deliver(store: Store, secrets: Sequence[bytes], sent: Request) -> _Answer:
    """Take a delivery in and log the one line that tells what became of it."""
    subject = Subject()
    delivery = sent.headers.get("X-GitHub-Delivery", "").lower()
    event = sent.headers.get("X-GitHub-Event", "")
    try:
        body = _signed_body(secrets, sent)
        if not DELIVERY_ID.fullmatch(delivery):
            raise _Refused(400, "X-GitHub-Delivery is missing, or no GUID.")
        if not EVENT_NAME.fullmatch(event):
            raise _Refused(400, "X-GitHub-Event is missing, or no name of an event.")
        payload = _payload(body, sent.mimetype)
        subject = subject_of(payload)
        # Signed, unlike the id of the delivery: whoever sends it again asks for nothing new.
        digest = hashlib.sha256(body).hexdigest()[:DIGEST_DIGITS]
        answer = _act(store, event, payload, delivery, digest)
    except _Refused as error:
        answer = error.answer
    COUNTS.add(DELIVERIES, answer.status)
    known = {"delivery": delivery[:36], "event": event[:64]}
    log.log(
        logging.INFO if answer.code < 400 else logging.WARNING,
        "delivery %s",
        answer.status,
        extra={**known, **_told(subject), "code": answer.code, "why": answer.why},
    )
    return answer


def _signed_body(secrets: Sequence[bytes], sent: Request) -> bytes:
    """Return the raw body if somebody who knows a secret has signed it."""
    if not any(secrets):
        raise _Refused(503, NO_SECRET)
    signature = sent.headers.get(HEADER, "")
    if not well_formed(signature):
        raise _Refused(401, f"{HEADER} is missing, or no signature. SHA-1 alone does not count.")
    if (sent.content_length or 0) > MAX_BODY_BYTES:
        raise _Refused(413, f"It is larger than {MAX_BODY_BYTES} bytes.")
    body = sent.get_data(cache=False)
    if len(body) > MAX_BODY_BYTES:
        raise _Refused(413, f"It is larger than {MAX_BODY_BYTES} bytes.")
    if not verified(secrets, body, signature):
        raise _Refused(
            401, f"{HEADER} does not match: the webhook's secret is not the one configured here."
        )
    return body


def _payload(body: bytes, mimetype: str) -> Mapping[str, object]:
    """Read the JSON object of either content type that a webhook can be set to."""
    try:
        match mimetype:
            case "application/json":
                raw = body
            case "application/x-www-form-urlencoded":
                raw = _field(body)
            case _:
                raise _Refused(
                    415, "The content type is neither JSON nor a form: set it to application/json."
                )
        payload = strict_json.loads(raw)
    except ValueError as error:
        raise _Refused(400, f"The payload cannot be read: {error}.") from error
    if not isinstance(payload, dict):
        raise _Refused(400, "The payload is not a JSON object.")
    return payload


def _field(body: bytes) -> bytes:
    """Return the field `payload` of a form, which is all that GitHub's forms hold."""
    fields = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=1, errors="strict")
    if [name for name, _ in fields] != ["payload"]:
        raise ValueError("the form has not the one field `payload`")
    return fields[0][1].encode("utf-8")


def _act(
    store: Store, event: str, payload: Mapping[str, object], delivery: str, digest: str
) -> _Answer:
    if event == "ping":
        return _Answer(200, "pong")
    match read_event(event, payload, digest):
        case Ignored(why=why):
            return _Answer(200, "ignored", why)
        case Bad(why=why):
            return _Answer(400, "refused", why)
        case wanted:
            pass
    try:
        new = store.accept(delivery, wanted.job())
    except RlmError as error:
        COUNTS.add(STORE_ERRORS, "web")
        log.error("a delivery could not be stored", extra={"delivery": delivery, "error": error})
        return _Answer(
            503,
            "failed",
            "It could not be stored and is not remembered: deliver it again later. "
            "The server's log has the reason.",
        )
    return _Answer(202, "queued") if new else _Answer(200, "known")


def _told(subject: Subject) -> dict[str, object]:
    """Return the fields of a log line that there are."""
    fields = {
        "action": subject.action,
        "repository": subject.repository,
        "number": subject.number,
        "installation": subject.installation,
        "repository_id": subject.repository_id,
    }
    return {name: value for name, value in fields.items() if value not in {"", None}}


# Readiness


class _Ready:
    """Asks the store, at most once a second however often it is asked itself."""

    def __init__(
        self, store: Store, has_secret: bool, clock: Callable[[], float], name: str
    ) -> None:
        self._store = store
        self._name = name
        self._has_secret = has_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._found = Readiness(("The server has just started.",))
        self._until = 0.0

    def now(self) -> Readiness:
        """Return the answer; while another thread is looking, the one before."""
        if self._lock.acquire(blocking=self._until == 0.0):
            try:
                if time.monotonic() >= self._until:
                    self._found = self._look()
                    self._until = time.monotonic() + READY_FOR_S
            finally:
                self._lock.release()
        return self._found

    def _look(self) -> Readiness:
        try:
            self._store.beat(self._name)  # a store that can be read may still be full, or read-only
            workers, problem = self._store.workers(), ""
        except RlmError as error:
            log.error("the store cannot be used", extra={"error": error})
            workers, problem = [], "The store cannot be written: the server's log has the reason."
        return readiness(
            has_secret=self._has_secret,
            store_problem=problem,
            workers=workers,
            now=self._clock(),
        )
