"""Which answers in a thread want one, in several languages."""

import time

import pytest

from app.arguing import argues


@pytest.mark.parametrize(
    "text",
    [
        "Why is this an error?",
        "It can never be null.",
        "This isn\u2019t reachable.",
        "The caller checks that before, see line 30 of cart.py",
        "\u8fd9\u91cc\u4e0d\u53ef\u80fd\u662f\u7a7a\u503c\u3002",  # it cannot be empty here
        "\u4e3a\u4ec0\u4e48\u8fd9\u662f\u9519\u8bef\uff1f",
        "\u8fd9\u662f\u9519\u8bef\u5417",
        "\u547c\u3073\u51fa\u3057\u5143\u3067\u691c\u67fb\u3057\u3066\u3044\u308b\u306e\u3067\u554f\u984c\u3042\u308a\u307e\u305b\u3093",
        "\u0644\u0645\u0627\u0630\u0627 \u0647\u0630\u0627 \u062e\u0637\u0623\u061f",
        "Das kann nicht leer sein.",
        "I do not agree",
        "That is not fixed.",
        "It is never done twice.",
        "> It fails.\n\nNo, it cannot.",
        "I disagree.",
        "It's validated upstream.",
        "Handled by the caller, see line 12.",
        "This is intended: the callers pass it.",
        "Why",
        "\uc774\uac74 \uc758\ub3c4\ub41c \uac83\uc785\ub2c8\ub2e4",  # this is intended
    ],
)
def test_questions_arguments_and_denials_do(text: str) -> None:
    assert argues(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Done, thanks",
        "Not now",
        "Handled in abc1234",
        "Fixed, the test is as expected now",
        "Won't fix. By design.",
        "Fixed, see https://example.org/a?b=c",
        "```py\na = b if c else d\nfor x in y: print(x)\n```",
        "Fixed in abc1234, not pushed yet",
        "Good catch, will fix, that was wrong",
        "\u8c22\u8c22",
        "\u5df2\u4fee\u590d\u3002",  # mended
        "Danke, das war falsch.",
        "> Why is this never closed?\n> It should not stay open for ever and ever.\n\nDone",
        "\U0001f44d",
    ],
)
def test_thanks_and_news_do_not(text: str) -> None:
    assert not argues(text)


@pytest.mark.parametrize(
    "piece", ["\u304b", " ", "\n", "n't ", "not x ", "```", "`", "https://a", "\u3002"]
)
def test_a_hostile_answer_is_read_in_no_time(piece: str) -> None:
    text = "\u304b" + piece * (65_000 // len(piece)) + "x"
    start = time.process_time()
    argues(text)
    argues(text[:-1])
    assert time.process_time() - start < 1
