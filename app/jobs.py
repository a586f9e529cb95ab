"""What waits to be done, as typed payloads: the vocabulary between the roles of the server.

A payload is a hint about where to look. What is there is read from GitHub when the job runs.
"""

import time
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.commands import MAX_FINDINGS
from app.store import CI, ENGINE, GITHUB, REVIEW, UNTOLD, Job, Kind, NewJob, NewRun, Run, Task
from app.stored import read_stored
from reviewer.explain.values import Question
from reviewer.fix.failed import MAX_FAILED, FailedCheck
from reviewer.refactor.request import INSTRUCTION_CHARS
from reviewer.request import MOST_EARLIER, Earlier, Promise

Id = Annotated[int, Field(ge=1, le=2**53)]
"""GitHub's numbers fit into what JavaScript can count exactly."""

FullName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$", max_length=201)
]
Sha = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?$")]

RunId = Annotated[str, Field(pattern=r"^[a-z0-9]{12,40}$")]

FindingId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}(-[0-9]{1,4})?$")]

MAX_MENDS = 10
"""Runs whose commits are on one branch of ours."""

MAX_COMMENT_CHARS = 65_536
"""GitHub takes no longer comments. So all of one is read: a command may stand below a long log."""

COMMAND_FIRST = 10
"""Priority, within a turn: a person waits for the answer to a command."""

QUEUE_FIRST = 20
"""Priority, within a turn: a merge queue stands still."""

CI_FIRST_S = 60.0
CI_GROWS = 1.5
CI_LONGEST_S = 600.0
"""How long checks are left alone before they are looked at: at first, more each time, at most."""

UNTOLD_S = 600.0
UNTOLD_LONGEST_S = 3_600.0
"""When what could not be said is tried again: at first, and at most, for each time waits as long as
it has been tried for."""

UNTOLD_LAST = -10
"""Priority, within a turn: all that can still be done goes before what was given up."""

MAX_WHY_CHARS = 2_000

ASKED_EVENTS = frozenset({"workflow_dispatch", "issue_comment"})
"""Events of GitHub Actions that a person causes who wants something done."""

PUSH_PAUSE_S = 3.0
"""People push twice when they have forgotten something; the second push finds the first waiting."""


def cut_comment(body: str) -> str:
    """Shorten what is longer than any comment after a whole line, if it has one: no command shall
    lose its last word.
    """
    if len(body) <= MAX_COMMENT_CHARS:
        return body
    return body[: body.rfind("\n", 0, MAX_COMMENT_CHARS) + 1] or body[:MAX_COMMENT_CHARS]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Place(_Payload):
    """A repository as an installation of the App sees it."""

    kind: ClassVar[str]

    installation: Id
    repository_id: Id
    repository: FullName

    def _job(self, key: str, priority: int, not_before: float = 0.0) -> NewJob:
        payload = self.model_dump_json()
        return NewJob(GITHUB, self.kind, key, payload, priority, not_before, self.installation)


class _OnPull(_Place):
    number: Id

    def _key(self) -> str:
        return f"pull:{self.repository_id}:{self.number}"


class Look(_OnPull):
    """Look at a pull request: it may want a review.

    "labelled" and "requested": somebody wants one, of a draft too. `reviewer` is who was requested.
    "handed": the job of a workflow said so. "missed": nobody has told us; it was found.
    "closed" and "drafted": what is under way may have to end. `by_bot`: a program caused it, and no
    person waits for it.
    """

    kind: ClassVar = "look"

    trigger: Literal[
        "opened",
        "reopened",
        "ready",
        "pushed",
        "retargeted",
        "labelled",
        "requested",
        "handed",
        "missed",
        "closed",
        "drafted",
    ]
    reviewer: Login | None = None
    by_bot: bool = False

    @property
    def is_asked(self) -> bool:
        """Is a review wanted by name, of a draft too?"""
        return self.trigger in {"labelled", "requested"}

    def job(self) -> NewJob:
        """Return the job; what happens to one pull request happens one thing after the other."""
        pause = PUSH_PAUSE_S if self.trigger == "pushed" else 0.0
        first = COMMAND_FIRST if self.is_asked and not self.by_bot else 0
        return self._job(self._key(), first, time.time() + pause)


