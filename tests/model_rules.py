"""What the Anthropic Messages API refuses, in its own words: the rules that our client must keep.

`tests.model_server` asks here before it answers, so that every test that talks to it also proves
that the real service would have taken the request. Only rules seen at the real API are here.
"""

import hashlib
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

MAX_CACHE_MARKS = 4
# Models that always decide for themselves whether to use a tool.
UNFORCED = ("opus-5-5", "sonnet-5-5", "fable-", "mythos-")
# Models older than the `effort` parameter.
EFFORTLESS = ("haiku-4-5", "sonnet-4-5")
# Models whose thinking cannot be switched off.
ALWAYS_THINKING = ("opus-5-5", "fable-", "mythos-")


def refusal(request: Any) -> str | None:
    """Return the API's complaint about a request body, or None where it would take it."""
    if not isinstance(request, dict):
        return "The request body is not valid JSON"
    for needed in ("model", "messages"):
        if not request.get(needed):
            return f"{needed}: Field required"
    rules = (_parameters, _turns, _tools_answered, _cache_marks, _thinking)
    return next(chain.from_iterable(rule(request) for rule in rules), None)


def _parameters(request: dict[str, Any]) -> Iterator[str]:
    model = str(request["model"])
    for gone in ("temperature", "top_p", "top_k"):
        if gone in request:
            yield f"{gone}: is not supported for this model."
    choice = (request.get("tool_choice") or {}).get("type")
    if choice in ("any", "tool") and any(name in model for name in UNFORCED):
        yield 'tool_choice: type "tool" and "any" are not supported for this model.'
    if choice and not request.get("tools"):
        yield "tool_choice may only be specified while providing tools"
    if (request.get("output_config") or {}).get("effort") and any(m in model for m in EFFORTLESS):
        yield "This model does not support the effort parameter."
    thinking = (request.get("thinking") or {}).get("type")
    if thinking == "disabled" and any(name in model for name in ALWAYS_THINKING):
        yield '"thinking.type.disabled" is not supported for this model.'


def _turns(request: dict[str, Any]) -> Iterator[str]:
    messages = request["messages"]
    for number, message in enumerate(messages):
        if message["role"] not in ("user", "assistant"):
            yield f"messages.{number}: role must be user or assistant"
        blocks = content_of(message)
        if not blocks:
            yield f"messages.{number}: all messages must have non-empty content"
        for index, block in enumerate(blocks):
            if block["type"] == "text" and not block["text"].strip():
                yield f"messages.{number}.content.{index}: text content blocks must be non-empty"
        if message["role"] == "assistant" and blocks and blocks[-1]["type"] == "thinking":
            yield f"messages.{number}: The final block in an assistant message cannot be `thinking`."
    if any(not block["text"] for block in _system(request)):
        yield "system: text content blocks must be non-empty"
    if messages[0]["role"] != "user":
        yield "messages: first message must use the user role"
    if messages[-1]["role"] != "user":
        yield "This model does not support assistant message prefill."


def _tools_answered(request: dict[str, Any]) -> Iterator[str]:
    asked: list[str] = []
    for number, message in enumerate(request["messages"]):
        blocks = content_of(message)
        answers = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        missing = [id_ for id_ in asked if id_ not in answers]
        if missing:
            yield (
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}."
            )
        for id_ in answers:
            if id_ not in asked:
                yield f"messages.{number}: unexpected `tool_use_id` in `tool_result`: {id_}."
        if any(b["type"] != "tool_result" for b in blocks[: len(answers)]):
            yield f"messages.{number}: `tool_result` blocks must come first in the content"
        asked = [b["id"] for b in blocks if b["type"] == "tool_use"]
        if len(set(asked)) != len(asked):
            yield f"messages.{number}: `tool_use` ids must be unique"


def _cache_marks(request: dict[str, Any]) -> Iterator[str]:
    marked = [block for block in every_block(request) if block.get("cache_control")]
    if any(block.get("type") in ("thinking", "redacted_thinking") for block in marked):
        yield "cache_control: cannot be set on thinking blocks"
    if len(marked) > MAX_CACHE_MARKS:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {len(marked)}."


def _thinking(request: dict[str, Any]) -> Iterator[str]:
    """A signature that this server made is bound to everything that came before its answer."""
    for number, message in enumerate(request["messages"]):
        for index, block in enumerate(content_of(message)):
            signature = block.get("signature", "")
            if block["type"] != "thinking" or not signature.startswith("bound:"):
                continue
            if signature != sign(request, number):
                yield (
                    f"messages.{number}.content.{index}: Invalid `signature` in `thinking` block. "
                    "The block is bound to a different conversation."
                )


def sign(request: dict[str, Any], before: int) -> str:
    """Return the signature of thinking that answers the first `before` messages of a request."""
    prefix = {
        "model": request["model"],
        "system": [_bare(block) for block in _system(request)],
        "tools": [_bare(tool) for tool in request.get("tools") or []],
        "messages": [
            [m["role"], [_bare(b) for b in content_of(m)]] for m in request["messages"][:before]
        ],
    }
    return "bound:" + digest(prefix)


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def every_block(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every block of the prompt in the order in which the API caches them."""
    yield from request.get("tools") or []
    yield from _system(request)
    for message in request["messages"]:
        yield from content_of(message)


def content_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    return _as_blocks(message["content"])


def _system(request: dict[str, Any]) -> list[dict[str, Any]]:
    return _as_blocks(request.get("system") or [])


def _as_blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "cache_control"}
