"""Objects that are asked for what a result took away, or by calls that do not fit any more."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from reviewer.detectors.contracts import views
from reviewer.refactor import members
from reviewer.refactor.members import at_objects
from tests.reviewer.detectors.contracts.changes import breaks

ACC = (
    "class Base:\n    limit = 3\n\n\nclass Acc(Base):\n    def __init__(self):\n        self.size = 1\n\n"
    "    def run(self, n):\n        return n\n\n\n{}"
)
OWN = "class Own(Acc):\n    def run(self, n):\n        return 2\n"
GONE = ("def run(self, n)", "def go(self, n)")
MORE = ("def run(self, n)", "def run(self, n, m)")
IMPORT = "from acc import Acc\n\n"


def said(old: str, new: str, text: str, *, more: str = "", **files: str) -> list[str]:
    base = {"acc.py": ACC.format(more), "use.py": text, **{f"{k}.py": v for k, v in files.items()}}
    assert old in base["acc.py"]
    found = breaks(base, {"acc.py": base["acc.py"].replace(old, new, 1)}, also=at_objects)
    return [f"{each.title} {each.body}" for each in found]


@pytest.mark.parametrize(
    ("edit", "text", "lines"),
    [
        (GONE, "x = Acc()\nx.run(1)\n", [4]),
        (GONE, "Acc().run(1)\n", [3]),
        (GONE, "def f():\n    x = Acc()\n    return x.run\n", [5]),
        (GONE, "def f(x: Acc):\n    x.run(1)\n", [4]),
        (
            GONE,
            "class Mine(Acc):\n    def f(self):\n        self.run(1)\n\n\nMine().run(1)\n",
            [5, 8],
        ),
        (GONE, "try:\n    Acc().run(1)\nexcept ValueError:\n    pass\n", [4]),
        (("self.size = 1", "self.length = 1"), "print(Acc().size)\n", [3]),
        (("limit = 3", "most = 3"), "print(Acc().limit)\n", [3]),
        (MORE, "x = Acc()\nx.run(1)\n", [4]),
        (
            MORE,
            "from abc import ABCMeta\n\n\nclass Mine(Acc, metaclass=ABCMeta):\n    pass\n\n\nMine().run(1)\n",
            [10],
        ),
        (MORE, "def f(x: Acc):\n    x.run(1)\n    x.run(1, 2)\n", [4]),
    ],
)
def test_an_object_that_has_it_no_more(edit: tuple[str, str], text: str, lines: list[int]) -> None:
    whole = " ".join(said(*edit, IMPORT + text))
    assert all(f"`use.py:{line}`" in whole for line in lines), whole
    assert whole.count("`use.py:") == len(lines), whole


def test_a_class_that_has_another_name_by_now() -> None:
    base = {"acc.py": ACC.format(""), "use.py": f"{IMPORT}Acc().run(1)\n"}
    edits = {
        "acc.py": base["acc.py"].replace("class Acc", "class Sum").replace(*GONE),
        "use.py": base["use.py"].replace("Acc", "Sum"),
    }
    (found,) = breaks(base, edits, also=at_objects)
    assert "`use.py:3`" in found.body and "`Acc.run` was removed" in found.title


SIZE = ("self.size = 1", "self.length = 1")
SETS_ITS_OWN = "from acc import Acc\n\n\nclass C:\n    def f(self):\n        self.size = Acc\n"
SETS_ANY = "def f(x):\n    x.size = 1\n"


@pytest.mark.parametrize("other", [SETS_ITS_OWN, SETS_ANY])
def test_what_others_give_to_other_objects_does_not_make_it_there(other: str) -> None:
    assert len(said(*SIZE, f"{IMPORT}print(Acc().size)\n", other=other)) == 1
    known = said(*SIZE, f"{IMPORT}def f(x: Acc):\n    x.size\n", other=other)
    assert len(known) == (1 if other == SETS_ITS_OWN else 0), "it may be that object"


def test_fixtures_are_not_looked_at() -> None:
    base = {"acc.py": ACC.format(""), "tests/fixtures/use.py": f"{IMPORT}Acc().run(1)\n"}
    assert breaks(base, {"acc.py": base["acc.py"].replace(*GONE)}, also=at_objects) == []


def test_places_are_said_with_those_of_every_change() -> None:
    (found,) = said(*GONE, f"{IMPORT}Acc.run(Acc(), 1)\nAcc().run(1)\n")
    assert "`use.py:3`; `use.py:4`" in found


@pytest.mark.parametrize(
    ("edit", "text", "more", "other"),
    [
        # Of another class, or of one that is not known
        (GONE, "x = Acc()\nx = y\nx.run(1)\n", "", ""),
        (GONE, "def f(x: Acc):\n    x.run(1)\n", OWN, ""),
        (MORE, "def f(x: Acc):\n    x.run(1)\n", OWN, ""),
        (
            GONE,
            "def f(x: Acc):\n    x.run(1)\n",
            "",
            "from ext import Base\nfrom acc import Acc\n\n\nclass B(Acc, Base):\n    pass\n",
        ),
        (
            GONE,
            "class Mine(Acc):\n    def f(self):\n        self.run(1)\n",
            "",
            "from use import Mine\n\n\nclass B(Mine):\n    def run(self, n):\n        pass\n",
        ),
        (
            GONE,
            "class Mine(Acc):\n    @staticmethod\n    def f(self):\n        self.run(1)\n",
            "",
            "",
        ),
        (
            MORE,
            "def f(x: Acc):\n    x.run(1)\n",
            "",
            "from ext import Base\nfrom acc import Acc\n\n\nclass B(Acc, Base):\n    pass\n",
        ),
        # What may have it all the same
        (("def run(self, n)", "def __getattr__(self, n)"), "Acc().run(1)\n", "", ""),
        (
            ("    limit = 3", "    most = 3\n    for limit in (1, 2):\n        pass"),
            "Acc().limit\n",
            "",
            "",
        ),
        (("    limit = 3", "    from os import path as limit"), "Acc().limit\n", "", ""),
        (("class Acc(Base):", "@made\nclass Acc(Base):\n    x = 1\n"), "Acc().size\n", "", ""),
        (("self.size = 1", "vars(self).update(a)"), "Acc().size\n", "", ""),
        (
            MORE,
            "class Meta(type):\n    def __call__(cls):\n        return y\n\n\nclass Mine(Acc, metaclass=Meta):\n    pass\n\n\nMine().run(1)\n",
            "",
            "",
        ),
        (
            MORE,
            "class Mine(Acc):\n    def __new__(cls):\n        return y\n\n\nMine().run(1)\n",
            "",
            "",
        ),
        # What code does that expects it
        (GONE, "x = Acc()\nif hasattr(x, NAME):\n    x.run(1)\n", "", ""),
        (GONE, "try:\n    Acc().run(1)\nexcept AttributeError:\n    Acc().go(1)\n", "", ""),
        (GONE, "with raises(AttributeError):\n    y = 1\n    Acc().run(1)\n", "", ""),
        (GONE, "if VERSION < 2:\n    Acc().run(1)\n", "", ""),
        (GONE, "x = Acc()\nx.run = print\nx.run(1)\n", "", ""),
        (GONE, "x = Acc()\nx.run(1)\n", "", "from acc import Acc\n\nAcc.run = print\n"),
        (GONE, "y = getattr(Acc(), 'run')\nAcc().run(1)\n", "", ""),
        # What did not fit before, or fits still
        (MORE, "Acc().run()\n", "", ""),
        (MORE, "Acc().run(*y)\n", "", ""),
        (("def run(self, n)", "def run(self, n, m=1)"), "Acc().run(1)\n", "", ""),
        (("def run(self, n)", "@made\n    def run(self, n, m)"), "Acc().run(1)\n", "", ""),
    ],
)
def test_nothing_is_said_where_it_is_not_sure(
    edit: tuple[str, str], text: str, more: str, other: str
) -> None:
    assert said(*edit, IMPORT + text, more=more, other=other) == []


SCRIPT = {
    "acc.ts": "export class Acc {\n  run(n: number) { return n; }\n  twice() { return 1; }\n}\n",
    "other.ts": "export class Other {\n  run(n: number) { return n; }\n}\n",
    "use.ts": "import { Acc } from './acc';\nclass Mine extends Acc {\n  f() { return this.run(1); }\n}\n"
    "new Acc().run(1);\nnew Acc().twice();\nnew Mine(2, (3)).run(1);\n",
}


def test_what_is_asked_of_this_and_of_what_is_new() -> None:
    edits = {"acc.ts": SCRIPT["acc.ts"].replace("run(n: number)", "go(n: number)")}
    (found,) = breaks(SCRIPT, edits, also=at_objects)
    assert "`use.ts:3`; `use.ts:5`; `use.ts:7`" in found.body
    more = {
        "use.ts": "import { Acc } from './acc';\nnew Acc().twice().run(1);\nnew Acc().run.call(1);\n"
    }
    (found,) = breaks(SCRIPT | more, edits, also=at_objects)
    assert found.body == "Not adapted: `use.ts:3`."
    below = {
        "below.ts": "import { Acc } from './acc';\nexport class B extends Acc {\n  run() { return 2; }\n}\n"
    }
    (found,) = breaks(SCRIPT | below, edits, also=at_objects)
    assert "`use.ts:5`" in found.body


@contextmanager
def steps(*files: str) -> Iterator[list[int]]:
    """Count what the interpreter does in some files: what would take time, without a clock."""
    count = [0]

    def step(frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count[0] += event == "opcode"
        return step

    before = threading.gettrace()
    threading.settrace(step)  # detectors run in threads of their own
    try:
        yield count
    finally:
        threading.settrace(before)


def test_twice_the_classes_of_a_file_take_twice_the_work() -> None:
    took = []
    for many in (100, 200):
        text = "".join(
            f"class C{n}:\n    def a(self):\n        pass\n\n    def b(self):\n        pass\n\n\n"
            for n in range(many)
        )
        with steps(members.__file__, views.__file__) as count:
            breaks({"a.py": text}, {"a.py": text + "x = 1\n"}, also=at_objects)
        took.append(count[0])
    assert 0 < took[1] < 2.2 * took[0], took
