"""Renames of a parameter of Python, with the calls that name it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reviewer.context.provider import Provider
from reviewer.errors import GiveUp
from reviewer.refactor.parameters import rename_parameter
from reviewer.refactor.symbols import Done
from reviewer.refactor.values import Rename
from tests.reviewer.refactor.test_symbols import texts
from tests.reviewer.refactor.trees import overlay


def renamed(files: Mapping[str, str], path: str, symbol: str, to: str) -> Done:
    made = overlay(files)
    with Provider(made.start.objects) as context:
        return rename_parameter(Rename(path=path, symbol=symbol, to=to), context, made)


SHAPES = {
    "pkg/__init__.py": "from pkg.shapes import area, Box\n",
    "pkg/shapes.py": "width = 2\n\n\ndef area(width, height=width):\n"
    '    """Return the area by the width."""\n'
    "    # The width is in cm.\n"
    "    def inner(width):\n        return width\n\n"
    "    return sum(width for _ in range(1)) * height + inner(width=0) + len('width') - 5\n\n\n"
    "class Box:\n    def __init__(self, width):\n        self.width = width\n\n"
    "    def grow(self, width, *, by=1):\n        return area(width=width, height=by)\n\n"
    "    @classmethod\n    def like(cls, width):\n        return cls(width=width)\n\n\n"
    "class Big(Box):\n    def grow(self, width, *, by=2):\n"
    "        return super().grow(width=width + 1, by=by)\n",
    "use.py": "import pkg\nimport pkg.shapes as s\nfrom pkg import area as a, Box\n\n\n"
    "def width(width=1):\n    return a(width=width, height=3) + s.area(4, height=2)\n\n\n"
    "assert width(width=2) == 6 + 8\nassert pkg.area(\n    height=1,\n    width=a(width=2, height=2),\n) == 4\n"
    "x = s.Big(1)\nassert x.grow(width=1) == 4 and s.Big(2).grow(width=2, by=1) == 3\n"
    "assert Box.like(width=3).grow(1) == 1\n\n\ndef g(box: Box, other):\n    other.grow(width=1)\n"
    "    return box.grow(width=2)\n\n\nassert g(Box(1), x) == 2\n",
}


def ran(files: Mapping[str, str], folder: Path) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    subprocess.run([sys.executable, "use.py"], cwd=folder, check=True)


def test_a_parameter_goes_with_the_calls_that_name_it(tmp_path: Path) -> None:
    ran(SHAPES, tmp_path / "before")
    done = renamed(SHAPES, "pkg/shapes.py", "area.width", "w")
    made = texts(done)
    assert set(made) == {"pkg/shapes.py", "use.py"}
    assert made["pkg/shapes.py"] == SHAPES["pkg/shapes.py"].replace(
        "def area(width,", "def area(w,"
    ).replace("sum(width for", "sum(w for").replace("inner(width=0)", "inner(width=0)").replace(
        "area(width=width, height=by)", "area(w=width, height=by)"
    )
    assert made["use.py"] == SHAPES["use.py"].replace("a(width=width,", "a(w=width,").replace(
        "    width=a(width=2,", "    w=a(w=2,"
    )
    ran(SHAPES | made, tmp_path / "after")
    said = [text.partition("string: ")[2] for text in done.leads["pkg/shapes.py"]]
    assert said == ['"""Return the area by the width."""', "# The width is in cm."]


def test_calls_by_a_name_that_a_file_hands_it_on_under_go_along(tmp_path: Path) -> None:
    files = {
        "a.py": "def area(width):\n    return width\n\n\ndef size(width):\n    return -width\n\n\n"
        "class Box:\n    def __init__(self, width):\n        self.width = width\n\n"
        "    def grow(self, by):\n        return self.width + by\n",
        "p/__init__.py": "from a import area as size, Box as Crate\n",
        "q.py": "from p import size as extent, Crate\n",
        "b.py": "from p import size\nimport a\nimport p\n\n"
        "found = [size(width=1), p.size(width=2), a.size(width=3)]\n",
        "c.py": "from q import extent, Crate\n\n\ndef f():\n    return extent(width=4) + Crate(width=5).width\n",
        "big.py": "from p import Crate\n\n\nclass Big(Crate):\n    def grow(self, by):\n"
        "        return super().grow(by=by) * 2\n",
        "use.py": "from b import found\nfrom big import Big\nfrom c import f\n\n"
        "assert found == [1, 2, -3] and f() == 9 and Big(3).grow(by=1) == 8\n",
    }
    ran(files, tmp_path / "before")
    made = texts(renamed(files, "a.py", "area.width", "w"))
    ran(files | made, tmp_path / "area")
    assert made["b.py"] == files["b.py"].replace(
        "size(width=1), p.size(width=2)", "size(w=1), p.size(w=2)"
    )
    made = texts(renamed(files, "a.py", "Box.grow.by", "more"))
    ran(files | made, tmp_path / "grow")
    with pytest.raises(GiveUp, match="extends Box"):
        renamed(files, "a.py", "Box.__init__.width", "w")
    del files["big.py"]
    files["use.py"] = "from c import f\n\nassert f() == 9\n"
    made = texts(renamed(files, "a.py", "Box.__init__.width", "w"))
    ran(files | made, tmp_path / "made")
    files["p/__init__.py"] += "\n\ndef size(width):\n    return 0\n"
    with pytest.raises(GiveUp, match="may be area, or not"):
        renamed(files, "a.py", "area.width", "w")


def test_a_method_goes_with_its_family_and_with_objects() -> None:
    done = renamed(SHAPES, "pkg/shapes.py", "Box.grow.width", "w")
    made = texts(done)
    assert done.along == (("pkg/shapes.py", "Big.grow.width"),)
    assert made["pkg/shapes.py"] == SHAPES["pkg/shapes.py"].replace(
        "grow(self, width,", "grow(self, w,"
    ).replace("area(width=width, height=by)", "area(width=w, height=by)").replace(
        "grow(width=width + 1", "grow(w=w + 1"
    )
    assert made["use.py"] == SHAPES["use.py"].replace("x.grow(width=1)", "x.grow(w=1)").replace(
        "Big(2).grow(width=2,", "Big(2).grow(w=2,"
    ).replace("box.grow(width=2)", "box.grow(w=2)")
    assert [
        text
        for text in done.leads["use.py"]
        if "other.grow(width=1)" in text and "likely named" in text
    ]


ALONE = "class Box:\n    def __init__(self, width):\n        self.width = width\n\n    @classmethod\n    def like(cls, width):\n        return cls(width=width), type(cls(1))(width=1)\n\n    def twin(self):\n        return type(self)(width=self.width)\n"


OTHER = "\n\nclass Other:\n    @classmethod\n    def like(cls):\n        return cls(width=1)\n"


def test_a_constructor_is_called_by_its_class() -> None:
    files = {
        "box.py": ALONE + OTHER,
        "use.py": "from box import Box as B\n\nB(width=1).width\nisinstance(B(2), B)\nB.like(width=3)\n",
    }
    made = texts(renamed(files, "box.py", "Box.__init__.width", "w"))
    assert made["box.py"].endswith(OTHER)
    assert made["box.py"].removesuffix(OTHER) == ALONE.replace(
        "self, width):\n        self.width = width", "self, w):\n        self.width = w"
    ).replace("cls(width=width), ", "cls(w=width), ").replace("type(self)(width=", "type(self)(w=")
    assert made["use.py"] == files["use.py"].replace("B(width=1)", "B(w=1)")


def test_a_constructor_goes_where_what_its_class_extends_makes_nothing_by_the_name() -> None:
    files = {
        "a.py": "import abc\n\n\nclass Base(abc.ABC):\n    @classmethod\n    def like(cls, width):\n"
        "        assert issubclass(cls, Base)\n        return cls(width), cls.like(width=width)\n\n"
        "    def at(self):\n        return type(self) is Base\n\n\n"
        "class Box(Base):\n    def __init__(self, width):\n        super(Box, self).__init__()\n        self.width = width\n\n"
        "    @classmethod\n    def new(klass):\n        return klass(width=1)\n",
    }
    made = texts(renamed(files, "a.py", "Box.__init__.width", "w"))
    assert made["a.py"] == files["a.py"].replace(
        "__init__(self, width)", "__init__(self, w)"
    ).replace("self.width = width", "self.width = w").replace("klass(width=1)", "klass(w=1)")


def test_a_call_of_what_nobody_knows_is_told_where_a_class_is_named() -> None:
    files = {
        "a.py": "class Box:\n    def __init__(self, width):\n        self.width = width\n",
        "b.py": "from a import Box\nfrom lib import make\n\n\ndef f(b: type[Box], o: Box):\n"
        "    b(width=1)\n    type(o)(width=2)\n    o.__class__(width=3)\n    f()(width=4)\n"
        "    make(width=5)\n    dict(width=6)\n    o.grow(width=7)\n",
        "c.py": "def g(b):\n    b(width=1)\n",
    }
    done = renamed(files, "a.py", "Box.__init__.width", "w")
    assert set(texts(done)) == {"a.py"}
    told = [text.rpartition(": ")[2] for text in done.leads["b.py"] if "is not known" in text]
    assert told == ["b(width=1)", "type(o)(width=2)", "o.__class__(width=3)", "f()(width=4)"]
    assert "c.py" not in done.leads


@pytest.mark.parametrize("otherwise", ["from lib import area", "def area(width): return 0"])
def test_a_name_that_is_another_function_too_declines_it(otherwise: str) -> None:
    use = f"try:\n    from a import area\nexcept ImportError:\n    {otherwise}\n\narea(width=1)\n"
    files = {"a.py": "def area(width):\n    return width\n", "use.py": use}
    with pytest.raises(GiveUp, match="may be another one, too"):
        renamed(files, "a.py", "area.width", "w")


def test_what_is_only_likely_of_it_is_told_where_it_may_name_it() -> None:
    files = {
        "a.py": "class Box:\n    def grow(self, width):\n        return width\n\n\ndef area(width):\n    return width\n",
        "b.py": "from functools import partial\n\n\ndef g(o, kw):\n    o.grow(**kw)\n    partial(\n"
        "        o.grow,\n        width=1,\n    )\n    o.grow(*kw)\n    run(o.grow, height=2)\n    o.grow.x(width=3)\n",
        "test_a.py": "from unittest.mock import call, patch\nimport a\n\n\ndef test_it():\n    with patch('a.area') as m:\n"
        "        a.area(1)\n    m.assert_called_with(width=1)\n    assert m.mock_calls == [call(width=2)]\n"
        "    getattr(a, 'area')(width=3)\n    patch(width=4)\n",
        "test_c.py": "def test_it(m):\n    m.assert_called_with(width=1)\n",
    }
    done = renamed(files, "a.py", "Box.grow.width", "w")
    told = [text.partition("is w now, ")[2] for text in done.leads["b.py"]]
    assert sorted(text.partition(" here")[0] + text.rpartition(":")[2] for text in told) == [
        "perhaps called with keywords unpacked o.grow(**kw)",
        "perhaps handed on as a value o.grow,",
    ]
    assert "test_a.py" not in done.leads
    done = renamed(files, "a.py", "area.width", "w")
    told = [text.rpartition(": ")[2] for text in done.leads["test_a.py"]]
    assert told == [
        "m.assert_called_with(width=1)",
        "assert m.mock_calls == [call(width=2)]",
        "getattr(a, 'area')(width=3)",
    ]
    assert set(texts(done)) == {"a.py"} and "test_c.py" not in done.leads


AREA = "def area(width, height):\n    return width * height\n"


@pytest.mark.parametrize(
    ("code", "symbol", "use", "why"),
    [
        (AREA, "area.width", "area(**values)\n", "passes keywords on"),
        (AREA, "area.width", "area(*values)\narea(*values, {**a}, f(a, **b))\n", ""),
        (AREA, "area.width", "run(area)\n", "handed on as a value in use.py, line 3"),
        (AREA, "area.width", "x = [area]\n", "handed on as a value"),
        (AREA, "area.width", "area.__call__(width=1, height=2)\n", "handed on as a value"),
        (AREA, "area.width", "area.cache = 1\n@area\ndef f(): pass\n", ""),
        (AREA, "area.height", "pass\n", "the name width already"),
        (AREA.replace("height)", "height, **more)"), "area.width", "pass\n", "takes any keyword"),
        (
            "import click\n\n\n@click.option('--width')\n" + AREA,
            "area.width",
            "pass\n",
            "decorated with click.option",
        ),
        (
            "from functools import cache\n\n\n@cache\n" + AREA,
            "area.width",
            "area(width=1, height=2)\n",
            "",
        ),
        (AREA + AREA, "area.width", "pass\n", "several times"),
        (
            "def f():\n    " + AREA.replace("\n    ", "\n        "),
            "f.area.width",
            "pass\n",
            "within a function",
        ),
        (
            "class A:\n    def area(self, width): pass\n\n\nclass B(A):\n    def area(self, breadth): pass\n",
            "A.area.width",
            "pass\n",
            "B.area of shapes.py has no parameter width",
        ),
        (
            "class A(X):\n    def area(self, width): pass\n",
            "A.area.width",
            "pass\n",
            "not of this tree",
        ),
        (
            "class A:\n    def __init__(self, width): pass\n\n\nclass B(A): pass\n",
            "A.__init__.width",
            "pass\n",
            "extends A",
        ),
        (
            "@made\nclass A:\n    def __init__(self, width): pass\n",
            "A.__init__.width",
            "pass\n",
            "otherwise than by its",
        ),
        (
            "class A:\n    def __init__(self, width): pass\n    def f(self, a): return type(self)(**a)\n",
            "A.__init__.width",
            "pass\n",
            "passes keywords on",
        ),
        (
            "class A:\n    def __init__(self, width): pass\n    def f(self, a): return self.__class__(**a)\n",
            "A.__init__.width",
            "pass\n",
            "passes keywords on",
        ),
        *(
            (
                code + "\n\nclass A(B):\n    def __init__(self, width): pass\n",
                "A.__init__.width",
                "pass\n",
                why,
            )
            for code, why in [
                ("from lib import B\n", "not of this tree and may make objects"),
                (
                    "class B:\n    @classmethod\n    def f(cls): return cls(width=1)\n",
                    "may make objects of it in line 3",
                ),
                (
                    "class B:\n    @classmethod\n    def f(k): return k(width=1)\n",
                    "may make objects of it in line 3",
                ),
                (
                    "class B:\n    def f(self): return type(self)(width=1)\n",
                    "may make objects of it in line 2",
                ),
                (
                    "class B:\n    def f(self): return self.__class__(width=1)\n",
                    "may make objects of it in line 2",
                ),
                (
                    "class B:\n    def f(self, o): return type(o)(width=1)\n",
                    "may make objects of it in line 2",
                ),
                (
                    "class C:\n    def f(self, a): return type(self)(**a)\n\n\nclass B(C): pass\n",
                    "passes keywords on",
                ),
                (
                    "class B:\n    @classmethod\n    def f(cls): return run(cls)\n",
                    "as a value in shapes.py, line 3",
                ),
                ("class B:\n    def __init_subclass__(cls): pass\n", "has a say"),
                ("class B:\n    def __new__(cls, width): pass\n", "has a say"),
            ]
        ),
        *(
            (
                "class A:\n    def __init__(self, width): pass\n    @classmethod\n"
                f"    def f(klass, self, a): {code}\n",
                "A.__init__.width",
                "pass\n",
                why,
            )
            for code, why in [
                ("return klass(**a)", "passes keywords on"),
                ("f = klass; f(width=1)", "as a value in shapes.py, line 4"),
                ("f = type(self); f(width=1)", "keeps it as a value"),
            ]
        ),
        (
            "class A:\n    def __call__(self, width): pass\n",
            "A.__call__.width",
            "pass\n",
            "the language itself calls",
        ),
        ("def pytest_configure(width): pass\n", "pytest_configure.width", "pass\n", "pytest calls"),
    ],
)
def test_it_is_declined_where_somebody_may_name_it_unseen(
    code: str, symbol: str, use: str, why: str
) -> None:
    to = "width" if symbol == "area.height" else "w"
    files = {"shapes.py": code, "use.py": f"from shapes import *\nfrom shapes import area\n{use}"}
    if not why:
        assert texts(renamed(files, "shapes.py", symbol, to))
        return
    with pytest.raises(GiveUp, match=why):
        renamed(files, "shapes.py", symbol, to)


def test_a_class_that_is_raised_or_caught_is_no_value() -> None:
    files = {
        "a.py": "class E(Exception):\n    def __init__(self, width):\n        self.a = width\n",
        "use.py": "from a import E\n\ntry:\n    raise E(width=1)\nexcept E:\n    raise E\n",
    }
    made = texts(renamed(files, "a.py", "E.__init__.width", "w"))
    assert made["use.py"] == files["use.py"].replace("width=1", "w=1")


def test_a_call_that_is_too_long_to_be_read_declines_it() -> None:
    files = {"a.py": AREA, "use.py": f"from a import area\n\narea('{'x' * 30_000}', width=1)\n"}
    with pytest.raises(GiveUp, match="could not be read"):
        renamed(files, "a.py", "area.width", "w")
    files = {"a.py": "class A:\n    def f(self, __width):\n        return __width\n"}
    with pytest.raises(GiveUp, match="depends on its class"):
        renamed(files, "a.py", "A.f.__width", "w")


def test_what_pytest_or_a_stub_names_stays() -> None:
    with pytest.raises(GiveUp, match="pytest calls"):
        renamed({"test_a.py": "def test_it(width): pass\n"}, "test_a.py", "test_it.width", "w")
    with pytest.raises(GiveUp, match="says of area, too"):
        renamed(
            {"a.py": AREA, "a.pyi": "def area(width, height): ...\n"}, "a.py", "area.width", "w"
        )
    files = {"a.py": AREA, "vendor/use.py": "from a import area\n\narea(width=1, height=2)\n"}
    with pytest.raises(GiveUp, match="which is not edited"):
        renamed(files, "a.py", "area.width", "w")
