"""What `rlm` can be given: its commands and their options.

It is imported for `rlm --help`, so it imports nothing heavy.
"""

from app.arguments.common import Parser, Version
from app.arguments.reviewing import EXAMPLES, add_eval, add_review, add_trace
from app.arguments.serving import add_config, add_doctor, add_serve, add_setup, add_webhook
from app.arguments.writing import add_fix, add_refactor, add_tests
from app.defaults import PROGRAM


def parser() -> Parser:
    """Return the parser of all that `rlm` is given."""
    made = Parser(
        prog=PROGRAM,
        description="Review a change of any size, with a language model or without.",
        epilog=EXAMPLES,
    )
    made.add_argument("--version", action=Version, help="print the version and exit")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    add_review(commands)
    add_refactor(commands)
    add_fix(commands)
    add_tests(commands)
    add_trace(commands)
    add_eval(commands)
    add_doctor(commands)
    add_config(commands)
    add_setup(commands)
    add_serve(commands)
    add_webhook(commands)
    commands.add_parser(
        "action",
        help="review the pull request of a GitHub Actions event (action.yml calls it)",
        description="Review the pull request of the event that GitHub Actions describes in its "
        "environment variables. action.yml calls this; it takes no options.",
    )
    about = commands.add_parser("help", help="show the help of a command")
    about.add_argument("topic", nargs="?", choices=(*commands.choices,), help="a command")
    made.commands = {**commands.choices}
    return made
