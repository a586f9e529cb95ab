"""A whole review through batches: from the settings to the result, over real HTTP."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app import engine
from app.engine import BATCHES, charged, review_with
from app.objects import LocalObjects
from app.settings import Settings, read_settings
from reviewer.diff import build_change
from reviewer.errors import TellUser
from reviewer.git import open_repo
from reviewer.model.base import Usage
from reviewer.model.batches import BatchModel
from reviewer.model.prices import load
from reviewer.request import Caps, Effort, Review, ReviewRequest
from reviewer.rlm.trace import Event, Note
from tests.repo import Repo
from tests.reviewer.model.test_batches import BatchServer, message

MODEL = "claude-sonnet-5-5"


@pytest.fixture
def repo(tmp_path: Path) -> tuple[Path, str, str]:
    made = Repo(tmp_path / "repo")
    made.write("a.py", "x = 1\n")
    base = made.commit("base")
    for number in range(12):
        lines = (f"value_{number}_{line} = {line} * {number}\n" for line in range(200))
        made.write(f"pkg{number % 3}/mod{number}.py", "".join(lines))
    return made.path, base, made.commit("head")


def settings(tmp_path: Path, url: str, **more: str) -> Settings:
    given = {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": url,
        "RLM_HOME": str(tmp_path / "home"),
    }
    return read_settings({**given, "RLM_BATCH": "1", **more})


def reviewed(
    repo: tuple[Path, str, str], chosen: Settings, events: list[Event], effort: Effort
) -> Review:
    path, base, head = repo

    async def main() -> Review:
        with open_repo(path) as opened:
            change = build_change(opened, base, head)
            with LocalObjects(opened, change) as objects:
                return await review_with(
                    chosen,
                    ReviewRequest(effort=effort, model=MODEL, caps=Caps(usd=20.0)),
                    change,
                    objects,
                    None,  # type: ignore[arg-type]
                    prices=load(None),
                    sink=events.append,
                    cancelled=lambda: False,
                )

    return asyncio.run(main())


def nothing(_body: dict[str, Any]) -> dict[str, Any]:
    block = {
        "type": "tool_use",
        "id": "t1",
        "name": "submit",
        "input": {"overview": "Adds values.", "claims": []},
    }
    usage = {"input_tokens": 1_000, "output_tokens": 100}
    return message(content=[block], stop_reason="tool_use", usage=usage)


def test_a_level_of_the_tree_is_one_batch_and_costs_half(
    repo: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BatchModel", partial(BatchModel, gather_s=1.0, first_poll_s=0.02))
    events: list[Event] = []
    with BatchServer(nothing) as server:
        done = reviewed(repo, settings(tmp_path, server.url), events, Effort.QUICK)
    assert done.status == "complete"
    assert done.coverage.reviewed == done.coverage.hunks == 12
    assert len(server.batches) == 1
    assert done.cost.calls == len(server.bodies) > 1
    whole = load(None).cost(MODEL, Usage(input=1_000, output=100))
    assert whole is not None
    assert done.cost.usd == pytest.approx(len(server.bodies) * whole / 2)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("handed in a batch of" in note for note in notes)
    assert list((tmp_path / "home" / BATCHES).iterdir()) == []


def test_a_service_without_batches_ends_the_run_with_a_word_on_what_to_do(
    repo: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BatchModel", partial(BatchModel, gather_s=0.1, first_poll_s=0.02))
    events: list[Event] = []
    with BatchServer(status=404) as server:
        done = reviewed(repo, settings(tmp_path, server.url), events, Effort.QUICK)
    assert done.status == "partial"
    assert any("--batch" in note for note in done.notes)


def test_clouds_have_no_batches(repo: tuple[Path, str, str], tmp_path: Path) -> None:
    cloud = {
        "RLM_PROVIDER": "bedrock",
        "RLM_MODEL": MODEL,
        "AWS_REGION": "eu-west-1",
        "AWS_BEARER_TOKEN_BEDROCK": "t",
    }
    with pytest.raises(TellUser, match="no Message Batches API at bedrock"):
        reviewed(repo, settings(tmp_path, "http://127.0.0.1:9", **cloud), [], Effort.QUICK)


def test_prices_are_whole_without_batches(tmp_path: Path) -> None:
    prices = load(None)
    chosen = read_settings({"RLM_HOME": str(tmp_path)})
    assert charged(chosen, prices) is prices
