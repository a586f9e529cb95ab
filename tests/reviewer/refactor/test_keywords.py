"""Renames of a field: the keywords of what is made of it, and those that only have its name."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reviewer.context.provider import Provider
from reviewer.errors import GiveUp
from reviewer.refactor.symbols import declined_keywords
from reviewer.refactor.values import Rename
from tests.reviewer.refactor.test_symbols import renamed, texts
from tests.reviewer.refactor.trees import overlay

POINT = "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Point:\n    x: int\n    y: int = 0\n"


def test_every_keyword_that_means_the_field_follows_it_and_the_program_says_the_same(
    tmp_path: Path,
) -> None:
    files = {
        "pkg/__init__.py": "from pkg.point import Point as Point\n",
        "pkg/point.py": "from dataclasses import dataclass, replace\nfrom typing import NamedTuple\n\n\n"
        "@dataclass(frozen=True)\nclass Point:\n    x: int\n    y: int = 0\n\n"
        "    @classmethod\n    def of(cls, value):\n        return cls(y=1, x=value)\n\n"
        "    def moved(self):\n        return replace(self, y=2, x=self.x + 1)\n\n"
        "    def again(self):\n        return type(self)(x=self.x)\n\n\n"
        "@dataclass(frozen=True)\nclass Deep(Point):\n    z: int = 0\n",
        "use.py": "import dataclasses\nfrom functools import partial\n\nimport pkg\n"
        "from pkg.point import Deep, Point as P\n\n"
        "near = partial(P, x=7)\n\n\ndef where(point):\n    match point:\n"
        "        case P(y=0, x=0):\n            return 'origin'\n"
        "        case Deep(z=0, x=seen):\n            return f'deep {seen} {P(x=3)}'\n"
        "        case _:\n            return 'elsewhere'\n\n\n"
        "found = [\n    P.of(5),\n    P(x=0),\n    Deep(\n        y=(2, 3),  # (x=1)\n        x=4,\n    ),\n"
        "    pkg.Point(x=1).moved(),\n    dataclasses.replace(P(1), x=6),\n    near(y=2).again(),\n]\n"
        "print([dataclasses.astuple(one) for one in found], [where(one) for one in found])\n",
    }
    done = renamed(files, "pkg/point.py", "Point.x", "left")
    after = {**files, **texts(done)}
    assert "(x=" not in after["use.py"].replace("# (x=1)", "") and " x=" not in after["use.py"]
    said = []
    for name, tree in (("before", files), ("after", after)):
        for path, text in tree.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
        run = [sys.executable, "use.py"]
        ended = subprocess.run(
            run, cwd=tmp_path / name, capture_output=True, text=True, check=False
        )
        said.append(ended.stdout.replace("left=3", "x=3"))
        assert ended.returncode == 0, ended.stderr
    assert said[0] == said[1] and "deep 4" in said[0]


@pytest.mark.parametrize(
    "head",
    [
        "from dataclasses import dataclass\n\n\n@dataclass\nclass A:",
        "import dataclasses as d\n\n\n@d.dataclass(slots=True)\nclass A:",
        "import attr\n\n\n@attr.s(auto_attribs=True)\nclass A:",
        "from attrs import frozen as ice\n\n\n@ice\nclass A:",
        "from typing import NamedTuple\n\n\nclass A(NamedTuple):",
    ],
)
def test_what_makes_a_class_of_its_fields_is_known(head: str) -> None:
    text = f"{head}\n    y: int\n    x: int\n\n\nA(y=1, x=2)\nother(x=3)\n"
    done = renamed({"a.py": text}, "a.py", "A.x", "left")
    assert texts(done)["a.py"] == text.replace("    x: int", "    left: int").replace(
        "x=2", "left=2"
    )


@pytest.mark.parametrize(
    ("body", "call", "how"),
    [
        ("    x = 1\n\n    def __init__(self, x):\n        pass\n", "A(x=2)", ""),
        ("    x = 1\n\n    def __new__(cls, y, x):\n        pass\n", "A(1, x=2)", ""),
        ("    x: int = 1\n", "A(x=2)", "likely"),
    ],
)
def test_a_constructor_of_its_own_keeps_the_names_that_it_takes(
    body: str, call: str, how: str
) -> None:
    files = {"a.py": f"class A:\n{body}", "use.py": f"from a import A\n\n{call}\n"}
    done = renamed(files, "a.py", "A.x", "left")
    assert "use.py" not in done.files
    assert [f"{how} here" in lead for lead in done.leads.get("use.py", ())] == [True] * bool(how)
    files["use.py"] = "from a import A\n\nmatch thing:\n    case A(x=2):\n        pass\n"
    done = renamed(files, "a.py", "A.x", "left")
    assert "case A(left=2):" in texts(done)["use.py"]


@pytest.mark.parametrize(
    ("use", "how"),
    [
        ("from dataclasses import replace\n\n\ndef f(p):\n    return replace(p, x=1)\n", "perhaps"),
        ("def f(p):\n    return p._replace(x=1)\n", "perhaps"),
        ("from point import Point\n\nbuild(Point, x=1)\n", "likely"),
        ("from shop import replace\n\nreplace(p, x=1)\n", ""),
        ("build(x=1)\n", ""),
        ("class B(A):\n    def __init__(self):\n        super().__init__(x=1)\n", ""),
        ("from other import Point\n\nPoint(x=1)\n", ""),
    ],
)
def test_what_may_mean_the_field_is_told_and_what_does_not_is_left_alone(
    use: str, how: str
) -> None:
    files = {"point.py": POINT, "use.py": use, "other.py": "class Point:\n    pass\n"}
    done = renamed(files, "point.py", "Point.x", "left")
    assert list(done.files) == ["point.py"]
    assert [f"{how} here" in lead for lead in done.leads.get("use.py", ())] == [True] * bool(how)


def test_a_constructor_of_fields_is_inherited_and_asked_for_by_super() -> None:
    files = {
        "point.py": POINT,
        "more.py": "from point import Point\n\n\nclass Plain(Point):\n    pass\n\n\n"
        "class Own(Point):\n    def __init__(self, x):\n        super().__init__(y=0, x=x)\n\n"
        "    def again(self):\n        return self.x, type(self)(x=1)\n\n\n"
        "Plain(x=1)\nOwn(x=1)\n",
    }
    made = texts(renamed(files, "point.py", "Point.x", "left"))["more.py"]
    assert "Plain(left=1)\nOwn(x=1)\n" in made
    assert "super().__init__(y=0, left=x)" in made
    assert "return self.left, type(self)(x=1)" in made  # which it is, nobody knows


def test_a_file_of_keywords_alone_may_have_the_name() -> None:
    files = {"point.py": POINT, "use.py": "from point import Point\n\nleft = 1\nPoint(x=left)\n"}
    assert "Point(left=left)" in texts(renamed(files, "point.py", "Point.x", "left"))["use.py"]


@pytest.mark.parametrize(("name", "to"), [("_x", "_y"), ("x", "_x")])
def test_attrs_takes_a_private_field_by_another_name(name: str, to: str) -> None:
    text = f"import attrs\n\n\n@attrs.define\nclass A:\n    {name}: int\n\n\nA(x=1)\n"
    with pytest.raises(GiveUp, match="argument of another name"):
        renamed({"a.py": text}, "a.py", f"A.{name}", to)


@pytest.mark.parametrize("said", ["field(alias='x')", "field(\n        alias='x',\n    )"])
def test_a_field_with_an_alias_is_taken_by_that(said: str) -> None:
    text = f"from attrs import define, field\n\n\n@define\nclass A:\n    x: int = {said}\n"
    files = {"a.py": text, "use.py": "from a import A\n\nA(x=1)\n"}
    done = renamed(files, "a.py", "A.x", "left")
    assert "use.py" not in done.files and "likely here" in done.leads["use.py"][0]


MODEL = "from pydantic import BaseModel\n\n\nclass User(BaseModel):\n    name: str\n"


def declined(files: Mapping[str, str], symbol: str, path: str = "user.py") -> dict[str, str]:
    made = overlay(files)
    with Provider(made.start.objects) as context:
        found = declined_keywords(Rename(path=path, symbol=symbol, to="title"), context, made)
    return {each.path: f"{each.certainty.value}, {each.why}" for each in found if each.score >= 0}


def test_where_a_rename_is_declined_the_keywords_are_told() -> None:
    files = {
        "user.py": MODEL,
        "admin.py": "from user import User\n\n\nclass Admin(User):\n    level: int\n",
        "use.py": "from admin import Admin\n\nAdmin(level=1, name='a')\n",
        "more.py": "import user\n\nuser.User(name='b')\n",
        "far.py": "build(name='c')\n",
    }
    with pytest.raises(GiveUp, match="BaseModel, which is not of this tree"):
        renamed(files, "user.py", "User.name", "title")
    said = "likely, an argument of its class, which may be the field"
    assert declined(files, "User.name") == {"use.py": said, "more.py": said}
    assert declined({"user.py": "def name():\n    pass\n"}, "name") == {}
