"""`benchmarks/length*.py`: the table of defects, both arms over real HTTP, letters, the score."""

import asyncio
import json
import tomllib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.length_arms import ARMS, Opened, Terms, opened
from benchmarks.length_build import Place, Planted, edited, table
from benchmarks.length_letters import Letters, Silent
from benchmarks.length_score import near, print_score
from reviewer.errors import GiveUp
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Request, Text, Turn
from reviewer.rlm.trace import silent
from tests.model_server import Answer, ModelServer, tool
from tests.repo import Repo

SLIP = '    return [each for each in rows if each["price"] > floor]'
OTHER = '    return {"prices": lowest}'
PLANTED = [
    Planted(
        "floor",
        "off by one",
        "the floor itself is left out",
        "a price at the floor",
        (Place("shop/prices.py", 3, 3, SLIP),),
        (Place("shop/report.py", 3, 3, OTHER),),
    ),
    Planted("unseen", "a", "b", "c", (Place("shop/none.py", 1, 1, "nothing"),)),
]


def test_the_table_plants_ten_defects_in_the_smallest_change() -> None:
    known = table()
    sizes = list(known.sizes.values())
    assert list(known.sizes) == ["10k", "100k", "1M"]
    for smaller, larger in pairwise(sizes):
        assert all(
            any(path == over or path.startswith(f"{over}/") for over in larger) for path in smaller
        )
    assert len({defect["id"] for defect in known.defects}) == len(known.defects) == 10
    across = [defect for defect in known.defects if "other" in defect]
    assert len(across) >= 4
    for defect in known.defects:
        assert defect["file"] in sizes[0]
        assert any(edit["new"] != edit["old"] for edit in defect["edit"])
        told = "".join(edit["new"] for edit in defect["edit"])
        assert all(piece.strip("\n") in told for piece in defect["at"])
    for defect in across:
        assert defect["other"]["file"] in sizes[0]
        assert defect["other"]["file"] != defect["file"]


def test_an_edit_fits_once_or_is_refused() -> None:
    assert edited("a = 1\nb = 2\n", [{"old": "a = 1\n", "new": "a = 3\n"}]) == "a = 3\nb = 2\n"
    for text in ("b = 2\n", "a = 1\na = 1\n"):
        with pytest.raises(ValueError, match="times"):
            edited(text, [{"old": "a = 1\n", "new": "a = 3\n"}])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Opened]:
    """A change with the defect of PLANTED, and filler that makes it too large for one node."""
    repo = Repo(tmp_path / "work")
    repo.write("shop/prices.py", "FLOOR = 3\n")
    base = repo.commit("base")
    repo.write("shop/prices.py", f"FLOOR = 3\ndef above(rows, floor):\n{SLIP}\n")
    repo.write("shop/report.py", f"def report(rows):\n    lowest = rows[0]\n{OTHER}\n")
    for number in range(8):
        lines = "".join(f"row_{number}_{line} = {line} * 3  # {'x' * 60}\n" for line in range(90))
        repo.write(f"stock/table_{number}.py", lines)
    head = repo.commit("head")
    bare = tmp_path / "small.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    repo.git("--git-dir", str(bare), "branch", "base", base)
    repo.git("--git-dir", str(bare), "branch", "head", head)
    with opened(tmp_path, "small") as ready:
        yield ready


def _answers(body: dict[str, Any]) -> Answer:
    """Claim the slip wherever it stands, with one look before."""
    told = json.dumps(body["messages"])
    holds = "each in rows if" in json.dumps(body["messages"][0]) and "You lead" not in told
    if holds and len(body["messages"]) == 1:
        return tool("python", {"code": "print('a look')"})
    claim = {
        "hunk": told.partition("--- hunk ")[2].partition("\\n")[0].partition(" in:")[0],
        "quote": SLIP.strip(),
        "category": "correctness",
        "severity": "high",
        "confidence": 0.9,
        "title": "The floor is left out",
        "why": "A price at the floor is dropped.",
    }
    return tool("submit", {"overview": "Prices.", "claims": [claim] if holds else []})


def _reviewed(
    ready: Opened, arm: str, folder: Path, script: Callable[[dict[str, Any]], Answer] = _answers
) -> tuple[dict[str, Any], Letters, int]:
    with ModelServer(script) as server:

        async def reviewed() -> tuple[dict[str, Any], Letters]:
            async with AnthropicModel("k", server.url) as service:
                letters = Letters(service, PLANTED, folder)
                said = await ARMS[arm](ready, Terms(letters, 60, silent, 4, 20.0))
                return said, letters

        said, letters = asyncio.run(reviewed())
        return said, letters, len(server.calls)


@pytest.mark.parametrize("arm", list(ARMS))
def test_an_arm_reads_the_change_and_its_letters_are_kept(
    shop: Opened, arm: str, tmp_path: Path
) -> None:
    said, letters, calls = _reviewed(shop, arm, tmp_path / "letters")
    assert [finding["title"] for finding in said["findings"]] == ["The floor is left out"]
    assert near(said["findings"][0], PLANTED[0])
    assert said["status"] == "complete"
    assert said["coverage"]["reviewed"] == said["coverage"]["hunks"] == 10
    assert letters.asked == letters.by_hand == calls
    assert (calls == 2) == (arm == "one")
    assert letters.shown()["floor"] != "no"
    assert letters.shown()["unseen"] == "no"
    assert letters.longest > 500

    again, kept, asked = _reviewed(shop, arm, tmp_path / "letters")
    assert asked == 0
    assert (again["findings"], kept.asked) == (said["findings"], letters.asked)


