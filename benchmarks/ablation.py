"""Does cross-file context help? One finder, real defects, five ways to give it context.

    python -m benchmarks.ablation OUT --repos '/mirrors/{owner}/{name}.git'
        [--only ID]... [--way N]... [--shard I/N] [--print] [--score]

The defects of ablation.toml need another file to be seen. For each, one node with the product's own
prompts (effort quick, lens general) reads the change and is given

    1  nothing else
    2  the whole function or class around each hunk
    3  the definitions, in other files, of what the new lines use
    4  the uses of what the change defines or alters
    5  nothing, but may ask: the product's functions

each of 2 to 4 beside the diff alone and within about 2,000 tokens; 1 to 4 have no functions. The
model is the one behind ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY, or whoever stands in for it: an
answer may take an hour. What came of it is one line of JSON in OUT/ID.WAY.jsonl; what is there is
not asked again. `--shard 1/3` takes a third of the pairs, the ways of one defect in turn, so that
several people can answer. `--print` prints what would be asked and asks nobody. `--score` prints
the tables and the claims that they count, for somebody to judge.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reviewer.rlm.call
from app.code import code_of
from app.defaults import DEFAULT_MODEL
from app.objects import LocalObjects
from benchmarks.ablation_context import callers, definitions, enclosing
from benchmarks.ablation_score import print_score
from reviewer.change import Change, Span
from reviewer.context.values import Context
from reviewer.diff import build_change
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.prices import load
from reviewer.ports import Objects
from reviewer.request import Caps, Effort
from reviewer.review.finder import PACES, Finder
from reviewer.review.functions import Code
from reviewer.review.job import MIN_CONFIDENCE, Prepared, prepare
from reviewer.review.place import Placer
from reviewer.review.scope import FindScope
from reviewer.rlm.run import open_run
from reviewer.rlm.solve import Solved, solve
from reviewer.rlm.task import Function
from reviewer.rlm.trace import CodeRun, Event, FunctionCalled, Note, Submitted

LENS = "general"
ANSWER_S = 3_600.0
"""People answer in minutes; the product's own limit is for a service."""

ONE_NODE = 1_000_000
"""Tokens: no change is divided."""

Gather = Callable[[Change, Objects, Context, Sequence[Span]], str]


def _nothing(_change: Change, _objects: Objects, _context: Context, _spans: Sequence[Span]) -> str:
    return ""


WAYS: Mapping[int, Gather] = {
    1: _nothing,
    2: enclosing,
    3: definitions,
    4: callers,
    5: _nothing,
}
ASKING = 5
"""The way in which the model has the product's functions."""


@dataclass(frozen=True)
class Ready:
    """One change, opened, and what a way adds to it."""

    prepared: Prepared
    objects: Objects
    code: Code
    added: str


class AblatedFinder(Finder):
    """The product's finder with a text added to what it reads, and with functions or without."""

    def __init__(self, ready: Ready, *, asks: bool) -> None:
        prepared = ready.prepared
        super().__init__(
            prepared.change, ready.objects, prepared.leads, window=ONE_NODE, code=ready.code
        )
        self._added = ready.added
        self._asks = asks

    def content(self, scope: FindScope) -> str:
        return super().content(scope) + self._added

    def functions(self, scope: FindScope) -> Mapping[str, Function]:
        return super().functions(scope) if self._asks else {}


