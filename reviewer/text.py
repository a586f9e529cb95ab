"""Bytes of a repository as text, without loss inside and without surprises outside."""


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
    return encode(text).decode("utf-8", "backslashreplace")
