"""Each gap of the sandbox's Python that a model may step into is answered with what to write."""

import asyncio

import pytest

from reviewer.rlm.sandbox import HINTS, Printed, Sandbox


async def read(path: str) -> str:
    """The text of a file."""
    return f"text of {path}"


def run(*codes: str) -> list[Printed]:
    """Run turns of one session, in order."""

    async def turns() -> list[Printed]:
        async with Sandbox(workers=1) as sandbox:
            session = sandbox.session({"read": read})
            return [await session.run(code) for code in codes]

    return asyncio.run(turns())


GAPS = [
    ("later = read('a')", "await later", "same turn"),
    ("later = read('a')", "other = read('b')\nprint(await later, await other)", "same turn"),
    ("", "for _ in range(20_000):\n    try:\n        missing\n    except NameError:\n        pass", "ask"),
    ("", "class A(Exception): pass", "no class inheritance"),
    ("", "class A:\n    def __init__(self):\n        super().__init__()\nA()", "no class inher"),
    ("", "def g():\n    yield from [1]", "no generators"),
    ("", "x = [1]\ndel x[0]", "d.pop(key)"),
    ("", "class A:\n    @staticmethod\n    def f(): pass", "no method decorators"),
    ("", "[x async for x in read('a')]", "for x in await"),
    ("import asyncio", "async with asyncio.TaskGroup() as g: pass", "no `async with`"),
    ("import asyncio", "await asyncio.gather(read('a'), return_exceptions=True)", "one by one"),
    ("import asyncio", "await asyncio.gather([read('a')])", "gather(*calls)"),
    ("import asyncio", "task = asyncio.create_task(read('a'))", "no task is needed"),
    ("import asyncio", "await asyncio.wait_for(read('a'), 5)", "no task is needed"),
    ("import re", "re.sub('a', lambda m: 'b', 'aa')", "re.finditer"),
    ("import re", "re.compile('a  # b', re.VERBOSE)", "without blanks"),
    ("", "sorted(['b', 'A'], key=str.lower)", "write a lambda"),
    ("", "next(x for x in [1, 2] if x > 1)", "next(iter("),
    ("", "raise ValueError('a', 1)", "one string"),
    ("class E: pass", "raise E()", "that Python has"),
    ("", "try:\n    pass\nexcept* ValueError:\n    pass", "not `except*`"),
    ("", "type X = list[int]", "no `type` statement"),
    ("", "from math import *", "names of it"),
    ("", "from collections import OrderedDict", "less here"),
    ("import functools", "functools.wraps", "less here"),
    ("", "import textwrap", "These exist: json"),
    ("import json", "json.dumps({1}, default=list)", "no default="),
    ("import json", "json.dumps({1})", "sorted(a_set)"),
    ("", "await read({1, 2})", "sorted(a_set)"),
    ("", "await read({(1, 2): 3})", "numbers, strings"),
    ("", "with open('x.py') as file: pass", "await read(path)"),
    ("import os", "os.getenv('HOME')", "no files here"),
    ("", "await 5", "Only host functions"),
    ("", "for line in read('a'): pass", "until you await"),
    ("", "'a' + read('a')", "until you await"),
    ("", "read('a').splitlines()", "until you await"),
    ("", "7 ** 100_000", "math.log10"),
    ("", "vars()", "hasattr"),
    ("def f(): pass", "f.__doc__", "type(x).__name__"),
    ("def f(): pass", "f.x = 1", "use a dict"),
    ("class A:\n    def __len__(self): return 1", "len(A())", "write a function"),
    ("class A:\n    def __lt__(self, o): return True", "sorted([A(), A()])", "key="),
    ("", "  x = 1", "first column"),
    ("", "!ls", "no fences"),
    ("", "```python\nx = 1\n```", "no fences"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "code", "hint"), GAPS)
def test_a_gap_is_answered_with_what_to_write(before: str, code: str, hint: str):
    _, printed = run(before, code)
    assert printed.failed
    advice = [line for line in printed.text.splitlines() if any(line == said for _, said in HINTS)]
    assert len(advice) == 1, printed.text
    assert hint in advice[0]


def test_no_advice_comes_from_words_that_the_code_or_a_file_holds():
    quoted, said = run(
        "x = 1 / 0  # support yield 'coroutine' async for",
        "raise ValueError('there is no file src/async_format.py, nor a coroutine')",
    )
    for printed in (quoted, said):
        assert printed.failed
        assert not any(hint in printed.text for _, hint in HINTS)


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("x = 3; x", "3\n"),
        ("x = 3;", "(nothing printed)"),
        ("x = (1,\n2)", "(nothing printed)"),
        ("(1,\n2)  # both", "(1, 2)\n"),
        ("1, 2", "(1, 2)\n"),
        ("x: int = 3", "(nothing printed)"),
        ("if True: 2", "(nothing printed)"),
        ("for x in [1]:\n    x", "(nothing printed)"),
        ("3 == 3", "True\n"),
        ("'''a\nb'''", "'a\\nb'\n"),
        ('f"{"a" + f"{1}"}"', "'a1'\n"),
        ("y = 1 + \\\n2\ny", "3\n"),
        ("lambda_ = 1\nlambda_ if lambda_ else 0", "1\n"),
        ("await read('a')", "'text of a'\n"),
        ("# nothing", "(nothing printed)"),
        ("", "(nothing printed)"),
        ("print(1)", "1\n"),
        ("é = 'ü'\né * 2", "'üü'\n"),
    ],
)
def test_the_last_expression_is_printed_and_nothing_else(code: str, printed: str):
    assert run(code)[0] == Printed(printed, failed=False)


@pytest.mark.parametrize(
    ("code", "trace"),
    [
        ("1 + 1\n{}['a']", '  File "<python-input-1>", line 2, in <module>\n    {}[\'a\']\n    ~~~~~~~\nKeyError: a'),
        ("await read(1, 2)", '  File "<python-input-1>", line 1, in <module>\n    await read(1, 2)\n    ~~~~~~~~~~~~~~~~\nTypeError: read: too many positional arguments'),
        ("await read({1})", "line 1, in <module>\n    await read({1})\n          ~~~~~~~~~\nTypeError: Object of type set"),
    ],
)  # fmt: skip
def test_a_traceback_shows_the_code_as_it_was_sent(code: str, trace: str):
    (printed,) = run(code)
    assert trace in printed.text
    assert "_shown" not in printed.text
    assert "_sent" not in printed.text
