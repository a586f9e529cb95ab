"""Where a new test file goes: as the trees of real layouts show it."""

import time

import pytest

from reviewer.testing.homes import Homes
from reviewer.testing.layout import Layout
from tests.reviewer.testing.test_layout import GO, JAVA, PYTHON, RUST, SCRIPT

FLAT = ["src/shop/cart.py", "src/shop/web/view.py", "tests/test_cart.py", "tests/conftest.py"]
MIRRORED = ["shop/a/one.py", "shop/b/two.py", "tests/a/test_one.py", "tests/b/test_two.py"]
WITHIN = ["pkg/one.py", "pkg/tests/test_one.py", "pkg/sub/two.py", "pkg/sub/tests/test_x.py"]
SAME = ["pkg/a/util.py", "pkg/b/util.py", "tests/test_util.py", "tests/b/test_x.py"]
FREE = ["backend/shop/cart.py", "backend/tests/test_basics.py", "web/tests/test_pages.py"]
DJANGO = ["blog/models.py", "blog/tests.py", "news/__init__.py"]
MIXED = ["src/a.ts", "src/a.test.ts", "src/b.ts", "src/b.test.ts", "src/c.ts", "src/c.spec.ts"]
RUBY = ["lib/shop/cart.rb", "spec/shop/cart_spec.rb", "lib/shop/web/view.rb"]
PHP = ["src/Cart.php", "src/Web/View.php", "tests/Unit/CartTest.php"]
APPS = ["cart/models.py", "cart/tests/test_models.py", "blog/views.py", "manage.py"]
LOOSE = ["cart/models.py", "cart/tests/test_basics.py", "blog/views.py"]
FORMS = ["news/models.py", "news/tests.py", "pay/models.py", "pay/tests/test_basics.py"]
PLAIN = ["pay/tests.py", "blog/__init__.py"]
CROSS = ["blog/views.py", "blog/x.py", "cart/a.py", "cart/tests/test_views.py"]
MODULES = ["a/src/main/java/x/Foo.java", "a/src/test/java/x/FooTest.java", "b/src/main/java/B.java"]
LEVELS = ["src/a.py", "tests/integration/test_a.py", "tests/unit/test_a.py"]
LEVELS_LOOSE = ["src/a.py", *(f"tests/integration/test_f{n}.py" for n in range(3))]
LEVELS_LOOSE += ["tests/unit/test_f9.py"]
NAMED = ["django/core/mail/handler.py", "django/shortcuts.py", "tests/mail/test_sending.py"]
NAMED += ["tests/shortcuts/test_shortcuts.py", "tests/forms/test_a.py", "tests/forms/test_b.py"]
NAMED_LOOSE = [path for path in NAMED if "shortcuts" not in path]
KOTLIN = ["app/src/main/kotlin/shop/Cart.kt", "app/src/test/kotlin/shop/CartTest.kt"]


def home(paths: list[str] | Layout, source: str) -> str | None:
    return Homes(paths if isinstance(paths, Layout) else Layout([*paths, source])).of(source)


