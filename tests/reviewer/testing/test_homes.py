"""Where a new test file goes: as the trees of real layouts show it."""

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
    ],
)
def test_without_a_test_of_its_language_code_has_no_home(paths: list[str], source: str) -> None:
    assert home(paths, source) is None
