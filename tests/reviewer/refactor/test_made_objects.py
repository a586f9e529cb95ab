"""Of which class an object certainly is, by what one file says: `made` is found, `no` is not."""

import pytest

from reviewer.detectors.contracts.views import View
from reviewer.languages import Language
from reviewer.parsing.extract import extract
from reviewer.refactor.made_objects import MadeObjects

FOUND = [
    "x = Acc()\nx.made()\n",
    "x = Acc(\n    1,\n    (2)\n)  # so\nx.made()\n",
    "x: Any = Acc()\nx.made()\n",
    "x: Acc = thing()\nx.made()\n",
    "Acc().made()\n",
    "y = f(a.Acc(1, (2)).made(\n))\n",
    "def f(x: Acc, y: int = 1):\n    return x.made\n",
    "def f(\n    self,\n    x: a.Acc = None,\n) -> None:\n    x.made()\n",
    "def f():\n    x = Acc()\n\n    def g():\n        x.made = 1\n    return g\n",
    "x = Acc()\n\n\ndef f():\n    x.made()\n\n\ndef g(x):\n    x.no()\n",
    "class C:\n    def f(self, x: Acc):\n        x.made()\n\n    def g(self, x):\n        x.no()\n",
]
NOT_FOUND = [
    "x = Acc()\nx = other()\nx.no()\n",
    "x = Acc() or y\nx.no()\n",
    "x = Acc().built()\nx.no()\n",
    "x = [Acc()]\nx.no()\n",
    "x = Acc()\nx += 1\nx.no()\n",
    "x = Acc()\n\n\ndef f():\n    global x\n    x = 1\n\n\nx.no()\n",
    "x = Acc()\nfrom y import x\nx.no()\n",
    "x = Acc()\nfor x in y:\n    x.no()\n",
    "if y:\n    x = Acc()\nelse:\n    x = 1\nx.no()\n",
    "def f(x: Acc):\n    x = x.no()\n    x.no()\n",
    "def f(*x: Acc, **y: Acc):\n    x.no()\n    y.no()\n",
    "def f(x: Acc | None, y: list[Acc], z: 'Acc'):\n    x.no()\n    y.no()\n    z.no()\n",
    "def f(x: Acc):\n    def x():\n        pass\n    x.no()\n",
    "def f():\n    with Acc() as x:\n        x.no()\n",
    "def f():\n    def g():\n        x = Acc()\n    x.no()\n",
    "x = Acc()\n\n\nclass C:\n    x = 1\n    x.no()\n\n    def f(self):\n        self.x.no()\n",
    "x = Acc()\n[x.no() for x in y]\n",
    "x = Acc()\nlambda x: x.no()\n",
    "Acc.no()\nself.no()\nAcc()[0].no()\nf(Acc()).no()\n(Acc()).no()\n",
    "x = lambda: Acc()\nx.no()\n",
    "def f():\n    x.no()\n",
]


@pytest.mark.parametrize("text", [*FOUND, *NOT_FOUND])
def test_an_object_is_of_a_class(text: str) -> None:
    data = f"import a\nfrom a import Acc\n\n{text}".encode()
    what = extract(data, Language.PYTHON)
    objects = MadeObjects(View("t.py", Language.PYTHON, what, data))
    asked = [use for use in what.uses if use.name in {"made", "no"}]
    assert asked
    for use in asked:
        is_acc = any(each.name == "Acc" for each in objects.made_by(use))
        assert is_acc == (use.name == "made"), use
