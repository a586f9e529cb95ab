"""A finding: one typed claim about one place of a change, and the vocabulary it is made of."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Side = Literal["LEFT", "RIGHT"]
"""RIGHT: line numbers of the head. LEFT: line numbers of the merge base (deleted lines)."""


class Severity(StrEnum):
    """How much harm, in falling order; `rank` is 0 for the worst."""

    CRITICAL = "critical"  # data loss, a hole that a stranger can use, an outage
    HIGH = "high"  # wrong result or crash on a path that users take
    MEDIUM = "medium"  # wrong on an unusual path, or a trap for the next change
    LOW = "low"  # small harm, easily noticed
    NIT = "nit"  # taste: no program and no model here reports any; folded where somebody does

    @property
    def rank(self) -> int:
        return list(Severity).index(self)

    def at_least(self, other: "Severity") -> bool:
        """Is this as bad as `other`, or worse?"""
        return self.rank <= other.rank


class Category(StrEnum):
    """What kind of harm."""

    CORRECTNESS = "correctness"
    CONTRACT = "contract"
    SECURITY = "security"
    SECRET = "secret"
    CONCURRENCY = "concurrency"
    PERFORMANCE = "performance"
    RESOURCES = "resources"
    TESTS = "tests"
    WORKFLOW = "workflow"
    LEFTOVER = "leftover"
    MAINTAINABILITY = "maintainability"
    INTENT = "intent"


def is_grave(severity: Severity, category: Category) -> bool:
    """May nobody make disappear what is so bad, or of this kind?"""
    return severity is Severity.CRITICAL or category in {Category.SECURITY, Category.SECRET}


MOST_PLACES = 100
"""Of one finding, beside its own. A pattern that stands in more places makes a second finding."""


class Place(BaseModel):
    """One more place of which a finding is true; lines as in `Finding`.

    `id` is the id that the finding had if it stood here: what was once said of this place is known
    by it, whichever place comes first today.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    path: str
    side: Side = "RIGHT"
    start_line: int | None = Field(default=None, ge=1)
    line: int | None = Field(default=None, ge=1)


class Proof(BaseModel):
    """The code by which a verifier proved a finding: in which file, and where it is known.

    Lines as in `Finding`; both are None where the quote stands in several places.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    side: Side = "RIGHT"
    start_line: int | None = Field(default=None, ge=1)
    line: int | None = Field(default=None, ge=1)
    quote: str


class Finding(BaseModel):
    """One claim with its evidence; the documented JSON contract of `rlm review --format json`.

    `line` is the last line of the place and `start_line` the first, both from 1, on `side`; both
    are None for a claim about a whole file. `evidence` quotes the code. `suggestion`, where there
    is one, replaces exactly the lines start_line..line on the RIGHT side. `source` names who says
    it: `model:<lens>` or `detector:<name>[/<rule>]`. `verified`: a second model has tried to refute
    it and could not; detectors need none. `places` are others where the same is true. `also_by` are
    the sources of other detectors that say the same here. `trigger` is what fails, in
    words that go on "Fails when": a verifier's, else the finder's. `proof` is the code that a
    verifier quoted for that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    path: str
    side: Side = "RIGHT"
    start_line: int | None = Field(default=None, ge=1)
    line: int | None = Field(default=None, ge=1)
    category: Category
    severity: Severity
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    title: str
    body: str
    evidence: str = ""
    suggestion: str | None = None
    preexisting: bool = False
    verified: bool = False
    source: str
    places: tuple[Place, ...] = Field(default=(), max_length=MOST_PLACES)
    also_by: tuple[str, ...] = ()
    trigger: str = ""
    proof: Proof | None = None

    @model_validator(mode="after")
    def _range(self) -> "Finding":
        if (self.start_line is None) != (self.line is None):
            raise ValueError("start_line and line are given together, or neither")
        if self.start_line is not None and self.line is not None and self.start_line > self.line:
            raise ValueError("start_line is after line")
        if not self.id:
            object.__setattr__(self, "id", self._digest())
        return self

    @property
    def is_grave(self) -> bool:
        """May nobody make it disappear?"""
        return is_grave(self.severity, self.category)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids under which it may be known: its own, and those of its other places."""
        return self.id, *(place.id for place in self.places)

    @property
    def place(self) -> Place:
        """Return where it stands, beside its other places."""
        return Place(**{name: getattr(self, name) for name in Place.model_fields})

    def at(self, place: Place, others: Sequence[Place] = ()) -> "Finding":
        """Return what this says of one of its places: without the code that stands here."""
        return self.model_copy(
            update={
                **{name: getattr(place, name) for name in Place.model_fields},
                "evidence": "",
                "suggestion": None,
                "trigger": "",
                "proof": None,
                "places": tuple(others),
            }
        )

    def _digest(self) -> str:
        """Name the finding by what it says about which code, not by where the lines lie today."""
        parts = (self.path, self.side, self.category, self.evidence, self.title, self.source)
        text = "\x00".join(parts)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