def main() -> int:
    """Run what is asked for and not there; 1 if a run came to no result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, help="the folder of the results")
    parser.add_argument("--repos", metavar="TEMPLATE", help="with {owner} and {name} in it")
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--way", action="append", type=int, default=[], choices=list(WAYS))
    parser.add_argument("--shard", default="1/1", metavar="I/N")
    parser.add_argument("--print", action="store_true", dest="prints")
    parser.add_argument("--score", action="store_true")
    options = parser.parse_args()
    with Path(__file__).with_name("ablation.toml").open("rb") as file:
        defects = tomllib.load(file)["defect"]
    if unknown := set(options.only) - {defect["id"] for defect in defects}:
        parser.error(f"no such defect: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.score:
        print_score(defects, list(WAYS), options.out)
        return 0
    if not options.repos:
        parser.error("--repos says where the repositories are")
    failed = 0
    for defect, way in _pairs(defects, options.only, options.way, options.shard):
        place = options.out / f"{defect['id']}.{way}.jsonl"
        if place.exists() and not options.prints:
            continue
        print(f"{defect['id']}, way {way}", flush=True)
        said = _run(defect, way, options.repos, options.out, prints=options.prints)
        if options.prints:
            continue
        if said["missed"]:
            failed += 1
            print(f"  no result: {said['missed']}", file=sys.stderr, flush=True)
            continue
        part = place.with_suffix(".part")
        part.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(place)
    return 1 if failed else 0


def _pairs(
    defects: list[dict[str, Any]], only: list[str], ways: list[int], shard: str
) -> list[tuple[dict[str, Any], int]]:
    """Return what to run: a way with every defect before the next way.

    Whoever meets a defect twice, because there are fewer people than ways, first sees it in the way
    that says less.
    """
    mine, of = (int(part) for part in shard.split("/"))
    return [
        (defect, way)
        for way in sorted(set(ways) or WAYS)
        for index, defect in enumerate(defects)
        if (not only or defect["id"] in only) and (index + way) % of == mine - 1
    ]


def _run(
    defect: dict[str, Any], way: int, template: str, out: Path, *, prints: bool
) -> dict[str, Any]:
    owner, name = defect["repo"].split("/")
    with open_repo(Path(template.format(owner=owner, name=name))) as repo:
        change = build_change(repo, defect["base"], defect["head"])
        with (
            LocalObjects(repo, change) as objects,
            code_of(repo, change, objects, out / "home", cancelled=_never) as code,
        ):
            prepared = prepare(change, objects, _never, defect["paths"])
            added = WAYS[way](change, objects, code.context, prepared.spans)
            ready = Ready(prepared, objects, code, added)
            if prints:
                _print(ready, way)
                return {}
            said = asyncio.run(_asked(ready, way))
    return {"defect": defect["id"], "way": way, "added_chars": len(added), **said}


def _print(ready: Ready, way: int) -> None:
    finder = AblatedFinder(ready, asks=way == ASKING)
    scope = FindScope(ready.prepared.spans, LENS)
    print(finder.content(scope))
    print(f"[functions: {', '.join(finder.functions(scope)) or 'none'}]")
    print(f"[diff about {finder.size(scope)} tokens, added {len(ready.added)} characters]\n")


async def _asked(ready: Ready, way: int) -> dict[str, Any]:
    """Ask the model once; return what it claims, and what that took."""
    reviewer.rlm.call.CALL_TIMEOUT_S = ANSWER_S
    called: list[str] = []
    code_runs: list[str] = []
    notes: list[str] = []

    def listen(event: Event) -> None:
        match event:
            case FunctionCalled():
                called.append(f"{event.name}({event.arguments})")
            case CodeRun():
                code_runs.append(event.code)
            case Submitted() if event.problems:
                notes.append(f"sent back: {event.problems}")
            case Note():
                notes.append(event.text)

    began = time.monotonic()
    pace = PACES[Effort.QUICK]
    scope = FindScope(ready.prepared.spans, LENS)
    async with (
        AnthropicModel(
            os.environ.get("ANTHROPIC_API_KEY"),
            os.environ.get("ANTHROPIC_BASE_URL"),
            stall_s=ANSWER_S,
        ) as model,
        open_run(
            model,
            os.environ.get("RLM_MODEL", DEFAULT_MODEL),
            load(None),
            caps=Caps(),
            sink=listen,
            cancelled=_never,
            window=ONE_NODE,
            thinking=pace.thinking,
            output_tokens=pace.output_tokens,
        ) as run,
    ):
        solved = await solve(AblatedFinder(ready, asks=way == ASKING), scope, run)
        usage = run.account.usage
    return {
        "claims": _claims(ready, solved),
        "missed": "; ".join(sorted(set(solved.missed.values()))),
        "usage": dataclasses.asdict(usage),
        "calls": run.account.spent.calls,
        "functions": called,
        "code": code_runs,
        "notes": notes,
        "seconds": round(time.monotonic() - began, 1),
    }


def _claims(ready: Ready, solved: Solved[Any]) -> list[dict[str, Any]]:
    """Return the claims as they were made; `shown` says whether a review would show them."""
    placer = Placer(ready.prepared.change, ready.objects)
    spans = {span.id: span for span in ready.prepared.spans}
    said = []
    for claim in solved.result.claims:
        finding = placer.finding(claim, spans, LENS)
        path = finding.path if finding else claim.path or ""
        shown = finding is not None and finding.confidence >= MIN_CONFIDENCE
        line = finding.line if finding else None
        said.append({**claim.model_dump(mode="json"), "path": path, "line": line, "shown": shown})
    return said


def _never() -> bool:
    return False


if __name__ == "__main__":
    sys.exit(main())
