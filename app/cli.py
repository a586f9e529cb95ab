"""The command `rlm`: reads its arguments, runs one command, and meets every error in one place.

What is imported here is imported for `rlm --help` too, so nothing heavy is: see `_run`.
"""

import argparse
import atexit
import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from app.defaults import (
    DEFAULT_BUDGET_USD,
    DEFAULT_EFFORT,
    DEFAULT_MODEL,
    DISTRIBUTION,
    EFFORTS,
    OWN_WEBHOOK,
    PROGRAM,
    SERVER_ENGINES,
    SERVER_HOST,
    SERVER_PORT,
    SEVERITIES,
    UNSET,
)
from app.interrupt import Interrupted, Interrupts
from app.render import FORMATS
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser

EXIT_TROUBLE = 2

MAX_PORT = 65_535
MAX_ENGINES = 32
MAX_LEVELS = 1_000

_EXAMPLES = """\
examples:
  rlm review                          the current branch against its upstream
  rlm review main..HEAD               what HEAD adds since it left main
  rlm review https://github.com/OWNER/REPO/pull/NUMBER
  rlm review --no-model               the deterministic detectors alone, offline
  rlm review --estimate               what a review would cost; spends nothing
  rlm review --format sarif --output review.sarif --fail-on high
  rlm refactor "rename f to g"        a plan, then commits; see rlm help refactor
  rlm fix --branch mended             a commit for each finding; see rlm help fix
  rlm tests main..HEAD                tests for what no test covers; see rlm help tests
  rlm trace last                      how the latest review was made

exit codes:
  0    nothing at or above --fail-on (which is off by default), or nothing to review
  1    findings at or above --fail-on
  2    wrong usage, or something in the way: a message says what to do
  3    the run ended early (budget, deadline, model service, Ctrl-C): the result is partial
       and says so; this goes before 1
  130  stopped by Ctrl-C before there was any result, or by a second Ctrl-C (143: SIGTERM)
"""

_FIX_EXAMPLES = """\
examples:
  rlm fix --branch mended                 review the current branch, and close what is found
  rlm review main..HEAD --format json --output review.json
  rlm fix review.json                     what would be mended, as text; writes nothing
  rlm fix review.json --branch mended     the same, as a branch; costs nothing now
  rlm fix review.json 3f0c9a1b72de --apply
  rlm review --format json | rlm fix - --format patch > mended.patch

The last commit is changed, whatever the work tree has. No test and nothing else of the repository
is run: run your tests on the result.

exit codes:
  0    every finding is closed, or not there any more; and written where that was asked for
  1    some findings stay open, each with the reason; what is closed is written all the same
  2    wrong usage, or something in the way: a message says what to do
  3    partial: the run ended early, or nobody came to a finding; what is closed is written all the
       same. Where the detectors find something in the result, or Ctrl-C has ended the run, nothing
       is written to a branch or the work tree without --partial
  130  stopped by Ctrl-C before there was any result, or by a second Ctrl-C (143: SIGTERM)
"""

_REFACTOR_EXAMPLES = """\
examples:
  rlm refactor "rename with_vat to add_vat" --plan
  rlm refactor "split orders.py into queries and commands" backend/shop --branch split-orders
  rlm refactor "move money helpers to shop/money.py" --format patch > money.patch
  rlm refactor - --apply < instruction.txt

The last commit is changed, whatever the work tree has. A second run with the same words and the
same commit is answered from what the first one paid.

exit codes:
  0    done (or nothing had to be changed, or --plan), and written where it was asked for
  1    the plan has questions for you, or refuses: nothing was changed
  2    wrong usage, or something in the way: a message says what to do
  3    partial: something was left or is not clean, or the run ended early; it is not written to
       a branch or the work tree without --partial
  130  stopped by Ctrl-C before there was any result, or by a second Ctrl-C (143: SIGTERM)
"""

