"""The hidden markers in what we post, by which we know it again after a crash or a new push.

A marker is one HTML comment at the very end of a body. It counts only in a body that our own actor
wrote, which whoever reads it has to check. `signed` says that nobody else could have made it: an
Action has no key, and shares its actor with every other workflow.
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Kind = Literal["review", "finding", "summary", "reply"]

MENDED = "mended-"
"""What the `run` of an answer begins with that says a finding is mended: the run that does not
find it follows, and the comment that it was found in."""

MAX_BYTES = 600
"""Of a marker that we write, with the empty line before it."""

SOURCE_CHARS = 40

_MARKER = re.compile(r"<!-- rlm-review (?P<content>\{[^\n]{0,2000}\}) -->\s*\Z")
_SIGNATURE_CHARS = 32
_ID = re.compile(r"[0-9a-f-]{1,40}")


class Marker(BaseModel):
    """What a body is: the review or the summary of a run, one finding of it, or an answer.

    Of a finding also who says it, without the rule (`source`), and in a review of which effort.
    What a later version adds is ignored here, and covered by its signature all the same.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    kind: Kind
    run: str = Field(min_length=1, max_length=100)
    finding: str = Field(default="", max_length=40)
    head: str = Field(default="", max_length=64)
    source: str = Field(default="", max_length=SOURCE_CHARS)
    effort: str = Field(default="", max_length=10)


@dataclass(frozen=True, slots=True)
class Found:
    """A marker in a body; without `signed` it is a hint."""

    marker: Marker
    signed: bool


@dataclass(frozen=True, slots=True)
class Seal:
    """Writes and reads the markers of one pull request; one copied from another is not signed.

    `repository` is GitHub's number for it, which outlives a renaming.
    """

    key: bytes | None
    repository: int
    number: int

    def write(self, marker: Marker) -> str:
        """Return the marker as the end of a body."""
        content = {name: value for name, value in marker.model_dump().items() if value != ""}
        if self.key is not None:
            content["sig"] = self._signature(content)
        # "--" ends an HTML comment, for some readers.
        text = _compact(content).replace("<", r"\u003c").replace(">", r"\u003e")
        text = text.replace("--", r"-\u002d")
        return f"\n\n<!-- rlm-review {text} -->"

    def read(self, body: str) -> Found | None:
        """Return the marker at the end of a body; None for whatever is not one."""
        match = _MARKER.search(body)
        if match is None:
            return None
        try:
            content = json.loads(match["content"])
            signature = content.pop("sig", None)
            marker = Marker.model_validate(content)
            signed = isinstance(signature, str) and self._holds(content, signature)
        except (ValueError, ValidationError, RecursionError):
            return None
        return Found(marker, signed)

    def _holds(self, content: dict[str, Any], signature: str) -> bool:
        if self.key is None:
            return False
        expected = self._signature(content)
        return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))

    def _signature(self, content: dict[str, Any]) -> str:
        said = ["rlm-review marker", self.repository, self.number, content]
        made = hmac.new(self.key or b"", _compact(said).encode(), hashlib.sha256)
        return made.hexdigest()[:_SIGNATURE_CHARS]


def visible(body: str) -> str:
    """Return a body without its marker, as people see it: equal texts compare equal."""
    return _MARKER.sub("", body.replace("\r\n", "\n")).strip()


def short_id(finding_id: str) -> str:
    """Return a finding's id as a marker can hold it; ids of the engine are returned as they are."""
    if _ID.fullmatch(finding_id):
        return finding_id
    return hashlib.sha256(finding_id.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
