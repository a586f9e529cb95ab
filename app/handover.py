"""`POST /action`: a workflow's job hands its pull request to this server and asks how it goes.

No key lives in the repository: the job shows its token (`app/oidc.py`), whose claims say for which
repository, event and person it runs. What it asks for is on the disk before it is answered, and
leads to what an event of the same kind would lead to. Only the jobs of one repository see its
requests.
"""

import hashlib
import logging
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Annotated

from flask import Blueprint, Request, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import strict_json
from app.jobs import Handed, Id
from app.oidc import Claims, Untrusted, Verifier
from app.report import Verdict
from app.store import Request as Asked
from app.store import Store
from reviewer.errors import RetryLater, RlmError

log = logging.getLogger(__name__)

PATH = "/action"

OFF = "This server takes nothing over from workflows: set RLM_PUBLIC_URL where it runs."

EVENTS = frozenset(
    {
        "pull_request",
        "pull_request_target",
        "issue_comment",
        "workflow_dispatch",
        "repository_dispatch",
        "schedule",
        "workflow_run",
    }
)
"""What a review may come of. A push or a release has no pull request to name."""

COMMENTED = "issue_comment"

MAX_BODY_BYTES = 1_024

MOST_REQUESTS, REQUESTS_S = 60, 3_600.0
"""Of one repository: each may cost as much as a review does."""

MOST_LOOKS, LOOKS_S = 240, 60.0
"""The same for questions about them: twenty jobs that ask every five seconds."""

MOST_REPOSITORIES = 10_000
"""Whose questions are counted at a time; the one that asked least lately is forgotten."""

RETRY_AFTER_S = 30

ID_DIGITS = 32

_PULL_REF = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")
_ID = re.compile(rf"[0-9a-f]{{{ID_DIGITS}}}")


