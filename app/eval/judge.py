"""The judge: a small model that says whether a claim speaks of a known defect, one pair a call."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.eval.cases import Defect
from reviewer.errors import GiveUp
from reviewer.finding import Finding
from reviewer.model.base import Reply, Request, Text, Tool, Turn
from reviewer.rlm.call import call
from reviewer.rlm.recording import Place
from reviewer.rlm.run import Run, Seat
from reviewer.text import printable

ANSWER_TOKENS = 1_000
EVIDENCE_CHARS = 4_000

NONSENSE = "the judge's answer was no verdict"


class Said(BaseModel):
    """What the judge hands in."""

    model_config = ConfigDict(extra="forbid", strict=True)

    why: str = Field(max_length=2_000, description="one sentence")
    same: bool = Field(description="true if the claim speaks of the known defect")


@dataclass(frozen=True)
class Judged:
    """One pair with the judge's word; None, and why, where there is none."""

    finding: str
    defect: str
    same: bool | None
    why: str


async def judge(run: Run, pairs: Sequence[tuple[Finding, Defect]]) -> list[Judged]:
    """Ask about each pair, several at once; what comes to nothing is not judged and says why."""
    return list(await asyncio.gather(*(_judge(run, *pair) for pair in pairs)))


@cache
def prompt() -> str:
    """Return what the judge is told first."""
    return Path(__file__).with_name("judge.md").read_text(encoding="utf-8")


def asked(model: str, finding: Finding, defect: Defect) -> str:
    """Name the question about a pair, as this judge would be asked it."""
    text = "\0".join((model, prompt(), _question(finding, defect)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


async def _judge(run: Run, finding: Finding, defect: Defect) -> Judged:
    question = _question(finding, defect)
    request = Request(
        model=run.model_of("cheap"),
        system=(prompt(),),
        turns=(Turn("user", (Text(question),)),),
        tools=(Tool("verdict", "Say whether they are the same.", Said.model_json_schema()),),
        max_tokens=ANSWER_TOKENS,
        require_tool=True,
    )
    place = Place("judge", "1", hashlib.sha256(question.encode()).hexdigest()[:20])
    try:
        said = _said((await call(Seat(run, run.account, "judge"), request, place)).reply)
    except GiveUp as error:
        return Judged(finding.id, defect.id, None, str(error))
    if said is None:
        return Judged(finding.id, defect.id, None, NONSENSE)
    return Judged(finding.id, defect.id, said.same, printable(said.why))


def _question(finding: Finding, defect: Defect) -> str:
    claim = {
        "place": _place(finding.path, finding.start_line, finding.line, finding.side),
        "code": finding.evidence[:EVIDENCE_CHARS],
        "category": finding.category,
        "title": finding.title,
        "why": finding.body,
    }
    known = {
        "places": [_place(p.path, p.start_line, p.line, p.side) for p in defect.places],
        "category": defect.category,
        "description": defect.description,
    }
    return printable(json.dumps({"claim": claim, "known_defect": known}, ensure_ascii=False))


def _place(path: str, start: int | None, line: int | None, side: str) -> str:
    lines = "" if start is None else f":{start}-{line}"
    return f"{path}{lines}{' (before the change)' if side == 'LEFT' else ''}"


def _said(reply: Reply) -> Said | None:
    for use in reply.tool_uses:
        if use.name == "verdict" and not use.broken:
            try:
                return Said.model_validate(use.input)
            except ValidationError:
                continue
    return None
