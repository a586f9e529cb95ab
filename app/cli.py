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

from app.arguments import parser
from app.arguments.common import EXIT_TROUBLE
from app.defaults import UNSET
from app.interrupt import Interrupted, Interrupts
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `rlm` and return its exit code; no error leaves here as a traceback."""
    interrupts = Interrupts()
    with interrupts.installed():
        try:
            return _run(parser().parse_args(arguments), interrupts)
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