_TESTS_EXAMPLES = """\
examples:
  rlm tests                               for the current branch, as text; writes nothing
  rlm tests main..HEAD --branch tested    as a branch on HEAD; costs nothing now
  rlm tests main..HEAD backend/shop --apply
  rlm tests HEAD~1..HEAD --format patch > tests.patch

Only test files are written, and only by adding to them. The tests are not run: run them.

exit codes:
  0    each behaviour of the change has a test; and written where that was asked for
  1    some have none, each with the reason; what was written counts all the same
  2    wrong usage, or something in the way: a message says what to do
  3    partial: the run ended early, or the detectors find something in the result; it is not
       written to a branch or the work tree without --partial
  130  stopped by Ctrl-C before there was any result, or by a second Ctrl-C (143: SIGTERM)
"""

_TRACE_EXAMPLES = """\
examples:
  rlm trace                           the latest runs
  rlm trace last --costs              the latest run as a tree, and its dearest nodes
  rlm trace 20261126-1450 --depth 2   a run by the beginning of its id
  rlm trace last --node 1.2           one node, turn by turn
  rlm trace last --files made         made/index.md, made/1/2/result.json, ...
"""

_EVAL_EXAMPLES = """\
examples:
  rlm eval evaluation --no-model      the detectors alone, offline
  rlm eval evaluation --open          the cases to work with, with a model
  rlm eval cases.jsonl --only a b     two cases of a dataset of yours

exit codes:
  0    every case was reviewed to its end
  2    wrong usage, a broken dataset, or something in the way
  3    a case was not reviewed, or its review ended early
"""


_DOCTOR_CODES = """\
exit codes:
  0    a review can run, with a model or without
  1    it can, but something of the GitHub App does not work (!!; with --online)
  2    no review can run (XX), or wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `rlm` and return its exit code; no error leaves here as a traceback."""
    interrupts = Interrupts()
    with interrupts.installed():
        try:
            return _run(_parser().parse_args(arguments), interrupts)
        except Interrupted as error:
            _complain("Stopped before there was a result.")
            return error.exit_code
        except RlmError as error:
            return _report(error)
        except OSError as error:
            return _report(_in_the_way(error))
        except Exception as error:
            return _bug(error)


def _run(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Hand over to the command. Each imports what it needs, when it is called."""
    match options.command:
        case "doctor":
            from app.doctor import doctor  # noqa: PLC0415

            return doctor(os.environ, online=options.online, form=options.format, url=options.url)
        case "config":
            from app.config_command import config_command  # noqa: PLC0415

            return config_command(options, os.environ)
        case "trace":
            from app.trace_command import trace_command  # noqa: PLC0415

            return trace_command(options, os.environ)
    return _run_on_code(options, interrupts)


def _run_on_code(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Hand over to a command that works on a repository."""
    match options.command:
        case "review":
            from app.review_command import review_command  # noqa: PLC0415

            return review_command(options, os.environ, interrupts)
        case "refactor":
            from app.refactor_command import refactor_command  # noqa: PLC0415

            return refactor_command(options, os.environ, interrupts)
        case "fix":
            from app.fix_command import fix_command  # noqa: PLC0415

            return fix_command(options, os.environ, interrupts)
        case "tests":
            from app.tests_command import tests_command  # noqa: PLC0415

            return tests_command(options, os.environ, interrupts)
        case "eval":
            from app.eval_command import eval_command  # noqa: PLC0415

            return eval_command(options, os.environ, interrupts)
    return _run_on_github(options, interrupts)


def _run_on_github(options: argparse.Namespace, interrupts: Interrupts) -> int:
    """Hand over to a command of the App or of the Action."""
    match options.command:
        case "serve":
            from app.serve import serve  # noqa: PLC0415

            return serve(options, os.environ, interrupts)
        case "setup":
            from app.setup import setup  # noqa: PLC0415

            return setup(options, os.environ, interrupts)
        case "webhook":
            from app.replay import replay  # noqa: PLC0415

            return replay(options, os.environ, interrupts)
    from app.action import action  # noqa: PLC0415

    return action(os.environ, interrupts)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Review a change of any size, with a language model or without.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action=_Version, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    _add_review(commands)
    _add_refactor(commands)
    _add_fix(commands)
    _add_tests(commands)
    _add_trace(commands)
    _add_eval(commands)
    _add_doctor(commands)
    _add_config(commands)
    _add_setup(commands)
    _add_serve(commands)
    _add_webhook(commands)
    commands.add_parser(
        "action",
        help="review the pull request of a GitHub Actions event (action.yml calls it)",
        description="Review the pull request of the event that GitHub Actions describes in its "
        "environment variables. action.yml calls this; it takes no options.",
    )
    about = commands.add_parser("help", help="show the help of a command")
    about.add_argument("topic", nargs="?", choices=(*commands.choices,), help="a command")
    parser.commands = {**commands.choices}
    return parser


def _add_doctor(commands: "argparse._SubParsersAction[_Parser]") -> None:
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


def _add_config(commands: "argparse._SubParsersAction[_Parser]") -> None:
    config = commands.add_parser(
        "config",
        help="show what .github/rlm.yml makes of reviews here, and check it",
        description="Show what holds for reviews of this repository and who said so: "
        ".github/rlm.yml, the environment, or the default. Exits with 1 if the file is broken, "
        "in the default branch or in the work tree. docs/configuration.md has every key.",
    )
    config.add_argument("--repo", default=".", metavar="PATH", help="repository (default: here)")
    config.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of the file, for editors"
    )