@pytest.mark.parametrize(
    ("paths", "source", "test"),
    [
        (PYTHON, "shop/labels.py", "tests/test_labels.py"),
        (PYTHON, "shop/__init__.py", "tests/test_shop.py"),
        (PYTHON, "shop/cart.py", "tests/test_cart.py"),  # it is there
        (FLAT, "src/shop/_label.py", "tests/test_label.py"),
        (FLAT, "src/shop/web/view.py", "tests/test_view.py"),
        (MIRRORED, "shop/b/three.py", "tests/b/test_three.py"),
        (MIRRORED, "shop/c/four.py", "tests/test_four.py"),
        (WITHIN, "pkg/three.py", "pkg/tests/test_three.py"),
        (WITHIN, "pkg/sub/two.py", "pkg/sub/tests/test_two.py"),
        (WITHIN, "pkg/other/four.py", "pkg/tests/test_four.py"),
        (SAME, "pkg/b/util.py", "tests/b/test_b_util.py"),
        (FREE, "backend/shop/cart.py", "backend/tests/test_cart.py"),
        (DJANGO, "news/models.py", "news/tests.py"),
        (GO, "prices/prices.go", "prices/prices_test.go"),
        (SCRIPT, "src/view/View.tsx", "src/view/View.test.tsx"),
        (SCRIPT, "api/deep/more.js", "api/deep/__tests__/more.spec.js"),
        (MIXED, "src/d.ts", "src/d.test.ts"),
        (JAVA, "src/main/java/shop/web/View.java", "src/test/java/shop/web/ViewTest.java"),
        (KOTLIN, "app/src/main/kotlin/shop/Price.kt", "app/src/test/kotlin/shop/PriceTest.kt"),
        (RUBY, "lib/shop/web/view.rb", "spec/shop/web/view_spec.rb"),
        (PHP, "src/Web/View.php", "tests/Unit/ViewTest.php"),
        (RUST, "src/prices.rs", "tests/prices.rs"),
        (APPS, "cart/views.py", "cart/tests/test_views.py"),
        (APPS, "blog/views.py", "blog/tests/test_views.py"),
        (LOOSE, "blog/views.py", "blog/tests/test_views.py"),
        (LOOSE, "blog/deep/er/x.py", "blog/tests/test_x.py"),
        ([*LOOSE, "tests/test_all.py"], "blog/views.py", "tests/test_views.py"),
        (["qa/tests/test_all.py"], "blog/views.py", "qa/tests/test_views.py"),
        ([*LOOSE, *FORMS], "blog/views.py", "blog/tests/test_views.py"),
        ([*LOOSE, *FORMS[:2], *PLAIN], "blog/views.py", "blog/tests.py"),
        (CROSS, "blog/x.py", "blog/tests/test_x.py"),
        (MODULES, "b/src/main/java/B.java", "b/src/test/java/BTest.java"),
        (LEVELS, "src/b.py", "tests/unit/test_b.py"),
        (LEVELS_LOOSE, "src/b.py", "tests/unit/test_b.py"),
        (LEVELS_LOOSE[:-1], "src/b.py", "tests/integration/test_b.py"),
        (NAMED, "django/core/mail/handler.py", "tests/mail/test_handler.py"),
        (NAMED_LOOSE, "django/core/mail/handler.py", "tests/mail/test_handler.py"),
    ],
)
def test_a_new_test_file_lies_and_is_named_as_those_that_are_there(
    paths: list[str] | Layout, source: str, test: str
) -> None:
    assert home(paths, source) == test


@pytest.mark.parametrize(
    ("paths", "source"),
    [
        (["a.py"], "a.py"),
        (["a.go", "tests/test_a.py"], "b.go"),
        (FLAT, "tests/test_cart.py"),
        (FLAT, "docs/index.md"),
        (FLAT, "src/shop/data.json"),
        (APPS, "manage.py"),  # the only folder of tests is of other code
    ],
)
def test_without_a_test_of_its_language_code_has_no_home(paths: list[str], source: str) -> None:
    assert home(paths, source) is None


def test_two_files_of_code_do_not_get_one_new_file() -> None:
    web = ["web/a/view.ts", "web/b/view.ts", "web/c.ts", "web/tests/c.test.ts"]
    homes = Homes(Layout([*FLAT, "src/shop/a/util.py", "src/shop/b/util.py", *web]))
    given = [homes.of(f"src/shop/{name}/util.py") for name in "aba"]
    assert given == ["tests/test_util.py", "tests/test_b_util.py", "tests/test_util.py"]
    found = [homes.of(path) for path in web[:3]]
    assert found[2] == "web/tests/c.test.ts" and len({*found}) == 3


def test_all_code_of_a_folder_has_the_one_file_that_is_named_for_it() -> None:
    homes = Homes(Layout([*DJANGO, "news/models.py", "news/views.py"]))
    assert [homes.of(f"news/{name}.py") for name in ("models", "views")] == ["news/tests.py"] * 2


def test_files_of_one_name_in_very_many_folders_are_paired_in_little_time() -> None:
    count = 10_000
    paths = [f"packages/p{n}/src/index{end}" for n in range(count) for end in (".ts", ".test.ts")]
    new = [f"packages/p{n}/src/other.ts" for n in range(0, count, 100)]
    homes = Homes(Layout([*paths, *new]))
    assert len(homes.layout.tests) == count
    began = time.process_time()
    found = [homes.of(path) for path in [*new, *paths[::200]]]
    assert time.process_time() - began < 5  # a tenth of that; it was minutes
    assert found[:100] == [path.replace(".ts", ".test.ts") for path in new]
    assert found[100:] == [path.replace(".ts", ".test.ts") for path in paths[::200]]
