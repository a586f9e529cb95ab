"""What a failure of the model's service means: who has to act, and whether it was charged."""

import math
import time
from collections.abc import Mapping, Sequence
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

# Errors of Amazon Bedrock, by the names that its headers and the errors in its streams carry.
AMAZON = {
    "modelnotreadyexception": 429,
    "throttlingexception": 429,
    "servicequotaexceededexception": 429,
    "validationexception": 400,
    "accessdeniedexception": 403,
    "resourcenotfoundexception": 404,
    "modeltimeoutexception": 408,
    "modelerrorexception": 424,
    "modelstreamerrorexception": 424,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
}

# What Bedrock says of a model's name in a 400: where the model is not, or only a profile of it is.
NO_MODEL = (
    "model identifier is invalid",
    "on-demand throughput isn",
    "doesn't support the model",
    "reached the end of its life",
)

BUSY = frozenset({429, 503, 529})

TRANSIENT = frozenset({408, 409, 424, 425, 499})
"""The request was not read, or met another one, or (Bedrock's 424) the model stumbled; the same may
be sent again."""

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


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do, as imperative sentences, where only the user can mend it."""

    key: str
    model: str
    address: str
    endpoint: str
    account: str


ANTHROPIC = Advice(
    key="Set ANTHROPIC_API_KEY to a valid key: https://platform.claude.com/settings/keys.",
    model="Choose another with --model or RLM_MODEL, for example claude-sonnet-5-5.",
    address="Set ANTHROPIC_BASE_URL to the final address.",
    endpoint="Set ANTHROPIC_BASE_URL to the address in front of /v1/messages, or unset it.",
    account="Check credit and spending limits at https://platform.claude.com/settings/billing.",
)

BEDROCK = Advice(
    key="Set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
    "AWS_SESSION_TOKEN), to credentials that may invoke this model in AWS_REGION.",
    model="Set RLM_MODEL to a model or inference profile that AWS_REGION offers to this account.",
    address="Set ANTHROPIC_BEDROCK_BASE_URL to the final address, or unset it.",
    endpoint="Check AWS_REGION, and unset ANTHROPIC_BEDROCK_BASE_URL.",
    account="Check the account and its quotas in the console of AWS.",
)

VERTEX = Advice(
    key="Set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_OAUTH_ACCESS_TOKEN to credentials that may "
    "use Vertex AI in ANTHROPIC_VERTEX_PROJECT_ID.",
    model="Set RLM_MODEL to a model that is enabled for the project in CLOUD_ML_REGION.",
    address="Set ANTHROPIC_VERTEX_BASE_URL to the final address, or unset it.",
    endpoint="Check CLOUD_ML_REGION, and unset ANTHROPIC_VERTEX_BASE_URL.",
    account="Check the project's billing and quotas in the console of Google Cloud.",
)


def status_of(kind: str) -> int:
    """Return the HTTP status of an error that came inside a stream, by its name."""
    return STATUS.get(kind) or AMAZON.get(kind.lower(), 500)


def kind_of(headers: Mapping[str, str], body: object) -> str:
    """Return the kind of an error that is a cloud's own, "" where nothing tells.

    Amazon names it in a header, Google in the body; only the missing model has a kind here.
    """
    name = headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2].lower()
    if name in AMAZON:
        return {404: "not_found_error"}.get(AMAZON[name], name)
    if isinstance(body, list) and body:  # Google's answer to a request for a stream
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    status = error.get("status") if isinstance(error, dict) else None
    if status == "NOT_FOUND":
        return "not_found_error"
    return str(status or "").lower()


def meaning(failure: Failure, model: str, service: str, advice: Advice = ANTHROPIC) -> RlmError:
    """Return the error to raise for a failure; `service` is the address, safe to show."""
    said = f": {failure.words}" if failure.words else ""
    if failure.in_stream:
        # What had begun is charged for, whatever ended it; if it was no accident, the next attempt
        # is refused outright and says so.
        what = f"the model's service broke off with {failure.status}{said}"
        return Unanswered(what, billed=True, busy=failure.status in BUSY)
    told_user = _for_the_user(failure, said, model, service, advice)
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


def _for_the_user(
    failure: Failure, said: str, model: str, service: str, advice: Advice
) -> tuple[str, str] | None:
    """Return problem and hint where only the user can mend it."""
    if _spent(failure):
        return f"The model's account cannot pay for this request{said}", advice.account
    if _no_model(failure):
        return f"{service} has no model {printable(model)!r} for this key{said}", advice.model
    match failure.status:
        case status if 300 <= status < 400:
            return f"{service} answers with a redirect, which is not followed.", advice.address
        case 401 | 403:
            return f"{service} refused the key{said}", advice.key
        case 404 | 405:
            return f"There is no Messages API at {service}.", advice.endpoint
    return None


def _no_model(failure: Failure) -> bool:
    if failure.status == 400:
        return any(words in failure.words.lower() for words in NO_MODEL)
    return failure.status == 404 and failure.kind == "not_found_error"


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


def told(words: object, secrets: Sequence[str]) -> str:
    """Return somebody else's words as one short line, without the key."""
    line = printable(str(words or ""))
    for secret in secrets:
        line = line.replace(secret, "[key]")
    line = " ".join(line.split())
    return line if len(line) <= MAX_WORDS else f"{line[: MAX_WORDS - 1]}…"
