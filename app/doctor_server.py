"""`rlm doctor --online` for a server: each thing that a GitHub App needs is tried in turn.

What is asked of GitHub is read-only, and what is sent to our own server is a ping. Each probe is a
function from a `Subject` to lines; one that a later part of the server needs goes into `PROBES`.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import requests
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from app.diagnosis import Check, State
from app.forget import removed_here
from app.github.auth import CLOCK_S, AppAuth, level_rank
from app.github.listings import MOST_PAGES
from app.github.pages import PAGE, every
from app.manifest import CONTENTS, STATUSES, reasons
from app.queue import connected, prefix
from app.server_settings import REDIS_URLS, ServerSettings, redis_url, store_at
from app.signature import HEADER, sign
from app.store.database import Foreign, LookedAt, look_at
from app.store.schema import known_versions
from reviewer.errors import RlmError, TellUser
from reviewer.text import printable

WEBHOOK = "/webhook"
MOST_SHOWN = 10
TABLES_SHOWN = 3
MOST_DELIVERIES = 100
TIMEOUT_S = 10.0
ANSWER_BYTES = 65_536
SKEW_S = 5.0
"""From here on it is worth a line; GitHub refuses us when it is more than `CLOCK_S`."""

TAKEN = range(200, 300)

_COSTS = {
    "metadata": "nobody can be told who may give commands",
    "contents": "no pull request can be fetched: nothing is reviewed",
    "pull_requests": "nothing can be said on a pull request: only the check run has the review",
    "issues": "linked issues are not read, and commands in comments do not arrive",
    "checks": "there is no check run, and what is lost is not found",
    "merge_queues": "a merge queue that requires our check waits for ever",
    STATUSES: "what CI says of a branch of ours is read from check runs alone",
}
"""What is missing without each permission, for whoever decides about it."""

NO_BRANCHES = (
    "what somebody asks for is handed over as a patch, and never as a pull request, although "
    "RLM_WRITE is on"
)

RESOLVED = (
    "where a finding is gone the thread is answered and resolved, with a token for that alone, in "
    "installations that granted contents: write; in others its first comment is folded away"
)
FOLDED = (
    "where a finding is gone the thread is answered and its first comment folded away, not "
    "resolved: that takes contents: write, which this App does not ask for"
)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _App(_Answer):
    slug: Annotated[str, Field(max_length=100)]
    permissions: dict[str, str] = {}
    events: list[str] = []


class _Account(_Answer):
    login: Annotated[str, Field(max_length=100)] = ""


class _Installation(_Answer):
    id: int
    account: _Account | None = None
    html_url: Annotated[str, Field(max_length=500)] = ""
    permissions: dict[str, str] = {}
    suspended_at: str | None = None


class _Hook(_Answer):
    url: Annotated[str, Field(max_length=2_000)] = ""
    content_type: str = "form"
    insecure_ssl: str | float = "0"
    secret: str | None = None


class _Delivery(_Answer):
    status_code: int
    event: Annotated[str, Field(max_length=100)]


_INSTALLATIONS = TypeAdapter(list[_Installation])
_DELIVERIES = TypeAdapter(list[_Delivery])


@dataclass(frozen=True)
class Subject:
    """What is probed. `url` is where our own server is told to listen, with /webhook."""

    settings: ServerSettings
    url: str
    environ: Mapping[str, str]

    @cached_property
    def auth(self) -> AppAuth:
        """The App's identity; only for a subject that has one."""
        settings = self.settings
        if settings.app_id is None or settings.private_key is None:
            raise TellUser("No GitHub App is configured", "Run `rlm setup`.")
        return AppAuth(settings.github, settings.app_id, settings.private_key)


Probe = Callable[[Subject], Iterator[Check]]


def probed(subject: Subject) -> Iterator[Check]:
    """Yield the lines of every probe; what one meets is told, and the others go on."""
    settings = subject.settings
    if settings.app_id is not None and settings.private_key is not None:
        yield from _app(subject)
    for name, probe in PROBES:
        yield from _told(name, probe, subject)


def _app(subject: Subject) -> Iterator[Check]:
    """Yield what GitHub says about our App; without a login there is nothing more to ask."""
    try:
        answer, theirs = subject.auth.ask_timed("log in as the App", "GET", "/app")
        app = _App.model_validate(answer)
    except (RlmError, ValidationError) as error:
        yield _fault("App login", error)
        return
    yield Check("App login", "ok", f"{app.slug} on {subject.settings.github.host} takes our key")
    yield _clock(time.time() - theirs)
    write = subject.settings.write
    yield from _granted("permissions", app.permissions, "Grant it in the App's settings.", write)
    yield from _subscribed(app.events)
    yield _scanning(app.permissions)
    resolves = level_rank(app.permissions.get(CONTENTS, "none")) >= level_rank("write")
    yield Check("threads", "ok", RESOLVED if resolves else FOLDED)
    for name, probe in _OF_APP:
        yield from _told(name, probe, subject)