def test_a_node_led_the_recursion(shop: Opened, tmp_path: Path) -> None:
    openings: list[str] = []

    def listens(body: dict[str, Any]) -> Answer:
        openings.append(json.dumps(body["messages"][0]))
        return _answers(body)

    _reviewed(shop, "recursion", tmp_path / "letters", listens)
    assert any("You lead" in opening for opening in openings)


def _request(text: str) -> Request:
    return Request("m", ("s",), (Turn("user", (Text(text),)),))


def test_a_share_asks_what_has_a_defects_file_and_some_others() -> None:
    async def asked(share: float) -> tuple[int, int]:
        letters = Letters(Silent(), PLANTED, share=share)
        for number in range(200):
            await letters.complete(_request(f"hunks of table {number}"), 1.0)
        await letters.complete(_request("hunks of shop/report.py"), 1.0)
        return letters.asked, letters.by_hand

    assert asyncio.run(asked(0.0)) == (201, 1)
    assert asyncio.run(asked(1.0)) == (201, 201)
    every, some = asyncio.run(asked(0.2))
    assert every == 201
    assert 20 < some < 65


def test_letters_by_hand_end_where_they_were_bounded() -> None:
    async def ask() -> Letters:
        letters = Letters(Silent(), PLANTED, most=2)
        await letters.complete(_request("one"), 1.0)
        await letters.complete(_request("two"), 1.0)
        with pytest.raises(GiveUp, match="used up"):
            await letters.complete(_request("three"), 1.0)
        return letters

    assert asyncio.run(ask()).by_hand == 2


@pytest.mark.parametrize(
    ("first", "last", "side", "path", "expected"),
    [
        (3, 3, "RIGHT", "shop/prices.py", True),
        (6, 8, "RIGHT", "shop/prices.py", True),
        (7, 8, "RIGHT", "shop/prices.py", False),
        (3, 3, "LEFT", "shop/prices.py", False),
        (None, None, "RIGHT", "shop/prices.py", True),
        (3, 3, "RIGHT", "shop/report.py", True),
        (3, 3, "RIGHT", "shop/stock.py", False),
    ],
)
def test_a_claim_is_near_a_side_of_a_defect(
    first: int | None, last: int | None, side: str, path: str, expected: bool
) -> None:
    claim = {"path": path, "side": side, "start_line": first, "line": last}
    assert near(claim, PLANTED[0]) is expected


def test_the_score_counts_what_somebody_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.length_score.places", lambda _: PLANTED)
    claims = [
        _claim("aaa", "shop/prices.py", 'It says "<"'),
        _claim("bbb", "shop/prices.py", "A name"),
        _claim("ccc", "shop/stock.py", "Elsewhere"),
        {**_claim("ddd", "shop/prices.py", "An alarm"), "source": "detector:leftovers"},
    ]
    result = {
        "size": "10k",
        "arm": "one",
        "letters": 2,
        "letters_at_most": 5,
        "by_hand": 2,
        "longest_prompt": 900,
        "shown": {"floor": "both sides", "unseen": "no"},
        "findings": claims,
        "usage": {"input": 10, "output": 3, "cache_read": 5, "cache_write": 0},
        "coverage": {"hunks": 4, "reviewed": 3, "skipped": []},
    }
    (tmp_path / "10k.one.json").write_text(json.dumps(result))
    assert print_score(tmp_path) == 1
    assert "| 10k | one | 0 of 2 |" in capsys.readouterr().out
    judged = tmp_path / "judged.toml"
    pairs = tomllib.loads(judged.read_text())["pair"]
    assert [(pair["finding"], pair["defect"], pair["verdict"]) for pair in pairs] == [
        ("aaa", "floor", ""),
        ("bbb", "floor", ""),
    ]
    assert pairs[0]["claim"].startswith('It says "<"')

    first, _, second = judged.read_text().partition("[[pair]]\n")[2].partition("[[pair]]\n")
    judged.write_text(
        "[[pair]]\n"
        + first.replace('verdict = ""', 'verdict = "found"')
        + "[[pair]]\n"
        + second.replace('verdict = ""', 'verdict = "other"')
    )
    assert print_score(tmp_path) == 0
    out = capsys.readouterr().out
    row = "| 10k | one | 1 of 2 | 1 of 1 | 1 | 2 | 2 of 5 | 2 | 3 of 4 | 15 | 3 | 900 |"
    assert row in out
    assert "| floor | off by one | found |" in out
    assert "| unseen | a | not shown |" in out
    assert "other: 10k one shop/stock.py:3 Elsewhere [high, ccc]" in out

    judged.write_text(judged.read_text().replace('"other"', '"maybe"'))
    with pytest.raises(ValueError, match="maybe"):
        print_score(tmp_path)


def _claim(name: str, path: str, title: str) -> dict[str, Any]:
    return {
        "id": name,
        "path": path,
        "side": "RIGHT",
        "start_line": 3,
        "line": 3,
        "severity": "high",
        "title": title,
        "body": "Why.",
        "source": "model:general",
    }
