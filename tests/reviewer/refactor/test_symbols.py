"""Renames and moves by the context engine, over trees in memory."""

from collections.abc import Mapping

import pytest

from reviewer.context.provider import Provider
from reviewer.errors import GiveUp
from reviewer.refactor.import_style import one_a_line
from reviewer.refactor.moves import companions, move
from reviewer.refactor.statements import dropped, from_import, redirected, with_imports
from reviewer.refactor.symbols import Done, rename
from reviewer.refactor.values import Move, Rename
from tests.reviewer.refactor.trees import overlay


def renamed(files: Mapping[str, bytes | str], path: str, symbol: str, to: str) -> Done:
    made = overlay(files)
    with Provider(made.start.objects) as context:
        return rename(Rename(path=path, symbol=symbol, to=to), context, made)


def moved(files: Mapping[str, bytes | str], path: str, symbol: str, to: str) -> Done:
    made = overlay(files)
    with Provider(made.start.objects) as context:
        return move(Move(path=path, symbol=symbol, to=to), context, made)


def texts(done: Done) -> dict[str, str]:
    return {path: blob.data.decode() for path, blob in done.files.items() if blob is not None}


# Renames -----------------------------------------------------------------------------------------

TEXT = {
    "pkg/__init__.py": "from .text import slug\n",
    "pkg/text.py": '@cached("slug")\ndef slug(text):\n    return text or slug("a")\n',
    "pkg/use.py": "from pkg import slug as s, slug\nimport pkg.text as t\n\n"
    's("a") + t.slug("b") + slug("c") + slug("d")\n',
    "other.py": "def slug():\n    pass\n\n\nslug()\n",
}


def test_every_use_on_a_line_and_every_way_to_import_it() -> None:
    done = renamed(TEXT, "pkg/text.py", "slug", "slugify")
    assert texts(done) == {
        "pkg/__init__.py": "from .text import slugify\n",
        "pkg/text.py": '@cached("slug")\ndef slugify(text):\n    return text or slugify("a")\n',
        "pkg/use.py": "from pkg import slugify as s, slugify\nimport pkg.text as t\n\n"
        's("a") + t.slugify("b") + slugify("c") + slugify("d")\n',
    }
    assert list(done.leads) == ["pkg/text.py"]  # the string of its decorator
    assert "other.py" in done.notes[0]


def test_a_name_that_is_handed_on_as_itself_goes_with_it() -> None:
    files = {
        "pkg/__init__.py": "from .text import slug as slug\nfrom .text import slug as slugs\n",
        "pkg/text.py": "def slug(text):\n    return text\n",
        "use.py": "import pkg\nfrom pkg import slug\n\nslug(pkg.slug('a'))\n",
    }
    assert texts(renamed(files, "pkg/text.py", "slug", "slugify")) == {
        "pkg/__init__.py": "from .text import slugify as slugify\n"
        "from .text import slugify as slugs\n",
        "pkg/text.py": "def slugify(text):\n    return text\n",
        "use.py": "import pkg\nfrom pkg import slugify\n\nslugify(pkg.slugify('a'))\n",
    }


IN_STRINGS = {
    "lib/core.py": '__all__ = ["net"]\n__all__.append("net")\n\n\ndef net(items):\n    return 1\n\n\n'
    "class Net:\n    other: 'Net | None' = None\n\n    def f(self, x: 'dict[str, Net]') -> 'Net': ...\n",
    "lib/__init__.py": "from .core import net\n\n__all__ = ['net', \"other\"]\n",
    "lib/star.py": "from lib.core import *\n\n__all__ = ('net',)\n__all__ += ['net']\n",
    "lib/alias.py": "from lib.core import net as n\n\n__all__ = ['n', 'net']\nnet = 1\n",
    "lib/both.py": "from lib.core import *\nfrom os.path import *\n\n__all__ = ['net']\n",
    "lib/other.py": "__all__ = ['net']\n\n\ndef net():\n    pass\n",
    "use.py": "import lib.core as c\nfrom typing import Literal\nfrom lib.core import Net\n\n\n"
    "def f(a: 'Net', b: 'c.Net', d: Literal['Net'], e: 'x.Net') -> 'list[Net]':\n    v: 'Net' = 'Net'\n"
    "\n\ndef g(Net):\n    v: 'Net'\n",
}


def test_what_is_listed_goes_with_a_rename_in_each_file_that_has_the_name() -> None:
    made = texts(renamed(IN_STRINGS, "lib/core.py", "net", "total"))
    assert made["lib/core.py"].startswith('__all__ = ["total"]\n__all__.append("total")\n')
    assert made["lib/__init__.py"] == "from .core import total\n\n__all__ = ['total', \"other\"]\n"
    assert made["lib/star.py"] == IN_STRINGS["lib/star.py"].replace("net", "total")
    assert made["lib/alias.py"] == IN_STRINGS["lib/alias.py"].replace("import net", "import total")
    assert not {"lib/both.py", "lib/other.py"} & made.keys()


def test_a_quoted_annotation_is_a_use() -> None:
    done = renamed(IN_STRINGS, "lib/core.py", "Net", "Total")
    made = texts(done)
    assert made["lib/core.py"] == IN_STRINGS["lib/core.py"].replace("Net", "Total")
    assert made["use.py"].partition("\n\n\n")[2] == (
        "def f(a: 'Total', b: 'c.Total', d: Literal['Net'], e: 'x.Net') -> 'list[Total]':\n"
        "    v: 'Total' = 'Net'\n\n\ndef g(Net):\n    v: 'Net'\n"
    )
    assert "lib/core.py" not in done.leads and len(done.leads["use.py"]) == 4


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("t.py", "def {}():\n    return 1\n\n\n{}()\n"),
        ("t.py", "class {}:\n    pass\n\n\n{}()\n"),
        ("t.ts", "export function {}(x: number) {{\n  return x;\n}}\n{}(1);\n"),
        ("t.ts", "export const {} = 1;\nuse({});\n"),
    ],
)
@pytest.mark.parametrize("name", ["f", "on", "lass", "cons"])
def test_a_name_that_is_part_of_a_word_before_it(path: str, text: str, name: str) -> None:
    files = {path: text.format(name, name)}
    assert texts(renamed(files, path, name, "other")) == {path: text.format("other", "other")}


PACKAGE = {
    "pkg/__init__.py": "from .app import App as App\n",
    "pkg/app.py": "class App:\n    pass\n",
    "pkg/views.py": "class View:\n    pass\n",
    "pkg/sub/__init__.py": "from ..app import App\n",
    "pkg/sub/deep.py": "X = 1\n",
}


