"""A long comment is taken apart: each point by itself, with the file that it is about."""

from pathlib import PurePosixPath

import pytest

from app.github.points import MOST_CHARS, points

BOT = """\
<!-- This is an automated comment -->
**Actionable comments posted: 2**

<details>
<summary>🧹 Nitpick comments (2)</summary><blockquote>

<details>
<summary>shop/refund.py (1)</summary><blockquote>

`6-8`: **The refund is sent again after a timeout.**

The gateway may have moved the money already.

```suggestion
    return gateway.send(order.amount, key=order.id)
```

</blockquote></details>
<details>
<summary>web/cart.ts (1)</summary><blockquote>

`1-2`: An empty cart has no first item.
</blockquote></details>
</blockquote></details>

## Summary

Nice work all in all.
"""


def told(body: str) -> list[tuple[str, list[str]]]:
    """Return each point with the files that are named in it or above it."""
    every = list(points(body))
    names = {name for one in every for name in one.names | one.above}
    files = sorted(name for name in names if PurePosixPath(name).suffix)
    return [(one.text.strip(), [file for file in files if one.is_about(file)]) for one in every]


def test_what_is_said_below_the_name_of_a_file_is_about_it():
    assert told(BOT) == [
        ("**Actionable comments posted: 2**", []),
        ("🧹 Nitpick comments (2)", []),
        ("shop/refund.py (1)", ["shop/refund.py"]),
        ("`6-8`: **The refund is sent again after a timeout.**", ["shop/refund.py"]),
        ("The gateway may have moved the money already.", ["shop/refund.py"]),
        ("web/cart.ts (1)", ["web/cart.ts"]),
        ("`1-2`: An empty cart has no first item.", ["web/cart.ts"]),
        ("Summary", []),
        ("Nice work all in all.", []),
    ]


def test_each_item_of_a_list_is_a_point_with_what_belongs_to_it():
    body = (
        "Two things:\n"
        "- `a.py`\n"
        "  - one thing\n"
        "    goes on\n"
        "\n"
        "    and on\n"
        "  - another thing\n"
        "\n"
        "Unlike these.\n"
        "1. first\n"
        "2) second\n"
    )
    assert [text for text, _ in told(body)] == [
        "Two things:",
        "- `a.py`",
        "- one thing     goes on     and on",
        "- another thing",
        "Unlike these.",
        "1. first",
        "2) second",
    ]
    assert [files for _, files in told(body)][1:4] == [["a.py"]] * 3


def test_what_is_quoted_hidden_or_code_is_not_said():
    body = "> quoted\n\nsaid<!-- hidden\n\nstill -->\n\n~~~\ncode\n```\n~~~\n\n```py\nnever closed"
    assert [one.text for one in points(body)] == ["said"]


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("shop/refund.py:12 leaks", True),
        ("see `refund.py`.", True),
        ("in ./shop/refund.py, it leaks", True),
        ("(https://hub.test/o/r/blob/0123456789abcdef/shop/refund.py#L3)", True),
        ("old/shop/refund.py leaks", False),
        ("other/refund.py leaks", False),
        ("refund.pyi leaks", False),
        ("my-refund.py leaks", False),
        ("the refund leaks", False),
    ],
)
def test_a_file_is_named_by_its_path_its_end_or_its_name(text, about):
    (point,) = points(text)
    assert point.is_about("shop/refund.py") is about


def test_a_file_whose_name_is_a_word_is_named_by_its_path_alone():
    (point,) = points("the run in bin/run fails")
    assert point.is_about("bin/run")
    (point,) = points("the run fails")
    assert not point.is_about("bin/run")


@pytest.mark.parametrize(
    "piece", ["<a", "<!--", "- `a.py`\n", "`" * 3, "#", "a/", "<summary>", "| "]
)
def test_whatever_the_body_it_is_read_in_bounds(piece):
    body = piece * (2 * MOST_CHARS)
    read = list(points(body))
    assert sum(len(one.text) for one in read) <= 2 * MOST_CHARS
    assert len(read) <= MOST_CHARS
