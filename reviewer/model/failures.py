"""What a failure of the model's service means: who has to act, and whether it was charged."""

import math
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from reviewer.errors import GiveUp, RlmError, TellUser
from reviewer.model.base import Unanswered
from reviewer.text import printable

MAX_WORDS = 300
"""Characters of the service's own words that are passed on."""

MAX_RETRY_AFTER_S = 3_600.0
"""A wait beyond an hour is no rate limit; the caller's own back-off is better."""

# The `type` of an API error, which is all that an error inside a stream has, as HTTP status.
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}

# Codes and words of refusals that only the account's owner can lift; they come as 400, 402 or 429.
SPENT = (
    "contract_spend_limit_reached",
    "enforced_spend_limit_reached",
    "organization_on_hold",
    "credit balance is too low",
    "reached your specified api usage limits",
)

BUSY = frozenset({429, 503, 529})

TRANSIENT = frozenset({408, 409, 425, 499})
"""The request was not read, or met another one; the same may be sent again."""

PROXY = frozenset({502, 504, 520, 522, 524})
"""Answered by what stands in between when the service took too long or broke off."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the service told it.

    `kind`, `code` and `words` are those of the API's own error body, "" where something else
    answered (a proxy). `in_stream`: it came after the answer had begun.
    """

    status: int
    kind: str = ""
    code: str = ""
    words: str = ""
    retry_after: str | None = None
    in_stream: bool = False


def meaning(failure: Failure, model: str, service: str) -> RlmError:
    """Return the error to raise for a failure; `service` is the address, safe to show."""
    said = f": {failure.words}" if failure.words else ""
    if failure.in_stream:
        # What had begun is charged for, whatever ended it; if it was no accident, the next attempt
        # is refused outright and says so.
        what = f"the model's service broke off with {failure.status}{said}"
        return Unanswered(what, billed=True, busy=failure.status in BUSY)
    told_user = _for_the_user(failure, said, model, service)
    if told_user is not None:
        return TellUser(*told_user)
    status = failure.status
    what = f"the model's service answered {status}{said}"
    after_s = seconds(failure.retry_after)
    if status in BUSY:
        return Unanswered(what, after_s, busy=True)
    if status >= 500 or status in TRANSIENT:
        # The service does not charge for its own errors. But where a proxy gave up waiting, the
        # service may have answered all the same.
        lost = status in PROXY and not failure.kind
        return Unanswered(what, after_s, billed=lost)
    return GiveUp(f"the model's service refuses this request ({status}){said}")


def _for_the_user(failure: Failure, said: str, model: str, service: str) -> tuple[str, str] | None:
    """Return problem and hint where only the user can mend it."""
    if _spent(failure):
        return (
            f"The model's account cannot pay for this request{said}",
            "Check credit and spending limits at https://platform.claude.com/settings/billing.",
        )
    match failure.status:
        case status if 300 <= status < 400:
            return (
                f"{service} answers with a redirect, which is not followed.",
                "Set ANTHROPIC_BASE_URL to the final address.",
            )
        case 401 | 403:
            return (
                f"{service} refused the key{said}",
                "Set ANTHROPIC_API_KEY to a valid key: https://platform.claude.com/settings/keys.",
            )
        case 404 if failure.kind == "not_found_error":
            return (
                f"{service} has no model {printable(model)!r} for this key{said}",
                "Choose another with --model or RLM_MODEL, for example claude-sonnet-5-5.",
            )
        case 404 | 405:
            return (
                f"There is no Messages API at {service}.",
                "Set ANTHROPIC_BASE_URL to the address in front of /v1/messages, or unset it.",
            )
    return None


def _spent(failure: Failure) -> bool:
    told = f"{failure.code} {failure.words}".lower()
    return failure.status == 402 or any(word in told for word in SPENT)


def seconds(retry_after: str | None) -> float | None:
    """Return a Retry-After header in seconds from now; None for one that is absent or absurd."""
    if not retry_after:
        return None
    try:
        after_s = float(retry_after)
    except ValueError:
        try:
            after_s = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
        after_s = max(0.0, after_s)
    return after_s if math.isfinite(after_s) and 0 <= after_s <= MAX_RETRY_AFTER_S else None


def told(words: object, secret: str) -> str:
    """Return somebody else's words as one short line, without the key."""
    line = " ".join(printable(str(words or "")).replace(secret, "[key]").split())
    return line if len(line) <= MAX_WORDS else f"{line[: MAX_WORDS - 1]}…"
