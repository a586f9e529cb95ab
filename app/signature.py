"""Who sent this? HMAC-SHA256 over the raw bytes of a delivery, as GitHub signs it.

GitHub signs with one secret at a time. While it is rotated we accept the old and the new.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

HEADER = "X-Hub-Signature-256"

SECRET_VARIABLES = ("RLM_WEBHOOK_SECRET", "RLM_WEBHOOK_SECRET_OLD")
"""The first line of the first is what we sign with ourselves."""

_SHAPE = re.compile(r"sha256=[0-9a-f]{64}")


def sign(secret: bytes, body: bytes) -> str:
    """Return the value of the signature header for `body`."""
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


def well_formed(signature: str) -> bool:
    """Can this be a signature at all? If not, the body need not be read."""
    return _SHAPE.fullmatch(signature) is not None


def verified(secrets: Sequence[bytes], body: bytes, signature: str) -> bool:
    """Did somebody who knows one of the secrets sign these bytes?

    Every secret is tried, whichever fits: the time taken tells nothing about them.
    """
    if not well_formed(signature):
        return False
    fits = [hmac.compare_digest(sign(secret, body), signature) for secret in secrets if secret]
    return any(fits)


def secrets_in(environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the webhook secrets of an environment, one a line, the one to sign with first."""
    lines = [line for name in SECRET_VARIABLES for line in environ.get(name, "").splitlines()]
    return tuple(dict.fromkeys(line.strip().encode() for line in lines if line.strip()))
