"""The names of the detectors, for whoever switches one off: importing this loads none of them."""

from typing import Literal, get_args

Name = Literal[
    "syntax",
    "conflicts",
    "leftovers",
    "hidden",
    "secrets",
    "python-lint",
    "workflows",
    "lock-files",
    "contracts",
]

DETECTORS: tuple[Name, ...] = get_args(Name)
