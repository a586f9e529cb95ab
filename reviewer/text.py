"""Bytes of a repository as text, without loss inside and without surprises outside."""

import re

_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Lone surrogates that stand for no byte: JSON can smuggle them in as escapes."""

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts that put no spaces between words (Chinese, Japanese, Thai, Lao, Burmese,
Khmer): two of them say about as much as a word, and each as much as two letters of others."""


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


def words_in(text: str) -> int:
    """Count the words of a text, of scripts without spaces as many as say the same."""
    words = len(re.findall(r"\w{2,}", UNSPACED.sub(" ", text)))
    return words + len(UNSPACED.findall(text)) // 2