@pytest.mark.parametrize(
    ("imports", "use"),
    [
        ("import pkg.views\n", "pkg.App()"),
        ("import pkg.views\nimport pkg.sub\nimport pkg\n", "pkg.App()"),
        ("import os.path\nimport pkg.sub.deep\n", "pkg.App()"),
        ("import pkg.sub.deep\n", "pkg.sub.App()"),
        ("import pkg.sub.deep\n", "pkg.sub.deep and pkg.App"),
        ("import pkg.views as views\nimport pkg.app\n", "pkg.app.App()"),
    ],
)
def test_an_import_of_a_module_binds_the_packages_on_its_way(imports: str, use: str) -> None:
    done = renamed({**PACKAGE, "t.py": f"{imports}\n{use}\n"}, "pkg/app.py", "App", "Application")
    assert texts(done)["t.py"] == f"{imports}\n{use.replace('App', 'Application')}\n"
    assert texts(done)["pkg/sub/__init__.py"] == "from ..app import Application\n"


@pytest.mark.parametrize(
    "text",
    [
        "import pkg.views as views\n\npkg.App()\n",
        "import pkg.views as pkg\n\npkg.App()\n",
        "from pkg import views\n\nviews.App(), pkg.App()\n",
        "from . import views\n\nviews.App(), pkg.App()\n",
    ],
)
def test_and_binds_nothing_but_the_name_that_it_is_given(text: str) -> None:
    done = renamed({**PACKAGE, "pkg/t.py": text}, "pkg/app.py", "App", "Application")
    assert "pkg/t.py" not in done.files


@pytest.mark.parametrize(
    "function",
    [
        "def f(pkg):\n    return pkg.App()\n",
        "def f(*, pkg=None):\n    return lambda: pkg.App()\n",
        "def f():\n    pkg = g()\n    return pkg.App()\n",
        "def f():\n    for pkg in g():\n        yield pkg.App()\n",
        "def f():\n    with g() as pkg:\n        return pkg.App\n",
    ],
)
def test_a_variable_that_hides_what_is_imported_is_another(function: str) -> None:
    start = "import pkg.views\n\npkg.App()\n\n\n"
    done = renamed({**PACKAGE, "t.py": start + function}, "pkg/app.py", "App", "Application")
    assert texts(done)["t.py"] == start.replace("App", "Application") + function
    assert any("the old name still stands here" in each for each in done.leads["t.py"])


def test_a_file_where_nothing_is_sure_is_told_and_stays() -> None:
    files = {
        **PACKAGE,
        "t.py": "import pkg.views\n\n\ndef f():\n    pkg = g()\n    return pkg.App()\n",
        "u.py": "from pkg import App\n\n\ndef f():\n    App = g()\n    return App()\n",
    }
    done = renamed(files, "pkg/app.py", "App", "Application")
    assert "t.py" not in done.files
    assert "pkg may be another" in done.leads["t.py"][0]
    assert texts(done)["u.py"] == files["u.py"].replace("import App", "import Application")
    assert any("old name still stands here: App = g()" in each for each in done.leads["u.py"])


def test_a_method_by_its_class_and_what_is_likely_as_a_lead() -> None:
    files = {
        "a.py": "class A:\n    def m(self):\n        return self.m()\n",
        "b.py": "from a import A\n\n\ndef f(x: A | None):\n    return x.m()\n",
    }
    done = renamed(files, "a.py", "A.m", "go")
    assert texts(done) == {"a.py": "class A:\n    def go(self):\n        return self.go()\n"}
    assert "likely here" in done.leads["b.py"][0] and "x.m()" in done.leads["b.py"][0]


def test_a_method_of_which_only_the_name_is_known_is_told_too() -> None:
    files = {
        "a.py": "class Store:\n    def flush(self):\n        pass\n",
        "b.py": "def f(x):\n    return x.flush()\n",
    }
    done = renamed(files, "a.py", "Store.flush", "drain")
    assert "perhaps here" in done.leads["b.py"][0]


def test_a_parameter_of_the_same_name_is_told_and_not_touched() -> None:
    files = {
        "a.py": "def rate():\n    return 1\n",
        "b.py": "from a import rate\n\n\ndef f(rate):\n    return rate\n\n\nrate()\n",
    }
    done = renamed(files, "a.py", "rate", "ratio")
    assert texts(done)["b.py"] == (
        "from a import ratio\n\n\ndef f(rate):\n    return rate\n\n\nratio()\n"
    )
    assert len(done.leads["b.py"]) == 2


@pytest.mark.parametrize(
    ("files", "symbol", "to", "words"),
    [
        (TEXT, "slug", "s", "has the name s already"),
        (TEXT, "gone", "x", "defines no gone"),
        (
            {"pkg/text.py": "class A(Base):\n    def slug(self):\n        pass\n"},
            "A.slug",
            "x",
            "A of pkg/text.py extends Base, which is not of this tree and may have slug",
        ),
        (
            {
                "pkg/text.py": "def slug(): pass\n",
                "vendor/x.py": "from pkg.text import slug\nslug()\n",
            },
            "slug",
            "slugify",
            "vendored",
        ),
    ],
)
def test_the_host_declines(
    files: Mapping[str, bytes | str], symbol: str, to: str, words: str
) -> None:
    with pytest.raises(GiveUp, match=words):
        renamed(files, "pkg/text.py", symbol, to)