class Command(_OnPull):
    """Do what a comment says. `sender` wrote it.

    `thread`: it stands at lines, in the thread that begins with the comment of this number; 0 where
    it stands in the conversation. `in_review`: it is the text of a review, and `comment_id` is its.
    """

    kind: ClassVar = "command"

    comment_id: Id
    in_review: bool = False
    thread: Annotated[int, Field(ge=0, le=2**53)] = 0
    body: Annotated[str, Field(max_length=MAX_COMMENT_CHARS)]
    sender: Login

    @property
    def name(self) -> str:
        """What it is called among all that are given on a pull request."""
        return f"{'review' if self.in_review else 'comment'}:{self.comment_id}"

    @property
    def place(self) -> int:
        """Where it stands, as the store keeps it: GitHub counts reviews by themselves, and theirs
        is negative.
        """
        return -self.comment_id if self.in_review else self.comment_id

    @property
    def anchor(self) -> str:
        """Where it stands on the page of its pull request."""
        if self.in_review:
            return f"pullrequestreview-{self.comment_id}"
        return f"{'discussion_r' if self.thread else 'issuecomment-'}{self.comment_id}"

    def job(self) -> NewJob:
        """Return the job, ahead of what nobody waits for."""
        return self._job(self._key(), COMMAND_FIRST)


class Reply(_OnPull):
    """Hear what somebody answered in a thread that may be ours: `sender` wrote it, no command."""

    kind: ClassVar = "reply"

    comment_id: Id
    thread: Id
    body: Annotated[str, Field(max_length=MAX_COMMENT_CHARS)]
    sender: Login

    def job(self) -> NewJob:
        """Return the job, ahead of nothing: anybody can answer anything. An answer of ours is."""
        return self._job(self._key(), 0)


class Rerun(_Place):
    """Review again what a check run reported, because somebody pressed "Re-run".

    Of a fork's pull request GitHub names no number; `external_id` of our check run does, and where
    all checks are run again (`external_id` is empty) the runs on `head` do. `full`: say again what
    was said before.
    """

    kind: ClassVar = "rerun"

    head: Sha
    external_id: Annotated[str, Field(max_length=500)] = ""
    numbers: tuple[Id, ...] = ()
    event_id: Annotated[str, Field(max_length=100)]
    full: bool = False

    def job(self) -> NewJob:
        """Return the job. Its key is the commit: which pull requests it means is found out."""
        key = f"commit:{self.repository_id}:{self.head}"
        return self._job(key, COMMAND_FIRST)


class Queued(_Place):
    """Conclude the check of a merge group at once, from the review of its pull request.

    `head` is the commit that the queue made of the pull request `number` and the base.
    """

    kind: ClassVar = "queued"

    head: Sha
    number: Id

    def job(self) -> NewJob:
        """Return the job, ahead of all else in its turn: a queue of people's work waits for it."""
        key = f"commit:{self.repository_id}:{self.head}"
        return self._job(key, QUEUE_FIRST)


class Pressed(_Place):
    """Close findings, because `sender` pressed the button for it below a check run.

    `external_id` of our check run says which review is meant.
    """

    kind: ClassVar = "pressed"

    head: Sha
    external_id: Annotated[str, Field(max_length=500)] = ""
    event_id: Annotated[str, Field(max_length=100)]
    sender: Login

    def job(self) -> NewJob:
        """Return the job. Its key is the commit: which pull request it means is found out."""
        key = f"commit:{self.repository_id}:{self.head}"
        return self._job(key, COMMAND_FIRST)