def _told(name: str, probe: Probe, subject: Subject) -> Iterator[Check]:
    try:
        yield from probe(subject)
    except (RlmError, ValidationError) as error:
        yield _fault(name, error)


def _fault(name: str, error: Exception) -> Check:
    if isinstance(error, TellUser):
        return Check(name, "faulty", error.problem, error.hint)
    if isinstance(error, ValidationError):
        return Check(name, "faulty", "the answer is none that a GitHub gives", "Check GH_HOST.")
    return Check(name, "faulty", str(error), "Try again; look at GitHub's status page.")


def _clock(ahead_s: float) -> Check:
    how = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} GitHub's"
    if abs(ahead_s) < SKEW_S:
        return Check("clock", "ok", "agrees with GitHub's")
    hint = "Have it kept right (NTP): GitHub refuses the App when it is a minute off."
    return Check("clock", "faulty" if abs(ahead_s) > CLOCK_S else "warning", how, hint)


def _granted(name: str, permissions: dict[str, str], hint: str, write: bool) -> Iterator[Check]:
    wanted = [(one, level) for one, level, _ in reasons(write=write) if level]
    lacking = [
        (one, level)
        for one, level in wanted
        if one != "metadata" and level_rank(permissions.get(one, "none")) < level_rank(level)
    ]
    for one, level in lacking:
        cost = _COSTS.get(one, "what it is for does not work")
        if one == CONTENTS and level_rank(permissions.get(one, "none")) > level_rank("none"):
            cost = NO_BRANCHES
        state: State = "warning" if one == STATUSES else "faulty"
        yield Check(name, state, f"{one}: {level} is missing, so {cost}", hint)
    if not lacking:
        yield Check(name, "ok", ", ".join(f"{one}: {level}" for one, level in wanted))


def _scanning(permissions: dict[str, str]) -> Check:
    """Say whether a repository with `sarif: on` gets what it asks for."""
    name, level = "code scanning", permissions.get("security_events", "none")
    if level_rank(level) < level_rank("write"):
        hint = "Where a repository says so: add Code scanning alerts: write in the App's settings."
        text = "security_events: write is not there, so `sarif: on` of a repository does nothing"
        return Check(name, "absent", text, hint)
    return Check(name, "ok", "security_events: write, for repositories with `sarif: on`")


def _subscribed(events: list[str]) -> Iterator[Check]:
    wanted = {one: reason for one, level, reason in reasons() if not level}
    lacking = [one for one in wanted if one not in events]
    for one in lacking:
        hint = "Subscribe to it in the App's settings: Permissions & events."
        yield Check("events", "faulty", f"{one} does not arrive: {wanted[one]}", hint)
    if not lacking:
        yield Check("events", "ok", ", ".join(wanted))


def _installed(subject: Subject) -> Iterator[Check]:
    """Say where the App is installed, and whose owner has not accepted what it asks for."""
    doing, path = "list the installations", "/app/installations"
    found = list(every(subject.auth, doing, path, _INSTALLATIONS, MOST_PAGES))
    if not found:
        hint = f"Install it: {subject.settings.github.web}/apps/{subject.auth.slug()}"
        yield Check("installations", "absent", "none", hint)
        return
    lacking: list[Check] = []
    for one in found:
        who = one.account.login if one.account else str(one.id)
        if one.suspended_at is not None:
            lacking.append(Check("installations", "warning", f"{who} has suspended the App"))
            continue
        for check in _granted("installations", one.permissions, "", subject.settings.write):
            if check.state != "ok":
                hint = f"Its owner has to accept it: {one.html_url}"
                lacking.append(Check(check.name, check.state, f"{who}: {check.text}", hint))
    yield from lacking[:MOST_SHOWN]
    if len(lacking) > MOST_SHOWN:
        yield Check("installations", "warning", f"and {len(lacking) - MOST_SHOWN} more like these")
    if len(found) == MOST_PAGES * PAGE:
        text = f"only {len(found):,} were looked at, and there may be more"
        yield Check("installations", "warning", text)
    elif not lacking:
        yield Check("installations", "ok", f"{len(found):,}, all with every permission")