def _add_setup(commands: "argparse._SubParsersAction[_Parser]") -> None:
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
        "--port", type=_port, default=0, metavar="N", help="of the local page (default: any)"
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


def _add_serve(commands: "argparse._SubParsersAction[_Parser]") -> None:
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
        type=_port,
        default=SERVER_PORT,
        metavar="N",
        help=f"port to listen on, 0 for any (default: {SERVER_PORT})",
    )
    serve.add_argument(
        "--engines",
        type=_engines,
        default=SERVER_ENGINES,
        metavar="N",
        help=f"reviews at once (default: {SERVER_ENGINES})",
    )


def _add_webhook(commands: "argparse._SubParsersAction[_Parser]") -> None:
    webhook = commands.add_parser("webhook", help="work with webhook deliveries")
    kinds = webhook.add_subparsers(
        dest="webhook_command", metavar="COMMAND", parser_class=_Parser, required=True
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


def _add_review(commands: "argparse._SubParsersAction[_Parser]") -> None:
    review = commands.add_parser(
        "review",
        help="review a range of commits or a pull request",
        description="Review a range of commits or a pull request. Without an argument: the "
        "current branch against its upstream.",
        epilog=_EXAMPLES,
    )
    review.add_argument(
        "target",
        nargs="?",
        metavar="BASE..HEAD | PULL_REQUEST_URL",
        help="commits (the three-dot difference, from where HEAD left BASE), or an address",
    )
    review.add_argument("--repo", default=".", metavar="PATH", help="repository (default: here)")

    work = review.add_argument_group("how much work")
    work.add_argument(
        "--effort",
        choices=EFFORTS,
        help=f"passes made (default: RLM_EFFORT or {DEFAULT_EFFORT})",
    )
    work.add_argument(
        "--budget",
        metavar="USD",
        help=f"most that this run may cost; 0 asks no model, none is no cap "
        f"(default: RLM_BUDGET or {DEFAULT_BUDGET_USD:.2f})",
    )
    work.add_argument(
        "--deadline", type=_seconds, metavar="SECONDS", help="end after so long (default: never)"
    )
    work.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="PATH",
        help="review only this file or folder; may be given again",
    )
    work.add_argument(
        "--estimate",
        action="store_true",
        help="say what it would cost, as text or json, and spend nothing",
    )
    work.add_argument(
        "--batch",
        action="store_true",
        help="half the price, and hours instead of minutes: through the Message Batches API",
    )
    work.add_argument(
        "--fresh",
        action="store_true",
        help="ask the model anew, also what it has answered before",
    )
    asked = work.add_mutually_exclusive_group()
    asked.add_argument(
        "--model", metavar="NAME", help=f"model to ask (default: RLM_MODEL or {DEFAULT_MODEL})"
    )
    asked.add_argument(
        "--no-model", action="store_true", help="the deterministic detectors alone, offline"
    )

    result = review.add_argument_group("the result")
    result.add_argument(
        "--format", choices=FORMATS, default="text", help="form of the result (default: text)"
    )
    result.add_argument(
        "--output", default="-", metavar="FILE", help="write it there (default: -, the terminal)"
    )
    result.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        metavar="SEVERITY",
        help=f"exit with 1 for a finding that is as bad or worse: {', '.join(SEVERITIES)} "
        "(default: never)",
    )
    result.add_argument("--trace", metavar="FILE", help="write the trace there too")
    result.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, only result and warnings"
    )