class Ci(_OnPull):
    """Look at what the checks say of `head`, the last commit of ours on a stacked branch.

    `run` opened the stacked pull request, and `since` is when `head` was put there (Unix time),
    which servers of an earlier version go by; `round` counts how often it was mended before, and
    `look` how often was looked since.
    """

    kind: ClassVar = CI

    run: RunId
    head: Sha
    since: float
    round: Annotated[int, Field(ge=0, le=100)] = 0
    look: Annotated[int, Field(ge=0, le=10_000)] = 0

    def job(self) -> NewJob:
        """Return the job, for a while from now: the longer it has lasted, the longer the while.

        It keeps nothing else on its pull request waiting.
        """
        return self._job(f"ci:{self.run}", 0, time.time() + _ci_pause(self.look))

    def watched_s(self) -> float:
        """Return for how many seconds was waited before this look, whatever the clock says."""
        return sum(map(_ci_pause, range(self.look + 1)))


def _ci_pause(look: int) -> float:
    return min(CI_FIRST_S * CI_GROWS ** min(look, 100), CI_LONGEST_S)


RequestId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Handed(_Payload):
    """Do what the job of a workflow has handed over, and answer its request.

    Its token says for which repository it runs, on which event, and who caused it (`actor`); the
    `comment` of a command is read when the job is done, 0 where there is none.
    """

    kind: ClassVar = "handed"

    request: RequestId
    repository_id: Id
    repository: FullName
    number: Id
    comment: Annotated[int, Field(ge=0, le=2**53)] = 0
    event: Annotated[str, Field(max_length=64)]
    actor: Login
    owner_id: Id

    @property
    def is_asked(self) -> bool:
        """Did a person start it?"""
        return self.event in ASKED_EVENTS

    def job(self) -> NewJob:
        """Return the job. Which installation it is of is found out: no claim says it.

        Anybody's repository can have a token, so each owner waits in a line of his own, by a
        number that no installation has: a crowd of strangers keeps nobody waiting.
        """
        key = f"pull:{self.repository_id}:{self.number}"
        first = COMMAND_FIRST if self.is_asked else 0
        return NewJob(
            GITHUB, self.kind, key, self.model_dump_json(), first, installation=-self.owner_id
        )


class Gone(_Payload):
    """Forget an installation that was removed, or repositories that it has no more.

    `repositories` are names, by their numbers; none: all that is known of the installation.
    """

    kind: ClassVar = "gone"

    installation: Id
    repositories: dict[Id, FullName] = {}

    def job(self) -> NewJob:
        """Return the job: nobody waits for it."""
        key = f"installation:{self.installation}"
        return NewJob(
            GITHUB, self.kind, key, self.model_dump_json(), installation=self.installation
        )


class _Installed(BaseModel):
    """The one thing of a payload that says whose line a job stands in."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    installation: int = 0


class Untold(_Payload):
    """Say, when that is possible, that a job (its `of` and `payload`) was given up at `since` (Unix
    time), and `why`.
    """

    kind: ClassVar = UNTOLD

    of: str
    payload: str
    why: Annotated[str, Field(max_length=MAX_WHY_CHARS)]
    since: float

    def pause_s(self) -> float:
        """Return how long to wait after a try: twice as long each time, up to an hour."""
        return min(max(time.time() - self.since, UNTOLD_S), UNTOLD_LONGEST_S)

    @classmethod
    def about(cls, job: Job, why: str) -> "Untold":
        """Return what is to be said of a job that is given up now."""
        why = why[:MAX_WHY_CHARS]
        return cls(of=job.kind, payload=job.payload, why=why, since=time.time())

    def job(self, key: str, run: Run | None) -> NewJob:
        """Return the job, under the key of what it tells of: one thing is said after the other."""
        installation = (
            read_stored(_Installed, self.payload).installation if run is None else run.installation
        )
        payload, later = self.model_dump_json(), time.time() + UNTOLD_S
        return NewJob(GITHUB, self.kind, key, payload, UNTOLD_LAST, later, installation)


class Step(_Payload):
    """One step of one run; the run's row says everything else."""

    run: Annotated[str, Field(pattern=r"^[a-z0-9]{12,40}$")]


