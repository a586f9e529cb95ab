import contextlib
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewer.languages import Language, language_of
from reviewer.parsing.extract import extract, rows
from reviewer.parsing.hints import made_by
from reviewer.parsing.packed import Packed, pack, path_of
from tests.reviewer.parsing.test_gold import FILES, GOLD


def packed(data: bytes, language: Language) -> Packed:
    return Packed(pack(json.loads(json.dumps(rows(data, language)))))


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_lost(name: str) -> None:
    data, language = (GOLD / name).read_bytes(), FILES[name][0]
    whole = extract(data, language)
    found = packed(data, language).extraction()
    assert found.definitions == whole.definitions
    assert found.imports == whole.imports
    assert found.complete == whole.complete
    assert sorted(found.hints, key=repr) == sorted(whole.hints, key=repr)
    assert sorted(found.uses, key=repr) == sorted(whole.uses, key=repr)


@pytest.mark.parametrize("name", FILES)
def test_one_name_is_read_alone(name: str) -> None:
    data, language = (GOLD / name).read_bytes(), FILES[name][0]
    whole, each = extract(data, language), packed(data, language)
    names = {use.name for use in whole.uses}
    assert len(names) > 5
    for one in names:
        expected = [use for use in whole.uses if use.name == one]
        assert sorted(each.uses(one), key=repr) == sorted(expected, key=repr)
    assert each.uses("no such name") == []


def test_only_what_is_defined_is_said_to_be() -> None:
    each = packed(b"class A:\n    def f(self, g): pass\n", Language.PYTHON)
    assert each.defines("f")
    assert not each.defines("h")
    assert [one.name for one in each.at_path("A.f")] == ["f"]


@pytest.mark.parametrize("name", FILES)
def test_definitions_and_hints_are_found_by_both_their_keys(name: str) -> None:
    data, language = (GOLD / name).read_bytes(), FILES[name][0]
    whole, each = extract(data, language), packed(data, language)
    for one in whole.definitions:
        same = [other for other in whole.definitions if path_of(other) == path_of(one)]
        assert each.at_path(path_of(one)) == same
        assert each.named(one.name) == [
            other for other in whole.definitions if other.name == one.name
        ]
    for hint in whole.hints:
        assert (hint.name, hint.type, hint.line, hint.scope) in each.hints_on(hint.name)
        assert (hint.name, hint.type, hint.line, hint.scope) in each.hints_of(made_by(hint.type))
    assert each.at_path("no.such.path") == each.hints_on("nobody") == each.hints_of("Nobody") == []


def test_odd_bytes_come_back() -> None:
    source = "données(été=1)\n".encode() + b"x\xff = caf\xe9()\n"
    assert packed(source, Language.PYTHON).extraction().uses
    assert packed("données()\n".encode(), Language.PYTHON).uses("données")


@pytest.mark.parametrize("data", [b"", b"\1\2", b"\xff" * 40, b"\0" * 12 + b"\xff" * 60])
def test_what_was_not_packed_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, struct.error, IndexError)):
        Packed(data).extraction()


def test_what_was_cut_is_refused() -> None:
    data = pack(rows(b"def f(a): return g(a)\n", Language.PYTHON))
    for size in range(0, len(data) - 20, 7):
        with pytest.raises(ValueError, match="cut short"):
            Packed(data[:size])


def test_this_repository() -> None:
    for path in sorted(Path("reviewer/context").glob("*.py")):
        language = language_of(str(path))
        assert language is not None
        data = path.read_bytes()
        whole = extract(data, language)
        assert sorted(packed(data, language).extraction().uses, key=repr) == sorted(
            whole.uses, key=repr
        )


@given(st.binary(max_size=200))
def test_bytes_that_are_no_extraction_are_refused_or_opened(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        Packed(data)