def _add_refactor(commands: "argparse._SubParsersAction[_Parser]") -> None:
    refactor = commands.add_parser(
        "refactor",
        help="change how a program is built: an instruction becomes commits",
        description="Carry out an instruction on the last commit: plan, rename and move by rule, "
        "edit by nodes in parallel, look at the result with the detectors and mend it. Nothing is "
        "written unless you say where. docs/refactor.md tells more.",
        epilog=_REFACTOR_EXAMPLES,
    )
    refactor.add_argument(
        "instruction", metavar="INSTRUCTION", help="what to change; - reads it from standard input"
    )
    refactor.add_argument(
        "paths",
        nargs="*",
        default=[],
        metavar="PATH",
        help="files and folders to work in (default: all); what is renamed or moved is followed "
        "everywhere",
    )
    refactor.add_argument("--repo", default=".", metavar="PATH", help="repository (default: here)")

    work = refactor.add_argument_group("how much work")
    work.add_argument("--plan", action="store_true", help="show the plan and stop there")
    _add_commit_options(refactor, work, each="module")


def _add_fix(commands: "argparse._SubParsersAction[_Parser]") -> None:
    fix = commands.add_parser(
        "fix",
        help="close the findings of a review: each becomes a commit",
        description="Close findings of a review, which is made first unless it is given. A node "
        "makes a patch for each, detectors and a fresh node look at it, and what they refute goes "
        "back, at most twice. "
        "Nothing is written unless you say where. docs/fix.md tells more.",
        epilog=_FIX_EXAMPLES,
    )
    fix.add_argument(
        "review",
        nargs="?",
        metavar="REVIEW.json | BASE..HEAD",
        help="the result of `rlm review --format json`, - reads it from standard input; or commits "
        "that are reviewed first, with at most half of the budget (default: the current branch "
        "against its upstream)",
    )
    fix.add_argument(
        "findings", nargs="*", metavar="FINDING", help="ids of findings to close (default: all)"
    )
    fix.add_argument("--repo", default=".", metavar="PATH", help="repository (default: here)")
    work = fix.add_argument_group("how much work")
    work.add_argument(
        "--no-tests", action="store_true", help="write no tests for the findings that are closed"
    )
    _add_commit_options(fix, work, each="finding")


def _add_tests(commands: "argparse._SubParsersAction[_Parser]") -> None:
    tests = commands.add_parser(
        "tests",
        help="write tests for what a change does and no test covers",
        description="Find what a change adds or alters and no test covers, and write tests of it "
        "in the repository's own style, a commit for each test file. A fresh node tries to refute "
        "each: would it fail without the change? Nothing is written unless you say where. "
        "docs/tests.md tells more.",
        epilog=_TESTS_EXAMPLES,
    )
    tests.add_argument(
        "what",
        nargs="*",
        default=[],
        metavar="BASE..HEAD | PATH",
        help="commits (the three-dot difference; default: the current branch against its "
        "upstream), and files and folders whose changes are meant (default: all)",
    )
    tests.add_argument("--repo", default=".", metavar="PATH", help="repository (default: here)")
    _add_commit_options(tests, tests.add_argument_group("how much work"), each="test file")


