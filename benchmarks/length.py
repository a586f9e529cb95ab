"""Does quality fall with length? The same defects in a change of 10k, 100k and 1M tokens.

    python -m benchmarks.length build GITDIR OUT              the three repositories
    python -m benchmarks.length plan OUT [--letters N] [--share S]    the letters, nobody asked
    python -m benchmarks.length run OUT SIZE ARM --url URL --letters N [--share S] [--by-hand M]
    python -m benchmarks.length score OUT

GITDIR is a repository of Scrapy with its history. `length.toml` has the change, the paths of each
size, and ten defects of our own, which `build` plants: one head for all sizes, and the smallest
change is part of the others. A token is four bytes of the diff here.

Both arms read once, through the lens "general", with the product's words and functions:

    one         a single node, given what a window of 200,000 tokens holds, in the diff's order
    recursion   the product's review; a node leads where a scope does not fit the product's window

The model is whoever answers at URL; a letter is one call, and no run makes more than N. With a
share S below 1 only those letters go there whose conversation begins with a file of a defect, and S
of the others, drawn by their text: the rest is answered by nobody, with no claims, so that a person
can answer for a whole tree. M bounds the letters that go there. An answer may take hours
(`--timeout` seconds). Each is kept under OUT/letters, so that a run which was ended takes up where
it was. `run` writes OUT/SIZE.ARM.json and OUT/SIZE.ARM.trace.jsonl. `score` prints
which claims stand at a defect, for somebody to say in OUT/judged.toml whether they speak of it, and
the table of what is judged. Whoever answers must not know `length.toml`.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.length_arms import ARMS, Arm, Opened, Terms, opened
from benchmarks.length_build import build, places, table
from benchmarks.length_letters import Letters, Silent
from benchmarks.length_score import print_score
from reviewer.model.anthropic import AnthropicModel
from reviewer.review.scope import size_of
from reviewer.rlm.trace import CallStarted, Delegated, Event, NodeSplit, NodeStarted, as_json

ANSWER_S = 14_400.0
AT_A_TIME = 8
"""Letters that may wait for an answer together."""


def main() -> int:
    """Do one of the four; 1 if a run came to no result."""
    options = _options()
    out: Path = options.out
    if options.verb == "build":
        out.mkdir(parents=True, exist_ok=True)
        build(options.gitdir, out)
        for size in table().sizes:
            with opened(out, size) as ready:
                print(_described(size, ready))
        return 0
    if options.verb == "plan":
        print("| size | arm | letters | by hand | nodes that read | that lead | hunks | shown |")
        print("|---|---|---|---|---|---|---|---|")
        for size in table().sizes:
            with opened(out, size) as ready:
                for name, arm in ARMS.items():
                    print(f"| {size} | {name} | {asyncio.run(_planned(ready, arm, options))} |")
        return 0
    if options.verb == "score":
        return print_score(out)
    with opened(out, options.size) as ready:
        return asyncio.run(_ran(ready, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    building = verbs.add_parser("build")
    building.add_argument("gitdir", type=Path)
    building.add_argument("out", type=Path)
    planning = verbs.add_parser("plan")
    planning.add_argument("out", type=Path)
    planning.add_argument("--letters", type=int)
    planning.add_argument("--share", type=float, default=1.0)
    running = verbs.add_parser("run")
    running.add_argument("out", type=Path)
    running.add_argument("size", choices=list(table().sizes))
    running.add_argument("arm", choices=list(ARMS))
    running.add_argument("--url", required=True)
    running.add_argument("--letters", type=int, required=True)
    running.add_argument("--share", type=float, default=1.0)
    running.add_argument("--by-hand", type=int)
    running.add_argument("--timeout", type=float, default=ANSWER_S)
    running.add_argument("--at-a-time", type=int, default=AT_A_TIME)
    scoring = verbs.add_parser("score")
    scoring.add_argument("out", type=Path)
    return parser.parse_args()


def _described(size: str, ready: Opened) -> str:
    spans = ready.prepared.spans
    shown = sum(len(line.text.encode()) + 2 for span in spans for line in span.lines)
    return (
        f"{size}: {len(ready.change.files)} files, {ready.change.hunk_count} hunks, {len(spans)} "
        f"spans, {shown // 4:,} tokens, {size_of(spans):,} as the product counts; "
        f"{len(ready.prepared.leads)} alarms of the detectors"
    )


async def _planned(ready: Opened, arm: Arm, options: argparse.Namespace) -> str:
    """Run an arm on a model that finds nothing at once; return the rest of its row."""
    watched = _Watched()
    model = Letters(Silent(), places(ready.gitdir), share=options.share)
    said = await arm(ready, Terms(model, options.letters, watched, AT_A_TIME, ANSWER_S))
    shown = sum(1 for how in model.shown().values() if how != "no")
    hunks = f"{said['coverage']['reviewed']} of {said['coverage']['hunks']}"
    reading = len(watched.nodes - watched.split)
    cells = (model.asked, model.by_hand, reading, len(watched.led), hunks, shown)
    return " | ".join(map(str, cells))


async def _ran(ready: Opened, options: argparse.Namespace) -> int:
    """Run an arm against the URL and write down what it claims."""
    name = f"{options.size}.{options.arm}"
    trace = (options.out / f"{name}.trace.jsonl").open("w", encoding="utf-8")
    watched = _Watched(trace.write)
    with trace:
        async with AnthropicModel("none", options.url, stall_s=options.timeout) as service:
            model = Letters(
                service,
                places(ready.gitdir),
                options.out / "letters" / name,
                options.share,
                options.by_hand,
            )
            terms = Terms(model, options.letters, watched, options.at_a_time, options.timeout)
            said = await ARMS[options.arm](ready, terms)
    result = {
        "size": options.size,
        "arm": options.arm,
        "letters": model.asked,
        "letters_at_most": options.letters,
        "by_hand": model.by_hand,
        "share": options.share,
        "longest_prompt": model.longest,
        "nodes": len(watched.nodes),
        "shown": model.shown(),
        **said,
    }
    part = options.out / f"{name}.part"
    part.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.rename(options.out / f"{name}.json")
    print(f"{name}: {len(said['findings'])} claims, {model.asked} letters, {said['status']}")
    return 0 if said["coverage"]["reviewed"] else 1


class _Watched:
    """What the trace of a run says of its nodes; each event is written where one may be."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self.nodes: set[str] = set()
        self.split: set[str] = set()
        self.led: set[str] = set()
        self._write = write

    def __call__(self, event: Event) -> None:
        match event:
            case NodeStarted():
                self.nodes.add(event.node)
            case NodeSplit():
                self.split.add(event.node)
            case Delegated():
                self.led.add(event.node)
            case CallStarted() if event.node in self.split:
                self.led.add(event.node)
        if self._write:
            self._write(json.dumps(as_json(event), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
