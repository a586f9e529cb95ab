"""What goes into a fix: the values that cross the engine's border on the way in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reviewer.finding import Finding
from reviewer.request import Caps, Effort


class FixRequest(BaseModel):
    """Findings to be closed on a commit, apart from the objects that the engine may read.

    `commit` is the full name of the commit that is changed, `reviewed` that of the head which the
    findings are about; it is not looked up. The findings come in the order in which they are worked
    on, the gravest first. `guidelines` are a maintainer's, as in `ReviewRequest`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    reviewed: str = ""
    findings: tuple[Finding, ...]
    model: str
    cheap_model: str | None = None
    effort: Effort = Effort.STANDARD
    caps: Caps = Caps()
    guidelines: str = ""