def _add_commit_options(command: "_Parser", work: "argparse._ArgumentGroup", *, each: str) -> None:
    """Add the options of a command that makes commits, one for `each`."""
    work.add_argument(
        "--effort",
        choices=EFFORTS,
        help=f"how hard the model thinks (default: RLM_EFFORT or {DEFAULT_EFFORT})",
    )
    work.add_argument(
        "--budget",
        metavar="USD",
        help=f"most that this run may cost; none is no cap "
        f"(default: RLM_BUDGET or {DEFAULT_BUDGET_USD:.2f})",
    )
    work.add_argument(
        "--deadline", type=_seconds, metavar="SECONDS", help="end after so long (default: never)"
    )
    work.add_argument(
        "--model", metavar="NAME", help=f"model to ask (default: RLM_MODEL or {DEFAULT_MODEL})"
    )
    work.add_argument(
        "--fresh",
        action="store_true",
        help="ask the model anew, also what it has answered before",
    )

    result = command.add_argument_group("the result")
    where = result.add_mutually_exclusive_group()
    where.add_argument(
        "--branch", metavar="NAME", help=f"make a new branch with one commit for each {each}"
    )
    where.add_argument(
        "--apply",
        action="store_true",
        help="change the work tree; refused where the files have changes of yours",
    )
    result.add_argument(
        "--partial", action="store_true", help="write a partial result, too, where it is asked for"
    )
    result.add_argument(
        "--format",
        choices=("text", "json", "patch"),
        default="text",
        help="form of the result; a patch is for `git am` (default: text)",
    )
    result.add_argument(
        "--output", default="-", metavar="FILE", help="write it there (default: -, the terminal)"
    )
    result.add_argument("--trace", metavar="FILE", help="write the trace there too")
    result.add_argument("-q", "--quiet", action="store_true", help="no progress, only the result")
    command.set_defaults(estimate=False, no_model=False)


def _add_trace(commands: "argparse._SubParsersAction[_Parser]") -> None:
    trace = commands.add_parser(
        "trace",
        help="show how a review was made: its nodes, what they looked up, returned and cost",
        description="Show how a review was made, from the trace that each run with a model leaves "
        "under RLM_HOME. Without an argument: the latest runs.",
        epilog=_TRACE_EXAMPLES,
    )
    trace.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="a run's id, the beginning of one, `last`, or the path of a trace",
    )
    trace.add_argument("--node", metavar="NAME", help="one node in full, turn by turn (1.2, say)")
    trace.add_argument(
        "--depth", type=_level, metavar="N", help="show N levels of the tree (default: all)"
    )
    trace.add_argument("--costs", action="store_true", help="also list the dearest nodes")
    trace.add_argument("--json", action="store_true", help="everything, as JSON (docs/json.md)")
    trace.add_argument(
        "--files", metavar="DIR", help="lay out what each node was given and returned as files"
    )


def _add_eval(commands: "argparse._SubParsersAction[_Parser]") -> None:
    evaluation = commands.add_parser(
        "eval",
        help="review cases whose defects are known, and count what was found",
        description="Review the cases of a dataset and count what was found, missed and claimed "
        "without cause. Finished cases are kept: a second run with the same commits, settings and "
        "program takes them up. docs/evaluation.md describes the format and the numbers.",
        epilog=_EVAL_EXAMPLES,
    )
    evaluation.add_argument(
        "dataset", metavar="DATASET", help="a JSONL file, or a folder of recipes like evaluation/"
    )
    evaluation.add_argument(
        "--only", nargs="+", action="extend", metavar="ID", help="only these cases"
    )
    half = evaluation.add_mutually_exclusive_group()
    half.add_argument(
        "--held-back",
        action="store_true",
        default=None,
        help="only the cases that are not for tuning",
    )
    half.add_argument(
        "--open", action="store_false", dest="held_back", help="only the cases to work with"
    )
    evaluation.add_argument(
        "--effort",
        choices=EFFORTS,
        help=f"passes made (default: RLM_EFFORT or {DEFAULT_EFFORT})",
    )
    evaluation.add_argument(
        "--budget",
        metavar="USD",
        help="most that one case may cost, its judging included; 0 asks no model, none is no cap "
        f"(default: RLM_BUDGET or {DEFAULT_BUDGET_USD:.2f})",
    )
    asked = evaluation.add_mutually_exclusive_group()
    asked.add_argument(
        "--model", metavar="NAME", help=f"model to ask (default: RLM_MODEL or {DEFAULT_MODEL})"
    )
    asked.add_argument(
        "--no-model", action="store_true", help="the deterministic detectors alone, offline"
    )
    evaluation.add_argument(
        "--judge",
        action=argparse.BooleanOptionalAction,
        help="have a small model say whether a claim means a known defect; without, the place "
        "alone decides (default: with a model)",
    )
    evaluation.add_argument(
        "--repositories",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder, beside its own, in which the dataset may name local repositories; may be "
        "repeated (RLM_REPOSITORIES)",
    )
    evaluation.add_argument(
        "--out", metavar="DIR", help="keep repositories and results there (default: RLM_HOME/eval)"
    )
    evaluation.add_argument(
        "--format", choices=("text", "json"), default="text", help="of the numbers (default: text)"
    )
    evaluation.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, only result and warnings"
    )
    evaluation.set_defaults(estimate=False)


