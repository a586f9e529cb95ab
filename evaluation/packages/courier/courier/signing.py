"""Signatures, by which a receiver knows that an event is ours."""

import hashlib
import hmac


def sign(body: bytes, secret: bytes, at: int) -> str:
    """Return the value of the header `courier-signature`: the second and a digest."""
    digest = hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def is_valid(body: bytes, secret: bytes, header: str) -> bool:
    """Was this header made from the body and the secret?"""
    at = header.partition(",")[0].removeprefix("t=")
    if not at.isdecimal():
        return False
    return hmac.compare_digest(sign(body, secret, int(at)), header)
