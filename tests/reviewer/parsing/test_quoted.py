"""Names in strings that Python reads as names, as the worker finds them."""

import pytest

from reviewer.parsing.quoted import quoted
from reviewer.parsing.worker import Parsers, Question


def names(text: str) -> list[str]:
    """Those found, with what stands before the dot; each has to stand where it is said to."""
    data = text.encode()
    found = quoted(data)
    for each in found:
        line = data.split(b"\n")[each.line - 1]
        assert line[each.column :].startswith(each.name.encode()), each
    return [f"{each.receiver}.{each.name}" if each.receiver else each.name for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__all__ = ['a', \"b\"] + x.__all__ + other('c')\n", ["a", "b"]),
        ("__all__: list[str] = ['a']\n__all__ += ('é', 'b',)\n", ["a", "é", "b"]),
        ("__all__.append('a')\n__all__.extend(['b'])\n", ["a", "b"]),
        ("__all__ = [f'{a}', 'a' 'b', b'c', 'd\\n', x['e'], {'f': 1}]\n", []),
        ("all = ['a']\nx.__all__ = ['b']\n", []),
    ],
)
def test_what_is_listed(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "def f(a: 'A | None', *b: 'm.B', **c: \"C\") -> 'dict[str, D]': ...\n",
            "A m m.B C dict str D",
        ),
        ("x: 'A'\ny: list['B'] = ['C']\nz: '''D''' = 1\nw: r'E'\n", "A B D E"),
        ("x: 'é.A'\n", "é é.A"),
        (
            "x: Literal['A'] | t.Literal['B']\ny: Annotated['C', 'D']\nz: t.Annotated['E', 'F']\n",
            "C E",
        ),
        ("x: 'not a type'\ny: 'A' 'B'\nz: f'C'\nw: 'A\\n'\n", ""),
        ("x = 'A'\nf('B')\nd = {'C': 'D'}\nlambda: 'E'\nx['F':'G']\n", ""),
    ],
)
def test_what_is_annotated(text: str, expected: str) -> None:
    assert names(text) == expected.split()


def test_a_worker_is_asked_and_a_hostile_file_costs_nothing_but_itself() -> None:
    deep = b"x: '" + b"[" * 200_000 + b"'\n__all__ = " + b"[" * 50_000 + b"'a'\n"
    with Parsers() as parsers:
        asked = [Question("names_in_strings", (each,)) for each in (deep, b"x: 'A'\n")]
        (_, _), (_, good) = parsers.ask_all(asked)
    assert good == [{"name": "A", "line": 1, "column": 4, "receiver": "", "listed": False}]
