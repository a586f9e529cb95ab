"""A plan in the comment that shows it, with all that it takes to carry it out, below the text.

Who keeps nothing from one run to the next finds it there again. It is text from outside by then:
anybody who may edit the comment may have written it, so it is bounded, held to its shape, and worth
what `app.action_plans` makes of who wrote what around it.
"""

import base64
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app import strict_json
from app.commands import MAX_COMMANDS
from app.github.markers import visible
from app.jobs import Id, Sha
from app.written import MAX_NAMED, MOST_SAID, BlobId, Written
from reviewer.errors import RlmError
from reviewer.refactor.protect import no_path, not_ours
from reviewer.refactor.values import Plan, Refactoring
from reviewer.request import Cost

MAX_BYTES = 500_000
"""Of what is carried, before it is made small: more than what a comment can show of a plan."""

NOTE_CHARS = 4_000

_BLOCK = re.compile(r"\n\n<!-- rlm-plan (?P<data>[A-Za-z0-9+/]{4,65536}={0,2}) -->\Z")


class Unreadable(RlmError):
    """What a comment carries is no plan that could be carried out."""


class CarriedPlan(BaseModel):
    """A plan for the pull request `number` of a repository, asked for by a comment's command `at`.

    `start` is the commit that it was made for, and `blobs` what it had of the files that the plan
    names, in their order ("": nothing). `notes` and `cost` are shown with it. `digest` is of all
    of that and of the instruction, which stands in the comment that asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    repository: Id
    number: Id
    comment: Id
    at: Annotated[int, Field(ge=0, lt=MAX_COMMANDS)]
    start: Sha
    plan: Plan
    blobs: Annotated[list[BlobId], Field(max_length=MAX_NAMED)]
    notes: Annotated[
        list[Annotated[str, Field(max_length=NOTE_CHARS)]], Field(max_length=MOST_SAID)
    ]
    cost: Cost
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        paths = self.plan.paths
        if len(paths) != len(self.blobs):
            raise ValueError("each file that a plan names has what it was")
        for path in paths:
            if problem := no_path(path) or not_ours(path):
                raise ValueError(f"a path that is not written: {problem}")
        if not self.plan.is_work:
            raise ValueError("there is nothing to carry out")
        return self

    def is_for(self, instruction: str) -> bool:
        """Was it made for these words?"""
        return self.digest == self._digest(instruction)

    def signed(self, instruction: str) -> Self:
        """Return it with its digest: of what it says and of the instruction."""
        return self.model_copy(update={"digest": self._digest(instruction)})

    def _digest(self, instruction: str) -> str:
        said = [instruction, self.model_dump(mode="json", exclude={"digest"})]
        raw = json.dumps(said, separators=(",", ":"), sort_keys=True)
        return hashlib.sha256(raw.encode()).hexdigest()

    def account(self, instruction: str) -> Refactoring:
        """Return the account of the run that made it, as far as people see it."""
        return Refactoring(
            status="planned",
            instruction=instruction,
            commit=self.start,
            plan=self.plan,
            notes=self.notes,
            cost=self.cost,
        )

    def written(self, instruction: str) -> Written:
        """Return what the run that made it came to, for the one that carries it out."""
        named = dict(zip(self.plan.paths, self.blobs, strict=True))
        account = self.account(instruction)
        return Written(task="refactor", start=self.start, account=account, named=named)


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan and the text above it, which people see."""

    text: str
    plan: CarriedPlan


def carried(written: Written, number: tuple[int, int], comment: int, at: int) -> str:
    """Return the end of the comment that shows a plan, with the plan; nobody sees it.

    `number` is the pull request's behind its repository's; the command `at` of `comment` asked.
    Raise Unreadable for what could not be read again, or is too large.
    """
    account = written.account
    if not isinstance(account, Refactoring) or account.plan is None:
        raise Unreadable("There is no plan.")
    try:
        made = CarriedPlan(
            repository=number[0],
            number=number[1],
            comment=comment,
            at=at,
            start=written.start,
            plan=account.plan,
            blobs=[written.named[path] for path in account.plan.paths],
            notes=account.notes,
            cost=account.cost,
        ).signed(account.instruction)
        raw = made.model_dump_json().encode()
    except (ValueError, KeyError) as error:  # of what is no text in UTF-8, too
        raise Unreadable("The plan cannot be kept.") from error
    if len(raw) > MAX_BYTES:
        raise Unreadable("The plan is too large to be kept.")
    return f"\n\n<!-- rlm-plan {base64.b64encode(zlib.compress(raw, 9)).decode()} -->"


def shown(body: str) -> Shown:
    """Return the plan that a comment shows, by its text; raise Unreadable where it carries none."""
    seen = visible(body)
    found = _BLOCK.search(seen)
    if found is None:
        raise Unreadable("The comment carries no plan.")
    try:
        raw = _expanded(base64.b64decode(found["data"], validate=True))
        plan = CarriedPlan.model_validate(strict_json.loads(raw))
    except (ValueError, zlib.error) as error:  # a ValidationError is one
        raise Unreadable("The comment carries no plan that can be read.") from error
    return Shown(seen[: found.start()], plan)


def _expanded(data: bytes) -> bytes:
    """Return what was made small, if it is no larger than what we write and nothing follows it."""
    small = zlib.decompressobj()
    raw = small.decompress(data, MAX_BYTES + 1)
    if len(raw) > MAX_BYTES or not small.eof or small.unused_data:
        raise ValueError("it is too large, or not whole")
    return raw
