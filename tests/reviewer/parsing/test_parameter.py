"""Where a function names its parameter: `n` stands for it, `N` for what has to stay an `n`."""

import re

import pytest

from reviewer.parsing.parameter import parameter
from reviewer.parsing.worker import Parsers, Question

RENAMED = [
    "return n + x.N + f(N=n, *n, **n)[n]\n",
    "n = n + 1\nn += 1\nfor n, (a, n) in n: pass\nwith n as n: del n\nif (n := n): pass\n",
    "print(f'{n} {n!r:>{n}} N')\n'N'  # N\n",
    "def g(a=n, *, b: n = 1): return n\nreturn lambda a=n: n, lambda: n\n",
    "@n\ndef g(N, b=n): return N\nreturn lambda N, b=n: N\n",
    "def g():\n    N = 1\n    def h(): return N\n    return N\nreturn n\n",
    "def g():\n    nonlocal n\n    n = 1\n    def h(): return n\n",
    "def g():\n    global N\n    N = 1\nreturn n\n",
    "def g():\n    for N in N: pass\n    with a as N: N\ndef h():\n    import N\n    N\ndef i():\n    from a import N\n    N\n"
    "def j():\n    import a as N\n    N\ndef k():\n    try: pass\n    except E as N: N\ndef m():\n    import N.a\n",
    "return [N for N in n if N], {N: n2 for N, n2 in n}, [n for a in n for b in n], [a for a in n]\n",
    "return [N for a in n for N in N], [n for a in [N for N in n]], (N for N in n)\n",
    "[(n := a) for a in n]\ndef g(): return [(N := a) for a in b], N\n",
    "match n:\n    case n: n\n    case N2(N=1, b=n): n\n    case n.N: pass\n    case [n, *n]: pass\n    case a as n: pass\n",
    "def g():\n    match a:\n        case N: N\n        case a.N: N\n",
    "class A(n):\n    a = n\n    def g(self, b=n): return n\n    def h(self, N): return N\n",
    "async def g(*N, **b): return N\ndef h(a, /, *, N): return N\n",
    "def g(x: n) -> n:\n    N: int = 1\n    return N\n",
    "from a import b as c, N as d\nimport N as e, N.n2 as f\nfrom N import b\n",
]


def _marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with `N` an `n`, and the places of what was an `n` before."""
    places = [
        (number, len(line[: one.start()].encode()))
        for number, line in enumerate(text.split("\n"), 1)
        for one in re.finditer(r"\bn\b", line)
    ]
    return re.sub(r"\bN\b", "n", text), places


@pytest.mark.parametrize("body", RENAMED)
def test_names_by_the_scopes_of_the_language(body: str) -> None:
    inner = "".join(f"    {line}\n" for line in body.splitlines())
    text, places = _marked(
        f"n2 = 1\n\n\n@made\ndef f(é, n: N = N, *, b=N) -> N:\n    'é'; n\n{inner}"
    )
    end = text.count("\n")
    found = parameter(text.encode(), "f", 4, end, "n", "width")
    assert not found.problem
    assert sorted(found.places) == places
    lines = text.encode().split(b"\n")
    assert all(lines[row - 1][at : at + 1] == b"n" for row, at in found.places)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return width", "the name width already"),
        ("def g(width): pass", "the name width already"),
        ("return lambda width: 1", "the name width already"),
        ("return x.width + f(width=1)", ""),
        ("return locals()", "by their names"),
        ("return f'{n=}'", "{name=}"),
        ("return f'{x=}'", ""),
        ("import n", "something else"),
        ("def n(): pass", "something else"),
        ("class A:\n        n = n", "a class"),
        ("return (", "not found"),
    ],
)
def test_what_cannot_be_told(body: str, why: str) -> None:
    found = parameter(f"def f(n):\n    {body}\n".encode(), "f", 1, 3, "n", "width")
    assert (why in found.problem) if why else not found.problem
    assert parameter(b"def f(n): pass\n", "g", 1, 1, "n", "w").problem
    assert parameter(b"def f(n): pass\n", "f", 1, 1, "m", "w").problem
    assert parameter(b"def f(n, w): pass\n", "f", 1, 1, "n", "w").problem


def test_the_worker_is_asked_and_deep_nesting_ends() -> None:
    deep = b"def f(n):\n    return " + b"(" * 3000 + b"n" + b")" * 3000 + b"\n"
    with Parsers() as parsers:
        said = parsers.ask(Question("parameter", (deep,), ("f", 1, 2, "n", "w")))
    assert [place[0] for place in said["places"]] == [1, 2] or said["problem"]