PRICE_JAVA = "package shop;\n\npublic class Price {\n    static int net(int a) { return a; }\n}\n"
LANGUAGES = {
    "go": (
        {
            "go.mod": "module example.com/shop\n",
            "price/price.go": "package price\n\nfunc Net(a int) int {\n\treturn a\n}\n\n"
            "func twice(a int) int {\n\treturn Net(a) * 2\n}\n",
            "cart/cart.go": 'package cart\n\nimport "example.com/shop/price"\n\n'
            "func Total(a int) int {\n\treturn price.Net(a)\n}\n",
            "own/own.go": "package own\n\nfunc Net() int {\n\treturn 1\n}\n",
        },
        ("price/price.go", "Net", "Subtotal"),
        {"cart/cart.go": 1, "price/price.go": 2},
    ),
    "java": (
        {
            "src/shop/Price.java": PRICE_JAVA,
            "src/shop/Cart.java": "package shop;\n\nclass Cart {\n    int total(int a) {\n"
            "        return Price.net(a);\n    }\n}\n",
            "src/web/View.java": "package web;\n\nimport shop.Price;\n\nclass View {\n"
            "    int show() { return Price.net(1); }\n\n    int net() { return 2; }\n}\n",
        },
        ("src/shop/Price.java", "Price.net", "subtotal"),
        {"src/shop/Price.java": 1, "src/shop/Cart.java": 1, "src/web/View.java": 1},
    ),
    "rust": (
        {
            "Cargo.toml": '[package]\nname = "shop"\n',
            "src/lib.rs": "mod cart;\nmod own;\nmod price;\n",
            "src/price.rs": "pub fn net(a: i32) -> i32 {\n    a\n}\n",
            "src/cart.rs": "use crate::price::net;\n\npub fn total(a: i32) -> i32 {\n"
            "    net(a) * 2\n}\n",
            "src/own.rs": "fn net() -> i32 {\n    1\n}\n",
        },
        ("src/price.rs", "net", "subtotal"),
        {"src/price.rs": 1, "src/cart.rs": 2},
    ),
    "ruby": (
        {
            "lib/price.rb": "def net(a)\n  a\nend\n\ndef twice(a)\n  net(a) * 2\nend\n",
            "lib/own.rb": "def net\n  1\nend\n",
        },
        ("lib/price.rb", "net", "subtotal"),
        {"lib/price.rb": 2},
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_other_languages_every_sure_use_is_renamed_and_no_namesake(language: str) -> None:
    files, (path, symbol, to), counts = LANGUAGES[language]
    done = renamed(files, path, symbol, to)
    short = symbol.rpartition(".")[2]
    made = texts(done)
    assert {name: text.count(to) for name, text in made.items()} == counts
    for name, text in made.items():
        assert text.count(short) == files[name].count(short) - counts[name], text
        assert text.replace(to, short) == files[name]


def test_a_use_in_ruby_that_only_a_require_leads_to_is_told() -> None:
    files = {
        "lib/price.rb": "def net(a)\n  a\nend\n",
        "lib/cart.rb": "require_relative 'price'\n\ndef total(a)\n  net(a)\nend\n",
    }
    done = renamed(files, "lib/price.rb", "net", "subtotal")
    assert set(texts(done)) == {"lib/price.rb"} and list(done.leads) == ["lib/cart.rb"]


CS = "namespace N\n{\n    public static class Acc\n    {\n        int F() { return 1; }\n    }\n}\n"
UNBOUND = {
    "c": (
        ("src/a.c", "shapely"),
        {
            "src/a.c": '#include "a.h"\nint shapely(int x) { return x; }\n',
            "src/a.h": "/* shapely is here */\nint shapely(int x);\n",
            "src/b.c": '#include "a.h"\nint f(void) { return shapely(1); }\n',
            "src/m.h": "#define TWICE(x) shapely(shapely(x))\n",
            "src/own.c": "static int shapely(void) { return 1; }\nint k(void) { return shapely(); }\n",
            "src/p.c": "// shapely\nint o(struct O *o) { return o->shapely(1); }\n",
        },
        {"src/a.h": "int shapely(int x);", "src/b.c": "return shapely(1)", "src/m.h": "TWICE"},
    ),
    "c++": (
        ("src/a.hpp", "Acc.shapely"),
        {
            "src/a.hpp": "class Acc {\n public:\n  int shapely(int x);\n};\n",
            "src/a.cpp": '#include "a.hpp"\nint Acc::shapely(int x) { return x; }\n',
            "src/b.cpp": '#include "a.hpp"\nint f() { Acc a; return a.shapely(1); }\n',
            "src/own.cpp": "class Own {\n  int shapely(int x);\n};\n",
        },
        {"src/a.cpp": "int Acc::shapely(int x)", "src/b.cpp": "likely here"},
    ),
    "c#": (
        ("src/A.cs", "N.Acc"),
        {
            "src/A.cs": CS,
            "src/B.cs": "using N;\n\nclass B\n{\n    int F() { return Acc.F(); }\n}\n",
            "src/C.cs": "namespace N\n{\n    public static partial class Acc\n    {\n    }\n}\n",
            "src/D.cs": "namespace O\n{\n    class Acc\n    {\n    }\n}\n",
        },
        {"src/B.cs": "return Acc.F();", "src/C.cs": "partial class Acc"},
    ),
    "kotlin": (
        ("src/A.kt", "shapely"),
        {
            "src/A.kt": "package n\n\nfun shapely(x: Int): Int = x\n",
            "web/C.kt": "package m\n\nimport n.shapely\n\nfun g(): Int = shapely(1)\n",
            "web/D.kt": "package m\n\nimport n.*\n\nfun h(): Int = shapely(1)\n",
            "web/q/E.kt": "package q\n\nfun shapely(): Int = 1\n\nfun h() = shapely()\n",
        },
        {"web/C.kt": "import n.shapely", "web/D.kt": "fun h()"},
    ),
    "php": (
        ("src/a.php", "shapely"),
        {
            "src/a.php": "<?php\nnamespace N;\nfunction shapely($x) { return $x; }\n",
            "lib/c.php": "<?php\nuse function N\\shapely;\necho shapely(1);\n",
            "lib/d.php": "<?php\necho \\N\\shapely(1);\n",
            "lib/e.php": "<?php\necho $x->shapely(1);\n",
        },
        {"lib/c.php": "use function N", "lib/d.php": "echo"},
    ),
}


@pytest.mark.parametrize("language", UNBOUND)
def test_where_names_are_not_known_for_sure_each_that_may_be_it_is_told(language: str) -> None:
    (path, symbol), files, told = UNBOUND[language]
    done = renamed(files, path, symbol, "formed")
    assert set(texts(done)) == {path} and done.left == []
    assert {each: told[each] in "\n".join(texts) for each, texts in done.leads.items()} == (
        dict.fromkeys(told, True)
    )
    assert not any(each in note for each in told for note in done.notes)


def test_what_may_be_a_use_in_a_file_that_nobody_edits_is_left() -> None:
    _, files, _ = UNBOUND["c"]
    files = {**files, "vendor/v.c": '#include "../src/a.h"\nint v(void) { return shapely(1); }\n'}
    done = renamed(files, "src/a.c", "shapely", "formed")
    assert [what for what, _ in done.left] == ["what may be its uses in vendor/v.c"]


STUBBED = {
    "lib/__init__.py": "from .a import shouted\n",
    "lib/__init__.pyi": "from .a import shouted as shouted\n",
    "lib/a.py": "def shouted(x):\n    return x\n\n\ndef other():\n    return 1\n",
    "lib/a.pyi": "def other() -> int: ...\ndef shouted(x: int) -> int: ...\n",
    "use.py": "from lib.a import shouted\n\nshouted(1)\n",
}


def test_a_stub_beside_what_is_renamed_is_told() -> None:
    done = renamed(STUBBED, "lib/a.py", "shouted", "cried")
    assert texts(done)["use.py"] == "from lib.a import cried\n\ncried(1)\n"
    for stub, line in (
        ("lib/a.pyi", "def shouted(x: int)"),
        ("lib/__init__.pyi", "import shouted"),
    ):
        named = stub in done.files or any(line in each for each in done.leads[stub])
        assert named, stub
    assert not done.left
    script = {
        "web/m.js": "export function shapely(x) { return x; }\n",
        "web/m.d.ts": "export function shapely(x: number): number;\n",
    }
    done = renamed(script, "web/m.js", "shapely", "formed")
    assert "this stub has it still: export function shapely" in done.leads["web/m.d.ts"][0]


def test_a_member_and_a_stub_that_nobody_edits() -> None:
    files = {
        "a.py": "class Shouter:\n    def loudly(self):\n        return 1\n",
        "a.pyi": "# @generated by a tool\nclass Shouter:\n    def loudly(self) -> int: ...\n",
    }
    done = renamed(files, "a.py", "Shouter.loudly", "softly")
    assert [what for what, _ in done.left] == ["loudly in a.pyi"]


@pytest.mark.parametrize("stub", ["lib/a.pyi", "lib/b.pyi"])
def test_a_definition_with_a_stub_on_either_side_is_not_moved(stub: str) -> None:
    files = {path: text for path, text in STUBBED.items() if path != "lib/a.pyi"}
    with pytest.raises(GiveUp, match="has a stub beside it"):
        moved({**files, stub: "x: int\n"}, "lib/a.py", "shouted", "lib/b.py")


def test_typescript_through_a_barrel_and_an_object() -> None:
    files = {
        "a.ts": "export function total(x: number) { return x; }\n",
        "b.ts": 'import { total as t, total } from "./a";\nexport { total };\n'
        "const y = { total, z: total(1) };\nconst q = [1, total, 2];\nt(1);\n",
        "c.ts": 'import { total } from "./b";\ntotal(3);\n',
    }
    assert texts(renamed(files, "a.ts", "total", "sum")) == {
        "a.ts": "export function sum(x: number) { return x; }\n",
        "b.ts": 'import { sum as t, sum } from "./a";\nexport { sum };\n'
        "const y = { total: sum, z: sum(1) };\nconst q = [1, sum, 2];\nt(1);\n",
        "c.ts": 'import { sum } from "./b";\nsum(3);\n',
    }


# Moves -------------------------------------------------------------------------------------------


def test_a_class_goes_with_its_comment_and_its_imports() -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": '"""A."""\n\nimport json\nfrom os import path, sep\n\nX = sep\n\n\n'
        "# Kept in order.\n@final\nclass Store:\n    def go(self):\n"
        "        return path.join(json.dumps(1))\n\n\ndef rest():\n    return Store()\n",
        "pkg/b.py": '"""B."""\n\nfrom os import sep\n\nY = sep\n',
        "pkg/use.py": "from pkg.a import (\n    X,\n    Store as S,\n)\n\nS(X)\n",
        "top.py": "from pkg.a import Store\n\nStore()\n",
    }
    with pytest.raises(GiveUp, match="imports everything"):
        moved(
            {**files, "pkg/a.py": "from x import *\n\n\nclass Store:\n    pass\n"},
            "pkg/a.py",
            "Store",
            "pkg/b.py",
        )
    made = texts(moved(files, "pkg/a.py", "Store", "pkg/b.py"))
    assert made == {
        "pkg/a.py": '"""A."""\n\nfrom os import sep\nfrom pkg.b import Store\n\nX = sep\n\n\n'
        "def rest():\n    return Store()\n",
        "pkg/b.py": '"""B."""\n\nfrom os import path, sep\nimport json\n\nY = sep\n\n\n'
        "# Kept in order.\n@final\nclass Store:\n    def go(self):\n"
        "        return path.join(json.dumps(1))\n",
        "pkg/use.py": "from pkg.a import X\nfrom pkg.b import Store as S\n\nS(X)\n",
        "top.py": "from pkg.b import Store\n\nStore()\n",
    }


LAZY = "from __future__ import annotations\n\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.py": "K = 1\n\n\ndef f():\n    return K\n"}, "it needs K"),
        (
            {"a.py": "def f():\n    pass\n", "c.py": "import a\n\nf = a.f()\n"},
            "by its module",
        ),
        (
            {
                "a.py": "def f():\n    pass\n",
                "c.py": "import a\n\n\ndef g():\n    a = h()\n    a.f()\n",
            },
            "by its module",
        ),
        ({"a.py": "def f():\n    pass\n", "b.py": "def f():\n    pass\n"}, "defines f already"),
        (
            {
                "a.py": "def f():\n    pass\n\n\nX = f()\n",
                "b.py": "import a\n\n\ndef h():\n    return a.X\n",
            },
            "imports a.py",
        ),
        (
            {"a.py": "def f():\n    pass\n", "b.py": "import a\n\n\ndef h():\n    a.f()\n"},
            "b.py uses it by its module",
        ),
        (
            {"a.py": "K = int\n\n\ndef f(x: K):\n    return x\n"},
            "it needs K",
        ),
        (
            {"a.py": f"{LAZY}K = int\n\n\n@route\ndef f(x: K):\n    return x\n"},
            "it needs K",
        ),
        (
            {"a.py": f"{LAZY}K = int\n\n\nclass f(Model):\n    x: K\n"},
            "it needs K",
        ),
        (
            {"a.py": f"{LAZY}K = int\n\n\ndef f(x: K):\n    return f'{{K}}'\n"},
            "it needs K",
        ),
        ({"a.py": "def f():\n    pass\n", "c.py": "from a import *\n\nf()\n"}, "without being"),
        (
            {"a.py": "try:\n    import x\nexcept ImportError:\n    x = 1\n\n\ndef f():\n    x()\n"},
            "it needs x",
        ),
        (
            {
                "a.py": "from json import loads\n\n\ndef f():\n    return loads('1')\n",
                "b.py": "from yaml import loads\n\n\ndef h():\n    return loads('1')\n",
            },
            "imports another loads",
        ),
        (
            {
                "a.py": "import json\n\n\ndef f():\n    return json.loads('1')\n",
                "b.py": "def json(x):\n    return x\n",
            },
            "has another json",
        ),
        (
            {
                "a.py": "def f():\n    pass\n",
                "b.py": "from other import f\n\n\ndef h():\n    return f()\n",
                "other.py": "def f():\n    pass\n",
            },
            "imports another f",
        ),
        (
            {"a.py": "def f():\n    return 1\n", "b.py": "from a import f\n\nX = f()\n"},
            "before its end",
        ),
        ({"a.py": "def f():\n    return __file__\n"}, "__file__"),
        ({"a.py": "N = 1\n\n\ndef f():\n    global N\n    N = 2\n"}, "global"),
        (
            {"a.py": "def f():\n    pass\n", "b.py": 'if __name__ == "__main__":\n    pass\n'},
            "code that runs",
        ),
        ({"a.py": "def f():\n    pass\n", "b.py": "'One quote.'\n\nX = 1\n"}, "a string"),
    ],
)
def test_half_a_move_is_none(files: Mapping[str, bytes | str], words: str) -> None:
    with pytest.raises(GiveUp, match=words):
        moved(files, "a.py", "f", "b.py")


STARRED = {
    "pkg/__init__.py": "from pkg.a import *  # noqa: F403\nfrom os import sep\n",
    "pkg/a.py": '__all__ = ["K", "m"]\n\n\nclass K:\n    pass\n\n\ndef m():\n    pass\n',
    "leaf.py": "from pkg.a import *\n\nm()\n",
    "use.py": "from pkg import K\nimport pkg\n\nprint(K, pkg.K)\n",
}


@pytest.mark.parametrize(
    ("listed", "after"),
    [
        ('["K", "m"]', '["m"]'),
        ("['m', 'K']", "['m']"),
        ("('m', \"K\",)", "('m',)"),
        ('["K"]', "[]"),
        ('[\n    "m",\n    "K",  # it\n    "é",\n]', '[\n    "m",\n    "é",\n]'),
        ('["m", "K",\n    "n"]', '["m",\n    "n"]'),
        ('["m"] + ["K"]\n__all__ += ["é", "K"]', '["m"] + []\n__all__ += ["é"]'),
        ('["m"]\n__all__.append("K")', '["m"]'),
    ],
)
def test_a_move_takes_a_name_out_of_what_is_listed(listed: str, after: str) -> None:
    files = {**STARRED, "pkg/a.py": STARRED["pkg/a.py"].replace('["K", "m"]', listed)}
    made = texts(moved(files, "pkg/a.py", "K", "pkg/k.py"))
    assert made["pkg/a.py"] == f"__all__ = {after}\n\n\ndef m():\n    pass\n"


@pytest.mark.parametrize(
    "listed",
    [
        '("K", "m")',  # one in brackets is no tuple
        '["""K"""]',
        '["m"]\nif m:\n    __all__.append("K")',
        '["m"]\n__all__.append(\n    "K"\n)',
        '["m", "K"]\n__all__.remove("K")',
    ],
)
def test_what_is_listed_in_an_odd_way_is_left(listed: str) -> None:
    files = {**STARRED, "pkg/a.py": STARRED["pkg/a.py"].replace('["K", "m"]', listed)}
    with pytest.raises(GiveUp, match="`__all__` lists K"):
        moved(files, "pkg/a.py", "K", "pkg/k.py")


@pytest.mark.parametrize("start", ["", '__all__ = ["K", "m"]\n\n\n'])
def test_who_hands_a_name_on_by_a_star_goes_on_to_offer_it(start: str) -> None:
    files = {**STARRED, "pkg/a.py": start + STARRED["pkg/a.py"].partition("\n\n\n")[2]}
    made = texts(moved(files, "pkg/a.py", "K", "pkg/k.py"))
    assert made["pkg/__init__.py"] == (
        "from pkg.a import *  # noqa: F403\nfrom pkg.k import K\nfrom os import sep\n"
    )
    assert set(made) == {"pkg/__init__.py", "pkg/a.py", "pkg/k.py"}


def test_a_name_that_its_old_file_still_imports_stays_listed() -> None:
    files = {
        **STARRED,
        "pkg/a.py": STARRED["pkg/a.py"].replace(
            "    pass\n\n\ndef m():\n    pass", "    pass\n\n\ndef m():\n    return K()"
        ),
    }
    made = texts(moved(files, "pkg/a.py", "K", "pkg/k.py"))
    assert '__all__ = ["K", "m"]' in made["pkg/a.py"] and "from pkg.k import K" in made["pkg/a.py"]
    assert "pkg/__init__.py" not in made


def test_a_star_in_a_block_is_left() -> None:
    files = {
        **STARRED,
        "pkg/__init__.py": "try:\n    from pkg.a import *\nexcept ImportError:\n    pass\n",
    }
    with pytest.raises(GiveUp, match="in a way that is not plain"):
        moved(files, "pkg/a.py", "K", "pkg/k.py")


def test_a_star_that_would_make_a_circle_is_left() -> None:
    files = {**STARRED, "pkg/k.py": "from pkg import sep\n\nX = sep\n"}
    with pytest.raises(GiveUp, match="which imports the old"):
        moved(files, "pkg/a.py", "K", "pkg/k.py")


def along(text: str, *planned: str) -> list[str]:
    """What goes with f of a.py, where these are planned to go, too."""
    made = overlay({"a.py": text})
    moves = [Move(path="a.py", symbol=name, to="b.py") for name in ("f", *planned)]
    with Provider(made.start.objects) as context:
        return [one.symbol for one in companions(moves[0], moves, context, made)]


PLAIN = ["1", "(1, -2.5e3)", '{"a": None}', "re.compile(r'x', re.I)", "frozenset({b'a', y})"]
MADE = ["Lock()", "os.environ", "y['a']", "[z for z in y]", "lambda: 1", "f'{Lock()}'"]


@pytest.mark.parametrize("value", [*PLAIN, *MADE])
def test_a_constant_goes_along_if_its_value_is_plain(value: str) -> None:
    start = "import os\nimport re\nfrom t import Lock, y\n\n"
    text = f"{start}K = {value}\n\n\ndef f():\n    return K\n"
    assert along(text) == (["K"] if value in PLAIN else [])


@pytest.mark.parametrize("rest", ["eval('1')", "globals()", "g('K + 1')", "# K is for f"])
def test_a_constant_that_something_may_name_stays(rest: str) -> None:
    text = "K = 1\n\n\ndef f():\n    return K\n\n\n"
    assert along(text) == ["K"] and along(f"{text}{rest}\n") == []


def test_what_a_move_needs_goes_before_it_in_whatever_order_it_stands() -> None:
    g, h = "def g():\n    return h()\n", "def h():\n    return 1\n"
    f = "def f():\n    return g() + h()\n"
    for pieces in ((f, g, h), (h, g, f), (g, f, h)):
        assert along("\n\n".join(pieces), "g", "h") == ["h", "g"]


def test_more_than_a_few_companions_are_left_to_a_node() -> None:
    names = [f"K{n}" for n in range(30)]
    text = "".join(f"{name} = 1\n" for name in names)
    with pytest.raises(GiveUp, match="more than 20 others"):
        along(f"{text}\n\ndef f():\n    return {' + '.join(names)}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "import os\nfrom pkg import a\n\n\ndef g():\n    return a.f() + a.f()\n",
            "import os\nfrom pkg.b import f\n\n\ndef g():\n    return f() + f()\n",
        ),
        (
            "import pkg.a\nimport sys\n\npkg.a.f(pkg.a.K)\n",
            "import pkg.a\nfrom pkg.b import f\nimport sys\n\nf(pkg.a.K)\n",
        ),
        (
            "import pkg.a\n\nX = pkg.a.f()\n\nfrom pkg.o import y\n",
            "import pkg.a\nfrom pkg.b import f\n\nX = f()\n\nfrom pkg.o import y\n",
        ),
        (
            "import pkg.a as text\n\ntext.f(text.K)  # text.f\n",
            "import pkg.a as text\nfrom pkg.b import f\n\nf(text.K)  # text.f\n",
        ),
        ("from . import a\n\na.f()\n", "from .b import f\n\nf()\n"),
    ],
)
def test_uses_by_the_module_become_uses_by_the_name(before: str, after: str) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "K = 1\n\n\ndef f(x=1):\n    return x\n",
        "pkg/c.py": before,
    }
    assert texts(moved(files, "pkg/a.py", "f", "pkg/b.py"))["pkg/c.py"] == after


def test_a_use_above_the_import_of_its_module_is_not_followed() -> None:
    files = {
        "a.py": "def f():\n    pass\n",
        "c.py": "def g():\n    return a.f()\n\n\nimport a\n\na.f()\n",
    }
    with pytest.raises(GiveUp, match=r"c\.py uses it by its module"):
        moved(files, "a.py", "f", "b.py")


@pytest.mark.parametrize("imports", ["import pkg.a", "from pkg import a as x", "from .a import K"])
def test_a_string_that_may_patch_the_old_module_is_told(imports: str) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "K = 1\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return f()\n",
        "pkg/t.py": f'{imports}\n\npatch(1, "f", None)\n',
        "pkg/u.py": 'print("f")\n',
    }
    done = moved(files, "pkg/a.py", "f", "pkg/b.py")
    (lead,) = done.leads.pop("pkg/t.py")
    assert lead.endswith('in a string: patch(1, "f", None)') and not done.leads
    both = {**files, "pkg/t.py": 'import pkg.a\n\npatch(pkg.a, "f", 1)\npkg.a.f()\n'}
    with pytest.raises(GiveUp, match="uses it by its module"):
        moved(both, "pkg/a.py", "f", "pkg/b.py")


CHECKED = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"


def test_what_annotations_alone_name_goes_under_type_checking() -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": f"{LAZY}import json\n{CHECKED}    from pkg.c import Deep\n\n\n"
        "class Kept:\n    pass\n\n\nclass Plain:\n    pass\n\n\n"
        'class Moved:\n    """Like Plain."""\n\n    kept: Kept | None = None\n\n'
        '    def go(self, deep: Deep) -> "Kept":\n        return json.loads("1")\n\n\n'
        "def use(moved: Moved) -> None:\n    moved.go(None)\n",
        "pkg/c.py": "from pkg.a import Moved\n\n\nclass Deep(Moved):\n    pass\n",
    }
    made = texts(moved(files, "pkg/a.py", "Moved", "pkg/b.py"))
    assert made["pkg/b.py"] == (
        f"{LAZY}import json\n{CHECKED}    from pkg.c import Deep\n    from pkg.a import Kept\n\n\n"
        'class Moved:\n    """Like Plain."""\n\n    kept: Kept | None = None\n\n'
        '    def go(self, deep: Deep) -> "Kept":\n        return json.loads("1")\n'
    )
    assert made["pkg/a.py"].startswith(
        f"{LAZY}{CHECKED}    from pkg.b import Moved\n\n\nclass Kept"
    )
    assert made["pkg/c.py"].startswith("from pkg.b import Moved\n")


@pytest.mark.parametrize(
    ("moved_code", "rest"),
    [
        ("@dataclass\nclass f:\n    x: K\n", ""),
        ("class f(NamedTuple):\n    x: K\n", ""),
        ("class f(TypedDict):\n    x: K\n", ""),
        ("def f(x: K):\n    pass\n", "register(f)\n"),
        ("def f(x: K):\n    pass\n", "TABLE = [1, f]\n"),
        ("def f():\n    def g(x: K):\n        pass\n\n    return g\n", ""),
        ("class f:\n    x: K\n", "register(f)\n"),
        ("class f:\n    x: K\n", "TABLE = [1, f]\n"),
        ("class f:\n    x: K\n\n\nHINTS = get_type_hints(get('f'))\n", ""),
        ("def f():\n    class G:\n        x: K\n\n    return G\n", ""),
    ],
)
def test_annotations_that_others_may_read_need_their_names(moved_code: str, rest: str) -> None:
    files = {
        "a.py": f"{LAZY}class K:\n    pass\n\n\n{moved_code}",
        "c.py": f"from a import f\n\n{rest}",
    }
    with pytest.raises(GiveUp, match="it needs K"):
        moved(files, "a.py", "f", "b.py")


def test_a_function_that_is_handed_on_has_its_types_imported_to_run() -> None:
    files = {
        "a.py": f"{LAZY}class F:\n    pass\n\n\ndef g(x: F):\n    pass\n",
        "c.py": "import a\n\nregister(a.g)\n",
    }
    made = texts(moved(files, "a.py", "F", "b.py"))
    assert "annotations\nfrom b import F\n" in made["a.py"]
    assert "TYPE_CHECKING" not in made["a.py"]


def test_a_back_reference_of_types_makes_no_circle() -> None:
    files = {
        "a.py": f"{LAZY}import os\n\n\nclass F:\n    pass\n\n\ndef g(x: F):\n    return os.sep\n",
        "b.py": f"{LAZY}from a import g\n\n\ndef h():\n    return g(None)\n",
    }
    made = texts(moved(files, "a.py", "F", "b.py"))
    assert made["a.py"] == (
        f"{LAZY}import os\n{CHECKED}    from b import F\n\n\ndef g(x: F):\n    return os.sep\n"
    )
    running = {**files, "a.py": files["a.py"] + "\n\nG = F\n"}
    with pytest.raises(GiveUp, match=r"imports a\.py"):
        moved(running, "a.py", "F", "b.py")


def test_what_an_attribute_is_called_ties_nothing_to_its_file() -> None:
    body = "def f(x):\n    return x.__class__.__name__\n"
    made = texts(moved({"a.py": f"{body}\n\nX = 1\n", "b.py": ""}, "a.py", "f", "b.py"))
    assert made["b.py"] == body


def test_an_import_goes_in_among_imports_and_not_into_a_string() -> None:
    query = 'SQL = """\nselect total\nfrom orders\n"""\n'
    files = {
        "a.py": f"{query}\n\ndef f():\n    return 1\n\n\ndef g():\n    return f()\n",
        "b.py": "X = 1\n",
    }
    made = texts(moved(files, "a.py", "f", "b.py"))["a.py"]
    assert made.startswith("from b import f\n")
    assert query in made


def test_an_import_that_somebody_still_needs_stays() -> None:
    files = {
        "a.py": "import os.path\nfrom decimal import Decimal\n\n\n"
        "def f():\n    return Decimal(len(os.path.sep))\n\n\ndef g():\n    return os.getcwd()\n",
        "b.py": "",
        "c.py": "from a import Decimal, g\n\ng(Decimal(1))\n",
    }
    made = texts(moved(files, "a.py", "f", "b.py"))
    assert "import os.path\n" in made["a.py"]
    assert "from decimal import Decimal\n" in made["a.py"]


def test_other_languages_are_left_to_nodes() -> None:
    with pytest.raises(GiveUp, match="only definitions of Python"):
        moved({"a.ts": "export function f() {}\n"}, "a.ts", "f", "b.ts")


# Statements --------------------------------------------------------------------------------------


def test_statements_are_taken_apart_only_where_they_are_plain() -> None:
    text = "import os\nfrom a import (\n    b,\n    c as d,\n)\nx = 1\n"
    assert from_import(text, 4).names == (("b", ""), ("c", "d"))
    assert (
        redirected(text, 2, "c", "e") == "import os\nfrom a import b\nfrom e import c as d\nx = 1\n"
    )
    assert dropped("from a import b\nx = 1\n", 1, "b") == "x = 1\n"
    for odd in (
        "from a import *\n",
        "from a import b, \\\n    c\n",
        "from a import (  # x\n  b)\n",
    ):
        with pytest.raises(GiveUp):
            from_import(odd, 1)


def test_imports_are_added_where_imports_stand() -> None:
    assert with_imports('"""A."""\n\nx = 1\n', ["import a"], 0) == '"""A."""\n\nimport a\n\nx = 1\n'
    assert with_imports("x = 1\n", ["import a"], 0) == "import a\n\nx = 1\n"
    assert with_imports("import b\nx = 1\n", ["import a"], 1) == "import b\nimport a\nx = 1\n"


@pytest.mark.parametrize(
    ("top", "statement", "after"),
    [
        ("from a.b import x\nfrom a.d import y\n", "from a.c import z",
         "from a.b import x\nfrom a.c import z\nfrom a.d import y\n"),
        ("import os\nfrom a.b import x\nfrom q import y\n", "from a.c import z",
         "import os\nfrom a.b import x\nfrom a.c import z\nfrom q import y\n"),
        ("from a import MOST, Shelf, cut\n", "from a import Book", "from a import MOST, Book, Shelf, cut\n"),
        ("from a import cut, Shelf\n", "from a import Book", "from a import cut, Shelf, Book\n"),
        ("from a import cut\n", "from a import cut", "from a import cut\n"),
        ("from .b import x\nfrom .d import y\n", "from .c import z",
         "from .b import x\nfrom .c import z\nfrom .d import y\n"),
        # Where no place is plain it goes behind the last import: what is between may have to run
        # first, and who gives the same name last has the say.
        ("from a.b import x\nx()\nfrom a.d import y\n", "from a.c import z",
         "from a.b import x\nx()\nfrom a.d import y\nfrom a.c import z\n"),
        ("from a.b import x\nfrom a.d import z\n", "from a.c import z",
         "from a.b import x\nfrom a.d import z\nfrom a.c import z\n"),
        ("from a.b import x\nimport os\nfrom a.d import y\n", "from a.c import z",
         "from a.b import x\nimport os\nfrom a.c import z\nfrom a.d import y\n"),
        ("from a.d import x\nfrom a.b import y\n", "from a.c import z",
         "from a.d import x\nfrom a.b import y\nfrom a.c import z\n"),
        ("from a.b import x\n\nfrom a.d import y\n", "from a.c import z",
         "from a.b import x\n\nfrom a.d import y\nfrom a.c import z\n"),
        ("from a.b import x  # noqa\n", "from a.b import z", "from a.b import x  # noqa\nfrom a.b import z\n"),
        ("from a.b import (  # all\n    x,\n)\n", "from a.b import z",
         "from a.b import (  # all\n    x,\n)\nfrom a.b import z\n"),
        ('"""Read\nfrom a.b import x\n"""\nfrom q import y\n', "from a.b import z",
         '"""Read\nfrom a.b import x\n"""\nfrom q import y\nfrom a.b import z\n'),
    ],
)  # fmt: skip
def test_an_added_import_is_in_order_where_the_others_are(
    top: str, statement: str, after: str
) -> None:
    lines = top.split("\n")
    last = max(at for at, line in enumerate(lines, 1) if line.startswith(("from", "import")))
    assert with_imports(f"{top}\nx = 1\n", [statement], last) == f"{after}\nx = 1\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("from a.m import f, g\nfrom a.z import q\n", "from a.b import f\nfrom a.m import g\nfrom a.z import q\n"),
        ("from a.a import q\nfrom a.m import f\nx = 1\n", "from a.a import q\nfrom a.b import f\nx = 1\n"),
        ("from a.b import e\nfrom a.m import f\n", "from a.b import e, f\n"),
        ("from a.m import f\nfrom a.b import e\n", "from a.b import e, f\n"),
        ("from a.m import f\n\nuse(f)\nfrom a.b import e\n", "from a.b import f\n\nuse(f)\nfrom a.b import e\n"),
        ("from a.fast import f\nfrom a.m import f\n", "from a.fast import f\nfrom a.b import f\n"),
        ("from a.c import go\ngo()\nfrom a.m import e, f\n", "from a.c import go\ngo()\nfrom a.m import e\nfrom a.b import f\n"),
        ("def n():\n    from a.m import f\n    f()\n", "def n():\n    from a.b import f\n    f()\n"),
        ("from a.m import f  # noqa\n", "from a.b import f  # noqa\n"),
    ],
)  # fmt: skip
def test_an_import_that_follows_a_move_is_in_order_where_the_others_are(
    text: str, after: str
) -> None:
    line = next(at for at, one in enumerate(text.split("\n"), 1) if "a.m" in one)
    assert redirected(text, line, "f", "a.b") == after


@pytest.mark.parametrize(
    ("top", "statement", "after"),
    [
        ("from a import cut\nfrom a import paste\n", "from a import keep",
         "from a import cut\nfrom a import keep\nfrom a import paste\n"),
        ("from a import MOST\nfrom a import Shelf\nfrom a import cut\n", "from a import Book",
         "from a import MOST\nfrom a import Book\nfrom a import Shelf\nfrom a import cut\n"),
        ("from a import cut\nfrom a import Book\n", "from a import bind",
         "from a import cut\nfrom a import Book\nfrom a import bind\n"),
        ("from a import cut  # noqa\nfrom b import x\n", "from a import keep",
         "from a import cut  # noqa\nfrom a import keep\nfrom b import x\n"),
        ("from a import cut\n", "from a import cut", "from a import cut\n"),
        ("from a import cut  # noqa\n", "from a import cut", "from a import cut  # noqa\n"),
        ("from a import cut, paste\n", "from a import keep", "from a import cut, keep, paste\n"),
        ("from a.b import x\nfrom a.d import y\n", "from a.c import z",
         "from a.b import x\nfrom a.c import z\nfrom a.d import y\n"),
    ],
)  # fmt: skip
def test_an_added_import_has_a_line_of_its_own_where_each_name_has_one(
    top: str, statement: str, after: str
) -> None:
    lines = top.split("\n")
    last = max(at for at, line in enumerate(lines, 1) if line.startswith(("from", "import")))
    done = with_imports(f"{top}\nx = 1\n", [statement], last, single=True)
    assert done == f"{after}\nx = 1\n"
    text = "from a.m import b\nfrom a.x import a\nfrom a.x import c\n"
    done = redirected(text, 1, "b", "a.x", single=True)
    assert done == "from a.x import a\nfrom a.x import b\nfrom a.x import c\n"


STYLES = {
    "its own, each on a line": ("from x import a\nfrom x import b\n", {}, True),
    "its own, together": ("from x import a, b\n", {"pkg/c.py": "from y import a\nfrom y import b\n"}, False),
    "its own, together in brackets": ("from x import (\n    a,\n    b,\n)\n", {}, False),
    "mostly each on a line": (
        "from t import A, B\nfrom x import a\nfrom x import b\nfrom x import c\n", {}, True),
    "that of the files beside it": ("", {"pkg/c.py": "from y import a\nfrom y import b\n"}, True),
    "those of its folder before those above": ("from x import a\n", {
        "pkg/c.py": "from y import a, b\n", "d.py": "from y import a\nfrom y import b\n"}, False),
    "those above where its folder says nothing": ("", {
        "pkg/c.py": "from y import a\n", "d.py": "from y import a\nfrom y import b\n"}, True),
    "what a string says is none": ('"""\nfrom x import a\nfrom x import b\n"""\n', {}, False),
    "of the future is no style": ("from __future__ import a, b\nfrom x import a\nfrom x import b\n", {}, True),
    "nothing says anything": ("", {}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", STYLES)
def test_how_names_of_one_module_are_written_is_told_by_the_nearest_that_tell(case: str) -> None:
    text, others, single = STYLES[case]
    assert one_a_line("pkg/new.py", text, overlay({"pkg/new.py": text, **others})) is single


def test_imports_of_a_move_are_written_as_the_files_around_write_theirs() -> None:
    files = {
        "pkg/__init__.py": "from .a import f as f\nfrom .a import g as g\n",
        "pkg/a.py": "from __future__ import annotations\n\n\nclass Some:\n    pass\n\n\nclass Other:\n"
        "    pass\n\n\ndef f(one: Some) -> Other:\n    return one.other\n\n\ndef g():\n    return 1\n",
        "use.py": "from pkg.b import a\nfrom pkg.b import z\nfrom pkg.a import f\n\nf(a, z)\n",
        "pkg/b.py": "from __future__ import annotations\n\na = z = 1\n",
    }
    made = texts(moved(files, "pkg/a.py", "f", "pkg/b.py"))
    assert made["use.py"] == (
        "from pkg.b import a\nfrom pkg.b import f\nfrom pkg.b import z\n\nf(a, z)\n"
    )
    assert "    from .a import Other\n    from .a import Some\n" in made["pkg/b.py"].replace(
        "from pkg.a", "from .a"
    )


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("import os\n\nA = 1\n\n\ndef g():\n    pass\n", "import os\n\n\ndef g():\n    pass\n"),
        ("A = 1\nB = 2\n\n\ndef g():\n    pass\n", "B = 2\n\n\ndef g():\n    pass\n"),
        ("B = 2\nA = 1\n\n\ndef g():\n    pass\n", "B = 2\n\n\ndef g():\n    pass\n"),
        ("B = 2\nA = 1\nC = 3\n", "B = 2\nC = 3\n"),
        ("import os\n\nA = 1\nC = 3\n", "import os\n\nC = 3\n"),
    ],
)
def test_no_more_and_no_fewer_empty_lines_are_left_than_there_were(text: str, after: str) -> None:
    assert texts(moved({"a.py": text, "b.py": "X = 1\n"}, "a.py", "A", "b.py"))["a.py"] == after


def test_an_import_with_a_comment_stays_and_the_definition_goes() -> None:
    files = {
        "a.py": "import json  # noqa: I001\n\n\ndef f():\n    return json.dumps(1)\n\n\nX = 1\n",
        "b.py": "Y = 1\n",
    }
    made = texts(moved(files, "a.py", "f", "b.py"))
    assert made["a.py"] == "import json  # noqa: I001\n\n\nX = 1\n"
    assert made["b.py"].startswith("import json\n")


def test_the_import_of_a_module_goes_where_a_sorted_one_came_before_it() -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "def f():\n    return 1\n",
        "pkg/b.py": "Y = 1\n",
        "use.py": "from pkg.c import z\nfrom pkg.d import w\nimport pkg.a as m\n\nz(m.f(), w)\n",
        "pkg/c.py": "def z(*_):\n    pass\n",
        "pkg/d.py": "w = 1\n",
    }
    made = texts(moved(files, "pkg/a.py", "f", "pkg/b.py"))
    assert made["use.py"] == (
        "from pkg.b import f\nfrom pkg.c import z\nfrom pkg.d import w\n\nz(f(), w)\n"
    )
