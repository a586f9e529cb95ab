"""How the arguments of `rlm` are read: the parser of all commands, and what a value may be."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn, TypeAlias

from app.defaults import DISTRIBUTION, PROGRAM

EXIT_TROUBLE = 2

MAX_PORT = 65_535
MAX_ENGINES = 32
MAX_LEVELS = 1_000


class Parser(argparse.ArgumentParser):
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


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What commands are added to."""


class Version(argparse.Action):
    """Print the version; looking it up takes time that `--help` does not have."""

    def __init__(self, **options: object) -> None:
        super().__init__(nargs=0, **options)  # type: ignore[arg-type]

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415

        print(PROGRAM, version(DISTRIBUTION))
        parser.exit(0)


def seconds(text: str) -> float:
    """Read a time in seconds, greater than 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text!a}")
    return seconds


def port(text: str) -> int:
    """Read the number of a port; 0 is any that is free."""
    if not text.isdecimal() or not 0 <= int(text) <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"not a port from 0 to {MAX_PORT}: {text!a}")
    return int(text)


def level(text: str) -> int:
    """Read how many levels of a tree are meant."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LEVELS:
        raise argparse.ArgumentTypeError(f"not a number from 1 to {MAX_LEVELS}: {text!a}")
    return int(text)


def engines(text: str) -> int:
    """Read how many engines are meant."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_ENGINES:
        raise argparse.ArgumentTypeError(f"not a number from 1 to {MAX_ENGINES}: {text!a}")
    return int(text)
