"""Which files test a file, by their names."""

import pytest

from tests.reviewer.context.trees import of


@pytest.mark.parametrize(
    ("path", "tests", "others"),
    [
        ("app/a.py", "tests/test_a.py", "tests/test_b.py tests/a.py tests/test_a.txt test_a.js"),
        ("app/a.py", "app/a_test.py", "app/a_rest.py"),
        ("app/a.py", "tests/app/test_a.py tests/other/test_a.py", ""),
        ("src/app/sub/a.py", "tests/sub/test_a.py tests/test_a.py tests/else/test_a.py", ""),
        ("app/__init__.py", "tests/test_app.py", "tests/test_init.py tests/__init__.py"),
        ("src/a.ts", "src/a.spec.ts src/a.test.tsx", "src/b.test.ts"),
        ("src/a.tsx", "src/__tests__/a.tsx", "e2e/a.ts"),
        ("src/a/index.ts", "src/a/a.test.ts", ""),
        ("src/user-list.ts", "tests/user_list.test.js", ""),
        ("lib/app.js", "test/app.js", "test/support/app.js src/__tests__/fixtures/app.js"),
        ("cart/cart.go", "cart/cart_test.go", "other/cart_test.go"),
        ("src/main/java/o/A.java", "src/test/java/o/ATest.java src/test/java/o/TestA.java", "src/test/java/o/B.java"),
        ("src/main/java/o/A.java", "src/test/java/o/AIT.java src/test/kotlin/o/ATests.kt", ""),
        ("src/main/kotlin/o/A.kt", "src/test/kotlin/o/ATest.kt", "src/test/kotlin/o/AT.kt"),
        ("lib/shop/a.rb", "spec/shop/a_spec.rb test/a_test.rb", ""),
        ("src/a.rs", "tests/a.rs", "tests/b.rs"),
        ("src/Core/A.cs", "test/Core.Tests/ATests.cs", ""),
        ("src/A.php", "tests/ATest.php", ""),
        ("src/a.c", "test/test_a.c test/unit/a.c", "test/b.c"),
        ("src/a.h", "test/a_test.cc", ""),
        ("tests/test_a.py", "", "tests/test_a_test.py"),
        ("a.txt", "", "tests/test_a.txt"),
    ],
)  # fmt: skip
def test_tests_of(path: str, tests: str, others: str) -> None:
    found = of(f"{path} {tests} {others}").tests_of(path)
    assert sorted(found) == sorted(tests.split())


def test_the_nearest_come_first_and_not_too_many() -> None:
    near = "tests/deep/sub/test_a.py"
    far = [f"tests/f{number}/test_a.py" for number in range(100)]
    found = of(" ".join(["src/deep/sub/a.py", *far, near])).tests_of("src/deep/sub/a.py")
    assert found[0] == near
    assert len(found) == 20
