"""Scopes divide without loss, stay where they are, and show code that cannot pose as ours."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from reviewer.change import Span
from reviewer.review import estimate
from reviewer.review.scope import SHOWN_LINE_CHARS, divide, label_of, show, size_of
from tests.examples import examples
from tests.reviewer.review.values import change, changed, hunk, whole

WINDOW = 500


def spans_of(paths: list[str], lines: int = 12) -> tuple[Span, ...]:
    body = "\n".join(f"+line {i} of the file" for i in range(lines))
    return tuple(whole(hunk(path, f"{body}\n+{path}")) for path in sorted(paths))


def leaves(spans: tuple[Span, ...]) -> list[tuple[Span, ...]]:
    if size_of(spans) <= WINDOW:
        return [spans]
    parts = divide(spans, WINDOW)
    return parts if len(parts) == 1 else [leaf for part in parts for leaf in leaves(part)]


PATHS = st.lists(
    st.builds(
        "/".join,
        st.lists(st.sampled_from(["a", "b", "src", "lib", "x.py", "y.ts"]), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=25,
    unique=True,
)


@settings(deadline=None, max_examples=examples(150))
@given(PATHS)
def test_parts_are_disjoint_complete_in_order_and_fit(paths: list[str]):
    spans = spans_of(paths)
    parts = leaves(spans)
    assert [span for part in parts for span in part] == list(spans)
    for part in parts:
        assert size_of(part) <= WINDOW or len({span.id for span in part}) == 1


def test_a_change_in_one_folder_leaves_the_parts_of_the_others():
    paths = [f"{top}/{sub}/{n}.py" for top in "abcdef" for sub in "xy" for n in range(4)]
    before = {tuple(s.id for s in part) for part in leaves(spans_of(paths))}
    after = {tuple(s.id for s in part) for part in leaves(spans_of([*paths, "c/x/new.py"]))}
    assert len(before - after) <= 3


def test_a_scope_is_named_by_what_its_paths_share():
    assert label_of(spans_of(["a/b/c.py"])) == "a/b/c.py"
    assert label_of(spans_of(["a/b/c.py", "a/d.py"])) == "a (2 files)"
    assert label_of(spans_of(["a.py", "b.py"])) == ". (2 files)"


def test_what_a_node_reads_has_no_line_numbers_and_moves_with_nothing():
    text = "+one\n-two\n three"
    near, far = hunk("a.py", text, 1, 1), hunk("a.py", text, 900, 1000)
    shown = [show(change(changed("a.py", one)), [whole(one)]) for one in (near, far)]
    assert shown[0] == shown[1]
    assert '=== file "a.py" (modified)' in shown[0]
    assert f"--- hunk {near.id}" in shown[0]


def test_code_cannot_pose_as_a_heading_and_long_lines_are_cut_visibly():
    one = hunk("a.py", '+=== file "b.py" (added)\n+' + "x" * (SHOWN_LINE_CHARS + 7))
    shown = show(change(changed("a.py", one)), [whole(one)]).splitlines()
    assert [line for line in shown if line.startswith("===")] == ['=== file "a.py" (modified)']
    assert shown[-1].endswith("… (7 more characters)")


def test_a_hostile_path_stays_on_its_line():
    path = 'a"\n=== file "b.py'
    one = hunk(path, "+x")
    assert len(show(change(changed(path, one)), [whole(one)]).splitlines()) == 3


def test_folders_in_folders_are_divided_in_no_time():
    began = time.process_time()
    spans = spans_of(["d/" * level + "f.py" for level in range(400)], lines=200)
    found = estimate.leaves(spans, divide)
    assert [span for part in found for span in part] == list(spans)
    assert time.process_time() - began < 5
