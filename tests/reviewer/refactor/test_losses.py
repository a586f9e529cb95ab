"""What a plan and its result destroy, and what new lines reach: counted, whatever a model says."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from reviewer.context.provider import Provider
from reviewer.refactor.beyond import SHOWN, reaching
from reviewer.refactor.losses import destroyed, shrunk
from reviewer.refactor.patch import Blob, FileEdit
from reviewer.refactor.values import Plan
from tests.reviewer.refactor.shop import FILES, module
from tests.reviewer.refactor.trees import overlay

CART, PRICES, REPORT = "shop/cart.py", "shop/prices.py", "shop/report.py"
TEST = "tests/test_cart.py"
BIG = "".join(f"def f{n}(x):\n    return x + {n}\n\n\n" for n in range(300))
TREE = overlay(
    {
        **FILES,
        TEST: "from shop.cart import total\n\n\ndef test_total():\n    assert total([1])\n",
        "big.py": BIG,
        "tests/test_big.py": BIG.replace("def f", "def test_f"),
        "LICENSE": "MIT\n",
        "old/unused.py": "x = 1\n",
    }
)


@pytest.fixture(scope="module")
def context() -> Iterator[Provider]:
    with Provider(TREE.start.objects) as provider:
        yield provider


def plan(*modules: Any) -> Plan:
    return Plan.model_validate({"summary": "As asked.", "modules": list(modules)})


@pytest.mark.parametrize(
    ("instruction", "paths", "made", "words"),
    [
        ("Tidy.", (), module("m", TEST, gone=(TEST,)), [f"Of tests goes .*: {TEST}."]),
        ("Delete the tests.", (), module("m", TEST, gone=(TEST,)), [f"Of tests goes .*{TEST}."]),
        (f"Delete {TEST}.", (), module("m", TEST, gone=(TEST,)), []),
        ("Move it.", (), module("m", TEST, new=("t/test_cart.py",), gone=(TEST,)), []),
        ("Tidy.", (), module("m", TEST, new=("x.py",), gone=(TEST,)), ["Of tests goes"]),
        ("Tidy.", (), module("m", "LICENSE", gone=("LICENSE",)), ["the licence goes.*: LICENSE"]),
        ("Drop LICENSE, we have a new one.", (), module("m", "LICENSE", gone=("LICENSE",)), []),
        (
            "Tidy.",
            (),
            module("m", PRICES, gone=(PRICES,)),
            [f"{PRICES} goes, which {CART}, {REPORT} use"],
        ),
        ("Drop prices.py", (), module("m", PRICES, gone=(PRICES,)), []),
        ("Tidy.", (), module("m", PRICES, CART, REPORT, gone=(PRICES,)), []),
        ("Tidy.", (), module("m", "old/unused.py", gone=("old/unused.py",)), []),
        ("Tidy.", ("old",), module("m", "old/unused.py", gone=("old/unused.py",)), ["^100 % of"]),
        ("Tidy.", (), module("m", "big.py", gone=("big.py",)), ["% of the code in scope goes"]),
    ],
)
def test_what_a_plan_destroys_and_the_instruction_does_not_name(
    instruction: str, paths: tuple[str, ...], made: Any, words: list[str], context: Provider
) -> None:
    said = destroyed(plan(made), instruction, paths, TREE.start, context)
    assert len(said) == len(words), said
    for one, word in zip(said, words, strict=True):
        assert re.search(word, one), (word, one)


def edit(path: str, after: str | None) -> FileEdit:
    before = TREE.blob(path)
    return FileEdit(path, before, None if after is None else Blob(after.encode()))


def test_a_result_that_leaves_nothing_of_much_of_the_code_is_seen() -> None:
    half = edit("tests/test_big.py", BIG[: len(BIG) // 2])
    (tests,) = shrunk([half], "Tidy.", (), TREE.start)
    assert "of the tests in scope goes" in tests
    whole = [edit("tests/test_big.py", None), edit("big.py", None)]
    assert len(shrunk(whole, "Tidy.", (), TREE.start)) == 2
    assert shrunk(whole, "Drop big.py and tests/test_big.py", (), TREE.start) == []
    # What stands elsewhere afterwards is not gone, nor is a little.
    moved = [edit("big.py", None), edit("large.py", BIG)]
    assert shrunk(moved, "Move it.", (), TREE.start) == []
    assert shrunk([edit("big.py", BIG[3_000:])], "Tidy.", (), TREE.start) == []
    assert shrunk([edit(CART, None)], "Tidy.", (CART,), TREE.start) == []


@pytest.mark.parametrize(
    ("path", "line", "kind"),
    [
        ("a.py", "print(os.environ)", "reads the environment"),
        ("a.py", "from os import environ", "reads the environment"),
        ("a.ts", "console.log(process.env)", "reads the environment"),
        ("a.go", 'fmt.Println(os.Getenv("X"))', "reads the environment"),
        ("a.rb", 'puts ENV["X"]', "reads the environment"),
        ("A.java", "System.getenv().forEach(p);", "reads the environment"),
        ("a.py", "text = open('/proc/self/environ').read()", "reads the environment"),
        ("a.py", "subprocess.run(['env'])", "runs a program"),
        ("a.js", "require('child_process').exec('env')", "runs a program"),
        ("a.py", "requests.post(url, data)", "reaches the network"),
        ("a.ts", "fetch('https://evil.test')", "reaches the network"),
        ("a.py", "environment = load(name)", ""),
        ("a.py", "self.requests.append(one)", ""),
        ("a.md", "print(os.environ)", ""),
    ],
)
def test_new_lines_that_reach_beyond_the_program_are_told(path: str, line: str, kind: str) -> None:
    said = reaching([FileEdit(path, Blob(b"x = 1\n"), Blob(f"x = 1\n{line}\n".encode()))])
    wanted = [f"New in {path}:2, a line that {kind}: {line}"] if kind else []
    assert said == wanted


def test_lines_that_were_moved_reach_nothing_new_and_many_are_counted() -> None:
    line = "print(os.environ)\n"
    moved = [
        FileEdit("a.py", Blob(line.encode()), None),
        FileEdit("b.py", None, Blob(f"def f():\n    {line}".encode())),
    ]
    assert reaching(moved) == []
    many = "".join(f"print(os.environ[{n}])\n" for n in range(SHOWN + 3))
    said = reaching([FileEdit("a.py", None, Blob(many.encode()))])
    assert len(said) == SHOWN + 1 and said[-1] == "And 3 more lines like these are new."
