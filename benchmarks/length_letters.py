"""Letters: a model that remembers what it was shown, and keeps each answer on the disk."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from benchmarks.length_build import Place, Planted
from reviewer.errors import GiveUp
from reviewer.model.base import Model, Reply, Request, Stop, ToolUse, Usage, blocks_of
from reviewer.rlm.budget import Amount
from reviewer.rlm.sealed import key_of, seal, unseal

PAYER = b"by hand"

Shown = Literal["no", "place", "both sides"]


class Letters:
    """A `Model` in front of another.

    `asked` counts the letters, `by_hand` those that went behind, `longest` is the longest prompt (a
    token is four bytes). With a `folder` an answer is found again by all of its request, as often
    as it was given. Of the conversations that begin with no side of a defect and with none of its
    files a `share` goes behind; the others find nothing. Which ones, their text decides. After
    `most` letters by hand GiveUp is raised.
    """

    def __init__(
        self,
        behind: Model,
        planted: Sequence[Planted],
        folder: Path | None = None,
        share: float = 1.0,
        most: int | None = None,
    ) -> None:
        self.asked = 0
        self.by_hand = 0
        self.longest = 0
        self._behind = behind
        self._planted = planted
        self._folder = folder
        self._share = share
        self._most = most
        self._silent = Silent()
        self._files = {place.path for one in planted for place in (*one.at, *one.other)}
        self._shown: dict[str, Shown] = {one.id: "no" for one in planted}

    async def complete(
        self, request: Request, timeout_s: float, begun: Callable[[], None] | None = None
    ) -> Reply:
        """Answer as the model behind does, or as it did."""
        text = "\n".join(blocks_of(request))
        if self._goes_behind(request):
            if self._most is not None and self.by_hand >= self._most:
                raise GiveUp("the letters that may be written by hand are used up")
            self.by_hand += 1
            reply = await self._answer(request, timeout_s, begun)
        else:
            reply = await self._silent.complete(request, timeout_s)
        self.asked += 1
        self.longest = max(self.longest, len(text.encode("utf-8", "surrogatepass")) // 4)
        self._look(text)
        return reply

    async def count(self, request: Request) -> int:
        return await self._behind.count(request)

    def shown(self) -> dict[str, Shown]:
        """Return for each defect whether a conversation had its place in it, or both its sides."""
        return dict(self._shown)

    def _goes_behind(self, request: Request) -> bool:
        opening = "\n".join(blocks_of(replace(request, turns=request.turns[:1])))
        drawn = int(_digest(opening)[:8], 16) / (1 << 32)
        return drawn < self._share or any(path in opening for path in self._files)

    async def _answer(
        self, request: Request, timeout_s: float, begun: Callable[[], None] | None
    ) -> Reply:
        key = key_of(request, "letter", "1")
        kept = None if self._folder is None else self._folder / f"{key.digest.hex()[:24]}.reply"
        if (
            kept is not None
            and kept.exists()
            and (opened := unseal(key, kept.read_bytes(), PAYER)) is not None
        ):
            return opened[0]
        reply = await self._behind.complete(request, timeout_s, begun)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(".part")
            part.write_bytes(seal(key, reply, Amount(), PAYER))
            part.rename(kept)
        return reply

    def _look(self, text: str) -> None:
        for one in self._planted:
            if self._shown[one.id] == "both sides" or not _has(text, one.at):
                continue
            both = not one.other or _has(text, one.other)
            self._shown[one.id] = "both sides" if both else "place"


class Silent:
    """A `Model` that finds nothing, at once."""

    def __init__(self) -> None:
        self._given = 0

    async def complete(
        self, request: Request, timeout_s: float, begun: Callable[[], None] | None = None
    ) -> Reply:
        self._given += 1
        nothing = {"overview": "Something changed.", "claims": []}
        use = ToolUse(f"toolu_{self._given}", "submit", nothing)
        return Reply((use,), Stop.TOOL, Usage(input=1, output=1))

    async def count(self, request: Request) -> int:
        return 1


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _has(text: str, places: Sequence[Place]) -> bool:
    """Does a text name the file of each place and have its lines, as code or as a diff?"""
    return all(place.path in text and _lines(place).search(text) for place in places)


def _lines(place: Place) -> re.Pattern[str]:
    return re.compile("\n".join(f"[+ ]?{re.escape(line)}" for line in place.text.split("\n")))
