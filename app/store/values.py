"""What the store takes and gives back."""

import time
from dataclasses import dataclass, field
from typing import Literal

GITHUB, ENGINE = "github", "engine"
"""The roles that take jobs: the one talks to GitHub, the other to the model."""

CI = "ci"
"""The kind of jobs that look now and then for hours: nobody waits for them."""

UNTOLD = "untold"
"""The kind of jobs that say what was given up, when it can be said: nobody counts on them."""

OPEN, REVIEW, PUBLISH = "open", "review", "publish"
"""The steps of a run: show it on GitHub, beside that review it (an engine does), then publish."""

PROGRESS = "progress"
"""The kind of jobs that say how far a run is that writes."""

Kind = Literal["review", "ask", "config", "refactor", "fix", "tests"]
"""What a run comes to: a review, an answer to somebody, or something to be written."""

Task = Literal["refactor", "fix", "tests"]

WRITING: tuple[Kind, ...] = ("refactor", "fix", "tests")
"""Kinds of runs that come to commits, or to a plan of some (`app/written.py`)."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work for a role: `payload` is JSON. No two jobs of one `key` are done at a time.

    One job of each `installation` goes in turn, of each of its priorities, and in a turn the
    highest `priority` goes first. `not_before` is a time in seconds since 1970.
    """

    role: str
    kind: str
    key: str
    payload: str
    priority: int = 0
    not_before: float = 0.0
    installation: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A job that one worker has claimed. `attempts` counts this one too.

    `claim` numbers the claims on it: whoever lost its claim to another cannot end the job.
    `away_s` is for how many seconds what it needs had been away then, 0 where it was not, and
    `claimed` is when that was, by a clock that does not leap (`time.monotonic`).
    """

    id: int
    kind: str
    key: str
    payload: str
    attempts: int
    claim: int
    away_s: float = 0.0
    claimed: float = field(default_factory=time.monotonic, compare=False)

    def away_for(self) -> float:
        """Return for how many seconds what it needs has been away."""
        return self.away_s + time.monotonic() - self.claimed if self.away_s else 0.0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What every server has to remove from its own disk: of repositories, by all their names; of
    an installation all else too, if the `whole` of it is gone.

    `since` is when it was forgotten; what was begun later is not meant.
    """

    id: str
    installation: int
    whole: bool
    repositories: tuple[str, ...]
    since: float


@dataclass(frozen=True, slots=True)
class NewRun:
    """One run over one pull request. `origin` names what asked for it, once per pull request."""

    id: str
    installation: int
    repository_id: int
    repository: str
    number: int
    origin: str
    request: str
    base: str
    head: str
    kind: Kind = "review"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored. `stop` is why it shall stop, "" while it shall not.

    `report` is the JSON of what the run came to (of a review an `app.report.Report`), `problem` a
    sentence; at most one of them is set. `outcome` says how an ended run ended, `verdict` what came
    of a review, as JSON (`app.report.Verdict`). `away`: an outage is why it came to nothing.
    """

    id: str
    installation: int
    repository_id: int
    repository: str
    number: int
    origin: str
    request: str
    base: str
    head: str
    state: str
    stop: str
    check_run: int | None
    progress: str
    report: str
    problem: str
    outcome: str
    kind: Kind
    verdict: str
    away: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What the job of a workflow has asked for: pull request `number`, or what `comment` (0: none)
    below it says.

    While it is "waiting" nobody has looked. "answered": `run` does it, or `why` nothing is to be
    done; "failed": `why` it cannot be done.
    """

    id: str
    repository_id: int
    number: int
    comment: int
    state: Literal["waiting", "answered", "failed"] = "waiting"
    run: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What runs have cost. `unpriced` of them asked a model whose price is not known."""

    runs: int
    calls: int
    usd: float
    unpriced: int


@dataclass(frozen=True, slots=True)
class Dismissed:
    """A finding that `who` wants to hear no more of in a repository, as said at `url`.

    By `category`, `severity` and the words of its `reason` it is known where it is put otherwise;
    "" where nobody noted them.
    """

    finding: str
    path: str
    title: str
    who: str
    url: str
    category: str = ""
    severity: str = ""
    reason: str = ""


State = Literal["open", "accepted", "dismissed", "fixed"]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding that stands on a pull request, or did, by its id as a marker holds it.

    Without a severity it is one of earlier runs: what is known of it stays, and if that is nothing,
    nothing is noted.
    accepted: somebody closed its thread without a word against it; dismissed: somebody who may said
    that it is none; fixed: its lines were changed and it is gone.
    """

    finding: str
    severity: str
    category: str
    state: State = "open"


ThreadState = Literal["open", "answered", "dismissed", "resolved", "folded"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A thread that began with a finding of ours, told by `run`, as it stood when we looked last.

    `first` is its first comment, by REST's number, at `url`; `node` is the thread's id in GraphQL,
    "" where it was not read there yet. folded: its first comment is folded away.
    """

    first: int
    node: str
    run: str
    finding: str
    url: str
    state: ThreadState = "open"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that a person may start: the comment with it, and a digest of what we wrote there.

    `since` is when it was shown, `stands` the same by GitHub's clock. It is "waiting" until a run
    carries it out ("started"), or until it is too old, was edited, or cannot be carried out any
    more ("over").
    """

    run: str
    installation: int
    repository_id: int
    repository: str
    number: int
    comment: int
    digest: str
    state: Literal["waiting", "started", "over"]
    since: float
    stands: float = 0.0


StackedState = Literal["open", "merged", "undone"]
"""open: for all we know; merged: it is part of the one below; undone: by a command of ours."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """A pull request of ours (number `stacked`) on top of the one that it was asked for on.

    `head` is the last commit of ours on its `branch`; `rounds`, how often it was mended since;
    `undone_by`, the comment that had it undone; `unwatched`, whether somebody wants its checks to
    be looked at no more; `onto`, the commit that its commits stand on, "" while nobody asked.
    """

    run: str
    repository_id: int
    number: int
    stacked: int
    branch: str
    head: str
    task: Task
    rounds: int = 0
    state: StackedState = "open"
    undone_by: int = 0
    unwatched: int = 0
    onto: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """A repository that was known first at `since` and gone through last at `looked` (0: never)."""

    repository_id: int
    since: float
    looked: float


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that gave a sign of life at `seen` (seconds since 1970)."""

    name: str
    problem: str
    seen: float
