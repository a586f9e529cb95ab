"""Questions about small trees, through the real sketches, parsers, links and judges."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from reviewer.context.end import AHEAD
from reviewer.context.provider import LOOKED_AT, Provider
from reviewer.context.values import Answer, Certainty, Used
from reviewer.errors import GiveUp
from reviewer.parsing.symbols import UseKind
from reviewer.ports import NoSuchFile
from tests.reviewer.context.memory import MemoryObjects, sha_of

EXACT, LIKELY, NAME = Certainty.EXACT, Certainty.LIKELY, Certainty.NAME

SHOP: Mapping[str, str] = {
    "shop/__init__.py": "from .cart import Cart as Cart\nfrom .prices import total\n",
    "shop/cart.py": (
        "from shop.prices import total as sum_up\n"
        "\n"
        "class Cart:\n"
        "    def add(self, item): self.items.append(item)\n"
        "    def price(self): return sum_up(self.items)\n"
        "    def twice(self): self.add(1); self.add(2)\n"
    ),
    "shop/prices.py": "def total(items):\n    return sum(items)\n\nRATE = 3\n",
    "shop/gift.py": (
        "from shop import cart\n"
        "class Gift(cart.Cart):\n"
        "    def wrap(self): self.add('paper')\n"
        "class Silent(cart.Cart):\n"
        "    def add(self, item): pass\n"
    ),
    "shop/web.py": (
        "import shop\n"
        "from shop import Cart\n"
        "def view(request, basket):\n"
        "    cart = Cart()\n"
        "    cart.add(request)\n"
        "    basket.add(request)\n"
        "    return shop.total([1])\n"
    ),
    "other/tags.py": "def total(x): return x\nseen = set()\nseen.add(total(1))\n",
    "tests/test_cart.py": (
        "from shop.cart import Cart\ndef test_add():\n    c = Cart()\n    c.add(1)\n"
    ),
}


@contextmanager
def provider(files: Mapping[str, str | bytes], **more: object) -> Iterator[Provider]:
    with Provider(MemoryObjects(files), **more) as found:  # type: ignore[arg-type]
        yield found


def places(answer: Answer[Used], *certainties: Certainty) -> list[tuple[str, int]]:
    return [
        (each.path, each.use.line)
        for each in answer.items
        if not certainties or each.certainty in certainties
    ]


def test_uses_of_a_function_through_aliases_packages_and_modules() -> None:
    with provider(SHOP) as shop:
        found = shop.references("total", "shop/prices.py")
    assert set(places(found, EXACT)) == {
        ("shop/cart.py", 1),
        ("shop/cart.py", 5),
        ("shop/__init__.py", 2),
        ("shop/web.py", 7),
    }
    others = [each for each in found.items if each.path == "other/tags.py"]
    assert {each.certainty for each in others} == {NAME}
    assert found.items[-1].path == "other/tags.py"
    assert found.total == len(found.items)
    texts = {(each.path, each.use.line): each.text for each in found.items}
    assert texts["shop/web.py", 7] == "return shop.total([1])"


def test_uses_of_a_method_by_self_by_type_by_heirs() -> None:
    with provider(SHOP) as shop:
        found = shop.references("Cart.add", "shop/cart.py")
    order = places(found)
    assert places(found, EXACT) == [("shop/cart.py", 6), ("shop/gift.py", 3)]
    assert set(places(found, LIKELY)) == {("shop/web.py", 5), ("tests/test_cart.py", 4)}
    assert [each.certainty for each in found.items if each.use.line == 6] == [EXACT, NAME]
    assert order.index(("shop/web.py", 6)) < order.index(("other/tags.py", 3))


def test_what_a_file_means_by_a_name() -> None:
    with provider(SHOP) as shop:
        by_import = shop.definition("total", "shop/web.py")
        by_package = shop.definition("Cart", "shop/web.py")
        unknown = shop.definition("total")
        member = shop.definition("Cart.add", "tests/test_cart.py")
        nothing = shop.definition("no_such_name", "shop/web.py")
    assert [(each.path, each.certainty) for each in by_package.items] == [("shop/cart.py", EXACT)]
    assert {each.path for each in unknown.items} == {"shop/prices.py", "other/tags.py"}
    assert by_import.total == 2
    assert member.items[0].path == "shop/cart.py"
    assert member.items[0].definition.start == 4
    assert nothing == Answer()


OWNED: Mapping[str, str] = {
    "shop/base.py": "class Base:\n    def start(self): pass\n    def stop(self): pass\n",
    "shop/app.py": (
        "from shop.base import Base\n"
        "class App(Base):\n"
        "    def run(self): self.start(); self.stop(); self.none()\n"
        "    def stop(self): super().stop()\n"
    ),
    "shop/views.py": (
        "from __future__ import annotations\n"
        "import typing as t\n"
        "if t.TYPE_CHECKING:\n"
        "    from shop.app import App\n"
        'def show(app: "App", other): app.run(); other.run(); app.start()\n'
    ),
    "box/a.go": "package box\n\nfunc (b *Box) A() { b.B(); help(b); b.db.Find() }\n",
    "box/b.go": "package box\n\ntype Box struct {\n\tdb *DB\n}\n\nfunc (b *Box) B() {}\n\nfunc help(b *Box) {}\n",
    "box/c.go": "package box\n\ntype DB struct{}\n\nfunc (d DB) Find() {}\n",
    "shop/till.py": (
        "from shop.app import App\n"
        "class Till:\n"
        "    def __init__(self, app: App): self.app = app\n"
        "    def open(self, other): self.app.run(); other.app.run()\n"
    ),
    "far/b.go": "package far\n\nfunc help() {}\n\ntype Box struct{}\n\nfunc (b Box) B() {}\n",
}


@pytest.mark.parametrize(
    ("path", "use", "meant"),
    [
        ("shop/app.py", "self.start", [("shop/base.py", 2, EXACT)]),
        ("shop/app.py", "self.stop", [("shop/app.py", 4, EXACT)]),
        ("shop/app.py", "super().stop", [("shop/base.py", 3, EXACT)]),
        ("shop/app.py", "self.none", []),
        ("shop/views.py", "app.run", [("shop/app.py", 3, LIKELY)]),
        ("shop/views.py", "app.start", [("shop/base.py", 2, LIKELY)]),
        ("shop/views.py", "other.run", []),
        ("shop/till.py", "self.app.run", [("shop/app.py", 3, LIKELY)]),
        ("shop/till.py", "other.app.run", []),
        ("box/a.go", "b.B", [("box/b.go", 7, LIKELY)]),
        ("box/a.go", ".help", [("box/b.go", 9, EXACT)]),
        ("box/a.go", "b.db.Find", [("box/c.go", 5, LIKELY)]),
    ],
)
def test_what_a_use_means_by_its_receiver(
    path: str, use: str, meant: list[tuple[str, int, Certainty]]
) -> None:
    receiver, _, name = use.rpartition(".")
    with provider(OWNED) as shop:
        (found,) = [
            each
            for each in shop.extraction(path).what.uses
            if (each.receiver, each.name, each.kind) == (receiver, name, UseKind.CALL)
        ]
        answer = shop.meant_by(found, path)
    assert [(each.path, each.definition.start, each.certainty) for each in answer] == meant


def test_classes_that_extend_each_other_have_no_member_of_a_name() -> None:
    files = {"a.py": "class A(B): pass\nclass B(A):\n    def f(self): self.g()\n"}
    with provider(files) as shop:
        (use,) = [each for each in shop.extraction("a.py").what.uses if each.name == "g"]
        assert shop.meant_by(use, "a.py") == ()
        assert shop.meant_by(use, "b.py") == ()


def test_callers_of_callers() -> None:
    files = {
        "a.py": "def low(): pass\n",
        "b.py": "from a import low\ndef middle(): low()\n",
        "c.py": "from b import middle\ndef high(): middle()\n",
        "d.py": "from c import high\ndef top(): high()\n",
    }
    with provider(files) as code:
        one = code.callers("low", "a.py")
        three = code.callers("low", "a.py", depth=3)
    assert places(one) == [("b.py", 2)]
    assert places(three) == [("b.py", 2), ("c.py", 2), ("d.py", 2)]
    assert three.items[2].why == "3 steps up: calls high"


def test_callers_that_call_each_other_end() -> None:
    files = {"a.py": "def f(): g()\ndef g(): f()\n"}
    with provider(files) as code:
        found = code.callers("f", "a.py", depth=4)
    assert {each.use.line for each in found.items} == {1, 2}


def test_implementations_of_classes_and_methods() -> None:
    with provider(SHOP) as shop:
        classes = shop.implementations("Cart", "shop/cart.py")
        methods = shop.implementations("Cart.add", "shop/cart.py")
    assert {each.definition.name for each in classes.items} == {"Gift", "Silent"}
    assert [(each.path, each.definition.start) for each in methods.items] == [("shop/gift.py", 5)]


def test_imports_and_importers() -> None:
    with provider(SHOP) as shop:
        imports = shop.imports("shop/web.py")
        importers = shop.importers("shop/cart.py")
        of_package = shop.importers("shop/__init__.py")
        with pytest.raises(NoSuchFile):
            shop.importers("shop/none.py")
        with pytest.raises(NoSuchFile):
            shop.imports("shop/none.py")
    assert [each.to.files[0] for each in imports.items] == ["shop/__init__.py"] * 2
    assert {each.path for each in importers.items} == {
        "shop/__init__.py",
        "shop/gift.py",
        "tests/test_cart.py",
    }
    assert importers.items[-1].path == "tests/test_cart.py"
    assert {each.path for each in of_package.items} >= {"shop/web.py", "shop/gift.py"}


def test_tests_of_a_file_and_of_a_name() -> None:
    with provider(SHOP) as shop:
        of_file = shop.tests_for("shop/cart.py")
        of_name = shop.tests_for("Cart.add")
        of_nothing = shop.tests_for("shop/prices.py")
    assert [(each.path, each.why) for each in of_file.items] == [
        ("tests/test_cart.py", "by its name")
    ]
    assert [(each.path, each.line, each.scope) for each in of_name.items] == [
        ("tests/test_cart.py", 4, "test_add")
    ]
    assert of_nothing.items == ()


LANGUAGES = {
    "typescript": (
        {
            "src/cart.ts": "export class Cart { add(item: string) { return this.add(item) } }\n",
            "src/index.ts": "export * from './cart'\n",
            "src/web.ts": "import { Cart } from '.'\nconst c = new Cart()\nc.add('x')\n",
            "src/set.ts": "const s = new Set()\ns.add('x')\n",
        },
        "Cart.add",
        "src/cart.ts",
        [("src/cart.ts", 1), ("src/web.ts", 3)],
    ),
    "go": (
        {
            "go.mod": "module example.com/shop\n",
            "cart/cart.go": "package cart\ntype Cart struct{}\nfunc New() *Cart { return &Cart{} }\n"
            "func (c *Cart) Add(s string) { c.Add(s) }\n",
            "cart/more.go": "package cart\nfunc Two() { New() }\n",
            "web/web.go": 'package web\nimport "example.com/shop/cart"\n'
            'func View(c *cart.Cart) { c.Add("x"); cart.New() }\n',
            "list/list.go": "package list\ntype List struct{}\nfunc New() *List { return nil }\n",
        },
        "New",
        "cart/cart.go",
        [("web/web.go", 3), ("cart/more.go", 2)],
    ),
    "java": (
        {
            "src/main/java/a/Cart.java": "package a;\npublic class Cart { void add(String s) {} }\n",
            "src/main/java/a/Gift.java": "package a;\nclass Gift extends Cart {\n"
            '  void wrap() { add("x"); }\n}\n',
            "src/main/java/b/Web.java": "package b;\nimport a.Cart;\nclass Web {\n"
            '  void view(Cart cart) {\n    cart.add("x");\n  }\n}\n',
            "src/main/java/b/Other.java": "package b;\nclass Other {\n"
            '  void go(java.util.Set s) { s.add("x"); }\n}\n',
        },
        "Cart.add",
        "src/main/java/a/Cart.java",
        [("src/main/java/a/Gift.java", 3), ("src/main/java/b/Web.java", 5)],
    ),
    "ruby": (
        {
            "lib/cart.rb": "class Cart\n  def add(item)\n  end\n  def two\n    add(1)\n  end\nend\n",
            "lib/web.rb": "require 'cart'\nclass Web\n  def view\n    cart = Cart.new\n"
            "    cart.add(1)\n  end\nend\n",
            "lib/other.rb": "class Other\n  def add(x)\n  end\n  def go\n    add(2)\n  end\nend\n",
        },
        "Cart.add",
        "lib/cart.rb",
        [("lib/cart.rb", 5), ("lib/web.rb", 5)],
    ),
    "rust": (
        {
            "Cargo.toml": '[package]\nname = "shop"\n',
            "src/lib.rs": "pub mod prices;\npub mod web;\n",
            "src/prices.rs": "pub fn total(x: i32) -> i32 { x }\n",
            "src/web.rs": "use crate::prices::total;\npub fn view() {\n    total(1);\n}\n",
            "src/own.rs": "fn total() {}\nfn go() {\n    total();\n}\n",
        },
        "total",
        "src/prices.rs",
        [("src/web.rs", 1), ("src/web.rs", 3)],
    ),
    "php": (
        {
            "composer.json": '{"autoload": {"psr-4": {"App\\\\": "src/"}}}',
            "src/Cart.php": "<?php\nnamespace App;\nclass Cart { function add($x) {} }\n",
            "src/Web.php": "<?php\nnamespace App\\Web;\nuse App\\Cart;\nclass Web {\n"
            "  function view(Cart $cart) {\n    $cart->add(1);\n  }\n}\n",
        },
        "Cart.add",
        "src/Cart.php",
        [("src/Web.php", 6)],
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_surest_uses_come_first(language: str) -> None:
    files, name, near, first = LANGUAGES[language]
    with provider(files) as code:
        found = code.references(name, near)
    assert set(places(found)[: len(first)]) == set(first)
    assert {each.certainty for each in found.items[: len(first)]} <= {EXACT, LIKELY}
    assert all(each.certainty is NAME for each in found.items[len(first) :])


def test_both_ends_of_a_change() -> None:
    objects = MemoryObjects(
        {"a.py": "def new(): pass\n", "b.py": "from a import new\nnew()\n"},
        {"a.py": "def old(): pass\n", "b.py": "from a import old\nold()\n"},
    )
    with Provider(objects) as code:
        assert places(code.references("new", "a.py")) == [("b.py", 2), ("b.py", 1)]
        assert code.references("old", "a.py").total == 0
        assert places(code.references("old", "a.py", at="base")) == [("b.py", 2), ("b.py", 1)]
        assert [d.path for d in code.definition("old", at="base").items] == ["a.py"]


def test_what_is_parsed_once_is_read_from_the_file(tmp_path: Path) -> None:
    cache = tmp_path / "context.db"
    first, second = MemoryObjects(SHOP), MemoryObjects({**SHOP, "new.py": "import shop\n"})
    with Provider(first, cache) as code:
        before = code.references("Cart.add", "shop/cart.py")
    with Provider(second, cache) as code:
        assert code.references("Cart.add", "shop/cart.py") == before
    assert len(set(first.asked)) == len(SHOP)
    assert set(second.asked) == {sha_of(b"import shop\n")}


def test_a_name_that_is_everywhere_is_bounded_and_says_so() -> None:
    files = {f"p{n // 50}/m{n}.py": "x.run()\n" * 20 for n in range(LOOKED_AT + 60)}
    files["p3/core.py"] = "class Core:\n    def run(self): pass\n"
    files["p3/user.py"] = "from p3.core import Core\nc = Core()\nc.run()\n"
    with provider(files) as code:
        found = code.references("Core.run", "p3/core.py", limit=10)
    assert len(found.items) == 10
    assert places(found)[0] == ("p3/user.py", 3)
    assert found.total > 1_900
    assert found.notes == ("62 more files may have it and were not looked at.",)


def test_a_name_used_100_000_times_in_one_file() -> None:
    files = {"a.py": "def hot(): pass\n", "b.py": "from a import hot\n" + "hot()\n" * 100_000}
    began = time.monotonic()
    with provider(files) as code:
        found = code.references("hot", "a.py", limit=5)
    assert time.monotonic() - began < 60
    assert len(found.items) == 5
    assert found.total > 10_000


ODD = {
    "bytes.py": b"def caf\xe9(): pass\nreal()\n\xff\xfe",
    "minified.js": b"var a=1;" + b"real(1);" * 60_000,
    "deep.py": b"(" * 10_000 + b"real()" + b")" * 10_000,
    "broken.py": b"def f(:\n  real(\n",
    "empty.py": b"",
    "data.bin": bytes(range(256)) * 10,
    "thing.cobol": b"CALL real.",
    "na\udce9me.py": b"real()\n",
    "big.py": b"real()\n" + b"# " + b"x" * 1_100_000,
}


def test_odd_files_cost_themselves_only() -> None:
    files = {**ODD, "real.py": b"def real(): pass\n", "use.py": b"from real import real\nreal()\n"}
    with provider(files) as code:
        found = code.references("real", "real.py", limit=3)
        assert places(found)[:2] == [("use.py", 2), ("use.py", 1)]
        assert "Not looked at: big.py (it is larger than 1 MB)." in found.notes
        assert code.extraction("thing.cobol").missing
        assert code.extraction("data.bin").missing
        assert code.extraction("big.py").missing == "it is larger than 1 MB"
        assert code.extraction("empty.py").missing == ""
        assert code.mentioning(("real",))["real"] == tuple(
            sorted(set(files) - {"empty.py", "data.bin", "thing.cobol"})
        )


def test_a_parser_that_crashes_is_said(tmp_path: Path) -> None:
    files = {
        "A.java": "class A { void real() {} }\n",
        "Hostile.java": "class H { Object real = " + "a=>" * 20_000 + "1; }\n",
        "B.java": "class B { void go(A a) { a.real(); } }\n",
    }
    for _ in range(2):  # the second time without parsing
        with provider(files, cache=tmp_path / "context.db") as code:
            found = code.references("A.real", "A.java")
        assert places(found)[0] == ("B.java", 1)


def test_a_blob_that_is_missing_is_said() -> None:
    objects = MemoryObjects(SHOP)
    objects.gone = {sha_of(SHOP["shop/web.py"].encode())}
    with Provider(objects) as code:
        found = code.references("Cart.add", "shop/cart.py")
        assert "shop/web.py" not in {each.path for each in found.items}
        assert found.notes == ("Not looked at: shop/web.py (its content is not here).",)
        assert [each.path for each in code.unread()] == ["shop/web.py"]


def test_where_most_is_missing_the_answer_is_refused() -> None:
    objects = MemoryObjects({f"m{n}.py": f"x = {n}\n" for n in range(50)})
    objects.gone = {sha_of(f"x = {n}\n".encode()) for n in range(30)}
    with Provider(objects) as code:
        with pytest.raises(GiveUp, match="30 of 50 source files could not be fetched"):
            code.references("x")
        assert code.extraction("m40.py").what.definitions  # needs no other
        assert code.extraction("m1.py").missing == "its content is not here"


def test_blobs_come_in_few_batches() -> None:
    objects = MemoryObjects({**SHOP, "package.json": "{}", "web/tsconfig.json": "{}"})
    with Provider(objects) as code:
        code.references("Cart.add", "shop/cart.py")
        code.importers("shop/cart.py")
    wanted = [batch for batch in objects.brought if batch]
    assert len(wanted) == 2  # the settings and the sources
    assert {sha_of(data.encode()) for data in SHOP.values()} in map(set, wanted)


def test_what_extends_a_class_of_its_own_file_extends_no_namesake() -> None:
    files = {
        "a.py": "class Base:\n    def send(self):\n        pass\n",
        "b.py": "class Base:\n    pass\n\n\nclass Mail(Base):\n    def go(self):\n"
        "        self.send()\n",
    }
    with provider(files) as context:
        (use,) = context.references("Base.send", "a.py").items
    assert use.certainty is not Certainty.EXACT and use.score < 0


def test_what_a_base_calls_on_itself_may_be_what_extends_it() -> None:
    files = {
        "base.py": (
            "class Backend:\n    def store(self): ...\n    def done(self):\n        self.store()\n"
        ),
        "rpc.py": "from base import Backend\nclass Rpc(Backend):\n    def store(self): ...\n",
        "other.py": "class Other:\n    def store(self): ...\n    def go(self):\n        self.store()\n",
    }
    with provider(files) as code:
        found = code.callers("Rpc.store", "rpc.py")
    assert [(each.path, each.certainty) for each in found.items] == [
        ("base.py", Certainty.LIKELY),
        ("other.py", Certainty.NAME),
    ]


def test_who_imports_a_package_is_found_among_many() -> None:
    files = {f"app/m{n}.py": "import os\n" for n in range(300)}
    files |= {
        "app/__init__.py": "",
        "app/ui/__init__.py": "",
        "app/ui/page.py": "from . import x\n",
        "app/use.py": "from .ui import x\n",
        "t/test_ui.py": "from app import ui\n",
        "t/other.py": "ui = 1\n",
    }
    with provider(files) as code:
        found = code.importers("app/ui/__init__.py")
    assert {each.path for each in found.items} == {"app/ui/page.py", "app/use.py", "t/test_ui.py"}
    assert found.notes == ()


def test_files_parsed_ahead_are_not_read_again() -> None:
    files = {**SHOP, "gone.py": "z = 1\n", "notes.txt": "cart\n"}
    objects = MemoryObjects(files)
    objects.gone = {sha_of(b"z = 1\n")}
    with Provider(objects) as code:
        code.ahead([*files, "no/such.py"], lambda: False)
        before = len(objects.asked)
        assert code.extraction("shop/web.py").what.imports
        assert len(objects.asked) == before
        assert code.extraction("gone.py").missing == "its content is not here"


def test_parsing_ahead_ends_when_it_is_cancelled() -> None:
    objects = MemoryObjects({f"m{n}.py": f"x = {n}\n" for n in range(300)})
    with Provider(objects) as code:
        answers = iter([False, True])
        code.ahead([f"m{n}.py" for n in range(300)], lambda: next(answers))
    assert len(objects.asked) == AHEAD


def test_a_blob_that_is_too_large_is_said() -> None:
    objects = MemoryObjects(SHOP)
    objects.large = {sha_of(SHOP["shop/web.py"].encode())}
    with Provider(objects) as code:
        assert [(each.path, each.why) for each in code.unread()] == [
            ("shop/web.py", "it is too large")
        ]
        assert code.extraction("shop/web.py").missing == "it is too large"


@pytest.mark.parametrize("name", ["", " ", ".", "a" * 400, "a\nb"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with provider(SHOP) as code, pytest.raises(GiveUp, match="a name has"):
        code.references(name)


@pytest.mark.parametrize("name", ["$", "*", "'; DROP TABLE x", "a b", "é", "\udcff"])
def test_odd_names_find_nothing(name: str) -> None:
    with provider(SHOP) as code:
        assert code.references(name).total == 0
        assert code.definition(name).total == 0


def test_near_a_file_that_is_not_there() -> None:
    with provider(SHOP) as code:
        assert code.references("total", "no/such/file.py").total > 3
        assert code.definition("total", "../../etc/passwd").total == 2


def test_an_end_in_the_middle_is_told_to_who_waits() -> None:
    class Slow(MemoryObjects):
        def blobs(self, shas):  # type: ignore[no-untyped-def]
            began.set()
            time.sleep(0.2)
            yield from super().blobs(shas)

    began = threading.Event()
    code = Provider(Slow({f"m{n}.py": f"x = {n}\n" for n in range(100)}))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            code.mentioning(("x",))
        except GiveUp as error:
            errors.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    assert began.wait(10)
    code.close()
    waiting.join(10)
    assert [str(error) for error in errors] == ["the run has ended"]
    with pytest.raises(GiveUp):
        code.mentioning(("y",))


def test_many_threads_ask_at_once() -> None:
    with provider(SHOP) as code:
        expected = code.references("Cart.add", "shop/cart.py")
    with provider(SHOP) as code:
        found: list[Answer[Used]] = []
        threads = [
            threading.Thread(
                target=lambda: found.append(code.references("Cart.add", "shop/cart.py"))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert found == [expected] * 8


def test_classes_that_extend_each_other_end() -> None:
    files = {
        "a.py": "from b import B\nclass A(B):\n    def go(self): self.run()\n",
        "b.py": "from a import A\nclass B(A):\n    def go(self): self.run()\n",
        "c.py": "class C:\n    def run(self): pass\n",
    }
    with provider(files) as code:
        assert code.references("C.run", "c.py").total == 2
        assert code.implementations("A", "a.py").total >= 1


def test_packages_that_offer_on_in_a_circle_end() -> None:
    files = {
        "a/__init__.py": "from b import *\n",
        "b/__init__.py": "from a import *\n",
        "c.py": "from a import thing\nthing()\n",
        "d.py": "def thing(): pass\n",
    }
    with provider(files) as code:
        found = code.references("thing", "d.py")
    assert all(each.certainty is NAME for each in found.items if each.use.kind is UseKind.CALL)
