"""What a node's code gets when it asks about the rest of the code."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from reviewer.context.provider import Provider
from reviewer.context.values import MAX_LIMIT, Answer, Past, Together
from reviewer.errors import GiveUp
from reviewer.ports import NoSuchFile
from reviewer.review.functions import functions
from reviewer.review.questions import DEFINITIONS, OUTLINE, SHOWN, questions
from tests.reviewer.context.memory import MemoryObjects
from tests.reviewer.context.test_provider import SHOP
from tests.reviewer.review.values import change


class Log:
    def history(
        self, path: str, start: int | None = None, end: int | None = None, limit: int = 10
    ) -> Answer[Past]:
        if path == "none":
            raise GiveUp("the history is not fetched")
        return Answer((Past("a" * 40, "2026-01-02", "A\x1b[1m", f"{start}-{end}"),), 1)

    def changed_together(self, path: str, limit: int = 10) -> Answer[Together]:
        return Answer((Together("b.py", 3, 4),), 12, ("Only recent history is here.",))


OBJECTS = MemoryObjects(
    {
        **SHOP,
        "big.py": "\n".join(f"def f{n}(): pass" for n in range(OUTLINE + 5)),
        "long.py": "def long():\n" + "    x = 1\n" * 500,
        "odd\udce9.py": "def caf\xe9(): return '\x1b[0m'\n",
        "many.py": "".join(f"class C{n}:\n    def many(self): pass\n" for n in range(30)),
    }
)


@pytest.fixture(scope="module")
def code() -> Iterator[Provider]:
    with Provider(OBJECTS) as provider:
        yield provider


def ask(code: Provider, name: str, *args: Any, paths: tuple[str, ...] = ("shop/web.py",)) -> Any:
    found: Mapping[str, Any] = questions(code, Log(), OBJECTS, paths)
    return asyncio.run(found[name](*args))


def test_a_definition_comes_with_its_code(code: Provider) -> None:
    (row,) = ask(code, "definition", "Cart.twice")
    assert (row["path"], row["start"], row["end"], row["kind"]) == ("shop/cart.py", 6, 6, "method")
    assert row["code"] == "    def twice(self): self.add(1); self.add(2)"
    assert row["certainty"].startswith("exact: ")


def test_a_file_that_uses_a_name_narrows_where_it_is_defined(code: Provider) -> None:
    every = ask(code, "definition", "total")
    assert [row["path"] for row in every] == ["shop/prices.py", "other/tags.py"]
    for near, path in (("shop/web.py", "shop/prices.py"), ("other/tags.py", "other/tags.py")):
        (row,) = ask(code, "definition", "total", near)
        assert (row["path"], row["certainty"].partition(":")[0]) == (path, "exact")
    assert len(ask(code, "definition", "total", "shop/gift.py")) == 2, "it does not say which"


def test_long_code_is_cut(code: Provider) -> None:
    (row,) = ask(code, "definition", "long")
    assert row["code"].endswith("… cut: 351 more lines, by read('long.py', 151, 501, 'head')")
    rest = functions(change(), OBJECTS, ())["read"]("long.py", 151, 501, "head")
    assert len(asyncio.run(rest).split("\n")) == 351


def test_the_file_of_the_node_says_what_a_name_means(code: Provider) -> None:
    mine = ask(code, "references", "total", paths=("other/tags.py",))
    theirs = ask(code, "references", "total", paths=("shop/web.py",))
    assert mine[0]["path"] == "other/tags.py"
    assert theirs[0]["path"] != "other/tags.py"
    named = ask(code, "references", "total", "other/tags.py", paths=("shop/web.py",))
    assert named == mine


def test_what_is_left_out_is_said_in_a_last_row_of_the_same_keys(code: Provider) -> None:
    rows = ask(code, "definition", "many", paths=())
    assert len(rows) == DEFINITIONS + 1
    assert rows[-1]["path"] == ""
    assert rows[-1]["certainty"] == f"… {DEFINITIONS} of 30 shown."
    assert rows[-1].keys() == rows[0].keys()


@pytest.mark.parametrize(
    ("name", "args", "keys"),
    [
        ("references", ("Cart.add",), {"path", "line", "text", "scope", "kind", "certainty"}),
        ("callers", ("Cart.add",), {"path", "line", "text", "scope", "kind", "certainty"}),
        ("implementations", ("Cart",), {"path", "start", "end", "kind", "code", "certainty"}),
        ("importers", ("shop/cart.py",), {"path", "line", "name"}),
        ("tests_for", ("shop/cart.py",), {"path", "line", "scope", "why"}),
        ("outline", ("shop/cart.py",), {"name", "kind", "start", "end", "signature"}),
        ("changed_before", ("a.py",), {"sha", "date", "author", "subject"}),
        ("changed_together", ("a.py",), {"path", "times", "of"}),
    ],
)
def test_every_row_has_what_the_description_says(
    code: Provider, name: str, args: tuple[str, ...], keys: set[str]
) -> None:
    rows = ask(code, name, *args)
    assert rows
    assert all(row.keys() == keys for row in rows)
    text = questions(code, Log(), OBJECTS, ())[name].__doc__ or ""
    if "as from" not in text:
        assert all(f'"{key}"' in text for key in keys)


def test_an_outline_is_bounded(code: Provider) -> None:
    rows = ask(code, "outline", "big.py")
    assert len(rows) == OUTLINE + 1
    assert rows[-1]["name"] == "… 5 more"


def test_without_history_nothing_asks_for_it(code: Provider) -> None:
    assert "changed_before" not in questions(code, None, OBJECTS, ())


def test_history_that_is_not_there_is_no_empty_answer(code: Provider) -> None:
    with pytest.raises(GiveUp, match="not fetched"):
        ask(code, "changed_before", "none")


def test_lines_of_history(code: Provider) -> None:
    assert ask(code, "changed_before", "a.py", 3, 5)[0]["subject"] == "3-5"
    assert ask(code, "changed_before", "a.py", 3)[0]["subject"] == "3-3"
    assert ask(code, "changed_before", "a.py")[0]["subject"] == "None-None"


def test_history_says_what_it_leaves_out(code: Provider) -> None:
    rows = ask(code, "changed_together", "a.py")
    assert rows == [
        {"path": "b.py", "times": 3, "of": 4},
        {"path": "… 1 of 12 shown. Only recent history is here.", "times": 0, "of": 0},
    ]


def test_what_cannot_be_answered_is_an_error_that_says_so(code: Provider) -> None:
    with pytest.raises(GiveUp, match='at is "head" or "base"'):
        ask(code, "references", "total", "", "middle")
    with pytest.raises(NoSuchFile):
        ask(code, "outline", "no/such.py")
    with pytest.raises(GiveUp, match="a name has"):
        ask(code, "definition", "")
    with pytest.raises(GiveUp):
        ask(code, "outline", "README")


def test_what_leaves_is_valid_text(code: Provider) -> None:
    (row,) = ask(code, "definition", "caf\xe9", paths=())
    row["path"].encode("utf-8")
    row["code"].encode("utf-8")
    assert len(ask(code, "references", "add", paths=())) <= SHOWN + 1


def test_of_more_than_a_hundred_files_the_surest_are_shown_and_how_to_get_the_rest() -> None:
    uses = {f"pkg/m{n}.py": "from lib import spread\n\n\nspread(1)\n" for n in range(120)}
    objects = MemoryObjects({"lib.py": "def spread(n):\n    return n\n", **uses})
    with Provider(objects) as code:
        found: Mapping[str, Any] = questions(code, Log(), objects, ("lib.py",))
        for name, asked, said in (
            ("references", "spread", "certainty"),
            ("callers", "spread", "certainty"),
            ("importers", "lib.py", "name"),
        ):
            *rows, rest = asyncio.run(found[name](asked))
            total = int(rest[said].split(" of ")[1].split(" ")[0])
            assert (len(rows), rest["path"]) == (SHOWN, "") and total >= 99
            how = f"… {SHOWN} of {total} shown. For the rest ask with limit={total}, and filter"
            assert rest[said].startswith(how)
            *every, rest = asyncio.run(found[name](asked, limit=total))
            assert len(every) == total and len({row["path"] for row in every}) >= 99
            by_text = r" grep\(name, under=folder\) finds it there by its text\."
            unread = r"2[01] more files may have it and were not looked at\."
            assert re.fullmatch(unread + (by_text if said == "certainty" else ""), rest[said])


def test_nobody_is_told_to_ask_for_more_than_an_answer_has() -> None:
    body = "from lib import spread\n" + "spread(1)\n" * 600
    objects = MemoryObjects({"lib.py": "def spread(n):\n    return n\n", "use.py": body})
    with Provider(objects) as code:
        found: Mapping[str, Any] = questions(code, Log(), objects, ("lib.py",))
        *_, rest = asyncio.run(found["references"]("spread"))
        assert f"limit={MAX_LIMIT}," in rest["certainty"]
        *rows, rest = asyncio.run(found["references"]("spread", limit=MAX_LIMIT))
        assert len(rows) == MAX_LIMIT and "More than that no answer has." in rest["certainty"]
