"""Whole files of Python that are moved by the context engine, over trees in memory."""

from collections.abc import Mapping

import pytest

from reviewer.context.provider import Provider
from reviewer.errors import GiveUp
from reviewer.refactor.module_moves import move_module
from reviewer.refactor.symbols import Done
from reviewer.refactor.values import ModuleMove
from tests.reviewer.refactor.trees import overlay

OLD, NEW = "pkg/text.py", "pkg/inner/words.py"
TREE = {
    "pkg/__init__.py": "",
    OLD: "from . import other\nfrom .other import K\n\n\ndef slug():\n    return other.K or K\n",
    "pkg/other.py": "K = 1\n",
}


def moved(files: Mapping[str, bytes | str], old: str = OLD, new: str = NEW, **said: bool) -> Done:
    made = overlay(files)
    with Provider(made.start.objects) as context:
        return move_module(ModuleMove(path=old, to=new, **said), context, made)


def texts(done: Done) -> dict[str, str | None]:
    files = done.files.items()
    return {path: None if blob is None else blob.data.decode() for path, blob in files}


def user(text: str, path: str = "use.py", **more: str) -> str:
    """What a file is after the move; nobody is told of anything."""
    done = moved({**TREE, **more, path: text})
    assert not done.leads, done.leads
    return texts(done).get(path) or text


def test_a_module_goes_with_its_imports_into_a_package_that_is_made() -> None:
    done = moved(TREE)
    assert texts(done) == {
        "pkg/inner/__init__.py": "",
        NEW: "from .. import other\nfrom ..other import K\n\n\ndef slug():\n    return other.K or K\n",
        OLD: None,
    }
    assert not done.leads


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from pkg.text import slug\n", "from pkg.inner.words import slug\n"),
        ("from pkg.text import *\n", "from pkg.inner.words import *\n"),
        (
            "from pkg.text import (  # both\n    slug,\n    K as L,\n)\n",
            "from pkg.inner.words import (  # both\n    slug,\n    K as L,\n)\n",
        ),
        (
            "import pkg.text\n\npkg.text.slug()\n",
            "import pkg.inner.words\n\npkg.inner.words.slug()\n",
        ),
        (
            "import os, pkg.text\n\nprint(f'{pkg.text.K}')\n",
            "import os, pkg.inner.words\n\nprint(f'{pkg.inner.words.K}')\n",
        ),
        ("import pkg.text as t\n\nt.slug()\n", "import pkg.inner.words as t\n\nt.slug()\n"),
        ("from pkg import text\n\ntext.slug()\n", "from pkg.inner import words\n\nwords.slug()\n"),
        (
            "from pkg import text as t\n\nt.slug()\n",
            "from pkg.inner import words as t\n\nt.slug()\n",
        ),
        (
            "from pkg import other, text\n\nwords = text.slug(text=1)\n",
            "from pkg import other\nfrom pkg.inner import words as text\n\n"
            "words = text.slug(text=1)\n",
        ),
        (
            "from pkg import text\n\n\ndef f(text):\n    return text\n",
            "from pkg.inner import words as text\n\n\ndef f(text):\n    return text\n",
        ),
        ("import pkg\n\npkg.text.slug()\n", "import pkg\n\npkg.inner.words.slug()\n"),
        ("import pkg as p\n\np.text.slug()\n", "import pkg as p\n\np.inner.words.slug()\n"),
        (
            "def f():\n    from pkg.text import slug\n\n    return slug\n",
            "def f():\n    from pkg.inner.words import slug\n\n    return slug\n",
        ),
        (
            "if TYPE_CHECKING:\n    from pkg.text import slug\n",
            "if TYPE_CHECKING:\n    from pkg.inner.words import slug\n",
        ),
    ],
)
def test_whoever_imports_it_imports_it_from_where_it_is(before: str, after: str) -> None:
    assert user(before) == after


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("pkg/a.py", "from .text import slug\n", "from .inner.words import slug\n"),
        ("pkg/a.py", "from . import text\n", "from .inner import words\n"),
        ("pkg/sub/a.py", "from ..text import slug\n", "from ..inner.words import slug\n"),
        ("pkg/inner/a.py", "from ..text import slug\n", "from ..inner.words import slug\n"),
        ("pkg/__init__.py", "from . import text\n", "from .inner import words as text\n"),
        (
            "pkg/__init__.py",
            'from .text import slug\n\n__all__ = ["slug"]\n',
            'from .inner.words import slug\n\n__all__ = ["slug"]\n',
        ),
    ],
)
def test_relative_imports_stay_relative(path: str, before: str, after: str) -> None:
    done = moved({**TREE, "pkg/sub/__init__.py": "", "pkg/inner/__init__.py": "", path: before})
    assert texts(done)[path] == after and not done.leads


