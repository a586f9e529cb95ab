"""What holds of an extraction whatever the file: bounds, odd bytes, hostile nesting, transport."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.languages import Language
from reviewer.parsing import extract as extracting
from reviewer.parsing.extract import extract, rows, unpack
from reviewer.parsing.languages import STRATEGIES
from reviewer.parsing.languages.walk import MAX_DEFINITIONS, MAX_USES
from reviewer.parsing.packed import Packed, pack
from reviewer.parsing.symbols import DefKind, Extraction, UseKind
from reviewer.parsing.worker import MAX_REPLY_BYTES, Parsers, Question
from tests.examples import examples

LANGUAGES = sorted(STRATEGIES)
DEEP = 10_000
SECONDS = 5.0  # what a worker gets for a file


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_file_says_nothing(language: Language) -> None:
    assert extract(b"", language) == Extraction()


@pytest.mark.parametrize("language", [Language.MARKDOWN, Language.SWIFT])
def test_a_language_without_a_strategy_says_that_it_was_not_read(language: Language) -> None:
    assert extract(b"x", language) == Extraction(complete=False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("opening", "middle", "closing"),
    [
        (b"(", b"x", b")"),
        (b"[", b"x", b"]"),
        (b"f(", b"", b")"),
        (b"{", b"", b"}"),
        (b"a.", b"b", b""),
    ],
    ids=["parentheses", "brackets", "calls", "braces", "chain"],
)
def test_nesting_without_end(
    language: Language, opening: bytes, middle: bytes, closing: bytes
) -> None:
    php = b"<?php " if language == Language.PHP else b""
    began = time.process_time()
    extract(php + opening * DEEP + middle + closing * DEEP, language)
    assert time.process_time() - began < SECONDS


def test_a_chain_of_attributes_costs_no_more_than_its_length() -> None:
    found = extract(b"a" + b".b" * DEEP, Language.PYTHON)
    assert len(found.uses) == DEEP + 1
    assert max(len(use.receiver) for use in found.uses) == 80


def test_functions_in_functions() -> None:
    deep = 200
    source = b"".join(b" " * at + b"def f():\n" for at in range(deep)) + b" " * deep + b"g()\n"
    found = extract(source, Language.PYTHON)
    assert len(found.definitions) == deep
    assert {each.end for each in found.definitions} == {deep + 1}
    assert found.uses[-1].scope.endswith(".f.f")


def test_many_declarators_cost_no_more_than_their_number() -> None:
    began = time.process_time()
    extract(b"int " + b"a, " * 20_000 + b"b;", Language.C)
    assert time.process_time() - began < SECONDS


def test_uses_are_cut() -> None:
    found = extract(b"ab;" * (MAX_USES + 1), Language.JAVASCRIPT)
    assert not found.complete
    assert 0 < len(found.uses) <= MAX_USES


def test_definitions_are_cut() -> None:
    found = extract(b"a=1\n" * (MAX_DEFINITIONS + 1), Language.PYTHON)
    assert not found.complete
    assert 0 < len(found.definitions) <= MAX_DEFINITIONS


def test_bytes_that_are_no_text() -> None:
    found = extract(b'def caf\xe9(): return g("na\xefve")\n', Language.PYTHON)
    assert [use.name for use in found.uses if use.kind == UseKind.CALL] == ["g"]


def test_windows_lines_and_a_mark_of_the_byte_order() -> None:
    found = extract(b"\xef\xbb\xbfdef f(a,\r\n      b):\r\n    return g(a)\r\n", Language.PYTHON)
    assert [(each.name, each.start, each.end) for each in found.definitions] == [("f", 1, 3)]
    assert found.definitions[0].signature == "def f(a, b)"
    assert [(use.name, use.line, use.column) for use in found.uses] == [("g", 3, 11), ("a", 3, 13)]


def test_names_beyond_ascii_have_columns_in_bytes() -> None:
    found = extract("é = größe(ñ)\n".encode(), Language.PYTHON)
    assert [each.name for each in found.definitions] == ["é"]
    assert [(use.name, use.column) for use in found.uses] == [("größe", 5), ("ñ", 13)]


def test_a_minified_line() -> None:
    source = b"!function(e,t){" + b"e.fn=function(n){return t(n,e.x)};" * 5_000 + b"}(a,b)"
    began = time.process_time()
    found = extract(source, Language.JAVASCRIPT)
    assert time.process_time() - began < SECONDS
    assert {use.line for use in found.uses} == {1}
    assert sum(use.kind == UseKind.CALL for use in found.uses) >= 5_000


def test_what_does_not_parse_is_read_as_far_as_it_goes() -> None:
    found = extract(
        b"def good(a):\n    return b(a)\n\n)))) ??? ((\n\nclass Also:\n    x = 1\n", Language.PYTHON
    )
    assert not found.complete
    assert "good" in {each.name for each in found.definitions}
    assert "b" in {use.name for use in found.uses}


@given(st.binary(max_size=300), st.sampled_from(LANGUAGES))
@settings(max_examples=examples(150), deadline=None)
def test_any_bytes_are_read(data: bytes, language: Language) -> None:
    extract(data, language)


_WORDS = st.sampled_from(
    [
        "class",
        "def",
        "fn",
        "func",
        "function",
        "import",
        "from",
        "use",
        "using",
        "struct",
        "enum",
        "interface",
        "impl",
        "if",
        "for",
        "try",
        "=",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "<",
        ">",
        ".",
        ",",
        ";",
        ":",
        "::",
        "->",
        "=>",
        "@",
        "#",
        '"',
        "'",
        "`",
        "$",
        "a",
        "b",
        "self",
        "new",
        "async",
        "const",
        "let",
        "var",
        "\n",
        "\t",
        "1",
        "...",
        "*",
        "&",
        "require",
    ]
)


@given(st.lists(_WORDS, max_size=60), st.sampled_from(LANGUAGES))
@settings(max_examples=examples(300), deadline=None)
def test_any_words_are_read(words: list[str], language: Language) -> None:
    php = "<?php " if language == Language.PHP else ""
    extract((php + " ".join(words)).encode(), language)


def test_what_is_packed_is_cut_to_what_may_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracting, "MAX_PACKED_BYTES", 20_000)
    found = rows(b"abc(x);\n" * 2_000, Language.JAVASCRIPT)
    assert len(json.dumps(found)) < 20_000
    assert not unpack(found).complete
    assert unpack(found).uses


def test_the_longest_reply_may_be_sent() -> None:
    source = "".join(f"αβγδ{n}.{chr(0x4E00 + n % 9999)}{n}({n});" for n in range(40_000)).encode()
    assert len(pack(rows(source[:1_000_000], Language.JAVASCRIPT))) < MAX_REPLY_BYTES - 1


def test_a_worker_extracts() -> None:
    with Parsers() as parsers:
        question = Question("extract", (b"def f(a): return g(a)\n",), (Language.PYTHON.value,))
        found = Packed(parsers.ask(question)).extraction()
    assert [(each.name, each.kind) for each in found.definitions] == [("f", DefKind.FUNCTION)]
    assert [use.name for use in found.uses] == ["g", "a"]


def test_comments_in_a_head_are_no_part_of_the_signature() -> None:
    python = b'def f(\n    a="#",  # why\n    b=1,\n) -> int:  # pragma: no cover\n    return a\n'
    (found,) = extract(python, Language.PYTHON).definitions
    assert found.signature == 'def f( a="#", b=1, ) -> int'
    typescript = b"export function f(a: string /* a name */, b = '//'): number { // why\n}\n"
    (found,) = extract(typescript, Language.TYPESCRIPT).definitions
    assert found.signature == "export function f(a: string , b = '//'): number"
