"""`rlm webhook replay FILE`: sends a recorded delivery to a running server, signed anew.

For trying the server out before GitHub reaches it, and for giving it again what it could not take.
"""

import argparse
import ipaddress
import json
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from app import strict_json
from app.events import DELIVERY_ID, EVENT_NAME, MAX_BODY_BYTES
from app.interrupt import Interrupts
from app.server_settings import read_server_settings
from app.signature import HEADER, sign
from reviewer.errors import TellUser
from reviewer.text import printable

EXIT_OK, EXIT_REFUSED = 0, 1
TAKEN = range(200, 300)

TIMEOUT_S = 30.0
ANSWER_BYTES = 65_536
SHOWN_CHARS = 1_000

_GUESSES = (
    # The most telling keys first: a review's payload holds a pull request too.
    ("ping", {"zen", "hook"}),
    ("pull_request_review_thread", {"pull_request", "thread"}),
    ("pull_request_review", {"pull_request", "review"}),
    ("pull_request_review_comment", {"pull_request", "comment"}),
    ("pull_request", {"pull_request", "number"}),
    ("issue_comment", {"issue", "comment"}),
    ("check_run", {"check_run"}),
    ("check_suite", {"check_suite"}),
    ("push", {"ref", "before", "after", "commits"}),
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a file holds: a body, byte by byte if it was a payload, and its event if it says so."""

    body: bytes
    event: str | None


def replay(options: argparse.Namespace, environ: Mapping[str, str], _interrupts: Interrupts) -> int:
    """Send the delivery and print the answer; return 0 if it is taken, 1 if it is refused."""
    url = checked_url(options.url)
    recorded = read_recorded(_content(options.file))
    event = options.event or recorded.event
    if event is None:
        raise TellUser(
            f"{options.file} does not say which event it is",
            "Name it as GitHub's X-GitHub-Event does: --event pull_request",
        )
    if EVENT_NAME.fullmatch(event) is None:
        raise TellUser(
            f"This is not the name of an event: {event[:100]!a}",
            "Give one like --event pull_request.",
        )
    delivery = options.delivery or str(uuid.uuid4())
    if DELIVERY_ID.fullmatch(delivery.lower()) is None:
        raise TellUser(
            f"This is not the id of a delivery: {delivery[:100]!a}",
            "Give a GUID, or leave --delivery out for a new one.",
        )
    secrets = read_server_settings(environ).webhook_secrets
    if not secrets:
        raise TellUser(
            "There is no webhook secret to sign the delivery with",
            "Run rlm setup, or set RLM_WEBHOOK_SECRET to the one that the server has.",
        )
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "rlm-webhook-replay",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": event,
        HEADER: sign(secrets[0].get_secret_value().encode(), recorded.body),
    }
    status, said = _post(url, recorded.body, headers)
    print(f"{event} {delivery}: {status} {_shown(said)}")
    return EXIT_OK if status in TAKEN else EXIT_REFUSED


def read_recorded(content: bytes) -> Recorded:
    """Tell a payload from a delivery as `GET /app/hook/deliveries/{id}` returns it."""
    try:
        value = strict_json.loads(content)
    except ValueError as error:
        raise TellUser(
            f"The file is no JSON: {error}", "Give a payload or a delivery of a webhook."
        ) from error
    if not isinstance(value, dict):
        raise TellUser(
            "The file holds no JSON object", "Give a payload or a delivery of a webhook."
        )
    request = value.get("request")
    if isinstance(request, dict) and isinstance(request.get("payload"), dict):
        event = value.get("event")
        payload = request["payload"]
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        return Recorded(body, event if isinstance(event, str) else guess_event(payload))
    return Recorded(content, guess_event(value))


def guess_event(payload: Mapping[str, object]) -> str | None:
    """Name the event of a payload where its keys leave no doubt."""
    if "deployment" in payload:  # three events have it, and some of them a check run as well
        return None
    for event, keys in _GUESSES:
        if keys <= payload.keys():
            return event
    return None


def _content(name: str) -> bytes:
    try:
        if name == "-":
            content = sys.stdin.buffer.read(MAX_BODY_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise TellUser(
            f"{name} cannot be read: {error.strerror}", "Name a file, or - for standard input."
        ) from error
    if len(content) > MAX_BODY_BYTES:
        raise TellUser(f"{name} is larger than any delivery of GitHub", "Check the file.")
    return content


def checked_url(url: str) -> str:
    """Refuse to send a payload, which may be of a private repository, in the clear."""
    hint = "Give one like http://127.0.0.1:8080/webhook or https://rlm.example.com/webhook."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not url.isascii():
        raise TellUser(f"This is not the address of a webhook: {url[:200]!a}", hint)
    if parts.username is not None or parts.password is not None:
        raise TellUser("An address with a password in it ends up in logs", hint)
    if parts.scheme == "http" and not _is_loopback(host):
        raise TellUser(f"{host} cannot be reached over plain http", hint)
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Return the answer's status and the beginning of its body."""
    with requests.Session() as session:
        # A proxy has no business between this machine and itself.
        session.trust_env = url.startswith("https:")
        try:
            answer = session.post(
                url,
                data=body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            )
            with answer:
                return answer.status_code, next(answer.iter_content(ANSWER_BYTES), b"")
        except requests.Timeout as error:
            raise TellUser(
                f"No answer from {url} in {TIMEOUT_S:.0f} s", "Look at the server's log."
            ) from error
        except requests.RequestException as error:
            raise TellUser(
                f"No server answers at {url}", "Start it: rlm serve (--url names another)"
            ) from error


def _shown(said: bytes) -> str:
    """Return the server's own words, or whatever else answered, on one printable line."""
    text = said.decode("utf-8", "replace")
    try:
        value = strict_json.loads(said)
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("status"), str):
        text = f"{value['status']} {value.get('why', '')}"
    line = " ".join(printable(text).split())[:SHOWN_CHARS]
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
