"""Which files an import means in the languages with less to say about it, and bad input in all."""

import time
from collections.abc import Callable

import pytest

from reviewer.context.resolving import is_settings, resolver
from reviewer.context.values import Resolved, Resolver
from tests.reviewer.context.trees import Tree, means, module, of

GO = {
    "go.mod": "module example.com/shop/v2\n\nreplace example.com/dep v1.0.0 => ./third/dep\n",
    "main.go": "",
    "cart/cart.go": "",
    "cart/add.go": "",
    "cart/cart_test.go": "",
    "cart/doc.md": "",
    "tools/go.mod": "// tools\nmodule example.com/shop/v2/tools\n",
    "tools/gen/gen.go": "",
    "third/dep/go.mod": "module example.com/dep\n",
    "third/dep/x/x.go": "",
    "vendor/github.com/pkg/errors/errors.go": "",
    "internal/testdata/go.mod": "module example.com/shop/v2\n",
    "internal/testdata/cart/fake.go": "",
}
JAVA = (
    "core/src/main/java/org/shop/Cart.java core/src/main/java/org/shop/Item.java "
    "core/src/test/java/org/shop/CartTest.java core/src/main/kotlin/org/shop/Extra.kt "
    "lib/src/main/java/com.acme.tool/Gauge.java "
    "core/src/main/java/org/shop/model/User.java other/src/main/java/org/shop/Cart.java "
    "app/src/commonMain/kotlin/org/app/Clock.kt app/src/jvmMain/kotlin/org/app/Clock.kt"
)
RUST = {
    "Cargo.toml": "[workspace]\n",
    "core/Cargo.toml": '[package]\nname = "shop-core"\n',
    "core/src/lib.rs": "",
    "core/src/cart.rs": "",
    "core/src/cart/item.rs": "",
    "core/src/user/mod.rs": "",
    "core/src/user/name.rs": "",
    "core/tests/all.rs": "",
    "core/tests/common/mod.rs": "",
    "app/Cargo.toml": '[package]\nname = "app"\n[dependencies]\nrenamed = { path = "../core" }\n[lib]\npath = "lib/root.rs"\n',
    "app/lib/root.rs": "",
    "app/lib/part.rs": "",
    "app/src/main.rs": "",
    "app/src/cli.rs": "",
}
PHP = {
    "composer.json": '{"autoload": {"psr-4": {"App\\\\": "src/", "": "plain"}, "psr-0": {"Old_": "legacy"}}, "autoload-dev": {"psr-4": {"App\\\\Tests\\\\": ["tests"]}}}',
    "src/Model/User.php": "",
    "src/functions.php": "",
    "src/boot.php": "",
    "tests/UserTest.php": "",
    "plain/Top/Thing.php": "",
    "lib/Vendor/Tool/Box.php": "",
}
RUBY = (
    "lib/shop.rb lib/shop/cart.rb lib/shop/json.rb spec/spec_helper.rb spec/shop/cart_spec.rb "
    "gems/extra/lib/extra/thing.rb bin/run.rb Rakefile"
)
C = (
    "src/a.c src/a.h src/util/b.h include/lib/c.h include/lib/d.h compat/string.h one/x.h two/x.h "
    "src/deep/e.c"
)
CSHARP = (
    "src/Shop.Core/Shop.Core.csproj src/Shop.Core/Models/User.cs src/Shop.Core/Root.cs "
    "src/Shop.Core/Internal/Mapping/Map.cs src/Other/Legacy/Parts/Part.cs test/Shop.Tests/T.cs"
)


