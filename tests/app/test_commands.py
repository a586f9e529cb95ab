"""What counts as a command in a comment, and what does not."""

import pytest

from app.commands import (
    MAX_PATHS,
    Misunderstood,
    PlainCommand,
    ReviewCommand,
    help_text,
    parse_command,
)


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ("/rlm review", ReviewCommand()),
        ("/rlm review\r\n", ReviewCommand()),
        ("/RLM review", None),
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
        (" /rlm review", None),
        ("> /rlm review", None),
        ("    /rlm review", None),
        ("```\n/rlm review\n```", None),
        ("~~~~\n/rlm stop\n~~~\n/rlm review\n~~~~", None),
        ("````\n```\n/rlm review\n````\n/rlm help", PlainCommand("help")),
        ("```\n/rlm review", None),
        ("<!-- \n/rlm review\n-->", None),
        ("<!-- never closed\n/rlm review", None),
        ("/rlm review\n/rlm stop", ReviewCommand()),
    ],
)
def test_a_command_starts_its_line_outside_of_quotes_and_code(body: str, meant: object) -> None:
    assert parse_command(body) == meant


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("/rlm reveiw", "Did you mean `/rlm review`?"),
        ("/rlm deploy everything", "no such command"),
        ("/rlm stop now", "no arguments"),
        ("/rlm review --model gpt", "no options"),
        ("/rlm review -x", "no options"),
        ("/rlm review /etc/passwd", "from the root of the repository"),
        ("/rlm review src/../../x", "from the root of the repository"),
        ("/rlm review " + "a" * 5_000, "from the root of the repository"),
        ("/rlm review " + "a " * (MAX_PATHS + 1), f"At most {MAX_PATHS}"),
    ],
)
def test_a_slip_is_answered_with_what_is_wrong(body: str, why: str) -> None:
    said = parse_command(body)
    assert isinstance(said, Misunderstood)
    assert why in said.why


def test_nothing_of_a_comment_comes_back_in_the_answer() -> None:
    said = parse_command("/rlm @everyone <img src=x> ![](http://evil) closes #1")
    assert isinstance(said, Misunderstood)
    for part in ("@", "<img", "![", "#1", "evil"):
        assert part not in help_text(said.why)


def test_the_help_names_every_command() -> None:
    for command in ("review`", "review full", "stop", "help"):
        assert f"/rlm {command}" in help_text()


def test_a_hostile_comment_is_read_in_no_time() -> None:
    assert parse_command("<!--" * 16_000 + "\n/rlm review") is None
    assert parse_command("`" * 60_000) is None
    assert parse_command("/rlm review \x1b[31m\u202esrc") == ReviewCommand(
        paths=("\x1b[31m\u202esrc",)
    )


@pytest.mark.parametrize("path", ["`../x`", "`/etc`", "`", "``", "`-x`"])
def test_a_path_is_judged_without_its_backticks(path: str) -> None:
    assert isinstance(parse_command(f"/rlm review {path}"), Misunderstood)
    assert parse_command("/rlm review `src/a.py`") == ReviewCommand(paths=("src/a.py",))
