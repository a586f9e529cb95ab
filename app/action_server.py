"""The Action with the input `server`: a running App reviews, this job asks for it and waits.

The job shows the server a token of its own (`app/id_token.py`) and says the number of the pull
request; it needs no key, no permission to write, and reads nothing of the repository.
"""

import re
import threading
import time
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import strict_json
from app.action_event import Comment, Look, Nothing, is_from_outside, read_event
from app.action_step import EXIT_OK, EXIT_STOPPED, MEANWHILE, Step, exit_code
from app.commands import parse_commands
from app.github.urls import parse_public
from app.id_token import REQUEST_URL, IdTokens, id_tokens
from app.interrupt import Interrupts
from app.render.escape import markdown_line, one_line
from app.report import Verdict
from reviewer.errors import GiveUp, RetryLater, TellUser
from reviewer.finding import Severity

PATH = "/action"

USER_AGENT = "rlm-action"

TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 1_000_000

FIRST_LOOK_S, LONGEST_LOOK_S = 2.0, 10.0
"""Between two questions. A review takes minutes."""

OUTAGE_S = 300.0
"""A server that starts anew is back within a minute; the review goes on without us."""

AGAIN_S = 5.0
WAKE_S = 0.5
LONGEST_WAIT_S = 60.0
"""A job costs money while it waits: it asks again after so long, whatever it is told."""

WHY_CHARS = 1_000

OUTSIDE = (
    "GitHub gives the job of a fork's (or Dependabot's) pull request no token to show, so the "
    "server is not asked; the App reviews it when it hears of it, or when somebody who may write "
    "comments `/rlm review`."
)

_LINK = re.compile(r"https?://[A-Za-z0-9./:#_~%?=&-]{1,500}")

_TAKEN = frozenset({200, 202})
_AGAIN = frozenset({429, 500, 502, 503, 504})


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Queued(_Said):
    url: Annotated[str, Field(pattern=r"^/action/[0-9a-f]{32}$")]


class Told(_Said):
    """How a request goes, as the server tells it (`app/handover.py`)."""

    status: Literal["waiting", "running", "ended", "failed"]
    kind: str = "review"
    progress: str = ""
    outcome: str = ""
    why: str = ""
    verdict: Verdict | None = None


_Answer = TypeVar("_Answer", _Queued, Told)