@pytest.mark.parametrize(
    ("tree", "importer", "source", "files", "inside"),
    [
        # Go
        (GO, "main.go", 'package m\nimport "example.com/shop/v2/cart"', "cart/add.go cart/cart.go", True),
        (GO, "cart/cart.go", 'package m\nimport x "example.com/shop/v2"', "main.go", True),
        (GO, "main.go", 'package m\nimport "example.com/shop/v2/gone"', "", True),
        (GO, "main.go", 'package m\nimport "example.com/shop/v3/cart"', "", False),
        (GO, "main.go", 'package m\nimport "example.com/shop/v2/tools/gen"', "tools/gen/gen.go", False),
        (GO, "tools/gen/gen.go", 'package m\nimport "example.com/shop/v2/tools/x"', "", True),
        (GO, "main.go", 'package m\nimport "example.com/dep/x"', "third/dep/x/x.go", True),
        (GO, "main.go", 'package m\nimport "github.com/pkg/errors"', "vendor/github.com/pkg/errors/errors.go", False),
        (GO, "main.go", 'package m\nimport "fmt"', "", False),
        (GO, "internal/testdata/cart/fake.go", 'package m\nimport "example.com/shop/v2/cart"', "cart/add.go cart/cart.go", False),
        ("src/example.com/a/b/c.go", "x.go", 'package m\nimport "example.com/a/b"', "src/example.com/a/b/c.go", False),
        ("b/c.go", "x.go", 'package m\nimport "example.com/a/b"', "b/c.go", False),
        ({"go.mod": "module shop\n", "cart/a.go": ""}, "x.go", 'package m\nimport "shop/cart"', "cart/a.go", True),
        # Java and Kotlin
        (JAVA, "core/src/test/java/org/shop/CartTest.java", "import org.shop.Cart;", "core/src/main/java/org/shop/Cart.java", True),
        (JAVA, "other/src/main/java/org/shop/X.java", "import org.shop.Cart;", "other/src/main/java/org/shop/Cart.java", True),
        (JAVA, "X.java", "import org.shop.model.User.Name;", "core/src/main/java/org/shop/model/User.java", True),
        (JAVA, "X.java", "import static org.shop.model.User.of;", "core/src/main/java/org/shop/model/User.java", True),
        (JAVA, "X.java", "import static org.shop.model.User.*;", "core/src/main/java/org/shop/model/User.java", True),
        (JAVA, "X.java", "import org.shop.model.*;", "core/src/main/java/org/shop/model/User.java", True),
        (JAVA, "X.java", "import org.shop.model.Gone;", "", True),
        (JAVA, "X.java", "import com.acme.tool.Gauge;", "lib/src/main/java/com.acme.tool/Gauge.java", True),
        (JAVA, "X.java", "import com.acme.tool.*;", "lib/src/main/java/com.acme.tool/Gauge.java", True),
        (JAVA, "X.java", "import com.acme.tool.Gone;", "", True),
        (JAVA, "X.java", "import org.junit.Test;", "", False),
        (JAVA, "X.java", "import java.util.*;", "", False),
        (JAVA, "X.kt", "import org.shop.Item", "core/src/main/java/org/shop/Item.java", True),
        (JAVA, "X.kt", "import org.shop.helper", "core/src/main/kotlin/org/shop/Extra.kt", True),
        (JAVA, "X.kt", "import org.app.Clock", "app/src/commonMain/kotlin/org/app/Clock.kt app/src/jvmMain/kotlin/org/app/Clock.kt", True),
        ("src/main/kotlin/shop/A.kt deep/shop/B.kt", "X.kt", "import shop.helper", "src/main/kotlin/shop/A.kt", True),
        # Ruby
        (RUBY, "spec/shop/cart_spec.rb", "require 'shop/cart'", "lib/shop/cart.rb", True),
        (RUBY, "spec/shop/cart_spec.rb", "require 'spec_helper'", "spec/spec_helper.rb", True),
        (RUBY, "lib/shop.rb", "require_relative 'shop/cart'", "lib/shop/cart.rb", True),
        (RUBY, "lib/shop/cart.rb", "require_relative '../shop.rb'", "lib/shop.rb", True),
        (RUBY, "lib/shop/cart.rb", "require_relative 'gone'", "", True),
        (RUBY, "lib/shop/cart.rb", "require 'json'", "", False),
        (RUBY, "lib/shop.rb", "autoload :Cart, 'shop/cart'", "lib/shop/cart.rb", True),
        (RUBY, "lib/shop.rb", "require 'shop/gone'", "", True),
        (RUBY, "bin/run.rb", "require 'extra/thing'", "gems/extra/lib/extra/thing.rb", True),
        (RUBY, "lib/shop.rb", "require 'rack'", "", False),
        # Rust
        (RUST, "core/src/lib.rs", "mod cart;", "core/src/cart.rs", True),
        (RUST, "core/src/lib.rs", "mod user;", "core/src/user/mod.rs", True),
        (RUST, "core/src/lib.rs", "mod gone;", "", True),
        (RUST, "core/src/lib.rs", "mod cart { mod item; }", "core/src/cart/item.rs", True),
        (RUST, "core/src/cart.rs", "mod item;", "core/src/cart/item.rs", True),
        (RUST, "core/src/user/mod.rs", "mod name;", "core/src/user/name.rs", True),
        (RUST, "core/src/user/name.rs", "use crate::cart::item::Item;", "core/src/cart/item.rs", True),
        (RUST, "core/src/user/name.rs", "use crate::Error;", "core/src/lib.rs", True),
        (RUST, "core/src/user/name.rs", "use super::User;", "core/src/user/mod.rs core/src/user/name.rs", True),
        (RUST, "core/src/user/name.rs", "use super::super::cart::Cart;", "core/src/cart.rs", True),
        (RUST, "core/src/cart/item.rs", "use super::Cart;", "core/src/cart.rs core/src/cart/item.rs", True),
        (RUST, "core/src/lib.rs", "use self::cart::Cart;", "core/src/cart.rs", True),
        (RUST, "core/src/lib.rs", "use cart::Cart;", "core/src/cart.rs", True),
        (RUST, "core/tests/all.rs", "use shop_core::cart::Cart;", "core/src/cart.rs", True),
        (RUST, "core/tests/all.rs", "mod common;", "core/tests/common/mod.rs", True),
        (RUST, "app/src/cli.rs", "use renamed::cart::Cart;", "core/src/cart.rs", True),
        (RUST, "app/src/cli.rs", "use ::shop_core::Error;", "core/src/lib.rs", True),
        (RUST, "app/src/main.rs", "use app::part::Part;", "app/lib/part.rs", True),
        (RUST, "app/lib/part.rs", "use crate::Thing;", "app/lib/root.rs", True),
        (RUST, "app/src/cli.rs", "use std::io;", "", False),
        (RUST, "app/src/cli.rs", "use serde::Serialize;", "", False),
        # PHP
        (PHP, "tests/UserTest.php", "<?php use App\\Model\\User;", "src/Model/User.php", True),
        (PHP, "src/Model/User.php", "<?php use App\\Model\\Gone;", "", True),
        (PHP, "src/Model/User.php", "<?php use App\\Elsewhere\\Gone;", "", False),
        (PHP, "src/Model/User.php", "<?php use App\\Tests\\UserTest as T;", "tests/UserTest.php", True),
        (PHP, "src/Model/User.php", "<?php use Top\\Thing;", "plain/Top/Thing.php", True),
        (PHP, "src/Model/User.php", "<?php use Other\\Vendor\\Tool\\Box;", "lib/Vendor/Tool/Box.php", False),
        (PHP, "src/Model/User.php", "<?php use Box;", "", False),
        (PHP, "src/Model/User.php", "<?php use function App\\help;", "src/boot.php src/functions.php", False),
        (PHP, "src/Model/User.php", "<?php require __DIR__ . '/../boot.php';", "src/boot.php", True),
        (PHP, "tests/UserTest.php", "<?php require 'src/boot.php';", "src/boot.php", True),
        (PHP, "src/boot.php", "<?php require __DIR__ . '/gone.php';", "", True),
        # C and C++
        (C, "src/a.c", '#include "a.h"\n', "src/a.h", True),
        (C, "src/deep/e.c", '#include "../a.h"\n', "src/a.h", True),
        (C, "src/deep/e.c", '#include "../gone.h"\n', "", True),
        (C, "src/deep/e.c", '#include "a.h"\n', "src/a.h", False),
        (C, "src/a.c", '#include "lib/c.h"\n', "include/lib/c.h", False),
        (C, "src/a.c", "#include <lib/d.h>\n", "include/lib/d.h", False),
        (C, "src/a.c", '#include "b.h"\n', "src/util/b.h", False),
        (C, "src/a.c", "#include <string.h>\n", "", False),
        (C, "src/a.c", '#include "x.h"\n', "one/x.h two/x.h", False),
        (C, "src/a.c", "#include <x.h>\n", "", False),
        (C, "src/a.c", '#include "config.h"\n', "", False),
        # C#
        (CSHARP, "test/Shop.Tests/T.cs", "using Shop.Core.Models;", "src/Shop.Core/Models/User.cs", False),
        (CSHARP, "test/Shop.Tests/T.cs", "using Shop.Core;", "src/Shop.Core/Root.cs", False),
        (CSHARP, "test/Shop.Tests/T.cs", "using static Shop.Core.Models.User;", "src/Shop.Core/Models/User.cs", False),
        (CSHARP, "test/Shop.Tests/T.cs", "using Shop.Core.Mapping;", "src/Shop.Core/Internal/Mapping/Map.cs", False),
        (CSHARP, "test/Shop.Tests/T.cs", "using Legacy.Parts;", "src/Other/Legacy/Parts/Part.cs", False),
        (CSHARP, "test/Shop.Tests/T.cs", "using System.Linq;", "", False),
    ],
)  # fmt: skip
def test_import(tree: Tree, importer: str, source: str, files: str, inside: bool) -> None:
    found = means(tree, importer, source)
    assert (found.files, found.inside) == (tuple(files.split()), inside)


