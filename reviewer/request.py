"""What goes into a review and what comes out of it: the values that cross the engine's border."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Category, Finding, Severity, Side, is_grave
from reviewer.policy import NO_POLICY, Guide, Policy


class Effort(StrEnum):
    """How many passes a review makes."""

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"


class Caps(BaseModel):
    """What one run may use at the most. None is no cap; none is ever passed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd: float | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    calls: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, gt=0)
    depth: int = Field(default=4, ge=1)


TITLE_CHARS = 300
DESCRIPTION_CHARS = 12_000
ISSUE_CHARS = 6_000
COMMIT_CHARS = 1_000
MOST_COMMITS = 30
MOST_ISSUES = 3

MOST_EARLIER = 40
ID_CHARS = 40
PATH_CHARS = 4_096
REASON_CHARS = 1_500

_CUT = " … (cut)"


class Issue(BaseModel):
    """What the change says it closes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    title: str = Field(max_length=TITLE_CHARS)
    body: str = Field(default="", max_length=ISSUE_CHARS)


class Promise(BaseModel):
    """What the author says a change is for: untrusted text. All of it is bounded; see `bounded`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(default="", max_length=TITLE_CHARS)
    description: str = Field(default="", max_length=DESCRIPTION_CHARS)
    commits: tuple[str, ...] = Field(default=(), max_length=MOST_COMMITS)
    issues: tuple[Issue, ...] = Field(default=(), max_length=MOST_ISSUES)

    @classmethod
    def bounded(
        cls,
        title: str = "",
        description: str = "",
        commits: Sequence[str] = (),
        issues: Sequence[tuple[int, str, str]] = (),
    ) -> "Promise":
        """Return the promise with what is too long cut, visibly; issues are number, title, body."""
        return cls(
            title=_cut(title, TITLE_CHARS),
            description=_cut(description, DESCRIPTION_CHARS),
            commits=tuple(_cut(one, COMMIT_CHARS) for one in commits[:MOST_COMMITS]),
            issues=tuple(
                Issue(number=number, title=_cut(name, TITLE_CHARS), body=_cut(body, ISSUE_CHARS))
                for number, name, body in issues[:MOST_ISSUES]
            ),
        )

    def texts(self) -> tuple[str, ...]:
        """Return all that was said, piece by piece."""
        of_issues = (text for issue in self.issues for text in (issue.title, issue.body))
        every = (self.title, self.description, *self.commits, *of_issues)
        return tuple(text for text in every if text.strip())


class Earlier(BaseModel):
    """What stands on a pull request since an earlier review: one of our comments, read again.

    `id` is that of its finding. Lines are those of today, on `side`; None where nobody knows them.
    Its words may have been edited: untrusted text, all of it bounded; see `bounded`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=ID_CHARS)
    path: str = Field(max_length=PATH_CHARS)
    side: Side = "RIGHT"
    start_line: int | None = Field(default=None, ge=1)
    line: int | None = Field(default=None, ge=1)
    category: Category
    severity: Severity
    title: str = Field(max_length=TITLE_CHARS)
    body: str = Field(default="", max_length=REASON_CHARS)

    @property
    def is_grave(self) -> bool:
        """Was it critical, or about security?"""
        return is_grave(self.severity, self.category)

    @classmethod
    def bounded(cls, claim: Finding) -> "Earlier":
        """Return what a claim says, with what is too long cut, visibly."""
        return cls(
            id=claim.id,
            path=claim.path[:PATH_CHARS],
            side=claim.side,
            start_line=claim.start_line,
            line=claim.line,
            category=claim.category,
            severity=claim.severity,
            title=_cut(claim.title, TITLE_CHARS),
            body=_cut(claim.body, REASON_CHARS),
        )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT


class ReviewRequest(BaseModel):
    """One question to the engine, apart from the objects it may read.

    `model` is None for a review by detectors alone; `cheap_model`, None for the same one, answers
    small questions. `paths` limits it to files and folders of the repository, none being all; what
    lies outside is listed as set aside. `guidelines`, `guides` (for some paths) and the `policy`
    come from the merge base, the base branch, the default branch or the user, never from the head;
    what the policy says about effort, models and budget was decided before and is in the other
    fields. A file is set aside only if `policy_before`, too, wants that: the merge base's where it
    differs. `promise` is what the author says, for the node that compares it with the change and
    for the summary; finders do not see it: see "Finders" in docs/design.md. `earlier` is what we
    said of this pull request before, the newest first, for whoever asks what is said twice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    effort: Effort = Effort.STANDARD
    model: str | None = None
    cheap_model: str | None = None
    caps: Caps = Caps()
    paths: tuple[str, ...] = ()
    guidelines: str = ""
    guides: tuple[Guide, ...] = ()
    policy: Policy = NO_POLICY
    policy_before: Policy | None = None
    promise: Promise | None = None
    earlier: tuple[Earlier, ...] = Field(default=(), max_length=MOST_EARLIER)