def on_server(address: str, step: Step, environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Have the server at `address` do what the event asks for, wait, and return the exit code.

    Raises TellUser and GiveUp where the server refuses or this job has no token to show, RetryLater
    where one of the two is out of reach for long.
    """
    server = _address(address)
    body = _wanted(environ, step)
    if body is None:
        return step.skipped()
    with requests.Session() as session:
        # A proxy has no business between this machine and itself.
        session.trust_env = server.startswith("https:")
        caller = _Caller(session, server, id_tokens(environ, server), step, interrupts)
        try:
            with interrupts.gently():
                told = _followed(caller, body)
        except _Cancelled:
            step.log.tell("warning", "The job was cancelled. The server goes on by itself.")
            return EXIT_STOPPED
    return _end(told, step)


def _address(text: str) -> str:
    try:
        return parse_public(text)
    except ValueError as error:
        raise TellUser(
            f"The input server is {error}", "Give one like https://rlm.example.com."
        ) from error


def _wanted(environ: Mapping[str, str], step: Step) -> dict[str, int] | None:
    """Return what to ask for; None where nothing is to be done, which is said here."""
    match read_event(environ, environ.get("RLM_PULL_REQUEST", "").strip(), step.login):
        case Nothing(why=why):
            step.log.tell("notice", why)
        case Comment(body=text) if not parse_commands(text):
            step.log.tell("notice", "The comment holds no command.")
        case Look() if not environ.get(REQUEST_URL) and is_from_outside(environ):
            step.log.tell("notice", OUTSIDE)
        case Comment(number=number, comment_id=comment):
            return {"number": number, "comment": comment}
        case Look(number=number):
            return {"number": number}
    return None


def _followed(caller: "_Caller", body: Mapping[str, int]) -> Told:
    """Ask, and look until it has ended."""
    path = caller.ask("POST", PATH, _Queued, body).url
    caller.step.log.say(f"{caller.server} has taken it over")
    shown, pause = "", FIRST_LOOK_S
    while (told := caller.ask("GET", path, Told)).status not in {"ended", "failed"}:
        if told.progress and told.progress != shown:
            shown = told.progress
            caller.step.log.say(shown)
        caller.wait(pause)
        pause = min(pause * 1.5, LONGEST_LOOK_S)
    return told


class _Cancelled(Exception):
    """The job was asked to end."""


class _Caller:
    """Asks the server as this job, with patience for one that is starting anew."""

    def __init__(
        self,
        session: requests.Session,
        server: str,
        tokens: IdTokens,
        step: Step,
        interrupts: Interrupts,
    ) -> None:
        self.server = server
        self.step = step
        self._session = session
        self._tokens = tokens
        self._interrupts = interrupts
        self._never = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait, but not through the end of the job."""
        until = time.monotonic() + seconds
        while not self._interrupts() and (left := until - time.monotonic()) > 0:
            self._never.wait(min(left, WAKE_S))
        if self._interrupts():
            raise _Cancelled

    def ask(
        self, verb: str, path: str, kind: type[_Answer], body: Mapping[str, int] | None = None
    ) -> _Answer:
        """Return what the server answers; what may pass is waited out for a while."""
        since = time.monotonic()
        while True:
            try:
                return self._once(verb, path, kind, body)
            except RetryLater as error:
                if time.monotonic() - since + error.after_s > OUTAGE_S:
                    raise
                self.step.log.say(f"{error}; trying again in {error.after_s:.0f} s")
                self.wait(error.after_s)

    def _once(
        self, verb: str, path: str, kind: type[_Answer], body: Mapping[str, int] | None
    ) -> _Answer:
        status, said, after_s = self._send(verb, path, body)
        if status == 401:
            # A token may end while it is on its way; a second refusal is one.
            self._tokens.renew()
            status, said, after_s = self._send(verb, path, body)
        why = one_line(str(said.get("why") or f"status {status}"))[:WHY_CHARS]
        if status in _AGAIN:
            raise RetryLater(f"{self.server} does not answer as it should: {why}", after_s)
        if status not in _TAKEN:
            raise GiveUp(f"{self.server} refuses it ({status}): {why}")
        try:
            return kind.model_validate(said)
        except ValidationError as error:
            raise TellUser(
                f"{self.server} answers, but not as a server of this program",
                "Check the input server, and that both have the same version.",
            ) from error

    def _send(
        self, verb: str, path: str, body: Mapping[str, int] | None
    ) -> tuple[int, Mapping[str, object], float]:
        """Make one request; return status, JSON object and how long to wait before the next."""
        token = self._tokens.token().get_secret_value()
        try:
            with self._session.request(
                verb,
                self.server + path,
                json=body,
                headers={"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT},
                timeout=TIMEOUT_S,
                allow_redirects=False,  # the token is for this server and no other
                stream=True,
            ) as answer:
                raw = b""
                for piece in answer.iter_content(8_192):
                    raw += piece
                    if len(raw) > MAX_ANSWER_BYTES:
                        break
                after = answer.headers.get("Retry-After", "")
                status = answer.status_code
        except requests.RequestException as error:
            name = type(error).__name__
            raise RetryLater(f"{self.server} cannot be reached ({name})", AGAIN_S) from error
        try:
            said = strict_json.loads(raw)
        except ValueError:
            said = None
        after_s = float(after) if after.isascii() and after.isdecimal() else AGAIN_S
        return status, said if isinstance(said, dict) else {}, min(after_s, LONGEST_WAIT_S)


# What came of it


def _end(told: Told, step: Step) -> int:
    """Say what came of it, and return the exit code."""
    if told.status == "failed":
        raise GiveUp(f"The server cannot do it: {told.why}")
    if told.verdict is not None:
        return _reviewed(told, told.verdict, step)
    if told.kind != "review" and told.outcome in _SAID:
        step.log.say("answered where it was asked")
        step.set_outputs(status="complete", findings="0", posted="true", report="")
        return EXIT_OK
    outcome, _, why = told.outcome.partition(": ")
    if outcome in {"problem", "lost"}:
        raise GiveUp(f"The server came to no result: {why or outcome}")
    said = _ENDED.get(outcome, "There is nothing to do.") if told.outcome else told.why
    step.log.tell("notice", f"{said} {why}".strip())
    return step.skipped()


_SAID = frozenset({"answered", "planned", "declined", "stacked", "patch", "nothing", "no plan"})
"""Ends of runs that are no review and have said so on the pull request."""

_ENDED = {
    "stopped": "The review was stopped:",
    "gone": "The pull request is not there any more.",
    "answered": "It was answered where it was asked.",
}


def _reviewed(told: Told, verdict: Verdict, step: Step) -> int:
    step.log.say(verdict.said)
    if verdict.cost:
        step.log.say(verdict.cost)
    if verdict.early:
        step.log.tell("warning", verdict.early)
    if why := MEANWHILE.get(told.outcome):
        step.log.tell("notice", f"The review is not posted: {why}")
    step.summarize(_summary(verdict))
    step.set_outputs(
        status=verdict.status,
        findings=str(sum(verdict.findings.values())),
        posted=str(bool(verdict.review or verdict.summary)).lower(),
        report="",
    )
    code = exit_code(verdict.status, verdict.findings, step.fail_on)
    step.tell_failure(code)
    return code


def _summary(verdict: Verdict) -> str:
    """Return the summary of the job: what was found, and where it stands."""
    lines = ["### rlm review", markdown_line(verdict.said)]
    if verdict.early:
        lines.append(markdown_line(verdict.early))
    if verdict.findings:
        rows = [
            f"| {severity.value} | {verdict.findings[severity]:,} |"
            for severity in Severity
            if severity in verdict.findings
        ]
        lines.append("\n".join(["| Severity | Findings |", "|---|---:|", *rows]))
    places = {"the review": verdict.review, "the summary": verdict.summary}
    links = [f"[{name}]({url})" for name, url in places.items() if _LINK.fullmatch(url)]
    if links:
        lines.append(f"On the pull request: {', '.join(links)}.")
    if verdict.cost:
        lines.append(f"<sub>{markdown_line(verdict.cost)}</sub>")
    return "\n\n".join(lines) + "\n"
