"""The arguments of what makes commits: `rlm refactor`, `fix`, `tests`."""

import argparse

from app.arguments.common import Commands, Parser, seconds
from app.defaults import DEFAULT_BUDGET_USD, DEFAULT_EFFORT, DEFAULT_MODEL, EFFORTS

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
  1    the plan has questions for you, or refuses, or destroys what you have not named (see
       --destructive): nothing was changed
  2    wrong usage, or something in the way: a message says what to do
  3    partial: something was left or is not clean, or the run ended early; it is not written to
       a branch or the work tree without --partial
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


def add_refactor(commands: Commands) -> None:
    """Add `rlm refactor`."""
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
    work.add_argument(
        "--destructive",
        action="store_true",
        help="carry out, and write, also what destroys more than the instruction names: without "
        "it, --apply and --branch stop at such a plan",
    )
    _add_commit_options(refactor, work, each="module")


def add_fix(commands: Commands) -> None:
    """Add `rlm fix`."""
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


def add_tests(commands: Commands) -> None:
    """Add `rlm tests`."""
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


def _add_commit_options(command: Parser, work: "argparse._ArgumentGroup", *, each: str) -> None:
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
        "--deadline", type=seconds, metavar="SECONDS", help="end after so long (default: never)"
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
        choices=("text", "json", "patch", "markdown", "html"),
        default="text",
        help="form of the result; a patch is for `git am`, Markdown for a comment, HTML for "
        "a page in one file "
        "(default: text)",
    )
    result.add_argument(
        "--output", default="-", metavar="FILE", help="write it there (default: -, the terminal)"
    )
    result.add_argument("--trace", metavar="FILE", help="write the trace there too")
    result.add_argument("-q", "--quiet", action="store_true", help="no progress, only the result")
    command.set_defaults(estimate=False, no_model=False)
