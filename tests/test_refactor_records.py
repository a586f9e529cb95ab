"""Recorded answers of `benchmarks/refactor.py`: what is in them, and what a replay makes of them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.refactor import Asked, Row, _answered, main
from benchmarks.refactor_quotes import pointed, quotations, resolved
from benchmarks.refactor_replies import Record, Unusable
from tests.model_server import ModelServer, Scripted, tool
from tests.repo import Repo
from tests.reviewer.refactor.shop import edited, make, module, module_of, planned, plans

CART = "shop/cart.py"
ONE = {"name": "triple", "instruction": "triple totals", "paths": ["shop/"]}
PLAN = planned(
    renames=[{"path": "shop/prices.py", "symbol": "net", "to": "subtotal"}],
    modules=[module("triple", CART), module("floor", "shop/prices.py")],
)
TOTAL = "def total(items):\n    return subtotal(items) * 2\n"
FLOOR = "def rounded(value):\n    return math.floor(value)\n"
EDITS = {
    "triple": edited((CART, TOTAL, TOTAL.replace("2", "3"))),
    "floor": edited(("shop/prices.py", FLOOR, f"{FLOOR}    # {FLOOR}")),
}
TEXT = "import os\n\n\ndef first(one):\n    return one + 1\n\n\ndef second(one):\n    return 2\n"
TREE = {"a.py": TEXT, "b.py": "x = 1  # no line's end"}


def answer(request: dict[str, Any]) -> Scripted:
    if plans(request):
        looked = len(request["messages"]) > 1
        return PLAN if looked else tool("python", {"code": 'print(await read("shop/cart.py"))'})
    return EDITS[module_of(request)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Repo, int]]:
    """A refactoring that was recorded: the record, the repository, and the calls that it took."""
    folder = tmp_path_factory.mktemp("recorded")
    repo = make(folder / "work")
    record = folder / "records/triple.json"
    with ModelServer(answer) as server:
        _answered(ONE, repo.path, folder, Asked(server.url, record), Row("triple"))
        yield record, repo, len(server.requests)


def replayed(record: Path, tmp_path: Path) -> tuple[Row, Repo]:
    row, repo = Row("triple"), make(tmp_path / "work")
    _answered(ONE, repo.path, tmp_path, Asked(None, record), row)
    return row, repo


def commits(repo: Repo) -> bytes:
    return repo.git("log", "-p", "--format=%s%n%b", "main..refactored")


# The record ---------------------------------------------------------------------------------------


def test_a_record_has_places_for_what_its_answers_quote(ran: tuple[Path, Repo, int]) -> None:
    record, repo, calls = ran
    answers = json.loads(record.read_text())["answers"]
    places = [(one["node"], one["at"], one["conversation"], one["turn"]) for one in answers]
    assert calls == 4 and sorted(places) == [
        ("edit", CART, 1, 1),
        ("edit", "shop/prices.py", 1, 1),
        ("plan", "shop/__init__.py", 1, 1),
        ("plan", "shop/__init__.py", 1, 2),
    ]
    said = next(one["said"] for one in answers if one["at"] == "shop/prices.py")
    floor = {"copy": ["shop/prices.py", 8, 10]}
    (replacement,) = said[0]["input"]["replacements"]
    assert replacement["old"] == floor
    assert replacement["new"] == {"pieces": [floor, "    # ", floor]}
    tree = {path: (repo.path / path).read_text() for path in ("shop/cart.py", "shop/prices.py")}
    assert not any(
        text[at : at + 40] in record.read_text()
        for text in tree.values()
        for at in range(len(text) - 39)
    )


def test_a_replay_asks_nobody_and_comes_to_the_same_commits(
    ran: tuple[Path, Repo, int], tmp_path: Path
) -> None:
    record, repo, _ = ran
    row, again = replayed(record, tmp_path)
    assert (row.error, row.unasked) == ("", [])
    assert commits(again) == commits(repo) != b""


def test_a_replay_says_what_the_record_lacks_and_what_nobody_asked_for(
    ran: tuple[Path, Repo, int], tmp_path: Path
) -> None:
    value = json.loads(ran[0].read_text())
    for one in value["answers"]:
        if one["node"] == "edit" and one["at"] == CART:
            one["at"] = "shop/other.py"
    record = tmp_path / "triple.json"
    record.write_text(json.dumps(value))
    row, _ = replayed(record, tmp_path)
    assert row.error == f"the record has no answer for edit at {CART}, conversation 1, turn 1"
    assert "edit at shop/other.py, conversation 1, turn 1" in row.unasked


def test_what_is_recorded_is_not_asked_again(ran: tuple[Path, Repo, int], tmp_path: Path) -> None:
    value = json.loads(ran[0].read_text())
    kept = [one for one in value["answers"] if one["node"] == "plan"]
    record = tmp_path / "triple.json"
    record.write_text(json.dumps({**value, "answers": kept}))
    repo = make(tmp_path / "work")
    with ModelServer(answer) as server:
        _answered(ONE, repo.path, tmp_path, Asked(server.url, record), Row("triple"))
        assert len(server.requests) == 2
    assert len(json.loads(record.read_text())["answers"]) == 4


def request_of(system: str, shown: str, replies: int = 0) -> dict[str, Any]:
    turns = [{"role": "assistant", "content": "…"}, {"role": "user", "content": "…"}] * replies
    return {
        "system": [{"type": "text", "text": system}],
        "tools": [{"name": "submit", "input_schema": {"properties": {"replacements": {}}}}],
        "messages": [{"role": "user", "content": shown}, *turns],
    }


def test_a_place_is_the_same_in_other_words() -> None:
    shown = 'Your part: p\n\n=== file "a \\"b\\".py", marked\n|x\n=== file "c.py"\n'
    asked = [
        request_of("Edit.", shown),
        request_of("Edit.", shown, 1),
        request_of("Edit.", f"{shown}Mend it."),
    ]
    other = [{**one, "system": "Do edit."} for one in asked]
    wanted = [("edit", 'a "b".py', 1, 1), ("edit", 'a "b".py', 1, 2), ("edit", 'a "b".py', 2, 1)]
    for requests in (asked, other):
        record = Record(Path("none"), "", {})
        assert [record.place(one) for one in requests] == wanted
    assert Record(Path("none"), "", {}).place(request_of("", "Your part: p\n"))[1] == "p"


def test_a_record_that_quotes_or_is_about_another_commit_is_refused(tmp_path: Path) -> None:
    record = Record(tmp_path / "r.json", "c0", TREE)
    record.keep(("edit", "a.py", 1, 1), [{"type": "text", "text": TEXT}])
    record.answers["edit", "a.py", 1, 2] = [{"text": f"# {TEXT}"}]
    kept = record.path.read_text()
    with pytest.raises(Unusable, match="it would quote"):
        record.save()
    assert record.path.read_text() == kept
    with pytest.raises(Unusable, match=r"r\.json is about c0, not c1"):
        Record.load(record.path, "c1", TREE)
    value = json.loads(kept)
    value["answers"][0]["said"] = [{"text": f"# {TEXT}"}]
    record.path.write_text(json.dumps(value))
    with pytest.raises(Unusable, match=r"r\.json quotes the package"):
        Record.load(record.path, "c0", TREE)


# What stands in a record --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("def first(one):", "def first(one):"),
        ("def first(one):\n    return one + 1", {"copy": ["a.py", 4, 5]}),
        ("def first(one):\n    return one + 1\n", {"copy": ["a.py", 4, 6]}),
        ("first(one):\n    return one + ", {"copy": ["a.py", 4, 4, 5, 17]}),
        (
            "def f(one):\n    return one + 1\n\nafter",
            {"pieces": ["def f", {"copy": ["a.py", 4, 9, 7, 0]}, "after"]},
        ),
        (
            "new\nfirst(one):\n    return one + 2\n",
            {"pieces": ["new\n", {"copy": ["a.py", 4, 4, 5, 17]}, "2\n"]},
        ),
        ("x = 1  # no line's end", "x = 1  # no line's end"),
    ],
)
def test_each_quotation_is_a_place_and_comes_back(text: str, written: Any) -> None:
    value = {"path": "a.py", "old": [text, 1, None]}
    found = pointed(value, TREE)
    assert resolved(found, TREE) == value
    assert found == {"path": "a.py", "old": [written, 1, None]}


def test_a_value_that_looks_like_a_place_is_refused() -> None:
    for value in ({"copy": ["a.py", 1, 1]}, [{"pieces": []}]):
        with pytest.raises(ValueError, match="how a place is written"):
            pointed(value, TREE)


def test_a_place_that_the_tree_does_not_have_is_an_error() -> None:
    for copy in (["c.py", 1, 1], ["a.py", 0, 1], ["a.py", 1, 99], ["a.py", 3, 0, 2, 0]):
        with pytest.raises(LookupError):
            resolved({"copy": copy}, TREE)


def test_a_literal_of_forty_characters_of_the_tree_is_found_however_it_is_divided() -> None:
    assert quotations(pointed([TEXT, f"x{TEXT}y"], TREE), TREE) == []
    assert quotations(["def first(one):\n    return one"], TREE) == []  # shorter
    assert quotations([{"a": f"# {TEXT[11:51]}"}], TREE) == [TEXT[11:51]]
    assert quotations({"pieces": [TEXT[11:31], TEXT[31:51]]}, TREE) == [TEXT[11:51]]
    copied = {"pieces": [TEXT[11:31], {"copy": ["b.py", 1, 1]}, TEXT[31:51]]}
    assert quotations(copied, TREE) == []


def test_without_any_record_nothing_is_replayed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        "refactor",
        "--repositories",
        "x",
        "--replay",
        "--records",
        str(tmp_path),
        "--only",
        "dead,move",
    ]
    monkeypatch.setattr(sys, "argv", asked)
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "without a record: dead, move" in said and "there is no record to replay" in said
