"""A check of CI that failed, as whoever mends it is told of it: untrusted text, bounded."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_FAILED = 20
MAX_ANNOTATIONS = 20
NAME_CHARS = 200
SUMMARY_CHARS = 4_000
ANNOTATION_CHARS = 1_000


class FailedCheck(BaseModel):
    """One check: its name, what it says of itself, and what it says about lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS)]
    summary: Annotated[str, Field(max_length=SUMMARY_CHARS)] = ""
    annotations: Annotated[
        tuple[Annotated[str, Field(max_length=ANNOTATION_CHARS)], ...],
        Field(max_length=MAX_ANNOTATIONS),
    ] = ()
