"""Renames of a member of a class, and of what overrides it or is overridden by it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reviewer.errors import GiveUp
from tests.reviewer.refactor.test_symbols import renamed, texts

BASE = "class Base:\n    def send(self):\n        return 1\n"
FAMILY = {
    "pkg/__init__.py": "from pkg.base import Base as Base\n",
    "pkg/base.py": BASE,
    # By a module, an alias and a package that hands the class on; over several steps.
    "pkg/mail.py": "import pkg.base as b\n\n\nclass Mail(b.Base):\n    def send(self):\n"
    "        return super().send() + b.Base.send(self)\n",
    "pkg/fax.py": "from pkg import Base as Sender\n\n\nclass Fax(Sender):\n    def twice(self):\n"
    "        return self.send() * 2\n\n\nclass Loud(Fax):\n    pass\n",
    "deep/loudest.py": "from pkg.fax import Loud\n\n\nclass Louder(Loud):\n    pass\n\n\n"
    "class Loudest(Louder):\n    def send(self):\n        return super(Loudest, self).send() + 1\n",
    # The two meet, and one that nothing else ties to them comes in by that.
    "pkg/both.py": "from pkg.fax import Fax\nfrom pkg.log import Log\nfrom pkg.mail import Mail\n\n\n"
    "class Both(Fax, Mail, Log):\n    pass\n\n\nBoth.send(Both())\n",
    "pkg/log.py": "class Log:\n    def send(self):\n        return 0\n",
    "use.py": "from pkg.both import Both\nfrom pkg.fax import Loud\nimport deep.loudest\n\n"
    "Both.send(Both())\nfrom deep.loudest import Loudest as f\ng = Loud.send\ndeep.loudest.Loudest.send(f())\n",
    # Namesakes.
    "other.py": "class Base:\n    def send(self):\n        return self.send()\n\n\n"
    "class Mail(Base):\n    def send(self):\n        return super().send()\n\n\nMail.send(Mail())\n",
    "plain.py": "def send():\n    return send()\n",
}
TOUCHED = set(FAMILY) - {"pkg/__init__.py", "other.py", "plain.py"}
SYMBOLS = [
    ("pkg/base.py", "Base.send"),
    ("pkg/mail.py", "Mail.send"),
    ("deep/loudest.py", "Loudest.send"),
    ("pkg/log.py", "Log.send"),
]


@pytest.mark.parametrize(("path", "symbol"), SYMBOLS)
def test_a_family_is_renamed_as_one_whichever_of_it_is_named(path: str, symbol: str) -> None:
    done = renamed(FAMILY, path, symbol, "deliver")
    assert texts(done) == {one: FAMILY[one].replace("send", "deliver") for one in TOUCHED}
    assert sorted([(path, symbol), *done.along]) == sorted(SYMBOLS)
    assert "other.py" not in done.leads and "plain.py" not in done.leads


OBJECTS = {
    "acc.py": "class Acc:\n    def __init__(self):\n        self.size = 1\n\n    def run(self):\n        return self.size\n\n\n"
    "class Own(Acc):\n    def run(self):\n        return 2\n",
    "use.py": "import acc\nfrom acc import Acc as A, Own\n\nx = A()\nx.run()\nA().run()\nprint(acc.Own().run(), x.size)\n"
    "x.size = 3\n\n\ndef f(own: Own, other):\n    own.run()\n    other.run()\n",
    "no.py": "from acc import Acc\n\n\nclass Acc2:\n    def run(self):\n        pass\n\n\ny = Acc2()\ny.run()\n"
    "z = Acc()\nz = Acc2()\nz.run()\n",
}


@pytest.mark.parametrize(("symbol", "to"), [("Acc.run", "go"), ("Acc.size", "width")])
def test_what_is_asked_of_an_object_whose_scope_says_its_class_follows(
    symbol: str, to: str
) -> None:
    done = renamed(OBJECTS, "acc.py", symbol, to)
    old = symbol.partition(".")[2]
    expected = OBJECTS["use.py"].replace(old, to).replace(f"other.{to}", "other.run")
    assert texts(done)["use.py"] == expected
    assert set(texts(done)) == {"acc.py", "use.py"}


@pytest.mark.parametrize(
    "body",
    [
        "    if isinstance(x, Acc2):\n        x.run()\n",
        "    match [x]:\n        case [Acc2() as x]:\n            x.run()\n",
        "    match x:\n        case Acc2():\n            x.run()\n",
        "    if type(x) is Acc2:\n        x.run()\n",
    ],
)
def test_an_object_that_may_be_of_a_narrower_class_is_left(body: str) -> None:
    text = f"from acc import Acc\n\n\ndef f(x: Acc):\n{body}"
    done = renamed({**OBJECTS, "some.py": text}, "acc.py", "Acc.run", "go")
    assert "some.py" not in texts(done)


@pytest.mark.parametrize(
    "acc",
    [
        "class Acc:\n    def __new__(cls):\n        return 1\n\n    def run(self):\n        pass\n",
        "class Meta(type):\n    pass\n\n\nclass Acc(metaclass=Meta):\n    def run(self):\n        pass\n",
    ],
)
def test_a_class_whose_call_may_make_another_object_says_nothing(acc: str) -> None:
    files = {"acc.py": acc, "use.py": "from acc import Acc\n\nx = Acc()\nx.run()\nAcc.run(x)\n"}
    made = texts(renamed(files, "acc.py", "Acc.run", "go"))["use.py"]
    assert made.endswith("x.run()\nAcc.go(x)\n")


def test_what_is_renamed_still_answers_as_before(tmp_path: Path) -> None:
    done = texts(renamed(FAMILY, "pkg/log.py", "Log.send", "deliver"))
    said = []
    for name, files in (("send", FAMILY), ("deliver", {**FAMILY, **done})):
        for path, text in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
        asked = "import use; print([one()." + name + "() for one in "
        asked += "(use.Both, use.deep.loudest.Loudest, use.Loud)])"
        run = [sys.executable, "-c", asked]
        said.append(subprocess.check_output(run, cwd=tmp_path / name, text=True))
    assert said[0] == said[1] == "[2, 2, 1]\n"


def test_a_class_above_that_only_asks_for_it_is_of_the_family() -> None:
    files = {
        "a.py": "class Job:\n    def run(self):\n        return self.step()\n",
        "b.py": "from a import Job\n\n\nclass One(Job):\n    def step(self):\n        return 1\n",
        "c.py": "from a import Job\n\n\nclass Two(Job):\n    step = None\n",
    }
    done = renamed(files, "b.py", "One.step", "turn")
    assert texts(done) == {path: text.replace("step", "turn") for path, text in files.items()}


def test_a_property_is_renamed_with_its_setter_and_what_its_class_makes_of_it() -> None:
    text = (
        "class A:\n    @property\n    def size(self):\n        return 1\n\n    @size.setter\n"
        "    def size(self, value):\n        pass\n\n    length = size\n\n    @wrapped(size)\n"
        "    def other(self):\n        return size\n\n\ndef size():\n    return A().length\n"
    )
    done = renamed({"a.py": text}, "a.py", "A.size", "count")
    changed = text.replace("def size(self", "def count(self").replace("@size.", "@count.")
    changed = changed.replace("length = size", "length = count").replace("(size)", "(count)")
    assert texts(done) == {"a.py": changed}


@pytest.mark.parametrize(
    "bases",
    [
        "object",
        "ABC",
        "abc.ABC",
        "Generic[T], metaclass=Meta",
        "Exception",
        "dict[str, int]",
        "enum.StrEnum",
        "t.NamedTuple",
    ],
)
def test_what_is_known_of_the_language_is_no_stranger(bases: str) -> None:
    start = "import abc\nimport enum\nimport typing as t\nfrom abc import ABC\n"
    start += f"from typing import Generic, TypeVar\n\nT = TypeVar('T')\n\n\nclass A({bases}):\n"
    files = {"a.py": f"{start}    def send(self):\n        return self.send()\n"}
    assert texts(renamed(files, "a.py", "A.send", "deliver")) == {
        "a.py": files["a.py"].replace("send", "deliver")
    }


SEND = "    def send(self):\n        pass\n"
SUB = f"from pkg.text import A\n\n\nclass B(A):\n{SEND}"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"a.py": f"from lib import Base\n\n\nclass A(Base):\n{SEND}"},
            "A of a.py extends Base, which is not of this tree and may have send",
        ),
        (
            {
                "a.py": f"class A:\n{SEND}",
                "b.py": "import lib\nfrom a import A\n\n\nclass B(A, lib.Base):\n    pass\n",
            },
            "B of b.py extends lib.Base, which is not of this tree",
        ),
        (
            {
                "a.py": f"from b import Mid\n\n\nclass A(Mid):\n{SEND}",
                "b.py": "from threading import Thread\n\n\nclass Mid(Thread):\n    pass\n",
            },
            "Mid of b.py extends Thread, which is not of this tree",
        ),
        (
            {"a.py": f"import socket\n\n\nclass A(socket.socket):\n{SEND}"},
            "extends socket.socket",
        ),
        ({"a.py": f"class A(*bases):\n{SEND}"}, "what class A of a.py extends is computed"),
        (
            {
                "a.py": f"class A:\n{SEND}",
                "b.py": f"from a import A\n\n\nclass B(mixed(A)):\n{SEND}",
            },
            "what class B of b.py extends is computed, out of class A of a.py",
        ),
        (
            {"a.py": f"class A:\n{SEND}", "b.py": f"from a import *\n\n\nclass B(A):\n{SEND}"},
            "B of b.py may extend class A of a.py",
        ),
        (
            {"a.py": f"from typing import Protocol\n\n\nclass A(Protocol):\n{SEND}"},
            "others may be class A of a.py, a protocol, without saying so",
        ),
        (
            {
                "a.py": f"class A:\n{SEND}",
                "b.py": f"import typing\n\n\nclass P(typing.Protocol):\n{SEND}",
            },
            "P of b.py is a protocol that asks for send",
        ),
        (
            {
                "a.py": f"class A:\n{SEND}",
                "b.py": "from a import A\n\n\nclass B(A):\n    def deliver(self):\n        pass\n",
            },
            "B of b.py has the name deliver already",
        ),
        (
            {
                "a.py": f"from b import Mid\n\n\nclass A(Mid):\n{SEND}",
                "b.py": "class Mid:\n    def __init__(self):\n        self.deliver = 1\n",
            },
            "Mid of b.py has the name deliver already",
        ),
        (
            {
                "a.py": f"class A:\n{SEND}",
                "vendor/x.py": f"from a import A\n\n\nclass B(A):\n{SEND}",
            },
            "it is used in vendor/x.py, which is not edited: it is vendored",
        ),
    ],
)
def test_a_family_that_is_not_known_whole_is_declined(
    files: Mapping[str, bytes | str], words: str
) -> None:
    with pytest.raises(GiveUp, match=words.replace("(", r"\(")):
        renamed(files, "a.py", "A.send", "deliver")


@pytest.mark.parametrize(
    ("base", "symbol", "to", "words"),
    [
        ("dict", "pop", "take", "extends dict, which has pop as well"),
        ("dict", "take", "pop", "extends dict, which has pop as well"),
        ("enum.Enum", "label", "name", "extends enum.Enum, which has name as well"),
        ("object", "__len__", "size", "the language itself calls __len__"),
    ],
)
def test_a_name_that_a_class_of_the_language_has_is_its_own(
    base: str, symbol: str, to: str, words: str
) -> None:
    text = f"import enum\n\n\nclass A({base}):\n    def {symbol}(self):\n        pass\n"
    with pytest.raises(GiveUp, match=words):
        renamed({"a.py": text}, "a.py", f"A.{symbol}", to)


def test_an_attribute_of_a_class_is_renamed_in_those_that_set_their_own() -> None:
    files = {
        "a.py": "class A:\n    limit = 1\n\n    def f(self):\n        return self.limit\n",
        "b.py": "from a import A\n\n\nclass B(A):\n    limit = 2\n\n\nprint(B.limit)\n",
        "c.py": "class C:\n    limit = 3\n",
    }
    done = renamed(files, "a.py", "A.limit", "bound")
    assert texts(done) == {path: files[path].replace("limit", "bound") for path in ("a.py", "b.py")}


TYPESCRIPT = {
    "a.ts": "export class A {\n  send() { return this.send(); }\n}\n",
    "b.ts": 'import { A } from "./a";\nexport class B extends A {\n'
    "  override send() { return super.send(); }\n}\n",
    "c.ts": 'import { B } from "./b";\nclass C extends B {\n  go() { this.send(); }\n}\n',
    "d.ts": "class A {\n  send() { return this.send(); }\n}\n",
}


def test_a_family_of_typescript() -> None:
    done = renamed(TYPESCRIPT, "b.ts", "B.send", "deliver")
    assert texts(done) == {
        path: TYPESCRIPT[path].replace("send", "deliver") for path in ("a.ts", "b.ts", "c.ts")
    }


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"e.ts": 'import { A } from "./a";\nclass E extends mix(A) {\n}\n'}, "is computed"),
        (
            {
                "a.ts": "interface I {\n  send(): void;\n}\nexport class A implements I {\n  send() {}\n}\n"
            },
            "objects may be class I of a.ts without saying so",
        ),
        (
            {"a.ts": 'import B from "lib";\nexport class A extends B {\n  send() {}\n}\n'},
            "A of a.ts extends B, which is not of this tree",
        ),
    ],
)
def test_and_what_declines_it(more: Mapping[str, str], words: str) -> None:
    with pytest.raises(GiveUp, match=words):
        renamed({**TYPESCRIPT, **more}, "a.ts", "A.send", "deliver")


@pytest.mark.parametrize(
    ("path", "text", "symbol"),
    [
        (
            "a.rs",
            "trait S {\n    fn send(&self);\n}\nstruct X;\nimpl S for X {\n    fn send(&self) {}\n}\n",
            "X.send",
        ),
        ("A.java", "class A extends B {\n    void send() {}\n}\n", "A.send"),
        ("a.go", "package a\n\ntype A struct{}\n\nfunc (a A) Send() {}\n", "A.Send"),
    ],
)
def test_in_other_languages_a_member_with_relatives_is_declined(
    path: str, text: str, symbol: str
) -> None:
    with pytest.raises(GiveUp, match=r"which may have X\.send as well|extends B|a method of Go"):
        renamed({path: text}, path, symbol, "deliver")
