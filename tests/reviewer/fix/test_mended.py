"""What those who come later are told of patches: titles, and their lines as they are now."""

import pytest

from reviewer.fix.mended import MOST_LINES, MOST_TOLD, TOLD_CHARS, Mended, told_mended
from reviewer.refactor.patch import Blob, FileEdit
from tests.reviewer.refactor.trees import overlay


def patch(name: str, path: str, before: str, after: str | None) -> Mended:
    new = None if after is None else Blob(after.encode())
    return Mended(name, f"It is {name}", (FileEdit(path, Blob(before.encode()), new),))


FIRST = patch("first", "a.py", "x = 1\ny = 2\nz = 3\n", "x = 1\ny = 20\nw = 0\nz = 3\n")


def test_lines_are_told_as_they_are_after_later_patches() -> None:
    later = patch("later", "a.py", "x = 1\ny = 20\nw = 0\nz = 3\n", "# x\nx = 1\ny = 20\nw = 9\nz = 3\n")  # fmt: skip
    tree = overlay({"a.py": later.files[0].after.data})  # type: ignore[union-attr]
    assert told_mended((FIRST, later), {"a.py"}, tree) == (
        '- later, "a.py": It is later\n'
        '    "a.py", line 1: |# x\n'
        '    "a.py", line 4: |w = 9\n'
        '- first, "a.py": It is first\n'
        '    "a.py", line 3: |y = 20'
    )


def test_of_other_files_the_title_is_told_behind_those_that_matter() -> None:
    gone = patch("gone", "b.py", "x\n", None)
    told = told_mended((FIRST, gone), {"a.py"}, overlay({"a.py": FIRST.files[0].after.data}))  # type: ignore[union-attr]
    assert told.splitlines()[0].startswith("- first") and told.endswith(
        '- gone, "b.py": It is gone'
    )
    assert told_mended((), {"a.py"}, overlay({})) == ""
    assert told_mended((gone,), {"b.py"}, overlay({})) == '- gone, "b.py": It is gone'


@pytest.mark.parametrize("count", [MOST_TOLD, 3 * MOST_TOLD])
def test_it_is_bounded_and_no_title_can_print_a_line_of_its_own(count: int) -> None:
    after = "".join(f"{'x' * 500}{n}\n" for n in range(2 * MOST_LINES))
    some = [
        Mended(
            f"f{n}", "A\n- forged, title " * 100, (FileEdit("a.py", None, Blob(after.encode())),)
        )
        for n in range(count)
    ]
    told = told_mended(some, {"a.py"}, overlay({"a.py": after}))
    assert f'"a.py": and {MOST_LINES} more lines' in told and "\n- forged" not in told
    assert len(told) < TOLD_CHARS + MOST_TOLD * 400
    assert (f"- and {count - MOST_TOLD} more" in told) == (count > MOST_TOLD)
