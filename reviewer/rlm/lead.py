"""A node that leads: shown what its scope is made of, it says who reads what, and looks across.

It sees a brief of the parts that host code has made, may explore them as text in code, regroup
them, and have each read through a lens, by `delegate`. What it gave to nobody the host gives out,
one part to a node, before it may end: dividing badly costs order, never coverage. Then it is asked
what no child could see.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel

from reviewer.errors import GiveUp
from reviewer.rlm.budget import Account, Limit
from reviewer.rlm.node import comfort
from reviewer.rlm.run import Seat
from reviewer.rlm.solved import Solved
from reviewer.rlm.task import Function, Task, waits
from reviewer.rlm.trace import Delegated
from reviewer.text import printable

S = TypeVar("S")
R = TypeVar("R", bound=BaseModel)

MOST_PARTS = 40
"""A brief of more parts is a list that nobody reads; host code divides it better."""

MOST_AGAIN = 8
"""Parts that one node may have read once more, through another lens."""

AGAIN_SHARE = 0.5
"""Of what the node itself has left: what is read twice must not cost the look across."""

PART_CHARS = 400_000
"""Of one part as text, for code to search in; what is printed of it is bounded anyway."""

Solve = Callable[[S, Seat], Awaitable[Solved[R]]]


@dataclass(frozen=True)
class _Child(Generic[R]):
    """Some parts that were given out together, by their places, and the work on them."""

    places: tuple[int, ...]
    lens: str
    work: "asyncio.Task[Solved[R]]"


class Lead(Generic[S, R]):
    """The desk of one node that leads (see `rlm.node.Desk`).

    `shares` are those of the parts, in order; they are set aside when it is made. Children run in
    `group`, whose end is the end of them all: a turn that is cut off takes no child with it.
    """

    def __init__(
        self,
        task: Task[S, R],
        scope: S,
        parts: Sequence[S],
        *,
        shares: Sequence[Limit],
        seat: Seat,
        own: Account,
        solve: Solve[S, R],
        group: asyncio.TaskGroup,
    ) -> None:
        self._task = task
        self._scope = scope
        self._seat = seat
        self._own = own
        self._solve = solve
        self._group = group
        self._parts = {f"p{number}": part for number, part in enumerate(parts, 1)}
        self._names = list(self._parts)
        self._accounts = [seat.account.child(share) for share in shares]
        self._children: list[_Child[R]] = []
        self._given: dict[int, _Child[R]] = {}
        self._again = 0
        self._finished = False

    def opening(self) -> str:
        """Return what the node is told first."""
        lenses = [f"- {name}: {line}" for name, line in self._task.lenses().items()]
        told = _prompt("lead.md").format(
            count=len(self._parts), window=self._seat.run.window, lenses="\n".join(lenses)
        )
        return f"{told}\n{self._task.brief(self._scope, self._parts)}"

    def functions(self) -> Mapping[str, Function]:
        """Return what only a node that leads may call; `lead.md` describes it."""

        async def part(name: str) -> str:
            """The text of a part of yours, as the node that reads it will see it."""
            of_it = self._parts[self._names[self._place(name)]]
            text = await asyncio.to_thread(self._task.content, of_it)
            return printable(text[:PART_CHARS])

        async def delegate(parts: list[str], lens: str = "") -> dict[str, Any]:
            """Have some parts of yours read together by one node."""
            child = self._delegated(parts, lens)
            return self._told(child, await asyncio.shield(child.work))

        return {"part": part, "delegate": waits(delegate)}

    async def finish(self) -> str | None:
        """Give out what nobody was given, wait for all, and return what to ask across the parts."""
        if self._finished:
            return None
        self._finished = True
        rest = [place for place in range(len(self._names)) if place not in self._given]
        for place in rest:
            self._give((place,), "", self._accounts[place], by="host")
        results = [solved.result for solved in await self.solved()]
        question = self._task.across(self._scope, results)
        if question is None:
            return None
        return _prompt("across.md").format(
            count=len(self._names), rest=len(rest), question=question
        )

    async def solved(self) -> list[Solved[R]]:
        """Wait for what is under way and return it in scope order."""
        ordered = sorted(self._children, key=lambda child: child.places)
        return [await asyncio.shield(child.work) for child in ordered]

    def close(self) -> None:
        """Give back what was set aside for the parts and not used."""
        for account in self._accounts:
            account.close()

    def _delegated(self, names: object, lens: object) -> _Child[R]:
        places = self._places(names)
        if not isinstance(lens, str) or (lens and lens not in self._task.lenses()):
            raise GiveUp(f"lens is one of {', '.join(self._task.lenses())}, or left out")
        for child in self._children:
            if child.places == places and child.lens == lens:
                return child  # asked for twice: read once
        if any(place in self._given for place in places):
            return self._read_again(places, lens)
        if len(places) == len(self._names):
            raise GiveUp("that is your whole scope: give out smaller groups of parts")
        self._check_size(places)
        if len(places) == 1:
            return self._give(places, lens, self._accounts[places[0]], by="model")
        shares = [self._accounts[place] for place in places]
        for account in shares:
            account.close()
        return self._give(places, lens, self._opened(shares), by="model")

    def _opened(self, shares: Sequence[Account]) -> Account:
        """Return one account with what several had, which have just been closed unused."""
        whole = shares[0].limit
        for share in shares[1:]:
            whole = whole.plus(share.limit)
        account = self._seat.account.child(whole)
        self._accounts.append(account)
        return account

    def _read_again(self, places: tuple[int, ...], lens: str) -> _Child[R]:
        named = ", ".join(self._names[place] for place in places)
        if not lens or self._again + len(places) > MOST_AGAIN:
            raise GiveUp(
                f"of {named} something is given out already; {MOST_AGAIN} parts may be read once "
                "more, through another lens"
            )
        self._check_size(places)
        task, run = self._task, self._seat.run
        size = min(run.window, sum(task.size(self._scope_of(place)) for place in places))
        need = comfort(run, run.model_of(task.tier), size)
        if not self._own.left.share(AGAIN_SHARE).admits(need):
            raise GiveUp("the budget does not cover another reading")
        self._again += len(places)
        account = self._own.child(self._own.left.just(need))
        self._accounts.append(account)
        return self._give(places, lens, account, by="model")

    def _check_size(self, places: tuple[int, ...]) -> None:
        """Refuse a group that no node below could read or divide."""
        run, task = self._seat.run, self._task
        size = sum(task.size(self._scope_of(place)) for place in places)
        if len(places) > 1 and size > run.window and self._seat.depth + 1 >= run.caps.depth:
            raise GiveUp(
                f"together they take {size} tokens, and a node reads {run.window}: make the group "
                "smaller"
            )

    def _give(
        self, places: tuple[int, ...], lens: str, account: Account, by: Literal["model", "host"]
    ) -> _Child[R]:
        seat = self._seat.below(len(self._children), account)
        parts = [self._scope_of(place) for place in places]
        scope = parts[0] if len(parts) == 1 and not lens else self._task.join(parts, lens)
        names = tuple(self._names[place] for place in places)
        seat.run.sink(Delegated(self._seat.name, seat.name, names, lens, by))
        child = _Child(places, lens, self._group.create_task(self._worked(scope, seat)))
        self._children.append(child)
        self._given.update(dict.fromkeys(places, child))
        return child

    async def _worked(self, scope: S, seat: Seat) -> Solved[R]:
        return await self._solve(scope, seat)

    def _told(self, child: _Child[R], solved: Solved[R]) -> dict[str, Any]:
        """Return a child's result as code gets it."""
        return {
            "parts": [self._names[place] for place in child.places],
            "result": solved.result.model_dump(mode="json"),
            "missed": "; ".join(sorted(set(solved.missed.values()))),
        }

    def _scope_of(self, place: int) -> S:
        return self._parts[self._names[place]]

    def _places(self, names: object) -> tuple[int, ...]:
        if isinstance(names, str):
            names = [names]
        if not isinstance(names, list) or not names:
            raise GiveUp('delegate takes a list of names of parts: delegate(["p1", "p2"])')
        return tuple(sorted({self._place(name) for name in names}))

    def _place(self, name: object) -> int:
        if not isinstance(name, str) or name not in self._parts:
            raise GiveUp(f"there is no part {name!r:.100}; yours are p1 to p{len(self._names)}")
        return self._names.index(name)


@cache
def _prompt(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
