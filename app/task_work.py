"""What a task of a writing run is given, and what it gives back: see `app.writing_runs`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.accounts import Account
from app.jobs import Wish
from app.means import Means
from app.trees import GitTrees
from reviewer.model.base import Model
from reviewer.refactor.patch import Patch
from reviewer.request import ReviewRequest


@dataclass(frozen=True, slots=True)
class There:
    """What a task works with: a commit (`trees.start`), a wish, a model and what it may cost.

    `base` is the commit that the pull request is compared with, the merge base.
    `request` has the model, caps, guidelines and policy as they are settled; `stored` gives what
    an earlier run on the same pull request came to, as JSON, "" where that is not kept, and `blobs`
    what some blobs hold, by their names, as far as they can be had.
    """

    commit: str
    base: str
    trees: GitTrees
    wish: Wish
    request: ReviewRequest
    model: Model
    model_name: str
    means: Means
    stored: Callable[[str], str]
    blobs: Callable[[Sequence[str]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it. `named`: of a plan, the files that it names, with their blobs."""

    account: Account
    patch: Patch
    named: Mapping[str, str]