def _hook(subject: Subject) -> Iterator[Check]:
    """Say whether the webhook is set so that its deliveries arrive and are believed."""
    answer = subject.auth.ask("read the webhook's settings", "GET", "/app/hook/config")
    hook = _Hook.model_validate(answer)
    name, page = "webhook", "Set it in the App's settings, under Webhook"
    parts = urlsplit(hook.url)
    if not hook.url or not parts.hostname:
        yield Check(name, "faulty", "it has no address", f"{page}: https://HOST{WEBHOOK}.")
        return
    found = []
    if not parts.path.endswith(WEBHOOK):
        found.append((f"its address does not end with {WEBHOOK}: {hook.url}", page))
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1"}:
        found.append((f"its address is not https: {hook.url}", page))
    if str(hook.insecure_ssl) not in {"0", "0.0"}:
        found.append(("GitHub does not verify its certificate", f"{page}: SSL verification."))
    if not hook.secret:
        found.append(("it has no secret: every delivery is refused", f"{page}, as configured here"))
    for text, hint in found:
        yield Check(name, "faulty", text, hint)
    if hook.content_type != "json":
        hint = f"{page}: application/json."
        yield Check(name, "warning", f"its content type is {hook.content_type[:20]}", hint)
    if not found:
        yield Check(name, "ok", f"{hook.url}, signed")
        yield _reached(hook.url)


def _reached(url: str) -> Check:
    """Ask for /healthz at the address that GitHub delivers to."""
    name = "webhook address"
    asked = url.removesuffix(WEBHOOK) + "/healthz"
    hint = "Start `rlm serve`, and have the proxy pass it on. From inside a network it may not be "
    hint += "reachable although GitHub reaches it: the line about deliveries tells."
    try:
        status, body = _exchange("GET", asked)
    except requests.RequestException as error:
        return Check(name, "warning", f"{asked} does not answer ({type(error).__name__})", hint)
    if status not in TAKEN or body != {"status": "ok"}:
        return Check(name, "warning", f"{asked} is not this server: it answers {status}", hint)
    return Check(name, "ok", f"{asked} is this program")


def _deliveries(subject: Subject) -> Iterator[Check]:
    """Say what became of the latest deliveries."""
    path = f"/app/hook/deliveries?per_page={MOST_DELIVERIES}"
    answer = subject.auth.ask("read the latest deliveries", "GET", path)
    latest = _DELIVERIES.validate_python(answer)
    name = "deliveries"
    if not latest:
        hint = "Check that the webhook is active in the App's settings; open a pull request."
        yield Check(name, "absent", "none in the last days", hint)
        return
    failed = Counter(one.status_code for one in latest if one.status_code not in TAKEN)
    if not failed:
        yield Check(name, "ok", f"the latest {len(latest)} arrived")
        return
    how = ", ".join(f"{count} with {code or 'no answer'}" for code, count in failed.most_common(3))
    hint = {
        401: "401: the webhook's secret at GitHub is not the one that is configured here.",
        0: "No answer: the server was down, or GitHub does not reach its address.",
        503: "503: the server could not store them, or has no secret; its log says why.",
    }.get(failed.most_common(1)[0][0], "The server's log has each with its reason.")
    # One that arrived since shows that the trouble is over.
    state: State = "warning" if latest[0].status_code in TAKEN else "faulty"
    text = f"{failed.total()} of the latest {len(latest)} failed: {how}"
    yield Check(
        name, state, text, hint + " `rlm serve` asks for them again, at pauses up to an hour."
    )


def _ping(subject: Subject) -> Iterator[Check]:
    """Send our own server a signed ping: it says whether it runs with the secret known here."""
    name = "own webhook"
    secrets = subject.settings.webhook_secrets
    if not secrets:
        return
    body = json.dumps({"zen": "rlm doctor", "hook_id": 0}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        HEADER: sign(secrets[0].get_secret_value().encode(), body),
    }
    try:
        status, answer = _exchange("POST", subject.url, body, headers)
    except requests.RequestException:
        hint = "Start: `rlm serve`; --url names another address."
        yield Check(name, "absent", f"no server answers at {subject.url}", hint)
        return
    if isinstance(answer, dict) and answer.get("status") == "pong":
        yield Check(name, "ok", f"{subject.url} takes what is signed with our secret")
        yield from _ready(subject)
        return
    hint = "Start it anew with the secret that is configured here, or correct RLM_WEBHOOK_SECRET."
    yield Check(name, "faulty", f"{subject.url} refuses a signed ping ({status})", hint)


def _database(subject: Subject) -> Iterator[Check]:
    """Say whether the database of several servers can be used; a file is looked at elsewhere."""
    where = store_at(subject.settings.home, subject.environ)
    if isinstance(where, Path):
        return
    seen = look_at(where)
    for one in seen.foreign:
        yield _not_ours(seen, one)
    if any(one.shut for one in seen.foreign):
        return
    if seen.version and seen.version not in known_versions():
        hint = "Start the version of this program that wrote it; to go back is not possible."
        yield Check("store", "faulty", f"{seen.name} is of a newer version ({seen.version})", hint)
        return
    version = seen.version or "none yet: `rlm serve` makes it"
    yield Check("store", "ok", f"{seen.name}, version {version}")
    yield removed_here(subject.settings.home, list(seen.forgotten))