def test_a_module_of_rust_that_is_imported_itself_is_the_submodule() -> None:
    found = means(RUST, "app/src/cli.rs", "use shop_core::cart;")
    assert found == Resolved(("core/src/lib.rs",), "core/src/cart.rs", True)


def test_whoever_starts_a_project_of_go_again_means_its_own() -> None:
    workspace = GO | {"go.work": "use ./tools\n"}
    source = 'package m\nimport "example.com/shop/v2/tools/gone"'
    assert means(GO, "main.go", source) == Resolved()
    assert means(workspace, "main.go", source) == Resolved((), "", True)


@pytest.mark.parametrize(
    ("tree", "path", "words"),
    [
        (GO, "cart/cart.go", ("cart",)),
        (GO, "main.go", ("v2",)),
        (GO, "third/dep/dep.go", ("dep",)),
        (JAVA, "core/src/main/java/org/shop/Cart.java", ("Cart",)),
        (JAVA, "core/src/main/java/org/shop/package-info.java", ()),
        (JAVA, "core/src/main/kotlin/org/shop/Extra.kt", ()),
        (RUBY, "lib/shop/line_item.rb", ("line_item", "LineItem")),
        (RUBY, "lib/shop.rb", ("shop", "Shop")),
        (RUST, "core/src/cart/item.rs", ("item",)),
        (RUST, "core/src/cart.rs", ()),  # `super` to its own modules
        (RUST, "core/src/lib.rs", ()),
        (PHP, "src/Model/User.php", ("User",)),
        (PHP, "src/functions.php", ()),
        (C, "src/my-list.h", ("list",)),
        (CSHARP, "src/Shop.Core/Models/User.cs", ()),
        ("a.txt", "a.txt", ()),
    ],
)
def test_spelling(tree: Tree, path: str, words: tuple[str, ...]) -> None:
    assert of(tree).spellings(path) == words