def test_a_package_that_goes_on_to_offer_it_keeps_its_users() -> None:
    more = {"pkg/__init__.py": "from . import text\n", "use.py": "import pkg\n\npkg.text.slug()\n"}
    done = moved({**TREE, **more})
    assert texts(done)["pkg/__init__.py"] == "from .inner import words as text\n"
    assert "use.py" not in done.files and not done.leads


def test_a_name_that_the_package_gives_to_something_else_is_not_the_module() -> None:
    more = {"pkg/__init__.py": "from .text import text\n", OLD: "def text():\n    pass\n"}
    done = moved({**TREE, **more, "use.py": "from pkg import text\n\ntext()\n"})
    assert texts(done)["pkg/__init__.py"] == "from .inner.words import text\n"
    assert "use.py" not in done.files


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import pkg.other\n\n\ndef f(pkg):\n    pkg.text.slug()\n", "its package, pkg.text"),
        ("import pkg.text\n\n\ndef f(pkg):\n    return pkg.text\n", "may be another"),
        ("import pkg.text\n\npatch('pkg.text.slug')\n", "in a string: patch"),
        ("import pkg.text\n\n\ndef f() -> 'pkg.text.T':\n    pass\n", "in a string"),
        ("from pkg import \\\n    text\n", "not taken apart"),
    ],
)
def test_what_is_not_sure_is_told_and_the_rest_is_done(text: str, words: str) -> None:
    done = moved({**TREE, "use.py": text, "sure.py": "from pkg.text import slug\n"})
    told = done.leads.pop("use.py")
    assert words in told[0] and not done.leads
    assert texts(done)["sure.py"] == "from pkg.inner.words import slug\n"


def test_a_place_that_the_code_asks_for_is_told() -> None:
    done = moved({**TREE, OLD: "HERE = __file__\n"})
    assert "says __file__" in done.leads[NEW][0]
    assert not moved({**TREE, OLD: "HERE = __file__\n"}, new="pkg/words.py").leads


def test_the_old_path_can_hand_on_what_is_public() -> None:
    code = '__all__ = ["slug"]\n\n\ndef slug():\n    pass\n\n\ndef _own():\n    pass\n'
    made = texts(moved({**TREE, OLD: code, "use.py": "import pkg.text\n"}, shim=True))
    assert made[OLD] == (
        '"""The old name of pkg.inner.words."""\n\n'
        "from pkg.inner.words import __all__ as __all__, slug as slug\n"
    )
    assert made[NEW] == code and made["use.py"] == "import pkg.inner.words\n"
    style = {"pkg/one.py": "from pkg import a\nfrom pkg import b\n"}
    made = texts(moved({**TREE, OLD: code, **style}, shim=True))
    assert str(made[OLD]).endswith(
        "from pkg.inner.words import __all__ as __all__\nfrom pkg.inner.words import slug as slug\n"
    )


def test_a_module_becomes_a_package_and_a_package_a_module() -> None:
    files = {**TREE, "use.py": "from pkg.text import slug\n"}
    done = moved(files, OLD, "pkg/text/__init__.py")
    made = texts(done)
    assert made["pkg/text/__init__.py"] == str(TREE[OLD]).replace("from .", "from ..")
    assert made[OLD] is None and "use.py" not in made and not done.leads
    back = {**{k: v for k, v in files.items() if k != OLD}, "pkg/text/__init__.py": "K = 1\n"}
    assert texts(moved(back, "pkg/text/__init__.py", OLD)) == {
        "pkg/text/__init__.py": None,
        OLD: "K = 1\n",
    }


def test_no_package_loses_its_own_file_to_a_module_in_it() -> None:
    with pytest.raises(GiveUp, match="would be no package any more"):
        moved({"pkg/__init__.py": "K = 1\n"}, "pkg/__init__.py", "pkg/words.py")


@pytest.mark.parametrize(
    ("files", "new", "words"),
    [
        ({NEW: ""}, NEW, "is there already"),
        ({"pkg/text.pyi": ""}, NEW, "stub"),
        ({}, "pkg/in-ner/words.py", "no name of a module"),
        ({"data/x.py": ""}, "data/words.py", "is no package"),
        ({"pkg/inner/x.py": ""}, NEW, "is no package"),
        ({OLD: "import pkg.text\n"}, NEW, "imports itself"),
        ({"pkg/te/x.py": ""}, "pkg/te/words.py", "is no package"),
        (
            {
                "pkg/inner/__init__.py": "from ..use import Y\n",
                "pkg/use.py": "from .text import slug\n\nY = 1\n",
            },
            NEW,
            "which imports it",
        ),
    ],
)
def test_half_a_move_of_a_module_is_none(files: Mapping[str, str], new: str, words: str) -> None:
    with pytest.raises(GiveUp, match=words):
        moved({**TREE, **files}, new=new)
