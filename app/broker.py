"""Read-only tokens for the engine: asked for over a socket, made by the github role, kept nowhere.

An engine names a run; the github role looks up what that run may read and makes the token. The
engine deals with hostile input, so what comes from it is checked like any request from outside:
bounded, parsed strictly, and never able to end the thread that reads it.

Both ends outlive the processes that use them, because the supervisor keeps them open. So a request
may wait for a github role that is only starting, and an answer may find another engine than the
one that asked: each answer repeats the number of its question, and any other is dropped.
"""

import logging
import math
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from app.github.errors import Limited, Outage
from app.roles import BROKER_FDS
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser
from reviewer.text import printable

log = logging.getLogger(__name__)


MAX_QUESTION_BYTES = 512
MAX_ANSWER_BYTES = 32_768
"""A token of GitHub is 520 characters since 2026, and may grow; an explanation is shorter."""

MAX_SAID_CHARS = 2_000
MAX_PAUSE_S = 86_400.0

ASK_AGAIN_S = 10.0
"""A github role that died between reading a question and answering it left no trace of it."""

WATCH_S = 0.5
"""How often the lender looks whether it shall stop."""

REST_S = 0.05
"""After something unreadable: an engine gone mad does not keep the github role busy."""

Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
RunId = Annotated[str, Field(pattern=r"^[a-z0-9]{12,40}$")]

_SOCKET = re.compile(r"([a-z]+(?:-[0-9]+)?)=([0-9]+)")


@dataclass(frozen=True, slots=True)
class Lent:
    """What an engine may use for one run. Without a token the repository is public."""

    token: SecretStr | None
    repository: str = ""


Mint = Callable[[str, str], Lent]
"""Make a token for (engine, run), or raise one of the three errors. Called again for one run."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    nonce: Nonce


class _Question(_Message):
    run: RunId


class _Refusal(BaseModel):
    """One of the three errors, on its way through a socket."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["retry", "away", "giveup", "telluser"]
    why: str
    hint: str = ""
    after_s: Annotated[float, Field(ge=0, le=MAX_PAUSE_S)] = 60.0


class _Answer(_Message):
    token: str | None = Field(default=None, repr=False)
    repository: str = ""
    refusal: _Refusal | None = None


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets that carry whole messages."""
    # Not SOCK_SEQPACKET, which macOS has not. Between two ends on one machine both lose nothing.
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


def inherited(environ: Mapping[str, str]) -> dict[str, socket.socket]:
    """Return the sockets that the supervisor gave to this role, by the name of the other side."""
    found = {}
    for item in filter(None, environ.get(BROKER_FDS, "").split(",")):
        match = _SOCKET.fullmatch(item)
        if match is None:
            raise GiveUp(f"{BROKER_FDS} is not what `rlm serve` writes")
        found[match[1]] = socket.socket(fileno=int(match[2]))
    return found


class TokenAsker:
    """The engine's side. One question at a time; threads may share it."""

    def __init__(self, sock: socket.socket, again_s: float = ASK_AGAIN_S) -> None:
        self._sock = sock
        self._again_s = again_s
        self._lock = threading.Lock()

    def ask(self, run: str, timeout_s: float) -> Lent:
        """Return what the run may use, or raise the error that the github role met.

        No answer in time is an Outage.
        """
        question = _Question(nonce=secrets.token_hex(16), run=run)
        deadline = time.monotonic() + timeout_s
        with self._lock:
            while (left := deadline - time.monotonic()) > 0:
                try:
                    self._sock.settimeout(left)
                    self._sock.send(question.model_dump_json().encode())
                    answer = self._answer(question.nonce, min(left, self._again_s))
                except TimeoutError:  # nobody has read what was sent before
                    break
                except OSError as error:
                    raise Outage(f"the github role cannot be asked: {error}") from error
                if answer is not None:
                    return _lent(answer)
        raise Outage(f"the github role gave no token within {timeout_s:.0f} s", 10.0)

    def _answer(self, nonce: str, timeout_s: float) -> _Answer | None:
        """Wait for the answer to this question; drop what others were meant to get."""
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            self._sock.settimeout(left)
            try:
                raw = self._sock.recv(MAX_ANSWER_BYTES + 1)
            except TimeoutError:
                return None
            try:
                answer = _Answer.model_validate_json(_whole(raw, MAX_ANSWER_BYTES))
            except ValidationError:
                # What it holds may be a token: nothing of it is told.
                log.error("unreadable answer about a token", extra={"bytes": len(raw)})
                time.sleep(min(left, REST_S))
                continue
            if answer.nonce == nonce:
                return answer
        return None


