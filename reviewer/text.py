"""Bytes of a repository as text, without loss inside and without surprises outside."""

import re
import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Categories of characters that nobody sees: a text for people needs none of them."""

_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Lone surrogates that stand for no byte: JSON can smuggle them in as escapes."""


def decode(raw: bytes) -> str:
    """Return bytes as a str that `encode` turns back into the same bytes."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that `decode` made `text` from."""
    return text.encode("utf-8", "surrogateescape")


def printable(text: str) -> str:
    """Return `text` as valid Unicode: each byte that is not UTF-8 becomes a visible `\\xNN`.

    Whatever leaves the engine (a path in a finding, evidence, a prompt) goes through here:
    JSON, HTTP and pydantic refuse lone surrogates.
    """
    text = _NO_BYTE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return encode(text).decode("utf-8", "backslashreplace")


def is_blank(text: str) -> bool:
    """Is there nothing in a text that anybody sees?"""
    return all(one.isspace() or unicodedata.category(one) in HIDDEN for one in text)
