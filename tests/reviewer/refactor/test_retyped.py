"""New files that repeat what the tree has: what is refused, and what is rightly alike."""

import pytest

from reviewer.refactor.patch import Blob
from reviewer.refactor.retyped import retyped
from reviewer.refactor.tree import Overlay
from reviewer.refactor.values import Edits
from tests.reviewer.refactor.trees import overlay

LICENCE = "".join(f"# Line {n} of a licence that every file begins with.\n" for n in range(25))
IMPORTS = "import os\nfrom shop.names import (\n" + "".join(
    f"    name_{n},\n" for n in range(30)
) + ")\n"  # fmt: skip


def code(word: str, functions: int, start: int = 0) -> str:
    return "".join(
        f"\n\ndef {word}_{n}(items):\n    total = {n}\n    for item in items:\n"
        f"        total += item.{word} * {n}\n    return total\n"
        for n in range(start, start + functions)
    )


OLD = f"{LICENCE}{IMPORTS}{code('price', 8)}"
TREE = overlay(
    {
        "shop/old.py": OLD,
        "shop/second.py": code("weight", 4),
        "far/other.py": code("length", 8),
        "far/other.txt": code("colour", 8),
    }
)
MINE = ["shop/old.py", "shop/second.py"]


def said(text: str, tree: Overlay = TREE, path: str = "shop/new.py") -> list[str]:
    edits = Edits.model_validate(
        {"new_files": [{"path": path, "text": text}], "removed": ["shop/old.py"]}
    )
    return retyped(edits, tree, MINE)


REPEATS = {
    "the whole of a file that goes": (OLD, '"shop/old.py"'),
    "with a word changed on each fifth line": (OLD.replace("return total", "return (total)"), ""),
    "in another order": (code("price", 4, 4) + code("price", 4), '"shop/old.py"'),
    "half of one": (code("price", 4), '"shop/old.py"'),
    "the whole of one, and three times as much beside it": (
        code("price", 8) + code("volume", 24),
        '"shop/old.py"',
    ),
    "a third of each of two": (
        code("price", 3) + code("volume", 2) + code("weight", 2),
        "your files together",
    ),
    "a file that is no part of the work": (code("length", 8), '"far/other.py"'),
}


@pytest.mark.parametrize("case", REPEATS)
def test_what_a_file_has_is_not_typed_again(case: str) -> None:
    text, of = REPEATS[case]
    (problem,) = said(text)
    assert problem.startswith("new_files.0.text: ") and of in problem, problem
    own = "far/other.py" not in of
    assert ("`renamed`" in problem and "`cuts`" in problem) is own, problem
    assert ("say in `left`" in problem) is not own


NEW = {
    "what code needs that is cut out for it": f"{LICENCE}{IMPORTS}",
    "other code under the same licence and imports": f"{LICENCE}{IMPORTS}{code('volume', 8)}",
    "a fifth of it": code("price", 2) + code("volume", 8),
    "a piece too small to count": code("price", 3),
    "code that differs on each third line": code("price", 8).replace("items", "them"),
    "what stands in a file of another kind": code("colour", 8),
    "the same test five times": code("price", 1) * 5,
}


@pytest.mark.parametrize("case", NEW)
def test_what_is_new_may_be_like_it(case: str) -> None:
    assert said(NEW[case]) == []


def test_what_was_there_before_anything_was_done_counts() -> None:
    gone = TREE.over({"far/other.py": None})
    assert '"far/other.py"' in said(code("length", 8), gone)[0]
    halved = TREE.over({"shop/old.py": Blob(b"x = 1\n")})
    assert '"shop/old.py"' in said(code("price", 8), halved)[0]


def test_prose_is_measured_by_all_its_lines() -> None:
    text = "".join(f"# Chapter {n}\n* {n}\n" for n in range(20))
    tree = overlay({"shop/old.md": text})
    assert said(text, tree, "docs/new.md") and not said(text, tree, "docs/new.py")


# Replacements ------------------------------------------------------------------------------------


def replaced(*pairs: tuple[str, str], path: str = "shop/old.py") -> list[str]:
    told = [{"path": path, "old": old, "new": new} for old, new in pairs]
    return retyped(Edits.model_validate({"replacements": told}), TREE, MINE)


FIRST, SECOND = code("price", 4), code("price", 4, 4)
CHANGED = ("total = 3", "total = 30")


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        ([(OLD, OLD.replace(*CHANGED))], 39),
        ([(FIRST, f"y = 1\n{FIRST}"), (SECOND, f"{SECOND}x = 1\n")], 40),
        ([(FIRST + SECOND, SECOND + FIRST)], 40),
    ],
    ids=["the whole file", "in two pieces", "in another order"],
)
def test_a_file_is_not_said_anew_by_a_replacement(pairs: list[tuple[str, str]], kept: int) -> None:
    (problem,) = replaced(*pairs)
    said = f'replacements.0.new: {kept} of the 40 lines of "shop/old.py"'
    assert problem.startswith(said) and "lines that change alone" in problem


@pytest.mark.parametrize(
    "pairs",
    [
        [(FIRST, FIRST.replace("items", "them"))],
        [(code("price", 3), code("price", 3).replace(*CHANGED))],
        [(code("price", 1, n), code("price", 1, n).replace("+=", "-=")) for n in range(8)],
        [(OLD, code("volume", 8))],
        [(OLD, "")],
    ],
    ids=[
        "each third line is another",
        "a piece of it",
        "each function alone",
        "other code",
        "gone",
    ],
)
def test_what_a_replacement_changes_may_stand_among_what_it_does_not(
    pairs: list[tuple[str, str]],
) -> None:
    assert replaced(*pairs) == []


def test_a_small_file_may_be_said_anew() -> None:
    text = code("weight", 3)
    tree = overlay({"a.py": text})
    edits = {"replacements": [{"path": "a.py", "old": text, "new": text.replace("= 2", "= 3")}]}
    assert retyped(Edits.model_validate(edits), tree, ["a.py"]) == []
