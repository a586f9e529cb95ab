"""Claims whose line is nowhere, on real files; and what the documentation names."""

import re
from pathlib import Path

from pydantic import BaseModel

from app.eval.anchors import nowhere
from app.eval.cases import Case, Defect, Made, NotDefect
from app.eval.recipes import Edit, Planted, Recipe, Right
from app.eval.report import Report
from app.eval.reverted import Reverted
from app.eval.score import Anchors, Costs, Noise, Row, Said, Score
from app.objects import LocalObjects
from reviewer.diff import build_change
from reviewer.git import open_repo
from tests.app.eval.samples import claim
from tests.repo import Repo

ROOT = Path(__file__).parents[3]


def test_a_line_has_to_be_in_its_file_on_its_side_and_to_have_the_code_that_is_quoted(
    tmp_path: Path,
) -> None:
    repo = Repo(tmp_path)
    repo.write("shop.py", "".join(f"line_{number} = 1\n" for number in range(30)))
    repo.write("other.py", "x = 1\ny = 2")
    repo.write("gone.py", "z = 3\n")
    base = repo.commit()
    repo.git("mv", "shop.py", "cart.py")
    repo.write("cart.py", "".join(f"line_{number} = 1\n" for number in range(20)))
    repo.remove("gone.py")
    head = repo.commit()
    there = [
        claim(20, path="cart.py", evidence="line_19 = 1"),
        claim(3, 4, path="cart.py", title="two", evidence="line_2 = 1\n  line_3 = 1"),
        claim(30, path="cart.py", side="LEFT", evidence="line_29 = 1"),
        claim(2, path="other.py", evidence="y = 2"),
        claim(1, path="gone.py", side="LEFT", evidence="z = 3"),
        claim(5, path="cart.py", title="cut", source="detector:leftovers", evidence="line…"),
        claim(None, path="gone.py", title="whole"),
        claim(None, path="other.py", title="whole, unchanged"),
    ]
    not_there = [
        claim(21, path="cart.py"),
        claim(31, path="cart.py", side="LEFT"),
        claim(3, path="other.py"),
        claim(1, path="gone.py", title="no head"),
        claim(1, path="never.py", title="no file"),
        claim(None, path="never.py", title="no whole file"),
        claim(4, path="cart.py", title="other code", evidence="line_4 = 1"),
        claim(3, 4, path="cart.py", title="half of it", evidence="line_2 = 1"),
        claim(6, path="cart.py", title="no code"),
        claim(7, path="cart.py", title="nothing shown", source="detector:leftovers"),
    ]
    with open_repo(repo.path) as opened:
        change = build_change(opened, base, head)
        with LocalObjects(opened, change) as objects:
            found = nowhere([*there, *not_there], change, objects)
    assert found == tuple(one.id for one in not_there)


def test_the_documentation_names_every_key_and_number() -> None:
    models: tuple[type[BaseModel], ...] = (
        *(Case, Defect, NotDefect, Made, Recipe, Reverted, Planted, Right, Edit),
        *(Report, Score, Row, Anchors, Noise, Costs, Said),
    )
    text = (ROOT / "docs/evaluation.md").read_text(encoding="utf-8")
    missing = {
        name
        for model in models
        for name in model.model_fields
        if not re.search(rf"\b{name}\b", text)
    }
    assert missing == set()
