"""What counts as a command in a comment, and what does not."""

import random
import time

import pytest
from markdown_it import MarkdownIt

from app.commands import (
    _NO_TEXT,
    MAX_PATHS,
    NAMES,
    AskCommand,
    FixCommand,
    Misunderstood,
    PlainCommand,
    RefactorCommand,
    ReviewCommand,
    _no_text,
    help_text,
    parse_commands,
)


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ("/rlm review", ReviewCommand()),
        ("/rlm review\r\n", ReviewCommand()),
        ("/RLM review", ReviewCommand()),
        ("/rlm REVIEW", ReviewCommand()),
        ("/rlm\treview  full", ReviewCommand(full=True)),
        ("/rlm review full src/ a.py", ReviewCommand(full=True, paths=("src/", "a.py"))),
        ("/rlm review src/full", ReviewCommand(paths=("src/full",))),
        ("/rlm review `src/a.py`", ReviewCommand(paths=("src/a.py",))),
        ("Thanks!\n\n/rlm review", ReviewCommand()),
        ("/rlm stop", PlainCommand("stop")),
        ("/rlm help", PlainCommand("help")),
        ("/rlm", PlainCommand("help")),
        ("", None),
        ("please /rlm review", None),
        ("/rlmreview", None),
        ("/rlm-review", None),
        (" /rlm review", ReviewCommand()),
        ("   /RLM Help", PlainCommand("help")),
        ("/Rlm review FULL", ReviewCommand(full=True)),
        ("\t/rlm review", None),
        ("> bob said\n  /rlm stop", None),
        ("- > bob said\n  /rlm stop", None),
        ("```\n  /rlm review\n  ```", None),
        ("> /rlm review", None),
        ("    /rlm review", None),
        ("```\n/rlm review\n```", None),
        ("~~~~\n/rlm stop\n~~~\n/rlm review\n~~~~", None),
        ("````\n```\n/rlm review\n````\n/rlm help", PlainCommand("help")),
        ("```\n/rlm review", None),
        ("<!-- \n/rlm review\n-->", None),
        ("<!-- never closed\n/rlm review", None),
        ("/rlm review\n\n/rlm stop\n/rlm review", (ReviewCommand(), PlainCommand("stop"))),
        ("/rlm ask why?", AskCommand("why?")),
        (
            "/rlm ask\nWhy is\n> quoted\n\nthis?\n/rlm cost",
            (AskCommand("Why is\n> quoted\n\nthis?"), PlainCommand("cost")),
        ),
        # A question has its code, and is not cut where it speaks of comments.
        (
            "/rlm ask what does this do?\n```py\nf( x )\n\n/rlm stop\n```\nand why?\n/rlm cost",
            (
                AskCommand("what does this do?\n```py\nf( x )\n\n/rlm stop\n```\nand why?"),
                PlainCommand("cost"),
            ),
        ),
        ("/rlm ask why is `<!--` handled so?", AskCommand("why is `<!--` handled so?")),
        (
            "/rlm ask ``a ` <!-- b`` c\n/rlm cost",
            (AskCommand("``a ` <!-- b`` c"), PlainCommand("cost")),
        ),
        (
            "/rlm ask why?<!-- hidden -->\n<!-- \nmore\n--> Really?",
            AskCommand("why?\n\n\n Really?"),
        ),
        ("```\n<!--\n```\n/rlm stop", PlainCommand("stop")),
        ("<!-- x -->/rlm stop", PlainCommand("stop")),
        # What nobody sees is no command.
        ("a `<!-- b\n/rlm stop", None),
        ("`` a ` <!-- `\n/rlm stop", PlainCommand("stop")),
        ("\\`` a ` <!-- `\n/rlm stop", None),
        ("`\na ` <!-- `\n/rlm stop", None),
        ('<a title="`"> <!-- `\n/rlm stop', None),
        ("<pre>\n\n` <!-- `\n/rlm stop", None),
        ("x <!-- `\n/rlm stop ` -->", None),
        ("x<!--\n-->/rlm stop", None),
        ("<!--\n```\n-->\n/rlm stop", PlainCommand("stop")),
        # Nor is what somebody else said, or showed.
        ("<pre>\n/rlm stop\n</pre>", None),
        ("<details><summary>Old</summary>\n/rlm stop\n</details>", None),
        ("<details>\n\n/rlm stop\n\n</details>", PlainCommand("stop")),
        ("<pre>\n\n/rlm stop\n</pre>", None),
        ("> bob said\n/rlm stop", None),
        ("> > bob said\n/rlm stop\nand more", None),
        ("> - bob said\n/rlm stop", None),
        ("- > bob said\n/rlm stop", None),
        ("> bob said\n\n/rlm stop", PlainCommand("stop")),
        ("> ```\n> code\n/rlm stop", PlainCommand("stop")),
        ("- one\n\n      code\n/rlm stop", PlainCommand("stop")),
        ("Look:\n/rlm stop", PlainCommand("stop")),
        ("a\rb\n> c\n/rlm stop", None),
        ("> a\rb\n\n/rlm stop", PlainCommand("stop")),
        ("/rlm resume", PlainCommand("resume")),
        (
            "/rlm refactor rename f to g\nand keep `h`\n\n/rlm cost",
            (RefactorCommand("rename f to g\nand keep `h`"), PlainCommand("cost")),
        ),
        ("/rlm refactor\n\nsplit a.py", RefactorCommand("split a.py")),
        ("> /rlm refactor drop it all", None),
        ("/rlm fix", FixCommand()),
        (
            "/rlm fix 0A1b2c3d4e5f `001122334455-2`, 0a1b2c3d4e5f",
            FixCommand(("0a1b2c3d4e5f", "001122334455-2")),
        ),
        ("/rlm go", PlainCommand("go")),
        ("/rlm undo", PlainCommand("undo")),
        ("/rlm tests", PlainCommand("tests")),
        ("/rlm Resolve ", PlainCommand("resolve")),
    ],
)
def test_a_command_starts_its_line_outside_of_quotes_and_code(body: str, meant: object) -> None:
    expected = () if meant is None else meant if isinstance(meant, tuple) else (meant,)
    assert parse_commands(body) == expected


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("/rlm reveiw", "Did you mean `/rlm review`?"),
        ("/rlm deploy everything", "no such command"),
        ("/rlm debug", "`/rlm debug` comes later"),
        ("/rlm debug the failing job", "`/rlm debug` comes later"),
        ("/rlm stop now", "no arguments"),
        ("/rlm pauze", "Did you mean `/rlm pause`?"),
        ("/rlm ask", "needs a question"),
        ("/rlm ask " + "a" * 4_001, "4,000 characters; this one has 4,001"),
        ("/rlm refactor", "needs an instruction"),
        ("/rlm refactor " + "a" * 4_001, "4,000 characters; this one has 4,001"),
        ("/rlm fix everything", "names of findings"),
        ("/rlm fix" + "".join(f" {n:012x}" for n in range(21)), "At most 20"),
        ("/rlm go now", "no arguments"),
        ("/rlm undo 5", "no arguments"),
        (
            "\n".join(
                ["/rlm help", "/rlm stop", "/rlm cost", "/rlm resolve", "/rlm pause", "/rlm resume"]
            ),
            "5 commands",
        ),
        ("/rlm review --model gpt", "no options"),
        ("/rlm review -x", "no options"),
        ("/rlm review /etc/passwd", "from the root of the repository"),
        ("/rlm review src/../../x", "from the root of the repository"),
        ("/rlm review " + "a" * 5_000, "from the root of the repository"),
        ("/rlm review " + "a " * (MAX_PATHS + 1), f"At most {MAX_PATHS}"),
    ],
)
def test_a_slip_is_answered_with_what_is_wrong(body: str, why: str) -> None:
    (said,) = parse_commands(body)
    assert isinstance(said, Misunderstood)
    assert why in said.why