@pytest.mark.parametrize(
    ("tree", "one", "other", "same"),
    [
        (GO, "cart/cart.go", "cart/cart_test.go", True),
        (GO, "cart/cart.go", "main.go", False),
        (JAVA, "core/src/main/java/org/shop/Cart.java", "core/src/test/java/org/shop/CartTest.java", True),
        (JAVA, "core/src/main/java/org/shop/Cart.java", "core/src/main/kotlin/org/shop/Extra.kt", True),
        (JAVA, "core/src/main/java/org/shop/Cart.java", "core/src/main/java/org/shop/model/User.java", False),
        (CSHARP, "src/Shop.Core/Root.cs", "src/Shop.Core/Models/User.cs", True),
        (CSHARP, "src/Shop.Core/Root.cs", "test/Shop.Tests/T.cs", False),
        (PHP, "src/Model/User.php", "src/Model/Other.php", True),
        (PHP, "src/Model/User.php", "tests/UserTest.php", False),
        ({"composer.json": '{"autoload": {"psr-4": {"A\\\\": "src"}}, "autoload-dev": {"psr-4": {"A\\\\": "tests"}}}'}, "src/B/C.php", "tests/B/CTest.php", True),
        (RUBY, "lib/shop/a.rb", "lib/shop/b.rb", False),
        (C, "src/a.c", "src/a.h", False),
        ("a.txt b.txt", "a.txt", "b.txt", False),
    ],
)  # fmt: skip
def test_beside(tree: Tree, one: str, other: str, same: bool) -> None:
    asked = of(tree)
    assert (asked.beside(one) == asked.beside(other)) is same


