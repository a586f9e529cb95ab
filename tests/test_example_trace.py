"""The example, reviewed with recorded replies: a tree, and what only its parent finds.

`data/example_replies.json` has what was answered at each place (task, scope, turn), written by hand;
the prompts may be reworded, and the answers still stand. A place that is missing has the model
asked, and there is none.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.prices import load
from reviewer.request import Effort, Review, ReviewRequest
from reviewer.review.job import review
from reviewer.revisions import parse_range
from reviewer.rlm.recording import Replies
from reviewer.rlm.trace import (
    Delegated,
    Event,
    FunctionCalled,
    NodeStarted,
    Replayed,
    Result,
    Submitted,
)
from tests.model_server import ModelServer
from tests.test_example import EXPECTED, RANGE, build, place

REPLIES = Path(__file__).parent / "data/example_replies.json"


@dataclass(frozen=True)
class Traced:
    repo: Path
    review: Review
    events: list[Event]
    asked: int

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    target = tmp_path_factory.mktemp("traced") / "shop"
    assert build(target).returncode == 0
    replies = Replies(json.loads(REPLIES.read_text(encoding="utf-8")))
    events: list[Event] = []

    async def main(url: str) -> Review:
        with open_repo(str(target)) as opened:
            change = build_change(opened, *parse_range(opened, RANGE))
            with LocalObjects(opened, change) as objects:
                async with AnthropicModel("k", url) as model:
                    return await review(
                        ReviewRequest(effort=Effort.STANDARD, model="claude-sonnet-5-5"),
                        change,
                        objects,
                        model=model,
                        prices=load(None),
                        sink=events.append,
                        cancelled=lambda: False,
                        recording=replies,
                    )

    with ModelServer([]) as server:
        return Traced(target, asyncio.run(main(server.url)), events, len(server.requests))


def test_every_reply_is_a_recorded_one(traced: Traced) -> None:
    assert traced.asked == 0
    assert {event.source for event in traced.of(Replayed)} == {"recording"}
    recorded = json.loads(REPLIES.read_text(encoding="utf-8"))
    assert len(traced.of(Replayed)) == len(recorded)


def test_the_tree_has_a_parent_and_its_parts(traced: Traced) -> None:
    nodes = [event.node for event in traced.of(NodeStarted)]
    assert max(node.count(".") + 1 for node in nodes) >= 2
    assert traced.review.status == "complete"
    assert traced.review.coverage.reviewed == 34
    given = traced.of(Delegated)
    assert [event.by for event in given] == ["host"] * 4
    assert {event.node for event in given} == {"2"}


def test_a_parent_finds_what_no_child_made(traced: Traced) -> None:
    taken = [event for event in traced.of(Submitted) if not event.problems]
    results = {event.node: json.loads(event.result) for event in taken}
    by_node = {node: made["claims"] for node, made in results.items() if "claims" in made}
    above = [claim["title"] for claim in by_node["2"]]
    below = {claim["title"] for node, found in by_node.items() if node != "2" for claim in found}
    assert len(above) == 3
    assert not below & set(above)
    found = {(finding.path, finding.line): finding.title for finding in traced.review.findings}
    between = [entry for entry in EXPECTED["defect"] if "with" in entry]
    assert len(between) == 3
    for entry in between:
        sides = [
            place(traced.repo, entry),
            place(traced.repo, {"path": entry["with"], "quote": entry["with_quote"]}),
        ]
        assert any(found.get((side.path, side.line)) in above for side in sides), entry["kind"]


def test_the_parent_looked_at_both_sides_in_code(traced: Traced) -> None:
    called = [event for event in traced.of(FunctionCalled) if event.node == "2"]
    assert [event.arguments for event in called if event.name == "part"] == [
        "'p1'",
        "'p2'",
        "'p3'",
        "'p4'",
    ]
    read = {event.arguments.split(",")[0] for event in called if event.name == "read"}
    assert read == {
        "'backend/shop/reports.py'",
        "'backend/shop/returns.py'",
        "'web/src/money.ts'",
        "'web/src/reports.ts'",
        "'web/src/returns.ts'",
    }


def test_what_takes_reading_is_found(traced: Traced) -> None:
    missing = []
    for entry in (one for one in EXPECTED["defect"] if one["found_by"] == "model"):
        sides = [place(traced.repo, entry)]
        if "with" in entry:
            sides.append(place(traced.repo, {"path": entry["with"], "quote": entry["with_quote"]}))
        if not any(
            finding.path == side.path
            and finding.start_line is not None
            and finding.line is not None
            and finding.start_line <= side.line <= finding.line
            for finding in traced.review.findings
            for side in sides
        ):
            missing.append(entry["kind"])
    assert missing == []


def test_what_the_change_does_is_told_by_module(traced: Traced) -> None:
    review = traced.review
    told = {module.path: module.changes for module in review.modules}
    assert 2 <= len(told) <= 8
    assert told["web/src"] == [
        "Shows returns and reports: `api.ts`, `money.ts`, `orders.ts` and what belongs to them."
    ]
    # What nobody told anew stays as its reader said it.
    assert told["backend"] == ["Changes preview.yml, pyproject.toml and what belongs to them."]
    # What the node that led saw between its parts, in a later pass, too.
    everywhere = [*review.across, *(text for changes in told.values() for text in changes)]
    assert "What the backend says of returns and reports, the web shows." in everywhere
    assert sum(module.files for module in review.modules) == 29
    pairs = {(one.source, one.target) for one in review.imports}
    assert pairs == {("backend/tests", "backend/shop"), ("web/tests", "web/src")}


def test_risk_and_where_to_look_come_with_their_reasons(traced: Traced) -> None:
    assert traced.review.risk is not None
    assert traced.review.risk.level == "high"
    assert traced.review.risk.reasons[0] == "1 critical and 17 high findings"
    looks = [(look.path, look.line) for look in traced.review.look_first]
    assert looks[0] == ("backend/shop/settings.py", 8)
    assert ("backend/shop/routes.py", None) in looks
    assert len({path for path, _ in looks}) == len(looks) == 5


def test_no_node_sees_who_said_what(traced: Traced) -> None:
    """The results that a leading node gets, and the trace has, are those of before."""
    results = [json.loads(event.value) for event in traced.of(Result)]
    assert len(results) == len(traced.of(NodeStarted))
    assert {tuple(result) for result in results} == {
        ("overview", "claims"),
        ("verdicts",),
        ("groups", "patterns"),
        ("modules", "across"),
    }
