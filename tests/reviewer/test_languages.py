import pytest

from reviewer.languages import (
    Language,
    is_fixture,
    is_prose,
    is_template,
    is_test,
    is_translation,
    language_of,
    reading_order,
)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", Language.PYTHON),
        ("a/b.pyi", Language.PYTHON),
        ("A.PY", Language.PYTHON),
        ("b.mjs", Language.JAVASCRIPT),
        ("b.d.ts", Language.TYPESCRIPT),
        ("b.tsx", Language.TSX),
        ("b.h", Language.C),
        ("b.hpp", Language.CPP),
        ("Gemfile", Language.RUBY),
        ("x/Dockerfile", Language.DOCKERFILE),
        ("Dockerfile.prod", Language.DOCKERFILE),
        (".github/workflows/ci.yml", Language.YAML),
        ("Cargo.lock", None),
        ("page.py.j2", None),
        ("a.unknown", None),
        ("py", None),
        ("a.py/README", None),
        ("", None),
    ],
)
def test_the_name_decides_the_language(path: str, language: Language | None) -> None:
    assert language_of(path) is language


@pytest.mark.parametrize(
    ("path", "yes"),
    [
        ("tests/a.py", True),
        ("src/test_a.py", True),
        ("conftest.py", True),
        ("pkg/a_test.go", True),
        ("src/a.test.ts", True),
        ("src/a.spec.tsx", True),
        ("__tests__/a.js", True),
        ("spec/models/a_spec.rb", True),
        ("src/test/java/ATest.java", True),
        ("src/androidTest/kotlin/a.kt", True),
        ("App.Tests/A.cs", True),
        ("src/latest.py", False),
        ("src/contest/a.py", False),
        ("attestation/a.go", False),
        ("src/inspector/a.ts", False),
        ("specification.md", False),
    ],
)
def test_tests_are_known_by_their_path(path: str, yes: bool) -> None:
    assert is_test(path) is yes


@pytest.mark.parametrize(
    ("path", "yes"),
    [
        ("tests/fixtures/a.json", True),
        ("pkg/testdata/a.go", True),
        ("tests/ui/a.rs", True),
        ("tests/test_invalid.py", True),
        ("tests/data/bad-toml/a.toml", True),
        ("tests/neg/a.scala", True),
        ("src/test/resources/a.yml", True),
        ("src/main/resources/application.yml", False),
        ("src/ui/a.ts", False),
        ("src/errors/a.py", False),
        ("src/error.py", False),
        ("lib/invalid_argument.rb", False),
        ("src/app.py", False),
    ],
)
def test_files_that_may_be_wrong_on_purpose(path: str, yes: bool) -> None:
    assert is_fixture(path) is yes


@pytest.mark.parametrize(
    ("path", "yes"),
    [
        ("a.py.j2", True),
        ("a.tmpl.go", True),
        ("{{cookiecutter.slug}}/a.py", True),
        ("pkg/templates/a.py", True),
        ("config.h.in", True),
        ("src/template.py", False),
        ("app/blueprints/a.py", False),
        ("src/main.py", False),
        ("web/__tests__/cart.test.ts", False),
        ("src/__mocks__/prisma.ts", False),
        ("pkg/__snapshots__/a.snap", False),
        ("schematics/files/__name__/a.ts", True),
        ("schematics/files/__tests__name__/a.ts", True),
    ],
)
def test_templates_are_known_by_their_path(path: str, yes: bool) -> None:
    assert is_template(path) is yes


@pytest.mark.parametrize(
    ("path", "yes"),
    [
        ("locale/de/LC_MESSAGES/a.po", True),
        ("src/i18n/he.json", True),
        ("res/values-iw/strings.xml", True),
        ("a.xliff", True),
        ("fa.json", True),
        ("src/config.json", False),
        ("src/language.py", False),
    ],
)
def test_translations_are_known_by_their_path(path: str, yes: bool) -> None:
    assert is_translation(path) is yes


def test_prose() -> None:
    assert is_prose("README.md") and is_prose("docs/a.rst") and is_prose("LICENSE.txt")
    assert not is_prose("a.py") and not is_prose("Makefile")


def test_long_hostile_paths_cost_no_time() -> None:
    for piece in ("a.", "a-", "test/", "_", "../", "x-test", "{", "values-"):
        path = piece * (4_096 // len(piece))
        for ask in (is_test, is_fixture, is_template, is_translation, is_prose):
            ask(path)


def test_source_is_read_first_and_what_runs_in_ci_last() -> None:
    paths = [
        "src/shop/cart.py",
        "db/migrations/0007_totals.py",
        "config/app.yml",
        "tests/test_cart.py",
        "docs/cart.md",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
    ]
    assert [reading_order(path) for path in paths] == [0, 1, 1, 2, 3, 4, 4]