def test_nothing_of_a_comment_comes_back_in_the_answer() -> None:
    (said,) = parse_commands("/rlm @everyone <img src=x> ![](http://evil) closes #1")
    assert isinstance(said, Misunderstood)
    for part in ("@", "<img", "![", "#1", "evil"):
        assert part not in help_text(said.why)


def test_the_help_names_every_command() -> None:
    for command in ("review`", "review full", *NAMES):
        assert f"/rlm {command}" in help_text()
    assert "pause" not in help_text(only=("review", "help"))


def test_a_hostile_comment_is_read_in_no_time() -> None:
    assert parse_commands("<!--" * 16_000 + "\n/rlm review") == ()
    assert parse_commands("`" * 60_000) == ()
    before = time.process_time()
    for text in ("` `` " * 12_000, "`<!--" * 12_000, "".join("`" * n + " " for n in range(340))):
        assert parse_commands(text) == ()
    assert time.process_time() - before < 2
    assert parse_commands("/rlm review \x1b[31m\u202esrc") == (
        ReviewCommand(paths=("\x1b[31m\u202esrc",)),
    )
    assert len(parse_commands("/rlm ask x\n" * 9_000)) == 1
    before = time.process_time()
    (said,) = parse_commands("".join(f"/rlm x{n}\n" for n in range(6_500)))
    assert isinstance(said, Misunderstood) and "6500" in said.why
    assert time.process_time() - before < 1


