"""The arguments of what sets up and runs: `rlm doctor`, `config`, `setup`, `serve`, `webhook`."""

from app.arguments.common import Commands, Parser, engines, port
from app.defaults import OWN_WEBHOOK, SERVER_ENGINES, SERVER_HOST, SERVER_PORT

_DOCTOR_CODES = """\
exit codes:
  0    a review can run, with a model or without
  1    it can, but something of the GitHub App does not work (!!; with --online)
  2    no review can run (XX), or wrong usage
"""


def add_doctor(commands: Commands) -> None:
    """Add `rlm doctor`."""
    doctor = commands.add_parser(
        "doctor",
        help="say what is configured, what is missing and how to get it",
        description="Say what is configured, what is missing and how to get it.",
        epilog=_DOCTOR_CODES,
    )
    doctor.add_argument(
        "--online",
        action="store_true",
        help="also ask the model's service, and GitHub about the App: its key, permissions, "
        "events, webhook and deliveries; and send `rlm serve` a signed ping (costs nothing)",
    )
    doctor.add_argument(
        "--format", choices=("text", "json"), default="text", help="default: %(default)s"
    )
    doctor.add_argument(
        "--url",
        metavar="ADDRESS",
        default=OWN_WEBHOOK,
        help="the webhook of `rlm serve` on this machine (default: %(default)s)",
    )


def add_config(commands: Commands) -> None:
    """Add `rlm config`."""
    config = commands.add_parser(
        "config",
        help="show what .github/rlm.yml makes of reviews here, and check it",
        description="Show what holds for reviews of this repository and who said so: "
        ".github/rlm.yml, the environment, or the default. Exits with 1 if the file is broken, "
        "in the default branch or in the work tree. docs/configuration.md has every key.",
    )
    config.add_argument("--repo", default=".", metavar="PATH", help="repository (default: here)")
    config.add_argument(
        "--schema",
        nargs="?",
        const="rlm.yml",
        choices=("rlm.yml", "review", "refactor", "fix", "tests"),
        metavar="NAME",
        help="print the JSON Schema of the file, for editors, or of what `rlm NAME --format json` "
        "prints: review, refactor, fix or tests",
    )


def add_setup(commands: Commands) -> None:
    """Add `rlm setup`."""
    setup = commands.add_parser(
        "setup",
        help="create the GitHub App and store its key here",
        description="Create a GitHub App of your own in the browser, and store its id, key and "
        "secrets under RLM_HOME for `rlm serve`. For a server of your own set GH_HOST first.",
    )
    setup.add_argument(
        "--url", metavar="ADDRESS", help="https address at which GitHub reaches `rlm serve`"
    )
    setup.add_argument("--org", metavar="NAME", help="create it in an organization (default: you)")
    setup.add_argument("--name", metavar="NAME", help="the App's name, unique on the server")
    setup.add_argument(
        "--public", action="store_true", help="let other accounts install it (default: only yours)"
    )
    setup.add_argument(
        "--port", type=port, default=0, metavar="N", help="of the local page (default: any)"
    )
    setup.add_argument(
        "--write",
        action="store_true",
        help="let the App write branches, for pull requests that somebody asks for (RLM_WRITE=on)",
    )
    setup.add_argument("--no-browser", action="store_true", help="only print the page's address")
    setup.add_argument(
        "--force", action="store_true", help="replace the App that is stored here already"
    )


def add_serve(commands: Commands) -> None:
    """Add `rlm serve`."""
    serve = commands.add_parser(
        "serve",
        help="run the GitHub App: receive webhooks, review, publish",
        description="Run the GitHub App on this machine until Ctrl-C. State lives under RLM_HOME; "
        "`rlm setup` creates the App, /readyz says what is missing.",
    )
    serve.add_argument(
        "--host", default=SERVER_HOST, help=f"address to listen on (default: {SERVER_HOST})"
    )
    serve.add_argument(
        "--port",
        type=port,
        default=SERVER_PORT,
        metavar="N",
        help=f"port to listen on, 0 for any (default: {SERVER_PORT})",
    )
    serve.add_argument(
        "--engines",
        type=engines,
        default=SERVER_ENGINES,
        metavar="N",
        help=f"reviews at once (default: {SERVER_ENGINES})",
    )


def add_webhook(commands: Commands) -> None:
    """Add `rlm webhook`."""
    webhook = commands.add_parser("webhook", help="work with webhook deliveries")
    kinds = webhook.add_subparsers(
        dest="webhook_command", metavar="COMMAND", parser_class=Parser, required=True
    )
    replay = kinds.add_parser(
        "replay",
        help="send a recorded delivery to a running server",
        description="Sign a recorded delivery with the configured secret and send it to a running "
        "`rlm serve`. FILE is a payload, or a delivery as GitHub's API returns it.",
    )
    replay.add_argument("file", metavar="FILE", help="JSON file; - is the standard input")
    replay.add_argument("--event", metavar="NAME", help="X-GitHub-Event, where FILE does not say")
    replay.add_argument(
        "--url",
        default=OWN_WEBHOOK,
        help="the server's webhook (default: %(default)s)",
    )
    replay.add_argument(
        "--delivery", metavar="GUID", help="X-GitHub-Delivery (default: a new one each time)"
    )
