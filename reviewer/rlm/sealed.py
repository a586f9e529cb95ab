"""What a request is called in the journal, and replies as sealed bytes.

A request's name and the key that its entry is sealed under are the two halves of one hash of all
of it. So an entry opens for the very request that it answers and for no other, and a journal
without the code under review is noise.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reviewer.errors import GiveUp
from reviewer.model.base import (
    Block,
    Opaque,
    Reply,
    Request,
    Stop,
    Text,
    ToolResult,
    ToolUse,
    Usage,
)
from reviewer.rlm.budget import Amount
from reviewer.rlm.journal import Key

VERSION = 1
"""Goes up with every change of how requests or replies are written: older entries are not found."""

DIGEST_BYTES = 32
NONCE_BYTES = 12

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def key_of(request: Request, task: str, version: str, sample: int = 0, tenant: str = "") -> Key:
    """Return the name of a request made for a task, the `sample`-th of its kind, for a tenant.

    Two requests have one key if the model sees the same: marks of the cache do not count, the
    order in a tool's input does. Tool inputs and schemas are JSON: their keys are strings. Raise
    GiveUp for a request that is nested too deeply to be written at all.
    """
    texts: list[bytes] = []

    def aside(text: str) -> int:
        """Put a text behind the frame, as its bytes; in its place stands their number."""
        texts.append(text.encode("utf-8", "surrogatepass"))
        return len(texts[-1])

    frame = [
        VERSION,
        tenant,
        task,
        version,
        sample,
        request.model,
        request.max_tokens,
        request.effort,
        request.require_tool,
        [aside(part) for part in request.system],
        [(tool.name, aside(tool.description), tool.schema) for tool in request.tools],
        [(turn.role, [_asked(block, aside) for block in turn.blocks]) for turn in request.turns],
    ]
    try:
        framed = _bytes(frame)
    except RecursionError as error:
        raise GiveUp("the request is nested too deeply") from error
    hashed = hashlib.sha512(b"".join((framed, *texts))).digest()
    return Key(hashed[:DIGEST_BYTES], hashed[DIGEST_BYTES:])


def seal(key: Key, reply: Reply, cost: Amount, payer: bytes) -> bytes:
    """Return a reply and its cost as bytes that only `key` opens, and only as paid by `payer`.

    Raise TypeError, ValueError or RecursionError for a reply with something in it that is no JSON.
    """
    written = _bytes(
        [
            VERSION,
            [cost.usd, cost.tokens, cost.calls],
            reply.stop.value,
            reply.why,
            [
                reply.usage.input,
                reply.usage.output,
                reply.usage.cache_read,
                reply.usage.cache_write,
            ],
            [_block(block) for block in reply.blocks],
        ]
    )
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key.secret).encrypt(nonce, written, key.digest + payer)


def unseal(key: Key, sealed: object, payer: object) -> tuple[Reply, Amount] | None:
    """Return what was sealed; None for anything else, however it came to be."""
    if not isinstance(sealed, bytes) or not isinstance(payer, bytes):
        return None
    nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        written = AESGCM(key.secret).decrypt(nonce, rest, key.digest + payer)
        return _read(json.loads(written.decode("utf-8", "surrogatepass")))
    except (InvalidTag, ValueError, RecursionError):
        return None


def _bytes(value: Any) -> bytes:
    """Write a JSON value; different ones differ, also in their halves of surrogate pairs.

    With escapes in place of surrogates a pair of halves would look like the character they make.
    """
    return _json(value).encode("utf-8", "surrogatepass")


def _asked(block: Block, aside: Callable[[str], int]) -> tuple[Any, ...]:
    match block:
        case Text(text):
            return ("text", aside(text))
        case ToolResult(id_, text, is_error):
            return ("result", id_, aside(text), is_error)
        case ToolUse() | Opaque():
            return _block(block)


def _block(block: Block) -> tuple[Any, ...]:
    match block:
        case Text(text, cache):
            return ("text", text, cache)
        case ToolUse(id_, name, value, broken):
            return ("use", id_, name, value, broken)
        case ToolResult(id_, text, is_error):
            return ("result", id_, text, is_error)
        case Opaque(raw):
            return ("opaque", raw)


def _read(value: Any) -> tuple[Reply, Amount]:
    """Check what `seal` wrote, or raise ValueError: another version may have meant other things."""
    match value:
        case [int(version), [usd, tokens, calls], str(stop), str(why), list(usage), list(blocks)]:
            if version != VERSION:
                raise ValueError("another version")
            reply = Reply(
                tuple(_read_block(block) for block in blocks), Stop(stop), _read_usage(usage), why
            )
            return reply, Amount(_dollars(usd), _count(tokens), _count(calls))
    raise ValueError("no reply")


def _read_block(value: Any) -> Block:
    match value:
        case ["text", str(text), bool(cache)]:
            return Text(text, cache)
        case ["use", str(id_), str(name), dict(given), str(broken)]:
            return ToolUse(id_, name, given, broken)
        case ["result", str(id_), str(text), bool(is_error)]:
            return ToolResult(id_, text, is_error)
        case ["opaque", dict(raw)]:
            return Opaque(raw)
    raise ValueError("no block")


def _read_usage(value: list[Any]) -> Usage:
    match value:
        case [input_, output, cache_read, cache_write]:
            return Usage(_count(input_), _count(output), _count(cache_read), _count(cache_write))
    raise ValueError("no usage")


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no count")
    return value


def _dollars(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise ValueError("no amount of dollars")
    return float(value)
