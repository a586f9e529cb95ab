from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reviewer.context.sketches import Segment, Sketches
from reviewer.context.words import numbers_of, sketch

NAMES = st.from_regex(r"[A-Za-z_é][A-Za-z0-9_é]{0,8}", fullmatch=True)


def has(data: bytes, name: str) -> bool:
    found = set(sketch(data).tolist())
    return all(number in found for number in numbers_of(name))


def test_names_with_other_characters_have_several_words() -> None:
    assert has(b"if $scope.empty?", "$scope")
    assert has(b"if $scope.empty?", "empty?")
    assert has(b"a.b", "a.b")
    assert not has(b"if $scopes", "$scope")


def test_a_name_without_a_word_has_none() -> None:
    assert numbers_of("$") == ()
    assert numbers_of("") == ()


@given(NAMES, st.binary(max_size=40), st.sampled_from([b" ", b"$", b".", b"(", b"\x00", b"-"]))
def test_a_name_that_stands_alone_is_never_missed(name: str, around: bytes, edge: bytes) -> None:
    assert has(around + edge + name.encode() + edge + around, name)


def test_a_part_of_a_word_is_none() -> None:
    assert not has(b"prefix_name name2 9names", "name")


@given(st.lists(st.lists(NAMES, max_size=6), max_size=12), st.lists(NAMES, min_size=1, max_size=30))
def test_segments_answer_as_sets_do(files: Sequence[Sequence[str]], asked: list[str]) -> None:
    blobs = [" ".join(words).encode() for words in files]
    shas = [b"%020d" % number for number in range(len(blobs))]
    half = len(blobs) // 2
    sketches = Sketches([Segment.of(shas[:half], [sketch(blob) for blob in blobs[:half]])])
    sketches.add(Segment.of(shas[half:], [sketch(blob) for blob in blobs[half:]]))
    wanted = {number for name in asked for number in numbers_of(name)}
    found = sketches.having(wanted)
    for name in asked:
        (number,) = numbers_of(name)
        expected = {sha for sha, words in zip(shas, files, strict=True) if name in words}
        assert found[number] == expected


def test_what_is_in_a_segment_is_known() -> None:
    sketches = Sketches()
    assert sketches.absent([b"a" * 20]) == [b"a" * 20]
    sketches.add(Segment.of([b"a" * 20], [np.array([], dtype=np.uint32)]))
    assert sketches.absent([b"b" * 20, b"a" * 20]) == [b"b" * 20]
    assert sketches.having([7]) == {7: set()}
