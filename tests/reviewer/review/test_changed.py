"""What the changed files say at both ends, from the provider and without it."""

import pytest

from reviewer.context.provider import Provider
from reviewer.review import changed as module
from reviewer.review.changed import read_ends
from tests.reviewer.context.memory import MemoryObjects, sha_of
from tests.reviewer.review.values import changed

BASE = {"a.py": "def one(): ...\n", "b.py": "def two(): ...\n", "n.md": "text\n"}
HEAD = {"a.py": "def one(x): ...\n", "b.py": "def three(): ...\n", "n.md": "texts\n"}
FILES = [changed(path) for path in HEAD]


def _never() -> bool:
    return False


@pytest.fixture(params=["provider", "parsers"])
def read(request):
    """Read the ends of FILES in one of the two ways."""

    def by(objects, cancelled=_never):
        if request.param == "parsers":
            return read_ends(FILES, objects, cancelled)
        with Provider(objects) as context:
            return read_ends(FILES, objects, cancelled, context)

    return by


def _names(extraction):
    return None if extraction is None else [each.name for each in extraction.definitions]


def test_both_ends_are_read(read):
    ends = read(MemoryObjects(HEAD, BASE))
    assert [(each.new_path, _names(each.base), _names(each.head)) for each in ends] == [
        ("a.py", ["one"], ["one"]),
        ("b.py", ["two"], ["three"]),
    ]


def test_a_blob_that_is_missing_is_an_end_of_which_nothing_is_known(read):
    objects = MemoryObjects(HEAD, BASE)
    objects.gone = {sha_of(HEAD["a.py"].encode())}
    ends = read(objects)
    assert [(_names(each.base), _names(each.head)) for each in ends] == [
        (["one"], None),
        (["two"], ["three"]),
    ]


def test_what_lies_beyond_the_bound_is_unknown_in_both_ways(read, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", len(HEAD["a.py"]) + len(BASE["a.py"]))
    ends = read(MemoryObjects(HEAD, BASE))
    assert [(_names(each.base), _names(each.head)) for each in ends] == [
        (["one"], ["one"]),
        (None, None),
    ]


def test_a_run_that_is_stopped_reads_no_more(read):
    answers = iter([False, True])
    ends = read(MemoryObjects(HEAD, BASE), lambda: next(answers))
    assert [_names(each.head) for each in ends] == [["one"], None]
    assert ends[0].base is None
