"""The Task protocol: one recursive question, and all that the kernel asks of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from reviewer.request import StopReason

Unit = str
"""The name of a thing that must be covered: a span of a hunk, a file, a range of a log."""

Function = Callable[..., Awaitable[Any]]
"""What code in the sandbox may call. Its docstring and signature are shown to the model.

It takes and returns plain values (None, bool, int, float, str, list, dict) and raises RlmError
with a message for the model. Everything it is given is untrusted.
"""

S = TypeVar("S")
R = TypeVar("R", bound=BaseModel)


class Task(Protocol[S, R]):
    """One recursive question over scopes of type S, answered by results of type R.

    A request to the model is built from these methods and the node's own turns, and from nothing
    else: the same scope gives the same bytes (docs/design.md, "Journal").
    """

    name: str
    version: str
    result: type[R]
    """The pydantic model that submit() is checked against."""

    def instructions(self, scope: S) -> str:
        """What to do, in words; the same for every scope where possible: it is cached first."""
        ...

    def units(self, scope: S) -> frozenset[Unit]:
        """What must be covered in this scope."""
        ...

    def size(self, scope: S) -> int:
        """How many tokens the scope takes when it is read whole (an estimate)."""
        ...

    def label(self, scope: S) -> str:
        """A few words for people: the trace and the live display."""
        ...

    def content(self, scope: S) -> str:
        """The scope itself, for a node that it fits."""
        ...

    def brief(self, scope: S) -> str:
        """What a node sees instead of the content where it does not fit."""
        ...

    def lens(self, scope: S) -> str:
        """What to look for this time. Comes after the content, so that passes share its cache."""
        ...

    def split(self, scope: S) -> list[S]:
        """Return smaller scopes: disjoint, complete, in order, stable under a local change.

        A scope that cannot be divided is returned alone.
        """
        ...

    def functions(self, scope: S) -> Mapping[str, Function]:
        """What code in the sandbox may call."""
        ...

    def check(self, scope: S, result: R) -> list[str]:
        """Say why a result of the right type is not good enough yet, in words for the model.

        Asked once: what still fails at the second try is taken, and the job drops and counts it.
        """
        ...

    def across(self, scope: S, parts: list[R]) -> str | None:
        """The question that only the parent can ask of its children's results, if there is one."""
        ...

    def merge(self, scope: S, parts: list[R], own: R | None) -> R:
        """Join the children's results, in scope order, and the parent's own."""
        ...

    def partial(self, scope: S, reason: StopReason) -> R:
        """A valid result for a scope that nobody could work on."""
        ...
