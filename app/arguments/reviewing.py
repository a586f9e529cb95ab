"""The arguments of what reviews, and looks at how that was done: `rlm review`, `trace`, `eval`."""

import argparse

from app.arguments.common import Commands, level, seconds
from app.defaults import DEFAULT_BUDGET_USD, DEFAULT_EFFORT, DEFAULT_MODEL, EFFORTS, SEVERITIES
from app.render import FORMATS

EXAMPLES = """\
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
  rlm eval evaluation --again         each case twice: what is said only the second time?
  rlm eval cases.jsonl --only a b     two cases of a dataset of yours

exit codes:
  0    every case was reviewed to its end
  2    wrong usage, a broken dataset, or something in the way
  3    a case was not reviewed, or its review ended early
"""


def add_review(commands: Commands) -> None:
    """Add `rlm review`."""
    review = commands.add_parser(
        "review",
        help="review a range of commits or a pull request",
        description="Review a range of commits or a pull request. Without an argument: the "
        "current branch against its upstream.",
        epilog=EXAMPLES,
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
        "--deadline", type=seconds, metavar="SECONDS", help="end after so long (default: never)"
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


def add_trace(commands: Commands) -> None:
    """Add `rlm trace`."""
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
        "--depth", type=level, metavar="N", help="show N levels of the tree (default: all)"
    )
    trace.add_argument("--costs", action="store_true", help="also list the dearest nodes")
    trace.add_argument("--json", action="store_true", help="everything, as JSON (docs/json.md)")
    trace.add_argument(
        "--files", metavar="DIR", help="lay out what each node was given and returned as files"
    )


def add_eval(commands: Commands) -> None:
    """Add `rlm eval`."""
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
        "--again",
        action="store_true",
        help="review each case a second time, unchanged and with answers of its own, told of what "
        "the first review said; count what is said that was not said at the first",
    )
    evaluation.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        default="text",
        help="of the numbers (default: text)",
    )
    evaluation.add_argument(
        "-q", "--quiet", action="store_true", help="no progress, only result and warnings"
    )
    evaluation.set_defaults(estimate=False)
