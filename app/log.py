"""The server's log: one line an event on standard error, printable, without secrets.

    2026-11-02T09:15:04.123Z INFO github published pull=octo/hello#7 comments=3

or, with RLM_LOG=json, one object a line: time, level, role, event, the fields, and the ids of what
the work at hand is about (`bound`).

Fields go in as `extra`: `log.info("published", extra={"pull": name})`. Whatever they hold, a line
stays one line: names of branches, answers of services and messages of errors are untrusted text.
Masking is the last line of defence, not the first: no secret is passed here on purpose.
"""

import json
import logging
import math
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Literal

from reviewer.detectors.secrets import redacted

MAX_LINE_CHARS = 4_000
"""Of one line, or one field; an error may quote a whole answer of a service."""

MAX_TRACE_CHARS = 20_000

QUIET = {
    "PIL": logging.WARNING,
    "anthropic": logging.WARNING,
    "asyncio": logging.WARNING,
    "git": logging.WARNING,
    "github": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpx2": logging.WARNING,
    "urllib3": logging.ERROR,  # warns of every repetition that it then makes by itself
    "waitress.queue": logging.ERROR,  # warns of every request that waits for a thread
    "werkzeug": logging.WARNING,
}
"""Libraries that tell about each request; with RLM_DEBUG too, because they tell headers then."""

MASK = "[masked]"

_SECRETS = (
    # A key, also where a repr has made its line breaks visible, and where its end was cut off.
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S),
    # Tokens of GitHub; those of 2026 hold a JWT: dots and dashes.
    re.compile(r"\bgh[opsur]_[A-Za-z0-9._-]{10,}"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{10,}"),
    re.compile(r"\bsk-ant-[A-Za-z0-9_-]{6,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*"),
    re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"),
    re.compile(
        r"(?<![A-Za-z0-9])(?:proxy-authorization|authorization|x-api-key)\b['\"]?\s*[:=,]\s*(?:b?['\"])?"
        r"(?:(?:bearer|basic|token)\s+)?[^\s'\",;]+",
        re.I,
    ),
)

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:#@+,\[\]%…-]+")


_NAMES = frozenset({"time", "level", "role", "event", "traceback"})
"""What every object has. A field of such a name (the role that ended, the event of a delivery) is
called "about_" and its name."""

_NOTHING: Mapping[str, object] = MappingProxyType({})
_BOUND: ContextVar[Mapping[str, object]] = ContextVar("bound", default=_NOTHING)

Form = Literal["text", "json"]


def configure(role: str, debug: bool, form: Form = "text") -> None:
    """Send what this process logs to standard error, as `role`; `debug` shows more of our own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Documents(role) if form == "json" else Lines(role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Have each line of this block, as JSON, say what the work at hand is about."""
    token = _BOUND.set({**_BOUND.get(), **ids})
    try:
        yield
    finally:
        _BOUND.reset(token)


class Lines(logging.Formatter):
    """Format a record as one line; a traceback as further lines, each with the same beginning."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines without the last line break."""
        head = f"{_time(record)} {record.levelname} {self._role} "
        lines = [f"{_message(record)}{_fields(record)}"]
        if record.exc_info and record.exc_info[0] is not None:
            lines += masked(self.formatException(record.exc_info)).splitlines()
        return "\n".join(f"{head}{_shown(line)}" for line in lines)


class Documents(logging.Formatter):
    """Format a record as one JSON object on one line, of ASCII alone."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; what it is named by cannot be taken by a field."""
        fields = {name: value for name, value in record.__dict__.items() if name not in _OWN}
        told: dict[str, object] = {
            f"about_{name}" if name in _NAMES else name: _plain(value)
            for name, value in {**_BOUND.get(), **fields}.items()
        }
        if record.exc_info and record.exc_info[0] is not None:
            # From its end: that is where the error is.
            told["traceback"] = masked(self.formatException(record.exc_info))[-MAX_TRACE_CHARS:]
        return json.dumps(
            {
                "time": _time(record),
                "level": record.levelname,
                "role": self._role,
                "event": _cut(_message(record)),
                **told,
            }
        )


def masked(text: str) -> str:
    """Replace what looks like a secret."""
    for pattern in _SECRETS:
        text = pattern.sub(MASK, text)
    return redacted(text)


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03}Z"


def _plain(value: object) -> object:
    """Return a value as JSON has it: numbers as they are, everything else as masked text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _cut(masked(str(value)))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LINE_CHARS else f"{text[:MAX_LINE_CHARS]}…"


def _message(record: logging.LogRecord) -> str:
    try:
        return masked(record.getMessage())
    except (TypeError, ValueError):  # a wrong number of arguments; the line is worth more than that
        return masked(f"{record.msg!s} {record.args!r}")


def _fields(record: logging.LogRecord) -> str:
    given = ((name, value) for name, value in record.__dict__.items() if name not in _OWN)
    return "".join(f" {name}={_value(value)}" for name, value in given)


def _value(value: object) -> str:
    """Show a value so that it ends where it seems to end: quoted, unless it is one plain word."""
    text = masked(str(value))
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _shown(line: str) -> str:
    """Make what is not printable visible: line breaks, terminal commands, reversed text."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in _cut(line))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("this is a bug", exc_info=(kind, error, trace))


def _uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None:
        _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


def _unraisable(failed: "sys.UnraisableHookArgs") -> None:
    if failed.exc_value is not None:
        _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
