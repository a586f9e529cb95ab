"""The Task protocol: one recursive question, and all that the kernel asks of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from reviewer.request import StopReason

Unit = str
"""The name of a thing that must be covered: a span of a hunk, a file, a range of a log."""

Function = Callable[..., Awaitable[Any]]
"""What code in the sandbox may call. Its docstring and signature are shown to the model.

It takes and returns plain values (None, bool, int, float, str, list, dict) and raises RlmError
with a message for the model. Everything it is given is untrusted.
"""

F = TypeVar("F", bound=Function)


def waits(call: F) -> F:
    """Mark a function that takes as long as a model does: its caller holds no worker meanwhile."""
    call.waits = True  # type: ignore[attr-defined]  # functions take attributes
    return call


Tier = Literal["strong", "cheap"]
"""Which of a run's two models is asked: one that finds, or one that sorts and checks for less."""

S = TypeVar("S")
R = TypeVar("R", bound=BaseModel)


class Task(Protocol[S, R]):
    """One recursive question over scopes of type S, answered by results of type R.

    A request to the model is built from these methods and the node's own turns, and from nothing
    else: the same scope gives the same bytes (docs/design.md, "Journal").
    """

    name: str
    version: str
    """Of what is done with a reply. What the model is told needs none: it is in the request."""

    tier: Tier
    goes_back: int
    """How often a result that `check` refuses goes back; the next one is for the caller to judge.

    Once, where what still fails is dropped and counted. Twice, where what is refused costs its
    caller more than a turn of its node: a round of edits, or the only word on a claim.
    """

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

    def lens(self, scope: S) -> str:
        """What to look for this time. Comes after the content, so that passes share its cache."""
        ...

    def split(self, scope: S) -> list[S]:
        """Return smaller scopes: disjoint, complete, in order, stable under a local change.

        A scope that cannot be divided is returned alone.
        """
        ...

    def leads(self, scope: S) -> bool:
        """Is a model asked to divide a scope that does not fit? Else host code alone divides it."""
        ...

    def brief(self, scope: S, parts: Mapping[str, S]) -> str:
        """What a node that leads sees in place of the content: the parts, by their names.

        Some thousand tokens at most, and the same after an edit that changes no outline: what a
        node was told decides how it divides, and so what has to be read again.
        """
        ...

    def lenses(self) -> Mapping[str, str]:
        """Through what a part may be read, by name, with a line for each; "" is never one."""
        ...

    def join(self, parts: Sequence[S], lens: str) -> S:
        """Return some parts of one scope as one, in scope order; a lens of "" leaves theirs."""
        ...

    def functions(self, scope: S) -> Mapping[str, Function]:
        """What code in the sandbox may call."""
        ...

    def check(self, scope: S, result: R) -> list[str]:
        """Say why a result of the right type is not good enough yet, in words for the model.

        Asked `goes_back` times: what fails after that is taken, and the job drops and counts it.
        """
        ...

    def across(self, scope: S, parts: Sequence[R]) -> str | None:
        """The question that only the parent can ask of its children's results, if there is one.

        Its length does not follow the number of results.
        """
        ...

    def merge(self, scope: S, parts: Sequence[R], own: R | None) -> R:
        """Join the children's results, in scope order, and the node's own. A leaf has none."""
        ...

    def partial(self, scope: S, reason: StopReason) -> R:
        """A valid result for a scope that nobody could work on."""
        ...


class OneNode(Generic[S, R]):
    """What a task is that is never divided: one node sees all of it, or what fits."""

    def lens(self, scope: S) -> str:
        return ""

    def split(self, scope: S) -> list[S]:
        return [scope]

    def leads(self, scope: S) -> bool:
        return False

    def brief(self, scope: S, parts: Mapping[str, S]) -> str:
        return ""

    def lenses(self) -> Mapping[str, str]:
        return {}

    def join(self, parts: Sequence[S], lens: str) -> S:
        return parts[0]

    def across(self, scope: S, parts: Sequence[R]) -> str | None:
        return None

    def merge(self, scope: S, parts: Sequence[R], own: R | None) -> R:
        return own or parts[0]
