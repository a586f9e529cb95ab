"""What an evaluation keeps of each case, so that a second run takes it up in place of paying."""

import hashlib
import json
import secrets
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.defaults import DISTRIBUTION
from app.eval.repositories import Ready
from reviewer.request import Review, ReviewRequest, StopReason

RESULTS = "results"
NAME = "name"
"""Under the evaluation's folder: a random name, so that answers paid for elsewhere are not used."""

AGAIN = "again"
"""What the names of second reviews end with."""

TRANSIENT = frozenset({StopReason.CANCELLED, StopReason.MODEL, StopReason.STORAGE})
"""Ends that say nothing of the review: such a result is not kept."""


class Verdict(BaseModel):
    """What the judge said of a claim and a defect, by their ids. `asked` names the question: with
    another model, prompt or description it is another one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: str
    defect: str
    same: bool
    why: str
    asked: str


class Spent(BaseModel):
    """What judging cost. `usd` is None where the price is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        known = self.usd is not None and other.usd is not None
        return Spent(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            usd=(self.usd or 0.0) + (other.usd or 0.0) if known else None,
        )


class Kept(BaseModel):
    """One reviewed case. `nowhere` are the claims whose line, with the code that they quote, is in
    neither diff nor file; `trace` is the run for `rlm trace`. `new` are for a second review: the
    claims that the first had not said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    program: str
    base: str
    head: str
    request: ReviewRequest
    review: Review
    nowhere: tuple[str, ...] = ()
    trace: str = ""
    verdicts: tuple[Verdict, ...] = ()
    judging: Spent = Spent()
    new: tuple[str, ...] | None = None


@cache
def program() -> str:
    """Name this program: its version, and a digest of the engine's files, prompts included."""
    digest = hashlib.sha256()
    pending: list[tuple[str, Traversable]] = [("", files("reviewer"))]
    while pending:
        path, here = pending.pop()
        if here.is_file():
            digest.update(f"{path}\n{hashlib.sha256(here.read_bytes()).hexdigest()}\n".encode())
        elif not path.endswith("/__pycache__"):
            inside = sorted(here.iterdir(), key=lambda one: one.name)
            pending += [(f"{path}/{one.name}", one) for one in inside]
    return f"{version(DISTRIBUTION)}+{digest.hexdigest()[:12]}"


def key_of(ready: Ready, request: ReviewRequest) -> str:
    """Name the question: the commits, the settings, the program."""
    said = [ready.case.id, ready.base, ready.head, program(), request.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def file_of(out: Path, ready: Ready, request: ReviewRequest) -> Path:
    """Return where the result of a case is kept; another setting has another file."""
    return out / RESULTS / f"{ready.case.id}.{key_of(ready, request)}.json"


def file_again(path: Path, first: Kept) -> Path:
    """Return where the second review of a case is kept; after another first one it is another."""
    said = hashlib.sha256(first.review.model_dump_json().encode()).hexdigest()[:16]
    return path.with_name(f"{path.stem}.again-{said}.json")


def read_kept(path: Path) -> Kept | None:
    """Return what was kept; None where there is nothing, or nothing that this version reads."""
    try:
        return Kept.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_kept(path: Path, kept: Kept) -> None:
    """Keep a result; the file is whole or not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, kept.model_dump_json(indent=1) + "\n")


def tenant_of(out: Path, *, again: bool = False) -> str:
    """Return whose answers count here: those of this folder's own runs that were cut off.

    None of a first review counts for the one that is made `again`.
    """
    path = out / NAME
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write(path, secrets.token_hex(16) + "\n")
    name = f"eval {path.read_text(encoding='ascii', errors='replace').strip()}"
    return f"{name} {AGAIN}" if again else name


def is_again(tenant: str) -> bool:
    """Is this whose answers count for a second review?"""
    return tenant.endswith(f" {AGAIN}")


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
