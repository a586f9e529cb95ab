"""Our values as the Messages API writes them, and its stream of events back as our values.

Pure: no I/O, and a request's body depends on the request alone. Each turn is written the same
whatever follows it, because newer models bind a thinking block to every byte before it.
"""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from reviewer.model.base import (
    Block,
    Opaque,
    Reply,
    Request,
    Stop,
    Text,
    ToolResult,
    ToolUse,
    Turn,
    Usage,
)
from reviewer.text import printable

MAX_MARKS = 4
"""cache_control marks in one request: "A maximum of 4 blocks with cache_control"."""

MAX_REPLY_CHARS = 8_000_000
"""No model writes so much: a stream beyond it is a broken service, not an answer."""

NO_OUTPUT = "(no output)"
"""An empty tool result cannot carry a cache mark."""

GO_ON = "Continue."
"""Ends a conversation whose last word was the model's: it would count as a refused prefill."""

STOPS = {
    "end_turn": Stop.END,
    "stop_sequence": Stop.END,
    "tool_use": Stop.TOOL,
    "max_tokens": Stop.TRUNCATED,
    "refusal": Stop.REFUSED,
    "model_context_window_exceeded": Stop.WINDOW,
    "pause_turn": Stop.PAUSED,
}

THINKING = ("thinking", "redacted_thinking")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a model's service takes. `thinking`: blocks of thinking may be sent back to it."""

    forced_tools: bool = True
    effort: bool = True
    thinking: bool = True


def body(request: Request, dialect: Dialect) -> dict[str, Any]:
    """Return the JSON body of a request, without `stream`.

    Thinking is never configured: each model's own default is the one that it takes together with
    tools, and `effort` is what steers it.
    """
    system: list[dict[str, Any]] = [
        {"type": "text", "text": printable(part)} for part in request.system if part
    ]
    messages = [
        {"role": turn.role, "content": content}
        for turn in request.turns
        if (content := _content(turn, dialect))
    ]
    if messages and messages[-1]["role"] == "assistant":
        messages.append({"role": "user", "content": [{"type": "text", "text": GO_ON}]})
    _mark(system, messages)
    written: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": messages,
    }
    if system:
        written["system"] = system
    if request.tools:
        written["tools"] = [
            {
                "name": tool.name,
                "description": printable(tool.description),
                "input_schema": _clean(tool.schema),
            }
            for tool in request.tools
        ]
        if request.require_tool and dialect.forced_tools:
            written["tool_choice"] = {"type": "any"}
    if request.effort and dialect.effort:
        written["output_config"] = {"effort": request.effort}
    return written


# Put beside a block while marks are chosen; never sent.
_WANTED = "wanted"
_SHARED = "shared"
_ROLLING = "rolling"


def _content(turn: Turn, dialect: Dialect) -> list[dict[str, Any]]:
    """Return the blocks of one message, or [] for a message that the API would refuse as empty."""
    written = [block for one in turn.blocks if (block := _block(one, dialect))]
    # "`tool_result` blocks must come first in the content"
    written.sort(key=lambda block: block["type"] != "tool_result")
    # "The final block in an assistant message cannot be `thinking`."
    while written and turn.role == "assistant" and written[-1]["type"] in THINKING:
        written.pop()
    if turn.cache:
        for block in reversed(written):
            if block["type"] not in THINKING:
                block[_WANTED] = _ROLLING
                break
    return written


def _block(block: Block, dialect: Dialect) -> dict[str, Any] | None:
    match block:
        case Text(text=text, cache=cache):
            if not text.strip():  # "text content blocks must contain non-whitespace text"
                return None
            written: dict[str, Any] = {"type": "text", "text": printable(text)}
            return {**written, _WANTED: _SHARED} if cache else written
        case ToolUse(id=id_, name=name, input=value):
            return {"type": "tool_use", "id": id_, "name": name, "input": _clean(value)}
        case ToolResult(id=id_, text=text, is_error=is_error):
            written = {
                "type": "tool_result",
                "tool_use_id": id_,
                "content": printable(text) if text.strip() else NO_OUTPUT,
            }
            return {**written, "is_error": True} if is_error else written
        case Opaque(raw=raw):
            if raw.get("type") in THINKING and not dialect.thinking:
                return None
            cleaned: dict[str, Any] = _clean(raw)
            return cleaned


def _mark(system: list[dict[str, Any]], messages: list[dict[str, Any]]) -> None:
    """Set the cache marks where they bring most: at most four, and every request has its best.

    First the end of the whole prompt and of the part that all nodes share (the service looks back
    some 20 blocks from a mark for what it has, so one rolling mark is enough), then what requests
    share in the messages, then earlier parts and turns.
    """
    blocks = [block for message in messages for block in message["content"]]
    wanted = [(block, block.pop(_WANTED)) for block in blocks if _WANTED in block]
    rolling = [block for block, kind in wanted if kind == _ROLLING][::-1]
    shared = [block for block, kind in wanted if kind == _SHARED][::-1]
    parts = system[::-1]
    best = [*parts[:1], *rolling[:1], *shared, *parts[1:], *rolling[1:]]
    for block in best[:MAX_MARKS]:
        block["cache_control"] = {"type": "ephemeral"}


