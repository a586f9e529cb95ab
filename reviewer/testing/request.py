"""What goes into the writing of tests: the values that cross the engine's border on the way in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reviewer.policy import NO_POLICY, Policy
from reviewer.request import Caps, Effort

_COMMIT = r"^([0-9a-f]{40}|[0-9a-f]{64})$"


class TestingRequest(BaseModel):
    """A change to be tested, apart from the objects that the engine may read.

    `commit` is the full name of its head, on which the tests are written; `base` that of the commit
    which it is compared with (the merge base). `paths` are the files and folders whose changes are
    looked at, none being all. `guidelines` and the policies are as in `ReviewRequest`.
    """

    __test__ = False  # for pytest, which takes the name for a test's

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: Annotated[str, Field(pattern=_COMMIT)]
    base: Annotated[str, Field(pattern=_COMMIT)]
    paths: tuple[str, ...] = ()
    model: str
    cheap_model: str | None = None
    effort: Effort = Effort.STANDARD
    caps: Caps = Caps()
    guidelines: str = ""
    policy: Policy = NO_POLICY
    policy_before: Policy | None = None
