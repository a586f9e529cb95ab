"""What goes into a refactoring: the values that cross the engine's border on the way in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reviewer.refactor.values import Plan
from reviewer.request import Caps, Effort

INSTRUCTION_CHARS = 4_000


class RefactorRequest(BaseModel):
    """One instruction to the engine, apart from the objects that it may read.

    `commit` is the full name of the commit that is changed. `paths` are the files and folders that
    modules are chosen from, none being all; uses elsewhere of what is renamed or moved are followed
    all the same. `guidelines` are a maintainer's, as in `ReviewRequest`. With `plan_only` the run
    ends when there is a plan; with `hold_destructive` where the plan destroys what the instruction
    does not name (`losses.destroyed`). A `plan` that was made before is carried out as it stands,
    if it fits the commit: nobody is asked for another one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: Annotated[str, Field(min_length=1, max_length=INSTRUCTION_CHARS)]
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    paths: tuple[str, ...] = ()
    model: str
    cheap_model: str | None = None
    effort: Effort = Effort.STANDARD
    caps: Caps = Caps()
    guidelines: str = ""
    plan_only: bool = False
    hold_destructive: bool = False
    plan: Plan | None = None
