"""Recorded replies by the identity of who asked: task, scope and turn, whatever the words were.

The journal matches the whole request, as it must where money is at stake. A test of what the
kernel makes of a model's answers should outlive a reworded prompt.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reviewer.model.base import Reply, Stop, Text, ToolUse


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a run a call is made. `scope` is a digest; `turn` and `sample` count from 0."""

    task: str
    version: str
    scope: str
    turn: int = 0
    sample: int = 0

    def __str__(self) -> str:
        return f"{self.task}/{self.scope}/{self.turn}"


def place_of(task: str, version: str, kind: str, units: Iterable[str], lens: str) -> Place:
    """Return the place of a node's first turn: what it covers, how, and through what."""
    named = "\0".join([kind, lens, *sorted(units)])
    digest = hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:20]
    return Place(task, version, digest)


class Recording(Protocol):
    """What was answered before, somewhere, by place."""

    def find(self, place: Place) -> Reply | None:
        """Return the reply to give at a place; None has the model asked."""
        ...

    def keep(self, place: Place, reply: Reply) -> None:
        """Take note of what the model answered."""
        ...


@dataclass
class Replies:
    """A `Recording` in memory: JSON values by the text of their places.

    Thinking is left out: it belongs to the conversation that it was made in.
    """

    values: dict[str, Any] = field(default_factory=dict)

    def find(self, place: Place) -> Reply | None:
        value = self.values.get(str(place))
        return None if value is None else _reply(value, place.turn)

    def keep(self, place: Place, reply: Reply) -> None:
        said = [
            {"text": block.text}
            if isinstance(block, Text)
            else {"tool": block.name, "input": block.input}
            for block in reply.blocks
            if isinstance(block, Text | ToolUse)
        ]
        self.values[str(place)] = {"stop": str(reply.stop), "said": said}


def _reply(value: Mapping[str, Any], turn: int) -> Reply:
    blocks = tuple(
        Text(one["text"])
        if "text" in one
        else ToolUse(f"recorded_{turn}_{number}", one["tool"], one["input"])
        for number, one in enumerate(value["said"])
    )
    return Reply(blocks, Stop(value["stop"]))