UNREADABLE = "unreadable diff"
TOO_LONG = "minified, new and too long to read: compare it with its published release"


class Skipped(BaseModel):
    """Hunks that nobody read, and why. `hunks` may be 0: a binary file has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    hunks: int = Field(ge=0)
    reason: str

    @property
    def calls_for_a_person(self) -> bool:
        """Is this code that came with the change, and that no program could read?"""
        return self.reason == TOO_LONG or self.reason.startswith(UNREADABLE)


class Coverage(BaseModel):
    """The ledger of hunks: `hunks == reviewed + sum(skipped.hunks)`, always.

    `reviewed` counts hunks that were wholly given to a node which ended well; where no model is
    configured, those that the detectors ran on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hunks: int = Field(ge=0)
    reviewed: int = Field(ge=0)
    skipped: list[Skipped] = []


class Cost(BaseModel):
    """What a run used. `usd` is None where no model was used or its price is not known.

    `replayed_calls` were answered from the journal of earlier runs, and are no part of the rest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = None
    usd: float | None = None
    calls: int = 0
    replayed_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    seconds: float = 0.0


class DependencyChange(BaseModel):
    """One line of the table that stands for a lock file's diff. None: absent at that end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    ecosystem: str
    name: str
    old: str | None
    new: str | None


class ChangeInfo(BaseModel):
    """Which change was reviewed; full commit names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    head: str
    merge_base: str
    files: int
    added: int
    deleted: int


class Module(BaseModel):
    """A folder of the change, with what it does there, as its readers said or as that was retold.

    `path` is "" for the files that lie in no other module. A review has two to eight, or one where
    all files lie in one folder; of what was set aside there is nothing in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    files: int
    added: int
    deleted: int
    changes: list[str] = []


class ModuleImport(BaseModel):
    """Changed files of the module `source` import some of `target`: so many pairs of `files`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    target: str
    files: int = Field(ge=1)


RiskLevel = Literal["low", "medium", "high"]


class Risk(BaseModel):
    """How much care the change deserves, by rules; `reasons` say why, weightiest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: RiskLevel
    reasons: list[str] = []


class LookFirst(BaseModel):
    """A file to begin with, and why; `side` as in `Finding`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    side: Side = "RIGHT"
    line: int | None = Field(default=None, ge=1)
    reason: str


class StopReason(StrEnum):
    """Why a run ended before its work was done."""

    BUDGET = "budget"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    MODEL = "model"  # the model's service refused the key, failed or could not be reached
    STORAGE = "storage"  # what is paid could not be written down, so no cap could be kept
    INCOMPLETE = "incomplete"  # the model came to no result for a part: it refused, or looped


class Withheld(BaseModel):
    """A finding that was made and is not shown: below the thresholds, or too unsure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: tuple[str, ...]
    path: str
    title: str


class Unsettled(BaseModel):
    """A claim of grave harm that two readers could neither prove nor refute: for a person to look.

    It is no finding and stands at no line, and counts where findings are to block. `title` is ""
    where it says itself that nothing is wrong; the place is what to look at. `side` and `line` as
    in `Finding`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    path: str
    side: Side = "RIGHT"
    line: int | None = Field(default=None, ge=1)
    severity: Severity
    category: Category
    title: str


class Looked(BaseModel):
    """Who looked, so that what nobody says any more can be told from what nobody looked for.

    `by` are sources as in `Finding`, without rules, that looked at all that was reviewed; a model's
    with `effort`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: tuple[str, ...] = ()
    effort: Effort = Effort.QUICK
    withheld: tuple[Withheld, ...] = ()


class Review(BaseModel):
    """The result of a review. `status` is "partial" exactly when `stopped` says why.

    `across` is what was said of no one module. `risk` is None where nothing was to be read.
    `earlier` has for ids of findings, and of their places, the id of what said the same before.
    `unsettled` is what a person has to look at himself: no finding, and not to be lost either.
    `looked` is for whoever publishes it, and no part of the JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    status: Literal["complete", "partial"] = "complete"
    stopped: StopReason | None = None
    change: ChangeInfo
    findings: list[Finding]
    summary: str
    notes: list[str] = []
    coverage: Coverage
    dependencies: list[DependencyChange] = []
    cost: Cost = Cost()
    risk: Risk | None = None
    look_first: list[LookFirst] = []
    modules: list[Module] = []
    across: list[str] = []
    imports: list[ModuleImport] = []
    earlier: dict[str, str] = {}
    unsettled: list[Unsettled] = []
    looked: Looked = Field(default=Looked(), exclude=True)

    @property
    def severities(self) -> list[Severity]:
        """How bad each finding is, and each claim that is unsettled: what a gate goes by."""
        return [*(one.severity for one in self.findings), *(one.severity for one in self.unsettled)]
