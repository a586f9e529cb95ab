"""The longest texts that GitHub takes, of emoji: as comments, in threads, as descriptions, and ours.

An emoji has four bytes, and a family is seven of them and their joiners: so the most characters are
262,144 bytes, and may be cut between two of one picture.
"""

import json
import re
from typing import Any

import pytest

from app.commands import MAX_QUESTION_CHARS
from app.render.markdown import LIMIT_BYTES
from reviewer.explain.values import ANSWER_CHARS
from reviewer.review.claims import PROSE_CHARS
from tests.app.site import Site
from tests.app.world import Script, World, finds, submit, wait_until
from tests.github.review_rules import MAX_BODY_CHARS
from tests.model_server import Answer, billed, tool

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
PARTY = "\U0001f389"

FILES = 48

PICTURES = {"four-bytes": PARTY, "joined": FAMILY}


def filled(text: str, picture: str, *, end: str = "") -> str:
    """Return the text with pictures between it and its end, as long as GitHub takes it."""
    room = MAX_BODY_CHARS - len(text) - len(end)
    return text + of(picture, room) + end


def of(picture: str, chars: int) -> str:
    """Return so many characters of a picture, the last one perhaps a part of it."""
    return (picture * (chars // len(picture) + 1))[:chars]


def assert_in_bounds(world: World) -> None:
    """Everything that we sent was taken, below the limit in bytes, and cut between characters."""
    sent = [one for one in world.hub.requests if one.method in {"POST", "PATCH"} and one.body]
    texts = [text for one in sent for text in _texts(one.body)]
    assert any(PARTY in text or "200d" in text for text in texts)
    for text in texts:
        assert len(text.encode()) <= MAX_BODY_CHARS, text[:200]
        assert "\ufffd" not in text and "\\ud8" not in text


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict() | list():
            every = value.values() if isinstance(value, dict) else value
            return [text for one in every for text in _texts(one)]
        case _:
            return []


def chatters(picture: str) -> Script:
    """Return a model that finds the flaw, and whose words are pictures where it has the word."""

    def think(request: dict[str, Any]) -> Answer:
        if "The question:" in str(request["messages"][0]["content"][-1]):
            return tool(
                "submit", {"answer": "Because " + of(picture, ANSWER_CHARS - 100), "quotes": []}
            )
        return finds(request, title=of(picture, 600), why=of(picture, PROSE_CHARS))

    return think


def claims(request: dict[str, Any], picture: str) -> Answer:
    """Find something in each file that is shown, and tell it in pictures."""
    shown = str(request["messages"][0]["content"][0]["text"])
    told = submit(
        *(
            {
                "hunk": hunk,
                "quote": quote,
                "category": "correctness",
                "severity": "high",
                "confidence": 0.9,
                "title": f"Items lost in {hunk} {of(picture, 120)}",
                "why": f"{hunk} {of(picture, 1_000)}",
            }
            for hunk, quote in re.findall(
                r"--- hunk (\S+).*?(    return items\[\d+:\])", shown, re.DOTALL
            )
        )
    )
    return billed(told, output_tokens=100)


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_comment_of_emoji_is_read_to_its_end(site: Site, picture: str) -> None:
    with site.world() as (world, server):
        pull = world.pull()
        world.commented(server, pull, "alice", filled("", picture))
        assert world.idle() and world.runs() == [] and world.ours(pull) == []
        world.commented(server, pull, "alice", filled("", picture, end="\n\n/rlm review"))
        world.settle()
        world.assert_said_once(pull)
        world.commented(server, pull, "alice", filled("/rlm help\n\n/rlm reveiw ", picture))
        wait_until(lambda: world.idle() and len(world.ours(pull)) == 2, lambda: server.said)
        (told,) = [body for body in world.ours(pull) if "Did you mean" in body]
        assert picture not in told


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_question_and_an_objection_of_emoji_are_cut_and_answered(
    site: Site, picture: str
) -> None:
    with site.world() as (world, server):
        world.think = chatters(picture)
        pull = world.pull(author="bob")
        world.opened(server, pull)
        world.settle()
        (ours,) = pull.review_comments
        world.answered(server, ours, "bob", filled("Why? ", picture))
        world.settle(runs=2)
        assert pull.review_comments[-1].body.startswith("Because")
        assert pull.review_comments[-1].in_reply_to == ours.id
        ask = "/rlm ask Is he right? "
        world.answered(server, ours, "alice", filled(ask, picture))
        wait_until(lambda: len(pull.review_comments) == 5 and world.idle(), lambda: server.said)
        assert f"{MAX_QUESTION_CHARS:,}" in pull.review_comments[-1].body
        assert len(world.runs()) == 2, "what is cut is no question any more"
        for number, text in enumerate((ask, ask + "Now? "), start=3):
            fits = text + of(picture, MAX_QUESTION_CHARS - len(text))
            world.commented(server, pull, "alice", fits)
            world.settle(runs=number)
        assert sum(body.startswith("Because") for body in world.ours(pull)) == 2
        asked = [json.dumps(one.body, ensure_ascii=False) for one in world.service.requests[-3:]]
        assert all(one.count(picture[0]) <= 8 * MAX_QUESTION_CHARS for one in asked)
        assert_in_bounds(world)


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_description_of_emoji_is_read_and_what_we_say_is_cut(site: Site, picture: str) -> None:
    with site.world() as (world, server):
        world.think = lambda request: claims(request, picture)
        code = {f"m{n}.py": f"def f{n}(items):\n    return items[{n}:]\n" for n in range(FILES)}
        world.head = world.repo.commit(
            {path: text.encode() for path, text in code.items()}, world.base
        )
        pull = world.pull(title=picture * 30)
        issue = world.repo.issue(title=picture * 20, body=filled("They should.", picture))
        pull.body = filled("", picture, end=f"\n\nCloses #{issue.number}")
        world.opened(server, pull)
        world.settle()
        (summary,) = world.ours(pull)
        assert LIMIT_BYTES * 0.8 < len(summary.encode()) <= LIMIT_BYTES + 1_000
        (review,) = pull.all_reviews
        assert len(review.comments) == 10
        (check,) = [run for run in world.repo.check_runs if run.head_sha == pull.head]
        assert (check.status, check.conclusion) == ("completed", "neutral")
        (asked,) = world.service.comparisons
        told = "\n".join(block["text"] for block in asked["messages"][0]["content"])
        assert "They should." in told, "the issue named at the very end was found"
        assert_in_bounds(world)