class _Parser(argparse.ArgumentParser):
    """argparse, with our layout, no abbreviations, and help for whoever types nothing."""

    commands: dict[str, argparse.ArgumentParser]

    def __init__(self, **options: object) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **options,  # type: ignore[arg-type]
        )

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> argparse.Namespace:
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:  # argparse itself would point to the help that lists the commands
            parser = self.commands.get(options.command, self)
            target = getattr(options, "target", None)
            if target and not any(word.startswith("-") or ".." in word for word in unknown):
                parser.error(f"one range, with dots: {target}..{unknown[0]}")
            parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        if options.command is None:
            self.print_help(sys.stderr)
            self.exit(EXIT_TROUBLE)
        if options.command == "help":
            (self.commands[options.topic] if options.topic else self).print_help()
            self.exit(0)
        return options

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_TROUBLE, f"rlm: {message}\nhint: {self.prog} --help\n")


class _Version(argparse.Action):
    """Print the version; looking it up takes time that `--help` does not have."""

    def __init__(self, **options: object) -> None:
        super().__init__(nargs=0, **options)  # type: ignore[arg-type]

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415

        print(PROGRAM, version(DISTRIBUTION))
        parser.exit(0)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text!a}")
    return seconds


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"not a port from 0 to {MAX_PORT}: {text!a}")
    return int(text)


def _level(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LEVELS:
        raise argparse.ArgumentTypeError(f"not a number from 1 to {MAX_LEVELS}: {text!a}")
    return int(text)


def _engines(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ENGINES:
        raise argparse.ArgumentTypeError(f"not a number from 1 to {MAX_ENGINES}: {text!a}")
    return int(text)


def _report(error: RlmError) -> int:
    match error:
        case TellUser(problem=problem, hint=hint):
            _complain(problem, hint)
        case RetryLater():
            when = f"Try again in {error.after_s:.0f} s." if error.after_s else "Try again."
            _complain(str(error), when)
        case GiveUp():
            _complain(str(error))
    return EXIT_TROUBLE


def _in_the_way(error: OSError) -> TellUser:
    """Say what the system refused: a full disk, a folder that is gone, too many open files."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 named, not used
        return TellUser(
            f"{where}{error.strerror}; temporary files go to {temporary}",
            "Make room on that disk, or set TMPDIR and RLM_HOME to folders on another.",
        )
    if isinstance(error, FileNotFoundError) and "temporary" in str(error):
        return TellUser("No folder for temporary files can be written", "Set TMPDIR to one.")
    return TellUser(f"{where}{error.strerror or error}", "Look at what is named here.")


def _bug(error: Exception) -> int:
    if os.environ.get("RLM_DEBUG", "").strip() not in UNSET:
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    _complain(
        f"This is a bug: {type(error).__name__}: {error}",
        "Run again with RLM_DEBUG=1 and report what it prints.",
    )
    return EXIT_TROUBLE


def _complain(problem: str, hint: str = "") -> None:
    """Print a problem and its remedy, each on one line, whatever bytes a name in it had."""
    problem = " ".join(problem.split())
    text = f"rlm: {problem}{'' if problem.endswith(('.', '!', '?')) else '.'}\n"
    if hint:
        text += f"hint: {' '.join(hint.split())}\n"
    shown = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    sys.stderr.write(shown)


def run() -> NoReturn:
    """Run `rlm` as a program: end with the exit code of `main`, whatever threads are still about.

    The interpreter's own shutdown meets the sandbox's native threads now and then, and then aborts
    with a signal in place of the exit code. So what has to be done at the end is done here: the
    temporary folders removed, the streams flushed; and then the process ends at once.
    """
    try:
        code = main()
    except SystemExit as error:  # argparse, after --help or about a wrong argument
        code = error.code if isinstance(error.code, int) else EXIT_TROUBLE if error.code else 0
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed by its reader, which `deliver` has met before
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
