"""Which files are tests, and where a new one may lie: by what the tree itself has."""

import pytest

from reviewer.testing.layout import Layout

PYTHON = Layout(
    [
        "shop/__init__.py",
        "shop/cart.py",
        "tests/__init__.py",
        "tests/conftest.py",
        "tests/helpers.py",
        "tests/data/test_input.py",
        "tests/fixtures/test_module.py",
        "tests/test_cart.py",
        "tests/shop/test_prices.py",
        "tests/test_errors.py",
        "docs/index.md",
    ]
)
GO = Layout(["go.mod", "cart/cart.go", "cart/cart_test.go", "prices/prices.go"])
SCRIPT = Layout(
    [
        "src/cart.ts",
        "src/cart.test.ts",
        "src/view/View.tsx",
        "api/routes.js",
        "api/__tests__/routes.spec.js",
        "api/deep/more.js",
    ]
)
JAVA = Layout(
    [
        "src/main/java/shop/Cart.java",
        "src/test/java/shop/CartTest.java",
        "src/test/java/shop/Fixtures.java",
    ]
)
RUST = Layout(["src/lib.rs", "tests/cart.rs"])


@pytest.mark.parametrize(
    ("layout", "path"),
    [
        (PYTHON, "tests/test_cart.py"),
        (PYTHON, "tests/test_errors.py"),
        (PYTHON, "tests/test_labels.py"),
        (PYTHON, "tests/web/test_view.py"),
        (GO, "cart/cart_test.go"),
        (GO, "prices/prices_test.go"),
        (SCRIPT, "src/view/View.test.tsx"),
        (SCRIPT, "api/__tests__/more.spec.js"),
        (SCRIPT, "api/deep/__tests__/more.spec.js"),
        (JAVA, "src/test/java/shop/web/ViewTest.java"),
        (RUST, "tests/cart.rs"),
        (RUST, "tests/prices.rs"),
    ],
)
def test_a_test_file_by_the_trees_own_layout_may_be_written(layout: Layout, path: str) -> None:
    assert layout.refusal(path) is None


@pytest.mark.parametrize(
    ("layout", "path", "why"),
    [
        (PYTHON, "shop/cart.py", "no test file"),
        (PYTHON, "shop/new.py", "no test file"),
        (PYTHON, "tests/conftest.py", "a helper, or data"),
        (PYTHON, "tests/helpers.py", "a helper, or data"),
        (PYTHON, "tests/data.json", "language"),
        (PYTHON, "tests/fixtures/test_module.py", "data of tests"),
        (PYTHON, "tests/labels.py", "not named like the tests around it (test_cart.py"),
        (PYTHON, "tests/labels_test.py", "not named like"),
        (PYTHON, "shop/test_labels.py", "folders of their own"),
        (PYTHON, "spec/test_labels.py", "in a folder like spec/"),
        (PYTHON, "nowhere/tests/test_x.py", "there is no folder nowhere"),
        (PYTHON, "tests/labels.test.ts", "no test of that language"),
        (GO, "nowhere/x_test.go", "no code beside it"),
        (SCRIPT, "src/cart.spec.ts", "not named like"),
        (JAVA, "src/test/java/shop/Cart.java", "not named like"),
        (JAVA, "src/test/java/shop/Fixtures.java", "a helper, or data"),
        (Layout(["a.py"]), "tests/test_a.py", "no test of that language"),
    ],
)
def test_nothing_else_may(layout: Layout, path: str, why: str) -> None:
    refusal = layout.refusal(path)
    assert refusal is not None and why in refusal


def test_a_new_file_is_like_the_nearest_one() -> None:
    assert PYTHON.neighbours("tests/shop/test_labels.py")[0] == "tests/shop/test_prices.py"
    assert PYTHON.neighbours("tests/test_labels.py")[0] == "tests/test_cart.py"
    assert "tests/helpers.py" not in PYTHON.neighbours("tests/test_labels.py")
    assert GO.neighbours("prices/prices_test.go") == ["cart/cart_test.go"]
