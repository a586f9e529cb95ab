"""What is different between two states of files, told by names and signatures alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.context.differences import Aspect, Difference, Ends, Fate, differences
from reviewer.languages import Language
from reviewer.parsing.extract import extract
from tests.examples import examples

PY = Language.PYTHON


def ends(path: str, before: str | None, after: str | None, language: Language = PY) -> Ends:
    return Ends(
        None if before is None else path,
        None if after is None else path,
        None if before is None else extract(before.encode(), language),
        None if after is None else extract(after.encode(), language),
    )


def told(*files: Ends) -> list[tuple[Fate, str, str]]:
    return [
        (each.fate, each.old_name, each.new_name) for each in differences(files) if not each.implied
    ]


def aspects(before: str, after: str, language: Language = PY) -> list[tuple[Aspect, str, str]]:
    found: tuple[Difference, ...] = differences([ends("a", before, after, language)])
    return [(d.aspect, d.before, d.after) for each in found for d in each.details]


def test_what_is_as_it_was_is_not_different():
    text = "class A:\n    x: int\n    def f(self, a=1):\n        return g(a)\n"
    assert differences([ends("a.py", text, f"import os\n\n\n{text}")]) == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("{ a = 1 }", "{ a = 1, b }", [Aspect.SIGNATURE]),
        ("{ a }, c", "{ a, b }, c, d", [Aspect.PARAMETER_ADDED]),
        ("[a], c", "[a, b], e", [Aspect.PARAMETER_RENAMED]),
        ("{ a }", "a", [Aspect.PARAMETER_RENAMED]),
    ],
)
def test_what_is_taken_apart_otherwise_is_the_same_parameter(
    before: str, after: str, expected: list[Aspect]
):
    found = aspects(f"function f({before}) {{}}", f"function f({after}) {{}}", Language.TYPESCRIPT)
    assert [aspect for aspect, _, _ in found] == expected


def test_names_that_go_and_come():
    before = "def f(): pass\nclass A:\n    def m(self): pass\n    x = 1\n"
    after = "def f(): pass\nclass B:\n    def n(self, a): pass\n"
    assert told(ends("a.py", before, after)) == [
        (Fate.REMOVED, "A", ""),
        (Fate.ADDED, "", "B"),
    ]
    members = [each.old_name for each in differences([ends("a.py", before, after)]) if each.implied]
    assert members == ["A.m", "A.x", ""]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a", "a, b", [(Aspect.PARAMETER_ADDED, "", "b (both, required)")]),
        ("a", "a, b=1", [(Aspect.PARAMETER_ADDED, "", "b (both, optional)")]),
        ("**o", "*, b=1, **o", [(Aspect.PARAMETER_ADDED, "taken by **o", "b (keyword, optional)")]),
        ("a, b", "a", [(Aspect.PARAMETER_REMOVED, "b (both, required)", "")]),
        ("a, b", "a, c", [(Aspect.PARAMETER_RENAMED, "b", "c")]),
        ("a, b", "b, a", [(Aspect.PARAMETER_ORDER, "a, b", "b, a")]),
        ("a=1", "a", [(Aspect.PARAMETER_REQUIRED, "a", "a")]),
        ("a", "a=1", [(Aspect.PARAMETER_OPTIONAL, "a", "a")]),
        ("a", "*, a", [(Aspect.PARAMETER_HOW, "a (both, required)", "a (keyword, required)")]),
        ("a: int", "a: str", [(Aspect.SIGNATURE, "def f(a: int)", "def f(a: str)")]),
        ("a, b", "\n    a,\n    b,\n", []),
    ],
)
def test_parameters(before: str, after: str, expected: list[tuple[Aspect, str, str]]):
    assert aspects(f"def f({before}): pass\n", f"def f({after}): pass\n") == expected


@pytest.mark.parametrize(
    ("language", "before", "after", "expected"),
    [
        (PY, "def f() -> int: pass", "def f() -> str: pass", [Aspect.RETURNS]),
        (PY, "class A(B): pass", "class A(C): pass", [Aspect.BASES]),
        (PY, "@a\ndef f(): pass", "@b\ndef f(): pass", [Aspect.DECORATORS]),
        (PY, "X = 1", "X = 2", [Aspect.DECLARATION]),
        (PY, "def f(): pass", "class f: pass", [Aspect.KIND]),
        (
            Language.TYPESCRIPT,
            "export const x = 1\nexport function f(a: string): string { return a }",
            "export const x = 1\nfunction f(a: string): string { return a }",
            [Aspect.EXPORTED],
        ),
        (
            Language.GO,
            "package p\nfunc F() int {}",
            "package p\nfunc F() error {}",
            [Aspect.RETURNS],
        ),
        (
            Language.JAVA,
            "class C { int f(int a) {} int f(String a) {} }",
            "class C { int f(int a) {} }",
            [Aspect.OVERLOAD_REMOVED],
        ),
        (
            Language.JAVA,
            "class C { public int f() {} }",
            "class C { public static int f() {} }",
            [Aspect.SIGNATURE],
        ),
        (Language.RUBY, "def f(a:)\nend", "def f(a: 1)\nend", [Aspect.PARAMETER_OPTIONAL]),
    ],
)
def test_other_aspects(language: Language, before: str, after: str, expected: list[Aspect]):
    assert [aspect for aspect, _, _ in aspects(before, after, language)] == expected


BODY = "    a = one(x)\n    b = two(a)\n    return three(b)\n"


def test_a_renamed_function_is_known_by_its_body():
    assert told(ends("a.py", f"def f(x):\n{BODY}", f"def g(x):\n{BODY}")) == [
        (Fate.RENAMED, "f", "g")
    ]


def test_a_body_that_two_share_renames_neither():
    before = f"def f(x):\n{BODY}\ndef h(x):\n{BODY}"
    assert told(ends("a.py", before, f"def g(x):\n{BODY}")) == [
        (Fate.REMOVED, "f", ""),
        (Fate.ADDED, "", "g"),
        (Fate.REMOVED, "h", ""),
    ]


def test_what_moves_to_another_file_takes_its_members_along():
    text = f"class A:\n    x: int = 1\n    def m(self, x):\n    {BODY.replace(chr(10), chr(10) + '    ')}\n"
    found = differences([ends("a.py", text, ""), ends("b.py", "", text)])
    assert {(d.fate, d.old_path, d.old_name, d.new_path, d.implied) for d in found} == {
        (Fate.MOVED, "a.py", "A", "b.py", False),
        (Fate.MOVED, "a.py", "A.m", "b.py", True),
        (Fate.MOVED, "a.py", "A.x", "b.py", True),
    }


def test_a_constructor_of_one_class_is_not_that_of_another():
    before, after = (
        "class A:\n    def __init__(self): pass\n",
        "class B:\n    def __init__(self): pass\n",
    )
    assert {d.fate for d in differences([ends("a.py", before, after)])} == {
        Fate.REMOVED,
        Fate.ADDED,
    }


def test_what_is_local_to_a_function_is_left_out():
    before, after = "def f():\n    def g(a): pass\n", "def f():\n    def g(a, b): pass\n"
    assert differences([ends("a.py", before, after)]) == ()


def test_a_file_that_was_not_read_says_nothing():
    assert differences([Ends("a.py", "a.py", extract(b"def f(): pass", PY), None)]) == ()
    broken = extract(b"def f(): pass\n)(", PY)
    assert not broken.complete
    assert differences([Ends("a.py", "a.py", extract(b"def g(): pass", PY), broken)])[0].fate == (
        Fate.ADDED
    )


NAMES = st.sampled_from(["f", "g", "h", "__init__"])
FUNCTIONS = st.lists(
    st.tuples(NAMES, st.lists(st.sampled_from("abc"), unique=True, max_size=3), st.booleans()),
    max_size=5,
)


def source(functions: list[tuple[str, list[str], bool]]) -> str:
    return "".join(
        f"{'class A:' if member else 'if 1:'}\n    def {name}({', '.join(parameters)}):\n"
        f"        return one(two(three({name})))\n"
        for name, parameters, member in functions
    )


@settings(deadline=None, max_examples=examples(100))
@given(FUNCTIONS, FUNCTIONS)
def test_every_name_has_one_fate_and_the_order_of_files_does_not_matter(
    before: list[tuple[str, list[str], bool]], after: list[tuple[str, list[str], bool]]
):
    files = [ends("a.py", source(before), source(after)), ends("b.py", source(after), None)]
    found = differences(files)
    assert found == differences(files[::-1])
    olds = [(d.old_path, d.old_name) for d in found if d.old_name]
    news = [(d.new_path, d.new_name) for d in found if d.new_name]
    assert len(olds) == len(set(olds))
    assert len(news) == len(set(news))
    assert differences([ends("a.py", source(before), source(before))]) == ()