def test_the_answers_are_those_of_the_protocol() -> None:
    asked: Resolver = of("a.py")
    assert asked.resolve("a.txt", module("x")) == Resolved()


# Bad input ---------------------------------------------------------------------------------------

IMPORTERS = (
    *("pkg/a.py", "src/a.ts", "cmd/a.go", "src/A.java", "src/A.kt", "lib/a.rb", "src/a.rs"),
    *("src/a.c", "src/a.cpp", "src/A.cs", "src/A.php", "src/a.vue"),
)
SETTINGS = (
    *("package.json", "tsconfig.json", "jsconfig.json", "go.mod", "Cargo.toml", "composer.json"),
    *("src/package.json", "pyproject.toml", "setup.py", "src/A.csproj"),
)
MODULES = (
    *("", ".", "..", "...", "." * 5_000, "/", "//", "\\", "\\\\", ":", "::", "::::", "\0", "a\0b"),
    *("../" * 100 + "etc/passwd", "/etc/passwd", "./../../../a", "a/../../../b", "..\\..\\a"),
    *("x" * 100_000, "a." * 400, "a/" * 400, "a::" * 300, "super::" * 140, "crate::" + "a::" * 300),
    *("\udcff", "a\udcff.b", "@", "@/", "~/", "#", "#/", "@a", "@a/", "!", "?", "./?", "<", "<>"),
    *("*", "a.*", "./*", "self", "super", "crate", "-flag", "--output=x", "\u202e", "é.ü"),
)
HOSTILE_TREE = (
    *IMPORTERS,
    *SETTINGS,
    *("\udcff/\udcfe.py", "a/b\nc.ts", " .py", "-x.py", "a/" * 500 + "b.py", "x" * 5_000 + ".ts"),
    *(".py", ".ts", "a/.rb", "pkg/__init__.py", "\\a.php", "a:b.rs", "..py", "a/...py"),
)
CONTENTS = (
    *(b"", b"\xff\xfe\x00", b"{" * 50_000, b"[" * 50_000, b'"' * 50_000, b"\n" * 200_000),
    *(b"module " * 30_000, b"replace " * 30_000, b" " * 200_000, b"replace a => ../../../..\n" * 5_000),
    b'{"name": "a", "main": "../../../etc/passwd", "exports": {"./*": "../../../*"}, '
    b'"imports": {"#*": "./../../../*"}, "extends": ["./tsconfig.json", "../../x", "a/b"], '
    b'"compilerOptions": {"baseUrl": "../../..", "paths": {"*": ["../../../*"], "a": ["/etc/passwd"]}}, '
    b'"autoload": {"psr-4": {"": "../../..", "A\\\\": "/etc"}}}',
    b'[package]\nname = "a"\n[lib]\npath = "../../../etc/passwd"\n[dependencies]\nb = { path = "../../.." }\n',
    b'{"paths": ' + b'{"a":' * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
def test_hostile_names_and_settings_lead_nowhere(content: bytes) -> None:
    asked_for: set[str] = set()

    def read(path: str) -> bytes:
        asked_for.add(path)
        return content

    asked = resolver(HOSTILE_TREE, read)
    started = time.process_time()
    for importer in IMPORTERS:
        for name in MODULES:
            for taken in ("", "*", "../x", "\0", "x" * 50_000):
                found = asked.resolve(importer, module(name, taken))
                assert {*found.files, found.submodule} <= {*HOSTILE_TREE, ""}, (importer, name)
    for path in HOSTILE_TREE:
        assert all(asked.spellings(path)) or asked.spellings(path) == ()
        assert isinstance(asked.beside(path), str)
        assert set(asked.tests_of(path)) <= set(HOSTILE_TREE)
    assert all(map(is_settings, asked_for))
    assert time.process_time() - started < 10


def test_what_may_be_read_is_known_before() -> None:
    read = {path for path in SETTINGS if is_settings(path)}
    assert read == {*SETTINGS} - {"pyproject.toml", "setup.py", "src/A.csproj"}
    assert is_settings("a/tsconfig.build.json")
    assert not any(map(is_settings, ("a/package.json.js", "my-package.json", "mygo.mod", "a.ts")))


def test_a_tsconfig_that_extends_itself_ends() -> None:
    names = [f"c{number}/tsconfig.json" for number in range(50)]
    tree = {
        name: f'{{"extends": ["../{names[(at + 1) % 50]}", "./tsconfig.json"]}}'
        for at, name in enumerate(names)
    }
    assert of(tree).resolve("c0/a.ts", module("@/x")) == Resolved()


def test_what_reading_raises_comes_out() -> None:
    def read(path: str) -> bytes:
        raise KeyError(path)

    asked = resolver(["package.json", "a.ts"], read)
    assert asked.resolve("a.ts", module("./b")).inside
    with pytest.raises(KeyError):
        asked.resolve("a.ts", module("b"))


def test_settings_that_are_not_there_say_nothing() -> None:
    asked = resolver([*HOSTILE_TREE, "src/b.ts"], lambda path: None)
    assert asked.resolve("src/a.ts", module("./b")).files == ("src/b.ts",)
    assert asked.resolve("cmd/a.go", module("example.com/x")) == Resolved()


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        (lambda n: f"d{n}/x.h", ("a.c", "x.h")),
        (lambda n: f"d{n}/x/__init__.py", ("a.py", "x")),
        (lambda n: f"d{n}/x.py", ("a.py", "x")),
        (lambda n: f"d{n}/p/X.java", ("A.java", "p.X")),
        (lambda n: f"d{n}/lib/x.rb", ("a.rb", "x")),
        (lambda n: f"d{n}/V/X.php", ("A.php", "N\\V\\X")),
        (lambda n: f"d{n}/N/M/X.cs", ("A.cs", "N.M")),
        (lambda n: f"d{n}/index.ts", ("a.ts", "x")),
        (lambda n: f"d{n}/x.rs", ("a.rs", "x::y")),
    ],
    ids=["c", "package", "python", "java", "ruby", "php", "csharp", "typescript", "rust"],
)
def test_a_name_that_100_000_files_have_costs_little(
    named: Callable[[int], str], asked: tuple[str, str]
) -> None:
    tree = resolver([named(number) for number in range(100_000)], lambda path: b"")
    importer, name = asked
    tree.resolve(importer, module(name))  # builds what it needs
    started = time.process_time()
    for number in range(100):
        tree.resolve(f"e{number}/{importer}", module(name))
    assert time.process_time() - started < 2


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from reviewer.context import resolving

    monkeypatch.setattr(resolving, "MAX_REMEMBERED", 100)
    asked = of("a/b.py")
    for number in range(1_000):
        asked.resolve("a/b.py", module(f"m{number}"))
    assert len(asked._remembered) <= 100
    assert asked.resolve("a/b.py", module(".b")).files == ("a/b.py",)


def test_every_language_that_is_extracted_is_resolved() -> None:
    from reviewer.context.resolving import _FAMILIES
    from reviewer.parsing.languages import STRATEGIES

    assert set(STRATEGIES) - set(_FAMILIES) == set()