def _clean(value: Any) -> Any:
    """Return a JSON value in which every string can be encoded."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {printable(str(key)): _clean(one) for key, one in value.items()}
        case list() | tuple():
            return [_clean(one) for one in value]
    return value


class Malformed(ValueError):
    """The stream is not what the API documents."""


@dataclass
class Assembly:
    """A reply in the making: `take` each event in order, then ask for the `reply`."""

    started: bool = False
    stopped: bool = False
    _open: dict[int, dict[str, Any]] = field(default_factory=dict)
    _done: dict[int, dict[str, Any]] = field(default_factory=dict)
    _reason: str | None = None
    _why: str = ""
    _usage: dict[str, int] = field(default_factory=dict)
    _chars: int = 0

    @property
    def complete(self) -> bool:
        """Has everything come that a reply needs? The last event itself carries nothing."""
        return self.started and self._reason is not None and not self._open

    def take(self, event: Any) -> None:
        """Add one event, as parsed JSON; raise Malformed for one that makes no sense.

        Events, deltas and blocks of kinds that this version does not know are passed over.
        """
        try:
            self._take(event)
        except Malformed:
            raise
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise Malformed(f"an event makes no sense: {error!r}") from error

    def _take(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "message_start":
                self.started = True
                self._count(event["message"].get("usage"))
            case "content_block_start":
                block = dict(event["content_block"])
                block["type"] = str(block["type"])
                self._open[int(event["index"])] = block
            case "content_block_delta":
                self._extend(self._open[int(event["index"])], event["delta"])
            case "content_block_stop":
                index = int(event["index"])
                self._done[index] = self._open.pop(index)
            case "message_delta":
                self._count(event.get("usage"))
                reason = event["delta"].get("stop_reason")
                if reason is not None:
                    self._reason = str(reason)
                    self._why = _explained(self._reason, event["delta"].get("stop_details"))
            case "message_stop":
                self.stopped = True

    def _extend(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        match delta["type"]:
            case "text_delta":
                part, into = delta["text"], "text"
            case "input_json_delta":
                part, into = delta["partial_json"], "partial_json"
            case "thinking_delta":
                part, into = delta["thinking"], "thinking"
            case "signature_delta":
                part, into = delta["signature"], "signature"
            case _:
                # Sent back without this delta, the block would not be what the model wrote.
                block["unknown"] = block["type"] not in ("text", "tool_use")
                return
        if not isinstance(part, str):
            raise Malformed(f"a piece of text is {type(part).__name__}")
        self._chars += len(part)
        if self._chars > MAX_REPLY_CHARS:
            raise Malformed(f"the answer has more than {MAX_REPLY_CHARS} characters")
        # A list, joined once: adding to a string is quadratic in the number of deltas.
        block.setdefault("parts", {}).setdefault(into, [str(block.get(into) or "")]).append(part)

    def _count(self, usage: Any) -> None:
        """Keep the newest figure of each kind: those of `message_delta` are cumulative."""
        for name, value in (usage or {}).items():
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                self._usage[name] = value

    def reply(self) -> Reply:
        """Return what has come."""
        blocks = [
            block
            for index, raw in sorted(self._done.items())
            if (block := _received(raw, index)) is not None
        ]
        usage = Usage(
            input=self._usage.get("input_tokens", 0),
            output=self._usage.get("output_tokens", 0),
            cache_read=self._usage.get("cache_read_input_tokens", 0),
            cache_write=self._usage.get("cache_creation_input_tokens", 0),
        )
        stop = STOPS.get(self._reason or "", Stop.UNKNOWN)
        return Reply(tuple(blocks), stop, usage, self._why)


def reply_of(message: Any) -> Reply:
    """Return the reply that a whole message, as the API writes it, is; raise Malformed."""
    assembly = Assembly()
    try:
        assembly.take({"type": "message_start", "message": {"usage": message["usage"]}})
        for index, block in enumerate(message["content"]):
            assembly.take({"type": "content_block_start", "index": index, "content_block": block})
            assembly.take({"type": "content_block_stop", "index": index})
        assembly.take({"type": "message_delta", "delta": message})
    except (LookupError, TypeError) as error:
        raise Malformed(f"a message makes no sense: {error!r}") from error
    if not assembly.complete:
        raise Malformed("a message does not say why it ends")
    return assembly.reply()


def _explained(reason: str, details: Any) -> str:
    if reason not in STOPS:
        return printable(reason)
    if not isinstance(details, dict):
        return ""
    said = (details.get("category"), details.get("explanation"))
    return printable(": ".join(str(part) for part in said if part))


def _received(raw: dict[str, Any], index: int) -> Block | None:
    """Return a finished block as ours; None for one that cannot be used or sent back."""
    unknown = raw.pop("unknown", False)
    for name, parts in raw.pop("parts", {}).items():
        raw[name] = "".join(parts)
    match raw["type"]:
        case "text":
            return Text(printable(str(raw.get("text") or "")))
        case "tool_use":
            written = raw.get("partial_json") or json.dumps(raw.get("input") or {})
            value = _object(written)
            id_ = str(raw.get("id") or f"call_{index}")
            name = printable(str(raw.get("name") or ""))
            return ToolUse(id_, name, value or {}, "" if value is not None else printable(written))
        case "thinking" if not raw.get("signature"):
            return None
    return None if unknown else Opaque(raw)


def _object(written: str) -> dict[str, Any] | None:
    """Parse a tool's input; None for what is no JSON object, by the standard's rules."""
    try:
        value = json.loads(written, parse_constant=_refuse, parse_float=_finite)
        return _clean(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is out of range")
    return value
