import time

from hypothesis import example, given
from hypothesis import strategies as st

from app.render.prose import Block, Piece, blocks, pieces, plain


def test_the_markdown_that_a_model_writes():
    text = """\
It fails
when empty.

## Why ##
1. first,
   on two lines
2) second
- `a`
+ b

```python
x = 1

y
```
end"""
    assert blocks(text) == [
        Block("paragraph", "It fails when empty."),
        Block("heading", "Why"),
        Block("bullet", "first, on two lines", "1."),
        Block("bullet", "second", "2)"),
        Block("bullet", "`a`"),
        Block("bullet", "b"),
        Block("code", "x = 1\n\ny"),
        Block("paragraph", "end"),
    ]


def test_an_open_fence_runs_to_the_end_and_a_shorter_one_does_not_close_it():
    assert blocks("````\na\n```\nb") == [Block("code", "a\n```\nb")]


def test_code_and_bold_within_a_line():
    assert pieces("call `a*b` or **not ** and ``x`y`` **now**") == [
        Piece("text", "call "),
        Piece("code", "a*b"),
        Piece("text", " or **not ** and "),
        Piece("code", "x`y"),
        Piece("text", " "),
        Piece("strong", "now"),
    ]
    assert plain("**Now** call `a**b**`") == "Now call `a**b**`"


@given(st.text(st.sampled_from("a`* "), max_size=40))
@example("`*`**`**")
def test_no_code_span_stands_beside_a_backtick(line):
    # Bold stretches are written between their marks, which keep their backticks away.
    shown = [(p.kind, f"**{p.text}**" if p.kind == "strong" else p.text) for p in pieces(line)]
    for at, (kind, _) in enumerate(shown):
        if kind == "code":
            assert at == 0 or not (shown[at - 1][0] == "code" or shown[at - 1][1].endswith("`"))
            assert at + 1 == len(shown) or not shown[at + 1][1].startswith("`")


@given(st.text(st.sampled_from("ab *_#-1.\n"), max_size=80))
def test_no_word_is_lost(text):
    kept = "".join(block.text for block in blocks(text))
    line = text.replace("\n", " ")
    split = "".join(piece.text for piece in pieces(line))
    for letter in "ab_":
        assert kept.count(letter) == text.count(letter)
        assert split.count(letter) == text.count(letter)


def test_a_hostile_line_is_read_in_no_time():
    started = time.monotonic()
    for line in ("`" * 50_000, "` " * 25_000 + "``", "**" * 25_000, "**a" * 20_000, "`a``" * 9_000):
        assert pieces(line)
        assert blocks(line)
    assert time.monotonic() - started < 3