def _whole(raw: bytes, most: int) -> bytes:
    """Return a message unless it was longer: of one that was, the socket gives the beginning."""
    return raw if len(raw) <= most else b""


def _lent(answer: _Answer) -> Lent:
    refusal = answer.refusal
    if refusal is None:
        return Lent(None if answer.token is None else SecretStr(answer.token), answer.repository)
    match refusal.kind:
        case "retry":
            raise RetryLater(refusal.why, refusal.after_s)
        case "away":
            raise Outage(refusal.why, refusal.after_s)
        case "giveup":
            raise GiveUp(refusal.why)
        case "telluser":
            raise TellUser(refusal.why, refusal.hint)


@dataclass(frozen=True, slots=True)
class TokenLender:
    """The github role's side: `mint` answers each engine's questions, one thread an engine."""

    sockets: Mapping[str, socket.socket]
    mint: Mint

    def serve(self, stopping: threading.Event) -> None:
        """Answer until `stopping`; a `mint` that is under way is waited for."""
        threads = [
            threading.Thread(target=self._lend, args=(name, sock, stopping), name=f"lend-{name}")
            for name, sock in self.sockets.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _lend(self, engine: str, sock: socket.socket, stopping: threading.Event) -> None:
        while not stopping.is_set():
            sock.settimeout(WATCH_S)
            try:
                raw = sock.recv(MAX_QUESTION_BYTES + 1)
            except TimeoutError:
                continue
            except OSError as error:
                log.error("an engine's socket failed", extra={"engine": engine, "error": error})
                stopping.wait(WATCH_S)
                continue
            try:
                question = _Question.model_validate_json(_whole(raw, MAX_QUESTION_BYTES))
            except ValidationError:
                log.warning("not a question", extra={"engine": engine, "bytes": len(raw)})
                stopping.wait(REST_S)
                continue
            self._reply(engine, sock, self._answer(engine, question))

    def _answer(self, engine: str, question: _Question) -> _Answer:
        try:
            lent = self.mint(engine, question.run)
        except RlmError as error:
            log.info("no token", extra={"engine": engine, "run": question.run, "why": str(error)})
            return _Answer(nonce=question.nonce, refusal=_refusal(error))
        except Exception:
            log.exception("a token could not be made", extra={"engine": engine})
            why = "a token could not be made; the log of the github role says why"
            return _Answer(nonce=question.nonce, refusal=_Refusal(kind="retry", why=why))
        token = None if lent.token is None else lent.token.get_secret_value()
        return _Answer(nonce=question.nonce, token=token, repository=lent.repository)

    def _reply(self, engine: str, sock: socket.socket, answer: _Answer) -> None:
        raw = answer.model_dump_json().encode()
        try:
            # At once or never: an engine that reads nothing does not hold up this thread.
            sock.setblocking(False)
            sock.send(raw)
        except OSError as error:
            log.warning("an answer was not taken", extra={"engine": engine, "error": error})


def _refusal(error: RlmError) -> _Refusal:
    match error:
        case RetryLater():
            known = math.isfinite(error.after_s)
            after_s = min(max(error.after_s, 0.0), MAX_PAUSE_S) if known else MAX_PAUSE_S
            # A limit of the rate says nothing about the run either.
            away = isinstance(error, Outage | Limited)
            return _Refusal(
                kind="away" if away else "retry", why=_said(str(error)), after_s=after_s
            )
        case TellUser():
            return _Refusal(kind="telluser", why=_said(error.problem), hint=_said(error.hint))
    return _Refusal(kind="giveup", why=_said(str(error)))


def _said(text: str) -> str:
    return printable(text[:MAX_SAID_CHARS])