def step(kind: str, run: Run | NewRun, not_before: float = 0.0) -> NewJob:
    """Return the job of a step. A review keeps nothing else on its pull request waiting.

    What somebody asked for goes before what a push has begun.
    """
    payload = Step(run=run.id).model_dump_json()
    first = COMMAND_FIRST if read_stored(Wish, run.request).is_asked else 0
    role, key = GITHUB, f"pull:{run.repository_id}:{run.number}"
    if kind == REVIEW:
        role, key = ENGINE, run_key(run.id)
    return NewJob(role, kind, key, payload, first, not_before, run.installation)


def run_key(run: str) -> str:
    """Name the review of a run: who holds the claim on it may read its repository."""
    return f"run:{run}"


class Checked(_Payload):
    """What the checks of `head`, a commit of ours, came to: how many have `ended`, the names (as
    they are shown) of those that failed and passed before (`new`), failed before, too (`known`), or
    of which nobody can tell (`unknown`), and `notes` of what was not looked at.

    `round` counts how often they were mended, with what begins now.
    """

    head: Sha
    ended: int
    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    round: Annotated[int, Field(ge=0, le=100)] = 0


class Wish(_Payload):
    """What a run was asked for: `full` says again what was said before, `paths` narrows it.

    `by_bot`: a program caused it. `comment` is the command's `place`, 0 where nobody gave one;
    `thread` is where it stands, as in `Command`, and `sender` is who wrote it. `question` is what a
    run that answers is asked; one with `config` says what holds here. `promise` is what the author
    of the pull request said when it began, and `earlier` what we had said there.

    A run with a `task` writes: what the `instruction` says, or the `findings`, or against checks
    that `failed` on the stacked pull request `stacked`, which the runs `mends` have written;
    `checked` is all that these checks came to, for whoever says what came of it.
    `review_of` is the run that made the findings. `plan_of` is the run whose plan it carries out;
    without, an instruction is planned and no more.
    """

    trigger: str
    by_bot: bool = False
    full: bool = False
    paths: tuple[str, ...] = ()
    comment: int = 0
    thread: int = 0
    sender: str = ""
    question: Question | None = None
    config: bool = False
    promise: Promise | None = None
    earlier: Annotated[tuple[Earlier, ...], Field(max_length=MOST_EARLIER)] = ()
    task: Task | None = None
    instruction: Annotated[str, Field(max_length=INSTRUCTION_CHARS)] = ""
    findings: Annotated[tuple[FindingId, ...], Field(max_length=MAX_FINDINGS)] = ()
    plan_of: Annotated[str, Field(pattern=r"^([a-z0-9]{12,40})?$")] = ""
    review_of: Annotated[str, Field(pattern=r"^([a-z0-9]{12,40})?$")] = ""
    stacked: Annotated[int, Field(ge=0, le=2**53)] = 0
    mends: Annotated[tuple[RunId, ...], Field(max_length=MAX_MENDS)] = ()
    failed: Annotated[tuple[FailedCheck, ...], Field(max_length=MAX_FAILED)] = ()
    checked: Checked | None = None

    @property
    def kind(self) -> Kind:
        """What the run comes to."""
        if self.task is not None:
            return self.task
        if self.config:
            return "config"
        return "review" if self.question is None else "ask"

    @property
    def is_by_name(self) -> bool:
        """Did somebody ask for it by name, a person or a bot?"""
        return self.trigger in ASKING

    @property
    def is_asked(self) -> bool:
        """Does a person wait for it?"""
        return self.is_by_name and not self.by_bot


ASKING = frozenset(
    {"command", "reply", "rerun", "labelled", "requested", "dispatched", "go", "reaction", "button"}
)
"""Triggers of runs that somebody asked for by name."""