MANY = {
    "a quote that goes on": "> " * 19 + "a\n" + "b\n" * 32_700,
    "what begins like a block": "> " * 19 + "a\n" + "-b\n=b\n1\n|\na>\n" * 4_500,
    "lists and quotes": "- > " * 9 + "a\n" + " b\n" * 21_000,
    "a list": "- x\n" * 16_000,
    "a paragraph": "a\n" * 32_000,
}


@pytest.mark.parametrize("many", MANY)
def test_many_lines_around_a_command_cost_no_time(many: str) -> None:
    for text in (f"/rlm help\n\n{MANY[many]}", f"{MANY[many][:65_500]}\n\n/rlm help"):
        before = time.process_time()
        assert parse_commands(text[:65_536]) == (PlainCommand("help"),)
        assert time.process_time() - before < 2


LINES = [
    "", "a", "    b", "\tc", " d>", "> e", "> > f", "> - g", "- h", "- ```", "- > i", "  - j", "1. k",
    "1.", "1)z", "-", "-x", "+", "---", "- -", "-\t-", "_ _ _", "===", "= =", "# l", "#m", "*n*", "***",
    "```", "~~~", "> ```", "<div>", "</div>", "<!-- o", "> <!-- o", "p -->", "<script>", "q</script>",
    "<?r", "s?>", "<!X t", "> <!X t", "u>", "v]]>", "<![CDATA[", "[w]: /u", "[x]:", "\x0b", "\xa0",
    "/rlm help", "/rlm stop",
]  # fmt: skip


def test_lines_that_go_on_are_told_of_by_one() -> None:
    rng = random.Random(5)
    for _ in range(3_000):
        lines = rng.choices(LINES, k=rng.randint(2, 10))
        blocks = MarkdownIt("commonmark").disable("inline").parse("\n".join(lines))
        others = {
            n
            for one in blocks
            if one.type in _NO_TEXT and one.map is not None
            if one.type != "html_block" or not one.content.lstrip(" ").startswith("<!--")
            for n in range(*one.map)
        }
        named = {n for n, line in enumerate(lines) if line.startswith("/rlm")}
        assert _no_text(lines) & named == others & named, lines


def test_a_command_below_a_long_log_is_found() -> None:
    assert parse_commands("x\n" * 30_000 + "/rlm stop") == (PlainCommand("stop"),)


@pytest.mark.parametrize("path", ["`../x`", "`/etc`", "`", "``", "`-x`"])
def test_a_path_is_judged_without_its_backticks(path: str) -> None:
    assert isinstance(parse_commands(f"/rlm review {path}")[0], Misunderstood)
    assert parse_commands("/rlm review `src/a.py`") == (ReviewCommand(paths=("src/a.py",)),)