class _Refused(Exception):
    """The request goes no further."""

    def __init__(self, code: int, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.after_s = after_s


class _Wanted(BaseModel):
    """All that a job may say for itself: the claims of its token say the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    number: Id
    comment: Annotated[int, Field(ge=0, le=2**53)] = 0


def handover(
    store: Store, verifier: Verifier | None, *, clock: Callable[[], float] = time.time
) -> Blueprint:
    """Return the pages; without a verifier they say that they are off."""
    pages = Blueprint("handover", __name__)
    looks = _Rate(MOST_LOOKS, LOOKS_S, clock)

    @pages.post(PATH)
    def start() -> tuple[Response, int, dict[str, str]]:
        try:
            claims = _claims(verifier, request)
            new, asked = _start(store, claims, request, clock())
        except _Refused as error:
            return _refusal(error)
        told = {"status": "queued" if new else "known", "url": f"{PATH}/{asked.id}"}
        return jsonify(told), 202 if new else 200, {}

    @pages.get(f"{PATH}/<name>")
    def look(name: str) -> tuple[Response, int, dict[str, str]]:
        try:
            claims = _claims(verifier, request)
            if not looks.takes(claims.repository_id):
                raise _Refused(429, "Jobs of this repository ask too often.", LOOKS_S)
            return jsonify(_look(store, claims, name)), 200, {}
        except _Refused as error:
            return _refusal(error)

    return pages


def _refusal(error: _Refused) -> tuple[Response, int, dict[str, str]]:
    headers = {}
    if error.code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.after_s is not None:
        headers["Retry-After"] = str(max(1, round(error.after_s)))
    status = "failed" if error.code >= 500 else "refused"
    log.warning("workflow refused", extra={"code": error.code, "why": error.why})
    return jsonify({"status": status, "why": error.why}), error.code, headers


def _claims(verifier: Verifier | None, sent: Request) -> Claims:
    if verifier is None:
        raise _Refused(503, OFF)
    scheme, _, token = sent.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _Refused(401, "It shows no token: Authorization has to be Bearer and a job's token.")
    try:
        return verifier.claims(token.strip())
    except Untrusted as error:
        raise _Refused(401, f"The token is not believed. {error}") from error
    except RetryLater as error:
        log.error("a token cannot be checked", extra={"why": error})
        why = "The token cannot be checked: its issuer's keys are not to be had at the moment."
        raise _Refused(503, why, error.after_s) from error


# What is asked for


def _start(store: Store, claims: Claims, sent: Request, now: float) -> tuple[bool, Asked]:
    """Store what a job asks for; return whether it is new, and what stands there."""
    wanted = _wanted(sent)
    _check(claims, wanted)
    asked = Asked(_id(claims), claims.repository_id, wanted.number, wanted.comment)
    handed = Handed(
        request=asked.id,
        repository_id=claims.repository_id,
        repository=claims.repository,
        number=wanted.number,
        comment=wanted.comment,
        event=claims.event_name,
        actor=claims.actor,
        owner_id=int(claims.repository_owner_id),
    )
    try:
        there = store.request(asked.id)
        if there is None:
            if store.requests_since(claims.repository_id, now - REQUESTS_S) >= MOST_REQUESTS:
                raise _Refused(429, "Jobs of this repository ask for too much.", REQUESTS_S / 10)
            if store.ask(asked, handed.job()):
                log.info("workflow queued", extra=_about(claims, wanted.number, asked.id))
                return True, asked
            there = store.request(asked.id)
    except RlmError as error:
        log.error("a request could not be stored", extra={"why": error})
        why = "It could not be stored and is not remembered: ask again later."
        raise _Refused(503, why, RETRY_AFTER_S) from error
    if there is None or (there.number, there.comment) != (wanted.number, wanted.comment):
        raise _Refused(409, "This token has asked for something else already: show a new one.")
    return False, there


def _wanted(sent: Request) -> _Wanted:
    too_large = _Refused(413, f"It is larger than {MAX_BODY_BYTES} bytes.")
    if (sent.content_length or 0) > MAX_BODY_BYTES:
        raise too_large
    if sent.mimetype != "application/json":
        raise _Refused(415, "The content type has to be application/json.")
    body = sent.stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise too_large
    try:
        return _Wanted.model_validate(strict_json.loads(body))
    except ValidationError as error:
        names = sorted({str((one["loc"] or ("it",))[0])[:50] for one in error.errors()})
        why = f"The request cannot be read: {', '.join(names)} is not what it has to be."
        raise _Refused(400, why) from error
    except ValueError as error:
        raise _Refused(400, f"The request cannot be read: {error}.") from error


def _check(claims: Claims, wanted: _Wanted) -> None:
    """Refuse what does not go together with what the token says."""
    event = claims.event_name
    if event not in EVENTS:
        raise _Refused(403, f"A workflow on {event} asks for no review.")
    if (event == COMMENTED) != bool(wanted.comment):
        raise _Refused(403, f"A comment is named by a workflow on {COMMENTED}, and by no other.")
    if event == "pull_request":
        found = _PULL_REF.fullmatch(claims.ref)
        if found is None or int(found[1]) != wanted.number:
            raise _Refused(403, "The workflow runs for another pull request than it names.")


def _id(claims: Claims) -> str:
    """Name a request by the token that asks for it: the same token asks once."""
    named = f"{claims.repository_id}\n{claims.jti}"
    return hashlib.sha256(named.encode()).hexdigest()[:ID_DIGITS]


def _about(claims: Claims, number: int, asked: str) -> dict[str, object]:
    return {
        "request": asked,
        "pull": f"{claims.repository}#{number}",
        "event": claims.event_name,
        "actor": claims.actor,
        "commit": claims.sha,
        "runner": claims.runner_environment,
        "workflow": claims.job_workflow_ref,
    }


# How it goes


def _look(store: Store, claims: Claims, name: str) -> dict[str, object]:
    """Say how a request of this repository goes: as if there were none of any other."""
    try:
        asked = store.request(name) if _ID.fullmatch(name) else None
        if asked is None or asked.repository_id != claims.repository_id:
            raise _Refused(404, "There is no such request of this repository.")
        run = store.run(asked.run) if asked.run else None
    except RlmError as error:
        log.error("a request cannot be read", extra={"why": error})
        raise _Refused(503, "It cannot be read at the moment.", RETRY_AFTER_S) from error
    if asked.state == "waiting":
        return {"status": "waiting"}
    if asked.state == "failed":
        return {"status": "failed", "why": asked.why}
    if run is None:
        return {"status": "ended", "why": asked.why or "Its run is not known any more."}
    told: dict[str, object] = {"status": "running", "run": run.id, "kind": run.kind}
    if run.state == "open":
        return told | ({"progress": run.progress} if run.progress else {})
    told |= {"status": "ended", "outcome": run.outcome}
    if run.verdict:
        verdict = Verdict.model_validate_json(run.verdict)
        told["verdict"] = verdict.model_dump(mode="json")
    return told


class _Rate:
    """At most so many in a time, for each repository. Safe between threads."""

    def __init__(self, most: int, within_s: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        self._lock = threading.Lock()
        self._times: OrderedDict[int, deque[float]] = OrderedDict()

    def takes(self, repository: int) -> bool:
        """Is this one still within the limit? Then it counts."""
        now = self._clock()
        with self._lock:
            times = self._times.setdefault(repository, deque(maxlen=self._most))
            self._times.move_to_end(repository)
            while len(self._times) > MOST_REPOSITORIES:
                self._times.popitem(last=False)
            if len(times) == self._most and now - times[0] < self._within_s:
                return False
            times.append(now)
            return True
