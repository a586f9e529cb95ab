"""What the rounds tell a coder of other findings, and how findings move with the code."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.render.fixing import fixing_text
from app.render.writing import account_markdown
from reviewer.finding import Category, Finding, Severity
from tests.model_server import ModelServer, Scripted, tool
from tests.repo import Repo
from tests.reviewer.fix.shop import fixed
from tests.reviewer.refactor.shop import FILES, edited, make, prompt

CART, PRICES = "shop/cart.py", "shop/prices.py"
LONG = "shop/long.py"
PLACED = re.compile(r"^The finding ([0-9a-f]{12}):", re.M)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    lines = "".join(f"\n\ndef f{n}(value):\n    return value + {n}\n" for n in range(1_500))
    return make(tmp_path / "work", {**FILES, LONG: lines})


def finding(path: str, line: int, quote: str, title: str, severity: str = "high") -> Finding:
    return Finding(
        path=path,
        start_line=line,
        line=line,
        category=Category.CORRECTNESS,
        severity=Severity(severity),
        confidence=0.9,
        title=title,
        body="It fails for one input.",
        evidence=quote,
        source="model:correctness",
    )


DOUBLE = finding(CART, 5, "    return net(items) * 2", "The total is doubled")
NAMED = finding(CART, 4, "def total(items):", "The name hides that it is net", "low")
FLOOR = finding(PRICES, 9, "    return math.floor(value)", "Money is rounded down")


def of(request: dict[str, Any]) -> str:
    found = PLACED.search(prompt(request))
    assert found
    return found[1]


def looks(request: dict[str, Any]) -> bool:
    return any("opinions" in t["input_schema"].get("properties", {}) for t in request["tools"])


def closes(request: dict[str, Any], path: str, quote: str) -> Scripted:
    said = {"finding": of(request), "reasoning": "Read.", "verdict": "closes"}
    return tool("submit", {"opinions": [{**said, "path": path, "quote": quote}]})


def test_a_coder_is_told_which_findings_are_closed_beside_its_own(repo: Repo) -> None:
    told: dict[str, str] = {}

    def say(request: dict[str, Any]) -> Scripted:
        told[of(request)] = prompt(request).partition("Others close these findings")[2]
        return edited(left=[{"what": "it", "why": "Not today."}])

    with ModelServer(say) as server:
        fixed(repo, server, findings=[DOUBLE, FLOOR, NAMED])
    cart, prices = told[DOUBLE.id], told[FLOOR.id]
    assert "line 9: Money is rounded down" in cart  # at the same time
    assert "line 4: The name hides that it is net" in cart  # later, in the same file
    assert "line 5: The total is doubled" in prices and "The name hides" not in prices
    assert told[NAMED.id] == ""  # by then nothing else is worked on


def test_a_finding_is_looked_up_again_when_its_file_has_changed(repo: Repo) -> None:
    def say(request: dict[str, Any]) -> Scripted:
        if looks(request):
            return closes(request, CART, "    return net(items)")
        assert of(request) != DOUBLE.id or '"shop/cart.py", line 5' in prompt(request)
        if of(request) == NAMED.id:
            assert '"shop/cart.py", line 6' in prompt(request)
            return edited(left=[{"what": "it", "why": "A matter of taste."}])
        moved = 'from shop.prices import net\n\n__all__ = ["total"]\n'
        return edited(
            (CART, "from shop.prices import net\n", moved),
            (CART, "    return net(items) * 2", "    return net(items)"),
        )

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=[DOUBLE, NAMED])
    assert [one.id for one in done.fixing.closed] == [DOUBLE.id]
    assert [one.state for one in done.fixing.open] == ["declined"]


def test_a_long_file_is_shown_around_the_finding_and_not_in_outline(repo: Repo) -> None:
    deep = finding(LONG, 3_000, "    return value + 749", "It adds too much")

    def say(request: dict[str, Any]) -> Scripted:
        text = prompt(request)
        assert "|    return value + 749" in text and "f20(" not in text
        return edited(left=[{"what": "it", "why": "It is meant."}])

    with ModelServer(say) as server:
        fixed(repo, server, findings=[deep])
        assert len(server.calls) == 1


def test_a_patch_that_does_not_parse_never_stands(repo: Repo) -> None:
    broken = edited((CART, "* 2", "* ("))
    with ModelServer(lambda _: broken) as server:
        done = fixed(repo, server, reviewed="d" * 40, findings=[DOUBLE], tests=False)
    assert done.patch.commits == () and done.fixing.closed == []
    (left,) = done.fixing.open
    assert left.state == "refused" and "does not parse" in left.why


def test_a_file_that_nothing_can_parse_is_named(repo: Repo) -> None:
    repo.write("web/style.css", "p { color: blck }\n")
    repo.commit()
    typo = finding("web/style.css", 1, "p { color: blck }", "There is no such colour")

    def say(request: dict[str, Any]) -> Scripted:
        if looks(request):
            return closes(request, "web/style.css", "p { color: black }")
        return edited(("web/style.css", "blck", "black"))

    with ModelServer(say) as server:
        done = fixed(repo, server, findings=[typo]).fixing
    assert [one.id for one in done.closed] == [typo.id]
    assert [one.path for one in done.unchecked] == ["web/style.css"]
    said = "Not checked: web/style.css: no parser for it."
    assert said in done.notes and said in fixing_text(done)
    assert said in account_markdown(done).replace("\\", "")
