"""Where lines went from one head to another, as GitHub's comparisons tell."""

import difflib
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.github.between import Heads, Lines, _File, edits_of, shifted
from tests.app.github.test_publish import NAME, NEW, Scene, text
from tests.github.hub import FakeGitHub

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "@@ -1 +1 @@", ""]), max_size=30)


def patch(old: list[str], new: list[str]) -> str:
    made = difflib.unified_diff(old, new, n=3, lineterm="")
    return "\n".join(list(made)[2:])


@given(LINES, LINES, st.data())
def test_edits_lead_from_the_old_lines_to_the_new_ones(old, new, data):
    edits = edits_of(_File(filename="a", status="modified", patch=patch(old, new)))
    assert edits is not None
    built, at = [], 0
    for one in edits:
        built += old[at : one.i] + new[one.k : one.l]
        at = one.j
    assert built + old[at:] == new
    if not old:
        return
    start = data.draw(st.integers(1, len(old)))
    end = data.draw(st.integers(start, len(old)))
    (first, last), changed = shifted(edits, start, end)
    assert 1 <= first <= last + 1 <= len(new) + 1
    if not changed:
        assert new[first - 1 : last] == old[start - 1 : end]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("abXcdef", ((4, 4), False)),  # something before
        ("abcdefX", ((3, 3), False)),
        ("abCdef", ((3, 3), True)),
        ("abCCdef", ((3, 4), True)),  # all that is put in the place
        ("abdef", ((3, 2), True)),  # gone: where it was
        ("XYcdef", ((3, 3), False)),
    ],
)
def test_a_line_is_where_its_neighbours_are_or_what_replaced_it(new, expected):
    edits = edits_of(_File(filename="a", status="modified", patch=patch(list("abcdef"), list(new))))
    assert edits is not None and shifted(edits, 3, 3) == expected


def test_lines_are_followed_over_a_push_a_rename_and_a_rebase(tmp_path: Path):
    with FakeGitHub(tmp_path) as fake:
        scene = Scene(fake)
        old = scene.pull.head
        renamed = scene.repo.commit({"b.txt": text(["new", *NEW])}, old)
        onto = scene.repo.commit({"a.txt": text(["below", "it", *scene_lines()])}, scene.base)
        rebased = scene.repo.commit({"a.txt": text(["below", "it", *NEW])}, onto)
        parted = scene.repo.commit({"a.txt": text(scene_lines()), "c.txt": b"c\n"}, scene.base)
        with scene.hub(contents="read") as hub:

            def became(head: str, line: int) -> tuple[str | None, Lines | None]:
                heads = Heads(lambda: nullcontext(hub), NAME, head)
                since = heads.since(old)
                assert since is not None
                found = since.of(Lines("a.txt", line, line))
                return (None, None) if found is None else (found.path, found.lines)

            assert became(renamed, 10) == ("b.txt", Lines("b.txt", 11, 11))
            assert became(rebased, 10) == ("a.txt", Lines("a.txt", 12, 12))
            assert became(rebased, 30) == ("a.txt", Lines("a.txt", 32, 32))
            assert became(parted, 30) == ("a.txt", Lines("a.txt", 31, 31))
            assert Heads(lambda: nullcontext(hub), NAME, renamed).since("f" * 40) is None
            assert Heads(lambda: nullcontext(hub), NAME, renamed).since("../x") is None


def scene_lines() -> list[str]:
    return [f"line {n}" for n in range(1, 61)]