def _not_ours(seen: LookedAt, foreign: Foreign) -> Check:
    """Say whose tables there are that our user may not change, or not even use."""
    first = ", ".join(foreign.tables[:TABLES_SHOWN])
    more = len(foreign.tables) - TABLES_SHOWN
    tables = f"{first} and {more} more" if more > 0 else first
    if foreign.owner == seen.user:
        hint = (
            f"As {seen.user}: `GRANT ALL ON {foreign.tables[0]} TO {seen.user};`, and so for each."
        )
        text = f"{seen.name}: {seen.user} has not every right on its own tables ({tables})"
        return Check("store", "faulty", text, hint)
    hint = (
        f"As {foreign.owner} or a superuser: `ALTER TABLE {foreign.tables[0]} OWNER TO "
        f"{seen.user};`, and so for each of them (its sequences go with it)."
    )
    if foreign.shut:
        text = f"{seen.name}: {seen.user} may not read and write {tables}, of {foreign.owner}"
        return Check("store", "faulty", text, hint)
    text = f"{seen.name}: {tables} belong to {foreign.owner}, so a newer version cannot change them"
    return Check("store", "warning", text, hint)


def _queue(subject: Subject) -> Iterator[Check]:
    """Say whether Redis answers, for each role that has an address of it."""
    for role in REDIS_URLS:
        url = redis_url(role, subject.environ)
        if not url:
            continue
        with connected(url) as redis:
            try:
                redis.ping()
                mine, others = (
                    _reach(redis, role),
                    [other for other in REDIS_URLS if other != role and _reach(redis, other)],
                )
            except RedisError as error:
                why = printable(str(error))[:300]
                hint = "Check REDIS_URL and that Redis runs; without it work is found more slowly."
                yield Check("queue", "faulty", f"Redis does not answer {role}: {why}", hint)
                continue
        if not mine:
            hint = f"Give its user read and write on {prefix(role)}:*, as deploy/redis.acl does."
            yield Check("queue", "faulty", f"Redis keeps {role} from its own keys", hint)
        elif others:
            hint = "Give each role a user of its own: deploy/redis.acl, and REDIS_URL_ENGINE."
            text = f"Redis answers {role}, which may also write the keys of {', '.join(others)}"
            yield Check("queue", "warning", text, hint)
        else:
            yield Check("queue", "ok", f"Redis answers {role}, which may write its own keys alone")


def _reach(redis: "Redis", role: str) -> bool:
    """May who is connected read and write the keys of a role? What is deleted is not there."""
    key = f"{prefix(role)}:doctor-{uuid.uuid4()}"
    try:
        redis.exists(key)
        redis.delete(key)
    except NoPermissionError:
        return False
    return True


def _ready(subject: Subject) -> Iterator[Check]:
    """Repeat what the running server says of its own processes."""
    try:
        status, answer = _exchange("GET", subject.url.removesuffix(WEBHOOK) + "/readyz")
    except requests.RequestException as error:
        yield Check("processes", "faulty", f"/readyz does not answer ({type(error).__name__})")
        return
    missing = answer.get("missing") if isinstance(answer, dict) else None
    if status in TAKEN:
        yield Check("processes", "ok", "github and engines are alive")
    elif isinstance(missing, list):
        for sentence in missing[:MOST_SHOWN]:
            yield Check("processes", "faulty", str(sentence)[:500], "The server's log has more.")
    else:
        yield Check("processes", "faulty", f"/readyz answers {status}", "Look at its log.")


def _exchange(
    verb: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, object]:
    """Make one request; return the status and the JSON of the answer, None if it is none."""
    with requests.Session() as session:
        # A proxy has no business between this machine and itself.
        session.trust_env = url.startswith("https:")
        given = {"User-Agent": "rlm-doctor", **(headers or {})}
        with session.request(
            verb,
            url,
            data=body,
            headers=given,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=True,
        ) as answer:
            raw = next(answer.iter_content(ANSWER_BYTES), b"")
            status = answer.status_code
    try:
        return status, json.loads(raw)
    except (ValueError, RecursionError):
        return status, None


_OF_APP: Sequence[tuple[str, Probe]] = (
    ("installations", _installed),
    ("webhook", _hook),
    ("deliveries", _deliveries),
)

PROBES: list[tuple[str, Probe]] = [
    ("own webhook", _ping),
    ("store", _database),
    ("queue", _queue),
]
"""What needs no login at GitHub, with the name of the line that an error of it becomes."""
