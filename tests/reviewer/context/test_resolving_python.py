"""Which files an import of Python means."""

import pytest

from reviewer.context.values import Resolved
from tests.reviewer.context.trees import means, of

PACKAGE = "app/__init__.py app/json.py app/util.py app/sub/__init__.py app/sub/deep.py main.py"
MONOREPO = (
    "packages/one/pyproject.toml packages/one/src/one/__init__.py packages/one/src/one/a.py "
    "packages/one/tests/__init__.py packages/one/tests/helper.py packages/one/tests/test_a.py "
    "packages/two/pyproject.toml packages/two/src/two/__init__.py packages/two/src/two/b.py "
    "packages/two/tests/__init__.py packages/two/tests/helper.py packages/two/tests/test_b.py"
)


@pytest.mark.parametrize(
    ("tree", "importer", "source", "wanted"),
    [
        # Relative imports.
        (PACKAGE, "app/util.py", "from . import json", ("app/__init__.py", "app/json.py", True)),
        (PACKAGE, "app/util.py", "from .sub.deep import x", ("app/sub/deep.py", "", True)),
        (PACKAGE, "app/sub/deep.py", "from .. import util", ("app/__init__.py", "app/util.py", True)),
        (PACKAGE, "app/sub/deep.py", "from ..util import *", ("app/util.py", "", True)),
        (PACKAGE, "app/sub/__init__.py", "from .deep import x", ("app/sub/deep.py", "", True)),
        (PACKAGE, "app/util.py", "from .gone import x", ("", "", True)),
        (PACKAGE, "app/util.py", "from . import name", ("app/__init__.py", "", True)),
        # A folder without __init__.py has no file of its own.
        ("ns/a.py ns/b.py", "ns/a.py", "from . import b", ("ns/b.py", "ns/b.py", True)),
        ("ns/a.py", "ns/a.py", "from . import b", ("", "", True)),
        # Above the top of the tree: it may lie inside a package.
        (PACKAGE, "app/util.py", "from ... import x", ("", "", False)),
        # A package's own module is no answer to an absolute import.
        (PACKAGE, "app/util.py", "import json", ("", "", False)),
        (PACKAGE, "main.py", "import json", ("", "", False)),
        (PACKAGE, "app/sub/deep.py", "import util", ("", "", False)),
        (PACKAGE, "app/sub/deep.py", "import app.util", ("app/util.py", "", True)),
        (PACKAGE, "app/sub/deep.py", "from app import util", ("app/__init__.py", "app/util.py", True)),
        (PACKAGE, "app/util.py", "import app.gone", ("", "", True)),
        (PACKAGE, "app/util.py", "import requests", ("", "", False)),
        # Below a module there is nothing, unless it puts it there itself.
        (PACKAGE, "main.py", "from app.util.moves import x", ("app/util.py", "", True)),
        # Scripts beside each other.
        ("tools/run.py tools/shared.py", "tools/run.py", "import shared", ("tools/shared.py", "", True)),
        (".ci/report-tests/__init__.py .ci/report-tests/a.py .ci/report-tests/run.py", ".ci/report-tests/run.py", "import a", (".ci/report-tests/a.py", "", True)),
        ("tools/run.py tools/json.py", "tools/run.py", "import json", ("tools/json.py", "", False)),
        ("a/run.py tools/json.py", "a/run.py", "import json", ("", "", False)),
        ("tools/run.py tools/sys.py", "tools/run.py", "import sys", ("", "", False)),
        # A folder of scripts in a package does not hide the standard library.
        ("app/__init__.py app/s/a.py app/s/json.py", "app/s/a.py", "import json", ("", "", False)),
        ("app/__init__.py app/s/a.py app/s/own.py", "app/s/a.py", "import own", ("app/s/own.py", "", True)),
        # A backport: the library answers if the file goes.
        ("dataclasses.py test/a.py", "test/a.py", "import dataclasses", ("dataclasses.py", "", False)),
        # Roots.
        ("src/app/__init__.py src/app/a.py tests/t.py", "tests/t.py", "import app.a", ("src/app/a.py", "", True)),
        ("lib/app/__init__.py t/u/v.py", "t/u/v.py", "import app", ("lib/app/__init__.py", "", True)),
        ("app/__init__.py src/app/__init__.py src/x.py", "src/x.py", "import app", ("src/app/__init__.py", "", True)),
        (MONOREPO, "packages/two/src/two/b.py", "from one.a import x", ("packages/one/src/one/a.py", "", True)),
        (MONOREPO, "packages/two/src/two/b.py", "from one.gone import x", ("", "", True)),
        (MONOREPO, "packages/two/tests/test_b.py", "from tests.helper import x", ("packages/two/tests/helper.py", "", True)),
        (MONOREPO, "packages/one/tests/test_a.py", "from .helper import x", ("packages/one/tests/helper.py", "", True)),
        # A folder that a neighbour puts on the path is a guess, one from far away not even that.
        ("tests/t.py tests/apps/demo/__init__.py", "tests/t.py", "import demo", ("tests/apps/demo/__init__.py", "", False)),
        ("app/a.py docs/examples/pydantic/__init__.py", "app/a.py", "import pydantic", ("", "", False)),
        # Tests import their helpers.
        ("tests/conftest.py tests/unit/t.py", "tests/unit/t.py", "from conftest import x", ("tests/conftest.py", "", True)),
        # Folders without __init__.py are packages too, after those that have it.
        ("src/ns/pkg/__init__.py src/ns/pkg/a.py t/t.py", "t/t.py", "import ns.pkg.a", ("src/ns/pkg/a.py", "", True)),
        ("src/ns/pkg/__init__.py t/t.py", "t/t.py", "import ns.pkg.gone", ("", "", True)),
        ("src/ns/pkg/__init__.py t/t.py", "t/t.py", "import ns.other", ("", "", False)),
        ("src/ns/a.py t/t.py", "t/t.py", "from ns import a", ("src/ns/a.py", "src/ns/a.py", False)),
        ("tests/app/t.py src/app/__init__.py", "tests/app/t.py", "import app", ("src/app/__init__.py", "", True)),
        ("yaml/data.txt a.py", "a.py", "import yaml", ("", "", False)),
        # A package that is but a folder of one package may be shared with other distributions.
        ("zope/__init__.py zope/event/__init__.py a.py", "a.py", "import zope.event", ("zope/event/__init__.py", "", True)),
        ("zope/__init__.py zope/event/__init__.py a.py", "a.py", "import zope.schema", ("", "", False)),
        # Stubs, extension modules.
        ("a/__init__.py a/b.py a/b.pyi", "a/__init__.py", "from .b import x", ("a/b.py a/b.pyi", "", True)),
        ("a/__init__.pyi a/b.pyi", "a/__init__.pyi", "from . import b", ("a/__init__.pyi", "a/b.pyi", True)),
        ("a/__init__.py a/_fast.c", "a/__init__.py", "from ._fast import x", ("a/_fast.c", "", True)),
        # A package hides a module of its name, as in Python.
        ("a/__init__.py a/b.py a/b/__init__.py", "a/__init__.py", "from . import b", ("a/__init__.py", "a/b/__init__.py", True)),
        ("a/__init__.py a/b.py a/b/data.txt", "a/__init__.py", "from .b import x", ("a/b.py", "", True)),
    ],
)  # fmt: skip
def test_import(tree: str, importer: str, source: str, wanted: tuple[str, str, bool]) -> None:
    files, submodule, inside = wanted
    assert means(tree, importer, source) == Resolved(tuple(files.split()), submodule, inside)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("app/util.py", ("util",)),
        ("app/__init__.py", ()),  # `from . import x` has no word of it
        ("app/übung.py", ()),  # may be written with other characters that Python takes for the same
        ("tools/run-all.py", ("run",)),
    ],
)
def test_spelling(path: str, words: tuple[str, ...]) -> None:
    assert of(path).spellings(path) == words


def test_a_module_sees_only_what_it_imports() -> None:
    assert of("a/b.py a/c.py").beside("a/b.py") == "a/b.py"
